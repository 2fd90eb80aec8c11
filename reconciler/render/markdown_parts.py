"""What every part of a Markdown page is made with: how much detail there is room for, cells, links, folds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.escape import cell, code
from reconciler.render.style import Origin
from reconciler.render.words import Change, Document, place

Lines = Iterator[str]


@dataclass(frozen=True, slots=True)
class Detail:
    """In how much detail a page is told. What is destroyed is named at every level but one with a number of names."""

    beside: bool = True  # what is adopted, forgotten, not managed, or moved and left alone
    diffs: Literal["all", "risky", "none"] = "all"
    fields: bool = True  # the column that says what changes
    warnings: Literal["each", "alike", "named"] = "each"  # how the things that nobody may miss are told
    rows: int | None = None  # of a table
    names: int | None = None  # of things that nobody may miss
    body: bool = True  # what stands between the counts and the footer
    left_out: tuple[str, ...] = ()  # what this detail leaves out, in words

    def first(self, rows: Sequence[Change]) -> Sequence[Change]:
        """The rows that there is room for."""
        return rows if self.rows is None else rows[: self.rows]


@dataclass(frozen=True, slots=True)
class Page:
    """A document on its way to becoming a page."""

    document: Document
    origin: Origin
    detail: Detail
    summary: str  # worked out once, however often the page is tried in less detail

    def place(self, source: Json, column: bool = False) -> str:
        """A cell with where in the specs something stands, linked where the host shows it."""
        if not source:
            return ""
        shown = cell(place(source, column))
        address = self.origin.address_of(source["file"], source["line"])
        return f"[{shown}]({address})" if address else shown


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def head(*names: str) -> Lines:
    """The first lines of a table."""
    yield from ("", row(*names), "|---" * len(names) + "|")


def folded(name: str, lines: Iterable[str]) -> Lines:
    """Lines that are shown when somebody asks for them."""
    yield from ("", f"<details><summary><code>{escape.html(name)}</code></summary>", "", *lines, "", "</details>")


def alert(kind: Literal["CAUTION", "WARNING", "NOTE"], lines: Iterable[str]) -> Lines:
    """A block that stands out; nothing when there is nothing to say."""
    for at, line in enumerate(lines):
        yield from ("", f"> [!{kind}]") if not at else ()
        yield f"> {line}"


def alike(items: Iterable[Change], told: Callable[[Change], str]) -> Iterator[tuple[str, list[Change]]]:
    """Items of which the same is told, together."""
    yield from ((words, list(group)) for words, group in groupby(sorted(items, key=told), told))


def names(them: Iterable[str]) -> str:
    """Names in a line, each as it stands in the specs."""
    return ", ".join(map(code, them))
