"""What a JSON Schema refuses, in the words of people who write specs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from reconciler.model import Json
from reconciler.wording import EXPECTED, did_you_mean, found, short

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


class Problem(NamedTuple):
    """One thing that is wrong, at one place of a value; the key itself, or what stands under it."""

    rule: str
    path: Path
    message: str
    fix: str = ""
    key: bool = False


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
        yield _bad_format(violation, (*path, violation.instance))._replace(key=True)
        return
    match violation.validator:
        case "additionalProperties":
            yield from _unknown_keys(violation, path)
        case "required":
            yield from _missing_fields(violation, path)
        case "type":
            yield _wrong_type(violation.instance, violation.validator_value, path)
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
            near = did_you_mean(key, known)
            fix = near or NOT_DECLARABLE.get(key) or f"known here: {', '.join(sorted(known))}"
            yield Problem("unknown-key", (*path, key), f"unknown key {short(str(key))}", fix, key=True)


def _missing_fields(violation: Violation, path: Path) -> Iterator[Problem]:
    for name in violation.validator_value:
        if name not in violation.instance:
            message = f"{_named(path)} lacks {name}" if path else f"{name} is missing"
            description = violation.schema["properties"][name].get("description", "")
            fix = f"add `{name}:`" + (f" ({description.rstrip('.')})" if description else "")
            yield Problem("missing-field", path, message, fix, key=True)


def _wrong_type(value: Json, expected: Json, path: Path) -> Problem:
    types = [expected] if isinstance(expected, str) else list(expected)
    wanted = " or ".join(EXPECTED[name] for name in types)
    if value is None:
        return _null(types, path)
    message = f"{_named(path)} should be {wanted}, but is {found(value)}"
    return Problem("wrong-type", path, message, _type_fix(value, types))


def _null(types: Sequence[str], path: Path) -> Problem:
    if "object" in types or "array" in types:
        fix = "add what belongs below it, or drop the key"
        return Problem("wrong-type", path, f"{_named(path)} is empty", fix, key=True)
    message = f"{_named(path)} is null, and that cannot be cleared"
    return Problem("not-clearable", path, message, "drop the key: what is absent is left as it is")


def _type_fix(value: Json, types: Sequence[str]) -> str:
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
        case list(), "object":
            return "write `name:` and its fields below it, not a list"
        case _, "array":
            return "write a list: each entry begins with `- `"
    return f"write {EXPECTED[types[0]]}"


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


def _not_one_of(violation: Violation, path: Path) -> Problem:
    is_list = violation.validator == "enum"
    allowed = violation.validator_value if is_list else [violation.validator_value]
    if violation.instance is None:
        return _null(["string"], path)
    names = [str(one).lower() if isinstance(one, bool) else str(one) for one in allowed]
    message = f"{_named(path)} is {found(violation.instance).removeprefix('the text ')}"
    near = did_you_mean(violation.instance, names) if isinstance(violation.instance, str) else ""
    listed = f"one of {', '.join(names)}" if len(names) > 1 else names[0]
    return Problem("not-one-of", path, f"{message}, not {listed}", near or f"write {listed}")


def _no_form(violation: Violation, path: Path) -> Iterator[Problem]:
    """The problems of the form that fits the value's type; of none when no form has that type."""
    forms = violation.validator_value
    fitting = [index for index, form in enumerate(forms) if _has_type(violation.instance, form)]
    for branch in violation.context:
        if branch.relative_schema_path[0] in fitting[:1]:
            yield from problems(branch, path[: len(path) - len(violation.absolute_path)])
    if not fitting:
        types = list(dict.fromkeys(form["type"] for form in forms if "type" in form))
        yield _wrong_type(violation.instance, types, path)


def _has_type(value: Json, form: Mapping[str, Json]) -> bool:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "null") == form.get("type")


def _bad_format(violation: Violation, path: Path) -> Problem:
    value, limit = violation.instance, violation.validator_value
    description = violation.schema.get("description", "").rstrip(".")
    match violation.validator:
        case "minLength":
            return Problem("bad-format", path, f"{_named(path)} is empty", description and f"write {description}")
        case "maxLength":
            message = f"{_named(path)} has {len(value)} characters; at most {limit} are taken"
            return Problem("bad-format", path, message, "shorten it")
        case "minimum" | "maximum":
            word = "least" if violation.validator == "minimum" else "most"
            return Problem("bad-format", path, f"{_named(path)} is {value}; the {word} is {limit}", description)
    message = f"{_named(path)} is {found(value).removeprefix('the text ')}, which has not the right form"
    return Problem("bad-format", path, message, description and f"write {description}")


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
