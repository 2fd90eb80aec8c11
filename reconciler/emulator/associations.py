"""Association labels and the limits set on association types.

A label list never gives a name; that stands in the schemas only, and later. An object with itself gets two ids a label,
or one when both texts are the same and the switch ``selfLabelIds`` is 1; ``labelLimit`` is the most labels of a pair.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.emulator import association_types as types
from reconciler.emulator.association_types import Direction
from reconciler.emulator.errors import ApiError, validation_error
from reconciler.emulator.property_rules import as_number, as_objects, as_text, require_fields, scope_object
from reconciler.emulator.routing import DATED, Request, Response, Route, results, versioned
from reconciler.emulator.store import Portal

Json = dict[str, Any]

AREA = versioned("associations", "v4", f"{DATED}|v4")
PAIR = AREA + "/(?P<start>[^/]+)/(?P<end>[^/]+)"
CONFIGURATIONS = AREA + "/definitions/configurations"
CONFIGURED_PAIR = CONFIGURATIONS + "/(?P<start>[^/]+)/(?P<end>[^/]+)"
MOST_LABELS = 50
TAKEN = "AssociationValidationError.DUPLICATE_ASSOCIATION_LABEL"
NAME = re.compile(r"[^\d-][^-]*")


def seed(portal: Portal) -> None:
    """A new portal has HubSpot's own types only."""
    portal.state.setdefault("configurations", [])
    portal.switches.setdefault("selfLabelIds", 2)
    portal.switches.setdefault("labelLimit", MOST_LABELS)


def seed_labels(portal: Portal, start: str, end: str, answer: Sequence[Json]) -> None:
    """Takes over a recorded label list; what the other direction says is filled in when that list comes."""
    for item in answer:
        if item["category"] == types.HUBSPOT_DEFINED:
            continue
        known = next((one for one in portal.state["labels"] if unfilled(one, start, end)), None)
        if known is not None:
            known |= {"inverseTypeId": item["typeId"], "inverseLabel": item.get("label")}
            known.pop("unfilled")
        else:
            portal.state["labels"].append(recorded(portal, start, end, item))


def unfilled(record: Mapping[str, Any], start: str, end: str) -> bool:
    """Whether a recorded label waits for its other direction."""
    return bool(record.get("unfilled")) and (record["to"], record["from"]) == (start, end)


def recorded(portal: Portal, start: str, end: str, item: Mapping[str, Any]) -> Json:
    """A label of which one direction is known; the name is the one that the UI would have made."""
    label, type_id = item.get("label"), item["typeId"]
    name = re.sub("[^a-z0-9]+", "_", label.lower()).strip("_") if label else f"plain_{type_id}"
    return {
        "from": start,
        "to": end,
        "category": item["category"],
        "name": name,
        "typeId": type_id,
        "inverseTypeId": type_id,
        "label": label,
        "inverseLabel": label,
        "createdAt": None,
        "createdSeconds": 0,
        "schemaReads": 0,
        "unfilled": True,
    }


def pair_of(portal: Portal, request: Request, parts: Mapping[str, str], right: str) -> tuple[str, str]:
    """The two object types of a path; the token needs a scope for each of them."""
    pair = portal.object_type(parts["start"]), portal.object_type(parts["end"])
    for type_id in pair:
        scoped = scope_object(portal, type_id)
        rights = (right,) if right == "write" else ("read", "write")
        request.require_any(*(f"crm.{area}.{scoped}.{one}" for area in ("objects", "schemas") for one in rights))
    return pair


