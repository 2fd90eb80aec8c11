import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from reconciler.cli import run
from reconciler.emulator import Portal, edit, release
from reconciler.schema import document_schema

SETTINGS = """version: 1
portals: {demo: {emulator: .reconciler/demo.json}}
watch: [contacts]
protected: ["properties/contacts/tier"]
ignore:
  - {address: properties/contacts/size, reason: a trial, expires: 2999-12-31}
"""
SPEC = """properties:
  contacts:
    tier:
      label: Tier
      type: enumeration
      fieldType: select
      groupName: contactinformation
      options:
        - {value: free, label: Free}
        - {value: gold, label: Gold}
      meta: {owner: revops, consumers: [erp]}
    hs_lead_status:
      options:
        - {value: NEW, label: New}
lifecycleStages:
  - {name: trial, label: Trial}
integrations:
  warehouse:
    requires:
      properties:
        contacts:
          tier: {type: enumeration, options: [gold, black]}
          lifecyclestage: {options: [trial]}
"""
TIER = {"object": "contacts", "property": "tier"}


@pytest.fixture
def say(tmp_path, monkeypatch, capsys):
    """Runs a command in a directory whose spec is applied, and gives what it prints."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/reconciler.yaml").write_text(SETTINGS)
    (tmp_path / "specs/all.yaml").write_text(SPEC)

    def say(*words, code=0):
        capsys.readouterr()
        assert run(list(words)) == code, capsys.readouterr()
        out, err = capsys.readouterr()
        return out + err

    say("apply", "--auto-approve")
    return say


def portal():
    return Portal.open(".reconciler/demo.json")


def document(say, *words):
    """A document that its schema accepts."""
    found = json.loads(say(*words, "-o", "json"))
    assert [error.message for error in Draft7Validator(document_schema(found["kind"])).iter_errors(found)] == []
    return found


def fields(found):
    return {one["path"]: one for one in found["fields"]}


def test_the_sides_of_every_field_stand_beside_each_other(say):
    """What specs, portal and baseline say, where it is declared, whose it is, and what would become of it."""
    edit(portal(), "relabel", **TIER, label="Level")
    edit(portal(), "hide", **TIER)

    found = document(say, "explain", "properties/contacts/tier")

    label, hidden, gold = (fields(found)[path] for path in ("label", "hidden", "options/gold"))
    assert (label["declared"], label["live"], label["accepted"]) == ("Tier", "Level", "Tier")
    assert (label["source"]["line"], label["source"]["column"]) == (4, 7)
    assert (label["owned"], label["state"]) == ("declared", "revert_drift")
    assert (hidden["live"], hidden["owned"], hidden["state"]) == (True, "watched", "moved")
    assert "declared" not in hidden
    assert (gold["source"]["line"], gold["state"]) == (10, "as_it_is")
    assert (found["change"]["action"], found["change"]["reason"]) == ("update", "revert_drift")
    assert found["live"]["updated"]["user"] == "2002"
    (applied,) = found["baseline"].pop("acceptances")
    assert found["baseline"] == {"state": "present", "managed": True}
    assert (applied["address"], applied["action"]) == ("properties/contacts/tier", "create")


def test_what_was_accepted_is_told_since_it_is_there(say):
    """What an apply made was in no list that was read before; what it changed was."""
    said = {one: say("explain", one) for one in ("lifecycleStages/trial", "properties/contacts/hs_lead_status")}

    assert ": applied: create, plan sha256:" in said["lifecycleStages/trial"]
    assert "first read" not in said["lifecycleStages/trial"]
    assert ": applied: adopt, plan sha256:" in said["properties/contacts/hs_lead_status"]
    assert ": first read, with plan sha256:" in said["properties/contacts/hs_lead_status"]
    assert ": first read, with plan sha256:" in say("explain", "lifecycleStages/lead")


def test_what_is_not_there_yet_was_not_accepted_with_all_the_rest(say):
    """A consent to whole lists is one to what was in them."""
    say("accept", "--all", "--reason", "R")
    with open("specs/baselines/demo/acceptances.jsonl", "a") as stream:
        stream.write('{"at": "2026-11-26T23:19:03Z", "address": "*"}\n')  # as a first baseline is accepted
    with open("specs/all.yaml", "a") as stream:
        stream.write("propertyGroups: {contacts: {new: {label: New}}}\n")

    assert "Accepted" not in say("explain", "propertyGroups/contacts/new")
    assert "Accepted         2026-11-26 23:19 UTC\n" in say("explain", "propertyGroups/contacts/contactinformation")


def test_what_touches_it_is_named(say):
    """Protection, integrations with what they miss, and consumers that only the notes name."""
    found = document(say, "explain", "properties/contacts/tier")

    assert found["protected"] == ["properties/contacts/tier"]
    assert [(one["integration"], one["unmet"]) for one in found["integrations"]] == [
        ("warehouse", ["it needs the option black, and it is gone"]),
        ("erp", []),
    ]
    assert found["spec"]["meta"] == {"owner": "revops", "consumers": ["erp"]}


def test_of_a_default_only_what_is_declared_is_ours(say):
    """A partial entry owns its options; the label of HubSpot's is left, and who renamed it is said."""
    release(portal(), "change", object="contacts", property="hs_lead_status", fields={"label": "State"})

    found = document(say, "explain", "properties/contacts/hs_lead_status")

    assert found["spec"]["state"] == "partial"
    assert {path: one["owned"] for path, one in fields(found).items() if path in ("label", "options/NEW")} == {
        "options/NEW": "declared",
        "label": "left",
    }
    assert [(one["class"], one["actor"]["type"]) for one in found["drift"]] == [("vendor.relabelled", "hubspot")]
    assert found["change"] is None
    assert found["live"]["mayChange"] == ["options"]


