"""The audit log of an Enterprise account: what users did to definitions, in the settings and through the API.

Switch ``auditLog``: whether HubSpot's log holds edits of definitions is not documented, so it is off. HubSpot's own
releases are nobody's actions and are never in it.
"""

import re
from collections.abc import Iterable, Iterator

from reconciler.emulator.property_rules import Json
from reconciler.emulator.routing import Request, Response
from reconciler.emulator.store import Portal

AREAS = {
    "properties": "PROPERTY",
    "propertyGroups": "PROPERTY_GROUP",
    "lifecycleStages": "PIPELINE_STAGE",
    "associationLabels": "ASSOCIATION_LABEL",
}
MADE, GONE = ("create", "add-stage"), ("archive", "purge", "delete")
_WRITE = re.compile(
    r"/crm/(?:v\d/)?(?P<area>properties|pipelines|associations)/(?:\d{4}-\d\d/)?[^/]+(?:/(?P<what>groups|labels))?.*"
)


def of_edit(portal: Portal, user: str, name: str, touched: Iterable[str]) -> None:
    """What a colleague did, by the definitions that it touched; an option is a part of its property."""
    if portal.switches["auditLog"]:
        action = "CREATE" if name.startswith(MADE) else "DELETE" if name.startswith(GONE) else "UPDATE"
        for address in touched:
            area, _, rest = address.partition("/")
            _record(portal, user, AREAS[area], action, rest.rpartition("/")[2])


def of_write(portal: Portal, request: Request, response: Response) -> None:
    """What a token did, with the user that stands behind it."""
    write = _WRITE.fullmatch(request.path)
    if not portal.switches["auditLog"] or write is None:
        return
    category = "PIPELINE_STAGE" if write["area"] == "pipelines" else "ASSOCIATION_LABEL"
    if write["area"] == "properties":
        category = "PROPERTY_GROUP" if write["what"] else "PROPERTY"
    action = {"POST": "CREATE", "DELETE": "DELETE"}.get(request.method, "UPDATE")
    for target in _targets(request, response):
        _record(portal, request.user_id, category, "DELETE" if request.path.endswith("/archive") else action, target)


def _targets(request: Request, response: Response) -> Iterator[str]:
    last = request.path.rpartition("/")[2]
    if request.method != "POST":
        yield last
        return
    answered = response.body if isinstance(response.body, dict) else {}
    listed = request.body["inputs"] if last == "archive" else answered.get("results", [answered])
    for one in listed:
        if told := one.get("name") or one.get("id") or one.get("typeId"):
            yield str(told)


def _record(portal: Portal, user_id: str, category: str, action: str, target: str) -> None:
    user = portal.state["users"].get(user_id, {})
    acting: Json = {"userId": int(user_id), **({"userEmail": user["email"]} if "email" in user else {})}
    entry = {"id": str(portal.next_id()), "category": category, "action": action, "actingUser": acting}
    portal.state["audit"].append({**entry, "targetObjectId": target, "occurredAt": portal.now()})
