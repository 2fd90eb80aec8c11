"""Turns a JSON Schema into the source of Python predicates: ``jsonschema`` says what is wrong, these say that nothing is.

A schema walked at run time costs 200 to 400 us a property; a function written for it costs 2. ``.ci/build_accept.py``
writes the result to ``_accept.py``, and a test compares both ways of checking on generated values.
Only the part of draft-07 that our schemas use is known; anything else stops the build. Values are what a YAML loader
makes: ``str int float bool None list dict``, with text as keys.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping

from reconciler.model import Json

ANNOTATIONS = frozenset(
    "$schema $id $comment title description markdownDescription default examples definitions".split()
)
TYPES = {
    "string": ("str",),
    "boolean": ("bool",),
    "null": ("NoneType",),
    "integer": ("int",),
    "number": ("int", "float"),
    "array": ("list",),
    "object": ("dict",),
}


class UnknownKeyword(Exception):
    """A schema uses a part of draft-07 that the compiler does not know."""


def compile_schemas(schemas: Mapping[str, Json], made_by: str) -> str:
    """The source of a module: ``ACCEPTS`` maps ``name#/pointer`` of every subschema to its predicate."""
    compiler = _Compiler()
    for name, schema in schemas.items():
        compiler.root = schema
        compiler.function(schema, f"{name}#")
    return compiler.module(made_by)


