"""Property definitions: list, read, create, change, archive, and the batch forms.

Stored definitions are what the API shows, key for key. HubSpot's own differ from a portal's: no ``archived`` key,
``hubspotDefined`` only when true, and customising one moves no timestamp and leaves no user id.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.emulator import formulas, groups
from reconciler.emulator import property_rules as rules
from reconciler.emulator.errors import ApiError, already_exists, not_found, validation_error
from reconciler.emulator.property_rules import Json
from reconciler.emulator.routing import Request, Response, Route, versioned
from reconciler.emulator.stage_properties import stage_properties
from reconciler.emulator.store import Portal

PATH = versioned("properties") + "/(?P<object_type>[^/]+)"
AUDIT_FIELDS = ("createdAt", "updatedAt", "createdUserId", "updatedUserId", "archived")
LAYOUT = frozenset({"groupName", "hidden", "displayOrder", "formField"})
CREATE_DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "options": [],
    "displayOrder": -1,
    "externalOptions": False,
    "hasUniqueValue": False,
    "hidden": False,
    "formField": False,
    "dataSensitivity": "non_sensitive",
}
SHOWN_IN_ORDER = (
    "updatedAt createdAt name label type fieldType description groupName options createdUserId updatedUserId "
    "displayOrder calculated externalOptions archived hasUniqueValue hidden hubspotDefined showCurrencySymbol "
    "modificationMetadata formField dataSensitivity"
).split()


def list_properties(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """All definitions of one side (live or archived) and one sensitivity, by name."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_read(portal, request, type_id)
    archived, sensitivity = request.flag("archived"), sensitivity_of(request, request.query)
    if sensitivity is None:
        return Response(200, {"results": []})
    listed = portal.listed(
        f"{type_id} properties {archived} {sensitivity}",
        lambda: {"results": sorted(side(portal, type_id, archived, sensitivity), key=lambda one: str(one["name"]))},
    )
    return Response(200, listed)


def sensitivity_of(request: Request, asked: Mapping[str, Any]) -> str | None:
    """Which sensitivity a read is about; none where the token may not see it, which is as if nothing was there."""
    sensitivity = rules.as_enum("dataSensitivity", asked.get("dataSensitivity", "non_sensitive"))
    hidden = sensitivity != "non_sensitive" and not rules.may_see_sensitive(request)
    return None if hidden else sensitivity


def side(portal: Portal, type_id: str, archived: bool, sensitivity: str | None) -> Iterator[Json]:
    """The live definitions or the archived ones; those that follow from pipeline stages are live."""
    definitions = portal.definitions(type_id)
    found = [*definitions["archivedProperties" if archived else "properties"].values()]
    if not archived:
        found += generated(portal, type_id)
    return (one for one in found if one.get("dataSensitivity", "non_sensitive") == sensitivity)


def generated(portal: Portal, type_id: str) -> list[Json]:
    """The properties that follow from stages, without those that a recorded list does not have."""
    left_out = portal.definitions(type_id).get("leftOut", ())
    return [one for one in stage_properties(portal, type_id) if one["name"] not in left_out]


