import pytest
from embedded_account import Account

PAIR = "/crm/v4/associations/contacts/companies/labels"
BACK = "/crm/v4/associations/companies/contacts/labels"
DUPLICATE = (400, "VALIDATION_ERROR", "AssociationValidationError.DUPLICATE_ASSOCIATION_LABEL")
REFUSED = (400, "VALIDATION_ERROR", None)
BILLING = {"name": "billing", "label": "Pays for", "inverseLabel": "Paid by"}
PET = {"name": "pet", "labels": {"singular": "Pet", "plural": "Pets"}, "primaryDisplayProperty": "hs_object_id"}


def own(account, path):
    return {one["typeId"]: one["label"] for one in account.get(path)["results"] if one["category"] == "USER_DEFINED"}


def names(account, object_type="contacts"):
    path = f"/crm-object-schemas/v3/schemas/{object_type}?includePropertyDefinitions=false"
    return {one["name"] for one in account.get(path)["associations"]}


def test_the_default_types_differ_by_direction():
    """HubSpot's own types have one id each way, plain ones a label of null."""
    account = Account()
    assert account.get(PAIR)["results"] == [
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
        {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None},
        {"category": "HUBSPOT_DEFINED", "typeId": 931, "label": "Billing contact"},
    ]
    assert [one["typeId"] for one in account.get(BACK)["results"]] == [2, 280, 930]
    self_pair = account.get("/crm/v4/associations/companies/companies/labels")["results"]
    assert {one["typeId"]: one["label"] for one in self_pair} == {450: None, 13: "Child Company", 14: "Parent Company"}


def test_a_create_answers_both_ids_and_never_the_name():
    """A label is a pair of ids, each with its text; the name stands in the schemas only."""
    account = Account()
    assert account.made(PAIR, BILLING) == {
        "results": [
            {"category": "USER_DEFINED", "typeId": 1, "label": "Pays for"},
            {"category": "USER_DEFINED", "typeId": 2, "label": "Paid by"},
        ]
    }
    assert own(account, PAIR) == {1: "Pays for"}
    assert own(account, BACK) == {2: "Paid by"}
    assert "billing" in names(account)
    assert "billing" in names(account, "companies")


def test_the_dated_answers_have_empty_object_types():
    """From the dated versions on an item has both object types, and both are null."""
    account = Account()
    made = account.made("/crm/associations/2026-09/contacts/companies/labels", BILLING)["results"][0]
    assert (made["fromObjectTypeId"], made["toObjectTypeId"]) == (None, None)


def test_without_an_inverse_text_both_ways_get_the_same_one():
    """One text, still two ids."""
    account = Account()
    account.made(PAIR, {"name": "partner", "label": "Partner"})
    assert (own(account, PAIR), own(account, BACK)) == ({1: "Partner"}, {2: "Partner"})


def test_type_ids_of_the_portal_and_of_hubspot_overlap():
    """The id 1 exists twice on one pair; only the portal's can be changed and deleted."""
    account = Account()
    account.made(PAIR, BILLING)
    assert [one["category"] for one in account.get(PAIR)["results"] if one["typeId"] == 1] == [
        "HUBSPOT_DEFINED",
        "USER_DEFINED",
    ]
    assert account.call("DELETE", PAIR + "/1") == (204, None)
    assert account.refused("DELETE", PAIR + "/1") == REFUSED
    assert len(account.get(PAIR)["results"]) == 3


@pytest.mark.parametrize(
    ("inverse", "there", "back"),
    [({"inverseLabel": "Bills"}, {1: "Billed"}, {2: "Bills"}), ({}, {1: "Billed"}, {2: "Billed"})],
)
def test_a_put_without_an_inverse_text_overwrites_both_sides(inverse, there, back):
    """Only who sends both texts keeps them apart."""
    account = Account()
    account.made(PAIR, BILLING)
    assert account.call("PUT", PAIR, {"associationTypeId": 1, "label": "Billed", **inverse}) == (204, None)
    assert (own(account, PAIR), own(account, BACK)) == (there, back)


