"""The command line: the only place that prints, prompts, reads the environment, and exits."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

import click

from reconciler import VERSION
from reconciler.cli.session import Session, columns, common_options
from reconciler.errors import ExitCode, ReconcilerError, UsageError, worst

if TYPE_CHECKING:
    from reconciler.pace import Clock

# Name, module, and what `--help` says; kept here so that help imports no command.
COMMANDS = {
    "init": ("init", "Start a specs directory."),
    "validate": ("validate", "Check the specs offline: every problem at once."),
    "plan": ("plan", "Show what would change in the portal; writes nothing."),
    "diff": ("diff", "Compare the specs of two commits, without any token."),
    "apply": ("apply", "Make the portal as the specs, or a saved plan, say."),
    "drift": ("drift", "Tell what moved without us, and who moved it."),
    "ci": ("ci", "The same on GitHub, GitLab, Azure and Bitbucket."),
    "accept": ("accept", "Move the baseline to what is live."),
    "adopt": ("adopt", "Move the specs to what is live, edited in place."),
    "explain": ("explain", "Tell all about one definition, and what a plan would do."),
    "coverage": ("coverage", "Tell how much of the portal the specs hold."),
    "import": ("import_", "Write specs and a baseline from a portal."),
    "show": ("show", "Render a saved document again, offline."),
    "fleet": ("fleet", "Plan, check or apply many portals in one run."),
    "snapshot": ("snapshot", "Record a read of the portal in a file."),
    "schema": ("schema", "Print the JSON Schema of specs or of documents."),
    "doctor": ("doctor", "Check token, scopes, limits and clock, with fixes."),
    "emulator": ("emulator", "Serve the embedded portal over HTTP on loopback."),
    "demo": ("demo", "The whole story on an embedded portal, in seconds."),
}


class LazyCommands(click.Group):
    """Loads a command's module when that command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of a user's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, loaded now."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"reconciler.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant; for a misspelt one, the nearest names."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 2)
            hint = f" Did you mean {' or '.join(near)}?" if near and "Did you mean" not in error.message else ""
            raise click.UsageError(error.message + hint, ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands with one line each."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


EPILOG = "Begin with `reconciler demo`, then `reconciler init`. Exit codes and formats: see the README."


@click.group(
    cls=LazyCommands,
    epilog=EPILOG,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": None,
        "terminal_width": max(min(columns(), 80) - 2, 50),  # as click has it, which loads three libraries to know it
    },
)
@click.version_option(VERSION, message="reconciler %(version)s")
@common_options
def group() -> None:
    """Keeps a HubSpot portal's configuration in git: plan, apply, and drift that says who moved it."""


def run(argv: Sequence[str], clock: "Clock | None" = None) -> int:
    """Runs one command and gives its exit code, whatever happens; it waits by the real time or by another clock."""
    return run_in(Session(argv, clock))


def run_in(session: Session) -> int:
    """Runs the command of a session that somebody keeps; what it read lives as long as that."""
    try:
        code = group.main(list(session.argv), prog_name="reconciler", standalone_mode=False, obj=session)
        sys.stdout.flush()
        return int(code or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return int(ExitCode.USAGE)
    except click.ClickException as error:
        wrong = _elsewhere(error) if isinstance(error, click.NoSuchOption) else error
        wrong.show()
        return session.failed("usage", wrong.format_message())
    except (click.Abort, KeyboardInterrupt):
        click.echo("cancelled", err=True)
        return session.failed("interrupted", "cancelled")
    except (BrokenPipeError, SystemExit):  # click leaves by sys.exit(1) when nobody reads any more
        return _unread(session)
    except ReconcilerError as error:
        session.explain(error)
        return session.failed(error.code, str(error), error.where, error.hint, error.correlation_id)
    except OSError as error:
        where = str(error.filename or "")
        told = UsageError(f"{where}: {error.strerror}" if where else str(error), where=where)
        session.explain(told)
        return session.failed(told.code, str(told), where) if session.code is None else _untold(session.code, session)
    except Exception as error:
        return _bug(error, session)


def _elsewhere(error: click.NoSuchOption) -> click.ClickException:
    """An option that other commands have is no misspelling of one of this command's."""
    commands = {name: command for name in COMMANDS if (command := group.get_command(click.Context(group), name))}
    takers = [
        name for name, command in commands.items() if any(error.option_name in one.opts for one in command.params)
    ]
    if not takers:
        return error
    from reconciler.wording import enumerated

    named = enumerated([f"`reconciler {name}`" for name in takers])
    takes = "takes" if len(takers) == 1 else "take"
    return click.UsageError(f"No such option {error.option_name!r} here; {named} {takes} it.", error.ctx)


def _unread(session: Session) -> int:
    """Somebody stopped reading: what the run came to, if it got so far, else that it was cut off."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
    return int(ExitCode.INTERRUPTED) if session.code is None else session.code


def _untold(code: int, session: Session) -> int:
    """The run came to its end, and what it came to could not be told on stdout."""
    return int(worst([ExitCode(code), ExitCode.PARTIAL if session.wrote else ExitCode.USAGE]))


def _bug(error: Exception, session: Session) -> int:
    from traceback import format_exc  # loads a parser of Python

    from reconciler.render.escape import terminal  # what HubSpot said may be in it

    text = f"internal error: {type(error).__name__}: {error}"
    hint = "this is a bug; run again with -v and report what it prints"
    said = format_exc() if session.verbose else hint
    with suppress(OSError):
        click.echo("\n".join([terminal(text), *map(terminal, said.splitlines())]), err=True)
    return session.failed("internal", text, hint=hint)
