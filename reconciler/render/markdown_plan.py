"""A plan as Markdown, in the order of what a reviewer has to decide."""

from collections import Counter
from collections.abc import Sequence

from reconciler import address as addresses
from reconciler.model import Json
from reconciler.render import escape, mermaid
from reconciler.render.escape import cell, code, fence
from reconciler.render.markdown_parts import Lines, Page, alert, alike, folded, head, names, row
from reconciler.render.words import (
    BOOKKEEPING,
    PAST,
    SYMBOLS,
    Change,
    Document,
    Entry,
    actor_name,
    by_heading,
    by_note,
    changing,
    clip,
    conflicts,
    counted,
    create_line,
    effects,
    entries_of,
    heading,
    impacts,
    is_destructive,
    is_new,
    listed,
    moment,
    refusal,
    refused,
    subject,
    title,
    unmanaged,
    value,
)

LONG = 400  # characters of a value in the folded details


def body(page: Page) -> Lines:
    """Everything between the counts and the footer."""
    changes = [change for change in page.document.get("changes", ()) if change["action"] not in BOOKKEEPING]
    changes.sort(key=lambda change: not is_destructive(change))
    yield from alert("CAUTION", caution(page, [change for change in changes if is_risky(change)]))
    yield from alert("WARNING", (escape.markdown(refusal(guard)) for guard in refused(page.document)))
    yield from table(page, changes)
    yield from details(page, changes)
    yield from model(page)
    yield from overwritten(page, changes)
    if page.detail.beside:
        yield from beside(page.document)


def is_risky(change: Change) -> bool:
    """Whether a reviewer must not miss a change."""
    return is_destructive(change) or bool(refused(change)) or conflicts(change)


# --- what nobody may miss --------------------------------------------------------------------------------------------


def caution(page: Page, changes: Sequence[Change]) -> Lines:
    """Every change that a reviewer must not miss, with what it does to records, in as many words as there is room."""
    match page.detail.warnings:
        case "each":
            for change in changes:
                yield from _warning(change)
        case "alike":
            for told, group in alike(changes, lambda change: f"**{_what(change)}** {_effect(change)}"):
                yield f"- {told}"
                yield f"  {', '.join(code(change['address']) + _records(change) for change in group)}"
            yield from _refusals(changes)
        case "named":
            yield from _named(page, changes)
            yield from _refusals(changes)


def _warning(change: Change) -> Lines:
    told = " ".join(filter(None, [_effect(change), escape.markdown(" ".join(impacts(change)))]))
    label = f" {escape.markdown(title(change))}" if title(change) else ""
    yield f"- **{_what(change)}** {code(change['address'])}{label}{': ' + told if told else ''}"
    for guard in refused(change):
        flag = f"; to allow it: {code(guard['allow'])}" if guard.get("allow") else ""
        yield f"  - {escape.markdown(refusal({**guard, 'allow': ''}))}{flag}"
    if conflicts(change):
        yield f"  - HubSpot and the spec both changed it; decide with {code('--on-conflict spec')} or `live`"


def _what(change: Change) -> str:
    return "conflict" if conflicts(change) else escape.markdown(change["action"])


def _effect(change: Change) -> str:
    told = [*effects(change), *(f"Breaks {one['integration']}: {one['why']}." for one in change.get("breaks") or ())]
    return escape.markdown(" ".join(told))


def _records(change: Change) -> str:
    number = (change.get("impact") or {}).get("recordsWithValue")
    return f" ({counted(number, 'record')})" if number else ""


def _refusals(changes: Sequence[Change]) -> Lines:
    allow = sum(any(guard["rule"] == "destructive" for guard in refused(change)) for change in changes)
    if allow:
        yield f"- {counted(allow, 'of these is', 'of these are')} refused until allowed: {code('--allow ADDRESS')} each"


def _named(page: Page, changes: Sequence[Change]) -> Lines:
    """Nothing but names, by what becomes of them and the list they stand in."""
    lost = [(_what(change), address) for change in changes for address in _lost(change)]
    most = len(lost) if page.detail.names is None else page.detail.names
    lists: dict[tuple[str, str], list[str]] = {}
    for what, address in lost[:most]:
        above, _, name = address.rpartition("/")
        lists.setdefault((what, above), []).append(addresses.decode(name))
    for (what, above), these in lists.items():
        yield f"- **{what}** {code(above)} ({len(these):,}): {names(these)}"
    if len(lost) > most:
        yield f"- **{len(lost) - most:,} more that do not fit here. Read them in the document before you approve.**"


def _lost(change: Change) -> Sequence[str]:
    return change.get("destroys") or [change["address"]]


# --- what changes ----------------------------------------------------------------------------------------------------


