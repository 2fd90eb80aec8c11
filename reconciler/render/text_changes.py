"""Changes as text: one header line each, and under it what happens to which field."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model import Json
from reconciler.render.style import Line, Span, Style, columns, pad, wrap
from reconciler.render.words import (
    BOOKKEEPING,
    PAST,
    SYMBOLS,
    Change,
    Entry,
    by_heading,
    by_note,
    clip,
    conflicts,
    consequences,
    create_line,
    entries_of,
    heading,
    is_destructive,
    is_new,
    listed,
    pair,
    places,
    refusal,
    refused,
    subject,
    title,
)

INDENT = "      "
NARROW = 50  # columns that two values need beside their name
NAMED = 10  # adopted or forgotten definitions that are named
SIGN_ROLES = {"+": "create", "-": "archive", "~": "update"}


Row = tuple[Change, str, str, str]  # a change with its name, label and place, before their columns are aligned


def sections(changes: Sequence[Change], style: Style) -> Iterator[Line]:
    """All changes: what destroys first, then by object type and kind, then what is only noted."""
    destructive, noted, shown = _parted(changes)
    if destructive:
        yield (Span("Destructive: this loses data or cannot be undone", "bad"),)
        yield from block(destructive, style, in_full=True)
        yield ""
    for group in by_heading(shown):
        yield (Span(heading(group[0]["address"]), "bold"),)
        yield from block(group, style)
        yield ""
    yield from folded(noted, style)


def _parted(changes: Iterable[Change]) -> tuple[list[Change], list[Change], list[Change]]:
    destructive: list[Change] = []
    noted: list[Change] = []
    shown: list[Change] = []
    for change in changes:
        part = destructive if is_destructive(change) else noted if change["action"] in BOOKKEEPING else shown
        part.append(change)
    return destructive, noted, shown


def block(changes: Iterable[Change], style: Style, in_full: bool = False) -> Iterator[Line]:
    """Changes below each other, in columns."""
    rows = [_row(change, in_full) for change in changes]
    things = min(max([columns(thing) for _, thing, _, _ in rows]), style.width // 2)
    widths = [columns(label) for _, _, label, _ in rows]
    most = max(style.width - things - 42, 24)
    labels = max([width for width in widths if width <= most], default=0)
    heads = {action: Span(f"  {symbol} {action:<7}", action) for action, symbol in SYMBOLS.items()}
    conflict = Span("  ! conflict", "bad")
    for change, thing, label, source in rows:
        head = (
            conflict if conflicts(change) else heads.get(change["action"]) or Span(f"  ! {change['action']:<7}", "bad")
        )
        fits = columns(label) <= labels
        yield (head, f"  {pad(thing, things)}  {pad(label if fits else '', labels)}  ", Span(source, "dim"))
        if not fits:
            yield from wrap(clip(label, 4 * style.width), style.width, INDENT)
        yield from details(change, style)


def _row(change: Change, in_full: bool) -> Row:
    about = subject(change["address"])
    thing = about.phrase if in_full else f"{about.noun} {about.name}"
    return change, thing, title(change), places(change)


def details(change: Change, style: Style) -> Iterable[Line]:
    """What stands below the header line of a change."""
    told = [line for one in consequences(change) for line in _painted(one, style, _warning(change))]
    if is_new(change):
        return [*told, *_created(change, style), *stops(change, style)]
    shown = fields(change, style) if change["action"] != "archive" else ()
    return [*told, *shown, *stops(change, style)]


def _warning(change: Change) -> str:
    return "warn" if is_destructive(change) else "dim"


def _created(change: Change, style: Style) -> Iterable[str]:
    """What a new definition is, and the first line of what is said of it."""
    line = create_line(change)
    described = [field["after"] for field in change["fields"] if field["path"] == "description" and field["after"]]
    about = [INDENT + clip(f'description  "{text}"', style.width - len(INDENT)) for text in described]
    if columns(line) + len(INDENT) > style.width:
        return [*wrap(clip(line, 2 * style.width - 16), style.width, INDENT + "  ", INDENT), *about]
    return [INDENT + line, *about] if line else about


def fields(change: Change, style: Style) -> Iterator[Line]:
    """Every field of a change, those that somebody else moved under a line that says so."""
    for note, moved in by_note(change):
        yield from entries(entries_of(moved), style)
        if note:
            yield from _painted(note, style, "bad" if note.startswith("CONFLICT") else "warn", INDENT + "  ")


def entries(shown: Sequence[Entry], style: Style) -> Iterator[Line]:
    """Fields in columns, options and order below them."""
    width = max([columns(one.name) for one in shown if not one.sign], default=0)
    for one in sorted(shown, key=lambda one: ("", "~", "+", "-").index(one.sign)):
        name = pad(one.name, width) if not one.sign else f"{one.sign} {one.name}"
        yield from _entry(one, name, style)


def _entry(one: Entry, name: str, style: Style) -> Iterator[Line]:
    head = Span(f"{INDENT}{name}  ", SIGN_ROLES[one.sign]) if one.sign in ("+", "-") else f"{INDENT}{name}  "
    room = max(style.width - len(INDENT) - columns(name) - 2, 30)
    if one.before is None or one.after is None:
        yield (head, clip(one.sides, room if one.sign else 2 * room))
        return
    if columns(one.before) + columns(one.after) + 3 <= room:
        yield (head, one.sides)
        return
    if room < NARROW:  # a long name of an option: its values stand below it
        before, after = pair(one.before, one.after, style.width - len(INDENT) - 23)
        yield (head,)
        yield f"{INDENT}  {before}"
        yield f"{INDENT}→ {after}"
        return
    before, after = pair(one.before, one.after, room - 21)
    yield (head, before)
    yield " " * (len(INDENT) + columns(name)) + f"→ {after}"


def stops(change: Change, style: Style) -> Iterable[Line]:
    """What stands in the way of a change: guards, and integrations that it breaks."""
    if not change.get("guards") and not change.get("breaks"):
        return ()
    broken = [f"breaks {one['integration']}: {one['why']}" for one in change.get("breaks") or ()]
    guarded = [(INDENT, Span(refusal(guard), "bad")) for guard in refused(change)]
    return [*(line for one in broken for line in _painted(one, style, "bad")), *guarded]


def _painted(text: str, style: Style, role: str, indent: str = INDENT) -> Iterator[Line]:
    for line in wrap(text, style.width - len(indent), "", ""):
        yield (indent, Span(line, role))


def folded(changes: Sequence[Change], style: Style) -> Iterator[Line]:
    """Definitions that are adopted or forgotten: nothing is written, so they are named and counted only."""
    told = {
        "adopt": "declared, and already so in HubSpot; from now on managed",
        "forget": "no longer declared; HubSpot keeps them, nobody manages them",
    }
    for action in BOOKKEEPING:
        these = [change["address"] for change in changes if change["action"] == action]
        if these:
            yield (Span(f"{SYMBOLS[action]} {PAST[action].capitalize()}: {len(these):,} {told[action]}", action),)
            named = listed(list(map(_short, these[:NAMED])), NAMED, len(these))
            yield from wrap(named, style.width, "    ")
            yield ""


def _short(address: str) -> str:
    about = subject(address)
    return f"{about.scope}/{about.name}" if about.scope else about.name


def reason(change: Json) -> str:
    """The words of a change in a list of outcomes."""
    return f"{change['action']:<7}  {subject(change['address']).phrase}"
