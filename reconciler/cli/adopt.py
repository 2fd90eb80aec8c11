"""``reconciler adopt``."""

from pathlib import Path

import click

from reconciler.cli.session import Session, common_options, snapshot_option, sound_spec, source_of
from reconciler.errors import ExitCode


@click.command(epilog="Example: reconciler adopt properties/contacts/cs_plan_tier --dry-run")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS-GLOB]...")
@click.option("--dry-run", is_flag=True, help="Print the edits as a diff, and write nothing.")
@snapshot_option
@common_options
@click.pass_obj
def command(session: Session, addresses: tuple[str, ...], dry_run: bool, from_snapshot: Path | None) -> int:
    """Move the specs to what is live, edited in place; without addresses, whatever drifted of what they declare."""
    from reconciler.adopt_run import planned, write
    from reconciler.render.escape import terminal

    workspace = session.workspace()
    spec = sound_spec(workspace, session)
    source = source_of(workspace, from_snapshot)
    workspace.check_identity(source)
    adoption = planned(workspace, spec, source, addresses)
    for refusal in adoption.refused:
        click.echo(f"error: {terminal(refusal)}", err=True)
    if dry_run:
        for file in adoption.files:
            click.echo("\n".join(map(terminal, file.diff.splitlines())))
    else:
        write(workspace, adoption)
        for file in adoption.files:
            count = len(file.addresses)
            click.echo(f"{file.path.as_posix()}: {count} definition{'' if count == 1 else 's'} adopted")
        for address in adoption.gone:
            session.note(f"  {terminal(address)} is gone from the portal, and so from the specs")
    if not adoption.files and not adoption.refused:
        click.echo("The specs say what is live; nothing to adopt.")
    return int(ExitCode.USAGE if adoption.refused else ExitCode.OK)
