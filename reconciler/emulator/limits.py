"""The limits endpoints: how much of each kind of definition there may be, and how much there is.

Deleted labels go on counting for ``limitsLagSeconds``; without ``limitsPerObject`` the property limit is a bare total.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.emulator import association_types as types
from reconciler.emulator.associations import MOST_LABELS
from reconciler.emulator.errors import missing_scopes
from reconciler.emulator.pipeline_defaults import WITH_PIPELINES, pipelines_of
from reconciler.emulator.property_rules import is_default
from reconciler.emulator.routing import Request, Response, Route, results, versioned
from reconciler.emulator.stage_rules import MOST_PIPELINES, most_pipelines
from reconciler.emulator.store import STANDARD_TYPES, Portal

Json = dict[str, Any]

AREA = versioned("limits")
OVERALL_PROPERTIES, MOST_CALCULATED, MOST_CUSTOM_OBJECTS = 10_000, 200, 20
MOST_RECORDS, MOST_CUSTOM_RECORDS = 15_000_000, 1_000_000


def require_objects(request: Request) -> None:
    """403 for keys that have schema scopes only; one object's read scope opens every limit."""
    if request.scopes is None:
        return
    if not any(scope.startswith("crm.objects.") and scope.endswith(".read") for scope in request.scopes):
        raise missing_scopes(["crm.objects.contacts.read"])


def percentage(usage: int, limit: int) -> float:
    """How full a limit is."""
    return round(100 * usage / limit, 2)


def words(portal: Portal, type_id: str) -> Json:
    """An object type as the limits name it."""
    if type_id in portal.state["schemas"]:
        labels = portal.state["schemas"][type_id]["labels"]
        name = portal.object_name(type_id) if type_id in portal.state["objects"] else type_id
        plural, singular = labels.get("plural", name), labels.get("singular", name)
    else:
        plural, singular = (name.replace("_", " ").capitalize() for name in STANDARD_TYPES[type_id])
    return {"objectTypeId": type_id, "singularLabel": singular, "pluralLabel": plural}


def row(portal: Portal, type_id: str, usage: int, limit: int) -> Json:
    """The usage of one object type against its limit."""
    return {
        **words(portal, type_id),
        "limit": limit,
        "usage": usage,
        "percentage": percentage(usage, limit),
    }


def overall(limit: int, usage: int, rows: Sequence[Json]) -> Json:
    """A total over object types."""
    return {
        "overallLimit": limit,
        "overallUsage": usage,
        "overallPercentage": percentage(usage, limit),
        "byObjectType": rows,
    }


def own_properties(portal: Portal, type_id: str) -> list[Json]:
    """The live properties of an object type that the portal made."""
    return [one for one in portal.definitions(type_id)["properties"].values() if not is_default(one)]


