"""Bodies that are JSON, but not the JSON that a route wants."""

import pytest

PROPERTIES = "/crm/v3/properties/contacts"
PIPELINES = "/crm/v3/pipelines"
LABELS = "/crm/v4/associations/contacts/companies/labels"
CONFIGURATIONS = "/crm/v4/associations/definitions/configurations/contacts/companies/batch"
SCHEMAS = "/crm-object-schemas/v3/schemas"
SEARCH = "/crm/v3/objects/contacts/search"
NOTE = {"name": "note", "label": "Note", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
STAGE = {"label": "New", "displayOrder": 0, "metadata": {"probability": "0.5"}}
CAR = {"name": "car", "labels": {"singular": "Car", "plural": "Cars"}, "primaryDisplayProperty": "hs_object_id"}
FILTER = {"propertyName": "email", "operator": "EQ", "value": "a"}

WRONG = [
    ("POST", PROPERTIES, [NOTE]),
    ("POST", PROPERTIES, {**NOTE, "displayOrder": 2**40}),
    ("POST", PROPERTIES, {**NOTE, "options": {"a": 1}}),
    ("POST", PROPERTIES, {**NOTE, "options": [None]}),
    ("POST", f"{PROPERTIES}/batch/create", {"inputs": NOTE}),
    ("POST", f"{PROPERTIES}/batch/create", {"inputs": ["note"]}),
    ("POST", f"{PROPERTIES}/batch/read", {"inputs": ["email"]}),
    ("POST", f"{PROPERTIES}/batch/read", {"inputs": [{}]}),
    ("POST", f"{PROPERTIES}/batch/archive", {"inputs": 1}),
    ("POST", f"{PROPERTIES}/batch/archive", {"inputs": [{"name": ["email"]}]}),
    ("PATCH", f"{PROPERTIES}/groups/contactinformation", {"label": "Other", "displayOrder": "last"}),
    ("POST", f"{PIPELINES}/deals", {"label": "Sales 2", "displayOrder": 1, "stages": "New"}),
    ("POST", f"{PIPELINES}/deals", {"label": "Sales 2", "displayOrder": 1, "stages": [None]}),
    ("POST", f"{PIPELINES}/tickets", {"label": "A", "displayOrder": 1, "pipelineId": "default", "stages": [{}]}),
    ("POST", f"{PIPELINES}/deals", {"label": "A", "displayOrder": 1, "pipelineId": ["a"], "stages": [STAGE]}),
    ("POST", f"{PIPELINES}/deals/default/stages", {**STAGE, "stageId": {"a": 1}}),
    ("PUT", f"{PIPELINES}/deals/default", {"label": "Sales", "displayOrder": 0, "stages": {"New": STAGE}}),
    ("POST", f"{PIPELINES}/deals/default/stages", {**STAGE, "metadata": "0.5"}),
    ("PATCH", f"{PIPELINES}/deals/default/stages/closedwon", {"metadata": []}),
    ("POST", LABELS, {"name": "buyer", "label": ["Buyer"]}),
    ("POST", f"{CONFIGURATIONS}/create", {"inputs": {"typeId": 1}}),
    ("POST", f"{CONFIGURATIONS}/purge", {"inputs": [1]}),
    ("POST", SCHEMAS, {**CAR, "labels": "Car"}),
    ("POST", SCHEMAS, {**CAR, "properties": {"vin": NOTE}}),
    ("POST", SCHEMAS, {**CAR, "properties": [{"label": "Vin"}]}),
    ("POST", SCHEMAS, {**CAR, "requiredProperties": [["hs_object_id"]]}),
    ("POST", SCHEMAS, {**CAR, "associatedObjects": "contacts"}),
    ("POST", SCHEMAS, {**CAR, "associatedObjects": ["nothing"]}),
    ("POST", f"{SCHEMAS}/batch/read", {"inputs": [{"id": "contacts"}]}),
    ("POST", SEARCH, {"filterGroups": FILTER}),
    ("POST", SEARCH, {"filterGroups": [{"filters": FILTER}]}),
    ("POST", SEARCH, {"filterGroups": [{"filters": [{**FILTER, "propertyName": []}]}]}),
    ("POST", SEARCH, {"limit": "many"}),
    ("POST", SEARCH, {"after": ["1"]}),
]


@pytest.mark.parametrize(("method", "path", "body"), WRONG)
def test_a_body_of_the_wrong_shape_is_a_400_and_changes_nothing(client, portal, method, path, body):
    """The deserialiser refuses it in HubSpot's error body, as it does a body that is no JSON at all."""
    before = {kind: str(portal.state[kind]) for kind in ("objects", "pipelines", "labels", "schemas")}
    answer = client.request(method, path, json=body)

    assert (answer.status_code, answer.json()["status"]) == (400, "error")
    assert "category" not in answer.json()
    assert {kind: str(portal.state[kind]) for kind in before} == before


def test_a_body_without_end_is_refused(client):
    """A document nested deeper than any reader goes is one of the bodies that are no JSON."""
    answer = client.post(PROPERTIES, content="[" * 100_000, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400


def test_an_empty_formula_is_none(client):
    """A tool that sends every field it knows makes a plain property, and is answered what was made."""
    answer = client.post(PROPERTIES, json={**NOTE, "calculationFormula": ""})

    assert (answer.status_code, answer.json()["calculated"]) == (201, False)
    assert "calculationFormula" not in client.get(f"{PROPERTIES}/note").json()


def test_a_refused_schema_leaves_the_archived_one_of_its_name(client):
    """Only a create that goes through purges the archived object type, and one that fails leaves nothing behind."""
    made = client.post(SCHEMAS, json=CAR).json()["objectTypeId"]
    client.delete(f"{SCHEMAS}/{made}")
    refused = client.post(SCHEMAS, json={**CAR, "associatedObjects": ["nothing"]})

    assert refused.status_code == 400
    listed = client.get(f"{SCHEMAS}?archived=true").json()["results"]
    assert [(one["objectTypeId"], one["archived"]) for one in listed] == [(made, True)]
