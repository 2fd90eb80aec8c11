"""Integrations through the command line: who would break, why, and how CI can refuse it."""

import json
from pathlib import Path

import pytest

from reconciler import emulator, integrations, yaml_loader
from reconciler._accept import ACCEPTS
from reconciler.cli import run
from reconciler.integrations import PACKS, Integration, Rule, parse, verdicts
from reconciler.model import Resource, Source

STATE = ".reconciler/demo.json"
SETTINGS = f"version: 1\nportals: {{demo: {{emulator: {STATE}}}}}\nwatch: [contacts]\n"
GROUP = "propertyGroups: {contacts: {g: {label: G}}}\n"
SCORE = "score: {label: Score, type: %s, fieldType: %s, groupName: g%s}"
TIER = "tier: {label: Tier, type: enumeration, fieldType: select, groupName: g, options: %s%s}"
WAREHOUSE = "integrations: {warehouse: {requires: {properties: {contacts: {%s}}}}}\n"
ADDRESS = "properties/contacts/x"
PACK_FILES = Path(integrations.__file__).parent / "packs"


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")


def specs(*entries, extra=""):
    body = "properties:\n  contacts:\n" + "".join(f"    {entry}\n" for entry in entries) if entries else ""
    Path("specs/contacts.yaml").write_text(GROUP + body + extra, "utf-8")


def document(capsys, *argv):
    capsys.readouterr()
    code = run([*argv, "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def breaks(document, address, of="changes"):
    found = [one["breaks"] for one in document[of] if one["address"] == address]
    return [(one["integration"], one["why"]) for each in found for one in each]


def applied(*entries, extra=""):
    specs(*entries, extra=extra)
    assert run(["apply", "--auto-approve", "-q"]) == 0


def test_a_plan_names_the_integration_that_it_breaks(capsys):
    """A change of type under a requirement is breaking; without the change, or the requirement, nothing is."""
    needs = WAREHOUSE % "score: {type: number}"
    applied(SCORE % ("number", "number", ""), extra=needs)
    assert document(capsys, "plan", "--fail-on", "breaking")[0] == 0
    specs(SCORE % ("string", "text", ""), extra=needs)

    code, plan = document(capsys, "plan", "--fail-on", "breaking")

    assert code == 6
    assert plan["exit"] == {"code": 6, "name": "blocked", "failOn": "breaking"}
    assert breaks(plan, "properties/contacts/score") == [("warehouse", "it needs type number, and finds string")]
    assert document(capsys, "plan")[0] == 0
    specs(SCORE % ("string", "text", ""))
    assert breaks(document(capsys, "plan")[1], "properties/contacts/score") == []


def test_consumers_are_told_of_what_a_property_loses(capsys):
    """Whoever is named in meta.consumers is affected by a destructive change, and by no other."""
    consumers = ", meta: {consumers: [billing]}"
    applied(TIER % ("[{value: a, label: A}, {value: b, label: B}]", consumers))
    specs(TIER % ("[{value: a, label: Z}, {value: b, label: B}]", consumers))
    assert breaks(document(capsys, "plan")[1], "properties/contacts/tier") == []
    specs(TIER % ("{exact: true, values: [{value: a, label: A}]}", consumers))

    code, plan = document(capsys, "plan", "--fail-on", "breaking")

    assert code == 6
    assert breaks(plan, "properties/contacts/tier") == [
        ("billing", "it reads or writes the property, and its option b is gone")
    ]


@pytest.mark.parametrize(("level", "code"), [("safe", 6), ("caution", 0), ("destructive", 0), ("irreversible", 0)])
def test_a_plan_fails_on_a_severity_and_on_worse(capsys, level, code):
    """A create is safe, so only the lowest level refuses it."""
    specs(SCORE % ("number", "number", ""))

    assert document(capsys, "plan", "--fail-on", level)[0] == code


def test_validate_warns_where_specs_contradict_integrations(capsys):
    """Each contradiction stands at the line of its field, and is a warning."""
    needs = WAREHOUSE % "score: {type: number, unique: true}, old: {}"
    specs(SCORE % ("string", "text", ""), extra=needs + "removed: [{address: properties/contacts/old, reason: gone}]\n")

    code, found = document(capsys, "validate")

    assert code == 0
    assert [(one["message"], one["source"]["line"], one["severity"]) for one in found["findings"]] == [
        ("breaks warehouse: it needs unique values, and they are not", 4, "warning"),
        ("breaks warehouse: it needs type number, and finds string", 4, "warning"),
        ("breaks warehouse: it needs properties/contacts/old, which is listed under `removed:`", 5, "warning"),
    ]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (TIER % ("[{value: a, label: A}]", ""), "Brevo maps no dropdown fields"),
        (
            SCORE % ("number", "calculation_equation", ", calculationFormula: '1 + 1'"),
            "Brevo cannot map read-only fields",
        ),
        (SCORE % ("string", "phonenumber", ""), "Brevo takes phone numbers of 6 to 16 digits only"),
        (
            "sure: {label: Sure, type: bool, fieldType: booleancheckbox, groupName: g, options: "
            '[{value: "true", label: "Yes"}, {value: "false", label: "No"}]}',
            "Brevo maps no boolean fields",
        ),
    ],
)
@pytest.mark.parametrize("way", ["listed", "listed with needs", "consumer"])
def test_the_rules_of_a_pack_hold_for_what_it_maps(capsys, entry, why, way):
    """Listed under the integration or named by the notes of the property: the warning is the same."""
    name = entry.partition(":")[0]
    listed = {
        "listed": f"properties: {{contacts: [{name}]}}",
        "listed with needs": f"properties: {{contacts: {{{name}: {{}}}}}}",
    }
    if way == "consumer":
        entry = entry[:-1] + ", meta: {consumers: [mail]}}"
    more = f", {listed[way]}" if way in listed else ""
    specs(entry, extra=f"integrations: {{mail: {{pack: brevo{more}}}}}\n")

    code, found = document(capsys, "validate")

    assert code == 0
    assert [(one["rule"], one["message"]) for one in found["findings"]] == [
        ("integration-field-rule", f"cannot serve mail: {why}")
    ]


