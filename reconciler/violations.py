"""What a JSON Schema refuses, in the words of people who write specs.

Where it is clear what was meant, a problem comes with a mend. Nothing mended is ever planned: it only lets the other
rules see the rest of the entry, so that one run finds every problem and finds it once.
"""

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from reconciler.model import Json
from reconciler.wording import EXPECTED, found, nearest, short

Path = tuple[str | int, ...]


class Violation(Protocol):
    """The part of an error of ``jsonschema`` that is read here."""

    validator: str
    validator_value: Json
    instance: Json
    schema: Mapping[str, Json]
    context: "Sequence[Violation]"

    @property
    def absolute_path(self) -> Sequence[str | int]: ...  # from the value that was checked to the instance
    @property
    def relative_schema_path(self) -> Sequence[str | int]: ...  # from the parent of a branch to what it refused


class Mend(NamedTuple):
    """How a value would look if what was probably meant had been written."""

    path: Path
    action: Literal["set", "drop", "rename"]
    value: Json = None


class Problem(NamedTuple):
    """One thing that is wrong, at one place of a value; the key itself, or what stands under it."""

    rule: str
    path: Path
    message: str
    fix: str = ""
    key: bool = False
    mend: Mend | None = None


def mended(value: Json, problems: Iterable[Problem], above: int) -> Json:
    """A value as it was probably meant; ``above`` is how many names of the paths lead to it."""
    value = copy.deepcopy(value)
    for mend in (problem.mend for problem in problems if problem.mend):
        holder, name = value, mend.path[-1]
        for step in mend.path[above:-1]:
            holder = holder[step]
        match mend.action:
            case "set":
                holder[name] = mend.value
            case "drop":
                del holder[name]
            case "rename":
                holder[mend.value] = holder.pop(name)
    return value


# Fields of HubSpot's answers that nobody can declare, and what to do instead.
NOT_DECLARABLE = {
    "name": "the name is the key of the entry",
    "displayOrder": "the order of the list is the display order",
    "hubspotDefined": "HubSpot sets it; drop it",
    "calculated": "HubSpot sets it; drop it",
    "archived": "list the address under `removed:` instead",
    "archivedAt": "HubSpot sets it; drop it",
    "createdAt": "HubSpot sets it; drop it",
    "updatedAt": "HubSpot sets it; drop it",
    "createdUserId": "HubSpot sets it; drop it",
    "updatedUserId": "HubSpot sets it; drop it",
    "modificationMetadata": "HubSpot sets it; drop it",
    "dateDisplayHint": "HubSpot ignores it when it is sent; drop it",
    "sensitiveDataCategories": "HubSpot sets it; drop it",
}
_NO, _YES = ("no", "off", "n", "false", "0"), ("yes", "on", "y", "true", "1")


def problems(violation: Violation, above: Path = ()) -> Iterator[Problem]:
    """What one violation means; a choice of forms is judged by the form that was meant."""
    path = (*above, *violation.absolute_path)
    if "propertyNames" in violation.relative_schema_path:
        name = violation.instance
        message = f"{short(name)} cannot be used as a name here"
        yield Problem("bad-format", (*path, name), message, _what(violation.schema.get("description", "")), key=True)
        return
    match violation.validator:
        case "additionalProperties":
            yield from _unknown_keys(violation, path)
        case "required":
            yield from _missing_fields(violation, path)
        case "type" if "enum" in violation.schema:
            return  # the choices say it better
        case "type":
            yield _wrong_type(violation.instance, violation.validator_value, path, violation.schema)
        case "enum" | "const":
            yield _not_one_of(violation, path)
        case "oneOf" | "anyOf":
            yield from _no_form(violation, path)
        case "minProperties" | "minItems":
            yield Problem("missing-field", path, f"{_named(path)} is empty", "add at least one entry", key=True)
        case _:
            yield _bad_format(violation, path)


