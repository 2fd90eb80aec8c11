import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import baseline as baselines
from reconciler.diff import FieldChange
from reconciler.drift import SEVERITY, detect, drift_items_json
from reconciler.kinds.properties import canonical
from reconciler.model import Collection, Resource, Snapshot, Source
from reconciler.receipts import OwnWrites

LOCKED = {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": False}
FREE = {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False}
THEN, NOW = "2025-03-01T00:00:00.000Z", "2025-06-01T12:00:00.000Z"
COMMON = {"type": "string", "fieldType": "text", "description": "", "displayOrder": -1, "options": []}
TIMES = {"createdAt": "2024-01-01T00:00:00.000Z", "updatedAt": THEN}
TIERS = [
    {"value": "free", "label": "Free", "displayOrder": 0},
    {"value": "gold", "label": "Gold", "displayOrder": 1},
]


def custom(name="tier", **raw):
    """A property that the portal made."""
    raw = {**COMMON, **TIMES, "groupName": "own", "modificationMetadata": FREE, "archived": False, **raw}
    return _prop(name, {"createdUserId": "7", "updatedUserId": "7", "calculated": False, **raw})


def default(name="phone", **raw):
    """A property that HubSpot defines in every portal."""
    raw = {**COMMON, **TIMES, "groupName": "contactinformation", "modificationMetadata": LOCKED, **raw}
    return _prop(name, {"hubspotDefined": True, "calculated": False, **raw})


def local(name, **raw):
    """A property that HubSpot defines because of something in this portal."""
    return default(name, **{"archived": False, **raw})


def _prop(name, raw):
    raw = {"name": name, "label": name.title(), **raw}
    return Resource("properties", f"properties/contacts/{name}", canonical(raw), raw)


def spec(name="tier", **attributes):
    """A declared property; options are given as pairs of value and label."""
    listed = attributes.pop("options", None)
    if listed is not None:
        attributes["options"] = {value: {"label": label} for value, label in listed}
    source = Source("specs/contacts.yaml", 3, 5)
    return Resource("properties", f"properties/contacts/{name}", attributes, {}, source)


FULL = {"label": "Tier", "type": "string", "fieldType": "text", "groupName": "own"}
ANCHORS = (default("firstname"), custom("anchor"))  # in every list, so that the archived key can tell


def ok(*names):
    return {name: Collection(name, "ok") for name in names}


def drift(before, after, *desired, managed=(), collections=None, whole=("properties/contacts",), **more):
    """The drift between two lists of definitions."""
    known = Snapshot([*ANCHORS, *before])
    baseline = baselines.moved(None, known, list(known), managed=frozenset(managed), collections=whole)
    observed = Snapshot([*ANCHORS, *after])
    return detect(baseline, observed, Snapshot(desired), collections or ok("properties/contacts"), **more)


def classes(found):
    return [(item.drift_class, item.address.rpartition("/")[2], item.severity) for item in found.items]


def actors(found):
    return [(item.actor.type, item.actor.confidence) for item in found.items]


# --- no false alarm --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (default(), default()),
        (default(), default(updatedAt=NOW)),
        (custom(), custom(updatedAt=NOW, updatedUserId="8")),
        (default(), default(createdAt=NOW)),
        (custom(), custom(createdAt="2023-01-01T00:00:00.000Z")),
        (default(description="a  b "), default(description="a b", updatedAt=NOW)),
        (custom(label="Plan tier"), custom(label=" Plan  tier")),
        (default(), default(hubspotDefined=True, referencedObjectType=None, showCurrencySymbol=False)),
        (custom(), custom(hubspotDefined=False, dataSensitivity="non_sensitive", numberDisplayHint="formatted")),
        (default(calculated=False), default(calculated=False, dateDisplayHint="absolute", someNewKey=True)),
        (custom(options=TIERS), custom(options=[{**one, "hidden": False, "description": ""} for one in TIERS])),
        (custom(options=TIERS), custom(options=TIERS[::-1])),
        (default(externalOptions=True, options=TIERS), default(externalOptions=True, options=[])),
        (default(modificationMetadata={}), default(modificationMetadata=LOCKED)),
        (default(modificationMetadata=LOCKED), default(modificationMetadata={**LOCKED, "readOnlyOptions": True})),
    ],
)
def test_what_is_no_drift(before, after):
    """Touched times, blanks, unset keys and the order of sending are never drift, in either direction."""
    assert drift([before], [after]).items == ()
    assert drift([after], [before]).items == ()


def test_options_that_share_a_position_have_no_order():
    """Real lists carry displayOrder -1 on every option; they come in any order."""
    tied = [{**one, "displayOrder": -1} for one in TIERS]

    assert drift([custom(options=tied)], [custom(options=tied[::-1])]).items == ()


