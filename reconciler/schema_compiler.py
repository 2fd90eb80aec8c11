"""Turns JSON Schemas into the source of Python predicates: ``jsonschema`` says what is wrong, these that nothing is.

A schema walked at run time costs 200 to 400 us a property; a function written for it costs 2. ``.ci/build_accept.py``
writes the result to ``_accept.py``, and a test compares both ways of checking on generated values.
Only the part of draft-07 that our schemas use is known; anything else stops the build. Values are what the YAML loader
makes: ``str int float bool None list dict``, with text as keys.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from reconciler.model import Json

LINE = 120
TYPES = {
    "string": "type(value) is str",
    "boolean": "type(value) is bool",
    "null": "value is None",
    "integer": "type(value) is int or (type(value) is float and value.is_integer())",  # draft-07: 1.0 is an integer
    "number": "type(value) is int or type(value) is float",
    "array": "type(value) is list",
    "object": "type(value) is dict",
}
PLAIN = {"string": "str", "boolean": "bool", "array": "list", "object": "dict"}
ANNOTATIONS = frozenset(
    "$schema title description markdownDescription enumDescriptions errorMessage patternErrorMessage default "
    "defaultSnippets examples definitions".split()
)
OBJECT = frozenset("properties additionalProperties patternProperties propertyNames required".split())
# Parts that callers ask for: whole schemas, sections, and what is in sections down to their entries.
ASKED = re.compile(r"\w+#(/(properties|definitions)/[^/]+)?(/(additionalProperties|items))*")

CONSTANT = re.compile(r"\b_(?:plain|fields|texts|search)_\d+\b")


class UnknownKeyword(Exception):
    """A schema uses a part of draft-07 that the compiler does not know."""


def compile_schemas(schemas: Mapping[str, Json], made_by: str) -> str:
    """The source of a module with ``ACCEPTS``: from ``name#/pointer`` of a part of a schema to its predicate."""
    compiler = _Compiler()
    for name, schema in schemas.items():
        compiler.root = schema
        compiler.predicate(schema, f"{name}#")
    return compiler.module(made_by)


class _Constant(NamedTuple):
    """A table, a set or an expression that predicates look things up in."""

    kind: str
    annotation: str
    source: str


