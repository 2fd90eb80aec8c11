"""Reads YAML 1.2 core as plain values, remembers where everything stands, and reports problems instead of raising.

Values are built straight from the parser's events: PyYAML's own loaders build a graph of nodes first, which takes
several times longer and, with the garbage collector at work, more than linear time. The collector is off meanwhile.
Places of the outer levels are kept; deeper ones are only needed for messages, and a second reading finds them.
"""

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from math import isfinite
from typing import Any, NamedTuple

from reconciler.yaml_events import (
    ALIAS,
    END,
    MAPPING,
    PARSER,
    SEQUENCE,
    STREAM_END,
    Event,
    MarkedYAMLError,
    Parser,
    ReaderError,
    Sign,
    YAMLError,
    reading,
)

LARGEST = 32 * 1024 * 1024  # bytes, five times a spec of 10,000 properties
MOST_VALUES = 3_000_000  # ten times as many; each takes some hundred bytes of memory
DEEPEST = 64  # levels of mappings and lists
MOST_EXPANDED = 100_000  # values that aliases may stand for
PLACED = 3  # levels whose places are kept: section, object type, name
READ_AGAIN = 20  # parts of a file that are read again for their places; for more of them the whole file is, once
FRAME_WIDTH = 100

Json = Any
Path = tuple[str | int, ...]


class YamlProblem(NamedTuple):
    """Something that makes a file unreadable or ambiguous as YAML; lines and columns count from 1."""

    line: int
    column: int
    rule: str
    message: str
    fix: str


class Document(NamedTuple):
    """The content of a YAML file, what is wrong with it, and where everything in it stands."""

    path: str
    value: Json
    problems: tuple[YamlProblem, ...]
    marks: "dict[Path, _Mark]"
    source: "_Source"

    def locate(self, path: Sequence[str | int], key: bool = False) -> tuple[int, int]:
        """Line and column of a value, or of its key; of the nearest thing around it if there is no such path."""
        mark = self.marks.get(tuple(path)) or self.source.find(tuple(path), self.marks)
        return mark[:2] if key else mark[2:]

    def holds(self, mark: bytes) -> bool:
        """Whether some bytes stand anywhere in the file."""
        return mark in self.source.data

    def frame(self, line: int, column: int) -> str:
        """A line of the file with a caret under a column, harmless for terminals and never wide."""
        lines = self.source.lines
        return _frame(lines[line - 1] if line <= len(lines) else "", line, column)


def load(text: str | bytes, path: str, parser: Parser = PARSER) -> Document:
    """A YAML file as plain values; the value is None where a problem leaves none."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    source = _Source(data.removeprefix(b"\xef\xbb\xbf"), parser)
    if refusal := _too_large(data):
        return Document(path, None, (refusal,), {}, _Source(data[:FRAME_WIDTH], parser))
    if refusal := _refusal(source.data):
        return Document(path, None, (refusal,), {}, source)
    with _collector_off():
        builder = _Builder(source)
        value = builder.document()
    problems = [*builder.problems, *builder.duplicates()]
    return Document(path, value, tuple(sorted(problems, key=_position)), builder.marks, source)


def _position(problem: YamlProblem) -> tuple[int, int]:
    return problem.line, problem.column


@contextmanager
def _collector_off() -> Iterator[None]:
    """Parsing makes no cycles, but so many objects that the collector would walk the growing tree again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _too_large(data: bytes) -> YamlProblem | None:
    """Why not even a second look is taken at a file."""
    if len(data) > LARGEST:
        message = f"the file has {len(data):,} bytes, more than {LARGEST >> 20} MiB"
        return YamlProblem(1, 1, "yaml-too-large", message, "split it into several files")
    if len(data) > 2 * MOST_VALUES and sum(data.count(sign) for sign in (b",", b":", b"\n")) > MOST_VALUES:
        message = f"the file has more than {MOST_VALUES:,} values or lines"
        return YamlProblem(1, 1, "yaml-too-large", message, "split it into several files")
    return None


