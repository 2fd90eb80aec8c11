"""Plans: what has to happen to the portal, as frozen data that can be saved, shown, and carried out.

``build`` turns specs, the live portal and the baseline into a plan. All policy goes into the planned snapshot before
anything is compared: what nobody declared is copied across and so left alone, declared fields are laid over live ones,
and only a tombstone or an exact list leaves something out.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from reconciler import object_types
from reconciler.address import any_covers, split
from reconciler.baseline import Baseline
from reconciler.data_model import data_model
from reconciler.diff import Difference, FieldChange, How, compare, sides
from reconciler.ignore import IgnoreRule, copied
from reconciler.integrations import Breach, Integration, unmet, verdicts
from reconciler.kinds import Kind, Risk, Scope, Settled, kind_of, refusal
from reconciler.model import Collection, Finding, Json, Resource, Snapshot, Source, Tombstone
from reconciler.observe import Observation
from reconciler.oddities import understood
from reconciler.overlays import origin
from reconciler.receipts import OwnWrites

if TYPE_CHECKING:
    from reconciler.diff import Field

Action = Literal["create", "update", "adopt", "restore", "archive", "forget"]
Cause = Literal["spec_change", "revert_drift", "conflict", "unknown"]
ACTIONS: tuple[Action, ...] = ("create", "update", "adopt", "restore", "archive", "forget")
WRITES = frozenset({"create", "update", "restore", "archive"})  # the others move only the baseline
EXPECTS: Mapping[Action, frozenset[str]] = {  # what a change may find
    "create": frozenset({"absent"}),
    "restore": frozenset({"archived"}),
    **{action: frozenset({"present"}) for action in ("update", "adopt", "archive", "forget")},
}
LEFT = "left-to-hubspot"  # the rule of a finding about a conflict that the portal won
ROUNDS = 5  # of yielding to the portal, until nothing is contested any more
DONE = "drop {} once that is so in every portal"  # a line under `removed:`
RISKS: tuple[Risk, ...] = ("safe", "caution", "destructive", "irreversible")


class PlannedField(NamedTuple):
    """One field of a change, with what the baseline says of it and why it differs."""

    path: str
    before: Json = None
    after: Json = None
    how: How = "changed"
    baseline: Json = None
    known: bool = False  # whether the baseline has a value
    cause: Cause = "unknown"
    origin: Source | None = None  # where an overlay gives the wanted value

    def as_json(self) -> dict[str, Json]:
        """The field as documents hold it."""
        told = sides(self)
        if self.known:
            told["baseline"] = self.baseline
        if self.origin:
            told["source"] = self.origin._asdict()
        return {**told, "cause": self.cause}


class Guard(NamedTuple):
    """What a guard said about a change or a plan, and the exact flag that lifts it."""

    rule: str
    result: Literal["passed", "refused", "allowed"]
    message: str = ""
    limit: Json = None
    observed: Json = None
    allow: str = ""
    address: str = ""  # what it is about, where that is an option of the change or the change itself

    def as_json(self) -> dict[str, Json]:
        """The result as documents hold it."""
        parts = {"limit": self.limit, "observed": self.observed, "message": self.message, "allow": self.allow}
        if self.address:
            parts["address"] = self.address
        filled = {key: value for key, value in parts.items() if value not in (None, "")}
        return {"rule": self.rule, "result": self.result, **filled}


class Change(NamedTuple):
    """What happens to one address; complete enough to be carried out from a saved plan alone."""

    address: str
    action: Action
    reason: str = "spec_change"
    severity: Risk = "safe"
    fields: tuple[PlannedField, ...] = ()
    expects: Literal["present", "absent", "archived"] = "present"
    title: str = ""
    remote: Mapping[str, Json] = {}
    depends_on: tuple[str, ...] = ()
    destroys: tuple[str, ...] = ()  # the addresses that --allow has to name
    actor: Mapping[str, Json] | None = None
    at: str = ""
    source: Source | None = None
    declared: bool = True  # no longer, where only a tombstone for one of its options speaks of it
    guards: tuple[Guard, ...] = ()
    impact: Mapping[str, Json] | None = None
    must_be_empty: tuple[str, ...] = ()  # what may go only while no record holds a value of it
    breaks: tuple[Mapping[str, Json], ...] = ()

    @property
    def kind(self) -> Kind:
        """The kind of definition that changes."""
        return kind_of(self.address)

    @property
    def name(self) -> str:
        """HubSpot's internal name of it."""
        return split(self.address)[-1]

    @property
    def writes(self) -> bool:
        """Whether the portal changes, and not only the baseline."""
        return self.action in WRITES

    @property
    def refused(self) -> bool:
        """Whether a guard stands in the way."""
        return any(guard.result == "refused" for guard in self.guards)

    @property
    def conflicts(self) -> bool:
        """Whether spec, portal and baseline all differ in a field."""
        return any(planned.cause == "conflict" for planned in self.fields)


