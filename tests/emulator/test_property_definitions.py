import json

import pytest

from reconciler.emulator import Portal

PROPERTIES = "/crm/v3/properties/contacts"
SCORE = {
    "name": "cs_score",
    "label": "Score",
    "type": "number",
    "fieldType": "number",
    "groupName": "contactinformation",
}
TIER = {
    "name": "cs_tier",
    "label": "Tier",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "contactinformation",
    "options": [{"label": "Gold", "value": "gold"}, {"label": "Free", "value": "free"}],
}


def text(name, **fields):
    return {**SCORE, "name": name, "type": "string", "fieldType": "text", **fields}


def values(definition):
    return [option["value"] for option in definition["options"]]


def test_a_created_property_has_hubspots_defaults(client):
    """What a create does not say is what HubSpot fills in, and the writer's user id stands in it."""
    answer = client.post(PROPERTIES, json=SCORE)

    assert answer.status_code == 201
    assert answer.headers["Location"] == "/crm/v3/properties/contacts/cs_score"
    made = answer.json()
    assert made["createdAt"] == made["updatedAt"]
    assert {key: value for key, value in made.items() if not key.endswith("At")} == {
        **SCORE,
        "description": "",
        "options": [],
        "createdUserId": "1001",
        "updatedUserId": "1001",
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "archived": False,
        "hasUniqueValue": False,
        "hidden": False,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
        "formField": False,
        "dataSensitivity": "non_sensitive",
    }


def test_hubspots_own_look_different(client):
    """Only HubSpot's own carry hubspotDefined, and they have no archived key and no user ids."""
    client.post(PROPERTIES, json=SCORE)
    listed = {one["name"]: one for one in client.get(PROPERTIES).json()["results"]}

    assert "hubspotDefined" not in listed["cs_score"]
    assert listed["cs_score"]["archived"] is False
    assert listed["email"]["hubspotDefined"] is True
    assert not {"archived", "createdUserId", "updatedUserId"} & listed["email"].keys()
    assert "createdAt" not in listed["hs_object_id"]


def test_the_list_is_by_name_and_not_paged(client):
    """One answer holds all properties in alphabetical order, those of lifecycle stages among them."""
    client.post(PROPERTIES, json=text("aaa"))
    answer = client.get(PROPERTIES).json()
    names = [one["name"] for one in answer["results"]]

    assert [*answer] == ["results"]
    assert names == sorted(names)
    assert names[0] == "aaa"
    assert "hs_v2_date_entered_lead" in names


@pytest.mark.parametrize("segment", ["contacts", "contact", "CONTACTS", "0-1"])
def test_object_types_have_many_spellings(client, segment):
    """Plural, singular, any case and the type id name the same object."""
    assert client.get(f"/crm/v3/properties/{segment}/email").json()["name"] == "email"


def test_an_unknown_object_type_cannot_be_inferred(client):
    """The refusal of an unknown object type has no category."""
    answer = client.get("/crm/v3/properties/gadgets")

    assert answer.status_code == 400
    assert answer.json()["message"] == "Unable to infer object type from: gadgets"
    assert "category" not in answer.json()


def test_options_are_echoed_as_sent_and_read_in_order(client):
    """A write answers options in the order of the request, a read by display order."""
    options = [
        {"label": "Gold", "value": "gold", "displayOrder": 1, "hidden": False},
        {"label": "Free", "value": "free", "displayOrder": 0, "hidden": False},
    ]
    answer = client.post(PROPERTIES, json={**TIER, "options": options})

    assert values(answer.json()) == ["gold", "free"]
    assert values(client.get(f"{PROPERTIES}/cs_tier").json()) == ["free", "gold"]


def test_an_option_without_order_comes_after_the_numbered_ones(client):
    """v3 fills in the next number for an option that has none."""
    options = [
        {"label": "A", "value": "a", "displayOrder": 1},
        {"label": "B", "value": "b", "displayOrder": 2},
        {"label": "C", "value": "c"},
    ]
    made = client.post(PROPERTIES, json={**TIER, "options": options}).json()

    assert [option["displayOrder"] for option in made["options"]] == [1, 2, 3]


