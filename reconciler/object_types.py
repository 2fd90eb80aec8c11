"""HubSpot's object types: names, type ids, and how a name becomes a path segment."""

import re

from reconciler.model import Reads
from reconciler.paths import Api

# hubspot-api.md J; the plural names that the properties API takes.
TYPE_IDS = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "tickets": "0-5",
    "products": "0-7",
    "line_items": "0-8",
    "quotes": "0-14",
    "communications": "0-18",
    "feedback_submissions": "0-19",
    "tasks": "0-27",
    "campaigns": "0-35",
    "notes": "0-46",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "invoices": "0-53",
    "marketing_events": "0-54",
    "subscriptions": "0-69",
    "goals": "0-74",
    "discounts": "0-84",
    "fees": "0-85",
    "taxes": "0-86",
    "commerce_payments": "0-101",
    "users": "0-115",
    "postal_mail": "0-116",
    "orders": "0-123",
    "leads": "0-136",
    "carts": "0-142",
    "services": "0-162",
    "courses": "0-410",
    "listings": "0-420",
    "appointments": "0-421",
    "projects": "0-970",
}
# Scopes that do not follow crm.schemas.<object>.write (hubspot-api.md N.2).
_ODD_SCOPES = {
    "commerce_payments": "crm.schemas.commercepayments.write",
    "communications": "crm.objects.contacts.write",
    "postal_mail": "crm.objects.contacts.write",
    **{
        name: f"crm.objects.{name}.write"
        for name in ("feedback_submissions", "goals", "leads", "marketing_events", "users")
    },
}
_WITH_SCHEMA_SCOPE = frozenset(
    """
    appointments carts companies contacts courses deals invoices line_items listings orders projects quotes services
    subscriptions tickets
    """.split()
)
_ALSO = {"tickets": "tickets", "products": "e-commerce", "line_items": "e-commerce"}  # the legacy ones (F.1)
_QUALIFIED = r"\d+-\d+|p\d+_\w+"


def is_custom(object_type: str) -> bool:
    """Whether a name needs the portal's custom object schemas to become a path segment."""
    return object_type not in TYPE_IDS and not re.fullmatch(_QUALIFIED, object_type)


def segment(object_type: str, api: Api, reads: Reads) -> str | None:
    """The path segment of an object type; none while, or because, the portal has no such custom object.

    HubSpot refuses the bare name of a custom object (hubspot-api.md A.1), so it is looked up in the schemas.
    """
    if not is_custom(object_type):
        return object_type
    for schema in reads.results(api.schemas()):
        if schema["name"].lower() == object_type.lower():
            type_id: str = schema["objectTypeId"]
            return type_id
    return None


def identity(object_type: str, api: Api, reads: Reads) -> str:
    """What an object type is known by under all of its names, as far as the schemas were read."""
    for schema in reads.results(api.schemas()):
        if object_type in (schema["objectTypeId"], schema.get("fullyQualifiedName")):
            type_id: str = schema["objectTypeId"]
            return type_id
    return segment(object_type, api, reads) or object_type


def known(api: Api, reads: Reads) -> list[str]:
    """The names of HubSpot's object types and of the portal's custom objects, as far as they were read."""
    return [*TYPE_IDS, *(schema["name"] for schema in reads.results(api.schemas()))]


def write_scopes(object_type: str) -> tuple[str, ...]:
    """Scopes of which one opens the definitions of an object type for writing; none where nobody knows.

    Engagements (calls, notes...) share scopes with contacts, and nobody has isolated which.
    """
    also = [_ALSO[object_type]] if object_type in _ALSO else []
    if object_type in _ODD_SCOPES:
        return (_ODD_SCOPES[object_type],)
    if object_type in _WITH_SCHEMA_SCOPE:
        return (f"crm.schemas.{object_type}.write", *also)
    return ("crm.schemas.custom.write",) if object_type not in TYPE_IDS else (*also,)
