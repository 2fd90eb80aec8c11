"""Makes a plan from a workspace: reads, builds, asks for consequences, lets the guards judge, and documents it."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal, NamedTuple

from reconciler import guards, ignore, integrations, report
from reconciler.evidence import Asker, gather
from reconciler.guards import Context, Evidence
from reconciler.ignore import IgnoreRule
from reconciler.kinds import Scope
from reconciler.model import Finding, Json
from reconciler.observe import ListSource, Observation
from reconciler.plan import Inputs, Plan, build, digest
from reconciler.receipts import OwnWrites, own_writes
from reconciler.spec import Spec
from reconciler.workspace import Workspace


class Wishes(NamedTuple):
    """What somebody asked of a plan on the command line."""

    only: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    allow_forget: bool = False
    on_conflict: Literal["spec", "live"] | None = None
    detailed: bool = False
    require_digest: str = ""
    fail_on: str = ""


class Situation(NamedTuple):
    """A workspace, its specs, and the live portal as it was read."""

    workspace: Workspace
    spec: Spec
    scope: Scope
    observation: Observation
    portal_id: Json
    written: OwnWrites
    asker: Asker | None  # nobody, where a recorded read stands in for the portal
    today: date

    @property
    def ignored(self) -> tuple[IgnoreRule, ...]:
        """The ignore rules that hold today."""
        return ignore.in_force(self.workspace.settings.ignore, self.today)


def look_around(
    workspace: Workspace,
    spec: Spec,
    source: ListSource,
    asker: Asker | None,
    now: datetime,
) -> Situation:
    """Checks whose portal it is, and reads what the specs and the settings ask for."""
    portal_id = workspace.check_identity(source)
    scope = workspace.scope(spec)
    written = own_writes(workspace.receipts, now, portal_id)
    observation = workspace.observe(source, scope)
    return Situation(workspace, spec, scope, observation, portal_id, written, asker, now.date())


def make(situation: Situation, wishes: Wishes) -> Plan:
    """The plan, with what the guards say of it."""
    workspace = situation.workspace
    inputs = Inputs(
        situation.scope,
        situation.observation,
        workspace.baseline,
        wishes.only,
        wishes.on_conflict,
        situation.written,
        situation.ignored,
        situation.spec.integrations,
    )
    plan = build(inputs)
    plan = plan._replace(findings=plan.findings + tuple(rule_findings(situation)))
    approved = bool(wishes.require_digest) and wishes.require_digest == digest(plan.changes, situation.portal_id)
    return guards.judged(plan, context(situation, plan, wishes, approved))


def rule_findings(situation: Situation) -> Iterator[Finding]:
    """Ignore rules that hold no more, those that cover nothing, and receipts that tell nothing."""
    for why in situation.written.unread:
        yield Finding("receipt-unreadable", "warning", why, "delete it: it only tells what an apply once did")
    yield from ignore.expired(situation.workspace.settings.ignore, situation.today)
    observation = situation.observation
    sides = [observation.snapshot, situation.scope.baseline]
    yield from ignore.unused(situation.ignored, sides, observation.collections)


def context(situation: Situation, plan: Plan, wishes: Wishes, approved: bool = False) -> Context:
    """What the guards have to know."""
    workspace, asker = situation.workspace, situation.asker
    evidence = gather(plan.changes, asker, situation.scope, workspace.token) if asker else Evidence()
    return guard_context(workspace, wishes, evidence, approved=approved)


def guard_context(
    workspace: Workspace, wishes: Wishes, evidence: Evidence, *, approved: bool, reviewed: bool = False
) -> Context:
    """Consent, settings and evidence brought together."""
    known, limits = workspace.baseline, workspace.settings.guards
    return Context(
        allowed=frozenset(wishes.allow),
        approved_digest=approved,
        allow_forget=wishes.allow_forget,
        protected=workspace.settings.protected,
        max_changes=limits.get("maxChanges"),
        max_destructive_percent=limits.get("maxDestructivePercent"),
        managed=known.managed if known else frozenset(),
        reviewed=reviewed,
        evidence=evidence,
    )


def document(situation: Situation, plan: Plan, wishes: Wishes, now: datetime, *, told: bool = True) -> dict[str, Json]:
    """The plan as a document; what moved beside it is only looked for where somebody is told."""
    workspace, known = situation.workspace, situation.workspace.baseline
    made = report.plan_document(
        plan,
        portal=workspace.portal_json(situation.portal_id),
        spec={"digest": situation.spec.digest, "files": situation.spec.files_json},
        baseline_digest=known.digest if known else None,
        collections=situation.observation.collections,
        now=now,
        drift=outside(situation, plan) if told else [],
        approved=wishes.allow,
        detailed=wishes.detailed,
        fail_on=wishes.fail_on,
    )
    return {**made, "allowForget": True} if wishes.allow_forget else made


def outside(situation: Situation, plan: Plan) -> list[dict[str, Json]]:
    """What moved remotely and is not this plan's business."""
    workspace, spec = situation.workspace, situation.spec
    if workspace.baseline is None or situation.observation.at_rest(workspace.baseline.snapshot):
        return []
    from reconciler import drift  # a plan on a portal at rest knows no drift, and does not load what finds it
    from reconciler.attribution import outdated
    from reconciler.drift_check import with_breaches

    before, collections = workspace.baseline.snapshot, situation.observation.collections
    live = ignore.copied(before, situation.observation.snapshot, situation.ignored)
    written = situation.written
    found = drift.detect(
        workspace.baseline,
        live,
        spec.desired,
        collections,
        removed=spec.removed,
        own_writes={
            address: values
            for address, values in written.values.items()
            if not outdated(written, address, before.get(address))
        },
        referred=integrations.referred(spec.integrations),
    )
    found = with_breaches(found, before, live, spec.desired, spec.integrations, collections)
    mine = {change.address for change in plan.changes if change.writes}
    return [item for item in drift.drift_items_json(found) if item["address"] not in mine]
