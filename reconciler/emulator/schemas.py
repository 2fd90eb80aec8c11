"""Object schemas: reads of any object type, with its association types by name; custom objects can also be written.

Switches: ``labelNameAfterReads`` and ``labelNameAfterSeconds`` hide the name of a new label from the schemas for so
many reads or seconds; ``schemaLagReads`` lets every other single read after a PATCH show the copy before it, under the
same ``updatedAt``; ``schemaCreateExisting`` is 409 or 201.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from reconciler.emulator import association_types as types
from reconciler.emulator.association_types import Direction
from reconciler.emulator.associations import configured, remove_label
from reconciler.emulator.errors import ApiError, not_found, unable_to_infer, validation_error
from reconciler.emulator.pipeline_defaults import EPOCH
from reconciler.emulator.properties import new_definition, side
from reconciler.emulator.property_rules import (
    as_object,
    as_objects,
    as_text,
    as_texts,
    check_definition,
    check_new_name,
    decoded,
    require_fields,
    require_read,
    require_write,
)
from reconciler.emulator.routing import DATED, Request, Response, Route, results
from reconciler.emulator.store import STANDARD_TYPES, Portal, empty_object

Json = dict[str, Any]

PATH = rf"/(?:crm-object-schemas/(?P<version>v3|{DATED})|crm/v3)/schemas"
ONE = PATH + "/(?P<object_type>[^/]+)"
NAME = re.compile(r"[A-Za-z]\w{0,49}", re.ASCII)
LONGEST_LABEL, MOST_SECONDARY = 50, 2
HELD_BACK = ("definitions", "previous", "readsSince")
SANDBOX_ERROR = "ObjectSchemasSandboxesSyncErrorType"
SYSTEM_PROPERTIES: Sequence[str] = (
    "hs_all_accessible_team_ids hs_all_assigned_business_unit_ids hs_all_owner_ids hs_all_team_ids "
    "hs_created_by_user_id hs_createdate hs_lastmodifieddate hs_merged_object_ids hs_object_id hs_object_source "
    "hs_object_source_detail_1 hs_object_source_detail_2 hs_object_source_detail_3 hs_object_source_id "
    "hs_object_source_label hs_object_source_user_id hs_owning_teams hs_pinned_engagement_id hs_read_only "
    "hs_shared_team_ids hs_shared_user_ids hs_unique_creation_key hs_updated_by_user_id "
    "hs_user_ids_of_all_notification_followers hs_user_ids_of_all_notification_unfollowers "
    "hs_user_ids_of_all_owners hs_was_imported hubspot_owner_assigneddate hubspot_owner_id hubspot_team_id"
).split()
PRIMARY: Mapping[str, str] = {"0-1": "email", "0-2": "name", "0-3": "dealname", "0-5": "subject"}
DISPLAY_FIELDS: Mapping[str, str] = {  # field -> what a wrong one is called
    "primaryDisplayProperty": f"{SANDBOX_ERROR}.INVALID_PRIMARY_DISPLAY_PROPERTY",
    "secondaryDisplayProperties": f"{SANDBOX_ERROR}.INVALID_SECONDARY_DISPLAY_PROPERTY",
    "searchableProperties": f"{SANDBOX_ERROR}.INVALID_SEARCHABLE_PROPERTIES",
    "requiredProperties": "InvalidPropertiesError.INVALID_REQUIRED_PROPERTIES",
}


FIELD_KINDS: Mapping[str, Callable[[str, Any], Any]] = {
    "name": as_text,
    "description": as_text,
    "primaryDisplayProperty": as_text,
    "labels": as_object,
    "properties": as_objects,
    "requiredProperties": as_texts,
    "searchableProperties": as_texts,
    "secondaryDisplayProperties": as_texts,
    "associatedObjects": as_texts,
}


def seed(portal: Portal) -> None:
    """A new portal has no custom objects, and no lag."""
    portal.state.setdefault("schemas", {})
    for switch in ("labelNameAfterSeconds", "schemaLagReads", "limitsLagSeconds"):
        portal.switches.setdefault(switch, 0)


def list_schemas(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """The custom objects; asking for archived ones gives the active ones too."""
    request.require_any("crm.schemas.custom.read", "crm.objects.custom.read")
    archived = request.flag("archived")
    return results(
        schema_of(portal, type_id, request.query)
        for type_id, schema in portal.state["schemas"].items()
        if archived or not schema["archived"]
    )


def read_schema(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """The schema of one object type, HubSpot's own ones too."""
    type_id = named_type(portal, parts["object_type"])
    if type_id in portal.state["objects"]:
        require_read(portal, request, type_id)
    return Response(200, schema_of(portal, type_id, request.query, single=True))


