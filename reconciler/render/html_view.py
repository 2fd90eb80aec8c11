"""What the HTML page shows of a document, as plain values; the template only says how it looks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from reconciler.model import Json
from reconciler.render import text_drift
from reconciler.render.style import Origin
from reconciler.render.summaries import totals
from reconciler.render.words import (
    BOOKKEEPING,
    PAST,
    SEVERITIES,
    SYMBOLS,
    TROUBLE,
    WRITES,
    Change,
    Document,
    Entry,
    by_heading,
    by_note,
    conflicts,
    consequences,
    create_line,
    drift_items,
    drift_kind,
    entries_of,
    failure,
    heading,
    is_destructive,
    is_new,
    place,
    refusal,
    refused,
    subject,
    title,
    value,
)

TONES = {"create": "good", "restore": "warn", "archive": "bad", "update": "mild"}
OF_SEVERITY = {"high": "bad", "medium": "warn", "low": "mild", "info": "calm"}
OF_OUTCOME = {"failed": "bad", "unknown": "bad", "blocked": "warn", "skipped": "warn"}


@dataclass(frozen=True, slots=True)
class Card:
    """One definition and what is said about it."""

    anchor: str
    sign: str
    word: str
    tone: str
    address: str
    name: str
    label: str
    where: str
    link: str
    told: tuple[str, ...] = ()
    notes: tuple[tuple[str, tuple[Entry, ...]], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    marks: tuple[str, ...] = ()

    @property
    def lost(self) -> bool:
        """Whether something is destroyed."""
        return bool({"destructive", "irreversible"} & set(self.marks))

    @property
    def urgent(self) -> bool:
        """Whether it should be seen without a click."""
        return self.tone == "bad" or bool(self.told and self.tone == "warn")


@dataclass(frozen=True, slots=True)
class Group:
    """Cards under a heading, and the commands for all of them."""

    name: str
    cards: tuple[Card, ...]
    commands: tuple[tuple[str, str], ...] = field(default=())

    @property
    def anchor(self) -> str:
        """Where links to the group lead."""
        return anchor(self.name.lower().replace(" ", "-"))


def anchor(text: str) -> str:
    """A fragment that is the same in every report; what an address bar would encode becomes part of a hash."""
    plain = re.sub(r"[^A-Za-z0-9_./-]", "-", text)
    return plain if plain == text else f"{plain}-{sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"


def groups(document: Document, origin: Origin) -> list[Group]:
    """The cards of a document, under headings."""
    if document.get("kind") == "drift":
        return list(_drift_groups(document, origin))
    changes = [change for change in document.get("changes", ()) if change["action"] not in BOOKKEEPING]
    card = _outcome if document.get("kind") == "apply" else _change
    return [
        Group(heading(group[0]["address"]), tuple(card(change, origin) for change in group))
        for group in by_heading(changes)
    ]


def tiles(document: Document) -> list[tuple[str, int, str]]:
    """The counts at the head of a page: a word, a number, a tone; those that are nought are left out."""
    if document.get("kind") == "drift":
        items = drift_items(document)
        found = [(level, sum(item["severity"] == level for item in items), OF_SEVERITY[level]) for level in SEVERITIES]
    elif document.get("kind") == "apply":
        outcomes = [change.get("outcome", "unknown") for change in document.get("changes", ())]
        found = [(one, outcomes.count(one), OF_OUTCOME.get(one, "good")) for one in sorted(set(outcomes))]
    elif "changes" in document:
        counts = totals(document)
        found = [(f"to {action}", counts[action], TONES[action]) for action in WRITES]
        found += [(PAST[action], counts[action], "calm") for action in BOOKKEEPING]
        found.append(("unchanged", counts["unchanged"], "calm"))
    else:
        severities = [finding["severity"] for finding in document.get("findings", ())]
        tones = {"error": "bad", "warning": "warn", "info": "calm"}
        found = [(one, severities.count(one), tone) for one, tone in tones.items()]
    return [tile for tile in found if tile[1]]


def _card(item: Change, origin: Origin, anchored: str, sign: str, word: str, tone: str, **more: Json) -> Card:
    about, source = subject(item["address"]), item.get("source")
    link = origin.address_of(source["file"], source["line"]) if source else ""
    label = title(item).strip('"')
    return Card(anchor(anchored), sign, word, tone, item["address"], about.phrase, label, place(source), link, **more)


def _change(change: Change, origin: Origin) -> Card:
    word = "conflict" if conflicts(change) else change["action"]
    stopped = refused(change)
    tone = "bad" if is_destructive(change) or conflicts(change) else "warn" if stopped else TONES.get(word, "mild")
    told = [
        *consequences(change),
        *(f"Breaks {one['integration']}: {one['why']}." for one in change.get("breaks") or ()),
    ]
    told += [refusal({**guard, "allow": ""}) for guard in stopped]
    return _card(
        change,
        origin,
        change["address"],
        SYMBOLS.get(word, "!"),
        word,
        tone,
        told=tuple(told),
        notes=tuple(_notes(change)),
        commands=tuple(("to allow it", guard["allow"]) for guard in stopped if guard.get("allow")),
        marks=(change["severity"],) if change["severity"] != "safe" else (),
    )


def _notes(change: Change) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    if is_new(change):
        line = create_line(change)
        yield "", (Entry("", "made as", None, line),) if line else ()
        return
    if change["action"] != "archive":
        for note, fields in by_note(change):
            yield note, tuple(entries_of(fields))


def _outcome(change: Change, origin: Origin) -> Card:
    outcome = change.get("outcome", "unknown")
    tone = OF_OUTCOME.get(outcome, "good")
    correlation = (change.get("error") or {}).get("correlationId")
    told = [*failure(change), *([f"correlation id {correlation}"] if correlation else [])]
    notes = tuple(_notes(change)) if outcome in TROUBLE else ()
    return _card(
        change,
        origin,
        change["address"],
        SYMBOLS.get(change["action"], "!"),
        outcome,
        tone,
        told=tuple(told),
        notes=notes,
        marks=(change["action"],),
    )


def _drift_groups(document: Document, origin: Origin) -> Iterator[Group]:
    rank = {severity: at for at, severity in enumerate(SEVERITIES)}
    items = sorted(drift_items(document), key=lambda item: (rank.get(item["severity"], 0), item["address"]))
    for cause, told in text_drift.CAUSES.items():
        these = [item for item in items if text_drift.cause_of(item) == cause]
        if these:
            yield Group(told, tuple(_item(item, origin) for item in these), tuple(_ways(these)))
    if accepted := [item for item in document.get("items", ()) if item.get("accepted")]:
        yield Group("Accepted for now", tuple(_item(item, origin) for item in accepted))


def _ways(items: Sequence[Change]) -> Iterator[tuple[str, str]]:
    for told, command, rest in text_drift.ways_out(items):
        yield f"{told.rstrip(':')}{f' ({rest})' if rest else ''}", command


def _item(item: Change, origin: Origin) -> Card:
    sign, word = drift_kind(item)
    tone = "calm" if item.get("accepted") else OF_SEVERITY.get(item["severity"], "bad")
    told = [f"Breaks {one['integration']}: {one['why']}." for one in item.get("breaks") or ()]
    if "desired" in item:
        told.append(f"The spec says {value(item['desired'])}.")
    told += text_drift.evidence(item)
    if accepted := item.get("accepted"):
        until = f" until {accepted['until']}" if accepted.get("until") else ""
        told.append(f"Accepted{until}: {accepted.get('reason', '')}")
    life = item.get("life") or {}
    since = f" since {life['since'][:10]}" if life.get("since") else ""
    return _card(
        item,
        origin,
        f"{item['address']}~{item['class']}",
        sign,
        word,
        tone,
        told=tuple(told),
        notes=(("", tuple(entries_of(text_drift.item_fields(item)))),),
        marks=(item["severity"], *([f"{life['state']}{since}"] if life.get("state") else [])),
    )


def frames(document: Document, origin: Origin) -> Sequence[Mapping[str, Json]]:
    """The findings, each with its place and link."""
    rank = {"error": 0, "warning": 1, "info": 2}
    found = sorted(document.get("findings", ()), key=lambda one: rank.get(one["severity"], 0))
    return [{**one, "where": place(one.get("source"), column=True), "link": _link(one, origin)} for one in found]


def _link(finding: Mapping[str, Json], origin: Origin) -> str:
    source = finding.get("source")
    return origin.address_of(source["file"], source["line"]) if source else ""
