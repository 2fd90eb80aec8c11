"""What ``--only`` names: a pattern that leads to nothing is a slip of the pen, and no reason to find nothing to do."""

from collections.abc import Iterable

from reconciler.address import covers
from reconciler.errors import UsageError
from reconciler.observe import Observation


def unknown(patterns: Iterable[str], observation: Observation, *sides: Iterable[str]) -> list[UsageError]:
    """The patterns that name nothing in the portal or on these other sides, unless it was not read whole."""
    known = {*observation.snapshot, *(address for side in sides for address in side)}
    found = []
    for pattern in patterns:
        if not observation.unreadable(pattern) and not any(_leads_to(pattern, address) for address in known):
            from reconciler.wording import did_you_mean

            hint = did_you_mean(pattern, known) or "an address is the path of an entry: properties/contacts/NAME"
            found.append(
                UsageError(f"--only {pattern} names nothing in the specs, the portal or the baseline", hint=hint)
            )
    return found


class Sought:
    """What a run over several portals found of its patterns: what one of them lacks another may have."""

    def __init__(self) -> None:
        self._lacking: list[dict[str, str]] = []  # what each portal lacks, and what it has instead

    def looked(self, missing: Iterable[UsageError]) -> None:
        """Notes what one more portal lacks; portals of a fleet are looked at side by side."""
        self._lacking.append({str(one): one.hint for one in missing})

    @property
    def errors(self) -> list[UsageError]:
        """The patterns that name nothing in any portal that was read, with the best guess that a portal had."""
        from difflib import get_close_matches

        first = next(iter(self._lacking), {})
        nowhere = [said for said in first if all(said in one for one in self._lacking)]
        hints = {said: sorted({one[said] for one in self._lacking}) for said in nowhere}
        return [UsageError(said, hint=get_close_matches(said, hints[said], 1, 0)[0]) for said in nowhere]


def _leads_to(pattern: str, address: str) -> bool:
    """Whether a pattern is about a definition or something in it."""
    return covers(pattern, address) or pattern.startswith(address + "/")
