"""Specs: the YAML files of a directory as one desired snapshot, the removals, and every problem in them.

A file goes through four steps, each on what the one before let through: YAML, the JSON Schema, the rules of its kinds,
and what only shows across files. A refused entry hides no other. Predicates made from the schema (``_accept.py``) tell
the entries that are refused; only those are shown to ``jsonschema``, which takes longer than all the rest together.
"""

import gc
import hashlib
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler import ignore, integrations, overlays, source_file, spec_checks, variables
from reconciler import settings as settings_file
from reconciler._accept import ACCEPTS
from reconciler.address import join, split
from reconciler.errors import UsageError
from reconciler.ignore import IgnoreRule
from reconciler.integrations import Integration
from reconciler.kinds import Kind, kinds
from reconciler.model import Finding, Json, Resource, Snapshot, Source, Tombstone
from reconciler.schema import depth
from reconciler.settings import Settings
from reconciler.source_file import SourceFile
from reconciler.variables import Variable

if TYPE_CHECKING:
    from reconciler.violations import Problem

RESERVED = ("baselines", overlays.DIRECTORY)  # directories of a specs directory that hold no specs
REMOVED = "removed"
Steps = tuple[str | int, ...]  # from the root of a file to something in it


class Spec(NamedTuple):
    """What the files of a specs directory say, and what is wrong with them."""

    desired: Snapshot
    removed: Mapping[str, Tombstone]
    settings: Settings | None = None
    findings: tuple[Finding, ...] = ()
    files: tuple[tuple[str, str], ...] = ()  # path below the directory, digest
    integrations: tuple[Integration, ...] = ()

    @property
    def files_json(self) -> list[dict[str, Json]]:
        """The files as documents list them."""
        return [{"path": path, "digest": digest} for path, digest in self.files]

    @property
    def digest(self) -> str:
        """A fingerprint of the files, for provenance only."""
        lines = "".join(f"{path}\0{digest}\n" for path, digest in sorted(self.files))
        return "sha256:" + hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def nothing(settings: Settings) -> Spec:
    """Specs that declare nothing."""
    return Spec(Snapshot(), {}, settings)


def load(directory: Path, portal: str | None = None) -> Spec:
    """The specs of a directory as one of its portals has them, with every problem in them at once."""
    with _collector_paused():
        return SpecFiles.read(directory).spec(portal)


