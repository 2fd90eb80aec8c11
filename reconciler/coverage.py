"""Coverage: how much of what a portal made the specs hold, and how much room HubSpot leaves."""

from collections.abc import Container, Iterator, Mapping, Sequence

from reconciler import vendor
from reconciler.address import split
from reconciler.ignore import IgnoreRule
from reconciler.kinds import lifecycle_stages
from reconciler.model import Answer, Json, Resource
from reconciler.object_types import TYPE_IDS
from reconciler.observe import ListSource, Observation
from reconciler.paths import Api

_NAMES = {type_id: name for name, type_id in TYPE_IDS.items()}


def measured(observation: Observation, ours: Container[str], ignored: Sequence[IgnoreRule]) -> dict[str, Json]:
    """How many live definitions the specs manage, ignore or leave beside, in all and by object type.

    A row whose lists could not all be read names those that are missing: its counts are of the others.
    """
    totals = dict.fromkeys(_PARTS, 0)
    rows: dict[str, dict[str, int]] = {}
    unread: dict[str, list[str]] = {}
    for name in observation.collections:
        if observation.unreadable(f"{name}/*"):
            unread.setdefault(_scope(name), []).append(name)
    for address, resource in observation.snapshot.items():
        custom = vendor.family(resource) == "custom" and not default_stage(resource)
        part = _part(resource, custom, address in ours, ignored)
        totals["managed" if address in ours else part] += 1
        rows.setdefault(_scope(address), dict.fromkeys(_PARTS, 0))[part] += 1
    scopes, nothing = sorted({*rows, *unread}), dict.fromkeys(_PARTS, 0)
    return {**totals, "objectTypes": [_of_type(one, rows.get(one, nothing), unread.get(one, ())) for one in scopes]}


_PARTS = ("managed", "unmanaged", "ignored", "hubspot")


def _of_type(scope: str, counts: Mapping[str, int], unread: Sequence[str]) -> dict[str, Json]:
    row = {
        "objectType": scope,
        "declared": counts["managed"],
        "ignored": counts["ignored"],
        "unmanaged": counts["unmanaged"],
        "hubspotDefined": counts["hubspot"],
    }
    return {**row, "unread": list(unread)} if unread else row


def _scope(address: str) -> str:
    """The object type of a definition or a list; a stage is of contacts and companies alike, so stages are one."""
    section, name = split(address)[:2]
    return section if section == lifecycle_stages.NAME else name


def default_stage(resource: Resource) -> bool:
    """Whether it is one of the stages that HubSpot begins a lifecycle with."""
    return resource.kind == lifecycle_stages.NAME and resource.name in lifecycle_stages.DEFAULTS


def _part(resource: Resource, custom: bool, ours: bool, ignored: Sequence[IgnoreRule]) -> str:
    if not custom:
        return "hubspot"
    if ours:
        return "managed"
    return "ignored" if any(rule.covers(resource.address) for rule in ignored) else "unmanaged"


# --- room ------------------------------------------------------------------------------------------------------------


def limits(source: ListSource, api: Api) -> dict[str, Json]:
    """What HubSpot says of room that is used, as far as the token may ask; three requests, only made for this."""
    paths = {name: api.limits(*name.split("/")) for name in ("custom-properties", "calculated-properties")}
    labels = api.limits("associations", "labels")
    answers = source.get_all([*paths.values(), labels])
    rows = [row for name, path in paths.items() for row in _of_properties(name.replace("-", " "), answers[path])]
    rows += _of_labels(answers[labels])
    return {"limits": rows} if rows else {}


def _of_properties(what: str, answer: Answer) -> Iterator[dict[str, Json]]:
    """In all, and by object type; cheap accounts get a bare total (hubspot-api.md E.4)."""
    body = answer.body if answer.ok and isinstance(answer.body, Mapping) else {}
    if "overallLimit" in body:
        yield _row(what, body.get("overallUsage", 0), body["overallLimit"])
    for row in body.get("byObjectType") or ():
        if row.get("usage") and "limit" in row:
            yield _row(f"{what} of {_name(row)}", row["usage"], row["limit"])


def _of_labels(answer: Answer) -> Iterator[dict[str, Json]]:
    """One row a direction, only of pairs that have labels."""
    for row in answer.results if answer.ok else ():
        pair = f"{_name(row['fromObjectType'])} → {_name(row['toObjectType'])}"
        yield _row(f"association labels {pair}", row["usage"], row["limit"])


def _name(row: Mapping[str, Json]) -> str:
    type_id = str(row["objectTypeId"])
    return _NAMES.get(type_id, type_id)


def _row(name: str, used: Json, limit: Json) -> dict[str, Json]:
    return {"name": name, "used": used, "limit": limit}
