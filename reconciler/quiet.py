"""What differs between two reads of a portal and is no drift (real-drift.md 6).

Nothing is filtered out of a comparison afterwards. What is no drift is copied from the known side to the live one, or
left out on both, before they are compared; what people may want to know of is counted by its cause.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from reconciler import vendor
from reconciler.attribution import time_of, touched
from reconciler.baseline import STAGES
from reconciler.kinds import properties, property_groups
from reconciler.model import Json, Resource, Snapshot

MANY = 5  # definitions of a list that gain or lose the same field at once: the API changed, not they (G.4)


@dataclass(frozen=True, slots=True)
class Muted:
    """What differs and is no drift, counted by cause."""

    cause: str
    count: int
    addresses: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        """The line as documents hold it."""
        return {"cause": self.cause, "count": self.count, "addresses": list(self.addresses)}


@dataclass(slots=True)
class _Mutes:
    """Collects what is muted, by cause."""

    by_cause: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, cause: str, address: str) -> None:
        self.by_cause.setdefault(cause, {})[address] = None

    def listed(self) -> tuple[Muted, ...]:
        return tuple(Muted(cause, len(found), tuple(sorted(found))) for cause, found in sorted(self.by_cause.items()))


@dataclass(frozen=True)
class Sides:
    """Both sides as they were read, and what the whole of a list says about its entries."""

    before: Mapping[str, Resource]
    after: Mapping[str, Resource]
    desired: Snapshot

    def quiet(self) -> tuple[Snapshot, Snapshot, tuple[Muted, ...]]:
        """Both sides with everything that is no drift copied from the one to the other."""
        muted = _Mutes()
        before, after = dict(self.before), dict(self.after)
        for address in list(before.keys() | after.keys()):
            self._quiet_one(address, before, after, muted)
        _quiet_positions(before, after)
        return Snapshot(before.values()), Snapshot(after.values()), muted.listed()

    def _quiet_one(self, address: str, before: dict[str, Resource], after: dict[str, Resource], muted: _Mutes) -> None:
        old, new = before.get(address), after.get(address)
        if old and new and _equal(old, new):
            after[address] = old
            return
        resource = new or old
        assert resource is not None
        if resource.kind == properties.NAME and self.family(address) == "stage":
            muted.add(_stage_cause(resource), address)
            before.pop(address, None)
            after.pop(address, None)
        elif old and new:
            before[address], after[address] = self._quiet_pair(old, new, muted)

    def _quiet_pair(self, old: Resource, new: Resource, muted: _Mutes) -> tuple[Resource, Resource]:
        wanted = self.desired.get(new.address)
        left, right = dict(old.attributes), dict(new.attributes)
        _quiet_texts(left, right)
        _quiet_order(left, right, new.kind, wanted.attributes if wanted else {})
        if new.kind == properties.NAME:
            self._quiet_options(old, new, left, right, muted)
            for name in self._surface_changes(old, new):
                muted.add(f"`{name}` newly sent, or no longer sent, by HubSpot", new.address)
                _copy(name, left, right)
            _add_flags(old, new, left, right)
        _add_identity(old, new, left, right, self._created_anew(old, new))
        return _with(old, left), _with(new, right)

    def _quiet_options(
        self, old: Resource, new: Resource, left: dict[str, Json], right: dict[str, Json], muted: _Mutes
    ) -> None:
        external = left["externalOptions"] or right["externalOptions"]
        if vendor.mirrors_stages(new) or external:  # external lists are always empty here (real-drift.md 6)
            if not external and left.get("options") != right.get("options"):
                muted.add(f"options of {new.name} that mirror stages", new.address)
            _copy("options", left, right)
        elif "options" in left and "options" in right:
            right["options"] = _ties_as_known(left["options"], right["options"], new.facts.get("options", ()))

    def family(self, address: str) -> vendor.Family:
        """Whose a definition is, by what the baseline says of it before what HubSpot sends today."""
        collection = address.rpartition("/")[0]
        old, new = self.before.get(address), self.after.get(address)
        tells_old, tells_new = self._archived_tells.get(collection, (False, False))
        if old and (tells_old or new is None):
            return vendor.family(old, tells_old)
        resource = new or old
        assert resource is not None
        return vendor.family(resource, tells_new)

    @cached_property
    def _archived_tells(self) -> dict[str, tuple[bool, bool]]:
        lists: dict[str, tuple[list[Resource], list[Resource]]] = {}
        for index, side in enumerate((self.before, self.after)):
            for address, resource in side.items():
                if resource.kind == properties.NAME:
                    lists.setdefault(address.rpartition("/")[0], ([], []))[index].append(resource)
        return {name: (vendor.archived_tells(old), vendor.archived_tells(new)) for name, (old, new) in lists.items()}

    def _surface_changes(self, old: Resource, new: Resource) -> Iterator[str]:
        """Fields that come or go on many definitions at once, or on one that nobody wrote to: the API changed."""
        collection = new.address.rpartition("/")[0]
        for name in properties.SOMETIMES_SET:
            moved = (name in old.attributes) != (name in new.attributes)
            if moved and (self._came_or_went[collection, name] >= MANY or not touched(old, new)):
                yield name

    @cached_property
    def _came_or_went(self) -> Counter[tuple[str, str]]:
        """How many definitions of a collection gained or lost a field."""
        counts: Counter[tuple[str, str]] = Counter()
        for address, old in self.before.items():
            new = self.after.get(address)
            if new and old.kind == properties.NAME and old.attributes is not new.attributes:
                for name in properties.SOMETIMES_SET:
                    if (name in old.attributes) != (name in new.attributes):
                        counts[address.rpartition("/")[0], name] += 1
        return counts

    def _created_anew(self, old: Resource, new: Resource) -> bool:
        """Whether a custom definition was made again under its name after the baseline knew it.

        ``createdAt`` alone is an artefact in many portals (real-drift.md 6), so it has to have moved past the last
        edit that the baseline knows, and not on HubSpot's definitions as well.
        """
        if new.kind != properties.NAME or self.family(new.address) != "custom":
            return False
        last, made = time_of(old, "updatedAt") or time_of(old, "createdAt"), time_of(new, "createdAt")
        return bool(last and made > last) and not self._times_unreliable

    @cached_property
    def _times_unreliable(self) -> bool:
        pairs = ((old, self.after[address]) for address, old in self.before.items() if address in self.after)
        return any(
            old.facts.get("hubspotDefined") and time_of(old, "createdAt") != time_of(new, "createdAt")
            for old, new in pairs
            if old.kind == properties.NAME and time_of(old, "createdAt") and time_of(new, "createdAt")
        )


def _equal(old: Resource, new: Resource) -> bool:
    """Whether nothing of a definition moved; mappings are equal in any order, so the order is looked at as well."""
    return (
        old.attributes == new.attributes
        and list(old.attributes.get("options", ())) == list(new.attributes.get("options", ()))
        and all(old.facts.get(name) == new.facts.get(name) for name in _IDENTITY)
    )


_IDENTITY = ("calculated", "modificationMetadata", "createdAt", "ids", "typeIds")
_FLAGS = ("readOnlyDefinition", "readOnlyOptions", "readOnlyValue")


def _with(resource: Resource, attributes: Mapping[str, Json]) -> Resource:
    return Resource(resource.kind, resource.address, attributes, resource.facts, resource.source)


def _copy(name: str, left: Mapping[str, Json], right: dict[str, Json]) -> None:
    if name in left:
        right[name] = left[name]
    else:
        right.pop(name, None)


def _stage_cause(resource: Resource) -> str:
    pipeline = vendor.pipeline(resource)
    return f"per-stage properties of {resource.object_type}" + (f", {pipeline}" if pipeline else "")


def _same_text(one: Json, other: Json) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one.split() == other.split()


def _quiet_texts(left: Mapping[str, Json], right: dict[str, Json]) -> None:
    """Blanks in labels and descriptions come and go (real-drift.md 6)."""
    for name in ("label", "inverseLabel", "description"):
        if _same_text(left.get(name), right.get(name)):
            right[name] = left[name]
    known = left.get("options", {})
    if "options" in right:
        right["options"] = {
            value: _quiet_option(known[value], option) if value in known else option
            for value, option in right["options"].items()
        }


def _quiet_option(old: Mapping[str, Json], new: Mapping[str, Json]) -> Mapping[str, Json]:
    """The option as it is known where only blanks differ; its keys are in no order that means anything."""
    quiet = {name: old[name] if _same_text(old.get(name), value) else value for name, value in new.items()}
    return old if quiet == old else {name: quiet[name] for name in [*old, *quiet] if name in quiet}


def _ties_as_known(
    known: Mapping[str, Json], live: Mapping[str, Json], listed: Sequence[Mapping[str, Json]]
) -> Mapping[str, Json]:
    """Options that share a displayOrder, as in real portals, have no order among each other (real-drift.md 7)."""
    orders = {option["value"]: option.get("displayOrder", -1) for option in listed}
    if len(set(orders.values())) == len(orders):
        return live
    places = {value: place for place, value in enumerate(known)}
    ranked = sorted(live, key=lambda value: (orders.get(value, -1), places.get(value, len(places))))
    return {value: live[value] for value in ranked}


def _quiet_order(left: Mapping[str, Json], right: dict[str, Json], kind: str, wanted: Mapping[str, Json]) -> None:
    """A declared position of -1 is any; the position of a group is HubSpot's numbering unless declared."""
    undeclared_group = kind == property_groups.NAME and "displayOrder" not in wanted
    if undeclared_group or wanted.get("displayOrder") == -1:
        _copy("displayOrder", left, right)