def _refusal(data: bytes) -> YamlProblem | None:
    """Why a file is not parsed at all: its encoding."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:2]:
        return YamlProblem(1, 1, "yaml-encoding", "the file is UTF-16 or UTF-32, not UTF-8", "save it as UTF-8")
    if data.isascii():  # most files are, and to decode one takes as much memory again
        return None
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        message = f"byte 0x{data[error.start]:02x} at offset {error.start} is not UTF-8"
        fix = "save the file as UTF-8; it is perhaps Windows-1252 or Latin-1"
        return YamlProblem(before.count(b"\n") + 1, column, "yaml-encoding", message, fix)
    return None


# --- scalars ---------------------------------------------------------------------------------------------------------

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LETTERS = frozenset("~nNtTfF")  # that a word begins with
_STARTS = _LETTERS | frozenset("-+.0123456789") | {""}  # of plain scalars that may be something else than text
# Leading zeros stay text, unlike in YAML's own core schema: postal codes and phone prefixes look like that. So does
# what no JSON can hold, which is infinite or not a number, and what Python refuses to read or to show for its length.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,3999})").fullmatch
_BASED = r"0o[0-7]{1,3000}|0x[0-9a-fA-F]{1,3000}"  # these two are compiled when something is neither text nor _INT
_FLOAT = r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"


def _resolved(text: str) -> Json:
    """The value of a plain scalar, whose first character is in ``_STARTS``."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _LETTERS:
        return text
    if _INT(text):
        return int(text)
    if re.fullmatch(_BASED, text):
        return int(text, 0)
    if re.fullmatch(_FLOAT, text) and not text.lstrip("+-").isdecimal() and isfinite(number := float(text)):
        return number
    return text


# --- values ----------------------------------------------------------------------------------------------------------

_TAG = "tag:yaml.org,2002:"
_SCALAR_TAGS: dict[str, tuple[type, ...]] = {
    f"{_TAG}int": (int,),
    f"{_TAG}float": (float, int),
    f"{_TAG}bool": (bool,),
    f"{_TAG}null": (type(None),),
}
_TEXT_TAGS = (None, "!", f"{_TAG}str")
_COLLECTION_TAGS = {MAPPING: (None, "!", f"{_TAG}map"), SEQUENCE: (None, "!", f"{_TAG}seq")}
_OPEN = object()  # the anchor of a collection that is still being read

_Mark = tuple[int, int, int, int]  # line and column of a key, line and column of its value


class _Refused(Exception):
    """The rest of the file is not read; holds the problem that says why."""


