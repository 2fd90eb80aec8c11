"""``reconciler plan``."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from reconciler.cli.session import (
    Session,
    common_options,
    document_options,
    only_option,
    snapshot_option,
    sound_spec,
    source_of,
)

if TYPE_CHECKING:
    from reconciler.model import Json
    from reconciler.observe import Observation
    from reconciler.plan import Plan
    from reconciler.spec import Spec
    from reconciler.workspace import Workspace

Choice = Literal["spec", "live"] | None


@click.command(epilog="Example: reconciler plan -p production -o json:plan.json --detailed-exitcode")
@document_options
@only_option
@snapshot_option
@click.option("--allow", multiple=True, metavar="ADDRESS", help="Consent to the destruction of exactly this.")
@click.option("--on-conflict", type=click.Choice(["spec", "live"]), help="Who wins where spec and portal both moved.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when the portal would change.")
@common_options
@click.pass_obj
def command(
    session: Session,
    only: tuple[str, ...],
    from_snapshot: Path | None,
    allow: tuple[str, ...],
    on_conflict: Choice,
    detailed_exitcode: bool,
) -> int:
    """Show what would change in the portal, destructive first; writes nothing."""
    session.kind = "plan"
    workspace = session.workspace()
    spec = sound_spec(workspace, session)
    source = source_of(workspace, from_snapshot)
    portal_id = workspace.check_identity(source)
    observation = workspace.observe(source, workspace.scope(spec))
    plan = planned(workspace, spec, observation, only, allow, on_conflict)
    document = plan_document(session, workspace, spec, observation, plan, portal_id, allow, detailed_exitcode)
    return session.emit(document)


def planned(
    workspace: "Workspace",
    spec: "Spec",
    observation: "Observation",
    only: tuple[str, ...],
    allow: tuple[str, ...],
    on_conflict: Choice,
) -> "Plan":
    """The plan, judged by the guards."""
    from reconciler import guards
    from reconciler.plan import Inputs, build

    inputs = Inputs(workspace.scope(spec), observation, workspace.baseline, only, on_conflict)
    return guards.judged(build(inputs), guards.Context(frozenset(allow)))


def plan_document(
    session: Session,
    workspace: "Workspace",
    spec: "Spec",
    observation: "Observation",
    plan: "Plan",
    portal_id: "Json",
    allow: tuple[str, ...] = (),
    detailed: bool = False,
) -> "dict[str, Json]":
    """The plan as a document."""
    from reconciler import baseline, report

    known = workspace.baseline
    return report.plan_document(
        plan,
        portal=workspace.portal_json(portal_id),
        spec={"digest": spec.digest, "files": spec.files_json},
        baseline_digest=baseline.digest(known) if known else None,
        collections=observation.collections,
        now=session.now(),
        drift=outside(workspace, spec, observation, plan),
        approved=allow,
        detailed=detailed,
    )


def outside(workspace: "Workspace", spec: "Spec", observation: "Observation", plan: "Plan") -> "list[dict[str, Json]]":
    """What moved remotely and is not this plan's business."""
    from reconciler import drift

    if workspace.baseline is None:
        return []
    found = drift.detect(
        workspace.baseline, observation.snapshot, spec.desired, observation.collections, removed=spec.removed
    )
    mine = {change.address for change in plan.changes if change.writes}
    return [item for item in drift.drift_items_json(found) if item["address"] not in mine]
