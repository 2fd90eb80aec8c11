"""Makes strings harmless to whatever prints them, and leaves them readable.

Names, labels and messages come from HubSpot, so anybody who can name a property writes into our terminals, CI logs and
pull requests. What could act is shown as the escape that Python and JSON use for it.

- Terminals obey control characters, and bidirectional and zero-width characters make text look like other text.
- XML knows no control characters and no U+FFFE and U+FFFF: one of them makes a whole JUnit report unreadable.
- GitHub Actions obeys ``::command::`` at the start of a line, blanks before it or not, and ``##[command]`` anywhere;
  Azure Pipelines ``##vso[`` anywhere; TeamCity ``##teamcity[``.
- Markdown comments notify ``@name``, link ``#123``, ``GH-123``, ``!123`` and addresses, and know HTML; a marker of ours
  could be forged. A line may begin a list, and GitLab carries out one that begins with ``/close``. Mermaid knows its
  own entities and, inside quotes, Markdown and HTML.
"""

import re
from functools import lru_cache
from unicodedata import category

# Compiled when they are first needed: to compile them all takes longer than to print a small plan.
_COMMANDS = r"(?<!\S)::|##(?=[A-Za-z]*\[)"
_ACTS = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Zs"})
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_JOINERS = "\u200c\u200d"  # emoji and some scripts need them between two letters
_JSON_ACTS = "[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]|(?<=#)#"
_MARKDOWN = r"[\\`*_{}\[\]<>&|~@#]|(?<=\w):(?=//)|(?i:(?<=www)\.)|[!%$](?=\d)|(?i:(?<=\bgh)-(?=\d))"
_BEGINS = r"\s*(?:(?=/[A-Za-z]|[-+](?:\s|\Z)|[-=]+\s*\Z)|\d{1,9}(?=[.)](?:\s|\Z)))"
_MARKUP = {"<": "&lt;", ">": "&gt;", "&": "&amp;", **{sign: f"{sign}&#8203;" for sign in "@#!%$-"}}
_MERMAID = r"[^\w .,()/'-]"


def terminal(text: str) -> str:
    """A line for a terminal or a CI log."""
    if text.isprintable() and "::" not in text and "##" not in text:
        return text
    if not text.isprintable():
        text = "".join([char if char.isprintable() else _visible(text, at, char) for at, char in enumerate(text)])
    return re.sub(_COMMANDS, lambda found: "\\u003a:" if found[0] == "::" else "#\\u0023", text)


def _visible(text: str, at: int, char: str) -> str:
    if char in _JOINERS and not text[max(at - 1, 0) : at + 2].isascii() and _between_letters(text, at):
        return char
    return _NAMED.get(char) or (_code(char) if category(char) in _ACTS or _is_no_character(char) else char)


def _is_no_character(char: str) -> bool:
    """Whether Unicode has set a code point aside for ever; XML 1.0 takes the first two of these for an error."""
    return ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef"


def _between_letters(text: str, at: int) -> bool:
    return 0 < at < len(text) - 1 and text[at - 1] > "\x7f" and text[at + 1] > "\x7f"


def _code(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def ascii_only(text: str) -> str:
    """A text in which every other character is an escape, to tell apart what looks the same."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


def json_text(text: str) -> str:
    """A JSON document that means the same, can be encoded, and holds no command."""
    if text.isascii() and "##" not in text and "\x7f" not in text:
        return text
    return re.sub(_JSON_ACTS, lambda found: f"\\u{ord(found[0]):04x}", text)


def html(text: str) -> str:
    """Text between tags or in a quoted attribute of HTML."""
    from html import escape  # its table of names takes as long to load as this whole package

    return escape(terminal(text))


@lru_cache(maxsize=4096)
def markdown(text: str) -> str:
    """Text in a paragraph or table cell of Markdown that means nothing but itself and notifies nobody."""
    shown = re.sub(_MARKDOWN, lambda found: _MARKUP.get(found[0]) or "\\" + found[0], terminal(text))
    begins = re.match(_BEGINS, shown)
    return f"{begins[0]}\\{shown[begins.end() :]}" if begins else shown


def mermaid(text: str) -> str:
    """Text between double quotes in a Mermaid diagram; every sign that could mean something is its number."""
    return re.sub(_MERMAID, lambda found: f"#{ord(found[0])};", terminal(text))


def code(text: str) -> str:
    """A code span of Markdown."""
    shown = _no_marker(terminal(text)) or " "
    ticks = "`" * (_longest_run(shown) + 1)
    edge = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{ticks}{edge}{shown}{edge}{ticks}"


def cell(text: str) -> str:
    """A code span in a table, where a pipe must be escaped and one behind a backslash cannot be."""
    return code(text.replace("\\|", "\\\\u007c")).replace("|", "\\|")


def fence(lines: list[str], language: str) -> list[str]:
    """A code block of Markdown that nothing inside can close."""
    shown = [_no_marker(terminal(line)) for line in lines]
    ticks = "`" * max(3, _longest_run("\n".join(shown)) + 1)
    return [ticks + language, *shown, ticks]


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _no_marker(text: str) -> str:
    return text.replace("<!--", "<!\\u002d-")
