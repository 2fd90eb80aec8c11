"""Drift: what moved in a portal since somebody last accepted it, who moved it, and what to do about it.

Baseline and live portal go through ``diff.compare`` once everything that is no drift is the same on both (``quiet``).
Each field that is left gets its class (CONTRACT 6) from whose definition it is in (``vendor``) and from what the spec
says, and each class at an address is one item, with who did it (``attribution``), how bad it is, and the ways out.

Severity is that of the class, with two exceptions that the data suggest (real-drift.md 6): a label that newly says
*deprecated*, *discontinued* or *legacy* is medium; formulas, display hints and the like of HubSpot's own are only info.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING

from reconciler import address as addresses
from reconciler import vendor
from reconciler.attribution import PORTAL_FIELDS, Actor, Attribution, editor, known_until
from reconciler.baseline import STAGES, Baseline
from reconciler.diff import Difference, FieldChange, compare, sides
from reconciler.kinds import kind_of, lifecycle_stages, properties, property_groups
from reconciler.model import Collection, Json, Resource, Snapshot, Source
from reconciler.quiet import Muted, Normalised, Sides
from reconciler.receipts import OwnWrites

if TYPE_CHECKING:
    from reconciler.diff import Field

UNREADABLE = "access.unreadable"
SEVERITIES = ("info", "low", "medium", "high")
SEVERITY: Mapping[str, str] = {
    "managed.modified": "medium",
    "managed.option-added": "low",
    "managed.reordered": "info",
    "managed.missing": "high",
    "managed.recreated": "high",
    "managed.option-removed": "high",
    "managed.conflict": "high",
    "unmanaged.added": "low",
    "unmanaged.changed": "low",
    "unmanaged.removed": "low",
    "vendor.added": "info",
    "vendor.relabelled": "info",
    "vendor.described": "info",
    "vendor.options-changed": "medium",
    "vendor.flags-changed": "medium",
    "vendor.type-changed": "high",
    "vendor.removed": "high",
    "portal.changed": "low",
    "portal.added": "low",
    "portal.removed": "low",
    UNREADABLE: "high",
}
WHOLE = (".added", ".removed", ".missing", ".recreated")  # ends of classes of a definition as a whole
QUIET_FLAGS = frozenset(  # below an added property, in the order that the data suggest (real-drift.md 6)
    "formField externalOptions calculationFormula numberDisplayHint textDisplayHint showCurrencySymbol".split()
)


@dataclass(frozen=True, slots=True)
class DriftField:
    """One field that moved, and what the spec wants where it says something."""

    change: "Field"
    desired: Json = None
    declared: bool = False

    def as_json(self) -> dict[str, Json]:
        """The field as documents hold it."""
        told = sides(self.change)
        return {**told, "desired": self.desired} if self.declared else told


@dataclass(frozen=True, slots=True)
class DriftItem:
    """What moved at one address, as far as it belongs to one class."""

    drift_class: str
    address: str
    severity: str
    fields: tuple[DriftField, ...]
    actor: Actor
    at: str = ""
    family: str = ""
    breaks: tuple[Mapping[str, Json], ...] = ()
    source: Source | None = None
    ways: Mapping[str, str] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()  # what HubSpot calls it where that is not its name
    title: str = ""  # what people see of it

    @property
    def fingerprint(self) -> str:
        """The same for the same thing in the next run, another one when it moves again."""
        after = [[one.change.path, one.change.how, one.change.after] for one in self.fields]
        text = json.dumps([self.drift_class, self.address, after], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def as_json(self, flags: str = "") -> dict[str, Json]:
        """The item as documents hold it, its commands with the flags that lead to the portal."""
        document: dict[str, Json] = {
            "class": self.drift_class,
            "address": self.address,
            **({"title": self.title} if self.title else {}),
            "severity": self.severity,
            "fields": [one.as_json() for one in self.fields],
            "actor": self.actor.as_json(),
            "at": self.at or None,
            "breaks": [dict(one) for one in self.breaks],
            "fingerprint": self.fingerprint,
            "source": self.source and dict(self.source._asdict()),
            "ways": {way: f"{command} {flags}".rstrip() for way, command in self.ways.items()},
        }
        return {**document, "family": self.family} if self.family else document


@dataclass(frozen=True, slots=True)
class Drift:
    """All that moved, and all that was muted."""

    items: tuple[DriftItem, ...]
    muted: tuple[Muted, ...]
    normalised: tuple[Normalised, ...] = ()


def drift_items_json(drift: Drift, flags: str = "") -> list[dict[str, Json]]:
    """The items as documents hold them, worst first, then by address."""
    return [item.as_json(flags) for item in drift.items]


def detect(
    baseline: Baseline,
    observed: Snapshot,
    desired: Snapshot,
    collections: Mapping[str, Collection],
    *,
    removed: Iterable[str] = (),
    own_writes: Mapping[str, Mapping[str, Json]] | None = None,
    receipts: OwnWrites | None = None,
    referred: Iterable[str] = (),
    only: Sequence[str] = (),
) -> Drift:
    """What moved between the baseline and the live portal.

    ``removed`` are tombstones, ``own_writes`` live values by address and path that our own last run wrote and that
    are no drift, ``receipts`` what we wrote at any time and would know again, ``referred`` addresses that integrations
    refer to beside what the specs declare.
    """
    sides = Sides(*_comparable(baseline, observed, collections), desired)
    before, after, mutes = sides.quiet()
    selected = [one for one in compare(before, after) if led_to(only, one.address)]
    newest = max(map(known_until, before.values()), default="") if selected else ""
    attribution = Attribution(newest, sides.mass_touches, receipts or OwnWrites())
    needed = frozenset(referred)
    refers = _references(desired) | needed
    judge = _Judge(sides, baseline.managed, frozenset(removed), own_writes or {}, refers, needed, attribution)
    items = [item for difference in selected for item in judge.items(difference) if _asked(only, item)]
    items += [_unreadable(collection) for collection in _unread(baseline, desired, collections, only)]
    items.sort(key=lambda item: (-SEVERITIES.index(item.severity), item.address, item.drift_class))
    return Drift(tuple(items), mutes.by_cause(), mutes.listed())


# --- what can be compared --------------------------------------------------------------------------------------------


def _comparable(
    baseline: Baseline, observed: Snapshot, collections: Mapping[str, Collection]
) -> tuple[dict[str, Resource], dict[str, Resource]]:
    """Both sides, as far as a collection was read now, and was recorded whole or the address by itself."""
    readable = frozenset(name for name, one in collections.items() if one.status == "ok")
    known = baseline.snapshot
    before = dict(_within(known, readable, known, baseline.collections))
    return before, dict(_within(observed, readable, known, baseline.collections))


def _within(
    snapshot: Snapshot, readable: frozenset[str], known: Snapshot, whole: frozenset[str]
) -> Iterator[tuple[str, Resource]]:
    for address, resource in snapshot.items():
        if resource.kind == STAGES:
            if stage := _readable_stage(resource, readable, known.get(address), whole):
                yield address, stage
        else:
            collection = address.rpartition("/")[0]
            if collection in readable and (collection in whole or address in known):
                yield address, resource


def _readable_stage(
    stage: Resource, readable: frozenset[str], known: Resource | None, whole: frozenset[str]
) -> Resource | None:
    """A stage as far as its pipelines were read: contacts and companies are two collections."""
    attributes = {
        object_type: value
        for object_type, value in stage.attributes.items()
        if f"{STAGES}/{object_type}" in readable
        and (f"{STAGES}/{object_type}" in whole or (known and object_type in known.attributes))
    }
    return Resource(stage.kind, stage.address, attributes, stage.facts, stage.source) if attributes else None


def _unread(
    baseline: Baseline, desired: Snapshot, collections: Mapping[str, Collection], only: Sequence[str]
) -> Iterator[Collection]:
    """Collections that matter and that HubSpot would not, or could not, show; one that nobody asked for is none."""
    heads = {address.rpartition("/")[0] for address in (*desired, *baseline.managed)}
    for name, collection in collections.items():
        matters = name in baseline.collections or any(name == head or name.startswith(head + "/") for head in heads)
        if collection.status not in ("ok", "not_read") and matters and led_to(only, name):
            yield collection


def leads_to(pattern: str, address: str) -> bool:
    """Whether a pattern is about what has this address, or about something in it."""
    depth = address.count("/") + 1
    return addresses.covers(pattern, address) or addresses.matches("/".join(pattern.split("/")[:depth]), address)


def led_to(only: Sequence[str], address: str) -> bool:
    """Whether a run that may be partial is about an address, or about something in it."""
    return not only or any(leads_to(pattern, address) for pattern in only)


def _asked(only: Sequence[str], item: DriftItem) -> bool:
    """Whether a run is about an item: about all of its definition, or a field of it that moved."""
    if not only or item.drift_class.endswith(WHOLE) or addresses.any_covers(only, item.address):
        return True
    return any(led_to(only, f"{item.address}/{one.change.path}") for one in item.fields)


def _unreadable(collection: Collection) -> DriftItem:
    why = collection.detail or f"the list is {collection.status}"
    return DriftItem(
        UNREADABLE,
        collection.name,
        SEVERITY[UNREADABLE],
        (DriftField(FieldChange("status", "ok", collection.status)),),
        Actor("unknown", "unknown", why),
    )


def _references(desired: Snapshot) -> frozenset[str]:
    """What the specs refer to: what they declare, and what a declared formula or currency names."""
    named = set(desired)
    for resource in desired.of_kind(properties.NAME):
        if resource.attributes.get("calculationFormula"):
            named.update(properties.depends_on(resource))
        if currency := resource.attributes.get("currencyPropertyName"):
            named.add(addresses.join(properties.NAME, resource.object_type, currency))
    return frozenset(named)


# --- what it is ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Judge:
    """Gives each field that moved its class, and each item its severity, actor and ways out."""

    sides: Sides
    managed: frozenset[str]
    removed: frozenset[str]
    own_writes: Mapping[str, Mapping[str, Json]]
    referred: frozenset[str]
    needed: frozenset[str]
    attribution: Attribution

    def items(self, difference: Difference) -> Iterator[DriftItem]:
        """What moved at one address, one item a class; nothing for what is as the spec or our last run has it."""
        fields = [self._field(change, difference) for change in kind_of(difference.address).fields(difference)]
        if difference.before is None or difference.after is None:
            if not self._wanted(difference, fields):
                yield self._item(self._class_of_whole(difference), tuple(fields), difference)
            return
        by_class: dict[str, list[DriftField]] = {}
        for one in fields:
            if not self._wanted_field(one, difference.address):
                by_class.setdefault(self._class_of(one, difference), []).append(one)
        contested = "managed.conflict" in by_class  # an apply stops at all of a definition for one field
        for drift_class, of_class in by_class.items():
            yield self._item(drift_class, tuple(of_class), difference, contested=contested)

    def _field(self, change: "Field", difference: Difference) -> DriftField:
        wanted = self.sides.desired.get(difference.address)
        there, desired = _desired(change, wanted) if wanted else (False, None)
        return DriftField(change, _canonical(change, desired, difference.before), there)

    def _wanted(self, difference: Difference, fields: Sequence[DriftField]) -> bool:
        """Whether something came or went just as the specs, or our own last run, have it."""
        if difference.after is None:
            return difference.address in self.removed
        declared = [one for one in fields if one.declared]
        in_sync = bool(declared) and all(_in_sync(one, difference.address) for one in declared)
        return in_sync or difference.address in self.own_writes

    def _wanted_field(self, moved: DriftField, address: str) -> bool:
        """Whether a field is just what the specs, or our own last run, have it to be."""
        change, written = moved.change, self.own_writes.get(address, {})
        if moved.declared and _in_sync(moved, address):
            return True
        wanted = self.sides.desired.get(address)
        if wanted and wanted.kind == STAGES and change.path.endswith("position"):
            return lifecycle_stages.as_ordered(wanted, self.sides.after)
        if change.how == "removed":
            return f"{address}/{change.path}" in self.removed
        return change.path in written and bool(written[change.path] == change.after)

    def _class_of_whole(self, difference: Difference) -> str:
        family = self.sides.family(difference.address)
        if difference.before is None:
            whose = self._new_group_family(difference, family)
            return {"custom": "unmanaged.added", "global": "vendor.added"}.get(whose, "portal.added")
        if family == "custom":
            ours = difference.address in self.sides.desired or difference.address in self.managed
            return "managed.missing" if ours else "unmanaged.removed"
        return "vendor.removed" if family == "global" else "portal.removed"

    def _new_group_family(self, difference: Difference, family: str) -> str:
        """A new group of nothing but new definitions of HubSpot's is HubSpot's, though no flag says so (B)."""
        new = difference.after
        if family != "custom" or new is None or new.kind != property_groups.NAME:
            return family
        head = addresses.join(properties.NAME, new.object_type) + "/"
        members = [
            address
            for address, one in self.sides.after.items()
            if address.startswith(head) and one.attributes.get("groupName") == new.name
        ]
        hubspots = [one for one in members if one not in self.sides.before and self.sides.family(one) != "custom"]
        return "global" if members and len(hubspots) == len(members) else "custom"

    def _class_of(self, moved: DriftField, difference: Difference) -> str:
        path, family = moved.change.path, self.sides.family(difference.address)
        if self._owned(path, difference, family):
            return _managed_class(moved, difference.address)
        if family == "custom":
            return "unmanaged.changed"
        if path in ("type", "fieldType"):
            return "vendor.type-changed"
        return self._global_class(path, difference) if family == "global" else "portal.changed"

    def _global_class(self, path: str, difference: Difference) -> str:
        """The class of a field of one of HubSpot's own definitions that no spec declares."""
        assert difference.before is not None
        assert difference.after is not None
        if editor(difference.before, difference.after):
            return "portal.changed"
        match path.partition("/")[0]:
            case "label" | "inverseLabel":
                return "vendor.relabelled"
            case "description":
                return "vendor.described"
            case "options":
                edited = self.attribution.options_edited_in_portal(difference)
                return "portal.changed" if edited else "vendor.options-changed"
            case field if field in PORTAL_FIELDS:
                return "portal.changed"
        return "vendor.flags-changed"

    def _owned(self, path: str, difference: Difference, family: str) -> bool:
        """A full definition of ours is ours in every field, a partial one in the fields that it names."""
        wanted = self.sides.desired.get(difference.address)
        if wanted is None:
            return family == "custom" and difference.address in self.managed
        partial = wanted.kind == properties.NAME and "type" not in wanted.attributes
        return not partial or path.partition("/")[0] in wanted.attributes

    def _item(
        self, drift_class: str, fields: tuple[DriftField, ...], difference: Difference, *, contested: bool = False
    ) -> DriftItem:
        address, family = difference.address, self.sides.family(difference.address)
        wanted = self.sides.desired.get(address)
        changes, guessed = [one.change for one in fields], self.sides.guessed(address)
        actor, at = self.attribution.actor(drift_class, changes, difference, family, guessed=guessed)
        return DriftItem(
            drift_class,
            address,
            self._severity(drift_class, fields, address),
            fields,
            actor,
            at,
            family if family not in ("custom", "global") else "",
            source=wanted.source if wanted else None,
            ways=_ways(drift_class, fields, address, declared=wanted is not None, contested=contested),
            ids=_ids(difference),
            title=_title(difference),
        )

    def _severity(self, drift_class: str, fields: Sequence[DriftField], address: str) -> str:
        severity = SEVERITY[drift_class]
        if drift_class == "vendor.relabelled":
            changes = [one.change for one in fields]
            if any(vendor.gains_deprecation(str(one.before or ""), str(one.after or "")) for one in changes):
                severity = "medium"
        if drift_class == "vendor.flags-changed" and all(one.change.path in QUIET_FLAGS for one in fields):
            severity = "info"
        # what a spec names in part it does not own: only HubSpot's changes of that, which can break it, weigh more
        refers = self.referred if drift_class.startswith("vendor.") else self.needed
        if address in refers and not drift_class.startswith("managed."):
            severity = SEVERITIES[min(SEVERITIES.index(severity) + 1, len(SEVERITIES) - 1)]
        return severity


