"""Writes plain values as YAML that people like to edit: block style, short entries in one line, few quotes.

A text stands without quotes only if readers of YAML 1.1 and of 1.2 take it for the same text: not ``NO``, ``012``,
``1:30`` or a date. All others are in double quotes with JSON's escapes, on one line, and show what is invisible.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

WIDTH = 120  # of entries that stand in one line
SHORT_MAPPING = 2  # entries that a named mapping in one line may have
LONGEST_KEY = 1000  # characters; YAML looks no further than 1,024 for the colon of a key

_WORDS = "true|false|yes|no|on|off|null|y|n"
_NUMBER_LIKE = "[-+.:,_0-9a-fA-FoOxXtTzZ ]*"  # numbers in any base, dates, times and sexagesimals
_BEGIN = rf"(?!(?i:{_WORDS})\Z|[0-9]{_NUMBER_LIKE}\Z)(?:\w|[^\x00-\x7f]|[(/$;^])"
_PLAIN = re.compile(rf"{_BEGIN}(?:[^:#]++|:(?![ ]|\Z)|(?<![ ])#)*+(?<![ ])\Z").match
_PLAIN_IN_FLOW = re.compile(rf"{_BEGIN}(?:[^:#,\[\]{{}}]++|(?<![ ])#)*+(?<![ ])\Z").match


class UnwritableText(ValueError):
    """A text that no YAML file can hold: half of a surrogate pair."""


def dump(value: object, *, comments: Iterable[str] = ()) -> str:
    """A document, with comment lines on top and its sections apart from each other."""
    head = [f"# {comment}".rstrip() for comment in comments]
    if not isinstance(value, Mapping) or not value:
        return "\n".join([*head, *_Writer().document(value)]) + "\n"
    writer = _Writer()
    sections = ["\n".join(writer.mapping({name: inner}, "")) for name, inner in value.items()]
    return "\n".join([*head, "\n\n".join(sections)]) + "\n"


def write_mapping(value: Mapping[str, object], indent: int = 0) -> list[str]:
    """The lines of a mapping in block style, indented by a number of blanks."""
    return _Writer().mapping(value, " " * indent)


def write_scalar(value: object, flow: bool = False, quoted: bool = False) -> str:
    """A text, number, flag or null in one line; in double quotes if asked for."""
    if quoted and isinstance(value, str):
        return _quoted(value)
    writer = _Writer()
    return writer._scalar(value, writer._flow if flow else writer._plain)


class _Writer:
    """Writes values as lines; knows every text that it has written, since definitions repeat theirs."""

    def __init__(self) -> None:
        self._plain: dict[str, str] = {}
        self._flow: dict[str, str] = {}

    def document(self, value: object) -> list[str]:
        if isinstance(value, Sequence) and not isinstance(value, str) and value:
            return self._list(value, "")
        return [self._scalar(value, self._plain)]

    def mapping(self, value: Mapping[str, object], indent: str) -> list[str]:
        lines: list[str] = []
        deeper = indent + "  "
        for key, inner in value.items():
            head = f"{indent}{self._plain.get(key) or self._text(key, self._plain)}:"
            if len(head) > LONGEST_KEY:
                head = f"{indent}? {head[len(indent) : -1]}\n{indent}:"
            if inner.__class__ is str:
                lines.append(f"{head} {self._plain.get(inner) or self._text(inner, self._plain)}")
            elif short := self._short(inner, len(head), SHORT_MAPPING):
                lines.append(f"{head} {short}")
            else:
                lines.append(head)
                lines += self._block(inner, deeper)
        return lines

    def _list(self, value: Sequence[object], indent: str) -> list[str]:
        lines: list[str] = []
        for inner in value:
            if short := self._short(inner, len(indent) + 1, None):
                lines.append(f"{indent}- {short}")
            else:
                first, *rest = self._block(inner, indent + "  ")
                lines += (f"{indent}- {first[len(indent) + 2 :]}", *rest)
        return lines

    def _block(self, value: object, indent: str) -> list[str]:
        if isinstance(value, Mapping):
            return self.mapping(value, indent)
        assert isinstance(value, Sequence)
        return self._list(value, indent)

    def _short(self, value: object, used: int, most: int | None) -> str:
        """A value in one line: any scalar, and a collection of few scalars if there is room for it."""
        if value.__class__ is dict or isinstance(value, Mapping):
            line = self._flow_mapping(value) if most is None or len(value) <= most else ""
        elif isinstance(value, Sequence) and not isinstance(value, str):
            line = self._flow_list(value)
        else:
            return self._scalar(value, self._plain)
        return line if used + 1 + len(line) <= WIDTH or len(line) == 2 else ""

    def _flow_mapping(self, value: Mapping[str, object]) -> str:
        known, text = self._flow, self._text
        pairs = []
        for key, inner in value.items():
            if inner.__class__ is str:
                pairs.append(f"{known.get(key) or text(key, known)}: {known.get(inner) or text(inner, known)}")
            elif _is_scalar(inner):
                pairs.append(f"{known.get(key) or text(key, known)}: {self._scalar(inner, known)}")
            else:
                return ""
        return "{" + ", ".join(pairs) + "}"

    def _flow_list(self, value: Sequence[object]) -> str:
        if not all(map(_is_scalar, value)):
            return ""
        return "[" + ", ".join([self._scalar(inner, self._flow) for inner in value]) + "]"

    def _scalar(self, value: object, known: dict[str, str]) -> str:
        if isinstance(value, str):
            return known.get(value) or self._text(value, known)
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return _float(value)
        if isinstance(value, int):
            return str(value)
        return "{}" if isinstance(value, Mapping) else "[]"

    def _text(self, text: str, known: dict[str, str]) -> str:
        plain = _PLAIN_IN_FLOW if known is self._flow else _PLAIN
        written = text if plain(text) and text.isprintable() else _quoted(text)
        known[text] = written
        return written


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float | None)


def _float(value: float) -> str:
    digits, exponent, power = repr(value).partition("e")
    return repr(value) if not exponent or "." in digits else f"{digits}.0e{power}"  # YAML 1.1 wants the point


def _quoted(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return written if written.isprintable() else "".join(map(_escaped, written))


def _escaped(sign: str) -> str:
    code = ord(sign)
    if sign.isprintable():
        return sign
    if 0xD800 <= code <= 0xDFFF:
        raise UnwritableText(f"the text has half of a surrogate pair (U+{code:04X}), which no YAML file can hold")
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
