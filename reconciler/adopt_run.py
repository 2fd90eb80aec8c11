"""Runs an adopt: finds what is live and declared otherwise, edits the spec files, and moves the baseline along."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from reconciler import acceptances, ignore, importer, report, small_files, variables
from reconciler import baseline as baselines
from reconciler import spec as specs
from reconciler.acceptance import Choice, finding_of, merged, otherwise
from reconciler.address import covers, join
from reconciler.adopt import CannotEdit, edited
from reconciler.adoption import STAGES, Wanted, Wish, apart, undeclared, wanted
from reconciler.drift import WHOLE, DriftItem
from reconciler.drift_check import detected
from reconciler.errors import AccessError, UsageError
from reconciler.ignore import IgnoreRule
from reconciler.kinds import kind_of, properties
from reconciler.model import Finding, Json, Resource, Snapshot
from reconciler.observe import ListSource
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

    files: tuple[EditedFile, ...]
    gone: tuple[str, ...]
    accepted: Snapshot  # the portal, but as it was accepted before where only a part is adopted
    taken: tuple[str, ...]  # the baseline moves for these
    refused: Mapping[str, str]  # by address, why
    findings: tuple[Mapping[str, Json], ...] = ()  # of drift, that it ends
    otherwise: tuple[str, ...] = ()  # where there is nothing to adopt: what the specs want otherwise all the same


def planned(
    workspace: Workspace,
    spec: Spec,
    source: ListSource,
    patterns: Sequence[str],
    classes: Sequence[str],
    today: date,
) -> Adoption:
    """The edits that bring the specs to what is live."""
    if classes or not patterns:
        _refuse_without_baseline(workspace)
    scope = workspace.scope(spec, baselined=True)
    observation = workspace.observe(source, scope)
    known = workspace.baseline.snapshot if workspace.baseline else Snapshot()
    ignored = ignore.in_force(workspace.settings.ignore, today) if workspace.baseline else ()
    wish = Wish(tuple(patterns), spec, known, observation, {}, ignored)
    _check_patterns(wish)
    drifted = detected(workspace.baseline, observation, spec, ignored=ignored).items if workspace.baseline else ()
    if classes and workspace.baseline:
        drifted = tuple(item for item in drifted if Choice(tuple(patterns)).takes(item))
        if not (named := tuple(_of_classes(drifted, classes))):
            return Adoption((), (), observation.snapshot, (), {})
        wish = replace(wish, patterns=named)
    texts = {workspace.directory / name: _text(workspace.directory / name) for name, _ in spec.files}
    contents = {path: load(text, path.as_posix()).value or {} for path, text in texts.items()}
    wish = replace(wish, filled={path: _filled(workspace, content) for path, content in contents.items()})
    wish, found, files, refused = _as_far_as_possible(workspace, wish, texts, contents)
    taken = _taken(wish, found)
    accepted = observation.snapshot.replaced(filter(None, taken.values()))
    ended = [finding_of(item) for item in drifted if item.address in taken and Choice(wish.patterns).takes(item)]
    adoption = Adoption(files, tuple(found.gone), accepted, tuple(sorted(taken)), refused, tuple(ended))
    if files or refused:
        return adoption
    return replace(adoption, otherwise=tuple(one.address for one in otherwise(scope, observation, ignored)))


def _refuse_without_baseline(workspace: Workspace) -> None:
    """Ends an adopt of what drifted, where nothing tells what did."""
    if workspace.baseline is None:
        begin = f"`{workspace.command('import')}` or `{workspace.command('accept --all')}`"
        hint = f"name addresses, or begin with {begin}"
        raise UsageError("without a baseline nobody knows what drifted", hint=hint)


def _as_far_as_possible(
    workspace: Workspace, wish: Wish, texts: Mapping[Path, str], contents: Mapping[Path, Json]
) -> tuple[Wish, Wanted, tuple[EditedFile, ...], dict[str, str]]:
    """The edits of a wish, without what cannot be adopted: that is left out of it, and the rest tried again."""
    refused = dict(_refused_at_once(wish))
    while True:
        wish = replace(wish, left=frozenset(refused))
        found = wanted(wish, contents, workspace.directory)
        files, impossible = _edit(texts, contents, found)
        impossible |= found.refused or _wrong(workspace, files)
        if not impossible:
            return wish, found, files, refused
        refused |= impossible


def write(workspace: Workspace, adoption: Adoption, now: datetime) -> None:
    """Writes the edited files and the baseline, which moves for what was adopted, all of it at once or not at all."""
    specs = {file.path: file.after for file in adoption.files}
    if not adoption.taken:
        small_files.write(specs)
        return
    known = workspace.baseline
    live = {one for one in adoption.taken if one in adoption.accepted}
    managed = ((known.managed if known else frozenset()) | live) - (set(adoption.taken) - live)
    consent = {"at": report.stamp(now), "by": workspace.author, "reason": "adopted into the specs"}
    workspace.save_baseline(
        baselines.moved(known, adoption.accepted, adoption.taken, managed=managed),
        {**specs, **acceptances.added(workspace.baseline_directory, adoption.findings, consent)},
    )


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


# --- what is asked for -----------------------------------------------------------------------------------------------


def _of_classes(drifted: Iterable[DriftItem], classes: Sequence[str]) -> Iterator[str]:
    """The addresses of what drifted in one of these ways: a definition, or those of its fields that moved."""
    for item in drifted:
        if item.drift_class in classes and item.drift_class.endswith(WHOLE):
            yield item.address
        elif item.drift_class in classes:
            yield from (f"{item.address}/{one.change.path}" for one in item.fields)


def _check_patterns(wish: Wish) -> None:
    everything = [*wish.spec.desired, *wish.live]
    for pattern in wish.patterns:
        if collection := wish.observation.unreadable(pattern):
            raise AccessError(f"{collection.name} could not be read", where=pattern, hint=collection.detail)
        if not any(covers(pattern, one) or pattern.startswith(one + "/") for one in everything):
            from reconciler.wording import did_you_mean

            hint = did_you_mean(pattern, everything) or "see `reconciler drift`"
            raise UsageError(f"nothing in the portal or the specs is called {pattern}", hint=hint)


def _refused_at_once(wish: Wish) -> Iterator[tuple[str, str]]:
    """What was asked for by its name, and the specs cannot or must not say."""
    for address in wish.patterns:
        live = wish.live.get(address)
        if live is None or address in wish.spec.desired:
            continue
        if stone := wish.spec.removed.get(address):
            yield address, f"it is listed under `removed:` at {stone.source}; drop that line first"
        elif apart(live):
            yield address, _APART
        elif not kind_of(address).rows(live):
            yield address, "HubSpot defines it, and no field of it can be declared; name it under `integrations:`"
    for address, live in wish.live.items():
        if address in wish.spec.desired and wish.touches(address) and apart(live):
            yield address, _APART


_APART = "contacts and companies call this stage differently, which specs cannot say; rename one of them in HubSpot"


# --- the edits -------------------------------------------------------------------------------------------------------


def _filled(workspace: Workspace, content: Json) -> Json:
    """What a file says in this portal."""
    declared = workspace.settings.variables
    return variables.filled(content, variables.values(declared, workspace.portal.variables), declared)[0]


def _edit(
    texts: Mapping[Path, str], contents: Mapping[Path, Json], found: Wanted
) -> tuple[tuple[EditedFile, ...], dict[str, str]]:
    """The files that change, and the definitions that cannot be edited, each with the reason."""
    files: list[EditedFile] = []
    refused: dict[str, str] = {}
    for path, value in found.contents.items():
        if value == contents.get(path):
            continue
        touched = tuple(dict.fromkeys(found.addresses.get(path, ())))
        try:
            after = edited(texts[path], value) if texts.get(path) else importer.text_of(value)
        except CannotEdit as why:
            about = [one for one in touched if _within(one, why.path)] or touched
            refused |= dict.fromkeys(about, f"{path.as_posix()} is left as it is: {why}")
        else:
            files.append(EditedFile(path, texts.get(path, ""), after, touched))
    return tuple(files), refused


def _wrong(workspace: Workspace, files: Sequence[EditedFile]) -> dict[str, str]:
    """The definitions that would make the specs of a portal wrong; all that were touched where nobody can tell."""
    touched = {address for file in files for address in file.addresses}
    now = specs.SpecFiles.read(workspace.directory) if specs.has_specs(workspace.directory) else None
    after = (now or specs.SpecFiles(workspace.directory, {})).edited({file.path: file.after for file in files})
    blamed: dict[str, str] = {}
    for portal in workspace.settings.portals:
        if portal != workspace.portal.name and now and _errors(now.spec(portal)):
            continue  # it was wrong before
        for finding in _errors(after.spec(portal)):
            about = [one for one in touched if finding.address == one or finding.address.startswith(one + "/")]
            told = f"the specs cannot say what is live: {finding.message}"
            blamed |= dict.fromkeys(about or touched, told)
    return blamed


def _errors(spec: Spec) -> list[Finding]:
    return [one for one in spec.findings if one.severity == "error"]


def _within(address: str, path: tuple[str, ...]) -> bool:
    """Whether an edit at a path of a file is about a definition; entries of lists are not told apart."""
    return bool(path) and (
        path[0] == STAGES == address.split("/")[0] or join(*path[: address.count("/") + 1]) == address
    )


# --- the baseline ----------------------------------------------------------------------------------------------------


def _taken(wish: Wish, found: Wanted) -> dict[str, Resource | None]:
    """What the baseline should say from now on of what was asked for or drifted, as far as it is declared."""
    new = {resource.address for resource in undeclared(wish)}
    taken: dict[str, Resource | None] = dict.fromkeys(found.gone)
    for address in sorted({*wish.spec.desired, *new} - set(found.gone)):
        live, known = wish.live.get(address), wish.baseline.get(address)
        if live is None or not wish.touches(address):
            continue
        if known is None or address in new:
            taken |= {address: live} if wish.patterns else {}
        elif wish.patterns or known.attributes != live.attributes:
            taken[address] = _accepted(wish, known, live)
    return taken


def _accepted(wish: Wish, known: Resource, live: Resource) -> Resource | None:
    """A definition as it was accepted, with what was asked for, and is declared, as it is live."""
    declared = wish.spec.desired[live.address]
    partial = declared.kind == properties.NAME and "type" not in declared.attributes
    rules = [IgnoreRule(live.address, "", tuple(declared.attributes) if partial else ())]
    if wish.patterns and not wish.named(live.address):
        rules = [IgnoreRule(one, "") for one in wish.patterns]
    return merged(known, live, rules)
