"""Runs a command over the portals of a fleet, several at once, each by itself.

A portal that hangs, fails or is told to slow down takes one of the places in flight and nobody else's time: each has
its own connections, its own request budget and its own patience. What a portal needs is dropped when its result is
there, so memory grows with the places in flight and not with the fleet.
"""

import gc
import json
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from reconciler import drift_check, fleet, report
from reconciler.apply import Tools
from reconciler.approval import approved, read_json
from reconciler.deploy import Deployment, deploy, refuse_blocked, require_digest
from reconciler.errors import ReconcilerError, UsageError
from reconciler.exclusion import exclusive
from reconciler.fleet import Command, Member
from reconciler.kinds import Scope
from reconciler.model import Answer, Finding, Json
from reconciler.pace import Clock
from reconciler.planning import Situation, Wishes, document, look_around, make, unknown
from reconciler.selection import Sought
from reconciler.spec import Spec, SpecFiles, has_specs
from reconciler.turns import Turns
from reconciler.workspace import Workspace

if TYPE_CHECKING:
    from reconciler.client import Client, Reader

Document = dict[str, Json]
CONNECTIONS = 6  # to each portal: a connection costs more than a request, and other portals use the time
Job = Callable[[Member], Document]


@dataclass(frozen=True)
class Workshop:
    """What the portals of a fleet share: the specs, read once a directory, and how to stop."""

    now: Callable[[], datetime]
    wishes: Wishes = field(default_factory=Wishes)
    reviewed: Mapping[str, Mapping[str, Json]] | None = None  # results of the plans that somebody saw, by portal
    kept: bool = False  # whether somebody reads the documents, and not only what the report takes from them
    cancelled: Callable[[], str] = str
    turns: Turns = field(default_factory=Turns)
    files: dict[Path, SpecFiles] = field(default_factory=dict)
    sought: Sought = field(default_factory=Sought)

    def spec(self, member: Member) -> Spec:
        """The specs as a portal has them; specs with errors end its run before anything is read."""
        if member.directory not in self.files:
            self.files[member.directory] = SpecFiles.read(member.directory)
        spec = self.files[member.directory].spec(member.portal.name)
        errors = [finding for finding in spec.findings if finding.severity == "error"]
        if errors:
            raise UsageError(_first(errors), where=str(errors[0].source), hint="`reconciler validate` names them all")
        return spec

    def look(self, member: Member) -> tuple[Situation, "Client"]:
        """The portal as the specs ask for it, and the connection to it."""
        workspace, spec = self.workspace(member), self.spec(member)
        client = workspace.connect(connections=CONNECTIONS)
        reader = PatientReader(client.reader(), self.turns)
        situation = look_around(workspace, spec, reader, reader, self.now())
        self.sought.looked(unknown(situation, self.wishes.only))
        return situation, client

    def plan(self, member: Member) -> Document:
        """A portal's plan."""
        with self.turns.taken():
            situation, _ = self.look(member)
            plan = make(situation, self.wishes)
            return document(situation, plan, self.wishes, self.now(), told=self.kept)

    def drift(self, member: Member) -> Document:
        """A portal's drift."""
        with self.turns.taken():
            workspace = self.workspace(member)
            drift_check.refuse_without_baseline(workspace)
            reader = PatientReader(workspace.connect(connections=CONNECTIONS).reader(), self.turns)
            wishes = drift_check.Wishes(self.wishes.only, self.wishes.fail_on, sought=self.sought.looked)
            specs = partial(self._spec_if_any, member)
            return drift_check.checked(workspace, specs, reader, wishes, self.now()).document

    def _spec_if_any(self, member: Member) -> Spec | None:
        """A portal can be watched without specs."""
        return self.spec(member) if has_specs(member.directory) else None

    def apply(self, member: Member) -> Document:
        """Plans a portal and carries the plan out; where plans were reviewed just now, only what was seen."""
        seen = self.reviewed[member.name] if self.reviewed is not None else None
        if seen is not None and not seen["digest"]:  # nobody saw a plan of it, however well it answers now
            return report.error_document("apply", seen["errors"], self.now())
        with self.turns.taken(), self._alone(member):
            situation, client = self.look(member)
            plan = make(situation, self.wishes)
            made = document(situation, plan, self.wishes, self.now(), told=self.kept)
            if made["exit"]["code"]:
                return made
            require_digest(seen["digest"] if seen else "", made["digest"])
            refuse_blocked(plan)
            workspace, observation = situation.workspace, situation.observation
            deployment = Deployment(workspace, made, plan.changes, observation, self.now, self.cancelled)
            with self.turns.left():
                return deploy(deployment, self._tools(client, situation.scope))

    def apply_saved(self, member: Member, file: Path) -> Document:
        """Carries out exactly the plan in a file, or nothing."""
        with self._alone(member):
            workspace = workspace_of(member)
            workspace.cancelled = self._ended
            deployment, scope, client = approved(workspace, file, self.wishes, self.now)
            return deploy(replace(deployment, cancelled=self.cancelled), self._tools(client, scope))

    def workspace(self, member: Member) -> Workspace:
        """A portal's own directory, settings and baseline; it waits without keeping anybody else."""
        clock = PatientClock(workspace_of(member).clock, self.turns)
        made = Workspace(member.directory, member.settings, member.portal, chosen_clock=clock)
        made.cancelled = self._ended
        return made

    def _ended(self) -> bool:
        return bool(self.cancelled())

    def _alone(self, member: Member) -> AbstractContextManager[None]:
        return exclusive(workspace_of(member))

    def _tools(self, client: "Client", scope: Scope) -> Tools:
        return Tools(client.reader(), client.writer(), scope, cancelled=self._ended, wait=client.clock.wait)


