"""What HubSpot does to its own definitions: one function for each kind of change that was seen in real portals.

A release answers with the addresses it touched, ``properties/contacts/email`` and the like; it skips what a portal does
not have. None leaves a user id. Whether ``updatedAt`` moves is part of what was seen: most visible changes move it,
some do not, and on mass-touch days it moves with nothing to see.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.emulator.property_rules import Json, rights
from reconciler.emulator.seed import read_defaults
from reconciler.emulator.store import STANDARD_TYPES, Portal

Change = Callable[[Json], Mapping[str, Any]]
Release = Callable[[Portal], list[str]]

MAIN_OBJECTS = ("contacts", "companies", "deals", "tickets")
SOURCES = ("hs_analytics_source", "hs_latest_source", "hs_analytics_latest_source")
LIFECYCLE = "subscriber lead marketingqualifiedlead salesqualifiedlead opportunity customer evangelist other".split()
SYSTEM: Mapping[str, bool] = {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": True}


def every_default(portal: Portal, objects: Sequence[str] = ()) -> Iterator[tuple[str, Json]]:
    """HubSpot's own properties with their object's name."""
    for definitions in portal.state["objects"].values():
        if not objects or definitions["name"] in objects:
            for one in definitions["properties"].values():
                if one.get("hubspotDefined"):
                    yield definitions["name"], one


def change(portal: Portal, objects: Sequence[str], names: Sequence[str], fields: Change, *, moves: bool) -> list[str]:
    """Changes named defaults of some objects, with or without moving ``updatedAt``."""
    now, touched = portal.now(), []
    for object_name, one in every_default(portal, objects):
        wanted = fields(one) if one["name"] in names or not names else {}
        if any(one.get(key) != value for key, value in wanted.items()):
            one |= wanted
            touched.append(f"properties/{object_name}/{one['name']}")
            if moves and "updatedAt" in one:
                one["updatedAt"] = now
    return touched


def add(portal: Portal, object_name: str, definition: Mapping[str, Any], created: str | None = None) -> list[str]:
    """Adds one of HubSpot's own properties, dated now or when HubSpot first defined it."""
    properties = portal.definitions(portal.object_type(object_name))["properties"]
    name = definition["name"]
    if name in properties:
        return []
    times = {"updatedAt": created or portal.now(), "createdAt": created or portal.now()}
    properties[name] = {**times, **definition}
    return [f"properties/{object_name}/{name}"]


def flag(name: str, label: str, group: str = "contactinformation") -> Json:
    """A new system yes-or-no property."""
    options = [
        {"label": label, "value": label.lower(), "displayOrder": order, "hidden": False}
        for order, label in enumerate(("True", "False"))
    ]
    return {
        "name": name,
        "label": label,
        "type": "bool",
        "fieldType": "booleancheckbox",
        "description": f"{label}, kept by HubSpot",
        "groupName": group,
        "options": options,
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": False,
        "hidden": True,
        "hubspotDefined": True,
        "modificationMetadata": dict(SYSTEM),
        "formField": False,
        "dataSensitivity": "non_sensitive",
    }


def shipped(prefix: str) -> list[Json]:
    """Definitions that HubSpot rolled out after the state of the default seed."""
    return [one for one in read_defaults()["contacts"]["released"] if one["name"].startswith(prefix)]


def property_added(portal: Portal) -> list[str]:
    """Ad clicks of two more networks; new definitions are mostly hidden."""
    return [
        address
        for name, label in (
            ("hs_reddit_ad_clicked", "Reddit ad clicked"),
            ("hs_chatgpt_ad_clicked", "ChatGPT ad clicked"),
        )
        for address in add(portal, "contacts", flag(name, label))
    ]


def deprecated(portal: Portal) -> list[str]:
    """A label says "(deprecated)", the description names the successor, and the successor appears."""

    def successor(one: Json) -> Json:
        label = one["label"].removesuffix(" (deprecated)")
        return {
            "label": f"{label} (deprecated)",
            "description": "Use 'Latest NPS survey rating' (hs_feedback_last_nps_rating_number) instead",
        }

    touched = change(portal, ["contacts"], ["hs_feedback_last_nps_rating"], successor, moves=True)
    return touched + [one for new in shipped("hs_feedback") for one in add(portal, "contacts", new)]


def discontinued(portal: Portal) -> list[str]:
    """A label says "(discontinued)", and nothing else changes."""
    return change(
        portal,
        ["contacts"],
        ["currentlyinworkflow"],
        lambda _one: {"label": "Currently in workflow (discontinued)"},
        moves=True,
    )