def test_a_patch_replaces_all_options_and_records_keep_theirs(client, portal):
    """A left-out option is gone from the definition, but not from the records."""
    client.post(PROPERTIES, json=TIER)
    portal.add_records("0-1", [{"id": "1", "properties": {"cs_tier": "gold"}}])
    answer = client.patch(f"{PROPERTIES}/cs_tier", json={"options": [{"label": "Free", "value": "free"}]})

    assert values(answer.json()) == ["free"]
    assert portal.state["records"]["0-1"]["1"]["properties"] == {"cs_tier": "gold"}


def test_create_only_fields_are_ignored_in_a_patch(client):
    """HubSpot answers 200 to a change that it does not make, and no time moves."""
    made = client.post(PROPERTIES, json=SCORE).json()
    sent = {"name": "other", "hasUniqueValue": True, "dataSensitivity": "sensitive", "externalOptions": True}
    answer = client.patch(f"{PROPERTIES}/cs_score", json=sent)

    assert answer.status_code == 200
    assert answer.json() == made


def test_a_patch_says_who_and_when(portal, connect):
    """A change of a custom property moves updatedAt and names the token's user."""
    portal.state["tokens"] = {"key": {"userId": 77}, "other": {"userId": 88}}
    made = connect(portal, "key").post(PROPERTIES, json=SCORE).json()
    changed = connect(portal, "other").patch(f"{PROPERTIES}/cs_score", json={"label": "New"}).json()

    assert changed["updatedAt"] > made["updatedAt"]
    assert (changed["createdUserId"], changed["updatedUserId"]) == ("77", "88")


def test_customising_a_default_leaves_no_trace(client):
    """Options of a default that are open to portals change without updatedAt or a user id."""
    before = client.get(f"{PROPERTIES}/hs_lead_status").json()
    options = [*before["options"], {"label": "Nurture", "value": "NURTURE", "displayOrder": 8, "hidden": False}]
    after = client.patch(f"{PROPERTIES}/hs_lead_status", json={"options": options}).json()

    assert after["options"][-1]["value"] == "NURTURE"
    assert after == before | {"options": options}


def test_locked_defaults_refuse_changes_but_not_a_move(client, portal):
    """A read-only definition refuses label and options, while group and visibility are the portal's."""
    label = client.patch(f"{PROPERTIES}/email", json={"label": "Mail"})
    options = client.patch(f"{PROPERTIES}/lifecyclestage", json={"options": [{"label": "X", "value": "x"}]})
    hidden = client.patch(f"{PROPERTIES}/email", json={"hidden": True})
    portal.switches["readOnlyOptionsPatch"] = "ignore"
    ignored = client.patch(f"{PROPERTIES}/lifecyclestage", json={"options": [{"label": "X", "value": "x"}]})

    assert (label.status_code, options.status_code, hidden.status_code, ignored.status_code) == (400, 400, 200, 200)
    assert hidden.json()["hidden"] is True
    assert values(ignored.json())[0] == "subscriber"


def test_archivable_does_not_mean_that_it_can_be_archived(client):
    """A default says archivable and is refused all the same, with PROPERTY_INVALID in the body."""
    assert client.get(f"{PROPERTIES}/email").json()["modificationMetadata"]["archivable"] is True
    answer = client.delete(f"{PROPERTIES}/email")

    assert answer.status_code == 400
    assert "PROPERTY_INVALID" in answer.text


def test_archiving_and_restoring_by_name(client, clock):
    """A create with an archived name restores: the old createdAt, and defaults for what is not said."""
    made = client.post(PROPERTIES, json={**SCORE, "description": "old"}).json()
    assert client.delete(f"{PROPERTIES}/cs_score").status_code == 204
    assert client.get(f"{PROPERTIES}/cs_score").status_code == 404
    archived = client.get(f"{PROPERTIES}/cs_score?archived=true").json()
    assert archived["archived"] is True
    assert archived["archivedAt"] > made["updatedAt"]
    assert client.delete(f"{PROPERTIES}/cs_score").status_code == 404

    clock.seconds += 60
    restored = client.post(PROPERTIES, json=text("cs_score")).json()
    assert (restored["type"], restored["description"], restored["archived"]) == ("string", "", False)
    assert restored["createdAt"] == made["createdAt"]
    assert restored["updatedAt"] > made["updatedAt"]
    assert client.get(f"{PROPERTIES}?archived=true").json() == {"results": []}


