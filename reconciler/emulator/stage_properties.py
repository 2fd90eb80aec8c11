"""What follows from stages in the property lists: four read-only properties each, and the options of lifecyclestage."""

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconciler.emulator.pipeline_defaults import (
    COMPANIES,
    CONTACTS,
    DEALS,
    GLOBAL_STAGES,
    LIFECYCLE_PIPELINES,
    TICKETS,
    pipelines_of,
)
from reconciler.emulator.store import Portal

Json = dict[str, Any]

GROUPS: Mapping[str, str] = {
    CONTACTS: "contactlcs",
    COMPANIES: "companylcs",
    DEALS: "dealstages",
    TICKETS: "ticketstages",
}
OBJECTS: Mapping[str, str] = {CONTACTS: "contact", COMPANIES: "company", DEALS: "deal", TICKETS: "ticket"}
FAMILIES: Sequence[tuple[str, str, str, str, str]] = [  # prefix, type, fieldType, label, description
    (
        "hs_v2_cumulative_time_in",
        "number",
        "number",
        "Cumulative time in",
        "The cumulative time in seconds spent by the {} in",
    ),
    ("hs_v2_date_entered", "datetime", "date", "Date entered", "The date and time when the {} entered"),
    ("hs_v2_date_exited", "datetime", "date", "Date exited", "The date and time when the {} exited"),
    ("hs_v2_latest_time_in", "number", "number", "Latest time in", "The total time in seconds spent by the {} in"),
]
TEMPLATE_TIMES: Mapping[str, str] = {"updatedAt": "2025-04-08T21:22:26.075Z", "createdAt": "2023-07-12T20:56:25.317Z"}
PLAIN_ID = re.compile(r"[a-z0-9_]+")


def stage_properties(portal: Portal, type_id: str) -> list[Json]:
    """The hs_v2 properties of every stage of an object type, except those that are stored like any property."""
    stored = portal.definitions(type_id)["properties"]
    if type_id not in GROUPS or not stored:
        return []
    return [one for one in derived(portal, type_id) if one["name"] not in stored]


def derived(portal: Portal, type_id: str) -> Iterator[Json]:
    """Four properties a stage; their labels follow the stage's and the pipeline's without any trace in time."""
    for pipeline in pipelines_of(portal, type_id).values():
        for stage in pipeline["stages"]:
            for family in FAMILIES:
                yield stage_property(type_id, pipeline, stage, family)


def stage_property(type_id: str, pipeline: Json, stage: Json, family: tuple[str, str, str, str, str]) -> Json:
    """One property of a stage; those of HubSpot's own stages have template times and no ``archived`` key."""
    prefix, value_type, field_type, label, description = family
    own = stage["id"] not in GLOBAL_STAGES[type_id]
    times = {"updatedAt": pipeline["updatedAt"], "createdAt": stage["createdAt"]} if own else TEMPLATE_TIMES
    ending = " since it last entered this stage" if prefix == "hs_v2_latest_time_in" else ""
    place = f"the '{stage['label']}' stage, '{pipeline['label']}' pipeline{ending}"
    return {
        **times,
        "name": f"{prefix}_{property_suffix(stage['id'])}",
        "label": f'{label} "{stage["label"]} ({pipeline["label"]})"',
        "type": value_type,
        "fieldType": field_type,
        "description": f"{description.format(OBJECTS[type_id])} {place}",
        "groupName": GROUPS[type_id],
        "options": [],
        **({"updatedUserId": pipeline["updatedUserId"]} if own and "updatedUserId" in pipeline else {}),
        "displayOrder": -1,
        "calculated": False,
        "externalOptions": False,
        **({"archived": False} if own else {}),
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": True,
        "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": True},
        "formField": False,
        "dataSensitivity": "non_sensitive",
    }


def property_suffix(stage_id: str) -> str:
    """A stage id inside a property name; ids that are no name, like UUIDs, get underscores and a number after them."""
    if PLAIN_ID.fullmatch(stage_id):
        return stage_id
    return f"{re.sub('[^a-z0-9]', '_', stage_id.lower())}_{zlib.crc32(stage_id.encode('utf-8', 'backslashreplace'))}"


def lifecycle_options(portal: Portal, type_id: str) -> list[Json]:
    """The options of ``lifecyclestage``: the lifecycle stages in their order."""
    stages = pipelines_of(portal, type_id)[LIFECYCLE_PIPELINES[type_id]]["stages"]
    ordered = sorted(stages, key=lambda stage: int(stage["displayOrder"]))
    return [
        {"label": stage["label"], "value": stage["id"], "displayOrder": order, "hidden": False}
        for order, stage in enumerate(ordered)
    ]


def follow_stages(portal: Portal, type_id: str, gone: Iterable[str] = ()) -> None:
    """Brings the stored properties of an object type in line with its stages; no time and no user moves."""
    stored = portal.definitions(type_id)["properties"]
    for stage_id in gone:
        for prefix, *_ in FAMILIES:
            stored.pop(f"{prefix}_{property_suffix(stage_id)}", None)
    for wanted in derived(portal, type_id) if type_id in GROUPS else ():
        if wanted["name"] in stored:
            stored[wanted["name"]] |= {key: wanted[key] for key in ("label", "description")}
    if type_id in LIFECYCLE_PIPELINES and "lifecyclestage" in stored:
        stored["lifecyclestage"]["options"] = lifecycle_options(portal, type_id)
    portal.touch(type_id)
