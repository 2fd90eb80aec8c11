"""Runs an import: reads the portal, writes spec files and the baseline, and tells what it did."""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import combinations_with_replacement
from pathlib import Path

from reconciler import acceptances, ignore, importer, object_types, overlays, report, spec, upkeep, yaml_loader
from reconciler import baseline as baselines
from reconciler.address import decode
from reconciler.drift_check import declared as sound
from reconciler.drift_check import refuse_unread
from reconciler.errors import UsageError
from reconciler.guards import SHRINK_FLOOR
from reconciler.ignore import IgnoreRule
from reconciler.importer import Choice
from reconciler.kinds import Scope, kind_of, properties, property_groups
from reconciler.model import Finding, Json, Reads, Resource, Snapshot, Tombstone
from reconciler.observe import ListSource, Observation, within
from reconciler.paths import Api
from reconciler.snapshot_file import RecordedRead
from reconciler.spec import Spec
from reconciler.wording import did_you_mean
from reconciler.workspace import Workspace


def import_portal(
    workspace: Workspace, source: ListSource, choice: Choice, portal_id: Json, now: datetime
) -> dict[str, Json]:
    """Spec files for what is wanted and not declared yet, and a baseline of all that was read."""
    declared, known = sound(workspace), workspace.baseline.snapshot if workspace.baseline else Snapshot()
    observation = workspace.observe(source, _scope(workspace, source, choice, declared))
    refuse_unread(observation)
    _refuse_slips(observation, choice, workspace.api)
    shared, ours = _shared(declared, workspace), _of_imports(declared)
    found = importer.chosen(observation.snapshot, choice, _addresses(declared) - ours.keys() | shared)
    staying = _not_removed(found, declared.removed if declared else {})
    wanted, findings = _sayable(staying, ignore.in_force(workspace.settings.ignore, now.date()))
    kept = _kept(declared, observation, choice, shared)
    left = sorted(ours.keys() - kept.keys() - {one.address for one in wanted})
    gone = [one for one in left if one not in observation.snapshot]
    _refuse_another_portal(gone, ours)
    files, texts = _written(workspace.directory, wanted, kept, ours)
    findings += [*_left_as_declared(workspace, declared, choice, shared), *_gone(gone)]
    _save(workspace, observation, wanted, left, texts, now)
    document = {
        **report.header("import", workspace.portal_json(portal_id), now),
        "complete": observation.complete,
        "reads": report.reads_json(observation.collections),
        "files": files,
        "findings": [one.as_json() for one in (*findings, *upkeep.findings(workspace, observation, known, now.date()))],
        "summary": _counts(wanted),
        "errors": _errors(observation, choice),
    }
    return report.finished(document)


def _addresses(declared: Spec | None) -> set[str]:
    return set(declared.desired) if declared else set()


def _of_imports(declared: Spec | None) -> dict[str, Path]:
    """What is declared in files that an import wrote and nobody has edited since, and in which of them."""
    sources = {one.address: one.source.file for one in declared.desired.values() if one.source} if declared else {}
    files = {file: Path(file) for file in sources.values()}  # each is looked at once, and not for every entry
    ours = {file: path for file, path in files.items() if importer.unedited(path)}
    return {address: ours[file] for address, file in sources.items() if file in ours}


def _refuse_another_portal(gone: Sequence[str], ours: Collection[str]) -> None:
    """More than half of what was imported does not go overnight: it is the rule of the guard `shrunken-spec`, too."""
    if len(gone) > SHRINK_FLOOR and 2 * len(gone) > len(ours):
        hint = "is it the right one? `-p` and the token choose it; to begin anew, delete the files that imports wrote"
        raise UsageError(f"{len(gone):,} of {len(ours):,} imported definitions are not in this portal", hint=hint)


def _gone(gone: Sequence[str]) -> Iterator[Finding]:
    if gone:
        yield Finding("gone-from-portal", "info", _told("gone from the portal, and so from the specs", gone))


def _told(what: str, addresses: Sequence[str]) -> str:
    """What holds of some definitions, of which the first are named."""
    many = "1 definition is" if len(addresses) == 1 else f"{len(addresses):,} definitions are"
    more = f" and {len(addresses) - 5:,} more" if len(addresses) > 5 else ""
    return f"{many} {what}: {', '.join(addresses[:5])}{more}"


def _shared(declared: Spec | None, workspace: Workspace) -> set[str]:
    """What is declared for other portals, too, or has fields of an overlay: what this one has is not all they say."""
    if declared is None:
        return set()
    others = [name for name in workspace.settings.portals if name != workspace.portal.name]
    baselined = filter(None, (baselines.load(workspace.directory / "baselines" / name) for name in others))
    elsewhere = {address for known in baselined for address in known.managed}
    overlaid = {one.address for one in declared.desired.values() if overlays.ORIGINS in one.facts}
    return overlaid | elsewhere & declared.desired.keys()


