"""``reconciler accept``."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click

from reconciler.cli.session import Session, class_option, common_options, snapshot_option, source_of
from reconciler.errors import AccessError, UsageError


@click.command(epilog="Example: reconciler accept 'properties/contacts/hs_*' --reason 'HubSpot release of May'")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS-GLOB]...")
@class_option
@click.option("--all", "everything", is_flag=True, help="All that moved.")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept beside the baseline.")
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

    if bool(addresses or classes) == everything:
        hint = "reconciler accept --all --reason TEXT, or --class vendor.added"
        raise UsageError("name addresses or a class, or give --all", hint=hint)
    if not everything and not reason:
        raise UsageError("an acceptance needs a reason", hint="--reason TEXT")
    workspace = session.workspace()
    source = source_of(workspace, from_snapshot)
    workspace.check_identity(source)
    last_day = until.date() if until else None
    accepted, unread = accept(workspace, source, Choice(addresses, classes), reason, last_day, session.now())
    if accepted or not unread:
        _tell(session, accepted, workspace.portal.name, last_day)
    if unread:
        hint = "give the key the scope, take it out of `watch`, or live without it for a while with --until DATE"
        raise AccessError(f"{', '.join(unread)} could not be read, and stays drift", hint=hint)
    return 0


def _tell(session: Session, accepted: Sequence[str], portal: str, last_day: date | None) -> None:
    from reconciler.render.escape import terminal

    how_many = f"{len(accepted)} definition{'' if len(accepted) == 1 else 's'}"
    so_far = f"until {last_day}; then it is drift again" if last_day else "drift starts from here"
    click.echo(f"Accepted what moved at {how_many} of {portal}; {so_far}.")
    for address in accepted[:20]:
        session.note(f"  {terminal(address)}")
    if len(accepted) > 20:
        session.note(f"  and {len(accepted) - 20} more")
