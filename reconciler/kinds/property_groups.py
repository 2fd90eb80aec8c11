"""Property groups: the headings under which HubSpot lists the properties of an object type.

A group is created before the properties in it and archived after they are gone; HubSpot refuses to archive one that
still holds properties. HubSpot's own groups cannot be told from others by a flag (hubspot-api.md B), so a list of
their names is kept here; they may be used, but not declared otherwise than they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler import object_types
from reconciler.address import join, split
from reconciler.diff import Difference
from reconciler.kinds import Count, Listing, Locate, Request, Risk, Scope, Settled, Write, refusal, same_words
from reconciler.model import Finding, Json, Reads, Resource, Tombstone
from reconciler.object_types import is_custom, segment
from reconciler.paths import Api

if TYPE_CHECKING:
    from reconciler.diff import Field
    from reconciler.plan import Change

NAME = "propertyGroups"
LAST_PLACE = 2**31 - 1  # HubSpot reads a position as an int of Java's

SCHEMA: Mapping[str, Json] = {
    "title": "Property groups",
    "description": "Groups by object type, then by HubSpot's internal name.",
    "type": "object",
    "additionalProperties": {
        "description": "The groups of one object type.",
        "type": "object",
        "additionalProperties": {
            "title": "Property group",
            "description": "A heading under which HubSpot lists properties.",
            "type": "object",
            "additionalProperties": False,
            "required": ["label"],
            "properties": {
                "label": {
                    "type": "string",
                    "minLength": 1,
                    "description": "What people see in HubSpot.",
                    "examples": ["Customer success"],
                },
                "displayOrder": {
                    "type": "integer",
                    "minimum": -1,
                    "maximum": LAST_PLACE,
                    "description": "Position among the groups; -1 leaves the place to HubSpot and is never compared.",
                },
                "meta": {"type": "object", "description": "Notes of yours, such as the owner; never sent to HubSpot."},
            },
        },
    },
}

PLANNED: Mapping[str, Json] = {
    r"^\w+ label$": {"type": ["string", "null"]},
    r"^\w+ displayOrder$": {"type": ["integer", "null"]},
}
REMOTE: Mapping[str, Json] = {
    "type": "object",
    "required": ["objectType"],
    "properties": {"objectType": {"type": "string"}},
}

# Group names that HubSpot itself ships (hubspot-api.md A.15 and the captured lists of real portals).
DEFAULT_GROUPS = frozenset(
    """
    access analyticsinformation associations buyer_intent_properties call callinformation campaigninformation
    cart_information cart_value company_activity company_signals companyinformation companylcs contact_activity
    contactinformation contactlcs contactscripted conversioninformation deal_activity deal_information
    deal_revenue dealinformation dealscripted dealstages email emailinformation engagement
    facebook_ads_properties feedbacksubmissioninformation hubspotmetrics invoiceinformation lead_information
    lineiteminformation marketingeventinformation meeting meeting_eventinformation meetingeventinformation
    multiaccountmanagement note noteinformation order_information order_revenue orderinformation
    predictive_deal_score_feature_properties price productinformation prospectingagent quoteinformation
    sales_properties setup smsinformation socialmediainformation targetaccountsinformation task taskinformation
    term ticket_activity ticket_ai_enrichment ticketinformation ticketstages user_activity user_information
    """.split()
)


def parse(section: Json, locate: Locate) -> Iterator[Resource]:
    """The declared groups."""
    for object_type, groups in section.items():
        for name, entry in groups.items():
            attributes = {key: value for key, value in entry.items() if key != "meta"}
            source = locate(NAME, object_type, name)
            yield Resource(NAME, join(NAME, object_type, name), attributes, {"meta": entry.get("meta", {})}, source)


def check(resource: Resource) -> Iterator[Finding]:
    """A group has no rule of its own beyond the schema, except for its name and the spelling of its position."""
    yield from check_position(resource)
    name = resource.name
    if not name or name != name.strip():
        yield refusal("group-name", resource, f"{name!r} is not a name of a group", "use lower case and underscores")


def check_position(resource: Resource) -> Iterator[Finding]:
    """HubSpot refuses 1.0 where it wants an int, though JSON Schema calls it an integer."""
    position = resource.attributes.get("displayOrder")
    if isinstance(position, float):
        why = f"displayOrder is {position}, and HubSpot takes whole numbers without a point only"
        yield refusal("bad-format", resource, why, f"write {position:.0f}", "displayOrder")


def listings(scope: Scope, reads: Reads) -> Iterator[Listing]:
    """One list an object type that is watched, or whose groups or properties are declared."""
    for object_type in _object_types(scope):
        if is_custom(object_type):
            yield Listing(f"{NAME}/{object_type}", scope.api.schemas(), leads=True)
        if part := segment(object_type, scope.api, reads):
            yield Listing(f"{NAME}/{object_type}", scope.api.groups(part))


def _object_types(scope: Scope) -> list[str]:
    return sorted({*scope.object_types(NAME), *scope.object_types("properties")})


def observe(scope: Scope, reads: Reads) -> Iterator[Resource]:
    """The live groups."""
    for object_type in _object_types(scope):
        part = segment(object_type, scope.api, reads)
        for raw in reads.results(scope.api.groups(part)) if part else ():
            if raw.get("archived") is not True:
                attributes = {"label": raw["label"], "displayOrder": raw.get("displayOrder", -1)}
                yield Resource(NAME, join(NAME, object_type, raw["name"]), attributes, {**raw, "objectType": part})


def settle(desired: Resource, observed: Resource | None, scope: Scope, reads: Reads) -> Settled:
    """Declared fields over live ones; the groups that HubSpot ships stay as they are."""
    part = segment(desired.object_type, scope.api, reads)
    if observed is None:
        facts = {"objectType": part}
        return Settled(Resource(NAME, desired.address, dict(desired.attributes), facts, desired.source))
    changed = {
        field: value
        for field, value in desired.attributes.items()
        if not same(field, value, observed.attributes.get(field))
    }
    if not changed:
        return Settled(observed)
    if desired.name in DEFAULT_GROUPS:
        why = f"{desired.name} is a group of HubSpot's own; whether it can be changed is not known, so it is not tried"
        return Settled(observed, findings=(refusal("hubspot-defined", desired, why, "leave the entry out"),))
    return Settled(Resource(NAME, desired.address, {**observed.attributes, **changed}, observed.facts, desired.source))


def remove(tombstone: Tombstone, observed: Resource, scope: Scope) -> Settled:
    """Everything but HubSpot's own groups can be archived, once it is empty."""
    if observed.name in DEFAULT_GROUPS:
        why = f"{observed.name} is a group of HubSpot's own and is never archived"
        return Settled(
            observed, findings=(Finding("hubspot-defined", "error", why, "", observed.address, tombstone.source),)
        )
    return Settled()


