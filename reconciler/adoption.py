"""Adoption: what the spec files would have to say for the specs to be as the portal is, as plain values.

Fields that are declared follow the portal; of a full definition also those that drifted and were not written down yet.
An option or stage that is gone is taken out, one that was added by somebody is put in at its place. What a portal made
beside the specs comes in when it is asked for by name. What an ignore rule covers is left alone.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reconciler import importer, overlays, variables
from reconciler.address import any_covers, join, split
from reconciler.ignore import IgnoreRule, copied
from reconciler.kinds import Kind, kind_of, lifecycle_stages, properties
from reconciler.model import Json, Resource, Snapshot, Source
from reconciler.observe import Observation
from reconciler.spec import Spec

STAGES = lifecycle_stages.NAME
NAMED = (("propertyGroups", 1), ("properties", 1), ("associationLabels", 2))  # section, and levels above its entries


@dataclass(frozen=True)
class Wish:
    """What is asked for, beside everything that is known."""

    patterns: tuple[str, ...]
    spec: Spec
    baseline: Snapshot
    observation: Observation
    filled: Mapping[Path, Json]  # what each file says once the variables of the portal are put in
    ignored: tuple[IgnoreRule, ...] = ()
    left: frozenset[str] = frozenset()  # definitions that cannot be adopted

    @property
    def live(self) -> Snapshot:
        """The portal as it was read, ignored or not."""
        return self.observation.snapshot

    def named(self, address: str) -> bool:
        """Whether an address, or something around it, was asked for."""
        return any_covers(self.patterns, address)

    def touches(self, address: str) -> bool:
        """Whether an address or something in it was asked for; without patterns, whatever there is."""
        if address in self.left or self.observation.unreadable(address):
            return False
        return not self.patterns or self.named(address) or any(one.startswith(address + "/") for one in self.patterns)

    def moved(self, address: str, path: str, now: Json) -> bool:
        """Whether a field is to follow the portal: it was asked for, or it is not as it was accepted."""
        if self.patterns:
            return self.named(f"{address}/{path}")
        return self.drifted(address, path, now)

    def drifted(self, address: str, path: str, now: Json) -> bool:
        """Whether a field is not as it was accepted."""
        known = self.baseline.get(address)
        return known is not None and known.attributes.get(path) != now


@dataclass(frozen=True)
class Wanted:
    """What the files should say, which definitions of each follow the portal, and which of them are gone."""

    contents: dict[Path, Json]
    addresses: dict[Path, list[str]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # definitions that need an edit which nobody can tell


def wanted(wish: Wish, contents: Mapping[Path, Json], directory: Path) -> Wanted:
    """The content of every spec file once the portal is adopted."""
    found = Wanted(dict(copy.deepcopy(dict(contents))), {path: [] for path in contents})
    live = copied(wish.baseline, wish.live, wish.ignored)
    for path in contents:
        _follow(wish, live, path, found)
        _stages(wish, path, found)
    for resource in undeclared(wish):
        path = _home(resource, found.contents, directory)
        _insert(found.contents.setdefault(path, {}), resource, wish)
        found.addresses.setdefault(path, []).append(resource.address)
    return found


def undeclared(wish: Wish) -> Iterator[Resource]:
    """What is live and in no spec, and was asked for by name, or by a pattern if a portal made it."""
    anything = importer.Choice()
    for address, resource in wish.live.items() if wish.patterns else ():
        if address in wish.spec.desired or address in wish.left or not wish.named(address):
            continue
        literal = address in wish.patterns
        removed = address in wish.spec.removed or any(rule.covers(address) for rule in wish.ignored)
        if kind_of(address).rows(resource) and (literal or (not removed and anything.takes(resource))):
            yield resource


# --- named things ----------------------------------------------------------------------------------------------------


def _follow(wish: Wish, live: Snapshot, path: Path, found: Wanted) -> None:
    """Lets every declared entry of a file say what is live, and takes out those that are gone."""
    content = found.contents[path]
    filled = {address: holder[name] for address, holder, name in _entries(wish.filled[path])}
    for address, holder, name in list(_entries(content)):
        if not wish.touches(address):
            continue
        if resource := live.get(address):
            after = copy.deepcopy(filled[address])
            _entry(wish, address, after, resource, path)
            if after != filled[address]:
                found.addresses[path].append(address)
                declared = wish.spec.desired[address]
                found.refused.update(_moved(declared, holder[name], filled[address], after))
        elif address not in wish.live and (address in wish.patterns or address in wish.baseline):
            del holder[name]
            found.gone.append(address)
            found.addresses[path].append(address)
    for section, depth in NAMED:
        if section in content and any(one.startswith(section + "/") for one in found.addresses[path]):
            content[section] = _without_empty(content[section], depth)
            if not content[section]:
                del content[section]


_MADE = "its {} is made from a variable; change that in the settings, or write the value out"


def _moved(
    declared: Resource, entry: dict[str, Json], before: Mapping[str, Json], after: Mapping[str, Json]
) -> dict[str, str]:
    """Gives an entry the fields that moved; one that is made from a variable or of two files is refused."""
    for name in [name for name in {**before, **after} if before.get(name) != after.get(name)]:
        if name in entry and entry[name] not in (before.get(name), variables.escaped(before.get(name))):
            return {declared.address: _MADE.format(name)}
        if any(path.startswith(name + "/") for path in declared.facts.get(overlays.ORIGINS, ())):
            return {declared.address: f"an overlay has {name} of it, too; edit them by hand"}
        if name in after:
            entry[name] = copy.deepcopy(variables.escaped(after[name]))
        else:
            del entry[name]
    return {}


def _entries(content: Mapping[str, Json]) -> Iterator[tuple[str, dict[str, Json], str]]:
    """The entries of the named kinds in a file: address, the mapping around each, and its name there."""
    for section, depth in NAMED:
        holders: list[tuple[tuple[str, ...], Json]] = [((section,), content.get(section) or {})]
        for _ in range(depth):
            holders = [((*at, name), inner or {}) for at, holder in holders for name, inner in holder.items()]
        for at, holder in holders:
            for name in holder:
                yield join(*at, name), holder, name


def _without_empty(value: Json, depth: int) -> Json:
    """A section without what an entry that went has left empty."""
    if depth == 0 or not isinstance(value, dict):
        return value
    inner = {name: _without_empty(one, depth - 1) for name, one in value.items()}
    return {name: one for name, one in inner.items() if one}


def _entry(wish: Wish, address: str, entry: dict[str, Json], live: Resource, path: Path) -> None:
    """One entry of one file, in the fields that hold from there."""
    kind, declared = kind_of(address), wish.spec.desired[address]
    for name in [name for name in entry if name not in ("meta", "options") and _holds(declared, name, path)]:
        value = live.attributes.get(name)
        if not wish.moved(address, name, value) or _as_declared(wish, kind, address, name, entry[name], value):
            continue
        if value is None:
            del entry[name]
        else:
            entry[name] = value
    if not _holds(declared, "options", path):
        return  # nor does it name what no file says yet
    if "options" in entry and "options" in live.attributes:
        _options(wish, address, entry, live)
    elif "options" in entry and wish.moved(address, "options", None):
        del entry["options"]
    for name, value in kind.rows(live).items():
        if name not in declared.attributes and _newly_said(wish, entry, address, name, live):
            entry[name] = value


def _holds(declared: Resource, name: str, path: Path) -> bool:
    """Whether a field has its value from this file, and not from another one that is laid over it."""
    return _at(overlays.origin(declared, name) or declared.source, path)


def _at(source: Source | None, path: Path) -> bool:
    return source is not None and source.file == path.as_posix()


def _as_declared(wish: Wish, kind: Kind, address: str, name: str, declared: Json, live: Json) -> bool:
    """Whether a field needs no edit; HubSpot rewrites formulas (hubspot-api.md A.11), and the baseline knows how."""
    if kind.same(name, declared, live):
        return True
    known = wish.baseline.get(address)
    return bool(
        known and declared == known.facts.get("declaredFormula") and live == known.attributes.get("calculationFormula")
    )


def _newly_said(wish: Wish, entry: Mapping[str, Json], address: str, name: str, live: Resource) -> bool:
    """A full definition is ours in every field, so one that somebody set is written down; elsewhere by name only."""
    if f"{address}/{name}" in wish.patterns:
        return True
    full = live.kind != properties.NAME or "type" in entry
    return (
        full
        and wish.moved(address, name, live.attributes.get(name))
        and wish.drifted(address, name, live.attributes.get(name))
    )


def _options(wish: Wish, address: str, entry: dict[str, Json], live: Resource) -> None:
    """The declared options as they are live, with the extras that drifted or were asked for."""
    listed: list[dict[str, Json]] = (
        entry["options"]["values"] if isinstance(entry["options"], dict) else entry["options"]
    )
    now: dict[str, dict[str, Json]] = live.attributes["options"]
    known = wish.baseline.get(address)
    then: dict[str, dict[str, Json]] = known.attributes.get("options", {}) if known else {}
    whole = bool(wish.patterns) and wish.named(f"{address}/options")

    def follows(value: str) -> bool:
        if whole or (wish.patterns and wish.named(join(*split(address), "options", value))):
            return True
        return not wish.patterns and known is not None and then.get(value) != now.get(value)

    kept = [option for option in listed if option["value"] in now or not follows(option["value"])]
    for option in kept:
        if option["value"] in now and follows(option["value"]):
            _option(option, now[option["value"]], then.get(option["value"], now[option["value"]]))
    common = [value for value in now if value in then]
    if whole or (not wish.patterns and common != [value for value in then if value in now]):
        kept = _in_order(kept, "value", list(now))
    names = {option["value"] for option in kept}
    exact = isinstance(entry["options"], dict) and bool(entry["options"].get("exact"))
    asked = [one for one in now if one not in names and wish.patterns and not whole and follows(one)]
    new = asked or [one for one in now if one not in names and follows(one) and (one not in then or exact)]
    for value in new:
        _put(kept, {"value": value, **now[value]}, "value", list(now))
    listed[:] = kept


def _option(option: dict[str, Json], now: Mapping[str, Json], then: Mapping[str, Json]) -> None:
    """One option as it is live, with what somebody set of it meanwhile."""
    for part in [part for part in option if part != "value"]:
        option[part] = now.get(part, False if part == "hidden" else "")
    for part, value in now.items():
        if part not in option and then.get(part) != value:
            option[part] = value


def _in_order(items: list[dict[str, Json]], key: str, order: Sequence[str]) -> list[dict[str, Json]]:
    """The items in another order; those that it does not name keep their places."""
    places = {name: place for place, name in enumerate(order)}
    sorted_ones = iter(sorted((one for one in items if one[key] in places), key=lambda one: places[one[key]]))
    return [next(sorted_ones) if one[key] in places else one for one in items]


def _put(items: list[dict[str, Json]], item: dict[str, Json], key: str, order: Sequence[str]) -> None:
    """Puts an item after the nearest one that stands before it in an order."""
    before = set(order[: order.index(item[key])])
    places = [index for index, one in enumerate(items) if one[key] in before]
    items.insert(max(places, default=-1) + 1, item)


# --- stages ----------------------------------------------------------------------------------------------------------


def _stages(wish: Wish, path: Path, found: Wanted) -> None:
    """Stages follow in label and order; one that is gone is taken out."""
    content = found.contents[path]
    if STAGES not in content or wish.observation.unreadable(f"{STAGES}/*"):
        return
    order, before, kept = stage_order(wish.live), copy.deepcopy(content[STAGES]), []
    for entry, filled in zip(content[STAGES], wish.filled[path][STAGES], strict=True):
        address = join(STAGES, filled["name"])
        live = wish.live.get(address)
        if live is None and wish.touches(address) and (address in wish.baseline or address in wish.patterns):
            found.addresses[path].append(address)
            found.gone.append(address)
            continue
        kept.append(entry)
        if live is not None and wish.touches(address) and _holds(wish.spec.desired[address], "label", path):
            found.refused.update(_stage(wish, address, entry, filled, live))
    then = [one for one in stage_order(wish.baseline) if one in order]
    if [one for one in order if one in then] != then and any(wish.touches(join(STAGES, one["name"])) for one in kept):
        kept = _in_order(kept, "name", order)
    content[STAGES] = kept
    names = [one["name"] for one in kept]
    moved = names != [one["name"] for one in before if one["name"] in names]
    changed = [one["name"] for one in kept if moved or one not in before]
    found.addresses[path] += [address for name in changed if wish.touches(address := join(STAGES, name))]
    if not kept:
        del content[STAGES]


def _stage(
    wish: Wish, address: str, entry: dict[str, Json], filled: Mapping[str, Json], live: Resource
) -> dict[str, str]:
    """Gives a stage the label that it has live; one that is made from a variable is refused."""
    now = {side["label"] for side in live.attributes.values()}
    known = wish.baseline.get(address)
    then = {side["label"] for side in known.attributes.values()} if known else set()
    if "label" in entry and now != {filled["label"]} and (wish.patterns or (known and now != then)):
        if entry["label"] not in (filled["label"], variables.escaped(filled["label"])):
            return {address: _MADE.format("label")}
        entry["label"] = variables.escaped(next((label for label in sorted(now) if label not in then), min(now)))
    return {}


def apart(stage: Resource) -> bool:
    """Whether contacts and companies call a stage differently, which specs cannot say."""
    return stage.kind == STAGES and len({side["label"] for side in stage.attributes.values()}) > 1


def stage_order(snapshot: Snapshot) -> list[str]:
    """The names of the stages of a lifecycle in their order."""
    places = {
        one.name: min(side["position"] for side in one.attributes.values())
        for one in snapshot.of_kind(STAGES)
        if one.attributes
    }
    return sorted(places, key=lambda name: places[name])


# --- where new things go ---------------------------------------------------------------------------------------------


def _home(resource: Resource, contents: Mapping[Path, Json], directory: Path) -> Path:
    """The file that has most of the same section and object type already."""
    section, *scope, _ = split(resource.address)

    def entries(path: Path) -> tuple[int, int]:
        below = contents[path].get(section)
        return (len((below or {}).get(scope[0]) or ()) if scope else len(below or ()), len(below or ()))

    shared = [path for path in contents if directory / overlays.DIRECTORY not in path.parents]
    best = max(shared, key=entries, default=None)
    if best is not None and entries(best) > (0, 0):
        return best
    usual = directory / importer.file_name(resource)
    return usual if usual in contents else importer.target(directory, usual.name)


def _insert(content: dict[str, Json], resource: Resource, wish: Wish) -> None:
    row = variables.escaped(dict(kind_of(resource.address).rows(resource)))
    if resource.kind == STAGES:
        _put(content.setdefault(STAGES, []), row, "name", stage_order(wish.live))
        return
    section, *scope, name = split(resource.address)
    place = content
    for segment in (section, *scope):
        place[segment] = place.get(segment) or {}
        place = place[segment]
    place[name] = row
