import json

import pytest

from reconciler.emulator import Portal, SeedError

WEIRD = {  # every oddity was seen in a real portal
    "name": "n10___optional__",
    "label": " Ten  words \U0001f600 ",
    "type": "hologram",
    "fieldType": "",
    "description": "two\nlines",
    "groupName": "unused [2024]",
    "options": [
        {"label": "", "value": "", "displayOrder": -1, "hidden": True},
        {"label": "–", "value": "a, b/c", "displayOrder": -1, "hidden": False},
    ],
    "displayOrder": -1,
    "calculated": False,
    "externalOptions": False,
    "hasUniqueValue": False,
    "hidden": False,
    "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
    "formField": True,
    "surprise": [1, {"deep": None}],
}
EMAIL = {**WEIRD, "name": "email", "groupName": "contactinformation", "hubspotDefined": True}


@pytest.fixture
def saved(tmp_path):
    """Writes JSON into a file of some name."""

    def save(name, value):
        file = tmp_path / name
        file.write_text(json.dumps(value), "utf-8")
        return file

    return save


def listed(client, object_type, area="properties", query=""):
    return client.get(f"/crm/v3/{area}/{object_type}{query}").json()["results"]


def test_the_default_portal_is_like_a_fresh_one(connect):
    """The lists are as long as HubSpot's, all HubSpot's own, each in a group of its object, none with a double name."""
    client = connect(Portal.seeded())
    sizes = {}
    for object_type in ("contacts", "companies", "deals", "tickets"):
        properties = listed(client, object_type)
        groups = {group["name"] for group in client.get(f"/crm/v3/properties/{object_type}/groups").json()["results"]}
        sizes[object_type] = len(properties)
        assert {one["groupName"] for one in properties} <= {"", *groups}
        assert len({one["name"] for one in properties}) == len(properties)
        assert all(one["hubspotDefined"] and "archived" not in one for one in properties)
        assert len([one for one in properties if "createdAt" not in one]) == 15

    assert sizes == {"contacts": 369, "companies": 250, "deals": 204, "tickets": 198}


def test_other_objects_have_their_defaults(connect):
    """Objects that are not in the centre have properties too."""
    client = connect(Portal.seeded())

    for object_type in ("line_items", "products", "calls", "leads", "orders", "users"):
        assert "hs_object_id" in {one["name"] for one in listed(client, object_type)}