def test_a_new_option_in_front_is_one_fact():
    """It renumbers all others, and that is nothing of its own."""
    new = [{"value": "trial", "label": "Trial", "displayOrder": 0}]
    moved = [{**one, "displayOrder": one["displayOrder"] + 1} for one in TIERS]

    found = drift([custom(options=TIERS)], [custom(options=new + moved, updatedAt=NOW)])

    assert [one.change.path for one in found.items[0].fields] == ["options/trial"]


def test_properties_of_stages_are_counted_and_never_an_item():
    """They follow from stages, so they come, go and are renamed with them (C.4), one line a pipeline."""
    before = [
        default("hs_v2_date_entered_lead", label='Date entered "Lead (Sales)"'),
        local("hs_v2_date_entered_17", label='Date entered "Trial (Sales)"'),
    ]
    after = [
        default("hs_v2_date_entered_lead", label='Date entered "Prospect (Sales)"'),
        local("hs_v2_date_entered_99", label='Date entered "Won (Partners)"'),
    ]

    found = drift(before, after)

    assert found.items == ()
    assert [one.as_json() for one in found.muted] == [
        {
            "cause": "per-stage properties of contacts, Partners",
            "count": 1,
            "addresses": ["properties/contacts/hs_v2_date_entered_99"],
        },
        {
            "cause": "per-stage properties of contacts, Sales",
            "count": 2,
            "addresses": ["properties/contacts/hs_v2_date_entered_17", "properties/contacts/hs_v2_date_entered_lead"],
        },
    ]


def test_the_mirror_of_the_stages_is_muted():
    """Options of lifecyclestage repeat the lifecycle, which is compared as stages."""
    found = drift([default("lifecyclestage", options=TIERS)], [default("lifecyclestage", options=TIERS[:1])])

    assert found.items == ()
    assert [(one.cause, one.count) for one in found.muted] == [("options of lifecyclestage that mirror stages", 1)]


def test_a_key_that_appears_on_many_at_once_is_a_change_of_the_api():
    """numberDisplayHint came to every number property in 2026 without any of them being touched (G.4)."""
    before = [custom(f"n{number}", type="number") for number in range(9)]
    after = [custom(f"n{number}", type="number", numberDisplayHint="unformatted") for number in range(9)]

    forth, back = drift(before, after), drift(after, before)

    assert forth.items == back.items == ()
    assert [one.count for one in forth.muted] == [9]


def test_a_key_that_one_edit_sets_is_drift():
    """A person who sets a display hint moves updatedAt of that property alone."""
    before = [custom(f"n{number}", numberDisplayHint="percentage") for number in range(2)]

    found = drift([*before, custom()], [*before, custom(numberDisplayHint="currency", updatedAt=NOW)])

    assert classes(found) == [("unmanaged.changed", "tier", "low")]


def test_what_was_not_read_is_not_missing():
    """A list that is not in a recorded read says nothing; one that HubSpot denies is an item of its own."""
    gone = {"properties/contacts": Collection("properties/contacts", "not_read")}
    denied = {"properties/contacts": Collection("properties/contacts", "denied", detail="HubSpot answered 403")}

    assert drift([custom()], [], collections=gone).items == ()
    found = drift([custom()], [], collections=denied)
    assert [(one.drift_class, one.address, one.severity) for one in found.items] == [
        ("access.unreadable", "properties/contacts", "high")
    ]
    assert found.items[0].actor.evidence == "HubSpot answered 403"


def test_a_list_that_nobody_watches_may_be_denied():
    """A collection without baseline and without declarations is no news when it cannot be read."""
    lists = {**ok("properties/contacts"), "properties/deals": Collection("properties/deals", "denied")}

    assert drift([], [], collections=lists).items == ()


def test_a_collection_without_baseline_is_never_added():
    """What was never recorded whole cannot tell what is new; what was recorded of it is still compared."""
    found = drift([custom("b", label="B")], [custom("a"), custom("b", label="C")], whole=())

    assert classes(found) == [("unmanaged.changed", "b", "low")]


# --- classes ---------------------------------------------------------------------------------------------------------

