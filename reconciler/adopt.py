"""Edits a YAML text so that it says other values, and changes no line that need not change.

Everything is cut and pasted by position; what is new is written in the style of its neighbours. The result is read
again and compared with what was meant: an edit that did not work is refused and never written.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from reconciler import yaml_writer
from reconciler.diff import document_differences
from reconciler.model import Json
from reconciler.round_trip import Part, parts
from reconciler.yaml_loader import load

IDENTITY = ("value", "name", "address")  # the key that tells the entries of a list apart
BOM = "\ufeff"


class CannotEdit(Exception):
    """An edit that this module cannot do without touching what it should not; says why, and at which keys."""

    def __init__(self, why: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.path = path


@dataclass(frozen=True, slots=True)
class Splice:
    """New characters for a stretch of a text."""

    start: int
    end: int
    text: str


def edited(text: str, wanted: Json) -> str:
    """The text with the least changes that make it say what is wanted."""
    bom = BOM if text.startswith(BOM) else ""
    body = text.removeprefix(BOM)
    root, before = parts(body), load(body, "").value
    newline = "\r\n" if "\r\n" in body else "\n"
    if before is None:  # nothing but comments
        gap = "" if not body or body.endswith("\n") else newline
        after = body + gap + newline.join([*yaml_writer.write_mapping(wanted), ""])
    elif root is None:
        raise CannotEdit("the file cannot be taken apart")
    else:
        after = _spliced(body, list(_Editor(body, newline, root).changes(root, before, wanted)))
    _verify(after, wanted)
    return bom + after


def _spliced(text: str, splices: list[Splice]) -> str:
    last = len(text)
    for one in sorted(splices, key=lambda splice: (splice.start, splice.end), reverse=True):
        if one.end > last:
            raise CannotEdit("two edits meet in one place")
        text, last = text[: one.start] + one.text + text[one.end :], one.start
    return text


def _verify(text: str, wanted: Json) -> None:
    document = load(text, "")
    if document.problems:
        raise CannotEdit(f"the edited file would be wrong: {document.problems[0].message}")
    if (document.value or {}) != wanted:
        places = ", ".join(document_differences(wanted, document.value)[:3])
        raise CannotEdit(f"the edited file would say something else at {places or 'its root'}")


def identity(item: Json) -> Json:
    """What tells an entry of a list from the others."""
    if isinstance(item, Mapping):
        return next((item[key] for key in IDENTITY if key in item), None)
    return item


class _Editor:
    """Finds the splices for one text."""

    def __init__(self, text: str, newline: str, root: Part) -> None:
        self.text = text
        self.newline = newline
        below = next((one for one in root.items if one.form == "mapping" and one.style == "block"), None)
        self.step = self._column(below.keys[0].start) - self._column(root.keys[0].start) if below else 2

    def changes(self, part: Part, old: Json, new: Json, flow: bool = False) -> Iterator[Splice]:
        """What turns a part with one value into the same part with another."""
        if old == new and type(old) is type(new):
            return
        if part.shared:
            raise CannotEdit("the value is shared through an anchor (`&`) or an alias (`*`): edit it by hand")
        flow = flow or part.style == "flow"
        if isinstance(old, dict) and isinstance(new, dict) and old and new:
            yield from self._mapping(part, old, new, flow)
        elif isinstance(old, list) and isinstance(new, list) and old and new:
            yield from self._list(part, old, new, flow)
        else:
            yield self._replaced(part, new, flow)

    # --- scalars ---

    def _replaced(self, part: Part, new: Json, flow: bool) -> Splice:
        gap = " " if part.start and self.text[part.start - 1] == ":" else ""
        if isinstance(new, str) and part.form == "scalar" and part.style in ("|", ">"):
            return Splice(part.start, part.end, self._block_text(part, new))
        if part.form == "scalar" or part.style == "flow":
            style = part.style if part.form == "scalar" else ""
            return Splice(part.start, part.end, gap + scalar(new, style, flow))
        if new in ({}, []):
            return Splice(part.start, part.end, scalar(new, "", True))
        raise CannotEdit("a whole block of another shape would be needed")

    def _block_text(self, part: Part, new: str) -> str:
        """A block of text with other lines under the same header, where it can hold them."""
        head, _, body = self.text[part.start : part.end].partition("\n")
        first = next((line for line in body.splitlines() if line.strip()), "  ")
        indent = first[: len(first) - len(first.lstrip())]
        lines = new.removesuffix("\n").split("\n")
        strips, fits = "-" in head, "+" not in head and not re.search("[0-9]", head.partition("#")[0])
        simple = all(line == line.strip() and line for line in lines) and (part.style == "|" or len(lines) == 1)
        if not (fits and simple and strips != new.endswith("\n")):
            return scalar(new, '"', False)
        return self.newline.join([head.rstrip("\r"), *(indent + line for line in lines)])

    # --- mappings ---

    def _mapping(self, part: Part, old: dict[str, Json], new: dict[str, Json], flow: bool) -> Iterator[Splice]:
        gone = [index for index, name in enumerate(part.names) if name not in new]
        added = {name: value for name, value in new.items() if name not in old}
        if part.style == "flow":
            yield from self._flow_cuts(part, [(key.start, max(key.end, item.end)) for key, item in _pairs(part)], gone)
            if added:
                pairs = ", ".join(f"{scalar(name, '', True)}: {scalar(one, '', True)}" for name, one in added.items())
                at = max(part.keys[-1].end, part.items[-1].end)
                yield Splice(at, at, (", " if len(gone) < len(part.keys) else "") + pairs)
        else:
            for index in gone:
                yield self._block_cut(part, index)
            if added:
                yield self._lines_after(part.end, self._written(added, part))
        for name, item in zip(part.names, part.items, strict=True):
            if name in new:
                yield from self._below(name, item, old[name], new[name], flow)

    def _written(self, entries: Mapping[str, Json], part: Part) -> list[str]:
        """The lines of new entries of a mapping, as deep as their neighbours are."""
        column = self._column(part.keys[0].start)
        steps = [
            self._column(item.keys[0].start) - column
            for item in part.items
            if item.form == "mapping" and item.style == "block" and item.keys
        ]
        lines = yaml_writer.write_mapping(entries, column)
        step = steps[-1] if steps else self.step
        nested = any(line.lstrip().startswith("- ") and _depth(after) > _depth(line) for line, after in pairwise(lines))
        if nested:  # an entry of a list over several lines stands under its dash
            return lines
        return [" " * (column + (_depth(line) - column) // 2 * step) + line.lstrip(" ") for line in lines]

    def _below(self, name: str, item: Part, old: Json, new: Json, flow: bool) -> Iterator[Splice]:
        try:
            yield from self.changes(item, old, new, flow)
        except CannotEdit as why:
            raise CannotEdit(str(why), (name, *why.path)) from why

    def _block_cut(self, part: Part, index: int) -> Splice:
        """An entry with its lines, and the comment right above it."""
        key, item = part.keys[index], part.items[index]
        start = self._line_start(key.start)
        if self.text[start : key.start].strip():  # it shares its line with the dash of a list
            if index + 1 == len(part.keys):
                raise CannotEdit("nothing would be left of an entry of a list")
            return Splice(key.start, part.keys[index + 1].start, "")
        start = self._with_comments(start) if index else start
        return Splice(start, self._line_end(max(key.end, item.end)), "")

    # --- lists ---

    def _list(self, part: Part, old: list[Json], new: list[Json], flow: bool) -> Iterator[Splice]:
        places = {identity(item): index for index, item in enumerate(old)}
        if len(places) != len(old) or None in places:
            raise CannotEdit("the entries of the list cannot be told apart")
        kept = [places.get(identity(item)) for item in new]
        if kept == list(range(len(old))):
            for item, before, after in zip(part.items, old, new, strict=True):
                yield from self.changes(item, before, after, flow)
            return
        if part.style == "flow":
            yield self._flow_list(part, old, new, kept)
        else:
            yield self._block_list(part, old, new, kept)

    def _item(self, part: Part, old: Json, new: Json, span: tuple[int, int], flow: bool) -> str:
        """The characters of an entry that stays, with its own changes in them."""
        splices = [
            Splice(one.start - span[0], one.end - span[0], one.text) for one in self.changes(part, old, new, flow)
        ]
        return _spliced(self.text[span[0] : span[1]], splices)

    def _flow_list(self, part: Part, old: Sequence[Json], new: Sequence[Json], kept: Sequence[int | None]) -> Splice:
        spans = [(item.start, item.end) for item in part.items]
        gaps = [self.text[one[1] : two[0]] for one, two in pairwise(spans)]
        texts = [
            scalar(item, "", True)
            if index is None
            else self._item(part.items[index], old[index], item, spans[index], True)
            for item, index in zip(new, kept, strict=True)
        ]
        joined = texts[0]
        for number, one in enumerate(texts[1:]):
            joined += (gaps[number] if number < len(gaps) else gaps[-1] if gaps and "#" not in gaps[-1] else ", ") + one
        if len(texts) <= len(gaps) and any("#" in gap for gap in gaps[len(texts) - 1 :]):
            raise CannotEdit("a comment stands between the entries that would go")
        return Splice(spans[0][0], spans[-1][1], joined)

    def _block_list(self, part: Part, old: Sequence[Json], new: Sequence[Json], kept: Sequence[int | None]) -> Splice:
        spans: list[tuple[int, int]] = []
        for item in part.items:
            start = spans[-1][1] if spans else self._line_start(item.start)
            spans.append((start, self._line_end(item.end)))
        dash = self.text.rindex("-", 0, part.items[0].start)
        if self.text[spans[0][0] : dash].strip():
            raise CannotEdit("the list begins in the line of another one")
        indent = self._column(dash)
        texts = []
        for item, index in zip(new, kept, strict=True):
            if index is None:
                texts.append(f"{' ' * indent}{self.text[dash : part.items[0].start]}{scalar(item, '', True)}")
            else:
                texts.append(self._item(part.items[index], old[index], item, spans[index], False))
        ending = self.text[spans[-1][1] - 1 : spans[-1][1]] == "\n"
        lines = self.newline.join(one.removesuffix("\n").removesuffix("\r") for one in texts)
        return Splice(spans[0][0], spans[-1][1], lines + (self.newline if ending else ""))

    # --- places ---

    def _flow_cuts(self, part: Part, spans: Sequence[tuple[int, int]], gone: Sequence[int]) -> Iterator[Splice]:
        for index in gone:
            if index + 1 < len(spans):
                yield Splice(spans[index][0], spans[index + 1][0], "")
            else:
                earlier = [one for one in range(len(spans)) if one not in gone]
                yield Splice(
                    spans[earlier[-1]][1] if earlier and earlier[-1] == index - 1 else spans[index][0],
                    spans[index][1],
                    "",
                )

    def _lines_after(self, index: int, lines: Sequence[str]) -> Splice:
        end = self._line_end(index)
        text = self.newline.join(lines)
        if self.text[end - 1 : end] == "\n":
            return Splice(end, end, text + self.newline)
        return Splice(end, end, self.newline + text)

    def _line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1

    def _column(self, index: int) -> int:
        return index - self._line_start(index)

    def _with_comments(self, start: int) -> int:
        """The start of the comment lines right above a line."""
        while start:
            above = self._line_start(start - 1)
            if not self.text[above:start].lstrip().startswith("#"):
                break
            start = above
        return start


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _pairs(part: Part) -> Iterator[tuple[Part, Part]]:
    return zip(part.keys, part.items, strict=True)


def scalar(value: Json, style: str, flow: bool) -> str:
    """A value in one line, in the quotes that stood there if they can hold it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key, '', True)}: {scalar(one, '', True)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(scalar(one, "", True) for one in value) + "]"
    if style == "'" and isinstance(value, str):
        written = "'" + value.replace("'", "''") + "'"
        if value.isprintable() and _means(written, value, flow):
            return written
    return yaml_writer.write_scalar(value, flow, quoted=style == '"')


def _means(written: str, value: Json, flow: bool) -> bool:
    document = load(f"[{written}]" if flow else f"- {written}", "")
    return not document.problems and bool(document.value == [value])
