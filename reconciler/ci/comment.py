"""What happens to the one comment that a pull request has for a portal and a directory of specs."""

from collections.abc import Callable, Mapping
from typing import Literal

from reconciler.ci.marks import Mark
from reconciler.model import Json
from reconciler.render import Style, budget
from reconciler.render.style import Origin

Step = Literal["keep", "create", "update", "nothing"]
When = Literal["always", "changes", "never"]
Text = Callable[[int], str]  # what to say within a number of bytes
LADDER = (60_000, 30_000, 8_000)  # bytes: GitHub is said to take 65,536 characters; less is tried where it refuses


def step(there: Mark | None, wanted: Mark, speaks: bool, when: When) -> Step:
    """Whether a comment is written: nothing is said of no changes, unless something else was said before."""
    if when == "never":
        return "nothing"
    if there:
        return "keep" if there.told == wanted.told else "update"
    return "create" if speaks or when == "always" else "nothing"


def speaks(document: Mapping[str, Json]) -> bool:
    """Whether a document holds anything that a reviewer should know."""
    noted = [one for one in document.get("findings", ()) if one["severity"] != "info"]
    return bool(document.get("changes") or document.get("errors") or noted or document.get("items"))


def body(document: Mapping[str, Json], mark: Mark, origin: Origin) -> Text:
    """The text of a comment within a number of bytes."""

    def within(limit: int) -> str:
        return f"{mark}\n{fitted(document, limit - len(str(mark)) - 1, origin)}"

    return within


def fitted(document: Mapping[str, Json], limit: int, origin: Origin) -> str:
    """A document as Markdown of so many bytes at most, with links to its host."""
    return budget.fitted(document, Style(origin=origin), limit)


def nothing(limit: int) -> str:
    """What is said where there is nothing to say."""
    return ""