def test_a_pack_says_nothing_of_properties_that_it_does_not_map(capsys):
    """Without a mention no rule holds, and text can be mapped."""
    specs(TIER % ("[{value: a, label: A}]", ""), SCORE % ("string", "text", ", meta: {consumers: [mail]}"))
    Path("specs/systems.yaml").write_text("integrations: {mail: {pack: brevo}}\n", "utf-8")

    assert document(capsys, "validate")[1]["findings"] == []


def test_the_marketing_status_is_read_only(capsys):
    """Whoever writes it is warned."""
    specs("hs_marketable_status: {label: Marketing, meta: {consumers: [ads]}}")
    Path("specs/systems.yaml").write_text("integrations: {ads: {pack: marketing-contacts}}\n", "utf-8")

    messages = [one["message"] for one in document(capsys, "validate")[1]["findings"]]

    assert messages == ["cannot serve ads: hs_marketable_status is read only; an integration can read it, not write it"]


def test_a_formula_that_is_cleared_can_be_written(capsys):
    """A partial entry may say no more than that there is no formula; that it says no fieldType is no fault of it."""
    specs("score: {calculationFormula: ''}", extra=WAREHOUSE % "score: {writable: true}")

    code, found = document(capsys, "validate")

    assert (code, found["findings"]) == (0, [])


@pytest.mark.parametrize("part", ["requires: {properties: {%s: {x: {}}}}", "properties: {%s: [x]}"])
def test_an_object_type_has_one_name_in_integrations_too(capsys, part):
    """What is needed of `contact` would never meet a definition of `contacts`."""
    specs(extra="integrations:\n  erp: {%s}\n" % (part % "contact"))

    code, found = document(capsys, "validate")

    assert code == 3
    assert [(one["rule"], one["message"], one["fix"], one["source"]["line"]) for one in found["findings"]] == [
        ("object-type-name", "contact is written contacts here", "write contacts", 3)
    ]