EDITABLE = {**LOCKED, "readOnlyOptions": False}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, default(createdAt=NOW), ("vendor.added", "info", "hubspot", "certain")),
        (None, default(createdAt=NOW, createdUserId="9"), ("vendor.added", "info", "user", "likely")),
        (None, default(createdAt="2024-02-01T00:00:00Z"), ("vendor.added", "info", "hubspot", "likely")),
        (None, default(createdAt=None, updatedAt=None), ("vendor.added", "info", "hubspot", "likely")),
        (default(), None, ("vendor.removed", "high", "hubspot", "likely")),
        (default(), default(label="B", updatedAt=NOW), ("vendor.relabelled", "info", "hubspot", "likely")),
        (default(), default(label="B"), ("vendor.relabelled", "info", "unknown", "unknown")),
        (
            default(),
            default(label="Phone (legacy)", updatedAt=NOW),
            ("vendor.relabelled", "medium", "hubspot", "likely"),
        ),
        (default(), default(description="b", updatedAt=NOW), ("vendor.described", "info", "hubspot", "likely")),
        (
            default(),
            default(fieldType="phonenumber", updatedAt=NOW),
            ("vendor.type-changed", "high", "hubspot", "likely"),
        ),
        (default(), default(type="datetime"), ("vendor.type-changed", "high", "hubspot", "likely")),
        (
            default(modificationMetadata=FREE),
            default(modificationMetadata=FREE, type="enumeration"),
            ("vendor.type-changed", "high", "user", "likely"),
        ),
        (
            default(),
            default(modificationMetadata=FREE),
            ("vendor.flags-changed", "medium", "hubspot", "likely"),
        ),
        (
            default(modificationMetadata=FREE),
            default(modificationMetadata=FREE, hasUniqueValue=True),
            ("vendor.flags-changed", "medium", "hubspot", "likely"),
        ),
        (
            default(),
            default(hasUniqueValue=True, updatedAt=NOW),
            ("vendor.flags-changed", "medium", "hubspot", "likely"),
        ),
        (default(), default(calculated=True), ("vendor.flags-changed", "medium", "hubspot", "likely")),
        (
            default(),
            default(modificationMetadata={**LOCKED, "readOnlyValue": True}, updatedAt=NOW),
            ("vendor.flags-changed", "medium", "hubspot", "likely"),
        ),
        (
            default(),
            default(externalOptions=True, updatedAt=NOW),
            ("vendor.flags-changed", "info", "hubspot", "likely"),
        ),
        (
            default(calculationFormula="a"),
            default(calculationFormula="b", updatedAt=NOW),
            ("vendor.flags-changed", "info", "hubspot", "likely"),
        ),
        (
            default(options=TIERS[:1]),
            default(options=TIERS, updatedAt=NOW),
            ("vendor.options-changed", "medium", "hubspot", "likely"),
        ),
        (
            default(options=TIERS[:1], modificationMetadata=EDITABLE),
            default(options=TIERS, modificationMetadata=EDITABLE),
            ("portal.changed", "low", "user", "likely"),
        ),
        (
            default(options=TIERS[:1], modificationMetadata=EDITABLE),
            default(options=TIERS, modificationMetadata=EDITABLE, updatedAt=NOW),
            ("vendor.options-changed", "medium", "hubspot", "likely"),
        ),
        (
            default(options=TIERS[:1], modificationMetadata={**LOCKED, "readOnlyOptions": True}),
            default(options=TIERS, modificationMetadata={**LOCKED, "readOnlyOptions": True}),
            ("vendor.options-changed", "medium", "hubspot", "likely"),
        ),
        (default(options=TIERS[:1]), default(options=TIERS), ("portal.changed", "low", "user", "likely")),
        (
            default(options=TIERS),
            default(options=[TIERS[0], {**TIERS[1], "label": "Golden"}]),
            ("vendor.options-changed", "medium", "hubspot", "likely"),
        ),
        (default("hs_persona"), default("hs_persona", options=TIERS), ("portal.changed", "low", "user", "likely")),
        (default(), default(hidden=True), ("portal.changed", "low", "user", "likely")),
        (default(), default(groupName="unused"), ("portal.changed", "low", "user", "likely")),
        (
            default(groupName=""),
            default(groupName="sales", updatedAt=NOW),
            ("portal.changed", "low", "hubspot", "likely"),
        ),
        (default(), default(hidden=True, updatedAt=NOW), ("portal.changed", "low", "user", "likely")),
        (default(), default(hidden=True, updatedUserId="9"), ("portal.changed", "low", "user", "likely")),
        (
            default(),
            default(label="B", updatedAt=NOW, updatedUserId="9"),
            ("portal.changed", "low", "user", "likely"),
        ),
        (
            default(options=TIERS[:1]),
            default(options=TIERS, updatedAt=NOW, updatedUserId="9"),
            ("portal.changed", "low", "user", "likely"),
        ),
        (None, local("salesforceaccountid"), ("portal.added", "low", "integration", "likely")),
        (
            local("a123_total"),
            local("a123_total", label="B", updatedAt=NOW),
            ("portal.changed", "low", "integration", "likely"),
        ),
        (None, local("hs_email_optout_12", createdUserId="9"), ("portal.added", "low", "user", "likely")),
        (local("hs_email_optout_12"), None, ("portal.removed", "low", "unknown", "unknown")),
        (
            local("hs_email_optout_12"),
            local("hs_email_optout_12", label="B", updatedAt=NOW, updatedUserId="9"),
            ("portal.changed", "low", "user", "likely"),
        ),
        (None, custom(createdAt=NOW), ("unmanaged.added", "low", "user", "likely")),
        (None, custom(createdUserId=None), ("unmanaged.added", "low", "integration", "likely")),
        (custom(), None, ("unmanaged.removed", "low", "unknown", "unknown")),
        (custom(), custom(label="B", updatedAt=NOW, updatedUserId="9"), ("unmanaged.changed", "low", "user", "likely")),
        (
            custom(),
            custom(label="B", updatedAt=NOW, updatedUserId=None),
            ("unmanaged.changed", "low", "integration", "likely"),
        ),
        (custom(), custom(label="B"), ("unmanaged.changed", "low", "unknown", "unknown")),
    ],
)
def test_what_nobody_declares(before, after, expected):
    """Each kind of change has its class, severity, and an actor by the table of hubspot-api.md G.2."""
    found = drift([before] if before else [], [after] if after else [])

    told = [(one.drift_class, one.severity, one.actor.type, one.actor.confidence) for one in found.items]
    assert told == [expected]


