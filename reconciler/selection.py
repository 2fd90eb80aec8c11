"""What ``--only`` names: a pattern that leads to nothing is a slip of the pen, and no reason to find nothing to do."""

from collections.abc import Iterable

from reconciler.address import covers
from reconciler.errors import UsageError
from reconciler.observe import Observation


def refuse_unknown(patterns: Iterable[str], observation: Observation, *sides: Iterable[str]) -> None:
    """Refuses a pattern that names nothing in the portal or on these other sides, unless it was not read whole."""
    known = {*observation.snapshot, *(address for side in sides for address in side)}
    for pattern in patterns:
        if not observation.unreadable(pattern) and not any(_leads_to(pattern, address) for address in known):
            from reconciler.wording import did_you_mean

            hint = did_you_mean(pattern, known) or "an address is the path of an entry: properties/contacts/NAME"
            raise UsageError(f"--only {pattern} names nothing in the specs, the portal or the baseline", hint=hint)


def _leads_to(pattern: str, address: str) -> bool:
    """Whether a pattern is about a definition or something in it."""
    return covers(pattern, address) or pattern.startswith(address + "/")
