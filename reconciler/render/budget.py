"""Makes a report fit where it is posted: a ladder that goes down by meaning, never by cutting text.

Hosts refuse a comment that is too long, and some keep the old one in silence. So a page is told in less and less detail
until it fits: first without what stands beside the plan, then without the differences of what is safe, then without
all differences, then without the column of fields, then with fewer rows. What is destroyed is named throughout; only
when the bare names alone are too many does the page stop naming them, and says how many are missing; when something
else is too long for any page, the counts alone are left. A page that is shortened says what was left out, carries
``shortened`` in its hidden marker, and approves nothing.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import inf

from reconciler.render.markdown import lines
from reconciler.render.markdown_parts import Detail, Page
from reconciler.render.style import Style
from reconciler.render.summaries import summary
from reconciler.render.words import Document

# Bytes that each host surely takes; what it really takes stands beside it.
LIMITS: Mapping[str, int] = {
    "github": 60_000,  # comment, issue: 65,536 characters, else 422
    "github-summary": 900_000,  # 1 MiB a step, else nothing of it is shown
    "gitlab": 900_000,  # note: 1,000,000 characters
    "azure": 140_000,  # comment of a pull request: 150,000
    "bitbucket": 30_000,  # comment: 32,768
}
SHORTEST = 10  # bytes of a row or name, at least
BESIDE = "what stands beside the plan"
SAFE, ALL, FIELDS = "the differences of what is safe", "all differences", "the fields"
RUNGS = (
    Detail(),
    Detail(beside=False, left_out=(BESIDE,)),
    Detail(beside=False, diffs="risky", left_out=(BESIDE, SAFE)),
    Detail(beside=False, diffs="none", left_out=(BESIDE, ALL)),
    Detail(beside=False, diffs="none", fields=False, left_out=(BESIDE, ALL, FIELDS)),
)
BARE = (
    RUNGS[-1],
    replace(RUNGS[-1], warnings="alike", left_out=(*RUNGS[-1].left_out, "warnings one by one")),
    replace(RUNGS[-1], warnings="named", left_out=(*RUNGS[-1].left_out, "consequences")),
)
COUNTS = replace(BARE[-1], body=False, left_out=("all but the counts",))
_SHORTENED = re.compile(r"<!-- reconciler [^>]*\bshortened=1 -->\s*\Z")


def render(document: Document, style: Style) -> str:
    """A document as Markdown that fits into a comment on GitHub."""
    return fitted(document, style, LIMITS["github"])


def fitted(document: Document, style: Style, limit: int) -> str:
    """A document as Markdown of at most so many bytes, in as much detail as they hold; 4,000 hold any."""
    whole = Page(document, style.origin, RUNGS[0], summary(document))
    for detail in RUNGS:
        if text := _text(whole, limit, detail):
            return text
    rows = min(_rows(document), limit // SHORTEST)
    for bare in BARE:
        if text := _most(rows, partial(_with_rows, whole, limit, bare)):
            return text
    named = min(_names(document), limit // SHORTEST)
    return _most(named, partial(_with_names, whole, limit)) or _text(whole, inf, COUNTS)


def is_whole(text: str) -> bool:
    """Whether a page holds all that there is to review; only such a page may stand for an approval."""
    return not _SHORTENED.search(text)


def _text(page: Page, limit: float, detail: Detail) -> str:
    """The page in this detail; nothing as soon as it is too long."""
    kept, size = [], 0
    for line in lines(replace(page, detail=detail)):
        size += len(line.encode("utf-8", "replace")) + 1
        if size > limit:
            return ""
        kept.append(line)
    return "\n".join(kept) + "\n"


def _most(most: int, told: Callable[[int], str]) -> str:
    """The longest text that fits, of those with no, one, two... rows; nothing when not even the first does."""
    if not (bare := told(0)):
        return ""
    number = bisect_left(range(1, most + 1), True, key=lambda rows: not told(rows))
    return told(number) if number else bare


def _with_rows(page: Page, limit: float, bare: Detail, rows: int) -> str:
    left_out = f"all rows but {rows:,}" if rows else "all rows"
    return _text(page, limit, replace(bare, rows=rows, left_out=(*bare.left_out, left_out)))


def _with_names(page: Page, limit: float, names: int) -> str:
    left_out = (*BARE[-1].left_out, "all rows", f"all names of what is destroyed but {names:,}")
    return _text(page, limit, replace(BARE[-1], rows=0, names=names, left_out=left_out))


def _rows(document: Document) -> int:
    parts = ("changes", "items", "findings", "files", "errors", "portals", "fields")
    return max(len(document.get(part) or ()) for part in parts)


def _names(document: Document) -> int:
    lost = [len(change.get("destroys") or "1") for change in document.get("changes", ())]
    return sum(lost) + len(document.get("items", ())) + len(document.get("portals", ()))
