"""The documents of a run: a plan, an apply or a drift check of one portal, whatever goes wrong in it."""

import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from reconciler import acceptances, comparison, drift_check, git, planning, report, spec
from reconciler.acceptance import Choice, accept
from reconciler.apply import Tools
from reconciler.deploy import Deployment, deploy, refuse_blocked, require_digest
from reconciler.drift import DriftItem
from reconciler.errors import AccessError, ReconcilerError, UsageError
from reconciler.model import Answer, Json, Reads
from reconciler.observe import ListSource
from reconciler.plan import WRITES
from reconciler.planning import Situation, Wishes
from reconciler.render.words import drift_items
from reconciler.selection import Sought
from reconciler.spec import Spec
from reconciler.workspace import Workspace

Document = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan's document; with the situation it was made in, where it got so far."""

    document: Document
    situation: Situation | None = None


def caught(kind: str, portal: str, now: datetime, run: Callable[[], Document]) -> Document:
    """The document of a run, or one that holds the error that ended it, so that other portals go on."""
    try:
        return run()
    except ReconcilerError as error:
        told = report.error_json(error.code, str(error), error.where, error.hint, error.correlation_id)
    except OSError as error:
        where = str(error.filename or "")
        told = report.error_json("usage", f"{where}: {error.strerror}" if where else str(error), where)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        told = report.error_json("internal", f"{type(error).__name__}: {error}", place, "this is a bug; report it")
    return ended(kind, portal, now, told)


def ended(kind: str, portal: str, now: datetime, told: Mapping[str, Json]) -> Document:
    """The document of a run that could not begin or go on."""
    return {**report.error_document(kind, [dict(told)], now), "portal": {"name": portal, "portalId": None}}


def sound(workspace: Workspace, now: datetime) -> tuple[Spec | None, Document | None]:
    """The specs, or the document that says what is wrong with them."""
    if workspace.baseline is not None and not spec.has_specs(workspace.directory):
        return spec.nothing(workspace.settings), None
    loaded = spec.load(workspace.directory, workspace.portal.name)
    if any(finding.severity == "error" for finding in loaded.findings):
        document = report.validate_document(loaded.findings, loaded.files_json, len(loaded.desired), now)
        return None, {**document, "portal": workspace.portal_json(workspace.portal.portal_id)}
    return loaded, None


