"""Reads YAML as 1.2 core, straight from PyYAML's C events, with positions and every problem at once."""

import gc
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

Json = Any
MAX_BYTES, MAX_DEPTH, MAX_ALIASED = 64 * 1024 * 1024, 64, 100_000
SHALLOW = 3  # levels of mappings whose keys keep their place while loading; deeper ones are found when asked for

_CONSTANTS: dict[str, Json] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf"), float("inf")),
    "-.inf": float("-inf"),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
# Leading zeros stay text, and so do 1:30, 1_000 and dates: values of options look like that.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_BASED = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_MAYBE = frozenset("0123456789-+.~nNtTfF")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class YamlProblem:
    """Something that is wrong with a file as YAML; lines and columns start at 1."""

    line: int
    column: int
    rule: str
    message: str
    fix: str = ""


@dataclass(frozen=True)
class Document:
    """The content of a YAML file, and where everything in it stands."""

    path: str
    text: str
    value: Json = None
    problems: tuple[YamlProblem, ...] = ()
    keys: dict[tuple[str, ...], tuple[int, int]] = field(default_factory=dict, repr=False)
    _deep: dict[tuple[str | int, ...], tuple[int, int]] = field(default_factory=dict, repr=False)

    def locate(self, path: Sequence[str | int], key: bool = False) -> tuple[int, int]:
        """Line and column of a value, or of its key; of the nearest thing above where there is no such path."""
        wanted = tuple(path)
        if key and wanted in self.keys:
            return self.keys[wanted]  # type: ignore[index]
        if not self._deep and self.text:
            self._deep.update(_positions(self.text))
        for length in range(len(wanted), 0, -1):
            place = self._deep.get((*wanted[:length], _KEY if key else _VALUE))
            if place:
                return place
        return (1, 1)

    def frame(self, line: int, column: int) -> str:
        """The line and a mark under the column, clipped around it."""
        lines = self.text.splitlines()
        shown = lines[line - 1] if 0 < line <= len(lines) else ""
        start = max(0, column - 61)
        part = _CONTROL.sub("?", shown[start : start + 100]).replace("\t", " ")
        width = sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in part[: column - 1 - start])
        number = f"{line:>5} | "
        return f"{number}{part}\n{' ' * (len(number) - 2)}| {' ' * width}^"


_KEY, _VALUE = "\0key", "\0value"


def load(text: str | bytes, path: str) -> Document:
    """A YAML file as plain Python values; what is wrong with it is in ``problems``, nothing is raised."""
    decoded = _decoded(text)
    if isinstance(decoded, YamlProblem):
        return Document(path, "", None, (decoded,))
    if problem := _control(decoded):
        return Document(path, decoded, None, (problem,))
    builder = _Builder(decoded)
    with _uncollected():
        value = builder.build()
    return Document(path, decoded, value, tuple(sorted(builder.problems, key=_place)), builder.keys)


def _place(problem: YamlProblem) -> tuple[int, int]:
    return problem.line, problem.column


def _decoded(text: str | bytes) -> str | YamlProblem:
    if len(text) > MAX_BYTES:
        message = f"the file has {len(text) >> 20} MiB; at most {MAX_BYTES >> 20} are read"
        return YamlProblem(1, 1, "yaml-too-large", message, "split it into several files")
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return YamlProblem(1, 1, "yaml-encoding", "the file is UTF-16", "save it as UTF-8")
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        message = f"byte 0x{text[error.start]:02x} is not UTF-8"
        return YamlProblem(before.count(b"\n") + 1, column, "yaml-encoding", message, "save the file as UTF-8")


def _control(text: str) -> YamlProblem | None:
    found = _CONTROL.search(text)
    if found is None:
        return None
    line = text.count("\n", 0, found.start()) + 1
    column = found.start() - text.rfind("\n", 0, found.start())
    message = f"character U+{ord(found[0]):04X} may not stand in YAML"
    return YamlProblem(line, column, "yaml-encoding", message, 'remove it, or write it as "\\u...." in quotes')


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python's collector scans the growing tree again and again and finds nothing (performance.md 0.2)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _parser(text: str) -> Any:
    loader = getattr(yaml, "CParser", None)
    return loader(text) if loader else yaml.Loader(text)