def derived(change: Change) -> Change:
    """The change with its risk, and what it destroys, worked out again from what it would write."""
    before = Resource(change.kind.NAME, change.address, {}) if change.expects == "present" else None
    after = None if change.action == "archive" else Resource(change.kind.NAME, change.address, {})
    fields = tuple(FieldChange(one.path, one.before, one.after, one.how) for one in change.fields)
    difference = Difference(change.address, before, after, fields)
    if change.action == "restore" or not change.writes:
        return change._replace(severity="caution" if change.writes else "safe", destroys=())
    return change._replace(severity=change.kind.risk(difference), destroys=tuple(change.kind.destroys(difference)))


class Plan(NamedTuple):
    """Every change, sorted by address, and what was found on the way."""

    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    errors: tuple[Mapping[str, Json], ...] = ()
    guards: tuple[Guard, ...] = ()
    unchanged: int = 0
    unmanaged: Mapping[str, int] = {}
    model: Mapping[str, Json] = {}  # for pictures only

    @property
    def writes(self) -> tuple[Change, ...]:
        """The changes that touch the portal."""
        return tuple(change for change in self.changes if change.writes)

    @property
    def refused(self) -> bool:
        """Whether a guard stands in the way of any of it."""
        return any(change.refused for change in self.changes) or any(guard.result == "refused" for guard in self.guards)

    @property
    def summary(self) -> dict[str, Json]:
        """Counts by action and by severity."""
        actions = Counter(change.action for change in self.changes)
        risks = Counter(change.severity for change in self.changes if change.writes)
        by_severity = {risk: risks[risk] for risk in RISKS}
        return {**{a: actions[a] for a in ACTIONS}, "unchanged": self.unchanged, "bySeverity": by_severity}


class Inputs(NamedTuple):
    """What a plan is made from: a pure function of these."""

    scope: Scope
    observation: Observation
    baseline: Baseline | None = None
    only: tuple[str, ...] = ()
    on_conflict: Literal["spec", "live"] | None = None
    own_writes: OwnWrites = OwnWrites()  # from receipts
    ignored: tuple[IgnoreRule, ...] = ()
    integrations: tuple[Integration, ...] = ()


def build(inputs: Inputs) -> Plan:
    """What has to happen for the portal to be as declared."""
    with understood(inputs.observation.reads):
        return _built(inputs)


def _built(inputs: Inputs) -> Plan:
    first = _build(inputs)
    if inputs.on_conflict == "spec":
        return first._replace(changes=tuple(map(_insisting, first.changes)))
    yielded: dict[str, Change] = {}
    for _ in range(ROUNDS if inputs.on_conflict == "live" else 0):
        contested = [change for change in first.changes if change.conflicts]
        if not contested:
            break
        for change in contested:
            inputs = inputs._replace(scope=_yielded(change, inputs.scope))
        yielded.update((change.address, change) for change in contested)
        first = _build(inputs)  # stages that yield may make others move
    return _admitting(first, yielded, inputs.scope) if yielded else first