def test_a_name_that_was_once_not_unique_never_becomes_unique(client):
    """Uniqueness cannot be had by archiving and creating anew."""
    client.post(PROPERTIES, json=text("cs_key"))
    client.delete(f"{PROPERTIES}/cs_key")
    answer = client.post(PROPERTIES, json=text("cs_key", hasUniqueValue=True))

    assert answer.status_code == 400
    assert "non-unique property with the same name previously existed" in answer.json()["message"]


def test_at_most_ten_are_unique(client):
    """The eleventh property with unique values is refused."""
    statuses = [
        client.post(PROPERTIES, json=text(f"key_{number}", hasUniqueValue=True)).status_code for number in range(11)
    ]

    assert statuses == [201] * 10 + [400]


def test_what_is_used_cannot_be_archived(client, portal):
    """The refusal lists each place in nested errors, formulas and workflows alike."""
    client.post(PROPERTIES, json=SCORE)
    formula = {**SCORE, "name": "cs_double", "fieldType": "calculation_equation", "calculationFormula": "2 * cs_score"}
    client.post(PROPERTIES, json=formula)
    used = {"cs_score": [{"type": "WORKFLOW", "display": "Workflow", "name": "Nightly"}]}
    portal.definitions("0-1")["uses"] = used
    answer = client.delete(f"{PROPERTIES}/cs_score").json()

    assert answer["subCategory"] == "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE"
    assert answer["context"] == {"usageCount": ["2"]}
    assert "currently used in 2 places" in answer["message"]
    assert [error["context"] for error in answer["errors"]] == [
        {
            "parentType": ["CALCULATED_PROPERTY"],
            "parentDisplayType": ["Calculated property"],
            "parentName": ["0-1/cs_double"],
        },
        {"parentType": ["WORKFLOW"], "parentDisplayType": ["Workflow"], "parentName": ["Nightly"]},
    ]


REFUSALS = [
    ("type", {"type": "text"}, None, "Cannot deserialize value of type"),
    ("fieldType", {"fieldType": "slider"}, None, "Enum type must be one of: [textarea, text,"),
    ("pair", {"fieldType": "text"}, "Properties.PROPERTY_CREATE_FAILED_VALIDATION", "Property failed validation."),
    ("group", {"groupName": "nowhere"}, "PropertyValidationError.PROPERTY_GROUP_DOES_NOT_EXIST", "'nowhere' does not"),
    ("name", {"name": "hs_mine"}, "PropertyValidationError.RESERVED_PROPERTY_NAME", "reserved prefix"),
    ("app", {"name": "a123_mine"}, "PropertyValidationError.RESERVED_PROPERTY_NAME", "reserved prefix"),
    ("case", {"name": "Mine"}, "PropertyValidationError.INVALID_PROPERTY_NAME", "is invalid"),
    ("label", {"label": None}, None, "Some required fields were not set: [label]"),
    (
        "options",
        {"type": "enumeration", "fieldType": "select"},
        "PropertyValidationError.MISSING_OPTIONS",
        "one option",
    ),
    (
        "bool",
        {"type": "bool", "fieldType": "booleancheckbox"},
        "PropertyValidationError.INVALID_BOOLEAN_OPTION",
        "more than two options",
    ),
    ("currency", {"currencyPropertyName": "x"}, "ONLY_CURRENCY_PROPERTIES_CAN_SPECIFY_CURRENCY", "currency"),
    ("sensitive", {"dataSensitivity": "sensitive"}, "PORTAL_NOT_ENABLED_FOR_SENSITIVE_DATA", "not enabled"),
    ("hint", {"numberDisplayHint": ""}, None, "NumberDisplayHint"),
    ("external", {"externalOptions": True}, "PropertyValidationError.INVALID_EXTERNAL_OPTIONS", "external options"),
]


