"""The answers have the fields that HubSpot's published specification names: all required ones, and no others."""

import pytest
from embedded_account import Account

PROPERTY = (
    "name label type fieldType groupName description options",
    "archived archivedAt calculated calculationFormula createdAt createdUserId currencyPropertyName dataSensitivity "
    "dateDisplayHint displayOrder externalOptions formField hasUniqueValue hidden hubspotDefined modificationMetadata "
    "numberDisplayHint referencedObjectType sensitiveDataCategories showCurrencySymbol textDisplayHint updatedAt "
    "updatedUserId",
)
OPTION = ("label value hidden", "description displayOrder")
GROUP = ("archived label name", "displayOrder")
STAGE = ("archived createdAt displayOrder id label metadata updatedAt", "archivedAt writePermissions")
PIPELINE = ("archived createdAt displayOrder id label stages updatedAt", "archivedAt")
AUDIT = ("action identifier portalId", "fromUserId message rawObject timestamp")
LABEL = ("category typeId", "label fromObjectTypeId toObjectTypeId")
BATCH = ("completedAt results startedAt status", "errors links numErrors requestedAt")
NEW = {"name": "p", "label": "P", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
CHOICE = {
    **NEW,
    "name": "tier",
    "type": "enumeration",
    "fieldType": "select",
    "options": [{"label": "A", "value": "a", "hidden": False, "displayOrder": 0}],
}


@pytest.fixture(scope="module")
def account():
    account = Account()
    account.made("/crm/v3/properties/contacts", NEW)
    account.made("/crm/v3/properties/contacts", CHOICE)
    stages = "/crm/v3/pipelines/contacts/contacts-lifecycle-pipeline/stages"
    account.made(stages, {"label": "Trial", "displayOrder": 2, "metadata": {"state": "OPEN"}})
    account.made("/crm/v4/associations/contacts/companies/labels", {"name": "pays", "label": "Pays"})
    return account


def fits(entry, shape):
    """What an answer lacks, and what it has beyond the specification."""
    required, optional = (set(part.split()) for part in shape)
    return sorted(required - entry.keys()), sorted(entry.keys() - required - optional)


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
@pytest.mark.parametrize(
    ("area", "rest", "shape"),
    [
        ("properties", "contacts", PROPERTY),
        ("properties", "contacts/groups", GROUP),
        ("pipelines", "contacts", PIPELINE),
        ("pipelines", "deals", PIPELINE),
        ("pipelines", "contacts/contacts-lifecycle-pipeline/stages", STAGE),
        ("pipelines", "contacts/contacts-lifecycle-pipeline/audit", AUDIT),
        ("associations", "contacts/companies/labels", LABEL),
    ],
)
def test_lists_hold_what_is_published(account, version, area, rest, shape):
    """Whoever reads with a generated client finds every required field, and nothing unknown."""
    undated = "v4" if area == "associations" else "v3"
    path = f"/crm/{undated}/{area}/{rest}" if version == "v3" else f"/crm/{area}/{version}/{rest}"
    listed = account.get(path)["results"]

    assert listed
    assert [fits(entry, shape) for entry in listed] == [([], [])] * len(listed)


def test_options_and_batches_hold_what_is_published(account):
    """The parts of answers too; a batch that succeeds in part says so beside its results."""
    options = [option for one in account.properties("contacts").values() for option in one["options"]]
    assert {str(fits(option, OPTION)) for option in options} == {"([], [])"}
    inputs = {"inputs": [{**NEW, "name": "q"}, {**NEW, "name": "p"}]}

    status, answer = account.call("POST", "/crm/v3/properties/contacts/batch/create", inputs)

    assert (status, fits(answer, BATCH)) == (207, ([], []))
    assert [one["name"] for one in answer["results"]] == ["q"]