class _Builder:
    """Turns the events of a file into values; ``_mapping`` and ``_sequence`` are the hot loops."""

    def __init__(self, source: "_Source") -> None:
        self.problems: list[YamlProblem] = []
        self.marks: dict[Path, _Mark] = {}
        self._source = source
        self._keys: dict[str, str] = {}  # every harmless key once: a definition has the same ones as the next
        self._anchors: dict[str, Json] = {}
        self._expanded = 0
        self._repeated: list[Event] = []

    def document(self) -> Json:
        """The value of the only document of the file."""
        try:
            with reading(self._source.data, self._source.parser) as self._get:
                return self._only_document()
        except _Refused as refusal:
            self.problems.append(refusal.args[0])
        except YAMLError as error:
            self.problems += _syntax_problems(error, self._source)
        return None

    def duplicates(self) -> Iterator[YamlProblem]:
        """Keys that their mapping has already, each with the place of the first."""
        for event in self._repeated:
            line, column = _start(event)
            first = self._source.first_of(line, column)
            message = f"the key {event[0]!r} is here twice; the first one is in line {first[0]}, column {first[1]}"
            yield YamlProblem(line, column, "yaml-duplicate-key", message, "remove or rename one of them")

    def _only_document(self) -> Json:
        if self._get()[0] is STREAM_END:
            return None
        event = self._get()
        mark = _start(event)
        self.marks[()] = (*mark, *mark)
        value = self._node(event, 1, ())
        self._get()  # the end of the document
        if (event := self._get())[0] is not STREAM_END:
            fix = "keep one document in a file: remove the `---` line or split the file"
            self._report(event, "yaml-multiple-documents", "a second document begins here", fix)
            while self._get()[0] is not STREAM_END:
                pass
        return value

    def _node(self, event: Event, depth: int, path: Path | None) -> Json:
        """Any value; with a path, places below it are kept."""
        kind, _, tag, anchor, _ = event
        if kind.__class__ is str:
            return self._scalar(event)
        if kind is ALIAS:
            return self._alias(event)
        if depth > DEEPEST:
            message = f"this is nested deeper than {DEEPEST} levels"
            raise _Refused(YamlProblem(*_start(event), "yaml-depth", message, "flatten it"))
        if tag is not None and tag not in _COLLECTION_TAGS[kind]:
            self._refuse_tag(event)
        if anchor is not None:
            self._anchors[anchor] = _OPEN
        value = self._collection(kind, depth, path)
        if anchor is not None:
            self._anchors[anchor] = value
        return value

    def _collection(self, kind: Sign, depth: int, path: Path | None) -> Json:
        if path is None or len(path) == PLACED:
            return self._mapping(depth + 1) if kind is MAPPING else self._sequence(depth + 1)
        return self._placed_mapping(path) if kind is MAPPING else self._placed_sequence(path)

    def _mapping(self, depth: int) -> dict[str, Json]:
        get, keys = self._get, self._keys.get
        found: dict[str, Json] = {}
        while True:
            text, _, tag, anchor, _ = event = get()
            if text.__class__ is not str:
                if text is END:
                    return found
                self._complex_key(event, depth)
                continue
            key = keys(text)
            if key is None or tag is not None or anchor is not None:
                key = self._key(event)
            if key in found:
                self._repeated.append(event)
            text, style, tag, anchor, _ = event = get()
            if text.__class__ is not str or tag is not None or anchor is not None:
                found[key] = self._node(event, depth, None)
            else:
                found[key] = text if style or text[:1] not in _STARTS else _resolved(text)

    def _sequence(self, depth: int) -> list[Json]:
        get, node, plain = self._get, self._node, depth <= DEEPEST
        found: list[Json] = []
        while True:
            kind, _, tag, anchor, _ = event = get()
            if kind is END:
                return found
            if plain and kind is MAPPING and tag is None and anchor is None:
                found.append(self._mapping(depth + 1))  # an option, the most frequent of all: no detour
            else:
                found.append(node(event, depth, None))

    def _placed_mapping(self, path: Path) -> dict[str, Json]:
        found: dict[str, Json] = {}
        while (event := self._get())[0] is not END:
            if event[0].__class__ is not str:
                self._complex_key(event, len(path) + 2)
                continue
            key = self._key(event)
            if key in found:
                self._repeated.append(event)
            below, value = (*path, key), self._get()
            here, there = event[4], value[4]
            self.marks[below] = here.line + 1, here.column + 1, there.line + 1, there.column + 1
            found[key] = self._node(value, len(below) + 1, below)
        return found

    def _placed_sequence(self, path: Path) -> list[Json]:
        found: list[Json] = []
        while (event := self._get())[0] is not END:
            below, mark = (*path, len(found)), _start(event)
            self.marks[below] = (*mark, *mark)
            found.append(self._node(event, len(below) + 1, below))
        return found

    def _key(self, event: Event) -> str:
        """The text of a key that is new or has something special about it."""
        key: str
        key, style, tag, anchor, _ = event
        if tag not in _TEXT_TAGS:
            self._refuse_tag(event)
        if anchor is not None:
            self._anchors[anchor] = key
        if key not in ("", "<<"):
            return self._keys.setdefault(key, key)
        if key == "<<" and not style:
            fix = "write the fields out; an alias may stand for a whole value (`options: *sizes`)"
            self._report(event, "yaml-merge-key", "merge keys (`<<`) are not part of YAML 1.2", fix)
        elif not style:
            self._report(event, "yaml-complex-key", "there is no key before the colon", "write `key: value`")
        return key

    def _complex_key(self, event: Event, depth: int) -> None:
        """Reads over a key that is no text, and its value."""
        what = {ALIAS: "an alias", MAPPING: "a mapping", SEQUENCE: "a list"}[event[0]]
        fix = "write the key as text, in quotes where it holds brackets, braces or `*`"
        self._report(event, "yaml-complex-key", f"{what} cannot be a key", fix)
        self._node(event, depth, None)
        self._node(self._get(), depth, None)

    def _scalar(self, event: Event) -> Json:
        text, style, tag, anchor, _ = event
        if tag in _TEXT_TAGS:
            plain = tag is None and not style
            value = _resolved(text) if plain and text[:1] in _STARTS else text
        else:
            value = self._tagged(event)
        if anchor is not None:
            self._anchors[anchor] = value
        return value

    def _tagged(self, event: Event) -> Json:
        text, _, tag, _, _ = event
        types = _SCALAR_TAGS.get(str(tag))
        if types is None:
            self._refuse_tag(event)
            return text
        value = _resolved(text) if text[:1] in _STARTS else text
        if type(value) not in types:
            name = str(tag).removeprefix(_TAG)
            self._report(event, "yaml-tag", f"{text!r} is no {name}, but tagged `!!{name}`", "remove the tag")
        return float(value) if tag == f"{_TAG}float" and type(value) is int else value

    def _alias(self, event: Event) -> Json:
        name = str(event[3])
        value = self._anchors.get(name, self)
        if value is self:
            fix = f"write `&{name}` before the value that is meant, above this line; or quote the text"
            self._report(event, "yaml-syntax", f"there is no anchor `&{name}` above this alias", fix)
            return None
        if value is _OPEN:
            message = f"`*{name}` stands inside of `&{name}`: the value would contain itself"
            self._report(event, "yaml-alias-limit", message, "write out what is meant here")
            return None
        self._expanded += _count(value, MOST_EXPANDED - self._expanded)
        if self._expanded > MOST_EXPANDED:
            message = f"aliases stand for more than {MOST_EXPANDED:,} values"
            problem = YamlProblem(*_start(event), "yaml-alias-limit", message, "use fewer aliases of aliases")
            raise _Refused(problem)
        return value

    def _refuse_tag(self, event: Event) -> None:
        shown = str(event[2]).replace(_TAG, "!!", 1)
        fix = "remove it; if the value begins with `!`, put it in quotes"
        self._report(event, "yaml-tag", f"the tag `{shown}` is not allowed", fix)

    def _report(self, event: Event, rule: str, message: str, fix: str) -> None:
        self.problems.append(YamlProblem(*_start(event), rule, message, fix))


