"""Everything that can end a run early, and the exit codes.

* ReconcilerError
    - UsageError          a bad flag, file, setting or spec                              exit 3
    - AccessError         no or bad token, missing scope, wrong portal                   exit 4
        + HostRefused     the CI host understood a call and refused it
    - StaleError          a precondition, digest or version no longer holds              exit 5
    - BlockedError        a guard, limit or policy stands in the way                     exit 6
        + RequestRefused  HubSpot understood a write and refused it
    - UnavailableError    HubSpot cannot be reached, or the patience for it is spent     exit 8
    - UnknownOutcome      a write was sent, and whether it was carried out is not known  exit 7
    - Cancelled           somebody wanted the run to end before it wrote anything        exit 130, 143
    - ReadOnlyViolation   a bug: something that may only read tried to write             exit 1
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """What a run ends with (CONTRACT 4)."""

    OK = 0
    INTERNAL = 1
    DIFFERENCES = 2
    USAGE = 3
    ACCESS = 4
    STALE = 5
    BLOCKED = 6
    PARTIAL = 7
    UNAVAILABLE = 8
    INTERRUPTED = 130
    TERMINATED = 143

    @property
    def label(self) -> str:
        """Its name in documents."""
        return "cancelled" if self in (self.INTERRUPTED, self.TERMINATED) else self.name.lower()

    @classmethod
    def named(cls, name: str) -> "ExitCode":
        """The exit code of an error's code."""
        return cls[name.upper()]


_PRECEDENCE = (130, 143, 7, 1, 4, 5, 6, 8, 3, 2, 0)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The exit code of a run to which several apply; of none, it went well."""
    return min(codes, key=_PRECEDENCE.index, default=ExitCode.OK)


class ReconcilerError(Exception):
    """A run cannot begin or go on: what, where, and the way out."""

    code: str = "internal"

    def __init__(self, message: str, *, where: str = "", hint: str = "", correlation_id: str = "") -> None:
        super().__init__(message)
        self.where = where
        self.hint = hint
        self.correlation_id = correlation_id


class UsageError(ReconcilerError):
    """A bad flag, file, setting or spec."""

    code = "usage"


class AccessError(ReconcilerError):
    """No or a bad token, a missing scope, the wrong portal."""

    code = "access"


class HostRefused(AccessError):
    """The CI host understood a call and refused it."""

    def __init__(self, status: int, message: str, *, request: str = "", hint: str = "") -> None:
        super().__init__(message, where=request, hint=hint)
        self.status = status


class StaleError(ReconcilerError):
    """Something is no longer as it was expected to be; nothing was written."""

    code = "stale"


class BlockedError(ReconcilerError):
    """A guard, limit or policy stands in the way; nothing was written."""

    code = "blocked"


class UnavailableError(ReconcilerError):
    """HubSpot cannot be reached, or the patience for it is spent; nothing was written."""

    code = "unavailable"


class UnknownOutcome(ReconcilerError):
    """A write was sent, and whether it was carried out is not known."""

    code = "partial"


class Cancelled(ReconcilerError):
    """Somebody wanted the run to end, by an interrupt or a terminate, before it wrote anything."""

    def __init__(self, code: str) -> None:
        super().__init__("cancelled; nothing was written")
        self.code = code


class ReadOnlyViolation(ReconcilerError):
    """Something that may only read tried to write; a bug, caught before it left the process."""


class RequestRefused(BlockedError):
    """HubSpot understood a write and refused it."""

    def __init__(self, status: int, body: Any, *, request: str = "", correlation_id: str = "") -> None:
        parts = _unpacked(body)
        self.status = status
        self.code = "access" if status == 403 else "blocked"
        self.category = _text(parts.get("category"))
        self.sub_category = _text(parts.get("subCategory"))  # an object in some bodies (hubspot-api.md F.3)
        self.context: Mapping[str, Any] = _mapping(parts.get("context"))
        self.errors: Sequence[Mapping[str, Any]] = _errors(parts)
        self.scopes = scopes_named(parts)
        message = f"HubSpot refused it ({status}): {_reasons(parts)}{_usages(self.errors)}"
        hint = f"give the key one of the scopes {', '.join(self.scopes)}" if self.scopes else ""
        correlation = correlation_id or _text(parts.get("correlationId"))
        super().__init__(message, where=request, hint=hint, correlation_id=correlation)


def scopes_named(body: Any) -> tuple[str, ...]:
    """The scopes that an error body asks for, in its own context or in those of its errors (hubspot-api.md F.1)."""
    parts = _mapping(body)
    contexts = [_mapping(one.get("context")) for one in (parts, *_errors(parts))]
    named = [context.get(key) for context in contexts for key in ("requiredGranularScopes", "requiredScopes")]
    return tuple(dict.fromkeys(str(scope) for scopes in named if isinstance(scopes, list) for scope in scopes))


def _unpacked(body: Any) -> Mapping[str, Any]:
    """The error body; HubSpot sometimes puts the real one as JSON text into ``message`` (hubspot-api.md B)."""
    if not isinstance(body, Mapping):
        return {"message": body}
    text = _text(body.get("message"))
    from json import loads  # only where something went wrong: `--help` needs none of it

    try:
        inner = loads(text[text.index("{") : text.rindex("}") + 1])
    except (ValueError, RecursionError):
        return body
    return {**body, **inner}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _errors(parts: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    listed = parts.get("errors")
    return tuple(one for one in listed if isinstance(one, Mapping)) if isinstance(listed, list) else ()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    from json import dumps

    return dumps(value)


def _reasons(parts: Mapping[str, Any]) -> str:
    """What HubSpot said, and what it said below that."""
    said = [_text(parts.get("message")), *(_text(one.get("message")) for one in _errors(parts) if not _names(one))]
    told = [text for index, text in enumerate(said) if text and not any(text in other for other in said[:index])]
    return "; ".join(told) or _text(parts.get("category")) or "no reason given"


def _usages(errors: Iterable[Mapping[str, Any]]) -> str:
    """What still uses a definition: a workflow, a list, a form (hubspot-api.md A.9)."""
    names = [f"{_kind(error)} {name!r}" for error in errors for name in _names(error)]
    return f"; still used by {', '.join(names)}" if names else ""


def _names(error: Mapping[str, Any]) -> list[str]:
    named = _mapping(error.get("context")).get("parentName")
    return [_text(name) for name in named] if isinstance(named, list) else []


def _kind(error: Mapping[str, Any]) -> str:
    context = _mapping(error.get("context"))
    kinds = context.get("parentDisplayType") or context.get("parentType")
    return _text(kinds[0]).lower().replace("_", " ") if kinds and isinstance(kinds, list) else "something called"
