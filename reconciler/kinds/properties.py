"""Properties: the fields of HubSpot's records, and their options.

An entry with ``type`` is a full definition and can be created. One without it is partial: it adopts a property that is
there, and owns only the fields it names. That is the way to own a part of a property that HubSpot defines: what its
``modificationMetadata`` lets a portal change, and nothing else.

HubSpot replaces the whole option list when one option is sent (hubspot-api.md A.7). So options are merged by value into
the list that is live right before the write; ``options: {exact: true, values: [...]}`` also removes the others.
``options`` of ``lifecyclestage`` mirror the lifecycle stages and are read only: declare ``lifecycleStages`` instead.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from operator import eq, itemgetter
from typing import TYPE_CHECKING, NamedTuple

from reconciler import object_types
from reconciler.address import decode, encode, join, split
from reconciler.diff import Difference, FieldChange
from reconciler.errors import StaleError, UnavailableError
from reconciler.kinds import (
    Count,
    Listing,
    Locate,
    Request,
    Risk,
    Scope,
    Settled,
    Write,
    named,
    property_groups,
    refusal,
    same_words,
)
from reconciler.memo import kept_with_first
from reconciler.model import Answer, Finding, Json, Reads, Resource, Tombstone
from reconciler.object_types import is_custom, segment
from reconciler.order import merged_order
from reconciler.paths import Api

if TYPE_CHECKING:
    from reconciler.diff import Field
    from reconciler.plan import Change, PlannedField

NAME = "properties"

# hubspot-api.md A.3. What a PATCH ignores without a word can only be given when the property is created.
CREATE_ONLY = ("hasUniqueValue", "dataSensitivity", "externalOptions", "referencedObjectType")
ALWAYS_SET: Mapping[str, Json] = {
    "label": "",
    "description": "",
    "groupName": "",
    "type": "",
    "fieldType": "",
    "displayOrder": -1,
    "hidden": False,
    "formField": False,
    "hasUniqueValue": False,
    "externalOptions": False,
}
SOMETIMES_SET: Mapping[str, Json] = {  # and the value that means the same as absent
    "referencedObjectType": None,
    "calculationFormula": None,
    "numberDisplayHint": "formatted",  # the neutral one (hubspot-api.md N.2)
    "textDisplayHint": None,
    "showCurrencySymbol": False,
    "currencyPropertyName": None,
    "dataSensitivity": "non_sensitive",
}
OVERWRITTEN = "overwritten"  # the fact that holds declared options with the value of a later one, which is a mistake
OPTION_KEYS = ("hidden", "description")  # sent with every option of a definition, or with none (hubspot-api.md A.2)
REQUIRED = ("label", "fieldType", "groupName")  # beside the type, in a full definition

# hubspot-api.md A.4: the pairs that may be written.
FIELD_TYPES: Mapping[str, tuple[str, ...]] = {
    "string": ("text", "textarea", "file", "html", "phonenumber", "calculation_equation"),
    "number": ("number", "calculation_equation"),
    "bool": ("booleancheckbox", "calculation_equation"),
    "enumeration": ("select", "radio", "checkbox", "booleancheckbox", "calculation_equation"),
    "date": ("date",),
    "datetime": ("date",),
    "phone_number": ("phonenumber",),
}
WITH_OPTIONS = ("enumeration", "bool")
NAME_SYNTAX = re.compile(r"[a-z][a-z0-9_]*")
VENDOR_PREFIX = re.compile(r"hs_|a\d+_")
MAX_NAME, MAX_OPTIONS, MAX_OPTION, SEEN_LABEL, SEEN_DESCRIPTION = 100, 5000, 3000, 124, 781  # hubspot-api.md A.5, L 6

_TYPES = {
    "string": "Text.",
    "number": "A number, whole or not.",
    "bool": "Yes or no; has exactly the options true and false.",
    "enumeration": "One or several of a list of options.",
    "date": "A day, without a time.",
    "datetime": "A point in time.",
    "phone_number": "A phone number, formatted by HubSpot.",
}
_SHOWN_AS = {
    "booleancheckbox": "A single checkbox, for yes or no.",
    "calculation_equation": "Calculated from other properties, by calculationFormula.",
    "checkbox": "Checkboxes: several options can be chosen.",
    "date": "A date picker.",
    "file": "An upload.",
    "html": "Rich text.",
    "number": "A box for a number.",
    "phonenumber": "A box for a phone number.",
    "radio": "Radio buttons: one option, all of them in view.",
    "select": "A drop-down list: one option.",
    "text": "A box for one line.",
    "textarea": "A box for several lines.",
}

_OPTION: Json = {
    "title": "Option",
    "description": "One choice of an enumeration.",
    "type": "object",
    "additionalProperties": False,
    "required": ["value", "label"],
    "properties": {
        "value": {
            "type": "string",
            "description": "HubSpot's internal value; records hold it, so it never changes.",
            "examples": ["gold"],
        },
        "label": {"type": "string", "description": "What people see.", "examples": ["Gold"]},
        "description": {"type": "string", "description": "Help text of the option."},
        "hidden": {"type": "boolean", "description": "Hidden options stay valid but are not offered."},
    },
}
_CHOICES = "The choices, in display order. Live ones that are not listed stay, unless the list is exact."
_OPTIONS: Json = {"type": "array", "items": _OPTION, "description": _CHOICES}


def _text(description: str, **more: Json) -> Json:
    return {"type": "string", "description": description, **more}


def _choice(description: str, meanings: Mapping[str, str]) -> Json:
    return _text(description, enum=list(meanings), enumDescriptions=list(meanings.values()))


def _flag(description: str) -> Json:
    return {"type": "boolean", "description": description}


def _where(conditions: Mapping[str, Json], needed: Sequence[str], also: Mapping[str, Json]) -> Json:
    """What else holds where these fields are so; as not and else, for editors offer what stands in a plain ``if``."""
    return {"if": {"not": {"required": list(needed), "properties": conditions}}, "else": also}


def _pair(kind: str, pairs: Sequence[str]) -> Json:
    """The field types that go with a type."""
    choice = {
        "enum": list(pairs),
        "enumDescriptions": [_SHOWN_AS[pair] for pair in pairs],
        "errorMessage": f"type {kind} can be shown as {', '.join(pairs)}",
    }
    return _where({"type": {"const": kind}}, ["type"], {"properties": {"fieldType": choice}})


def _listing(limits: Mapping[str, Json]) -> Json:
    """Limits of the options, in both their forms."""
    return {"properties": {"options": {**limits, "properties": {"values": limits}}}}


# What ``check`` refuses as well, in words of its own; here so that an editor shows it while somebody types.
CONDITIONS: list[Json] = [
    _where({}, ["type"], {"required": [*REQUIRED]}),
    *(_pair(kind, pairs) for kind, pairs in FIELD_TYPES.items()),
    {
        "if": {"not": {"required": ["type"]}},
        "then": {"properties": {"fieldType": {"enum": [*_SHOWN_AS], "enumDescriptions": [*_SHOWN_AS.values()]}}},
    },
    _where(
        {"type": {"const": "enumeration"}, "externalOptions": {"const": False}, "calculationFormula": False},
        ["type"],
        {"required": ["options"], "errorMessage": "an enumeration needs at least one option"},
    ),
    _where(
        {"type": {"const": "bool"}, "calculationFormula": False},
        ["type"],
        {"required": ["options"], "errorMessage": "a bool needs exactly the options true and false"},
    ),
    _where(
        {"type": {"enum": [kind for kind in FIELD_TYPES if kind not in WITH_OPTIONS]}},
        ["type"],
        _listing({"items": {"type": "null", "errorMessage": "only an enumeration or a bool has options"}}),
    ),
    _where(
        {"externalOptions": {"const": True}},
        ["type", "externalOptions"],
        {"required": ["referencedObjectType"], "errorMessage": "external options need to say what they refer to"},
    ),
    _where(
        {},
        ["type", "calculationFormula"],
        {
            "properties": {
                "fieldType": {
                    "const": "calculation_equation",
                    "errorMessage": "a formula makes fieldType calculation_equation",
                }
            }
        },
    ),
    _where(
        {"currencyPropertyName": {"minLength": 1}},
        ["currencyPropertyName"],
        {
            "required": ["showCurrencySymbol"],
            "properties": {"showCurrencySymbol": {"const": True}},
            "errorMessage": "HubSpot takes a currency property only where the currency symbol is shown",
        },
    ),
]
ENTRY: Json = {
    "title": "Property",
    "description": "With `type` a full definition; without it, a property that is there, owned in these fields only.",
    "type": "object",
    "additionalProperties": False,
    "allOf": CONDITIONS,
    "properties": {
        "label": _text("What people see in HubSpot.", minLength=1, examples=["Health score"]),
        "type": _choice("How HubSpot stores the value.", _TYPES),
        "fieldType": _choice("How HubSpot shows it in forms; the type says which of them can be.", _SHOWN_AS),
        "groupName": _text(
            "Internal name of the property group that holds it.", minLength=1, examples=["contactinformation"]
        ),
        "description": {
            "type": ["string", "null"],
            "description": "Help text for the people who fill it in; null clears it.",
        },
        "options": {
            "description": _CHOICES,
            "defaultSnippets": [{"label": "options", "body": [{"value": "$1", "label": "$2"}]}],
            "oneOf": [
                _OPTIONS,
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["exact", "values"],
                    "properties": {
                        "exact": {
                            "const": True,
                            "description": "Plan live options that are not listed for removal.",
                            "errorMessage": "write `exact: true` to plan live options that are not listed for removal; "
                            "to leave them alone, write the options as a plain list",
                        },
                        "values": {**_OPTIONS, "description": "All the choices there are, in display order."},
                    },
                },
            ],
        },
        "displayOrder": {
            "type": "integer",
            "minimum": -1,
            "maximum": property_groups.LAST_PLACE,
            "description": "Position in its group; -1 leaves the place to HubSpot and is never compared.",
        },
        "hidden": _flag("Hidden from people in HubSpot."),
        "formField": _flag("May be used in forms."),
        "hasUniqueValue": _flag("No two records share a value. Only when it is created, at most ten an object type."),
        "dataSensitivity": _choice(
            "Only when it is created.",
            {
                "non_sensitive": "Ordinary data; what HubSpot takes when nothing is said.",
                "sensitive": "Personal or regulated data; needs a scope of its own.",
                "highly_sensitive": "Such as payment or health data; needs a scope of its own.",
            },
        ),
        "externalOptions": _flag("The choices come from elsewhere, such as owners. Only when it is created."),
        "referencedObjectType": _text(
            "What external options refer to, such as OWNER. Only when it is created.", examples=["OWNER"]
        ),
        "calculationFormula": _text(
            "Formula of a calculated property; fieldType is calculation_equation.", examples=["mrr * 12"]
        ),
        "numberDisplayHint": _choice(
            "How a number is shown.",
            {
                "currency": "In the portal's currency.",
                "duration": "As a length of time.",
                "formatted": "With separators; what HubSpot takes when nothing is said.",
                "percentage": "As a percentage.",
                "probability": "As a likelihood.",
                "unformatted": "Without separators, such as a number of a customer.",
            },
        ),
        "textDisplayHint": _choice(
            "How a text is shown.",
            {
                "domain_name": "A domain.",
                "email": "An address to write to.",
                "ip_address": "An IP address.",
                "multi_line": "Several lines.",
                "phone_number": "A number to call.",
                "physical_address": "A place.",
                "postal_code": "A postal code.",
                "unformatted_single_line": "One line, as it is.",
            },
        ),
        "showCurrencySymbol": _flag("Show the currency; cannot be turned off once a currency property is named."),
        "currencyPropertyName": _text("The property that holds the currency; needs showCurrencySymbol."),
        "meta": {
            "type": "object",
            "description": "Notes of yours, never sent to HubSpot.",
            "properties": {
                "owner": {
                    "type": "string",
                    "description": "Who answers for this definition.",
                    "examples": ["revops"],
                },
                "consumers": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "The integrations that read or write it.",
                },
            },
        },
    },
}
SCHEMA: Mapping[str, Json] = {
    "title": "Properties",
    "description": "Properties by object type, then by HubSpot's internal name.",
    "type": "object",
    "additionalProperties": {
        "description": "The properties of one object type; a custom object by its bare name.",
        "type": "object",
        "additionalProperties": ENTRY,
        "allOf": [
            named(NAME_SYNTAX, "an internal name is of lower-case letters, digits and underscores, a letter first")
        ],
    },
}


_PLANNED_OPTION: Json = {
    "type": "object",
    "additionalProperties": False,
    "required": ["label"],
    "properties": {
        "value": {"type": "string"},
        "label": {"type": "string"},
        "description": {"type": ["string", "null"]},
        "hidden": {"type": "boolean"},
        "displayOrder": {"type": "integer"},
    },
}
_WHOLE_OPTION: Json = {**_PLANNED_OPTION, "required": ["value", "label"]}
PLANNED: Mapping[str, Json] = {
    r"^\w+ (label|description|groupName|type|fieldType|dataSensitivity|referencedObjectType|calculationFormula)$": {
        "type": ["string", "null"]
    },
    r"^\w+ (numberDisplayHint|textDisplayHint|currencyPropertyName)$": {"type": ["string", "null"]},
    r"^\w+ (hidden|formField|hasUniqueValue|externalOptions|showCurrencySymbol)$": {"type": ["boolean", "null"]},
    r"^\w+ displayOrder$": {"type": ["integer", "null"]},
    r"^changed options$": {
        "anyOf": [
            {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            {"type": "array", "items": _WHOLE_OPTION},  # in a restore
        ]
    },
    r"^(added|removed) options$": {"type": ["array", "null"], "items": _WHOLE_OPTION},
    r"^\w+ options/[^/]+$": {"anyOf": [_PLANNED_OPTION, {"type": "null"}]},
    r"^\w+ options/[^/]+/(label|description)$": {"type": ["string", "null"]},
    r"^\w+ options/[^/]+/hidden$": {"type": ["boolean", "null"]},
}
REMOTE: Mapping[str, Json] = {
    "type": "object",
    "required": ["objectType"],
    "properties": {
        "objectType": {"type": "string"},
        "dataSensitivity": {"enum": ["sensitive", "highly_sensitive"]},
    },
}


# --- the spec side ---------------------------------------------------------------------------------------------------


def parse(section: Json, locate: Locate) -> Iterator[Resource]:
    """The declared properties: what an entry does not say is not in its attributes."""
    for object_type, entries in section.items():
        head = f"{NAME}/{encode(object_type)}/"
        for name, entry in entries.items():
            attributes, facts = _unpacked(entry) if "meta" in entry or "options" in entry else (entry, {})
            yield Resource(NAME, head + encode(name), attributes, facts, locate(NAME, object_type, name))


def _unpacked(entry: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
    attributes = dict(entry)
    facts = {"meta": attributes.pop("meta")} if "meta" in attributes else {}
    if "options" in attributes:
        listed = attributes["options"]
        if isinstance(listed, Mapping):
            facts["exact"] = True
            listed = listed["values"]
        attributes["options"] = options = _option_mapping(listed)
        if len(options) < len(listed):
            last = {option["value"]: index for index, option in enumerate(listed)}
            facts[OVERWRITTEN] = [one for index, one in enumerate(listed) if last[one["value"]] != index]
    return attributes, facts


def _option_mapping(listed: Iterable[Mapping[str, Json]]) -> dict[str, Json]:
    return {
        option["value"]: plain_option(option["label"]) if len(option) == 2 else _without_value(option)
        for option in listed
    }


@lru_cache(1 << 16)
def plain_option(label: str) -> Mapping[str, Json]:
    """An option that is nothing but a label: one value on all sides, for most options are such, and few ever differ."""
    return {"label": label}


def _without_value(option: Mapping[str, Json]) -> dict[str, Json]:
    return {key: option[key] for key in option if key != "value"}


def check(resource: Resource) -> Iterator[Finding]:
    """What HubSpot would refuse later (hubspot-api.md A.4, A.5)."""
    attributes = resource.attributes
    yield from _check_name(resource)
    if "type" in attributes:
        yield from _check_definition(resource)
    if "options" in attributes:
        yield from _check_options(resource)
    if "displayOrder" in attributes:
        yield from property_groups.check_position(resource)
    if attributes.get("currencyPropertyName") and not attributes.get("showCurrencySymbol"):
        why = "HubSpot takes a currency property only where the currency symbol is shown"
        yield refusal("property-currency", resource, why, "add `showCurrencySymbol: true`", "currencyPropertyName")
    for field, seen in (("label", SEEN_LABEL), ("description", SEEN_DESCRIPTION)):
        if len(attributes.get(field) or "") > seen:
            text = f"{field} has {len(attributes[field])} characters; more than {seen} were never seen in HubSpot"
            yield Finding("property-length", "warning", text, "shorten it", resource.address, resource.source)


def _check_name(resource: Resource) -> Iterator[Finding]:
    name = resource.name
    if not NAME_SYNTAX.fullmatch(name):
        proper = re.sub(r"[^a-z0-9_]+", "_", name.lower()).lstrip("_0123456789") or "name"
        why = f"{name!r} is no internal name: lower-case letters, digits and underscores, a letter first"
        yield refusal("property-name", resource, why, f"call it {proper}")
    elif len(name) > MAX_NAME:
        why = f"the name has {len(name)} characters; HubSpot takes at most {MAX_NAME}"
        yield refusal("property-name", resource, why, "shorten it")
    elif VENDOR_PREFIX.match(name) and "type" in resource.attributes:
        why = f"HubSpot keeps names that start with {VENDOR_PREFIX.match(name)[0]} for itself"  # type: ignore[index]
        fix = "choose another name, or drop `type` to own parts of the property that HubSpot defines"
        yield refusal("property-reserved-prefix", resource, why, fix)


def _check_definition(resource: Resource) -> Iterator[Finding]:
    attributes = resource.attributes
    missing = [field for field in REQUIRED if field not in attributes]
    if missing:
        fix = "add " + ", ".join(missing) + "; or drop `type` to own parts of a property that is there"
        yield refusal("property-incomplete", resource, f"a full definition lacks {', '.join(missing)}", fix)
    kind, field_type = attributes["type"], attributes.get("fieldType")
    if field_type and field_type not in FIELD_TYPES[kind]:
        fix = f"type {kind} can be shown as {', '.join(FIELD_TYPES[kind])}"
        yield refusal(
            "property-type-pair", resource, f"fieldType {field_type} does not go with type {kind}", fix, "fieldType"
        )
    formula = "calculationFormula" in attributes
    if formula and field_type and field_type != "calculation_equation":
        why = f"a formula makes fieldType calculation_equation, not {field_type} (hubspot-api.md N.2)"
        yield refusal("property-formula", resource, why, "write `fieldType: calculation_equation`", "fieldType")
    if kind == "enumeration" and not attributes.get("externalOptions") and not formula:
        if not attributes.get("options"):
            yield refusal("property-no-options", resource, "an enumeration needs at least one option", "add `options:`")
    elif kind not in WITH_OPTIONS and attributes.get("options"):
        why = f"a {kind} has no options"
        yield refusal(
            "property-needless-options", resource, why, "drop `options`, or write `type: enumeration`", "options"
        )
    if kind == "bool" and not formula and set(attributes.get("options", ())) != {"true", "false"}:
        fix = 'options: [{value: "true", label: "Yes"}, {value: "false", label: "No"}]'
        yield refusal(
            "property-bool-options", resource, "a bool needs exactly the options true and false", fix, "options"
        )
    if attributes.get("externalOptions") and not attributes.get("referencedObjectType"):
        why = "external options need to say what they refer to"
        yield refusal(
            "property-external-options", resource, why, "add `referencedObjectType: OWNER`", "externalOptions"
        )
    if attributes.get("externalOptions") and attributes.get("options"):
        why = "external options lie elsewhere, and HubSpot takes none beside them (hubspot-api.md A.5)"
        yield refusal("property-external-options", resource, why, "drop `options`, or `externalOptions`", "options")


def _check_options(resource: Resource) -> Iterator[Finding]:
    options: Mapping[str, Mapping[str, Json]] = resource.attributes["options"]
    overwritten: Sequence[Mapping[str, Json]] = resource.facts.get(OVERWRITTEN, ())
    values = [*(option["value"] for option in overwritten), *options]
    listed = [*overwritten, *options.values()]
    labels = [option["label"] for option in listed]
    if len(listed) > MAX_OPTIONS:
        yield refusal("option-count", resource, f"{len(listed)} options; HubSpot takes {MAX_OPTIONS}", "use fewer")
    for field, texts in (("value", values if overwritten else ()), ("label", labels)):
        for text, count in Counter(texts).items() if len(set(texts)) < len(texts) else ():
            if count > 1:
                why = f"{count} options have the {field} {text!r}"
                yield refusal(f"option-duplicate-{field}", resource, why, f"give each option its own {field}")
    said, described = "".join(values), [option["description"] for option in listed if "description" in option]
    short = len(said) + sum(map(len, labels)) + sum(map(len, described)) <= MAX_OPTION
    if short and ";" not in said and _trimmed(values, said):
        return  # what the rules below look for is nowhere in the whole list
    for value, option in zip(values, listed, strict=True):
        if ";" in value:
            why = f"option value {value!r} has a semicolon, which separates the values of a multi-checkbox"
            yield refusal("option-value", resource, why, "use another sign", f"options/{encode(value)}")
        elif value != value.strip():
            why = f"option value {value!r} has outer blanks"
            yield refusal("option-value", resource, why, "drop them", f"options/{encode(value)}")
        if len(value) + len(option["label"]) + len(option.get("description", "")) > MAX_OPTION:
            why = f"option {value[:40]!r} has more than {MAX_OPTION} characters in value, label and description"
            yield refusal("option-length", resource, why, "shorten it", f"options/{encode(value)}")


def _trimmed(values: Sequence[str], said: str) -> bool:
    """Whether no value begins or ends with a blank; ``said`` is all of them in a row."""
    return said.split() == [said] or list(map(str.strip, values)) == values


# --- the portal side -------------------------------------------------------------------------------------------------


def listings(scope: Scope, reads: Reads) -> Iterator[Listing]:
    """One list an object type; archived ones where a declaration asks for them, sensitive ones where any is known."""
    for object_type in scope.object_types(NAME):
        collection = f"{NAME}/{object_type}"
        if is_custom(object_type):
            yield Listing(collection, scope.api.schemas(), leads=True)
        part = segment(object_type, scope.api, reads)
        if not part:
            continue
        path = scope.api.properties(part)
        yield Listing(collection, path)
        declared = _declared(scope).get(object_type, _Declared())
        for level in ("sensitive", "highly_sensitive"):
            if level in declared.levels:
                yield Listing(collection, f"{path}?dataSensitivity={level}")
        if reads.ok(path) and not declared.whole <= _names(reads, path):
            yield Listing(collection, f"{path}?archived=true", beside=True)


class _Declared(NamedTuple):
    """What is asked for of an object type: names of full definitions, levels of sensitivity that anybody knows of."""

    whole: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()


@kept_with_first
def _declared(scope: Scope) -> dict[str, _Declared]:
    """By object type; asked for with every answer, so it is worked out once."""
    whole: dict[str, set[str]] = {}
    levels: dict[str, set[str]] = {}
    for resource in scope.desired.of_kind(NAME):
        head, _, name = resource.address.rpartition("/")
        if "type" in resource.attributes:
            whole.setdefault(head, set()).add(name)
        for told in (resource.attributes, resource.facts):  # an apply that looks at its own work knows it as a fact
            if "dataSensitivity" in told:
                levels.setdefault(head, set()).add(told["dataSensitivity"])
    for resource in scope.baseline.of_kind(NAME):
        if "dataSensitivity" in resource.attributes:  # of the plain lists none has it (hubspot-api.md A.14)
            levels.setdefault(resource.address.rpartition("/")[0], set()).add(resource.attributes["dataSensitivity"])
    return {
        split(head)[1]: _Declared(frozenset(map(decode, whole.get(head, ()))), frozenset(levels.get(head, ())))
        for head in {*whole, *levels}
    }


@kept_with_first
def _names(reads: Reads, path: str) -> frozenset[str]:
    return frozenset(map(itemgetter("name"), reads.results(path)))


def observe(scope: Scope, reads: Reads) -> Iterator[Resource]:
    """The live properties of every list that was read."""
    for object_type in scope.object_types(NAME):
        part = segment(object_type, scope.api, reads)
        if not part:
            continue
        head = f"{NAME}/{encode(object_type)}/"
        path = scope.api.properties(part)
        for query in ("", "?dataSensitivity=sensitive", "?dataSensitivity=highly_sensitive"):
            for raw in reads.results(path + query):
                if raw.get("archived") is not True:
                    facts = raw if part == object_type else {**raw, "objectType": part}
                    yield Resource(NAME, head + encode(raw["name"]), canonical(raw), facts)


def canonical(raw: Mapping[str, Json]) -> dict[str, Json]:
    """A definition as HubSpot sends it, in the one form that is compared."""
    attributes = {field: unset if (value := raw.get(field)) is None else value for field, unset in ALWAYS_SET.items()}
    for field, unset in SOMETIMES_SET.items():
        if field in raw and (value := raw[field]) is not None and value != unset and value != "":
            attributes[field] = value
    # Options of external lists are always empty here, whatever people see (real-drift.md 6).
    if raw.get("options") and not attributes["externalOptions"]:
        attributes["options"] = _live_options(raw["options"])
    return attributes


def _live_options(listed: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    orders: list[Json] = [option.get("displayOrder") for option in listed]
    if None in orders or orders != sorted(orders):
        listed = sorted(listed, key=_number)
    return {
        option["value"]: _live_option(option)
        if option.get("description") or option.get("hidden")
        else plain_option(option.get("label") or "")
        for option in listed
    }


def _number(option: Mapping[str, Json]) -> int:
    number: int | None = option.get("displayOrder")
    return -1 if number is None else number


def option_numbers(facts: Mapping[str, Json]) -> Mapping[str, int]:
    """The numbers that options were sent with; a baseline keeps them only where some share one."""
    listed = facts.get("options") or ()
    return facts.get("optionNumbers") or {option["value"]: _number(option) for option in listed}


def unsent(facts: Mapping[str, Json]) -> frozenset[str]:
    """Fields that HubSpot sends with every property, and did not send with this one."""
    if "name" not in facts:  # a baseline keeps only what was not there
        return frozenset(facts.get("unsent", ()))
    listed = facts.get("options") or ()
    missing = {field for field in (*ALWAYS_SET, "options") if facts.get(field) is None}
    of_options = {key for key in OPTION_KEYS if listed and all(option.get(key) is None for option in listed)}
    return frozenset(missing | {f"options/{key}" for key in of_options})


def _live_option(option: Mapping[str, Json]) -> dict[str, Json]:
    """An option of which there is more to say than its label."""
    kept = {"label": option.get("label") or ""}
    if option.get("description"):
        kept["description"] = option["description"]
    if option.get("hidden"):
        kept["hidden"] = True
    return kept


# --- what should be --------------------------------------------------------------------------------------------------


def settle(desired: Resource, observed: Resource | None, scope: Scope, reads: Reads) -> Settled:
    """Declared fields over live ones, or over what lies archived under the name, or alone."""
    if observed is None:
        return _settle_absent(desired, scope, reads)
    if (changed := _changed(desired, observed, scope.baseline.get(desired.address))) is None:
        return Settled(observed, None, _locked(desired, observed))
    findings = (*_locked(desired, observed), *_immutable(desired, observed), *_group_there(desired, scope, reads))
    if findings:
        return Settled(observed, findings=findings)
    attributes = {**observed.attributes, **changed}
    if attributes["type"] not in WITH_OPTIONS and "type" in changed:
        attributes.pop("options", None)  # HubSpot clears them in place (hubspot-api.md A.7)
    return Settled(Resource(NAME, desired.address, attributes, observed.facts, desired.source))


def _changed(desired: Resource, observed: Resource, known: Resource | None) -> dict[str, Json] | None:
    live = observed.attributes
    changed: dict[str, Json] = {}
    for field, value in desired.attributes.items():
        if field == "options":
            options = merged_options(live.get("options", {}), value, bool(desired.facts.get("exact")))
            if options is not None:
                changed["options"] = options
        elif value != live.get(field) and not _unchanged(field, value, live.get(field), known):
            changed[field] = "" if value is None else value
    return changed or None


def _unchanged(field: str, declared: Json, live: Json, known: Resource | None) -> bool:
    if field == "calculationFormula" and _known_formula(declared, live, known):
        return True
    return same(field, declared, live)


def same(field: str, one: Json, other: Json) -> bool:
    """Whether two values mean the same: absent is unset, blanks in texts do not count, a position of -1 is any."""
    if field == "displayOrder":
        return bool(one == other or one == -1)
    if field in ("label", "description"):
        return same_words(one, other)
    if field == "calculationFormula":
        return _plain_formula(one or "") == _plain_formula(other or "")
    if field.partition("/")[0] == "options":
        return _same_order(one, other) if _are_orders(one, other) else bool(_tidy(one) == _tidy(other))
    unset = ALWAYS_SET.get(field, SOMETIMES_SET.get(field))
    return bool((unset if one is None else one) == (unset if other is None else other))


def _are_orders(*lists: Json) -> bool:
    return all(isinstance(one, list) and all(isinstance(value, str) for value in one) for one in lists)


def _same_order(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the options that both have stand alike: what comes or goes is a change of its own."""
    shared = {*one} & {*other}
    return [value for value in one if value in shared] == [value for value in other if value in shared]


