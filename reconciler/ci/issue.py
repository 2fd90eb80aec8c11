"""The one issue that a portal's drift has, and what a new check makes of it.

The issue is the memory: its hidden mark holds what was open and, while that is not the same, what a webhook was told
last. Whoever closes, edits or retitles the issue does no harm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from reconciler.ci import comment, marks
from reconciler.ci.desk import Result
from reconciler.ci.marks import Mark
from reconciler.render import escape
from reconciler.render.style import Origin
from reconciler.render.words import counted, drift_kind
from reconciler.transitions import Memory, Transition, aged

LABEL = "hubspot-drift"
WHAT = "drift"
SHOWN = 20
POSTED = "posted="
Step = Literal["leave", "nothing", "open", "keep", "update", "reopen", "close"]


def mark(result: Result, told: Transition, posted: Memory | None) -> Mark:
    """The mark of the issue as it should be; it changes when an item begins, ends or gets worse."""
    fingerprint = marks.told({"items": sorted([item["fingerprint"], item["severity"]] for item in told.items)})
    owed = posted is not None and posted.since.keys() != told.memory.since.keys()
    last = str(posted).replace("items=", POSTED) + " " if owed else ""
    return Mark(WHAT, result.key, fingerprint, f"{last}{told.memory}")


def step(result: Result, told: Transition, there: "Entry | None", wanted: Mark) -> Step:
    """What happens to the issue; a run that failed says nothing of the portal, so it leaves it alone."""
    if result.failed:
        return "leave"
    if not told.items and told.memory.since:
        return "leave"  # not all could be read
    if not told.items:
        return "close" if there and there.is_open else "nothing"
    if there is None:
        return "open"
    if not there.is_open:
        return "reopen"
    return "keep" if there.mark.told == wanted.told and _last(there.mark) == _last(wanted) else "update"


def _last(mark: Mark) -> str:
    """What a webhook was told last, where that is not what is open."""
    return mark.state.partition("items=")[0].strip()


@dataclass(frozen=True, slots=True)
class Entry:
    """An issue as it is."""

    number: int
    is_open: bool
    mark: Mark


class Tracker(Protocol):
    """Where issues are kept."""

    def find(self, key: str) -> Entry | None:
        """The issue of a portal: the open one, else the one that was closed last."""
        ...

    def open(self, title: str, text: comment.Text) -> None:
        """Makes it."""
        ...

    def rewrite(self, number: int, text: comment.Text, wanted: Mark, *, reopen: bool) -> None:
        """Replaces what it says."""
        ...

    def remark(self, number: int, text: str) -> None:
        """Adds a comment."""
        ...

    def close(self, number: int) -> None:
        """Closes it as done."""
        ...


def carry_out(
    tracker: Tracker,
    result: Result,
    told: Transition,
    there: Entry | None,
    origin: Origin,
    posted: Memory | None = None,
) -> Step:
    """Brings the issue to what a check found, and what the webhook knows of it where there is one."""
    wanted = mark(result, told, posted)
    what = step(result, told, there, wanted)
    text = comment.body(aged(result.document, told), wanted, origin) if told.items else comment.nothing
    match what:
        case "open":
            tracker.open(f"HubSpot drift: {result.label}", text)
        case "update" | "reopen":
            assert there is not None
            tracker.rewrite(there.number, text, wanted, reopen=what == "reopen")
            if what == "reopen" or not told.silent:
                tracker.remark(there.number, "\n".join(_news(told, reopened=what == "reopen")) + "\n")
        case "close":
            assert there is not None
            tracker.remark(there.number, _farewell(told, origin.whole))
            tracker.close(there.number)
        case "leave" | "nothing" | "keep":
            pass
    return what


def _news(told: Transition, *, reopened: bool) -> Iterator[str]:
    yield f"**{'Drift again: ' if reopened else ''}{told.words()}.** {counted(len(told.items), 'item')} open."
    if told.new:
        yield ""
    for item in told.new[:SHOWN]:
        who = f" {escape.markdown(drift_kind(item)[1])}"
        yield f"- {escape.markdown(item['severity'])}: {escape.code(item['address'])}{who}"
    if len(told.new) > SHOWN:
        yield f"- and {len(told.new) - SHOWN:,} more"


def _farewell(told: Transition, run_url: str) -> str:
    seen = f"[this run]({run_url})" if run_url else "a run"
    first = min(told.before.since.values(), default=None)
    long = f" It was open since {first.isoformat()}." if first else ""
    return f"Clean: {seen} found no drift.{long}\n"


def memory(there: Entry | None) -> Memory:
    """What the issue remembers; one that was closed has nothing open."""
    return Memory.parse(there.mark.state) if there and there.is_open else Memory()


def posted(there: Entry) -> Memory:
    """What a webhook was told last, by what an open issue remembers."""
    last = _last(there.mark)
    return Memory.parse(last.replace(POSTED, "items=")) if last else memory(there)
