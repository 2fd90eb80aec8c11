"""``reconciler accept``."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.session import Session, class_option, common_options, snapshot_option, source_of
from reconciler.errors import AccessError, UsageError

if TYPE_CHECKING:
    from reconciler.plan import Change
    from reconciler.workspace import Workspace

MOST = 20  # definitions that are named


@click.command(epilog="Example: reconciler accept 'properties/contacts/hs_*' --reason 'HubSpot release of May'")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS-GLOB]...")
@class_option
@click.option("--all", "everything", is_flag=True, help="All that moved.")
@click.option(
    "--reason", default="", metavar="TEXT", help="Why; kept beside the baseline. Only the first one needs none."
)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Only until this date; the baseline stays.")
@snapshot_option
@common_options
@click.pass_obj
def command(
    session: Session,
    addresses: tuple[str, ...],
    classes: tuple[str, ...],
    everything: bool,
    reason: str,
    until: datetime | None,
    from_snapshot: Path | None,
) -> int:
    """Move the baseline to what is live, so that it is no drift any more."""
    from reconciler.acceptance import Choice, accept
    from reconciler.exclusion import exclusive
    from reconciler.render.escape import terminal

    if bool(addresses or classes) == everything:
        hint = "reconciler accept --all --reason TEXT, or --class vendor.added"
        raise UsageError("name addresses or a class, or give --all", hint=hint)
    workspace = session.workspace()
    last_day = until.date() if until else None
    with exclusive(workspace, "accept of"):
        # A first baseline accepts nothing that moved, so there is nothing to give a reason for.
        if not reason.strip() and not (everything and workspace.baseline is None):
            raise UsageError("an acceptance needs a reason", hint="--reason TEXT")
        source = source_of(workspace, from_snapshot)
        workspace.check_identity(source)
        accepted = accept(workspace, source, Choice(addresses, classes), reason, last_day, session.now())
    if accepted.addresses or not accepted.unread:
        _tell(session, accepted.addresses, workspace.portal.name, last_day)
    for line in _unsettled(workspace, accepted.unsettled):
        click.echo(terminal(line))
    if accepted.unread:
        hint = "give the key the scope, take it out of `watch`, or live without it for a while with --until DATE"
        raise AccessError(f"{', '.join(accepted.unread)} could not be read, and stays drift", hint=hint)
    return 0


def _tell(session: Session, accepted: Sequence[str], portal: str, last_day: date | None) -> None:
    from reconciler.render.escape import terminal
    from reconciler.render.words import counted

    if not accepted:
        click.echo(f"Nothing of that moved in {portal}, so there is nothing to accept.")
        return
    so_far = f"until {last_day}; then it is drift again" if last_day else "drift starts from here"
    click.echo(f"Accepted what moved at {counted(len(accepted), 'definition')} of {portal}; {so_far}.")
    for address in accepted[:MOST]:
        session.note(f"  {terminal(address)}")
    if len(accepted) > MOST:
        session.note(f"  and {len(accepted) - MOST} more")


def _unsettled(workspace: "Workspace", changes: "Sequence[Change]") -> Iterator[str]:
    """What the next apply would still write, and the way to keep what is live."""
    from shlex import quote

    if not changes:
        return
    yield f"The specs still want {len(changes)} of them otherwise, and the next apply writes that:"
    for change in changes[:MOST]:
        fields = ", ".join(one.path for one in change.fields) if change.action == "update" else f"to {change.action} it"
        yield f"  {change.address}: {fields}{f' ({change.source})' if change.source else ''}"
    if len(changes) > MOST:
        yield f"  and {len(changes) - MOST} more"
    names = " ".join(quote(change.address) for change in changes[:MOST])
    yield f"To keep what is live, take it into the specs: {workspace.command(f'adopt {names}')}"