def _tidy(options: Json) -> Json:
    """Options without what means the same as nothing, and without the position that their order tells."""
    match options:
        case Mapping():
            return {name: value for name, value in options.items() if value and name != "displayOrder"}
        case list():
            return [_tidy(option) for option in options]
    return options or None


def _plain_formula(formula: str) -> str:
    """A formula without what HubSpot writes in a way of its own; a text in quotes means itself."""
    parts = re.split("""('[^']*'|"[^"]*")""", formula)
    return "".join(f"'{part[1:-1]}'" if at % 2 else "".join(part.split()).lower() for at, part in enumerate(parts))


def _known_formula(declared: Json, live: Json, known: Resource | None) -> bool:
    """HubSpot rewrites formulas (hubspot-api.md A.11); the baseline knows what became of the declared one."""
    if known is None:
        return False
    return bool(declared == known.facts.get("declaredFormula") and live == known.attributes.get("calculationFormula"))


def merged_options(live: Mapping[str, Json], declared: Mapping[str, Json], exact: bool) -> dict[str, Json] | None:
    """The option list after an apply; nothing when it is as declared already."""
    if declared == live and all(map(eq, declared, live)):
        return None
    kept = {value: option for value, option in live.items() if value in declared} if exact else dict(live)
    order = merged_order(list(kept), list(declared))
    merged = {value: _merged_option(kept.get(value, {}), declared.get(value, {})) for value in order}
    return None if merged == live and order == list(live) else merged


