"""Drift as Markdown: the story in plain words, then by who moved it, worst first, with the ways out."""

from collections.abc import Iterator, Sequence

from reconciler.render import escape, text_coverage, text_drift
from reconciler.render.escape import cell, code
from reconciler.render.markdown_parts import Lines, Page, alert, alike, head, names, row
from reconciler.render.words import (
    SEVERITIES,
    Change,
    clip,
    drift_items,
    drift_kind,
    entries_of,
    folded_options,
    title,
    value,
)

RANK = {severity: at for at, severity in enumerate(SEVERITIES)}


def body(page: Page) -> Lines:
    """Everything between the counts and the footer."""
    items = sorted(drift_items(page.document), key=lambda item: (RANK.get(item["severity"], 0), item["address"]))
    if "items" in page.document:
        yield from ("", escape.markdown(text_drift.story(page.document)))
    shown = page.detail.first(items)
    yield from _worst(page, items[len(shown) :])
    for cause, told in text_drift.CAUSES.items():
        group = [item for item in shown if text_drift.cause_of(item) == cause]
        if group:
            yield from ("", f"### {told} ({len(group):,})")
            yield from _table(page, group)
            yield from ("",) if any(item.get("ways") for item in group) else ()
            yield from ways(group)
    if len(items) > len(shown):
        yield from ("", f"{len(items) - len(shown):,} more not shown.")
    if page.detail.beside:
        for line in (text_drift.muted_line(page.document), text_drift.coverage_line(page.document)):
            yield from ("", escape.markdown(line)) if line else ()
        if rows := text_coverage.used(page.document.get("coverage") or {}):
            yield from head(*text_coverage.LIMITS)
            yield from (row(*map(escape.markdown, one)) for one in rows)
        for line in text_drift.life_lines(page.document):
            yield from ("", escape.markdown(line))
        if lines := list(text_drift.normalised_lines(page.document)):
            yield from ("", "What differs and is no drift:", "")
            yield from (f"- {escape.markdown(line)}" for line in lines)


def _worst(page: Page, hidden: Sequence[Change]) -> Lines:
    """What is bad and has no row: named all the same."""
    bad = [item for item in hidden if item["severity"] == "high" or item.get("breaks")]
    most = len(bad) if page.detail.names is None else page.detail.names
    lines = [
        f"- **{escape.markdown(what)}** {names(item['address'] for item in group)}"
        for what, group in alike(bad[:most], lambda item: f"{item['severity']}, {drift_kind(item)[1]}")
    ]
    more = f"- **{len(bad) - most:,} more as bad that do not fit here.**"
    yield from alert("CAUTION", [*lines, more] if len(bad) > most else lines)


def _table(page: Page, items: Sequence[Change]) -> Lines:
    if not page.detail.fields:
        yield from head("Severity", "", "Definition")
        yield from (row(*_what(item)) for item in items)
        return
    yield from head("Severity", "", "Definition", "What moved", "Who and when")
    for item in items:
        who = escape.markdown("; ".join(text_drift.evidence(item)))
        yield row(*_what(item), ", ".join(_moved(item)), who)


def _what(item: Change) -> tuple[str, str, str]:
    sign, word = drift_kind(item)
    label = "" if text_drift.relabelled(item) else escape.markdown(title(item))
    named = f"{cell(item['address'])} {label}".rstrip()
    return escape.markdown(item["severity"]), f"{sign} {escape.markdown(word)}", named


def _moved(item: Change) -> Iterator[str]:
    for one in folded_options(entries_of(text_drift.item_fields(item)), text_drift.MOST_OPTIONS):
        yield cell(clip(f"{one.sign} {one.name} {one.sides}".strip(), 200))
    if "desired" in item:
        yield f"the spec says {cell(clip(value(item['desired']), 120))}"
    for broken in item.get("breaks") or ():
        told = f"Breaks {broken['integration']}: {broken['why']}."
        yield f"**{escape.markdown(told)}**"


def ways(items: Sequence[Change]) -> Lines:
    """The ways out as a list of commands."""
    for told, command, rest in text_drift.ways_out(items):
        yield f"- {told} {code(command)}{f' ({rest})' if rest else ''}"
