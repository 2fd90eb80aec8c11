"""Asks the portal about the consequences of a plan: records that hold what would go, room that is left, scopes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from reconciler.guards import Evidence, Room
from reconciler.kinds import Count, Scope, properties
from reconciler.model import Answer, Json
from reconciler.object_types import TYPE_IDS
from reconciler.observe import ListSource
from reconciler.paths import TOKEN_INFO
from reconciler.plan import Change


class Asker(ListSource, Protocol):
    """What can be asked of a portal without changing it."""

    def get(self, path: str) -> Answer:
        """The answer to one path."""
        ...

    def ask(self, path: str, body: Json) -> Answer:
        """A POST that only reads."""
        ...


def gather(changes: Sequence[Change], asker: Asker, scope: Scope, token: str) -> Evidence:
    """Everything the guards want to know, asked only where the plan gives reason to."""
    writes = [change for change in changes if change.writes]
    if not writes:
        return Evidence()
    counts = [count for change in writes for count in change.kind.counts(change)]
    records, unknown = _counted(counts, asker, scope)
    return Evidence(
        records=records,
        unknown=unknown,
        room=_room(writes, asker, scope),
        scopes=scopes_of(asker, token),
        needed_scopes={change.address: change.kind.write_scopes(change) for change in writes},
    )


def _counted(counts: Iterable[Count], asker: Asker, scope: Scope) -> tuple[dict[str, int], dict[str, str]]:
    """Records by address; a stage is counted in contacts and companies, and both together tell."""
    records: dict[str, int] = {}
    unknown: dict[str, str] = {}
    for count in counts:
        body = {"filterGroups": [{"filters": [dict(count.filter)]}], "limit": 1, "properties": []}
        answer = asker.ask(scope.api.search(count.object_type), body)
        if answer.ok and isinstance(answer.body.get("total"), int):
            records[count.address] = records.get(count.address, 0) + answer.body["total"]
        else:
            needs = f", needs {' or '.join(answer.denied_scopes)}" if answer.denied_scopes else ""
            unknown[count.address] = f"the records could not be counted: HubSpot answered {answer.status}{needs}"
    return {address: total for address, total in records.items() if address not in unknown}, unknown


def _room(writes: Sequence[Change], asker: Asker, scope: Scope) -> list[Room]:
    """What the limits API says where properties are added; a key without the scope learns nothing (E.4)."""
    adds: dict[str, int] = {}
    for change in writes:
        if change.kind.NAME == properties.NAME and change.action in ("create", "restore"):
            object_type = str(change.remote["objectType"])
            adds[object_type] = adds.get(object_type, 0) + 1
    if not adds:
        return []
    answer = asker.get(scope.api.limits("custom-properties"))
    if not answer.ok or not isinstance(answer.body, Mapping):
        return []
    return list(_rooms(answer.body, adds))


def _rooms(body: Mapping[str, Json], adds: Mapping[str, int]) -> Iterable[Room]:
    if isinstance(body.get("overallLimit"), int):
        yield Room("custom properties in all", body["overallLimit"], body.get("overallUsage", 0), sum(adds.values()))
    rows = {row["objectTypeId"]: row for row in body.get("byObjectType") or ()}
    for object_type, count in sorted(adds.items()):
        if row := rows.get(TYPE_IDS.get(object_type, object_type)):
            yield Room(f"custom properties of {object_type}", row["limit"], row["usage"], count)


def scopes_of(asker: Asker, token: str) -> frozenset[str] | None:
    """What the token may do; sensitive scopes come back with a suffix (N.2)."""
    answer = asker.ask(TOKEN_INFO, {"tokenKey": token})
    scopes = answer.body.get("scopes") if answer.ok and isinstance(answer.body, Mapping) else None
    return frozenset(str(name).removesuffix(".v2") for name in scopes) if isinstance(scopes, list) else None
