"""One definition explained as text: what it is, whose, who needs it, its fields side by side, and what would happen."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.model import Json
from reconciler.render import text_changes, text_drift
from reconciler.render.style import Line, Span, Style, columns, pad, wrap
from reconciler.render.text import findings
from reconciler.render.words import Document, actor_name, counted, moment, option_name, place, subject, title, value

OWNED = {
    "declared": "",
    "watched": "not in the specs; plan leaves it, drift watches it",
    "ignored": "ignored",
    "left": "",
}
FAMILIES: Mapping[str, str] = {
    "custom": "made in this portal",
    "default": "one of the stages that HubSpot begins a lifecycle with",
    "global": "HubSpot's own, the same in every portal",
    "stage": "made by HubSpot for a stage",
    "subscription": "made by HubSpot for a subscription",
    "score": "made by HubSpot for a score",
    "sync": "made by an integration",
    "local": "made by HubSpot for something in this portal",
}
STATES = {
    "create": "missing in HubSpot; apply would make it",
    "restore": "lies archived in HubSpot; apply would bring it back",
    "spec_change": "the specs changed it; apply would write it",
    "revert_drift": "somebody changed it in HubSpot; apply would put it back",
    "conflict": "the specs and HubSpot both changed it; decide with --on-conflict spec or live",
    "unknown": "differs, and no baseline says who changed it; apply would write it",
}
NEWEST = 3  # acceptances that are told
MOST = 12  # unremarkable options that are listed


def lines(document: Document, style: Style) -> Iterator[Line]:
    """The whole page."""
    if "address" not in document:
        return
    whole = document["address"] + (f"/{document['below']}" if document["below"] else "")
    yield (Span(subject(document["address"]).phrase, "bold"), f"  {title(document)}".rstrip())
    yield (Span(f"{whole}", "dim"),)
    yield ""
    for head, told in facts(document):
        yield from wrap(told, style.width, " " * 17, f"{head:<17}")
    yield ""
    if document["fields"]:
        yield (Span("Fields", "bold"),)
        yield from _fields(document["fields"], style)
        yield ""
    yield from _moved(document, style)
    if notes := list(findings(document["findings"], style)):
        yield from (*notes, "")
    yield (Span("What a plan would do", "bold"),)
    yield from _change(document, style)
    yield ""


def facts(document: Document) -> Iterator[tuple[str, str]]:
    """What is known beside the fields, one sentence each."""
    yield "In the specs", " ".join(_spec(document))
    yield "In HubSpot", "; ".join(_live(document["live"], document["address"]))
    yield "In the baseline", _baseline(document["baseline"])
    for one in document["baseline"].get("acceptances", ())[-NEWEST:]:
        yield "Accepted", text_drift.consent(one)
    for one in document["integrations"]:
        yield "Needed by", _need(one)
    for pattern in document["protected"]:
        yield "Protected", f"by {pattern} in the settings: never archived, retyped or stripped of options"
    for rule in document["ignore"]:
        yield "Ignored", _rule(rule)
    for stone in document["spec"]["removals"]:
        yield "To be removed", f"{stone['address']}: {stone['reason']} ({place(stone['source'], column=True)})"


def _spec(document: Document) -> Iterator[str]:
    spec = document["spec"]
    told = {
        "full": "declared in full",
        "partial": "declared in part, so only the fields that are declared are ours,",
        "absent": "not declared: nothing of it is ours",
        "removed": "not declared, and listed for removal",
    }
    yield told[spec["state"]]
    if spec["source"]:
        yield f"at {place(spec['source'], column=True)}"
    if spec.get("exact"):
        yield "with an exact list of options"
    notes = [f"{key} {', '.join(one) if isinstance(one, list) else one}" for key, one in spec["meta"].items()]
    if notes:
        yield f"({'; '.join(notes)})"


# What of it specs can hold, in the words of a plan that refuses the rest.
_DECLARABLE = {
    (): "nothing of it can be declared, though its group and hiding can be set by hand in HubSpot",
    ("options",): "only its options can be declared, though its group and hiding can be set by hand in HubSpot",
    ("definition",): "its options cannot be declared",
}


def _live(live: Mapping[str, Json], address: str) -> Iterator[str]:
    if live["state"] != "present":
        yield {"absent": "not there", "not_read": f"unknown: {live.get('detail') or 'its list was not read'}"}[
            live["state"]
        ]
        return
    yield str(FAMILIES.get(live["family"], live["family"]))
    of_hubspot = live["family"] != "custom" and address.startswith("properties/")
    if of_hubspot and live["mayChange"] != ["definition", "options"]:
        yield _DECLARABLE.get(tuple(live["mayChange"]), _DECLARABLE[()])
    for event, told in (("created", "made"), ("updated", "last changed")):
        happened = live[event]
        who = f" by {happened.get('name') or 'user ' + happened['user']}" if happened["user"] else ""
        if happened["at"] or who:
            yield f"{told} {moment(happened['at'] or 'at a time that HubSpot does not tell')}{who}"
    if live.get("ids"):
        yield "id " + ", ".join(f"{one} of {side}" for side, one in live["ids"].items())
    if live.get("typeIds"):
        yield f"type ids {', '.join(str(one) for one in live['typeIds'] if one is not None)}"


def _baseline(baseline: Mapping[str, Json]) -> str:
    told = {"present": "there", "absent": "not there", "none": "there is no baseline yet"}[baseline["state"]]
    return f"{told}; managed by the specs" if baseline["managed"] else told


def _need(one: Mapping[str, Json]) -> str:
    wants = [
        f"{key} {', '.join(map(str, want)) if isinstance(want, list) else value(want)}"
        for key, want in one["requires"].items()
    ]
    told = f"{one['integration']}{' (pack ' + one['pack'] + ')' if one['pack'] else ''}"
    told += f": {'; '.join(wants)}" if wants else ": reads or writes it"
    at = place(one["source"], column=True)
    broken = f"; BROKEN now: {'; '.join(one['unmet'])}" if one["unmet"] else ""
    return f"{told}{' (' + at + ')' if at else ''}{broken}"


def _rule(rule: Mapping[str, Json]) -> str:
    what = ", ".join(rule["fields"]) or "all of it"
    until = f", until {rule['expires']}" if rule["expires"] else ""
    over = "" if rule["holds"] else " — expired, it holds no more"
    return f"{what}, because {rule['reason']}{until}{over} ({rule['address']}, {place(rule['source'], column=True)})"


# --- fields ----------------------------------------------------------------------------------------------------------


def remarkable(field: Mapping[str, Json]) -> bool:
    """Whether a field is not simply as it should be."""
    return bool(field["state"] != "as_it_is")


def shown(side: Json) -> str:
    """A value of a field; an option by its label, with what else is set of it."""
    if isinstance(side, Mapping):
        rest = ", ".join(f"{key} {value(one)}" for key, one in side.items() if key != "label")
        return f"{value(side.get('label', ''))}{' (' + rest + ')' if rest else ''}"
    return " < ".join(map(str, side)) if isinstance(side, list) else value(side)


def _fields(fields: Sequence[Mapping[str, Json]], style: Style) -> Iterator[Line]:
    quiet = [one for one in fields if one["path"].startswith("options/") and not remarkable(one)]
    folded = [id(one) for one in quiet[MOST:]] if len(quiet) > MOST + 2 else []
    listed = [one for one in fields if id(one) not in folded]
    width = min(max(columns(name(one)) for one in listed), 32)
    for one in listed:
        yield from _field(one, width, style)
    if any(one["owned"] == "left" for one in fields):
        yield (Span("  (· is not declared, and left as it is)", "dim"),)
    if folded:
        yield (Span(f"      and {counted(len(folded), 'more option')}, all as they should be", "dim"),)


def name(field: Mapping[str, Json]) -> str:
    """A field in words."""
    top, below, rest = field["path"].partition("/")
    if top == "options":
        return f"option {option_name(rest)}" if below else "order of options"
    return f"{rest} in {top}" if rest else top


def _field(field: Mapping[str, Json], width: int, style: Style) -> Iterator[Line]:
    named, at = pad(name(field), width), place(field["source"], column=True)
    if not remarkable(field):
        note = at or (OWNED[field["owned"]] if "live" in field else "as it was accepted")
        sign = Span("  = ", "good") if field["owned"] == "declared" else Span("  · ", "dim")
        text = shown(next((field[side] for side in ("live", "declared", "accepted") if side in field), None))
        room = max(style.width - width - len(note) - 10, 20)
        yield (sign, f"{named}  {_clipped(text, room)}  ", Span(note, "dim"))
        return
    yield (Span("  ~ ", "warn"), f"{named}  ", Span(STATES.get(field["state"], field["why"] or "moved"), "warn"))
    for side, told in (("declared", "specs"), ("live", "HubSpot"), ("accepted", "accepted")):
        if side == "declared" and side not in field and field["owned"] != "watched":
            continue  # the specs say nothing of what is not theirs
        text = shown(field[side]) if side in field else "-"
        where = at if side == "declared" else ""
        yield (f"    {'':<{width}}  {told:<9} {_clipped(text, style.width - width - 30)}  ", Span(where, "dim"))


def _clipped(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 1)] + "…"


# --- what happened, and what would -----------------------------------------------------------------------------------


def _moved(document: Document, style: Style) -> Iterator[Line]:
    """Who changed it since it was accepted, and the ways out."""
    if items := document["drift"]:
        yield (Span("Changed since it was accepted", "bold"),)
        for item in items:
            yield (Span(f"  {item['severity']:<6}", item["severity"]), f"  {item['class']}")
            for told in told_of(item):
                yield from ((text_changes.INDENT, Span(line, "dim")) for line in wrap(told, style.width - 6, "", ""))
            for broken in item["breaks"]:
                yield (text_changes.INDENT, Span(f"breaks {broken['integration']}: {broken['why']}", "bad"))
        yield from text_drift.ways_lines(items)
        yield ""


def told_of(item: Mapping[str, Json]) -> Iterator[str]:
    """Who did it and when, the name said once."""
    who = actor_name(item["actor"])
    found = list(text_drift.evidence(item))
    if not any(one.startswith(who) for one in found):
        yield who
    yield from found


def _change(document: Document, style: Style) -> Iterator[Line]:
    if change := document["change"]:
        yield from text_changes.block([change], style, in_full=True)
    else:
        yield f"  {verdict(document)}"


def verdict(document: Document) -> str:
    """What a plan would do where it would do nothing."""
    if document["live"]["state"] == "not_read":
        return "Nothing: its list was not read, so nothing is known."
    if document["spec"]["state"] in ("full", "partial"):
        blocked = any(one["severity"] == "error" for one in document["findings"])
        return "Nothing, because of the error above." if blocked else "Nothing: HubSpot is as the specs say."
    return "Nothing: what the specs do not declare is not ours."
