"""What HubSpot checks before it stores a pipeline or a stage, and where a stage lands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.emulator.errors import ApiError, validation_error
from reconciler.emulator.pipeline_defaults import DEALS, TICKETS, WITH_PIPELINES, pipelines_of
from reconciler.emulator.property_rules import as_number, as_text, require_fields
from reconciler.emulator.store import Portal

Json = dict[str, Any]

LONGEST_PIPELINE_ID, LONGEST_STAGE_ID = 36, 100
MOST_PIPELINES, MOST_PIPELINES_OF_ORDERS = 100, 50
STATES = ("OPEN", "CLOSED")
STAGE_PROPERTIES: Mapping[str, str] = {"0-1": "lifecyclestage", "0-2": "lifecyclestage", "0-3": "dealstage"}


def most_pipelines(type_id: str) -> int:
    """How many pipelines an object type may have."""
    return MOST_PIPELINES_OF_ORDERS if type_id == "0-123" else MOST_PIPELINES


def decoded(body: Mapping[str, Any], required: Sequence[str]) -> Json:
    """The known fields of a pipeline or a stage; -1 is no displayOrder here."""
    require_fields([body], required)
    fields: Json = {}
    if body.get("label") is not None:
        fields["label"] = as_text("label", body["label"])
        if not fields["label"].strip():
            raise validation_error("The label cannot be blank")
    if body.get("displayOrder") is not None:
        fields["displayOrder"] = as_number("displayOrder", body["displayOrder"])
        if fields["displayOrder"] < 0:
            raise validation_error("displayOrder must not be negative")
    return fields


def canonical_metadata(type_id: str, sent: Mapping[str, Any], current: Mapping[str, str]) -> Json:
    """Metadata as it is read back: known keys only, ``isClosed`` derived, everything a text."""
    if type_id == DEALS:
        return deal_metadata({**current, **sent})
    key = "ticketState" if type_id == TICKETS else "state"
    state = sent.get(key, current.get(key))
    if state is None:
        state = "CLOSED" if key == "state" and str(sent.get("isClosed")).lower() == "true" else "OPEN"
    if state not in STATES:
        raise validation_error(
            f"Invalid metadata: {key} must be one of {list(STATES)}", "PipelineError.INVALID_PIPELINE_STAGE_METADATA"
        )
    return {key: state, "isClosed": str(state == "CLOSED").lower()}


def deal_metadata(given: Mapping[str, Any]) -> Json:
    """A probability from 0 to 1, number or text; both ends are closed stages."""
    try:
        probability = float(given.get("probability", ""))
    except (TypeError, ValueError) as error:
        raise ApiError(400, "Deal stages must have a valid probability in their metadata") from error
    if not 0 <= probability <= 1:
        raise ApiError(400, "The probability of a deal stage must lie between 0 and 1")
    return {"isClosed": str(probability in (0, 1)).lower(), "probability": str(probability)}


def folded(label: str) -> str:
    """Labels compare without case and outer blanks."""
    return label.strip().casefold()


def check_stage_label(stages: Iterable[Mapping[str, Any]], label: str) -> None:
    """Refuses a label that another stage of the pipeline has."""
    if folded(label) in {folded(stage["label"]) for stage in stages}:
        raise validation_error(f"A stage with label '{label}' already exists", "PipelineError.STAGE_LABEL_EXISTS")


def check_pipeline_label(pipelines: Iterable[Mapping[str, Any]], label: str) -> None:
    """Refuses a label that another pipeline of the object type has."""
    if folded(label) in {folded(pipeline["label"]) for pipeline in pipelines}:
        raise validation_error(f"A pipeline with label '{label}' already exists")


def check_stages(type_id: str, stages: Sequence[Mapping[str, Any]], several: bool = True) -> None:
    """Refuses what no pipeline may be: empty, one label twice, too long, tickets that never close."""
    if not stages:
        raise validation_error("A pipeline must have at least one stage")
    if several and len({folded(stage["label"]) for stage in stages}) < len(stages):
        raise validation_error("Stage labels must be unique within a pipeline")
    if len(stages) > WITH_PIPELINES.get(type_id, 100):
        raise validation_error(f"A pipeline can have at most {WITH_PIPELINES.get(type_id, 100)} stages")
    if type_id == TICKETS and all(stage["metadata"]["ticketState"] == "OPEN" for stage in stages):
        raise validation_error("A ticket pipeline needs a CLOSED stage", "PipelineError.MISSING_CLOSED_STAGE")


def check_pipeline_id(portal: Portal, type_id: str, pipeline_id: str, stages: Sequence[Json]) -> None:
    """Refuses an id that is too long (a 500) or taken; deals and tickets share their pipeline ids."""
    if len(pipeline_id) > LONGEST_PIPELINE_ID:
        raise ApiError(500, "internal error")
    if pipeline_id in pipelines_of(portal, type_id):
        raise validation_error(f"There is another pipeline for objectTypeId {type_id} with pipelineId {pipeline_id}")
    shared = (DEALS, TICKETS)
    if type_id in shared and any(pipeline_id in pipelines_of(portal, other) for other in shared):
        raise stage_elsewhere([str(stage.get("stageId") or stage["label"]) for stage in stages])


def check_stage_ids(portal: Portal, type_id: str, pipeline_id: str, ids: Sequence[str]) -> None:
    """Refuses stage ids that are too long (a 500), given twice, or held by another pipeline of the object type."""
    if any(len(one) > LONGEST_STAGE_ID for one in ids):
        raise ApiError(500, "internal error")
    if len({*ids}) < len(ids):
        raise validation_error("Stage ids must be unique within a pipeline")
    if held := [one for one in ids if one in ids_elsewhere(portal, type_id, pipeline_id)]:
        raise stage_elsewhere(held)


def ids_elsewhere(portal: Portal, type_id: str, pipeline_id: str) -> set[str]:
    """The stage ids that the other pipelines of an object type hold."""
    others = (one for one in pipelines_of(portal, type_id).values() if one["id"] != pipeline_id)
    return {stage["id"] for pipeline in others for stage in pipeline["stages"]}


def stage_elsewhere(ids: Sequence[str]) -> ApiError:
    """409 inside a pipeline write; HubSpot also gives it when the other object holds the pipeline id."""
    return ApiError(
        409,
        f"The following stage IDs already exist in another pipeline: [{', '.join(ids)}]",
        category="CONFLICT",
        sub_category="PipelineError.STAGE_ID_EXISTS_IN_ANOTHER_PIPELINE",
        context={"stageIds": ids},
    )


def check_unused(portal: Portal, type_id: str, stage_ids: Iterable[str]) -> None:
    """Refuses to drop stages that live records stand in; those in the recycle bin do not count."""
    name, gone = STAGE_PROPERTIES.get(type_id, "hs_pipeline_stage"), {*stage_ids}
    records = portal.state["records"].get(type_id, {})
    users = {
        record_id: record["properties"].get(name)
        for record_id, record in records.items()
        if not record.get("archived") and record["properties"].get(name) in gone
    }
    if users:
        used = sorted({*users.values()})
        raise validation_error(
            f"Stages with ids [{', '.join(used)}] are being referenced by object ids [{', '.join(users)}]",
            "PipelineError.STAGE_ID_IN_USE",
            context={"stageIds": used, "objectIds": [*users]},
        )


def place(stages: Iterable[Json], stage: Json, order: int) -> None:
    """Puts a stage on a slot: a free one is simply taken, on a taken one it lands after the holder and all renumber."""
    others = sorted((one for one in stages if one is not stage), key=lambda one: int(one["displayOrder"]))
    stage["displayOrder"] = order
    holder = next((index for index, one in enumerate(others) if one["displayOrder"] == order), None)
    if holder is None:
        return
    others.insert(holder + 1, stage)
    renumber(others)


def settle(stages: Sequence[Json]) -> None:
    """Resolves ties inside one request, against its order; without ties the gaps survive."""
    if len({stage["displayOrder"] for stage in stages}) < len(stages):
        ordered = sorted(enumerate(stages), key=lambda pair: (int(pair[1]["displayOrder"]), -pair[0]))
        renumber(stage for _, stage in ordered)


def renumber(stages: Iterable[Json]) -> None:
    """Gives the stages the slots 0 to n-1."""
    for order, stage in enumerate(stages):
        stage["displayOrder"] = order