class SpecFiles:
    """The files of a specs directory, read once; they become the spec of each of its portals.

    Portals whose overlays and variables are the same share one spec.
    """

    def __init__(self, directory: Path, files: Mapping[Path, SourceFile]) -> None:
        self.directory = directory
        self.shared = files
        self.settings, self.settings_findings = settings_file.read(directory)
        self._overlays: dict[str, Mapping[Path, SourceFile]] = {}
        self._plain: dict[str, _Part] = {}  # what files without variables say, by name
        self._specs: dict[Json, Spec] = {}

    @classmethod
    def read(cls, directory: Path) -> "SpecFiles":
        """The files that all portals share; an overlay is read when its portal is asked for."""
        return cls(directory, _read_all(_spec_paths(directory)))

    def spec(self, portal: str | None = None) -> Spec:
        """The specs as a portal has them; without one, as they are where nothing differs."""
        own = self.overlay(portal) if portal else {}
        declared = self.settings.variables if self.settings else {}
        values = variables.values(declared, self._given(portal) if portal else {})
        used = {name for file in (*self.shared.values(), *own.values()) for name in _variables_in(file)}
        key = (portal if own else "", tuple(sorted((name, repr(values[name])) for name in used & values.keys())))
        if key not in self._specs:
            self._specs[key] = self._made(own, _Filling(values, declared), used)
        return self._specs[key]

    def _given(self, portal: str) -> Mapping[str, Json]:
        known = self.settings.portals.get(portal) if self.settings else None
        return known.variables if known else {}

    def edited(self, texts: Mapping[Path, str]) -> "SpecFiles":
        """The files as they would be with other texts in some of them, and with new files."""
        made = {path: source_file.parsed(text.encode(), path.as_posix()) for path, text in texts.items()}
        folder = self.directory / overlays.DIRECTORY
        shared = {path: file for path, file in made.items() if folder not in path.parents}
        after = SpecFiles(self.directory, {**self.shared, **shared})
        for portal in self._folders():
            after._overlays[portal] = {path: made.get(path, file) for path, file in self.overlay(portal).items()}
        return after

    def overlay(self, portal: str) -> Mapping[Path, SourceFile]:
        """The files of a portal's overlay."""
        if portal not in self._overlays:
            folder = self.directory / overlays.DIRECTORY / portal
            self._overlays[portal] = _read_all(_yaml_files(folder, frozenset())) if folder.is_dir() else {}
        return self._overlays[portal]

    def _made(self, own: Mapping[Path, SourceFile], filling: "_Filling", used: Container[str]) -> Spec:
        files = {**self.shared, **own}
        parts = [self._part(file, filling) for file in self.shared.values()]
        above = [self._part(file, filling) for file in own.values()]
        by_name = {file.name: file for file in files.values()}
        desired, removed, crossing = _together(parts, above, by_name)
        systems, named = _integrations([*parts, *above])
        crossing += [*named, *spec_checks.object_types_needed(systems), *spec_checks.types_needed(systems)]
        crossing += integrations.warnings(systems, desired, removed)
        crossing += ignore.conflicts(self.settings.ignore if self.settings else (), desired, removed)
        crossing += [*self._unused(used), *self._misplaced]
        crossing += _idle(zip(own.values(), above, strict=True)) if not self.settings_findings else ()
        found = [*self.settings_findings, *(one for part in [*parts, *above] for one in part.findings), *crossing]
        return Spec(
            desired=desired,
            removed=removed,
            settings=self.settings,
            findings=_finished(found, desired, by_name),
            files=tuple((path.relative_to(self.directory).as_posix(), file.digest) for path, file in files.items()),
            integrations=systems,
        )

    def _part(self, file: SourceFile, filling: "_Filling") -> "_Part":
        if next(_variables_in(file), None) is not None:
            # Without sound settings nobody knows what it says, and the settings have to be mended first anyway.
            return _Part(findings=file.findings) if self.settings_findings else _read_file(file, filling)
        if file.name not in self._plain:
            self._plain[file.name] = _read_file(file)
        return self._plain[file.name]

    def _unused(self, used: Container[str]) -> Iterator[Finding]:
        """Variables that no spec and no overlay of any portal refers to."""
        declared = self.settings.variables if self.settings else {}
        left = [name for name in declared if name not in used and name not in self._used_in_overlays]
        if left:
            settings = settings_file.file(self.directory)
            for name in left:
                place = settings.place("variables", name, key=True)
                why = f"no spec uses variable {name}"
                yield Finding("unused-variable", "error", why, "drop it", source=place, frame=settings.frame(place))

    @cached_property
    def _used_in_overlays(self) -> frozenset[str]:
        """The variables that some overlay refers to."""
        files = (file for portal in self._folders() for file in self.overlay(portal).values())
        return frozenset(name for file in files for name in _variables_in(file))

    def _folders(self) -> list[str]:
        folder = self.directory / overlays.DIRECTORY
        found = os.scandir(folder) if folder.is_dir() else ()
        return sorted(entry.name for entry in found if _is_directory(entry) and not entry.name.startswith("."))

    @cached_property
    def _misplaced(self) -> tuple[Finding, ...]:
        """What is wrong among the overlays of all portals; each portal is told of it, so it is looked for once."""
        return tuple(self._misplacements())

    def _misplacements(self) -> Iterator[Finding]:
        """Overlays of portals that there are not, folders that hold nothing, and files beside the folders."""
        folder = self.directory / overlays.DIRECTORY
        known = self.settings.portals if self.settings else {}
        for name in self._folders() if self.settings else ():
            if name not in known:
                from reconciler.wording import did_you_mean

                fix = did_you_mean(name, known) or f"name the folder after one of {', '.join(sorted(known))}"
                why = f"overlay {name} touches nothing: the settings have no portal of that name"
                yield _overlay_finding(folder / name, why, fix)
            elif not any(_yaml_files(folder / name, frozenset())):
                yield _overlay_finding(folder / name, f"overlay {name} holds no specs", "fill it or delete it")
        for path in _yaml_files(folder, frozenset(), deep=False) if folder.is_dir() else ():
            why = "this file belongs to no portal"
            yield _overlay_finding(path, why, f"move it into {overlays.DIRECTORY}/PORTAL/")


