"""The account itself: details, who a token is, owners, users, the audit log, and which objects are switched on."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.emulator.errors import ApiError, not_found, validation_error
from reconciler.emulator.pipeline_defaults import EPOCH
from reconciler.emulator.property_rules import LEGACY_SCOPES, SCOPE_NAMES, require_fields
from reconciler.emulator.routing import DATED, Request, Response, Route
from reconciler.emulator.store import STANDARD_TYPES, Portal

Json = dict[str, Any]

INFO = rf"/account-info/(?:v3|{DATED})"
OWNERS = rf"/crm/(?:v3/owners|owners/(?:{DATED}))"
USERS = rf"/settings/(?:v3/users|users/(?:{DATED}))"
LIBRARY = rf"/crm/(?:v3/object-library|object-library/(?:{DATED}))/enablement"
DETAILS: Mapping[str, Any] = {
    "accountType": "DEVELOPER_TEST",
    "timeZone": "US/Eastern",
    "companyCurrency": "USD",
    "additionalCurrencies": [],
    "utcOffset": "-05:00",
    "utcOffsetMilliseconds": -18000000,
    "uiDomain": "app.hubspot.com",
    "dataHostingLocation": "na1",
}
FIRST_USERS: Mapping[str, Mapping[str, Any]] = {
    "1001": {"email": "reconciler@example.com", "firstName": "Service", "lastName": "Key", "superAdmin": False},
    "2002": {"email": "dana.reed@example.com", "firstName": "Dana", "lastName": "Reed", "superAdmin": True},
}
OBJECTS = dict.fromkeys(["custom", *(SCOPE_NAMES.get(name, name) for name, _ in STANDARD_TYPES.values())])
ALL_SCOPES: Sequence[str] = [
    "oauth",
    *(
        f"crm.{area}.{name}.{right}"
        for area in ("objects", "schemas")
        for name in OBJECTS
        for right in ("read", "write")
    ),
    "crm.objects.owners.read",
    "settings.users.read",
    "account-info.security.read",
    *sorted({*LEGACY_SCOPES.values()}),
]
LARGEST_PAGE = 100


def seed(portal: Portal) -> None:
    """Gives a new portal its details, the user of the service key, and one colleague."""
    portal.state["account"] = {**DETAILS, **portal.state["account"], "portalId": portal.portal_id}
    for user_id, user in FIRST_USERS.items():
        portal.state["users"].setdefault(user_id, dict(user))


def read_details(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """What kind of account this is."""
    request.require_any("oauth")
    return Response(200, {**DETAILS, **portal.state["account"], "portalId": portal.portal_id})


def token_info(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """Whose a token is and what it may do; a token without a list of scopes has them all."""
    require_fields([request.fields()], ["tokenKey"])
    tokens, key = portal.state["tokens"], str(request.body["tokenKey"])
    if tokens and key not in tokens:
        raise not_found("The access token does not exist")
    known = tokens.get(key, {})
    scopes = known.get("scopes")
    info = {
        "userId": int(known.get("userId", request.user_id)),
        "hubId": portal.portal_id,
        "appId": int(known.get("appId", 1)),
        "scopes": [*(ALL_SCOPES if scopes is None else scopes)],
        "isUserToken": False,
    }
    return Response(200, info)


def read_usage(portal: Portal, _request: Request, _parts: Mapping[str, str]) -> Response:
    """How many calls the private apps made today; service keys are not counted."""
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": 650000,
        "currentUsage": 0,
        "collectedAt": portal.now(),
        "fetchStatus": "SUCCESS",
    }
    return Response(200, {"results": [usage]})


def owner(user_id: str, user: Mapping[str, Any]) -> Json:
    """A user as an owner of records; the two ids differ."""
    return {
        "id": str(user.get("ownerId", 70000 + int(user_id))),
        "email": user.get("email", ""),
        "type": "PERSON",
        "firstName": user.get("firstName", ""),
        "lastName": user.get("lastName", ""),
        "userId": int(user_id),
        "userIdIncludingInactive": int(user_id),
        "createdAt": EPOCH,
        "updatedAt": EPOCH,
        "archived": False,
    }


def list_owners(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """The owners, or the one with an email address."""
    request.require_any("crm.objects.owners.read")
    wanted = request.query.get("email")
    every = [owner(user_id, user) for user_id, user in portal.state["users"].items()]
    return Response(200, page([one for one in every if wanted in (None, one["email"])], request))


def read_owner(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """One owner, by owner id or, with ``idProperty=userId``, by user id."""
    request.require_any("crm.objects.owners.read")
    key = "userId" if request.query.get("idProperty") == "userId" else "id"
    for user_id, user in portal.state["users"].items():
        found = owner(user_id, user)
        if str(found[key]) == parts["owner_id"]:
            return Response(200, found)
    raise not_found(f"Owner {parts['owner_id']} does not exist")


def page(every: Sequence[Json], request: Request) -> Json:
    """A page of a list, with a link to the next one where there is more."""
    limit, after = max(request.number("limit", LARGEST_PAGE), 1), request.number("after", 0)
    answer: Json = {"results": [*every[after : after + limit]]}
    if after + limit < len(every):
        following = str(after + limit)
        answer["paging"] = {"next": {"after": following, "link": f"?after={following}"}}
    return answer


def person(user_id: str, user: Mapping[str, Any]) -> Json:
    """A user as the settings show one."""
    names = {name: user.get(name, "") for name in ("email", "firstName", "lastName")}
    return {"id": user_id, **names, "roleIds": [], "superAdmin": bool(user.get("superAdmin"))}


def list_users(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """The users of the account."""
    request.require_any("settings.users.read")
    return Response(200, page([person(user_id, user) for user_id, user in portal.state["users"].items()], request))


def read_user(portal: Portal, request: Request, parts: Mapping[str, str]) -> Response:
    """One user, by id or, with ``idProperty=EMAIL``, by address."""
    request.require_any("settings.users.read")
    key = "email" if request.query.get("idProperty", "").upper() == "EMAIL" else "id"
    for user_id, user in portal.state["users"].items():
        if person(user_id, user)[key] == parts["user_id"]:
            return Response(200, person(user_id, user))
    raise not_found(f"User {parts['user_id']} does not exist")


def list_audit_logs(portal: Portal, request: Request, _parts: Mapping[str, str]) -> Response:
    """What users did, newest first; whether definitions are in it is what the state says."""
    request.require_any("account-info.security.read")
    query = request.query
    try:
        user = int(query["actingUserId"]) if "actingUserId" in query else None
    except ValueError as error:
        raise validation_error("actingUserId must be a number") from error
    every = [
        one
        for one in portal.state["audit"]
        if user in (None, one["actingUser"]["userId"])
        and query.get("occurredAfter", "") <= one["occurredAt"] <= query.get("occurredBefore", "9999")
    ]
    ordered = sorted(every, key=lambda one: str(one["occurredAt"]), reverse=query.get("sort") != "occurredAt")
    return Response(200, page(ordered, request))


def list_enablement(portal: Portal, _request: Request, _parts: Mapping[str, str]) -> Response:
    """Which object types are switched on."""
    disabled = portal.state.get("disabledObjects", [])
    every = {type_id: type_id not in disabled for type_id in portal.state["objects"]}
    return Response(200, {"enablementByObjectTypeId": every})


def read_enablement(portal: Portal, _request: Request, parts: Mapping[str, str]) -> Response:
    """Whether one object type is switched on."""
    if parts["type_id"] not in portal.state["objects"]:
        raise ApiError(404, f"Object type {parts['type_id']} does not exist")
    return Response(200, {"enablement": parts["type_id"] not in portal.state.get("disabledObjects", [])})


ROUTES: Sequence[Route] = [
    ("GET", INFO + "/details", read_details),
    ("GET", INFO + "/api-usage/daily/private-apps", read_usage),
    ("GET", INFO + "/activity/audit-logs", list_audit_logs),
    ("POST", "/oauth/v2/private-apps/get/access-token-info", token_info),
    ("GET", OWNERS, list_owners),
    ("GET", OWNERS + "/(?P<owner_id>[^/]+)", read_owner),
    ("GET", USERS, list_users),
    ("GET", USERS + "/(?P<user_id>[^/]+)", read_user),
    ("GET", LIBRARY, list_enablement),
    ("GET", LIBRARY + "/(?P<type_id>[^/]+)", read_enablement),
]