def test_a_type_that_hubspot_does_not_have_is_never_met(capsys):
    """A slip of the pen is told where specs are checked, and not as a portal that breaks the integration."""
    wants = (
        "x: {type: numbr, fieldType: number}, y: {type: json, fieldType: calculation_score}, z: {fieldType: dropdown}"
    )
    specs(extra=WAREHOUSE % wants)

    code, found = document(capsys, "validate")

    assert code == 0
    assert [(one["rule"], one["message"], one["fix"], one["source"]["line"]) for one in found["findings"]] == [
        (
            "integration-type",
            "warehouse needs fieldType dropdown of properties/contacts/z, and HubSpot knows none such",
            "write one of booleancheckbox, calculation_equation, calculation_read_time, calculation_rollup, "
            "calculation_score, checkbox, date, file, html, number, phonenumber, radio, select, text, textarea",
            2,
        ),
        (
            "integration-type",
            "warehouse needs type numbr of properties/contacts/x, and HubSpot knows none such",
            "did you mean number?",
            2,
        ),
    ]


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("requires: {properties: {contacts: {nowhere: {}}}}", "properties/contacts/nowhere"),
        ("properties: {contacts: [nowhere]}", "properties/contacts/nowhere"),
    ],
)
def test_a_plan_warns_of_what_an_integration_names_and_nobody_has(capsys, entry, address):
    """Whether it is required or only read or written: it is a slip of the pen, or it is missing."""
    specs(extra=f"integrations:\n  erp: {{{entry}}}\n")

    code, plan = document(capsys, "plan")

    assert code == 0
    assert [(one["rule"], one["message"], one["address"]) for one in plan["findings"]] == [
        ("integration-unmet", f"erp needs {address}, and neither portal nor specs have it", address)
    ]


def test_one_integration_stands_in_one_place(capsys):
    """Two entries of a name would hide each other."""
    specs(extra=WAREHOUSE % "email: {}")
    Path("specs/more.yaml").write_text(WAREHOUSE % "phone: {}", "utf-8")

    code, found = document(capsys, "validate")

    assert code == 3
    assert [one["rule"] for one in found["findings"]] == ["declared-twice"]


def edit(name, **words):
    emulator.edit(emulator.Portal.open(Path(STATE)), name, **words)


def release(name, **words):
    emulator.release(emulator.Portal.open(Path(STATE)), name, **words)


def test_drift_says_what_a_colleague_broke(capsys):
    """Somebody archives a required property: the item is breaking, and only then does the check fail on it."""
    applied(SCORE % ("number", "number", ""), extra=WAREHOUSE % "score: {type: number}")
    assert run(["accept", "--all", "--reason", "start", "-q"]) == 0
    edit("relabel", object="contacts", property="score", label="Points")
    assert document(capsys, "drift", "--fail-on", "breaking")[0] == 0
    assert document(capsys, "drift")[0] == 2
    edit("archive", object="contacts", property="score")

    code, drift = document(capsys, "drift", "--fail-on", "breaking")

    assert code == 2
    assert drift["exit"] == {"code": 2, "name": "differences", "failOn": "breaking"}
    assert breaks(drift, "properties/contacts/score", "items") == [
        ("warehouse", "it needs the property, and it is gone")
    ]


def test_drift_says_what_hubspot_broke(capsys):
    """A release changes a type that an integration needs; it weighs one level more than for nobody."""
    specs(extra=WAREHOUSE % "hs_email_bounce: {type: number}, hs_latest_source: {options: [OFFLINE]}")
    assert run(["accept", "--all", "--reason", "start", "-q"]) == 0
    release("option-added")
    release("change", object="contacts", property="hs_email_bounce", fields={"type": "string"})

    code, drift = document(capsys, "drift")

    assert code == 2
    assert [
        (one["class"], one["severity"], len(one["breaks"])) for one in drift["items"] if "hs_email_b" in one["address"]
    ] == [("vendor.type-changed", "high", 1)]
    options = [one for one in drift["items"] if one["address"] == "properties/contacts/hs_latest_source"]
    assert [(one["class"], one["severity"], one["breaks"]) for one in options] == [
        ("vendor.options-changed", "high", [])
    ]