def _left_as_declared(
    workspace: Workspace, declared: Spec | None, choice: Choice, shared: Iterable[str]
) -> Iterator[Finding]:
    left = [one for one in sorted(shared) if declared and choice.covers(declared.desired[one])]
    if left:
        why = _told("declared for other portals or by an overlay, and left so", left)
        fix = f"`{workspace.command('plan')}` tells where this portal differs; an overlay says what it has otherwise"
        yield Finding("left-as-declared", "info", why, fix)


def _not_removed(resources: Iterable[Resource], removed: Mapping[str, Tombstone]) -> Iterator[Resource]:
    """What is listed for removal is not declared again, neither as a whole nor as an option."""
    options: dict[str, set[str]] = {}
    for stone in removed:
        address, below, value = stone.partition("/options/")
        if below:
            options.setdefault(address, set()).add(decode(value))
    for one in resources:
        if gone := options.get(one.address):
            staying = {value: option for value, option in one.attributes["options"].items() if value not in gone}
            yield Resource(one.kind, one.address, {**one.attributes, "options": staying}, one.facts, one.source)
        elif one.address not in removed:
            yield one


def _kept(
    declared: Spec | None, observation: Observation, choice: Choice, shared: Container[str]
) -> dict[str, Resource]:
    """What is declared and shared, not asked for, or cannot be read now: an import leaves it as it is."""
    kept = {}
    for address, resource in declared.desired.items() if declared else ():
        live = observation.snapshot.get(address)
        asked = choice.takes(live) if live else choice.covers(resource)
        if address in shared or not asked or observation.unreadable(address):
            kept[address] = live or resource
    return kept


def _scope(workspace: Workspace, source: ListSource, choice: Choice, declared: Spec | None) -> Scope:
    scope = workspace.scope(declared)
    if not isinstance(source, RecordedRead):
        types = choice.object_types or tuple(sorted(workspace.settings.watch))
        return scope.replaced(watch=types, pairs=tuple(combinations_with_replacement(types, 2)))
    reads = Reads({workspace.api.schemas(): source.get(workspace.api.schemas())})
    named = {*workspace.settings.watch, *(one.object_type for one in scope.desired.values())}
    types = choice.object_types or tuple(sorted({*workspace.settings.watch, *_recorded(source, reads, named, scope)}))
    ids = {name: object_types.segment(name, scope.api, reads) or name for name in types}
    pairs = combinations_with_replacement(types, 2)
    kept = tuple((one, two) for one, two in pairs if source.get(scope.api.labels(ids[one], ids[two])).ok)
    return scope.replaced(watch=types, pairs=kept)


def _recorded(source: RecordedRead, reads: Reads, named: Iterable[str], scope: Scope) -> Iterator[str]:
    """The object types of a recorded read, custom ones by their names: as they are called already, where they are."""
    called = {object_types.segment(name, scope.api, reads): name for name in named}
    called |= {type_id: name for name, type_id in object_types.TYPE_IDS.items()}
    for schema in reads.results(scope.api.schemas()):
        called.setdefault(schema["objectTypeId"], schema["name"])
    yield from (called.get(one, one) for one in source.object_types)


def _refuse_slips(observation: Observation, choice: Choice, api: Api) -> None:
    """A filter that no definition passes is a slip of the pen, unless what it is about could not be read."""
    for name in choice.object_types:
        if object_types.segment(name, api, observation.reads) is None and observation.reads.ok(api.schemas()):
            hint = did_you_mean(name, object_types.known(api, observation.reads)) or "check the name of the object"
            raise UsageError(f"the portal has no object type {name}", hint=hint)
        if observation.collections[f"{properties.NAME}/{name}"].status == "not_read":
            hint = did_you_mean(name, object_types.TYPE_IDS) or "`reconciler snapshot` records what is watched"
            raise UsageError(f"the recorded read holds nothing of {name}", hint=hint)
    if any(one.status not in ("ok", "not_read") for one in observation.collections.values()):
        return
    live = [one for one in observation.snapshot.values() if replace(choice, name="").covers(one)]
    if choice.group and not live:
        groups = [one.name for one in observation.snapshot.of_kind(property_groups.NAME)]
        hint = did_you_mean(choice.group, groups) or "the name is HubSpot's internal one, and not the label"
        raise UsageError(f"no property group is called {choice.group}", hint=hint)
    if choice.name and not any(choice.takes(one) for one in live):
        if any(choice.covers(one) for one in live):
            way = ": --include-defaults takes what a portal may own of it"
            if choice.include_defaults:
                way = ", and no portal may own any of it: name it under `integrations:`"
            hint = f"what is called so is HubSpot's own{way}"
            raise UsageError(f"nothing to import is called {choice.name}", hint=hint)
        hint = did_you_mean(choice.name, [one.name for one in live])
        hint = hint or "the name is HubSpot's internal one, and * stands for any letters"
        raise UsageError(f"nothing in the portal is called {choice.name}", hint=hint)


