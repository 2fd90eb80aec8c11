"""Pipelines and their stages, the lifecycle among them; every write answers what was sent, only a read what is stored.

Any edit gives all stages and the pipeline one shared ``updatedAt``. The lifecycle pipelines of contacts and companies
date from the epoch until somebody edits them; whether HubSpot mirrors a write from one to the other is the switch
``lifecycleMirror``: ``none``, ``contacts_to_companies``, or ``both``. A stage id that the client chose is
taken over in a lifecycle only with the switch ``lifecycleStageIds``.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from reconciler.emulator import stage_rules as rules
from reconciler.emulator.errors import ApiError, EmptyNotFound, not_found, validation_error
from reconciler.emulator.pipeline_defaults import (
    COMPANIES,
    CONTACTS,
    EPOCH,
    GLOBAL_STAGES,
    LIFECYCLE_PIPELINES,
    WITH_PIPELINES,
    pipelines_of,
    stage,
)
from reconciler.emulator.property_rules import (
    as_object,
    as_objects,
    as_text,
    require_fields,
    require_read,
    require_write,
)
from reconciler.emulator.routing import Request, Response, Route, results, versioned
from reconciler.emulator.stage_properties import follow_stages, lifecycle_options, stage_properties
from reconciler.emulator.store import Portal

__all__ = [
    "ROUTES",
    "add_stage",
    "change_stage",
    "lifecycle_options",
    "pipelines_of",
    "remove_stage",
    "seed",
    "stage_properties",
]

Json = dict[str, Any]

PATH = versioned("pipelines") + "/(?P<object_type>[^/]+)"
PIPELINE = PATH + "/(?P<pipeline_id>[^/]+)"
STAGE = PIPELINE + "/stages/(?P<stage_id>[^/]+)"
STAGE_REQUIRED = ("label", "displayOrder", "metadata")
SHOWN = ("label", "displayOrder", "id", "stages", "createdAt", "updatedAt", "archived")


def seed(portal: Portal) -> None:
    """Gives a new portal HubSpot's own pipelines."""
    portal.switches.setdefault("lifecycleStageIds", True)
    for type_id in WITH_PIPELINES:
        pipelines_of(portal, type_id)
    for type_id in LIFECYCLE_PIPELINES:
        follow_stages(portal, type_id)


def shown(pipeline: Json) -> Json:
    """A pipeline as a read gives it."""
    return {name: deepcopy(pipeline[name]) for name in SHOWN}


def readable(portal: Portal, request: Request, parts: Mapping[str, str]) -> str:
    """The object type of a path, when the token may read it."""
    type_id = portal.object_type(parts["object_type"])
    require_read(portal, request, type_id)
    return type_id


def writable(portal: Portal, request: Request, parts: Mapping[str, str]) -> str:
    """The object type of a path, when the token may write it."""
    type_id = portal.object_type(parts["object_type"])
    require_write(portal, request, type_id)
    return type_id


def found(portal: Portal, type_id: str, pipeline_id: str) -> Json:
    """A pipeline, or the 404 without a body."""
    pipeline = pipelines_of(portal, type_id).get(pipeline_id)
    if pipeline is None:
        raise EmptyNotFound
    return pipeline


def found_stage(pipeline: Json, stage_id: str) -> Json:
    """A stage of a pipeline, or the 404 without a body."""
    stages: Sequence[Json] = pipeline["stages"]
    for one in stages:
        if one["id"] == stage_id:
            return one
    raise EmptyNotFound