def same(field: str, one: Json, other: Json) -> bool:
    """A declared position of -1 means wherever HubSpot puts it; blanks in a label do not count."""
    if field == "label":
        return same_words(one, other)
    return bool(one == other or (field == "displayOrder" and one == -1))


def depends_on(resource: Resource) -> Sequence[str]:
    """Groups need nothing."""
    return ()


def value_at(resource: Resource, field: "Field") -> tuple[bool, Json]:
    """Groups have flat attributes."""
    return field.path in resource.attributes, resource.attributes.get(field.path)


def fields(difference: Difference) -> "Sequence[Field]":
    """Groups have flat attributes."""
    return difference.fields


def destroys(difference: Difference) -> Sequence[str]:
    """Only an archive; HubSpot cannot restore a group."""
    return () if difference.after else (difference.address,)


def risk(difference: Difference) -> Risk:
    """An archived group is gone for good, but holds nothing."""
    return "safe" if difference.after else "destructive"


def remote(resource: Resource) -> Mapping[str, Json]:
    """The path segment of the object type, which for a custom object is an id."""
    return {"objectType": resource.facts["objectType"]}


def write(change: "Change", api: Api) -> Write:
    """POST, PATCH or DELETE of one group."""
    path = api.groups(change.remote["objectType"])
    body = {field.path: field.after for field in change.fields}
    match change.action:
        case "create":
            yield Request("POST", path, {"name": change.name, **body}, creates=True)
        case "archive":
            yield Request("DELETE", api.groups(change.remote["objectType"], change.name))
        case _:
            yield Request("PATCH", api.groups(change.remote["objectType"], change.name), body)


def counts(change: "Change") -> Iterator[Count]:
    """No record holds a group."""
    yield from ()


def write_scopes(change: "Change") -> Sequence[str]:
    """The schema scope of the object type."""
    return object_types.write_scopes(split(change.address)[1])


def rows(resource: Resource) -> Mapping[str, Json]:
    """The label; the position of a group is HubSpot's numbering and is left to it."""
    return {"label": resource.attributes["label"]}