def _merged_option(live: Mapping[str, Json], declared: Mapping[str, Json]) -> Mapping[str, Json]:
    if not declared or all(_same_of_option(field, value, live.get(field)) for field, value in declared.items()):
        return live
    return {field: value for field, value in {**live, **declared}.items() if value or field == "label"}


def _same_of_option(field: str, one: Json, other: Json) -> bool:
    return same(field, one, other) if field in ("label", "description") else bool(one == other)


def _settle_absent(desired: Resource, scope: Scope, reads: Reads) -> Settled:
    if "type" not in desired.attributes:
        why = f"{desired.name} is not in the portal, and an entry without `type` can only adopt what is there"
        fix = "check the name, or add type, fieldType, label and groupName to create it"
        if "dataSensitivity" not in desired.attributes:
            fix += "; a sensitive one is found by its `dataSensitivity`"
        return Settled(findings=(refusal("absent-property", desired, why, fix),))
    part = segment(desired.object_type, scope.api, reads)
    path = scope.api.properties(part or desired.object_type)
    archived = _archived(reads, f"{path}?archived=true", desired)
    findings = [*_group_there(desired, scope, reads), *(_never_unique(desired, archived) if archived else ())]
    if findings:
        return Settled(findings=tuple(findings))
    facts = {"objectType": part}
    declared = {field: value for field, value in desired.attributes.items() if value is not None}
    under = archived.attributes if archived else {}
    if declared["type"] not in WITH_OPTIONS:
        under = {field: value for field, value in under.items() if field != "options"}
    cleared = {field: "" for field, value in desired.attributes.items() if value is None} if archived else {}
    planned = Resource(NAME, desired.address, {**under, **cleared, **declared}, facts, desired.source)
    return Settled(planned, archived)