def _admitting(plan: Plan, yielded: Mapping[str, Change], scope: Scope) -> Plan:
    """The plan that says what it leaves as the portal has it; that does not match the specs, however little is done."""
    findings = []
    for address, change in yielded.items():
        fields = ", ".join(one.path for one in change.fields if one.cause == "conflict")
        told = f"{address}: {fields} stays as HubSpot has it, though the specs want it otherwise"
        fix = "take it into the specs with `adopt`, or the next plan finds the conflict again"
        findings.append(Finding(LEFT, "warning", told, fix, address, change.source))
    at_rest = {address for address in yielded if address in scope.desired}
    at_rest -= {change.address for change in plan.writes}
    return plan._replace(findings=(*plan.findings, *findings), unchanged=plan.unchanged - len(at_rest))


def _insisting(change: Change) -> Change:
    fields = tuple(f._replace(cause="revert_drift") if f.cause == "conflict" else f for f in change.fields)
    return change._replace(fields=fields, reason="revert_drift" if change.reason == "conflict" else change.reason)


def _yielded(change: Change, scope: Scope) -> Scope:
    """The declarations without the fields of a change that somebody else changed meanwhile."""
    for contested in change.fields:
        if contested.cause == "conflict":
            scope = _yielding(change, contested, scope)
    return scope


def _yielding(change: Change, contested: PlannedField, scope: Scope) -> Scope:
    removed = contested.how == "removed"
    gone = change.address if change.action == "archive" else f"{change.address}/{contested.path}" if removed else ""
    if gone:
        stones = {address: stone for address, stone in scope.removed.items() if address != gone}
        scope = scope.replaced(removed=stones)
    resource = scope.desired.get(change.address)
    if resource is None:
        return scope
    if split(contested.path)[-1] == "position":
        return scope.replaced(desired=Snapshot(_unplaced(one, resource.name) for one in scope.desired.values()))
    yielded = resource._replace(attributes=_without(resource.attributes, contested.path))
    if removed and contested.path.startswith("options/"):  # of an exact list: what is live and was changed stays
        yielded = yielded._replace(facts={**resource.facts, "exact": False})
    return scope.replaced(desired=scope.desired.replaced([yielded]))


def _unplaced(resource: Resource, name: str) -> Resource:
    """A stage whose lists say nothing of the place of one of them."""
    if "orders" not in resource.facts:
        return resource
    orders = [[one for one in names if one != name] for names in resource.facts["orders"]]
    return resource._replace(facts={**resource.facts, "orders": orders})


def _without(attributes: Mapping[str, Json], path: str) -> dict[str, Json]:
    """Attributes without what stands at a path: a field, an option, or a part of an option."""
    left = dict(attributes)
    match split(path):
        case [head, name, part] if name in left.get(head, {}):
            option = {key: value for key, value in left[head][name].items() if key != part}
            left[head] = {**left[head], name: option}
        case [head, name] if isinstance(left.get(head), Mapping):
            left[head] = {key: value for key, value in left[head].items() if key != name}
        case parts:
            left.pop(parts[0] if parts[0] in left else parts[-1], None)
    return left


