import pytest
from embedded_account import Account

BASE = "/crm-object-schemas/v3/schemas"
BARE = "?includePropertyDefinitions=false&includeAssociationDefinitions=false"
NAME_PROPERTY = {"name": "pet_name", "label": "Name", "type": "string", "fieldType": "text"}
PET = {
    "name": "Pet",
    "labels": {"singular": "Pet", "plural": "Pets"},
    "primaryDisplayProperty": "pet_name",
    "secondaryDisplayProperties": ["hs_object_id"],
    "requiredProperties": ["pet_name"],
    "searchableProperties": [],
    "properties": [NAME_PROPERTY],
    "associatedObjects": ["CONTACT"],
}


def with_pet(**switches):
    account = Account(**switches)
    return account, account.made(BASE, PET)["objectTypeId"]


@pytest.mark.parametrize(
    "path",
    [
        "/crm-object-schemas/v3/schemas/contacts",
        "/crm-object-schemas/2026-03/schemas/0-1",
        "/crm-object-schemas/2026-09/schemas/CONTACT",
        "/crm/v3/schemas/contacts",
    ],
)
def test_standard_objects_have_schemas_in_every_version(path):
    """The schema of contacts tells its properties and its association types by name."""
    schema = Account("default").get(path)
    assert (schema["objectTypeId"], schema["name"], schema["primaryDisplayProperty"]) == ("0-1", "CONTACT", "email")
    by_name = {(one["name"], one["id"], one["fromObjectTypeId"]) for one in schema["associations"]}
    assert {
        ("CONTACT_TO_COMPANY_UNLABELED", "279", "0-1"),
        ("COMPANY_TO_CONTACT_UNLABELED", "280", "0-2"),
    } <= by_name
    assert len(schema["properties"]) > 300


def test_external_options_are_empty_in_schemas():
    """What the property list shows as options of lifecyclestage, the schema does not."""
    account = Account("default")
    schema = account.get(BASE + "/contacts")
    [shown] = [one for one in schema["properties"] if one["name"] == "lifecyclestage"]
    assert shown["options"] == []
    assert len(account.properties("contacts")["lifecyclestage"]["options"]) == 8


def test_parts_of_a_schema_can_be_left_out():
    """The include flags drop definitions, associations and audit fields."""
    account, pet = with_pet()
    whole = account.get(f"{BASE}/{pet}")
    bare = account.get(f"{BASE}/{pet}{BARE}&includeAuditMetadata=false")
    assert whole.keys() - bare.keys() == {"properties", "associations", "createdByUserId", "updatedByUserId"}


def test_a_custom_object_is_born_with_properties_a_group_and_associations():
    """A create makes HubSpot's own properties, the group NAME_information, and nine activity associations."""
    account, pet = with_pet()
    schema = account.get(f"{BASE}/{pet}")
    assert pet.startswith("2-")
    assert schema["fullyQualifiedName"] == "p12345678_Pet"
    assert schema["searchableProperties"] == ["hs_object_id"]
    assert schema["allowsSensitiveProperties"] is True
    properties = account.properties(pet)
    assert properties["pet_name"]["createdUserId"] == "1001"
    assert properties["hs_object_id"]["hubspotDefined"] is True
    assert {one["groupName"] for one in properties.values()} == {"pet_information"}
    assert len({one["toObjectTypeId"] for one in schema["associations"] if one["fromObjectTypeId"] == pet}) == 10
    assert [one["name"] for one in account.get(BASE)["results"]] == ["Pet"]


def test_a_custom_object_answers_to_its_id_and_qualified_name_but_not_to_its_bare_name():
    """A bare name in a path is 400 without a category."""
    account, pet = with_pet()
    assert account.properties(pet) == account.properties("P12345678_PET")
    assert account.refused("GET", "/crm/v3/properties/Pet") == (400, None, None)
    assert account.refused("GET", BASE + "/Pet") == (400, None, None)