def list_labels(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """The association types in one direction, plain ones with a label of null."""
    start, end = pair_of(portal, request, parts, "read")
    return results(item(one, parts.get("version")) for one in types.of_pair(portal, start, end))


def item(one: Direction, version: str | None) -> Json:
    """A type as a list gives it; the newer answers have the object types too, but empty."""
    shown: Json = {"category": one.category, "typeId": one.type_id, "label": one.label}
    return shown | ({"fromObjectTypeId": None, "toObjectTypeId": None} if version else {})


def create_label(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Creates a label, and the plain association where the pair has none; answers 200 with the ids of both ways."""
    start, end = pair_of(portal, request, parts, "write")
    body = request.fields()
    require_fields([body], ("name", "label"))
    inverse = body.get("inverseLabel")
    name, label = as_text("name", body["name"]), as_text("label", body["label"])
    record = add_label(portal, start, end, name, label, None if inverse is None else as_text("inverseLabel", inverse))
    portal.touch("labels")
    return results(item(one, parts.get("version")) for one in types.both_ways(record))


def add_label(portal: Portal, start: str, end: str, name: str, label: str, inverse: str | None = None) -> Json:
    """Checks and stores a label; an empty text makes the plain association of the pair."""
    if not NAME.fullmatch(name):
        raise validation_error(f"Association name '{name}' must not contain hyphens or start with a digit")
    if any(one.name.lower() == name.lower() for one in types.directions(portal)):
        raise validation_error(f"An association definition with name '{name}' already exists for this portal")
    if label == "":
        return add_plain(portal, start, end, name)
    back = inverse if inverse is not None else label
    check_texts(portal, start, end, label, back, None)
    check_room(portal, start, end)
    if not has_plain(portal, start, end):
        add_plain(portal, start, end, plain_name(portal, start, end))
    return types.store(portal, start, end, name, label, back, ids_of(portal, start, end, label, back))


def ids_of(portal: Portal, start: str, end: str, label: str, inverse: str) -> int:
    """How many type ids a label gets: one only for an object with itself, with one text, and if switched so."""
    one_id = start == end and label == inverse and portal.switches.get("selfLabelIds", 2) == 1
    return 1 if one_id else 2


def add_plain(portal: Portal, start: str, end: str, name: str) -> Json:
    """The plain association of a pair that HubSpot does not define itself."""
    if has_plain(portal, start, end):
        raise validation_error(f"A plain association between {start} and {end} already exists", TAKEN)
    return types.store(portal, start, end, name, None, None)


def has_plain(portal: Portal, start: str, end: str) -> bool:
    """Whether a pair has its plain association."""
    return any(one.label is None for one in types.of_pair(portal, start, end))


def plain_name(portal: Portal, start: str, end: str) -> str:
    """The name that HubSpot makes up for a plain association, another one when that is taken."""
    taken = {one.name for one in types.directions(portal)}
    name = f"{portal.object_name(start)}_to_{portal.object_name(end)}".lower()
    return name if name not in taken else f"{name}_{portal.next_id()}"


def check_texts(portal: Portal, start: str, end: str, label: str, inverse: str, own: Json | None) -> None:
    """Refuses texts that a label of the portal's own has on the same side of the pair already, whatever their case.

    Nobody has seen whether the texts of HubSpot's own labels clash too, so they do not.
    """
    own_keys = {one.key for one in types.both_ways(own)} if own else set()
    for text, side in ((label, (start, end)), (inverse, (end, start))):
        for one in types.of_pair(portal, *side):
            mine = one.category == types.USER_DEFINED and one.key not in own_keys
            if mine and one.label and one.label.casefold() == text.casefold():
                raise validation_error(f"A label '{text}' already exists between {start} and {end}", TAKEN)


def check_room(portal: Portal, start: str, end: str) -> None:
    """Refuses the label beyond the limit of a pair; a paired label counts once, the plain association not at all."""
    most = portal.switches.get("labelLimit", MOST_LABELS)
    if len(types.labels_of_pair(portal, start, end)) >= most:
        raise ApiError(437, f"The limit of {most} association labels between {start} and {end} is reached")


def update_label(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Changes the texts of a label; without an inverse one the text goes to both sides."""
    start, end = pair_of(portal, request, parts, "write")
    body = request.fields()
    require_fields([body], ("associationTypeId", "label"))
    type_id, label = as_number("associationTypeId", body["associationTypeId"]), as_text("label", body["label"])
    record = stored_label(portal, start, end, type_id)
    if record is None or not record["label"] or not label:
        raise validation_error(f"Unable to find an association label with type id {type_id} between {start} and {end}")
    inverse = body.get("inverseLabel")
    change_label(portal, record, start, type_id, label, label if inverse is None else as_text("inverseLabel", inverse))
    portal.touch("labels")
    return Response(204)


def change_label(portal: Portal, record: Json, start: str, type_id: int, label: str, inverse: str) -> None:
    """Sets both texts of a label, seen from the side that the type id is read on."""
    end = record["to"] if start == record["from"] else record["from"]
    check_texts(portal, start, end, label, inverse, record)
    forward = (record["from"], record["typeId"]) == (start, type_id)
    record["label"], record["inverseLabel"] = (label, inverse) if forward else (inverse, label)


def stored_label(portal: Portal, start: str, end: str, type_id: int) -> Json | None:
    """The portal's own type of a pair that has this id in either direction."""
    for record in portal.state["labels"]:
        if {record["from"], record["to"]} == {start, end} and type_id in (record["typeId"], record["inverseTypeId"]):
            found: Json = record
            return found
    return None


def delete_label(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Deletes a label by either of its ids; both directions and what was set on them go."""
    start, end = pair_of(portal, request, parts, "write")
    type_id = int(parts["type_id"])
    record = stored_label(portal, start, end, type_id)
    if record is None:
        raise undeletable(portal, start, end, type_id)
    if not record["label"] and (rest := types.labels_of_pair(portal, start, end)):
        raise validation_error(
            f"Type id {type_id} cannot be deleted while labels exist: {[one['typeId'] for one in rest]}"
        )
    remove_label(portal, record)
    portal.touch("labels")
    return Response(204)


def undeletable(portal: Portal, start: str, end: str, type_id: int) -> ApiError:
    """400 for a type that is HubSpot's, or not there."""
    if any(one.type_id == type_id for one in types.of_pair(portal, start, end)):
        return validation_error(f"HUBSPOT_DEFINED association type {type_id} cannot be deleted")
    return validation_error(f"Unable to find objectTypeIds for association type {type_id}")


def remove_label(portal: Portal, record: Json) -> None:
    """Takes a label away; the limits go on counting it for a while."""
    gone = {one.key for one in types.both_ways(record)}
    portal.state["labels"] = [one for one in portal.state["labels"] if one is not record]
    kept = [one for one in portal.state.get("configurations", []) if key_of(one) not in gone]
    portal.state["configurations"] = kept
    portal.state.setdefault("deletedLabels", []).append(record | {"deletedSeconds": portal.seconds()})


def key_of(configuration: Mapping[str, Any]) -> str:
    """The type that a configuration is set on."""
    return "/".join(str(configuration[name]) for name in ("from", "to", "category", "typeId"))


def configured(portal: Portal, one: Direction) -> int | None:
    """The most records that a user allows on the far side of a type."""
    for configuration in portal.state.get("configurations", []):
        if key_of(configuration) == one.key:
            return int(configuration["maxToObjectIds"])
    return None


def list_all_configurations(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """Every limit that a user set."""
    request.require_any(*(scope for scope in request.scopes or () if scope.startswith("crm.")))
    every = [one for one in types.directions(portal) if configured(portal, one) is not None]
    return results(configuration_item(portal, one) for one in every)


def list_configurations(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """The limits that a user set in one direction of a pair."""
    start, end = pair_of(portal, request, parts, "read")
    every = [one for one in types.of_pair(portal, start, end) if configured(portal, one) is not None]
    return results(configuration_item(portal, one) for one in every)


def configuration_item(portal: Portal, one: Direction) -> Json:
    """A limit as a list gives it."""
    shown: Json = {"category": one.category, "typeId": one.type_id}
    shown["userEnforcedMaxToObjectIds"] = configured(portal, one)
    return shown | ({"label": one.label} if one.label else {})


def write_configurations(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Sets limits; an update of one that is not set creates it."""
    pair = pair_of(portal, request, parts, "write")
    creating, started = parts["action"] == "create", portal.now()
    done, errors = [], []
    for body in inputs(request, ("category", "typeId", "maxToObjectIds")):
        found = type_of(portal, pair, body)
        if found is None or (creating and configured(portal, found) is not None):
            errors.append(configuration_error(body, missing=found is None))
            continue
        set_configuration(portal, found, as_number("maxToObjectIds", body["maxToObjectIds"]))
        shown = configuration_item(portal, found)
        done.append(shown if creating else {key: value for key, value in shown.items() if key != "label"})
    portal.touch("labels")
    answer: Json = {"status": "COMPLETE", "results": done, "startedAt": started, "completedAt": portal.now()}
    if errors:
        return Response(207, answer | {"numErrors": len(errors), "errors": errors})
    return Response(201 if creating else 200, answer)


def inputs(request: Request, required: Sequence[str]) -> Sequence[Json]:
    """The inputs of a batch body."""
    require_fields([request.fields()], ["inputs"])
    bodies = as_objects("inputs", request.body["inputs"])
    require_fields(bodies, required)
    return bodies


def type_of(portal: Portal, pair: tuple[str, str], body: Mapping[str, Any]) -> Direction | None:
    """The type of a pair that an input names by category and id."""
    wanted = (body["category"], body["typeId"])
    return next((one for one in types.of_pair(portal, *pair) if (one.category, one.type_id) == wanted), None)


def configuration_error(body: Mapping[str, Any], missing: bool) -> Json:
    """An entry of a partial answer."""
    what = "does not exist" if missing else "already has a configuration"
    message = f"Association type {body['category']} {body['typeId']} {what}"
    category = "OBJECT_NOT_FOUND" if missing else "OBJECT_ALREADY_EXISTS"
    return {"status": "error", "category": category, "message": message, "context": {}, "errors": [], "links": {}}


def set_configuration(portal: Portal, one: Direction, most: int) -> None:
    """Keeps a limit on a type."""
    kept = [entry for entry in portal.state.get("configurations", []) if key_of(entry) != one.key]
    made = {"from": one.start, "to": one.end, "category": one.category, "typeId": one.type_id, "maxToObjectIds": most}
    portal.state["configurations"] = [*kept, made]


def purge_configurations(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """Lifts limits, also where none was set; 2026-03 alone answers with a body."""
    pair, started = pair_of(portal, request, parts, "write"), portal.now()
    bodies = inputs(request, ("category", "typeId"))
    gone = {f"{pair[0]}/{pair[1]}/{body['category']}/{body['typeId']}" for body in bodies}
    kept = [entry for entry in portal.state.get("configurations", []) if key_of(entry) not in gone]
    portal.state["configurations"] = kept
    portal.touch("labels")
    if parts.get("version") != "2026-03":
        return Response(204)
    return Response(200, {"status": "COMPLETE", "results": [], "startedAt": started, "completedAt": portal.now()})


ROUTES: Sequence[Route] = [
    ("GET", CONFIGURATIONS + "/all", list_all_configurations),
    ("GET", CONFIGURED_PAIR, list_configurations),
    ("POST", CONFIGURED_PAIR + "/batch/(?P<action>create|update)", write_configurations),
    ("POST", CONFIGURED_PAIR + "/batch/purge", purge_configurations),
    ("GET", PAIR + "/labels", list_labels),
    ("POST", PAIR + "/labels", create_label),
    ("PUT", PAIR + "/labels", update_label),
    ("DELETE", PAIR + r"/labels/(?P<type_id>\d+)", delete_label),
]
