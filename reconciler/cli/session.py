"""What every command shares: options, streams, the workspace, and how documents leave the program."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from reconciler.client import Reader
    from reconciler.model import Json
    from reconciler.pace import Clock
    from reconciler.snapshot_file import RecordedRead
    from reconciler.spec import Spec
    from reconciler.workspace import Workspace

# The formats of `reconciler.render`, which help does not load: those of every document, and those of changes alone.
OF_ALL = ("text", "json", "jsonl", "markdown", "html", "sarif", "junit", "github", "gitlab-codequality")
OF_CHANGES = ("gitlab-terraform",)

F = TypeVar("F", bound=Callable[..., Any])


class Session:
    """One run of the command line."""

    def __init__(self, argv: Sequence[str], clock: "Clock | None" = None) -> None:
        self.argv = tuple(argv)
        self._clock = clock
        self.options: dict[str, Any] = {}
        self.outputs: tuple[Output, ...] = ()
        self.kind = "plan"
        self.begun: dict[str, Any] = {}  # what a document of this kind says beside an error that ends the run
        self.code: int | None = None  # of the document that was told
        self.wrote = False  # whether that document tells of writes to a portal
        self.unwritten = False  # whether a file that was asked for could not be written
        self.kept: list[object] = []  # values that would take long to take apart; the process may end before

    @property
    def verbose(self) -> bool:
        """Whether more should be said on stderr."""
        return bool(self.options.get("verbose"))

    @property
    def quiet(self) -> bool:
        """Whether stderr should stay silent but for errors."""
        return bool(self.options.get("quiet"))

    @property
    def specs(self) -> "Path":
        """The directory of specs and settings."""
        from pathlib import Path  # not loaded for `--help`, which it would slow by a tenth

        return Path(self.options.get("specs") or os.environ.get("RECONCILER_SPECS") or "specs")

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin.isatty() and not self.options.get("no_input")

    def note(self, text: str) -> None:
        """A line about progress, on stderr."""
        if not self.quiet:
            with suppress(OSError):  # nobody reads it, which ends no run
                click.echo(text, err=True)

    def now(self) -> "datetime":
        """The time of this run."""
        from datetime import UTC, datetime

        return datetime.now(UTC)

    def style(self, stream: Any) -> Any:
        """How text may look on a stream."""
        from reconciler.render.style import Style

        encoding = (getattr(stream, "encoding", "") or "ascii").lower()
        return Style(color=self.color(stream), width=min(columns(), 160), unicode=encoding.startswith("utf"))

    def color(self, stream: Any) -> bool:
        """Whether a stream takes colour: the option first, then NO_COLOR and FORCE_COLOR, then a terminal not dumb."""
        choice = self.options.get("color", "auto")
        if choice != "auto":
            return bool(choice == "always")
        if os.environ.get("NO_COLOR"):
            return False
        terminal = bool(getattr(stream, "isatty", lambda: False)()) and os.environ.get("TERM") != "dumb"
        return terminal or bool(os.environ.get("FORCE_COLOR"))

    def workspace(self) -> "Workspace":
        """The directory and the portal that this run is about."""
        from reconciler.settings import load
        from reconciler.workspace import Workspace

        settings = load(self.specs)
        name = self.options.get("portal") or os.environ.get("RECONCILER_PORTAL")
        return Workspace(self.specs, settings, settings.portal(name), chosen_clock=self._clock)

    def emit(self, document: "Mapping[str, Json]") -> int:
        """Writes a document in every format that was asked for; the exit code is the document's own."""
        from reconciler.render import FORMATS

        document = self._filed(document)
        self.kept.append(document)
        for name in [output.format for output in self.outputs if output.file is None] or ["text"]:
            click.echo(FORMATS[name](document, self.style(sys.stdout)), nl=False, color=True)
        return int(document["exit"]["code"])

    def emit_findings(self, document: "Mapping[str, Json]") -> int:
        """Writes what is wrong with the specs; whoever asked for counts of changes on stdout reads it on stderr."""
        counted = _counted(self.outputs)
        self.outputs = tuple(output for output in self.outputs if output not in counted)
        if all(output.file is not None for output in counted):
            return self.emit(document)
        from reconciler.render import FORMATS

        click.echo(FORMATS["text"](document, self.style(sys.stderr)), err=True, nl=False, color=True)
        return self.emit_files(document)

    def emit_files(self, document: "Mapping[str, Json]") -> int:
        """Writes a document where files were asked for; stdout already has what was asked for there."""
        return int(self._filed(document)["exit"]["code"])

    def _filed(self, document: "Mapping[str, Json]") -> "Mapping[str, Json]":
        """The document once it is in files; a file that cannot be written is an error that all others tell."""
        from reconciler import report
        from reconciler.render import FORMATS

        self.wrote = report.may_have_written(document)
        self.code = document["exit"]["code"]
        failures = []
        for output in self.outputs:
            try:
                if output.file is not None:
                    write(output.file, FORMATS[output.format](document, self.style(None)))
            except UsageError as error:
                self.explain(error)
                self.unwritten = True
                self.outputs = tuple(one for one in self.outputs if one is not output)
                code, hint = ("partial", "what was applied is applied") if self.wrote else (error.code, error.hint)
                failures.append(report.error_json(code, str(error), error.where, hint))
        return self._filed(report.with_errors(document, failures)) if failures else document

    def failed(self, code: str, message: str, where: str = "", hint: str = "", correlation_id: str = "") -> int:
        """The exit code of a run that ends with an error; whoever asked for a document gets one."""
        from reconciler.errors import ExitCode

        formats = tuple(output for output in self.outputs if output.format == "json")
        if formats and self.code is None:
            from reconciler import report

            error = report.error_json(code, message, where, hint, correlation_id)
            self.outputs = formats
            document = {**report.error_document(self.kind, [error], self.now()), **self.begun}
            return self.emit(document) if any(one.file is None for one in formats) else self.emit_files(document)
        return int(ExitCode.named(code))

    def explain(self, error: ReconcilerError) -> None:
        """An error as a person reads it: what, where, and the way out."""
        from reconciler.render.escape import terminal

        said = "\n".join(map(terminal, str(error).splitlines()))
        lines = [f"{click.style('error', fg='red', bold=True)}: {said}"]
        if error.where and error.where not in str(error):
            lines.append(f"  at {terminal(error.where)}")
        if error.hint and error.hint not in str(error):
            lines.append(f"  {terminal(error.hint)}")
        if error.correlation_id:
            lines.append(f"  correlation id {terminal(error.correlation_id)}")
        with suppress(OSError):  # of stderr, there is nowhere to say it
            click.echo("\n".join(lines), err=True, color=self.color(sys.stderr))


