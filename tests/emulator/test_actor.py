import json

import pytest

from reconciler.emulator import Portal, actor
from reconciler.emulator.errors import ApiError

MOVED = {
    "deprecated": True,
    "discontinued": True,
    "product-rename": False,
    "type-changed": True,
    "field-type-changed": True,
    "option-added": True,
    "option-removed": True,
    "option-relabelled": True,
    "options-reordered": True,
    "flags-changed": False,
    "group-appears": False,
    "formula-repointed": True,
}
TIMES = ("createdAt", "updatedAt")
TIER = {
    "name": "cs_tier",
    "label": "Tier",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "contactinformation",
    "options": [
        {"label": "Gold", "value": "gold", "displayOrder": 0, "hidden": False},
        {"label": "Free", "value": "free", "displayOrder": 1, "hidden": False},
    ],
}
PROPERTIES = "/crm/v3/properties/contacts"


@pytest.fixture
def portal(clock):
    return Portal.seeded("default", clock=clock)


def contacts(client):
    return {one["name"]: one for one in client.get(PROPERTIES).json()["results"]}


def fields_changed(before, after):
    """What differs between two lists, by property, times apart."""
    return {
        name: {key for key in {*before[name], *after[name]} - {*TIMES} if before[name].get(key) != after[name].get(key)}
        for name in before.keys() & after.keys()
        if {**before[name], "updatedAt": 0} != {**after[name], "updatedAt": 0}
    }


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("deprecated", {"hs_feedback_last_nps_rating": {"label", "description"}}),
        ("discontinued", {"currentlyinworkflow": {"label"}}),
        ("product-rename", {"hs_all_assigned_business_unit_ids": {"label"}}),
        (
            "type-changed",
            {
                "hs_searchable_calculated_international_phone_number": {"type"},
                "hs_searchable_calculated_international_mobile_number": {"type"},
            },
        ),
        ("field-type-changed", {"num_associated_deals": {"fieldType"}}),
        ("option-added", {"hs_analytics_source": {"options"}, "hs_latest_source": {"options"}}),
        ("option-removed", {"hs_emailconfirmationstatus": {"options"}}),
        ("option-relabelled", {"hs_language": {"options"}}),
        ("options-reordered", {"hs_email_quarantined_reason": {"options"}}),
        (
            "flags-changed",
            {
                "email": {"hasUniqueValue"},
                "hs_additional_emails": {"hasUniqueValue", "calculated", "modificationMetadata"},
            },
        ),
        ("group-appears", {"hs_last_sales_activity_type": {"groupName"}}),
        (
            "formula-repointed",
            {
                f"hs_time_to_move_from_{stage}_to_customer": {"calculationFormula"}
                for stage in ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity")
            },
        ),
    ],
)
def test_a_release_changes_just_this(client, portal, name, changes):
    """Each release changes the fields it is about, moves updatedAt or not as was seen, and never names a user."""
    before = contacts(client)
    touched = actor.release(portal, name)
    after = contacts(client)

    assert fields_changed(before, after) == changes
    assert {f"properties/contacts/{one}" for one in changes} <= {*touched}
    for one in changes:
        assert (after[one]["updatedAt"] > before[one]["updatedAt"]) is MOVED[name]
        assert "updatedUserId" not in after[one]
    assert actor.release(portal, name) == []


@pytest.mark.parametrize(
    ("name", "added", "old"),
    [
        ("property-added", {"hs_reddit_ad_clicked", "hs_chatgpt_ad_clicked"}, False),
        ("deprecated", {"hs_feedback_last_nps_rating_number"}, False),
        ("new-family", {f"hs_geohash_{number}" for number in range(1, 7)}, False),
        ("feature-enabled", {"hs_gps_error", "hs_gps_latitude", "hs_gps_longitude"}, True),
    ],
)
def test_a_release_adds_properties(client, portal, name, added, old):
    """New definitions are dated now; those of a feature that is switched on are dated when HubSpot made them."""
    before = contacts(client)
    actor.release(portal, name)
    after = contacts(client)

    assert after.keys() - before.keys() == added
    for one in added:
        assert after[one]["hubspotDefined"] is True
        assert "archived" not in after[one]
        if name != "deprecated":
            assert (after[one]["createdAt"] < "2026") is old


