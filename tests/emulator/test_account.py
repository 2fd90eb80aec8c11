import pytest
from embedded_account import Account

CONTACT_PROPERTY = {
    "name": "cs_score",
    "label": "Score",
    "type": "number",
    "fieldType": "number",
    "groupName": "contactinformation",
}
LABELS = "/crm/v4/associations/contacts/companies/labels"
SEARCH = "/crm/v3/objects/contacts/search"


def scoped(*scopes):
    account = Account()
    account.portal.state["tokens"] = {"any": {"userId": "2002", "scopes": [*scopes], "appId": 7}}
    return account


def total(account, *filters):
    return account.made(SEARCH, {"filterGroups": [{"filters": [one]} for one in filters], "limit": 1})["total"]


@pytest.mark.parametrize("version", ["v3", "2025-09", "2026-03", "2026-09"])
def test_the_details_tell_which_account_this_is(version):
    """Every version answers the required fields, in HubSpot's names."""
    details = Account().get(f"/account-info/{version}/details")
    assert details["portalId"] == 12345678
    assert details["accountType"] == "DEVELOPER_TEST"
    assert details.keys() >= {"timeZone", "uiDomain", "dataHostingLocation", "utcOffset", "utcOffsetMilliseconds"}
    assert details.keys() >= {"companyCurrency", "additionalCurrencies"}


def test_details_need_the_scope_that_every_key_has():
    """Without oauth there are no account details."""
    assert scoped("oauth").call("GET", "/account-info/v3/details")[0] == 200
    assert scoped("crm.objects.contacts.read").call("GET", "/account-info/v3/details")[0] == 403