class _Compiler:
    """The functions and constants that were written so far."""

    def __init__(self) -> None:
        self.root: Json = {}
        self.functions: list[str] = []
        self.constants: dict[str, str] = {}
        self.names: dict[str, str] = {}  # source of a body -> name of the function that has it
        self.pointers: dict[str, str] = {}
        self.uses: set[str] = set()

    def function(self, schema: Json, pointer: str) -> str:
        """The name of the predicate for a subschema; equal ones share it."""
        body = "\n".join(f"    {line}" for line in self.body(schema, pointer))
        if body not in self.names:
            self.names[body] = f"_accept_{len(self.names)}"
            self.functions.append(f"def {self.names[body]}(value: Json) -> bool:\n{body}")
        self.pointers[pointer] = self.names[body]
        return self.names[body]

    def constant(self, prefix: str, source: str) -> str:
        """The name of a constant; equal ones share it."""
        return self.constants.setdefault(source, f"_{prefix}_{len(self.constants)}")

    def body(self, schema: Json, pointer: str) -> list[str]:
        """The statements that return whether ``value`` is accepted."""
        if schema is True or schema is False:
            return [f"return {schema}"]
        if "$ref" in schema:
            target = schema["$ref"]
            return [f"return {self.function(self.resolve(target), pointer.partition('#')[0] + target)}(value)"]
        lines = list(self.type_test(schema))
        for keyword in schema:
            if keyword in KEYWORDS:
                lines += KEYWORDS[keyword](self, schema, pointer)
            elif keyword not in ANNOTATIONS and keyword != "type" and keyword not in HANDLED:
                raise UnknownKeyword(f"{keyword} at {pointer}")
        if any(keyword in schema for keyword in OBJECT):
            lines += self.object_tests(schema, pointer)
        return [*lines, "return True"]

    def resolve(self, reference: str) -> Json:
        """The subschema of the root that a local reference names."""
        found = self.root
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return found

    def type_test(self, schema: Json) -> Iterator[str]:
        """The test of the type, first of all."""
        if "type" not in schema:
            return
        names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        types = [python for name in names for python in TYPES[name]]
        self.uses |= {"NoneType"} & set(types)
        tests = [f"type(value) is not {python}" for python in dict.fromkeys(types)]
        if "integer" in names and "number" not in names:  # draft-07: 1.0 is an integer
            tests.append("not (type(value) is float and value.is_integer())")
        yield f"if {' and '.join(tests)}:"
        yield "    return False"

    def object_tests(self, schema: Json, pointer: str) -> Iterator[str]:
        """One pass over the entries of a mapping: keys of plain type by one look-up, others by their predicate."""
        guard = "" if schema.get("type") == "object" else "type(value) is dict and "
        for name in schema.get("required", ()):
            yield f"if {guard}{_literal(name)} not in value:"
            yield "    return False"
        plain, checked = self.known_keys(schema, pointer)
        rest = self.rest(schema, pointer)
        if rest is None and not plain and not checked and "propertyNames" not in schema:
            return
        over = "value.items()" if not guard else "(value.items() if type(value) is dict else ())"
        if not plain and not checked and "patternProperties" not in schema and "propertyNames" not in schema:
            over = over.replace("items", "values")
            yield f"if not all(map({rest}, {over})):" if rest != "False" else f"if {over}:"
            yield "    return False"
            return
        yield f"for key, item in {over}:"
        for line in self.entry_tests(schema, pointer, plain, checked, rest):
            yield f"    {line}"

    def known_keys(self, schema: Json, pointer: str) -> tuple[dict[str, str], dict[str, str]]:
        """Named keys: those where the type is all there is to test, and those with a predicate."""
        plain: dict[str, str] = {}
        checked: dict[str, str] = {}
        for name, entry in schema.get("properties", {}).items():
            predicate = self.function(entry, f"{pointer}/properties/{name}")
            only_type = entry is not True and {*entry} <= {*ANNOTATIONS, "type"} and isinstance(entry.get("type"), str)
            if only_type and len(TYPES[entry["type"]]) == 1 and entry["type"] != "integer":
                plain[name] = TYPES[entry["type"]][0]
                self.uses |= {"NoneType"} & {plain[name]}
            else:
                checked[name] = predicate
        return plain, checked

    def rest(self, schema: Json, pointer: str) -> str | None:
        """What other keys need: a predicate, ``False`` for never, nothing for anything."""
        others = schema.get("additionalProperties", True)
        if others is True or others is False:
            return None if others else "False"
        return self.function(others, f"{pointer}/additionalProperties")

    def entry_tests(
        self, schema: Json, pointer: str, plain: Mapping[str, str], checked: Mapping[str, str], rest: str | None
    ) -> Iterator[str]:
        """The statements inside the loop over the entries; each known key ends its turn."""
        if "propertyNames" in schema:
            yield f"if not {self.function(schema['propertyNames'], f'{pointer}/propertyNames')}(key):"
            yield "    return False"
        if plain:
            yield f"if {self.constant('plain', _table(plain, 'type'))}.get(key) is type(item):"
            yield "    continue"
        if checked or plain:
            failing = {**dict.fromkeys(plain, "_never"), **checked}
            yield f"check = {self.constant('checked', _table(failing, 'Check'))}.get(key)"
            yield "if check is not None:"
            yield "    if not check(item):"
            yield "        return False"
            yield "    continue"
        patterns = schema.get("patternProperties", {})
        if len(patterns) > 1:
            raise UnknownKeyword(f"more than one of patternProperties at {pointer}")
        for pattern, entry in patterns.items():
            predicate = self.function(entry, f"{pointer}/patternProperties/{pattern}")
            yield f"if {self.pattern(pattern)}(key):"
            yield f"    if not {predicate}(item):"
            yield "        return False"
            yield "    continue"
        if rest == "False":
            yield "return False"
        elif rest is not None:
            yield f"if not {rest}(item):"
            yield "    return False"

    def pattern(self, expression: str) -> str:
        """The name of a compiled expression's search."""
        return self.constant("search", f"re.compile({_literal(expression)}).search")

    def module(self, made_by: str) -> str:
        """The whole source."""
        head = f"# @generated by {made_by}; do not edit\n"
        head += '"""Predicates that accept exactly what the JSON Schemas of specs and settings accept."""\n\n'
        head += "import re\n" * any("re.compile" in source for source in self.constants)
        head += "from collections.abc import Callable, Mapping\n"
        head += "from types import NoneType\n" * ("NoneType" in self.uses)
        head += "\nfrom reconciler.model import Json\n\nCheck = Callable[[Json], bool]\n"
        never = "def _never(value: Json) -> bool:\n    return False"
        parts = [head, never] + self.ordered()
        table = "".join(f"    {_literal(pointer)}: {name},\n" for pointer, name in sorted(self.pointers.items()))
        return "\n\n".join(parts) + f"\n\n\nACCEPTS: Mapping[str, Check] = {{\n{table}}}\n"

    def ordered(self) -> list[str]:
        """Functions, and before each the constants that it is the first to use."""
        parts: list[str] = []
        left = {name: source for source, name in self.constants.items()}
        for function in self.functions:
            used = [name for name in left if re.search(rf"\b{name}\b", function)]
            constants = [_assignment(name, left.pop(name)) for name in used]
            parts.append("\n" + "\n".join([*constants, "\n"] if constants else []) + function)
        return parts


