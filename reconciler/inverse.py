"""Undo: the plan back to what a receipt's apply found, where HubSpot lets one go back, and why not elsewhere."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from reconciler import guards, planning
from reconciler.apply import field_holds, look, looked_at_again, standing
from reconciler.errors import StaleError, UsageError
from reconciler.kinds import association_labels, lifecycle_stages, properties, property_groups
from reconciler.model import Finding, Json, Resource, Snapshot
from reconciler.observe import Observation
from reconciler.plan import Change, Plan, PlannedField, derived, linked, selected
from reconciler.planning import Situation, Wishes
from reconciler.receipts import ODD, events, in_doubt, in_part, no_receipt, of_portal, written
from reconciler.report import change_from_json
from reconciler.saved_plan import oddity

LAST = 10_000  # the place of an option of which a receipt of an older version did not note where it stood


def plan_back(situation: Situation, receipt: Path, wishes: Wishes, now: datetime) -> dict[str, Json]:
    """A plan document that puts back what an apply changed."""
    told = events(receipt)
    try:
        if told[0]["event"] != "begin":
            raise no_receipt(receipt)
        _refuse_other(told, receipt, situation)
        carried_out, doubts = _carried_out(told, wishes), tuple(_doubts(told, wishes))
        problems = list(filter(None, map(oddity, carried_out)))
    except ODD as error:
        raise no_receipt(receipt) from error
    if problems:
        hint = "it was edited by hand, or another version wrote it: undo with that one"
        raise UsageError(f"{receipt} is not a whole receipt: {problems[0]}", where=str(receipt), hint=hint)
    plan = _plan(carried_out, situation)
    plan = plan._replace(findings=(*plan.findings, *doubts))
    plan = guards.judged(plan, planning.context(situation, plan, wishes))
    return planning.document(situation, plan, wishes, now)


def _refuse_other(told: Sequence[Mapping[str, Json]], receipt: Path, situation: Situation) -> None:
    """A receipt is of one portal, by name and by id."""
    portal = told[0]["portal"]
    if portal["name"] != situation.workspace.portal.name:
        hint = f"choose it with -p {portal['name']}"
        raise StaleError(f"{receipt} is of portal {portal['name']}", where=str(receipt), hint=hint)
    if not of_portal(told, situation.portal_id):
        message = f"{receipt} is of portal {portal['portalId']}, and {portal['name']} is {situation.portal_id} now"
        raise StaleError(message, where=str(receipt), hint="undo it where it was done")


def _carried_out(told: Sequence[Mapping[str, Json]], wishes: Wishes) -> list[Change]:
    """The changes that were made; an update that was made in part is looked at field by field like any other."""
    done, partly, made = written(told), in_part(told), told[-1].get("made", {})
    return [
        change_from_json({**one, "remote": {**one.get("remote", {}), **made.get(one["address"], {})}})
        for one in told[0]["changes"]
        if one["address"] in done or (one["action"] == "update" and one["address"] in partly)
        if selected(one["address"], wishes.only)
    ]


def _doubts(told: Sequence[Mapping[str, Json]], wishes: Wishes) -> Iterator[Finding]:
    """Changes of which nobody knows how much was carried out."""
    doubtful = in_doubt(told) | in_part(told)
    for one in told[0]["changes"]:
        address = one["address"]
        if address in doubtful and selected(address, wishes.only):
            message = f"how much of {address} was carried out is not known"
            yield Finding("inverse-unknown", "warning", message, "look at it in HubSpot", address)


def _plan(carried_out: list[Change], situation: Situation) -> Plan:
    changes, findings, unchanged = [], [], 0
    candidates = []
    gone = frozenset(_stages_gone(carried_out))
    for change in carried_out:
        findings += list(_caveats(change))
        if back := inverse(change, gone):
            candidates.append(back)
    seen = _look(candidates, situation)
    candidates = _in_todays_order(candidates, carried_out, seen, situation)
    seen = looked_at_again(candidates, seen, situation.scope)
    for back in candidates:
        where = standing(_with_ids(back, seen), seen)
        if where.word == "open":
            changes.append(derived(_left_to_do(where.change, seen)))
        elif where.word == "satisfied" and _unrecognised(back):
            message = f"{back.address} is not to be found: the run was cut off before it noted what HubSpot calls it"
            findings.append(Finding("inverse-unknown", "warning", message, "look for it in HubSpot", back.address))
        elif where.word == "satisfied":
            unchanged += 1
        else:
            message = f"{back.address} moved since the apply and is not put back: {where.message}"
            findings.append(Finding("inverse-moved", "warning", message, "look at it by hand", back.address))
    if changes:
        message = "the specs still say otherwise: take the commit back too, or the next plan undoes this one"
        findings.append(Finding("inverse-specs", "info", message))
    ordered = sorted((change._replace(depends_on=_needs(change)) for change in changes), key=lambda one: one.address)
    return Plan(changes=linked(ordered), findings=tuple(findings), unchanged=unchanged)


def _needs(back: Change) -> tuple[str, ...]:
    """What has to be there for what a change makes, or may only go after what it takes away."""
    side = "before" if back.action == "archive" else "after"
    attributes = {one.path: getattr(one, side) for one in back.fields if "/" not in one.path}
    return tuple(back.kind.depends_on(Resource(back.kind.NAME, back.address, attributes)))


def _look(candidates: list[Change], situation: Situation) -> Observation:
    reader = situation.asker
    if reader is None or not candidates:
        return situation.observation
    return situation.workspace.settled(lambda: look(candidates, reader, situation.scope))


def _in_todays_order(
    candidates: list[Change], carried_out: Sequence[Change], seen: Observation, situation: Situation
) -> list[Change]:
    """The ways back with the order of today for stages that stand where the apply put them, whatever their numbers."""
    stages = [change for change in carried_out if change.kind.NAME == lifecycle_stages.NAME]
    left = looked_at_again(stages, seen, situation.scope).snapshot if stages else Snapshot()
    order = lifecycle_stages.ids_in_order(left)
    found = []
    for back in candidates:
        stage = left.get(back.address)
        known = {one: order[one] for one in stage.facts.get("placed", ())} if stage else {}
        found.append(back._replace(remote={**back.remote, "order": known}) if known else back)
    return found


def _left_to_do(back: Change, seen: Observation) -> Change:
    """A way back without what is as it was already: after an apply that was made in part, or an edit by hand."""
    resource = seen.snapshot.get(back.address)
    if back.action != "update" or resource is None:
        return back
    if back.kind.NAME != lifecycle_stages.NAME:
        return back._replace(fields=tuple(one for one in back.fields if not field_holds(back, one, resource)))
    parts = [part for one in back.fields for part in lifecycle_stages.apart(one, back.remote["ids"])]
    left = [part for part in parts if not field_holds(back, part, resource)]
    return back._replace(fields=lifecycle_stages.together(left))


def _unrecognised(back: Change) -> bool:
    """Whether this is something that HubSpot numbers and nobody knows the number."""
    ids = {association_labels.NAME: "typeIds", lifecycle_stages.NAME: "ids"}.get(back.kind.NAME)
    return back.action == "archive" and ids is not None and not back.remote.get(ids)


def _with_ids(back: Change, seen: Observation) -> Change:
    """A thing that the apply created got its ids then; they are read from the portal, and the order of stages too."""
    resource = seen.snapshot.get(back.address)
    if resource is None:
        return back
    moves = back.kind.NAME == lifecycle_stages.NAME and back.action == "update"
    order = {"order": lifecycle_stages.ids_in_order(seen.snapshot)} if moves else {}
    return back._replace(remote={**back.remote, **back.kind.remote(resource), **order})


def _stages_gone(carried_out: Iterable[Change]) -> Iterator[str]:
    for change in carried_out:
        if change.action == "archive" and change.kind.NAME == lifecycle_stages.NAME:
            yield from change.remote.get("ids", {}).values()


def inverse(change: Change, gone: Container[str] = ()) -> Change | None:
    """The change that puts back what another one did; nothing where HubSpot offers no way.

    A stage finds its place by the others of that time that are not gone.
    """
    match change.action:
        case "create" | "restore":
            fields = tuple(_turned(field) for field in change.fields)
            return _bare(change)._replace(action="archive", fields=fields, expects="present")
        case "archive" if change.kind.NAME == properties.NAME:
            return _bare(change)._replace(action="restore", fields=tuple(_made(change)), expects="archived")
        case "archive" if change.kind.NAME in (property_groups.NAME, association_labels.NAME):
            return _bare(change)._replace(action="create", fields=tuple(_made(change)), expects="absent")
        case "update":
            stays = set(_stays(change))
            fields = tuple(_turned(field) for field in change.fields if field.path not in stays)
            if not fields:
                return None
            stage = change.kind.NAME == lifecycle_stages.NAME
            remote = lifecycle_stages.put_back(change.remote, gone) if stage else change.remote
            return _bare(change)._replace(action="update", fields=fields, expects="present", remote=remote)
    return None


def _stays(change: Change) -> Iterator[str]:
    """Fields that HubSpot never unsets once they are set (hubspot-api.md A.2, N.1)."""
    added = {one.path for one in change.fields if one.how == "added"} if change.kind.NAME == properties.NAME else set()
    yield from added & {"textDisplayHint", "currencyPropertyName"}
    if "currencyPropertyName" in added:
        yield "showCurrencySymbol"


def _bare(change: Change) -> Change:
    """The same address, with nothing that belonged to the old plan."""
    return Change(change.address, change.action, "inverse", title=change.title, remote=change.remote)


def _turned(field: PlannedField) -> PlannedField:
    """A field with its sides changed over."""
    how = {"added": "removed", "removed": "added", "changed": "changed"}[field.how]
    before, after = _without_place(field.after), field.before
    if how == "added" and field.path.startswith("options/") and field.path.count("/") == 1:
        after = {"displayOrder": LAST, **field.before}
    elif field.path == "options" and properties.is_order(field):  # an option that goes has no place in either
        before = [value for value in before if value in after]
    elif how == "removed" and (neutral := properties.SOMETIMES_SET.get(field.path)) is not None:
        how, after = "changed", neutral  # null would leave it as it is
    return PlannedField(field.path, before, after, how, cause="spec_change")  # type: ignore[arg-type]


def _without_place(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: part for key, part in value.items() if key != "displayOrder"}
    return value


def _made(change: Change) -> Iterator[PlannedField]:
    """What an archived definition had, as the fields of a create."""
    for field in change.fields:
        unsendable = field.path in ("externalOptions", "hasUniqueValue") and not field.before
        if not unsendable:
            yield PlannedField(field.path, None, field.before, "added", cause="spec_change")


def _caveats(change: Change) -> Iterator[Finding]:
    """What going back does not bring back."""
    if change.action == "archive" and change.kind.NAME == lifecycle_stages.NAME:
        why = f"{change.address} cannot come back: HubSpot gives a new stage a new id, and its records have moved"
        yield Finding("inverse-impossible", "warning", why, "declare a new stage", change.address)
    elif change.action == "archive" and change.kind.NAME == association_labels.NAME:
        why = f"{change.address} comes back as a definition; the records that carried it do not get it back"
        yield Finding("inverse-partial", "warning", why, "", change.address)
    elif change.action == "archive" and change.kind.NAME == properties.NAME:
        why = f"{change.address} is restored with its old values, if it was archived less than 90 days ago"
        yield Finding("inverse-partial", "info", why, "", change.address)
    if change.action == "update" and (stays := sorted(_stays(change))):
        why = f"{change.address} keeps its {' and '.join(stays)}: HubSpot never unsets that"
        yield Finding("inverse-partial", "warning", why, "", change.address)
    for field in change.fields:
        if field.path == "type" and change.action == "update":
            why = f"{change.address} gets its type back; values that the change made invalid stay so"
            yield Finding("inverse-partial", "warning", why, "", change.address)
