"""Documents as Markdown for a pull-request comment or a job summary: what a reviewer has to decide comes first.

A page is told in the detail that ``budget`` finds room for. What destroys something is named before anything else.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from reconciler.model import Json
from reconciler.render import escape, markdown_drift, markdown_explain, markdown_fleet, markdown_plan
from reconciler.render.escape import cell, code
from reconciler.render.markdown_parts import Lines, Page, alert, alike, head, names, row
from reconciler.render.words import (
    TROUBLE,
    Change,
    clip,
    command,
    failure,
    is_unshown,
    lines_of,
    moment,
    own_errors,
    portal,
    unread,
)

AGAIN = {
    "plan": "plan",
    "drift": "drift",
    "validate": "validate",
    "apply": "plan",
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


def lines(page: Page) -> Lines:
    """A document of any kind, in the page's detail; made line by line, so that who has enough can stop."""
    document, kind = page.document, page.document.get("kind", "")
    where = f": {escape.markdown(clip(portal(document), 200))}" if portal(document) else ""
    commit = f" at {code(page.origin.commit[:12])}" if page.origin.commit else ""
    ran = f" {document['command']}" if kind == "fleet" else ""
    yield f"## HubSpot {escape.markdown(kind + ran) or 'report'}{where}{commit}"
    if page.summary:
        yield from ("", f"**{escape.markdown(page.summary)}**")
    yield from _shortened(page)
    if page.detail.body:
        yield from _errors(page)
        yield from BODIES.get(kind, _nothing)(page)
        yield from _notes(page)
    yield from _footer(page)


def _shortened(page: Page) -> Lines:
    if left_out := page.detail.left_out:
        whole = page.origin.whole
        where = f"[the whole report]({whole})" if whole else "the document (`-o json:FILE`)"
        told = f"Shortened to fit here: without {', '.join(left_out)}. All of it is in {where}."
        yield from ("", f"_{told} A shortened report approves nothing._")


def _footer(page: Page) -> Lines:
    document = page.document
    parts = [f"digest {code(clip(document['digest'], 80))}"] if document.get("digest") else []
    parts += [escape.markdown(moment(document["generatedAt"]))] if document.get("generatedAt") else []
    again = AGAIN.get(document.get("kind", ""))
    if any(one["rule"].startswith("inverse-") for one in document.get("findings", ())):
        again = ""  # an undo is of a receipt; a plan without it would say the opposite
    if sides := document.get("comparison"):
        again = f"diff --base-ref {sides['base']['ref']}"
    if again := escape.markdown(page.origin.again) or (again and code(command(document, again))):
        parts.append(f"again: {again}")
    if version := (document.get("tool") or {}).get("version"):
        parts.append(escape.markdown(f"reconciler {version}"))
    if parts:
        yield from ("", "---", f"<sub>{' · '.join(parts)}</sub>")
    about = document.get("portal") or {}
    marks = {"kind": document.get("kind"), "portal": about.get("name"), "digest": document.get("digest")}
    marks["shortened"] = "1" if page.detail.left_out else None
    told = " ".join(f"{key}={clip(_mark(mark), 100)}" for key, mark in marks.items() if mark)
    yield from ("", f"<!-- reconciler {told} -->")


def _mark(mark: Json) -> str:
    return re.sub("[^A-Za-z0-9_.:]+", "_", str(mark))


def _errors(page: Page) -> Lines:
    errors = own_errors(page.document)
    for error in page.detail.first(errors):
        where = f" {code(error['where'])}" if error.get("where") else ""
        first, *rest = lines_of(error["message"])
        yield from ("", f"> [!WARNING]\n> {code(error['code'])}{where} {escape.markdown(first)}")
        yield from ("> ", *(f"> - {escape.markdown(line)}" for line in rest), "> ") if rest else ()
        if error.get("hint"):
            yield f"> {escape.markdown(error['hint'])}"
        if error.get("correlationId"):
            yield f"> correlation id {code(error['correlationId'])}"
    yield from _more(page, errors, "errors")


