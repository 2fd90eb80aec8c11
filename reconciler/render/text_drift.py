"""Drift as text: who moved what, in plain words first."""

from collections import Counter
from collections.abc import Iterator, Sequence
from shlex import quote

from reconciler.model import Json
from reconciler.render import text_coverage
from reconciler.render.style import Line, Span, Style, columns, wrap
from reconciler.render.text_changes import INDENT, entries
from reconciler.render.words import (
    NOUNS,
    SEVERITIES,
    Change,
    Document,
    actor_name,
    clip,
    counted,
    drift_items,
    drift_kind,
    entries_of,
    folded_options,
    listed,
    moment,
    place,
    subject,
    title,
    value,
)

VERBS = {
    "added": "added",
    "option-added": "added an option to",
    "removed": "removed",
    "missing": "removed",
    "recreated": "made anew",
    "option-removed": "removed an option of",
    "reordered": "reordered the options of",
    "relabelled": "renamed",
    "described": "reworded",
    "type-changed": "changed the type of",
    "options-changed": "changed the options of",
    "flags-changed": "changed the flags of",
}
CAUSES = {
    "hubspot": "HubSpot changed",
    "user": "People changed",
    "integration": "Integrations changed",
    "tool": "An earlier apply changed",
    "unknown": "Changed by nobody we can name",
    "unreadable": "Could not be read",
}
WAYS = {"accept": "keep it:", "adopt": "take it into the specs:", "apply": "put it back:"}
FAMILIES = {  # what makes HubSpot define properties for one portal alone
    "subscription": "one a subscription or blog",
    "score": "of scores",
    "sync": "of integrations",
    "local": "of something in this portal",
}
NAMED = 6  # people and integrations whose deeds a story tells one by one
MOST_OPTIONS = 6  # of one list that came, went or were renamed
FOLDED = 3  # more quiet additions than this are counted and named, not listed


def cause_of(item: Change) -> str:
    """The group an item is told in."""
    if item["class"] == "access.unreadable":
        return "unreadable"
    kind = (item.get("actor") or {}).get("type", "unknown")
    return kind if kind in CAUSES else "unknown"


def story(document: Document) -> str:
    """All drift in plain words: who did what to how many, and whether that breaks anything."""
    items = drift_items(document)
    where = " in what could be compared" if document.get("errors") else ""
    if not items:
        return f"Nothing moved{' since the last check' if document.get('newOnly') else ''}{where}."
    actors: dict[str, list[Change]] = {}
    for item in sorted(items, key=lambda item: list(CAUSES).index(cause_of(item))):
        if cause_of(item) != "unreadable":
            actors.setdefault(actor_name(item.get("actor")), []).append(item)
    named = list(actors.items())[:NAMED]
    clauses = [f"{clip(actor, 60)} {_deeds(done)}" for actor, done in named]
    if others := list(actors.values())[NAMED:]:
        clauses.append(f"{counted(len(others), 'other')} {_deeds([item for done in others for item in done])}")
    unreadable = sum(1 for item in items if cause_of(item) == "unreadable")
    if unreadable:
        clauses.append(f"{counted(unreadable, 'list')} could not be read, so nothing is known about what is in there")
    text = "; ".join([*clauses, f"nothing else moved{where}"])
    return f"{text[0].upper()}{text[1:]}. {_consequence(items)}"


def _consequence(items: Sequence[Change]) -> str:
    """What a person wants to know next: whether anything that relies on these definitions broke."""
    broken = sorted({str(one["integration"]) for item in items for one in item.get("breaks") or ()})
    if broken:
        return f"This breaks {listed(broken, 6)}."
    return "Nothing that you said you depend on broke."


