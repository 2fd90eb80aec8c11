import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.yaml_loader import DEEPEST, LARGEST, PARSER, READ_AGAIN, load

PARSERS = [yaml.cyaml.CParser, yaml.SafeLoader]


def first_problem(text):
    problem = load(text, "a.yaml").problems[0]
    return problem.line, problem.column, problem.rule


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("---\n", None),
        ("\ufeffa: b\n", {"a": "b"}),
        ("a:\n", {"a": None}),
        ("[~, null, Null, NULL, nULL]", [None, None, None, None, "nULL"]),
        ("[true, True, TRUE, tRUE, false, False, FALSE]", [True, True, True, "tRUE", False, False, False]),
        ("[NO, no, on, off, yes, Y, n]", ["NO", "no", "on", "off", "yes", "Y", "n"]),
        ("[0, -0, 7, -7, +7, 1234567890123]", [0, 0, 7, -7, 7, 1234567890123]),
        ("[012, -012, 00, 1_000, 0b1, 1:30, 190:20:30]", ["012", "-012", "00", "1_000", "0b1", "1:30", "190:20:30"]),
        ("[0x1F, 0o17, 0xZ, 0o8, -0x1, 0X1]", [31, 15, "0xZ", "0o8", "-0x1", "0X1"]),
        ("[1.5, 1., .5, -2.5e3, 1e3, 1E-2, +.5]", [1.5, 1.0, 0.5, -2500.0, 1000.0, 0.01, 0.5]),
        ("[1.2.3, 01.5, ., .e1, -, +, 1e, e1]", ["1.2.3", "01.5", ".", ".e1", "-", "+", "1e", "e1"]),
        ("[.inf, -.INF, +.Inf, .nan, 1e400]", [".inf", "-.INF", "+.Inf", ".nan", "1e400"]),
        ("[2024-01-01, 2024-01-01T00:00:00Z, 12:00]", ["2024-01-01", "2024-01-01T00:00:00Z", "12:00"]),
        ("['1', \"true\", 'null', '']", ["1", "true", "null", ""]),
        ("a: |\n  1\nb: >-\n  null\n", {"a": "1\n", "b": "null"}),
        ("1: a\ntrue: b\nnull: c\n1.50: d\n'1.5': e\n", {"1": "a", "true": "b", "null": "c", "1.50": "d", "1.5": "e"}),
        ("'': a\n'<<': b\n", {"": "a", "<<": "b"}),
        ("[!!str 1, !!int '1', !!float 1, !!bool true, !!null ~]", ["1", 1, 1.0, True, None]),
        ("! 1", "1"),
        ("!!map {a: !!seq [b]}", {"a": ["b"]}),
        ("- &a {x: 1}\n- *a\n- &b text\n- *b\n", [{"x": 1}, {"x": 1}, "text", "text"]),
        ("&k a: 1\nb: *k\n", {"a": 1, "b": "a"}),
        ("- &a 1\n- *a\n- &a 2\n- *a\n", [1, 1, 2, 2]),
        ("%YAML 1.1\n---\na: b\n...\n", {"a": "b"}),
        ("9" * 5000, "9" * 5000),
        ("0x" + "f" * 5000, "0x" + "f" * 5000),
        ("0o" + "7" * 5000, "0o" + "7" * 5000),
    ],
)
def test_plain_scalars_are_read_as_yaml_1_2(text, value, parser):
    """Only what YAML 1.2's core schema and JSON call so is a number, a truth value or null; the rest is text."""
    document = load(text, "a.yaml", parser)

    assert document.problems == ()
    assert document.value == value
    assert repr(document.value) == repr(value)


