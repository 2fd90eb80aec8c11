"""What in a directory wants attention, whatever is done with it: settings that hold for nothing, odd receipts."""

from collections.abc import Iterable, Iterator
from datetime import date

from reconciler import ignore, object_types
from reconciler import settings as settings_file
from reconciler.model import Finding, Reads, Snapshot
from reconciler.observe import Observation
from reconciler.workspace import Workspace


def findings(
    workspace: Workspace, observation: Observation, before: Snapshot, today: date, unread: Iterable[str] = ()
) -> Iterator[Finding]:
    """Receipts that tell nothing, ignore rules that hold no more or cover nothing, watched types that are not there."""
    yield from receipts(unread)
    rules = workspace.settings.ignore
    yield from ignore.expired(rules, today)
    sides = [observation.snapshot, before]
    yield from ignore.unused(ignore.in_force(rules, today), sides, observation.collections)
    yield from unseen(workspace, observation.reads)


def receipts(unread: Iterable[str]) -> Iterator[Finding]:
    """Receipts that are left out because they cannot be read."""
    for why in unread:
        yield Finding("receipt-unreadable", "warning", why, "delete it: it only tells what an apply once did")


def unseen(workspace: Workspace, reads: Reads) -> Iterator[Finding]:
    """Watched object types that the portal does not have, as far as its schemas were read."""
    api, watch = workspace.api, workspace.settings.watch
    for index, name in enumerate(watch):
        if object_types.segment(name, api, reads) is None and reads.ok(api.schemas()):
            from reconciler.wording import did_you_mean

            near = did_you_mean(name, object_types.known(api, reads))
            why = f"watch: the portal has no object type {name}, so nothing of it is seen"
            fix = near or "check the name of the custom object, or drop it from `watch:`"
            file = settings_file.file(workspace.directory)
            place = file.place("watch", index)
            yield Finding("unknown-object-type", "warning", why, fix, "", place, file.frame(place))