def _deeds(items: Sequence[Change]) -> str:
    deeds = Counter((_verb(item), _whose(item)) for item in items)
    order = [*dict.fromkeys(VERBS.values()), "changed"]
    parts: list[str] = []
    said: tuple[str, str] | None = None
    for (verb, whose), number in sorted(deeds.items(), key=lambda deed: order.index(deed[0][0])):
        nouns = _nouns([item for item in items if (_verb(item), _whose(item)) == (verb, whose)])
        noun = whose or (nouns[number != 1] if nouns != said else "")
        parts.append(f"{verb} {number:,} {noun}".rstrip())
        said = None if whose else nouns
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def _verb(item: Change) -> str:
    what = item["class"].rpartition(".")[2]
    whole = what in ("added", "removed", "missing", "recreated")
    return VERBS.get(what, "changed") if whole or not _whose(item) else "changed"


def _whose(item: Change) -> str:
    return {"managed": "of ours", "portal": "of HubSpot's own"}.get(item["class"].partition(".")[0], "")


def _nouns(items: Sequence[Change]) -> tuple[str, str]:
    kinds = {item["address"].partition("/")[0] for item in items}
    other = ("definition", "definitions")
    return NOUNS.get(kinds.pop(), other) if len(kinds) == 1 else other


def sections(items: Sequence[Change], style: Style) -> Iterator[Line]:
    """The items by who moved them, worst first, with the ways out once a group."""
    for cause, told in CAUSES.items():
        group = [item for item in items if cause_of(item) == cause]
        if group:
            yield (Span(told, "bold"), f"  ({len(group):,})")
            yield from _items(group, style)
            yield from ways_lines(group)
            yield ""


def _items(items: Sequence[Change], style: Style) -> Iterator[Line]:
    quiet = [item for item in items if item["class"].endswith(".added") and item["severity"] in ("info", "low")]
    quiet = [item for item in quiet if not item.get("family") and not item.get("breaks")]
    fold = [*(quiet if len(quiet) > FOLDED else ()), *_of_families(items)]
    rank = {severity: at for at, severity in enumerate(SEVERITIES)}
    alike: dict[str, list[Change]] = {}
    for item in sorted(items, key=lambda item: (rank.get(item["severity"], 0), item["address"])):
        if not any(item is one for one in fold):
            alike.setdefault(_likeness(item), []).append(item)
    for group in alike.values():
        if len(group) >= FOLDED:
            yield from _alike(group, style)
        else:
            for item in group:
                yield from _item(item, style)
    yield from _folded(fold, style)


def _of_families(items: Sequence[Change]) -> list[Change]:
    """What comes, goes or is renamed with something else of the portal, where it is more than one: a line a cause."""
    found = [item for item in items if item.get("family") in FAMILIES and not item.get("breaks")]
    counts = Counter((item["class"], item["family"]) for item in found if item["severity"] == "low")
    return [item for item in found if counts[item["class"], item["family"]] > 1]


def _likeness(item: Change) -> str:
    """What is the same for all definitions that one release touches in the same way."""
    told = [item["class"], item["severity"], item_fields(item), list(evidence(item)), item.get("accepted")]
    alone = item.get("breaks") or not (item_fields(item) or item["class"].endswith(".removed"))
    return repr([*told, item["address"]] if alone else told)


def _alike(items: Sequence[Change], style: Style) -> Iterator[Line]:
    """The same change of several definitions, told once."""
    first, about = items[0], [subject(item["address"]) for item in items]
    sign, word = drift_kind(first)
    section = about[0].section
    number = counted(len(items), *NOUNS.get(section, (section, section)))
    yield (Span(f"  {first['severity']:<6}", first["severity"]), f"  {sign} {word}  {number}, in the same way")
    names = [f"{one.name} of {one.scope}" if one.scope else one.name for one in about]
    yield from wrap(listed(names, 12), style.width, INDENT + "  ")
    yield from entries(folded_options(entries_of(item_fields(first)), MOST_OPTIONS), style)
    for told in evidence(first):
        yield from ((INDENT, Span(line, "dim")) for line in wrap(told, style.width - 6, "", ""))


