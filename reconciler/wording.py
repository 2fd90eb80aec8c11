"""Words that errors about specs and settings share: what was found, what may be meant, and a list of findings."""

from collections.abc import Iterable, Mapping, Sequence
from json import JSONDecodeError

from reconciler.model import Finding, Json

EXPECTED = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


def nearest(word: object, known: Iterable[str]) -> str:
    """The known word that is most likely meant; none when nothing is near."""
    from difflib import get_close_matches  # only for what is misspelt

    names = list(known)
    plain = {_plain(name): name for name in names}
    text = str(word)
    if _plain(text) in plain:
        return plain[_plain(text)]
    near = get_close_matches(text, names, 1, 0.65) or get_close_matches(_plain(text), plain, 1, 0.65)
    return plain.get(near[0], near[0]) if near else ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A question with the nearest known word, or nothing."""
    near = nearest(word, known)
    return f"did you mean {near}?" if near else ""


def enumerated(names: Sequence[str]) -> str:
    """All of these names in a sentence."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def found(value: Json) -> str:
    """A value in a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {short(value)}"
        case Mapping():
            return "a mapping"
    return "a list"


def short(text: str, most: int = 60) -> str:
    """A quoted text that does not fill the line."""
    return repr(text if len(text) <= most else text[: most - 1] + "…")


def not_json(error: Exception) -> str:
    """What keeps a text from being JSON, in a sentence."""
    match error:
        case JSONDecodeError():
            return f"is not JSON (line {error.lineno}, column {error.colno})"
        case UnicodeDecodeError():
            return "is not JSON: it is not in UTF-8"
        case RecursionError():
            return "is not JSON: it is nested too deeply"
        case ValueError() if "digits" in str(error):
            return "is not JSON: a number has too many digits"
    return f"is not JSON: {error}"


def report(findings: Iterable[Finding]) -> str:
    """Findings as the lines of an error message."""
    return "\n".join(
        line
        for finding in findings
        for line in (
            f"{finding.source}: {finding.message} [{finding.rule}]",
            *(f"  {text}" for text in finding.frame.splitlines()),
            *([f"  fix: {finding.fix}"] if finding.fix else []),
        )
    )
