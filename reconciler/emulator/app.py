"""The portal as a WSGI application: routing, tokens, error bodies, rate limits, the log, and faults on their way."""

import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from reconciler.emulator import (
    account,
    associations,
    audit_log,
    control,
    faults,
    limits,
    pipelines,
    properties,
    rate_limits,
    schemas,
    search,
)
from reconciler.emulator.errors import ApiError, EmptyNotFound, parse_json
from reconciler.emulator.routing import Handler, Request, Response, Route
from reconciler.emulator.store import NotKeptError, Portal

StartResponse = Callable[[str, list[tuple[str, str]]], object]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

MODULES = (properties, pipelines, associations, schemas, limits, search, account, control)
DEFAULT_USER = "1001"
WITH_BODY = ("POST", "PUT", "PATCH")
MOST_LOGGED = 100_000
READ_ONLY_POSTS = re.compile(r".*/(?:search|batch/read|access-token-info)")
NOT_FOUND_PAGE = "<html><head><title>Error 404 Not Found</title></head><body><h2>HTTP ERROR 404</h2></body></html>"


@dataclass(frozen=True)
class Call:
    """A request as it came over the wire."""

    method: str
    path: str  # still percent-encoded
    query: str
    headers: Mapping[str, str]
    data: bytes

    @property
    def mutating(self) -> bool:
        """Whether a success of this call can have changed the portal."""
        return self.method not in ("GET", "HEAD") and not READ_ONLY_POSTS.fullmatch(self.path)

    @property
    def control(self) -> bool:
        """Whether this is a test talking to the emulator, and not a client to HubSpot."""
        return self.path.startswith("/_emulator/")

    @property
    def token(self) -> str:
        """The bearer token, or an empty text."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


def create_app(portal: Portal) -> WsgiApp:
    """The portal as a WSGI callable."""
    routes = [(method, re.compile(pattern), handler) for method, pattern, handler in all_routes()]

    def app(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        call = received(environ)
        try:
            with portal.turn(writing=call.mutating):
                response = answer(portal, routes, call)
        except NotKeptError as error:
            response = refused(error, call, str(uuid.uuid4()))
        return send(response, call, start_response)

    return app


def all_routes() -> Sequence[Route]:
    """The routes of all modules, in the order in which they are tried."""
    return [route for module in MODULES for route in module.ROUTES]


def received(environ: Mapping[str, Any]) -> Call:
    """A WSGI environment as a call."""
    target = environ.get("REQUEST_URI") or encoded(environ["PATH_INFO"])
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE") or ""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    data = environ["wsgi.input"].read(length) if length else b""
    return Call(environ["REQUEST_METHOD"], target.partition("?")[0], environ.get("QUERY_STRING", ""), headers, data)


def encoded(path: str) -> str:
    """A path as it came over the wire; not every server hands it on as the bytes that WSGI asks for."""
    try:
        return quote(path.encode("latin-1").decode())
    except UnicodeError:
        return quote(path)


Routes = Sequence[tuple[str, re.Pattern[str], Handler]]


def answer(portal: Portal, routes: Routes, call: Call) -> Response:
    """Handles one call, keeps the state file, and writes the log."""
    correlation_id = str(uuid.uuid4())
    entry: dict[str, Any] = {"method": call.method, "path": unquote(call.path), "query": call.query, "status": 0}
    headers = {"X-HubSpot-Correlation-Id": correlation_id}
    fault = None
    if not call.control:
        del portal.log[: 1 - MOST_LOGGED]
        portal.log.append(entry)
        fault = faults.taken(portal, call.method, unquote(call.path))
    try:
        if fault:
            entry["fault"] = fault.kind
        headers |= {} if call.control else rate_limits.admit(portal, unquote(call.path), call.token)
        response = fault.strike(None) if fault and fault.before else effect(portal, routes, call, correlation_id)
        response = fault.strike(response) if fault and not fault.before else response
    except ApiError as error:
        response = refused(error, call, correlation_id)
    entry["status"] = response.status
    return replace(response, headers={**headers, **response.headers})


def effect(portal: Portal, routes: Routes, call: Call, correlation_id: str) -> Response:
    """What the portal does and says when nothing gets in its way; a success is on disk before it is told."""
    try:
        response = handle(portal, routes, call)
    except ApiError as error:
        portal.refused()
        return refused(error, call, correlation_id)
    if call.mutating:
        portal.written()
    return response


def handle(portal: Portal, routes: Routes, call: Call) -> Response:
    """Finds the route, checks the token, and lets the handler answer."""
    request = accepted(portal, call)
    handler, parts = routed(routes, call)
    if call.data and call.method in WITH_BODY:
        if not call.control and "json" not in call.headers["content-type"].lower():
            raise ApiError(415, "HTTP 415 Unsupported Media Type")
        request = replace(request, body=parse_json(call.data))
    response = handler(portal, request, {key: unquote(value) for key, value in parts.items() if value is not None})
    if call.mutating and not call.control:
        audit_log.of_write(portal, request, response)
    return response


def accepted(portal: Portal, call: Call) -> Request:
    """The request of a known token."""
    query = dict(parse_qsl(call.query, keep_blank_values=True))
    if call.control:
        return Request(call.method, call.path, query, None, "", DEFAULT_USER, call.headers)
    tokens = portal.state["tokens"]
    if not call.token or (tokens and call.token not in tokens):
        raise ApiError(
            401,
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
            "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            category="INVALID_AUTHENTICATION",
        )
    known = tokens.get(call.token, {})
    scopes = known.get("scopes")
    user = str(known.get("userId", DEFAULT_USER))
    granted = None if scopes is None else frozenset(scopes)
    return Request(call.method, call.path, query, None, call.token, user, call.headers, granted)


def routed(routes: Routes, call: Call) -> tuple[Handler, Mapping[str, str | None]]:
    """The handler of a path and the named parts of it."""
    other_method = False
    for method, pattern, handler in routes:
        if match := pattern.fullmatch(call.path):
            if method == ("GET" if call.method == "HEAD" else call.method):
                return handler, match.groupdict()
            other_method = True
    if other_method:
        raise ApiError(405, "HTTP 405 Method Not Allowed")
    raise EmptyNotFound


def refused(error: ApiError, call: Call, correlation_id: str) -> Response:
    """The answer to a refused call; a 404 without a body is HTML to whoever does not ask for JSON."""
    if isinstance(error, EmptyNotFound):
        return Response(404, None if "json" in call.headers.get("accept", "") else NOT_FOUND_PAGE)
    return Response(error.status, error.body(correlation_id), error.headers)


def send(response: Response, call: Call, start_response: StartResponse) -> Iterable[bytes]:
    """Puts an answer on the wire."""
    headers = dict(response.headers)
    match response.body:
        case None:
            data = b""
        case str():
            data = response.body.encode()
            headers.setdefault("Content-Type", "text/html;charset=utf-8")
        case bytes():
            data = response.body
            headers.setdefault("Content-Type", "application/json;charset=utf-8")
        case _:
            data = json.dumps(response.body, separators=(",", ":"), ensure_ascii=False).encode(
                "utf-8", "backslashreplace"
            )
            headers.setdefault("Content-Type", "application/json;charset=utf-8")
    if response.status != HTTPStatus.NO_CONTENT:
        headers.setdefault("Content-Length", str(len(data)))
        headers.setdefault("Content-Type", "application/json;charset=utf-8")
    start_response(f"{response.status} {reason(response.status)}", list(headers.items()))
    return [] if call.method == "HEAD" else [data]


def reason(status: int) -> str:
    """The reason phrase; HubSpot also answers with numbers that no standard knows (437, 477, 521)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