def test_a_mass_touch_hides_no_edit_of_the_portal():
    """Where many moved at one instant with nothing to see, the time of one that a portal edited tells nothing."""
    before = [default(f"d{number}") for number in range(6)]
    after = [default(f"d{number}", updatedAt=NOW) for number in range(6)]
    was = default("hs_lead_status", options=TIERS[:1], modificationMetadata=EDITABLE)
    now = default("hs_lead_status", options=TIERS, modificationMetadata=EDITABLE, updatedAt=NOW)

    found = drift([*before, was], [*after, now])

    assert classes(found) == [("portal.changed", "hs_lead_status", "low")]
    assert actors(found) == [("user", "likely")]


def test_a_group_of_hubspots_tells_nobody():
    """HubSpot keeps no times of groups, and a portal may rename those that HubSpot made."""
    address = "propertyGroups/contacts/contactinformation"
    known, live = (
        Resource("propertyGroups", address, {"label": label, "displayOrder": 0}, {"name": "contactinformation"})
        for label in ("Contact information", "About them")
    )
    lists = ("properties/contacts", "propertyGroups/contacts")

    found = drift([known], [live], collections=ok(*lists), whole=lists)

    assert classes(found) == [("vendor.relabelled", "contactinformation", "info")]
    assert actors(found) == [("unknown", "unknown")]


def test_who_added_a_definition_is_not_certain_where_a_list_tells_nobodys_apart():
    """An old answer has the archived key on none of its entries, so that a name is all there is to go by."""
    old = _prop("anchor", {**custom("anchor").facts, "archived": None})

    found = drift([old], [old, default("hs_new", createdAt=NOW)])

    assert actors(found) == [("hubspot", "likely")]


def test_our_own_receipts_name_us():
    """What an apply from this machine wrote, and the specs do not ask for any more, was us and nobody else."""
    address = "properties/contacts/tier"
    wrote = OwnWrites({address: {"label": "New"}}, at={address: "2025-06-01T12:00:00Z"})
    gone = OwnWrites(archived=frozenset({address}), at={address: "2025-06-01T12:00:00Z"})

    found = drift([custom()], [custom(label="New", updatedAt=NOW)], receipts=wrote)
    assert [(one.actor.type, one.actor.confidence, one.at) for one in found.items] == [
        ("tool", "certain", "2025-06-01T12:00:00Z")
    ]
    assert actors(drift([custom()], [], receipts=gone)) == [("tool", "certain")]
    assert actors(drift([custom()], [custom(label="Other", updatedAt=NOW)], receipts=wrote)) == [("user", "likely")]


def test_a_default_that_a_feature_brought():
    """A default older than the baseline that appears now is told with the date since when it is defined."""
    found = drift([], [default("hs_gps_latitude", createdAt="2024-02-01T00:00:00Z")])

    assert found.items[0].actor.evidence == "defined since 2024-02-01, appeared now"
    assert found.items[0].at == "2024-02-01T00:00:00.000Z"


def test_one_definition_may_have_moved_for_several_reasons():
    """A label by HubSpot and a group by somebody in the portal are two items of one address."""
    found = drift([default()], [default(label="Telephone", groupName="unused", updatedAt=NOW)])

    assert classes(found) == [("portal.changed", "phone", "low"), ("vendor.relabelled", "phone", "info")]