def _idle(overlay: "Iterable[tuple[SourceFile, _Part]]") -> Iterator[Finding]:
    """Files of an overlay in which nothing is wrong, and which say nothing."""
    for file, part in overlay:
        wrong = any(finding.severity == "error" for finding in part.findings)
        if not (wrong or part.resources or part.stones or part.integrations):
            why = f"{file.name} is an overlay that touches nothing"
            yield _overlay_finding(Path(file.name), why, "fill it or delete it")


def _overlay_finding(path: Path, why: str, fix: str) -> Finding:
    return Finding("overlay-without-effect", "error", why, fix, source=Source(path.as_posix(), 1, 1))


class _Filling(NamedTuple):
    """The variables of one portal, ready to be put into files."""

    values: Mapping[str, Json]
    declared: Mapping[str, Variable]

    def into(self, file: SourceFile) -> tuple[Json, list[Finding]]:
        """What a file says with them, and what is wrong with its references."""
        assert file.document is not None
        content, misuses = variables.filled(file.document.value, self.values, self.declared)
        found = []
        for one in misuses:
            place = file.place(*one.path, key=one.key)
            found.append(Finding(one.rule, "error", one.message, one.fix, source=place, frame=file.frame(place)))
        return content, found


def _variables_in(file: SourceFile) -> Iterator[str]:
    """The variables that a file refers to; an empty name where it only seems to."""
    if file.document is not None and file.document.holds(variables.MARK):
        yield ""
        yield from variables.names_in(file.document.value)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Python's collector would scan tens of thousands of fresh entries again and again, and find nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def has_specs(directory: Path) -> bool:
    """Whether a directory holds any spec file."""
    return directory.is_dir() and any(_yaml_files(directory, frozenset(), top=True))


def problems(content: Mapping[str, Json], ignored: Iterable[IgnoreRule] = ()) -> list[Finding]:
    """What is wrong with the content of a spec file that is not written yet."""
    part = _read_content(content, SourceFile(""))
    desired, removed, crossing = _together([part], (), {})
    return [*part.findings, *crossing, *ignore.conflicts(ignored, desired, removed)]


def pointed(findings: Iterable[Finding], desired: Snapshot) -> list[Finding]:
    """What a look at the portal found wrong, at its exact place with the lines around it; the files are read again."""
    found = list(findings)
    places = [place for one in found for place in (one.source, _given_by_overlay(one, desired)) if place]
    files = {name: source_file.read(Path(name), name) for name in {place.file for place in places}}
    return [_placed(one, desired, files) for one in found]


# --- files -----------------------------------------------------------------------------------------------------------


def _spec_paths(directory: Path) -> list[Path]:
    if not directory.is_dir():
        settings_file.refuse_file(directory)
        hint = "start with `reconciler init`, or name the directory of your specs with --specs"
        raise UsageError(f"there is no directory {directory}", where=str(directory), hint=hint)
    try:
        paths = list(_yaml_files(directory, frozenset(), top=True))
    except PermissionError as error:
        raise UsageError(f"cannot list {error.filename}: {error.strerror}", where=str(error.filename)) from error
    if not paths:
        hint = "`reconciler import` writes them from a portal"
        raise UsageError(f"there are no spec files (*.yaml) in {directory}", where=str(directory), hint=hint)
    return paths


