"""What reports say about definitions and their changes, whatever the format."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler import address as addresses
from reconciler.model import Json
from reconciler.order import moved
from reconciler.render import escape

Document = Mapping[str, Json]
Change = Mapping[str, Json]

NOUNS = {
    "propertyGroups": ("property group", "property groups"),
    "properties": ("property", "properties"),
    "lifecycleStages": ("lifecycle stage", "lifecycle stages"),
    "associationLabels": ("association label", "association labels"),
}
SYMBOLS = {"create": "+", "update": "~", "archive": "-", "restore": "↺", "adopt": "○", "forget": "·"}
PAST = {
    "create": "created",
    "update": "updated",
    "restore": "restored",
    "archive": "archived",
    "adopt": "adopted",
    "forget": "forgotten",
}
WRITTEN = ("done", "verified")
TROUBLE = ("failed", "unknown", "blocked", "skipped")
WRITES = ("create", "update", "restore", "archive")
BOOKKEEPING = ("adopt", "forget")

# What HubSpot does, in the words of hubspot-api.md A.7, A.9, B, C.1 and D.2.
ARCHIVED = {
    "properties": "Records keep their values for 90 days; until then the property can be restored by hand in HubSpot. "
    "After that the values are gone.",
    "propertyGroups": "HubSpot cannot restore a group; creating it again makes a new, empty one.",
    "lifecycleStages": "A deleted stage cannot be brought back, and the dates on which records entered and left it go "
    "with it. HubSpot refuses while records are in it.",
    "associationLabels": "Every association of records loses this label, and that cannot be undone.",
}
OPTION_REMOVED = "Records that hold a removed option keep a value that no list shows any more."
TYPE_CHANGED = "Values that do not fit the new type become invalid; HubSpot does not convert them."
RESTORED = "A property of this name lies archived; it comes back with the values that records had."


class Subject(NamedTuple):
    """What an address is about: the section, what the name lies under, the name."""

    section: str
    scope: str
    name: str

    @property
    def noun(self) -> str:
        """One of its kind; the section's own name where this page does not know the kind."""
        return NOUNS.get(self.section, (self.section,))[0]

    @property
    def phrase(self) -> str:
        """The thing in a sentence."""
        short = f"{self.noun} {self.name}"
        if not self.scope:
            return short
        return f"{short} ({self.scope})" if "→" in self.scope else f"{short} of {self.scope}"


def subject(address: str) -> Subject:
    """What an address is about."""
    above, _, name = address.rpartition("/")
    section, _, scope = above.partition("/")
    if "/" in scope:
        scope = " → ".join(scope.split("/"))
    if "%" in address:
        return Subject(section, addresses.decode(scope), addresses.decode(name))
    return Subject(section, scope, name)


def heading(address: str) -> str:
    """The heading over changes of one kind and object type."""
    section, scope, _ = subject(address)
    plural = NOUNS.get(section, (section, section))[1].capitalize()
    return f"{plural} of {scope}" if scope and "→" not in scope else f"{plural} {scope}".rstrip()


def by_heading(items: Iterable[Change]) -> list[list[Change]]:
    """Items of one kind and object type together: object types first, groups before properties."""
    groups: dict[str, list[Change]] = {}
    for item in items:
        groups.setdefault(item["address"].rpartition("/")[0], []).append(item)
    return [groups[key] for key in sorted(groups, key=_rank)]


