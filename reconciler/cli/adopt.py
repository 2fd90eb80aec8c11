"""``reconciler adopt``."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.session import (
    Session,
    class_option,
    common_options,
    snapshot_option,
    sound_spec,
    source_of,
)
from reconciler.errors import ExitCode

if TYPE_CHECKING:
    from reconciler.adopt_run import Adoption

MOST = 5  # definitions that are named


@click.command(epilog="Example: reconciler adopt properties/contacts/cs_plan_tier --dry-run")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS-GLOB]...")
@class_option
@click.option("--dry-run", is_flag=True, help="Print the edits as a diff, and write nothing.")
@snapshot_option
@common_options
@click.pass_obj
def command(
    session: Session,
    addresses: tuple[str, ...],
    classes: tuple[str, ...],
    dry_run: bool,
    from_snapshot: Path | None,
) -> int:
    """Move the specs to what is live, edited in place; without addresses, whatever drifted of what they declare."""
    from reconciler.adopt_run import planned, write
    from reconciler.exclusion import exclusive

    workspace = session.workspace()
    with nullcontext() if dry_run else exclusive(workspace, "adopt of", specs=True):
        spec = sound_spec(workspace, session)
        source = source_of(workspace, from_snapshot)
        workspace.check_identity(source)
        adoption = planned(workspace, spec, source, addresses, classes, session.now().date())
        if not dry_run:
            write(workspace, adoption, session.now())
    _tell(session, adoption, dry_run, workspace.command("plan"))
    return int(ExitCode.USAGE if adoption.refused else ExitCode.OK)


def _tell(session: Session, adoption: "Adoption", dry_run: bool, plan: str) -> None:
    """The edits as a diff, what is gone, what was refused and why."""
    from reconciler.render.escape import terminal

    for file in adoption.files:
        for line in map(terminal, file.diff.splitlines()):
            color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            click.echo(click.style(line, fg=color), color=session.color(sys.stdout))
    for file in adoption.files:
        count = len(file.addresses)
        would = "would be adopted" if dry_run else "adopted"
        click.echo(f"{file.path.as_posix()}: {count} definition{'' if count == 1 else 's'} {would}")
    for address in adoption.gone:
        session.note(f"  {terminal(address)} is gone from the portal, and so from the specs")
    for address, why in adoption.refused.items():
        click.echo(f"error: {terminal(address)}: {terminal(why)}", err=True)
    if not adoption.files and not adoption.refused:
        moved = ", and the baseline agrees now" if adoption.taken and not dry_run else "; nothing to adopt"
        if not adoption.otherwise:
            click.echo(f"The specs say what is live{moved}.")
            return
        names, more = adoption.otherwise[:MOST], len(adoption.otherwise) - MOST
        listed = f"{', '.join(map(terminal, names))}{f' and {more} more' if more > 0 else ''}"
        number = f"{len(adoption.otherwise)} definition{'' if len(adoption.otherwise) == 1 else 's'}"
        click.echo(f"Nothing drifted of what is declared{moved}.")
        click.echo(f"The specs want {number} otherwise than live, as `{plan}` tells: {listed}")
        click.echo("Whoever wants what is live there names it: without an address only drift is adopted.")
