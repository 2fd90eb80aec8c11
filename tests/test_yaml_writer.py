import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler import yaml_loader, yaml_writer

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALAR = st.none() | st.booleans() | st.integers() | TEXT
VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))


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
                    "options": [{"value": "NO", "label": "No"}, {"value": "012", "label": "Twelve"}],
                }
            }
        },
        "lifecycleStages": [{"name": "lead", "label": "Lead"}],
    }

    assert yaml_writer.dump(content) == (
        "propertyGroups:\n  contacts:\n    billing: {label: Billing}\n\n"
        "properties:\n  contacts:\n    tier:\n"
        '      label: "Plan tier: now"\n      type: enumeration\n      hidden: true\n      options:\n'
        '        - {value: "NO", label: "No"}\n        - {value: "012", label: Twelve}\n\n'
        "lifecycleStages:\n  - {name: lead, label: Lead}\n"
    )


@given(st.dictionaries(TEXT, VALUE, min_size=1, max_size=4))
def test_what_is_written_is_read_back(content):
    """Whatever a portal holds survives the way through a file, for our reader."""
    document = yaml_loader.load(yaml_writer.dump(content), "x.yaml")

    assert document.problems == ()
    assert document.value == content


@given(TEXT)
def test_other_readers_see_the_same_texts(text):
    """A text is never a date, a number or a yes for a reader of YAML 1.1."""
    assert yaml.safe_load(yaml_writer.dump({"k": text})) == {"k": text}