def test_defaults_say_what_a_portal_may_change(connect):
    """The combinations of modificationMetadata are HubSpot's: locked, open, and open for options only."""
    contacts = {one["name"]: one["modificationMetadata"] for one in listed(connect(Portal.seeded()), "contacts")}

    assert contacts["email"] == {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": False}
    assert contacts["createdate"] == {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": True}
    assert contacts["state"] == {"archivable": False, "readOnlyDefinition": False, "readOnlyValue": False}
    assert contacts["hs_lead_status"]["readOnlyOptions"] is False
    assert contacts["hs_analytics_source"]["readOnlyOptions"] is True


def test_default_options_have_good_labels(connect):
    """Well-known options read as in HubSpot's settings, and no property has a label twice."""
    contacts = {one["name"]: one for one in listed(connect(Portal.seeded()), "contacts")}

    assert [option["label"] for option in contacts["lifecyclestage"]["options"]] == [
        "Subscriber",
        "Lead",
        "Marketing Qualified Lead",
        "Sales Qualified Lead",
        "Opportunity",
        "Customer",
        "Evangelist",
        "Other",
    ]
    assert {option["value"]: option["label"] for option in contacts["hs_lead_status"]["options"]}["OPEN_DEAL"] == (
        "Open Deal"
    )
    for one in contacts.values():
        labels = [option["label"] for option in one["options"]]
        assert len(set(labels)) == len(labels), one["name"]


def test_an_empty_portal_has_what_hubspot_cannot_be_without(connect):
    """A handful of properties a object, the standard groups, and the lifecycle."""
    client = connect(Portal.seeded("empty"))
    deals = {one["name"] for one in listed(client, "deals") if not one["name"].startswith("hs_v2_")}

    assert deals == {
        *("amount", "closed_lost_reason", "closedate", "createdate", "dealname", "dealstage", "dealtype"),
        *("hs_object_id", "hubspot_owner_id", "pipeline"),
    }
    assert "sales_properties" in {
        group["name"] for group in client.get("/crm/v3/properties/contacts/groups").json()["results"]
    }
    assert listed(client, "contacts", "pipelines")[0]["id"] == "contacts-lifecycle-pipeline"


def test_a_raw_list_is_served_as_it_is(saved, connect):
    """Odd definitions come back unchanged, nothing is added to the list, and unnamed groups are derived."""
    client = connect(Portal.seeded(saved("contacts.json", {"results": [EMAIL, WEIRD]})))
    groups = {group["name"]: group for group in client.get("/crm/v3/properties/contacts/groups").json()["results"]}

    assert listed(client, "contacts") == [EMAIL, WEIRD]
    assert groups["unused [2024]"]["archived"] is False
    assert "dealname" in {one["name"] for one in listed(client, "deals")}


def test_a_snapshot_is_served_as_it_is(saved, connect):
    """Every recorded collection answers what it answered, and account details name the portal."""
    stage = {"id": "s1", "label": "One", "displayOrder": 0, "metadata": {"probability": "0.5"}, "archived": False}
    stage |= {"createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-01-01T00:00:00Z"}
    pipeline = {"id": "p1", "label": "Pipe", "displayOrder": 0, "stages": [stage], "archived": False}
    pipeline |= {"createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-01-01T00:00:00Z"}
    group = {"archived": False, "name": "contactinformation", "label": "About", "displayOrder": 4}
    archived = {**WEIRD, "name": "gone", "archived": True, "archivedAt": "2024-01-01T00:00:00Z"}
    car = {"objectTypeId": "2-7", "name": "car", "id": "7", "fullyQualifiedName": "p99_car", "labels": {}}
    responses = {
        "/account-info/v3/details": {"portalId": 99, "timeZone": "Europe/Berlin"},
        "/crm/v3/properties/contacts": {"results": [WEIRD]},
        "/crm/v3/properties/contacts?archived=true": {"results": [archived]},
        "/crm/v3/properties/contacts/groups": {"results": [group]},
        "/crm/v3/pipelines/deals": {"results": [pipeline]},
        "/crm/v3/properties/companies": {"status": "error", "message": "denied"},
        "/crm-object-schemas/v3/schemas": {"results": [car]},
        "/crm/v3/properties/2-7": {"results": [WEIRD]},
    }
    portal = Portal.seeded(saved("snapshot.json", {"formatVersion": "1.0", "responses": responses}))
    client = connect(portal)

    assert portal.portal_id == 99
    assert listed(client, "contacts") == [WEIRD]
    assert listed(client, "contacts", query="?archived=true") == [archived]
    assert client.get("/crm/v3/properties/contacts/groups/contactinformation").json() == group
    assert listed(client, "deals", "pipelines") == [pipeline]
    assert listed(client, "p99_car") == [WEIRD]
    assert "domain" in {one["name"] for one in listed(client, "companies")}


def test_recorded_labels_come_back(saved, connect):
    """Both directions of a recorded association label answer with their ids."""
    path = "/crm/v4/associations/{}/{}/labels"
    there = {"category": "USER_DEFINED", "typeId": 30, "label": "Billing contact"}
    back = {"category": "USER_DEFINED", "typeId": 31, "label": "Billed through"}
    responses = {
        path.format("contacts", "companies"): {"results": [there]},
        path.format("companies", "contacts"): {"results": [back]},
    }
    client = connect(Portal.seeded(saved("snapshot.json", {"formatVersion": "1.0", "responses": responses})))

    assert there in client.get(path.format("contacts", "companies")).json()["results"]
    assert back in client.get(path.format("companies", "contacts")).json()["results"]


def test_what_a_recorded_definition_does_not_say_is_no_reason_to_fail(saved, connect):
    """Fields that HubSpot does not promise may be missing: such a property can be read, changed and archived."""
    required = ("name", "label", "type", "fieldType", "groupName", "options", "description")
    thin = {key: WEIRD[key] for key in required} | {"type": "enumeration", "fieldType": "select"}
    thin["options"] = [{"label": "B", "value": "b", "hidden": False}, {"label": "A", "value": "a", "hidden": False}]
    client = connect(Portal.seeded(saved("contacts.json", {"results": [thin]})))
    path = f"/crm/v3/properties/contacts/{thin['name']}"

    assert client.get(path).json() == thin
    assert thin in client.get("/crm-object-schemas/v3/schemas/contacts").json()["properties"]
    assert client.patch(path, json={"label": "Thin", "options": thin["options"][:1]}).status_code == 200
    assert client.delete(path).status_code == 204


def test_a_custom_object_without_its_schema_is_made_up(saved, connect):
    """A snapshot that watches 2-7 or p77_boat plays, though it holds no list of schemas and not whose portal it was."""
    paths = ("/crm/v3/properties/2-7", "/crm/v3/properties/p77_boat")
    groups = {"results": [{"name": "hull", "label": "Hull", "displayOrder": 0, "archived": False}]}
    responses = {f"{paths[1]}/groups": groups, **{path: {"results": [WEIRD]} for path in paths}}
    client = connect(Portal.seeded(saved("snapshot.json", {"responses": responses})))

    assert [client.get(path).json() for path in paths] == [{"results": [WEIRD]}] * 2
    assert groups["results"][0] in client.get(f"{paths[1]}/groups").json()["results"]
    assert client.get("/crm/v3/limits/records").status_code == 200


def test_recorded_labels_have_their_recorded_names(saved, connect):
    """A schema of the snapshot tells the name of a label, which no list of labels does."""
    schema = "/crm-object-schemas/v3/schemas/contacts"
    told = {"id": "30", "fromObjectTypeId": "0-1", "toObjectTypeId": "0-2", "name": "who_pays"}
    responses = {
        "/crm/v4/associations/contacts/companies/labels": {
            "results": [{"category": "USER_DEFINED", "typeId": 30, "label": "Billing"}]
        },
        schema: {"name": "CONTACT", "associations": [told]},
    }
    client = connect(Portal.seeded(saved("snapshot.json", {"responses": responses})))

    named = {one["id"]: one["name"] for one in client.get(schema).json()["associations"]}
    assert named["30"] == "who_pays"


def test_new_stages_bring_properties_to_a_recorded_list_too(saved, connect):
    """A recorded list gets no families of its old stages, but those of a stage that is made now."""
    client = connect(Portal.seeded(saved("contacts.json", {"results": [WEIRD]})))
    stages = "/crm/v3/pipelines/contacts/contacts-lifecycle-pipeline/stages"
    made = client.post(stages, json={"label": "Trial", "displayOrder": 8, "metadata": {"state": "OPEN"}}).json()

    names = {one["name"] for one in listed(client, "contacts")} - {WEIRD["name"]}
    assert len(names) == 4
    assert all(name.endswith(made["id"]) for name in names)


def test_a_state_file_is_a_seed(tmp_path, connect):
    """A portal can be started from the file of another one."""
    first = Portal.open(tmp_path / "first.json", seed="empty")
    body = {"name": "note", "label": "N", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    connect(first).post("/crm/v3/properties/contacts", json=body)
    second = connect(Portal.seeded(tmp_path / "first.json"))

    assert second.get("/crm/v3/properties/contacts/note").json()["label"] == "N"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("contacts.json", "{", "is no JSON"),
        ("contacts.json", '{"a": 1}', "no snapshot"),
        ("thing.json", '{"results": []}', "name the file after the object type"),
        ("contacts.json", '{"results": [{"label": "x"}]}', "not what HubSpot gives: an entry has no name, type"),
        ("contacts.json", '{"results": [[]]}', r"not what HubSpot gives: \[\] is no definition"),
        ("pipelines_deals.json", '{"results": [{"id": "p"}]}', "not what HubSpot gives: p has no label, displayOrder"),
        ("snapshot.json", '{"responses": {"/account-info/v3/details": {"portalId": "x"}}}', "portalId is no number"),
        (
            "snapshot.json",
            '{"responses": {"/schemas/contacts": {"associations": 5}}}',
            "answer of /schemas/contacts is not",
        ),
        ("snapshot.json", '{"responses": {"/schemas/contacts": {"associations": [5]}}}', "not what HubSpot gives"),
    ],
)
def test_a_bad_seed_says_why(tmp_path, name, content, words):
    """A file that no portal can be made from is refused with its name and the reason."""
    file = tmp_path / name
    file.write_text(content)

    with pytest.raises(SeedError, match=words):
        Portal.seeded(file)
    with pytest.raises(SeedError, match="cannot be read"):
        Portal.seeded(tmp_path / "missing.json")


def test_an_older_portal_has_another_generation_of_defaults(connect):
    """The same names and types; dates, groups and labels are those of before 2020, so portals are never compared."""
    newer, older = (
        {one["name"]: one for one in listed(connect(Portal.seeded(seed)), "contacts")} for seed in ("default", "older")
    )

    assert newer.keys() == older.keys()
    assert {name for name in newer if newer[name]["type"] != older[name]["type"]} == set()
    lead_status = ("createdAt", "groupName")
    assert [newer["hs_lead_status"][field][:10] for field in lead_status] == ["2020-06-30", "sales_prop"]
    assert [older["hs_lead_status"][field][:10] for field in lead_status] == ["2019-08-06", "contactinf"]
    assert (newer["hs_analytics_source"]["label"], older["hs_analytics_source"]["label"]) == (
        "Original Traffic Source",
        "Original Source",
    )
    assert sum(newer[name].get("createdAt") != older[name].get("createdAt") for name in newer) == 79
