"""``reconciler demo``."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.session import Session, common_options
from reconciler.errors import ExitCode

COLLEAGUE = "1002"


@dataclass(frozen=True, slots=True)
class Step:
    """One scene: what is going on, what a user would type, and the exit code that belongs to it."""

    title: str
    words: tuple[str, ...] = ()
    exit_code: int = 0
    happens: Callable[[Path], None] | None = None


def hubspot_and_a_colleague(state: Path) -> None:
    """What happens to a portal between two looks."""
    from reconciler.emulator import Portal, edit, release

    portal = Portal.open(state)
    release(portal, "deprecated")
    release(portal, "option-added")
    edit(portal, "relabel", object="contacts", property="cs_plan_tier", label="Tier (old)")
    edit(portal, "add-option", object="contacts", property="hs_lead_status", value="RECYCLED", label="Recycled")


STORY = (
    Step("A RevOps engineer starts a directory of specs", ("init",)),
    Step("What would change in the portal?", ("plan", "--detailed-exitcode"), 2),
    Step("Make it so", ("apply", "--auto-approve")),
    Step("Is there anything left to do?", ("plan", "--detailed-exitcode")),
    Step(
        "A week passes. HubSpot ships a release that touches its own properties;\n"
        "a colleague relabels one of ours, and adds an option to one of HubSpot's",
        happens=hubspot_and_a_colleague,
    ),
    Step("The scheduled check: what moved, and who moved it?", ("drift",), 2),
    Step("The colleague's label was a mistake: put ours back", ("apply", "--auto-approve")),
    Step("The rest is fine: accept it", ("accept", "--all", "--reason", "HubSpot's release, and Recycled is wanted")),
    Step("Quiet again", ("drift",)),
)


@click.command(epilog="Example: reconciler demo")
@common_options
@click.pass_obj
def command(session: Session) -> int:
    """Show plan, apply and drift on an embedded portal: no token, no network, only a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder, inside(Path(folder)):
        for number, step in enumerate(STORY, 1):
            code = play(number, step, session)
            if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
                return code
            if code != step.exit_code:
                click.echo(f"the demo went wrong: exit {code} instead of {step.exit_code}", err=True)
                return 1
    say("\nThat is all of it. Next: reconciler init, then reconciler plan.", session)
    return 0


def say(text: str, session: Session, **look: object) -> None:
    """A line of the story."""
    import sys

    click.secho(text, color=session.color(sys.stdout), **look)  # type: ignore[arg-type]


def play(number: int, step: Step, session: Session) -> int:
    """One scene."""
    from reconciler.cli import run

    say(f"\n{number}. {step.title}", session, bold=True)
    if step.happens is not None:
        step.happens(Path(".reconciler/demo.json"))
        return 0
    shown = [word if word.isascii() and " " not in word else f'"{word}"' for word in step.words]
    say(f"\n$ reconciler {' '.join(shown)}\n", session, fg="cyan")
    return run(["-q", "--no-input", "--color", session.options.get("color", "auto"), *step.words])


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Works in a folder, free of the settings of whoever runs the demo."""
    before = Path.cwd()
    names = [name for name in os.environ if name.startswith("RECONCILER_")]
    kept = {name: os.environ.pop(name) for name in names}
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.update(kept)