def _unknown_keys(violation: Violation, path: Path) -> Iterator[Problem]:
    known = list(violation.schema.get("properties", ()))
    for key in violation.instance:
        if key not in known:
            told = _not_declarable(key, path)
            near = "" if told else nearest(key, known)
            asked = f"did you mean {near}?" if near else f"known here: {', '.join(sorted(known))}"
            is_renamed = near and near not in violation.instance
            mend = Mend((*path, key), "rename", near) if is_renamed else Mend((*path, key), "drop")
            yield Problem(
                "unknown-key", (*path, key), f"unknown key {short(str(key))}", told or asked, key=True, mend=mend
            )


def _not_declarable(key: str, path: Path) -> str:
    """What to do instead of declaring a field of HubSpot's answers; an entry of a list has no key for its name."""
    in_list = bool(path) and isinstance(path[-1], int)
    return "" if in_list and key == "name" else NOT_DECLARABLE.get(key, "")


def _missing_fields(violation: Violation, path: Path) -> Iterator[Problem]:
    fields = violation.schema["properties"]
    misspelt = {nearest(key, fields) for key in violation.instance if key not in fields}
    for name in violation.validator_value:
        if name not in violation.instance and name not in misspelt:
            message = f"{_named(path)} lacks {name}" if path else f"{name} is missing"
            description = fields[name].get("description", "").rstrip(".")
            fix = fields[name].get("errorMessage") or f"add `{name}:`" + (f" ({description})" if description else "")
            mend = _filled((*path, name), path) if fields[name].get("type") == "string" else None
            yield Problem("missing-field", path, message, fix, key=True, mend=mend)


def _filled(path: Path, entry: Path) -> Mend | None:
    """A text that no rule has anything against, and that no other entry of a list has; nothing that refers is one."""
    text = f"missing_{entry[-1] if entry and isinstance(entry[-1], int) else 'text'}"
    return Mend(path, "set", text) if path[-1] not in ("address", "groupName") else None


def _wrong_type(value: Json, expected: Json, path: Path, schema: Mapping[str, Json]) -> Problem:
    types = [expected] if isinstance(expected, str) else list(expected)
    if value is None:
        return _null(types, path, schema)
    message = f"{_named(path)} should be {' or '.join(EXPECTED[name] for name in types)}, but is {found(value)}"
    fix = _type_fix(value, types, schema.get("required", ()))
    return Problem("wrong-type", path, message, fix, mend=_typed(value, types[0], path))


def _typed(value: Json, wanted: str, path: Path) -> Mend | None:
    match value, wanted:
        case str() | bool() | int() | float(), "string":
            return Mend(path, "set", str(value))
        case _, "string":
            return _filled(path, path)
        case _, "boolean":
            return Mend(path, "set", str(value).lower() in _YES)
        case _, "integer" | "number":
            return Mend(path, "set", 1)
    return None


def _null(types: Sequence[str], path: Path, schema: Mapping[str, Json]) -> Problem:
    if "object" in types or "array" in types:
        below = "add what belongs below it, or drop the key"
        fix = below if path else "write what belongs into it, as `reconciler init` does in a new directory"
        return Problem("wrong-type", path, f"{_named(path)} is empty", fix, key=True)
    message = f"{_named(path)} is null, and that cannot be cleared"
    what = _what(schema.get("description", "").rstrip("."))
    fix = "; ".join([*([what] if what else []), "drop the key where it may be absent: then it is left as it is"])
    return Problem("not-clearable", path, message, fix, mend=_typed([], types[0], path))