def _folded(items: Sequence[Change], style: Style) -> Iterator[Line]:
    kinds: dict[tuple[str, str, str, str, str], list[str]] = {}
    for item in items:
        about = subject(item["address"])
        done, family = " ".join(drift_kind(item)), FAMILIES.get(item.get("family", ""), "")
        kinds.setdefault((item["severity"], done, about.section, about.scope, family), []).append(about.name)
    for (severity, done, section, scope, family), names in sorted(kinds.items()):
        number = counted(len(names), *NOUNS.get(section, (section, section)))
        of = f"{' of ' + scope if scope else ''}{', ' + family if family else ''}"
        yield (Span(f"  {severity:<6}", severity), f"  {done}  {number}{of}")
        yield from wrap(listed(names, 10), style.width, INDENT + "  ")


def _item(item: Change, style: Style) -> Iterator[Line]:
    sign, word = drift_kind(item)
    severity = item["severity"]
    role = severity if severity in SEVERITIES else "bad"
    thing = item["address"] if cause_of(item) == "unreadable" else subject(item["address"]).phrase
    label, where = "" if relabelled(item) else title(item), place(item.get("source"))
    head, rest = (
        f"  {sign} {word}  {thing}",
        (f"  {label}" if label else "", Span(f"  {where}" if where else "", "dim")),
    )
    if 8 + sum(map(columns, (head, rest[0], rest[1].text))) <= style.width:
        yield (Span(f"  {severity:<6}", role), head, *rest)
    else:
        yield (Span(f"  {severity:<6}", role), head)
        yield from ((INDENT[2:], *rest),) if label or where else ()
    yield from entries(folded_options(entries_of(item_fields(item)), MOST_OPTIONS), style)
    if "desired" in item:
        yield f"{INDENT}the spec says {value(item['desired'])}"
    for told in evidence(item):
        yield from ((INDENT, Span(line, "dim")) for line in wrap(told, style.width - 6, "", ""))
    for broken in item.get("breaks") or ():
        yield (INDENT, Span(f"breaks {broken['integration']}: {broken['why']}", "bad"))


def item_fields(item: Change) -> Sequence[Json]:
    """The fields of an item, whether it holds a list of them or one."""
    if item["class"].endswith((".added", ".removed", ".missing", ".unreadable")):
        return ()
    if item.get("fields"):
        return [field for field in item["fields"] if isinstance(field, dict)]
    if "before" not in item and "after" not in item:
        return ()
    sides = {side: item[side] for side in ("before", "after") if side in item}
    return [{"path": item.get("field") or item.get("path") or "value", **sides}]


def relabelled(item: Change) -> bool:
    """Whether the label itself moved, so that it need not be told beside the name."""
    return any(field["path"] == "label" for field in item_fields(item))


def evidence(item: Change) -> Iterator[str]:
    """Why we name this actor, and when it was."""
    actor = item.get("actor") or {}
    who = actor_name(actor) if actor.get("type") not in (None, "unknown", "hubspot") else ""
    sure = f"{actor['confidence']}" if actor.get("confidence") not in (None, "certain", "high") else ""
    when = moment(item["at"]) if item.get("at") else ""
    told = "; ".join(map(str, filter(None, [actor.get("evidence"), item.get("evidence")])))
    head = ", ".join(filter(None, [who, when, sure and f"confidence {sure}"]))
    if head or told:
        yield ": ".join(filter(None, [head, told]))
    if (life := item.get("life") or {}).get("state") in ("ongoing", "reopened"):
        yield f"{life['state']} since {moment(life['since'])}"


def ways_out(items: Sequence[Change]) -> list[tuple[str, str, str]]:
    """The ways out of a group as commands: one for one item, with all addresses for a few, an example for many."""
    alike: dict[tuple[str, str], list[str]] = {}
    for way, told in WAYS.items():
        for item in items:
            ways, name = item.get("ways") or {}, quote(item["address"])
            if command := ways.get(way):
                said = told if way != "adopt" or "accept" in ways else WAYS["accept"]  # the specs want it otherwise
                alike.setdefault((said, command.replace(name, "\0", 1)), []).append(name)
    order = list(WAYS.values())
    return [
        (told, *_together(shape, list(dict.fromkeys(names))))
        for (told, shape), names in sorted(alike.items(), key=lambda one: order.index(one[0][0]))
    ]


