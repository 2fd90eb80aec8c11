"""Who a user id is, and who edited what HubSpot's definitions do not tell: names, and the audit trails where there are.

Nothing here is needed: each list is asked for only when an item gives reason to, and a key without the scope for it is
told so in a note and learns the rest all the same.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from reconciler.attribution import Actor
from reconciler.drift import Drift, DriftItem
from reconciler.errors import UnavailableError
from reconciler.kinds import lifecycle_stages
from reconciler.model import Answer, Finding, Json
from reconciler.observe import ListSource
from reconciler.paths import TOKEN_INFO, Api

NAMES_SCOPE = "crm.objects.owners.read"


class Source(ListSource, Protocol):
    """What answers reads, and can be asked whose a token is."""

    def ask(self, path: str, body: Json) -> Answer:
        """A POST that only reads."""
        ...


@dataclass(frozen=True, slots=True)
class Trace:
    """One line of an audit trail: who did something to a definition, and when."""

    user: str
    at: str
    name: str = ""
    sure: bool = True  # whether the line can be about nothing else that moved


def attributed(found: Drift, source: Source, api: Api, since: str, token: str) -> tuple[Drift, list[Finding]]:
    """The drift with what audit trails say of its authors, which of them is our own key, and with names for their ids.

    The user of a service key or of a private app is the one who made it (hubspot-api.md E.4, G.2), so what carries that
    user may be an apply from another machine, or an edit of that person.
    """
    traces = dict(_log_traces(found.items, source, api, since))
    traces.update(_stage_traces(found.items, source, api, since))
    items = [_traced(item, traces[item.address]) if item.address in traces else item for item in found.items]
    if any(_somebody(item) for item in items) and (own := own_user_id(source, token)):
        items = [_own(item) if _somebody(item) and item.actor.id == own else item for item in items]
    ids = {item.actor.id for item in items if item.actor.id and item.actor.type in ("user", "tool")}
    names, notes = called(ids, source, api)
    return replace(found, items=tuple(_named(item, names) for item in items)), notes


# --- our own key -----------------------------------------------------------------------------------------------------


def own_user_id(source: Source, token: str) -> str:
    """The user that HubSpot writes down for what our own token does; nobody where it does not say."""
    try:
        answer = source.ask(TOKEN_INFO, {"tokenKey": token})
    except UnavailableError:
        return ""
    told = answer.body.get("userId") if answer.ok and isinstance(answer.body, Mapping) else None
    return str(told) if told else ""


def _somebody(item: DriftItem) -> bool:
    return item.actor.type == "user" and item.actor.id is not None


def _own(item: DriftItem) -> DriftItem:
    told = item.actor.evidence.replace(f"user {item.actor.id}", "the user of our own key", 1)
    evidence = f"{told}: an apply from another machine, or that person"
    return replace(item, actor=Actor("tool", "likely", evidence, item.actor.id))


# --- audit trails ----------------------------------------------------------------------------------------------------


def _open(items: Sequence[DriftItem]) -> list[DriftItem]:
    """Items that somebody in the portal may have caused, and of whom HubSpot's definitions do not tell who."""
    known = [item for item in items if item.drift_class != "access.unreadable"]
    return [item for item in known if item.actor.id is None and item.actor.type in ("user", "unknown")]


def _stage_traces(items: Sequence[DriftItem], source: ListSource, api: Api, since: str) -> Iterator[tuple[str, Trace]]:
    """The audit of the lifecycle, which carries the user, for stages that moved."""
    stages = [item for item in _open(items) if item.address.startswith(lifecycle_stages.NAME + "/")]
    if not stages:
        return
    pipelines = lifecycle_stages.PIPELINES.items()
    answers = source.get_all([api.stage_audit(object_type, pipeline) for object_type, pipeline in pipelines])
    lines = [line for answer in answers.values() for line in _results(answer)]
    for item in stages:
        known = [line for line in lines if str(line.get("identifier")) in item.ids and line.get("fromUserId")]
        newest = max(known, key=lambda line: str(line.get("timestamp")), default=None)
        if newest and str(newest.get("timestamp")) > since:
            yield item.address, Trace(str(newest["fromUserId"]), str(newest["timestamp"]))


def _log_traces(items: Sequence[DriftItem], source: ListSource, api: Api, since: str) -> Iterator[tuple[str, Trace]]:
    """The account's audit log, where it names a definition that moved (hubspot-api.md G.3)."""
    wanted = _open(items)
    if not wanted or not since:
        return
    path = api.audit_log(since)
    lines = _results(source.get_all([path])[path])
    addresses = {item.address for item in items}
    names = Counter(_last(address) for address in addresses)
    for item in wanted:
        ids = {item.address, _last(item.address), *item.ids}
        mine = [line for line in lines if str(line.get("targetObjectId")) in ids and line.get("actingUser")]
        newest = max(mine, key=lambda line: str(line.get("occurredAt")), default=None)
        if newest:
            user, sure = newest["actingUser"], names[_last(item.address)] == 1
            name = user.get("userEmail") or ""
            yield item.address, Trace(str(user["userId"]), str(newest["occurredAt"]), name, sure)


def _last(address: str) -> str:
    return address.rpartition("/")[2]


def _results(answer: Answer) -> list[Mapping[str, Json]]:
    listed = answer.body.get("results") if answer.ok and isinstance(answer.body, Mapping) else None
    return [line for line in listed or () if isinstance(line, Mapping)]


def _traced(item: DriftItem, trace: Trace) -> DriftItem:
    evidence = f"the audit trail says that user {trace.user} did it"
    if not trace.sure:
        evidence += ", or did it to another definition of this name"
    actor = Actor("user", "certain" if trace.sure else "likely", evidence, trace.user, trace.name)
    return replace(item, actor=actor, at=trace.at)


# --- names -----------------------------------------------------------------------------------------------------------


def called(ids: Collection[str], source: ListSource, api: Api) -> tuple[Mapping[str, str], list[Finding]]:
    """Names by user id from the owners, else from the users; none where the key may read neither."""
    if not ids:
        return {}, []
    denied: list[Answer] = []
    for path in (api.owners(), api.users()):
        answer = source.get_all([path])[path]
        if answer.ok:
            return {_user_id(person): _called(person) for person in _results(answer) if _called(person)}, []
        denied.append(answer)
    if all(answer.status == 0 for answer in denied):  # a recorded read
        return {}, []
    why = f"names of users could not be read: HubSpot answered {denied[0].status} for owners and users"
    return {}, [Finding("actor-names", "info", why, f"to see names, give the key the scope {NAMES_SCOPE}")]


def _user_id(person: Mapping[str, Json]) -> str:
    return str(person.get("userId") or person.get("userIdIncludingInactive") or person.get("id"))


def _called(person: Mapping[str, Json]) -> str:
    names = [str(person[part]) for part in ("firstName", "lastName") if person.get(part)]
    return " ".join(names) or str(person.get("email") or "")


def _named(item: DriftItem, names: Mapping[str, str]) -> DriftItem:
    name = names.get(item.actor.id or "")
    return replace(item, actor=replace(item.actor, name=name)) if name else item