def _build(inputs: Inputs) -> Plan:
    scope, observation = inputs.scope, inputs.observation
    desired = [resource for address, resource in scope.desired.items() if selected(address, inputs.only)]
    readable, errors, absent = _readable(desired, inputs)
    settled = {resource.address: _settle(resource, inputs) for resource in readable}
    removals = [stone for stone in scope.removed.values() if selected(stone.address, inputs.only)]
    planned, notes = _planned(settled, removals, inputs)
    differences = compare(observation.snapshot, copied(observation.snapshot, planned, inputs.ignored))
    changes = [_change(_restoring(difference, settled), settled, inputs) for difference in differences]
    touched = {change.address for change in changes}
    quiet = [one for one, found in settled.items() if found.planned and not found.findings and one not in touched]
    changes += _adopted(quiet, inputs)
    changes += _forgotten(touched, inputs)
    findings = [*absent, *(finding for one in settled.values() for finding in one.findings), *notes]
    findings += _unmet(planned, changes, inputs) if inputs.integrations else ()
    findings += _left_out(changes, planned, inputs) if inputs.only else ()
    return Plan(
        changes=linked(sorted(changes, key=lambda change: change.address)),
        findings=tuple(sorted(findings, key=lambda found: (found.source or (), found.rule, found.address))),
        errors=tuple(errors),
        unchanged=len(quiet),
        unmanaged=_unmanaged(inputs),
        model=data_model(observation.snapshot, planned),
    )


def selected(address: str, only: Sequence[str]) -> bool:
    """Whether a run that was given ``--only`` is about an address, or about something below it."""
    return not only or any_covers(only, address) or any(pattern.startswith(address + "/") for pattern in only)


def _left_out(changes: Iterable[Change], planned: Snapshot, inputs: Inputs) -> Iterator[Finding]:
    """What chosen declarations need of those that were not chosen: HubSpot would refuse to do without."""
    desired = inputs.scope.desired
    for change in changes:
        for need in change.depends_on if change.writes and change.address in desired else ():
            left_out = need in desired and not selected(need, inputs.only)
            if left_out and need not in planned and not inputs.observation.unreadable(need):
                why = f"it needs {need}, which is not in the portal and which --only leaves out"
                yield refusal("left-out", desired[change.address], why, f"add --only {need}, or apply that first")


def _readable(
    desired: Iterable[Resource], inputs: Inputs
) -> tuple[list[Resource], list[Mapping[str, Json]], list[Finding]]:
    """Nothing is planned about a list that was not read, for unreadable is not absent; nor where there is none."""
    readable, errors = [], {}
    absent: dict[str, Finding] = {}
    heads: dict[str, Collection | str | None] = {}  # why nothing is planned for what is below it
    lists: dict[tuple[str, ...], str] = {}
    twins: dict[str, str] = {}  # what names a list by another name than those before it, and that one
    for resource in desired:
        head = resource.address.rpartition("/")[0]
        if head not in heads:
            heads[head] = inputs.observation.unreadable(resource.address) or _absent_type(head, inputs)
            if (first := lists.setdefault(_list(head, inputs), head)) != head:
                twins[head] = first
        collection = heads[head]
        if head in twins:
            absent.setdefault(head, _twice(resource, twins[head]))
        elif collection is None:
            readable.append(resource)
        elif isinstance(collection, str):
            absent.setdefault(collection, _absent(resource, collection, inputs))
        else:
            errors[collection.name] = {
                "code": "unavailable" if collection.status == "unavailable" else "access",
                "message": f"{collection.name} could not be read, and the specs declare {resource.address} in it",
                "where": str(resource.source or resource.address),
                "hint": collection.detail,
            }
    return readable, list(errors.values()), list(absent.values())


def _list(head: str, inputs: Inputs) -> tuple[str, ...]:
    """The list below an address, under whatever names of its object types."""
    section, *names = split(head)
    api, reads = inputs.scope.api, inputs.observation.reads
    return (section, *(object_types.identity(name, api, reads) for name in names))


def _twice(resource: Resource, first: str) -> Finding:
    """An address is an identity, so a custom object goes by one of its names."""
    here, there = ("/".join(split(head)[1:]) for head in (resource.address.rpartition("/")[0], first))
    why = f"{here} is declared as {there}, too: it is the same under another name"
    return refusal("object-type-name", resource, why, f"write {there} here as well")


def _absent_type(head: str, inputs: Inputs) -> str | None:
    """The object type of a list that this portal does not have."""
    api, reads = inputs.scope.api, inputs.observation.reads
    return next((name for name in split(head)[1:] if object_types.segment(name, api, reads) is None), None)