def _together(shape: str, names: Sequence[str]) -> tuple[str, str]:
    if len(names) > FOLDED:
        return shape.replace("\0", names[0]), f"likewise for {len(names) - 1:,} more"
    between = " --only " if " --only \0" in shape else " "  # an option takes one address at a time
    return shape.replace("\0", between.join(names)), ""


def ways_lines(items: Sequence[Change]) -> Iterator[Line]:
    """The ways out, each command alone in its line, so that it can be pasted."""
    for told, command, rest in ways_out(items):
        yield (f"    {told:<24}", Span(command, "dim"))
        if rest:
            yield f"    {'':<24}{rest}"


def muted_line(document: Document) -> str:
    """What was left out because it follows from something else or is ignored."""
    parts = [f"{one['count']:,} {one['cause']}" for one in document.get("muted") or () if one.get("count")]
    return f"Muted: {'; '.join(parts)}." if parts else ""


def life_lines(document: Document) -> Iterator[str]:
    """What came to an end, what `--new-only` left out, and how long there is a history."""
    if resolved := document.get("resolved"):
        names = listed([_resolved(one) for one in resolved], 6)
        yield f"Resolved since the last check: {counted(len(resolved), 'finding')}: {names}."
    held = [f"{number:,} {state}" for state, number in (document.get("held") or {}).items() if number]
    if held:
        yield f"Not told again: {', '.join(held)}."
    points = list(document.get("timeline") or ())
    if len(points) > 1:
        before, now = points[-2]["open"], points[-1]["open"]
        since = moment(points[0]["at"])
        yield f"History: {counted(len(points), 'check')} since {since}; {now:,} open, {before:,} at the last one."


def _resolved(one: Document) -> str:
    return f"{one['address']} (accepted {consent(one['accepted'])})" if one.get("accepted") else str(one["address"])


def consent(given: Document) -> str:
    """By whom, when and why something was accepted."""
    by = f"by {given['by']}, " if given.get("by") else ""
    what = f" ({given['class']})" if given.get("class") else ""
    until = f", until {given['until']}" if given.get("until") else ""
    why = f": {given['reason']}" if given.get("reason") else ""
    return f"{by}{moment(given['at'])}{until}{what}{why}"


def normalised_lines(document: Document) -> Iterator[str]:
    """What differs and is no drift, by rule, with a few examples."""
    for rule in document.get("normalised") or ():
        examples = [f"{one['address']} {one['path']}".strip() for one in rule["differences"]]
        yield f"{rule['count']:,} {rule['rule']}: {rule['muted']} ({listed(examples, 5)})"


def _held(row: Document, number: int) -> str:
    """How much of an object type the specs hold, as far as it was read."""
    name = text_coverage.scope(row["objectType"])
    if not number and not row["hubspotDefined"]:
        return f"{name} could not be read"
    return f"{name} {row['declared']:,} of {number:,}{' that could be read' if row.get('unread') else ''}"


def coverage_line(document: Document) -> str:
    """How much of what a portal made the specs hold."""
    held = document.get("coverage") or {}
    rows = held.get("objectTypes") or ()
    sums = {one["objectType"]: one["declared"] + one["ignored"] + one["unmanaged"] for one in rows}
    if not any(sums.values()):
        return ""
    parts = [_held(one, number) for one in rows if (number := sums[one["objectType"]]) or one.get("unread")]
    totals = {name: sum(one[name] for one in rows) for name in ("declared", "ignored", "unmanaged")}
    rest = [f"{totals[name]:,} {name}" for name in ("ignored", "unmanaged") if totals[name]]
    all_of_them = f"{sum(sums.values()):,} custom definitions"
    by = "" if held.get("by") != "baseline" else " No spec was read: this is as the last apply or import left it."
    head = f"Coverage: {totals['declared']:,} of {all_of_them} are declared ({', '.join(parts)})"
    return f"{'; '.join([head, *rest])}.{by}"
