"""Compares the specs of two commits, without a token and without a look at any portal.

What it says is what a reviewer of a fork's pull request can know: which declarations were added, changed and taken
out. What that does to a portal only a plan can tell. Declarations that were merely taken out are forgotten, as a plan
would say; only a tombstone or an exact list removes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import git, report
from reconciler.address import encode
from reconciler.diff import Difference, FieldChange, compare
from reconciler.errors import UsageError
from reconciler.kinds import kind_of, lifecycle_stages, properties
from reconciler.model import Finding, Json, Resource, Snapshot, Tombstone
from reconciler.plan import RISKS, Action, Change, Plan, PlannedField, digest
from reconciler.settings import Settings, read
from reconciler.spec import Spec, has_specs, load

if TYPE_CHECKING:
    from reconciler.diff import Field

OPTIONS = "options"


@dataclass(frozen=True, slots=True)
class Side:
    """The specs of one commit, and how people call it."""

    ref: str
    commit: str
    spec: Spec
    unpacked: str = ""  # where its files lie now, if not where the repository has them
    directory: str = ""


def side(stack: ExitStack, ref: str | None, directory: Path, portal: str | None, *, needed: bool = False) -> Side:
    """The specs of a commit, or of the checkout; a directory that is not there declares nothing, or is needed."""
    if ref is None:
        return Side("the checkout", git.commit_of("HEAD", directory), load(directory, portal))
    commit = git.commit_of(ref, directory)
    there = stack.enter_context(git.specs_at(commit, directory))
    if needed and not has_specs(there):
        hint = "name the directory that held the specs in that commit"
        raise UsageError(f"there are no specs in {directory} at {ref}", where=str(directory), hint=hint)
    known = load(there, portal) if has_specs(there) else Spec(Snapshot(), {}, read(there)[0])
    return Side(ref, commit, known, there.as_posix(), directory.as_posix())


def document(base: Side, head: Side, now: datetime, *, detailed: bool = False, fail_on: str = "") -> dict[str, Json]:
    """What the head declares otherwise than the base, in the shape of a plan that nobody can apply."""
    plan = compared(base.spec, head.spec)
    made = report.plan_document(
        plan,
        portal={},
        spec={"digest": head.spec.digest, "files": head.spec.files_json},
        baseline_digest=None,
        collections={},
        now=now,
        detailed=detailed,
        fail_on=fail_on,
    )
    sides = {"base": {"ref": base.ref, "commit": base.commit}, "head": {"ref": head.ref, "commit": head.commit}}
    told = {**made, "portal": None, "comparison": sides, "digest": digest(plan.changes, "comparison")}
    for side in (base, head):
        told = _relocated(told, side) if side.unpacked else told
    return told


def _relocated(value: Json, side: Side) -> Json:
    """Names of files as the repository has them, instead of where a commit was unpacked."""
    if isinstance(value, str):
        return value.replace(side.unpacked, side.directory)
    if isinstance(value, Mapping):
        return {name: _relocated(part, side) for name, part in value.items()}
    return [_relocated(part, side) for part in value] if isinstance(value, list) else value


def compared(base: Spec, head: Spec) -> Plan:
    """The changes of declarations, and what a reviewer should know beside them."""
    before, kept = _before(base.desired, head)
    moved = lifecycle_stages.reordered(*(side.desired.of_kind(lifecycle_stages.NAME) for side in (base, head)))
    before, after = before.replaced(moved[0]), head.desired.replaced(moved[1])
    tombstones = {stone.address: stone for one, stone in head.removed.items() if one not in base.removed}
    declared = [_change(one, head.desired) for one in compare(before, after) if one.address not in tombstones]
    changes = _with_removals(declared, _removals(tombstones, base.desired))
    changes, hidden = _told_apart(changes, head)
    findings = [
        *head.findings,
        *hidden,
        *kept,
        *_more_removed(base, head),
        *_renames(changes),
        *_base_problems(base),
        *_settings(base.settings, head.settings),
    ]
    touched = {change.address for change in changes}
    unchanged = sum(1 for address in after if address not in touched)
    return Plan(tuple(sorted(changes, key=lambda change: change.address)), tuple(findings), unchanged=unchanged)


def _told_apart(changes: list[Change], head: Spec) -> tuple[list[Change], list[Finding]]:
    """The changes without what may only seem to be gone: errors of the head hide entries."""
    gone = [change for change in changes if change.action == "forget"]
    if not gone or all(finding.severity != "error" for finding in head.findings):
        return changes, []
    number = f"{len(gone)} declaration{'s' if len(gone) > 1 else ''} of the base"
    told = f"{number} {'are' if len(gone) > 1 else 'is'} not found, and may stand in what has errors"
    return [change for change in changes if change.action != "forget"], [Finding("head-errors", "warning", told)]


def _before(base: Snapshot, head: Spec) -> tuple[Snapshot, list[Finding]]:
    """The base without what the head only forgets of a definition: that stays in the portal as it is."""
    reduced, findings = [], []
    for address, old in base.items():
        new = head.desired.get(address)
        if new is None:
            continue
        attributes, forgotten = _declared_still(old, new, head.removed)
        reduced.append(old._replace(attributes=attributes))
        if forgotten:
            told = f"no longer declares {', '.join(forgotten)}; the portal keeps what it has"
            findings.append(Finding("forgotten", "info", told, "", address, new.source))
    return base.replaced(reduced), findings


def _declared_still(
    old: Resource, new: Resource, removed: Mapping[str, Tombstone]
) -> tuple[dict[str, Json], list[str]]:
    attributes = {name: value for name, value in old.attributes.items() if name in new.attributes}
    forgotten = [name for name in old.attributes if name not in new.attributes]
    if isinstance(attributes.get(OPTIONS), Mapping) and not new.facts.get("exact"):
        options, wanted = attributes[OPTIONS], new.attributes[OPTIONS]
        gone = [value for value in options if value not in wanted]
        left = [value for value in gone if f"{old.address}/{OPTIONS}/{encode(value)}" not in removed]
        attributes[OPTIONS] = {value: option for value, option in options.items() if value not in left}
        forgotten += [f"option {value}" for value in left]
    return attributes, forgotten


def _change(difference: Difference, desired: Snapshot) -> Change:
    kind, new = kind_of(difference.address), difference.after
    known = new or difference.before
    assert known is not None
    title = str(known.attributes.get("label", ""))
    if new is None:
        return Change(difference.address, "forget", "no_longer_declared", title=title, source=known.source)
    action: Action = "update" if difference.before or _adopts(new) else "create"
    return Change(
        difference.address,
        action,
        severity=kind.risk(difference),
        fields=tuple(map(_planned, difference.fields)),
        expects="present" if difference.before else "absent",
        title=title,
        destroys=tuple(kind.destroys(difference)),
        source=desired[difference.address].source,
    )


def _adopts(resource: Resource) -> bool:
    """An entry without a type can only be laid over what the portal has already."""
    return resource.kind == properties.NAME and "type" not in resource.attributes


def _planned(change: "Field") -> PlannedField:
    return PlannedField(change.path, change.before, change.after, change.how, cause="spec_change")


def _with_removals(declared: Sequence[Change], removals: Iterable[Change]) -> list[Change]:
    """One change a definition: what is removed of it is added to what else changes, with the worse of both risks."""
    changes = {change.address: change for change in declared}
    for one in removals:
        known = changes.get(one.address)
        changes[one.address] = _joined(known, one) if known and known.action != "forget" else one
    return list(changes.values())


def _joined(known: Change, removal: Change) -> Change:
    told = {field.path for field in known.fields}
    return known._replace(
        severity=max(known.severity, removal.severity, key=RISKS.index),
        fields=(*known.fields, *(field for field in removal.fields if field.path not in told)),
        destroys=tuple(dict.fromkeys((*known.destroys, *removal.destroys))),
    )


def _removals(tombstones: Mapping[str, Tombstone], base: Snapshot) -> Iterator[Change]:
    """What new lines under ``removed:`` ask for."""
    for address, stone in sorted(tombstones.items()):  # a definition before its options
        owner, slash, option = address.partition(f"/{OPTIONS}/")
        old = base.get(owner) or Resource(kind_of(owner).NAME, owner, {})
        fields = (FieldChange(f"{OPTIONS}/{option}", how="removed"),) if slash else ()
        difference = Difference(owner, old, old if slash else None, fields)
        yield Change(
            owner,
            "update" if slash else "archive",
            "tombstone",
            severity=kind_of(owner).risk(difference),
            fields=tuple(map(_planned, fields)),
            title=str(old.attributes.get("label", "")),
            destroys=tuple(kind_of(owner).destroys(difference)),
            source=stone.source,
        )


def _more_removed(base: Spec, head: Spec) -> Iterator[Finding]:
    """What lets a plan remove more of a portal than before, though no field of a declaration says so."""
    for address, new in head.desired.items():
        old = base.desired.get(address)
        if old and new.facts.get("exact") and not old.facts.get("exact"):
            told = "lists its options exactly now: a plan removes live ones that are not listed"
            yield Finding("exact-options", "warning", told, "", address, new.source)
    for address, stone in head.removed.items():
        known = base.removed.get(address)
        if known and known.require_no_values and not stone.require_no_values:
            told = "is removed now even while records hold a value of it"
            yield Finding("removed-with-values", "warning", told, "", address, stone.source)


def _renames(changes: Sequence[Change]) -> Iterator[Finding]:
    """An internal name cannot change: whoever renames a definition makes a second one; stages go by their label."""
    gone = [change for change in changes if change.action == "forget" and change.title and change.kind is properties]
    for new in (change for change in changes if change.action == "create"):
        for old in gone:
            if new.title == old.title and new.address.rpartition("/")[0] == old.address.rpartition("/")[0]:
                told = f"{old.address} looks renamed to {new.address}: HubSpot keeps the old one and makes a second"
                fix = "copy the values, repoint what uses the old one, and then write it under `removed:`"
                yield Finding("renamed", "warning", told, fix, new.address, new.source)


def _base_problems(base: Spec) -> Iterator[Finding]:
    wrong = sum(finding.severity == "error" for finding in base.findings)
    if wrong:
        told = (
            f"the specs of the base have {wrong} error{'s' if wrong > 1 else ''}; what they declare may be told wrongly"
        )
        yield Finding("base-errors", "warning", told)


# --- settings --------------------------------------------------------------------------------------------------------


def _settings(base: Settings | None, head: Settings | None) -> Iterator[Finding]:
    """What a change of the settings lets happen that could not happen before; a reviewer should see that first."""
    if base is None or head is None:
        if base is not head:
            told = "the settings are new" if base is None else "the settings are gone or wrong"
            yield Finding("settings-changed", "info" if base is None else "warning", told)
        return
    for pattern in [one for one in base.protected if one not in head.protected]:
        yield _changed("warning", f"{pattern} is no longer protected")
    for name in sorted({*base.guards, *head.guards}):
        if base.guards.get(name) != head.guards.get(name):
            yield _changed("warning", f"guard {name}: {_limit(base.guards, name)}, now {_limit(head.guards, name)}")
    for rule in [one for one in head.ignore if not any(_same_rule(one, other) for other in base.ignore)]:
        yield _changed("warning", f"{rule.address} is ignored now: {rule.reason}")._replace(source=rule.source)
    for name in sorted({*base.portals, *head.portals}):
        old, new = base.portals.get(name), head.portals.get(name)
        if old != new:
            told = "is new" if old is None else "is gone" if new is None else "is reached another way"
            yield _changed("warning" if old else "info", f"portal {name} {told}")
    if base.watch != head.watch:
        yield _changed("info", f"watched: {', '.join(base.watch)}, now {', '.join(head.watch)}")


def _changed(severity: str, message: str) -> Finding:
    return Finding("settings-changed", severity, message)  # type: ignore[arg-type]


def _limit(guards: Mapping[str, Json], name: str) -> str:
    return str(guards.get(name, "no limit"))


def _same_rule(one: Json, other: Json) -> bool:
    return one._replace(source=None) == other._replace(source=None)  # type: ignore[no-any-return]
