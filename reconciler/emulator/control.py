"""What tests and the demo may ask of the portal besides HubSpot's API; needs no token, and is in no log."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.emulator import actor, faults
from reconciler.emulator.errors import ApiError
from reconciler.emulator.property_rules import as_objects
from reconciler.emulator.routing import Handler, Request, Response, Route, results
from reconciler.emulator.store import Portal, SeedError, may_be, positions, whole_state


def read_log(portal: Portal, _request: Request, _parts: Mapping[str, str]) -> Response:
    """The last requests, as many as are kept: method, path, query, status, and the fault that answered it."""
    return results(portal.log)


def clear_log(portal: Portal, _request: Request, _parts: Mapping[str, str]) -> Response:
    """Forgets the requests so far."""
    portal.log.clear()
    return Response(204)


def read_faults(portal: Portal, _request: Request, _parts: Mapping[str, str]) -> Response:
    """The rules in force, with how many requests each has seen."""
    return results(portal.state["faults"])


def add_faults(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """Adds one rule, or a list of them."""
    bodies = as_objects("rules", request.body if isinstance(request.body, list) else [request.fields()])
    rules = [faults.whole_rule(body) for body in bodies]
    portal.state["faults"] += rules
    return results(rules, 201)


def clear_faults(portal: Portal, _request: Request, _parts: Mapping[str, str]) -> Response:
    """Drops all rules."""
    faults.clear(portal)
    return Response(204)


def set_switches(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """Sets switches; says how all of them stand."""
    if unknown := request.fields().keys() - portal.switches.keys():
        raise ApiError(400, f"unknown switches: {', '.join(sorted(unknown))}")
    if wrong := sorted(name for name, value in request.body.items() if not may_be(name, value)):
        told = ", ".join(f"{name} takes {positions(name)}" for name in wrong)
        raise ApiError(400, f"no position of a switch: {told}")
    portal.switches.update(request.body)
    return Response(200, portal.switches)


def play_release(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """HubSpot ships something."""
    return results(actor.release(portal, **words(request)))


def play_edit(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """A colleague changes something."""
    return results(actor.edit(portal, **words(request)))


def words(request: Request) -> dict[str, Any]:
    """The body of a change, which has to name it."""
    if "name" not in request.fields():
        raise ApiError(400, "a change needs a name")
    return dict(request.body)


def add_records(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """Adds records with values, so that counts are real."""
    body = request.fields()
    records = [{"id": one.get("id"), "properties": dict(one["properties"])} for one in body["records"]]
    return results(portal.add_records(portal.object_type(body["objectType"]), records), 201)


def read_state(portal: Portal, _request: Request, _parts: Mapping[str, str]) -> Response:
    """The whole portal."""
    return Response(200, portal.state)


def replace_state(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """Another portal in place of this one."""
    try:
        portal.replace(whole_state(request.fields()))
    except SeedError as error:
        raise ApiError(400, f"{request.path}: no portal can be made of the body: {error}") from error
    return Response(204)


def fitting(handler: Handler) -> Handler:
    """The handler, refusing a body that it can do nothing with instead of breaking over it."""

    def handle(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
        try:
            return handler(portal, request, parts)
        except KeyError as error:
            raise ApiError(400, f"{request.path}: the body names no {error}, or one that is not there") from error
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            raise ApiError(400, f"{request.path}: a value of the body is not of the kind it takes: {error}") from error

    return handle


ROUTES: Sequence[Route] = [
    ("GET", "/_emulator/log", read_log),
    ("DELETE", "/_emulator/log", clear_log),
    ("GET", "/_emulator/faults", read_faults),
    ("POST", "/_emulator/faults", fitting(add_faults)),
    ("DELETE", "/_emulator/faults", clear_faults),
    ("POST", "/_emulator/switches", set_switches),
    ("POST", "/_emulator/release", fitting(play_release)),
    ("POST", "/_emulator/edit", fitting(play_edit)),
    ("POST", "/_emulator/records", fitting(add_records)),
    ("GET", "/_emulator/state", read_state),
    ("PUT", "/_emulator/state", replace_state),
]