def _archived(reads: Reads, path: str, desired: Resource) -> Resource | None:
    raw = _by_name(reads, path).get(desired.name)
    return Resource(NAME, desired.address, canonical(raw), raw) if raw else None


@kept_with_first
def _by_name(reads: Reads, path: str) -> dict[str, Mapping[str, Json]]:
    return {raw["name"]: raw for raw in reads.results(path)}


def _never_unique(desired: Resource, archived: Resource) -> Iterator[Finding]:
    if bool(desired.attributes.get("hasUniqueValue")) != archived.attributes["hasUniqueValue"]:
        why = f"{desired.name} lies archived with another uniqueness; HubSpot never changes that for a name"
        yield refusal("immutable", desired, why, "choose another name")


def _group_there(desired: Resource, scope: Scope, reads: Reads) -> Iterator[Finding]:
    group = desired.attributes.get("groupName")
    if group is None:
        return
    part = segment(desired.object_type, scope.api, reads) or desired.object_type
    path = scope.api.groups(part)
    address = join(property_groups.NAME, desired.object_type, group)
    if address in scope.removed:
        why = f"group {group} is to be removed (see `removed:`)"
        yield refusal("unknown-group", desired, why, "move the property to another group first", "groupName")
    elif reads.ok(path) and group not in _names(reads, path) and address not in scope.desired:
        from reconciler.wording import did_you_mean

        head = join(property_groups.NAME, desired.object_type, "")
        declared = [split(one)[-1] for one in scope.desired if one.startswith(head)]
        near = did_you_mean(group, [*declared, *_names(reads, path)])
        fix = near or f"declare it under `propertyGroups: {desired.object_type}:`"
        why = f"neither the portal nor the specs have the group {group}"
        yield refusal("unknown-group", desired, why, fix, "groupName")