class _Compiler:
    """The functions and constants that were written so far."""

    def __init__(self) -> None:
        self.root: Json = {}
        self.constants: dict[_Constant, str] = {}
        self.names: dict[str, str] = {}  # body of a function -> its name
        self.asked: dict[str, str] = {}

    def predicate(self, schema: Json, pointer: str) -> str:
        """The name of the predicate for a part of a schema; parts that mean the same share it."""
        if "$ref" in schema:
            name = self.predicate(self.resolve(schema["$ref"]), pointer.partition("#")[0] + schema["$ref"])
        else:
            body = "\n".join(f"    {line}" for line in self.body(schema, pointer))
            name = self.names.setdefault(body, f"_accept_{len(self.names)}")
        if ASKED.fullmatch(pointer):
            self.asked[pointer] = name
        return name

    def resolve(self, reference: str) -> Json:
        """The part of the root that a local reference names."""
        found = self.root
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        return found

    def body(self, schema: Json, pointer: str) -> list[str]:
        """The statements that return whether ``value`` is accepted."""
        unknown = schema.keys() - ANNOTATIONS - OBJECT - KEYWORDS.keys() - {"type"}
        if unknown or (OBJECT & schema.keys() and schema.get("type") != "object"):
            raise UnknownKeyword(f"{', '.join(sorted(unknown)) or 'fields without type: object'} at {pointer}")
        tests = [_type_test(schema["type"])] if "type" in schema else []
        tests += [f"{_literal(name)} in value" for name in schema.get("required", ())]
        if "propertyNames" in schema:
            tests.append(f"all(map({self.predicate(schema['propertyNames'], f'{pointer}/propertyNames')}, value))")
        tests += [write(self, schema, pointer) for keyword, write in KEYWORDS.items() if keyword in schema]
        loop = self.loop(schema, pointer, tests)
        return [*_unless(tests), *loop, "return True"] if loop else _return(tests)

    def loop(self, schema: Json, pointer: str, tests: list[str]) -> list[str]:
        """One pass over the fields: those of plain type by one look-up, the others by their predicate."""
        rest = self.rest(schema, pointer)
        fields = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        if not fields and not patterns:
            tests += [f"all(map({rest}, value.values()))"] if rest != "_anything" else []
            return []
        predicates = {name: self.predicate(field, f"{pointer}/properties/{name}") for name, field in fields.items()}
        plain = {name: PLAIN[field["type"]] for name, field in fields.items() if _is_plain(field)}
        lines, first = [], []
        needed = schema.get("required", ())
        if needed and plain.keys() >= {*needed} and not patterns:  # most have what each must have, and nothing else
            are = " and ".join(f"type(value[{_literal(name)}]) is {plain[name]}" for name in needed)
            first = [f"if len(value) == {len(needed)} and {are}:", "    return True"]
        if plain:
            lines = [f"if {self.constant('plain', 'Mapping[str, type]', _table(plain))}.get(key) is type(item):"]
            lines.append("    continue")
        checks = self.constant("fields", "Mapping[str, Check]", _table(predicates))
        lines.append(f"check = {checks}.get(key, {rest})" if not patterns else f"check = {checks}.get(key)")
        for pattern, field in patterns.items():
            matching = self.predicate(field, f"{pointer}/patternProperties/{pattern}")
            lines.append(f"if check is None and {self.pattern(pattern)}(key):")
            lines.append(f"    check = {matching}")
        lines.append(f"if not {'(check or ' + rest + ')' if patterns else 'check'}(item):")
        return [*first, "for key, item in value.items():", *(f"    {line}" for line in lines), "        return False"]

    def rest(self, schema: Json, pointer: str) -> str:
        """The predicate for fields that have no name in the schema."""
        others = schema.get("additionalProperties", True)
        if isinstance(others, bool):
            return "_anything" if others else "_nothing"
        return self.predicate(others, f"{pointer}/additionalProperties")

    def constant(self, kind: str, annotation: str, source: str) -> str:
        """The name of a constant; equal ones share it."""
        return self.constants.setdefault(_Constant(kind, annotation, source), f"_{kind}_{len(self.constants)}")

    def pattern(self, expression: str) -> str:
        """The search of an expression."""
        return self.constant("search", "", f"re.compile({_literal(expression)}).search")

    def module(self, made_by: str) -> str:
        """The whole source."""
        functions = "".join(self.parts())
        table = _table({pointer: self.asked[pointer] for pointer in self.asked})
        return MODULE.format(made_by=made_by, functions=functions, table=table)

    def parts(self) -> Iterable[str]:
        """Functions, and before each the constants that it is the first to use."""
        left = {name: constant for constant, name in self.constants.items()}
        for body, function in self.names.items():
            used = [left.pop(name) for name in CONSTANT.findall(body) if name in left]
            for constant in used:
                annotation = f": {constant.annotation}" if constant.annotation else ""
                yield f"{self.constants[constant]}{annotation} = {constant.source}\n"
            yield "\n\n" if used else ""
            yield f"def {function}(value: Json) -> bool:\n{body}\n\n\n"


MODULE = '''# @generated by {made_by}; do not edit
"""Predicates that accept exactly what the JSON Schemas of specs and settings accept."""

import re
from collections.abc import Callable, Mapping

from reconciler.model import Json

Check = Callable[[Json], bool]


def _anything(value: Json) -> bool:
    return True


def _nothing(value: Json) -> bool:
    return False


{functions}ACCEPTS: Mapping[str, Check] = {table}
'''


def _type_test(types: Json) -> str:
    return " or ".join(TYPES[name] for name in ([types] if isinstance(types, str) else types))


def _is_plain(field: Json) -> bool:
    """Whether the type is all there is to test."""
    return {*field} <= ANNOTATIONS | {"type"} and isinstance(field.get("type"), str) and field["type"] in PLAIN


def _unless(tests: list[str]) -> list[str]:
    if len(tests) == 1 and " or " not in tests[0]:
        return [f"if {tests[0].replace(' is ', ' is not ', 1)}:", "    return False"]
    return [f"if not ({_joined(tests)}):", "    return False"]