def _desired(change: "Field", wanted: Resource) -> tuple[bool, Json]:
    """What the spec says of a field that moved."""
    top = change.path.partition("/")[0]
    if top == "options":
        return kind_of(wanted.address).value_at(wanted, change) if "options" in wanted.attributes else (False, None)
    name = change.path.rpartition("/")[2] if wanted.kind == STAGES else change.path
    return name in wanted.attributes, wanted.attributes.get(name)


def _canonical(change: "Field", desired: Json, known: Resource | None) -> Json:
    """A declared formula in the form that HubSpot made of it, where the baseline knows it (hubspot-api.md A.11)."""
    if known and change.path == "calculationFormula" and known.facts.get("declaredFormula", "") == desired:
        return known.attributes.get("calculationFormula")
    return desired


def _as_ordered(moved: DriftField) -> bool:
    """Whether the options that the spec names stand in its order, whatever stands among them."""
    return properties.same("options", moved.desired, moved.change.after)


def _in_sync(moved: DriftField, address: str) -> bool:
    """Whether the portal has what the spec says, however it came to that."""
    change, live = moved.change, moved.change.after
    if change.path == "options" and change.how == "changed":  # if the declared ones did not move, others did
        return _as_ordered(moved) and not properties.same("options", moved.desired, change.before)
    if change.path == "options":
        return bool(moved.desired == live)
    if change.path.startswith("options/") and isinstance(moved.desired, Mapping):
        return change.how != "removed" and all(live.get(name) == value for name, value in moved.desired.items())
    return kind_of(address).same(change.path, moved.desired, live)


