"""A saved plan on its way to being carried out: checked, and judged again by what is true now."""

import json
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import guards
from reconciler.apply import holds, look
from reconciler.deploy import Deployment, refuse_blocked, require_digest
from reconciler.errors import UsageError
from reconciler.evidence import gather
from reconciler.kinds import Scope
from reconciler.model import Json
from reconciler.observe import Observation
from reconciler.plan import Change, Plan
from reconciler.planning import Wishes, guard_context
from reconciler.saved_plan import load_plan, refuse_forged
from reconciler.wording import not_json
from reconciler.workspace import Workspace

if TYPE_CHECKING:
    from reconciler.client import Client


def approved(
    workspace: Workspace, file: Path, wishes: Wishes, now: Callable[[], datetime]
) -> "tuple[Deployment, Scope, Client]":
    """The plan of a file, ready to be carried out on the portal that it was made for."""
    document = read_json(file)
    client = workspace.connect()
    reader = client.reader()
    portal_id = workspace.check_identity(reader)
    saved = load_plan(document, str(file), portal_id, workspace, now())
    require_digest(wishes.require_digest, saved.document["digest"])
    forget = wishes.allow_forget or bool(saved.document.get("allowForget"))
    wishes = wishes._replace(allow=(*wishes.allow, *saved.allowed), allow_forget=forget)
    scope = workspace.scope(None)
    seen = workspace.settled(lambda: look(saved.changes, reader, scope, around=True))
    refuse_forged(saved.changes, seen, scope)
    managed = workspace.baseline.managed if workspace.baseline else frozenset()
    open_ = tuple(one for one in saved.changes if _to_do(one, seen, managed))
    evidence = gather(open_, reader, scope, workspace.token)
    digest_approved = bool(wishes.require_digest)
    context = guard_context(workspace, wishes, evidence, approved=digest_approved, reviewed=True)
    plan = guards.judged(Plan(changes=open_), context)
    refuse_blocked(plan)
    judged = {one.address: one for one in plan.changes}
    changes = tuple(judged.get(one.address, one) for one in saved.changes)
    return Deployment(workspace, saved.document, changes, seen, now, whole=False), scope, client


def _to_do(change: Change, seen: Observation, managed: Collection[str]) -> bool:
    """Whether a change is still to be judged: what this look shows to be done, the apply, which goes by it, leaves."""
    if change.action == "forget":
        return change.address in managed
    return not change.writes or not holds(change, seen.snapshot)


def read_json(file: Path) -> Json:
    """The JSON in a file that a run wrote, taken word by word: nothing twice, nothing that is no JSON."""
    try:
        data = file.read_bytes()
        if data.startswith(_RECEIPT):
            raise _receipt(file, data)
        return json.loads(data, object_pairs_hook=_each_key_once, parse_constant=_no_number)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", where=str(file)) from error
    except (ValueError, RecursionError) as error:
        hint = "plan again with -o json:FILE"
        raise UsageError(f"{file} {not_json(error)}", where=str(file), hint=hint) from error


_RECEIPT = b'{"event": "begin", '


def _receipt(file: Path, data: bytes) -> UsageError:
    """Says what the record of an apply is to somebody who takes it for a document."""
    begun = json.loads(data.splitlines()[0])
    try:
        which = f" to {begun['portal']['name']} at {begun['at']}"
    except (KeyError, TypeError):  # of another version
        which = ""
    message = f"{file} is the receipt of an apply{which}, and no document"
    return UsageError(message, where=str(file), hint=f"`reconciler plan --inverse {file}` plans back what it did")


def _each_key_once(pairs: list[tuple[str, Json]]) -> Json:
    """An object; one that says a key twice says different things to different readers."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _no_number(text: str) -> Json:
    raise ValueError(f"{text} is no number in JSON")