def _add_flags(old: Resource, new: Resource, left: dict[str, Json], right: dict[str, Json]) -> None:
    """Flags that nobody can declare and that integrations notice; a key that one side lacks tells nothing."""
    one, other = old.facts.get("modificationMetadata", {}), new.facts.get("modificationMetadata", {})
    for name in _FLAGS:
        if name in one and name in other:
            left[name], right[name] = one[name], other[name]
    if "calculated" in old.facts and "calculated" in new.facts:
        left["calculated"], right["calculated"] = old.facts["calculated"], new.facts["calculated"]


def _add_identity(
    old: Resource, new: Resource, left: dict[str, Json], right: dict[str, Json], created_anew: bool
) -> None:
    """What tells that a thing of the same name is not the same thing any more."""
    if created_anew:
        left["createdAt"], right["createdAt"] = old.facts["createdAt"], new.facts["createdAt"]
    one, other = old.facts.get("ids", {}), new.facts.get("ids", {})
    for object_type in one.keys() & other.keys() & left.keys() & right.keys():
        left[object_type] = {**left[object_type], "id": one[object_type]}
        right[object_type] = {**right[object_type], "id": other[object_type]}
    if "typeIds" in old.facts and "typeIds" in new.facts:
        left["typeIds"], right["typeIds"] = list(old.facts["typeIds"]), list(new.facts["typeIds"])