def _read_all(paths: Iterable[Path]) -> dict[Path, SourceFile]:
    return {path: source_file.read(path, path.as_posix()) for path in paths}


def _yaml_files(
    directory: Path, above: frozenset[tuple[int, int]], top: bool = False, deep: bool = True
) -> Iterator[Path]:
    """The spec files below a directory in the order of their names; a link to a directory above ends there."""
    status = directory.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
        if entry.name.startswith(".") or (top and entry.name in (*RESERVED, *settings_file.FILES)):
            continue
        if _is_directory(entry) and deep:
            yield from _yaml_files(directory / entry.name, above | {here})
        elif entry.name.lower().endswith((".yaml", ".yml")) and not _is_directory(entry):
            yield directory / entry.name


def _is_directory(entry: "os.DirEntry[str]") -> bool:
    """A link that leads to itself is none; whoever reads it says why it cannot be read."""
    try:
        return entry.is_dir()
    except OSError:
        return False


# --- one file --------------------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """What one file adds."""

    resources: Sequence[Resource] = ()
    stones: Sequence[Tombstone] = ()
    findings: Sequence[Finding] = ()
    integrations: Sequence[Integration] = ()


def _read_file(file: SourceFile, filling: _Filling | None = None) -> _Part:
    value = file.document.value if file.document else None
    misuses: list[Finding] = []
    if value is not None and filling is not None:
        value, misuses = filling.into(file)
    if value is None:
        why = Finding("empty-file", "warning", f"{file.name} is empty", "fill it or delete it", source=file.place())
        return _Part(findings=file.findings or [why])
    part = _read_content(value, file)
    return part._replace(findings=[*file.findings, *misuses, *part.findings])


def _read_content(content: Json, file: SourceFile) -> _Part:
    findings: list[Finding] = []
    kept: dict[str, list[int]] = {}
    if not ACCEPTS["spec#"](content):
        content, kept, findings = _sifted(content, file)

    def moved(*path: str | int) -> Source:
        if path[0] in kept:
            path = (path[0], kept[str(path[0])][int(path[1])], *path[2:])
        return file.place(*path, key=True)

    locate = moved if kept else file.key
    resources = [
        resource for kind in kinds() if kind.NAME in content for resource in kind.parse(content[kind.NAME], locate)
    ]
    stones = [_tombstone(line, locate(REMOVED, index)) for index, line in enumerate(content.get(REMOVED, ()))]
    systems = list(integrations.parse(content.get(integrations.NAME, {}), locate))
    return _Part(resources, stones, findings, systems)


def _tombstone(line: Mapping[str, Json], source: Source) -> Tombstone:
    address = join(*split(line["address"]))  # one spelling of what is percent-encoded
    return Tombstone(address, line["reason"], source, line.get("requireNoValues", False))


# --- the schema ------------------------------------------------------------------------------------------------------


class _Refusal(NamedTuple):
    """A part of a file that the schema does not accept, as small as an entry, with its own part of the schema."""

    path: Steps
    value: Json
    schema: Mapping[str, Json]
    pointer: str = ""


def schema_findings(file: SourceFile, schema: Mapping[str, Json]) -> list[Finding]:
    """What a schema refuses in a whole file."""
    assert file.document is not None
    found = _problems(_Refusal((), file.document.value, schema), _validator(schema))
    return _schema_findings(found, file)