def test_removed_properties_are_gone_and_not_archived(client, portal):
    """HubSpot's removals leave nothing on the archived side."""
    before = contacts(client)
    actor.release(portal, "properties-removed")

    assert len(before.keys() - contacts(client).keys()) == 8
    assert client.get(f"{PROPERTIES}?archived=true").json() == {"results": []}


def test_a_mass_touch_shows_nothing_but_time(client, portal):
    """All dated defaults get one and the same updatedAt; the undated stay undated."""
    before = contacts(client)
    actor.release(portal, "mass-touch")
    after = contacts(client)
    stored = [one for name, one in after.items() if not name.startswith("hs_v2_")]

    assert fields_changed(before, after) == {}
    assert len({one["updatedAt"] for one in stored if "updatedAt" in one}) == 1
    assert len([one for one in stored if "updatedAt" not in one]) == 15


def test_a_new_key_on_every_number_moves_no_time(client, portal):
    """The API starts to send a key, on a portal's own properties too."""
    client.post(PROPERTIES, json={**TIER, "name": "cs_score", "type": "number", "fieldType": "number", "options": []})
    before = contacts(client)
    actor.release(portal, "number-display-hint")
    after = contacts(client)

    assert after["cs_score"] == before["cs_score"] | {"numberDisplayHint": "formatted"}
    assert {"numberDisplayHint"} == set().union(*fields_changed(before, after).values())


def test_releases_of_ones_own(client, portal):
    """Any change, addition or removal of a default can be played, with or without a moved time."""
    quiet = {"object": "contacts", "property": "fax", "fields": {"label": "Facsimile"}, "moves": False}
    client.post("/_emulator/release", json={"name": "change", **quiet})
    new = {"name": "hs_tele_pathy", "label": "Telepathy", "createdAt": "2020-01-01T00:00:00Z"}
    client.post("/_emulator/release", json={"name": "add", "object": "contacts", "definition": new})
    client.post("/_emulator/release", json={"name": "remove", "object": "contacts", "property": "zip"})
    after = contacts(client)

    assert (after["fax"]["label"], after["fax"]["updatedAt"]) == ("Facsimile", "2024-09-12T14:17:47.216Z")
    assert after["hs_tele_pathy"]["createdAt"] == "2020-01-01T00:00:00Z"
    assert "zip" not in after


def edited(client, **words):
    answer = client.post("/_emulator/edit", json={"object": "contacts", "property": "cs_tier", **words})
    assert answer.status_code == 200, answer.text
    return contacts(client)


def test_a_colleague_edits_a_custom_property(client):
    """Each edit moves updatedAt and names the colleague."""
    made = client.post(PROPERTIES, json=TIER).json()
    after = edited(client, name="relabel", label="Plan")["cs_tier"]
    assert (after["label"], after["updatedUserId"], after["createdUserId"]) == ("Plan", "2002", "1001")
    assert after["updatedAt"] > made["updatedAt"]

    after = edited(client, name="add-option", value="silver", label="Silver", at=1, user="3003")["cs_tier"]
    assert [option["value"] for option in after["options"]] == ["gold", "silver", "free"]
    assert after["updatedUserId"] == "3003"
    after = edited(client, name="reorder-options", values=["free", "gold"])["cs_tier"]
    assert [option["value"] for option in after["options"]] == ["free", "gold", "silver"]
    after = edited(client, name="remove-option", value="gold")["cs_tier"]
    after = edited(client, name="relabel-option", value="free", label="Free of charge")["cs_tier"]
    assert [(option["label"], option["displayOrder"]) for option in after["options"]] == [
        ("Free of charge", 0),
        ("Silver", 1),
    ]


