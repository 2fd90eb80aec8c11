"""Variables: values that differ from portal to portal, declared in the settings and put into values of specs.

``${var:region}`` alone is the typed value; inside a longer text it is that value as text. ``$${var:`` stands for the
sign itself, whatever follows. Keys never hold variables. The value of an option and the name of a stage are
values: with a variable in them, their address is another one in each portal.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from reconciler.model import Json

MARK = b"${var:"  # a file without it is not searched
NAME = r"[A-Za-z][A-Za-z0-9_]*"
SIGN = "${var:"
REFERENCE = re.compile(rf"\$\$\{{var:|\$\{{var:({NAME})\}}")  # the sign itself, or a variable
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
Path = tuple[str | int, ...]


class Variable(NamedTuple):
    """A declared variable: its type, and the value of portals that give none of their own."""

    name: str
    type: str
    default: Json = None  # null is no value

    def takes(self, value: Json) -> bool:
        """Whether a value is of its type."""
        return isinstance(value, TYPES[self.type]) and (self.type == "boolean" or not isinstance(value, bool))


class Misuse(NamedTuple):
    """Something that is wrong about a reference, and where in its file."""

    path: Path
    rule: str
    message: str
    fix: str
    key: bool = False


def values(declared: Mapping[str, Variable], given: Mapping[str, Json]) -> dict[str, Json]:
    """The values for a portal that gives these of its own; a variable without any value is not among them."""
    return {
        name: given.get(name, variable.default)
        for name, variable in declared.items()
        if name in given or variable.default is not None
    }


def names_in(value: Json) -> Iterator[str]:
    """The variables that something refers to, keys left out."""
    if isinstance(value, str):
        yield from (match[1] for match in REFERENCE.finditer(value) if match[1])
    elif isinstance(value, dict):
        for item in value.values():
            yield from names_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from names_in(item)


def escaped(value: Json) -> Json:
    """A value whose texts mean themselves in a spec, whatever HubSpot has in them."""
    if isinstance(value, str):
        return value.replace(SIGN, f"${SIGN}")
    if isinstance(value, Mapping):
        return {name: escaped(item) for name, item in value.items()}
    if isinstance(value, list):
        return [escaped(item) for item in value]
    return value


def filled(value: Json, known: Mapping[str, Json], declared: Mapping[str, Variable]) -> tuple[Json, list[Misuse]]:
    """A value with the variables of a portal put in, and every reference that cannot be."""
    filler = _Filler(known, declared)
    return filler.value(value, ()), filler.misuses


class _Filler:
    """Walks a value once."""

    def __init__(self, known: Mapping[str, Json], declared: Mapping[str, Variable]) -> None:
        self.known = known
        self.declared = declared
        self.misuses: list[Misuse] = []

    def value(self, value: Json, path: Path) -> Json:
        """The value, with its own parts filled."""
        if isinstance(value, str):
            return self.text(value, path) if SIGN in value else value
        if isinstance(value, list):
            return [self.value(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, dict):
            self.misuses += [_in_key((*path, name)) for name in value if SIGN in name]
            return {name: self.value(item, (*path, name)) for name, item in value.items()}
        return value

    def text(self, text: str, path: Path) -> Json:
        """A text with its references replaced; one that is nothing but a reference becomes the value itself."""
        if SIGN in REFERENCE.sub(" ", text):
            fix = "write ${var:name}, or $${var: for the signs themselves"
            self.misuses.append(Misuse(path, "variable-syntax", "a ${var: is not a whole reference", fix))
        whole = REFERENCE.fullmatch(text)
        if whole and whole[1]:
            return self.known[whole[1]] if self.usable(whole[1], path) else text
        return REFERENCE.sub(lambda match: self.inside(match, path), text)

    def inside(self, match: re.Match[str], path: Path) -> str:
        """What a reference within a longer text becomes."""
        if not match[1]:
            return SIGN
        if not self.usable(match[1], path):
            return match[0]
        value = self.known[match[1]]
        return value if isinstance(value, str) else json.dumps(value)

    def usable(self, name: str, path: Path) -> bool:
        """Whether a reference has a value; why not is remembered, but for what the settings already complain of."""
        if name in self.known or name in self.declared:
            return name in self.known
        from reconciler.wording import did_you_mean

        fix = (
            did_you_mean(name, self.declared)
            or f"declare it in the settings: `variables: {{{name}: {{type: string}}}}`"
        )
        self.misuses.append(Misuse(path, "undefined-variable", f"there is no variable {name}", fix))
        return False


def _in_key(path: Path) -> Misuse:
    return Misuse(
        path, "variable-in-key", "a variable stands in a name; only values may hold them", "write it out", True
    )