@dataclass(frozen=True, slots=True)
class PatientReader:
    """A reader that leaves the turn to another portal for as long as it takes HubSpot to answer."""

    _reader: "Reader"
    _turns: Turns

    def get(self, path: str) -> Answer:
        """The answer to one path."""
        with self._turns.left():
            return self._reader.get(path)

    def get_all(self, paths: Sequence[str]) -> dict[str, Answer]:
        """The answers to these paths."""
        with self._turns.left():
            return self._reader.get_all(paths)

    def ask(self, path: str, body: Json) -> Answer:
        """A POST that only reads."""
        with self._turns.left():
            return self._reader.ask(path, body)


@dataclass(frozen=True, slots=True)
class PatientClock:
    """A clock by which one portal waits while others work."""

    _clock: Clock
    _turns: Turns

    def now(self) -> float:
        """Seconds, from any start."""
        return self._clock.now()

    def wait(self, seconds: float) -> None:
        """Comes back after so many seconds."""
        with self._turns.left():
            self._clock.wait(seconds)


def workspace_of(member: Member) -> Workspace:
    """A portal's own directory, settings and baseline."""
    return Workspace(member.directory, member.settings, member.portal)


def _first(errors: Sequence[Finding]) -> str:
    more = f", and {len(errors) - 1} more errors" if len(errors) > 1 else ""
    return f"{errors[0].message}{more}"


def documented(job: Job, member: Member, command: Command, now: Callable[[], datetime]) -> Document:
    """A portal's document, also where its run could not begin or go on: no portal ends the run of another."""
    try:
        return job(member)
    except ReconcilerError as error:
        told = report.error_json(error.code, str(error), error.where, error.hint, error.correlation_id)
    except OSError as error:
        told = _unusable(error)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        told = report.error_json(
            "internal", f"{type(error).__name__}: {error}", f"{place.name}:{place.lineno}", "this is a bug; report it"
        )
    return report.error_document(command, [told], now())


def _unusable(error: OSError) -> dict[str, Json]:
    """A file that is not as it has to be."""
    where = str(error.filename or "")
    return report.error_json("usage", f"{where}: {error.strerror}" if where else str(error), where)


