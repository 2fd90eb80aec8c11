"""HubSpot's own way of writing a calculation formula: what is read back is never quite what was sent."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.emulator.errors import validation_error

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<text>'[^']*'|"[^"]*")|(?P<name>[A-Za-z_]\w*)|(?P<sign><=|>=|!=|<>|==|&&|\|\||[-+*/=<>(),!]))"""
)
LITERAL = re.compile(r"""'[^']*'|"[^"]*\"""")
SPELLINGS = {"=": "equals", "==": "equals", "<>": "!=", "&&": "and", "||": "or", "!": "not"}
KEYWORDS = {"if", "then", "elseif", "else", "endif", "and", "or", "not", "equals", "true", "false"}
BINDING = {"or": 1, "and": 2, "equals": 4, "!=": 4, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6}
NOT, NEGATION, ATOM = 3, 7, 8


@dataclass(frozen=True)
class Node:
    """A part of a formula: an operator or function over its operands, or a literal."""

    sort: str  # number, text, word, property, call, not, negate, if, or an operator
    word: str = ""
    operands: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Formula:
    """A parsed formula."""

    root: Node
    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def properties(self) -> set[str]:
        """The properties that the formula reads."""
        return {node.word for node in walk(self.root) if node.sort == "property"}

    def canonical(self, *, numbers_as_sent: bool = False) -> str:
        """The formula as HubSpot stores it; the answer to a create still shows its numbers as sent."""
        return render(self.root, self.types, numbers_as_sent)


def parse(text: str, types: Mapping[str, str]) -> Formula:
    """Reads a formula, or refuses it as HubSpot does."""
    if re.search(r"[\[\]]|\bif\(|\w\.[A-Za-z_]", LITERAL.sub("''", text), re.IGNORECASE):
        raise refusal(text)
    try:
        reader = Reader(text)
        formula = Formula(reader.expression(), types)
        formula.canonical()
    except RecursionError as error:
        raise refusal(text) from error
    if reader.peek():
        raise refusal(text)
    return formula


def named_in(text: str) -> set[str]:
    """The properties that a stored formula names, also one of those that only HubSpot can write."""
    return set(re.findall(r"\b[A-Za-z_]\w*\b(?!\s*\()", LITERAL.sub("", text))) - KEYWORDS


def refusal(text: str) -> Exception:
    """The answer to a formula that is none."""
    return validation_error(
        f"Invalid calculation formula: {text}", "PropertyValidationError.INVALID_CALCULATION_FORMULA"
    )


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for operand in node.operands:
        yield from walk(operand)


def tokens(text: str) -> Iterator[tuple[str, str]]:
    """The words of a formula, keywords in lower case, other spellings of an operator folded into one."""
    position, end = 0, len(text.rstrip())
    while position < end:
        match = TOKEN.match(text, position)
        if not match:
            raise refusal(text)
        position = match.end()
        sort, word = match.lastgroup or "", match[match.lastgroup or 0]
        if sort == "name" and word.lower() in KEYWORDS:
            sort, word = "sign", word.lower()
        yield sort, SPELLINGS.get(word, word) if sort == "sign" else word


