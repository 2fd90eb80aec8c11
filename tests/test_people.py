"""Names for user ids and audit trails, on the embedded portal: used where a scope opens them, missed nowhere."""

import json

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, edit

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
