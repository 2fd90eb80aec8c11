from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal
from reconciler.errors import ReconcilerError
from reconciler.kinds import Scope, properties
from reconciler.kinds.properties import merged_options
from reconciler.model import Answer, Reads, Resource, Source
from reconciler.order import merged_order
from reconciler.paths import Api
from reconciler.plan import Change, PlannedField


def declared(entry, name="cs_tier"):
    (resource,) = properties.parse({"contacts": {name: entry}}, lambda *path: Source("s.yaml", 1, 1))
    return resource


ALIKE = [{"value": "a;b", "label": "X"}, {"value": "a;b", "label": "Y"}, {"value": "c", "label": "X"}]
FULL = {"label": "L", "type": "string", "fieldType": "text", "groupName": "g"}
OWNER = {"externalOptions": True, "referencedObjectType": "OWNER"}
EXTERNAL = {**FULL, "type": "enumeration", "fieldType": "select", **OWNER}


@pytest.mark.parametrize(
    ("live", "wanted", "order"),
    [
        (["a", "b"], ["a", "b"], ["a", "b"]),
        (["x", "a", "y", "b"], ["b", "a"], ["x", "b", "y", "a"]),
        (["a", "x", "b"], ["a", "n", "b"], ["a", "n", "x", "b"]),
        (["x", "y"], ["n"], ["x", "y", "n"]),
        (["x", "a"], ["n", "m", "a"], ["x", "n", "m", "a"]),
        ([], ["a", "b"], ["a", "b"]),
        (["a", "x"], ["a", "n", "m"], ["a", "n", "m", "x"]),
    ],
)
def test_options_are_ordered_as_declared_and_extras_stay(live, wanted, order):
    """Live extras stay where they are; a new option goes after its nearest declared predecessor."""
    assert merged_order(live, wanted) == order
    assert merged_order(order, wanted) == order


def test_options_merge_by_value():
    """What is live and not declared is kept with all it has, unless the list is exact."""
    live = {"a": {"label": "A", "hidden": True}, "x": {"label": "X"}}

    assert merged_options(live, {"a": {"label": "A"}}, exact=False) is None
    assert merged_options(live, {"a": {"label": "B", "hidden": False}}, exact=False) == {
        "a": {"label": "B"},
        "x": {"label": "X"},
    }
    assert merged_options(live, {"a": {"label": "A"}}, exact=True) == {"a": {"label": "A", "hidden": True}}


@pytest.mark.parametrize(
    ("name", "entry", "rules"),
    [
        ("cs_tier", FULL, []),
        ("Cs-Tier", FULL, ["property-name"]),
        ("x" * 101, FULL, ["property-name"]),
        ("hs_tier", FULL, ["property-reserved-prefix"]),
        ("a12_tier", FULL, ["property-reserved-prefix"]),
        ("hs_tier", {"label": "L"}, []),
        ("t", {"type": "string", "label": "L"}, ["property-incomplete"]),
        ("t", {**FULL, "fieldType": "select"}, ["property-type-pair"]),
        ("t", {**FULL, "type": "enumeration", "fieldType": "select"}, ["property-no-options"]),
        ("t", {**FULL, "type": "bool", "fieldType": "booleancheckbox"}, ["property-bool-options"]),
        ("t", {**FULL, "options": [{"value": "a", "label": "A"}]}, ["property-needless-options"]),
        ("t", {"options": [{"value": "a;b", "label": "A"}]}, ["option-value"]),
        ("t", {"options": [{"value": " a", "label": "A"}]}, ["option-value"]),
        ("t", {"options": [{"value": "a", "label": "A"}] * 2}, ["option-duplicate-value", "option-duplicate-label"]),
        ("t", {"options": ALIKE}, ["option-duplicate-value", "option-duplicate-label", "option-value", "option-value"]),
        ("t", {"options": [{"value": v, "label": "A"} for v in "ab"]}, ["option-duplicate-label"]),
        ("t", {**FULL, "currencyPropertyName": "c"}, ["property-currency"]),
        ("t", {**FULL, "calculationFormula": "a * 2"}, ["property-formula"]),
        ("t", {**FULL, "label": "L" * 125}, ["property-length"]),
        ("t", EXTERNAL, []),
        ("t", {**EXTERNAL, "options": [{"value": "a", "label": "A"}]}, ["property-external-options"]),
    ],
)
def test_what_hubspot_would_refuse_is_found_offline(name, entry, rules):
    """A definition is checked as HubSpot checks a create."""
    assert [finding.rule for finding in properties.check(declared(entry, name))] == rules