def read_property(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """One definition, when name, side and sensitivity fit."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_read(portal, request, type_id)
    sensitivity = sensitivity_of(request, request.query)
    for definition in side(portal, type_id, request.flag("archived"), sensitivity):
        if definition["name"] == parts["name"]:
            return Response(200, definition)
    raise no_such_property(type_id, parts["name"])


def no_such_property(type_id: str, name: str) -> ApiError:
    """404 for a name that this side of the list does not have."""
    return not_found(f"Property with name '{name}' does not exist for object type {type_id}")


def create_property(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Creates a definition, or restores the archived one of that name under the posted definition."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_write(portal, request, type_id)
    rules.require_fields([request.fields()], rules.CREATE_REQUIRED)
    fields = rules.decoded(request.body, parts.get("version"))
    created = stored(portal, request, type_id, fields)
    portal.touch(type_id, created["name"])
    location = f"{request.path}/{created['name']}"
    return Response(201, echoed(portal, type_id, created, fields), {"Location": location})


def stored(portal: Portal, request: Request, type_id: str, fields: Json) -> Json:
    """Checks a create and puts its definition into the portal."""
    definitions = portal.definitions(type_id)
    if portal.switches["upperCaseNames"] == "lower":
        fields["name"] = fields["name"].lower()
    name = fields["name"]
    if name in definitions["properties"] or name in {one["name"] for one in generated(portal, type_id)}:
        raise property_exists(name)
    rules.check_new_name(name)
    rules.check_sensitivity(portal, request, fields)
    rules.check_group(portal, type_id, fields["groupName"])
    rules.check_uniqueness(definitions, fields)
    definition = new_definition(portal, type_id, fields)
    rules.check_definition(type_id, definition)
    rules.check_texts(portal, fields)
    check_room(portal, definitions)
    archived = definitions["archivedProperties"].pop(name, None)
    stamp(portal, request, definition, archived if portal.switches["archivedNameCreate"] == "restore" else None)
    if not definition["hasUniqueValue"] and name not in definitions["everNonUnique"]:
        definitions["everNonUnique"].append(name)
    made = definitions["properties"][name] = in_shown_order(definition)
    return made


def property_exists(name: str) -> ApiError:
    """409 for a name that a live property has."""
    return already_exists(
        f"A property named '{name}' already exists.", "Properties.PROPERTY_WITH_NAME_EXISTS", context={"name": [name]}
    )


def check_room(portal: Portal, definitions: Mapping[str, Any]) -> None:
    """Refuses the custom property that exceeds the limit of its object type, or that of a cheap account's whole."""
    counted = [definitions] if portal.switches["limitsPerObject"] else portal.state["objects"].values()
    used = sum(not rules.is_default(one) for part in counted for one in part["properties"].values())
    if used >= portal.switches["propertyLimit"]:
        raise validation_error(
            f"You've reached the limit of {portal.switches['propertyLimit']} custom properties",
            "PropertyValidationError.PROPERTY_LIMIT_REACHED",
        )


def new_definition(portal: Portal, type_id: str, fields: Mapping[str, Any]) -> Json:
    """The posted fields over HubSpot's defaults for a create; its options still in the order of the request."""
    definition = {**CREATE_DEFAULTS, **fields, "calculated": False, "archived": False}
    definition["modificationMetadata"] = {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False}
    if formula := fields.get("calculationFormula"):
        calculate(portal, type_id, definition, formula)
    if definition["type"] == "number" and portal.switches["numberDisplayHint"]:
        definition.setdefault("numberDisplayHint", "formatted")
    definition["options"] = by_order(definition["options"])
    return definition


def calculate(portal: Portal, type_id: str, definition: Json, formula: str) -> None:
    """A formula makes the property a calculated one, whatever field type was sent."""
    parsed = rules.parsed_formula(portal, type_id, definition["name"], formula)
    definition |= {"calculationFormula": parsed.canonical(), "fieldType": "calculation_equation", "calculated": True}
    definition["modificationMetadata"] = definition["modificationMetadata"] | {"readOnlyValue": True}


def stamp(portal: Portal, request: Request, definition: Json, archived: Mapping[str, Any] | None) -> None:
    """Times and users of a new definition; a restored one keeps when and by whom it was first made."""
    now = portal.now()
    first = archived or {}
    definition["createdAt"] = first.get("createdAt", now)
    definition["updatedAt"] = now
    definition["createdUserId"] = first.get("createdUserId", request.user_id)
    definition["updatedUserId"] = request.user_id


def in_shown_order(definition: Json) -> Json:
    """The fields in the order in which HubSpot writes them."""
    known = {name: definition[name] for name in SHOWN_IN_ORDER if name in definition}
    return known | definition


def by_order(options: Sequence[Json]) -> list[Json]:
    """Options as a read shows them."""
    return sorted(options, key=lambda option: int(option.get("displayOrder", -1)))


def echoed(portal: Portal, type_id: str, definition: Json, sent: Mapping[str, Any]) -> Json:
    """A write answer: options in the order sent, and a formula with its numbers as sent."""
    shown = dict(definition)
    if "options" in sent and definition["options"]:
        shown["options"] = sent["options"]
    if "calculationFormula" in sent:
        parsed = rules.parsed_formula(portal, type_id, definition["name"], sent["calculationFormula"])
        shown["calculationFormula"] = parsed.canonical(numbers_as_sent=True)
    return shown


def update_property(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Changes the fields that were sent; those that only a create can set are ignored, with a 200."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_write(portal, request, type_id)
    current = portal.definitions(type_id)["properties"].get(parts["name"])
    if current is None:
        raise locked_or_missing(portal, type_id, parts["name"])
    fields = rules.decoded(request.fields(), parts.get("version"))
    sent = {name: value for name, value in fields.items() if name not in rules.CREATE_ONLY}
    changed = allowed_changes(portal, current, sent)
    rules.check_texts(portal, changed)
    definition = patched(portal, type_id, current, changed)
    moves = definition != current or portal.switches["noChangePatchMoves"]
    if moves and not rules.is_default(current):
        definition |= {"updatedAt": portal.now(), "updatedUserId": request.user_id}
    portal.definitions(type_id)["properties"][parts["name"]] = in_shown_order(definition)
    portal.touch(type_id, parts["name"])
    return Response(200, echoed(portal, type_id, definition, changed))


def locked_or_missing(portal: Portal, type_id: str, name: str) -> ApiError:
    """The refusal to write a property that is not stored: a stage's own is read only, any other is not there."""
    if any(one["name"] == name for one in generated(portal, type_id)):
        return read_only(name)
    return no_such_property(type_id, name)


def read_only(name: str) -> ApiError:
    """400 for a definition that a portal may not change."""
    message = f"Property '{name}' has a read-only definition and cannot be changed"
    return validation_error(message, errors=[{"message": message, "code": "PROPERTY_INVALID", "in": name}])


def allowed_changes(portal: Portal, current: Mapping[str, Any], sent: Mapping[str, Any]) -> Json:
    """The fields that really change, unless this property may not change in one of them."""
    changed = {name: value for name, value in sent.items() if not same(name, value, current)}
    metadata = rules.rights(current)
    locked_definition = metadata["readOnlyDefinition"]
    if "options" in changed and metadata.get("readOnlyOptions", locked_definition):
        if portal.switches["readOnlyOptionsPatch"] == "refuse":
            raise read_only(current["name"])
        del changed["options"]
    if locked_definition:
        free = {"options", *(LAYOUT if portal.switches["readOnlyLayoutPatch"] else ())}
        if changed.keys() - free:
            raise read_only(current["name"])
    return changed


def same(name: str, value: Any, current: Mapping[str, Any]) -> bool:
    """Whether a sent field says what is stored already."""
    if name == "options":
        return bool(by_order(value) == current["options"])
    return name in current and bool(current[name] == value)


def patched(portal: Portal, type_id: str, current: Json, changed: Json) -> Json:
    """The definition after a PATCH; a sent option list replaces the old one whole."""
    definition = {**current, **changed}
    if "groupName" in changed:
        rules.check_group(portal, type_id, changed["groupName"])
    if "type" in changed:
        if portal.switches["typeChange"] == "refuse":
            raise validation_error(f"The type of property '{current['name']}' cannot be changed")
        retype(type_id, current, definition, changed)
    if changed.get("showCurrencySymbol") is False and "currencyPropertyName" in current:
        raise validation_error("The currency symbol of a property with a currency property cannot be turned off")
    if formula := changed.get("calculationFormula"):
        calculate(portal, type_id, definition, formula)
    definition["options"] = by_order(definition["options"])
    if changed.keys() & {"type", "fieldType", "options", "currencyPropertyName", "calculationFormula"}:
        rules.check_definition(type_id, definition)
    return definition


def retype(type_id: str, current: Mapping[str, Any], definition: Json, changed: Mapping[str, Any]) -> None:
    """A type change in place: leaving enumeration clears the options, and none leads from it to bool."""
    if current["type"] == "enumeration" and changed["type"] == "bool":
        raise rules.boolean_options(current["name"], type_id)
    if definition["type"] not in ("enumeration", "bool") and "options" not in changed:
        definition["options"] = []


def archive_property(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Archives one definition, unless it is HubSpot's or in use."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_write(portal, request, type_id)
    if parts["name"] not in portal.definitions(type_id)["properties"]:
        raise locked_or_missing(portal, type_id, parts["name"])
    check_archivable(portal, type_id, parts["name"], ())
    move_to_archive(portal, type_id, parts["name"])
    portal.touch(type_id, parts["name"])
    return Response(204)


def check_archivable(portal: Portal, type_id: str, name: str, together: Sequence[str]) -> None:
    """Refuses read-only definitions, whatever ``archivable`` says, and what something else still uses."""
    definition = portal.definitions(type_id)["properties"][name]
    metadata = rules.rights(definition)
    if rules.is_default(definition) or metadata["readOnlyDefinition"] or not metadata["archivable"]:
        raise read_only(name)
    if uses := [use for use in usages(portal, type_id, name) if use["by"] not in together]:
        raise validation_error(
            f"Property '{name}' is currently used in {len(uses)} places",
            "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE",
            context={"usageCount": [str(len(uses))]},
            errors=[usage_error(use) for use in uses],
        )


def usages(portal: Portal, type_id: str, name: str) -> Iterator[Json]:
    """Where a property is used: formulas of its object, and what was recorded for workflows, lists, forms, reports."""
    definitions = portal.definitions(type_id)
    for other in definitions["properties"].values():
        formula = other.get("calculationFormula")
        if formula and not rules.is_default(other) and name in formulas.named_in(formula):
            qualified = f"{type_id}/{other['name']}"
            yield {
                "by": other["name"],
                "type": "CALCULATED_PROPERTY",
                "display": "Calculated property",
                "name": qualified,
            }
    for use in definitions.get("uses", {}).get(name, []):
        yield {"by": "", **use}


def usage_error(use: Mapping[str, str]) -> Json:
    """One place where a property is used, as the refusal lists it."""
    return {
        "message": f"Property is used in {use['display']} {use['name']}",
        "subCategory": "PropertyValidationError.PROPERTY_USAGE",
        "context": {
            "parentType": [use["type"]],
            "parentDisplayType": [use["display"]],
            "parentName": [use["name"]],
        },
    }


def move_to_archive(portal: Portal, type_id: str, name: str) -> None:
    """Takes a live definition to the archived side; record values stay."""
    definitions = portal.definitions(type_id)
    definition = definitions["properties"].pop(name)
    definitions["archivedProperties"][name] = definition | {"archived": True, "archivedAt": portal.now()}


def create_batch(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Creates what can be created; the results are slim, and the others are errors of a 207."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_write(portal, request, type_id)
    inputs = batch_inputs(portal, request)
    rules.require_fields(inputs, rules.CREATE_REQUIRED)
    decoded = [rules.decoded(body, parts.get("version")) for body in inputs]
    started, made, errors = portal.now(), [], []
    for fields in decoded:
        try:
            created = echoed(portal, type_id, stored(portal, request, type_id, fields), fields)
            made.append({name: value for name, value in created.items() if name not in AUDIT_FIELDS})
        except ApiError as error:
            errors.append(batch_error(error))
    portal.touch(type_id, *(fields["name"] for fields in decoded))
    return batch_response(portal, started, made, errors, 201)


def batch_inputs(portal: Portal, request: Request) -> list[Json]:
    """The inputs of a batch body."""
    rules.require_fields([request.fields()], ["inputs"])
    inputs = rules.as_objects("inputs", request.body["inputs"])
    if len(inputs) > (most := portal.switches["batchLimit"]):
        raise validation_error(f"The maximum number of inputs supported in a batch request is {most}")
    rules.require_fields(inputs, ["name"])
    return [{**one, "name": rules.as_text("name", one["name"])} for one in inputs]


def batch_error(error: ApiError) -> Json:
    """A refusal as an entry of a batch answer."""
    body = error.body("")
    del body["correlationId"]
    return body


def batch_response(portal: Portal, started: str, made: Sequence[Json], errors: Sequence[Json], status: int) -> Response:
    """A batch answer; a partial failure still calls itself complete."""
    body: Json = {"status": "COMPLETE", "results": [*made], "startedAt": started, "completedAt": portal.now()}
    if not errors:
        return Response(status, body)
    return Response(207, body | {"numErrors": len(errors), "errors": [*errors]})


def read_batch(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Reads definitions by name."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_read(portal, request, type_id)
    inputs, started = batch_inputs(portal, request), portal.now()
    rules.require_fields([request.body], ["archived", "dataSensitivity"] if parts.get("version") else [])
    archived = rules.as_flag("archived", request.body.get("archived") or False)
    sensitivity = sensitivity_of(request, {key: one for key, one in request.body.items() if one is not None})
    known = {one["name"]: one for one in side(portal, type_id, archived, sensitivity)}
    found = [known[one["name"]] for one in inputs if one["name"] in known]
    missing = [batch_error(no_such_property(type_id, one["name"])) for one in inputs if one["name"] not in known]
    return batch_response(portal, started, found, missing, 200)


def archive_batch(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Archives the named definitions; 204 also for names that never were. One refusal stops the whole batch."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_write(portal, request, type_id)
    names = [one["name"] for one in batch_inputs(portal, request)]
    live = [name for name in dict.fromkeys(names) if name in portal.definitions(type_id)["properties"]]
    for name in live:
        check_archivable(portal, type_id, name, live)
    for name in live:
        move_to_archive(portal, type_id, name)
    portal.touch(type_id, *live)
    return Response(204)


ROUTES: Sequence[Route] = [
    ("GET", PATH, list_properties),
    ("POST", PATH, create_property),
    ("POST", PATH + "/batch/create", create_batch),
    ("POST", PATH + "/batch/read", read_batch),
    ("POST", PATH + "/batch/archive", archive_batch),
    *groups.ROUTES,
    ("GET", PATH + "/(?P<name>[^/]+)", read_property),
    ("PATCH", PATH + "/(?P<name>[^/]+)", update_property),
    ("DELETE", PATH + "/(?P<name>[^/]+)", archive_property),
]
