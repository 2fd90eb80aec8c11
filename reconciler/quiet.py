"""What differs between two reads of a portal and is no drift: carries out the list in ``noise``.

Nothing is filtered out of a comparison afterwards. What is no drift is copied from the known side to the live one, or
left out on both, before they are compared; each such difference is kept for whoever asks what was muted.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from reconciler import vendor
from reconciler.attribution import editor, time_of, touched
from reconciler.baseline import STAGES
from reconciler.diff import alike
from reconciler.kinds import properties, property_groups
from reconciler.model import Json, Resource, Snapshot
from reconciler.noise import BY_NAME

MANY = 5  # definitions that gain or lose the same field at once: the API changed, not they (G.4)
FEW = 2  # the same of the description of options, which some lists carry and some do not, where no time moved


@dataclass(frozen=True, slots=True)
class Muted:
    """What follows from something else and is no drift, counted by cause."""

    cause: str
    count: int
    addresses: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        """The line as documents hold it."""
        return {"cause": self.cause, "count": self.count, "addresses": list(self.addresses)}


@dataclass(frozen=True, slots=True)
class Normalised:
    """One difference that a rule of ``noise`` muted."""

    rule: str
    address: str
    path: str
    before: Json
    after: Json

    def as_json(self) -> dict[str, Json]:
        """The difference as documents hold it."""
        return {"address": self.address, "path": self.path, "before": self.before, "after": self.after}


def normalised_json(found: Sequence[Normalised]) -> list[dict[str, Json]]:
    """What was muted, counted and listed by rule, as documents hold it."""
    by_rule: dict[str, list[Normalised]] = {}
    for one in found:
        by_rule.setdefault(one.rule, []).append(one)
    return [
        {
            "rule": name,
            "muted": rule.muted,
            "count": len(by_rule[name]),
            "differences": [one.as_json() for one in by_rule[name]],
        }
        for name, rule in BY_NAME.items()
        if name in by_rule
    ]


@dataclass(slots=True)
class Mutes:
    """Collects what is muted."""

    differences: list[Normalised] = field(default_factory=list)
    causes: dict[str, dict[str, None]] = field(default_factory=dict)

    def add(self, rule: str, address: str, path: str, before: Json, after: Json, cause: str = "") -> None:
        """One difference, by its rule, and by its cause where people are told of that in any case."""
        self.differences.append(Normalised(BY_NAME[rule].name, address, path, before, after))
        if cause:
            self.causes.setdefault(cause, {})[address] = None

    def by_cause(self) -> tuple[Muted, ...]:
        """What follows from something else, one line a cause."""
        return tuple(Muted(cause, len(found), tuple(sorted(found))) for cause, found in sorted(self.causes.items()))

    def listed(self) -> tuple[Normalised, ...]:
        """Every difference that was muted, by address."""
        return tuple(sorted(self.differences, key=lambda one: (one.address, one.path)))


@dataclass(frozen=True)
class Sides:
    """Both sides as they were read, and what the whole of a list says about its entries."""

    before: Mapping[str, Resource]
    after: Mapping[str, Resource]
    desired: Snapshot

    def quiet(self) -> tuple[Snapshot, Snapshot, Mutes]:
        """Both sides with everything that is no drift copied from the one to the other."""
        mutes = Mutes()
        before, after = dict(self.before), dict(self.after)
        for address in sorted(before.keys() | after.keys()):
            self._quiet_one(address, before, after, mutes)
        _quiet_positions(before, after, mutes)
        return Snapshot(before.values()), Snapshot(after.values()), mutes

    def _quiet_one(self, address: str, before: dict[str, Resource], after: dict[str, Resource], mutes: Mutes) -> None:
        old, new = before.get(address), after.get(address)
        if old and new and alike(old, new):
            after[address] = old
            _note_times(old, new, mutes)
            return
        resource = new or old
        assert resource is not None
        if resource.kind == properties.NAME and self.family(address) == "stage":
            then, now = (one.attributes.get("label") if one else None for one in (old, new))
            mutes.add("stage-family", address, "label", then, now, _stage_cause(resource))
            before.pop(address, None)
            after.pop(address, None)
        elif old and new:
            before[address], after[address] = self._quiet_pair(old, new, mutes)

    def _quiet_pair(self, old: Resource, new: Resource, mutes: Mutes) -> tuple[Resource, Resource]:
        pair = _Pair(new.address, dict(old.attributes), dict(new.attributes), mutes)
        wanted = self.desired.get(new.address)
        _quiet_texts(pair, hubspots=self.family(new.address) != "custom")
        _quiet_order(pair, new.kind, wanted.attributes if wanted else {})
        if new.kind == properties.NAME:
            self._quiet_property(pair, old, new)
        anew = self._created_anew(old, new)
        _add_identity(old, new, pair.left, pair.right, anew)
        if pair.left == pair.right:
            _note_times(old, new, mutes)
        return _with(old, pair.left), _with(new, pair.right)

    def _quiet_property(self, pair: "_Pair", old: Resource, new: Resource) -> None:
        for name in self._surface_changes(old, new):
            cause = f"`{name}` newly sent, or no longer sent, by HubSpot"
            if name.startswith("options/"):
                pair.keep_of_options("api-key", name.partition("/")[2], cause)
            else:
                pair.keep("api-key", name, cause)
        positions = pair.left["displayOrder"], pair.right["displayOrder"]
        if -1 in positions and self._filled[new.address.rpartition("/")[0]] >= MANY:
            pair.keep("filled-position", "displayOrder")
        formulas = pair.left.get("calculationFormula"), pair.right.get("calculationFormula")
        if all(formulas) and properties.same("calculationFormula", *formulas):
            pair.keep("formula-spelling", "calculationFormula")
        external = pair.left["externalOptions"] or pair.right["externalOptions"]
        if vendor.mirrors_stages(new):
            pair.keep("stage-mirror", "options", "" if external else f"options of {new.name} that mirror stages")
        elif external:
            pair.keep("external-options", "options")
        elif "options" in old.attributes and "options" in new.attributes and pair.right.get("options"):
            self._quiet_options(pair, old, new)
        _add_flags(old, new, pair)

    def _quiet_options(self, pair: "_Pair", old: Resource, new: Resource) -> None:
        known = _ties_as_known(pair.left["options"], pair.right["options"], _numbers(old), _numbers(new))
        if list(known) != list(pair.right["options"]):
            pair.note("option-numbers", "options", list(pair.left["options"]), list(pair.right["options"]))
        pair.right["options"] = known

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

    def guessed(self, address: str) -> bool:
        """Whether nothing but names tells HubSpot's own definitions from a portal's in a list as it is live."""
        return not self._archived_tells.get(address.rpartition("/")[0], (False, False))[1]

    @cached_property
    def _archived_tells(self) -> dict[str, tuple[bool, bool]]:
        lists: dict[str, tuple[list[Resource], list[Resource]]] = {}
        for index, side in enumerate((self.before, self.after)):
            for address, resource in side.items():
                if resource.kind == properties.NAME:
                    lists.setdefault(address.rpartition("/")[0], ([], []))[index].append(resource)
        return {name: (vendor.archived_tells(old), vendor.archived_tells(new)) for name, (old, new) in lists.items()}

    # --- what the whole of the lists tells ---------------------------------------------------------------------------

    @cached_property
    def _pairs(self) -> list[tuple[Resource, Resource]]:
        """The properties that both sides have."""
        return [
            (old, self.after[address])
            for address, old in self.before.items()
            if address in self.after and old.kind == properties.NAME
        ]

    @cached_property
    def mass_touches(self) -> frozenset[str]:
        """Moments at which many definitions were touched with nothing to see: they say nothing about the others."""
        counts = Counter(time_of(new, "updatedAt") for old, new in self._pairs if touched(old, new) and alike(old, new))
        return frozenset(moment for moment, count in counts.items() if count >= MANY)

    def _surface_changes(self, old: Resource, new: Resource) -> Iterator[str]:
        """Keys that came or went because the API changed, and not because somebody set or cleared them."""
        untouched = not touched(old, new)
        for name in _toggled(old, new):
            if name in properties.SOMETIMES_SET:
                nobodys = untouched or not self._edited(old, new)
            else:  # HubSpot sends the other keys with every definition, so they come and go with many
                nobodys = untouched and name == _OPTION_TEXT and self._untouched >= FEW
            if nobodys or self._surface(new.address, name):
                yield name

    def _surface(self, address: str, name: str) -> bool:
        """Whether a key comes or goes on many definitions at once, or on all of a short list."""
        collection = address.rpartition("/")[0]
        of_list = self._came_or_went[collection, name]
        whole = name not in properties.SOMETIMES_SET and 1 < of_list == self._lengths[collection]
        return whole or self._came_or_went["", name] >= MANY

    def _edited(self, old: Resource, new: Resource) -> bool:
        """Whether somebody wrote to it: HubSpot's own releases touch its definitions too, but name no user."""
        return bool(editor(old, new)) or (self.family(new.address) == "custom" and touched(old, new))

    @cached_property
    def _lengths(self) -> Counter[str]:
        return Counter(new.address.rpartition("/")[0] for _, new in self._pairs)

    @cached_property
    def _came_or_went(self) -> Counter[tuple[str, str]]:
        """How many definitions of a list, and in all, gained or lost a key without an edit of their own."""
        counts: Counter[tuple[str, str]] = Counter()
        for old, new in self._pairs:
            if old.attributes is new.attributes:
                continue
            if self._edited(old, new) and time_of(new, "updatedAt") not in self.mass_touches:
                continue
            for name in _toggled(old, new):
                counts[new.address.rpartition("/")[0], name] += 1
                counts["", name] += 1
        return counts

    @cached_property
    def _untouched(self) -> int:
        """How many definitions gained or lost the description of their options while their time stood still."""
        return sum(1 for old, new in self._pairs if _OPTION_TEXT in _toggled(old, new) and not touched(old, new))

    @cached_property
    def _filled(self) -> Counter[str]:
        """How many definitions of a list were given a position, or lost it."""
        positions = (
            (new.address.rpartition("/")[0], old.attributes["displayOrder"], new.attributes["displayOrder"])
            for old, new in self._pairs
        )
        return Counter(collection for collection, one, other in positions if one != other and -1 in (one, other))

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
        defaults = [(old, new) for old, new in self._pairs if old.facts.get("hubspotDefined")]
        times = [(time_of(old, "createdAt"), time_of(new, "createdAt")) for old, new in defaults]
        return any(one and other and one != other for one, other in times)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The attributes of one definition on both sides, while they are made alike."""

    address: str
    left: dict[str, Json]
    right: dict[str, Json]
    mutes: Mutes

    def note(self, rule: str, path: str, before: Json, after: Json, cause: str = "") -> None:
        self.mutes.add(rule, self.address, path, before, after, cause)

    def keep(self, rule: str, name: str, cause: str = "") -> None:
        """The live value of a field is taken to be the known one; noted when it differs."""
        before, after = self.left.get(name), self.right.get(name)
        if before != after or _shown(before) != _shown(after):
            self.note(rule, name, _shown(before), _shown(after), cause)
        if name in self.left:
            self.right[name] = before
        else:
            self.right.pop(name, None)

    def keep_of_options(self, rule: str, key: str, cause: str) -> None:
        """The same for a key of each option that both sides have."""
        known, live = self.left.get("options", {}), self.right.get("options", {})
        for value in known.keys() & live.keys():
            before, after = known[value].get(key), live[value].get(key)
            if before != after:
                self.note(rule, f"options/{value}/{key}", before, after, cause)
                rest = {name: one for name, one in live[value].items() if name != key}
                self.right["options"] = live = {**live, value: rest if before is None else {**rest, key: before}}


def _shown(value: Json) -> Json:
    """Options by their values; a list of texts says enough of what was muted."""
    return list(value) if isinstance(value, Mapping) else value


_TIMES = (("touched", "updatedAt"), ("created", "createdAt"))
_OPTION_TEXT = "options/description"


def _note_times(old: Resource, new: Resource, mutes: Mutes) -> None:
    """A definition that looks as it did, and carries other times."""
    if old.kind != STAGES and all(old.facts.get(name) == new.facts.get(name) for _, name in _TIMES):
        return  # nearly all of a portal, in which no time has to be understood
    for rule, name in _TIMES:
        one, other = time_of(old, name), time_of(new, name)
        if one and other and one != other:
            mutes.add(rule, new.address, name, one, other)


def _unsent(resource: Resource) -> frozenset[str]:
    return properties.unsent(resource.facts)


def _toggled(old: Resource, new: Resource) -> list[str]:
    """Fields that one side has and the other was not sent at all."""
    sometimes = [one for one in properties.SOMETIMES_SET if (one in old.attributes) != (one in new.attributes)]
    toggled = _unsent(old) ^ _unsent(new)
    if toggled and not (old.attributes.get("options") and new.attributes.get("options")):
        toggled = frozenset(name for name in toggled if "/" not in name)  # no options, so none with the key
    return [*sometimes, *sorted(toggled)]


def _with(resource: Resource, attributes: Mapping[str, Json]) -> Resource:
    return Resource(resource.kind, resource.address, attributes, resource.facts, resource.source)


def _stage_cause(resource: Resource) -> str:
    pipeline = vendor.pipeline(resource)
    return f"per-stage properties of {resource.object_type}" + (f", {pipeline}" if pipeline else "")


# --- texts -----------------------------------------------------------------------------------------------------------


def _same_text(one: Json, other: Json) -> bool:
    return isinstance(one, str) and isinstance(other, str) and one.split() == other.split()


def _same_wording(one: Json, other: Json) -> bool:
    return _same_text(*(text.strip().removesuffix(".").casefold() for text in (one, other)))


def _quiet_texts(pair: _Pair, *, hubspots: bool) -> None:
    """Blanks in texts come and go, and in HubSpot's descriptions case and the last full stop (real-drift.md 6)."""
    for name in ("label", "inverseLabel", "description"):
        before, after = pair.left.get(name), pair.right.get(name)
        if _same_text(before, after):
            pair.keep("blanks", name)
        elif hubspots and name == "description" and before and after and _same_wording(before, after):
            pair.keep("wording", name)
    known = pair.left.get("options", {})
    if "options" in pair.right:
        pair.right["options"] = {
            value: _quiet_option(pair, value, known[value], option) if value in known else option
            for value, option in pair.right["options"].items()
        }


