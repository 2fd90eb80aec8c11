"""The pipelines that HubSpot gives every portal, as they are before anybody customised them."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.emulator.store import Portal

Json = dict[str, Any]

CONTACTS, COMPANIES, DEALS, TICKETS = "0-1", "0-2", "0-3", "0-5"
EPOCH = "1970-01-01T00:00:00Z"
LIFECYCLE_PIPELINES: Mapping[str, str] = {
    CONTACTS: "contacts-lifecycle-pipeline",
    COMPANIES: "companies-lifecycle-pipeline",
}
WITH_PIPELINES: Mapping[str, int] = {  # type id -> most stages of one pipeline
    CONTACTS: 100,
    COMPANIES: 100,
    DEALS: 100,
    TICKETS: 100,
    "0-123": 30,
    "0-136": 30,
    "0-162": 30,
    "0-410": 30,
    "0-420": 30,
    "0-421": 30,
}

OPEN: Mapping[str, str] = {"isClosed": "false", "state": "OPEN"}
CLOSED: Mapping[str, str] = {"isClosed": "true", "state": "CLOSED"}

LIFECYCLE_STAGES: Sequence[tuple[str, str, Mapping[str, str]]] = [
    ("subscriber", "Subscriber", OPEN),
    ("lead", "Lead", OPEN),
    ("marketingqualifiedlead", "Marketing Qualified Lead", OPEN),
    ("salesqualifiedlead", "Sales Qualified Lead", OPEN),
    ("opportunity", "Opportunity", OPEN),
    ("customer", "Customer", OPEN),
    ("evangelist", "Evangelist", OPEN),
    ("other", "Other", CLOSED),
]
DEAL_STAGES: Sequence[tuple[str, str, Mapping[str, str]]] = [
    ("appointmentscheduled", "Appointment Scheduled", {"isClosed": "false", "probability": "0.2"}),
    ("qualifiedtobuy", "Qualified To Buy", {"isClosed": "false", "probability": "0.4"}),
    ("presentationscheduled", "Presentation Scheduled", {"isClosed": "false", "probability": "0.6"}),
    ("decisionmakerboughtin", "Decision Maker Bought-In", {"isClosed": "false", "probability": "0.8"}),
    ("contractsent", "Contract Sent", {"isClosed": "false", "probability": "0.9"}),
    ("closedwon", "Closed Won", {"isClosed": "true", "probability": "1.0"}),
    ("closedlost", "Closed Lost", {"isClosed": "true", "probability": "0.0"}),
]
TICKET_STAGES: Sequence[tuple[str, str, Mapping[str, str]]] = [
    ("1", "New", {"ticketState": "OPEN", "isClosed": "false"}),
    ("2", "Waiting on contact", {"ticketState": "OPEN", "isClosed": "false"}),
    ("3", "Waiting on us", {"ticketState": "OPEN", "isClosed": "false"}),
    ("4", "Closed", {"ticketState": "CLOSED", "isClosed": "true"}),
]
OTHER_STAGES: Sequence[tuple[str, str, Mapping[str, str]]] = [("open", "Open", OPEN), ("closed", "Closed", CLOSED)]
WITH_ONE_OF_UUIDS = ("0-162", "0-410", "0-420", "0-421")
GLOBAL_STAGES: Mapping[
    str, frozenset[str]
] = {  # type id -> stages whose properties are HubSpot's own, not the portal's
    CONTACTS: frozenset(name for name, _, _ in LIFECYCLE_STAGES),
    COMPANIES: frozenset(name for name, _, _ in LIFECYCLE_STAGES),
    DEALS: frozenset(name for name, _, _ in DEAL_STAGES),
    TICKETS: frozenset(name for name, _, _ in TICKET_STAGES),
}


def pipelines_of(portal: Portal, type_id: str) -> dict[str, Json]:
    """The stored pipelines of an object type by id; HubSpot's own are there from the start."""
    stored: dict[str, Json] = portal.state["pipelines"].setdefault(type_id, default_pipelines(type_id))
    return stored


def default_pipelines(type_id: str) -> dict[str, Json]:
    """What an object type has before anybody touched it; orders and custom objects have nothing."""
    if type_id in LIFECYCLE_PIPELINES:
        made = pipeline(LIFECYCLE_PIPELINES[type_id], "Lifecycle Stage Pipeline", LIFECYCLE_STAGES)
    elif type_id == DEALS:
        made = pipeline("default", "Sales Pipeline", DEAL_STAGES)
    elif type_id == TICKETS:
        made = pipeline("0", "Support Pipeline", TICKET_STAGES)
    elif type_id in WITH_ONE_OF_UUIDS:
        stages = [(fixed_uuid(type_id, name), label, metadata) for name, label, metadata in OTHER_STAGES]
        made = pipeline(fixed_uuid(type_id, "pipeline"), "Pipeline", stages)
    else:
        return {}
    return {made["id"]: made}


def fixed_uuid(type_id: str, name: str) -> str:
    """The same UUID in every portal, so that a read alone never changes the state."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{type_id}/{name}"))


def pipeline(pipeline_id: str, label: str, stages: Sequence[tuple[str, str, Mapping[str, str]]]) -> Json:
    """A pipeline that nobody touched: everything dates from the epoch."""
    made = [stage(stage_id, name, order, metadata) for order, (stage_id, name, metadata) in enumerate(stages)]
    times = {"createdAt": EPOCH, "updatedAt": EPOCH}
    return {"label": label, "displayOrder": 0, "id": pipeline_id, "stages": made, **times, "archived": False}


def stage(stage_id: str, label: str, order: int, metadata: Mapping[str, str]) -> Json:
    """A stage that nobody touched."""
    return {
        "label": label,
        "displayOrder": order,
        "metadata": dict(metadata),
        "id": stage_id,
        "createdAt": EPOCH,
        "updatedAt": EPOCH,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        "archived": False,
    }
