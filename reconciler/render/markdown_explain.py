"""One definition explained, and the coverage of a portal, as Markdown."""

from collections.abc import Mapping, Sequence

from reconciler.model import Json
from reconciler.render import escape, markdown_plan, text_coverage, text_drift, text_explain
from reconciler.render.escape import cell, code
from reconciler.render.markdown_parts import Lines, Page, head, row
from reconciler.render.words import clip, subject

SIGNS = {"declared": "=", "watched": "·", "ignored": "·", "left": "·"}


def explained(page: Page) -> Lines:
    """Everything between the title and the footer of one definition."""
    document = page.document
    if "address" not in document:
        return
    whole = document["address"] + (f"/{document['below']}" if document["below"] else "")
    named = " ".join(filter(None, [subject(document["address"]).phrase, str(document["title"] or "")]))
    yield from ("", f"**{escape.markdown(named)}** {code(whole)}", "")
    yield from (f"- {told}: {escape.markdown(fact)}" for told, fact in text_explain.facts(document))
    yield from _fields(page, document["fields"])
    if items := document["drift"]:
        yield from ("", "### Changed since it was accepted", "")
        for item in items:
            yield f"- {code(item['class'])} {escape.markdown(', '.join(text_explain.told_of(item)))}"
        yield from (f"- {told} {code(command)} {rest}".rstrip() for told, command, rest in text_drift.ways_out(items))
    yield from ("", "### What a plan would do")
    if change := document["change"]:
        if markdown_plan.is_risky(change):
            yield from ("", *markdown_plan.caution(page, [change]))
        yield from markdown_plan.table(page, [change])
    else:
        yield from ("", escape.markdown(text_explain.verdict(document)))


def _fields(page: Page, fields: Sequence[Mapping[str, Json]]) -> Lines:
    shown = page.detail.first(fields)
    if shown:
        yield from ("", "### Fields")
        yield from head("", "Field", "Specs", "HubSpot", "Accepted", "Where")
    for one in shown:
        sign = "~" if text_explain.remarkable(one) else SIGNS[one["owned"]]
        sides = [_side(one, side) for side in ("declared", "live", "accepted")]
        yield row(sign, cell(text_explain.name(one)), *sides, page.place(one["source"], column=True))
    if len(fields) > len(shown):
        yield from ("", f"{len(fields) - len(shown):,} more fields not shown.")


def _side(field: Mapping[str, Json], side: str) -> str:
    return cell(clip(text_explain.shown(field[side]), 120)) if side in field else ""


def covered(page: Page) -> Lines:
    """A table of object types, and one of limits."""
    held = page.document.get("coverage") or {}
    if rows := text_coverage.by_type(held):
        yield from head(*text_coverage.TYPES)
        yield from (row(*map(escape.markdown, one)) for one in rows)
    if rows := text_coverage.used(held):
        yield from head(*text_coverage.LIMITS)
        yield from (row(*map(escape.markdown, one)) for one in rows)