@pytest.mark.parametrize(
    ("before", "after", "declared", "expected"),
    [
        (custom(), custom(label="B"), FULL, ("managed.modified", "medium")),
        (custom(), custom(description="B"), FULL, ("managed.modified", "medium")),
        (custom(), None, FULL, ("managed.missing", "high")),
        (custom(), custom(createdAt=NOW, updatedAt=NOW), FULL, ("managed.recreated", "high")),
        (custom(), custom(label="B"), {**FULL, "label": "C"}, ("managed.conflict", "high")),
        (custom(options=TIERS), custom(options=TIERS[:1]), FULL, ("managed.option-removed", "high")),
        (custom(options=TIERS[:1]), custom(options=TIERS), FULL, ("managed.option-added", "low")),
        (
            custom(options=TIERS),
            custom(options=[{**one, "displayOrder": 1 - one["displayOrder"]} for one in TIERS]),
            FULL,
            ("managed.reordered", "info"),
        ),
        (
            custom(options=TIERS),
            custom(options=[TIERS[0], {**TIERS[1], "label": "Golden"}]),
            FULL,
            ("managed.modified", "medium"),
        ),
        (custom(), custom(label="B"), {"label": "Tier"}, ("managed.modified", "medium")),
        (custom(), custom(groupName="B"), {"label": "Tier"}, ("unmanaged.changed", "low")),
        (
            custom(options=TIERS),
            custom(options=TIERS[:1]),
            {"options": [("gold", "Gold")]},
            ("managed.option-removed", "high"),
        ),
        (
            custom(options=TIERS),
            custom(options=TIERS[1:]),
            {"options": [("gold", "Gold")]},
            ("managed.option-removed", "high"),
        ),
    ],
)
def test_what_the_specs_declare(before, after, declared, expected):
    """A full definition is ours in every field, a partial one in the fields that it names."""
    found = drift([before], [after] if after else [], spec(**declared))

    assert [(one.drift_class, one.severity) for one in found.items] == [expected]
    assert found.items[0].source == Source("specs/contacts.yaml", 3, 5)


def test_what_the_baseline_knows_as_managed_stays_ours():
    """An entry that left the specs is ours until a plan forgets it."""
    found = drift([custom()], [], managed=["properties/contacts/tier"])

    assert classes(found) == [("managed.missing", "tier", "high")]


@pytest.mark.parametrize(
    ("before", "after", "declared"),
    [
        (custom(), custom(label="New"), {**FULL, "label": "New"}),
        (custom(), custom(label="Tier"), {**FULL, "displayOrder": -1}),
        (custom(displayOrder=3), custom(displayOrder=9), {**FULL, "displayOrder": -1}),
        (custom(options=TIERS[:1]), custom(options=TIERS), {"options": [("free", "Free"), ("gold", "Gold")]}),
        (None, custom(), FULL),
        (custom(description="old"), custom(description=""), {"description": None}),
    ],
)
def test_what_is_as_declared_is_no_drift(before, after, declared):
    """Where the portal has what the specs say, it does not matter that the baseline is behind."""
    assert drift([before] if before else [], [after], spec(**declared)).items == ()


def test_what_was_to_be_removed_is_not_missing():
    """A tombstone that somebody has carried out already is no drift."""
    assert drift([custom()], [], removed=["properties/contacts/tier"]).items == ()
    assert (
        drift(
            [custom(options=TIERS)], [custom(options=TIERS[:1])], removed=["properties/contacts/tier/options/gold"]
        ).items
        == ()
    )


def test_our_own_last_write_counts_as_known():
    """Where CI applied and the moved baseline has not come back yet, the newest receipt stands in for it."""
    wrote = {"properties/contacts/tier": {"label": "New"}}

    assert drift([custom()], [custom(label="New", updatedAt=NOW)], own_writes=wrote).items == ()
    assert classes(drift([custom()], [custom(label="Other", updatedAt=NOW)], own_writes=wrote))


def test_a_recreation_is_not_believed_where_all_dates_moved():
    """createdAt is an artefact in many portals; where defaults moved too it tells nothing."""
    before, after = [custom(), default()], [custom(createdAt=NOW), default(createdAt=NOW)]

    assert drift(before, after, spec(**FULL)).items == ()


def test_a_formula_is_compared_in_the_form_that_hubspot_made_of_it():
    """The declared text differs from the canonical one, and that alone makes no conflict (A.11)."""
    before, after = custom(calculationFormula="a + b"), custom(calculationFormula="a - b", updatedAt=NOW)
    known = Snapshot([*ANCHORS, before])
    baseline = baselines.moved(
        None, known, list(known), collections=["properties/contacts"], declared_formulas={before.address: "sum(A, b)"}
    )
    declared = Snapshot([spec(**FULL, calculationFormula="sum(A, b)")])

    found = detect(baseline, Snapshot([*ANCHORS, after]), declared, ok("properties/contacts"))

    assert classes(found) == [("managed.modified", "tier", "medium")]
    assert found.items[0].fields[0].desired == "a + b"