def _assignment(name: str, source: str) -> str:
    kind, _, value = source.partition("|")
    return f"{name}: Mapping[str, {kind}] = {value}" if value else f"{name} = {source}"


def _table(entries: Mapping[str, str], kind: str) -> str:
    lines = "".join(f"    {_literal(key)}: {value},\n" for key, value in sorted(entries.items()))
    return f"{kind}|{{\n{lines}}}"


def _literal(value: Json) -> str:
    """A value as source, with the quotes of the house style."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
        return f"r'{value}'" if '\\"' in text else text
    return repr(value)


def _values(compiler: _Compiler, values: list[Json], pointer: str) -> list[str]:
    """``enum`` and ``const``; 1 and true are not the same, as in JSON."""
    if not all(type(value) in (str, bool, int, type(None)) for value in values):
        raise UnknownKeyword(f"a value that is no text, flag or integer at {pointer}")
    texts = sorted(value for value in values if type(value) is str)
    tests = [f"value is {value}" for value in values if value is None or type(value) is bool]
    tests += [f"(type(value) in (int, float) and value == {value})" for value in values if type(value) is int]
    if texts:
        lines = "".join(f"        {_literal(text)},\n" for text in texts)
        name = compiler.constant("texts", f"frozenset(\n    {{\n{lines}    }}\n)")
        tests.append(f"(type(value) is str and value in {name})")
    return [f"if not ({' or '.join(tests)}):", "    return False"]


def _enum(compiler: _Compiler, schema: Json, pointer: str) -> list[str]:
    return _values(compiler, schema["enum"], pointer)


def _const(compiler: _Compiler, schema: Json, pointer: str) -> list[str]:
    return _values(compiler, [schema["const"]], pointer)


def _limit(keyword: str, kind: str, test: str) -> Callable[[_Compiler, Json, str], list[str]]:
    def write(compiler: _Compiler, schema: Json, pointer: str) -> list[str]:
        types = {"number": "type(value) in (int, float)"}.get(kind, f"type(value) is {kind}")
        return [f"if {types} and {test.format(schema[keyword])}:", "    return False"]

    return write


def _pattern(compiler: _Compiler, schema: Json, pointer: str) -> list[str]:
    search = compiler.pattern(schema["pattern"])
    return [f"if type(value) is str and not {search}(value):", "    return False"]


def _items(compiler: _Compiler, schema: Json, pointer: str) -> list[str]:
    predicate = compiler.function(schema["items"], f"{pointer}/items")
    return [f"if type(value) is list and not all(map({predicate}, value)):", "    return False"]


def _one_of(compiler: _Compiler, schema: Json, pointer: str) -> list[str]:
    branches = _branches(compiler, schema, pointer, "oneOf")
    return [f"if {' + '.join(branches)} != 1:", "    return False"]


def _any_of(compiler: _Compiler, schema: Json, pointer: str) -> list[str]:
    branches = _branches(compiler, schema, pointer, "anyOf")
    return [f"if not ({' or '.join(branches)}):", "    return False"]


def _branches(compiler: _Compiler, schema: Json, pointer: str, keyword: str) -> list[str]:
    entries = enumerate(schema[keyword])
    return [f"{compiler.function(entry, f'{pointer}/{keyword}/{index}')}(value)" for index, entry in entries]


def _not(compiler: _Compiler, schema: Json, pointer: str) -> list[str]:
    return [f"if {compiler.function(schema['not'], f'{pointer}/not')}(value):", "    return False"]


OBJECT = ("properties", "additionalProperties", "patternProperties", "propertyNames", "required")
HANDLED = frozenset(OBJECT)
KEYWORDS: Mapping[str, Callable[[_Compiler, Json, str], list[str]]] = {
    "enum": _enum,
    "const": _const,
    "minLength": _limit("minLength", "str", "len(value) < {}"),
    "maxLength": _limit("maxLength", "str", "len(value) > {}"),
    "minItems": _limit("minItems", "list", "len(value) < {}"),
    "maxItems": _limit("maxItems", "list", "len(value) > {}"),
    "minProperties": _limit("minProperties", "dict", "len(value) < {}"),
    "minimum": _limit("minimum", "number", "value < {}"),
    "maximum": _limit("maximum", "number", "value > {}"),
    "pattern": _pattern,
    "items": _items,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "not": _not,
}
