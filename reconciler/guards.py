"""Guards: pure functions from a plan and what was approved to results, listed in the document even when they pass."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from reconciler.plan import Change, Guard, Plan


@dataclass(frozen=True, slots=True)
class Context:
    """What was approved, and what the settings allow."""

    allowed: Collection[str] = field(default_factory=frozenset)  # addresses that --allow names


def judged(plan: Plan, context: Context) -> Plan:
    """The plan with what every guard says about it."""
    changes = tuple(replace(change, guards=tuple(_judge(change, context))) for change in plan.changes)
    return replace(plan, changes=changes)


def _judge(change: Change, context: Context) -> Iterator[Guard]:
    for address in change.destroys:
        yield _destructive(address, context)


def _destructive(address: str, context: Context) -> Guard:
    """What destroys something needs its own consent, by exact address."""
    flag = f"--allow {address}"
    if address in context.allowed:
        return Guard("destructive", "allowed", f"{address} may be destroyed: {flag}", allow=flag)
    return Guard("destructive", "refused", f"{address} would be destroyed", limit=0, observed=1, allow=flag)