def test_a_colleague_creates_archives_and_deletes(client, portal):
    """What is archived can be restored as it was; what is purged is on no list."""
    actor.edit(portal, "create", object="contacts", definition=TIER)
    assert contacts(client)["cs_tier"]["createdUserId"] == "2002"
    assert "cs_tier" not in edited(client, name="archive")
    assert edited(client, name="restore")["cs_tier"]["archived"] is False
    assert "cs_tier" not in edited(client, name="purge")
    assert client.get(f"{PROPERTIES}?archived=true").json() == {"results": []}


@pytest.mark.parametrize(
    ("words", "property_name", "field"),
    [
        ({"name": "move", "group": "our_group"}, "createdate", "groupName"),
        ({"name": "hide"}, "fax", "hidden"),
        ({"name": "add-option", "value": "NURTURE", "label": "Nurture"}, "hs_lead_status", "options"),
    ],
)
def test_edits_of_defaults_leave_no_trace(client, words, property_name, field):
    """Group, visibility and open options of a default change without time or user."""
    before = contacts(client)
    after = edited(client, property=property_name, **words)

    assert fields_changed(before, after) == {property_name: {field}}
    assert after[property_name]["updatedAt"] == before[property_name]["updatedAt"]
    assert "updatedUserId" not in after[property_name]


def test_a_property_in_a_workflow_cannot_be_archived(client):
    """An edit puts a property to use."""
    client.post(PROPERTIES, json=TIER)
    edited(client, name="use", by="Nightly sync")

    assert client.delete(f"{PROPERTIES}/cs_tier").json()["errors"][0]["context"]["parentName"] == ["Nightly sync"]


def stages(client, object_type):
    pipeline = client.get(f"/crm/v3/pipelines/{object_type}").json()["results"][0]
    return [one["id"] for one in sorted(pipeline["stages"], key=lambda one: one["displayOrder"])]


@pytest.mark.parametrize("mirror", ["both", "contacts_to_companies", "none"])
def test_a_colleague_changes_the_lifecycle(client, portal, mirror):
    """Stages are added, renamed, moved and deleted for contacts and companies alike, and the property follows."""
    portal.switches["lifecycleMirror"] = mirror
    actor.edit(portal, "add-stage", label="Trial", at=2, stage="777")
    actor.edit(portal, "rename-stage", stage="lead", label="Leads")
    actor.edit(portal, "move-stage", stage="777", at=0)
    actor.edit(portal, "delete-stage", stage="evangelist")
    after = contacts(client)

    assert stages(client, "contacts") == stages(client, "companies")
    assert stages(client, "contacts")[:3] == ["777", "subscriber", "lead"]
    assert [option["label"] for option in after["lifecyclestage"]["options"]][:3] == ["Trial", "Subscriber", "Leads"]
    assert after["hs_v2_date_entered_lead"]["label"] == 'Date entered "Leads (Lifecycle Stage Pipeline)"'
    assert "hs_v2_date_entered_777" in after
    assert "hs_v2_date_entered_evangelist" not in after