def _quiet_option(pair: _Pair, value: str, old: Mapping[str, Json], new: Mapping[str, Json]) -> Mapping[str, Json]:
    """The option as it is known where only blanks differ; its keys are in no order that means anything."""
    quiet = {}
    for name, text in new.items():
        same = _same_text(old.get(name), text)
        quiet[name] = old[name] if same else text
        if same and old[name] != text:
            pair.note("blanks", f"options/{value}/{name}", old[name], text)
    return old if quiet == old else {name: quiet[name] for name in [*old, *quiet] if name in quiet}


# --- order -----------------------------------------------------------------------------------------------------------


def _numbers(resource: Resource) -> Mapping[str, int]:
    """The number that each option was sent with; where nothing tells, they are in their order."""
    sent, options = properties.option_numbers(resource.facts), resource.attributes["options"]
    return sent if options.keys() <= sent.keys() else {value: place for place, value in enumerate(options)}


def _ties_as_known(
    known: Mapping[str, Json], live: Mapping[str, Json], then: Mapping[str, int], now: Mapping[str, int]
) -> Mapping[str, Json]:
    """The live options in the known order, unless two that had an order then have the other one now.

    Options that share a number, as in real portals, have no order among each other (real-drift.md 7).
    """
    shared = sorted((value for value in live if value in known), key=lambda value: (now[value], then[value]))
    ranks = [then[value] for value in shared]
    if ranks != sorted(ranks):
        places = {value: place for place, value in enumerate(known)}
        ranked = sorted(live, key=lambda value: (now[value], places.get(value, len(places))))
        return {value: live[value] for value in ranked}
    in_known_order = iter([value for value in known if value in live])
    return {one: live[one] for one in (next(in_known_order) if value in known else value for value in live)}