def _return(tests: list[str]) -> list[str]:
    joined = _joined(tests) if tests else "True"
    if len(joined) + len("    return ") <= LINE:
        return [f"return {joined}"]
    if len(joined) + 8 <= LINE:
        return ["return (", f"    {joined}", ")"]
    first, *rest = [f"({test})" if " or " in test else test for test in tests]
    return ["return (", f"    {first}", *(f"    and {test}" for test in rest), ")"]


def _joined(tests: list[str]) -> str:
    return " and ".join(f"({test})" if " or " in test and len(tests) > 1 else test for test in tests)


def _table(entries: Mapping[str, str]) -> str:
    return "{\n" + "".join(f"    {_literal(key)}: {entries[key]},\n" for key in sorted(entries)) + "}"


def _literal(text: str) -> str:
    """A text as source, in the quotes of the house style."""
    return json.dumps(text, ensure_ascii=False)


def _if_type(schema: Json, names: tuple[str, ...], test: str) -> str:
    """A test that speaks of one type only, and passes values of any other."""
    if schema.get("type") in names:
        return test
    return f"not ({' or '.join(TYPES[name] for name in names[:1])}) or {test}"


def _values(compiler: _Compiler, schema: Json, pointer: str) -> str:
    """``enum`` and ``const``; 1 and true are not the same, as in JSON."""
    values = schema["enum"] if "enum" in schema else [schema["const"]]
    if not all(type(value) in (str, bool, int, type(None)) for value in values):
        raise UnknownKeyword(f"a value that is no text, flag or integer at {pointer}")
    tests = [f"value is {value}" for value in values if value is None or type(value) is bool]
    tests += [f"type(value) is not bool and value == {value}" for value in values if type(value) is int]
    texts = sorted(value for value in values if type(value) is str)
    if texts:
        lines = "".join(f"        {_literal(text)},\n" for text in texts)
        name = compiler.constant("texts", "", f"frozenset(\n    {{\n{lines}    }}\n)")
        is_text = "" if schema.get("type") == "string" else "type(value) is str and "
        tests.append(f"{is_text}value in {name}")
    return " or ".join(tests)


def _limit(keyword: str, names: tuple[str, ...], test: str) -> Callable[[_Compiler, Json, str], str]:
    def write(compiler: _Compiler, schema: Json, pointer: str) -> str:
        return _if_type(schema, names, test.format(schema[keyword]))

    return write


def _pattern(compiler: _Compiler, schema: Json, pointer: str) -> str:
    return _if_type(schema, ("string",), f"{compiler.pattern(schema['pattern'])}(value) is not None")


def _items(compiler: _Compiler, schema: Json, pointer: str) -> str:
    return _if_type(schema, ("array",), f"all(map({compiler.predicate(schema['items'], f'{pointer}/items')}, value))")


def _one_of(compiler: _Compiler, schema: Json, pointer: str) -> str:
    return " + ".join(_branches(compiler, schema["oneOf"], f"{pointer}/oneOf")) + " == 1"


def _any_of(compiler: _Compiler, schema: Json, pointer: str) -> str:
    return " or ".join(_branches(compiler, schema["anyOf"], f"{pointer}/anyOf"))


def _branches(compiler: _Compiler, branches: Iterable[Json], pointer: str) -> list[str]:
    return [f"{compiler.predicate(one, f'{pointer}/{index}')}(value)" for index, one in enumerate(branches)]


KEYWORDS: Mapping[str, Callable[[_Compiler, Json, str], str]] = {
    "enum": _values,
    "const": _values,
    "minLength": _limit("minLength", ("string",), "len(value) >= {}"),
    "maxLength": _limit("maxLength", ("string",), "len(value) <= {}"),
    "minItems": _limit("minItems", ("array",), "len(value) >= {}"),
    "maxItems": _limit("maxItems", ("array",), "len(value) <= {}"),
    "minProperties": _limit("minProperties", ("object",), "len(value) >= {}"),
    "minimum": _limit("minimum", ("number", "integer"), "not value < {}"),  # not >=: nan passes, as with jsonschema
    "maximum": _limit("maximum", ("number", "integer"), "not value > {}"),
    "pattern": _pattern,
    "items": _items,
    "oneOf": _one_of,
    "anyOf": _any_of,
}