def product_rename(portal: Portal) -> list[str]:
    """A product gets another name, on all objects at once; this text layer moves no time."""
    return change(portal, (), (), lambda one: {"label": one["label"].replace("Business units", "Brands")}, moves=False)


def label_harmonised(portal: Portal) -> list[str]:
    """A system property has the same label on every object from now on; it has no times at all."""
    return change(portal, MAIN_OBJECTS, ["hs_object_id"], lambda _one: {"label": "Record number"}, moves=True)


def definition_opened(portal: Portal) -> list[str]:
    """Portals may change a definition that was locked."""

    def opened(one: Json) -> Json:
        return {"modificationMetadata": {**rights(one), "readOnlyDefinition": False}}

    return change(portal, ["companies"], ["city", "zip"], opened, moves=True)


def external_references(portal: Portal) -> list[str]:
    """References to users come with options from elsewhere."""
    fields = {"externalOptions": True}
    names = ["hs_created_by_user_id", "hs_updated_by_user_id", "hs_user_ids_of_all_owners", "hs_analytics_num_visits"]
    return change(portal, ["contacts"], names, lambda _one: fields, moves=True)


def described(portal: Portal) -> list[str]:
    """A description is reworded."""
    return change(portal, ["contacts"], ["jobtitle"], lambda _one: {"description": "What a contact does"}, moves=True)


def hidden_by_default(portal: Portal) -> list[str]:
    """A property that fell out of use is hidden where nobody looks at it."""
    return change(portal, ["contacts"], ["hs_testpurge"], lambda one: {"hidden": not one.get("hidden")}, moves=True)


def type_changed(portal: Portal) -> list[str]:
    """A value type changes under a property."""
    names = [f"hs_searchable_calculated_international_{kind}_number" for kind in ("phone", "mobile")]
    return change(portal, ["contacts"], names, lambda _one: {"type": "string"}, moves=True)


def field_type_changed(portal: Portal) -> list[str]:
    """A counter becomes a rollup."""
    fields = {"fieldType": "calculation_rollup"}
    return change(portal, ["contacts"], ["num_associated_deals"], lambda _one: fields, moves=True)


def option_added(portal: Portal) -> list[str]:
    """A traffic source of its own for AI assistants, on every property that lists sources."""

    def with_ai(one: Json) -> Json:
        if not one["options"] or any(option["value"] == "AI_REFERRALS" for option in one["options"]):
            return {}
        order = max(option.get("displayOrder", -1) for option in one["options"]) + 1
        added = {"label": "AI Referrals", "value": "AI_REFERRALS", "displayOrder": order, "hidden": False}
        return {"options": [*one["options"], added]}

    names = [one["name"] for _, one in every_default(portal) if one["name"].startswith(SOURCES)]
    return change(portal, ("contacts", "companies", "deals"), names, with_ai, moves=True)


def option_removed(portal: Portal) -> list[str]:
    """The empty option of the confirmation status goes."""
    return change(portal, ["contacts"], ["hs_emailconfirmationstatus"], without_empty, moves=True)


def without_empty(one: Json) -> Json:
    """The options of a property without an empty value."""
    return {"options": [option for option in one["options"] if option["value"]]}


def option_relabelled(portal: Portal) -> list[str]:
    """Languages get other labels and keep their values."""
    labels = {"ki": "Kikuyu", "tr-tr": "Turkish - Türkiye"}

    def renamed(one: Json) -> Json:
        return {
            "options": [{**option, "label": labels.get(option["value"], option["label"])} for option in one["options"]]
        }

    return change(portal, ["contacts"], ["hs_language"], renamed, moves=True)


def options_reordered(portal: Portal) -> list[str]:
    """The same options, now in alphabetical order."""

    def by_label(one: Json) -> Json:
        ordered = sorted(one["options"], key=lambda option: str(option["label"]))
        return {"options": [{**option, "displayOrder": order} for order, option in enumerate(ordered)]}

    return change(portal, ["contacts"], ["hs_email_quarantined_reason"], by_label, moves=True)


def flags_changed(portal: Portal) -> list[str]:
    """Uniqueness, computedness and writability change, and no time tells."""
    names = ["email", "hs_additional_emails"]
    unique = {"hasUniqueValue": True, "calculated": False}
    touched = change(portal, ["contacts"], names, lambda one: {**unique, **writable_value(one)}, moves=False)
    return touched + change(portal, ["deals"], ["hs_all_collaborator_owner_ids"], writable_value, moves=False)


def writable_value(one: Json) -> Json:
    """Lets portals write the value of a property."""
    return {"modificationMetadata": {**rights(one), "readOnlyValue": False}}


