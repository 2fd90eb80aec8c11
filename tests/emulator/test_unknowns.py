"""What nobody has seen HubSpot do is played either way, by switches."""

import json

import pytest

from reconciler.emulator import Portal, edit
from reconciler.emulator.store import SWITCHES

PROPERTIES = "/crm/v3/properties/contacts"
GROUPS = f"{PROPERTIES}/groups"
STAGES = "/crm/v3/pipelines/contacts/contacts-lifecycle-pipeline/stages"
NOTE = {"name": "note", "label": "Note", "type": "string", "fieldType": "text", "groupName": "contactinformation"}


@pytest.mark.parametrize(
    ("switch", "position", "call", "usual", "other"),
    [
        ("upperCaseNames", "lower", ("POST", PROPERTIES, {**NOTE, "name": "Note_2"}), 400, 201),
        ("longestText", 3, ("POST", PROPERTIES, {**NOTE, "name": "other"}), 201, 400),
        ("longestText", 3, ("PATCH", f"{PROPERTIES}/note", {"description": "long"}), 200, 400),
        ("typeChange", "refuse", ("PATCH", f"{PROPERTIES}/note", {"type": "number", "fieldType": "number"}), 200, 400),
        ("groupCreateExisting", 400, ("POST", GROUPS, {"name": "contactinformation", "label": "A"}), 409, 400),
        ("defaultGroups", "locked", ("PATCH", f"{GROUPS}/contactinformation", {"label": "A"}), 200, 400),
        ("defaultStageDelete", False, ("DELETE", f"{STAGES}/evangelist", None), 204, 400),
        (
            "batchLimit",
            1,
            ("POST", f"{PROPERTIES}/batch/archive", {"inputs": [{"name": "a"}, {"name": "b"}]}),
            204,
            400,
        ),
    ],
)
def test_a_write_that_may_be_refused_or_not(connect, switch, position, call, usual, other):
    """A tool has to cope with both; what usually happens is what the package says is the default."""
    statuses = []
    for setting in ({}, {switch: position}):
        client = connect(Portal.seeded("empty"))
        client.post(PROPERTIES, json=NOTE)
        assert client.post("/_emulator/switches", json=setting).status_code == 200
        method, path, body = call
        statuses.append(client.request(method, path, json=body).status_code)

    assert statuses == [usual, other]


def test_a_name_with_capitals_may_become_a_small_one(client, portal):
    """The answer says which, and a second create of it is the one of a taken name."""
    portal.switches["upperCaseNames"] = "lower"

    assert client.post(PROPERTIES, json={**NOTE, "name": "Note"}).json()["name"] == "note"
    assert client.post(PROPERTIES, json={**NOTE, "name": "NOTE"}).status_code == 409


@pytest.mark.parametrize("moves", [False, True])
def test_a_patch_without_a_change_may_move_the_time(client, portal, moves):
    """Whether updatedAt moves when nothing else does."""
    portal.switches["noChangePatchMoves"] = moves
    before = client.post(PROPERTIES, json=NOTE).json()["updatedAt"]

    assert (client.patch(f"{PROPERTIES}/note", json={"label": "Note"}).json()["updatedAt"] != before) is moves


@pytest.mark.parametrize("moves", [False, True])
def test_a_users_edit_of_a_default_may_move_its_time(client, portal, moves):
    """Whether updatedAt moves, that is; a user id is never left."""
    portal.switches["defaultEditMoves"] = moves
    before = client.get(f"{PROPERTIES}/jobtitle").json()
    edit(portal, "relabel", object="contacts", property="jobtitle", label="Role")
    after = client.get(f"{PROPERTIES}/jobtitle").json()

    assert (after["updatedAt"] != before["updatedAt"]) is moves
    assert "updatedUserId" not in after


@pytest.mark.parametrize(("per_object", "status"), [(True, 201), (False, 400)])
def test_the_limit_of_properties_is_the_one_that_the_limits_show(client, portal, per_object, status):
    """A cheap account's bare total counts the properties of all objects, and so does its refusal."""
    portal.switches.update(propertyLimit=1, limitsPerObject=per_object)
    client.post("/crm/v3/properties/companies", json={**NOTE, "groupName": "companyinformation"})
    shown = client.get("/crm/v3/limits/custom-properties").json()

    assert (shown["overallUsage"], bool(shown["byObjectType"])) == (1, per_object)
    assert client.post(PROPERTIES, json=NOTE).status_code == status


def test_every_switch_is_told_of_with_its_default():
    """The package's docstring is the list of what is not known."""
    import reconciler.emulator as package

    rows = [line.split() for line in (package.__doc__ or "").splitlines()]
    told = {row[0]: row[1] for row in rows if len(row) > 2 and row[0] in SWITCHES}

    assert told == {name: json.dumps(value) for name, value in SWITCHES.items()}