@pytest.mark.parametrize(
    ("field", "one", "other", "same"),
    [
        ("description", None, "", True),
        ("description", "a  b\n", "a b", True),
        ("description", "a", "b", False),
        ("hidden", False, None, True),
        ("displayOrder", -1, 7, True),
        ("displayOrder", 3, 7, False),
        ("numberDisplayHint", "formatted", None, True),
        ("dataSensitivity", "non_sensitive", None, True),
        ("calculationFormula", "a*2", "a * 2", True),
        ("calculationFormula", 'IF a EQUALS "Gold" THEN 1', "if a equals 'Gold' then 1", True),
        ("calculationFormula", "a equals 'Gold'", "a equals 'gold'", False),
        ("calculationFormula", "a equals 'two words'", "a equals 'twowords'", False),
    ],
)
def test_equivalent_spellings_are_the_same(field, one, other, same):
    """What means the same to HubSpot is no difference."""
    assert properties.same(field, one, other) is same


def test_a_live_definition_has_one_form():
    """Noise is dropped, defaults are filled in, and options become a mapping in display order."""
    raw = {
        "name": "t",
        "label": "T",
        "type": "enumeration",
        "fieldType": "select",
        "groupName": "g",
        "description": "",
        "options": [
            {"value": "b", "label": "B", "displayOrder": 1, "hidden": True, "description": ""},
            {"value": "a", "label": "A", "displayOrder": 0, "hidden": False},
        ],
        "updatedAt": "2026-01-01T00:00:00Z",
        "numberDisplayHint": "formatted",
    }

    assert properties.canonical(raw) == {
        "label": "T",
        "description": "",
        "groupName": "g",
        "type": "enumeration",
        "fieldType": "select",
        "displayOrder": -1,
        "hidden": False,
        "formField": False,
        "hasUniqueValue": False,
        "externalOptions": False,
        "options": {"a": {"label": "A"}, "b": {"label": "B", "hidden": True}},
    }
    assert list(properties.canonical(raw)["options"]) == ["a", "b"]


