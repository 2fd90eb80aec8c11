"""Waits until HubSpot's reads show what we wrote minutes ago.

Reads lag behind writes, and a stale copy carries the same ``updatedAt`` as a fresh one (hubspot-api.md N.4): only the
values can tell. What looks just as it did before our own write is read again before anybody calls it drift. A third
value is somebody's edit, and nothing to wait for.
"""

from collections.abc import Callable, Mapping

from reconciler.apply import holds, still_before
from reconciler.model import Json
from reconciler.observe import Observation, within
from reconciler.plan import Change
from reconciler.report import change_from_json

PAUSES = (1.0, 2.0, 4.0)  # seconds before each further read


def settled(
    look: Callable[[], Observation], recent: Mapping[str, Mapping[str, Json]], wait: Callable[[float], None]
) -> Observation:
    """What a look shows once it shows our own last writes, or does not show them for some seconds."""
    changes = [change_from_json(one) for one in recent.values()]
    observation = look()
    for pause in PAUSES:
        if not any(stale(change, observation) for change in changes):
            break
        wait(pause)
        observation = look()
    return observation


def stale(change: Change, seen: Observation) -> bool:
    """Whether the portal looks as it did before a change that was carried out."""
    if not within(change.address, seen.collections) or seen.unreadable(change.address):
        return False
    return not holds(change, seen.snapshot, written=True) and still_before(change, seen.snapshot)