def _sifted(content: Json, file: SourceFile) -> tuple[dict[str, Json], dict[str, list[int]], list[Finding]]:
    """The content that later rules can look at, the indexes that its lists had before, and what the schema refuses.

    A refused entry stays in it as it was probably meant, where that can be told; a spec with errors is never planned.
    """
    from reconciler.schema import grammar
    from reconciler.violations import mended

    root = grammar()
    validator = _validator(root)
    findings: list[Finding] = []
    instead: dict[Steps, list[Json]] = {}
    for refusal in _refused_sections(content, root):
        found = _problems(refusal, validator)
        findings += _schema_findings(found, file)
        meant = mended(refusal.value, found, len(refusal.path))
        instead[refusal.path] = [meant] if refusal.path and ACCEPTS[refusal.pointer](meant) else []
        if not instead[refusal.path]:
            findings += _name_findings(refusal.path, file)
    if not isinstance(content, dict):
        return {}, {}, findings
    holding = {path[:length] for path in instead for length in range(1, len(path))}
    known = {name: part for name, part in content.items() if name in root["properties"] and (name,) not in instead}
    kept = {
        name: [index for index in range(len(section)) if instead.get((name, index), True)]
        for name, section in known.items()
        if isinstance(section, list)
    }
    return {name: _replaced(part, (name,), instead, holding) for name, part in known.items()}, kept, findings


def _name_findings(path: Steps, file: SourceFile) -> Iterator[Finding]:
    """What is wrong with the name of an entry that nothing else can be told of."""
    if address := _address(path):
        kind = _kind_named(str(path[0]))
        assert kind is not None
        yield from kind.check(Resource(kind.NAME, address, {}, {}, file.place(*path, key=True)))


def _replaced(value: Json, path: Steps, instead: Mapping[Steps, list[Json]], holding: set[Steps]) -> Json:
    """A value with other values, or none, instead of some of its parts; what holds none of them is left as it is."""
    if path not in holding:
        return value
    if isinstance(value, list):
        return [one for index, item in enumerate(value) for one in instead.get((*path, index), [item])]
    below = {name: (*path, name) for name in value}
    return {
        name: one
        for name, item in value.items()
        for one in (
            instead[below[name]] if below[name] in instead else [_replaced(item, below[name], instead, holding)]
        )
    }


def _refused_sections(content: Json, root: Mapping[str, Json]) -> Iterator[_Refusal]:
    if not isinstance(content, dict):
        yield _Refusal((), content, root)
        return
    sections = root["properties"]
    unknown = {name: part for name, part in content.items() if name not in sections and not name.startswith("x-")}
    if unknown:
        yield _Refusal((), unknown, root)
    for name, section in content.items():
        if name in sections:
            yield from _refused(section, sections[name], f"spec#/properties/{name}", (name,), root)


def _refused(
    value: Json, schema: Mapping[str, Json], pointer: str, path: Steps, root: Mapping[str, Json]
) -> Iterator[_Refusal]:
    """The refused entries below a section."""
    if "$ref" in schema:
        pointer = f"spec{schema['$ref']}"
        schema = root["definitions"][schema["$ref"].removeprefix("#/definitions/")]
    if ACCEPTS[pointer](value):
        return
    below = schema.get("additionalProperties")
    if isinstance(value, list) and schema["type"] == "array":
        for index, item in enumerate(value):
            yield from _refused(item, schema["items"], f"{pointer}/items", (*path, index), root)
    elif isinstance(value, dict) and isinstance(below, Mapping):
        for name, item in value.items():
            yield from _refused(item, below, f"{pointer}/additionalProperties", (*path, name), root)
    else:
        yield _Refusal(path, value, schema, pointer)


def _validator(root: Mapping[str, Json]) -> Any:
    from jsonschema import Draft7Validator  # 100 ms that sound specs do not spend

    return Draft7Validator(root)


def first_problem(value: Json, schema: Mapping[str, Json]) -> str:
    """The first thing about a document that its schema refuses, with the path to it; nothing where it is sound."""
    from jsonschema.exceptions import best_match

    violation = best_match(_validator(schema).iter_errors(value))
    if violation is None:
        return ""
    path = "/".join(map(str, violation.absolute_path))
    message = violation.message if len(violation.message) < 200 else f"{violation.message[:200]}…"
    return f"{path}: {message}" if path else message


