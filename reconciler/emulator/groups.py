"""Property groups: deleted for good, never restored, and refused while a live property is in them."""

import json
from collections.abc import Mapping, Sequence

from reconciler.emulator import property_rules as rules
from reconciler.emulator.errors import already_exists, not_found, validation_error
from reconciler.emulator.property_rules import Json
from reconciler.emulator.routing import Request, Response, Route, results, versioned
from reconciler.emulator.stage_properties import stage_properties
from reconciler.emulator.store import Portal

PATH = versioned("properties") + "/(?P<object_type>[^/]+)/groups"
ONE = PATH + "/(?P<group>[^/]+)"


def list_groups(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """All groups of an object type."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_read(portal, request, type_id)
    return results(portal.definitions(type_id)["groups"].values())


def read_group(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """One group."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_read(portal, request, type_id)
    return Response(200, existing(portal, type_id, parts["group"]))


def existing(portal: Portal, type_id: str, name: str) -> Json:
    """The group of that name, or 404."""
    groups: Mapping[str, Json] = portal.definitions(type_id)["groups"]
    if name not in groups:
        raise not_found(f"Property group with name '{name}' does not exist for object type {type_id}")
    return groups[name]


def create_group(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Creates a group; without a display order it gets the next one."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_write(portal, request, type_id)
    rules.require_fields([request.fields()], ["name", "label"])
    group = new_group(portal, type_id, request.body)
    if portal.switches["lateGroups"]:
        portal.state.setdefault("lateGroups", []).append(f"{type_id}/{group['name']}")
    portal.touch(type_id)
    return Response(201, group)


def new_group(portal: Portal, type_id: str, body: Mapping[str, object]) -> Json:
    """Puts a group into the portal."""
    groups = portal.definitions(type_id)["groups"]
    name = rules.as_text("name", body["name"])
    if not name.strip():
        raise validation_error("The name of a property group cannot be blank")
    if name in groups:
        message = f"A property group named '{name}' already exists."
        if portal.switches["groupCreateExisting"] == 400:
            raise validation_error(message)
        raise already_exists(message, "PropertyGroupError.GROUP_WITH_NAME_EXISTS")
    order = body.get("displayOrder")
    following = max((group.get("displayOrder", -1) for group in groups.values()), default=-1) + 1
    groups[name] = {
        "archived": False,
        "name": name,
        "label": rules.as_text("label", body["label"]),
        "displayOrder": following if order is None else rules.as_number("displayOrder", order),
    }
    made: Json = groups[name]
    return made


def update_group(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Changes label or display order; anything else is ignored."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_write(portal, request, type_id)
    group = existing(portal, type_id, parts["group"])
    check_free(portal, type_id, group)
    sent = request.fields()
    kinds = {"label": rules.as_text, "displayOrder": rules.as_number}
    group |= {name: kind(name, sent[name]) for name, kind in kinds.items() if sent.get(name) is not None}
    portal.touch(type_id)
    return Response(200, group)


def check_free(portal: Portal, type_id: str, group: Json) -> None:
    """Refuses to change a group that holds HubSpot's own properties, where they are locked."""
    own = (one["groupName"] for one in portal.definitions(type_id)["properties"].values() if rules.is_default(one))
    if portal.switches["defaultGroups"] == "locked" and group["name"] in own:
        raise validation_error(f"Property group '{group['name']}' is HubSpot's own and cannot be changed")


def delete_group(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Deletes a group, unless a live property is in it: that refusal is JSON inside the message."""
    type_id = portal.object_type(parts["object_type"])
    rules.require_write(portal, request, type_id)
    name = existing(portal, type_id, parts["group"])["name"]
    check_free(portal, type_id, existing(portal, type_id, name))
    definitions = portal.definitions(type_id)
    live = [*definitions["properties"].values(), *stage_properties(portal, type_id)]
    if members := [one["name"] for one in live if one["groupName"] == name]:
        raise validation_error(json.dumps(in_use(name, members)))
    del definitions["groups"][name]
    portal.touch(type_id)
    return Response(204)


def in_use(name: str, members: Sequence[str]) -> Json:
    """The inner body of the refusal to delete a group."""
    return {
        "status": "error",
        "message": f"Property group '{name}' cannot be deleted because it has {len(members)} active properties",
        "category": "VALIDATION_ERROR",
        "subCategory": "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
        "context": {"groupName": [name], "propertyNames": [*members]},
    }


ROUTES: Sequence[Route] = [
    ("GET", PATH, list_groups),
    ("POST", PATH, create_group),
    ("GET", ONE, read_group),
    ("PATCH", ONE, update_group),
    ("DELETE", ONE, delete_group),
]