def table(page: Page, changes: Sequence[Change]) -> Lines:
    """A row a change; what there is no room for is counted by kind."""
    shown = page.detail.first(changes)
    if shown:
        yield from (
            head("", "Definition", "What changes", "Where") if page.detail.fields else head("", "Definition", "Where")
        )
        yield from (_row(page, change) for change in shown)
    if rest := changes[len(shown) :]:
        kinds = Counter(f"{heading(change['address'])}: {change['action']}" for change in rest)
        told = ", ".join(f"{kind} {number:,}" for kind, number in sorted(kinds.items()))
        yield from ("", f"{len(rest):,} more not shown: {escape.markdown(clip(told, 2000))}.")


def _row(page: Page, change: Change) -> str:
    action = "conflict" if conflicts(change) else change["action"]
    told = f"{SYMBOLS.get(action, '!')} {escape.markdown(action)}"
    fields = [_fields(change)] if page.detail.fields else []
    return row(told, cell(change["address"]), *fields, page.place(change.get("source")))


def _fields(change: Change) -> str:
    if is_new(change) or change["action"] == "archive":
        told = ", ".join(filter(None, [title(change), create_line(change) if is_new(change) else ""]))
        return cell(clip(told, 120)) if told else ""
    fields = changing(change)
    if not fields and change["action"] == "restore":
        return "as it lies archived"
    shown = [f"{one.sign} {one.name}".strip().rstrip(":") for one in entries_of(fields)]
    return ", ".join([cell(clip(name, 60)) for name in shown[:4]] + ([f"{len(shown) - 4} more"] if shown[4:] else []))


def details(page: Page, changes: Sequence[Change]) -> Lines:
    """Before and after, folded by kind and object type; only signs in the first column are coloured."""
    if page.detail.diffs == "none":
        return
    told = changes if page.detail.diffs == "all" else [change for change in changes if is_risky(change)]
    for group in by_heading(told):
        name = f"{heading(group[0]['address'])}: {counted(len(group), 'change')}"
        yield from folded(name, fence([line for change in group for line in _diff(change)], "diff"))


def _diff(change: Change) -> Lines:
    yield f"@@ {SYMBOLS.get(change['action'], '!')} {change['action']} {change['address']} @@"
    if change["action"] == "restore":
        yield from (f"# {told}" for told in effects(change))
    for note, fields in by_note(change):
        for one in entries_of(fields):
            yield from _diff_entry(one, change["action"])
        if note:
            yield f"# {note}"


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


def model(page: Page) -> Lines:
    """The association labels around what changes, as a picture."""
    if page.detail.diffs == "none":
        return
    if drawn := mermaid.labels(page.document.get("model") or {}):
        yield from folded("Association labels, drawn", fence(drawn, "mermaid"))


def overwritten(page: Page, changes: Sequence[Change]) -> Lines:
    """What somebody changed in HubSpot and this plan puts back."""
    moved = [(change, field) for change in changes for field in change.get("fields", ()) if _reverts(field)]
    if not moved:
        return
    yield from ("", f"### Changed in HubSpot meanwhile, and put back by this plan ({len(moved):,})")
    shown = moved if page.detail.rows is None else moved[: page.detail.rows]
    if shown:
        yield from head("Definition", "Live, and lost", "Who and when")
        yield from (_overwritten_row(change, field) for change, field in shown)
    if len(moved) > len(shown):
        yield from ("", f"{len(moved) - len(shown):,} more not shown.")


def _reverts(field: Json) -> bool:
    return bool(field.get("cause") == "revert_drift")


def _overwritten_row(change: Change, field: Json) -> str:
    who = actor_name(field.get("actor"))
    when = f", {moment(field['at'])}" if field.get("at") else ""
    live = value(field["before"]) if "before" in field else "(taken away)"
    return row(
        cell(change["address"]), f"{cell(field['path'])} {cell(clip(live, 120))}", escape.markdown(f"{who}{when}")
    )


# --- beside the plan -------------------------------------------------------------------------------------------------


def beside(document: Document) -> Lines:
    """What this plan leaves alone, and what moves only in the baseline."""
    classes: dict[str, list[str]] = {}
    for item in document.get("drift", ()):
        classes.setdefault(item["class"], []).append(subject(item["address"]).name)
    lines = [_class(name, moved) for name, moved in sorted(classes.items())]
    if lines:
        number = sum(map(len, classes.values()))
        yield from folded(f"Also moved in HubSpot, left alone by this plan: {number:,}", lines)
    for action in BOOKKEEPING:
        these = [change["address"] for change in document.get("changes", ()) if change["action"] == action]
        if these:
            yield from folded(f"{len(these):,} {PAST[action]}", [code(clip(listed(these, 10), 1000))])
    if rest := unmanaged(document):
        yield from ("", f"Not in the specs, left alone: {escape.markdown(rest)}.")


def _class(name: str, moved: Sequence[str]) -> str:
    return f"- {code(name)} {len(moved):,}: {code(clip(listed(moved, 5), 300))}"