def editable(raw: Mapping[str, Json]) -> tuple[bool, bool]:
    """Whether a portal may change the definition, and the options (hubspot-api.md A.8)."""
    rights = raw.get("modificationMetadata") or {}
    definition = not rights.get("readOnlyDefinition", False)
    options = not rights.get("readOnlyOptions", not definition)
    return definition, options and not raw.get("externalOptions", False)


def vendor_owned(raw: Mapping[str, Json]) -> bool:
    """Whether HubSpot or an integration defines it: the flag, or a reserved prefix without it (N.2)."""
    return bool(raw.get("hubspotDefined") or VENDOR_PREFIX.match(raw["name"]))


def _locked(desired: Resource, observed: Resource) -> tuple[Finding, ...]:
    """What is declared and nobody can change in HubSpot."""
    definition, options = editable(observed.facts)
    if definition and options:
        return ()
    locked = sorted(field for field in desired.attributes if not (options if field == "options" else definition))
    if not locked:
        return ()
    owner = "HubSpot defines" if vendor_owned(observed.facts) else "an integration defines"
    can = "its options cannot be declared" if definition else "nothing of it can be declared"
    can = "only its options can be declared" if options else can
    fix = "drop " + ", ".join(locked) + "; to depend on it without owning it, use `integrations:`"
    if by_hand := [field for field in locked if field in ("groupName", "hidden")]:  # hubspot-api.md A.8, L 4
        fix += f"; {' and '.join(by_hand)} can be set by hand in HubSpot"
    if observed.facts.get("externalOptions") and observed.name == "lifecyclestage":
        fix = "declare the stages under `lifecycleStages:`"
    return (refusal("read-only-definition", desired, f"{owner} {observed.name}, and {can}", fix),)


