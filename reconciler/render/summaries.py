"""The one line that says what a document comes to; a person who reads nothing else reads this."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from reconciler.render.words import (
    BOOKKEEPING,
    PAST,
    SEVERITIES,
    SYMBOLS,
    TROUBLE,
    WRITES,
    WRITTEN,
    Change,
    Document,
    conflicts,
    counted,
    drift_items,
    is_unshown,
    refused,
)


def summary(document: Document) -> str:
    """The last line of a text and the first of a comment."""
    say = SUMMARIES.get(document.get("kind", ""))
    return say(document) if say else str(document.get("message") or "")


def totals(document: Document) -> dict[str, int]:
    """How many changes of each action, and how many definitions stay."""
    found = dict.fromkeys(SYMBOLS, 0)
    for change in document.get("changes", ()):
        if not conflicts(change):
            found[change["action"]] = found.get(change["action"], 0) + 1
    found["unchanged"] = (document.get("summary") or {}).get("unchanged", 0)
    return found


def plan_counts(found: Mapping[str, int]) -> str:
    """The counts of a plan in one phrase; nothing when nothing would be written."""
    return ", ".join([f"{found[action]:,} to {action}" for action in WRITES if found[action]])


def kept_counts(found: Mapping[str, int]) -> str:
    """What a plan leaves as it is, or only notes."""
    words = {action: PAST[action] for action in BOOKKEEPING} | {"unchanged": "unchanged"}
    return ", ".join([f"{found[what]:,} {word}" for what, word in words.items() if found[what]])


def plan_summary(document: Document) -> str:
    """The one line that says what a plan comes to."""
    if document.get("errors") and not document.get("changes"):
        return f"Nothing was planned: {counted(len(document['errors']), 'error')}."
    found, wrong = totals(document), _errors(document)
    writes, kept = plan_counts(found), kept_counts(found)
    if wrong and not writes:
        head = f"{counted(wrong, 'error stops', 'errors stop')} this plan{'; ' + kept if kept else ''}."
    elif writes:
        head = f"Plan: {writes}{', ' + kept if kept else ''}."
    elif document.get("complete") is False:
        head = f"No changes in what could be read{': ' + kept if kept else ''}."
    elif document.get("changes"):
        head = f"No changes in HubSpot{': ' + kept if kept else ''}."
    else:
        head = f"No changes. {counted(found['unchanged'], 'definition matches', 'definitions match')} the specs."
    stopped = [f"{counted(wrong, 'error stops', 'errors stop')} it."] if wrong and writes else []
    return " ".join([head, *_stops(document), *stopped])


def _errors(document: Document) -> int:
    return sum(one["severity"] == "error" for one in document.get("findings", ()))


def _stops(document: Document) -> Iterator[str]:
    changes = document.get("changes", ())
    stopped = [refusing(change) for change in changes if change.get("guards") and refused(change)]
    if number := stopped.count("destructive"):
        yield f"{counted(number, 'destructive change needs', 'destructive changes need')} --allow."
    if number := stopped.count("guard"):
        yield f"{counted(number, 'change is', 'changes are')} refused by a guard."
    if number := len(refused(document)):
        yield f"{counted(number, 'guard refuses', 'guards refuse')} the whole."
    if number := sum(map(conflicts, changes)):
        yield f"{counted(number, 'conflict needs', 'conflicts need')} a decision."
    if number := len([one for one in document.get("findings", ()) if one["rule"] == "left-to-hubspot"]):
        yield f"{counted(number, 'conflict is', 'conflicts are')} left as HubSpot has it."
    if number := len([change for change in changes if change.get("breaks")]):
        yield f"{counted(number, 'change breaks', 'changes break')} an integration."


def refusing(change: Change) -> str:
    """What a refused change is refused for: the want of --allow, or something that no flag lifts."""
    return "destructive" if {guard["rule"] for guard in refused(change)} == {"destructive"} else "guard"


def apply_summary(document: Document) -> str:
    """What an apply came to, counted from its outcomes."""
    changes = document.get("changes", ())
    written = Counter(change["action"] for change in changes if change.get("outcome") in WRITTEN)
    others = Counter(change.get("outcome", "unknown") for change in changes if change.get("outcome") not in WRITTEN)
    done = [f"{written[action]:,} {past}" for action, past in PAST.items() if written[action]]
    satisfied = [f"{others['satisfied']:,} already so"] if others["satisfied"] else []
    partly = [f"{number:,} in part"] if (number := sum(bool(change.get("partly")) for change in changes)) else []
    trouble = [f"{others[outcome]:,} {outcome}" for outcome in TROUBLE if others[outcome]]
    trouble += [f"{number:,} not verified"] if (number := sum(map(is_unshown, changes))) else []
    nothing = "Nothing is known to have been written." if others["unknown"] else "Nothing was written."
    told = [*done, *partly, *satisfied]
    head = f"Applied: {', '.join(told)}." if told else nothing
    head = f"Cancelled. {head}" if document.get("cancelled") else head
    return f"{head} {', '.join(trouble).capitalize()}." if trouble else head


def drift_summary(document: Document) -> str:
    """The one line that says what a drift check comes to."""
    if "items" not in document:
        return f"Nothing was compared: {counted(len(document.get('errors') or ()), 'error')}."
    items = drift_items(document)
    muted = sum(one.get("count", 0) for one in document.get("muted") or ())
    accepted = len(document["items"]) - len(items)
    tail = (f", {accepted:,} accepted" if accepted else "") + (f", {muted:,} muted" if muted else "")
    held = document.get("held") or {}
    tail += "".join(f", {number:,} {state}" for state, number in held.items() if number)
    errors = f" {counted(len(document['errors']), 'error')}." if document.get("errors") else ""
    if not items:
        head = "Nothing new" if document.get("newOnly") else "No drift"
        return f"{head}{' in what could be compared' if errors else ''}{tail}.{errors}"
    found = Counter(item["severity"] for item in items)
    by_severity = ", ".join(f"{found[severity]:,} {severity}" for severity in SEVERITIES if found[severity])
    return f"Drift: {len(items):,} not accepted ({by_severity}){tail}.{errors}"


def validate_summary(document: Document) -> str:
    """How many problems, or how much is fine."""
    if "summary" not in document and document.get("errors"):
        return f"Nothing was validated: {counted(len(document['errors']), 'error')}."
    told = document.get("summary") or {}
    files = counted(told.get("files", len((document.get("spec") or {}).get("files", ()))), "file")
    found = Counter(finding["severity"] for finding in document.get("findings", ()))
    problems = [counted(found[severity], severity) for severity in ("error", "warning") if found[severity]]
    if found["error"] or document.get("errors"):
        return f"{', '.join(problems)} in {files}" if problems else ""
    definitions = counted(told.get("definitions", 0), "definition")
    return f"OK{' with ' + problems[0] if problems else ''}: {definitions} in {files}"


def import_summary(document: Document) -> str:
    """How much was imported."""
    told = document.get("summary") or {}
    files = document.get("files", ())
    if document.get("errors") and not files:
        return f"Nothing was imported: {counted(len(document['errors']), 'error')}."
    number = told.get("definitions", sum(file.get("definitions", 0) for file in files))
    odd = sum(1 for finding in document.get("findings", ()) if finding.get("rule") == "not-importable")
    left = f"; {counted(odd, 'definition', 'definitions')} left out of the specs" if odd else ""
    return f"Imported {counted(number, 'definition')} into {counted(told.get('files', len(files)), 'file')}{left}."


FLEET = {
    "same": "as declared",
    "differs": "would change",
    "drifted": "drifted",
    "applied": "applied",
    "stopped": "stopped",
    "failed": "failed",
    "not-started": "not begun",
}


def fleet_summary(document: Document) -> str:
    """What a run over a fleet came to."""
    told = document["summary"]
    parts = [f"{told[name]:,} {words}" for name, words in FLEET.items() if told.get(name)]
    return f"Fleet: {counted(told['portals'], 'portal')}: {', '.join(parts)}." if parts else "Fleet: no portals."


def doctor_summary(document: Document) -> str:
    """Whether the work can be done."""
    told = document.get("summary") or {}
    if not told:
        return ""
    wrong = [counted(told[status], status) for status in ("error", "warning") if told[status]]
    return f"Doctor: {', '.join(wrong)}." if wrong else "Doctor: all is well."


SUMMARIES: Mapping[str, Callable[[Document], str]] = {
    "plan": plan_summary,
    "apply": apply_summary,
    "drift": drift_summary,
    "validate": validate_summary,
    "import": import_summary,
    "fleet": fleet_summary,
    "doctor": doctor_summary,
}
