"""What HubSpot checks before it stores a property definition, and in which words it refuses."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.emulator import formulas
from reconciler.emulator.errors import (
    ApiError,
    bad_enum,
    invalid_json,
    missing_scopes,
    not_found,
    validation_error,
)
from reconciler.emulator.routing import Request
from reconciler.emulator.store import Portal

Json = dict[str, Any]

TYPES = (
    "bool",
    "enumeration",
    "date",
    "datetime",
    "string",
    "number",
    "phone_number",
    "json",
    "object_coordinates",
)
FIELD_TYPES = (
    "textarea",
    "text",
    "date",
    "file",
    "number",
    "select",
    "radio",
    "checkbox",
    "booleancheckbox",
    "calculation_equation",
    "html",
    "phonenumber",
)
PAIRS: Mapping[str, frozenset[str]] = {
    "bool": frozenset({"booleancheckbox", "calculation_equation"}),
    "enumeration": frozenset({"booleancheckbox", "checkbox", "radio", "select", "calculation_equation"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"date"}),
    "string": frozenset({"text", "textarea", "file", "html", "phonenumber", "calculation_equation"}),
    "number": frozenset({"number", "calculation_equation"}),
    "phone_number": frozenset({"phonenumber", "text"}),
    "json": frozenset(),
    "object_coordinates": frozenset(),
}
ENUMS: Mapping[str, tuple[str, Sequence[str]]] = {
    "type": ("PropertyType", TYPES),
    "dataSensitivity": ("DataSensitivity", ("non_sensitive", "sensitive", "highly_sensitive")),
    "numberDisplayHint": (
        "NumberDisplayHint",
        ("currency", "duration", "formatted", "percentage", "probability", "unformatted"),
    ),
    "textDisplayHint": (
        "TextDisplayHint",
        (
            "domain_name",
            "email",
            "ip_address",
            "multi_line",
            "phone_number",
            "physical_address",
            "postal_code",
            "unformatted_single_line",
        ),
    ),
}
TEXTS: Sequence[str] = (
    "name",
    "label",
    "fieldType",
    "groupName",
    "description",
    "calculationFormula",
    "currencyPropertyName",
    "referencedObjectType",
)
FLAGS = ("externalOptions", "formField", "hasUniqueValue", "hidden", "showCurrencySymbol")
CREATE_REQUIRED = ("name", "label", "type", "fieldType", "groupName")
CREATE_ONLY = ("name", "dataSensitivity", "hasUniqueValue", "externalOptions", "referencedObjectType")
NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = re.compile(r"hs_|a\d+_")
LONGEST_NAME, LONGEST_OPTION, MOST_OPTIONS, MOST_UNIQUE = 100, 3000, 5000, 10


def decoded(body: Any, version: str | None) -> Json:
    """The known fields of a body that are not null, each of the JSON type that HubSpot's deserialiser wants."""
    if not isinstance(body, dict):
        raise invalid_json("Cannot deserialize value: an object is expected")
    fields: Json = {name: as_text(name, body[name]) for name in TEXTS if body.get(name) is not None}
    if fields.get("calculationFormula") == "":
        del fields["calculationFormula"]
    fields |= {name: as_flag(name, body[name]) for name in FLAGS if body.get(name) is not None}
    fields |= {name: as_enum(name, body[name]) for name in ENUMS if body.get(name) is not None}
    if fields.get("fieldType", "text") not in FIELD_TYPES:
        raise validation_error(f"Enum type must be one of: [{', '.join(FIELD_TYPES)}]")
    if body.get("displayOrder") is not None:
        fields["displayOrder"] = as_number("displayOrder", body["displayOrder"])
    if body.get("options") is not None:
        fields["options"] = decoded_options(body["options"], version)
    return fields


def as_text(name: str, value: Any) -> str:
    """A text; numbers and booleans are taken as their text."""
    if isinstance(value, (dict, list)):
        raise invalid_json(f"Cannot deserialize value of type `java.lang.String` (field {name})")
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_enum(name: str, value: Any) -> str:
    """One of the words that a field takes."""
    java_type, allowed = ENUMS[name]
    word = as_text(name, value)
    if word not in allowed:
        raise bad_enum(f"com.hubspot.properties.{java_type}", word, allowed)
    return word


