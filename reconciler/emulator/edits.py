"""What a colleague does in HubSpot's settings, past the API and past us.

An edit of a portal's own property moves ``updatedAt`` and names the user. One of HubSpot's defaults (options, group,
hidden) does neither: that is how such edits were seen, and what makes them hard to attribute.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler.emulator import associations, groups, pipelines
from reconciler.emulator.association_types import of_pair
from reconciler.emulator.errors import ApiError, not_found
from reconciler.emulator.pipeline_defaults import LIFECYCLE_PIPELINES
from reconciler.emulator.properties import in_shown_order, move_to_archive, new_definition
from reconciler.emulator.property_rules import Json, is_default
from reconciler.emulator.store import Portal

COLLEAGUE = "2002"
Edit = Callable[..., list[str]]


def definition_of(portal: Portal, object_name: str, name: str) -> Json:
    """A live definition."""
    found: Json | None = portal.definitions(portal.object_type(object_name))["properties"].get(name)
    if found is None:
        raise not_found(f"Property '{name}' does not exist")
    return found


def revise(portal: Portal, user: str, object_name: str, name: str, fields: Mapping[str, Any]) -> list[str]:
    """Changes fields of a property, leaving the traces that such an edit leaves."""
    one = definition_of(portal, object_name, name)
    one |= fields
    if not is_default(one):
        one |= {"updatedAt": portal.now(), "updatedUserId": user}
    elif portal.switches["defaultEditMoves"] and "updatedAt" in one:
        one["updatedAt"] = portal.now()
    return [address(portal, object_name, name)]


def address(portal: Portal, object_name: str, name: str, area: str = "properties") -> str:
    """How a definition is called in reports."""
    return f"{area}/{portal.object_name(portal.object_type(object_name))}/{name}"


def change(portal: Portal, user: str, *, object: str, property: str, fields: Mapping[str, Any]) -> list[str]:
    """Changes any fields of a property."""
    return revise(portal, user, object, property, fields)


def relabel(portal: Portal, user: str, *, object: str, property: str, label: str) -> list[str]:
    """Gives a property another label."""
    return revise(portal, user, object, property, {"label": label})


def hide(portal: Portal, user: str, *, object: str, property: str, hidden: bool = True) -> list[str]:
    """Hides a property, or shows it again; possible on every default."""
    return revise(portal, user, object, property, {"hidden": hidden})


def move(portal: Portal, user: str, *, object: str, property: str, group: str) -> list[str]:
    """Puts a property into another group, which is made when it is not there; possible on every default."""
    type_id = portal.object_type(object)
    definition_of(portal, object, property)
    if group not in portal.definitions(type_id)["groups"]:
        groups.new_group(portal, type_id, {"name": group, "label": group})
    return revise(portal, user, object, property, {"groupName": group})


def set_options(portal: Portal, user: str, object_name: str, name: str, options: Sequence[Json]) -> list[str]:
    """Stores an option list, numbered in its order."""
    numbered = [{**option, "displayOrder": order} for order, option in enumerate(options)]
    return revise(portal, user, object_name, name, {"options": numbered})


def add_option(
    portal: Portal, user: str, *, object: str, property: str, value: str, label: str = "", at: int | None = None
) -> list[str]:
    """Adds an option, last or at a place."""
    options = [*definition_of(portal, object, property)["options"]]
    options.insert(len(options) if at is None else at, {"label": label or value, "value": value, "hidden": False})
    return set_options(portal, user, object, property, options)


def remove_option(portal: Portal, user: str, *, object: str, property: str, value: str) -> list[str]:
    """Removes an option; records keep its value."""
    options = definition_of(portal, object, property)["options"]
    return set_options(portal, user, object, property, [one for one in options if one["value"] != value])


def relabel_option(portal: Portal, user: str, *, object: str, property: str, value: str, label: str) -> list[str]:
    """Gives an option another label."""
    options = definition_of(portal, object, property)["options"]
    renamed = [{**one, "label": label} if one["value"] == value else one for one in options]
    return set_options(portal, user, object, property, renamed)


def reorder_options(portal: Portal, user: str, *, object: str, property: str, values: Sequence[str]) -> list[str]:
    """Puts the named options first, in this order."""
    options = definition_of(portal, object, property)["options"]
    place = {value: index for index, value in enumerate(values)}
    return set_options(
        portal, user, object, property, sorted(options, key=lambda one: place.get(one["value"], len(place)))
    )


def create(portal: Portal, user: str, *, object: str, definition: Mapping[str, Any]) -> list[str]:
    """Makes a property."""
    type_id = portal.object_type(object)
    now = portal.now()
    made = new_definition(portal, type_id, definition)
    made |= {"createdAt": now, "updatedAt": now, "createdUserId": user, "updatedUserId": user}
    portal.definitions(type_id)["properties"][made["name"]] = in_shown_order(made)
    return [address(portal, object, made["name"])]


def archive(portal: Portal, user: str, *, object: str, property: str) -> list[str]:
    """Archives a property."""
    definition_of(portal, object, property)
    move_to_archive(portal, portal.object_type(object), property)
    return [address(portal, object, property)]


def restore(portal: Portal, user: str, *, object: str, property: str) -> list[str]:
    """Brings an archived property back as it was."""
    definitions = portal.definitions(portal.object_type(object))
    found = definitions["archivedProperties"].pop(property)
    del found["archivedAt"]
    definitions["properties"][property] = found | {"archived": False}
    return revise(portal, user, object, property, {})


def purge(portal: Portal, user: str, *, object: str, property: str) -> list[str]:
    """Deletes a property for good, archived or not."""
    definitions = portal.definitions(portal.object_type(object))
    for side in ("properties", "archivedProperties"):
        definitions[side].pop(property, None)
    return [address(portal, object, property)]


def use(portal: Portal, user: str, *, object: str, property: str, by: str, type: str = "WORKFLOW") -> list[str]:
    """Uses a property in a workflow, list, form or report, so that it cannot be archived."""
    definition_of(portal, object, property)
    use = {"type": type, "display": type.capitalize(), "name": by}
    portal.definitions(portal.object_type(object)).setdefault("uses", {}).setdefault(property, []).append(use)
    return [address(portal, object, property)]


def create_group(portal: Portal, user: str, *, object: str, group: str, label: str) -> list[str]:
    """Makes a group."""
    groups.new_group(portal, portal.object_type(object), {"name": group, "label": label})
    return [address(portal, object, group, "propertyGroups")]


def relabel_group(portal: Portal, user: str, *, object: str, group: str, label: str) -> list[str]:
    """Gives a group another label."""
    groups.existing(portal, portal.object_type(object), group)["label"] = label
    return [address(portal, object, group, "propertyGroups")]


def delete_group(portal: Portal, user: str, *, object: str, group: str) -> list[str]:
    """Deletes a group."""
    groups.existing(portal, portal.object_type(object), group)
    del portal.definitions(portal.object_type(object))["groups"][group]
    return [address(portal, object, group, "propertyGroups")]


def lifecycles(portal: Portal) -> list[tuple[str, str]]:
    """The lifecycle pipelines that an edit in the settings has to write: one when the API mirrors it to the other."""
    mirrored = portal.switches["lifecycleMirror"] != "none"
    return [*LIFECYCLE_PIPELINES.items()][: 1 if mirrored else 2]


def add_stage(portal: Portal, user: str, *, label: str, at: int | None = None, stage: str = "") -> list[str]:
    """Adds a lifecycle stage to contacts and companies, last or at a place."""
    place = None if at is None else int(at)
    stage_id = str(stage or portal.next_id())
    for type_id, pipeline in lifecycles(portal):
        last = len(pipelines.pipelines_of(portal, type_id)[pipeline]["stages"])
        body = {"label": label, "displayOrder": last, "stageId": stage_id, "metadata": {"state": "OPEN"}}
        pipelines.add_stage(portal, user, type_id, pipeline, body)
        if place is not None:
            put_at(portal, user, type_id, pipeline, stage_id, place)
    return [f"lifecycleStages/{stage_id}"]


def put_at(portal: Portal, user: str, type_id: str, pipeline: str, stage: str, at: int) -> None:
    """Moves a stage to a place: HubSpot puts it right after whoever has the slot that it asks for."""
    stages = pipelines.pipelines_of(portal, type_id)[pipeline]["stages"]
    ordered = [one["id"] for one in sorted(stages, key=lambda one: int(one["displayOrder"]))]
    slot = at if ordered.index(stage) < at else max(at - 1, 0)
    pipelines.change_stage(portal, user, type_id, pipeline, stage, {"displayOrder": slot})
    if at == 0 and ordered[0] != stage:
        pipelines.change_stage(portal, user, type_id, pipeline, ordered[0], {"displayOrder": 1})


def rename_stage(portal: Portal, user: str, *, stage: str, label: str) -> list[str]:
    """Gives a lifecycle stage another label."""
    for type_id, pipeline in lifecycles(portal):
        pipelines.change_stage(portal, user, type_id, pipeline, stage, {"label": label})
    return [f"lifecycleStages/{stage}"]


def move_stage(portal: Portal, user: str, *, stage: str, at: int) -> list[str]:
    """Puts a lifecycle stage at another place."""
    for type_id, pipeline in lifecycles(portal):
        put_at(portal, user, type_id, pipeline, stage, at)
    return [f"lifecycleStages/{stage}"]


def delete_stage(portal: Portal, user: str, *, stage: str) -> list[str]:
    """Deletes a lifecycle stage."""
    for type_id, pipeline in lifecycles(portal):
        pipelines.remove_stage(portal, user, type_id, pipeline, stage)
    return [f"lifecycleStages/{stage}"]


def stored_label(portal: Portal, start: str, end: str, label: str) -> tuple[Json, int]:
    """An association label and its type id in one direction, by its text."""
    for one in of_pair(portal, start, end):
        record = associations.stored_label(portal, start, end, one.type_id)
        if record and one.label == label:
            return record, one.type_id
    raise ApiError(404, f"No association label '{label}'")


def rename_label(
    portal: Portal, user: str, *, start: str, end: str, label: str, text: str, inverse: str = ""
) -> list[str]:
    """Gives an association label another text, and another inverse one."""
    types = portal.object_type(start), portal.object_type(end)
    record, type_id = stored_label(portal, types[0], types[1], label)
    associations.change_label(portal, record, types[0], type_id, text, inverse or text)
    return [f"associationLabels/{portal.object_name(types[0])}/{portal.object_name(types[1])}/{record['name']}"]


def delete_label(portal: Portal, user: str, *, start: str, end: str, label: str) -> list[str]:
    """Deletes an association label, both directions."""
    types = portal.object_type(start), portal.object_type(end)
    record, _ = stored_label(portal, types[0], types[1], label)
    associations.remove_label(portal, record)
    return [f"associationLabels/{portal.object_name(types[0])}/{portal.object_name(types[1])}/{record['name']}"]


EDITS: Mapping[str, Edit] = {
    "change": change,
    "relabel": relabel,
    "hide": hide,
    "move": move,
    "add-option": add_option,
    "remove-option": remove_option,
    "relabel-option": relabel_option,
    "reorder-options": reorder_options,
    "create": create,
    "archive": archive,
    "restore": restore,
    "purge": purge,
    "use": use,
    "create-group": create_group,
    "relabel-group": relabel_group,
    "delete-group": delete_group,
    "add-stage": add_stage,
    "rename-stage": rename_stage,
    "move-stage": move_stage,
    "delete-stage": delete_stage,
    "rename-label": rename_label,
    "delete-label": delete_label,
}