def test_a_put_from_the_other_side_sets_the_other_text():
    """The label of a PUT is the text of the direction in its path."""
    account = Account()
    account.made(PAIR, BILLING)
    account.call("PUT", BACK, {"associationTypeId": 2, "label": "Bills", "inverseLabel": "Billed"})
    assert (own(account, PAIR), own(account, BACK)) == ({1: "Billed"}, {2: "Bills"})


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"label": "Billed"}, (400, None, None)),
        ({"associationTypeId": 1}, (400, None, None)),
        ({"associationTypeId": 99, "label": "Billed"}, REFUSED),
        ({"associationTypeId": 279, "label": "Billed"}, REFUSED),
        ({"associationTypeId": 1, "label": "Second"}, DUPLICATE),
    ],
)
def test_a_put_that_cannot_be_is_refused(body, refusal):
    """A PUT needs id and label, an id of the portal's own, and a text that is free."""
    account = Account()
    account.made(PAIR, BILLING)
    account.made(PAIR, {"name": "second", "label": "Second"})
    assert account.refused("PUT", PAIR, body) == refusal
    assert own(account, PAIR)[1] == "Pays for"


@pytest.mark.parametrize("type_id", [1, 2])
@pytest.mark.parametrize("path", [PAIR, BACK])
def test_deleting_either_id_removes_the_pair(path, type_id):
    """One delete by either id, from either side, takes both directions away."""
    account = Account()
    account.made(PAIR, BILLING)
    assert account.call("DELETE", f"{path}/{type_id}") == (204, None)
    assert (own(account, PAIR), own(account, BACK)) == ({}, {})
    assert "billing" not in names(account)


@pytest.mark.parametrize("type_id", [279, 1, 4711])
def test_what_is_not_the_portals_cannot_be_deleted(type_id):
    """HubSpot's own types and unknown ids are 400."""
    assert Account().refused("DELETE", f"{PAIR}/{type_id}") == REFUSED


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"name": "BILLING", "label": "Else"}, REFUSED),
        ({"name": "other", "label": "PAYS FOR"}, DUPLICATE),
        ({"name": "other", "label": "Else", "inverseLabel": "paid by"}, DUPLICATE),
        ({"name": "has-hyphen", "label": "Else"}, REFUSED),
        ({"name": "1st", "label": "Else"}, REFUSED),
        ({"label": "Else"}, (400, None, None)),
        ({"name": "other"}, (400, None, None)),
        ({"name": "other", "label": None}, (400, None, None)),
    ],
)
def test_a_label_that_cannot_be_is_refused(body, refusal):
    """Names are unique in the portal, texts on each side of the pair, both without case; null is no text."""
    account = Account()
    account.made(PAIR, BILLING)
    assert account.refused("POST", PAIR, body) == refusal
    assert own(account, PAIR) == {1: "Pays for"}


def test_a_text_may_stand_on_both_sides_of_different_labels():
    """Texts clash per side only."""
    account = Account()
    account.made(PAIR, BILLING)
    account.made(PAIR, {"name": "reverse", "label": "Paid by", "inverseLabel": "Pays for"})
    assert own(account, PAIR) == {1: "Pays for", 3: "Paid by"}


def test_the_fifty_first_label_of_a_pair_is_437():
    """Fifty labels fit, a paired one counts once and from both sides."""
    account = Account()
    for number in range(50):
        account.made(PAIR if number % 2 else BACK, {"name": f"label{number}", "label": f"L{number}"})
    assert account.refused("POST", PAIR, {"name": "more", "label": "More"})[0] == 437
    assert account.call("DELETE", PAIR + "/1")[0] == 204
    account.made(PAIR, {"name": "more", "label": "More"})


@pytest.mark.parametrize(("ids", "found"), [(2, {1: "Peer", 2: "Peer"}), (1, {1: "Peer"})])
def test_an_object_with_itself_lists_both_ids_in_one_list(ids, found):
    """Of one text there are two ids, or one where the switch says so."""
    account = Account(selfLabelIds=ids)
    path = "/crm/v4/associations/contacts/contacts/labels"
    account.made(path, {"name": "peer", "label": "Peer"})
    assert own(account, path) == found


def test_an_object_with_itself_can_have_two_texts():
    """Both directions stand in the one list, and a delete takes both."""
    account = Account()
    path = "/crm/v4/associations/contacts/contacts/labels"
    account.made(path, {"name": "manager", "label": "Manager", "inverseLabel": "Report"})
    assert own(account, path) == {1: "Manager", 2: "Report"}
    account.call("PUT", path, {"associationTypeId": 2, "label": "Employee", "inverseLabel": "Boss"})
    assert own(account, path) == {1: "Boss", 2: "Employee"}
    account.call("DELETE", path + "/2")
    assert own(account, path) == {}


