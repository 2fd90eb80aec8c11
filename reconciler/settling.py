"""Waits until HubSpot's reads show what we wrote minutes ago.

Reads lag behind writes, and a stale copy carries the same ``updatedAt`` as a fresh one (hubspot-api.md N.4): only the
values can tell. What looks just as it did before our own write is read again before anybody calls it drift. A third
value is somebody's edit, and nothing to wait for.
"""

from collections.abc import Callable, Mapping

from reconciler.apply import holds, still_before
from reconciler.model import Json, Resource
from reconciler.observe import Observation, within
from reconciler.plan import Change
from reconciler.receipts import ODD
from reconciler.report import change_from_json

PAUSES = (1.0, 2.0, 4.0)  # seconds before each further read


def settled(
    look: Callable[[], Observation], recent: Mapping[str, Mapping[str, Json]], wait: Callable[[float], None]
) -> Observation:
    """What a look shows once it shows our own last writes, or does not show them for some seconds."""
    changes = [change for one in recent.values() if (change := _understood(one))]
    observation = look()
    for pause in PAUSES:
        if not any(stale(change, observation) for change in changes):
            break
        wait(pause)
        observation = look()
    return observation


def _understood(told: Mapping[str, Json]) -> Change | None:
    """A change of a receipt; one that another version wrote, or a hand, is nothing that a run has to wait for."""
    try:
        change = change_from_json(told)
        nothing = Resource(change.kind.NAME, change.address, {})
        for field in change.fields:
            change.kind.value_at(nothing, field)
    except ODD:
        return None
    return change


def stale(change: Change, seen: Observation) -> bool:
    """Whether the portal looks as it did before a change that was carried out."""
    if not within(change.address, seen.collections) or seen.unreadable(change.address):
        return False
    return not holds(change, seen.snapshot, written=True) and still_before(change, seen.snapshot)