@pytest.mark.parametrize(
    ("fields", "sub_category", "message"), [row[1:] for row in REFUSALS], ids=[r[0] for r in REFUSALS]
)
def test_refused_creates(client, fields, sub_category, message):
    """A create that HubSpot refuses is a 400 with its words, and makes nothing."""
    answer = client.post(PROPERTIES, json={**SCORE, **fields})

    assert answer.status_code == 400
    assert answer.json().get("subCategory") == sub_category
    assert message in answer.json()["message"]
    assert client.get(f"{PROPERTIES}/cs_score").status_code == 404


def test_an_active_name_is_taken(client):
    """A second create of one name is a 409 that names it."""
    client.post(PROPERTIES, json=SCORE)
    answer = client.post(PROPERTIES, json=SCORE)

    assert answer.status_code == 409
    assert answer.json()["message"] == "A property named 'cs_score' already exists."
    assert answer.json()["subCategory"] == "Properties.PROPERTY_WITH_NAME_EXISTS"


def test_dated_versions_want_whole_options(client):
    """v3 fills in hidden and displayOrder of an option; the dated versions refuse without them."""
    dated = client.post("/crm/properties/2026-03/contacts", json=TIER)

    assert dated.status_code == 400
    assert dated.json()["message"].endswith("Some required fields were not set: [hidden, displayOrder]")
    assert client.post(PROPERTIES, json=TIER).status_code == 201


@pytest.mark.parametrize("version", ["2025-09", "2026-03", "2026-09"])
def test_every_dated_version_shows_the_same(client, version):
    """The dated paths answer what v3 answers."""
    assert client.get(f"/crm/properties/{version}/contacts").content == client.get(PROPERTIES).content


def test_type_changes_in_place(client):
    """Enumeration to string clears the options; enumeration to bool is refused however many options are sent."""
    client.post(PROPERTIES, json=TIER)
    yes_no = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
    to_bool = {"type": "bool", "fieldType": "booleancheckbox", "options": yes_no}
    refused = client.patch(f"{PROPERTIES}/cs_tier", json=to_bool)
    changed = client.patch(f"{PROPERTIES}/cs_tier", json={"type": "string", "fieldType": "text"})

    assert refused.json()["subCategory"] == "PropertyValidationError.INVALID_BOOLEAN_OPTION"
    assert (changed.status_code, changed.json()["options"]) == (200, [])


def test_a_currency_symbol_stays_once_there_is_a_currency_property(client):
    """Even an empty currency property keeps the symbol on for good."""
    client.post(PROPERTIES, json={**SCORE, "showCurrencySymbol": True, "currencyPropertyName": ""})

    assert client.patch(f"{PROPERTIES}/cs_score", json={"showCurrencySymbol": False}).status_code == 400


FORMULAS = [
    ("10a", "10 * a"),
    ("(a + (b))*2.50", "(a + b) * 2.5"),
    ("a != b", "not (a equals b)"),
    ("a=b", "a equals b"),
    ("name +  ' x'", "concatenate(name, ' x')"),
    ('IF a > 1 THEN "x" ELSEIF a<2 THEN "y" ELSE "z" ENDIF', "if a > 1 then 'x'\nelseif a < 2 then 'y' else 'z' endif"),
    ("a - (b - 1)", "a - (b - 1)"),
    ("max(a,b)", "max(a, b)"),
    ("concatenate(name, 'e.g. [a] if(x')", "concatenate(name, 'e.g. [a] if(x')"),
]


@pytest.mark.parametrize(("sent", "stored"), FORMULAS)
def test_formulas_are_stored_in_hubspots_words(client, sent, stored):
    """A read shows the canonical formula, and sending that changes nothing any more."""
    for one in (SCORE | {"name": "a"}, SCORE | {"name": "b"}, text("name")):
        client.post(PROPERTIES, json=one)
    client.post(PROPERTIES, json={**SCORE, "name": "total", "calculationFormula": sent})
    read = client.get(f"{PROPERTIES}/total").json()

    assert (read["calculationFormula"], read["fieldType"], read["calculated"]) == (stored, "calculation_equation", True)
    assert read["modificationMetadata"]["readOnlyValue"] is True
    assert client.patch(f"{PROPERTIES}/total", json={"calculationFormula": stored}).json() == read