class Output(NamedTuple):
    """One ``-o``: a format, and a file or stdout."""

    format: str
    file: "Path | None"

    @classmethod
    def parse(cls, text: str, formats: Sequence[str]) -> "Output":
        """``FORMAT`` or ``FORMAT:FILE``, of the formats that a command's document can have."""
        name, colon, file = text.partition(":")
        if name in OF_CHANGES and name not in formats:
            raise click.UsageError(f"{name} shows what a plan or an apply changes; use gitlab-codequality or junit")
        if name not in formats or (colon and not file):
            from difflib import get_close_matches

            near = get_close_matches(name, formats, 1)
            hint = f" Did you mean {near[0]}?" if near and name not in formats else ""
            raise click.BadParameter(f"{text!r} is not FORMAT or FORMAT:FILE, of {', '.join(formats)}.{hint}")
        return cls(name, writable(_path(file)) if file else None)


def _counted(outputs: "Sequence[Output]") -> "list[Output]":
    return [output for output in outputs if output.format in OF_CHANGES]


def columns() -> int:
    """How wide the terminal is. ``shutil`` knows, too, but loads three libraries for compression first."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 100  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return 100


def _path(name: str) -> "Path":
    from pathlib import Path

    return Path(name)


def writable(file: "Path") -> "Path":
    """A file to write, refused before the run begins: after an apply it would be too late to say so."""
    if not file.parent.is_dir():
        raise UsageError(f"cannot write {file}: there is no directory {file.parent}", where=str(file))
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise UsageError(f"cannot write {file}", where=str(file), hint="name a file that can be written")
    return file


def write(file: "Path", text: str) -> None:
    """Puts a text into a file that was asked for, whole or not at all where that is possible."""
    replaceable = os.access(file.resolve().parent, os.W_OK) and (file.is_file() or not file.exists())
    if replaceable:
        from reconciler import small_files

        small_files.write({file: text})
        return
    try:  # a pipe, a device, or a file in a directory of somebody else's
        file.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}", where=str(file)) from error


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Keeps a global option, given before or after the command; the later one holds."""
    given = ctx.get_parameter_source(param.name or "")
    if given is not click.core.ParameterSource.DEFAULT:
        session: Session = ctx.find_root().obj
        session.options[str(param.name)] = value


PORTAL = click.option("-p", "--portal", metavar="NAME", help="Portal of the settings (env RECONCILER_PORTAL).")


def common_options(command: F) -> F:
    """The options that work before and after every command."""
    return _silent(PORTAL)(shared_options(command))


def shared_options(command: F) -> F:
    """The same, for commands that take several portals."""
    for option in reversed(
        (
            click.option("--specs", metavar="DIR", help="Specs directory (default: specs; env RECONCILER_SPECS)."),
            click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour."),
            click.option("--no-input", is_flag=True, help="Never ask."),
            click.option("-q", "--quiet", is_flag=True, help="Only results and errors."),
            click.option("-v", "--verbose", is_flag=True, help="Say more on stderr."),
        )
    ):
        command = _silent(option)(command)
    return command


