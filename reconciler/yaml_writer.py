"""Writes spec files: block style, short entries in one line, and quotes where any reader might misread a text."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from reconciler.model import Json

# Plain only what every YAML reader, 1.1 or 1.2, takes for the same text.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./()-]*(?: [A-Za-z0-9_./()&+-]+)*\Z")
_WORDS = frozenset("null true false yes no on off y n nan inf".split())
_HOSTILE = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff]")
SHORT = 88  # characters that an entry in one line may have


def dump(content: Mapping[str, Json]) -> str:
    """A YAML document in block style, sections apart from each other."""
    parts = ["\n".join(_entry(name, value, "")) for name, value in content.items()]
    return "\n\n".join(parts) + "\n"


def _entry(name: str, value: Json, indent: str) -> Iterator[str]:
    head = f"{indent}{_text(name)}:"
    if isinstance(value, Mapping) and value:
        if line := _short(head, value):
            yield line
            return
        yield head
        for key, inner in value.items():
            yield from _entry(key, inner, indent + "  ")
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        yield head
        for item in value:
            yield from _item(item, indent + "  ")
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: Json, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        if all(not isinstance(inner, Mapping | list) for inner in value.values()):
            yield f"{indent}- {_flow(value)}"
            return
        first, *rest = [line for key, inner in value.items() for line in _entry(key, inner, indent + "  ")]
        yield f"{indent}- {first.lstrip()}"
        yield from rest
    else:
        yield f"{indent}- {_scalar(value)}"


def _short(head: str, value: Mapping[str, Json]) -> str:
    """An entry that fits into one line, such as ``billing: {label: Billing}``."""
    if len(value) > 2 or any(isinstance(inner, Mapping | list) for inner in value.values()):
        return ""
    line = f"{head} {_flow(value)}"
    return line if len(line) <= SHORT else ""


def _flow(value: Mapping[str, Json]) -> str:
    return "{" + ", ".join(f"{_text(key)}: {_scalar(inner)}" for key, inner in value.items()) + "}"


def _scalar(value: Json) -> str:
    match value:
        case str():
            return _text(value)
        case None | bool() | int() | float():
            return json.dumps(value)
    return _flow(value) if isinstance(value, Mapping) else "[" + ", ".join(map(_scalar, value)) + "]"


@lru_cache(maxsize=16384)
def _text(text: str) -> str:
    """A text, plain where that is safe for every reader, else in double quotes."""
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return _HOSTILE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
