"""``reconciler fleet``: one command over many portals."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.drift import LEVELS
from reconciler.cli.session import Session, allow_option, common_options, document_options, only_option
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.cli.apply import Stop
    from reconciler.fleet import Command, Member
    from reconciler.fleet_run import Document, Job, Journal, Workshop
    from reconciler.model import Json

F = TypeVar("F", bound=Callable[..., Any])
LINES = "jsonl"  # the format that is written while the run goes on


@click.group(epilog="Example: reconciler fleet drift --portals 'client-*' -o markdown:fleet.md")
@common_options
def command() -> None:
    """Plan, check or apply many portals in one run, with one report.

    The portals are those of the settings, or of several specs directories given as arguments. A portal that fails,
    hangs or is told to slow down delays no other; its own exit code goes into the report, and the worst of all is the
    exit code of the run; that is 7 where an apply wrote to some portals and failed in others.
    """


def fleet_options(function: F) -> F:
    """What every run over a fleet takes."""
    directory = click.Path(path_type=Path, file_okay=False)
    options: tuple[Callable[[F], F], ...] = (
        click.argument("directories", nargs=-1, metavar="[SPECS-DIRECTORY]...", type=directory),
        click.option("--portals", multiple=True, metavar="GLOB", help="Portals by name, or all; repeatable."),
        click.option(
            "--in-flight", type=click.IntRange(1, 256), default=14, show_default=True, help="So many at once."
        ),
        click.option("--shard", metavar="I/N", help="Only the I-th of N equal parts; the same on every machine."),
        click.option(
            "--resume", type=_file(), metavar="FILE", help="Leave out what an earlier run has done by the same specs."
        ),
        document_options,
        only_option,
        common_options,
        _with_session,
    )
    for option in options:
        function = option(function)
    return function


def _with_session(function: F) -> F:
    return click.pass_obj(function)  # type: ignore[return-value]


def _file() -> click.Path:
    return click.Path(path_type=Path, dir_okay=False)


@command.command("plan", epilog="Example: reconciler fleet plan --portals 'client-*' --plans plans -o jsonl")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when a portal would change.")
@click.option("--plans", type=click.Path(path_type=Path, file_okay=False), help="Save each plan here, as PORTAL.json.")
@fleet_options
def plan(session: Session, detailed_exitcode: bool, plans: Path | None, **options: Any) -> int:
    """Show what would change in each portal; writes to none."""
    from reconciler.fleet_run import Workshop
    from reconciler.planning import Wishes

    workshop = Workshop(session.now, Wishes(options["only"], detailed=detailed_exitcode), kept=plans is not None)
    if plans is not None:
        plans.mkdir(parents=True, exist_ok=True)
    with running(session, "plan", options) as run:
        return run.report(run.over([run.members], workshop.plan, keep=_saver(plans)), workshop)


@command.command("drift", epilog="Example: reconciler fleet drift --in-flight 32 -o markdown:fleet.md")
@click.option("--fail-on", type=click.Choice(LEVELS), help="As for drift.")
@fleet_options
def drift(session: Session, fail_on: str | None, **options: Any) -> int:
    """Tell what moved in each portal since its last accept, and who moved it."""
    from reconciler.fleet_run import Workshop
    from reconciler.planning import Wishes

    workshop = Workshop(session.now, Wishes(options["only"], fail_on=fail_on or ""))
    with running(session, "drift", options) as run:
        return run.report(run.over([run.members], workshop.drift), workshop)


@command.command("apply", epilog="Example: reconciler fleet apply --canary sandbox --wave 20 --plans plans")
@click.option("--canary", multiple=True, metavar="NAME", help="These portals first; if one fails, no other is begun.")
@click.option("--wave", type=click.IntRange(1), default=25, show_default=True, help="So many portals before the next.")
@click.option(
    "--max-failures", type=click.IntRange(0), default=0, show_default=True, help="Stop after more than these."
)
@click.option("--plans", type=click.Path(path_type=Path, file_okay=False), help="Apply exactly the plans saved here.")
@allow_option
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@fleet_options
def apply(
    session: Session,
    canary: tuple[str, ...],
    wave: int,
    max_failures: int,
    plans: Path | None,
    allow: tuple[str, ...],
    auto_approve: bool,
    **options: Any,
) -> int:
    """Make every portal as its specs, or its saved plan, say: canaries first, then in waves."""
    from dataclasses import replace

    from reconciler import fleet
    from reconciler.cli.apply import stopping
    from reconciler.fleet_run import Workshop
    from reconciler.planning import Wishes

    if plans is None and not auto_approve and not session.interactive:
        hint = "save plans with `fleet plan --plans DIR`, review them and give --plans DIR; or give --auto-approve"
        raise UsageError("nobody is there to approve the plans", hint=hint)
    if plans is not None and options["only"]:
        raise UsageError("--only belongs to the plan, not to its apply")
    workshop = Workshop(session.now, Wishes(options["only"], allow))
    with stopping() as stopped, running(session, "apply", {**options, "plans": plans}, stopped) as run:
        fleet.chosen(run.named, canary)  # one may be done already, or in another shard
        waves = fleet.waves(run.members, canary, wave)
        workshop = replace(workshop, cancelled=lambda: stopped.name)
        if plans is None and not auto_approve:
            workshop = replace(workshop, reviewed=_reviewed(run, workshop))
        stopped.writing = True
        job = workshop.apply if plans is None else _from_plans(workshop, plans)
        canaries = frozenset(member.name for member in run.named if fleet.named(member, canary))
        return run.report(run.over(waves, job, canaries=canaries, most_failures=max_failures), workshop)


@command.command("merge", epilog="Example: reconciler fleet merge shard-*.json -o markdown:fleet.md")
@click.argument("files", nargs=-1, required=True, type=_file())
@document_options
@common_options
@click.pass_obj
def merge(session: Session, files: tuple[Path, ...]) -> int:
    """Join the JSON reports of the shards of one run into one report."""
    from reconciler import fleet
    from reconciler.approval import read_json
    from reconciler.report import check_version

    session.kind = "fleet"
    documents = [(str(file), check_version(read_json(file), str(file))) for file in files]
    for where, document in documents:
        if document.get("kind") != "fleet":
            raise UsageError(f"{where} is no report of a fleet", where=where, hint="make it with -o json:FILE")
    return session.emit(fleet.merged(documents, session.now()))


# --- one run ---------------------------------------------------------------------------------------------------------


class FleetRun:
    """The portals of a run, its journal, and what is told while it goes on."""

    def __init__(
        self, session: Session, name: "Command", options: Mapping[str, Any], stopped: "Stop | None" = None
    ) -> None:
        from reconciler import fleet, fleet_run

        self.session, self.name, self.stopped = session, name, stopped
        session.begun = {"command": name, "shards": [], "portals": [], "summary": {"portals": 0}}
        self.in_flight: int = options["in_flight"]
        self.only: tuple[str, ...] = options["only"]
        self.shard = fleet.Shard.parse(options["shard"]) if options["shard"] else None
        session.begun["shards"] = [str(self.shard)] if self.shard else []
        directories = options["directories"] or (session.specs,)
        portal = session.options.get("portal")
        patterns = (*options["portals"], *([portal] if portal else []))
        self.named = fleet.chosen(_members(directories), patterns)
        everybody = [member for member in self.named if self.shard is None or self.shard.holds(member)]
        before = fleet_run.read_journal(options["resume"]) if options["resume"] else {}
        ended = fleet_run.finished(before, name, everybody, options["only"], options.get("plans"))
        self.members = [member for member in everybody if member.name not in ended]
        self.resumed = [before[member.name] for member in everybody if member.name in ended]
        self.state = Path(directories[0]).resolve().parent / ".reconciler" / "fleet"
        self.lost: list[Json] = []  # errors about lines that could not be written
        self.lines = [output for output in session.outputs if output.format == LINES]
        session.outputs = tuple(output for output in session.outputs if output.format != LINES)

    def over(
        self, waves: "Sequence[Sequence[Member]]", job: "Job", command: "Command | None" = None, **how: Any
    ) -> "list[Mapping[str, Json]]":
        """Goes through the portals; each result is in the journal before the next one is looked at."""
        from reconciler.fleet_run import Journal, Run
        from reconciler.render.words import counted

        name = command or self.name
        stamp = self.session.now().strftime("%Y%m%dT%H%M%S.%f")
        stop = self.stopped
        with ExitStack() as files:
            journal = files.enter_context(Journal.begun(self.state / f"{name}-{stamp}.jsonl"))
            many = f"{counted(len(self.members), 'portal')}, {self.in_flight} at once"
            self.session.note(f"{name}: {many}; journal {_shown(journal)}")
            told = files.enter_context(self._telling(name, journal))
            run = Run(
                name,
                job,
                self.session.now,
                self.in_flight,
                told,
                cancelled=lambda: stop.name if stop else "",
                only=self.only,
                **how,
            )
            return run.over(waves)

    @contextmanager
    def _telling(self, name: "Command", journal: "Journal") -> "Iterator[Callable[[Mapping[str, Json]], None]]":
        """Writes a line a portal as it finishes, and a progress bar on a terminal."""
        lines = self.lines if name == self.name else []
        hidden = self.session.quiet or not sys.stderr.isatty()
        with ExitStack() as files:
            streams = [
                files.enter_context(open(output.file, "w", encoding="utf-8")) if output.file else sys.stdout
                for output in lines
            ]
            bar = files.enter_context(
                click.progressbar(length=len(self.members), label=name, file=sys.stderr, hidden=hidden)
            )
            open_ = [journal.stream, *streams]

            def told(result: "Mapping[str, Json]") -> None:
                for stream in list(open_):
                    if not self._told(result, stream):
                        open_.remove(stream)
                with suppress(OSError):
                    bar.update(1)

            yield told

    def _told(self, result: "Mapping[str, Json]", stream: IO[str]) -> bool:
        """Whether a line could be written. Where it could not, the run goes on and its report says so."""
        from reconciler.render.jsonl import line
        from reconciler.report import error_json

        try:
            click.echo(line(result), file=stream)
        except OSError as error:
            if isinstance(error, BrokenPipeError) and self.name != "apply":
                raise  # nobody reads any more, and nothing is lost
            if stream is not sys.stdout:
                with suppress(OSError):
                    stream.close()
            where, code = str(stream.name), "partial" if self.name == "apply" else "usage"
            hint = "the report holds all of it" if stream is sys.stdout else "a resume knows nothing of what came next"
            self.lost.append(error_json(code, f"cannot write {where}: {error.strerror}", where, hint))
            return False
        return True

    def report(self, results: "Sequence[Mapping[str, Json]]", workshop: "Workshop") -> int:
        """The one report of the run."""
        from reconciler.errors import ExitCode
        from reconciler.fleet import fleet_document
        from reconciler.report import with_errors

        shards = [str(self.shard)] if self.shard else []
        ends = [ExitCode.named(self.stopped.name)] if self.stopped and self.stopped.name else []
        document = fleet_document(self.name, [*self.resumed, *results], self.session.now(), shards, ends)
        document = with_errors(document, [*self.lost, *self._unknown(workshop)])
        if any(output.file is None for output in self.lines):
            return self.session.emit_files(document)
        return self.session.emit(document)

    def _unknown(self, workshop: "Workshop") -> "list[Json]":
        """What `--only` names and no portal has; of a part of the fleet nobody can say that."""
        if self.shard or self.resumed:
            return []
        from reconciler.report import error_json

        return [error_json(one.code, str(one), hint=one.hint) for one in workshop.sought.errors]


@contextmanager
def running(
    session: Session, name: "Command", options: Mapping[str, Any], stopped: "Stop | None" = None
) -> Iterator[FleetRun]:
    """A run over the portals that the options name."""
    session.kind = "fleet"
    yield FleetRun(session, name, options, stopped)


def _members(directories: Sequence[Path]) -> "list[Member]":
    from reconciler import fleet
    from reconciler.settings import load

    return fleet.members({directory: load(directory) for directory in dict.fromkeys(directories)})


def _shown(journal: "Journal") -> str:
    try:
        return journal.path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return journal.path.as_posix()


def _saver(directory: Path | None) -> "Callable[[Member, Document], None]":
    """Keeps each plan that could be made in a file of its portal's name; of one that could not, no older one stays."""

    def keep(member: "Member", document: "Document") -> None:
        if directory is None:
            return
        from reconciler.fleet_run import plan_file

        file = plan_file(directory, member)
        if "changes" not in document:
            file.unlink(missing_ok=True)
            return
        from reconciler.render import FORMATS
        from reconciler.render.style import Style

        file.write_text(FORMATS["json"](document, Style()), "utf-8")

    return keep


def _from_plans(workshop: "Workshop", directory: Path) -> "Job":
    from reconciler.fleet_run import plan_file

    def job(member: "Member") -> "Document":
        return workshop.apply_saved(member, plan_file(directory, member))

    return job


def _reviewed(run: FleetRun, workshop: "Workshop") -> "dict[str, Mapping[str, Json]]":
    """Shows what every portal's plan comes to, asks, and gives what was seen of each."""
    from reconciler.fleet import fleet_document
    from reconciler.render import FORMATS
    from reconciler.render.words import counted

    results = run.over([run.members], workshop.plan, "plan")
    document = fleet_document("plan", results, run.session.now())
    click.echo(FORMATS["text"](document, run.session.style(sys.stderr)), err=True, nl=False, color=True)
    changing = [one["name"] for one in results if one["verdict"] == "differs"]
    if changing:
        click.confirm(f"Apply these plans to {counted(len(changing), 'portal')}?", abort=True, err=True)
    return {one["name"]: one for one in results}