def _immutable(desired: Resource, observed: Resource) -> Iterator[Finding]:
    for field in CREATE_ONLY:
        live = observed.attributes.get(field)
        if field in desired.attributes and not same(field, desired.attributes[field], live):
            why = f"{field} is {_written(live)} and HubSpot never changes it once a property is made"
            fix = (
                f"create a new property with {field}: {_written(desired.attributes[field])}, copy the values, repoint "
                f"what uses {desired.name}, then list {desired.address} under `removed:`"
            )
            yield refusal("immutable", desired, why, fix)
    if (observed.attributes["type"], desired.attributes.get("type")) == ("enumeration", "bool"):
        why = "HubSpot refuses to make a bool of an enumeration, even of one with the options true and false (A.7)"
        fix = f"keep `type: enumeration`, or make a new property and list {desired.address} under `removed:`"
        yield refusal("immutable", desired, why, fix, "type")
    if desired.attributes.get("showCurrencySymbol") is False and observed.facts.get("currencyPropertyName") is not None:
        why = "the currency symbol stays once a currency property was named, and HubSpot never turns it off (N.1)"
        yield refusal("immutable", desired, why, "drop `showCurrencySymbol`", "showCurrencySymbol")


def _written(value: Json) -> str:
    """A value as specs write it."""
    return "not set" if value is None else repr(value).lower() if isinstance(value, bool) else repr(value)