def list_pipelines(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """All pipelines with all their stages, in no promised order; ``limit`` and ``archived`` change nothing."""
    type_id = readable(portal, request, parts)
    return results(shown(pipeline) for pipeline in pipelines_of(portal, type_id).values())


def read_pipeline(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """One pipeline."""
    return Response(200, shown(found(portal, readable(portal, request, parts), parts["pipeline_id"])))


def list_stages(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """The stages of a pipeline; of a missing one a 404 in JSON, but without a category."""
    type_id = readable(portal, request, parts)
    if parts["pipeline_id"] not in pipelines_of(portal, type_id):
        raise ApiError(404, f"Unable to find pipeline with id {parts['pipeline_id']}")
    return results(shown(found(portal, type_id, parts["pipeline_id"]))["stages"])


def read_stage(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """One stage."""
    pipeline = found(portal, readable(portal, request, parts), parts["pipeline_id"])
    return Response(200, deepcopy(found_stage(pipeline, parts["stage_id"])))


def create_pipeline(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Creates a pipeline with its stages, under a chosen id or a new number."""
    type_id, body = writable(portal, request, parts), request.fields()
    check_may_have_more(portal, type_id)
    fields = rules.decoded(body, ("label", "displayOrder", "stages"))
    rules.check_pipeline_label(pipelines_of(portal, type_id).values(), fields["label"])
    bodies = as_objects("stages", body["stages"])
    require_fields(bodies, STAGE_REQUIRED)
    pipeline_id = as_text("pipelineId", body.get("pipelineId") or portal.next_id())
    rules.check_pipeline_id(portal, type_id, pipeline_id, bodies)
    stages = new_stages(portal, type_id, pipeline_id, bodies, {})
    pipeline = {**fields, "id": pipeline_id, "stages": stages, "createdAt": portal.now(), "archived": False}
    pipelines_of(portal, type_id)[pipeline_id] = pipeline
    add_pipeline_properties(portal, type_id)
    finish(portal, request.user_id, type_id, pipeline)
    audit(portal, request.user_id, type_id, pipeline, pipeline_id, "CREATE", None)
    return Response(201, echoed_pipeline(pipeline, body))


def check_may_have_more(portal: Portal, type_id: str) -> None:
    """Refuses pipelines to objects that have none or only the lifecycle, and beyond the limit."""
    if type_id in LIFECYCLE_PIPELINES or not (type_id in WITH_PIPELINES or type_id.startswith("2-")):
        raise validation_error(f"Pipelines cannot be created for objectTypeId {type_id}")
    if len(pipelines_of(portal, type_id)) >= (most := rules.most_pipelines(type_id)):
        raise validation_error(f"The limit of {most} pipelines is reached for objectTypeId {type_id}")


def add_pipeline_properties(portal: Portal, type_id: str) -> None:
    """The first pipeline of a custom object gives it two more properties for good."""
    if not type_id.startswith("2-"):
        return
    stored, tickets = portal.definitions(type_id)["properties"], portal.definitions("0-5")["properties"]
    for name, label in (("hs_pipeline", "Pipeline"), ("hs_pipeline_stage", "Pipeline Stage")):
        template = tickets.get(name) or {
            "type": "enumeration",
            "fieldType": "select",
            "description": "",
            "options": [],
            "displayOrder": -1,
            "calculated": False,
            "externalOptions": True,
            "hasUniqueValue": False,
            "hidden": False,
            "hubspotDefined": True,
            "modificationMetadata": {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": False},
            "formField": False,
            "dataSensitivity": "non_sensitive",
        }
        group = next(iter(portal.definitions(type_id)["groups"]), "")
        stored.setdefault(name, {**template, "name": name, "label": label, "groupName": group})


def new_stages(
    portal: Portal, type_id: str, pipeline_id: str, bodies: Sequence[Json], current: Mapping[str, Json]
) -> list[Json]:
    """The stages of a pipeline body; one that has the id of a current stage is that stage under new values."""
    named = [as_text("stageId", body["stageId"]) for body in bodies if body.get("stageId")]
    rules.check_stage_ids(portal, type_id, pipeline_id, named)
    stages = []
    for body in bodies:
        fields = rules.decoded(body, STAGE_REQUIRED)
        stage_id = str(body.get("stageId") or portal.next_id())
        metadata = rules.canonical_metadata(type_id, as_object("metadata", body.get("metadata")), {})
        made = current.get(stage_id) or stage(stage_id, fields["label"], fields["displayOrder"], {})
        stages.append({**made, **fields, "metadata": metadata})
    rules.check_stages(type_id, stages)
    rules.settle(stages)
    return stages


def update_pipeline(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Changes label or order of a pipeline; every stage gets the new time too."""
    type_id = writable(portal, request, parts)
    pipeline = found(portal, type_id, parts["pipeline_id"])
    fields, before = rules.decoded(request.fields(), ()), shown(pipeline)
    if "label" in fields:
        others = (one for one in pipelines_of(portal, type_id).values() if one is not pipeline)
        rules.check_pipeline_label(others, fields["label"])
    pipeline |= fields
    finish(portal, request.user_id, type_id, pipeline)
    audit(portal, request.user_id, type_id, pipeline, pipeline["id"], "UPDATE", before)
    return Response(200, shown(pipeline) | fields)


def replace_pipeline(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Replaces a pipeline; stages that the body leaves out are gone for good."""
    type_id, body = writable(portal, request, parts), request.fields()
    pipeline = found(portal, type_id, parts["pipeline_id"])
    fields, before = rules.decoded(body, ("label", "displayOrder", "stages")), shown(pipeline)
    others = (one for one in pipelines_of(portal, type_id).values() if one is not pipeline)
    rules.check_pipeline_label(others, fields["label"])
    current = {one["id"]: one for one in pipeline["stages"]}
    stages = new_stages(portal, type_id, pipeline["id"], as_objects("stages", body["stages"]), current)
    gone = current.keys() - {one["id"] for one in stages}
    if validates(request, parts):
        for twin in (type_id, *twins(portal, type_id)):
            rules.check_unused(portal, twin, gone)
    pipeline |= {**fields, "stages": stages}
    finish(portal, request.user_id, type_id, pipeline, gone)
    for twin in twins(portal, type_id):
        mirror_stages(portal, request.user_id, twin, stages)
    audit(portal, request.user_id, type_id, pipeline, pipeline["id"], "UPDATE", before)
    return Response(200, echoed_pipeline(pipeline, body))


def mirror_stages(portal: Portal, user_id: str, twin: str, stages: Sequence[Json]) -> None:
    """Gives the other lifecycle the stages that one was given; those that it had keep when they were made."""
    pipeline = found(portal, twin, LIFECYCLE_PIPELINES[twin])
    held = {one["id"]: one for one in pipeline["stages"]}
    pipeline["stages"] = [one | {"createdAt": held.get(one["id"], one)["createdAt"]} for one in deepcopy([*stages])]
    finish(portal, user_id, twin, pipeline, held.keys() - {one["id"] for one in stages})


def delete_pipeline(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Purges a pipeline with its stages and what follows from them."""
    type_id = writable(portal, request, parts)
    pipeline = pipelines_of(portal, type_id).get(parts["pipeline_id"])
    if pipeline is None:
        raise not_found(f"Unable to find pipeline with id {parts['pipeline_id']}")
    if type_id in LIFECYCLE_PIPELINES:
        raise validation_error("The lifecycle pipeline cannot be deleted")
    gone = [one["id"] for one in pipeline["stages"]]
    if validates(request, parts):
        rules.check_unused(portal, type_id, gone)
    del pipelines_of(portal, type_id)[pipeline["id"]]
    follow_stages(portal, type_id, gone)
    audit(portal, request.user_id, type_id, pipeline, pipeline["id"], "DELETE", shown(pipeline))
    return Response(204)


def validates(request: Request, parts: Mapping[str, str]) -> bool:
    """Whether use by records is checked before a delete: by flag, and always on 2026-09, whatever the flags say."""
    flags = ("validateReferencesBeforeDelete", "validateDealStageUsagesBeforeDelete")
    return parts.get("version") == "2026-09" or any(request.flag(name) for name in flags)


def create_stage(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Creates a stage; the answer says what was sent, also where the slot was taken."""
    type_id, body = writable(portal, request, parts), request.fields()
    made = add_stage(portal, request.user_id, type_id, parts["pipeline_id"], body)
    return Response(201, echoed(made, body))


def update_stage(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Changes a stage; fields and metadata keys that are not sent stay."""
    type_id, body = writable(portal, request, parts), request.fields()
    changed = change_stage(portal, request.user_id, type_id, parts["pipeline_id"], parts["stage_id"], body)
    return Response(200, echoed(changed, body))


def replace_stage(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Replaces label, order and metadata of a stage."""
    require_fields([request.fields()], STAGE_REQUIRED)
    return update_stage(portal, request, parts)


def delete_stage(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Deletes a stage; 204 also for one that is not there, or that is another pipeline's."""
    type_id = writable(portal, request, parts)
    stage_ids = [parts["stage_id"]]
    locked = type_id in LIFECYCLE_PIPELINES and not portal.switches["defaultStageDelete"]
    if locked and parts["stage_id"] in GLOBAL_STAGES[type_id]:
        raise validation_error(f"Stage {parts['stage_id']} is HubSpot's own and cannot be deleted")
    if validates(request, parts) and holders(portal, type_id, parts["pipeline_id"], parts["stage_id"]):
        for twin in (type_id, *twins(portal, type_id)):
            rules.check_unused(portal, twin, stage_ids)
    remove_stage(portal, request.user_id, type_id, parts["pipeline_id"], parts["stage_id"])
    return Response(204)


def add_stage(portal: Portal, user_id: str, type_id: str, pipeline_id: str, body: Mapping[str, Any]) -> Json:
    """Puts a new stage into a pipeline, and into the mirrored lifecycle."""
    pipeline = found(portal, type_id, pipeline_id)
    fields = rules.decoded(body, STAGE_REQUIRED)
    metadata = rules.canonical_metadata(type_id, as_object("metadata", body.get("metadata")), {})
    stage_id = new_stage_id(portal, type_id, pipeline, body)
    rules.check_stage_label(pipeline["stages"], fields["label"])
    made = stage(stage_id, fields["label"], fields["displayOrder"], metadata)
    rules.check_stages(type_id, [*pipeline["stages"], made], several=False)
    insert(portal, user_id, type_id, pipeline, made)
    for twin in twins(portal, type_id):
        other = found(portal, twin, LIFECYCLE_PIPELINES[twin])
        if not clashes(other, made):
            insert(portal, user_id, twin, other, stage(stage_id, fields["label"], fields["displayOrder"], metadata))
    return made


def new_stage_id(portal: Portal, type_id: str, pipeline: Json, body: Mapping[str, Any]) -> str:
    """The chosen id of a new stage, or a number; a taken id is a 400 without a category here."""
    chosen = body.get("stageId")
    if not chosen or (type_id in LIFECYCLE_PIPELINES and not portal.switches.get("lifecycleStageIds", True)):
        return str(portal.next_id())
    stage_id = as_text("stageId", chosen)
    taken = {one["id"] for one in pipeline["stages"]} | rules.ids_elsewhere(portal, type_id, pipeline["id"])
    if stage_id in taken:
        raise ApiError(400, f"Stage ID {stage_id} already exists")
    rules.check_stage_ids(portal, type_id, pipeline["id"], [stage_id])
    return stage_id


def insert(portal: Portal, user_id: str, type_id: str, pipeline: Json, made: Json) -> None:
    """Stores a new stage on the slot it asks for."""
    pipeline["stages"].append(made)
    rules.place(pipeline["stages"], made, made["displayOrder"])
    finish(portal, user_id, type_id, pipeline)
    audit(portal, user_id, type_id, pipeline, made["id"], "CREATE", None)


def clashes(pipeline: Json, made: Json) -> bool:
    """Whether a pipeline already has a stage of this id or label."""
    return any(
        one["id"] == made["id"] or rules.folded(one["label"]) == rules.folded(made["label"])
        for one in pipeline["stages"]
    )


def change_stage(
    portal: Portal, user_id: str, type_id: str, pipeline_id: str, stage_id: str, body: Mapping[str, Any]
) -> Json:
    """Changes a stage in a pipeline, and in the mirrored lifecycle."""
    changed = found_stage(found(portal, type_id, pipeline_id), stage_id)
    pairs = [(type_id, found(portal, type_id, pipeline_id)), *holders(portal, type_id, pipeline_id, stage_id)[1:]]
    fields = rules.decoded(body, ())
    metadata = rules.canonical_metadata(type_id, as_object("metadata", body.get("metadata")), changed["metadata"])
    for _, pipeline in pairs:
        check_change(type_id, pipeline, stage_id, fields, metadata)
    for twin, pipeline in pairs:
        current = found_stage(pipeline, stage_id)
        before = deepcopy(current)
        current |= {"metadata": dict(metadata), "label": fields.get("label", current["label"])}
        if "displayOrder" in fields:
            rules.place(pipeline["stages"], current, fields["displayOrder"])
        finish(portal, user_id, twin, pipeline)
        audit(portal, user_id, twin, pipeline, stage_id, "UPDATE", before)
    return changed


def check_change(type_id: str, pipeline: Json, stage_id: str, fields: Json, metadata: Json) -> None:
    """Refuses a change that takes another stage's label, or the last closed stage of a ticket pipeline."""
    others = without(pipeline, stage_id)
    if "label" in fields:
        rules.check_stage_label(others, fields["label"])
    rules.check_stages(type_id, [*others, {"metadata": metadata}], several=False)


def remove_stage(portal: Portal, user_id: str, type_id: str, pipeline_id: str, stage_id: str) -> None:
    """Takes a stage out of its pipeline, and out of the mirrored lifecycle."""
    held = holders(portal, type_id, pipeline_id, stage_id)
    for twin, pipeline in held:
        rules.check_stages(twin, without(pipeline, stage_id), several=False)
    for twin, pipeline in held:
        removed = found_stage(pipeline, stage_id)
        pipeline["stages"] = without(pipeline, stage_id)
        finish(portal, user_id, twin, pipeline, [stage_id])
        audit(portal, user_id, twin, pipeline, stage_id, "DELETE", removed)


def without(pipeline: Json, stage_id: str) -> list[Json]:
    """The stages of a pipeline but one."""
    return [one for one in pipeline["stages"] if one["id"] != stage_id]


def holders(portal: Portal, type_id: str, pipeline_id: str, stage_id: str) -> list[tuple[str, Json]]:
    """The pipeline and the mirrored lifecycle, as far as they are there and hold the stage."""
    places = [(type_id, pipeline_id), *((twin, LIFECYCLE_PIPELINES[twin]) for twin in twins(portal, type_id))]
    there = [(twin, pipelines_of(portal, twin)[one]) for twin, one in places if one in pipelines_of(portal, twin)]
    return [(twin, one) for twin, one in there if any(stage["id"] == stage_id for stage in one["stages"])]


def twins(portal: Portal, type_id: str) -> Sequence[str]:
    """The object types whose lifecycle a write to this one's is mirrored to."""
    mirror = portal.switches.get("lifecycleMirror", "none")
    if type_id == CONTACTS and mirror in ("both", "contacts_to_companies"):
        return [COMPANIES]
    if type_id == COMPANIES and mirror == "both":
        return [CONTACTS]
    return []


def finish(portal: Portal, user_id: str, type_id: str, pipeline: Json, gone: Iterable[str] = ()) -> None:
    """Dates a write: one time for the pipeline and all its stages; the first one ever also dates their creation."""
    now = portal.now()
    pipeline |= {"updatedAt": now, "updatedUserId": user_id}
    for one in pipeline["stages"]:
        one["updatedAt"] = now
        if one["createdAt"] == EPOCH:
            one["createdAt"] = now
    follow_stages(portal, type_id, gone)


def echoed(made: Json, body: Mapping[str, Any]) -> Json:
    """A stage as a write answers it: times and id as stored, everything else as sent."""
    sent = {name: body[name] for name in ("label", "displayOrder", "metadata") if body.get(name) is not None}
    if "metadata" in sent:
        sent["metadata"] = {key: as_sent(value) for key, value in sent["metadata"].items()}
    return deepcopy(made) | sent


def as_sent(value: Any) -> str:
    """A metadata value as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def echoed_pipeline(pipeline: Json, body: Mapping[str, Any]) -> Json:
    """A pipeline as a write answers it."""
    stages = [echoed(made, sent) for made, sent in zip(pipeline["stages"], body["stages"], strict=True)]
    return shown(pipeline) | {"stages": stages}


def audit(
    portal: Portal, user_id: str, type_id: str, pipeline: Json, identifier: str, action: str, before: Json | None
) -> None:
    """Writes down who changed what, with the text of what was there before."""
    entry = {
        "objectTypeId": type_id,
        "pipelineId": pipeline["id"],
        "portalId": portal.portal_id,
        "identifier": identifier,
        "action": action,
        "timestamp": pipeline["updatedAt"] if action != "DELETE" else portal.now(),
        "fromUserId": int(user_id),
        "message": f"{action.capitalize()} by user {user_id}",
        "rawObject": json.dumps(before) if before else None,
    }
    portal.state.setdefault("pipelineAudit", []).append(entry)


def read_audit(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """The changes of a pipeline, or of one stage, newest first."""
    type_id = readable(portal, request, parts)
    found(portal, type_id, parts["pipeline_id"])
    entries = [
        {name: value for name, value in entry.items() if name not in ("objectTypeId", "pipelineId") and value}
        for entry in reversed(portal.state.get("pipelineAudit", []))
        if entry["objectTypeId"] == type_id and entry["pipelineId"] == parts["pipeline_id"]
    ]
    if "stage_id" in parts:
        entries = [entry for entry in entries if entry["identifier"] == parts["stage_id"]]
    return results(entries)


ROUTES: Sequence[Route] = [
    ("GET", PATH, list_pipelines),
    ("POST", PATH, create_pipeline),
    ("GET", PIPELINE, read_pipeline),
    ("PUT", PIPELINE, replace_pipeline),
    ("PATCH", PIPELINE, update_pipeline),
    ("DELETE", PIPELINE, delete_pipeline),
    ("GET", PIPELINE + "/audit", read_audit),
    ("GET", PIPELINE + "/stages", list_stages),
    ("POST", PIPELINE + "/stages", create_stage),
    ("GET", STAGE, read_stage),
    ("PUT", STAGE, replace_stage),
    ("PATCH", STAGE, update_stage),
    ("DELETE", STAGE, delete_stage),
    ("GET", STAGE + "/audit", read_audit),
]