def test_owning_options_of_a_default():
    """What a spec declares of HubSpot's own property is managed, the rest of it stays HubSpot's."""
    before = default("hs_lead_status", options=TIERS, modificationMetadata=EDITABLE)
    after = default("hs_lead_status", options=TIERS[:1], label="Status", modificationMetadata=EDITABLE, updatedAt=NOW)

    found = drift([before], [after], spec("hs_lead_status", options=[("gold", "Gold")]))

    assert classes(found) == [
        ("managed.option-removed", "hs_lead_status", "high"),
        ("vendor.relabelled", "hs_lead_status", "low"),
    ]


def test_what_specs_refer_to_goes_up_one_level():
    """A change of HubSpot's to what a declared formula or an integration reads is worse than one to any other."""
    before, after = [default()], [default(hasUniqueValue=True, updatedAt=NOW)]
    formula = spec("f", type="number", calculationFormula="phone + 1")

    assert classes(drift(before, after)) == [("vendor.flags-changed", "phone", "medium")]
    assert classes(drift(before, after, formula)) == [("vendor.flags-changed", "phone", "high")]
    assert classes(drift(before, after, referred=["properties/contacts/phone"])) == [
        ("vendor.flags-changed", "phone", "high")
    ]


# --- other kinds -----------------------------------------------------------------------------------------------------


def group(name, label="Own", order=1):
    address = f"propertyGroups/contacts/{name}"
    return Resource("propertyGroups", address, {"label": label, "displayOrder": order}, {"name": name})


def stage(name, position, number="1", label="", at=THEN):
    here = {"label": label or name.title(), "position": position}
    raw = {"id": number, "updatedAt": at}
    facts = {"ids": {"contacts": number}, "stages": {"contacts": raw}}
    return Resource("lifecycleStages", f"lifecycleStages/{name}", {"contacts": here}, facts)


def label(text, category="USER_DEFINED", ids=(1, 2)):
    facts = {"category": category, "typeIds": list(ids), "name": "billing"}
    address = "associationLabels/contacts/companies/billing"
    return Resource("associationLabels", address, {"label": text, "inverseLabel": text}, facts)


def other_drift(before, after, *desired, collection):
    known = Snapshot(before)
    baseline = baselines.moved(None, known, list(known), collections=[collection])
    return detect(baseline, Snapshot(after), Snapshot(desired), ok(collection))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([group("own")], [group("own", order=7)], []),
        ([group("own")], [group("own", label="B")], [("unmanaged.changed", "own", "low")]),
        ([], [group("own")], [("unmanaged.added", "own", "low")]),
        ([], [group("sales_properties")], [("vendor.added", "sales_properties", "info")]),
        ([group("sales_properties")], [], [("vendor.removed", "sales_properties", "high")]),
    ],
)
def test_groups(before, after, expected):
    """HubSpot numbers groups as it likes; its own are known by name."""
    assert classes(other_drift(before, after, collection="propertyGroups/contacts")) == expected


def test_a_group_that_came_with_new_defaults_is_hubspots():
    """No flag tells, but a new group of nothing but new defaults was not made by a person."""
    lists = ("properties/contacts", "propertyGroups/contacts")
    new = [default("hs_gps_latitude", groupName="gps", createdAt=NOW), group("gps", "GPS")]

    found = drift([], new, whole=lists, collections=ok(*lists))

    assert classes(found) == [("vendor.added", "hs_gps_latitude", "info"), ("vendor.added", "gps", "info")]


def test_a_new_stage_renumbers_the_others_silently():
    """Only the new stage is drift; those behind it keep their order."""
    before = [stage("lead", 0, "a"), stage("customer", 1, "b")]
    after = [stage("lead", 0, "a"), stage("trial", 1, "c"), stage("customer", 2, "b")]

    found = other_drift(before, after, collection="lifecycleStages/contacts")

    assert classes(found) == [("unmanaged.added", "trial", "low")]


def test_a_stage_that_changed_places():
    """Of a reordered lifecycle only what had to move is told."""
    before = [stage("lead", 0, "a"), stage("trial", 1, "b"), stage("customer", 2, "c")]
    after = [stage("customer", 0, "c", at=NOW), stage("lead", 1, "a", at=NOW), stage("trial", 2, "b", at=NOW)]

    declared = Resource("lifecycleStages", "lifecycleStages/customer", {"label": "Customer"})
    found = other_drift(before, after, declared, collection="lifecycleStages/contacts")

    assert classes(found) == [("managed.reordered", "customer", "info")]
    assert actors(found) == [("user", "likely")]