def plan(workspace: Workspace, wishes: Wishes, now: datetime, sought: Sought) -> Planned:
    """A plan of one portal."""
    loaded, wrong = sound(workspace, now)
    if loaded is None:
        assert wrong is not None
        return Planned(wrong)
    reader = workspace.connect().reader()
    situation = planning.look_around(workspace, loaded, reader, reader, now)
    sought.looked(planning.unknown(situation, wishes.only))
    return Planned(planning.document(situation, planning.make(situation, wishes), wishes, now), situation)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read already, and the portal for the rest."""

    reads: Reads
    source: ListSource

    def get_all(self, paths: Sequence[str]) -> Mapping[str, Answer]:
        """The answers to these paths, each read once."""
        missing = [path for path in paths if path not in self.reads]
        return {**{path: self.reads[path] for path in paths if path in self.reads}, **self.source.get_all(missing)}


def behind(situation: Situation, commit: str, only: tuple[str, ...]) -> int:
    """How many definitions of the portal differ from the specs of another commit; what was read is not read again."""
    workspace = situation.workspace
    with ExitStack() as stack:
        directory = stack.enter_context(git.specs_at(commit, workspace.directory))
        loaded = (
            spec.load(directory, workspace.portal.name)
            if spec.has_specs(directory)
            else spec.nothing(workspace.settings)
        )
    if wrong := [finding.message for finding in loaded.findings if finding.severity == "error"]:
        raise UsageError(f"its specs have errors: {wrong[0]}", hint="mend them there: what is wrong declares nothing")
    source = _Known(situation.observation.reads, workspace.connect().reader())
    scope = workspace.scope(loaded)
    there = situation._replace(spec=loaded, scope=scope, observation=workspace.observe(source, scope), asker=None)
    made = planning.make(there, Wishes(only))
    if made.errors:
        raise AccessError(made.errors[0]["message"], hint=made.errors[0]["hint"])
    return len(made.writes)


def writes(planned: Planned) -> bool:
    """Whether a plan would touch the portal."""
    return any(change["action"] in WRITES for change in planned.document["changes"])


def apply(situation: Situation, wishes: Wishes, cancelled: "Cancelled", now: Callable[[], datetime]) -> Document:
    """Carries out what was planned in a situation, if it is what was approved."""
    workspace = situation.workspace
    workspace.cancelled = cancelled.wanted  # from here on nothing breaks it off, so it may not wait for long
    client = workspace.connect()
    plan = planning.make(situation, wishes)
    made = planning.document(situation, plan, wishes, now())
    require_digest(wishes.require_digest, made["digest"])
    refuse_blocked(plan)
    tools = Tools(client.reader(), client.writer(), situation.scope, cancelled=cancelled.wanted, wait=client.clock.wait)
    observation = situation.observation
    deployment = Deployment(workspace, made, plan.changes, observation, now, lambda: cancelled.name, recorded=False)
    return deploy(deployment, tools)


class Cancelled(Protocol):
    """Whether somebody wants the run to end, and how they said so."""

    name: str
    writing: bool  # whether something may be in flight that has to be finished first

    def wanted(self) -> bool:
        """Whether the run is to end."""
        ...


@contextmanager
def breakable(cancelled: Cancelled) -> Iterator[None]:
    """While a portal is only read, its run ends at once when somebody wants that."""
    cancelled.writing = False
    try:
        yield
    finally:
        cancelled.writing = True


def compared(workspace: Workspace, base: str, now: datetime) -> Document:
    """The specs against those of the base branch, with the portal whose specs they are."""
    with ExitStack() as stack:
        sides = [comparison.side(stack, ref, workspace.directory, workspace.portal.name) for ref in (base, None)]
        return comparison.document(sides[0], sides[1], now)


def drift(workspace: Workspace, only: Sequence[str], now: datetime, fail_on: str, sought: Sought) -> Document:
    """A drift check of one portal."""
    drift_check.refuse_without_baseline(workspace)
    asked = drift_check.Wishes(tuple(only), fail_on, sought=sought.looked)
    return drift_check.check(workspace, workspace.connect().reader(), asked, now)


@dataclass(frozen=True, slots=True)
class Shown(Choice):
    """The findings that a document shows; what moved since then was shown to nobody."""

    fingerprints: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        """Whether nothing was named."""
        return False

    def takes(self, item: DriftItem) -> bool:
        """Whether an item is just as the document shows it."""
        return item.fingerprint in self.fingerprints


@contextmanager
def accepted(workspace: Workspace, document: Mapping[str, Json], now: datetime) -> Iterator[None]:
    """The baseline in the checkout as it is once somebody accepts what a document shows; afterwards as it was.

    The review of its commit is the record of who accepted it, so it holds no other.
    """
    directory = workspace.baseline_directory
    before = _files(directory)
    shown = Shown(fingerprints=frozenset(item["fingerprint"] for item in drift_items(document)))
    try:
        accept(workspace, workspace.connect().reader(), shown, "", None, now)
        _put_back(before, {path for path in _files(directory) if path.name == acceptances.FILE})
        yield
    finally:
        _put_back(before, _files(directory).keys() | before.keys())


def _files(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def _put_back(before: Mapping[Path, bytes], paths: Iterable[Path]) -> None:
    """Files as they were, each at once: a run that is killed leaves none cut short."""
    for path in paths:
        if path not in before:
            path.unlink()
        elif not path.exists() or path.read_bytes() != before[path]:
            scratch = path.with_name(f".{path.name}.{os.getpid()}")
            scratch.write_bytes(before[path])
            scratch.replace(path)


def directory_named(directory: Path, checkout: Path) -> str:
    """A directory of specs as the repository calls it."""
    there, top = directory.resolve(), checkout.resolve()
    return there.relative_to(top).as_posix() if there.is_relative_to(top) else directory.as_posix()