def _start(event: Event) -> tuple[int, int]:
    mark = event[4]
    return mark.line + 1, mark.column + 1


def _count(value: Json, most: int) -> int:
    """How many values a value holds, itself included; stops counting above a number."""
    number, waiting = 0, [value]
    while waiting and number <= most:
        value = waiting.pop()
        number += 1
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return number


# --- places ----------------------------------------------------------------------------------------------------------


class _Place:
    """Where a value stands, where its key stands, and what is in it."""

    __slots__ = ("inner", "mark")

    def __init__(self, mark: _Mark, inner: "dict[str | int, _Place]") -> None:
        self.mark = mark
        self.inner = inner


class _Source:
    """A file's bytes; what takes a second look at them is worked out once, when asked for."""

    def __init__(self, data: bytes, parser: Parser) -> None:
        self.data = data
        self.parser = parser
        self._maps: dict[tuple[int, int], _Map] = {}

    @cached_property
    def lines(self) -> list[str]:
        """The lines as the parser counts them."""
        return re.split("\r\n|[\r\n\x85\u2028\u2029]", self.data.decode("utf-8", "replace"))

    @cached_property
    def _map(self) -> "_Map":
        with _collector_off():
            return _Map(self)

    def find(self, path: Path, marks: "Mapping[Path, _Mark]") -> _Mark:
        """Where the value of a path stands, or the nearest thing around it."""
        near = range(min(len(path), PLACED), 0, -1) if len(self._maps) < READ_AGAIN else ()
        for depth in near:
            if mark := marks.get(path[:depth]):  # only what is below this has to be read again
                place, left = _found(self._below(*mark[2:]).root, path[depth:])
                if not left:
                    return place.mark
                break
        return _found(self._map.root, path)[0].mark

    def _below(self, line: int, column: int) -> "_Map":
        """The places in what begins there; the parser still counts the lines and columns of the whole file."""
        if (line, column) not in self._maps:
            first, *after = self.lines[line - 1 :] or [""]  # libyaml sees the end of an open brace in the next line
            rest = [" " * (column - 1) + first[column - 1 :], *after]
            data = ("\n" * (line - 1) + "\n".join(rest)).encode("utf-8", "surrogatepass")
            self._maps[line, column] = _Map(_Source(data, self.parser))
        return self._maps[line, column]

    def first_of(self, line: int, column: int) -> tuple[int, int]:
        """Where the same key stands first."""
        return self._map.first[line, column]


def _found(place: _Place, path: Path) -> tuple[_Place, Path]:
    """What a path leads to, or the nearest thing around it and the steps that are left."""
    for index, step in enumerate(path):
        if step not in place.inner:
            return place, path[index:]
        place = place.inner[step]
    return place, ()