def test_an_option_is_explained_alone(say):
    """Below a definition only what was asked for has a line, and only its own drift is told."""
    edit(portal(), "relabel", **TIER, label="Level")
    edit(portal(), "add-option", **TIER, value="team", label="Team")

    found = document(say, "explain", "properties/contacts/tier/options/team")

    assert list(fields(found)) == ["options/team"]
    assert [one["class"] for one in found["drift"]] == ["managed.option-added"]


def test_a_stage_stands_in_two_lists(say):
    """Both labels of a stage are shown, with the ids, and who needs the option that mirrors it."""
    found = document(say, "explain", "lifecycleStages/trial")

    assert [one["declared"] for path, one in fields(found).items() if path.endswith("/label")] == ["Trial", "Trial"]
    assert fields(found)["contacts/label"]["source"]["line"] == 16
    assert sorted(found["live"]["ids"]) == ["companies", "contacts"]
    assert [one["requires"] for one in found["integrations"]] == [{"options": ["trial"]}]


def test_a_stage_names_the_overlay_that_gives_its_label(say):
    """What a portal has otherwise stands in its overlay, and not in the shared list."""
    folder = Path("specs/overlays/demo")
    folder.mkdir(parents=True)
    (folder / "stages.yaml").write_text("lifecycleStages:\n  - {name: trial, label: Test}\n", "utf-8")

    label = fields(document(say, "explain", "lifecycleStages/trial"))["contacts/label"]

    assert (label["declared"], label["source"]["file"]) == ("Test", "specs/overlays/demo/stages.yaml")


def test_what_is_ignored_is_said_with_its_rule(say):
    """An ignored property is told apart from one that nobody speaks of."""
    made = {"name": "size", "label": "Size", "type": "number", "fieldType": "number", "groupName": "contactinformation"}
    edit(portal(), "create", object="contacts", definition=made)

    found = document(say, "explain", "properties/contacts/size")

    assert [(one["reason"], one["expires"], one["holds"]) for one in found["ignore"]] == [
        ("a trial", "2999-12-31", True)
    ]
    assert {one["owned"] for one in found["fields"]} == {"ignored"}
    assert found["drift"] == []
    assert "all of it, because a trial, until 2999-12-31" in say("explain", "properties/contacts/size")