def _silent(option: Callable[[F], F]) -> Callable[[F], F]:
    """The same option, kept in the session instead of handed to the function."""

    def decorated(command: F) -> F:
        decorated_command = option(command)
        parameters = getattr(decorated_command, "__click_params__", None) or decorated_command.params  # type: ignore[attr-defined]
        parameters[-1].callback = _remember
        parameters[-1].expose_value = False
        return decorated_command

    return decorated


def document_options(command: F) -> F:
    """``-o``, for every command that ends with a document."""
    return _output_option(OF_ALL)(command)


def change_document_options(command: F) -> F:
    """``-o``, for the commands whose document may be one of changes."""
    return _output_option((*OF_ALL, *OF_CHANGES))(command)


def _output_option(formats: Sequence[str]) -> Callable[[F], F]:
    def outputs(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
        session: Session = ctx.find_root().obj
        given = tuple(Output.parse(text, formats) for text in value)
        if sum(output.file is None for output in given) > 1:
            raise click.UsageError("two formats on stdout; give all but one a file: -o FORMAT:FILE")
        session.outputs = given

    return click.option(
        "-o",
        "output",
        multiple=True,
        metavar="FORMAT[:FILE]",
        callback=outputs,
        expose_value=False,
        is_eager=True,
        help=f"{', '.join(formats[:-1])} or {formats[-1]}; repeatable. With :FILE the text stays on stdout.",
    )


def snapshot_option(command: F) -> F:
    """``--from-snapshot``, for every command that can work on a recorded read."""
    from pathlib import Path

    return click.option(
        "--from-snapshot",
        metavar="FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Work on a recorded read instead of the network.",
    )(command)


def only_option(command: F) -> F:
    """``--only``, for partial runs."""
    return click.option(
        "--only", multiple=True, metavar="ADDRESS-GLOB", help="Nothing but these addresses; * stays in one segment."
    )(command)


def allow_option(command: F) -> F:
    """``--allow``, for every command that may destroy something."""
    return click.option(
        "--allow", multiple=True, metavar="ADDRESS", help="Consent to the destruction of exactly this."
    )(command)


def consent_options(command: F) -> F:
    """What a plan and its apply are told alike, here and in pipelines."""
    for option in (
        click.option(
            "--on-conflict", type=click.Choice(["spec", "live"]), help="Who wins where spec and portal both moved."
        ),
        click.option("--allow-forget", is_flag=True, help="Consent to specs that lost most of their entries."),
        allow_option,
    ):
        command = option(command)
    return command


def _classes(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """The drift classes that are meant; ``vendor`` stands for all that begin so."""
    from fnmatch import fnmatchcase

    from reconciler.drift import SEVERITY
    from reconciler.wording import did_you_mean

    found: list[str] = []
    for pattern in value:
        meant = [name for name in SEVERITY if fnmatchcase(name, pattern) or name.startswith(pattern + ".")]
        if not meant:
            hint = did_you_mean(pattern, SEVERITY) or f"one of {', '.join(SEVERITY)}"
            raise click.BadParameter(f"there is no class of drift {pattern!r}; {hint}")
        found += meant
    return tuple(dict.fromkeys(found))


def class_option(command: F) -> F:
    """``--class``, for the ways out of drift."""
    return click.option(
        "--class",
        "classes",
        multiple=True,
        metavar="CLASS",
        callback=_classes,
        help="Only drift of this class, such as vendor.added, or vendor for all of HubSpot's; repeatable.",
    )(command)


def source_of(workspace: "Workspace", from_snapshot: "Path | None") -> "RecordedRead | Reader":
    """What answers the reads of a command: the portal, or a file."""
    if from_snapshot is not None:
        from reconciler.snapshot_file import load

        return load(from_snapshot)
    return workspace.connect().reader()


def sound_spec(workspace: "Workspace", session: Session) -> "Spec":
    """The specs, or the end of the run: nothing is asked of a portal for specs that are wrong."""
    from reconciler import spec as specs

    if workspace.baseline is not None and not specs.has_specs(workspace.directory):
        return specs.nothing(workspace.settings)  # an import that found nothing to declare
    spec = specs.load(workspace.directory, workspace.portal.name)
    errors = [finding for finding in spec.findings if finding.severity == "error"]
    if errors:
        from reconciler import report

        document = report.validate_document(spec.findings, spec.files_json, len(spec.desired), session.now())
        raise Finished(session.emit_findings(document))
    return spec


class Finished(click.exceptions.Exit):
    """The run is over, with this exit code."""
