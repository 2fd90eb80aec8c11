"""An apply from plan to receipt, document and moved baseline; the command line only asks and prints."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler import acceptances, report
from reconciler import baseline as baselines
from reconciler.apply import (
    Outcome,
    Record,
    Standing,
    Tools,
    carry_out,
    in_the_way,
    neighbours_gone,
    refuse_stale,
    standing,
    texts_taken,
)
from reconciler.errors import BlockedError, StaleError, UsageError
from reconciler.kinds import Scope, lifecycle_stages, properties
from reconciler.model import Json, Snapshot
from reconciler.observe import Observation, within
from reconciler.plan import Change, Plan
from reconciler.receipts import Receipt
from reconciler.workspace import Workspace

MOVED = frozenset({"satisfied", "done", "verified"})


def require_digest(required: str, actual: str) -> None:
    """An approval that was given in another run holds for exactly the plan it names."""
    if required and required != actual:
        message = f"this plan is {actual}, and what was approved is {required}"
        raise StaleError(message, hint="the specs or the portal moved since; review the new plan")


def refuse_blocked(plan: Plan) -> None:
    """Nothing is written while a guard stands in the way."""
    guards = [*plan.guards, *(guard for change in plan.changes for guard in change.guards)]
    refused = [guard for guard in guards if guard.result == "refused"]
    if refused:
        flags = "\n  ".join(dict.fromkeys(f"{guard.message}: {guard.allow}" for guard in refused))
        many = "1 guard stands" if len(refused) == 1 else f"{len(refused)} guards stand"
        lifted = [guard.allow.startswith("--") for guard in refused]
        hint = "give the flag if it is meant" if all(lifted) else "no flag lifts them all" if any(lifted) else ""
        raise BlockedError(f"{many} in the way:\n  {flags}", hint=hint)


def satisfied_and_open(changes: Sequence[Change], seen: Observation) -> tuple[list[Outcome], list[Change]]:
    """What needs no write any more and what still does; anything else, and nothing is written."""
    standings: list[Standing] = [standing(change, seen) for change in changes if change.writes]
    obstacles = [*in_the_way(changes, seen), *neighbours_gone(changes, seen), *texts_taken(changes, seen)]
    refuse_stale([*standings, *obstacles])
    satisfied = [Outcome(one.change, "satisfied", "it is so already") for one in standings if one.word == "satisfied"]
    return satisfied, [one.change for one in standings if one.word == "open"]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What an apply needs to know beside its tools."""

    workspace: Workspace
    plan: Mapping[str, Json]  # the plan's document
    changes: tuple[Change, ...]
    seen: Observation  # the portal as it was just now
    now: Callable[[], datetime]
    cancelled: Callable[[], str] = str  # "interrupted" or "terminated" once somebody wants it to end
    whole: bool = True  # whether all that is watched was seen, or only what the plan touches
    recorded: bool = True  # whether it is written down who applied; in CI the commit of the baseline tells


def deploy(deployment: Deployment, tools: Tools) -> dict[str, Json]:
    """Carries out a plan: checks that the portal is still as expected, writes, reads back, moves the baseline."""
    seen = deployment.seen
    tools = replace(tools, scope=_knowing(tools.scope, seen.snapshot))
    satisfied, open_ = satisfied_and_open(deployment.changes, seen)
    receipt = _begin(deployment) if open_ else None
    run = carry_out(open_, replace(tools, record=_dated(receipt, deployment.now)) if receipt else tools)
    outcomes = {outcome.change.address: outcome for outcome in [*satisfied, *run.outcomes.values()]}
    document = report.apply_document(
        deployment.plan, deployment.changes, outcomes, deployment.now(), deployment.cancelled()
    )
    if receipt:
        document["receipt"] = receipt.path.name
    try:
        guessed = [one for one in tools.scope.removed if one.startswith(f"{lifecycle_stages.NAME}/")]
        move_baseline(deployment, outcomes, seen.snapshot.replaced(run.seen.values()), guessed)
    except OSError as error:
        document = _without_baseline(document, error.strerror or str(error), str(error.filename or ""))
    except UsageError as error:
        document = _without_baseline(document, str(error), error.where)
    made = _made(run.outcomes.values(), run.seen)
    return ended(receipt, document, made, deployment.now()) if receipt else document


def ended(receipt: Receipt, document: dict[str, Json], made: Mapping[str, Json], now: datetime) -> dict[str, Json]:
    """The document once the receipt has its last line; where that cannot be written, the document says so."""
    outcomes = {change["address"]: change["outcome"] for change in document["changes"]}
    try:
        receipt.end({"at": report.stamp(now), "outcomes": outcomes, "made": made, "exit": document["exit"]})
    except OSError as error:
        hint = "make room; an undo of this run may not know all of it"
        return _failed(document, f"the receipt could not be ended: {error.strerror}", str(receipt.path), hint)
    return document


