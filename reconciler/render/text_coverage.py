"""How much of a portal the specs hold, as text."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.model import Json
from reconciler.render.style import Line, Span, Style
from reconciler.render.words import NOUNS, Document

Row = tuple[str, ...]
TYPES = ("Custom definitions", "declared", "ignored", "unmanaged", "share", "HubSpot's own")
LIMITS = ("Limits of HubSpot", "used", "limit", "share")


def lines(document: Document, style: Style) -> Iterator[Line]:
    """A table of object types, and one of limits."""
    held = document.get("coverage") or {}
    if rows := by_type(held):
        yield from _table(TYPES, rows)
        yield ""
    yield from limits(document)


def limits(document: Document) -> Iterator[Line]:
    """A table of what HubSpot leaves room for, where it was asked."""
    if rows := used(document.get("coverage") or {}):
        yield from _table(LIMITS, rows)
        yield ""


def by_type(held: Mapping[str, Json]) -> list[Row]:
    """Object types with what a portal made of each, and how much of that is declared."""
    types = held.get("objectTypes") or ()
    rows = [_row(scope(one["objectType"]), [one[name] for name in _COUNTS], bool(one.get("unread"))) for one in types]
    if len(rows) > 1:
        sums = [sum(one[name] for one in types) for name in _COUNTS]
        rows.append(_row("together", sums, any(one.get("unread") for one in types)))
    return rows


_COUNTS = ("declared", "ignored", "unmanaged", "hubspotDefined")


def _row(name: str, counts: Sequence[int], in_part: bool) -> Row:
    """What was counted; of lists that were not all read there may be more."""
    declared, ignored, rest, theirs = (
        f"{number:,}{'+' * in_part}" if number or not in_part else "?" for number in counts
    )
    return (name, declared, ignored, rest, "?" if in_part else share(counts[0], sum(counts[:3])), theirs)


def scope(name: str) -> str:
    """An object type, or the stages, as people call them."""
    return NOUNS[name][1] if name in NOUNS else name


def used(held: Mapping[str, Json]) -> list[Row]:
    """Limits with how much of each is used."""
    return [
        (one["name"], f"{one['used']:,}", f"{one['limit']:,}", share(one["used"], one["limit"]))
        for one in held.get("limits") or ()
    ]


def share(part: int, whole: int) -> str:
    """A part of a whole; a little of it is never nothing."""
    if not whole:
        return "-"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 1 or not part else "< 1 %"


def _table(head: Row, rows: Sequence[Row]) -> Iterator[Line]:
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    yield (Span(_columns(head, widths), "bold"),)
    yield from (_columns(row, widths) for row in rows)


def _columns(row: Row, widths: Sequence[int]) -> str:
    first, *rest = zip(row, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)])
