"""``reconciler coverage``."""

from pathlib import Path

import click

from reconciler.cli.session import Session, common_options, document_options, snapshot_option, source_of


@click.command(epilog="Example: reconciler coverage -p production -o markdown")
@document_options
@snapshot_option
@common_options
@click.pass_obj
def command(session: Session, from_snapshot: Path | None) -> int:
    """Tell how much of the portal the specs declare or ignore, and which limits are used; needs no baseline."""
    from reconciler.coverage_check import document
    from reconciler.drift_check import declared

    session.kind = "coverage"
    workspace = session.workspace()
    return session.emit(document(workspace, declared(workspace), source_of(workspace, from_snapshot), session.now()))
