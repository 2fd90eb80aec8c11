"""What an HTTP answer of HubSpot means: an answer that can be believed, or trouble, and what trouble allows."""

import json
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from reconciler.errors import scopes_named
from reconciler.model import Answer, Json

Believable = Callable[[int, Json], str]  # what is wrong with the body of a success, or nothing


class Raw(NamedTuple):
    """An HTTP answer as it came; the names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Trouble(NamedTuple):
    """An exchange that gave no usable answer."""

    reason: str
    pause: float | None = None  # seconds that HubSpot asks for; without it we wait longer each time
    perhaps_done: bool = True
    full: bool = False  # the budget of requests is used up, for everybody
    final: bool = False
    hint: str = ""
    correlation_id: str = ""


def judged(raw: Raw, believable: Believable, interval: float) -> Answer | Trouble:
    """The meaning of an HTTP answer, in a budget of requests that is renewed every so many seconds."""
    body, is_json = _body(raw.content)
    correlation = _correlation(raw.headers, body)
    if trouble := _trouble_by_status(raw, body, correlation, interval):
        return trouble
    if (
        raw.status == 404 and not is_json
    ):  # HubSpot answers our Accept header in JSON or not at all (hubspot-api.md N.3)
        return Trouble("HubSpot answered 404 with a page that is not HubSpot's", correlation_id=correlation)
    if 200 <= raw.status < 300:
        wrong = believable(raw.status, body) if is_json else "something that is not JSON"
        if wrong:
            return Trouble(f"HubSpot answered {raw.status} with {wrong}", correlation_id=correlation)
    return Answer(raw.status, body, correlation, scopes_named(body))


def _trouble_by_status(raw: Raw, body: Json, correlation: str, interval: float) -> Trouble | None:
    asked = _seconds(raw.headers)
    match raw.status:
        case 429:
            return _limited(body, asked, correlation, interval)
        case 423:  # locked; two seconds or more (hubspot-api.md F.3)
            return Trouble("HubSpot has locked it (423)", max(2.0, asked or 0), False, correlation_id=correlation)
        case 477:
            hint = "this can take up to a day; try again later"
            reason = "the portal is moving between data centres (477)"
            return Trouble(reason, asked or interval, False, hint=hint, correlation_id=correlation)
        case 408:
            return Trouble("HubSpot gave up waiting (408)", asked, correlation_id=correlation)
        case status if status >= 500:
            return Trouble(f"HubSpot answered {status}", asked, correlation_id=correlation)
        case status if 300 <= status < 400:
            hint = "HubSpot never redirects: check baseUrl and the proxy"
            return Trouble(f"a redirect came instead of an answer ({status})", final=True, hint=hint)
    return None


def _limited(body: Json, asked: float | None, correlation: str, interval: float) -> Trouble:
    """A 429, by its policy (hubspot-api.md F.2)."""
    policy = _policy(body)
    reason = f"too many requests (429 {policy or 'without a policy'})"
    if policy == "DAILY":
        hint = "it is full again at midnight in the portal's time zone"
        reason = "the day's budget of requests is used up (429 DAILY)"
        return Trouble(reason, None, False, final=True, hint=hint, correlation_id=correlation)
    pause = asked or {"TEN_SECONDLY_ROLLING": interval, "SECONDLY": 1.0}.get(policy, interval / 2)
    return Trouble(reason, pause, False, full=True, correlation_id=correlation)


def _policy(body: Json) -> str:
    """The policy's name; where a body has none, its message names it: "reached your ten_secondly_rolling limit"."""
    if not isinstance(body, Mapping):
        return ""
    text = str(body.get("policyName") or body.get("message") or "").upper()
    return next((name for name in ("TEN_SECONDLY_ROLLING", "SECONDLY", "DAILY") if name in text), "")


def _body(content: bytes) -> tuple[Json, bool]:
    """The JSON of an answer, and whether it is any; no content is none too, and fine."""
    if not content.strip():
        return None, True
    try:
        return json.loads(content), True
    except (ValueError, RecursionError):
        return " ".join(content.decode("utf-8", "replace").split())[:200], False


def _correlation(headers: Mapping[str, str], body: Json) -> str:
    named = body.get("correlationId") if isinstance(body, Mapping) else None
    return str(named or headers.get("x-hubspot-correlation-id", ""))


def _seconds(headers: Mapping[str, str]) -> float | None:
    text = headers.get("retry-after", "")
    return float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else None


# --- what a success must look like -----------------------------------------------------------------------------------


def an_object(status: int, body: Json) -> str:
    """Every read of HubSpot's is answered with an object; anything else is unreadable, and never empty."""
    return "" if isinstance(body, Mapping) else "something that is no object"


def a_whole_list(status: int, body: Json) -> str:
    """A list of definitions is never paged (hubspot-api.md A.1, N.3), so one that goes on elsewhere is not whole."""
    if not isinstance(body, Mapping) or not isinstance(body.get("results"), list):
        return "something that is no list"
    if not all(isinstance(one, Mapping) for one in body["results"]):
        return "a list of things that are no objects"
    paging = body.get("paging")
    return "only a part of the list" if isinstance(paging, Mapping) and paging.get("next") else ""


def a_result(method: str) -> Believable:
    """A write is answered with an object; only what creates nothing may be answered with nothing."""

    def believable(status: int, body: Json) -> str:
        nothing = body is None and (status == 204 or method != "POST")
        return "" if nothing or isinstance(body, Mapping) else "something that does not say what was done"

    return believable
