"""What began and what ended in a portal's drift since the last check, from what somebody remembers of that.

A memory is the fingerprint of every open item and the day it was first seen: short enough for the hidden mark of an
issue, so that no file has to travel from one run in CI to the next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from reconciler.model import Json
from reconciler.report import counts

MOST = 600  # items that a memory keeps apart; of more it only knows that they were others
SIGNS = 12  # of a fingerprint


@dataclass(frozen=True, slots=True)
class Memory:
    """The items that were open at the last check, by fingerprint, with the day they were first seen."""

    since: Mapping[str, date] = field(default_factory=dict)
    whole: bool = True

    def __str__(self) -> str:
        if not self.whole or len(self.since) > MOST:
            return "items=many"
        return "items=" + ",".join(f"{one}:{day:%y%m%d}" for one, day in sorted(self.since.items()))

    @classmethod
    def parse(cls, state: str) -> "Memory":
        """What a mark remembers; of a mark that somebody spoilt, nothing."""
        _, _, told = state.partition("items=")
        if told == "many":
            return cls(whole=False)
        try:
            return cls({one: _day(day) for one, _, day in (entry.partition(":") for entry in told.split(",") if entry)})
        except ValueError:
            return cls(whole=False)


def _day(text: str) -> date:
    return date(2000 + int(text[:2]), int(text[2:4]), int(text[4:6]))


@dataclass(frozen=True, slots=True)
class Transition:
    """What became of the drift of a portal since the last check."""

    items: Sequence[Mapping[str, Json]]  # all that is open
    new: Sequence[Mapping[str, Json]]
    resolved: Sequence[str]  # fingerprints
    memory: Memory
    before: Memory

    @property
    def silent(self) -> bool:
        """Whether nothing began and nothing ended."""
        return not self.new and not self.resolved

    def words(self) -> str:
        """How much began and ended."""
        parts = [f"{len(self.new):,} new"] * bool(self.new) + [f"{len(self.resolved):,} resolved"] * bool(self.resolved)
        return ", ".join(parts) or "nothing new"


def transition(document: Mapping[str, Json], before: Memory, today: date) -> Transition:
    """What a check found against what is remembered; what could not be read is neither new nor resolved."""
    items = [item for item in document.get("items", ()) if counts(document, item)]
    short = {item["fingerprint"][:SIGNS]: item for item in items}
    since = {one: before.since.get(one, today) for one in short}
    if not before.whole:
        return Transition(items, (), (), Memory(since), before)
    gone = sorted(set(before.since) - set(short))
    if document.get("complete") is False:  # an item in a list that could not be read may still be there
        since |= {one: before.since[one] for one in gone}
        gone = []
    new = [item for one, item in short.items() if one not in before.since]
    return Transition(items, new, gone, Memory(since), before)


def aged(document: Mapping[str, Json], told: Transition) -> dict[str, Json]:
    """The document with how long each item is open, where no history says so already."""
    return {**document, "items": [_aged(item, told) for item in document["items"]]}


def _aged(item: Mapping[str, Json], told: Transition) -> Mapping[str, Json]:
    first = told.memory.since.get(item["fingerprint"][:SIGNS])
    if first is None or "life" in item:
        return item
    state = "ongoing" if item["fingerprint"][:SIGNS] in told.before.since else "new"
    return {**item, "life": {"state": state, "since": first.isoformat()}}