def test_a_stage_that_was_made_again():
    """Another id under the same label is another stage: records of the old one do not have it."""
    declared = Resource("lifecycleStages", "lifecycleStages/trial", {"label": "Trial"})

    found = other_drift(
        [stage("trial", 0, "17")], [stage("trial", 0, "99")], declared, collection="lifecycleStages/contacts"
    )

    assert classes(found) == [("managed.recreated", "trial", "high")]


def test_a_pipeline_that_was_not_read_is_not_compared():
    """Contacts and companies are two lists; what one of them says does not need the other."""
    both = stage("trial", 0)
    both = both._replace(attributes={**both.attributes, "companies": {"label": "Trial", "position": 0}})
    baseline = baselines.moved(
        None, Snapshot([both]), [both.address], collections=["lifecycleStages/contacts", "lifecycleStages/companies"]
    )

    found = detect(baseline, Snapshot([stage("trial", 0)]), Snapshot(), ok("lifecycleStages/contacts"))

    assert found.items == ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (label("A"), label("B"), "unmanaged.changed"),
        (label("A", "HUBSPOT_DEFINED"), label("B", "HUBSPOT_DEFINED"), "vendor.relabelled"),
        (label("A"), None, "unmanaged.removed"),
    ],
)
def test_labels(before, after, expected):
    """Labels have no times; their category tells whose they are."""
    found = other_drift([before], [after] if after else [], collection="associationLabels/contacts/companies")

    assert [one.drift_class for one in found.items] == [expected]


# --- any list ----------------------------------------------------------------------------------------------------


odd_options = st.lists(
    st.fixed_dictionaries(
        {"value": st.sampled_from(["", "a", "b;", "C "]), "label": st.text(max_size=3)},
        optional={"displayOrder": st.integers(-1, 2), "hidden": st.booleans(), "description": st.text(max_size=2)},
    ),
    unique_by=lambda option: option["value"],
    max_size=4,
)
odd_properties = st.builds(
    lambda make, name, raw: make(name, **raw),
    st.sampled_from([custom, default, local]),
    st.sampled_from(["a", "hs_b", "hs_date_entered_1", "lifecyclestage", "hs_email_optout_1", "state", "a1_x"]),
    st.fixed_dictionaries(
        {},
        optional={
            "label": st.sampled_from(["A", "a (b)", "A (legacy)"]),
            "type": st.sampled_from(["string", "enumeration", "json"]),
            "options": odd_options,
            "hidden": st.booleans(),
            "externalOptions": st.booleans(),
            "updatedAt": st.sampled_from([NOW, None, "1970-01-01T00:00:00Z"]),
            "createdAt": st.sampled_from([NOW, None]),
            "modificationMetadata": st.sampled_from([LOCKED, FREE, EDITABLE, {}]),
            "numberDisplayHint": st.sampled_from(["formatted", "currency"]),
        },
    ),
)
odd_lists = st.lists(odd_properties, unique_by=lambda one: one.address, max_size=5)


@settings(max_examples=150, deadline=None)
@given(odd_lists, odd_lists, st.randoms(use_true_random=False), st.booleans())
def test_any_two_lists(before, after, shuffle, declare):
    """A list does not drift from itself, any two can be compared, and accepting what moved ends it."""
    desired = [spec("a", **FULL, options=[("a", "A"), ("C ", "c")])] * declare
    shuffled = before[:]
    shuffle.shuffle(shuffled)

    assert drift(before, shuffled).items == ()
    found = drift(before, after, *desired)
    assert all(item.severity in ("info", "low", "medium", "high") and item.actor.evidence for item in found.items)
    moved = {item.address for item in found.items}
    settled = [one for one in before if one.address not in moved] + [one for one in after if one.address in moved]
    assert drift(settled, after, *desired).items == ()


# --- the items -------------------------------------------------------------------------------------------------------


def test_an_item_as_documents_hold_it():
    """Class, address, fields, actor, time, severity, fingerprint, source and both ways out."""
    found = drift([custom()], [custom(label="B", updatedAt=NOW, updatedUserId="9")], spec(**FULL))

    document = drift_items_json(found)

    fingerprint = document[0].pop("fingerprint")
    assert len(fingerprint) == 24
    assert document == [
        {
            "class": "managed.modified",
            "address": "properties/contacts/tier",
            "title": "B",
            "severity": "medium",
            "fields": [{"path": "label", "before": "Tier", "after": "B", "desired": "Tier"}],
            "actor": {
                "type": "user",
                "id": "9",
                "confidence": "likely",
                "evidence": "user 9 edited it last; updatedAt moved",
            },
            "at": NOW,
            "breaks": [],
            "source": {"file": "specs/contacts.yaml", "line": 3, "column": 5},
            "ways": {
                "adopt": "reconciler adopt properties/contacts/tier",
                "apply": "reconciler apply --only properties/contacts/tier",
            },
        }
    ]


