"""HubSpot's bad days: rules that answer, delay, cut or lose a request, before or after it had its effect.

A rule is plain JSON, so that it can stand in the state file and come over HTTP:
``method`` and ``path`` are regular expressions (whole method, any part of the path), ``nth`` is the first matching
request that is struck, ``count`` how many are (0: all), ``probability`` with ``seed`` strikes at random but repeatably,
``when`` is ``before`` or ``after`` the effect, and ``kind`` one of KINDS.
"""

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.errors import ApiError, missing_scopes
from reconciler.emulator.routing import Response
from reconciler.emulator.store import Portal

KINDS = ("status", "timeout", "drop", "broken_json", "html", "truncate", "page", "forbidden")
DEFAULTS: Mapping[str, Any] = {
    "kind": "status",
    "method": ".*",
    "path": ".*",
    "nth": 1,
    "count": 1,
    "probability": 1.0,
    "seed": 0,
    "when": "before",
    "status": 500,
    "policyName": "TEN_SECONDLY_ROLLING",
    "retryAfter": None,
    "delay": 0.0,
}


def is_number(value: Any) -> bool:
    """Whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_pattern(value: Any) -> bool:
    """Whether a value is a regular expression."""
    try:
        return bool(re.compile(value))
    except (re.error, TypeError, OverflowError, RecursionError):
        return False


FITS: Mapping[str, Callable[[Any], bool]] = {  # whether a rule may have this value
    "kind": lambda value: value in KINDS,
    "method": is_pattern,
    "path": is_pattern,
    "nth": lambda value: is_number(value) and value >= 1,
    "count": lambda value: is_number(value) and value >= 0,
    "probability": lambda value: isinstance(value, (int, float)) and 0 <= value <= 1,
    "seed": lambda _value: True,
    "when": lambda value: value in ("before", "after"),
    "status": lambda value: is_number(value) and 200 <= value <= 599,
    "policyName": lambda value: isinstance(value, str),
    "retryAfter": lambda value: value is None or isinstance(value, (int, float, str)),
    "delay": lambda value: isinstance(value, (int, float)) and value >= 0,
}
GATEWAY = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 525, 526})
PAGE = "<html><head><title>{status}</title></head><body><center><h1>{status} Bad Gateway</h1></center></body></html>"
MESSAGES = {
    423: "The resource is locked by another request. Try again in a few seconds.",
    477: "This account is being migrated between data hosting locations.",
}


class HungError(TimeoutError):
    """The server never answers; a server on a socket waits so long and then closes it."""

    def __init__(self, delay: float) -> None:
        super().__init__("the emulated portal does not answer")
        self.delay = delay


class DroppedError(ConnectionResetError):
    """The server closes the connection without an answer."""


@dataclass(frozen=True)
class Fault:
    """A rule that strikes the request at hand."""

    rule: Mapping[str, Any]
    portal_id: int

    @property
    def kind(self) -> str:
        """What happens."""
        return str(self.rule["kind"])

    @property
    def before(self) -> bool:
        """Whether the request is struck before it can have an effect."""
        return bool(self.rule["when"] == "before")

    def strike(self, answer: Response | None) -> Response:
        """The answer that goes out instead; a lost one is an exception, so that in-process clients see it too."""
        match self.kind:
            case "timeout":
                raise HungError(self.rule["delay"])
            case "drop":
                raise DroppedError("the emulated portal closed the connection")
            case "forbidden":
                raise missing_scopes(["crm.schemas.contacts.read"])
            case "broken_json":
                return Response(200, b'{"results":[{"name":"broken')
            case "html":
                return Response(200, PAGE.format(status=200))
            case "truncate":
                return truncated(answer)
            case "page":
                return paged(answer)
            case _:
                return self.refusal()

    def refusal(self) -> Response:
        """The answer of a status rule."""
        status = self.rule["status"]
        wait = self.rule["retryAfter"]
        headers = {} if wait is None else {"Retry-After": str(wait)}
        if status == 429:
            raise too_many(self.portal_id, self.rule["policyName"], headers)
        if status in GATEWAY:
            return Response(status, PAGE.format(status=status), headers)
        raise ApiError(status, MESSAGES.get(status, "internal error"), headers=headers)


class TooManyError(ApiError):
    """429, with the name of the limit that was reached."""

    def __init__(self, policy: str, group: str, headers: Mapping[str, str]) -> None:
        message = f"You have reached your {policy.lower()} limit."
        super().__init__(429, message, category="RATE_LIMITS", headers=headers)
        self.policy = policy
        self.group = group

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The body that names the policy."""
        return super().body(correlation_id) | {
            "errorType": "RATE_LIMIT",
            "policyName": self.policy,
            "groupName": self.group,
        }