class Reader:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [*tokens(text)]
        self.at = 0

    def peek(self) -> str:
        """The next sign, or an empty text for anything else that is left to read."""
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, *signs: str) -> bool:
        """Consumes the next token when it is one of these signs."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "sign" and self.peek() in signs:
            self.at += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        """Consumes a sign that has to stand here."""
        if not self.take(sign):
            raise refusal(self.text)

    def expression(self) -> Node:
        """A conditional or anything below it."""
        if not self.take("if"):
            return self.binary(1)
        parts = [self.binary(1)]
        self.expect("then")
        parts.append(self.expression())
        while self.take("elseif"):
            parts.append(self.binary(1))
            self.expect("then")
            parts.append(self.expression())
        if self.take("else"):
            parts.append(self.expression())
        self.expect("endif")
        return Node("if", operands=tuple(parts))

    def binary(self, level: int) -> Node:
        """Operators that bind at this level or closer, from left to right."""
        if level == NOT:
            return Node("not", operands=(self.binary(NOT),)) if self.take("not") else self.binary(NOT + 1)
        if level == NEGATION:
            return Node("negate", operands=(self.binary(NEGATION),)) if self.take("-") else self.atom()
        left = self.binary(level + 1)
        while True:
            sign = self.peek()
            if BINDING.get(sign) == level and self.take(sign):
                left = Node(sign, operands=(left, self.binary(level + 1)))
            elif level == BINDING["*"] and left.sort == "number" and self.product_follows():
                left = Node("*", operands=(left, self.binary(level + 1)))
            else:
                return left

    def product_follows(self) -> bool:
        """Whether a number stands right before a name or bracket, as in ``10a``."""
        return self.at < len(self.tokens) and (self.tokens[self.at][0] == "name" or self.peek() == "(")

    def atom(self) -> Node:
        """A literal, a property, a call, or something in brackets."""
        if self.at >= len(self.tokens):
            raise refusal(self.text)
        if self.take("("):
            inner = self.expression()
            self.expect(")")
            return inner
        sort, word = self.tokens[self.at]
        self.at += 1
        if sort == "name":
            return Node("call", word, self.arguments()) if self.take("(") else Node("property", word)
        if sort == "sign" and word not in ("true", "false"):
            raise refusal(self.text)
        return Node("word" if sort == "sign" else sort, word)

    def arguments(self) -> tuple[Node, ...]:
        """What stands between the brackets of a call."""
        if self.take(")"):
            return ()
        found = [self.expression()]
        while self.take(","):
            found.append(self.expression())
        self.expect(")")
        return tuple(found)


def render(node: Node, types: Mapping[str, str], as_sent: bool) -> str:
    """A node in canonical notation."""

    def inside(operand: Node, binding: int) -> str:
        text = render(operand, types, as_sent)
        return f"({text})" if binding_of(operand, types) < binding else text

    operands = node.operands
    match node.sort:
        case "number":
            return node.word if as_sent or "." not in node.word else node.word.rstrip("0").rstrip(".")
        case "text":
            return f"'{node.word[1:-1]}'"
        case "property" | "word":
            return node.word
        case "call":
            return f"{node.word}({', '.join(render(one, types, as_sent) for one in operands)})"
        case "if":
            return conditional([render(one, types, as_sent) for one in operands])
        case "not":
            return f"not {inside(operands[0], ATOM)}"
        case "negate":
            return f"-{inside(operands[0], NEGATION)}"
        case "!=":
            return f"not ({inside(operands[0], 5)} equals {inside(operands[1], 5)})"
        case "+" if is_text(node, types):
            return f"concatenate({', '.join(render(one, types, as_sent) for one in operands)})"
    binding = BINDING[node.sort]
    return f"{inside(operands[0], binding)} {node.sort} {inside(operands[1], binding + 1)}"


def conditional(parts: list[str]) -> str:
    """``if ... then ... endif``, with HubSpot's line break before each ``elseif``."""
    branches = [f"{test} then {value}" for test, value in zip(parts[::2], parts[1::2], strict=False)]
    otherwise = f" else {parts[-1]}" if len(parts) % 2 else ""
    return "if " + "\nelseif ".join(branches) + otherwise + " endif"


def binding_of(node: Node, types: Mapping[str, str]) -> int:
    """How closely the notation of a node binds."""
    if node.sort == "not" or node.sort == "!=":
        return NOT
    if node.sort == "if":
        return 0
    if node.sort == "+" and is_text(node, types):
        return ATOM
    return BINDING.get(node.sort, NEGATION if node.sort == "negate" else ATOM)


def is_text(node: Node, types: Mapping[str, str]) -> bool:
    """Whether a node is text, so that plus means concatenation."""
    match node.sort:
        case "text":
            return True
        case "property":
            return types.get(node.word) in ("string", "enumeration", "phone_number")
        case "call":
            return node.word in ("concatenate", "upper", "lower", "substring", "string", "number_to_string")
        case "+":
            return any(is_text(one, types) for one in node.operands)
    return False
