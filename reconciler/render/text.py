"""Documents as text for a HubSpot admin at a terminal, or reading a CI log: the worst first, one summary line last."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from reconciler.model import Json
from reconciler.render import text_changes
from reconciler.render.style import Line, Span, Style, wrap
from reconciler.render.summaries import summary
from reconciler.render.words import (
    BOOKKEEPING,
    SYMBOLS,
    TROUBLE,
    Change,
    Document,
    command,
    counted,
    drift_items,
    drift_kind,
    failure,
    is_unshown,
    lines_of,
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
)

TITLES = {
    "plan": "Plan for",
    "apply": "Apply to",
    "drift": "Drift of",
    "import": "Import of",
    "validate": "Specs for",
    "explain": "",
    "coverage": "Coverage of",
    "doctor": "Health of",
}
WHOSE = {
    "managed": "of ours",
    "unmanaged": "undeclared",
    "vendor": "by HubSpot",
    "portal": "in HubSpot's own",
}
OUTCOMES = {
    "verified": ("✓", "good"),
    "done": ("✓", "good"),
    "satisfied": ("=", "dim"),
    "skipped": ("·", "dim"),
    "blocked": ("⊘", "warn"),
    "unknown": ("?", "bad"),
    "failed": ("✗", "bad"),
}


def render(document: Document, style: Style) -> str:
    """A document of any kind as text."""
    return style.page(_lines(document, style))


def _lines(document: Document, style: Style) -> Iterator[Line]:
    yield from _header(document)
    yield from BODIES.get(document.get("kind", ""), _notes)(document, style)
    yield from _errors(document, style)
    if last := summary(document):
        yield (Span(last, "bold"),)


def _header(document: Document) -> Iterator[Line]:
    if document.get("kind") == "fleet":
        from reconciler.render import text_fleet

        yield (Span(text_fleet.title(document), "bold"), Span(f", {moment(document['generatedAt'])}", "dim"))
        yield ""
    told = TITLES.get(document.get("kind", ""), "")
    if told and (name := portal(document)):
        when = moment(document.get("generatedAt") or "")
        yield (Span(f"{told} {name}", "bold"), Span(f", {when}" if when else "", "dim"))
        yield ""


def _plan(document: Document, style: Style) -> Iterator[Line]:
    yield from text_changes.sections(document.get("changes", ()), style)
    yield from _beside(document, style)
    yield from _notes(document, style)


def _beside(document: Document, style: Style) -> Iterator[Line]:
    """What moved remotely and is not this plan's business: counts and names."""
    classes: dict[str, list[str]] = {}
    for item in document.get("drift", ()):
        classes.setdefault(item["class"], []).append(subject(item["address"]).name)
    if classes:
        number = counted(sum(map(len, classes.values())), "definition")
        yield (
            Span("Also moved in HubSpot", "bold"),
            f"  ({number} this plan leaves alone; `{command(document, 'drift')}` tells more)",
        )
        for name, moved in sorted(classes.items()):
            sign, word = drift_kind({"class": name})
            told = f"{sign} {word} {WHOSE.get(name.partition('.')[0], '')}".rstrip()
            head = f"  {told}: {len(moved):,}: "
            yield from wrap(listed(moved, 5), style.width, "      ", head)
        yield ""
    if rest := unmanaged(document):
        yield from (
            (Span(line, "dim"),) for line in wrap(f"Not in the specs, left alone: {rest}", style.width, "  ", "")
        )
        yield ""


def _notes(document: Document, style: Style) -> Iterator[Line]:
    """Findings, guards that refuse the whole, and lists that were not read whole."""
    if lines := list(findings(document.get("findings", ()), style)):
        yield from (*lines, "")
    told = [*unread(document), *map(refusal, refused(document))]
    missing = [line for one in told for line in wrap(f"! {one}", style.width, "  ", "")]
    if missing:
        yield from ((Span(line, "warn"),) for line in missing)
        yield ""


def findings(found: Sequence[Json], style: Style) -> Iterator[Line]:
    """Problems with their place, rule, frame and fix."""
    for finding in found:
        at = place(finding.get("source"), column=True) or finding.get("address") or ""
        severity = finding["severity"]
        role = {"error": "bad", "warning": "warn"}.get(severity, "dim")
        head = f"{at}: " if at else ""
        yield (head, Span(severity, role), Span(f" [{finding['rule']}]", "dim"), f" {finding['message']}")
        for line in (finding.get("frame") or "").splitlines():
            yield ("    ", Span(line, "dim"))
        if finding.get("fix"):
            yield from _fix(finding["fix"], style)


def _fix(way: str, style: Style) -> Iterator[Line]:
    """A way out; a command stays in one line, or nobody could paste it."""
    told = f"fix: {way}"
    yield from (f"    {told}",) if "reconciler " in way else wrap(told, style.width, "         ", "    ")


def _errors(document: Document, style: Style) -> Iterator[Line]:
    for error in own_errors(document):
        where = f"{error['where']}: " if error.get("where") else ""
        first, *rest = lines_of(error["message"])
        yield (where, Span("error", "bad"), Span(f" [{error['code']}]", "dim"), f" {first}")
        yield from (f"    {line}" for line in rest)
        if error.get("hint"):
            yield from _fix(error["hint"], style)
        if error.get("correlationId"):
            yield ("    ", Span(f"correlation id {error['correlationId']}", "dim"))
        yield ""