def _rank(prefix: str) -> tuple[int, str, int]:
    section, _, scope = prefix.partition("/")
    kinds = list(NOUNS)
    at = kinds.index(section) if section in NOUNS else len(kinds)
    return max(at, 1), scope, at


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number and its noun."""
    return f"{number:,} {singular}" if number == 1 else f"{number:,} {plural or singular + 's'}"


def listed(names: Sequence[str], most: int, number: int = 0) -> str:
    """Names in a sentence, and how many more there are: of these, or of a greater number that they are the first of."""
    more = max(number, len(names)) - most
    return f"{', '.join(names[:most])} and {more:,} more" if more > 0 else ", ".join(names)


def clip(text: str, limit: int) -> str:
    """A text that is not longer than a limit, and says when it was."""
    return text if len(text) <= limit else f"{text[: max(limit - 1, 1)]}…"


def place(source: Json, column: bool = False) -> str:
    """Where in the specs something stands."""
    if not source:
        return ""
    at = f"{source['file']}:{source['line']}"
    return f"{at}:{source['column']}" if column and source.get("column") else at


def places(change: Json) -> str:
    """Where a change stands in the specs, and in the overlay that gives some of its fields."""
    given = dict.fromkeys(place(field["source"]) for field in change.get("fields") or () if field.get("source"))
    return ", ".join(filter(None, [place(change.get("source")), *given]))


def moment(text: str) -> str:
    """A time to the minute."""
    return f"{text[:10]} {text[11:16]}{' UTC' if text.endswith(('Z', '+00:00')) else ''}" if "T" in text else text


def portal(document: Document) -> str:
    """The portal a document is about, or the two commits."""
    if sides := document.get("comparison"):
        return f"the specs, {sides['base']['ref']} → {sides['head']['ref']}"
    about = document.get("portal") or {}
    name, number = about.get("name"), about.get("portalId")
    return f"{name} (portal {number})" if name and number else str(name or number or "")


def command(document: Document, words: str) -> str:
    """A command about the portal and the specs of a document."""
    flags = (document.get("portal") or {}).get("flags") or ""
    return f"reconciler {words} {flags}".rstrip()


def title(change: Change) -> str:
    """The label that people see in HubSpot, in quotes; nothing where none is known."""
    if label := change.get("title"):
        return f'"{label}"'
    for field in change.get("fields", ()):
        if field["path"] == "label":
            return f'"{field["after"] if "after" in field else field.get("before")}"'
    return ""


def value(shown: Json) -> str:
    """A value as reports show it."""
    if isinstance(shown, str):
        return f'"{shown}"'
    return json.dumps(shown, ensure_ascii=False)


def pair(before: str, after: str, limit: int) -> tuple[str, str]:
    """Two values cut to a limit such that a reader sees where they differ."""
    if len(before) > limit and len(after) > limit:
        start = max(_common(before, after) - limit // 3, 0)
        return _cut(before, limit, start), _cut(after, limit, start)
    return _cut(before, limit), _cut(after, limit)


def _cut(text: str, limit: int, start: int = 0) -> str:
    if len(text) <= limit:
        return text
    shown = clip(f"…{text[start:]}" if start else text, limit)
    return f"{shown} ({len(text):,} characters)"


def _common(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


class Entry(NamedTuple):
    """One field of a change: a sign where the field is an option or order, and how it looked and will look."""

    sign: str
    name: str
    before: str | None = None
    after: str | None = None

    @property
    def sides(self) -> str:
        """Both sides in one line."""
        if self.before is None or self.after is None:
            return self.after or self.before or ""
        return f"{self.before} → {self.after}"


def entries_of(fields: Iterable[Json]) -> list[Entry]:
    """How the fields of a change read; of a whole list of options, each option that differs."""
    return [one for field in fields for one in (_of_options(field) if _whole_options(field) else [entry(field)])]


def folded_options(entries: Sequence[Entry], most: int) -> list[Entry]:
    """The entries of what moved; of many options to which the same happened the first few, and how many more."""
    shown: list[Entry] = []
    for sign in dict.fromkeys(one.sign for one in entries):
        alike = [one for one in entries if one.sign == sign]
        options = [one for one in alike if one.name.startswith("option ")]
        if len(options) > most + 1:
            rest = set(options[most:])
            told = listed([one.name.removeprefix("option ") for one in options[most:]], 3)
            alike = [
                *(one for one in alike if one not in rest),
                Entry(sign, f"{len(rest):,} more options:", after=told),
            ]
        shown += alike
    return shown


def _whole_options(field: Json) -> bool:
    sides = [field[side] for side in ("before", "after") if side in field]
    return field["path"] == "options" and all(
        isinstance(side, list) and side and all(isinstance(option, dict) for option in side) for side in sides
    )


def _of_options(field: Json) -> Iterator[Entry]:
    before, after = ({one["value"]: one for one in field.get(side, ())} for side in ("before", "after"))
    for value in {**before, **after}:
        path = f"options/{addresses.encode(value)}"
        if value not in before:
            yield entry({"path": path, "after": after[value]})
        elif value not in after:
            yield entry({"path": path, "before": before[value]})
        else:
            yield from _of_option(path, before[value], after[value])
    if field.get("before") and field.get("after") and (told := moves(list(before), list(after))):
        yield Entry("~", "order:", after=told)


def _of_option(path: str, before: Json, after: Json) -> Iterator[Entry]:
    for name in dict.fromkeys([*before, *after]):
        sides = {side: one[name] for side, one in (("before", before), ("after", after)) if name in one}
        if name != "displayOrder" and before.get(name) != after.get(name):  # their order is told by their names
            yield entry({"path": f"{path}/{name}", **sides})


def entry(field: Json) -> Entry:
    """How a field of a change reads."""
    top, below, rest = field["path"].partition("/")
    before, after = field.get("before"), field.get("after")
    if top == "options" and not below and _orders(before, after):
        return Entry("~", "order:", after=moves(list(before), list(after)))
    if top == "options" and below:
        return _option_entry(field, rest)
    name = addresses.decode(field["path"])
    if "before" not in field:
        return Entry("", name, None, value(after))
    return Entry("", name, *_told_apart(value(before), value(after) if "after" in field else "(not set)"))


def _told_apart(before: str, after: str) -> tuple[str, str]:
    """Two values that differ, shown so that a reader sees it even where Unicode has look-alikes."""
    if before.isascii() and after.isascii():
        return before, after
    from unicodedata import normalize

    same = normalize("NFKC", before) == normalize("NFKC", after)
    return (escape.ascii_only(before), escape.ascii_only(after)) if same else (before, after)


def _orders(before: Json, after: Json) -> bool:
    sides = (before, after)
    return all(isinstance(side, list) and all(isinstance(name, str) for name in side) for side in sides)


def _option_entry(field: Json, rest: str) -> Entry:
    name, _, attribute = rest.partition("/")
    shown = f"option {option_name(name)}"
    if attribute:
        sides = [value(field[side]) if side in field else "(not set)" for side in ("before", "after")]
        return Entry("~", f"{shown} {attribute}", *_told_apart(*sides))
    if "before" not in field:
        return Entry("+", shown, after=_option(field["after"]))
    if "after" not in field:
        return Entry("-", shown, before=_option(field["before"]))
    return Entry("~", shown, _option(field["before"]), _option(field["after"]))


def option_name(encoded: str) -> str:
    """An option by its value; real portals have some whose value is empty (real-drift.md 7)."""
    return addresses.decode(encoded) or '""'


def _option(attributes: Json) -> str:
    if not isinstance(attributes, dict):
        return value(attributes)
    hidden = "  hidden" if attributes.get("hidden") else ""
    return value(attributes.get("label", "")) + hidden


def moves(before: Sequence[str], after: Sequence[str]) -> str:
    """A new order, told by the names that move."""
    there = set(before) & set(after)
    moving = moved([name for name in after if name in there], before)
    told = [(name, after[at - 1] if at else "") for at, name in enumerate(after) if name in moving]
    if len(told) > 4:
        return f"{len(told):,} of {len(there):,} move: {listed(before, 4)} → {listed(after, 4)}"
    return "; ".join(f"{name} moves {'after ' + previous if previous else 'first'}" for name, previous in told)


def is_new(change: Change) -> bool:
    """Whether nothing tells how a definition was before: it is created, or restored by an undo."""
    action = change["action"]
    return action == "create" or (action == "restore" and not any("before" in one for one in change["fields"]))


def create_line(change: Change) -> str:
    """A new definition in one line: what it is, where it goes, what can be chosen."""
    shown = {}
    parts = []
    for field in change["fields"]:
        path, after = field["path"], field["after"]
        if path in _OWN_WORDS:
            shown[path] = after
        elif path not in _NOT_SHOWN and after not in (None, "", False, -1):
            parts.append(path if after is True else f"{path} {value(after)}")
    kind = f"{shown['type']}/{shown.get('fieldType')}, " if "type" in shown else ""
    group = f"group {shown['groupName']}, " if "groupName" in shown else ""
    options = _counted_options(option_names(shown["options"])) if "options" in shown else ""
    return f"{kind}{group}{options}{', '.join(parts)}".removesuffix(", ")


def _counted_options(names: list[str]) -> str:
    return f"{counted(len(names), 'option')}: {listed(names, 6)}, " if names else ""


_OWN_WORDS = frozenset({"type", "fieldType", "groupName", "options"})
_NOT_SHOWN = frozenset({"label", "description", "displayOrder"})


def option_names(options: Json) -> list[str]:
    """The values of options, from a list of them or a mapping by value."""
    if not options or isinstance(options, dict):
        return list(options or ())
    return [option["value"] for option in options] if isinstance(options[0], dict) else options


def consequences(change: Change) -> Iterator[str]:
    """What a change does to records, in HubSpot's words, and how many there are."""
    yield from effects(change)
    yield from impacts(change)