def _more(page: Page, them: Sequence[Json], what: str) -> Lines:
    if (hidden := len(them) - len(page.detail.first(them))) > 0:
        yield from ("", f"{hidden:,} more {what} not shown.")


def _notes(page: Page) -> Lines:
    """Lists that were not read whole, and findings."""
    skipped = [escape.markdown(told) for told in unread(page.document)]
    yield from alert("WARNING", [f"- {told}" for told in skipped] if len(skipped) > 1 else skipped)
    yield from _findings(page, page.document.get("findings", ()))


def _findings(page: Page, findings: Sequence[Json]) -> Lines:
    if not page.detail.beside:
        findings = [finding for finding in findings if finding["severity"] != "info"]
    rows = len(findings) if page.detail.rows is None else max(page.detail.rows, 0)
    if findings[:rows]:
        yield from head("", "Rule", "Where", "Problem", "Fix")
    for finding in findings[:rows]:
        source = finding.get("source")
        address = cell(finding["address"]) if finding.get("address") else ""
        told = [escape.markdown(finding.get(key) or "") for key in ("message", "fix")]
        where = page.place(source, column=True) or address
        yield row(escape.markdown(finding["severity"]), cell(finding["rule"]), where, *told)
    yield from _more(page, findings, "findings")


def _nothing(page: Page) -> Lines:
    yield from ()


def _apply(page: Page) -> Lines:
    changes = page.document.get("changes", ())
    trouble = [one for one in changes if one.get("outcome") in TROUBLE or is_unshown(one)]
    yield from alert("CAUTION", _trouble(page, trouble))
    shown = page.detail.first(changes)
    if shown:
        yield from head("Outcome", "", "Definition", "Where")
    for change in shown:
        outcome = change.get("outcome", "unknown")
        told = escape.markdown(f"{OUTCOMES.get(outcome, '?')} {outcome}")
        where = page.place(change.get("source"))
        yield row(told, escape.markdown(change["action"]), cell(change["address"]), where)
    yield from _more(page, changes, "outcomes")


def _trouble(page: Page, changes: Sequence[Change]) -> Lines:
    """What was not done, and why; many that failed alike, and what there is no room for, in fewer words."""
    if page.detail.warnings == "each":
        for change in changes:
            what = escape.markdown(change["action"])
            yield f"- **{escape.markdown(change['outcome'])}** {what} {code(change['address'])}{_failure(change)}"
        return
    told = changes if page.detail.names is None else changes[: page.detail.names]
    for what, group in alike(told, lambda change: f"**{change['outcome']}** {change['action']}"):
        yield f"- {what}: {names(change['address'] for change in group)}"
    if len(changes) > len(told):
        yield f"- **{len(changes) - len(told):,} more that do not fit here.**"


def _failure(change: Change) -> str:
    error = change.get("error") or {}
    told = " ".join(failure(change))
    correlation = f" (correlation id {code(error['correlationId'])})" if error.get("correlationId") else ""
    return f": {escape.markdown(told)}{correlation}" if told or correlation else ""


def _import(page: Page) -> Lines:
    files = page.document.get("files", ())
    shown = page.detail.first(files)
    if shown:
        yield from head("File", "Definitions", "")
    for file in shown:
        outcome = escape.markdown(str(file.get("outcome", "written")))
        yield row(cell(file["path"]), str(file.get("definitions", "")), outcome)
    yield from _more(page, files, "files")


def _doctor(page: Page) -> Lines:
    yield from head("", "Check", "Found", "Way out")
    for one in page.document.get("checks", ()):
        told = [escape.markdown(one[part]) for part in ("message", "fix")]
        yield row(escape.markdown(one["status"]), cell(one["name"]), *told)


# What stands between the counts and the notes, by kind of document.
BODIES: Mapping[str, Callable[[Page], Lines]] = {
    "plan": markdown_plan.body,
    "apply": _apply,
    "drift": markdown_drift.body,
    "validate": _nothing,
    "import": _import,
    "fleet": markdown_fleet.body,
    "explain": markdown_explain.explained,
    "coverage": markdown_explain.covered,
    "doctor": _doctor,
}
