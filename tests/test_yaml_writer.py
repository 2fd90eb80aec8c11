import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler import yaml_loader, yaml_writer

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text("ab:-?,[]{}&*!|>'\"%@`#\t\n 0.~<=\\é")
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | FLOATS | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


def test_a_spec_file_reads_like_one_written_by_hand():
    """Short entries stand in one line, long ones in a block, and misleading texts in quotes."""
    content = {
        "propertyGroups": {"contacts": {"billing": {"label": "Billing"}}},
        "properties": {
            "contacts": {
                "tier": {
                    "label": "Plan tier: now",
                    "type": "enumeration",
                    "hidden": True,
                    "description": "0 to 100, written nightly (see https://example.com/#top)",
                    "options": [
                        {"value": "NO", "label": "No"},
                        {"value": "012", "label": "Twelve, or so"},
                        {"value": "x", "label": "y" * 120},
                    ],
                    "meta": {"owner": "revops", "consumers": ["warehouse", "crm"]},
                }
            }
        },
        "lifecycleStages": [{"name": "lead", "label": "Lead"}],
    }

    assert (
        yaml_writer.dump(content, comments=["yaml-language-server: $schema=schema.json"])
        == f"""\
# yaml-language-server: $schema=schema.json
propertyGroups:
  contacts:
    billing: {{label: Billing}}

properties:
  contacts:
    tier:
      label: "Plan tier: now"
      type: enumeration
      hidden: true
      description: 0 to 100, written nightly (see https://example.com/#top)
      options:
        - {{value: "NO", label: "No"}}
        - {{value: "012", label: "Twelve, or so"}}
        - value: x
          label: {"y" * 120}
      meta:
        owner: revops
        consumers: [warehouse, crm]

lifecycleStages:
  - {{name: lead, label: Lead}}
"""
    )


@pytest.mark.parametrize(
    "text",
    [
        *("Gold", "gold_1", "a-b", "R&D", "it's", "a, b [c] {d}", "50% (half)", "1st", "3 days", "a:b", "a#b", "x=1"),
        *("Über", "日本語", "€ 5", "– none –", "😀", "$5", "/path", "yes please", "nothing", "Nota", "trueish"),
        *("https://example.com/#top", 'say "hi"', "a\\b"),
    ],
)
def test_harmless_texts_stand_without_quotes(text):
    """What every reader takes for the same text is left as it is."""
    assert yaml_writer.write_mapping({"k": text}) == [f"k: {text}"]


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", " a", "a ", "a: b", "a:", "a #b", "#a", "- a", "-", "?", ": a", "[a]", "{a}", "*a", "&a", "!a", "|"),
        *(">", "'a'", '"a"', "%a", "@a", "`a`", "---", "...", "<<", "=", "~", ",a"),
        *("null", "Null", "true", "FALSE", "yes", "No", "NO", "on", "Off", "y", "N"),
        *("0", "12", "-1", "+1", "012", "1_000", "0x1F", "0o7", "0b1", "1.5", ".5", "1.", "1e3", "1E+3", "-.inf"),
        *("1:30", "190:20:30.5", "2024-01-01", "2024-01-01 10:00:00 Z", "2001-12-14t21:59:43.10-05:00"),
    ],
)
def test_misleading_texts_are_quoted(text):
    """Nothing that some reader takes for something else, and nothing that is no plain text at all, goes bare."""
    quoted = '"' + text.replace('"', '\\"') + '"'

    assert yaml_writer.write_mapping({"k": text}) == [f"k: {quoted}"]
    assert yaml_writer.write_mapping({text: 1}) == [f"{quoted}: 1"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a\nb", r'"a\nb"'),
        ("a\tb\\", r'"a\tb\\"'),
        ("\0\x07\x1b\x7f\x85\xa0", r'"\u0000\u0007\u001b\x7f\x85\xa0"'),
        ("a\u2028\u202e\ufeff\U000e0001", r'"a\u2028\u202e\ufeff\U000e0001"'),
        (None, "null"),
        (True, "true"),
        (-3, "-3"),
        (1.0, "1.0"),
        (1e16, "1.0e+16"),
        (1e-7, "1.0e-07"),
        ({}, "{}"),
        ([], "[]"),
    ],
)
def test_values_are_written_for_every_reader(value, written):
    """Invisible characters are shown as escapes, and numbers are numbers in both versions of YAML."""
    assert yaml_writer.write_mapping({"k": value}, 2) == [f"  k: {written}"]


def test_half_a_surrogate_pair_is_refused():
    """No YAML file can hold it, so it is not written as something else."""
    with pytest.raises(yaml_writer.UnwritableText, match=r"U\+D83D"):
        yaml_writer.dump({"k": "a\ud83d"})


def test_a_key_of_any_length_can_be_read_back():
    """Readers look for the colon of a plain key only so far."""
    content = {"a": {"k" * 3000: {"b": [1, {"c": ["d" * 200]}]}, "\n" * 900: "x"}}

    assert yaml_loader.load(yaml_writer.dump(content), "a.yaml").value == content


@given(VALUES)
@example([[[]], [[1]], [{"a": [[2], {}]}], {"a": {}, "b": [[]]}])
def test_what_is_written_is_read_back(value):
    """Whatever a portal holds survives the way through a file, for our reader and for one of YAML 1.1."""
    text = yaml_writer.dump(value)
    document = yaml_loader.load(text, "a.yaml")

    assert document.problems == ()
    assert document.value == value
    assert repr(document.value) == repr(value)
    assert yaml.load(text, Loader=yaml.CSafeLoader) == value
    assert yaml_writer.dump(document.value) == text


@given(st.dictionaries(TEXTS, SCALARS, max_size=3))
def test_short_entries_are_read_back(entry):
    """The same for entries in one line, where more characters mean something."""
    text = yaml_writer.dump({"a": [entry], "b": entry})

    assert yaml_loader.load(text, "a.yaml").value == {"a": [entry], "b": entry}
    assert yaml.load(text, Loader=yaml.CSafeLoader) == {"a": [entry], "b": entry}