class _Map:
    """The places of everything in a file, up to what is no YAML or nested too deep."""

    def __init__(self, source: "_Source") -> None:
        self.root = _Place((1, 1, 1, 1), {})
        self.first: dict[tuple[int, int], tuple[int, int]] = {}
        self._anchors: dict[str, _Place] = {}
        try:
            with reading(source.data, source.parser) as self._get:
                if self._get()[0] is not STREAM_END:
                    event = self._get()
                    self.root.mark = (*_start(event), *_start(event))
                    self._fill(self.root, event, 1)
        except (YAMLError, _Refused):
            return  # the loader reports it; what stands before it has its place

    def _fill(self, place: _Place, event: Event, depth: int) -> None:
        kind, _, _, anchor, _ = event
        if kind is ALIAS:
            place.inner = self._anchors.get(str(anchor), place).inner
            return
        if anchor is not None:
            self._anchors[anchor] = place
        if depth > DEEPEST and kind.__class__ is not str:
            raise _Refused
        if kind is SEQUENCE:
            self._fill_sequence(place, depth + 1)
        elif kind is MAPPING:
            self._fill_mapping(place, depth + 1)

    def _fill_sequence(self, place: _Place, depth: int) -> None:
        while (event := self._get())[0] is not END:
            inner = _Place((*_start(event), *_start(event)), {})
            place.inner[len(place.inner)] = inner
            self._fill(inner, event, depth)

    def _fill_mapping(self, place: _Place, depth: int) -> None:
        while (event := self._get())[0] is not END:
            name, _, _, anchor, _ = event
            key = _start(event)
            if name.__class__ is not str:
                self._fill(_Place((*key, *key), {}), event, depth)
                self._fill(_Place((*key, *key), {}), self._get(), depth)
                continue
            if anchor is not None:
                self._anchors[anchor] = _Place((*key, *key), {})
            if name in place.inner:  # asked before its value, in which the file may end
                first = place.inner[name].mark[:2]
                self.first[key] = self.first.get(first, first)
            event = self._get()
            inner = _Place((*key, *_start(event)), {})
            place.inner[name] = inner
            self._fill(inner, event, depth)