GROUPS: Mapping[str, str] = {  # policy -> what is counted together
    "SECONDLY": "publicapi:crm:search:oauth",
    "DAILY": "publicapi:private_app-api-calls-daily",
    "TEN_SECONDLY_ROLLING": "publicapi:private_app-api-calls-ten-secondly",
}


def too_many(portal_id: int, policy: str, headers: Mapping[str, str]) -> TooManyError:
    """The refusal of one request too many."""
    group = GROUPS.get(policy, GROUPS["TEN_SECONDLY_ROLLING"])
    return TooManyError(policy, f"{group}:{portal_id}:1", headers)


def truncated(answer: Response | None) -> Response:
    """The first half of an answer that still announces its whole length."""
    body = answer.body if answer else None
    whole = body if isinstance(body, bytes) else json.dumps(body or {"results": []}).encode()
    status = answer.status if answer and answer.status != 204 else 200
    return Response(status, whole[: len(whole) // 2], {"Content-Length": str(len(whole))})


def paged(answer: Response | None) -> Response:
    """The first half of a list that says it goes on, which HubSpot's lists of definitions never did so far."""
    body = json.loads(answer.body) if answer and isinstance(answer.body, bytes) else answer and answer.body
    if answer and not (isinstance(body, dict) and isinstance(body.get("results"), list)):
        return answer
    listed = body["results"] if body else []
    after = str(len(listed) // 2)
    return Response(200, {"results": listed[: len(listed) // 2], "paging": {"next": {"after": after}}})


def add(portal: Portal, **rule: Any) -> dict[str, Any]:
    """Adds a rule; its fields are those of DEFAULTS."""
    made = whole_rule(rule)
    portal.state["faults"].append(made)
    return made


def whole_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule with all its fields, or the refusal of one that could never strike."""
    if unknown := sorted(rule.keys() - DEFAULTS.keys()):
        raise ApiError(400, f"not a fault: unknown {', '.join(unknown)}")
    if wrong := sorted(name for name, value in rule.items() if not FITS[name](value)):
        raise ApiError(400, f"not a fault: {', '.join(f'{name} {json.dumps(rule[name])}' for name in wrong)}")
    return {**DEFAULTS, **rule, "seen": 0}


def clear(portal: Portal) -> None:
    """Drops all rules."""
    portal.state["faults"].clear()


def taken(portal: Portal, method: str, path: str) -> Fault | None:
    """The first rule that strikes this request; every rule that it matches counts it."""
    matching = [rule for rule in portal.state["faults"] if matches(rule, method, path)]
    for rule in matching:
        rule["seen"] += 1
    return next((Fault(rule, portal.portal_id) for rule in matching if due(rule)), None)


def matches(rule: Mapping[str, Any], method: str, path: str) -> bool:
    """Whether a rule is about this request."""
    return bool(re.fullmatch(rule["method"], method) and re.search(rule["path"], path))


def due(rule: Mapping[str, Any]) -> bool:
    """Whether it is this request's turn."""
    place = rule["seen"] - rule["nth"]
    if place < 0 or (rule["count"] and place >= rule["count"]):
        return False
    return random.Random(f"{rule['seed']}/{rule['seen']}").random() < float(rule["probability"])