@pytest.mark.parametrize(
    ("change", "sub_category"),
    [
        ({"primaryDisplayProperty": None}, "ObjectSchemaError.PRIMARY_DISPLAY_PROPERTY_REQUIRED"),
        (
            {"primaryDisplayProperty": "nothing"},
            "ObjectSchemasSandboxesSyncErrorType.INVALID_PRIMARY_DISPLAY_PROPERTY",
        ),
        (
            {"secondaryDisplayProperties": ["a", "b"]},
            "ObjectSchemasSandboxesSyncErrorType.INVALID_SECONDARY_DISPLAY_PROPERTY",
        ),
        (
            {"secondaryDisplayProperties": ["pet_name", "pet_name"]},
            "ObjectSchemasSandboxesSyncErrorType.INVALID_SECONDARY_DISPLAY_PROPERTY",
        ),
        ({"requiredProperties": ["nothing"]}, "InvalidPropertiesError.INVALID_REQUIRED_PROPERTIES"),
        ({"name": "9pets"}, "InboundDbObjectTypeError.OBJECT_TYPE_NAME_FORMAT"),
        ({"labels": {"singular": "x" * 51, "plural": "y"}}, None),
        ({"properties": [{**NAME_PROPERTY, "type": "bool"}]}, "Properties.PROPERTY_CREATE_FAILED_VALIDATION"),
    ],
)
def test_a_custom_object_that_cannot_be_leaves_nothing_behind(change, sub_category):
    """A refused create stores neither schema nor properties."""
    account = Account()
    assert account.refused("POST", BASE, PET | change) == (400, "VALIDATION_ERROR", sub_category)
    assert account.get(BASE)["results"] == []
    assert not [type_id for type_id in account.portal.state["objects"] if type_id.startswith("2-")]


def test_a_patch_changes_what_it_knows_and_ignores_the_rest():
    """Name and associated objects cannot change, sets are sets, and the answer has no definitions."""
    account, pet = with_pet()
    body = {"name": "Cat", "associatedObjects": ["DEAL"], "labels": {"plural": "Animals"}, "description": "All of them"}
    status, answer = account.call("PATCH", f"{BASE}/{pet}", body)
    assert (status, "properties" in answer, answer["portalId"]) == (200, False, 12345678)
    schema = account.get(f"{BASE}/{pet}{BARE}")
    assert (schema["name"], schema["labels"]) == ("Pet", {"singular": "Pet", "plural": "Animals"})
    assert schema["description"] == "All of them"
    assert schema["updatedAt"] > schema["createdAt"]
    account.call("PATCH", f"{BASE}/{pet}", {"clearDescription": True})
    assert "description" not in account.get(f"{BASE}/{pet}{BARE}")


def test_a_patch_is_refused_whole():
    """A display field that names nothing, or turning sensitive properties off, changes nothing."""
    account, pet = with_pet()
    wrong = {"labels": {"plural": "Animals"}, "primaryDisplayProperty": "nothing"}
    assert account.refused("PATCH", f"{BASE}/{pet}", wrong)[0] == 400
    assert account.refused("PATCH", f"{BASE}/{pet}", {"allowsSensitiveProperties": False})[0] == 400
    assert account.get(f"{BASE}/{pet}{BARE}")["labels"]["plural"] == "Pets"


def test_a_single_read_can_flip_between_old_and_new_under_one_time():
    """With lag, every other read after a PATCH is the old copy with the new updatedAt."""
    account, pet = with_pet(schemaLagReads=3)
    account.call("PATCH", f"{BASE}/{pet}", {"labels": {"plural": "Animals"}})
    reads = [account.get(f"{BASE}/{pet}{BARE}") for _ in range(5)]
    assert [one["labels"]["plural"] for one in reads] == ["Pets", "Animals", "Pets", "Animals", "Animals"]
    assert len({one["updatedAt"] for one in reads}) == 1


@pytest.mark.parametrize(("switch", "status"), [(409, 409), (201, 201)])
def test_a_create_on_an_active_name_is_refused_or_merged(switch, status):
    """Both were seen: a 409, and a 201 that ignores the labels and merges the properties in."""
    account, pet = with_pet(schemaCreateExisting=switch)
    extra = {**NAME_PROPERTY, "name": "breed"}
    body = {**PET, "labels": {"singular": "X", "plural": "Xs"}, "properties": [extra]}
    assert account.call("POST", BASE, body)[0] == status
    assert ("breed" in account.properties(pet)) is (status == 201)
    assert account.get(f"{BASE}/{pet}{BARE}")["labels"]["singular"] == "Pet"
    assert len(account.get(BASE)["results"]) == 1


def test_names_differ_by_more_than_case():
    """Another case of an active name is 409 under any switch."""
    account, _ = with_pet(schemaCreateExisting=201)
    refusal = account.refused("POST", BASE, {**PET, "name": "PET"})
    assert refusal == (409, "OBJECT_ALREADY_EXISTS", "InboundDbObjectTypeError.OBJECT_TYPE_ALREADY_EXIST")