@pytest.mark.parametrize(
    ("text", "line", "column", "rule"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 1, "yaml-duplicate-key"),
        ("a:\n  b:\n    c:\n      d:\n        e: 1\n        e: 2\n", 6, 9, "yaml-duplicate-key"),
        ("a: {x: 1, 'x': 2}\n", 1, 11, "yaml-duplicate-key"),
        ("a: !foo 1\n", 1, 4, "yaml-tag"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, 4, "yaml-tag"),
        ("a: !!timestamp 2024-01-01\n", 1, 4, "yaml-tag"),
        ("a: !!int x\n", 1, 4, "yaml-tag"),
        ("a: !!map [x]\n", 1, 4, "yaml-tag"),
        ("!foo a: 1\n", 1, 1, "yaml-tag"),
        ("a: !x!y 1\n", 1, 4, "yaml-tag"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, 3, "yaml-merge-key"),
        ("a: *x\n", 1, 4, "yaml-syntax"),
        ("a: &x [1, *x]\n", 1, 11, "yaml-alias-limit"),
        ("? [a]\n: 1\n", 1, 3, "yaml-complex-key"),
        ("{a: 1}: 2\n", 1, 1, "yaml-complex-key"),
        ("a: &x b\n*x : 2\n", 2, 1, "yaml-complex-key"),
        ("? \n: 1\n", 1, 2, "yaml-complex-key"),
        ("a: 1\n---\nb: 2\n", 2, 1, "yaml-multiple-documents"),
        ("a: b\x07\n", 1, 5, "yaml-encoding"),
        ("a: b\nc: \0\n", 2, 4, "yaml-encoding"),
        ("a: \ud800\n", 1, 4, "yaml-encoding"),
        (b"a: 1\nb: x\xc3\xa4\xe9\n", 2, 6, "yaml-encoding"),
        ("a: 1".encode("utf-16"), 1, 1, "yaml-encoding"),
        ("a: 1".encode("utf-16-le"), 1, 1, "yaml-encoding"),
        ("[" * (DEEPEST + 1), 1, DEEPEST + 1, "yaml-depth"),
        ("a:\n" + "".join(f"{'  ' * n}- \n{'  ' * n}  b:\n" for n in range(40)), 65, 65, "yaml-depth"),
    ],
)
def test_what_is_ambiguous_or_unreadable_is_a_problem(text, line, column, rule):
    """Each refusal has its rule and stands where the user has to look."""
    assert first_problem(text) == (line, column, rule)


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a:\n\tb: 1\n", 2, 1, "a tab stands in the indentation"),
        ("a: @x\n", 1, 4, "a value cannot begin with '@'"),
        ("a: `x`\n", 1, 4, "a value cannot begin with '`'"),
        ("a: %x\n", 1, 4, "a value cannot begin with '%'"),
        ("a: note: this\n", 1, 8, "a text with a colon and a blank in it needs quotes"),
        ("a: 1\n  b: 2\n", 2, 4, "this line is indented deeper than the one above, which has a value already"),
        ("a: 1\nb\nc: 2\n", 2, 1, "a colon is missing here"),
        ("a: 1\nb: 'it''s\nc: 2\n", 2, 4, "a quoted text begins here and does not end"),
        ('a: "C:\\dir"\n', 1, 7, "this is no escape that YAML knows"),
        ("a: [1, 2\nb: 3\n", 1, 4, "a list in brackets begins here and is not closed, or lacks a comma"),
        ("a: {b: 1\nc: 3\n", 1, 4, "a mapping in braces begins here and is not closed, or lacks a comma"),
        ("a: * all\n", 1, 4, "`*` and `&` begin an alias or an anchor, and a name is missing"),
        ("a: - b\n", 1, 4, "a list cannot begin in the line of its key"),
        ("a:\n  - b\n  c: 1\n", 3, 3, "this line does not fit into the list around it"),
        ('a: "b" c\n', 1, 8, "something follows the end of the value"),
        ("a:\n    b: 1\n  c: 2\n", 3, 3, "this line does not fit into the mapping that begins in line 1, column 1"),
        ("a: |x\n  b\n", 1, 5, "this is no block of text that YAML knows"),
        ("%YAML 3.0\n---\na\n", 1, 1, "directives (`%`) are not supported"),
    ],
)
def test_syntax_errors_are_told_in_the_words_of_a_user(text, line, column, message):
    """A syntax error says what is wrong and a way out, not what a scanner expected."""
    document = load(text, "a.yaml")
    problem = document.problems[-1]

    assert (problem.line, problem.column, problem.rule, problem.message) == (line, column, "yaml-syntax", message)
    assert problem.fix
    assert document.value is None


