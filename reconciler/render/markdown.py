"""Documents as Markdown for a pull-request comment or a job summary: what a reviewer has to decide comes first.

GitHub cuts a comment at 65,536 characters (background of the limit: it answers 422 and nothing is posted), so a report
that grows past 60,000 bytes is told in less detail: first without the folded details, then with fewer rows. What
destroys something is always named before anything else, and a report that was cut says so.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler import address as addresses
from reconciler.model import Json
from reconciler.render import escape, text_drift
from reconciler.render.escape import cell, code, fence
from reconciler.render.style import Style
from reconciler.render.summaries import summary
from reconciler.render.words import (
    BOOKKEEPING,
    PAST,
    SEVERITIES,
    SYMBOLS,
    TROUBLE,
    Change,
    Document,
    Entry,
    by_heading,
    by_note,
    clip,
    conflicts,
    consequences,
    counted,
    create_line,
    drift_items,
    drift_kind,
    entry,
    failure,
    heading,
    is_destructive,
    listed,
    moment,
    own_errors,
    place,
    portal,
    refusal,
    refused,
    subject,
    title,
    unmanaged,
    unread,
    value,
)

BYTES = 60_000
ROWS = (10_000, 10_000, 200, 40, 0)  # rows of a table at each level of detail; details are folded in at the first only
LONG = 400  # characters of a value in the folded details
AGAIN = {
    "plan": "reconciler plan",
    "drift": "reconciler drift",
    "validate": "reconciler validate",
    "apply": "reconciler plan",
}
OUTCOMES = {
    "done": "✓",
    "verified": "✓",
    "satisfied": "=",
    "failed": "✗",
    "blocked": "⊘",
    "skipped": "·",
    "unknown": "?",
}

Lines = Iterator[str]


def render(document: Document, style: Style) -> str:
    """A document of any kind as Markdown, in as much detail as a comment can hold."""
    for level in range(len(ROWS)):
        text = "\n".join(_lines(document, level)) + "\n"
        if len(text.encode("utf-8")) <= BYTES:
            return text
    return _cut(text, document)


def _cut(text: str, document: Document) -> str:
    """As many whole lines as fit when not even counts and what is destroyed do; every line stands for itself by now."""
    kept = text.encode("utf-8")[: BYTES - 1000].decode("utf-8", "ignore").rpartition("\n")[0]
    told = "**Cut here: more is destroyed than fits into a comment. Read the document (`-o json:FILE`).**"
    return "\n".join([kept, "", told, *_footer(document), ""])


def _lines(document: Document, level: int) -> Lines:
    kind = document.get("kind", "")
    where = f": {escape.markdown(portal(document))}" if portal(document) else ""
    yield f"## HubSpot {escape.markdown(kind) or 'report'}{where}"
    if told := summary(document):
        yield from ("", f"**{escape.markdown(told)}**")
    yield from _errors(document)
    yield from BODIES.get(kind, _notes)(document, level)
    if level:
        yield from ("", "_Shortened to fit into a comment; the whole report is in the document (`-o json:FILE`)._")
    yield from _footer(document)


def _footer(document: Document) -> Lines:
    parts = [f"digest {code(clip(document['digest'], 80))}"] if document.get("digest") else []
    parts += [escape.markdown(moment(document["generatedAt"]))] if document.get("generatedAt") else []
    if again := AGAIN.get(document.get("kind", "")):
        parts.append(f"again: {code(again)}")
    if parts:
        yield from ("", "---", f"<sub>{' · '.join(parts)}</sub>")
    about = document.get("portal") or {}
    marks = {"kind": document.get("kind"), "portal": about.get("name"), "digest": document.get("digest")}
    told = " ".join(f"{key}={re.sub('[^A-Za-z0-9_.:]+', '_', str(mark))}" for key, mark in marks.items() if mark)
    yield from ("", f"<!-- reconciler {told} -->")


def _errors(document: Document) -> Lines:
    for error in own_errors(document):
        where = f" {code(error['where'])}" if error.get("where") else ""
        yield from ("", f"> [!WARNING]\n> {code(error['code'])}{where} {escape.markdown(error['message'])}")
        if error.get("hint"):
            yield f"> {escape.markdown(error['hint'])}"
        if error.get("correlationId"):
            yield f"> correlation id {code(error['correlationId'])}"


def _plan(document: Document, level: int) -> Lines:
    changes = document.get("changes", ())
    yield from _caution(
        [change for change in changes if is_destructive(change) or refused(change) or conflicts(change)]
    )
    shown = [change for change in changes if change["action"] not in BOOKKEEPING]
    shown.sort(key=lambda change: not is_destructive(change))
    yield from _table(shown, ROWS[level])
    if not level:
        yield from _details(shown)
        yield from _beside(document)
    yield from _notes(document, level)


def _caution(changes: Sequence[Change]) -> Lines:
    """Every change that a reviewer must not miss, with what it does to records."""
    if changes:
        yield from ("", "> [!CAUTION]")
        for change in changes:
            told = " ".join([*consequences(change), *map(_broken, change.get("breaks") or ())])
            what = "conflict" if conflicts(change) else escape.markdown(change["action"])
            yield f"> - **{what}** {code(change['address'])}{': ' + escape.markdown(told) if told else ''}"
            yield from (
                f">   - {escape.markdown(refusal({**guard, 'allow': ''}))}{_flag(guard)}" for guard in refused(change)
            )
            if conflicts(change):
                yield f">   - HubSpot and the spec both changed it; decide with {code('--on-conflict spec')} or `live`"


def _flag(guard: Json) -> str:
    return f"; to allow it: {code(guard['allow'])}" if guard.get("allow") else ""


def _broken(broken: Json) -> str:
    return f"Breaks {broken['integration']}: {broken['why']}."


def _table(changes: Sequence[Change], rows: int) -> Lines:
    if changes and rows:
        yield from ("", "| | Definition | What changes | Where |", "|---|---|---|---|")
        yield from map(_row, changes[:rows])
    if len(changes) > rows:
        kinds = Counter(f"{heading(change['address'])}: {change['action']}" for change in changes[rows:])
        told = ", ".join(f"{kind} {number:,}" for kind, number in sorted(kinds.items()))
        yield from ("", f"{len(changes) - rows:,} more not shown: {escape.markdown(told)}.")


def _row(change: Change) -> str:
    action = "conflict" if conflicts(change) else change["action"]
    at = cell(place(change["source"])) if change.get("source") else ""
    told = f"{SYMBOLS.get(action, '!')} {escape.markdown(action)}"
    return _cells(told, cell(change["address"]), _what(change), at)


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _what(change: Change) -> str:
    if change["action"] in ("create", "archive"):
        told = ", ".join(filter(None, [title(change), create_line(change) if change["action"] == "create" else ""]))
        return cell(clip(told, 120)) if told else ""
    entries = [entry(field) for field in change.get("fields", ())]
    names = [f"{one.sign} {one.name}".strip().rstrip(":") for one in entries]
    return ", ".join([cell(clip(name, 60)) for name in names[:4]] + ([f"{len(names) - 4} more"] if names[4:] else []))


def _details(changes: Sequence[Change]) -> Lines:
    """Before and after, folded by kind and object type; only signs in the first column are coloured."""
    for group in by_heading(changes):
        name = f"{heading(group[0]['address'])}: {counted(len(group), 'change')}"
        yield from _folded(name, fence([line for change in group for line in _diff(change)], "diff"))


def _folded(name: str, lines: Sequence[str]) -> Lines:
    yield from ("", f"<details><summary><code>{escape.html(name)}</code></summary>", "", *lines, "", "</details>")


def _diff(change: Change) -> Lines:
    yield f"@@ {SYMBOLS.get(change['action'], '!')} {change['action']} {change['address']} @@"
    for note, fields in by_note(change):
        for one in [one for field in fields for one in _entries(field)]:
            yield from _diff_entry(one, change["action"])
        if note:
            yield f"# {note}"


def _entries(field: Json) -> list[Entry]:
    """A field of a change; the options of a new property are told one by one."""
    options = field.get("after")
    if field["path"] != "options" or "before" in field or not isinstance(options, list):
        return [entry(field)]
    named = [option for option in options if isinstance(option, dict)]
    return [entry({"path": f"options/{addresses.encode(option['value'])}", "after": option}) for option in named]


def _diff_entry(one: Entry, action: str) -> Lines:
    if one.sign == "~":
        yield f"! {one.name} {clip(one.sides, LONG)}"
        return
    name = one.name if one.sign else f"{one.name}:"
    before, after = one.before, one.after
    if before is not None:
        yield f"- {name} {clip(before, LONG)}"
    if after is not None and action != "archive":
        yield f"+ {name} {clip(after, LONG)}"


def _beside(document: Document) -> Lines:
    classes: dict[str, list[str]] = {}
    for item in document.get("drift", ()):
        classes.setdefault(item["class"], []).append(subject(item["address"]).name)
    lines = [
        f"- {code(name)} {len(moved):,}: {code(clip(listed(moved, 5), 300))}" for name, moved in sorted(classes.items())
    ]
    if lines:
        yield from _folded(f"Also moved in HubSpot, left alone by this plan: {sum(map(len, classes.values()))}", lines)
    for action in BOOKKEEPING:
        these = [change["address"] for change in document.get("changes", ()) if change["action"] == action]
        if these:
            yield from _folded(f"{len(these):,} {PAST[action]}", [code(clip(listed(these, 10), 1000))])
    if rest := unmanaged(document):
        yield from ("", f"Not in the specs, left alone: {escape.markdown(rest)}.")


def _notes(document: Document, level: int) -> Lines:
    """Lists that were not read whole, guards that refuse the whole, and findings."""
    for told in (*unread(document), *map(refusal, refused(document))):
        yield from ("", f"> [!WARNING]\n> {escape.markdown(told)}")
    yield from _findings(document.get("findings", ()), ROWS[level])


def _findings(findings: Sequence[Json], rows: int) -> Lines:
    if not findings:
        return
    yield from ("", "| | Rule | Where | Problem | Fix |", "|---|---|---|---|---|")
    for finding in findings[: max(rows, 20)]:
        at = place(finding.get("source"), column=True) or finding.get("address") or ""
        told = [escape.markdown(finding.get(key) or "") for key in ("message", "fix")]
        where = cell(at) if at else ""
        yield _cells(escape.markdown(finding["severity"]), cell(finding["rule"]), where, *told)
    if len(findings) > max(rows, 20):
        yield from ("", f"{len(findings) - max(rows, 20):,} more findings not shown.")


def _drift(document: Document, level: int) -> Lines:
    items = drift_items(document)
    yield from ("", escape.markdown(text_drift.story(items))) if "items" in document else ()
    rank = {severity: at for at, severity in enumerate(SEVERITIES)}
    for cause, told in text_drift.CAUSES.items():
        group = [item for item in items if text_drift.cause_of(item) == cause]
        group.sort(key=lambda item: (rank.get(item["severity"], 0), item["address"]))
        if group:
            yield from ("", f"### {told} ({len(group):,})")
            yield from _drift_table(group, ROWS[level] or 20)
            yield from _ways(group)
    for line in (text_drift.muted_line(document), text_drift.coverage_line(document)):
        yield from ("", escape.markdown(line)) if line else ()
    yield from _notes(document, level)


def _drift_table(items: Sequence[Change], rows: int) -> Lines:
    yield from ("", "| Severity | | Definition | What moved | Who and when |", "|---|---|---|---|---|")
    for item in items[:rows]:
        sign, word = drift_kind(item)
        what = ", ".join(_moved(item))
        who = escape.markdown(" ".join(text_drift.evidence(item)))
        severity = escape.markdown(item["severity"])
        yield _cells(severity, f"{sign} {escape.markdown(word)}", cell(item["address"]), what, who)
    if len(items) > rows:
        yield from ("", f"{len(items) - rows:,} more not shown.")


def _moved(item: Change) -> Iterator[str]:
    for one in map(entry, text_drift.item_fields(item)):
        yield cell(clip(f"{one.sign} {one.name} {one.sides}".strip(), 200))
    if "desired" in item:
        yield f"the spec says {cell(clip(value(item['desired']), 120))}"
    for broken in item.get("breaks") or ():
        yield f"**{escape.markdown(_broken(broken))}**"


def _ways(items: Sequence[Change]) -> Lines:
    commands = text_drift.ways_out(items)
    yield from ("",) if commands else ()
    yield from (f"- {told} {code(command)}{rest}" for told, command, rest in commands)


def _apply(document: Document, level: int) -> Lines:
    changes = document.get("changes", ())
    trouble = [change for change in changes if change.get("outcome") in TROUBLE]
    if trouble:
        yield from ("", "> [!CAUTION]")
        for change in trouble:
            what = escape.markdown(change["action"])
            yield f"> - **{change['outcome']}** {what} {code(change['address'])}{_failure(change)}"
    if changes and ROWS[level]:
        yield from ("", "| Outcome | | Definition | Where |", "|---|---|---|---|")
        for change in changes[: ROWS[level]]:
            outcome = change.get("outcome", "unknown")
            at = cell(place(change["source"])) if change.get("source") else ""
            told = escape.markdown(f"{OUTCOMES.get(outcome, '?')} {outcome}")
            yield _cells(told, escape.markdown(change["action"]), cell(change["address"]), at)
    yield from _notes(document, level)


def _failure(change: Change) -> str:
    error = change.get("error") or {}
    told = " ".join(failure(change))
    correlation = f" (correlation id {code(error['correlationId'])})" if error.get("correlationId") else ""
    return f": {escape.markdown(told)}{correlation}" if told or correlation else ""


def _import(document: Document, level: int) -> Lines:
    if files := document.get("files", ()):
        yield from ("", "| File | Definitions | |", "|---|---|---|")
    for file in files:
        outcome = escape.markdown(str(file.get("outcome", "written")))
        yield _cells(cell(file["path"]), str(file.get("definitions", "")), outcome)
    yield from _notes(document, level)


# What stands between the title and the footer, by kind of document.
BODIES: Mapping[str, Callable[[Document, int], Lines]] = {
    "plan": _plan,
    "apply": _apply,
    "drift": _drift,
    "validate": _notes,
    "import": _import,
}