def _quiet_order(pair: _Pair, kind: str, wanted: Mapping[str, Json]) -> None:
    """A declared position of -1 is any; the position of a group is HubSpot's numbering unless declared."""
    if wanted.get("displayOrder") == -1:
        pair.keep("any-position", "displayOrder")
    elif kind == property_groups.NAME and "displayOrder" not in wanted:
        pair.keep("group-numbers", "displayOrder")


# --- what nobody can declare -----------------------------------------------------------------------------------------


def _add_flags(old: Resource, new: Resource, pair: _Pair) -> None:
    """Flags that nobody can declare and that integrations notice; a key that one side lacks tells nothing."""
    sides = [{**vendor.rights(one), "calculated": one.facts.get("calculated")} for one in (old, new)]
    for name in (*vendor.RIGHTS, "calculated"):
        before, after = (side.get(name) for side in sides)
        if before is not None and after is not None:
            pair.left[name], pair.right[name] = before, after
        elif before is not after:
            pair.note("rights-key", name, before, after)


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


# --- stages ----------------------------------------------------------------------------------------------------------


def _quiet_positions(before: dict[str, Resource], after: dict[str, Resource], mutes: Mutes) -> None:
    """One new stage renumbers all behind it: only stages that really changed places keep their positions."""
    shared = [address for address, one in before.items() if one.kind == STAGES and address in after]
    for object_type in sorted({name for address in shared for name in before[address].attributes}):
        both = [one for one in shared if _stage(before[one], object_type) and _stage(after[one], object_type)]
        both.sort(key=lambda one: _stage(after[one], object_type)["position"])
        known = [_stage(before[one], object_type)["position"] for one in both]
        for index in _in_place(known):
            new = after[both[index]]
            was = _stage(new, object_type)
            if was["position"] != known[index]:
                mutes.add("stage-numbers", new.address, f"{object_type}/position", known[index], was["position"])
            stage = {**was, "position": known[index]}
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