@dataclass(frozen=True)
class Run:
    """How a fleet is gone through."""

    command: Command
    job: Job
    now: Callable[[], datetime]
    in_flight: int
    told: Callable[[Mapping[str, Json]], None]  # each result, as its portal finishes
    keep: Callable[[Member, Document], None] = lambda member, document: None
    cancelled: Callable[[], str] = str
    canaries: frozenset[str] = frozenset()  # portals of which none may fail
    only: Sequence[str] = ()  # address patterns
    most_failures: int | None = None  # no portal is begun once more than so many have failed

    def over(self, waves: Iterable[Sequence[Member]]) -> list[Mapping[str, Json]]:
        """The results of all portals, wave after wave; those that were not come to say so."""
        results: list[Mapping[str, Json]] = []
        with _collector_calm():
            for wave in waves:
                results += self._wave(wave, results)
        return results

    def _wave(self, wave: Sequence[Member], before: Sequence[Mapping[str, Json]]) -> Iterator[Mapping[str, Json]]:
        waiting, done = list(reversed(wave)), list(before)
        with ThreadPoolExecutor(self.in_flight, thread_name_prefix="portal") as pool:
            running: dict[Future[Mapping[str, Json]], Member] = {}
            while waiting or running:
                why = self._stopped(done)
                while waiting and not why and len(running) < self.in_flight:
                    member = waiting.pop()
                    running[pool.submit(self._one, member)] = member
                if why and not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[future]
                    done.append(future.result())
                    self.told(done[-1])
                    yield done[-1]
        for member in reversed(waiting):
            yield fleet.not_started(member, self.command, self._stopped(done), self.now(), self.only)

    def _one(self, member: Member) -> Mapping[str, Json]:
        begun = time.monotonic()
        made = documented(self.job, member, self.command, self.now)
        try:
            self.keep(member, made)
        except OSError as error:
            made = report.error_document(self.command, [_unusable(error)], self.now())
        return fleet.result(member, self.command, made, time.monotonic() - begun, self.only)

    def _stopped(self, done: Sequence[Mapping[str, Json]]) -> str:
        """Why no further portal is begun; nothing while all is well."""
        if self.cancelled():
            return f"the run was {self.cancelled()} before this portal was begun"
        failed = fleet.failures(done)
        if canaries := [one["name"] for one in done if one["name"] in self.canaries and fleet.failures([one])]:
            return f"the canary {canaries[0]} failed"
        if self.most_failures is not None and failed > self.most_failures:
            many = "1 portal" if failed == 1 else f"{failed} portals"
            return f"{many} failed before this one was begun; `--max-failures {self.most_failures}` ends the run"
        return ""


@contextmanager
def _collector_calm() -> Iterator[None]:
    """Python's collector would look again and again through the portals in flight, for a third of the time."""
    was_on, before = gc.isenabled(), gc.get_threshold()
    gc.enable()
    gc.set_threshold(100_000, 10, 20)  # about as many new things as one portal makes
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not was_on:
            gc.disable()


# --- records ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Journal:
    """A line of JSON a portal, on disk as soon as it is done."""

    path: Path
    stream: IO[str]

    @classmethod
    @contextmanager
    def begun(cls, path: Path) -> Iterator["Journal"]:
        """A new journal, open as long as the run."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as stream:
            yield cls(path, stream)


def read_journal(path: Path) -> dict[str, Mapping[str, Json]]:
    """The results of an earlier run, by portal; a last line that a kill cut short is left out."""
    try:
        *lines, _ = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", where=str(path)) from error
    found: dict[str, Mapping[str, Json]] = {}
    for number, text in enumerate(lines, 1):
        try:
            one = json.loads(text)
            name, _, _ = str(one["name"]), fleet.ENDED_WELL[one["command"]], one["portal"]
            found[name] = one
        except (ValueError, KeyError, TypeError) as error:
            hint = "give the journal that a fleet run wrote"
            raise UsageError(f"line {number} of {path} is no result", where=str(path), hint=hint) from error
    if not found:
        hint = "a run that ended before its first portal has done nothing: run again without --resume"
        raise UsageError(f"{path} holds no result", where=str(path), hint=hint)
    return found


def finished(
    journal: Mapping[str, Mapping[str, Json]],
    command: Command,
    members: Iterable[Member],
    only: Sequence[str] = (),
    plans: Path | None = None,
) -> set[str]:
    """The portals that need no second run: the same command ended well, by what is asked of it today.

    That is a saved plan, or else the specs and the part of them that was chosen.
    """
    files: dict[Path, SpecFiles] = {}
    ended = {
        name: one
        for name, one in journal.items()
        if one["command"] == command and one["verdict"] in fleet.ENDED_WELL[command]
        if plans is not None or {*one.get("only", ())} == {*only}
    }
    return {
        member.name for member in members if (one := ended.get(member.name)) and _wanted_then(member, one, files, plans)
    }


def _wanted_then(member: Member, one: Mapping[str, Json], files: dict[Path, SpecFiles], plans: Path | None) -> bool:
    """Whether what is wanted of a portal is what an earlier run carried out or looked at."""
    try:
        if plans is not None:
            return bool(read_json(plan_file(plans, member))["digest"] == one["digest"])
        if member.directory not in files:
            files[member.directory] = SpecFiles.read(member.directory)
        return one["spec"] in (None, files[member.directory].spec(member.portal.name).digest)
    except (ReconcilerError, OSError, LookupError, TypeError):
        return False  # its run says what is wrong


def plan_file(directory: Path, member: Member) -> Path:
    """The saved plan of a portal, by its name."""
    return directory / f"{quote(member.name, safe='')}.json"