def effects(change: Change) -> Iterator[str]:
    """What a change does to records, in HubSpot's words."""
    if told := change.get("consequence"):
        yield told
    elif change["action"] == "archive":
        yield ARCHIVED.get(change["address"].partition("/")[0], "It is removed from the portal.")
    elif change["action"] == "restore":
        yield RESTORED
        fields = change.get("fields", ())
        same = [addresses.decode(field["path"]) for field in fields if _stays(field)]
        if same and len(same) == len(fields):
            yield "Its definition is as it lies archived."
        elif same:
            yield f"As it lies archived: {', '.join(same)}."
    elif change.get("severity") in ("destructive", "irreversible"):
        paths = [field["path"] for field in change.get("fields", ()) if "after" not in field]
        if any(path.startswith("options/") and path.count("/") == 1 for path in paths):
            yield OPTION_REMOVED
        if any(field["path"] == "type" for field in change.get("fields", ())):
            yield TYPE_CHANGED


def _stays(field: Json) -> bool:
    """Whether a field is only sent along: a restore sends all of them, for HubSpot resets what it is not sent."""
    return "before" in field and "after" in field and bool(field["before"] == field["after"])


def impacts(change: Change) -> Iterator[str]:
    """How many records a change touches."""
    impact = change.get("impact") or {}
    stage = change["address"].startswith("lifecycleStages/")
    what = ("is in this stage", "are in this stage") if stage else ("holds a value", "hold a value")
    when = f" (counted {moment(impact['measuredAt'])})" if impact.get("measuredAt") else ""
    if (number := impact.get("recordsWithValue")) is not None:
        yield f"{_records(number, *what)}{when}."
    with_option = impact.get("recordsWithOption")
    if isinstance(with_option, dict):
        for address, number in with_option.items():
            option = f"the option {option_name(address.rpartition('/options/')[2])}"
            yield f"{_records(number, f'holds {option}', f'hold {option}')}{when}."
    elif with_option is not None:
        yield f"{_records(with_option, 'holds the option', 'hold the option')}{when}."