def test_a_stage_that_goes_breaks_who_needs_its_option(capsys):
    """Options of lifecyclestage mirror the stages, so the verdict stands at the stage."""
    specs(extra=WAREHOUSE % "lifecyclestage: {options: [evangelist]}")
    assert run(["accept", "--all", "--reason", "start", "-q"]) == 0
    edit("delete-stage", stage="evangelist")

    code, drift = document(capsys, "drift", "--fail-on", "breaking")

    assert code == 2
    assert [one["severity"] for one in drift["items"]] == ["medium"]
    assert breaks(drift, "lifecycleStages/evangelist", "items") == [
        ("warehouse", "it needs the option evangelist of contacts, and its stage is gone")
    ]


NEEDS = {
    "writable": ("writable: true", "it needs to write values, and they are read only"),
    "visible": ("hidden: false", "it needs the property to be visible, and it is hidden"),
}
FORMULA = ", calculationFormula: '1 + 1'"
WORSE = {
    "writable": SCORE % ("number", "calculation_equation", FORMULA),
    "visible": SCORE % ("number", "number", ", hidden: true"),
}


@pytest.mark.parametrize("need", NEEDS)
def test_who_needs_to_write_or_to_see(capsys, need):
    """Specs that contradict the need are warned of, and a plan that ends it is breaking: by name, and why."""
    wants, why = NEEDS[need]
    needs = WAREHOUSE % f"score: {{{wants}}}"
    applied(SCORE % ("number", "number", ""), extra=needs)
    assert document(capsys, "validate")[1]["findings"] == []
    specs(WORSE[need], extra=needs)

    code, found = document(capsys, "validate")
    assert [(one["rule"], one["message"]) for one in found["findings"]] == [
        ("integration-breaking", f"breaks warehouse: {why}")
    ]
    code, plan = document(capsys, "plan", "--fail-on", "breaking")
    assert (code, breaks(plan, "properties/contacts/score")) == (6, [("warehouse", why)])


