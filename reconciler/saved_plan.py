"""A saved plan, read with suspicion: whole, meant for this portal and this version, and honest about what it does.

Its digest shows that nobody changed it by accident; whoever changes it on purpose can make a digest too. So what it
says of its own risk is worked out again, its fields may only name what a kind can write, and the ids that it carries
must be those of the thing that its address names.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler import report, spec
from reconciler.address import split
from reconciler.document_schemas import saved_plan
from reconciler.errors import BlockedError, StaleError, UsageError
from reconciler.kinds import Scope, association_labels, kinds
from reconciler.model import Json, Resource, Tombstone
from reconciler.object_types import segment
from reconciler.observe import Observation
from reconciler.plan import EXPECTS, RISKS, Change, derived, digest
from reconciler.schema import depth
from reconciler.workspace import Workspace

CLOCKS_DIFFER = timedelta(hours=1)  # at most, from one machine to another
REVIEW = "plan again and have it reviewed"


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan document that was reviewed, and the changes in it."""

    document: Mapping[str, Json]
    changes: tuple[Change, ...]

    @property
    def allowed(self) -> tuple[str, ...]:
        """The destructions that whoever made the plan consented to."""
        return tuple(self.document["allowed"])


def load_plan(document: Json, where: str, portal_id: Json, workspace: Workspace, now: datetime) -> SavedPlan:
    """A saved plan, if it is whole, still valid, and meant for this portal."""
    plan = report.check_version(document, where)
    if plan.get("kind") != "plan":
        kind = f", but a document of `{plan['kind']}`" if isinstance(plan.get("kind"), str) else ""
        raise UsageError(f"{where} is no plan{kind}", where=where, hint="save one with `reconciler plan -o json:FILE`")
    if plan.get("comparison"):
        hint = "plan against a portal: `reconciler plan -o json:FILE`"
        raise UsageError(f"{where} compares two commits and knows no portal", where=where, hint=hint)
    if problem := spec.first_problem(plan, saved_plan()):
        raise UsageError(f"{where} is not a whole plan: {problem}", where=where, hint="plan again")
    changes = tuple(report.change_from_json(change) for change in plan["changes"])
    for problem in filter(None, map(oddity, changes)):
        raise UsageError(f"{where} is not a whole plan: {problem}", where=where, hint="plan again")
    _each_once(changes, where)
    _for_this_portal(plan, portal_id, workspace, where)
    if digest(changes, plan["portal"]["portalId"]) != plan["digest"]:
        message = f"{where} does not match its digest: it was changed after it was made"
        raise StaleError(message, where=where, hint=REVIEW)
    _in_time(plan, where, now)
    if plan["errors"] or any(finding["severity"] == "error" for finding in plan["findings"]):
        raise UsageError(f"{where} was made with errors in it", where=where, hint="mend what `show` says, plan again")
    if any(change.conflicts for change in changes):
        hint = "plan with --on-conflict spec or --on-conflict live"
        raise StaleError(f"{where} holds conflicts between spec, portal and baseline", where=where, hint=hint)
    return SavedPlan(plan, tuple(_honest(change, where) for change in changes))


def oddity(change: Change) -> str:
    """What no plan of ours could hold: another address or action, or a field that its kind cannot write."""
    names = split(change.address)
    depths = {kind.NAME: 1 + depth(kind.SCHEMA) for kind in kinds()}
    if depths.get(names[0]) != len(names) or any(name.strip(". ") == "" for name in names):
        return f"{change.address!r} is no address"
    if change.expects not in EXPECTS[change.action]:
        return f"{change.address} cannot be both {change.expects} and to {change.action}"
    kind = change.kind
    if problem := spec.first_problem(change.remote, kind.REMOTE) if change.writes else "":
        return f"remote of {change.address}: {problem}"
    if kind.NAME == association_labels.NAME and change.expects == "present" and "typeIds" not in change.remote:
        return f"{change.address} has no typeIds"
    sides = {
        side: {f"{one.how} {one.path}": getattr(one, side) for one in change.fields} for side in ("before", "after")
    }
    schema = {"type": "object", "patternProperties": kind.PLANNED, "additionalProperties": False}
    for values in sides.values():
        if problem := spec.first_problem(values, schema):
            return f"fields of {change.address}: {problem}"
    return f"a field of {change.address} stands there twice" if len(sides["after"]) != len(change.fields) else ""