def test_a_custom_object_pair_has_a_plain_type_of_the_portals_own():
    """The first label makes the plain type too, which then stays as long as labels do."""
    account = Account()
    pet = account.made("/crm-object-schemas/v3/schemas", PET)["objectTypeId"]
    path = f"/crm/v4/associations/{pet}/deals/labels"
    assert account.get(path)["results"] == []
    account.made(path, {"name": "mascot", "label": "Mascot"})
    found = own(account, path)
    assert sorted(found.values(), key=str) == ["Mascot", None]
    [plain] = [type_id for type_id, label in found.items() if label is None]
    [labelled] = [type_id for type_id, label in found.items() if label]
    assert account.refused("DELETE", f"{path}/{plain}") == REFUSED
    assert account.call("DELETE", f"{path}/{labelled}")[0] == 204
    assert own(account, path) == {plain: None}
    assert account.call("DELETE", f"{path}/{plain}")[0] == 204
    assert own(account, path) == {}


def test_an_empty_text_makes_the_plain_type_once():
    """The label "" stands for the plain association; a second one is refused."""
    account = Account()
    pet = account.made("/crm-object-schemas/v3/schemas", PET)["objectTypeId"]
    path = f"/crm/v4/associations/{pet}/deals/labels"
    account.made(path, {"name": "pet_to_deal", "label": ""})
    assert list(own(account, path).values()) == [None]
    assert account.refused("POST", path, {"name": "again", "label": ""}) == DUPLICATE


def test_names_of_new_labels_can_come_late():
    """So many reads of a schema do not know the label yet, as the switch says."""
    account = Account(labelNameAfterReads=2)
    account.made(PAIR, BILLING)
    assert ["billing" in names(account) for _ in range(4)] == [False, False, True, True]


def test_configurations_are_set_updated_and_purged():
    """A limit shows in the lists until it is purged; an update creates it, a purge of nothing is 204."""
    account = Account()
    base = "/crm/associations/2026-09/definitions/configurations"
    pair = base + "/contacts/companies"
    limit = {"category": "HUBSPOT_DEFINED", "typeId": 1, "maxToObjectIds": 3}
    assert account.get(base + "/all") == {"results": []}
    status, answer = account.call("POST", pair + "/batch/create", {"inputs": [limit]})
    shown = {"category": "HUBSPOT_DEFINED", "typeId": 1, "userEnforcedMaxToObjectIds": 3, "label": "Primary"}
    assert (status, answer["results"]) == (201, [shown])
    assert account.get(pair) == account.get(base + "/all") == {"results": [shown]}
    status, answer = account.call("POST", pair + "/batch/update", {"inputs": [{**limit, "maxToObjectIds": 5}]})
    assert (status, answer["results"][0]["userEnforcedMaxToObjectIds"]) == (200, 5)
    inputs = {"inputs": [{"category": "HUBSPOT_DEFINED", "typeId": 1}]}
    assert account.call("POST", pair + "/batch/purge", inputs) == (204, None)
    assert account.call("POST", pair + "/batch/purge", inputs) == (204, None)
    assert account.get(base + "/all") == {"results": []}


def test_a_batch_of_configurations_can_succeed_in_part():
    """Unknown types are errors of a 207, the others are set."""
    account = Account()
    pair = "/crm/v4/associations/definitions/configurations/contacts/companies"
    inputs = [
        {"category": "HUBSPOT_DEFINED", "typeId": 1, "maxToObjectIds": 3},
        {"category": "USER_DEFINED", "typeId": 1, "maxToObjectIds": 3},
    ]
    status, answer = account.call("POST", pair + "/batch/create", {"inputs": inputs})
    assert (status, answer["numErrors"], len(answer["results"])) == (207, 1, 1)
    assert answer["errors"][0]["category"] == "OBJECT_NOT_FOUND"


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (["crm.schemas.contacts.read", "crm.schemas.companies.read"], 200),
        (["crm.objects.contacts.read", "crm.schemas.companies.write"], 200),
        (["crm.schemas.contacts.read"], 403),
    ],
)
def test_reading_labels_needs_a_scope_of_both_objects(scopes, status):
    """Schema and object scopes both do, but for each side of the pair."""
    account = Account()
    account.portal.state["tokens"] = {"any": {"userId": "1001", "scopes": scopes}}
    assert account.call("GET", PAIR)[0] == status
