"""Everything that can end a run early, and the exit codes.

* ReconcilerError
    - UsageError          a bad flag, file, setting or spec                              exit 3
    - AccessError         no or bad token, missing scope, wrong portal                   exit 4
    - StaleError          a precondition, digest or version no longer holds              exit 5
    - BlockedError        a guard, limit or policy stands in the way                     exit 6
        + RequestRefused  HubSpot understood a write and refused it
    - UnavailableError    HubSpot cannot be reached, or the patience for it is spent     exit 8
    - UnknownOutcome      a write was sent, and whether it was carried out is not known  exit 7
    - ReadOnlyViolation   a bug: something that may only read tried to write             exit 1
"""

import json
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
    """The exit code of a run to which several apply."""
    return min(codes, key=_PRECEDENCE.index)


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


class ReadOnlyViolation(ReconcilerError):
    """Something that may only read tried to write; a bug, caught before it left the process."""


class RequestRefused(BlockedError):
    """HubSpot understood a write and refused it."""

    def __init__(self, status: int, body: Any, *, request: str = "", correlation_id: str = "") -> None:
        parts = _unpacked(body)
        self.status = status
        self.code = "access" if status == 403 else "blocked"
        self.category = str(parts.get("category") or "")
        self.sub_category = _sub_category(parts)
        self.context: Mapping[str, Sequence[str]] = parts.get("context") or {}
        self.errors: Sequence[Mapping[str, Any]] = parts.get("errors") or ()
        message = f"HubSpot refused it ({status}): {_text(parts)}{_usages(self.errors)}"
        correlation = correlation_id or str(parts.get("correlationId") or "")
        super().__init__(message, where=request, correlation_id=correlation)


def _unpacked(body: Any) -> Mapping[str, Any]:
    """The error body; HubSpot sometimes puts the real one as JSON text into ``message`` (hubspot-api.md B)."""
    if not isinstance(body, Mapping):
        return {"message": str(body or "")}
    text = body.get("message")
    if isinstance(text, str) and text.lstrip().startswith("{"):
        try:
            inner = json.loads(text)
        except ValueError:
            return body
        if isinstance(inner, Mapping):
            return {**body, **inner}
    return body


def _sub_category(parts: Mapping[str, Any]) -> str:
    value = parts.get("subCategory") or ""
    return value if isinstance(value, str) else json.dumps(value)


def _text(parts: Mapping[str, Any]) -> str:
    return str(parts.get("message") or parts.get("category") or "no reason given")


def _usages(errors: Iterable[Mapping[str, Any]]) -> str:
    """What still uses a definition: a workflow, a list, a form (hubspot-api.md A.9)."""
    names = []
    for error in errors:
        context = error.get("context") or {}
        for name in context.get("parentName", ()):
            kinds = context.get("parentDisplayType") or context.get("parentType") or ["something"]
            names.append(f"{str(kinds[0]).lower()} {name!r}")
    return f"; still used by {', '.join(names)}" if names else ""