def test_a_create_still_shows_the_numbers_of_its_formula(client):
    """The answer to a create has number literals as sent; a formula naming nothing known is a 404."""
    client.post(PROPERTIES, json={**SCORE, "name": "a"})
    answer = client.post(PROPERTIES, json={**SCORE, "name": "half", "calculationFormula": "a*0.50"})
    missing = client.post(PROPERTIES, json={**SCORE, "name": "third", "calculationFormula": "nothing / 3"})

    assert answer.json()["calculationFormula"] == "a * 0.50"
    assert missing.status_code == 404


@pytest.mark.parametrize(
    "formula",
    ["[a]", "if(a > 1, 2, 3)", "TARGET.a", "a +", "a b", "a $ 2", "(" * 5000 + "a" + ")" * 5000, "a + " * 5000],
)
def test_no_formula_of_that_kind(client, formula):
    """What HubSpot's language does not have is a 400."""
    client.post(PROPERTIES, json={**SCORE, "name": "a"})

    assert client.post(PROPERTIES, json={**SCORE, "calculationFormula": formula}).status_code == 400


def test_a_formula_that_only_hubspot_can_write_holds_what_it_names(client, portal):
    """Recorded formulas may be in no language that a create takes; what they do not name can be archived."""
    for name in ("a", "b", "odd"):
        client.post(PROPERTIES, json={**SCORE, "name": name})
    formula = "if is_present(a) then b_c('b') else 1 else [x]"
    portal.definitions("0-1")["properties"]["odd"]["calculationFormula"] = formula

    assert client.delete(f"{PROPERTIES}/b").status_code == 204
    assert client.delete(f"{PROPERTIES}/a").json()["context"] == {"usageCount": ["1"]}


def test_a_batch_makes_what_it_can(client):
    """One taken name leaves the others made: 207, still COMPLETE, and results without times and users."""
    client.post(PROPERTIES, json=SCORE)
    answer = client.post(f"{PROPERTIES}/batch/create", json={"inputs": [SCORE, text("cs_note")]})
    body = answer.json()

    assert (answer.status_code, body["status"], body["numErrors"]) == (207, "COMPLETE", 1)
    assert [one["name"] for one in body["results"]] == ["cs_note"]
    assert not {"createdAt", "updatedAt", "createdUserId", "updatedUserId", "archived"} & body["results"][0].keys()
    assert body["errors"][0]["context"] == {"name": ["cs_score"]}
    assert body["errors"][0]["category"] == "OBJECT_ALREADY_EXISTS"


def test_batches_have_a_size(client):
    """More than a hundred inputs are refused whole."""
    inputs = [text(f"p_{number}") for number in range(101)]

    assert client.post(f"{PROPERTIES}/batch/create", json={"inputs": inputs}).status_code == 400
    assert client.post(f"{PROPERTIES}/batch/create", json={"inputs": inputs[:100]}).status_code == 201


def test_batch_read_and_archive(client):
    """A batch archive is a 204 for names that never were; a batch read lists what is missing."""
    client.post(PROPERTIES, json=SCORE)
    asked = {"archived": False, "dataSensitivity": "non_sensitive", "inputs": [{"name": "cs_score"}, {"name": "nope"}]}
    read = client.post(f"{PROPERTIES}/batch/read", json=asked)
    archived = client.post(f"{PROPERTIES}/batch/archive", json={"inputs": [{"name": "cs_score"}, {"name": "nope"}]})

    assert (read.status_code, read.json()["numErrors"]) == (207, 1)
    assert archived.status_code == 204
    assert [one["name"] for one in client.get(f"{PROPERTIES}?archived=true").json()["results"]] == ["cs_score"]


def test_sensitive_properties_are_on_a_list_of_their_own(client, portal, connect):
    """The plain list does not show them, and a key without the scope sees an empty list instead of a refusal."""
    portal.switches["sensitiveData"] = True
    client.post(PROPERTIES, json=text("cs_secret", dataSensitivity="sensitive"))
    portal.state["tokens"] = {"a-token": {"scopes": None}, "plain": {"scopes": ["crm.schemas.contacts.read"]}}
    hidden = connect(portal, "plain").get(f"{PROPERTIES}?dataSensitivity=sensitive")

    assert "cs_secret" not in client.get(PROPERTIES).text
    assert [one["name"] for one in client.get(f"{PROPERTIES}?dataSensitivity=sensitive").json()["results"]] == [
        "cs_secret"
    ]
    assert (hidden.status_code, hidden.json()) == (200, {"results": []})
    assert client.get(f"{PROPERTIES}/cs_secret").status_code == 404