def _absent(resource: Resource, object_type: str, inputs: Inputs) -> Finding:
    why = f"the portal has no object type {object_type}"
    return refusal("absent-object-type", resource, why, _near_type(object_type, inputs))


def _near_type(object_type: str, inputs: Inputs) -> str:
    from reconciler.wording import did_you_mean

    known = object_types.known(inputs.scope.api, inputs.observation.reads)
    return did_you_mean(object_type, known) or "check the name of the custom object"


def _settle(resource: Resource, inputs: Inputs) -> Settled:
    observed = inputs.observation.snapshot.get(resource.address)
    return kind_of(resource.address).settle(resource, observed, inputs.scope, inputs.observation.reads)


def _planned(
    settled: Mapping[str, Settled], removals: Sequence[Tombstone], inputs: Inputs
) -> tuple[Snapshot, list[Finding]]:
    """The snapshot after the apply: the observed one, with declared things over it and removed things left out."""
    changed = {address: one.planned for address, one in settled.items() if one.planned}
    gone: set[str] = set()
    missing: list[Tombstone] = []
    notes: list[Finding] = []
    for stone in removals:
        address = _owner(stone.address)
        resource = changed.get(address) or inputs.observation.snapshot.get(address)
        if inputs.observation.unreadable(address):
            notes.append(_note("unread-removal", stone, "its list could not be read, so nothing is removed"))
        elif resource is None or not _holds(resource, stone.address):
            missing.append(stone)
        else:
            left = kind_of(address).remove(stone, resource, inputs.scope)
            notes += left.findings
            if left.planned:
                changed[address] = left.planned
            elif not left.findings:
                gone.add(address)
    after = inputs.observation.snapshot.replaced(changed.values(), gone)
    if held := _held(gone, after):
        notes += [_in_use(stone, held[stone.address], inputs) for stone in removals if stone.address in held]
        after = after.replaced(inputs.observation.snapshot[address] for address in held)
    return after, [*notes, *_missing(missing, inputs)]


def _held(gone: Iterable[str], after: Snapshot) -> dict[str, str]:
    """Groups that are to go, each with a property that stays in it: HubSpot does not let them go."""
    groups = {split(one)[1:]: one for one in gone if one.startswith("propertyGroups/")}
    found: dict[str, str] = {}
    for address, resource in after.items() if groups else ():
        if resource.kind == "properties":
            group = groups.get((resource.object_type, resource.attributes["groupName"]))
            if group:
                found.setdefault(group, address)
    return found


def _in_use(stone: Tombstone, address: str, inputs: Inputs) -> Finding:
    why = f"{stone.address} holds {address}, and HubSpot archives no group that holds a property"
    fix = "move the property to another group, or list it under `removed:`, too"
    fix += "" if selected(address, inputs.only) else f"; and add --only {address}"
    return Finding("group-in-use", "error", why, fix, stone.address, stone.source)


def _missing(stones: Sequence[Tombstone], inputs: Inputs) -> Iterator[Finding]:
    """Removals that find nothing: what may be misspelt by itself, and what is done in one line."""
    done: list[Tombstone] = []
    for stone in stones:
        if absent := _absent_type(_owner(stone.address).rpartition("/")[0], inputs):
            yield _note("removed-unknown", stone, f"the portal has no object type {absent}", _near_type(absent, inputs))
        elif near := _near(stone.address, inputs):
            fix = f"did you mean {near}? If it is done, drop the line"
            yield _note("removed-unknown", stone, "it is not in this portal", fix)
        else:
            done.append(stone)
    if len(done) == 1:
        yield _note("removed-already", done[0], "nothing is left to do in this portal", DONE.format("it"))
    elif done:
        named = ", ".join(stone.address for stone in done)
        why = f"{len(done)} lines under `removed:` have nothing left to do in this portal: {named}"
        yield Finding("removed-already", "info", why, DONE.format("them"), "", done[0].source)