def test_a_command_quotes_what_a_shell_would_read():
    """Names come from the portal and are pasted into shells."""
    found = drift([], [custom("x;rm -rf $HOME", createdAt=NOW)])

    assert found.items[0].ways["accept"] == "reconciler accept 'properties/contacts/x;rm -rf $HOME' --reason \"...\""


def test_the_fingerprint_tells_a_finding_again():
    """The same finding has the same one in the next run, whatever was touched; another value is another finding."""
    prints = [
        drift([custom()], [custom(label=text, updatedAt=at)]).items[0].fingerprint
        for text, at in (("B", NOW), ("B", "2026-01-01T00:00:00Z"), ("C", NOW))
    ]

    assert prints[0] == prints[1] != prints[2]


def test_items_come_worst_first_and_equal_input_gives_equal_bytes():
    """The order of reading does not show."""
    before = [custom("a"), custom("b"), default("c"), default("d")]
    after = [custom("a", label="X"), default("d", label="Y"), default("e", createdAt=NOW)]

    one, other = drift(before, after), drift(before[::-1], after[::-1])

    assert classes(one) == [
        ("vendor.removed", "c", "high"),
        ("unmanaged.changed", "a", "low"),
        ("unmanaged.removed", "b", "low"),
        ("vendor.relabelled", "d", "info"),
        ("vendor.added", "e", "info"),
    ]
    assert json.dumps(drift_items_json(one)) == json.dumps(drift_items_json(other))


def test_only_some_addresses():
    """A partial run tells only what it was asked about."""
    found = drift([], [custom("a"), custom("b")], only=["properties/contacts/a"])

    assert classes(found) == [("unmanaged.added", "a", "low")]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("properties/contacts/tier/label", ["unmanaged.changed"]),
        ("properties/contacts/*/label", ["unmanaged.added", "unmanaged.changed", "unmanaged.removed"]),
        ("properties/contacts/tier/options/free/label", ["unmanaged.changed"]),
        ("properties/contacts/tier/description", []),
        ("properties/contacts/new/label", ["unmanaged.added"]),
        ("properties/contacts/gone/label", ["unmanaged.removed"]),
        ("properties", ["unmanaged.added", "unmanaged.changed", "unmanaged.removed"]),
    ],
)
def test_only_a_field(pattern, expected):
    """A pattern below a definition asks for what moved there, and for a definition that came or went with it."""
    before = [custom(options=TIERS[:1]), custom("gone")]
    after = [custom(label="New", options=[{**TIERS[0], "label": "Other"}]), custom("new")]

    assert sorted(one[0] for one in classes(drift(before, after, only=[pattern]))) == expected


def test_a_list_that_could_not_be_read_is_told_to_who_asks_for_what_is_in_it():
    """Whether a pattern names the list, what lies in it or all lists of the kind, it leads there."""
    lists = {"properties/contacts": Collection("properties/contacts", "denied")}

    for pattern in ("properties", "properties/contacts", "properties/contacts/a", "properties/contacts/a/label"):
        assert [one[0] for one in classes(drift([], [], collections=lists, only=[pattern]))] == ["access.unreadable"]


def test_every_class_has_a_severity():
    """The table of classes is the contract's, and nothing gives another one."""
    assert set(SEVERITY.values()) == {"info", "low", "medium", "high"}
    assert {name.partition(".")[0] for name in SEVERITY} == {"managed", "unmanaged", "vendor", "portal", "access"}


def test_an_added_definition_holds_what_it_is():
    """A new property is told with its fields, so that a reader need not look it up."""
    found = drift([], [default("hs_new", createdAt=NOW)])

    assert FieldChange("type", after="string", how="added") in [one.change for one in found.items[0].fields]


def test_a_place_that_the_specs_ask_for_is_no_drift():
    """An apply that was cut off leaves stages as declared; that their baseline lags behind is nobody's doing."""
    before = [stage("lead", 0, "a"), stage("customer", 1, "b")]
    after = [stage("customer", 0, "b", at=NOW), stage("lead", 1, "a", at=NOW)]
    orders = {"orders": [["customer", "lead"]]}
    declared = Resource("lifecycleStages", "lifecycleStages/customer", {"label": "Customer"}, orders)

    assert classes(other_drift(before, after, declared, collection="lifecycleStages/contacts")) == []