def test_another_formula_is_written(tmp_path, monkeypatch):
    """A property that has some formula already is not taken for having the declared one."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    settings = "version: 1\nportals: {demo: {emulator: portal.json}}\nwatch: [contacts]\n"
    Path("specs/reconciler.yaml").write_text(settings, "utf-8")
    for formula in ("mrr * 12", "mrr * 6"):
        Path("specs/spec.yaml").write_text(
            "propertyGroups: {contacts: {g: {label: G}}}\n"
            "properties:\n"
            "  contacts:\n"
            "    mrr: {label: M, type: number, fieldType: number, groupName: g}\n"
            "    arr: {label: A, type: number, fieldType: calculation_equation, groupName: g, "
            f"calculationFormula: {formula}}}\n",
            "utf-8",
        )
        assert run(["apply", "-q", "--auto-approve"]) == 0
        assert run(["plan", "-q", "--detailed-exitcode"]) == 0
        live = Portal.open("portal.json").definitions("0-1")["properties"]["arr"]["calculationFormula"]
        assert live.endswith(formula.rpartition(" ")[2])


def option(value):
    return {"value": value, "label": value, "displayOrder": 0, "hidden": False}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            {"name": "other", "options": [option("x")]},
            "HubSpot was asked for properties/contacts/tier and answered with",
        ),
        ({"options": [option("a"), option("b")]}, "HubSpot was asked for properties/contacts/tier and answered with"),
        ({"name": "tier"}, "HubSpot was asked for properties/contacts/tier and answered with"),
        ({"name": "tier", "options": None}, "HubSpot was asked for properties/contacts/tier and answered with"),
        ({"name": "tier", "options": []}, "properties/contacts/tier has no options any more"),
    ],
    ids=["of another name", "of no name", "without options", "null for options", "options that are all gone"],
)
def test_an_option_is_not_added_to_an_odd_list(answer, told):
    """The PATCH replaces the whole list by what was just read, so nothing is written where that cannot be right."""
    field = PlannedField("options/c", None, {"label": "C", "displayOrder": 2}, "added")
    change = Change("properties/contacts/tier", "update", fields=(field,), remote={"objectType": "contacts"})
    live = {"label": "Tier", "type": "enumeration", "fieldType": "select", "groupName": "g"}
    write = properties.write(change, Api("v3"))
    assert next(write).method == "GET"

    with pytest.raises(ReconcilerError, match=told):
        write.send(Answer(200, {**live, **answer}))


@pytest.mark.parametrize("named", ["currency", ""])
def test_a_currency_symbol_is_not_turned_off(named):
    """HubSpot refuses it for good once a currency property was named, were it with no name."""
    live = {"name": "cs_tier", **FULL, "type": "number", "fieldType": "number"}
    live |= {"showCurrencySymbol": True, "currencyPropertyName": named}
    observed = Resource("properties", "properties/contacts/cs_tier", properties.canonical(live), live)

    settled = properties.settle(declared({"showCurrencySymbol": False}), observed, Scope(), Reads())

    assert [(one.rule, one.address.rpartition("/")[2]) for one in settled.findings] == [
        ("immutable", "showCurrencySymbol")
    ]


@pytest.mark.parametrize(
    ("rights", "entry", "said"),
    [
        ({"readOnlyDefinition": True}, {"label": "L"}, "nothing of it can be declared"),
        ({"readOnlyDefinition": True, "readOnlyOptions": False}, {"label": "L"}, "only its options can be declared"),
        ({"readOnlyDefinition": False, "readOnlyOptions": True}, {"options": []}, "its options cannot be declared"),
        ({"readOnlyDefinition": False, "readOnlyOptions": True}, {"label": "L"}, ""),
    ],
)
def test_what_can_be_declared_of_a_definition_of_hubspots_is_told(rights, entry, said):
    """As far as it is locked; its group is set by hand."""
    raw = {"name": "cs_tier", **FULL, "hubspotDefined": True, "modificationMetadata": rights}
    observed = Resource("properties", "properties/contacts/cs_tier", properties.canonical(raw), raw)

    findings = properties.settle(declared(entry), observed, Scope(), Reads()).findings

    assert [one.message for one in findings] == ([f"HubSpot defines cs_tier, and {said}"] if said else [])


def test_a_group_that_no_spec_can_set_is_set_by_hand():
    """HubSpot's own pages can, where the API is not known to."""
    raw = {"name": "cs_tier", **FULL, "hubspotDefined": True, "modificationMetadata": {"readOnlyDefinition": True}}
    observed = Resource("properties", "properties/contacts/cs_tier", properties.canonical(raw), raw)

    (finding,) = properties.settle(declared({"groupName": "h"}), observed, Scope(), Reads()).findings

    assert finding.fix.endswith("; groupName can be set by hand in HubSpot")


@pytest.mark.parametrize(("live", "wanted", "rules"), [("enumeration", "bool", ["immutable"]), ("string", "bool", [])])
def test_an_enumeration_is_never_made_a_bool(live, wanted, rules):
    """HubSpot refuses it with a message that says nothing of the kind."""
    raw = {"name": "cs_tier", **FULL, "type": live}
    observed = Resource("properties", "properties/contacts/cs_tier", properties.canonical(raw), raw)
    entry = {**FULL, "type": wanted, "options": [{"value": value, "label": value} for value in ("true", "false")]}

    assert [one.rule for one in properties.settle(declared(entry), observed, Scope(), Reads()).findings] == rules