def _records(number: int, does: str, do: str) -> str:
    return f"{counted(number, f'record {does}', f'records {do}')}" if number else f"No record {does}"


def lines_of(text: str) -> list[str]:
    """The lines of a message: a sentence, and perhaps a list below it."""
    return [line.strip() for line in text.splitlines() if line.strip()] or [""]


def in_line(text: str) -> str:
    """A message of several lines in one."""
    first, *rest = lines_of(text)
    return f"{first} {'; '.join(rest)}" if rest else first


def said(error: Json) -> str:
    """An error in one line: what, and where."""
    where = f" at {error['where']}" if error.get("where") and error["where"] not in error["message"] else ""
    return f"{in_line(error['message'])}{where}"


def own_errors(document: Document) -> list[Json]:
    """The errors of a run that are not told with a change or a check already."""
    told = [change.get("error") for change in document.get("changes", ())]
    checked = {check["message"] for check in document.get("checks", ())}
    return [error for error in document.get("errors") or () if error not in told and error["message"] not in checked]


def is_unshown(change: Change) -> bool:
    """Whether HubSpot accepted a change and reading back did not show it."""
    return change.get("outcome") == "done" and bool(change.get("message"))


def failure(change: Change) -> list[str]:
    """Why a change was not done, or does not show, each thing said once."""
    told = [text for text in (change.get("message"), (change.get("error") or {}).get("message")) if text]
    return told[:1] if len(told) > 1 and told[1] in told[0] else list(dict.fromkeys(told))


def drift_items(document: Document) -> list[Change]:
    """What moved and nobody has accepted."""
    return [item for item in document.get("items", ()) if not item.get("accepted")]


def is_destructive(change: Change) -> bool:
    """Whether a change loses data or cannot be undone."""
    return change.get("severity") in ("destructive", "irreversible")


def refused(change: Change) -> list[Json]:
    """The guards that stop a change."""
    return [guard for guard in change.get("guards") or () if guard.get("result") == "refused"]


def refusal(guard: Json) -> str:
    """Why a guard stops a change, and the exact flag that lets it pass."""
    limit = f"limit {guard['limit']}, here {guard.get('observed')}" if guard.get("limit") is not None else ""
    told = guard.get("message") or limit
    flag = f"; to allow it: {guard['allow']}" if guard.get("allow") else ""
    return f"refused by guard {guard['rule']}{': ' + told if told else ''}{flag}"