def test_problems_come_together_and_in_order():
    """One run tells of every problem, those before a syntax error included."""
    text = "a: 1\na: 2\nb: !x 3\nc: {<<: *d}\na: 4\ne: @\n"

    problems = load(text, "a.yaml").problems

    assert [(one.line, one.rule) for one in problems] == [
        (2, "yaml-duplicate-key"),
        (3, "yaml-tag"),
        (4, "yaml-merge-key"),
        (4, "yaml-syntax"),
        (5, "yaml-duplicate-key"),
        (6, "yaml-syntax"),
    ]
    assert problems[4].message == "the key 'a' is here twice; the first one is in line 1, column 1"


@pytest.mark.parametrize("value", ["@", '"', "{b: 2", "*"])
def test_a_key_is_here_twice_whatever_follows_it(value):
    """A half-finished file, whose value is no YAML under a key that is there already, has both problems."""
    problems = load(f"a: 1\na: {value}\n", "a.yaml").problems

    assert [one.rule for one in problems] == ["yaml-duplicate-key", "yaml-syntax"]


def test_an_exploding_file_is_refused_quickly():
    """Aliases of aliases of aliases do not fill the memory."""
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]

    document = load("\n".join(lines), "a.yaml")

    assert [(one.line, one.rule) for one in document.problems] == [(5, "yaml-alias-limit")]
    assert document.value is None


def test_a_file_that_is_too_large_is_not_parsed():
    """The size alone refuses it."""
    assert first_problem(b"#" * (LARGEST + 1)) == (1, 1, "yaml-too-large")


SPEC = """\
# a comment
properties:
  contacts: &all
    tier:
      label: Tier
      options:
        - {value: gold, label: Gold}
        - value: free
          label: Free
    score: {label: Score}
  companies: *all
removed:
- address: properties/contacts/old
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (2, 1), (2, 1)),
        (("properties",), (3, 3), (2, 1)),
        (("properties", "contacts"), (3, 13), (3, 3)),
        (("properties", "contacts", "tier"), (5, 7), (4, 5)),
        (("properties", "contacts", "score"), (10, 12), (10, 5)),
        (("properties", "contacts", "tier", "label"), (5, 14), (5, 7)),
        (("properties", "contacts", "tier", "options", 0), (7, 11), (7, 11)),
        (("properties", "contacts", "tier", "options", 0, "label"), (7, 32), (7, 25)),
        (("properties", "contacts", "tier", "options", 1, "label"), (9, 18), (9, 11)),
        (("properties", "contacts", "tier", "options", 9, "label"), (7, 9), (6, 7)),  # the first dash
        (("properties", "companies"), (11, 14), (11, 3)),
        (("properties", "companies", "tier", "label"), (5, 14), (5, 7)),
        (("properties", "contacts", "nobody"), (3, 13), (3, 3)),
        (("removed", 0), (13, 3), (13, 3)),
        (("removed", 0, "address"), (13, 12), (13, 3)),
        (("nowhere", "at", "all"), (2, 1), (2, 1)),
    ],
)
def test_everything_is_found_again(path, value, key):
    """A path leads to the line and column of its value and of its key, else of what is around it."""
    document = load(SPEC, "a.yaml")

    assert document.locate(path) == value
    assert document.locate(path, key=True) == key


def test_shallow_places_need_no_second_reading():
    """What the loader kept agrees with what a second reading finds."""
    document = load(SPEC, "a.yaml")

    assert len(document.marks) == 9
    assert all(document.source.find(path, {}) == mark for path, mark in document.marks.items())


def test_places_outlive_a_syntax_error():
    """What stands before a syntax error keeps its place."""
    document = load("a:\n  b: 1\nc: @\n", "a.yaml")

    assert document.locate(["a", "b"]) == (2, 6)


@pytest.mark.parametrize(
    ("text", "line", "column", "frame"),
    [
        ("a: 1\nb: 2", 2, 4, "2 | b: 2\n  |    ^"),
        ("a:\tb", 1, 4, "1 | a:  b\n  |     ^"),
        ("日本: x", 1, 5, "1 | 日本: x\n  |       ^"),
        ("e\u0301: x", 1, 5, "1 | e\u0301: x\n  |    ^"),
        ("a\x1b[31m\u202e: x", 1, 1, "1 | a\ufffd[31m\ufffd: x\n  | ^"),
        ("a", 9, 1, "9 |\n  | ^"),
    ],
)
def test_a_frame_points_at_a_column(text, line, column, frame):
    """The caret stands under the column, whatever is before it, and nothing moves the cursor."""
    assert load(text, "a.yaml").frame(line, column) == frame


def test_a_long_line_is_clipped_around_its_caret():
    """A frame is never much wider than a hundred characters."""
    document = load("a: " + "x" * 300 + "!" + "y" * 300, "a.yaml")

    source, caret = document.frame(1, 304).split("\n")

    assert source == f"1 | …{'x' * 50}!{'y' * 49}…"
    assert source[caret.index("^")] == "!"


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co", "Cf", "Zl", "Zp"]), max_size=12
)
AGREED = TEXTS.filter(lambda text: not re.fullmatch(r"[-+]?[0-9]+[eE][-+]?[0-9]+", text))  # 1e3: a float in 1.2 only
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | AGREED
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(AGREED, inner, max_size=4), max_leaves=20
)


@given(VALUES, st.booleans())
def test_it_reads_what_pyyaml_reads(value, flow):
    """On documents that YAML 1.1 and 1.2 agree about, the result is that of PyYAML's safe loader."""
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, default_flow_style=flow)

    for parser in PARSERS:
        document = load(text, "a.yaml", parser)
        assert document.problems == ()
        assert document.value == yaml.load(text, Loader=yaml.CSafeLoader) == value