def _managed_class(moved: DriftField, address: str) -> str:
    change = moved.change
    top, _, rest = change.path.partition("/")
    name = top if top == "options" else change.path.rpartition("/")[2]
    if name in ("createdAt", "id", "typeIds"):
        return "managed.recreated"
    if name == "position" or (change.path == "options" and change.how == "changed"):
        return "managed.reordered"
    if moved.declared and not _as_known(moved, address):
        return "managed.conflict"
    if top == "options" and rest and "/" not in rest and change.how != "changed":
        return f"managed.option-{change.how}"
    return "managed.modified"


def _as_known(moved: DriftField, address: str) -> bool:
    """Whether the spec still says what the baseline says, so that only the portal moved."""
    change = moved.change
    if change.how == "added":
        return False
    if change.path.startswith("options/") and isinstance(moved.desired, Mapping):
        return all(change.before.get(name) == value for name, value in moved.desired.items())
    return kind_of(address).same(change.path, moved.desired, change.before)


def _title(difference: Difference) -> str:
    """The label that people see now, or saw; of a stage that of contacts before that of companies."""
    resource = difference.after or difference.before
    assert resource is not None
    sides = resource.attributes.values() if resource.kind == STAGES else [resource.attributes]
    return next((str(side["label"]) for side in sides if isinstance(side, Mapping) and side.get("label")), "")


