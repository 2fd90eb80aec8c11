import shutil
from pathlib import Path

import pytest
from language_server import command, editor

ROOT = Path(__file__).parent.parent
SPEC = """\
# yaml-language-server: $schema=schema.json
properties:
  contacts:
    cs_health_score:
      label: Health score
      type: number
      fieldType: number
      groupName: customer_success
    cs_plan_tier:
      label: Plan tier
      type: enumeration
      fieldType: select
      groupName: customer_success
      options:
        - {value: gold, label: Gold}
lifecycleStages:
  - {name: lead}
removed:
  - {address: properties/contacts/old_score, reason: replaced}
"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    if command() is None:
        pytest.skip("no yaml-language-server: set YAML_LANGUAGE_SERVER to its script, and have node")
    directory = tmp_path_factory.mktemp("specs")
    shutil.copy(ROOT / "specs" / "schema.json", directory)
    with editor(directory) as one:
        yield one, directory


def page(opened, name, text):
    one, directory = opened
    return one, directory / name, one.open(directory / name, text)


def test_the_specs_of_the_repository_show_no_squiggle(opened):
    """What validate accepts is left alone while somebody looks at it."""
    for path in sorted((ROOT / "specs").glob("*.yaml")):
        if path.name != "reconciler.yaml":
            assert page(opened, path.name, path.read_text("utf-8"))[2] == [], path.name


def test_mistakes_get_a_squiggle_while_somebody_types(opened):
    """Each mistake is marked where it stands, in words that say what would be right; a mend takes the mark away."""
    one, path, problems = page(opened, "typed.yaml", SPEC)
    assert problems == []

    wrong = SPEC.replace("fieldType: number", "fieldType: select").replace("{name: lead}", "{name: Lead}")
    wrong = wrong.replace("      options:\n        - {value: gold, label: Gold}\n", "      hiden: true\n")
    wrong = wrong.replace(", reason: replaced", "")
    assert sorted(one.change(path, wrong)) == [
        (7, "select", "type number can be shown as number, calculation_equation"),
        (9, "cs_plan_tier", "an enumeration needs at least one option"),
        (14, "hiden", "Property hiden is not allowed."),
        (16, "Lead", "lower-case letters, digits and underscores, a letter first"),
        (18, "{", 'Missing property "reason".'),
    ]

    assert one.change(path, SPEC, version=3) == []


def test_a_hover_explains_a_field_and_its_choices(opened):
    """The text over a field is the schema's: title, what it is for, and what each choice means for this type."""
    one, path, _ = page(opened, "hovered.yaml", SPEC)

    text = one.hover(path, SPEC, "fieldType: number").partition("\n\nSource:")[0]
    assert text == (
        "#### Field type\n\nHow HubSpot shows it in forms; the type says which of them can be.\n\nAllowed Values:\n\n"
        "* `number`: A box for a number.\n"
        "* `calculation_equation`: Calculated from other properties, by calculationFormula."
    )
    assert one.hover(path, SPEC, "removed").startswith("#### Removed\n\nThe only way anything is deleted")
    assert "Example:\n\n```yaml\nHealth score\n```" in one.hover(path, SPEC, "label")


def test_field_types_are_offered_that_go_with_the_type(opened):
    """A completion offers the choices of this type, each with what it means."""
    text = SPEC.replace("fieldType: number", "fieldType: ")
    one, path, _ = page(opened, "completed.yaml", text)

    offered = one.completions(path, text, "fieldType: ")
    assert {name: item["documentation"] for name, item in offered.items()} == {
        "number": "A box for a number.",
        "calculation_equation": "Calculated from other properties, by calculationFormula.",
    }


def test_fields_and_sections_are_offered_where_they_can_be_written(opened):
    """A new entry is offered its fields, an empty line the sections, an object type its place."""
    entry = "# yaml-language-server: $schema=schema.json\nproperties:\n  contacts:\n    a:\n      \n"
    one, path, _ = page(opened, "entry.yaml", entry)
    offered = one.completions(path, entry, "    a:\n      ")
    assert {"label", "type", "fieldType", "groupName", "options", "meta"} <= offered.keys()
    assert "Property" not in offered
    assert offered["label"]["documentation"]["value"] == "What people see in HubSpot."

    top = "# yaml-language-server: $schema=schema.json\n\n"
    one, path, _ = page(opened, "top.yaml", top)
    assert set(one.completions(path, top, "schema.json\n")) == {
        "propertyGroups",
        "properties",
        "lifecycleStages",
        "associationLabels",
        "integrations",
        "removed",
    }

    section = "# yaml-language-server: $schema=schema.json\nproperties:\n  \n"
    one, path, _ = page(opened, "section.yaml", section)
    assert {"contacts", "companies", "deals", "tickets"} <= set(one.completions(path, section, "properties:\n  "))


def test_default_stages_are_offered(opened):
    """Somebody who writes a stage need not know how HubSpot spells its own."""
    text = "# yaml-language-server: $schema=schema.json\nlifecycleStages:\n  - name: \n"
    one, path, _ = page(opened, "stages.yaml", text)

    assert {"subscriber", "marketingqualifiedlead", "other"} <= set(one.completions(path, text, "name: "))