def read_schemas(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """The schemas of several object types."""
    require_fields([request.fields()], ["inputs"])
    flags = {name: str(value).lower() for name, value in request.fields().items() if name.startswith("include")}
    named = [named_type(portal, segment) for segment in as_texts("inputs", request.body["inputs"])]
    return results(schema_of(portal, type_id, flags) for type_id in named)


def named_type(portal: Portal, segment: str) -> str:
    """The type id that a path names; archived custom objects still answer to theirs."""
    for type_id, schema in portal.state["schemas"].items():
        if segment.lower() in (type_id, schema["fullyQualifiedName"].lower()):
            return str(type_id)
    type_id = portal.object_type(segment)
    if type_id not in portal.state["objects"]:
        raise unable_to_infer(segment)
    return type_id


def schema_of(portal: Portal, type_id: str, query: Mapping[str, str], single: bool = False) -> Json:
    """A schema as a read gives it, with the parts that were not switched off."""
    schema = shown_fields(portal, type_id, single)
    if query.get("includeAuditMetadata", "true") == "false":
        schema = {name: value for name, value in schema.items() if name not in ("createdByUserId", "updatedByUserId")}
    live = type_id in portal.state["objects"]
    if query.get("includePropertyDefinitions", "true") != "false":
        schema["properties"] = list(schema_properties(portal, type_id)) if live else []
    if query.get("includeAssociationDefinitions", "true") != "false":
        schema["associations"] = [*association_definitions(portal, type_id)] if live else []
    return schema


def shown_fields(portal: Portal, type_id: str, single: bool) -> Json:
    """The schema's own fields; a single read soon after a PATCH may show those before it."""
    schema = portal.state["schemas"].get(type_id)
    if schema is None:
        return standard_schema(type_id)
    fields: Json = {name: deepcopy(value) for name, value in schema.items() if name not in HELD_BACK}
    if single and schema.get("previous") and schema["readsSince"] < portal.switches.get("schemaLagReads", 0):
        schema["readsSince"] += 1
        if schema["readsSince"] % 2:
            return {**fields, **deepcopy(schema["previous"]), "updatedAt": schema["updatedAt"]}
    return fields


def standard_schema(type_id: str) -> Json:
    """The schema of one of HubSpot's object types."""
    plural, singular = (name.replace("_", " ").capitalize() for name in STANDARD_TYPES[type_id])
    name = STANDARD_TYPES[type_id][1].upper()
    primary = PRIMARY.get(type_id)
    return {
        "labels": {"singular": singular, "plural": plural},
        "requiredProperties": [],
        "searchableProperties": [primary] if primary else [],
        "secondaryDisplayProperties": [],
        **({"primaryDisplayProperty": primary} if primary else {}),
        "allowsSensitiveProperties": False,
        "archived": False,
        "id": type_id,
        "fullyQualifiedName": name,
        "createdAt": EPOCH,
        "updatedAt": EPOCH,
        "objectTypeId": type_id,
        "name": name,
    }


def schema_properties(portal: Portal, type_id: str) -> Iterator[Json]:
    """The definitions by name; here also lifecyclestage, like all external ones, has no options."""
    listed = side(portal, type_id, archived=False, sensitivity="non_sensitive")
    for one in sorted(listed, key=lambda definition: str(definition["name"])):
        yield {**one, "options": []} if one.get("externalOptions") else one


def association_definitions(portal: Portal, type_id: str) -> Iterator[Json]:
    """The association types that start or end here, by name, as far as the schemas know them already."""
    late = hidden_names(portal)
    for one in types.directions(portal):
        if type_id in (one.start, one.end) and one.key not in late:
            yield association_definition(portal, one)


def hidden_names(portal: Portal) -> set[str]:
    """The keys of labels that are too new; this read counts."""
    hidden = set()
    for record in portal.state["labels"]:
        early = record["schemaReads"] < portal.switches["labelNameAfterReads"]
        age = portal.seconds() - record["createdSeconds"]
        if early or age < portal.switches.get("labelNameAfterSeconds", 0):
            hidden |= {one.key for one in types.both_ways(record)}
        record["schemaReads"] += early
    return hidden


def association_definition(portal: Portal, one: Direction) -> Json:
    """An association type as a schema gives it: its name, but neither its category nor its label."""
    most, inverse = configured(portal, one), configured(portal, inverse_of(portal, one))
    return {
        "id": str(one.type_id),
        "fromObjectTypeId": one.start,
        "toObjectTypeId": one.end,
        "name": one.name,
        "createdAt": None,
        "updatedAt": None,
        "hasUserEnforcedMaxToObjectIds": most is not None,
        "hasUserEnforcedMaxFromObjectIds": inverse is not None,
        "maxToObjectIds": types.NO_LIMIT if most is None else most,
        "maxFromObjectIds": types.NO_LIMIT if inverse is None else inverse,
    }


def inverse_of(portal: Portal, one: Direction) -> Direction:
    """The other direction of a type; one that has none is its own."""
    for start, end, there, back, *_ in types.DEFAULTS:
        if one.category == types.HUBSPOT_DEFINED and one.type_id in (there, back):
            other, pair = (back, (end, start)) if one.type_id == there else (there, (start, end))
            return Direction(*pair, one.category, other, one.label, one.name)
    for record in portal.state["labels"]:
        pair_of_types = types.both_ways(record)
        if one in pair_of_types:
            return pair_of_types[0] if one == pair_of_types[-1] else pair_of_types[-1]
    return one


def create_schema(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """Creates a custom object with HubSpot's own properties, a group, and the associations with activities."""
    request.require_any("crm.schemas.custom.write")
    body = decoded_schema(request.fields())
    require_fields([body], ("name", "labels"))
    check_name(body["name"])
    check_labels(body["labels"])
    others = [portal.object_type(one) for one in body.get("associatedObjects", [])]
    existing = same_name(portal, body["name"])
    if existing and not portal.state["schemas"][existing]["archived"]:
        return create_existing(portal, request, existing, body, others)
    type_id = new_object(portal, request, body)
    if existing:
        purge(portal, existing)
    portal.state["schemas"][type_id] = stored_schema(portal, request, type_id, body)
    associate(portal, type_id, [*types.ACTIVITIES, *others])
    return Response(201, schema_of(portal, type_id, {}))


def decoded_schema(body: Mapping[str, Any]) -> Json:
    """The fields of a body that are not null, each of the JSON type that HubSpot's deserialiser wants."""
    fields = {name: value for name, value in body.items() if value is not None}
    return {name: FIELD_KINDS[name](name, value) if name in FIELD_KINDS else value for name, value in fields.items()}


def check_name(name: str) -> None:
    """Refuses names that are none."""
    if not NAME.fullmatch(name):
        raise validation_error(
            f"Object type name '{name}' is invalid", "InboundDbObjectTypeError.OBJECT_TYPE_NAME_FORMAT"
        )


def check_labels(labels: Mapping[str, Any]) -> None:
    """Refuses missing and over-long labels."""
    require_fields([labels], ("singular", "plural"))
    if any(len(str(labels[name])) > LONGEST_LABEL for name in ("singular", "plural")):
        raise validation_error(f"Object labels can have at most {LONGEST_LABEL} characters")


def same_name(portal: Portal, name: str) -> str | None:
    """The custom object of this name, whatever its case."""
    for type_id, schema in portal.state["schemas"].items():
        if schema["name"].lower() == name.lower():
            return str(type_id)
    return None


def create_existing(portal: Portal, request: Request, type_id: str, body: Json, others: Iterable[str]) -> Response:
    """A create on an active name: refused, or, in the same case and switched so, merged into what is there."""
    schema = portal.state["schemas"][type_id]
    if schema["name"] != body["name"] or portal.switches["schemaCreateExisting"] == 409:
        raise ApiError(
            409,
            f"An object type with name '{body['name']}' already exists",
            category="OBJECT_ALREADY_EXISTS",
            sub_category="InboundDbObjectTypeError.OBJECT_TYPE_ALREADY_EXIST",
        )
    add_properties(portal, request, type_id, body.get("properties", []))
    associate(portal, type_id, others)
    schema["createdAt"] = portal.now()
    return Response(201, schema_of(portal, type_id, {}))


def new_object(portal: Portal, request: Request, body: Json) -> str:
    """Stores the definitions of a custom object, those that it is born with and those of the body, or nothing."""
    require_fields(body.get("properties", []), ("name",))
    named = {as_text("name", one["name"]) for one in body.get("properties", [])} | {*SYSTEM_PROPERTIES}
    if "primaryDisplayProperty" not in body:
        raise validation_error(
            "A primary display property is required", "ObjectSchemaError.PRIMARY_DISPLAY_PROPERTY_REQUIRED"
        )
    check_display_fields(body, named)
    type_id = f"2-{portal.next_id()}"
    portal.state["objects"][type_id] = object_of(portal, body["name"], str(body["labels"]["singular"]))
    try:
        add_properties(portal, request, type_id, body.get("properties", []))
    except ApiError:
        del portal.state["objects"][type_id]
        raise
    return type_id


def stored_schema(portal: Portal, request: Request, type_id: str, body: Json) -> Json:
    """The fields of a new schema; searching always starts with the record id."""
    now = portal.now()
    return {
        "labels": {name: str(body["labels"][name]) for name in ("singular", "plural")},
        "requiredProperties": sorted({*body.get("requiredProperties", [])}),
        "searchableProperties": ["hs_object_id"],
        "primaryDisplayProperty": body["primaryDisplayProperty"],
        "secondaryDisplayProperties": [*body.get("secondaryDisplayProperties", [])],
        **({"description": body["description"]} if body.get("description") else {}),
        "allowsSensitiveProperties": True,
        "archived": False,
        "id": type_id.partition("-")[2],
        "fullyQualifiedName": f"p{portal.portal_id}_{body['name']}",
        "createdAt": now,
        "updatedAt": now,
        "createdByUserId": int(request.user_id),
        "updatedByUserId": int(request.user_id),
        "objectTypeId": type_id,
        "name": body["name"],
    }


def object_of(portal: Portal, name: str, singular: str) -> Json:
    """The definitions that a custom object is born with."""
    definitions, group = empty_object(name), f"{name.lower()}_information"
    definitions["groups"][group] = {
        "archived": False,
        "name": group,
        "label": f"{singular} information",
        "displayOrder": 0,
    }
    for one in SYSTEM_PROPERTIES:
        definitions["properties"][one] = {**system_property(portal, one), "groupName": group}
    return definitions


def system_property(portal: Portal, name: str) -> Json:
    """A property that HubSpot gives every object, as the standard objects have it."""
    for type_id in ("0-3", "0-5", "0-1", "0-2"):
        if found := portal.definitions(type_id)["properties"].get(name):
            return deepcopy(dict(found))
    dated = name.endswith("date")
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": "datetime" if dated else "string",
        "fieldType": "date" if dated else "text",
        "description": "",
        "options": [],
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": True,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": True},
        "formField": False,
        "dataSensitivity": "non_sensitive",
    }


