"""Those who change a portal behind a client's back: HubSpot with its releases, and a colleague in the settings."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.emulator import audit_log
from reconciler.emulator.edits import COLLEAGUE, EDITS
from reconciler.emulator.errors import ApiError
from reconciler.emulator.releases import FREE_RELEASES, RELEASES
from reconciler.emulator.store import Portal

__all__ = ["EDITS", "RELEASES", "edit", "release"]


def release(portal: Portal, name: str, **words: Any) -> list[str]:
    """HubSpot ships one of RELEASES, or a ``change``, ``add`` or ``remove`` of one's own; says what it touched."""
    return played(portal, {**RELEASES, **FREE_RELEASES}, name, words)


def edit(portal: Portal, name: str, *, user: str = COLLEAGUE, **words: Any) -> list[str]:
    """A colleague makes one of EDITS; says what was touched."""
    if not str(user).isdecimal():
        raise ApiError(400, f"a user is the number of one, and not {user}")
    return played(portal, EDITS, name, {"user": str(user), **words})


def played(
    portal: Portal, known: Mapping[str, Callable[..., list[str]]], name: str, words: Mapping[str, Any]
) -> list[str]:
    """Makes a change and ends it like any other write."""
    if name not in known:
        raise ApiError(400, f"unknown: {name}; known: {', '.join(sorted(known))}")
    try:
        inspect.signature(known[name]).bind(portal, **words)
    except TypeError as error:
        raise ApiError(400, f"{name}: {error}") from error
    with portal.turn(writing=True):
        touched = known[name](portal, **words)
        if "user" in words:
            audit_log.of_edit(portal, words["user"], name, touched)
        portal.written()
    return touched
