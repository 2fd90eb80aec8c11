"""Hidden marks: how a comment or an issue of ours is found again, and what it showed last.

A mark is an HTML comment that no data can hold (``render.escape``). It says what a text is about and a fingerprint of
what it tells. Nothing is approved by it: whoever may edit a comment could write one.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.model import Json

_MARK = re.compile(
    r"<!-- reconciler:(?P<what>[a-z]+) key=(?P<key>[0-9a-f]{16}) told=(?P<told>[0-9a-f]{16})(?P<more>[^>]*) -->"
)
_VOLATILE = ("generatedAt", "expiresAt", "tool", "spec", "baseline", "reads")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a text of ours is about (``key``), and a fingerprint of what it tells."""

    what: str  # plan, apply or drift
    key: str
    told: str
    state: str = ""  # what an issue has to remember

    def __str__(self) -> str:
        return (
            f"<!-- reconciler:{self.what} key={self.key} told={self.told}{' ' + self.state if self.state else ''} -->"
        )


def find(text: str | None) -> Mark | None:
    """The mark in the body of a comment or an issue."""
    found = _MARK.search(text or "")
    return Mark(found["what"], found["key"], found["told"], found["more"].strip()) if found else None


def key(portal: str, directory: str, only: Sequence[str] = ()) -> str:
    """What tells our texts apart: one for each portal, directory of specs, and part that was looked at."""
    return _short([portal, directory, *([sorted(set(only))] if only else [])])


def told(document: Mapping[str, Json]) -> str:
    """A fingerprint of what a document tells a person; times, and lines that only moved, tell nothing."""
    kept = {name: part for name, part in document.items() if name not in _VOLATILE}
    return _short(_without_places(kept))


def _without_places(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {name: _without_places(part) for name, part in value.items() if name not in ("source", "frame")}
    return [_without_places(part) for part in value] if isinstance(value, list) else value


def _short(value: Json) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
