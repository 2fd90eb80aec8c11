"""``reconciler drift``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.session import (
    Session,
    common_options,
    document_options,
    only_option,
    snapshot_option,
    source_of,
)
from reconciler.errors import ReconcilerError, UsageError

if TYPE_CHECKING:
    from reconciler.model import Json
    from reconciler.notify import Format
    from reconciler.workspace import Workspace

LEVELS = ("info", "low", "medium", "high", "breaking")


def notify_options(function: Any) -> Any:
    """The webhook that is told what began and ended."""
    for option in (
        click.option(
            "--notify-format",
            type=click.Choice(["auto", "generic", "slack", "teams"]),
            default="auto",
            help="The form that the webhook takes; auto tells it by the address.",
        ),
        click.option(
            "--notify",
            metavar="URL",
            envvar="RECONCILER_NOTIFY",
            help="Webhook for what began and ended (env RECONCILER_NOTIFY).",
        ),
    ):
        function = option(function)
    return function


@click.command(epilog="Example: reconciler drift -p production -o markdown:drift.md")
@document_options
@only_option
@snapshot_option
@click.option(
    "--fail-on", type=click.Choice(LEVELS), help="Exit 2 only for this bad, or for what breaks an integration."
)
@click.option(
    "--history",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Tell new from ongoing by this file, to which each check appends a line.",
)
@click.option("--new-only", is_flag=True, help="With --history: tell, and exit 2 for, only what is new or reopened.")
@click.option("--show-normalised", is_flag=True, help="Also count and list what differs and is no drift.")
@click.option("--limits", is_flag=True, help="Ask for HubSpot's limits, too: three requests more.")
@notify_options
@common_options
@click.pass_obj
def command(
    session: Session,
    only: tuple[str, ...],
    from_snapshot: Path | None,
    fail_on: str | None,
    show_normalised: bool,
    limits: bool,
    history: Path | None,
    new_only: bool,
    notify: str | None,
    notify_format: "Format",
) -> int:
    """Tell what moved since the last accept, and who moved it; exits 2 when something is not accepted."""
    from reconciler import history as histories
    from reconciler.drift_check import Wishes, checked, declared, refuse_without_baseline

    if new_only and history is None:
        raise click.UsageError("--new-only needs --history FILE, which tells what is new")
    if new_only and notify:
        raise click.UsageError(
            "--notify tells only what began and ended as it is, and has to see the rest: drop --new-only"
        )

    session.kind = "drift"
    if history is not None:
        histories.refuse_nowhere(history)
    workspace = session.workspace()
    refuse_without_baseline(workspace)
    source = source_of(workspace, from_snapshot)
    wishes = Wishes(only, fail_on or "", show_normalised, limits, history, new_only)
    found = checked(workspace, lambda: declared(workspace), source, wishes, session.now())
    code = session.emit(found.document)
    if history is not None and found.record is not None:
        histories.append(history, workspace.portal.name, found.record)
    if notify:
        tell(session, workspace, found.document, notify, notify_format)
    return code


def tell(session: Session, workspace: "Workspace", document: "Json", url: str, form: "Format") -> None:
    """Posts what began and ended since the last post from this machine; a webhook that fails costs a warning."""
    from reconciler import notify

    file, today = workspace.notified, session.now().date()
    try:
        memory = notify.tell(document, notify.remembered(file), url, form, today)
    except ReconcilerError as error:
        session.note(f"warning: nobody was notified: {error}")
        return
    try:
        if memory:
            notify.remember(file, memory)
    except UsageError as error:
        session.note(f"warning: what was posted will be posted again: {error}")