def add_properties(portal: Portal, request: Request, type_id: str, bodies: Sequence[Json]) -> None:
    """Defines the properties of a schema body that are not there yet, or none of them."""
    definitions = portal.definitions(type_id)
    before = dict(definitions["properties"])
    try:
        for body in bodies:
            add_property(portal, request, type_id, body)
    except ApiError:
        definitions["properties"] = before
        raise
    portal.touch(type_id)


def add_property(portal: Portal, request: Request, type_id: str, body: Json) -> None:
    """Defines a property of a schema body, unless it is there; its group is the object's own."""
    definitions = portal.definitions(type_id)
    require_fields([body], ("name", "label", "type", "fieldType"))
    fields = decoded({"groupName": next(iter(definitions["groups"])), **body}, None)
    if fields["name"] in definitions["properties"]:
        return
    check_new_name(fields["name"])
    definition = new_definition(portal, type_id, fields)
    check_definition(type_id, definition)
    now, user = portal.now(), request.user_id
    stamp = {"createdAt": now, "updatedAt": now, "createdUserId": user, "updatedUserId": user}
    definitions["properties"][fields["name"]] = {**definition, **stamp}


def associate(portal: Portal, type_id: str, others: Iterable[str]) -> None:
    """Makes the plain associations of a custom object; which of them are there already does not matter."""
    name = portal.object_name(type_id)
    for segment in others:
        other = portal.object_type(segment)
        if not any(one.label is None for one in types.of_pair(portal, type_id, other)):
            word = types.ACTIVITIES.get(other, portal.object_name(other).upper())
            types.store(portal, type_id, other, f"{name}_to_{word}".lower(), None, None)