def _quiet_positions(before: dict[str, Resource], after: dict[str, Resource]) -> None:
    """One new stage renumbers all behind it: only stages that really changed places keep their positions."""
    shared = [address for address, one in before.items() if one.kind == STAGES and address in after]
    for object_type in sorted({name for address in shared for name in before[address].attributes}):
        both = [one for one in shared if _stage(before[one], object_type) and _stage(after[one], object_type)]
        both.sort(key=lambda one: _stage(after[one], object_type)["position"])
        known = [_stage(before[one], object_type)["position"] for one in both]
        for index in _in_place(known):
            new = after[both[index]]
            stage = {**_stage(new, object_type), "position": known[index]}
            after[both[index]] = _with(new, {**new.attributes, object_type: stage})


def _stage(resource: Resource, object_type: str) -> Mapping[str, Json]:
    return resource.attributes.get(object_type, {})  # type: ignore[no-any-return]


def _in_place(numbers: Sequence[int]) -> list[int]:
    """The indices of a longest run that never falls: what does not have to move."""
    ends: list[int] = []  # lowest number that a run of each length ends with
    last: list[int] = []  # index of that number
    came_from: list[int] = []
    for index, number in enumerate(numbers):
        length = bisect_right(ends, number)
        ends[length : length + 1] = [number]
        last[length : length + 1] = [index]
        came_from.append(last[length - 1] if length else -1)
    run = []
    index = last[-1] if last else -1
    while index >= 0:
        run.append(index)
        index = came_from[index]
    return run