def _near(address: str, inputs: Inputs) -> str:
    """A live name like one that nothing records to have been there."""
    known, live = inputs.scope.baseline, inputs.observation.snapshot
    owner, head, name = _owner(address), address.rpartition("/")[0], split(address)[-1]
    if owner in known and _holds(known[owner], address):
        return ""
    there = [split(one)[-1] for one in live if one.startswith(head + "/")]
    if owner != address:
        there = list(live[owner].attributes.get("options", ())) if owner in live else []
    from difflib import get_close_matches

    alike = {one.lower(): one for one in there if abs(len(one) - len(name)) <= 1}  # slips are short, and lists are long
    return next((alike[near] for near in get_close_matches(name.lower(), alike, 1, 0.85)), "")


def _owner(address: str) -> str:
    """The address of the definition that an address of one of its options belongs to."""
    return "/".join(address.split("/")[:3]) if address.startswith("properties/") else address


def _holds(resource: Resource, address: str) -> bool:
    path = address.removeprefix(resource.address).removeprefix("/")
    return not path or kind_of(address).value_at(resource, FieldChange(path))[0]


def _note(rule: str, stone: Tombstone, message: str, fix: str = "") -> Finding:
    return Finding(rule, "info", f"{stone.address}: {message}", fix, stone.address, stone.source)


def _restoring(difference: Difference, settled: Mapping[str, Settled]) -> Difference:
    """What lies archived is not there, however it looks; a restore starts from it all the same."""
    one = settled.get(difference.address)
    return difference._replace(before=one.archived) if one and one.archived else difference


def _change(difference: Difference, settled: Mapping[str, Settled], inputs: Inputs) -> Change:
    kind = kind_of(difference.address)
    one = settled.get(difference.address)
    restored = one.archived if one else None
    fields: Sequence[Field]
    if restored:  # HubSpot resets what a restore omits, so all of it is sent and shown (hubspot-api.md A.9)
        fields, action, severity = _whole(difference, kind), "restore", "caution"
    else:
        fields = kind.fields(difference)
        action = "create" if difference.before is None else "update" if difference.after else "archive"
        severity = kind.risk(difference)
    resource = difference.after or difference.before
    assert resource is not None
    known = inputs.baseline.snapshot.get(difference.address) if inputs.baseline else None
    declared = inputs.scope.desired.get(difference.address)
    planned = tuple(_placed(_cause(one_field, kind, known, inputs, difference), declared) for one_field in fields)
    stones = [one for one in inputs.scope.removed.values() if _owner(one.address) == difference.address]
    stone = stones[0] if stones else None
    facts = difference.before.facts if difference.before else {}
    return Change(
        address=difference.address,
        action=action,  # type: ignore[arg-type]
        reason=_reason(action, planned, stone, inputs, difference),
        severity=severity,  # type: ignore[arg-type]
        fields=planned,
        expects="archived" if restored else "present" if difference.before else "absent",
        title=str(resource.attributes.get("label", "")),
        remote=kind.remote(resource),
        depends_on=tuple(kind.depends_on(resource)),
        destroys=tuple(kind.destroys(difference)) if not restored else (),
        actor=_actor(facts) if any(p.cause in ("revert_drift", "conflict") for p in planned) else None,
        at=str(facts.get("updatedAt", "")) if any(p.cause in ("revert_drift", "conflict") for p in planned) else "",
        source=resource.source or (stone.source if stone else None),
        must_be_empty=tuple(sorted(one.address for one in stones if one.require_no_values)),
        declared=action == "archive" or difference.address in inputs.scope.desired,
        breaks=tuple(one.as_json() for one in _breaches(difference, inputs)),
    )