def test_archiving_waits_for_records_and_purging_for_archiving():
    """Live records block an archive, those in the recycle bin do not; only an archived object can be purged."""
    account, pet = with_pet()
    account.portal.add_records(pet, [{"id": "1", "properties": {}}])
    assert account.refused("DELETE", f"{BASE}/{pet}")[2] == "ObjectSchemaError.EXISTING_OBJECT_RECORDS"
    assert account.refused("DELETE", f"{BASE}/{pet}?archived=true")[0] == 400
    account.portal.state["records"][pet]["1"]["archived"] = True
    assert account.call("DELETE", f"{BASE}/{pet}") == (204, None)
    assert account.refused("GET", f"/crm/v3/properties/{pet}") == (400, None, None)
    assert account.get(BASE)["results"] == []
    [archived] = account.get(BASE + "?archived=true")["results"]
    assert (archived["archived"], archived["properties"], archived["associations"]) == (True, [], [])
    assert account.call("DELETE", f"{BASE}/{pet}?archived=true") == (204, None)
    assert account.get(BASE + "?archived=true")["results"] == []


def test_the_list_of_archived_objects_has_the_active_ones_too():
    """Whoever asks for archived ones has to look at the flag."""
    account, _ = with_pet()
    assert [one["archived"] for one in account.get(BASE + "?archived=true")["results"]] == [False]


def test_a_create_on_an_archived_name_purges_what_was_there():
    """The old object is gone for good, with its records."""
    account, pet = with_pet()
    account.call("DELETE", f"{BASE}/{pet}")
    again = account.made(BASE, PET)["objectTypeId"]
    assert again != pet
    assert [one["objectTypeId"] for one in account.get(BASE + "?archived=true")["results"]] == [again]


def test_associations_between_standard_objects_cannot_be_made_here():
    """The old way to make labels is closed."""
    body = {"fromObjectTypeId": "0-2", "toObjectTypeId": "0-1", "name": "x"}
    refusal = Account().refused("POST", BASE + "/0-2/associations", body)
    assert refusal == (400, "VALIDATION_ERROR", "ObjectSchemaError.CANNOT_MODIFY_HUBSPOT_DEFINED_OBJECT_TYPE")


def test_a_custom_object_gets_and_loses_a_plain_association():
    """An association made at the schema is a plain type in the label lists."""
    account, pet = with_pet()
    body = {"fromObjectTypeId": pet, "toObjectTypeId": "0-3", "name": "pet_to_deal"}
    made = account.made(f"{BASE}/{pet}/associations", body)
    assert (made["name"], made["fromObjectTypeId"], made["toObjectTypeId"]) == ("pet_to_deal", pet, "0-3")
    path = f"/crm/v4/associations/{pet}/deals/labels"
    plain = {"category": "USER_DEFINED", "typeId": int(made["id"]), "label": None}
    assert account.get(path)["results"] == [plain]
    assert account.call("DELETE", f"{BASE}/{pet}/associations/pet_to_deal") == (204, None)
    assert account.get(path)["results"] == []


def test_the_first_pipeline_of_a_custom_object_adds_two_properties_for_good():
    """The properties stay when the pipeline goes."""
    account, pet = with_pet()
    stages = [{"label": "New", "displayOrder": 0, "metadata": {}}]
    path = f"/crm/v3/pipelines/{pet}"
    made = account.made(path, {"label": "Life", "displayOrder": 0, "stages": stages})["id"]
    assert account.get(f"{path}/{made}")["stages"][0]["metadata"] == {"state": "OPEN", "isClosed": "false"}
    account.call("DELETE", f"{path}/{made}")
    assert {"hs_pipeline", "hs_pipeline_stage"} <= account.properties(pet).keys()


def test_several_schemas_are_read_at_once():
    """The batch read takes ids and qualified names."""
    account, pet = with_pet()
    flags = {"includePropertyDefinitions": False, "includeAssociationDefinitions": False, "includeAuditMetadata": True}
    answer = account.made(BASE + "/batch/read", {"inputs": [pet, "0-1"], **flags})
    assert [(one["objectTypeId"], "properties" in one) for one in answer["results"]] == [(pet, False), ("0-1", False)]


@pytest.mark.parametrize(("scope", "status"), [("crm.schemas.custom.write", 201), ("crm.schemas.custom.read", 403)])
def test_making_a_custom_object_needs_its_scope(scope, status):
    """The write scope of custom schemas is the only one that does."""
    account = Account()
    account.portal.state["tokens"] = {"any": {"userId": "1001", "scopes": [scope]}}
    assert account.call("POST", BASE, PET)[0] == status
