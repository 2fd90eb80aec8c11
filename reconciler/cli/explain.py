"""``reconciler explain``."""

from pathlib import Path

import click

from reconciler.cli.session import Session, common_options, document_options, snapshot_option, sound_spec


@click.command(epilog="Example: reconciler explain properties/contacts/cs_plan_tier")
@click.argument("address")
@document_options
@snapshot_option
@common_options
@click.pass_obj
def command(session: Session, address: str, from_snapshot: Path | None) -> int:
    """Tell all about one definition: specs, portal, baseline, who changed it, who needs it, what a plan would do."""
    from reconciler.explain import explain

    session.kind = "explain"
    workspace = session.workspace()
    spec = sound_spec(workspace, session)
    if from_snapshot is not None:
        from reconciler.snapshot_file import load

        return session.emit(explain(workspace, spec, load(from_snapshot), None, address, session.now()))
    reader = workspace.connect().reader()
    return session.emit(explain(workspace, spec, reader, reader, address, session.now()))