def custom_properties(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """The portal's own properties; cheap accounts get a bare total."""
    require_objects(request)
    used = {type_id: len(own_properties(portal, type_id)) for type_id in portal.state["objects"]}
    most = int(portal.switches.get("propertyLimit", 1000))
    if not portal.switches["limitsPerObject"]:
        return Response(200, overall(most, sum(used.values()), []))
    rows = [row(portal, type_id, usage, most) for type_id, usage in used.items() if usage or type_id in WITH_PIPELINES]
    return Response(200, overall(OVERALL_PROPERTIES, sum(used.values()), rows))


def calculated_properties(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """The portal's own calculated properties."""
    require_objects(request)
    used = {
        type_id: sum(bool(one.get("calculationFormula")) for one in own_properties(portal, type_id))
        for type_id in portal.state["objects"]
    }
    rows = [{**words(portal, type_id), "usage": usage} for type_id, usage in used.items() if usage]
    return Response(200, overall(MOST_CALCULATED, sum(used.values()), rows))


def association_labels(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """One row for each direction of a pair that has labels."""
    require_objects(request)
    wanted = [request.query.get(name) for name in ("fromObjectTypeId", "toObjectTypeId")]
    rows = []
    for pair, labels in counted(portal).items():
        if all(one in (None, type_id) for one, type_id in zip(wanted, pair, strict=True)):
            rows.append(label_row(portal, pair, labels))
    return results(rows)


def counted(portal: Portal) -> dict[tuple[str, str], list[str]]:
    """The label texts that count in each direction, those of lately deleted labels too."""
    since = portal.seconds() - portal.switches.get("limitsLagSeconds", 0)
    lately = [one for one in portal.state.get("deletedLabels", []) if one["deletedSeconds"] > since]
    found: dict[tuple[str, str], list[str]] = {}
    for record in [*portal.state["labels"], *lately]:
        live = {record["from"], record["to"]} <= portal.state["objects"].keys()
        for one in types.both_ways(record) if live and record["label"] else []:
            found.setdefault((one.start, one.end), []).append(one.label or "")
    return found


def label_row(portal: Portal, pair: tuple[str, str], labels: Sequence[str]) -> Json:
    """The labels of one direction against the limit of a pair."""
    limit = int(portal.switches.get("labelLimit", MOST_LABELS))
    return {
        "fromObjectType": words(portal, pair[0]),
        "toObjectType": words(portal, pair[1]),
        "limit": limit,
        "usage": len(labels),
        "percentage": percentage(len(labels), limit),
        "allLabels": [*labels],
    }


def pipelines(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """The pipelines of each object type, the first one of each not counted."""
    require_objects(request)
    own = [type_id for type_id in portal.state["objects"] if type_id.startswith("2-")]
    used = {type_id: max(len(pipelines_of(portal, type_id)) - 1, 0) for type_id in [*WITH_PIPELINES, *own]}
    standard = [row(portal, type_id, used[type_id], most_pipelines(type_id)) for type_id in WITH_PIPELINES]
    return Response(200, split(portal, standard, {type_id: used[type_id] for type_id in own}, MOST_PIPELINES))


def split(portal: Portal, standard: Iterable[Json], own: Mapping[str, int], limit: int) -> Json:
    """HubSpot's object types row by row, custom ones under one total."""
    rows = [{**words(portal, type_id), "usage": usage} for type_id, usage in own.items()]
    total = overall(limit, sum(own.values()), rows)
    return {"hubspotDefinedObjectTypes": [*standard], "customObjectTypes": total}


def custom_object_types(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """The custom objects; also open to the schemas' read scope."""
    if request.scopes is None or "crm.schemas.custom.read" not in request.scopes:
        require_objects(request)
    usage = sum(not schema["archived"] for schema in portal.state["schemas"].values())
    figures = {"limit": MOST_CUSTOM_OBJECTS, "usage": usage, "percentage": percentage(usage, MOST_CUSTOM_OBJECTS)}
    return Response(200, figures)


def records(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """The records of each object type."""
    require_objects(request)
    used = {type_id: live_records(portal, type_id) for type_id in portal.state["objects"]}
    own = {type_id: usage for type_id, usage in used.items() if type_id.startswith("2-")}
    standard = [row(portal, type_id, used[type_id], MOST_RECORDS) for type_id in WITH_PIPELINES]
    return Response(200, split(portal, standard, own, MOST_CUSTOM_RECORDS))


def live_records(portal: Portal, type_id: str) -> int:
    """How many records an object type has, the recycle bin aside."""
    return sum(not record.get("archived") for record in portal.state["records"].get(type_id, {}).values())


ROUTES: Sequence[Route] = [
    ("GET", AREA + "/custom-properties", custom_properties),
    ("GET", AREA + "/calculated-properties", calculated_properties),
    ("GET", AREA + "/associations/labels", association_labels),
    ("GET", AREA + "/pipelines", pipelines),
    ("GET", AREA + "/custom-object-types", custom_object_types),
    ("GET", AREA + "/records", records),
]