def as_flag(name: str, value: Any) -> bool:
    """A boolean; HubSpot also takes its text."""
    if isinstance(value, bool) or value in ("true", "false"):
        return value in (True, "true")
    raise invalid_json(f"Cannot deserialize value of type `boolean` (field {name})")


def as_number(name: str, value: Any) -> int:
    """A whole number of 32 bits."""
    if isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31:
        return value
    raise invalid_json(f"Cannot deserialize value of type `int` (field {name})")


def as_object(name: str, value: Any) -> Json:
    """A JSON object; null and what is not sent are an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_json(f"Cannot deserialize value of type `java.util.Map` (field {name})")
    return value


def as_list(name: str, value: Any) -> list[Any]:
    """A list; null and what is not sent are an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid_json(f"Cannot deserialize value of type `java.util.ArrayList` (field {name})")
    return value


def as_objects(name: str, value: Any) -> list[Json]:
    """A list of objects."""
    listed = as_list(name, value)
    if not all(isinstance(one, dict) for one in listed):
        raise invalid_json(f"Cannot deserialize value: objects are expected (field {name})")
    return listed


def as_texts(name: str, value: Any) -> list[str]:
    """A list of texts."""
    listed = as_list(name, value)
    if any(one is None for one in listed):
        raise invalid_json(f"Cannot deserialize value of type `java.lang.String` (field {name})")
    return [as_text(name, one) for one in listed]


def decoded_options(options: Any, version: str | None) -> list[Json]:
    """Options as they are stored; the dated versions insist on the fields that v3 fills in."""
    options = as_objects("options", options)
    wanted = ("label", "value", "hidden", "displayOrder") if version else ("label", "value")
    require_fields(options, wanted)
    known = [option["displayOrder"] for option in options if option.get("displayOrder") is not None]
    following = max((as_number("displayOrder", order) for order in known), default=-1)
    stored = []
    for option in options:
        if option.get("displayOrder") is None:
            following += 1
        stored.append(decoded_option(option, following))
    return stored


def decoded_option(option: Mapping[str, Any], order: int) -> Json:
    """One option with its defaults."""
    fields = {"label": as_text("label", option["label"]), "value": as_text("value", option["value"])}
    if option.get("description") is not None:
        fields["description"] = as_text("description", option["description"])
    given = option.get("displayOrder")
    hidden = as_flag("hidden", option.get("hidden") or False)
    return fields | {"displayOrder": order if given is None else given, "hidden": hidden}


def require_fields(bodies: Iterable[Mapping[str, Any]], names: Sequence[str]) -> None:
    """Refuses bodies in which a required field is missing."""
    for body in bodies:
        if missing := [name for name in names if body.get(name) is None]:
            raise invalid_json(f"Some required fields were not set: [{', '.join(missing)}]")


def check_new_name(name: str) -> None:
    """Refuses names that a portal cannot give."""
    if RESERVED.match(name):
        raise validation_error(
            f"Property name '{name}' starts with a reserved prefix", "PropertyValidationError.RESERVED_PROPERTY_NAME"
        )
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise validation_error(
            f"Property name '{name}' is invalid: it starts with a letter, has only lower-case letters, digits and "
            f"underscores, and at most {LONGEST_NAME} characters",
            "PropertyValidationError.INVALID_PROPERTY_NAME",
        )


def check_sensitivity(portal: Portal, request: Request, fields: Mapping[str, Any]) -> None:
    """Refuses sensitive properties to whoever may not make them, or where the feature is off."""
    if fields.get("dataSensitivity", "non_sensitive") == "non_sensitive":
        return
    if not may_see_sensitive(request):
        raise ApiError(403, "Missing required scope for: sensitive-data-property-create", category="MISSING_SCOPES")
    if not portal.switches["sensitiveData"]:
        raise validation_error("Portal is not enabled for sensitive data", "PORTAL_NOT_ENABLED_FOR_SENSITIVE_DATA")


