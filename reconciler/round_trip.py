"""Where everything in a YAML text stands, to the character, as ruamel.yaml tells; only this module imports it."""

from dataclasses import dataclass
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

Node = Any  # of ruamel.yaml, which is untyped here
Form = Literal["scalar", "mapping", "list"]


@dataclass(frozen=True, slots=True)
class Part:
    """A value of a file with the characters it takes, and the same for everything in it."""

    form: Form
    start: int
    end: int  # behind its last character, comments and line ends after it left out
    style: str  # the quote or the sign of a block of text, empty for plain; for the others "flow" or "block"
    shared: bool  # an anchor or an alias, so that an edit would reach other places too
    keys: tuple["Part", ...] = ()
    names: tuple[str, ...] = ()
    items: tuple["Part", ...] = ()


def parts(text: str) -> Part | None:
    """The parts of a text of one document; none for an empty one and for what ruamel.yaml does not read."""
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except YAMLError:
        return None
    return _part(node, text, -1) if node is not None else None


def _part(node: Node, text: str, after: int) -> Part:
    """One node; one that begins before its neighbours is an alias of a value above."""
    start, end = node.start_mark.index, node.end_mark.index
    shared = bool(node.anchor) or start < after
    if start < after:
        return Part("scalar", after, after, "", shared)
    if node.id == "scalar":
        return Part("scalar", start, start + len(text[start:end].rstrip()), node.style or "", shared)
    style = "flow" if node.flow_style else "block"
    if node.id == "sequence":
        items = tuple(_part(inner, text, start) for inner in node.value)
        return Part("list", start, _end(end, style, items, start), style, shared, items=items)
    keys = tuple(_part(key, text, start) for key, _ in node.value)
    items = tuple(_part(inner, text, key.end) for key, (_, inner) in zip(keys, node.value, strict=True))
    names = tuple(str(key.value) for key, _ in node.value)
    ends = tuple(max(one, two, key=lambda part: part.end) for one, two in zip(keys, items, strict=True))
    return Part("mapping", start, _end(end, style, ends, start), style, shared, keys, names, items)


def _end(end: int, style: str, inner: tuple[Part, ...], start: int) -> int:
    """A block ends where the last thing in it does; the parser's mark stands before the next thing."""
    return end if style == "flow" or not inner else max(start, inner[-1].end)
