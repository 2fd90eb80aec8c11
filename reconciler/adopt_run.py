"""Runs an adopt: finds what is live and declared otherwise, edits the spec files, and moves the baseline along."""

import copy
import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler import baseline as baselines
from reconciler import importer
from reconciler import spec as specs
from reconciler.address import any_covers, covers, join, split
from reconciler.adopt import CannotEdit, edited
from reconciler.errors import AccessError, UsageError
from reconciler.kinds import Scope, kind_of, lifecycle_stages
from reconciler.model import Json, Resource, Snapshot
from reconciler.observe import ListSource, Observation
from reconciler.spec import Spec
from reconciler.workspace import Workspace
from reconciler.yaml_loader import load


@dataclass(frozen=True, slots=True)
class EditedFile:
    """A spec file with the text it should have, and what of the portal it takes over."""

    path: Path
    before: str
    after: str
    addresses: tuple[str, ...]

    @property
    def diff(self) -> str:
        """The edit as people know it."""
        lines = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        name = self.path.as_posix()
        return "".join(
            line if line.endswith("\n") else line + "\n" for line in difflib.unified_diff(*lines, name, name)
        )


@dataclass(frozen=True, slots=True)
class Adoption:
    """What an adopt would do, and why it will not do the rest."""

    observed: Snapshot
    files: tuple[EditedFile, ...] = ()
    gone: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()  # the baseline moves for these
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for, beside everything that is known."""

    patterns: tuple[str, ...]
    scope: Scope
    baseline: Snapshot
    observation: Observation

    def named(self, address: str) -> bool:
        """Whether an address, or something around it, was asked for."""
        return any_covers(self.patterns, address)

    def touches(self, address: str) -> bool:
        """Whether an address or something in it was asked for; without patterns, whatever there is."""
        return not self.patterns or self.named(address) or any(one.startswith(address + "/") for one in self.patterns)

    def moved(self, address: str, field: str, live: Json) -> bool:
        """Whether a field is to follow the portal: it was asked for, or it is not as it was accepted."""
        if self.patterns:
            return self.named(f"{address}/{field}")
        known = self.baseline.get(address)
        return known is not None and known.attributes.get(field) != live


def planned(workspace: Workspace, spec: Spec, source: ListSource, patterns: Sequence[str]) -> Adoption:
    """The edits that bring the specs to what is live."""
    if workspace.baseline is None and not patterns:
        hint = "name addresses, or begin with `reconciler import` or `reconciler accept --all`"
        raise UsageError("without a baseline nobody knows what drifted", hint=hint)
    scope = workspace.scope(spec, baselined=True)
    observation = workspace.observe(source, scope)
    known = workspace.baseline.snapshot if workspace.baseline else Snapshot()
    wish = _Wish(tuple(patterns), scope, known, observation)
    _check_patterns(wish, spec)
    contents = {workspace.directory / name: _text(workspace.directory / name) for name, _ in spec.files}
    values = {path: load(text, path.as_posix()).value or {} for path, text in contents.items()}
    wanted = copy.deepcopy(values)
    addresses: dict[Path, list[str]] = {path: [] for path in values}
    gone = _follow(wish, spec, wanted, addresses)
    _stages(wish, spec, wanted, addresses)
    for resource in _undeclared(wish, spec):
        path = _home(resource, wanted, workspace.directory)
        wanted.setdefault(path, {})
        _insert(wanted[path], resource, wish)
        addresses.setdefault(path, []).append(resource.address)
    files, refused = _edit(contents, values, wanted, addresses)
    failed = {address for path in refused for address in addresses[path]}
    taken = [one for one in {*_taken(wish, spec), *(a for f in files for a in f.addresses)} if one not in failed]
    kept = [one for one in gone if one not in failed]
    return Adoption(observation.snapshot, tuple(files), tuple(kept), tuple(sorted(taken)), tuple(refused.values()))


def write(workspace: Workspace, adoption: Adoption) -> None:
    """Writes the edited files, each at once or not at all, then moves the baseline for what was adopted."""
    for file in adoption.files:
        draft = file.path.with_name(f".{file.path.name}.{os.getpid()}")
        draft.write_bytes(file.after.encode("utf-8"))
        if file.path.exists():
            draft.chmod(file.path.stat().st_mode)
        os.replace(draft, file.path)
    if not adoption.taken:
        return
    known = workspace.baseline
    live = {one for one in adoption.taken if one in adoption.observed}
    managed = ((known.managed if known else frozenset()) | live) - (set(adoption.taken) - live)
    workspace.save_baseline(
        baselines.moved(known, adoption.observed, adoption.taken, managed=managed, portal_id=workspace.portal.portal_id)
    )


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _check_patterns(wish: _Wish, spec: Spec) -> None:
    everything = [*spec.desired, *wish.observation.snapshot]
    for pattern in wish.patterns:
        if collection := wish.observation.unreadable(pattern):
            raise AccessError(f"{collection.name} could not be read", where=pattern, hint=collection.detail)
        if not any(covers(pattern, one) or pattern.startswith(one + "/") for one in everything):
            hint = "see `reconciler drift`"
            raise UsageError(f"nothing in the portal or the specs is called {pattern}", hint=hint)


def _taken(wish: _Wish, spec: Spec) -> Iterator[str]:
    """The declared definitions whose baseline moves: all that were asked for, or all that drifted."""
    for address in spec.desired:
        live, known = wish.observation.snapshot.get(address), wish.baseline.get(address)
        if wish.observation.unreadable(address) or live is None or not wish.touches(address):
            continue
        if wish.patterns or (known is not None and known.attributes != live.attributes):
            yield address


def _follow(wish: _Wish, spec: Spec, wanted: dict[Path, Json], addresses: dict[Path, list[str]]) -> list[str]:
    """Lets every declared entry say what is live; gives those that are gone and were taken out."""
    gone = []
    for path, content in wanted.items():
        for address, holder, name in list(_entries(content)):
            live = wish.observation.snapshot.get(address)
            if not wish.touches(address) or wish.observation.unreadable(address):
                continue
            if live is not None:
                before = copy.deepcopy(holder[name])
                _entry(wish, address, holder[name], live, spec)
                if holder[name] != before:
                    addresses[path].append(address)
            elif address in wish.patterns or address in wish.baseline:
                del holder[name]
                gone.append(address)
                addresses[path].append(address)
        _prune(content)
    return gone


def _entries(content: Mapping[str, Json]) -> Iterator[tuple[str, dict[str, Json], str]]:
    """The entries of the named kinds in a file: address, the mapping around each, and its name there."""
    for section, depth in (("propertyGroups", 1), ("properties", 1), ("associationLabels", 2)):
        holders: list[tuple[tuple[str, ...], Json]] = [((section,), content.get(section) or {})]
        for _ in range(depth):
            holders = [((*at, name), inner or {}) for at, holder in holders for name, inner in holder.items()]
        for at, holder in holders:
            for name in holder:
                yield join(*at, name), holder, name


def _prune(content: dict[str, Json]) -> None:
    """Takes out what an entry that went has left empty."""
    for name in [name for name in ("propertyGroups", "properties", "associationLabels") if name in content]:
        content[name] = _without_empty(content[name], 2 if name == "associationLabels" else 1)
        if not content[name]:
            del content[name]


def _without_empty(value: Json, depth: int) -> Json:
    if depth == 0 or not isinstance(value, dict):
        return value
    inner = {name: _without_empty(one, depth - 1) for name, one in value.items()}
    return {name: one for name, one in inner.items() if one}


def _entry(wish: _Wish, address: str, entry: dict[str, Json], live: Resource, spec: Spec) -> None:
    kind, known = kind_of(address), wish.baseline.get(address)
    for field in [name for name in entry if name not in ("meta", "options")]:
        value = live.attributes.get(field)
        if not wish.moved(address, field, value) or kind.same(field, entry[field], value):
            continue
        if known and entry[field] == known.facts.get("declaredFormula") and value == known.attributes.get(field):
            continue  # HubSpot rewrites formulas (hubspot-api.md A.11)
        if value is None:
            del entry[field]
        else:
            entry[field] = value
    if "options" in entry and "options" in live.attributes:
        _options(wish, address, entry, live)


def _options(wish: _Wish, address: str, entry: dict[str, Json], live: Resource) -> None:
    """The declared options as they are live, with the extras that drifted or were asked for."""
    listed: list[dict[str, Json]] = (
        entry["options"]["values"] if isinstance(entry["options"], dict) else entry["options"]
    )
    now: dict[str, Json] = live.attributes["options"]
    known = wish.baseline.get(address)
    then: dict[str, Json] = known.attributes.get("options", {}) if known else {}
    whole = bool(wish.patterns) and wish.named(address)

    def follows(value: str) -> bool:
        if whole or (wish.patterns and wish.named(join(*split(address), "options", value))):
            return True
        return not wish.patterns and known is not None and then.get(value) != now.get(value)

    kept = [option for option in listed if option["value"] in now or not follows(option["value"])]
    for option in kept:
        if option["value"] in now and follows(option["value"]):
            for part in [part for part in option if part not in ("value", "meta")]:
                option[part] = now[option["value"]].get(part, False if part == "hidden" else "")
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


def _in_order(items: list[dict[str, Json]], key: str, order: Sequence[str]) -> list[dict[str, Json]]:
    """The items in another order; those that it does not name keep their places."""
    sorted_ones = iter(sorted((one for one in items if one[key] in order), key=lambda one: order.index(one[key])))
    return [next(sorted_ones) if one[key] in order else one for one in items]


def _put(items: list[dict[str, Json]], item: dict[str, Json], key: str, order: Sequence[str]) -> None:
    """Puts an item after the nearest one that stands before it in an order."""
    before = set(order[: order.index(item[key])])
    places = [index for index, one in enumerate(items) if one[key] in before]
    items.insert(max(places, default=-1) + 1, item)


def _stages(wish: _Wish, spec: Spec, wanted: dict[Path, Json], addresses: dict[Path, list[str]]) -> None:
    """Stages follow in label and order; one that is gone is taken out."""
    head = lifecycle_stages.NAME
    order = _stage_order(wish.observation.snapshot)
    then = [one for one in _stage_order(wish.baseline) if one in order]
    moved = [one for one in order if one in then] != then
    for path, content in wanted.items():
        if head not in content or wish.observation.unreadable(head + "/*"):
            continue
        before = copy.deepcopy(content[head])
        kept = []
        for entry in content[head]:
            address = join(head, entry["name"])
            live = wish.observation.snapshot.get(address)
            if live is None and wish.touches(address) and (address in wish.baseline or address in wish.patterns):
                addresses[path].append(address)
                continue
            kept.append(entry)
            if live is not None and wish.touches(address):
                _stage(wish, address, entry, live)
        if moved and any(wish.touches(join(head, one["name"])) for one in kept):
            kept = _in_order(kept, "name", order)
        content[head] = kept
        if kept != before:
            addresses[path] += [join(head, one["name"]) for one in kept if join(head, one["name"]) in spec.desired]
        if not kept:
            del content[head]


def _stage(wish: _Wish, address: str, entry: dict[str, Json], live: Resource) -> None:
    known = wish.baseline.get(address)
    then = {side["label"] for side in known.attributes.values()} if known else set()
    now = [side["label"] for side in live.attributes.values()]
    fresh = next((label for label in now if label not in then), now[0])
    if "label" in entry and entry["label"] not in now and (wish.patterns or (then and fresh not in then)):
        entry["label"] = fresh


def _stage_order(snapshot: Snapshot) -> list[str]:
    places = {
        one.name: min(side["position"] for side in one.attributes.values())
        for one in snapshot.of_kind(lifecycle_stages.NAME)
        if one.attributes
    }
    return sorted(places, key=lambda name: places[name])


def _undeclared(wish: _Wish, spec: Spec) -> Iterator[Resource]:
    """What is live and in no spec, and was asked for by name, or by a pattern if a portal made it."""
    anything = importer.Choice()
    for address, resource in wish.observation.snapshot.items():
        if not wish.patterns or address in spec.desired or address in spec.removed or not wish.named(address):
            continue
        if kind_of(address).rows(resource) and (address in wish.patterns or anything.takes(resource)):
            yield resource


def _home(resource: Resource, contents: Mapping[Path, Json], directory: Path) -> Path:
    """The file that has most of the same section and object type already."""
    section, *scope, _ = split(resource.address)

    def entries(path: Path) -> tuple[int, int]:
        below = contents[path].get(section)
        return (len((below or {}).get(scope[0]) or ()) if scope else len(below or ()), len(below or ()))

    best = max(contents, key=entries, default=None)
    if best is not None and entries(best) > (0, 0):
        return best
    usual = directory / importer.file_name(resource)
    return usual if usual in contents else importer.target(directory, usual.name)


def _insert(content: dict[str, Json], resource: Resource, wish: _Wish) -> None:
    row = dict(kind_of(resource.address).rows(resource))
    if resource.kind == lifecycle_stages.NAME:
        _put(content.setdefault(resource.kind, []), row, "name", _stage_order(wish.observation.snapshot))
        return
    section, *scope, name = split(resource.address)
    place = content
    for segment in (section, *scope):
        place[segment] = place.get(segment) or {}
        place = place[segment]
    place[name] = row


def _edit(
    contents: Mapping[Path, str],
    values: Mapping[Path, Json],
    wanted: Mapping[Path, Json],
    addresses: Mapping[Path, Sequence[str]],
) -> tuple[list[EditedFile], dict[Path, str]]:
    """The files that change, and those that could not be edited, each with the reason."""
    files, refused = [], {}
    for path, value in wanted.items():
        if value == values.get(path):
            continue
        listed = tuple(dict.fromkeys(addresses[path]))
        errors = [one.message for one in specs.problems(value) if one.severity == "error"]
        try:
            if errors:
                raise CannotEdit(f"the specs cannot say what is live: {errors[0]}")
            after = edited(contents[path], value) if contents.get(path) else importer.text_of(value)
        except CannotEdit as why:
            refused[path] = f"{path.as_posix()} is left as it is: {why}; by hand: {', '.join(listed)}"
        else:
            files.append(EditedFile(path, contents.get(path, ""), after, listed))
    return files, refused