def paths(value, path=()):
    """Every path that leads to something in a value."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in entries:
        yield from paths(inner, (*path, step))


@given(st.dictionaries(AGREED, st.dictionaries(AGREED, st.dictionaries(AGREED, VALUES, max_size=3))), st.booleans())
def test_a_deep_place_is_found_by_reading_its_entry_alone(value, flow):
    """Reading again only what is below a kept place finds what reading the whole file again finds."""
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True, default_flow_style=flow)
    document = load(text, "a.yaml")

    for path in (one for one in paths(document.value) if len(one) > 3):
        assert document.source.find(path, document.marks) == document.source.find(path, {})


def test_what_lies_below_the_end_of_a_file_has_the_nearest_place():
    """An open brace ends, for the parser, in a line that the file does not have."""
    document = load("{a", "a.yaml")

    assert document.locate(["a", 0, "b"]) == (2, 1)


@given(st.text(st.sampled_from("ab:-?,[]{}&*!|>'\"%@`#\t\n  0.~<=\\é\x85"), max_size=40))
def test_no_text_raises(text):
    """Whatever a file holds, there is a document with a value or a problem, and a frame for each problem."""
    document = load(text, "a.yaml")

    for problem in document.problems:
        assert problem.fix
        assert document.frame(problem.line, problem.column).count("\n") == 1
        assert document.locate(["a", 0, "b"]) >= (1, 1)


@given(st.binary(max_size=40))
def test_no_bytes_raise(data):
    """The same holds for what is no text at all."""
    document = load(data, "a.yaml")

    assert all(document.frame(one.line, one.column) for one in document.problems)


def test_many_deep_places_do_not_read_the_file_as_many_times():
    """A file full of mistakes is told in the time of a few readings; the places are the same either way."""
    read = []

    def parser(data):
        read.append(len(data))
        return PARSER(data)

    text = "a:\n  b:\n" + "".join(f"    c{number}:\n      d: [{{e: 1}}]\n" for number in range(500))
    document = load(text, "a.yaml", parser)

    places = [document.locate(("a", "b", f"c{number}", "d", 0, "e")) for number in range(500)]

    assert places == [(2 * number + 4, 15) for number in range(500)]
    assert sum(read) <= (2 + READ_AGAIN) * len(text)