def _breaches(difference: Difference, inputs: Inputs) -> tuple[Breach, ...]:
    declared = inputs.scope.desired.get(difference.address)
    return verdicts(inputs.integrations, declared, difference.before, difference.after)


def _unmet(planned: Snapshot, changes: Iterable[Change], inputs: Inputs) -> Iterator[Finding]:
    """What integrations lack all the same; a change that breaks one says so itself."""
    told = {change.address for change in changes if change.breaks}
    for finding in unmet(inputs.integrations, inputs.scope.desired, planned, inputs.observation.collections):
        if finding.address not in told and selected(finding.address, inputs.only):
            yield finding


def _whole(difference: Difference, kind: Kind) -> "tuple[Field, ...]":
    """Every field of a restored definition, with what lies archived as the value before."""
    alone = kind.fields(Difference(difference.address, None, difference.after, _all_fields(difference.after)))
    archived = kind.fields(Difference(difference.address, difference.before, None, _all_fields(difference.before)))
    before = {one.path: one.after if one.how == "added" else one.before for one in archived}
    return tuple(FieldChange(one.path, before[one.path], one.after) if one.path in before else one for one in alone)


def _all_fields(resource: Resource | None) -> tuple[FieldChange, ...]:
    attributes = resource.attributes if resource else {}
    return tuple(FieldChange(path, after=attributes[path], how="added") for path in sorted(attributes))


def _actor(facts: Mapping[str, Json]) -> Mapping[str, Json]:
    user = facts.get("updatedUserId")
    return (
        {"type": "user", "id": user, "confidence": "likely"} if user else {"type": "unknown", "confidence": "unknown"}
    )


def _reason(
    action: str, fields: Sequence[PlannedField], stone: Tombstone | None, inputs: Inputs, difference: Difference
) -> str:
    causes = {one.cause for one in fields}
    for cause in ("conflict", "revert_drift"):
        if cause in causes and action != "archive":
            return cause
    if action == "archive" or stone:
        return "tombstone"
    removed = [one for one in fields if one.how == "removed" and one.path.startswith("options/")]
    desired = inputs.scope.desired.get(difference.address)
    if removed and desired and desired.facts.get("exact"):
        return "exact"
    return "spec_change" if causes <= {"spec_change"} else "unknown"


def _cause(change: "Field", kind: Kind, known: Resource | None, inputs: Inputs, difference: Difference) -> PlannedField:
    """Why a field differs: D is declared, L is live, B is what the baseline holds (CONTRACT 6)."""
    if difference.before is None and known is None:
        return PlannedField(change.path, change.before, change.after, change.how, cause="spec_change")
    if known is None:
        return PlannedField(change.path, change.before, change.after, change.how)
    there, baseline = kind.value_at(known, change)
    cause = _three_way(change, kind, there, baseline, difference.before is None)
    if cause != "spec_change" and _ours(change, kind, inputs.own_writes, known, baseline):
        cause = "spec_change"  # our own last run wrote it, and its baseline has not come back yet
    return PlannedField(change.path, change.before, change.after, change.how, baseline, there, cause)


def _placed(planned: PlannedField, declared: Resource | None) -> PlannedField:
    given = origin(declared, planned.path) if declared else None
    return planned._replace(origin=given) if given else planned


def _three_way(change: "Field", kind: Kind, there: bool, baseline: Json, deleted: bool) -> Cause:
    if deleted:
        return "revert_drift" if there and kind.same(change.path, change.after, baseline) else "spec_change"
    if _as_known(there, baseline, change.how != "added", change.before, change.path, kind):
        return "spec_change"
    wanted_as_known = _as_known(there, baseline, change.how != "removed", _bare(change), change.path, kind)
    return "revert_drift" if wanted_as_known else "conflict"


def _as_known(there: bool, baseline: Json, present: bool, value: Json, path: str, kind: Kind) -> bool:
    """Whether a side is as the baseline has it; what both lack has no value to compare."""
    return there == present and (not there or kind.same(path, value, baseline))


