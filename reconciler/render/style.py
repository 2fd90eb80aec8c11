"""How a page of text looks: colours, symbols, columns, and what is left of them on a plain terminal."""

from collections.abc import Iterable
from typing import NamedTuple
from unicodedata import combining, east_asian_width

from reconciler.render import escape

SGR = {
    "create": "32",
    "update": "33",
    "archive": "31",
    "restore": "36",
    "adopt": "34",
    "forget": "2",
    "good": "32",
    "bad": "1;31",
    "warn": "33",
    "bold": "1",
    "dim": "2",
    "high": "1;31",
    "medium": "33",
    "low": "36",
    "info": "2",
}
PLAIN = {"↺": "<", "○": "o", "·": ".", "→": "->", "…": "...", "✓": "v", "✗": "x", "⊘": "!"}
_PLAIN = str.maketrans(PLAIN)


class Span(NamedTuple):
    """A part of a line with a role that has a colour."""

    text: str
    role: str


Line = str | tuple[str | Span, ...]


class Origin(NamedTuple):
    """Where a document was made: what a comment or page links to. Whoever runs in a pipeline knows it."""

    commit: str = ""
    line: str = ""  # address of a line of a file at that commit, with {path} and {line} in it
    whole: str = ""  # address of the run, summary or artifact that holds the whole report
    again: str = ""  # how to run it again, in a few words; without them the command is named

    def address_of(self, file: str, line: int) -> str:
        """Where the host shows a line of a file; nothing when it is not known."""
        from urllib.parse import quote

        path = quote(file.removeprefix("./"), errors="replace") if self.line else ""
        return self.line.replace("{line}", str(line)).replace("{path}", path)


class Style(NamedTuple):
    """What the reader's terminal or page can show."""

    color: bool = False
    width: int = 100
    unicode: bool = True
    origin: Origin = Origin()

    def page(self, lines: Iterable[Line]) -> str:
        """Lines as text. Every line passes here, so this is where hostile strings become harmless."""
        show = self._painted if self.color else _joined
        text = "\n".join([escape.terminal(line) if isinstance(line, str) else show(line) for line in lines]) + "\n"
        return text if self.unicode else text.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")

    def _painted(self, parts: tuple[str | Span, ...]) -> str:
        return "".join(
            [
                escape.terminal(part)
                if isinstance(part, str)
                else f"\x1b[{SGR[part.role]}m{escape.terminal(part.text)}\x1b[0m"
                for part in parts
            ]
        ).rstrip(" ")


def _joined(parts: tuple[str | Span, ...]) -> str:
    text = "".join([part if isinstance(part, str) else part.text for part in parts])
    return escape.terminal(text.rstrip(" "))


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def pad(text: str, width: int) -> str:
    """A text filled up with blanks to a number of columns."""
    return text.ljust(width) if text.isascii() else text + " " * (width - columns(text))


def wrap(text: str, width: int, indent: str, first: str | None = None) -> Iterable[str]:
    """A sentence over as many lines as it takes; breaks come between words only."""
    from textwrap import wrap as wrapped

    return wrapped(
        escape.terminal(text),
        max(width, 40),
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