def remove(tombstone: Tombstone, observed: Resource, scope: Scope) -> Settled:
    """What a tombstone leaves: nothing of a property, or a property without an option."""
    names = split(tombstone.address)
    definition, options = editable(observed.facts)
    if len(names) > 3:
        if not options:
            return _kept(tombstone, observed, f"the options of {observed.name} cannot be changed")
        left = {value: option for value, option in observed.attributes["options"].items() if value != names[4]}
        return Settled(Resource(NAME, observed.address, {**observed.attributes, "options": left}, observed.facts))
    rights = observed.facts.get("modificationMetadata") or {}
    if vendor_owned(observed.facts) or not definition or not rights.get("archivable", True):
        return _kept(tombstone, observed, f"{observed.name} is not yours to archive: HubSpot or an integration owns it")
    return Settled()


def _kept(tombstone: Tombstone, observed: Resource, why: str) -> Settled:
    fix = "drop the line under `removed:`"
    finding = Finding("hubspot-defined", "error", why, fix, tombstone.address, tombstone.source)
    return Settled(observed, findings=(finding,))


_WORD = re.compile(r"[a-z][a-z0-9_]*")


def depends_on(resource: Resource) -> Sequence[str]:
    """The group, and what a formula names."""
    names = set(_WORD.findall(resource.attributes.get("calculationFormula") or "")) - {resource.name}
    group = resource.attributes.get("groupName")
    needed = [join(NAME, resource.object_type, name) for name in sorted(names)]
    return [*([join(property_groups.NAME, resource.object_type, group)] if group else []), *needed]


# --- what changes ----------------------------------------------------------------------------------------------------


def fields(difference: Difference) -> "Sequence[Field]":
    """Options as a plan holds them: lists where the whole is new or gone, with a position where one is added."""
    after = difference.after.attributes.get("options", {}) if difference.after else {}
    return tuple(_planned(change, list(after)) for change in difference.fields)


def _planned(change: "Field", order: list[str]) -> "Field":
    if change.path == "options" and change.how != "changed":
        return FieldChange("options", _listed(change.before), _listed(change.after), change.how)
    if change.path == "options":  # an option that goes has no place in either order
        return FieldChange("options", [value for value in change.before if value in change.after], change.after)
    if change.path.startswith("options/") and change.path.count("/") == 1 and change.how == "added":
        position = order.index(split(change.path)[1])
        return FieldChange(change.path, after={**change.after, "displayOrder": position}, how="added")
    return change


def _listed(options: Json) -> Json:
    return [{"value": value, **option} for value, option in options.items()] if isinstance(options, Mapping) else None


def value_at(resource: Resource, field: "Field") -> tuple[bool, Json]:
    """The value that a plan's field speaks of."""
    options = resource.attributes.get("options", {})
    match split(field.path):
        case ("options",) if is_order(field):
            mine = set(field.after)
            return True, [value for value in options if value in mine]
        case ("options",):
            return "options" in resource.attributes, _listed(options)
        case ("options", value):
            return value in options, options.get(value)
        case ("options", value, part):
            return part in options.get(value, {}), options.get(value, {}).get(part)
        case (name,):
            return name in resource.attributes, resource.attributes.get(name)
    raise KeyError(field.path)


def is_order(field: "Field") -> bool:
    """Whether a field is about the order of the declared options; a list that comes or goes whole holds options."""
    return field.how == "changed" and all(isinstance(value, str) for value in field.after)


def destroys(difference: Difference) -> Sequence[str]:
    """The property for an archive or a change of type, each removed option otherwise."""
    if difference.after is None or any(change.path == "type" for change in difference.fields):
        return (difference.address,) if difference.before else ()
    return [
        f"{difference.address}/{change.path}"
        for change in difference.fields
        if change.how == "removed" and change.path.startswith("options/") and change.path.count("/") == 1
    ]


def risk(difference: Difference) -> Risk:
    """Values are at stake in an archive, a change of type, and a removed option; formulas change what people see."""
    if destroys(difference):
        return "destructive"
    changed = {change.path for change in difference.fields}
    return "caution" if difference.before and changed & {"fieldType", "calculationFormula"} else "safe"


def remote(resource: Resource) -> Mapping[str, Json]:
    """The path segment of the object type, which for a custom object is an id; what is sensitive has a list apart."""
    object_type, sensitivity = resource.facts.get("objectType"), resource.attributes.get("dataSensitivity", "")
    return _remote(object_type or resource.object_type, sensitivity)


@cache
def _remote(object_type: str, sensitivity: str) -> Mapping[str, Json]:
    told = {"objectType": object_type}
    return {**told, "dataSensitivity": sensitivity} if sensitivity not in ("", "non_sensitive") else told


def create_body(change: "Change") -> dict[str, Json]:
    """What a create sends for one property, alone or in a batch."""
    body = {"name": change.name, **{field.path: field.after for field in change.fields if field.how != "removed"}}
    if "options" in body:
        body["options"] = [_sent(option, index) for index, option in enumerate(body["options"])]
    return body


def _sent(option: Mapping[str, Json], index: int) -> dict[str, Json]:
    """An option as HubSpot takes it: always with an explicit position (hubspot-api.md A.6)."""
    return {"hidden": False, **option, "displayOrder": index}


