"""The report of a fleet as text: the portals that need somebody, then where portals differ from each other."""

from collections.abc import Iterator, Mapping, Sequence

from reconciler.fleet import STATES, by_address
from reconciler.model import Json
from reconciler.render.style import Line, Span, Style, columns, pad, wrap
from reconciler.render.words import Document, clip, counted, listed, said, subject

ROLES = {
    "same": ("=", "dim"),
    "differs": ("~", "update"),
    "drifted": ("!", "warn"),
    "applied": ("✓", "good"),
    "stopped": ("✗", "bad"),
    "failed": ("✗", "bad"),
    "not-started": ("·", "dim"),
}
ALL = 40  # a fleet up to this size is listed whole; of a larger one only the portals that need a look
DIFFERENCES = 25


def lines(document: Document, style: Style) -> Iterator[Line]:
    """What stands between the title and the summary."""
    portals = document["portals"]
    shown = portals if len(portals) <= ALL else [one for one in portals if one["verdict"] not in ("same", "applied")]
    if shown:
        yield from _table(shown, style)
    if quiet := len(portals) - len(shown):
        yield f"  {counted(quiet, 'other portal is', 'other portals are')} as declared"
    yield ""
    yield from _differences(document, style)


def title(document: Document) -> str:
    """What was done to how many portals."""
    shard = f", shard {', '.join(document['shards'])}" if len(document["shards"]) == 1 else ""
    return f"Fleet {document['command']} of {counted(len(document['portals']), 'portal')}{shard}"


def _table(portals: Sequence[Json], style: Style) -> Iterator[Line]:
    width = min(max(columns(one["name"]) for one in portals), style.width // 3)
    yield (
        Span(
            f"    {pad('portal', width)}  {'verdict':<11}  {'same':>6}  {'  '.join(f'{s:>10}' for s in STATES)}", "dim"
        ),
    )
    told: dict[tuple[Line, ...], str] = {}
    for one in portals:
        symbol, role = ROLES[one["verdict"]]
        counts = "  ".join(f"{len(one['states'].get(state, ())) or '·':>10}" for state in STATES)
        name = pad(clip(one["name"], width), width)
        yield (
            Span(f"  {symbol} ", role),
            f"{name}  ",
            Span(f"{one['verdict']:<11}", role),
            f"  {one['same']:>6,}  {counts}",
        )
        notes = tuple(_notes(one, style))
        first = told.setdefault(notes, one["name"])
        yield from notes if len(notes) < 2 or first == one["name"] else (f"      the same as {first}",)


def _notes(one: Mapping[str, Json], style: Style) -> Iterator[Line]:
    """Why a portal did not end well, and what of it needs a decision."""
    for error in one["errors"][:3]:
        role = "dim" if one["verdict"] == "not-started" else "bad"
        yield from ((Span(text, role),) for text in wrap(said(error), style.width, "        ", "      "))
        if (hint := error.get("hint")) and hint not in error["message"]:
            yield f"        fix: {hint}"  # not wrapped: a command in it has to be pasted
    if len(one["errors"]) > 3:
        yield f"      and {counted(len(one['errors']) - 3, 'more error')}"
    if lost := destroyed(one):
        yield from (
            (Span(text, "bad"),) for text in wrap(f"destroys {listed(lost, 6)}", style.width, "        ", "      ")
        )
    if one["breaks"]:
        yield (Span(f"      breaks {listed(one['breaks'], 5)}", "bad"),)


def destroyed(one: Mapping[str, Json]) -> list[str]:
    """What a plan destroys with consent; what it lacks consent for is told with the flag that gives it."""
    refused = {word for error in one["errors"] for word in f"{error['message']} {error.get('hint')}".split()}
    lost = one.get("destructive", ()) if one["command"] == "plan" else ()
    return [address for address in lost if address not in refused]


def _differences(document: Document, style: Style) -> Iterator[Line]:
    """Each definition that is not the same everywhere, the most widespread first."""
    found = sorted(by_address(document).items(), key=lambda pair: (-sum(map(len, pair[1].values())), pair[0]))
    if not found:
        return
    yield (Span("Where portals are not as declared", "bold"),)
    for address, states in found[:DIFFERENCES]:
        about = " ".join((address if "unreadable" in states else subject(address).phrase).split())
        told = "; ".join(f"{state} in {listed(names, 6)}" for state, names in states.items())
        yield from wrap(f"{about}: {told}", style.width, "      ", "  ")
    if len(found) > DIFFERENCES:
        yield (Span(f"  and {counted(len(found) - DIFFERENCES, 'more definition')}; -o json has them all", "dim"),)
    yield ""
