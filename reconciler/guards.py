"""Guards: pure functions from a plan and its context to results, listed in the document even when they pass.

A change that destroys something needs consent by exact address; what has it counts in no limit. Protection stands in
the settings, apart from the entries it protects, so that taking an entry out cannot take the protection with it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.address import covers
from reconciler.model import Json
from reconciler.plan import Change, Guard, Plan

SHRINK_FLOOR = 10  # a spec may lose so many entries without anybody asking


class Room(NamedTuple):
    """How many definitions of one sort a portal may still hold, as its limits API says."""

    what: str
    limit: int
    usage: int
    adds: int


class Evidence(NamedTuple):
    """What the portal says about the consequences of a plan; an absent fact is one that could not be asked."""

    records: Mapping[str, int] = {}  # by address: records that hold a value of it
    unknown: Mapping[str, str] = {}  # by address: why the records could not be counted
    room: Sequence[Room] = ()
    scopes: Collection[str] | None = None
    needed_scopes: Mapping[str, Sequence[str]] = {}  # by address: any of these would do


class Context(NamedTuple):
    """What was approved, what the settings allow, and what the portal says."""

    allowed: Collection[str] = frozenset()  # addresses that --allow names
    approved_digest: bool = False  # --require-digest named exactly this plan
    allow_forget: bool = False
    protected: Sequence[str] = ()  # address patterns
    max_changes: int | None = None
    max_destructive_percent: float | None = None
    managed: Collection[str] = frozenset()
    reviewed: bool = False  # the plan was made, and its records were counted, some time ago
    evidence: Evidence = Evidence()


def judged(plan: Plan, context: Context) -> Plan:
    """The plan with what every guard says about it."""
    changes = tuple(_judged_change(change, context) for change in plan.changes)
    with_changes = plan._replace(changes=changes)
    results = [result for guard in PLAN_GUARDS for result in guard(with_changes, context)]
    return with_changes._replace(guards=tuple(results))


def _judged_change(change: Change, context: Context) -> Change:
    if not change.writes:
        return change
    results = [result for guard in CHANGE_GUARDS for result in guard(change, context)]
    return change._replace(guards=tuple(results), impact=_impact(change, context) or change.impact)


def _impact(change: Change, context: Context) -> Mapping[str, Json] | None:
    """How many records hold what would go; recorded in the plan and counted again before acting."""
    counts = {
        address: context.evidence.records[address] for address in change.destroys if address in context.evidence.records
    }
    if not counts:
        return None
    whole = counts.pop(change.address, None)
    impact: dict[str, Json] = {} if whole is None else {"recordsWithValue": whole}
    return {**impact, "recordsWithOption": counts} if counts else impact


# --- guards of one change --------------------------------------------------------------------------------------------


def destructive(change: Change, context: Context) -> Iterator[Guard]:
    """What destroys something needs its own consent, by exact address."""
    for address in change.destroys:
        flag = f"--allow {address}"
        held = context.evidence.records.get(address)
        records = f"; {_holding(held)} it" if held else ""
        if address in context.allowed or context.approved_digest:
            yield Guard("destructive", "allowed", f"{address} may be destroyed{records}", 0, 1, flag, address)
        else:
            yield Guard("destructive", "refused", f"{address} would be destroyed{records}", 0, 1, flag, address)


def protected(change: Change, context: Context) -> Iterator[Guard]:
    """What the settings protect is not archived, retyped or stripped of options, whatever a spec or a flag says."""
    for address in change.destroys:
        for pattern in context.protected:
            if covers(pattern, address) or covers(pattern, change.address):
                message = f"{address} is protected by {pattern!r} in the settings"
                way_out = "take it from `protected:` in a change of its own"
                yield Guard("protected", "refused", message, 0, 1, way_out, address)


def no_values(change: Change, context: Context) -> Iterator[Guard]:
    """A tombstone with requireNoValues waits until no record holds a value."""
    for address in change.destroys:
        if address not in change.must_be_empty:
            continue
        count = context.evidence.records.get(address)
        way_out = "clear the values first, or drop `requireNoValues`"
        if count is None:
            why = context.evidence.unknown.get(address, "the records could not be counted")
            yield Guard("no-values", "refused", f"{address}: {why}", 0, None, way_out, address)
        elif count:
            yield Guard("no-values", "refused", f"{_holding(count)} {address}", 0, count, way_out, address)
        else:
            yield Guard("no-values", "passed", f"no record holds a value of {address}", 0, 0, "", address)


def more_values(change: Change, context: Context) -> Iterator[Guard]:
    """Between review and apply no further record may have come to hold what would go."""
    planned = _planned_counts(change)
    for address in change.destroys if context.reviewed else ():
        before, now = planned.get(address), context.evidence.records.get(address)
        if now is not None and now > (before or 0):
            said = "did not count them" if before is None else f"said {before}"
            message = f"{_holding(now)} {address}; the reviewed plan {said}"
            way_out = "plan again and have it reviewed"
            yield Guard("more-values", "refused", message, before, now, way_out, address)
        elif now is None and address in context.evidence.unknown:
            message = f"{address}: {context.evidence.unknown[address]}"
            way_out = "a saved plan destroys only what can be counted again"
            yield Guard("more-values", "refused", message, before, None, way_out, address)


def _holding(count: int) -> str:
    return "1 record holds a value of" if count == 1 else f"{count} records hold a value of"


def _planned_counts(change: Change) -> dict[str, int]:
    impact = change.impact or {}
    counts: dict[str, int] = dict(impact.get("recordsWithOption", {}))
    if "recordsWithValue" in impact:
        counts[change.address] = impact["recordsWithValue"]
    return counts


def scopes(change: Change, context: Context) -> Iterator[Guard]:
    """A token without the scope for a write is found before the first write."""
    needed = context.evidence.needed_scopes.get(change.address, ())
    if context.evidence.scopes is None or not needed:
        return
    if not set(needed) & set(context.evidence.scopes):
        message = f"the token lacks the scope for {change.address}: {' or '.join(needed)}"
        yield Guard("scope", "refused", message, list(needed), None, "add the scope to the service key")


# --- guards of the whole plan ----------------------------------------------------------------------------------------


def too_many_changes(plan: Plan, context: Context) -> Iterator[Guard]:
    """At most so many changes in one run."""
    if context.max_changes is None:
        return
    counted = [change for change in plan.writes if not _consented(change, context)]
    message = f"{len(counted)} changes; the settings allow {context.max_changes}"
    way_out = "raise guards.maxChanges, or split the change with --only"
    yield _limit("max-changes", len(counted), context.max_changes, message, way_out)


def too_destructive(plan: Plan, context: Context) -> Iterator[Guard]:
    """At most such a share of the managed definitions may be destroyed in one run."""
    if context.max_destructive_percent is None:
        return
    counted = [change for change in plan.writes if change.destroys and not _consented(change, context)]
    share = round(100 * len(counted) / max(1, len(context.managed)), 1)
    message = f"{len(counted)} of {len(context.managed)} managed definitions would lose something ({share} %)"
    way_out = "consent to each with --allow, or raise guards.maxDestructivePercent"
    yield _limit("max-destructive-percent", share, context.max_destructive_percent, message, way_out)


def _consented(change: Change, context: Context) -> bool:
    return bool(change.destroys) and all(address in context.allowed for address in change.destroys)


def _limit(rule: str, observed: float, limit: float, message: str, way_out: str) -> Guard:
    if observed > limit:
        return Guard(rule, "refused", message, limit, observed, way_out)
    return Guard(rule, "passed", message, limit, observed)


def shrunken_spec(plan: Plan, context: Context) -> Iterator[Guard]:
    """A spec that lost most of its entries is rather a mistake than a wish to forget them."""
    forgotten = sum(change.action == "forget" for change in plan.changes)
    managed = len(context.managed)
    if not forgotten:
        return
    message = f"{forgotten} of {managed} managed definitions are in no spec any more"
    if forgotten > SHRINK_FLOOR and forgotten > managed / 2:
        result = "allowed" if context.allow_forget else "refused"
        yield Guard("shrunken-spec", result, message, managed // 2, forgotten, "--allow-forget")  # type: ignore[arg-type]
    else:
        yield Guard("shrunken-spec", "passed", message, max(SHRINK_FLOOR, managed // 2), forgotten)


def capacity(plan: Plan, context: Context) -> Iterator[Guard]:
    """A plan that cannot fit into the portal is refused before it starts."""
    for room in context.evidence.room:
        message = f"{room.what}: {room.usage} of {room.limit} are used, {room.adds} would be added"
        way_out = "archive what is not needed, or raise the limit of the account"
        yield _limit("capacity", room.usage + room.adds, room.limit, message, way_out)


def incomplete_reads(plan: Plan, context: Context) -> Iterator[Guard]:
    """Nothing is applied while a list that the specs need could not be read."""
    if plan.errors:
        message = "; ".join(str(error["message"]) for error in plan.errors)
        yield Guard("incomplete-read", "refused", message, 0, len(plan.errors), "give the token the missing scope")
    else:
        yield Guard("incomplete-read", "passed", "every list that the specs need was read", 0, 0)


CHANGE_GUARDS: Sequence[Callable[[Change, Context], Iterator[Guard]]] = (
    destructive,
    protected,
    no_values,
    more_values,
    scopes,
)
PLAN_GUARDS: Sequence[Callable[[Plan, Context], Iterator[Guard]]] = (
    incomplete_reads,
    too_many_changes,
    too_destructive,
    shrunken_spec,
    capacity,
)