def write(change: "Change", api: Api) -> Write:
    """POST, PATCH or DELETE of one property; the option list is read again right before it is written."""
    object_type = change.remote["objectType"]
    path = api.properties(object_type, change.name)
    match change.action:
        case "create" | "restore":
            yield Request("POST", api.properties(object_type), create_body(change), creates=True)
        case "archive":
            yield Request("DELETE", path)
        case _:
            body = {field.path: field.after for field in change.fields if field.path.partition("/")[0] != "options"}
            if _writes_options(change) and body.get("type", "enumeration") in WITH_OPTIONS:
                answer = yield Request("GET", path + _apart(change.remote))
                _refuse_odd(change, answer)
                _refuse_moved(change, answer)
                body["options"] = _options_to_send(answer.body["options"], change)
            yield Request("PATCH", path, body)


def _apart(remote: Mapping[str, Json]) -> str:
    """What a read of a sensitive property has to ask for (hubspot-api.md A.14)."""
    return f"?dataSensitivity={remote['dataSensitivity']}" if "dataSensitivity" in remote else ""


def _writes_options(change: "Change") -> bool:
    return any(field.path.partition("/")[0] == "options" for field in change.fields)


def _refuse_odd(change: "Change", answer: Answer) -> None:
    """What is written goes on from this answer: of another name, or with no options at all, it would cost them all."""
    if not answer.ok:
        raise StaleError(f"{change.address} is gone", where=change.address, hint="plan again")
    options = answer.body.get("options")
    if answer.body.get("name") != change.name or not isinstance(options, list):
        message = f"HubSpot was asked for {change.address} and answered with something else, so nothing is written"
        raise UnavailableError(message, where=change.address, hint="try again; look for a proxy that mixes answers up")
    places = [one.after["displayOrder"] for one in _added(change)]
    stood = min(places, default=0) > 0 or any(one.path == "options" and one.how == "changed" for one in change.fields)
    if stood and not options:
        raise StaleError(f"{change.address} has no options any more", where=change.address, hint="plan again")


def _added(change: "Change") -> "list[PlannedField]":
    """The options that are added to those that stay."""
    return [f for f in change.fields if f.how == "added" and f.path.startswith("options/") and f.path.count("/") == 1]


def _refuse_moved(change: "Change", answer: Answer) -> None:
    """An edit between the last look and this write is found, and the list is left alone."""
    live = Resource(NAME, change.address, canonical(answer.body), answer.body)
    for field in change.fields:
        if field.path.partition("/")[0] == "options" and _touched(field, live):
            message = f"{change.address}: {field.path} was changed by somebody right before it was to be written"
            raise StaleError(message, where=change.address, hint="plan again and have it reviewed")


def _touched(field: "PlannedField", live: Resource) -> bool:
    """Whether somebody changed what a field speaks of; options that are put in order may have moved, not gone."""
    there, value = value_at(live, field)
    if field.path == "options" and is_order(field):
        return not {*field.before} <= {*value}
    expected = there == (field.how != "added") and (not there or same(field.path, field.before, value))
    wanted = there == (field.how != "removed") and (not there or same(field.path, field.after, value))
    return not expected and not wanted


def _options_to_send(live: Sequence[Mapping[str, Json]], change: "Change") -> list[dict[str, Json]]:
    """The fresh list with the plan's changes in it, and everything else sent along as it is."""
    options: dict[str, dict[str, Json]] = {option["value"]: dict(option) for option in live}
    order = list(_live_options(live))
    for field in change.fields:
        match split(field.path):
            case ("options",) if field.how == "added":
                return [_sent(option, index) for index, option in enumerate(field.after)]
            case ("options", value) if field.how == "removed":
                order = [kept for kept in order if kept != value]
            case ("options", value) if field.how == "added" and value not in options:
                options[value] = {"value": value, **field.after}
            case ("options", value, part) if value in options:
                options[value][part] = field.after if field.how != "removed" else ("" if part != "hidden" else False)
    for field in sorted(_added(change), key=lambda field: field.after["displayOrder"]):
        value = split(field.path)[1]
        if value not in order:
            order.insert(field.after["displayOrder"], value)
    for field in change.fields:
        if field.path == "options" and field.how == "changed":
            order = merged_order(order, field.after)
    return [_sent(options[value], index) for index, value in enumerate(order)]


def with_places(change: "Change", live: Resource) -> "Change":
    """A change whose removed options say where they stood, as added ones say where they go."""
    places = {value: index for index, value in enumerate(live.attributes.get("options", ()))}
    fields = tuple(_with_place(field, places) if field.how == "removed" else field for field in change.fields)
    return change._replace(fields=fields)


def _with_place(field: "PlannedField", places: Mapping[str, int]) -> "PlannedField":
    match split(field.path):
        case ("options", value) if value in places:
            return field._replace(before={**field.before, "displayOrder": places[value]})
    return field


def counts(change: "Change") -> Iterator[Count]:
    """Records with any value for an archive or a change of type, with the option for a removed option."""
    for address in change.destroys:
        names = split(address)
        condition: dict[str, Json] = {"propertyName": names[2], "operator": "HAS_PROPERTY"}
        if len(names) > 3:
            condition = {"propertyName": names[2], "operator": "IN", "values": [names[4]]}
        yield Count(address, change.remote["objectType"], condition)


def write_scopes(change: "Change") -> Sequence[str]:
    """The schema scope of the object type."""
    return object_types.write_scopes(split(change.address)[1])


def rows(resource: Resource) -> Mapping[str, Json]:
    """The fewest fields that say all of a definition; of HubSpot's own, what a portal may own."""
    attributes = resource.attributes
    definition, options = editable(resource.facts)
    if vendor_owned(resource.facts) or not definition:
        owned = ("label", "groupName", "description", "hidden", "formField") if definition else ()
        row = {field: attributes[field] for field in owned if attributes[field]}
        return {**row, **({"options": _listed(attributes["options"])} if options and "options" in attributes else {})}
    row = {field: attributes[field] for field in ("label", "type", "fieldType", "groupName")}
    for field, unset in (*ALWAYS_SET.items(), *SOMETIMES_SET.items()):
        if field not in row and attributes.get(field, unset) != unset and attributes.get(field) is not None:
            row[field] = attributes[field]
    if "options" in attributes:
        row["options"] = _listed(attributes["options"])
    return row