def _failed(document: Mapping[str, Json], message: str, where: str, hint: str) -> dict[str, Json]:
    """The document of a run whose files failed: what was done in the portal is done."""
    told = report.error_json("partial" if report.wrote(document["changes"]) else "usage", message, where, hint)
    return report.finished({**document, "errors": [*document["errors"], told]})


def _made(outcomes: Iterable[Outcome], seen: Snapshot) -> dict[str, Json]:
    """By what HubSpot knows the things that this run created: ids that an undo cannot guess."""
    created = [one.change for one in outcomes if one.change.action == "create" and one.change.address in seen]
    remotes = [(change, dict(change.kind.remote(seen[change.address]))) for change in created]
    return {change.address: remote for change, remote in remotes if remote != change.remote}


def _knowing(scope: Scope, seen: Snapshot) -> Scope:
    """The scope with the names of stages that were found by their labels, for reading them back under the same."""
    found = [stage for stage in seen.of_kind(lifecycle_stages.NAME) if stage.address not in scope.baseline]
    return scope.replaced(baseline=scope.baseline.replaced(found)) if found else scope


def _dated(receipt: Receipt, now: Callable[[], datetime]) -> Record:
    return lambda event: receipt.record({**event, "at": report.stamp(now())})


def _without_baseline(document: Mapping[str, Json], why: str, where: str) -> dict[str, Json]:
    hint = "make room or give the right to write, then apply again: it finds everything as wanted"
    return _failed(document, f"the baseline could not be written: {why}", where, hint)


def _begin(deployment: Deployment) -> Receipt:
    now = deployment.now()
    stem = f"{now.strftime('%Y%m%dT%H%M%S.%f')}-{deployment.plan['digest'].removeprefix('sha256:')[:12]}"
    directory = deployment.workspace.receipts
    begin = {
        "at": report.stamp(now),
        "portal": deployment.plan["portal"],
        "digest": deployment.plan["digest"],
        "changes": [
            report.change_json(_noted(change, deployment.seen)) for change in deployment.changes if change.writes
        ],
    }
    return Receipt.begin(directory, stem, begin)


def _noted(change: Change, seen: Observation) -> Change:
    """A change with what only an undo of it has to know."""
    live = seen.snapshot.get(change.address)
    return properties.with_places(change, live) if live and change.kind.NAME == properties.NAME else change


def move_baseline(
    deployment: Deployment, outcomes: Mapping[str, Outcome], live: Snapshot, guessed: Collection[str] = ()
) -> None:
    """The baseline of this moment follows what was changed, adopted and forgotten, and nothing else.

    It is read again: somebody may have accepted something while the plan was looked at and carried out. A stage that
    goes by a guessed name is not recorded under it beside a tombstone of that name: a person has to accept it first.
    """
    workspace = deployment.workspace
    known = baselines.load(workspace.baseline_directory)
    done = [change for change in deployment.changes if _moves(change, outcomes)]
    fresh = _never_baselined(deployment, known)
    if not done and not fresh:
        return
    observed = live.replaced((), [change.address for change in done if change.action == "archive"])
    ours = {change.address: change.declared and change.action not in ("archive", "forget") for change in done}
    managed = (known.managed if known else frozenset()) - ours.keys() | {one for one, mine in ours.items() if mine}
    addresses = {change.address for change in done if change.action != "forget"} | {
        address for address in observed if within(address, fresh) and address not in guessed
    }
    formulas = {
        change.address: field.after
        for change in done
        for field in change.fields
        if field.path == "calculationFormula" and field.how != "removed"
    }
    moved = baselines.moved(known, observed, addresses, managed=managed, collections=fresh, declared_formulas=formulas)
    consent = {"at": report.stamp(deployment.now()), "by": workspace.author}
    decided = _decided(deployment, done, fresh) if deployment.recorded else ()
    workspace.save_baseline(moved, acceptances.added(workspace.baseline_directory, decided, consent))


def _decided(deployment: Deployment, done: Iterable[Change], fresh: Iterable[str]) -> list[dict[str, Json]]:
    """What moved in the baseline with an apply, and the plan that somebody agreed to."""
    plan = f"plan {deployment.plan['digest'][: len('sha256:') + 12]}"
    whole = [{"address": one, "reason": f"first read, with {plan}"} for one in acceptances.patterns(fresh)]
    return [*whole, *(_applied(one, plan) for one in done)]


def _applied(change: Change, plan: str) -> dict[str, Json]:
    return {"address": change.address, "action": change.action, "reason": f"applied: {change.action}, {plan}"}


def _moves(change: Change, outcomes: Mapping[str, Outcome]) -> bool:
    """Whether the baseline follows a change; what somebody wrote over it since, nobody has accepted."""
    if not change.writes:
        return True
    outcome = outcomes.get(change.address)
    return outcome is not None and outcome.word in MOVED and not outcome.overwritten


def _never_baselined(deployment: Deployment, known: baselines.Baseline | None) -> frozenset[str]:
    """Collections that were read whole and that no baseline holds yet."""
    if not deployment.whole:
        return frozenset()
    return deployment.seen.listed - (known.collections if known else frozenset())
