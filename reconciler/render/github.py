"""Workflow commands of GitHub Actions that mark files and lines: the ten worst, then how many more there are.

GitHub shows ten annotations of a level in a step and drops the rest in silence. Inside a command ``%`` and line ends
are percent-encoded, in a property also ``:`` and ``,``; nothing else has a meaning there.
"""

from collections.abc import Iterator

from reconciler.render import escape
from reconciler.render.problems import Problem, problems
from reconciler.render.style import Style
from reconciler.render.words import Document, clip, counted

MOST = 10
COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(document: Document, style: Style) -> str:
    """A line a problem; nothing for a document without problems."""
    return "".join(f"{line}\n" for line in _lines(problems(document)))


def _lines(found: list[Problem]) -> Iterator[str]:
    for one in found[:MOST]:
        yield f"::{COMMANDS[one.level]} {_properties(one)}::{_data(clip(one.text, 1000))}"
    if len(found) > MOST:
        yield f"::notice title=reconciler::{counted(len(found) - MOST, 'more problem')}; the summary names them all"


def _properties(one: Problem) -> str:
    parts = {"title": one.rule}
    if one.source:
        parts = {"file": one.source["file"], "line": str(one.source["line"]), **parts}
        if column := one.source.get("column"):
            parts["col"] = str(column)
    return ",".join(f"{key}={_property(value)}" for key, value in parts.items())


def _data(text: str) -> str:
    return escape.terminal(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