def _frame(line: str, number: int, column: int) -> str:
    """A source line with its number and a caret, clipped around the caret."""
    start = max(0, min(column - 1 - FRAME_WIDTH // 2, len(line) - FRAME_WIDTH))
    part = line[start : start + FRAME_WIDTH]
    before = part[: column - 1 - start]
    head, tail = "…" if start else "", "…" if start + FRAME_WIDTH < len(line) else ""
    gutter = f"{number} | "
    caret = " " * (len(head) + _width(before)) + "^"
    return f"{gutter}{head}{_shown(part)}{tail}".rstrip() + f"\n{'| '.rjust(len(gutter))}{caret}"


def _shown(text: str) -> str:
    """Tabs as two blanks, whatever could move the cursor as a replacement character."""
    return "".join(sign if sign.isprintable() else "  " if sign == "\t" else "\ufffd" for sign in text)


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    from unicodedata import combining, east_asian_width  # only for messages

    shown = _shown(text)
    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in shown)


# --- syntax errors ---------------------------------------------------------------------------------------------------

# Compiled when a file holds one: so wide a set of signs takes as long as a small file.
_UNREADABLE = "[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"


class _Wording(NamedTuple):
    """What a parser's complaint means for somebody who wrote a spec."""

    complaint: str  # of libyaml or of PyYAML's own parser
    message: str
    fix: str
    at_start: bool = False  # the construct's start tells more than where the parser gave up
    rule: str = "yaml-syntax"


_WORDINGS = (
    _Wording("could not find expected ':'", "a colon is missing here", "write `key: value`", at_start=True),
    _Wording(
        r"(?=.*quoted scalar)(?=.*(end of stream|document (indicator|separator)))",
        "a quoted text begins here and does not end",
        "add the closing quote",
        at_start=True,
    ),
    _Wording(
        r"escape|hexdec",
        "this is no escape that YAML knows",
        "write `\\\\` for a backslash, or use single quotes",
    ),
    _Wording(
        r"expected ',' or '\]'|flow sequence",
        "a list in brackets begins here and is not closed, or lacks a comma",
        "add `]` or a comma; a text that begins with `[` needs quotes",
        at_start=True,
    ),
    _Wording(
        r"expected ',' or '\}'|flow mapping",
        "a mapping in braces begins here and is not closed, or lacks a comma",
        "add `}` or a comma; a text that begins with `{` needs quotes",
        at_start=True,
    ),
    _Wording(
        "alphabetic or numeric character",
        "`*` and `&` begin an alias or an anchor, and a name is missing",
        "put the text in quotes",
        at_start=True,
    ),
    _Wording(
        "undefined tag handle|while (scanning|parsing) a tag", "this tag is not allowed", "quote it", rule="yaml-tag"
    ),
    _Wording(
        "sequence entries are not allowed",
        "a list cannot begin in the line of its key",
        "begin the list in the next line, or put the text in quotes",
    ),
    _Wording(
        r"'-' indicator|block collection|block sequence",
        "this line does not fit into the list around it",
        "begin it with `- `, or indent it like its neighbours",
    ),
    _Wording(
        "directive|incompatible YAML document", "directives (`%`) are not supported", "remove the line, or quote it"
    ),
    _Wording("document start", "text follows the end of the document", "indent it, or remove it"),
    _Wording(
        "block scalar",
        "this is no block of text that YAML knows",
        "write `|` or `>` alone, and the text indented in the next lines",
    ),
)


def _syntax_problems(error: YAMLError, source: _Source) -> list[YamlProblem]:
    if isinstance(error, ReaderError):
        return list(islice(_unreadable(source), 20)) or [_plainly(error, 1, 1)]
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return [_plainly(error, 1, 1)]
    if unsettled := next((number for number, line in enumerate(source.lines, 1) if line.startswith("<<<<<<< ")), 0):
        fix = "keep what should stay, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>"
        return [YamlProblem(unsettled, 1, "yaml-syntax", "a conflict of a merge begins here", fix)]
    mark = error.problem_mark
    text = source.lines[mark.line] if mark.line < len(source.lines) else ""
    return [_syntax_problem(error, text, mark.line + 1, mark.column + 1)]


def _syntax_problem(error: MarkedYAMLError, text: str, line: int, column: int) -> YamlProblem:
    indentation = text[: len(text) - len(text.lstrip())]
    complaint = f"{error.context or ''} {error.problem}"
    if "\t" in indentation:
        fix = "indent with spaces"
        return YamlProblem(line, indentation.index("\t") + 1, "yaml-syntax", "a tab stands in the indentation", fix)
    if "cannot start any token" in complaint:
        message = f"a value cannot begin with {text[column - 1 : column]!r}"
        return YamlProblem(line, column, "yaml-syntax", message, "put it in quotes")
    if "mapping values are not allowed" in complaint:
        return _stray_colon(text, line, column)
    for wording in _WORDINGS:
        if re.search(wording.complaint, complaint):
            start = error.context_mark if wording.at_start else None
            place = (start.line + 1, start.column + 1) if start else (line, column)
            return YamlProblem(*place, wording.rule, wording.message, wording.fix)
    if "block mapping" in complaint:
        return _misfit(error, line, column, first=len(indentation) >= column - 1)
    return _plainly(error, line, column)


def _stray_colon(text: str, line: int, column: int) -> YamlProblem:
    if ": " in text[: column - 1]:
        message = "a text with a colon and a blank in it needs quotes"
        return YamlProblem(line, column, "yaml-syntax", message, 'write `key: "some: text"`')
    message = "this line is indented deeper than the one above, which has a value already"
    return YamlProblem(line, column, "yaml-syntax", message, "indent it like its neighbours")


def _misfit(error: MarkedYAMLError, line: int, column: int, first: bool) -> YamlProblem:
    if not first:
        message = "something follows the end of the value"
        return YamlProblem(line, column, "yaml-syntax", message, "put the whole value in one pair of quotes")
    begun = error.context_mark
    where = f" that begins in line {begun.line + 1}, column {begun.column + 1}" if begun else ""
    message = f"this line does not fit into the mapping{where}"
    return YamlProblem(line, column, "yaml-syntax", message, "indent it like its neighbours, as `key: value`")


def _plainly(error: YAMLError, line: int, column: int) -> YamlProblem:
    message = str(getattr(error, "problem", None) or getattr(error, "reason", error))
    return YamlProblem(line, column, "yaml-syntax", message, "check indentation, brackets and quotes here and above")


def _unreadable(source: _Source) -> Iterator[YamlProblem]:
    """Characters that no YAML file may hold."""
    for number, line in enumerate(source.lines, start=1):
        for found in re.finditer(_UNREADABLE, line):
            message = f"the character U+{ord(found[0]):04X} cannot stand in a YAML file"
            fix = f'remove it, or write it as "\\u{ord(found[0]):04x}" in double quotes'
            yield YamlProblem(number, found.start() + 1, "yaml-encoding", message, fix)