def may_see_sensitive(request: Request) -> bool:
    """Whether the token has a scope of sensitive data."""
    return request.scopes is None or any("sensitive" in scope for scope in request.scopes)


def check_group(portal: Portal, type_id: str, group: str) -> None:
    """Refuses a group that is not there, or not there yet."""
    late = portal.state.setdefault("lateGroups", [])
    if f"{type_id}/{group}" in late:
        late.remove(f"{type_id}/{group}")
    elif group in portal.definitions(type_id)["groups"]:
        return
    raise validation_error(
        f"Property group '{group}' does not exist", "PropertyValidationError.PROPERTY_GROUP_DOES_NOT_EXIST"
    )


def check_uniqueness(definitions: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Refuses uniqueness to a name that ever was not unique, and to the eleventh property."""
    if not fields.get("hasUniqueValue"):
        return
    name = fields["name"]
    if name in definitions["everNonUnique"]:
        raise validation_error(
            f"Cannot create unique property '{name}': a non-unique property with the same name previously existed"
        )
    unique = [one for one in definitions["properties"].values() if one.get("hasUniqueValue") and not is_default(one)]
    if len(unique) >= MOST_UNIQUE:
        raise validation_error(f"An object type can have at most {MOST_UNIQUE} properties with unique values")


def is_default(definition: Mapping[str, Any]) -> bool:
    """Whether HubSpot, or something that acts for it, defined the property."""
    return bool(definition.get("hubspotDefined"))


def rights(definition: Mapping[str, Any]) -> Mapping[str, bool]:
    """What a portal may change of a property; a recorded one that does not say it is free, unless it is HubSpot's."""
    locked = is_default(definition)
    free = {"archivable": not locked, "readOnlyDefinition": locked, "readOnlyValue": False}
    return free | (definition.get("modificationMetadata") or {})


def check_definition(type_id: str, definition: Mapping[str, Any]) -> None:
    """Refuses a definition whose parts do not fit each other."""
    if definition["fieldType"] not in PAIRS.get(definition["type"], ()):
        raise validation_error("Property failed validation.", "Properties.PROPERTY_CREATE_FAILED_VALIDATION")
    check_options(type_id, definition)
    if definition.get("currencyPropertyName") is not None and not definition.get("showCurrencySymbol"):
        raise validation_error(
            "Only currency properties can specify a currency property", "ONLY_CURRENCY_PROPERTIES_CAN_SPECIFY_CURRENCY"
        )


def check_texts(portal: Portal, fields: Mapping[str, Any]) -> None:
    """Refuses texts beyond the limit, if there is one."""
    longest = portal.switches["longestText"]
    for name in ("label", "description"):
        if longest and len(fields.get(name, "")) > longest:
            raise validation_error(f"The {name} of a property can have at most {longest} characters")


def check_options(type_id: str, definition: Mapping[str, Any]) -> None:
    """Refuses option lists that the type does not allow."""
    name, options = definition["name"], definition["options"]
    context = {"property": [name], "objectTypeId": [type_id]}
    calculated = "calculationFormula" in definition
    if definition.get("externalOptions"):
        if options or not definition.get("referencedObjectType"):
            raise validation_error(
                f"Property '{name}' with external options needs a referenced object type and no options",
                "PropertyValidationError.INVALID_EXTERNAL_OPTIONS",
                context=context,
            )
    elif definition["type"] == "bool" and not calculated:
        if sorted(option["value"] for option in options) != ["false", "true"]:
            raise boolean_options(name, type_id)
    elif definition["type"] == "enumeration" and not options and not calculated:
        raise validation_error(
            f"Enumeration property '{name}' must have at least one option",
            "PropertyValidationError.MISSING_OPTIONS",
            context=context,
        )
    check_option_list(name, options, context)


def boolean_options(name: str, type_id: str) -> ApiError:
    """HubSpot's refusal says "more than two" whatever was sent."""
    return validation_error(
        f"Boolean property '{name}' cannot have more than two options",
        "PropertyValidationError.INVALID_BOOLEAN_OPTION",
        context={"property": [name], "objectTypeId": [type_id]},
    )


def check_option_list(name: str, options: Sequence[Mapping[str, Any]], context: Mapping[str, Sequence[str]]) -> None:
    """Refuses duplicates and sizes beyond the documented limits."""
    for key in ("value", "label"):
        if twice := [text for text, count in Counter(option[key] for option in options).items() if count > 1]:
            raise validation_error(
                f"Property '{name}' has more than one option with the {key} '{twice[0]}'",
                "PropertyValidationError.DUPLICATE_OPTION",
                context=context,
            )
    size = max(
        (sum(len(option.get(key, "")) for key in ("label", "value", "description")) for option in options), default=0
    )
    if len(options) > MOST_OPTIONS or size > LONGEST_OPTION:
        raise validation_error(
            f"Property '{name}' has too many options, or one that is too long",
            "PropertyValidationError.TOO_MANY_OPTIONS",
            context=context,
        )


def parsed_formula(portal: Portal, type_id: str, name: str, text: str) -> formulas.Formula:
    """The formula of a property; naming a property that is not there is a 404."""
    properties = portal.definitions(type_id)["properties"]
    formula = formulas.parse(text, {one["name"]: one["type"] for one in properties.values()})
    for missing in sorted(formula.properties - properties.keys()):
        raise not_found(f"Property '{missing}' named in the formula of '{name}' does not exist on {type_id}")
    return formula


SCOPE_NAMES: Mapping[str, str] = {
    "commerce_payments": "commercepayments",
    "communications": "contacts",
    "postal_mail": "contacts",
}
WITHOUT_SCHEMA_SCOPES = frozenset(
    {"communications", "postal_mail", "feedback_submissions", "goals", "leads", "marketing_events", "users"}
)
LEGACY_SCOPES: Mapping[str, str] = {"tickets": "tickets", "products": "e-commerce", "line_items": "e-commerce"}


def scope_object(portal: Portal, type_id: str) -> str:
    """An object type as scopes name it."""
    name = portal.object_name(type_id)
    return "custom" if type_id.startswith("2-") else SCOPE_NAMES.get(name, name)


def require_read(portal: Portal, request: Request, type_id: str) -> None:
    """403 for tokens that may not read this object's definitions; a write-only key is not told which scope it lacks."""
    opening = reading_scopes(portal, type_id)
    granted = request.scopes or frozenset()
    if granted & {*writing_scopes(portal, type_id)} and not granted & {*opening}:
        raise missing_scopes([])
    request.require_any(*opening)


def require_write(portal: Portal, request: Request, type_id: str) -> None:
    """403 for tokens that may not write definitions of this object."""
    request.require_any(*writing_scopes(portal, type_id))


def reading_scopes(portal: Portal, type_id: str) -> Sequence[str]:
    """The scopes of which any opens the definitions of an object type."""
    scoped, objects = scope_object(portal, type_id), ["objects.{}.read", "objects.{}.write"]
    rights = objects if portal.object_name(type_id) in WITHOUT_SCHEMA_SCOPES else ["schemas.{}.read", *objects]
    return [*(f"crm.{right.format(scoped)}" for right in rights), *legacy(scoped)]


def writing_scopes(portal: Portal, type_id: str) -> Sequence[str]:
    """The scopes of which any lets a token write the definitions of an object type."""
    scoped = scope_object(portal, type_id)
    area = "objects" if portal.object_name(type_id) in WITHOUT_SCHEMA_SCOPES else "schemas"
    return [f"crm.{area}.{scoped}.write", *legacy(scoped)]


def legacy(scoped: str) -> Sequence[str]:
    """The old scope that opens an object's definitions beside the granular ones."""
    return [LEGACY_SCOPES[scoped]] if scoped in LEGACY_SCOPES else []