def _sayable(resources: Iterable[Resource], ignored: Sequence[IgnoreRule]) -> tuple[list[Resource], list[Finding]]:
    """What the specs can say of these; odd real definitions are named and left to the baseline, ignored ones left."""
    wanted = [one for one in resources if not any(rule.covers(one.address) for rule in ignored)]
    listed = [one for one in wanted if kind_of(one.address).rows(one)]
    suspects = _suspects(listed, ignored)
    odd = {one.address: problems for one in suspects if (problems := _problems([one], ignored))}
    findings = [importer.odd(one, odd[one.address]) for one in suspects if one.address in odd]
    return [one for one in listed if one.address not in odd], findings


def _suspects(resources: list[Resource], ignored: Sequence[IgnoreRule]) -> list[Resource]:
    """The definitions that a check of all of them together does not clear."""
    problems = _problems(resources, ignored)
    if all(problem.address for problem in problems):
        named = {problem.address for problem in problems}
        return [one for one in resources if any(_about(address, one.address) for address in named)] if named else []
    return resources


def _about(named: str, address: str) -> bool:
    return named == address or named.startswith(address + "/")


def _problems(resources: list[Resource], ignored: Sequence[IgnoreRule]) -> list[Finding]:
    return [one for one in spec.problems(importer.sections(resources), ignored) if one.severity == "error"]


def _written(
    directory: Path, wanted: Sequence[Resource], kept: Mapping[str, Resource], ours: Mapping[str, Path]
) -> tuple[list[dict[str, Json]], dict[Path, str]]:
    """The spec files with what was asked for, and the texts of those that are not as they should be.

    What stands in a file of an earlier import stays in that file, wherever somebody has put it.
    """
    files: list[dict[str, Json]] = []
    texts: dict[Path, str] = {}
    targets = {name: importer.target(directory, name) for name in sorted({*map(importer.file_name, wanted)})}
    filled: dict[Path, list[Resource]] = {}
    for one in wanted:
        filled.setdefault(ours.get(one.address) or targets[importer.file_name(one)], []).append(one)
    for path in sorted({*filled, *ours.values()}):
        listed = filled.get(path, [])
        rows = {address: row for address, row in _entries(path).items() if address in kept}
        staying = [kept[address] for address in rows]  # as the file orders them, where nothing comes between
        text = importer.text_of(importer.sections(importer.ordered([*listed, *staying]) if listed else staying, rows))
        same = path.exists() and path.read_text(encoding="utf-8") == text
        texts |= {} if same else {path: text}
        if listed or not same:
            told = {"definitions": len(listed), "outcome": "unchanged" if same else "written"}
            files.append({"path": path.relative_to(directory).as_posix(), **told})
    return files, texts


def _entries(path: Path) -> dict[str, Json]:
    """What an earlier import wrote into a file; nothing where there is none."""
    return importer.entries(yaml_loader.load(path.read_bytes(), path.name).value) if path.exists() else {}


def _save(
    workspace: Workspace,
    observation: Observation,
    wanted: Iterable[Resource],
    left: Sequence[str],
    texts: Mapping[Path, str],
    now: datetime,
) -> None:
    """Writes specs and baseline, all or none: one without the other would be told as what nobody did.

    The baseline holds new collections whole, and what was imported or left the specs just now, as it is live; what else
    moved stays drift.
    """
    known = workspace.baseline
    fresh = observation.listed - (known.collections if known else frozenset())
    imported = {resource.address for resource in wanted}
    managed = imported | (known.managed if known else set()) - {*left}
    addresses = {*imported, *left, *(one for one in observation.snapshot if within(one, fresh))}
    moved = baselines.moved(known, observation.snapshot, addresses, managed=frozenset(managed), collections=fresh)
    before = known.snapshot if known else Snapshot()
    decided = sorted(
        one
        for one in {*imported, *left}
        if one in before and (one not in moved.snapshot or before[one].attributes != moved.snapshot[one].attributes)
    )
    consent = {"at": report.stamp(now), "by": workspace.author, "reason": "imported into the specs"}
    told = acceptances.added(workspace.baseline_directory, [{"address": one} for one in decided], consent)
    workspace.save_baseline(moved, {**texts, **told})


def _counts(wanted: Iterable[Resource]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for resource in wanted:
        counts[resource.kind] = counts.get(resource.kind, 0) + 1
    return counts


def _errors(observation: Observation, choice: Choice) -> list[Mapping[str, Json]]:
    """A list that was asked for by name and could not be read is an error; others are said under `reads`."""
    return [
        report.error_json("access", f"{one.name} could not be read", hint=one.detail)
        for one in observation.collections.values()
        if one.status in ("denied", "unavailable", "partial") and set(one.name.split("/")) & set(choice.object_types)
    ]