def test_a_token_can_be_asked_whose_it_is():
    """Introspection names user, account, app and scopes."""
    account = scoped("oauth", "crm.schemas.contacts.read")
    assert account.made("/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "any"}) == {
        "userId": 2002,
        "hubId": 12345678,
        "appId": 7,
        "scopes": ["oauth", "crm.schemas.contacts.read"],
        "isUserToken": False,
    }
    unknown = account.refused("POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "else"})
    assert unknown == (404, "OBJECT_NOT_FOUND", None)


def test_owners_resolve_user_ids():
    """An owner has two ids, and is found by either, or by address."""
    account = Account()
    found = account.get("/crm/v3/owners/2002?idProperty=userId")
    assert (found["email"], found["userId"], found["id"]) == ("dana.reed@example.com", 2002, "72002")
    assert account.get("/crm/v3/owners/72002") == found
    assert account.get("/crm/v3/owners?email=dana.reed@example.com")["results"] == [found]
    assert account.refused("GET", "/crm/v3/owners/2002") == (404, "OBJECT_NOT_FOUND", None)


def test_lists_of_people_are_paged():
    """A limited list says where it goes on, and the last page does not."""
    account = Account()
    first = account.get("/crm/v3/owners?limit=1")
    second = account.get(f"/crm/v3/owners?limit=1&after={first['paging']['next']['after']}")
    assert [one["userId"] for one in first["results"] + second["results"]] == [1001, 2002]
    assert "paging" not in second
    assert [one["id"] for one in account.get("/settings/v3/users")["results"]] == ["1001", "2002"]
    assert account.get("/settings/v3/users/dana.reed@example.com?idProperty=EMAIL")["id"] == "2002"


def test_the_audit_log_filters_by_user_and_time():
    """Actions come newest first, of one user or after a moment."""
    account = Account()
    path = "/account-info/v3/activity/audit-logs"
    first = {"id": "1", "category": "CRM", "action": "UPDATE", "actingUser": {"userId": 2002}}
    account.portal.state["audit"] = [
        first | {"occurredAt": "2026-01-01T00:00:00.000Z"},
        first | {"id": "2", "actingUser": {"userId": 1001}, "occurredAt": "2026-02-01T00:00:00.000Z"},
    ]
    assert [one["id"] for one in account.get(path)["results"]] == ["2", "1"]
    assert [one["id"] for one in account.get(path + "?actingUserId=2002")["results"]] == ["1"]
    assert [one["id"] for one in account.get(path + "?occurredAfter=2026-01-15T00:00:00Z")["results"]] == ["2"]
    assert scoped("oauth").call("GET", path)[0] == 403


def test_the_object_library_tells_what_is_switched_on():
    """Every object type is, unless the state says otherwise."""
    account = Account()
    path = "/crm/object-library/2026-03/enablement"
    account.portal.state["disabledObjects"] = ["0-136"]
    every = account.get(path)["enablementByObjectTypeId"]
    assert (every["0-1"], every["0-136"]) == (True, False)
    assert account.get(path + "/0-136") == {"enablement": False}


def test_property_limits_count_the_portals_own():
    """Usage counts custom live properties, per object type and overall, or overall only."""
    account = Account()
    account.made("/crm/v3/properties/contacts", CONTACT_PROPERTY)
    answer = account.get("/crm/v3/limits/custom-properties")
    assert (answer["overallLimit"], answer["overallUsage"]) == (10000, 1)
    [row] = [one for one in answer["byObjectType"] if one["objectTypeId"] == "0-1"]
    assert row == {
        "objectTypeId": "0-1",
        "singularLabel": "Contact",
        "pluralLabel": "Contacts",
        "limit": 1000,
        "usage": 1,
        "percentage": 0.1,
    }
    account.portal.switches["limitsPerObject"] = False
    bare = account.get("/crm/limits/2026-03/custom-properties")
    assert (bare["overallLimit"], bare["overallUsage"], bare["byObjectType"]) == (1000, 1, [])


def test_calculated_limits_count_formulas():
    """Only properties with a formula are counted."""
    account = Account()
    account.made("/crm/v3/properties/contacts", CONTACT_PROPERTY)
    formula = {**CONTACT_PROPERTY, "name": "twice", "fieldType": "calculation_equation"}
    account.made("/crm/v3/properties/contacts", {**formula, "calculationFormula": "cs_score * 2"})
    answer = account.get("/crm/v3/limits/calculated-properties")
    assert (answer["overallUsage"], answer["byObjectType"][0]["usage"]) == (1, 1)


def test_label_limits_have_a_row_for_each_direction_of_pairs_with_labels():
    """A paired label is one in each direction; pairs without labels have no row."""
    account = Account()
    account.made(LABELS, {"name": "billing", "label": "Pays for", "inverseLabel": "Paid by"})
    rows = account.get("/crm/v3/limits/associations/labels")["results"]
    assert [(one["fromObjectType"]["objectTypeId"], one["usage"], one["allLabels"]) for one in rows] == [
        ("0-1", 1, ["Pays for"]),
        ("0-2", 1, ["Paid by"]),
    ]
    one_way = account.get("/crm/v3/limits/associations/labels?fromObjectTypeId=0-1&toObjectTypeId=0-2")["results"]
    assert [(one["limit"], one["percentage"]) for one in one_way] == [(50, 2.0)]


def test_deleted_labels_go_on_counting_for_a_while():
    """With lag the limits still see a label that is gone from the lists."""
    account = Account(limitsLagSeconds=40)
    account.made(LABELS, {"name": "billing", "label": "Pays for"})
    account.call("DELETE", LABELS + "/1")
    path = "/crm/v3/limits/associations/labels"
    assert [one["usage"] for one in account.get(path)["results"]] == [1, 1]
    account.portal.switches["limitsLagSeconds"] = 0
    assert account.get(path)["results"] == []


def test_pipeline_limits_leave_out_the_first_one():
    """The pipeline that every account has does not count."""
    account = Account()
    stages = [{"label": "New", "displayOrder": 0, "metadata": {"probability": "0.5"}}]
    account.made("/crm/v3/pipelines/deals", {"label": "Second", "displayOrder": 1, "stages": stages})
    rows = account.get("/crm/v3/limits/pipelines")["hubspotDefinedObjectTypes"]
    assert {one["objectTypeId"]: one["usage"] for one in rows if one["usage"]} == {"0-3": 1}


def test_record_limits_count_live_records():
    """Records in the recycle bin do not count."""
    account = Account()
    account.portal.add_records("0-1", [{"id": "1", "properties": {}}, {"id": "2", "properties": {}}])
    account.portal.state["records"]["0-1"]["2"]["archived"] = True
    rows = account.get("/crm/v3/limits/records")["hubspotDefinedObjectTypes"]
    assert {one["objectTypeId"]: one["usage"] for one in rows if one["usage"]} == {"0-1": 1}


@pytest.mark.parametrize(
    ("scopes", "area", "status"),
    [
        (["crm.schemas.contacts.read"], "custom-properties", 403),
        (["crm.objects.deals.read"], "custom-properties", 200),
        (["crm.schemas.custom.read"], "custom-object-types", 200),
        (["crm.schemas.custom.read"], "pipelines", 403),
    ],
)
def test_limits_want_an_object_scope_of_any_object(scopes, area, status):
    """Schema-only keys get 403, except on the number of custom objects."""
    assert scoped(*scopes).call("GET", f"/crm/v3/limits/{area}")[0] == status


@pytest.mark.parametrize(
    ("operator", "operand", "count"),
    [
        ("EQ", {"value": "lead"}, 2),
        ("EQ", {"value": "LEAD"}, 0),
        ("NEQ", {"value": "lead"}, 1),
        ("IN", {"values": ["lead", "customer"]}, 3),
        ("NOT_IN", {"values": ["lead"]}, 1),
        ("HAS_PROPERTY", {}, 3),
        ("NOT_HAS_PROPERTY", {}, 1),
        ("CONTAINS_TOKEN", {"value": "cust*"}, 1),
    ],
)
def test_a_search_counts_exactly(operator, operand, count):
    """The total of a search of one is the number of live records that fit."""
    account = Account()
    values = ["lead", "lead", "customer", ""]
    account.portal.add_records("0-1", [{"properties": {"lifecyclestage": value}} for value in values])
    account.portal.add_records("0-1", [{"id": "gone", "properties": {"lifecyclestage": "lead"}}])
    account.portal.state["records"]["0-1"]["gone"]["archived"] = True
    assert total(account, {"propertyName": "lifecyclestage", "operator": operator, **operand}) == count


def test_several_checkboxes_match_each_of_their_values():
    """IN and CONTAINS_TOKEN look into a multi-value text, EQ does not."""
    account = Account()
    account.portal.add_records("0-1", [{"properties": {"jobtitle": "a;b"}}])
    assert total(account, {"propertyName": "jobtitle", "operator": "IN", "values": ["b"]}) == 1
    assert total(account, {"propertyName": "jobtitle", "operator": "CONTAINS_TOKEN", "value": "B"}) == 1
    assert total(account, {"propertyName": "jobtitle", "operator": "EQ", "value": "b"}) == 0


@pytest.mark.parametrize(
    "one",
    [
        {"propertyName": "nothing", "operator": "HAS_PROPERTY"},
        {"propertyName": "email", "operator": "LIKE", "value": "x"},
        {"propertyName": "email", "operator": "EQ"},
    ],
)
def test_a_filter_that_cannot_be_is_400(one):
    """Unknown properties, operators without meaning and missing operands are refused."""
    assert Account().refused("POST", SEARCH, {"filterGroups": [{"filters": [one]}]})[0] == 400


def test_paging_ends_at_ten_thousand():
    """Groups are or-ed, pages go on after a number, and none goes beyond the limit."""
    account = Account()
    account.portal.add_records("0-1", [{"properties": {"email": f"{number}@example.com"}} for number in range(3)])
    page = account.made(SEARCH, {"limit": 2, "properties": ["email"]})
    assert (page["total"], page["paging"]) == (3, {"next": {"after": "2"}})
    assert page["results"][0]["properties"]["email"] == "0@example.com"
    assert "paging" not in account.made(SEARCH, {"limit": 2, "after": "2"})
    assert account.refused("POST", SEARCH, {"limit": 200, "after": "9900"})[0] == 400


def test_the_search_index_can_lag():
    """So many searches do not find a new record, as the switch says."""
    account = Account(searchLag=2)
    account.portal.add_records("0-1", [{"properties": {"email": "a@example.com"}}])
    assert [total(account) for _ in range(3)] == [0, 0, 1]


def test_counting_needs_the_object_scope():
    """A schema scope does not open the records."""
    assert scoped("crm.schemas.contacts.read").call("POST", SEARCH, {})[0] == 403
    assert scoped("crm.objects.contacts.read").call("POST", SEARCH, {})[0] == 200
