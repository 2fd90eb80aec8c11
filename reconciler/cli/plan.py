"""``reconciler plan``."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from reconciler.cli.session import (
    Session,
    change_document_options,
    common_options,
    consent_options,
    only_option,
    snapshot_option,
    sound_spec,
)
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.planning import Situation
    from reconciler.spec import Spec
    from reconciler.workspace import Workspace

LEVELS = ("safe", "caution", "destructive", "irreversible", "breaking")
Choice = Literal["spec", "live"] | None


@click.command(epilog="Example: reconciler plan -p production -o json:plan.json --detailed-exitcode")
@change_document_options
@only_option
@snapshot_option
@consent_options
@click.option("--inverse", type=click.Path(path_type=Path, dir_okay=False), help="Plan back what this receipt did.")
@click.option("--fail-on", type=click.Choice(LEVELS), help="Exit 6 for changes this bad, or breaking an integration.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when the portal would change.")
@common_options
@click.pass_obj
def command(
    session: Session,
    only: tuple[str, ...],
    from_snapshot: Path | None,
    allow: tuple[str, ...],
    allow_forget: bool,
    on_conflict: Choice,
    inverse: Path | None,
    fail_on: str | None,
    detailed_exitcode: bool,
) -> int:
    """Show what would change in the portal, destructive first; writes nothing."""
    from reconciler.planning import Wishes, document, make

    session.kind = "plan"
    if inverse is not None and on_conflict:
        raise UsageError("an undo knows no conflicts", hint="leave --on-conflict out: what moved since is left alone")
    workspace = session.workspace()
    wishes = Wishes(only, allow, allow_forget, on_conflict, detailed_exitcode, fail_on=fail_on or "")
    spec = sound_spec(workspace, session)
    situation = situation_of(session, workspace, spec, from_snapshot)
    check_only(situation, only)
    if inverse is not None:
        from reconciler.inverse import plan_back

        return session.emit(plan_back(situation, inverse, wishes, session.now()))
    plan = make(situation, wishes)
    session.kept += situation, plan
    return session.emit(document(situation, plan, wishes, session.now()))


def situation_of(session: Session, workspace: "Workspace", spec: "Spec", from_snapshot: Path | None) -> "Situation":
    """The portal, or a recorded read of it, as the specs ask for it."""
    from reconciler.planning import look_around

    if from_snapshot is not None:
        from reconciler.snapshot_file import load

        return look_around(workspace, spec, load(from_snapshot), None, session.now())
    reader = workspace.connect().reader()
    return look_around(workspace, spec, reader, reader, session.now())


def check_only(situation: "Situation", only: tuple[str, ...]) -> None:
    """Refuses ``--only`` where it names nothing."""
    from reconciler import planning

    if missing := planning.unknown(situation, only):
        raise missing[0]
