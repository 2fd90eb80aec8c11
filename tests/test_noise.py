"""Each entry of the public list of normalisations, on both sides: what is muted, and the nearest thing that is not."""

import pytest

from reconciler import baseline as baselines
from reconciler.drift import detect
from reconciler.kinds.properties import canonical
from reconciler.model import Collection, Resource, Snapshot
from reconciler.noise import NORMALISATIONS
from reconciler.quiet import normalised_json

THEN, NOW = "2025-03-01T00:00:00.000Z", "2025-06-01T12:00:00.000Z"
LOCKED = {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": False}
FREE = {**LOCKED, "readOnlyDefinition": False}
EVERY_KEY = {
    "type": "string",
    "fieldType": "text",
    "description": "",
    "displayOrder": -1,
    "options": [],
    "hidden": False,
    "formField": False,
    "hasUniqueValue": False,
    "externalOptions": False,
    "calculated": False,
    "createdAt": "2024-01-01T00:00:00.000Z",
    "updatedAt": THEN,
}
YES_NO = [{"value": "y", "label": "Yes", "displayOrder": 0}, {"value": "n", "label": "No", "displayOrder": 1}]
SAID = [{**one, "description": "What it means"} for one in YES_NO]
EMPTY = [{**one, "description": ""} for one in YES_NO]


def default(name="phone", **raw):
    """A property that HubSpot defines in every portal."""
    return prop(name, {"hubspotDefined": True, "groupName": "info", "modificationMetadata": LOCKED, **raw})


def custom(name="tier", **raw):
    """A property that the portal made."""
    raw = {"groupName": "own", "modificationMetadata": FREE, "archived": False, **raw}
    return prop(name, {"createdUserId": "7", "updatedUserId": "7", **raw})


def prop(name, raw):
    raw = {"name": name, "label": name.title(), **EVERY_KEY, **raw}
    return Resource("properties", f"properties/contacts/{name}", canonical(raw), raw)


def older(resource, *keys):
    """The same definition from a read that did not send some keys yet."""
    raw = {key: value for key, value in resource.facts.items() if key not in keys}
    return Resource(resource.kind, resource.address, canonical(raw), raw)


def group(order, label="Own"):
    address = "propertyGroups/contacts/own"
    return Resource("propertyGroups", address, {"label": label, "displayOrder": order}, {"name": "own"})


def stages(*names):
    """A lifecycle in this order."""
    for position, name in enumerate(names):
        here = {"label": name.title(), "position": position}
        facts = {"ids": {"contacts": name}, "stages": {"contacts": {"id": name, "updatedAt": THEN}}}
        yield Resource("lifecycleStages", f"lifecycleStages/{name}", {"contacts": here}, facts)


def declared(**attributes):
    return Resource("properties", "properties/contacts/tier", attributes)


def six(make, **raw):
    """Many definitions alike."""
    return [make(f"p{number}", **raw) for number in range(6)]


def numbered(*orders):
    """An option list with these numbers."""
    return [{"value": value, "label": value, "displayOrder": order} for value, order in zip("abc", orders, strict=True)]


MUTED = {
    "list-order": [([default("a"), custom("b")], [custom("b"), default("a")])],
    "touched": [
        ([default()], [default(updatedAt=NOW)]),
        ([custom()], [custom(updatedAt=NOW, updatedUserId="8")]),
    ],
    "created": [
        ([default()], [default(createdAt=NOW)]),
        ([custom()], [custom(createdAt="2023-01-01T00:00:00.000Z")]),
        ([default(), custom()], [default(createdAt=NOW), custom(createdAt=NOW)]),
    ],
    "time-format": [
        ([custom(updatedAt=1740787200000)], [custom(updatedAt=THEN)]),
        ([custom(createdAt="2024-01-01T02:00:00+02:00")], [custom()]),
        ([default(updatedAt=None)], [default(updatedAt="1970-01-01T00:00:00Z")]),
    ],
    "bookkeeping": [
        ([custom()], [custom(createdUserId=None, archivedAt=None, dateDisplayHint="absolute", newKey=1)]),
        ([older(custom(), "archived")], [custom()]),
    ],
    "unset": [
        ([default()], [default(referencedObjectType=None, showCurrencySymbol=False, calculationFormula="")]),
        ([custom()], [custom(hubspotDefined=False, dataSensitivity="non_sensitive", numberDisplayHint="formatted")]),
        ([custom(options=YES_NO)], [custom(options=[{**one, "hidden": False, "description": ""} for one in YES_NO])]),
        ([custom()], [custom(hidden=None, displayOrder=None, options=None)]),
    ],
    "api-key": [
        (six(custom), six(custom, numberDisplayHint="unformatted")),
        (six(default), six(default, numberDisplayHint="unformatted", updatedAt=NOW)),
        ([default()], [default(numberDisplayHint="unformatted", updatedAt=NOW)]),
        ([older(one, "hidden") for one in six(default, hidden=True)], six(default, hidden=True)),
        ([older(one, "options") for one in six(default, options=YES_NO)], six(default, options=YES_NO)),
        (
            six(custom, options=YES_NO),
            six(custom, options=[{**YES_NO[0], "hidden": False}, {**YES_NO[1], "hidden": True}]),
        ),
        (six(default, options=YES_NO)[:2], six(default, options=SAID)[:2]),
        (
            [default("hs_buying_role", options=YES_NO), default(options=YES_NO)],
            [default("hs_buying_role", options=SAID), default(options=[SAID[0], {**YES_NO[1], "description": ""}])],
        ),
    ],
    "filled-position": [(six(default), [default(f"p{number}", displayOrder=number) for number in range(6)])],
    "blanks": [
        ([default(description="a  b ")], [default(description="a b", updatedAt=NOW)]),
        ([custom(label="Plan tier")], [custom(label=" Plan  tier")]),
        ([custom(options=YES_NO)], [custom(options=[{**YES_NO[0], "label": "Yes "}, YES_NO[1]])]),
    ],
    "wording": [
        ([default(description="Set by a Pipeline.")], [default(description="Set by a pipeline", updatedAt=NOW)])
    ],
    "option-numbers": [
        ([custom(options=numbered(0, 1, 2))], [custom(options=numbered(5, 10, 15))]),
        ([custom(options=numbered(-1, -1, -1))], [custom(options=numbered(2, 1, 0))]),
        ([custom(options=numbered(0, 1, 2))], [custom(options=numbered(0, 1, 2)[::-1])]),
        ([custom(options=numbered(0, 0, 1))], [custom(options=numbered(1, 0, 2))]),
    ],
    "external-options": [([default(externalOptions=True, options=YES_NO)], [default(externalOptions=True)])],
    "stage-mirror": [([default("dealstage", options=YES_NO)], [default("dealstage", options=YES_NO[:1])])],
    "stage-family": [
        ([], [custom("hs_v2_date_entered_17", hubspotDefined=True)]),
        ([default("hs_time_in_lead", label="A")], [default("hs_time_in_lead", label="B")]),
    ],
    "stage-numbers": [(list(stages("lead", "won")), list(stages("gone", "lead", "won"))[1:])],
    "group-numbers": [([group(1)], [group(7)])],
    "any-position": [([custom(displayOrder=3)], [custom(displayOrder=9)], declared(displayOrder=-1))],
    "rights-key": [
        ([default()], [default(modificationMetadata={**LOCKED, "readOnlyOptions": True})]),
        ([default(modificationMetadata=None)], [default()]),
        ([default(calculated=None)], [default(calculated=True)]),
    ],
    "formula-spelling": [([custom(calculationFormula='if a = "b"')], [custom(calculationFormula="IF a  = 'b'")])],
}
DRIFT = {
    "list-order": [([custom("a"), custom("b")], [custom("b")])],
    "touched": [([default()], [default(updatedAt=NOW, label="B")]), ([default()], [default(label="B")])],
    "created": [([default(), custom()], [default(), custom(createdAt=NOW, updatedAt=NOW)])],
    "time-format": [([custom(updatedAt=1740787200000)], [custom(createdAt=1748779200000, updatedAt=1748779200000)])],
    "bookkeeping": [([default("a"), custom()], [default("a")])],
    "unset": [([custom()], [custom(showCurrencySymbol=True, updatedAt=NOW)]), ([custom()], [custom(hidden=True)])],
    "api-key": [
        ([custom()], [custom(numberDisplayHint="currency", updatedAt=NOW)]),
        (six(custom), [custom("p0", hidden=True, updatedAt=NOW), *six(custom)[1:]]),
        (six(default, numberDisplayHint="currency"), six(default, numberDisplayHint="percentage")),
        (
            six(custom),
            [custom(f"p{n}", numberDisplayHint="currency", updatedAt=f"2025-06-0{n + 1}T00:00:00Z") for n in range(6)],
        ),
        ([default("hs_buying_role", options=YES_NO)], [default("hs_buying_role", options=[SAID[0], YES_NO[1]])]),
        (six(default, options=EMPTY)[:2], six(default, options=SAID)[:2]),
        (
            [default("hs_persona", options=YES_NO), default("type", options=YES_NO)],
            [default(name, options=SAID, updatedAt=NOW, updatedUserId="8") for name in ("hs_persona", "type")],
        ),
        ([default()], [default(numberDisplayHint="currency", updatedAt=NOW, updatedUserId="8")]),
    ],
    "filled-position": [(six(default), [default("p0", displayOrder=4), *six(default)[1:]])],
    "blanks": [([custom(label="Plan tier")], [custom(label="Plantier")])],
    "wording": [
        ([default(description="Set by a pipeline.")], [default(description="Set by a stage.")]),
        ([custom(description="Ours.")], [custom(description="ours", updatedAt=NOW)]),
        ([default(label="Owner")], [default(label="owner")]),
    ],
    "option-numbers": [
        ([custom(options=numbered(0, 1, 2))], [custom(options=numbered(2, 1, 0))]),
        ([custom(options=numbered(0, 0, 1))], [custom(options=numbered(2, 0, 1))]),
    ],
    "external-options": [([default(options=YES_NO)], [default(externalOptions=True)])],
    "stage-mirror": [([default("source", options=YES_NO)], [default("source", options=YES_NO[:1])])],
    "stage-family": [
        ([default("hs_v2_date_entered_current_stage")], [default("hs_v2_date_entered_current_stage", label="B")]),
        (list(stages("lead", "won")), list(stages("lead"))),
    ],
    "stage-numbers": [(list(stages("lead", "won")), list(stages("won", "lead")))],
    "group-numbers": [([group(1)], [group(1, "B")])],
    "any-position": [([custom(displayOrder=3)], [custom(displayOrder=9)], declared(displayOrder=3))],
    "rights-key": [([default()], [default(modificationMetadata={**LOCKED, "readOnlyValue": True}, updatedAt=NOW)])],
    "formula-spelling": [([custom(calculationFormula="a + b")], [custom(calculationFormula="a + c")])],
}


def compared(before, after, *desired):
    known = Snapshot(before)
    lists = ("properties/contacts", "propertyGroups/contacts", "lifecycleStages/contacts")
    baseline = baselines.moved(None, known, list(known), collections=lists)
    return detect(baseline, Snapshot(after), Snapshot(desired), {name: Collection(name, "ok") for name in lists})


def test_every_normalisation_is_tested_on_both_sides():
    """An entry of the public list without a test, or a test without an entry, is a promise that nobody keeps."""
    names = [one.name for one in NORMALISATIONS]

    assert list(MUTED) == list(DRIFT) == names


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in MUTED.items() for case in cases])
def test_what_is_muted(name, case):
    """No drift, in either direction."""
    before, after, *desired = case

    assert compared(before, after, *desired).items == ()
    assert compared(after, before, *desired).items == ()


@pytest.mark.parametrize("rule", NORMALISATIONS, ids=lambda rule: rule.name)
def test_what_was_muted_is_listed(rule):
    """`--show-normalised` lists it by its rule, unless nothing of it is kept on both sides."""
    found = [compared(before, after, *desired) for before, after, *desired in MUTED[rule.name]]
    listed = {one["rule"] for drift in found for one in normalised_json(drift.normalised)}

    assert (rule.name in listed) == rule.counted


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in DRIFT.items() for case in cases])
def test_what_is_still_drift(name, case):
    """The nearest thing to each normalisation is an item."""
    before, after, *desired = case

    assert compared(before, after, *desired).items