def _problems(refusal: _Refusal, validator: Any) -> "list[Problem]":
    """What is wrong with a refused part, each problem once."""
    from reconciler.violations import problems as explained

    found = validator.evolve(schema=refusal.schema).iter_errors(refusal.value)
    each = (problem for violation in found for problem in explained(violation, refusal.path))
    return list({(problem.path, problem.message): problem for problem in each}.values())


def _schema_findings(found: "Iterable[Problem]", file: SourceFile) -> list[Finding]:
    """What a schema refuses, but for what was told of the same place when the file was read: a `<<` is one fault."""
    told = {finding.source for finding in file.findings}
    return [
        one
        for problem in found
        if (one := _schema_finding(problem, file)).source not in told and file.place(*problem.path) not in told
    ]


def _schema_finding(problem: "Problem", file: SourceFile) -> Finding:
    place = file.place(*problem.path, key=problem.key)
    address = _address(problem.path)
    return Finding(problem.rule, "error", problem.message, problem.fix, address, place, file.frame(place))


def _address(path: Steps) -> str:
    """The address of the entry that a path leads into; none above entries, and in lists."""
    kind = _kind_named(str(path[0])) if path else None
    names = path[: 1 + depth(kind.SCHEMA)] if kind else ()
    if kind is None or len(names) <= depth(kind.SCHEMA) or not all(isinstance(name, str) for name in names):
        return ""
    return join(*map(str, names))


# --- all files -------------------------------------------------------------------------------------------------------


def _together(
    parts: Iterable[_Part], above: Iterable[_Part], files: Mapping[str, SourceFile]
) -> tuple[Snapshot, dict[str, Tombstone], list[Finding]]:
    """The resources and removals of all files, and what the rules of the kinds and of the whole refuse."""
    resources, removed, findings = _united(parts)
    own, own_removed, twice = _united(above)
    findings += [*twice, *_lay_over(resources, own, files)]
    for stone in own_removed.values():
        if removed.setdefault(stone.address, stone) is not stone:
            findings.append(_removed_twice(stone, removed[stone.address]))
    desired = Snapshot(resources.values())
    for kind in kinds():
        findings += [one for resource in desired.of_kind(kind.NAME) for one in kind.check(resource)]
    findings += spec_checks.across(desired, removed)
    return desired, removed, findings


def _united(parts: Iterable[_Part]) -> tuple[dict[str, Resource], dict[str, Tombstone], list[Finding]]:
    """What several files say, each thing once."""
    findings: list[Finding] = []
    resources: dict[str, Resource] = {}
    removed: dict[str, Tombstone] = {}
    for part in parts:
        for resource in part.resources:
            if (first := resources.setdefault(resource.address, resource)) is not resource:
                resources[resource.address] = united = spec_checks.united(first, resource) or first
                findings += _declared_twice(resource, first) if united is first else ()
        for stone in part.stones:
            if wrong := list(spec_checks.tombstone(stone)):
                findings += wrong
            elif removed.setdefault(stone.address, stone) is not stone:
                findings.append(_removed_twice(stone, removed[stone.address]))
    return resources, removed, findings


def _lay_over(
    resources: dict[str, Resource], own: Mapping[str, Resource], files: Mapping[str, SourceFile]
) -> Iterator[Finding]:
    """Puts what one portal has otherwise over the shared resources."""
    for address, resource in own.items():
        shared = resources.get(address)
        if shared is None:
            resources[address] = resource
            continue

        def place(field: str, resource: Resource = resource) -> Source:
            assert resource.source is not None
            file = files[resource.source.file]
            path = _steps((*split(resource.address), *split(field)), file)
            return file.place(*path) if path else resource.source

        resources[address] = overlays.laid_over(shared, resource, place)
        yield from overlays.without_effect(shared, resource, resources[address])