def actor_name(actor: Json) -> str:
    """Who moved something, in a sentence."""
    match (actor or {}).get("type"):
        case "hubspot":
            return "HubSpot"
        case "user":
            return str(actor.get("name") or "") or (f"user {actor['id']}" if actor.get("id") else "a person")
        case "integration":
            return f"integration {actor['id']}" if actor.get("id") else "an integration"
        case "tool":
            return "an earlier apply"
        case _:
            return "somebody"


def cause_note(field: Json) -> str:
    """Why a field differs, when it is not simply that the spec changed."""
    cause = field.get("cause", "spec_change")
    if cause == "revert_drift":
        actor = field.get("actor") or {}
        who = [actor_name(actor)] if actor.get("type") not in (None, "unknown") else []
        told = ", ".join([*who, *([moment(field["at"])] if field.get("at") else [])])
        return f"somebody changed this in HubSpot{': ' + told if told else ''}; apply puts it back"
    if cause == "conflict":
        was = f" (baseline: {value(field['baseline'])})" if "baseline" in field else ""
        return f"CONFLICT: HubSpot and the spec both changed this{was}; decide with --on-conflict spec or live"
    return "" if cause in ("spec_change", "exact", "tombstone", "unknown") else str(cause).replace("_", " ")


def changing(change: Change) -> list[Json]:
    """The fields of a change without those that are only sent along."""
    return [field for field in change.get("fields", ()) if not _stays(field)]


def by_note(change: Change) -> list[tuple[str, list[Json]]]:
    """The fields of a change under the note that explains them, those without one first."""
    notes: dict[str, list[Json]] = {"": []}
    for field in changing(change):
        notes.setdefault(cause_note(field), []).append(field)
    return [(note, fields) for note, fields in notes.items() if fields]


def conflicts(change: Change) -> bool:
    """Whether the spec and HubSpot both moved a field."""
    if change.get("reason") == "conflict":
        return True
    return change["action"] == "update" and any(field.get("cause") == "conflict" for field in change["fields"])


def unmanaged(document: Document) -> str:
    """What the portal holds beside the specs, in one line."""
    held: Mapping[str, Json] = document.get("unmanaged") or {}
    sums: dict[str, dict[str, int]] = {}
    for collection, number in held.get("counts", held).items():
        section, _, scope = collection.partition("/")
        if isinstance(number, int) and number:
            sums.setdefault(section, {})[scope.replace("/", " → ")] = number
    parts = []
    for section, scopes in sums.items():
        where = ", ".join(f"{scope} {number:,}" for scope, number in scopes.items() if scope)
        noun = counted(sum(scopes.values()), *NOUNS.get(section, (section, section)))
        parts.append(f"{noun} ({where})" if where else noun)
    return "; ".join(parts)


UNREAD = {
    "denied": "could not be read: the token is not allowed to",
    "partial": "was read in part only",
    "not_read": "was not read",
    "unavailable": "could not be read: HubSpot did not answer",
}
NO_SUCH = (" (HubSpot answered 400", " (HubSpot answered 404")  # it knows no such object type (hubspot-api.md A.1)


def unread(document: Document) -> Iterator[str]:
    """The lists that were not read whole; nothing is concluded from them."""
    alike: dict[tuple[str, str], list[str]] = {}
    for read in document.get("reads", ()):
        if read.get("status", "ok") != "ok":
            detail = f" ({read['detail']})" if read.get("detail") else ""
            told = "could not be read" if detail.startswith(NO_SUCH) else UNREAD.get(read["status"], read["status"])
            alike.setdefault((told, detail), []).append(read["collection"])
    for (told, detail), names in alike.items():
        if len(names) == 1:
            yield f"{names[0]} {told}{detail}; nothing is planned or reported for it"
        else:
            yield f"{', '.join(names)} {told.replace('was ', 'were ')}{detail}; nothing is planned or reported for them"


DRIFT_SIGNS = {"added": "+", "option-added": "+", "removed": "-", "missing": "-", "option-removed": "-"}
DRIFT_WORDS = {"flags-changed": "flags", "type-changed": "type", "options-changed": "options", "described": "reworded"}
SEVERITIES = ("high", "medium", "low", "info")


def drift_kind(item: Change) -> tuple[str, str]:
    """The symbol and word of a drift class, also of one that this version does not know."""
    what = item["class"].rpartition(".")[2]
    return DRIFT_SIGNS.get(what, "~"), DRIFT_WORDS.get(what, what.replace("-", " "))