def test_a_colleague_changes_groups_and_labels(client, portal):
    """Groups and association labels can be edited past the API too."""
    actor.edit(portal, "create-group", object="contacts", group="mine", label="Mine")
    actor.edit(portal, "relabel-group", object="contacts", group="mine", label="Ours")
    assert client.get(f"{PROPERTIES}/groups/mine").json()["label"] == "Ours"
    actor.edit(portal, "delete-group", object="contacts", group="mine")
    assert client.get(f"{PROPERTIES}/groups/mine").status_code == 404

    labels = "/crm/v4/associations/contacts/companies/labels"
    client.post(labels, json={"name": "billing", "label": "Billing", "inverseLabel": "Billed by"})
    words = {"start": "contacts", "end": "companies"}
    actor.edit(portal, "rename-label", label="Billing", text="Invoices", inverse="Invoiced by", **words)
    assert "Invoices" in [one["label"] for one in client.get(labels).json()["results"]]
    actor.edit(portal, "delete-label", label="Invoices", **words)
    assert "Invoices" not in [one["label"] for one in client.get(labels).json()["results"]]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("records", {}, "the body names no 'records', or one that is not there"),
        ("records", {"objectType": "contacts", "records": [{"email": "a@b.c"}]}, "the body names no 'properties'"),
        ("records", {"objectType": "contacts", "records": [7]}, "a value of the body is not of the kind it takes"),
        ("records", {"objectType": 7, "records": []}, "a value of the body is not of the kind it takes"),
        ("edit", {"name": ["relabel"]}, "a value of the body is not of the kind it takes"),
        ("edit", {"name": "hide", "object": 7, "property": "email"}, "a value of the body is not of the kind it takes"),
        ("edit", {"name": "restore", "object": "contacts", "property": "x"}, "the body names no 'x', or one that is"),
        (
            "edit",
            {"name": "rename-stage", "stage": "lead", "label": "A", "user": "dana"},
            "a user is the number of one",
        ),
        ("edit", {"name": "add-stage", "label": "T", "at": "first"}, "a value of the body is not of the kind it takes"),
        ("edit", {"name": "create-group", "object": "contacts", "group": " ", "label": "A"}, "cannot be blank"),
        ("edit", {"name": "add-option", "object": "contacts"}, "missing a required argument: 'property'"),
        ("release", {"name": {}}, "a value of the body is not of the kind it takes"),
        ("faults", [7], "objects are expected (field rules)"),
        ("faults", [{"kind": "drop"}, {"path": "("}], 'not a fault: path "("'),
        ("faults", {"path": "a{99999999999}"}, 'not a fault: path "a{99999999999}"'),
        ("faults", {"when": "during", "nth": 0}, 'not a fault: nth 0, when "during"'),
        ("faults", {"kind": "mood"}, 'not a fault: kind "mood"'),
        ("switches", {"rateLimit": "10"}, "rateLimit takes a number"),
        ("switches", {"retryAfter": 1, "staleReads": 3}, "retryAfter takes true or false"),
        ("switches", {"lifecycleMirror": "one"}, 'lifecycleMirror takes "both" or "contacts_to_companies" or "none"'),
    ],
)
def test_a_body_that_makes_no_sense_is_refused(client, portal, path, body, told):
    """What tests and people send is answered with what is wrong with it, and changes nothing."""
    before = json.dumps(portal.state)

    answer = client.post(f"/_emulator/{path}", json=body)

    assert (answer.status_code, told in answer.json()["message"]) == (400, True), answer.text
    assert json.dumps(portal.state) == before


@pytest.mark.parametrize("words", [{"name": "use", "by": "W"}, {"name": "move", "group": "new"}])
def test_an_edit_of_what_is_not_there_changes_nothing(client, portal, words):
    """A workflow cannot use it, and the group that it should move to is not made."""
    before = json.dumps(portal.state)

    answer = client.post("/_emulator/edit", json={"object": "contacts", "property": "x", **words})

    assert (answer.status_code, "'x' does not exist" in answer.json()["message"]) == (404, True), answer.text
    assert json.dumps(portal.state) == before


def test_an_unknown_change_is_refused(client, portal):
    """The refusal lists what there is."""
    with pytest.raises(ApiError, match="relabel-group"):
        actor.edit(portal, "paint")
    assert client.post("/_emulator/release", json={"name": "big-bang"}).status_code == 400
    assert client.post("/_emulator/edit", json={"label": "x"}).status_code == 400
    assert client.post("/_emulator/edit", json={"name": "relabel", "colour": "red"}).status_code == 400