def _type_fix(value: Json, types: Sequence[str], needed: Sequence[str]) -> str:
    match value, types[0]:
        case bool(), "string":
            return f'quote it: "{str(value).lower()}"'
        case int(), "string":
            return f'quote it: "{value}"'
        case float(), "string":
            return "put it in quotes"
        case str(), "boolean" if value.lower() in _YES + _NO:
            return f"write {'true' if value.lower() in _YES else 'false'}, without quotes"
        case str(), "integer" | "number" if _is_number(value):
            return f"write {value}, without quotes"
        case str(), "object" if colon := re.fullmatch(r"(\w+):(\S.*)", value):
            return f"put a blank after the colon: `{colon[1]}: {short(colon[2])[1:-1]}`"
        case list(), "object" if not needed:
            return "write `name:` and its fields below it, not a list"
        case _, "object" if needed:
            return f"write a mapping: {{{', '.join(f'{name}: ...' for name in needed)}}}"
        case _, "array":
            return "write a list: each entry begins with `- `"
    return f"write {EXPECTED[types[0]]}"


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


def _not_one_of(violation: Violation, path: Path) -> Problem:
    is_list = violation.validator == "enum"
    allowed = violation.validator_value if is_list else [violation.validator_value]
    by_name = {str(one).lower() if isinstance(one, bool) else str(one): one for one in allowed}
    near = nearest(violation.instance, by_name) if isinstance(violation.instance, str) else ""
    meant = near or (next(iter(by_name)) if len(by_name) == 1 else "")
    mend = Mend(path, "set", by_name[meant]) if meant else None
    if violation.instance is None:
        return _null(["string"], path, violation.schema)._replace(mend=mend)
    listed = f"one of {', '.join(by_name)}" if len(by_name) > 1 else meant
    message = f"{_named(path)} is {found(violation.instance).removeprefix('the text ')}, not {listed}"
    fix = violation.schema.get("errorMessage") or (f"did you mean {near}?" if near else f"write {listed}")
    return Problem("not-one-of", path, message, fix, mend=mend)


def _no_form(violation: Violation, path: Path) -> Iterator[Problem]:
    """The problems of the form that fits the value's type; of none when no form has that type."""
    forms = violation.validator_value
    fitting = [index for index, form in enumerate(forms) if _has_type(violation.instance, form)]
    for branch in violation.context:
        if branch.relative_schema_path[0] in fitting[:1]:
            yield from problems(branch, path[: len(path) - len(violation.absolute_path)])
    if not fitting:
        types = list(dict.fromkeys(form["type"] for form in forms if "type" in form))
        yield _wrong_type(violation.instance, types, path, {})


def _has_type(value: Json, form: Mapping[str, Json]) -> bool:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null") == form.get("type")


def _bad_format(violation: Violation, path: Path) -> Problem:
    value, limit = violation.instance, violation.validator_value
    description = violation.schema.get("description", "").rstrip(".")
    match violation.validator:
        case "minLength":
            empty = f"{_named(path)} is empty"
            return Problem("bad-format", path, empty, _what(description), mend=_filled(path, path))
        case "maxLength":
            message = f"{_named(path)} has {len(value)} characters; at most {limit} are taken"
            return Problem("bad-format", path, message, "shorten it", mend=Mend(path, "set", value[:limit]))
        case "minimum" | "maximum":
            word = "least" if violation.validator == "minimum" else "most"
            message = f"{_named(path)} is {value}; the {word} is {limit}"
            return Problem("bad-format", path, message, _what(description), mend=Mend(path, "set", limit))
    message = f"{_named(path)} is {found(value).removeprefix('the text ')}, which has not the right form"
    return Problem("bad-format", path, message, _what(description))


def _what(description: str) -> str:
    """What belongs there, from the hover text of the field."""
    first = description.partition(" ")[0]
    start = description[:1].lower() if first[1:].islower() else description[:1]  # HubSpot keeps its capital
    return f"what belongs there: {start}{description[1:]}" if description else ""


def _named(path: Path) -> str:
    """The thing at a path, in a sentence."""
    match path:
        case ():
            return "the file"
        case (*_, str() as name):
            return f"`{name}`"
        case (*_, str() as name, int() as index):
            return f"entry {index + 1} of `{name}`"
    return "the entry"