def _ours(change: "Field", kind: Kind, receipts: OwnWrites, known: Resource, baseline: Json) -> bool:
    """Whether a live value is our own last write, which the baseline knows nothing of yet."""
    written = receipts.values.get(known.address, {})
    if change.how == "added" or change.path not in written:
        return False
    if not kind.same(change.path, written[change.path], change.before):
        return False
    from reconciler.attribution import outdated  # next to no plan has to ask

    before = receipts.replaced(known.address, change.path, baseline, kind.same)
    return before and not outdated(receipts, known.address, known)


def _bare(change: "Field") -> Json:
    """The wanted value without the position that only an added option carries."""
    if change.how == "added" and isinstance(change.after, Mapping):
        return {key: value for key, value in change.after.items() if key != "displayOrder"}
    return change.after


def _adopted(quiet: Iterable[str], inputs: Inputs) -> Iterator[Change]:
    managed = inputs.baseline.managed if inputs.baseline else frozenset()
    observed, desired = inputs.observation.snapshot, inputs.scope.desired
    for address in quiet:
        if address not in managed:
            live, source = observed[address], desired[address].source
            title, remote = str(live.attributes.get("label", "")), kind_of(address).remote(live)
            yield Change(address, "adopt", "first_declared", title=title, remote=remote, source=source)


def _forgotten(touched: set[str], inputs: Inputs) -> Iterator[Change]:
    managed = inputs.baseline.managed if inputs.baseline else frozenset()
    for address in managed:
        if address not in inputs.scope.desired and address not in touched and selected(address, inputs.only):
            yield Change(address, "forget", "no_longer_declared")


def linked(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Dependencies within the plan: on what it creates; and backwards, of what goes on what uses it and goes too."""
    created = {change.address for change in changes if change.action in ("create", "restore")}
    users: dict[str, list[str]] = {}
    for change in changes:
        for need in change.depends_on if change.action == "archive" else ():
            users.setdefault(need, []).append(change.address)
    return tuple(
        change._replace(depends_on=_needs(change, created, users))
        if change.depends_on or change.address in users
        else change
        for change in changes
    )


def _needs(change: Change, created: set[str], users: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    if change.action == "archive":
        return tuple(users.get(change.address, ()))
    return tuple(need for need in change.depends_on if need in created)


def _unmanaged(inputs: Inputs) -> dict[str, int]:
    """How many definitions that a portal made are in no spec, by collection."""
    from reconciler.kinds import properties

    counts: Counter[str] = Counter()
    for address, resource in inputs.observation.snapshot.items():
        if address in inputs.scope.desired or address in inputs.scope.removed:
            continue
        if resource.kind == properties.NAME and not properties.vendor_owned(resource.facts):
            counts[address.rpartition("/")[0]] += 1
    return dict(sorted(counts.items()))


def digest(changes: Sequence[Change], portal_id: Json) -> str:
    """A fingerprint of what a plan does, where, and to what; not of why, when, or where it was written.

    It is of the JSON text ``[portal_id, [change, ...]]`` with sorted keys and no blanks. Most changes of a large plan
    say nothing but an address, so each is written out by itself: to build them all as values takes three times as long.
    """
    encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
    remotes = {id(change.remote): change.remote for change in changes}  # next to all of them are one and the same
    told = {key: encode(remote) for key, remote in remotes.items()}

    def no_values(addresses: tuple[str, ...]) -> str:
        return f'"noValues":{encode(addresses)},' if addresses else ""

    touched = [
        f'{{"action":"{change.action}","address":{encode(change.address)},"expects":"{change.expects}","fields":'
        f"{encode(list(map(sides, change.fields))) if change.fields else '[]'},"
        f'{no_values(change.must_be_empty)}"remote":{told[id(change.remote)]}}}'
        for change in changes
    ]
    text = f"[{encode(portal_id)},[{','.join(touched)}]]"
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