def _each_once(changes: tuple[Change, ...], where: str) -> None:
    for address, times in Counter(change.address for change in changes).items():
        if times > 1:
            raise UsageError(f"{where} is not a whole plan: {address} stands there twice", where=where)


def _for_this_portal(plan: Mapping[str, Json], portal_id: Json, workspace: Workspace, where: str) -> None:
    made, portal = plan["portal"], workspace.portal
    if (made["name"], made["portalId"]) != (portal.name, portal_id):
        message = (
            f"{where} was made for portal {made['name']} ({made['portalId']}), not for {portal.name} ({portal_id})"
        )
        raise StaleError(message, where=where, hint="choose the portal with -p, or plan again")
    if made["apiVersion"] != portal.api_version:
        message = f"{where} was made with API version {made['apiVersion']}; the settings say {portal.api_version} now"
        raise StaleError(message, where=where, hint="plan again")


def _in_time(plan: Mapping[str, Json], where: str, now: datetime) -> None:
    try:
        made, expires = (datetime.fromisoformat(plan[name]) for name in ("generatedAt", "expiresAt"))
        late, for_ever, early = expires < now, expires - made > report.LIFETIME, made > now + CLOCKS_DIFFER
    except (ValueError, TypeError) as error:  # no time, or one without a zone
        raise UsageError(f"{where} is not a whole plan: {error}", where=where, hint="plan again") from error
    if late or for_ever:
        raise StaleError(f"{where} expired at {plan['expiresAt']}", where=where, hint="plan again")
    if early:  # and would be good for longer than anybody meant
        message = f"{where} was made at {plan['generatedAt']}, which by the clock of this machine is yet to come"
        raise StaleError(message, where=where, hint="set the clocks right, then plan again")


def _honest(change: Change, where: str) -> Change:
    """A change with the risk that follows from what it writes; a plan that states less of it was tampered with."""
    told = derived(change)
    if RISKS.index(change.severity) < RISKS.index(told.severity) or not set(told.destroys) <= set(change.destroys):
        message = f"{where} states less risk for {change.address} than it has: {change.severity}, not {told.severity}"
        raise StaleError(message, where=where, hint=REVIEW)
    return told


def refuse_forged(changes: Iterable[Change], seen: Observation, scope: Scope) -> None:
    """Nothing is written under ids of something else, and what is HubSpot's is not archived, whatever a plan says."""
    for change in changes:
        if not change.writes:
            continue
        if other := _meant_instead(change, seen, scope):
            message = f"the plan names {change.address}, and its ids are those of {other}"
            raise StaleError(message, where=change.address, hint=REVIEW)
        live = seen.snapshot.get(change.address)
        if change.action == "archive" and live is not None:
            kept = change.kind.remove(Tombstone(change.address, "a saved plan", None), live, scope)
            for finding in kept.findings:
                raise BlockedError(finding.message, where=change.address, hint=REVIEW)


def _meant_instead(change: Change, seen: Observation, scope: Scope) -> str:
    """What the ids of a change really belong to, where that is not its address."""
    parts = [change.remote[key] for key in ("objectType", "from", "to") if key in change.remote]
    for object_type, part in zip(split(change.address)[1:], parts, strict=False):
        if part != segment(object_type, scope.api, seen.reads):
            return f"object type {part}"
    for resource in scope.baseline.of_kind(change.kind.NAME):
        if resource.address != change.address and _ids(change.remote) & _ids(_remote(resource)):
            return resource.address
    return ""


def _remote(resource: Resource) -> Mapping[str, Json]:
    return {key: resource.facts[key] for key in ("ids", "typeIds") if key in resource.facts}


def _ids(remote: Mapping[str, Json]) -> set[Json]:
    """The ids by side: stages of contacts and companies may have the same one."""
    return {*remote.get("typeIds", ()), *remote.get("ids", {}).items()}