def check_display_fields(body: Mapping[str, Any], named: set[str]) -> None:
    """Refuses display fields that name a property which the object does not have."""
    for field, error in DISPLAY_FIELDS.items():
        value = body.get(field)
        listed = [value] if isinstance(value, str) else value or ()
        if missing := [one for one in listed if one not in named]:
            raise validation_error(f"{field} names properties that do not exist: {missing}", error)
    secondary = body.get("secondaryDisplayProperties", [])
    if len(secondary) > MOST_SECONDARY or len({*secondary}) < len(secondary):
        raise validation_error(
            f"secondaryDisplayProperties takes at most {MOST_SECONDARY} different properties",
            DISPLAY_FIELDS["secondaryDisplayProperties"],
        )


def update_schema(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Changes a custom object; fields that a PATCH does not know are ignored."""
    type_id, schema = custom_schema(portal, request, parts)
    body = decoded_schema(request.fields())
    check_display_fields(body, {*portal.definitions(type_id)["properties"]})
    if body.get("allowsSensitiveProperties") is False and schema["allowsSensitiveProperties"]:
        raise validation_error(
            "Support for sensitive properties cannot be turned off",
            "ObjectSchemaError.SENSITIVE_PROPERTIES_SUPPORT_CANNOT_BE_TURNED_OFF",
        )
    before = {name: deepcopy(value) for name, value in schema.items() if name not in HELD_BACK}
    schema |= changed_fields(schema, body)
    if body.get("clearDescription"):
        schema.pop("description", None)
    schema |= {"updatedAt": portal.now(), "updatedByUserId": int(request.user_id)}
    schema |= {"previous": before, "readsSince": 0}
    portal.touch(type_id)
    shown = {name: deepcopy(value) for name, value in schema.items() if name not in HELD_BACK}
    return Response(200, {**shown, "portalId": portal.portal_id})


def changed_fields(schema: Mapping[str, Any], body: Mapping[str, Any]) -> Json:
    """The fields of a PATCH that a schema has."""
    fields: Json = {name: body[name] for name in ("description", "primaryDisplayProperty") if body.get(name)}
    if labels := body.get("labels"):
        fields["labels"] = {**schema["labels"], **labels}
        check_labels(fields["labels"])
    for name in ("requiredProperties", "searchableProperties"):
        if body.get(name) is not None:
            fields[name] = sorted({*body[name]})
    if body.get("secondaryDisplayProperties") is not None:
        fields["secondaryDisplayProperties"] = [*body["secondaryDisplayProperties"]]
    return fields


def custom_schema(portal: Portal, request: Request, parts: Mapping[str, str]) -> tuple[str, Json]:
    """The custom object of a path that is to be written; HubSpot's own ones are refused."""
    type_id = named_type(portal, parts["object_type"])
    schema: Json | None = portal.state["schemas"].get(type_id)
    if schema is None:
        raise validation_error(
            f"Cannot modify HubSpot defined object type {type_id}",
            "ObjectSchemaError.CANNOT_MODIFY_HUBSPOT_DEFINED_OBJECT_TYPE",
        )
    if not schema["archived"]:
        require_write(portal, request, type_id)
    return type_id, schema


def delete_schema(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Archives a custom object without records; with ``archived=true`` purges an archived one."""
    type_id, schema = custom_schema(portal, request, parts)
    if request.flag("archived"):
        if not schema["archived"]:
            raise validation_error("Only an archived object type can be purged")
        purge(portal, type_id)
        return Response(204)
    if schema["archived"]:
        raise not_found(f"Object type {type_id} does not exist")
    records = portal.state["records"].get(type_id, {}).values()
    if any(not record.get("archived") for record in records):
        raise validation_error(f"Object type {type_id} still has records", "ObjectSchemaError.EXISTING_OBJECT_RECORDS")
    schema |= {"archived": True, "updatedAt": portal.now(), "definitions": portal.state["objects"].pop(type_id)}
    return Response(204)


def purge(portal: Portal, type_id: str) -> None:
    """Takes an archived custom object away for good, with its records and labels."""
    del portal.state["schemas"][type_id]
    portal.state["records"].pop(type_id, None)
    portal.state["pipelines"].pop(type_id, None)
    kept = [one for one in portal.state["labels"] if type_id not in (one["from"], one["to"])]
    portal.state["labels"] = kept


def create_association(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Makes a plain association of a custom object; between HubSpot's own objects this way is closed."""
    type_id, _ = custom_schema(portal, request, parts)
    body = request.fields()
    require_fields([body], ("fromObjectTypeId", "toObjectTypeId"))
    start, end = portal.object_type(str(body["fromObjectTypeId"])), portal.object_type(str(body["toObjectTypeId"]))
    if type_id not in (start, end):
        raise validation_error(f"The association must start or end at {type_id}")
    name = str(body.get("name") or f"{portal.object_name(start)}_to_{portal.object_name(end)}".lower())
    record = types.store(portal, start, end, name, None, None)
    shown = association_definition(portal, types.both_ways(record)[0])
    return Response(201, shown | {"createdAt": record["createdAt"], "updatedAt": record["createdAt"]})


def delete_association(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Deletes an association of a custom object by type id or name."""
    type_id, _ = custom_schema(portal, request, parts)
    for record in portal.state["labels"]:
        identifiers = {str(record["typeId"]), str(record["inverseTypeId"]), record["name"]}
        if type_id in (record["from"], record["to"]) and parts["association"] in identifiers:
            remove_label(portal, record)
            return Response(204)
    raise not_found(f"Association {parts['association']} does not exist")


ROUTES: Sequence[Route] = [
    ("GET", PATH, list_schemas),
    ("POST", PATH, create_schema),
    ("POST", PATH + "/batch/read", read_schemas),
    ("GET", ONE, read_schema),
    ("PATCH", ONE, update_schema),
    ("DELETE", ONE, delete_schema),
    ("POST", ONE + "/associations", create_association),
    ("DELETE", ONE + "/associations/(?P<association>[^/]+)", delete_association),
]