def group_appears(portal: Portal) -> list[str]:
    """A property that was in no group gets one."""
    fields = {"groupName": "contact_activity"}
    return change(portal, ["contacts"], ["hs_last_sales_activity_type"], lambda _one: fields, moves=False)


def formula_repointed(portal: Portal) -> list[str]:
    """Formulas read the new stage dates instead of those that are about to go."""

    def repointed(one: Json) -> Json:
        formula = one.get("calculationFormula", "")
        for stage in LIFECYCLE:
            formula = formula.replace(f"hs_lifecyclestage_{stage}_date", f"hs_v2_date_entered_{stage}")
        return {"calculationFormula": formula} if formula else {}

    names = [f"hs_time_to_move_from_{stage}_to_customer" for stage in LIFECYCLE]
    return change(portal, ["contacts"], names, repointed, moves=True)


def properties_removed(portal: Portal) -> list[str]:
    """A legacy family is gone, not archived."""
    properties = portal.definitions("0-1")["properties"]
    gone = [name for stage in LIFECYCLE if (name := f"hs_lifecyclestage_{stage}_date") in properties]
    for name in gone:
        del properties[name]
    return [f"properties/contacts/{name}" for name in gone]


def new_family(portal: Portal) -> list[str]:
    """Six properties of one new feature."""
    return [
        address
        for one in shipped("hs_geohash_")
        for address in add(portal, "contacts", {k: v for k, v in one.items() if k not in ("createdAt", "updatedAt")})
    ]


def feature_enabled(portal: Portal) -> list[str]:
    """A feature that is switched on brings properties that HubSpot defined long ago."""
    return [address for one in shipped("hs_gps_") for address in add(portal, "contacts", one, one["createdAt"])]


def mass_touch(portal: Portal) -> list[str]:
    """All dated defaults get one new time, and nothing else changes."""
    now, touched = portal.now(), []
    for object_name, one in every_default(portal, MAIN_OBJECTS):
        if "updatedAt" in one:
            one["updatedAt"] = now
            touched.append(f"properties/{object_name}/{one['name']}")
    return touched


def number_display_hint(portal: Portal) -> list[str]:
    """The API starts to send a key on every number property, a portal's own included."""
    portal.switches["numberDisplayHint"] = True
    touched = []
    for definitions in portal.state["objects"].values():
        for one in definitions["properties"].values():
            if one["type"] == "number" and "numberDisplayHint" not in one:
                one["numberDisplayHint"] = "formatted"
                touched.append(f"properties/{definitions['name']}/{one['name']}")
    return touched


RELEASES: Mapping[str, Release] = {
    "property-added": property_added,
    "deprecated": deprecated,
    "discontinued": discontinued,
    "product-rename": product_rename,
    "label-harmonised": label_harmonised,
    "definition-opened": definition_opened,
    "external-references": external_references,
    "described": described,
    "hidden": hidden_by_default,
    "type-changed": type_changed,
    "field-type-changed": field_type_changed,
    "option-added": option_added,
    "option-removed": option_removed,
    "option-relabelled": option_relabelled,
    "options-reordered": options_reordered,
    "flags-changed": flags_changed,
    "group-appears": group_appears,
    "formula-repointed": formula_repointed,
    "properties-removed": properties_removed,
    "new-family": new_family,
    "feature-enabled": feature_enabled,
    "mass-touch": mass_touch,
    "number-display-hint": number_display_hint,
}


def play_change(
    portal: Portal, *, object: str, property: str, fields: Mapping[str, Any], moves: bool = True
) -> list[str]:
    """A change of one's own choice to one default; a field of None goes away."""
    name = STANDARD_TYPES[portal.object_type(object)][0]
    touched = change(portal, [name], [property], lambda _one: fields, moves=moves)
    definition = portal.definitions(portal.object_type(object))["properties"][property]
    for key in [key for key, value in fields.items() if value is None]:
        del definition[key]
    return touched


def play_add(portal: Portal, *, object: str, definition: Mapping[str, Any], created: str | None = None) -> list[str]:
    """A new default of one's own choice; fields that are not said are those of a system property."""
    shown = {**flag(definition["name"], definition.get("label", definition["name"])), **definition}
    return add(portal, STANDARD_TYPES[portal.object_type(object)][0], shown, created)


def play_remove(portal: Portal, *, object: str, property: str) -> list[str]:
    """A default that goes without being archived."""
    type_id = portal.object_type(object)
    del portal.definitions(type_id)["properties"][property]
    return [f"properties/{portal.object_name(type_id)}/{property}"]


FREE_RELEASES: Mapping[str, Callable[..., list[str]]] = {
    "change": play_change,
    "add": play_add,
    "remove": play_remove,
}