def scalar(text: str) -> Json:
    """The value of a plain scalar in YAML 1.2's core schema, with leading zeros left as text."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in _MAYBE:
        return text
    if _INT.match(text):
        return int(text) if len(text) < 400 else text
    if _BASED.match(text):
        return int(text, 0)
    return float(text) if _FLOAT.match(text) else text


class _Abort(Exception):
    """The rest of the file cannot be read."""


class _Builder:
    """Builds plain values from parser events."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.problems: list[YamlProblem] = []
        self.keys: dict[tuple[str, ...], tuple[int, int]] = {}
        self.anchors: dict[str, Json] = {}
        self.sizes: dict[int, int] = {}
        self.aliased = 0

    def report(self, event: Any, rule: str, message: str, fix: str = "") -> None:
        mark = event.start_mark
        self.problems.append(YamlProblem(mark.line + 1, mark.column + 1, rule, message, fix))

    def build(self) -> Json:
        try:
            return self._build()
        except _Abort:
            return None
        except yaml.YAMLError as error:
            self.problems.append(_syntax(error, self.text))
            return None

    def _build(self) -> Json:  # one loop on purpose: it runs once for every scalar of 10,000 definitions
        parser = _parser(self.text)
        get, scalar_event = parser.get_event, yaml.ScalarEvent
        mapping_start, sequence_start = yaml.MappingStartEvent, yaml.SequenceStartEvent
        mapping_end, sequence_end = yaml.MappingEndEvent, yaml.SequenceEndEvent
        stack: list[tuple[Json, bool, str | None]] = []
        path: list[str] = []
        root: Json = None
        current: Json = None
        mapping = False
        key: str | None = None
        documents = 0
        constants, maybe = _CONSTANTS, _MAYBE
        while True:
            event = get()
            kind = event.__class__
            if kind is scalar_event:
                value = event.value
                if mapping and key is None:
                    key = value
                    if event.tag or event.anchor or value == "<<" or value in current:
                        self._check_key(event, current, path)
                    if len(stack) <= SHALLOW:
                        mark = event.start_mark
                        self.keys[(*path, value)] = (mark.line + 1, mark.column + 1)
                    continue
                if event.implicit[0] and (not value or value[0] in maybe):
                    value = constants[value] if value in constants else scalar(value)
                if event.tag is not None:
                    value = self._tagged(event)
                if event.anchor is not None:
                    self.anchors[event.anchor] = value
            elif kind is mapping_start or kind is sequence_start:
                new: Json = {} if kind is mapping_start else []
                if event.tag is not None or event.anchor is not None:
                    self._open(event, new)
                if mapping and key is None:
                    self._complex(event)
                if current is None:
                    root = new
                elif mapping:
                    current[key] = new
                else:
                    current.append(new)
                stack.append((current, mapping, key))
                if len(stack) > MAX_DEPTH:
                    self.report(event, "yaml-depth", f"nested deeper than {MAX_DEPTH} levels", "flatten it")
                    raise _Abort
                if len(stack) <= SHALLOW + 1 and len(stack) > 1:
                    path.append(key if key is not None else str(len(current) - 1))
                current, mapping, key = new, kind is mapping_start, None
                continue
            elif kind is mapping_end or kind is sequence_end:
                if len(stack) <= SHALLOW + 1 and len(stack) > 1:
                    path.pop()
                current, mapping, _ = stack.pop()
                key = None
                continue
            elif kind is yaml.AliasEvent:
                if mapping and key is None:
                    self._complex(event)
                value = self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self.report(event, "yaml-multiple-documents", "a second document begins", "use one file each")
                    raise _Abort
                continue
            elif kind is yaml.StreamEndEvent:
                return root
            else:
                continue
            if mapping:
                current[key] = value
                key = None
            elif current is None:
                root = value
            else:
                current.append(value)

    def _check_key(self, event: Any, current: dict[str, Json], path: list[str]) -> None:
        name = event.value
        if event.tag is not None:
            self._tagged(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = name
        if name == "<<" and event.implicit[0]:
            fix = "write the fields out, or give whole entries an anchor"
            self.report(event, "yaml-merge-key", "merge keys (<<) are no part of YAML 1.2", fix)
        if name in current:
            first = self.keys.get((*path, name))
            where = f"; the first one is in line {first[0]}" if first else ""
            self.report(event, "yaml-duplicate-key", f"the key {name!r} stands here twice{where}", "keep one of them")

    def _complex(self, event: Any) -> None:
        self.report(event, "yaml-complex-key", "a key has to be plain text", "put quotes around it")
        raise _Abort

    def _tagged(self, event: Any) -> Json:
        match event.tag:
            case "!" | "tag:yaml.org,2002:str":
                return event.value
            case (
                "tag:yaml.org,2002:int"
                | "tag:yaml.org,2002:float"
                | "tag:yaml.org,2002:bool"
                | "tag:yaml.org,2002:null"
            ):
                return scalar(event.value) if event.value else None
        self.report(event, "yaml-tag", f"the tag {event.tag} is not read", "drop it")
        return event.value

    def _open(self, event: Any, new: Json) -> None:
        if event.tag not in (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self.report(event, "yaml-tag", f"the tag {event.tag} is not read", "drop it")
        if event.anchor is not None:
            self.anchors[event.anchor] = new

    def _alias(self, event: Any) -> Json:
        if event.anchor not in self.anchors:
            self.report(event, "yaml-syntax", f"the anchor {event.anchor!r} is not known", "define it above")
            return None
        value = self.anchors[event.anchor]
        self.aliased += self._size(value, frozenset(), event)
        if self.aliased > MAX_ALIASED:
            message = f"aliases stand for more than {MAX_ALIASED} values"
            self.report(event, "yaml-alias-limit", message, "write the entries out, or use fewer aliases")
            raise _Abort
        return value

    def _size(self, value: Json, above: frozenset[int], event: Any) -> int:
        """How many values an alias stands for, aliases inside it written out."""
        if not isinstance(value, dict | list):
            return 1
        if id(value) in above:
            self.report(event, "yaml-alias-limit", f"the anchor {event.anchor!r} holds itself", "write it out")
            raise _Abort
        if id(value) not in self.sizes or not above:
            inner = value.values() if isinstance(value, dict) else value
            below = above | {id(value)}
            self.sizes[id(value)] = 1 + sum(self._size(one, below, event) for one in inner)
        return self.sizes[id(value)]


def _syntax(error: yaml.YAMLError, text: str) -> YamlProblem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = str(getattr(error, "problem", None) or error)
    shown = (text.splitlines() or [""])[min(line - 1, max(len(text.splitlines()) - 1, 0))] if text else ""
    return YamlProblem(line, column, "yaml-syntax", problem, _syntax_fix(problem, shown))


def _syntax_fix(problem: str, line: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())] or "\\t" in problem:
        return "indent with spaces, never with tabs"
    if "mapping values are not allowed" in problem:
        return "put quotes around a text that has a colon in it, and check the indentation"
    if "could not find expected ':'" in problem:
        return "write `key: value`; a colon is missing here or above"
    if "did not find expected" in problem:
        return "check the indentation, brackets and quotes here and just above"
    if "cannot start any token" in problem:
        return "put quotes around the text"
    return "check the syntax here and just above"


def _positions(text: str) -> dict[tuple[str | int, ...], tuple[int, int]]:
    """Where every key and value of a file stands; made when a message needs it."""
    places: dict[tuple[str | int, ...], tuple[int, int]] = {}
    path: list[str | int] = []
    stack: list[tuple[bool, bool]] = []  # is it a mapping, is a key expected
    parser = _parser(text)
    try:
        while True:
            event = parser.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return places
            if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                mapping, _ = stack.pop()
                if not mapping:
                    path.pop()
                _stepped(stack, path)
            elif isinstance(event, yaml.NodeEvent):
                mark: Any = event.start_mark
                place = (mark.line + 1, mark.column + 1)
                if stack and stack[-1] == (True, True) and isinstance(event, yaml.ScalarEvent):
                    path.append(event.value)
                    places[(*path, _KEY)] = place
                    stack[-1] = (True, False)
                    continue
                places.setdefault((*path, _VALUE), place)
                places.setdefault((*path, _KEY), place)
                if isinstance(event, yaml.MappingStartEvent):
                    stack.append((True, True))
                elif isinstance(event, yaml.SequenceStartEvent):
                    stack.append((False, False))
                    path.append(0)
                else:
                    _stepped(stack, path)
    except yaml.YAMLError:
        return places  # what stands before the syntax error keeps its place


def _stepped(stack: list[tuple[bool, bool]], path: list[str | int]) -> None:
    """A value ended: the next one in a list, the next key of a mapping."""
    if not stack:
        return
    mapping, _ = stack[-1]
    last = path.pop()
    if mapping:
        stack[-1] = (True, True)
    else:
        assert isinstance(last, int)
        path.append(last + 1)