@pytest.mark.parametrize("need", NEEDS)
def test_drift_says_who_cannot_write_or_see_any_more(capsys, need):
    """Of a custom property that a colleague changed, and of one of HubSpot's own; nobody else is told of."""
    wants, why = NEEDS[need]
    applied(SCORE % ("number", "number", ""), extra=WAREHOUSE % f"score: {{{wants}}}, phone: {{{wants}}}, fax: {{}}")
    fields = {"calculated": True, "calculationFormula": "1 + 1", "fieldType": "calculation_equation"}
    rights = {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": True}
    worse = {"writable": (fields, {"modificationMetadata": rights}), "visible": ({"hidden": True}, {"hidden": True})}
    edit("change", object="contacts", property="score", fields=worse[need][0])
    for name in ("phone", "fax"):
        release("change", object="contacts", property=name, fields=worse[need][1])

    code, drift = document(capsys, "drift", "--fail-on", "breaking")

    assert code == 2
    assert breaks(drift, "properties/contacts/score", "items") == [("warehouse", why)]
    assert breaks(drift, "properties/contacts/phone", "items") == [("warehouse", why)]
    assert breaks(drift, "properties/contacts/fax", "items") == []


def test_consumers_are_told_of_what_can_no_longer_be_written(capsys):
    """Whoever is named in meta.consumers reads or writes: a property that becomes read only breaks it."""
    consumers = ", meta: {consumers: [billing]}"
    applied(SCORE % ("number", "number", consumers))
    edit("change", object="contacts", property="score", fields={"calculated": True})
    why = "it reads or writes the property, and its values become read only"

    code, drift = document(capsys, "drift", "--fail-on", "breaking")

    assert (code, breaks(drift, "properties/contacts/score", "items")) == (2, [("billing", why)])
    edit("change", object="contacts", property="score", fields={"calculated": False})
    specs(SCORE % ("number", "calculation_equation", FORMULA + consumers))
    plan = document(capsys, "plan")[1]
    assert ("billing", why) in breaks(plan, "properties/contacts/score")


def test_consumers_are_told_of_a_removal_in_the_specs(capsys):
    """An option under `removed:` is warned of before any portal is asked."""
    tier = TIER % ("[{value: a, label: A}]", ", meta: {consumers: [billing]}")
    gone = "removed: [{address: properties/contacts/tier/options/b, reason: no longer sold}]\n"
    specs(tier, extra=gone)

    code, found = document(capsys, "validate")

    assert code == 0
    assert [(one["rule"], one["message"], one["severity"]) for one in found["findings"]] == [
        (
            "integration-breaking",
            "breaks billing: it needs properties/contacts/tier/options/b, which is listed under `removed:`",
            "warning",
        )
    ]


@pytest.mark.parametrize(("level", "code"), [("info", 2), ("low", 2), ("medium", 2), ("high", 0)])
def test_drift_fails_on_a_severity_and_on_worse(capsys, level, code):
    """A changed label of ours is medium."""
    applied(SCORE % ("number", "number", ""))
    edit("relabel", object="contacts", property="score", label="Points")

    assert document(capsys, "drift", "--fail-on", level)[0] == code


def live(attributes, **metadata):
    facts = {"modificationMetadata": {"readOnlyValue": False, **metadata}}
    whole = {"type": "string", "fieldType": "text", "hidden": False, "hasUniqueValue": True, "options": {}}
    return Resource("properties", ADDRESS, {**whole, **attributes}, facts)


@pytest.mark.parametrize(
    ("wants", "after", "why"),
    [
        ({}, None, "it needs the property, and it is gone"),
        ({"type": "string"}, live({"type": "number"}), "it needs type string, and finds number"),
        ({"fieldType": "text"}, live({"fieldType": "html"}), "it needs fieldType text, and finds html"),
        ({"options": ["a"]}, live({"options": {"b": {}}}), "it needs the option a, and it is gone"),
        ({"writable": True}, live({}, readOnlyValue=True), "it needs to write values, and they are read only"),
        ({"unique": True}, live({"hasUniqueValue": False}), "it needs unique values, and they are not"),
        ({"hidden": False}, live({"hidden": True}), "it needs the property to be visible, and it is hidden"),
        ({"type": "string", "writable": True, "unique": True, "hidden": False}, live({"label": "New"}), None),
    ],
)
def test_each_requirement_has_its_verdict(wants, after, why):
    """What a change makes worse is told; what was broken before it is not told again."""
    before = live({"options": {"a": {}}})
    warehouse = Integration("warehouse", {ADDRESS: wants})

    assert [one.why for one in verdicts([warehouse], None, before, after)] == ([why] if why else [])
    if after is not None:
        assert verdicts([warehouse], None, after, after) == ()


def test_a_field_that_becomes_read_only_breaks_who_maps_it():
    """A rule of a pack that newly holds is a breach; advice never is."""
    mail = Integration(
        "mail", {}, frozenset({ADDRESS}), (Rule({"writable": [False]}, "no"), Rule({"hidden": [True]}, "hm", True))
    )

    assert [one.why for one in verdicts([mail], None, live({}), live({"hidden": True}, readOnlyValue=True))] == ["no"]


@pytest.mark.parametrize("pack", PACKS)
def test_every_pack_is_sound_and_names_its_source(pack):
    """A pack holds requirements that the schema of specs accepts, and says where they come from."""
    content = yaml_loader.load((PACK_FILES / f"{pack}.yaml").read_bytes(), pack).value
    entry = {"requires": content["requires"]} if "requires" in content else {}

    assert "# Source" in (PACK_FILES / f"{pack}.yaml").read_text("utf-8")
    assert ACCEPTS["spec#"]({"integrations": {pack: {"pack": pack, **entry}}})
    assert all(rule["why"] and rule["when"] for rule in content["rules"])


def test_salesforce_needs_what_its_sync_maps_by_default():
    """The pack brings requirements without a word in the specs; own ones come on top."""
    section = {"crm": {"pack": "salesforce", "requires": {"properties": {"contacts": {"email": {"unique": True}}}}}}
    (crm,) = parse(section, lambda *path: Source("a.yaml", 1, 1))

    assert len(crm.requires) == 21
    assert crm.requires["properties/contacts/email"] == {"unique": True}
    assert crm.requires["properties/contacts/jobtitle"] == {"type": "string"}