def _validate(document: Document, style: Style) -> Iterator[Line]:
    if lines := list(findings(document.get("findings", ()), style)):
        yield from (*lines, "")


def _drift(document: Document, style: Style) -> Iterator[Line]:
    from reconciler.render import text_coverage, text_drift

    items = drift_items(document)
    if "items" in document:
        yield from (*wrap(text_drift.story(document), style.width, ""), "")
    yield from text_drift.sections(items, style)
    for line in (text_drift.muted_line(document), text_drift.coverage_line(document)):
        yield from ((Span(part, "dim"),) for part in (wrap(line, style.width, "  ", "") if line else ()))
    if text_drift.muted_line(document) or text_drift.coverage_line(document):
        yield ""
    yield from text_coverage.limits(document)
    for lines in (list(text_drift.life_lines(document)), _no_drift(document)):
        for line in lines:
            yield from ((Span(part, "dim"),) for part in wrap(line, style.width, "  ", ""))
        if lines:
            yield ""
    yield from _notes(document, style)


def _no_drift(document: Document) -> list[str]:
    if "normalised" not in document:
        return []
    from reconciler.render import text_drift

    lines = list(text_drift.normalised_lines(document))
    return ["What differs and is no drift:", *lines] if lines else ["Nothing differs beside that."]


def _apply(document: Document, style: Style) -> Iterator[Line]:
    """What became of every change: what went well first, so that trouble stands next to the summary."""
    changes = document.get("changes", ())
    fine = [change for change in changes if not _is_trouble(change)]
    yield from _carried_out([change for change in fine if change["action"] not in BOOKKEEPING], style)
    noted = [change for change in fine if change["action"] in BOOKKEEPING]
    if noted:
        yield from text_changes.folded(noted, style)
    if trouble := sorted(filter(_is_trouble, changes), key=lambda change: list(OUTCOMES).index(change["outcome"])):
        yield (Span("Not done", "bad"),)
        for change in trouble:
            yield from _outcome(change)
            yield from _failure(change, style)
        yield ""
    yield from _notes(document, style)


def _carried_out(changes: Sequence[Change], style: Style) -> Iterator[Line]:
    for change in changes:
        yield from _outcome(change)
        if is_unshown(change):
            yield from _failure(change, style)
    if changes:
        yield ""


def _is_trouble(change: Change) -> bool:
    return change.get("outcome") in TROUBLE


def _outcome(change: Change) -> Iterator[Line]:
    outcome = change.get("outcome", "unknown")
    symbol, role = OUTCOMES.get(outcome, ("?", "bad"))
    sign = SYMBOLS.get(change["action"], "!")
    about = f"  {sign} {text_changes.reason(change)}  {title(change)}"
    yield (Span(f"  {symbol} {outcome:<9}", role), about)


def _failure(change: Change, style: Style) -> Iterator[Line]:
    error = change.get("error") or {}
    for text in failure(change):
        yield from wrap(text, style.width, "      ")
    status = f"HTTP {error['status']}" if (error.get("status") or 0) > 0 else ""
    where = place(change.get("source"), column=True)
    correlation = f"correlation id {error['correlationId']}" if error.get("correlationId") else ""
    if facts := ", ".join(filter(None, [status, error.get("category"), correlation, where])):
        yield ("      ", Span(facts, "dim"))
    for usage in error.get("usages") or ():
        yield f"      still used by {_usage(usage)}"


def _usage(usage: Json) -> str:
    if isinstance(usage, str):
        return usage
    return " ".join(str(usage[key]) for key in ("type", "name", "id") if usage.get(key))


def _import(document: Document, style: Style) -> Iterator[Line]:
    files = document.get("files", ())
    width = max([len(file["path"]) for file in files], default=0)
    for file in files:
        number = file.get("definitions", file.get("count"))
        told = counted(number, "definition") if number is not None else ""
        outcome = file.get("outcome", file.get("status", "written"))
        yield (Span(f"  {outcome:<9}", "good" if outcome == "written" else "dim"), f"  {file['path']:<{width}}  {told}")
    if files:
        yield ""
    yield from _notes(document, style)
    if files:
        yield f"Next: {document.get('next') or command(document, 'plan')}   (it should find no changes)"


def _explain(document: Document, style: Style) -> Iterator[Line]:
    from reconciler.render import text_explain

    yield from text_explain.lines(document, style)
    yield from ((Span(f"! {one}", "warn"),) for one in unread(document))


def _coverage(document: Document, style: Style) -> Iterator[Line]:
    from reconciler.render import text_coverage

    yield from text_coverage.lines(document, style)
    yield from _notes(document, style)


def _fleet(document: Document, style: Style) -> Iterator[Line]:
    from reconciler.render import text_fleet

    yield from text_fleet.lines(document, style)


def _doctor(document: Document, style: Style) -> Iterator[Line]:
    from reconciler.render import text_doctor

    yield from text_doctor.lines(document, style)


# What stands between the header and the last line, by kind of document.
BODIES: Mapping[str, Callable[[Document, Style], Iterator[Line]]] = {
    "plan": _plan,
    "apply": _apply,
    "drift": _drift,
    "validate": _validate,
    "import": _import,
    "fleet": _fleet,
    "explain": _explain,
    "coverage": _coverage,
    "doctor": _doctor,
}
