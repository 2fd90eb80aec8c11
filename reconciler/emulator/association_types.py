"""Association types: HubSpot's own, and the labels of the portal, each a pair of type ids.

Type ids of HubSpot and of the portal overlap, so a key is (from, to, category, typeId). The state keeps one record a
label: ``from``, ``to``, ``typeId``, ``label`` one way, ``inverseTypeId``, ``inverseLabel`` the other, one ``name``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.store import Portal

Json = dict[str, Any]

HUBSPOT_DEFINED, USER_DEFINED = "HUBSPOT_DEFINED", "USER_DEFINED"
NO_LIMIT = 500_000


@dataclass(frozen=True)
class Direction:
    """One association type as it is seen from one side."""

    start: str
    end: str
    category: str
    type_id: int
    label: str | None
    name: str

    @property
    def key(self) -> str:
        """The identity of the type, as text."""
        return f"{self.start}/{self.end}/{self.category}/{self.type_id}"


DEFAULTS: Sequence[tuple[str, str, int, int, str | None, str, str]] = [  # from, to, there, back, label, both names
    ("0-1", "0-2", 1, 2, "Primary", "CONTACT_TO_COMPANY", "COMPANY_TO_CONTACT"),
    ("0-1", "0-2", 279, 280, None, "CONTACT_TO_COMPANY_UNLABELED", "COMPANY_TO_CONTACT_UNLABELED"),
    ("0-1", "0-2", 931, 930, "Billing contact", "BILLING_CONTACT_TO_COMPANY", "COMPANY_TO_BILLING_CONTACT"),
    ("0-1", "0-3", 4, 3, None, "CONTACT_TO_DEAL", "DEAL_TO_CONTACT"),
    ("0-1", "0-5", 15, 16, None, "CONTACT_TO_TICKET", "TICKET_TO_CONTACT"),
    ("0-3", "0-2", 341, 342, None, "DEAL_TO_COMPANY_UNLABELED", "COMPANY_TO_DEAL_UNLABELED"),
    ("0-3", "0-2", 5, 6, "Primary", "DEAL_TO_COMPANY", "COMPANY_TO_DEAL"),
    ("0-2", "0-5", 340, 339, None, "COMPANY_TO_TICKET_UNLABELED", "TICKET_TO_COMPANY_UNLABELED"),
    ("0-2", "0-5", 25, 26, "Primary", "COMPANY_TO_TICKET", "TICKET_TO_COMPANY"),
    ("0-3", "0-5", 27, 28, None, "DEAL_TO_TICKET", "TICKET_TO_DEAL"),
    ("0-3", "0-8", 19, 20, None, "DEAL_TO_LINE_ITEM", "LINE_ITEM_TO_DEAL"),
    ("0-136", "0-1", 608, 609, None, "LEAD_TO_CONTACT", "CONTACT_TO_LEAD"),
    ("0-136", "0-2", 610, 611, None, "LEAD_TO_COMPANY", "COMPANY_TO_LEAD"),
    ("0-1", "0-1", 449, 449, None, "CONTACT_TO_CONTACT", "CONTACT_TO_CONTACT"),
    ("0-2", "0-2", 450, 450, None, "COMPANY_TO_COMPANY", "COMPANY_TO_COMPANY"),
    ("0-3", "0-3", 451, 451, None, "DEAL_TO_DEAL", "DEAL_TO_DEAL"),
    ("0-5", "0-5", 452, 452, None, "TICKET_TO_TICKET", "TICKET_TO_TICKET"),
]
ONE_WAY: Sequence[Direction] = [
    Direction("0-2", "0-2", HUBSPOT_DEFINED, 13, "Child Company", "PARENT_TO_CHILD_COMPANY"),
    Direction("0-2", "0-2", HUBSPOT_DEFINED, 14, "Parent Company", "CHILD_TO_PARENT_COMPANY"),
    Direction("0-136", "0-1", HUBSPOT_DEFINED, 578, "Primary", "LEAD_TO_PRIMARY_CONTACT"),
    Direction("0-136", "0-2", HUBSPOT_DEFINED, 580, "Primary", "LEAD_TO_PRIMARY_COMPANY"),
]
ACTIVITIES: Mapping[str, str] = {  # what a custom object is associated with from its birth
    "0-46": "NOTE",
    "0-27": "TASK",
    "0-47": "MEETING_EVENT",
    "0-48": "CALL",
    "0-49": "ENGAGEMENT_EMAIL",
    "0-18": "COMMUNICATION",
    "0-116": "POSTAL_MAIL",
    "0-421": "APPOINTMENT",
    "0-142": "CART",
}


def defaults() -> Iterator[Direction]:
    """HubSpot's own types, one per direction."""
    for start, end, there, back, label, name, inverse in DEFAULTS:
        yield Direction(start, end, HUBSPOT_DEFINED, there, label, name)
        if there != back:
            yield Direction(end, start, HUBSPOT_DEFINED, back, label, inverse)
    yield from ONE_WAY


def both_ways(record: Mapping[str, Any]) -> list[Direction]:
    """The two directions of one stored label; an object with itself may have one id for both."""
    start, end, name = record["from"], record["to"], record["name"]
    category = record.get("category", USER_DEFINED)
    there = Direction(start, end, category, record["typeId"], record["label"], name)
    back = Direction(end, start, category, record["inverseTypeId"], record["inverseLabel"], name)
    return [there] if there.key == back.key else [there, back]


def directions(portal: Portal) -> Iterator[Direction]:
    """All association types of the portal; those of archived custom objects are hidden."""
    yield from defaults()
    for record in portal.state["labels"]:
        if {record["from"], record["to"]} <= portal.state["objects"].keys():
            yield from both_ways(record)


def of_pair(portal: Portal, start: str, end: str) -> list[Direction]:
    """The association types from one object type to another."""
    return [one for one in directions(portal) if (one.start, one.end) == (start, end)]


def labels_of_pair(portal: Portal, start: str, end: str) -> list[Json]:
    """The stored labels between two object types, whichever side they were made from; plain ones not among them."""
    return [one for one in portal.state["labels"] if {one["from"], one["to"]} == {start, end} and one["label"]]


def next_type_id(portal: Portal) -> int:
    """The next type id of the portal's own; they start at 1, where HubSpot's start too."""
    used = [number for one in portal.state["labels"] for number in (one["typeId"], one["inverseTypeId"])]
    made: int = max([*used, int(portal.state.get("lastTypeId", 0))]) + 1
    portal.state["lastTypeId"] = made
    return made


def store(
    portal: Portal, start: str, end: str, name: str, label: str | None, inverse: str | None, ids: int = 2
) -> Json:
    """Keeps a new association type under one or two new ids."""
    there = next_type_id(portal)
    record = {
        "from": start,
        "to": end,
        "name": name,
        "typeId": there,
        "inverseTypeId": next_type_id(portal) if ids == 2 else there,
        "label": label,
        "inverseLabel": inverse,
        "createdAt": portal.now(),
        "createdSeconds": portal.seconds(),
        "schemaReads": 0,
    }
    portal.state["labels"].append(record)
    return record
