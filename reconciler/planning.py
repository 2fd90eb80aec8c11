"""Makes a plan from a workspace: reads, builds, asks for consequences, lets the guards judge, and documents it."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple

from reconciler import guards, ignore, integrations, report, upkeep
from reconciler.errors import UsageError
from reconciler.evidence import Asker, gather
from reconciler.guards import Context, Evidence
from reconciler.ignore import IgnoreRule
from reconciler.kinds import Scope, properties, property_groups
from reconciler.model import Finding, Json
from reconciler.observe import ListSource, Observation
from reconciler.oddities import understood
from reconciler.plan import Inputs, Plan, build, digest, selected
from reconciler.receipts import OwnWrites, own_writes
from reconciler.spec import Spec, pointed
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


def unknown(situation: Situation, only: Sequence[str]) -> list[UsageError]:
    """What ``--only`` names, and neither this portal nor the specs or the baseline have."""
    if not only:
        return []
    from reconciler import selection

    scope = situation.scope
    return selection.unknown(only, situation.observation, scope.desired, scope.removed, scope.baseline)


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
    found = (
        *_pointed(plan.findings, situation.spec),
        *spec_warnings(situation, plan, wishes.only),
        *upkeep.findings(
            workspace, situation.observation, situation.scope.baseline, situation.today, situation.written.unread
        ),
    )
    plan = plan._replace(findings=found)
    approved = bool(wishes.require_digest) and wishes.require_digest == digest(plan.changes, situation.portal_id)
    return guards.judged(plan, context(situation, plan, wishes, approved))


def judged_again(situation: Situation, plan: Plan, wishes: Wishes) -> Plan:
    """A plan that somebody took their time to agree to, its records counted anew where something would be lost.

    What could not be counted then either, nobody was told of, so it does not count against the plan now.
    """
    if situation.asker is None or not any(change.destroys for change in plan.changes):
        return plan
    workspace, approved = situation.workspace, bool(wishes.require_digest)
    evidence = gather(plan.changes, situation.asker, situation.scope, workspace.token)
    counted = {address for change in plan.changes if change.impact is not None for address in change.destroys}
    evidence = evidence._replace(unknown={one: why for one, why in evidence.unknown.items() if one in counted})
    return guards.judged(plan, guard_context(workspace, wishes, evidence, approved=approved, reviewed=True))


def _pointed(findings: Sequence[Finding], spec: Spec) -> Sequence[Finding]:
    """What stops a plan, as validate would show it; nothing is read again where nothing does."""
    wrong = [finding for finding in findings if finding.severity == "error"]
    return [*pointed(wrong, spec.desired), *(one for one in findings if one not in wrong)] if wrong else findings


def spec_warnings(situation: Situation, plan: Plan, only: Sequence[str]) -> Iterator[Finding]:
    """What the specs warn of, unless the portal knows better or a change says it itself."""
    breaking = {change.address for change in plan.changes if change.breaks}
    for finding in situation.spec.findings:
        about = "/".join(finding.address.split("/")[:3])
        told = finding.rule == "integration-breaking" and about in breaking
        if not told and not _answered(finding.rule, about, situation) and (not about or selected(about, only)):
            yield finding


def _answered(rule: str, address: str, situation: Situation) -> bool:
    """Whether a suspicion about a name is settled by the list that was read: the plan says so where it holds."""
    match rule:
        case "unknown-group":
            return not situation.observation.unreadable(address.replace(properties.NAME, property_groups.NAME, 1))
        case "unknown-object-type":
            return not situation.observation.unreadable(address)
    return False


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
    with understood(situation.observation.reads):
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
    return [item for item in drift.drift_items_json(found, workspace.flags) if item["address"] not in mine]