def test_a_page_reads_well(say, monkeypatch):
    """The whole text of a definition that somebody changed."""
    monkeypatch.setenv("COLUMNS", "100")
    edit(portal(), "relabel", **TIER, label="Level")

    text = say("explain", "properties/contacts/tier")

    assert text.startswith(
        'property tier of contacts  "Level"\nproperties/contacts/tier\n\n'
        "In the specs     declared in full at specs/all.yaml:3:5 (owner revops; consumers erp)\n"
        "In HubSpot       made in this portal; made "
    )
    assert (
        "  ~ label        somebody changed it in HubSpot; apply would put it back\n"
        '                 specs     "Tier"  specs/all.yaml:4:7\n'
        '                 HubSpot   "Level"\n'
        '                 accepted  "Tier"\n'
        '  = type         "enumeration"  specs/all.yaml:5:7\n'
    ) in text
    assert "    put it back:            reconciler apply --only properties/contacts/tier\n" in text
    assert text.index("Fields") < text.index("Changed since it was accepted") < text.index("What a plan would do")
    assert '| ~ | `label` | `"Tier"` | `"Level"` | `"Tier"` | `specs/all.yaml:4:7` |' in say(
        "explain", "properties/contacts/tier", "-o", "markdown"
    )


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("properties/contacts/teir", "did you mean properties/contacts/tier?"),
        ("tier", "did you mean properties/contacts/tier? One address at a time"),
        ("properties/contacts/t*r", "did you mean properties/contacts/tier? One address at a time"),
        ("properties/contacts", "properties/contacts/address, properties/contacts/annualrevenue"),
        ("nothing", "an address is the path of an entry in the YAML"),
        ("properties/contacts/tier/options/glod", "did you mean properties/contacts/tier/options/gold?"),
        ("properties/contacts/tier/lable", "nothing in properties/contacts/tier is called lable"),
    ],
)
def test_an_address_of_nothing_is_told_what_may_be_meant(say, address, hint):
    """A misspelt address, a bare name and a pattern end with 3 and the nearest address."""
    assert hint in say("explain", address, code=3)


@pytest.mark.parametrize(
    ("address", "line"),
    [
        (
            "properties/contacts/tier/description",
            '  · description  ""  not in the specs; plan leaves it, drift watches it\n',
        ),
        ("properties/contacts/tier/options/gold/label", '  = option gold  "Gold"  specs/all.yaml:10:11\n'),
        ("lifecycleStages/trial/label", '  = label in companies  "Trial"  specs/all.yaml:16:19\n'),
    ],
)
def test_a_field_is_explained_alone(say, address, line):
    """Also one that is not set, one in an option, and one of a stage, which has it in two lists."""
    assert line in say("explain", address)


def test_what_is_gone_is_told_as_it_was_accepted(say):
    """Its fields are no null: nobody declares it, and HubSpot has it no more."""
    edit(portal(), "archive", object="contacts", property="tier")
    Path("specs/all.yaml").write_text("removed:\n  - {address: properties/contacts/tier, reason: gone}\n")

    text = say("explain", "properties/contacts/tier")

    assert '  · label            "Tier"  as it was accepted\n' in text
    assert "null" not in text


def test_whose_it_is_fits_its_kind(say):
    """No group has a group, and nobody in the portal made the stages that HubSpot begins with."""
    group, stage = (
        next(line for line in say("explain", one).splitlines() if line.startswith("In HubSpot"))
        for one in ("propertyGroups/contacts/contactinformation", "lifecycleStages/lead")
    )
    assert group == "In HubSpot       HubSpot's own, the same in every portal"
    assert stage.startswith("In HubSpot       one of the stages that HubSpot begins a lifecycle with; ")


def test_a_recorded_read_is_explained(say):
    """Without token and network, and with what was not read called unknown."""
    say("snapshot", "read.json")
    edit(portal(), "relabel", **TIER, label="Later")

    found = document(say, "explain", "properties/contacts/tier", "--from-snapshot", "read.json")

    assert fields(found)["label"]["live"] == "Tier"
    read = json.loads(Path("read.json").read_text())
    read["responses"] = {path: body for path, body in read["responses"].items() if "pipelines" in path}
    Path("less.json").write_text(json.dumps(read))
    text = say("explain", "properties/contacts/tier", "--from-snapshot", "less.json", code=4)
    assert "In HubSpot       unknown: not in the recorded read" in text


def test_what_could_not_be_read_is_not_called_a_slip_of_the_pen(say, capsys):
    """HubSpot may have the option, the definition and the fields, and was not asked."""
    Path("less.json").write_text('{"formatVersion": "1.0", "responses": {}}', "utf-8")

    text = say("explain", "properties/contacts/tier/options/new", "--from-snapshot", "less.json", code=4)
    assert "In HubSpot       unknown: not in the recorded read" in text
    assert "not in HubSpot" not in say("explain", "properties/contacts/tier", "--from-snapshot", "less.json", code=4)
    capsys.readouterr()
    assert run(["explain", "properties/contacts/other", "--from-snapshot", "less.json"]) == 4
    told = capsys.readouterr().err
    assert "properties/contacts could not be read, so nothing is known of properties/contacts/other" in told


