"""Names for user ids and audit trails, on the embedded portal: used where a scope opens them, missed nowhere."""

import json
from pathlib import Path
from shutil import rmtree

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, edit, release

SETTINGS = "version: 1\nportals:\n  demo: {emulator: .reconciler/demo.json}\nwatch: [contacts]\n"
OWNED = {"name": "tier", "label": "Tier", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
READS = ["oauth", "crm.objects.contacts.read", "crm.schemas.contacts.read", "crm.schemas.companies.read"]


@pytest.fixture
def portal(tmp_path, monkeypatch):
    """A portal with a property of its own and a baseline."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "reconciler.yaml").write_text(SETTINGS)
    portal = Portal.open(".reconciler/demo.json")
    (tmp_path / ".reconciler").mkdir()
    edit(portal, "create", object="contacts", definition=OWNED)
    assert run(["-q", "accept", "--all", "--reason", "start"]) == 0
    return portal


def scoped(portal, *more):
    """Gives the key of the embedded portal these scopes and no others."""
    portal.state["tokens"]["embedded"] = {"scopes": [*READS, *more]}
    portal.written()


def checked(capsys):
    capsys.readouterr()
    assert run(["-q", "drift", "-o", "json"]) == 2
    document = json.loads(capsys.readouterr().out)
    return [one["actor"] for one in document["items"]], [one["rule"] for one in document["findings"]]


def test_a_user_id_becomes_a_name(portal, capsys):
    """By the owners, else by the users; a key that may read neither is told so, and gets the rest."""
    edit(portal, "relabel", object="contacts", property="tier", label="Level")

    for scope, name, notes in (
        ("crm.objects.owners.read", "Dana Reed", []),
        ("settings.users.read", "Dana Reed", []),
        ("oauth", None, ["actor-names"]),
    ):
        scoped(portal, scope)
        actors, findings = checked(capsys)
        assert [(one["type"], one["id"], one.get("name")) for one in actors] == [("user", "2002", name)]
        assert findings == notes


def test_the_user_of_our_own_key_is_told_as_us(portal, capsys):
    """What an apply from another machine wrote has no receipt here, but carries the user that HubSpot has for us."""
    edit(portal, "relabel", object="contacts", property="tier", label="Level", user="1001")
    ((ours,), _) = checked(capsys)
    portal.state["tokens"]["embedded"] = {"scopes": READS, "userId": 3003}
    portal.written()
    ((anothers,), _) = checked(capsys)

    assert (ours["type"], ours["id"], ours["confidence"]) == ("tool", "1001", "likely")
    assert ours["evidence"] == (
        "the user of our own key edited it last; updatedAt moved: an apply from another machine, or that person"
    )
    assert (anothers["type"], anothers["id"]) == ("user", "1001")


def test_the_audit_of_the_lifecycle_names_who_renamed_a_stage(portal, capsys):
    """The stages share one time and carry no user; their audit does."""
    edit(portal, "rename-stage", stage="lead", label="Prospect")

    actors, _ = checked(capsys)

    assert [(one["type"], one["confidence"], one["name"]) for one in actors] == [("user", "certain", "Dana Reed")]


@pytest.fixture
def enterprise(portal):
    """An account whose audit log holds what users did to definitions, and a key that may read it."""
    portal.switches["auditLog"] = True
    scoped(portal, "account-info.security.read")
    return portal


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hide", {"property": "fax"}),
        ("add-option", {"property": "hs_lead_status", "value": "MINE"}),
        ("relabel", {"property": "phone", "label": "Telephone"}),
        ("archive", {"property": "tier"}),
        ("create-group", {"group": "ours", "label": "Ours"}),
        ("relabel-group", {"group": "contactinformation", "label": "About"}),
    ],
)
def test_the_audit_log_names_who_did_what_leaves_no_trace(enterprise, capsys, name, words):
    """HubSpot's definitions tell no author of these; the log of an Enterprise account does, and for certain."""
    edit(enterprise, name, object="contacts", **words)

    actors, _ = checked(capsys)

    assert {(one["type"], one["confidence"], one["name"]) for one in actors} == {
        ("user", "certain", "dana.reed@example.com")
    }


def test_the_audit_log_tells_no_user_of_what_hubspot_did(enterprise, capsys):
    """A release is nobody's action, also where a user did something to another definition."""
    edit(enterprise, "hide", object="contacts", property="fax")
    release(enterprise, "discontinued")

    actors, _ = checked(capsys)

    assert sorted((one["type"], one["id"]) for one in actors) == [("hubspot", None), ("user", "2002")]


def test_a_name_that_two_object_types_have_is_not_certain(enterprise, capsys):
    """The log tells the name of a definition and not whose it is, as far as anybody knows."""
    scoped(enterprise, "account-info.security.read", "crm.objects.companies.read")
    with open("specs/reconciler.yaml", "w") as stream:
        stream.write(SETTINGS.replace("[contacts]", "[contacts, companies]"))
    assert run(["-q", "accept", "--all", "--reason", "companies too"]) == 0
    for object_type in ("contacts", "companies"):
        edit(enterprise, "hide", object=object_type, property="phone")

    actors, _ = checked(capsys)

    assert [one["confidence"] for one in actors] == ["likely", "likely"]


def test_our_own_writes_are_in_the_log_too(enterprise, capsys):
    """An apply that archived something from another machine left neither a receipt nor a definition, but a line."""
    stone = "removed: [{address: properties/contacts/tier, reason: gone}]\n"
    with open("specs/gone.yaml", "w") as stream:
        stream.write(stone)
    before = Path("specs/baselines/demo/properties.contacts.json").read_bytes()
    scoped(enterprise, "account-info.security.read", "crm.schemas.contacts.write")
    assert run(["-q", "apply", "--auto-approve", "--allow", "properties/contacts/tier"]) == 0
    Path("specs/baselines/demo/properties.contacts.json").write_bytes(before)
    Path("specs/gone.yaml").unlink()
    rmtree(".reconciler/receipts")

    ((actor,), _) = checked(capsys)

    assert (actor["type"], actor["id"], actor["confidence"]) == ("tool", "1001", "likely")
    assert actor["evidence"].startswith("the audit trail says that the user of our own key did it")


def test_the_audit_log_names_who_hid_a_default(portal, capsys):
    """Where an Enterprise account logs edits of definitions, the log says what HubSpot's definitions do not."""
    edit(portal, "hide", object="contacts", property="fax")
    entry = {"id": "1", "category": "PROPERTY", "action": "UPDATE", "targetObjectId": "fax"}
    acting = {"userId": 2002, "userEmail": "dana.reed@example.com"}
    portal.state["audit"].append({**entry, "actingUser": acting, "occurredAt": portal.now()})
    scoped(portal, "account-info.security.read")

    actors, _ = checked(capsys)

    assert [(one["type"], one["confidence"], one["name"]) for one in actors] == [
        ("user", "certain", "dana.reed@example.com")
    ]


def test_explain_names_people_as_drift_does(portal, capsys):
    """Who changed it and who made it, by name where the key may read names, else with the same note and their ids."""
    words = ["-q", "explain", "properties/contacts/tier"]
    scoped(portal, "crm.objects.owners.read")
    capsys.readouterr()
    assert run(words) == 0
    assert "by Dana Reed" in capsys.readouterr().out  # who made it
    edit(portal, "relabel", object="contacts", property="tier", label="Level")

    assert run(words) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Dana Reed, 20" in told
    assert "confidence likely: user 2002 edited it last; updatedAt moved" in told

    scoped(portal)
    assert run(words) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "by user 2002" in told
    assert "names of users could not be read: HubSpot answered 403 for owners and users" in told
    assert "fix: to see names, give the key the scope crm.objects.owners.read" in told