def test_the_limit_of_custom_properties(client, portal):
    """One more than the limit is refused; HubSpot's own do not count."""
    portal.switches["propertyLimit"] = 1

    assert client.post(PROPERTIES, json=SCORE).status_code == 201
    assert client.post(PROPERTIES, json=text("one_more")).status_code == 400


GROUPS = f"{PROPERTIES}/groups"


def test_a_group_gets_the_next_place(client):
    """A group without a display order comes after all others, and a name can be used once."""
    last = max(group["displayOrder"] for group in client.get(GROUPS).json()["results"])
    made = client.post(GROUPS, json={"name": "cs", "label": "Success"})
    taken = client.post(GROUPS, json={"name": "cs", "label": "Success"})

    assert (made.status_code, taken.status_code) == (201, 409)
    assert made.json() == {"archived": False, "name": "cs", "label": "Success", "displayOrder": last + 1}
    assert client.patch(f"{GROUPS}/cs", json={"label": "CS", "name": "x"}).json()["label"] == "CS"


def test_a_group_with_live_properties_stays(client):
    """The refusal is JSON inside the message; archived members do not keep a group, and it is gone for good."""
    client.post(GROUPS, json={"name": "cs", "label": "Success"})
    client.post(PROPERTIES, json={**SCORE, "groupName": "cs"})
    refused = client.delete(f"{GROUPS}/cs")
    client.delete(f"{PROPERTIES}/cs_score")

    assert refused.status_code == 400
    inner = json.loads(refused.json()["message"])
    assert inner["subCategory"] == "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES"
    assert client.delete(f"{GROUPS}/cs").status_code == 204
    assert client.get(f"{GROUPS}/cs").status_code == 404
    assert client.post(PROPERTIES, json={**SCORE, "groupName": "cs"}).status_code == 400
    assert client.post(GROUPS, json={"name": "cs", "label": "Again"}).status_code == 201


def test_a_group_may_be_visible_late(client, portal):
    """With the switch on, the first create in a new group fails as if it was not there, and the second works."""
    portal.switches["lateGroups"] = True
    client.post(GROUPS, json={"name": "cs", "label": "Success"})
    statuses = [client.post(PROPERTIES, json={**SCORE, "groupName": "cs"}).status_code for _ in range(2)]

    assert statuses == [400, 201]


def test_lists_may_be_stale(client, portal):
    """With the switch on, as many lists after a write show the portal before it."""
    portal.switches["staleReads"] = 2
    before = client.get(PROPERTIES).json()
    client.post(PROPERTIES, json=SCORE)
    lists = [client.get(PROPERTIES).json() for _ in range(3)]

    assert [one == before for one in lists] == [True, True, False]


def test_stage_properties_cannot_be_touched(client):
    """What follows from stages is read only and its names are taken."""
    name = "hs_v2_date_entered_lead"

    assert client.delete(f"{PROPERTIES}/{name}").status_code == 400
    assert client.patch(f"{PROPERTIES}/{name}", json={"label": "x"}).status_code == 400
    assert client.post(PROPERTIES, json={**SCORE, "name": name}).status_code == 409
    assert client.delete(f"{GROUPS}/contactlcs").status_code == 400


def test_new_numbers_get_a_display_hint_once_hubspot_sends_it(connect):
    """With the switch on a number property has the neutral hint, and an empty one is refused."""
    portal = Portal.seeded("empty")
    portal.switches["numberDisplayHint"] = True
    client = connect(portal)

    assert client.post(PROPERTIES, json=SCORE).json()["numberDisplayHint"] == "formatted"
    assert client.patch(f"{PROPERTIES}/cs_score", json={"numberDisplayHint": ""}).status_code == 400
    assert client.patch(f"{PROPERTIES}/cs_score", json={"numberDisplayHint": None}).status_code == 200