# --- coverage --------------------------------------------------------------------------------------------------------


def test_coverage_needs_no_baseline(say, tmp_path):
    """How much of what a portal made is declared, ignored and left, by object type, and how much room there is."""
    made = {"label": "Size", "type": "number", "fieldType": "number", "groupName": "contactinformation"}
    for name in ("size", "weight", "height"):
        edit(portal(), "create", object="contacts", definition={**made, "name": name})
    for path in (tmp_path / "specs/baselines/demo").iterdir():
        path.unlink()

    found = document(say, "coverage")["coverage"]

    assert found["objectTypes"][0] == {
        "objectType": "contacts",
        "declared": 1,
        "ignored": 1,
        "unmanaged": 2,
        "hubspotDefined": found["objectTypes"][0]["hubspotDefined"],
    }
    assert found["managed"] == 3
    assert {"name": "custom properties of contacts", "used": 4, "limit": 1000} in found["limits"]
    text = say("coverage")
    assert "contacts                   1        1          2   25 %" in text
    assert "custom properties of contacts     4   1,000  < 1 %" in text


def test_what_left_the_specs_is_not_covered(say):
    """An entry that was taken out is declared no more, also before an apply has forgotten it."""
    Path("specs/all.yaml").write_text("lifecycleStages:\n  - {name: trial, label: Trial}\n")

    (contacts, stages) = document(say, "coverage")["coverage"]["objectTypes"]

    assert (contacts["declared"], contacts["unmanaged"], stages["declared"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("gone", "row"),
    [
        (("/crm/v3/properties/contacts",), "contacts                   ?        ?          ?      ?            14+"),
        (
            ("/crm/v3/properties/contacts", "/crm/v3/properties/contacts/groups"),
            "contacts                   ?        ?          ?      ?              ?",
        ),
        (("/crm/v3/properties/contacts/groups",), "contacts                  1+        ?          ?      ?"),
    ],
)
def test_a_list_that_could_not_be_read_is_not_counted_as_empty(say, gone, row):
    """Its row stays, says which lists are missing, and has no share; what both lists have is marked as a part."""
    say("snapshot", "read.json")
    read = json.loads(Path("read.json").read_text())
    for path in gone:
        del read["responses"][path]
    Path("read.json").write_text(json.dumps(read))

    contacts = document(say, "coverage", "--from-snapshot", "read.json")["coverage"]["objectTypes"][0]
    assert len(contacts["unread"]) == len(gone)
    text = say("coverage", "--from-snapshot", "read.json")
    assert row in text
    assert "lifecycle stages           1        0          0  100 %              8" in text


def test_drift_asks_for_limits_only_when_it_should(say):
    """A drift check costs no request more for its coverage; with --limits it tells of the room as well."""
    plain, asked = document(say, "drift"), document(say, "drift", "--limits")

    assert "limits" not in plain["coverage"]
    assert asked["coverage"]["limits"]
    assert "Coverage: 2 of 2 custom definitions are declared (contacts 1 of 1, lifecycle stages 1 of 1)." in " ".join(
        say("drift").split()
    )


def test_a_recorded_read_has_no_limits(say):
    """What is not in the file is not told."""
    say("snapshot", "read.json")

    assert "limits" not in document(say, "coverage", "--from-snapshot", "read.json")["coverage"]


def test_the_limits_that_drift_asks_for_are_shown(say):
    """`drift --limits` shows the table of `coverage`, on screen and in a comment; without it there is none."""
    (line,) = [one for one in say("coverage").splitlines() if one.startswith("custom properties of contacts")]

    assert line in say("drift", "--limits").splitlines()
    assert "| Limits of HubSpot | used | limit | share |" in say("drift", "--limits", "-o", "markdown")
    assert "Limits of HubSpot" not in say("drift")


def test_a_coverage_that_no_spec_was_read_for_says_so(say):
    """While nothing moved drift reads no specs, and tells whose word its count is."""
    told = "No spec was read: this is as the last apply or import left it."
    assert told in " ".join(say("drift").split())
    assert document(say, "drift")["coverage"]["by"] == "baseline"

    edit(portal(), "create-group", object="contacts", group="own", label="Own")

    assert told not in " ".join(say("drift", code=2).split())
    assert json.loads(say("drift", "-o", "json", code=2))["coverage"]["by"] == "specs"
