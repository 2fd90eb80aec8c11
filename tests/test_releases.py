"""HubSpot's releases (real-drift.md 5) on the embedded portal, told apart from the same edits by a colleague."""

import copy
import json
from functools import cache

import pytest

from reconciler import baseline as baselines
from reconciler.client import Client
from reconciler.drift import detect
from reconciler.emulator import Portal, create_app, edit, release
from reconciler.kinds import Scope
from reconciler.model import Snapshot
from reconciler.observe import observe, read
from reconciler.paths import Api

WATCH = ("contacts", "companies", "deals")
HUBSPOT, USER, NOBODY = "hubspot", "user", "unknown"
# By release: what drift says of HubSpot, and what it says when a colleague makes the same changes, where they can.
EXPECTED = {
    "property-added": ({("vendor.added", HUBSPOT)}, None),
    "deprecated": (
        {("vendor.added", HUBSPOT), ("vendor.described", HUBSPOT), ("vendor.relabelled", HUBSPOT)},
        {("vendor.described", NOBODY), ("vendor.relabelled", NOBODY)},
    ),
    "discontinued": ({("vendor.relabelled", HUBSPOT)}, {("vendor.relabelled", NOBODY)}),
    "product-rename": ({("vendor.relabelled", NOBODY)}, {("vendor.relabelled", NOBODY)}),  # a text layer without times
    "label-harmonised": ({("vendor.relabelled", HUBSPOT)}, None),
    "definition-opened": ({("vendor.flags-changed", HUBSPOT)}, None),
    "external-references": ({("vendor.flags-changed", HUBSPOT)}, None),
    "described": ({("vendor.described", HUBSPOT)}, {("vendor.described", NOBODY)}),
    "hidden": ({("portal.changed", USER)}, {("portal.changed", USER)}),  # nearly always the portal's own
    "type-changed": ({("vendor.type-changed", HUBSPOT)}, None),
    "field-type-changed": ({("vendor.type-changed", HUBSPOT)}, None),
    "option-added": (
        {("vendor.options-changed", HUBSPOT)},
        {("portal.changed", USER), ("vendor.options-changed", HUBSPOT)},  # HubSpot says that some are locked
    ),
    "option-removed": ({("vendor.options-changed", HUBSPOT)}, {("portal.changed", USER)}),
    "option-relabelled": ({("vendor.options-changed", HUBSPOT)}, None),
    "options-reordered": ({("vendor.options-changed", HUBSPOT)}, {("portal.changed", USER)}),
    "flags-changed": ({("vendor.flags-changed", HUBSPOT)}, None),
    "group-appears": ({("portal.changed", HUBSPOT)}, None),
    "formula-repointed": ({("vendor.flags-changed", HUBSPOT)}, None),
    "properties-removed": ({("vendor.removed", HUBSPOT)}, None),
    "new-family": ({("vendor.added", HUBSPOT)}, None),
    "feature-enabled": ({("vendor.added", HUBSPOT)}, None),
    "mass-touch": (set(), set()),
    "number-display-hint": (set(), None),
}


@cache
def fresh():
    """The state of a new portal, as text, and the baseline of it."""
    portal = Portal.seeded("default")
    live, _ = looked(portal)
    return json.dumps(portal.state), baselines.moved(None, live, list(live), collections=lists())


def lists():
    return [f"{kind}/{name}" for kind in ("properties", "propertyGroups") for name in WATCH]


def looked(portal):
    """The live definitions, and how the lists were read."""
    scope = Scope(Api("v3"), WATCH)
    seen = observe(scope, read(Client.for_app(create_app(portal), "token").reader(), scope))
    return seen.snapshot, seen.collections


def opened():
    """The same portal again, to do something to."""
    return Portal(json.loads(fresh()[0]))


def found(portal):
    """What drift says: class, actor and address."""
    live, collections = looked(portal)
    items = detect(fresh()[1], live, Snapshot(), collections).items
    return {(one.drift_class, one.actor.type) for one in items}, {one.address for one in items}


def definitions(portal):
    return {
        f"properties/{of['name']}/{name}": copy.deepcopy(one)
        for of in portal.state["objects"].values()
        for name, one in of["properties"].items()
    }


def test_every_release_has_its_verdict():
    """Nobody adds a release to the embedded portal without saying what drift makes of it."""
    from reconciler.emulator import actor

    assert list(EXPECTED) == list(actor.RELEASES)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_hubspot_shipped(name):
    """Each release is found at exactly the definitions that it touched, in its class and by its author."""
    portal = opened()
    touched = {one for one in release(portal, name) if one.split("/")[1] in WATCH}

    verdicts, addresses = found(portal)

    assert verdicts == EXPECTED[name][0]
    assert addresses == (touched if verdicts else set())
    assert touched


@pytest.mark.parametrize("name", [name for name, (_, user) in EXPECTED.items() if user is not None])
def test_what_a_colleague_did(name):
    """The same changes, made in the settings of the portal, are told apart where anything tells them apart."""
    shipped, settings = opened(), opened()
    before = definitions(shipped)
    release(shipped, name)
    for address, now in definitions(shipped).items():
        was = before.get(address, now)
        fields = {key: now[key] for key in now if key != "updatedAt" and now[key] != was.get(key)}
        if fields and address.split("/")[1] in WATCH:
            edit(settings, "change", object=address.split("/")[1], property=address.split("/")[2], fields=fields)

    assert found(settings)[0] == EXPECTED[name][1]


def test_a_release_and_a_colleague_at_once():
    """Both in one check: each with its own author, down to the fields of one definition."""
    portal = opened()
    release(portal, "discontinued")
    edit(portal, "hide", object="contacts", property="currentlyinworkflow")
    edit(portal, "add-option", object="contacts", property="hs_lead_status", value="NURTURE")

    items = detect(fresh()[1], looked(portal)[0], Snapshot(), looked(portal)[1]).items

    assert [(one.drift_class, one.address.rpartition("/")[2], one.actor.type) for one in items] == [
        ("vendor.relabelled", "currentlyinworkflow", "hubspot"),
        ("portal.changed", "currentlyinworkflow", "user"),
        ("portal.changed", "hs_lead_status", "user"),
    ]