def _integrations(parts: Iterable[_Part]) -> tuple[tuple[Integration, ...], list[Finding]]:
    """The integrations of all files, and those that two of them name."""
    first: dict[str, Integration] = {}
    findings = []
    for one in (one for part in parts for one in part.integrations):
        if first.setdefault(one.name, one) is not one:
            why = f"integration {one.name} is declared here and at {first[one.name].source}"
            address = join(integrations.NAME, one.name)
            findings.append(Finding("declared-twice", "error", why, "keep one of them", address, one.source))
    return tuple(first.values()), findings


def _declared_twice(resource: Resource, first: Resource) -> Iterator[Finding]:
    """The same thing in two places, and what else is wrong with the second."""
    kind = _kind_named(resource.kind)
    assert kind is not None
    if kind.SCHEMA["type"] == "object" or resource.source is None or resource.source.file != _file(first):
        why = f"{resource.address} is declared here and at {first.source}"
        yield Finding("declared-twice", "error", why, "keep one of them", resource.address, resource.source)
        yield from kind.check(resource)


def _file(resource: Resource) -> str:
    return resource.source.file if resource.source else ""


def _removed_twice(stone: Tombstone, first: Tombstone) -> Finding:
    why = f"{stone.address} is removed here and at {first.source}"
    return Finding("removed-twice", "error", why, "keep one of them", stone.address, stone.source)


def _finished(findings: Iterable[Finding], desired: Snapshot, files: Mapping[str, SourceFile]) -> tuple[Finding, ...]:
    """Findings at their exact place, with the lines around it, in the order of the files."""
    placed = [_placed(finding, desired, files) for finding in findings]
    return tuple(sorted(placed, key=lambda finding: (finding.source or (), finding.rule, finding.message)))


def _placed(finding: Finding, desired: Snapshot, files: Mapping[str, SourceFile]) -> Finding:
    """A finding about a field or option stands there and not at its entry; its address says which."""
    if finding.source and (given := _given_by_overlay(finding, desired)):
        return finding._replace(source=given, frame=files[given.file].frame(given))
    file = files.get(finding.source.file) if finding.source else None
    if finding.frame or file is None:
        return finding
    path = _path_below(finding, desired, file)
    place = file.place(*path) if path else finding.source
    return finding._replace(source=place, frame=file.frame(place))


def _given_by_overlay(finding: Finding, desired: Snapshot) -> Source | None:
    """Where an overlay gave the field that a finding is about; none for what is wrong elsewhere with such a field."""
    owner = "/".join(finding.address.split("/")[:3])
    resource = desired.get(owner)
    if resource is None or resource.source != finding.source:
        return None
    return overlays.origin(resource, finding.address[len(owner) + 1 :])


def _path_below(finding: Finding, desired: Snapshot, file: SourceFile) -> Steps:
    """The path in a file of something below an entry; none for a finding about the entry, or about a removal."""
    names = split(finding.address)
    kind = _kind_named(names[0])
    if kind is None or kind.SCHEMA["type"] == "array" or len(names) <= 1 + depth(kind.SCHEMA):
        return ()
    owner = desired.get(join(*names[: 1 + depth(kind.SCHEMA)]))
    if owner is None or owner.source != finding.source:
        return ()
    return _steps(names, file)


def _steps(names: Iterable[str], file: SourceFile) -> Steps:
    """The path in a file of what an address names, as far as it goes."""
    value: Json = file.document.value if file.document else None
    path: list[str | int] = []
    for name in names:
        value, steps = _step(value, name)
        path += steps
    return tuple(path)


def _step(value: Json, name: str) -> tuple[Json, list[str | int]]:
    """One step into a value; into options by the value of an option."""
    if isinstance(value, dict) and name not in value and "values" in value:
        inner, steps = _step(value["values"], name)
        return inner, ["values", *steps] if steps else []
    if isinstance(value, dict):
        return (value[name], [name]) if name in value else (None, [])
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict) and name in (item.get("value"), item.get("name")):
            return item, [index]
    return None, []


def _kind_named(name: str) -> Kind | None:
    return next((kind for kind in kinds() if kind.NAME == name), None)