def _ids(difference: Difference) -> frozenset[str]:
    """The ids of a stage on both sides: an audit trail goes by them."""
    sides = [one.facts.get("ids", {}) for one in (difference.before, difference.after) if one and one.kind == STAGES]
    return frozenset(str(number) for ids in sides for number in ids.values())


def _ways(
    drift_class: str, fields: Sequence[DriftField], address: str, *, declared: bool, contested: bool
) -> dict[str, str]:
    """How to end it: keep what is live, put back what the specs say, or take it into the specs.

    What the specs want otherwise is kept only there: an accept would last until the next apply.
    """
    name = quote(address)
    if declared and (drift_class == "managed.missing" or any(_wanted_otherwise(one, address) for one in fields)):
        decided = " --on-conflict spec" if contested else ""
        return {"adopt": f"reconciler adopt {name}", "apply": f"reconciler apply --only {name}{decided}"}
    ways = {"accept": f'reconciler accept {name} --reason "..."'}
    if drift_class in ("managed.missing", "unmanaged.removed") or drift_class.startswith("vendor."):
        return ways
    if declared or drift_class.startswith("unmanaged."):
        ways["adopt"] = f"reconciler adopt {name}"
    return ways


def _wanted_otherwise(moved: DriftField, address: str) -> bool:
    """Whether the specs say something else of a field; the place of a stage they say by their lists."""
    if moved.change.path == "options" and moved.change.how == "changed" and moved.declared:
        return not _as_ordered(moved)
    return moved.declared or (address.startswith(f"{STAGES}/") and moved.change.path.endswith("position"))
