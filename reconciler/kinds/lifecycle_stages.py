"""Lifecycle stages: the way from subscriber to customer, one lifecycle for contacts and companies.

The list order is the stage order. Eight stages are HubSpot's and go by its internal names (``lead``, ``customer``...);
they can be relabelled and moved, never created or deleted. A custom stage has a name of yours; HubSpot gives the id,
which may differ between contacts and companies, so a stage is known by its ``id:``, else by its recorded ids, else by
its label. Lists may stand in several files: each orders only the stages it names. Live stages that no list names stay
where they are.

Stages live in two pipelines, one an object. Whether HubSpot mirrors a write to the other is not known (hubspot-api.md
C.3), so each is written, looked at, and the other one is brought to the same state. The options of the property
``lifecyclestage`` only mirror the stages and are read only.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from reconciler.address import encode, join
from reconciler.diff import Difference, FieldChange, How
from reconciler.errors import RequestRefused
from reconciler.kinds import Count, Listing, Locate, Request, Risk, Scope, Settled, Write, refusal
from reconciler.memo import kept_with_first
from reconciler.model import Answer, Finding, Json, Reads, Resource, Snapshot, Tombstone
from reconciler.order import in_turn, joined, merged_order, moved, needs_itself
from reconciler.paths import Api

if TYPE_CHECKING:
    from reconciler.diff import Field
    from reconciler.plan import Change

F = TypeVar("F", bound="Field")

NAME = "lifecycleStages"
OBJECTS = ("contacts", "companies")
PIPELINES = {object_type: f"{object_type}-lifecycle-pipeline" for object_type in OBJECTS}
DEFAULTS = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)
METADATA = {"isClosed": "false", "state": "OPEN"}  # what HubSpot's own stages carry (C.2)

SCHEMA: Mapping[str, Json] = {
    "title": "Lifecycle stages",
    "description": "One lifecycle for contacts and companies; the list order is the stage order.",
    "type": "array",
    "items": {
        "title": "Lifecycle stage",
        "description": "A default stage by HubSpot's internal name, or a stage of your own.",
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": {
                "type": "string",
                "pattern": "^[a-z][a-z0-9_]*$",
                "description": "HubSpot's internal name of a default stage, or a name of yours.",
                "patternErrorMessage": "lower-case letters, digits and underscores, a letter first",
                "examples": ["trial"],
                "defaultSnippets": [{"label": name, "body": name, "description": "HubSpot's own"} for name in DEFAULTS],
            },
            "label": {"type": "string", "minLength": 1, "description": "What people see; needed to create a stage."},
            "id": {"type": "string", "minLength": 1, "description": "HubSpot's id, to name a live stage for certain."},
            "meta": {"type": "object", "description": "Notes of yours; never sent to HubSpot."},
        },
    },
}


_PLACE: Json = {"type": ["integer", "null"], "minimum": 0}
_SIDE: Json = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "required": ["label", "position"],
    "properties": {"label": {"type": "string", "minLength": 1}, "position": _PLACE},
}
PLANNED: Mapping[str, Json] = {
    r"^\w+ ((contacts|companies)/)?label$": {"type": ["string", "null"]},
    r"^\w+ ((contacts|companies)/)?position$": _PLACE,
    r"^\w+ (contacts|companies)$": _SIDE,
}
_ID: Json = {"type": ["string", "null"], "pattern": r"^[^/]*[^/.][^/]*$"}
_AFTER: Json = {
    "type": ["object", "null"],
    "properties": {"id": _ID, "label": {"type": "string"}},
    "required": ["id", "label"],
}
REMOTE: Mapping[str, Json] = {
    "type": "object",
    "required": ["ids"],
    "properties": {
        "ids": {
            "type": "object",
            "propertyNames": {"enum": [*OBJECTS]},
            "additionalProperties": {**_ID, "type": "string"},
        },
        "after": {"type": "object", "additionalProperties": _AFTER},
        "order": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
        "id": _ID,
    },
}


# --- the spec side ---------------------------------------------------------------------------------------------------


def parse(section: Json, locate: Locate) -> Iterator[Resource]:
    """The declared stages; each remembers the order of the list it stands in."""
    names = [entry["name"] for entry in section]
    for index, entry in enumerate(section):
        attributes = {"label": entry["label"]} if "label" in entry else {}
        facts: dict[str, Json] = {"orders": [names], "meta": entry.get("meta", {})}
        if "id" in entry:
            facts["id"] = entry["id"]
        yield Resource(NAME, join(NAME, entry["name"]), attributes, facts, locate(NAME, index))


def unite(first: Resource, second: Resource) -> Resource | None:
    """A stage that two lists name; nothing where they say different things of it."""
    said, repeated = ({**one.attributes, "id": one.facts.get("id")} for one in (first, second))
    if any(said.get(name) not in (None, value) for name, value in repeated.items() if value is not None):
        return None
    orders = [*first.facts["orders"], *second.facts["orders"]]
    meta = {**first.facts["meta"], **second.facts["meta"]}
    facts = {**first.facts, **second.facts, "orders": orders, "meta": meta}
    return Resource(NAME, first.address, {**first.attributes, **second.attributes}, facts, first.source)


def check(resource: Resource) -> Iterator[Finding]:
    """A list that names a stage twice."""
    for names in resource.facts["orders"]:
        if names.count(resource.name) > 1:
            why = f"the list names {resource.name} {names.count(resource.name)} times"
            yield refusal("stage-twice", resource, why, "keep one of them")


def conflicts(declared: Iterable[Resource]) -> Iterator[Finding]:
    """Lists that contradict each other about the order, and ids and labels that two stages share."""
    stages = list(declared)
    _, contradicting = joined(_lists(stages), {})
    for stage in stages:
        if stage.name in contradicting:
            others = ", ".join(sorted(contradicting - {stage.name}))
            why = f"the lists contradict each other about the place of {stage.name} and {others}"
            yield refusal("stage-order", stage, why, "bring the lists into the same order")
    ids: dict[str, Resource] = {}
    labels: dict[str, Resource] = {}
    for stage in stages:
        known = stage.facts.get("id") or (stage.name if stage.name in DEFAULTS else "")
        other = ids.setdefault(known, stage) if known else stage
        if other is not stage:
            why = f"stages {other.name} and {stage.name} are both the stage with the id {known}"
            yield refusal("stage-id-duplicate", stage, why, "keep one of them, or give each its own id")
        label = stage.attributes.get("label", "")
        first = labels.setdefault(plain(label), stage) if label else stage
        if first is not stage:
            why = f"stages {first.name} and {stage.name} have the label {label!r}; HubSpot does not mind the case"
            yield refusal("stage-label-duplicate", stage, why, "give each stage its own label")


def reordered(before: Iterable[Resource], after: Iterable[Resource]) -> tuple[list[Resource], list[Resource]]:
    """The declared stages of two times that changed places among those that both declare, with their places."""
    sides = [{one.name: one for one in side} for side in (before, after)]
    orders = [joined(_lists(side.values()), {})[0] for side in sides]
    then, now = ([name for name in order if all(name in side for side in sides)] for order in orders)
    fixed = {name for name, place in zip(then, now, strict=False) if name == place}
    moving = sorted(moved(then, now, fixed))
    placed = [
        [side[name]._replace(attributes={**side[name].attributes, "position": order.index(name)}) for name in moving]
        for side, order in zip(sides, (then, now), strict=True)
    ]
    return placed[0], placed[1]


def _lists(stages: Iterable[Resource]) -> list[list[str]]:
    found = {tuple(dict.fromkeys(names)): None for stage in stages for names in stage.facts["orders"]}
    return [list(names) for names in found]


def plain(label: str) -> str:
    """How HubSpot compares labels of stages (N.3)."""
    return label.strip().casefold()


# --- the portal side -------------------------------------------------------------------------------------------------


def listings(scope: Scope, reads: Reads) -> Iterator[Listing]:
    """Both pipelines, when stages are declared, removed or known, or their objects are watched."""
    known = any(True for side in (scope.desired, scope.baseline) for _ in side.of_kind(NAME))
    if known or scope.removed_paths(NAME) or {*scope.watch} & {*OBJECTS}:
        for object_type in OBJECTS:
            yield Listing(f"{NAME}/{object_type}", scope.api.pipelines(object_type))


def _stages(answer: Answer | None, object_type: str) -> list[dict[str, Json]]:
    """The stages of a lifecycle in their order; the list itself is in none (N.3)."""
    for pipeline in answer.results if answer else ():
        if pipeline["id"] == PIPELINES[object_type]:
            live = [stage for stage in pipeline["stages"] if stage.get("archived") is not True]
            return sorted(live, key=lambda stage: stage["displayOrder"])
    return []


@kept_with_first
def _named(scope: Scope, reads: Reads) -> dict[str, dict[str, dict[str, Json]]]:
    """The live stages by object and by the name that specs use, in order."""
    live = {one: _stages(reads.get(scope.api.pipelines(one)), one) for one in OBJECTS}
    names: dict[tuple[str, str], str] = {}
    for object_type, stages in live.items():
        for stage in stages:
            if name := _known_name(object_type, stage, scope):
                names[object_type, stage["id"]] = name
    for object_type, stages in live.items():
        for stage in stages:
            if (object_type, stage["id"]) not in names:
                names[object_type, stage["id"]] = _new_name(object_type, stage, live, names, scope)
    return {one: {names[one, stage["id"]]: stage for stage in stages} for one, stages in live.items()}


def _known_name(object_type: str, stage: Mapping[str, Json], scope: Scope) -> str:
    """By the declared id, by HubSpot's name of a default, by the recorded id."""
    for resource in scope.desired.of_kind(NAME):
        if stage["id"] in (resource.facts.get("id"), resource.facts.get("ids", {}).get(object_type)):
            return resource.name
    if stage["id"] in DEFAULTS:
        return str(stage["id"])
    for resource in scope.baseline.of_kind(NAME):
        if resource.facts.get("ids", {}).get(object_type) == stage["id"]:
            return resource.name
    return ""


def _new_name(
    object_type: str,
    stage: Mapping[str, Json],
    live: Mapping[str, Sequence[Mapping[str, Json]]],
    names: Mapping[tuple[str, str], str],
    scope: Scope,
) -> str:
    """By its label among the declared ones, by its twin in the other object, else made from its label."""
    taken = {name for (one, _), name in names.items() if one == object_type}
    for resource in scope.desired.of_kind(NAME):
        wanted = resource.attributes.get("label", "")
        custom = resource.name not in DEFAULTS and resource.name not in taken
        if custom and wanted and plain(wanted) == plain(stage["label"]):
            return resource.name
    for other in OBJECTS:
        for twin in live[other] if other != object_type else ():
            alike = twin["id"] == stage["id"] or plain(twin["label"]) == plain(stage["label"])
            name = names.get((other, twin["id"]), "")
            if alike and name and name not in taken:
                return name
    return _slug(stage["label"], taken | set(DEFAULTS) | {*map(_known_otherwise, scope.desired.of_kind(NAME))})


def _known_otherwise(declared: Resource) -> str:
    """The name of a stage that is known by more than it, so that no other stage goes by it for its label's sake."""
    known = "label" in declared.attributes or declared.facts.get("ids") or declared.facts.get("id")
    return declared.name if known else ""


def _slug(label: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_").lstrip("0123456789_") or "stage"
    names = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def observe(scope: Scope, reads: Reads) -> Iterator[Resource]:
    """The live stages of both objects, each one once."""
    named = _named(scope, reads)
    read = [one for one in OBJECTS if reads.ok(scope.api.pipelines(one))]
    for name in dict.fromkeys(name for stages in named.values() for name in stages):
        here = {one: stages[name] for one, stages in named.items() if name in stages}
        attributes = {
            one: {"label": stage["label"], "position": list(named[one]).index(name)} for one, stage in here.items()
        }
        facts: dict[str, Json] = {"ids": {one: stage["id"] for one, stage in here.items()}, "stages": here}
        facts["read"] = read
        wanted = scope.desired.get(join(NAME, name))
        if wanted and "after" in wanted.facts:  # an apply looks at its own work
            placed = [one for one in wanted.facts["after"] if _stands(name, one, scope, named[one])]
            if not wanted.facts["ids"] and len(placed) < len(wanted.facts["after"]):
                continue  # half made, by a run that was cut off: as good as absent, the write finds and completes it
            facts["placed"] = placed
            facts["unmoved"] = [one for one in here if _unmoved(name, one, scope, named[one])]
        yield Resource(NAME, join(NAME, name), attributes, facts)


def _stands(name: str, object_type: str, scope: Scope, stages: Mapping[str, Mapping[str, Json]]) -> bool:
    """Whether a stage stands where a plan wants it: right after another one that stands where it is wanted, too.

    Neighbours that move together stand one after the other before they moved as well.
    """
    wanted, names = scope.desired.get(join(NAME, name)), list(stages)
    if wanted is None or object_type not in wanted.facts.get("after", {}):
        return True  # it does not move
    after, place = wanted.facts["after"][object_type], names.index(name) if name in stages else -1
    if place < 1 or not after:
        return place == 0 and not after
    beside = names[place - 1]
    before = _match_predecessor(list(stages.values()), after)
    return before is stages[beside] and _stands(beside, object_type, scope, stages)


def _unmoved(name: str, object_type: str, scope: Scope, stages: Mapping[str, Mapping[str, Json]]) -> bool:
    """Whether a stage stands among the others of that time as it stood then: new ones only shift its number.

    The others are those that stay where they are: of a run that was cut off, some may have moved already.
    """
    then: Sequence[str] = scope.desired[join(NAME, name)].facts.get("order", {}).get(object_type, ())
    stage = stages[name]["id"]
    if stage not in then:
        return False
    now = [one["id"] for one in stages.values()]
    moving = {
        one.facts["ids"].get(object_type)
        for one in scope.desired.of_kind(NAME)
        if object_type in one.facts.get("after", {}) and one.name != name
    }
    stay = ({*then} & {*now}) - moving
    return stay & {*then[: then.index(stage)]} == stay & {*now[: now.index(stage)]}


# --- what should be --------------------------------------------------------------------------------------------------


def settle(desired: Resource, observed: Resource | None, scope: Scope, reads: Reads) -> Settled:
    """The stage in both objects, with the declared label, in the declared order."""
    objects = [one for one in OBJECTS if reads.ok(scope.api.pipelines(one))]
    if findings := tuple(_refusals(desired, observed, objects, scope, reads)):
        return Settled(observed, findings=findings)
    attributes = {one: _wanted(desired, observed, one, scope, reads) for one in objects}
    if observed is not None and attributes == observed.attributes:
        return Settled(observed)
    places = {one: side["position"] for one, side in observed.attributes.items()} if observed else {}
    moving = [one for one in objects if attributes[one]["position"] != places.get(one)]
    facts = {
        **(observed.facts if observed else {"ids": {}}),
        **({"id": desired.facts["id"]} if observed is None and "id" in desired.facts else {}),
        "after": {one: _predecessor(desired.name, one, scope, reads) for one in moving},
        **({"order": _live_order(scope, reads)} if observed and moving else {}),
        "known": {one: _known_place(desired.name, attributes[one]["position"], one, scope, reads) for one in objects},
    }
    return Settled(Resource(NAME, desired.address, attributes, facts, desired.source))


def _live_order(scope: Scope, reads: Reads) -> dict[str, list[str]]:
    """The ids of the live stages in their order: what a plan goes by that moves one of them."""
    return {one: [stage["id"] for stage in stages.values()] for one, stages in _named(scope, reads).items() if stages}


def _wanted(desired: Resource, observed: Resource | None, object_type: str, scope: Scope, reads: Reads) -> Json:
    order, moving = _order(scope, reads, object_type)
    here: Json = (observed.attributes if observed else {}).get(object_type)
    label = desired.attributes.get("label") or (here or _other_side(observed))["label"]
    stays = here is not None and desired.name not in moving
    return {"label": label, "position": here["position"] if stays else order.index(desired.name)}


def _other_side(observed: Resource | None) -> Mapping[str, Json]:
    sides: Iterable[Mapping[str, Json]] = observed.attributes.values() if observed else ()
    return next(iter(sides))


@kept_with_first
def _order(scope: Scope, reads: Reads, object_type: str) -> tuple[list[str], set[str]]:
    """The order of an object's stages after the apply, and which of the live ones have to move for it.

    A place is a number, and what keeps its number does not move: the others go around it.
    """
    live = list(_named(scope, reads)[object_type])  # with those to be removed: they go after everything else is done
    declared, _ = joined(_lists(scope.desired.of_kind(NAME)), {name: index for index, name in enumerate(live)})
    declared = [name for name in declared if join(NAME, name) in scope.desired]
    fixed: set[str] = set()
    while True:
        moving = moved([name for name in live if name in declared], declared, fixed)
        order = merged_order([name for name in live if name not in moving], declared)
        kept = {name for name in moving if order.index(name) == live.index(name)}
        if kept <= fixed:
            return order, moving
        fixed |= kept


def _predecessor(name: str, object_type: str, scope: Scope, reads: Reads) -> Json:
    """What the stage stands after, by id and label: one that the same plan creates has no id yet, one that it deletes
    is not there for long."""
    before = _before(name, object_type, scope, reads)
    if not before:
        return None
    live = _named(scope, reads)[object_type].get(before)
    declared = scope.desired.get(join(NAME, before))
    label = declared.attributes.get("label") if declared else None
    return {"id": live["id"] if live else None, "label": label or (live["label"] if live else before)}


def _before(name: str, object_type: str, scope: Scope, reads: Reads) -> str:
    """The name of what the stage stands after once an apply has ended; nothing for the first one."""
    order, _ = _order(scope, reads, object_type)
    staying = [one for one in order[: order.index(name)] if join(NAME, one) not in scope.removed]
    return staying[-1] if staying else ""


def _known_place(name: str, planned: int, object_type: str, scope: Scope, reads: Reads) -> int | None:
    """Where the stage was when last accepted, in the numbers of today: extras that came or went change no order."""
    places = {
        one.name: one.attributes[object_type]["position"]
        for one in scope.baseline.of_kind(NAME)
        if object_type in one.attributes
    }
    if name not in places:
        return None
    live = list(_named(scope, reads)[object_type])
    order, _ = _order(scope, reads, object_type)
    others = [one for one in places if one != name and one in live and join(NAME, one) in scope.desired]
    then = {one for one in others if places[one] < places[name]}
    if name in live and then == {one for one in others if live.index(one) < live.index(name)}:
        return live.index(name)
    if then == {one for one in others if order.index(one) < order.index(name)}:
        return planned
    return int(places[name])


def _refusals(
    desired: Resource, observed: Resource | None, objects: Sequence[str], scope: Scope, reads: Reads
) -> Iterator[Finding]:
    name, label = desired.name, desired.attributes.get("label")
    for one in objects:
        if not _named(scope, reads)[one]:
            why = f"the portal has no lifecycle for {one}"
            yield refusal("no-lifecycle", desired, why, "check that the object has lifecycle stages in HubSpot")
            return
    if name in DEFAULTS and any(name not in _named(scope, reads)[one] for one in objects):
        why = f"the portal has deleted HubSpot's stage {name}, and no API brings it back"
        fix = "make a stage of your own with another name and this label, or take the entry out"
        yield refusal("default-stage-deleted", desired, why, fix)
    elif observed is None and not label:
        yield refusal("stage-label", desired, f"{name} is not in the portal and has no label", "add a `label`")
    for one in objects if label else ():
        for other, stage in _named(scope, reads)[one].items():
            relabelled = scope.desired.get(join(NAME, other))
            now = relabelled.attributes.get("label", stage["label"]) if relabelled else stage["label"]
            if other != name and plain(now) == plain(label or ""):
                why = f"stage {other} of {one} has the label {label!r} already"
                removed = join(NAME, other) in scope.removed
                fix = "apply the removal first: stages are deleted last" if removed else "choose another label"
                yield refusal("stage-label-taken", desired, why, fix)
                return
        holder = _label_holders(scope, reads, one).get(name)
        if holder and needs_itself(name, _to_go_first(scope, reads, one)):
            why = f"stage {holder} has the label {label!r} until it is changed itself, and that has to wait for {name}"
            yield refusal("stage-label-taken", desired, why, f"give {holder} another label first, and apply that")
            return


@kept_with_first
def _label_holders(scope: Scope, reads: Reads, object_type: str) -> dict[str, str]:
    """By declared stage, another one that has its label now."""
    live = {plain(stage["label"]): name for name, stage in _named(scope, reads)[object_type].items()}
    declared = {one.name: plain(one.attributes.get("label", "")) for one in scope.desired.of_kind(NAME)}
    return {name: live[label] for name, label in declared.items() if live.get(label, name) != name}


@kept_with_first
def _to_go_first(scope: Scope, reads: Reads, object_type: str) -> dict[str, list[str]]:
    """By declared stage, those to be written before it: who has its label, and whom it comes to stand after."""
    holders, (order, moving) = _label_holders(scope, reads, object_type), _order(scope, reads, object_type)
    live = _named(scope, reads)[object_type]
    needs = {name: [holder] for name, holder in holders.items()}
    for name in order:
        if name in moving or name not in live:
            needs.setdefault(name, []).append(_before(name, object_type, scope, reads))
    return needs


def remove(tombstone: Tombstone, observed: Resource, scope: Scope) -> Settled:
    """Stages that people made can be deleted, once no record is in them."""
    if {observed.name, *observed.facts["ids"].values()} & {*DEFAULTS}:
        why = f"{observed.name} is one of HubSpot's own stages and is never deleted"
        finding = Finding("hubspot-defined", "error", why, "drop the line", tombstone.address, tombstone.source)
        return Settled(observed, findings=(finding,))
    if observed.address not in scope.baseline and observed.name not in observed.facts["ids"].values():
        label = next(iter(observed.facts["stages"].values()))["label"]
        why = f"whether {observed.name} is the stage {label!r} is a guess without a baseline, so nothing is deleted"
        fix = "make a baseline with `reconciler accept --all`, then plan again"
        finding = Finding("guessed-name", "warning", why, fix, tombstone.address, tombstone.source)
        return Settled(observed, findings=(finding,))
    return Settled()


def same(field: str, one: Json, other: Json) -> bool:
    """Labels and places are compared as they are."""
    return bool(one == other)


def depends_on(resource: Resource) -> Sequence[str]:
    """Stages need nothing that specs declare."""
    return ()


# --- what moved ------------------------------------------------------------------------------------------------------


def _in_order(stages: Mapping[str, Resource], object_type: str) -> list[str]:
    places = {
        address: one.attributes[object_type]["position"]
        for address, one in stages.items()
        if one.kind == NAME and object_type in one.attributes
    }
    return sorted(places, key=lambda address: (places[address], address))


def as_ordered(desired: Resource, live: Mapping[str, Resource]) -> bool:
    """Whether a live stage stands as lists say that name it beside others; without such a list, nothing is said."""
    told = False
    for object_type in OBJECTS:
        order = _in_order(live, object_type)
        for names in desired.facts.get("orders", ()):
            listed = [address for name in names if (address := join(NAME, name)) in order]
            if desired.address in listed:
                told = told or len(listed) > 1
                earlier = {one for one in listed if order.index(one) < order.index(desired.address)}
                if earlier != set(listed[: listed.index(desired.address)]):
                    return False
    return told


# --- what changes ----------------------------------------------------------------------------------------------------


class Placement(NamedTuple):
    """A new place, with the one that the baseline knows in the numbers of today."""

    path: str
    before: Json
    after: Json
    how: How
    known: Json


def fields(difference: Difference) -> "Sequence[Field]":
    """What is the same for contacts and companies is one field."""
    known = difference.after.facts.get("known", {}) if difference.after else {}
    parts = [part for change in difference.fields for part in _parts(change, difference)]
    return together([_placement(part, known) for part in parts])


def together(changes: Iterable[F]) -> tuple[F, ...]:
    """Changes of the two sides, those that are the same for both as one."""
    by_side: dict[str, dict[str, F]] = {}
    for change in changes:
        side, _, name = change.path.partition("/")
        by_side.setdefault(name, {})[side] = change
    folded = [one for name, sides in by_side.items() for one in _folded(name, sides)]
    return tuple(sorted(folded, key=lambda change: change.path))


def apart(change: F, sides: Iterable[str]) -> list[F]:
    """A change of both sides as one of each."""
    both = "/" not in change.path and change.path not in OBJECTS
    return [change._replace(path=f"{side}/{change.path}") for side in sides] if both else [change]


def _parts(change: FieldChange, difference: Difference) -> Iterator[FieldChange]:
    """A side that appears or goes whole, field by field where the other side does the same."""
    if change.path not in OBJECTS or (difference.before and difference.after):
        yield change
        return
    for name in ("label", "position"):
        before = change.before[name] if change.how == "removed" else None
        after = change.after[name] if change.how == "added" else None
        yield FieldChange(f"{change.path}/{name}", before, after, change.how)


def _placement(change: FieldChange, known: Mapping[str, Json]) -> FieldChange | Placement:
    side, _, name = change.path.partition("/")
    if name != "position":
        return change
    return Placement(change.path, change.before, change.after, change.how, known.get(side))


def _folded(name: str, sides: Mapping[str, F]) -> Iterator[F]:
    changes = list(sides.values())
    alike = all((c.before, c.after, c.how) == (changes[0].before, changes[0].after, changes[0].how) for c in changes)
    if name and alike and len(changes) == len(OBJECTS):
        yield changes[0]._replace(path=name)
    else:
        yield from changes


def value_at(resource: Resource, field: "Field") -> tuple[bool, Json]:
    """The value that a plan's field speaks of; of both objects where it names neither."""
    if isinstance(field, Placement):
        return field.known is not None, field.known
    head, _, name = field.path.partition("/")
    sides = [head] if head in OBJECTS else [one for one in OBJECTS if one in resource.attributes]
    if not name and head in OBJECTS:
        return _side_at(resource, head, field)
    values = [_part_at(resource, one, name or head, field) for one in sides if one in resource.attributes]
    if not values:
        return False, None
    odd = [value for value in values if value not in (field.before, field.after)]
    return True, odd[0] if odd else field.after if all(one == field.after for one in values) else field.before


def _side_at(resource: Resource, object_type: str, field: "Field") -> tuple[bool, Json]:
    """One whole side; while it is being made, it is there once it stands where it should."""
    here = resource.attributes.get(object_type)
    if here is None or "placed" not in resource.facts:
        return here is not None, here
    placed = object_type in resource.facts["placed"]
    return placed, {**here, "position": field.after["position"]} if placed and field.after else here


def _part_at(resource: Resource, object_type: str, name: str, field: "Field") -> Json:
    """A label or a position; a position tells only order, so one that stands as planned has the planned number."""
    if name == "position" and object_type in resource.facts.get("placed", ()):
        return field.after
    if name == "position" and object_type in resource.facts.get("unmoved", ()) and field.how == "changed":
        return field.before
    return resource.attributes[object_type][name]


def destroys(difference: Difference) -> Sequence[str]:
    """The stage, when it goes."""
    return () if difference.after else (difference.address,)


def risk(difference: Difference) -> Risk:
    """A deleted stage never comes back under its id; a default one is known by its label to everybody."""
    if difference.after is None:
        return "irreversible"
    default = difference.address.rpartition("/")[2] in {encode(name) for name in DEFAULTS}
    relabels = any(change.path.endswith("label") for change in difference.fields)
    return "caution" if default and relabels and difference.before else "safe"


def remote(resource: Resource) -> Mapping[str, Json]:
    """The ids in both objects, and what the stage is to stand after."""
    more = {name: resource.facts[name] for name in ("after", "order", "id") if name in resource.facts}
    return {"ids": dict(resource.facts.get("ids", {})), **more}


def ids_in_order(live: Snapshot) -> dict[str, list[str]]:
    """The ids of observed stages in their order, by object."""
    found: dict[str, list[tuple[int, str]]] = {}
    for stage in live.of_kind(NAME):
        for one, side in stage.attributes.items():
            found.setdefault(one, []).append((side["position"], stage.facts["ids"][one]))
    return {one: [number for _, number in sorted(places)] for one, places in found.items()}


def lost_neighbour(remote: Mapping[str, Json], live: Snapshot) -> str:
    """What a stage was to stand after and that is gone, by its label; what the same plan makes has no id yet."""
    for object_type, after in remote.get("after", {}).items():
        there = [one for one in live.of_kind(NAME) if object_type in one.attributes]
        ids = {one.facts["ids"][object_type] for one in there}
        labels = {plain(one.attributes[object_type]["label"]) for one in there}
        if after and after["id"] and after["id"] not in ids and plain(after["label"]) not in labels:
            return str(after["label"] or after["id"])
    return ""


def put_back(remote: Mapping[str, Json], gone: Container[str]) -> Mapping[str, Json]:
    """What the way back of a change needs: what the stage stood after then, among the stages that are not gone."""
    ids, then = remote.get("ids", {}), remote.get("order", {})
    if not then:
        return remote
    before = {
        one: [stage for stage in order[: order.index(ids[one])] if stage not in gone]
        for one, order in then.items()
        if ids.get(one) in order
    }
    after = {one: {"id": stages[-1], "label": ""} if stages else None for one, stages in before.items()}
    return {"ids": ids, "after": after}


def write_order(changes: Iterable["Change"]) -> list["Change"]:
    """The order in which stages are written: from the first to the last, and each after those that make way for it.

    It stands after another one, or takes the label that another one gives up.
    """
    ordered = {change.address: change for change in sorted(changes, key=_rank)}
    return [ordered[address] for address in in_turn(ordered, _needs(ordered.values()))]


def _rank(change: "Change") -> tuple[int, str]:
    places = [one.after for one in change.fields if one.path.endswith("position") and isinstance(one.after, int)]
    places += [one.after["position"] for one in change.fields if one.path in OBJECTS and one.how == "added"]
    return (min(places, default=-1), change.address)


def _needs(changes: Iterable["Change"]) -> dict[str, set[str]]:
    """The addresses that have to be written before each of these."""
    by_id, by_label, giving_up = {}, {}, {}
    for one in changes:
        by_id.update(dict.fromkeys(one.remote.get("ids", {}).items(), one.address))
        by_label.update(dict.fromkeys(_new(one), one.address))
        old = (field.before for field in one.fields if field.path.endswith("label") and field.how == "changed")
        giving_up.update(dict.fromkeys(map(plain, old), one.address))
    found: dict[str, set[str]] = {}
    for one in changes:
        after = [(side, place) for side, place in one.remote.get("after", {}).items() if place]
        needed = [by_id.get((side, place["id"])) for side, place in after if place["id"]]
        needed += [by_label.get(plain(place["label"])) for _, place in after if not place["id"]]
        needed += [giving_up.get(label) for label in _new(one)]
        found[one.address] = {need for need in needed if need and need != one.address}
    return found


def _new(change: "Change") -> set[str]:
    """The labels that a change gives to a stage."""
    labels = [one.after for one in change.fields if one.path.endswith("label") and one.how != "removed"]
    labels += [one.after["label"] for one in change.fields if one.path in OBJECTS and one.how == "added"]
    return {plain(label) for label in labels if label}


# --- writing ---------------------------------------------------------------------------------------------------------


def write(change: "Change", api: Api) -> Write:
    """Contacts first, then a look at companies, which HubSpot may have brought along."""
    ids: dict[str, str] = dict(change.remote.get("ids", {}))
    for object_type in OBJECTS:
        if change.action == "archive":
            yield from _deleted(object_type, ids, api)
        elif wanted := _wanted_here(change, object_type):
            yield from _written(change, object_type, wanted, ids, api)


def _wanted_here(change: "Change", object_type: str) -> dict[str, Json]:
    """What a change wants of one object."""
    wanted: dict[str, Json] = {}
    for field in change.fields:
        head, _, name = field.path.partition("/")
        if field.path == object_type and field.how == "added":
            wanted |= field.after
        elif head == object_type or head not in OBJECTS:
            wanted[name or head] = field.after
    return wanted


def _written(change: "Change", object_type: str, wanted: Mapping[str, Json], ids: dict[str, str], api: Api) -> Write:
    stages = _stages((yield Request("GET", api.pipelines(object_type))), object_type)
    live = _match(stages, ids.get(object_type), wanted.get("label"))
    if live is not None:
        ids[object_type] = live["id"]
        if "label" in wanted and live["label"] != wanted["label"]:
            yield Request("PATCH", _path(api, object_type, live["id"]), {"label": wanted["label"]})
    elif _adds(change, object_type):
        yield from _created(change, object_type, wanted, ids, api, stages)
    if "position" in wanted and object_type in ids:
        yield from _placed(object_type, ids[object_type], change.remote.get("after", {}).get(object_type), api)


def _adds(change: "Change", object_type: str) -> bool:
    """Whether a change makes the stage in this object; one that is gone meanwhile is not brought back unasked."""
    added = any(field.path == object_type and field.how == "added" for field in change.fields)
    return change.action == "create" or added


def _match(stages: Sequence[dict[str, Json]], known: str | None, label: Json) -> dict[str, Json] | None:
    """A stage by its id; by its label where no id is known, so that a create is never sent twice."""
    for stage in stages:
        if stage["id"] == known or (known is None and label and plain(stage["label"]) == plain(label)):
            return stage
    return None


def _path(api: Api, object_type: str, *rest: str) -> str:
    return api.pipelines(object_type, PIPELINES[object_type], "stages", *rest)


def _created(
    change: "Change",
    object_type: str,
    wanted: Mapping[str, Json],
    ids: dict[str, str],
    api: Api,
    stages: Sequence[Mapping[str, Json]],
) -> Write:
    """Under the id that the other object has, if HubSpot takes it."""
    before = _match_predecessor(stages, change.remote.get("after", {}).get(object_type))
    # A taken place puts the stage right after its holder (hubspot-api.md N.3).
    order = before["displayOrder"] if before else stages[0]["displayOrder"] if stages else 0
    body = {"label": wanted["label"], "displayOrder": order, "metadata": METADATA}
    twin = next((number for one, number in ids.items() if one != object_type), change.remote.get("id"))
    path = _path(api, object_type)
    try:
        answer = yield Request("POST", path, {**body, "stageId": twin} if twin else body, creates=True)
    except RequestRefused as refused:
        if refused.status == 403 or not twin:
            raise
        answer = yield Request("POST", path, body, creates=True)
    ids[object_type] = answer.body["id"]  # a read may not show it yet


def _match_predecessor(stages: Sequence[Mapping[str, Json]], after: Json) -> Mapping[str, Json] | None:
    if not after:
        return None
    by_id = [stage for stage in stages if stage["id"] == after["id"]]
    by_label = [stage for stage in stages if plain(stage["label"]) == plain(after["label"])]
    return next(iter([*by_id, *by_label]), None)


def _placed(object_type: str, stage_id: str, after: Json, api: Api) -> Write:
    """Puts a stage right after another one; to be the first, the first one is put after it."""
    stages = _stages((yield Request("GET", api.pipelines(object_type))), object_type)
    ids = [stage["id"] for stage in stages]
    if stage_id not in ids:
        return  # not shown yet; it was made in its place, and reading back will say whether it stands there
    before = _match_predecessor(stages, after)
    if after and before is None:
        return  # not shown yet, or gone meanwhile; reading back will say so
    if before is not None:
        if ids.index(stage_id) != ids.index(before["id"]) + 1:
            body = {"displayOrder": before["displayOrder"]}
            yield Request("PATCH", _path(api, object_type, stage_id), body)
        return
    while ids[0] != stage_id:
        holder = stages[0] if ids[1] != stage_id else stages[1]
        mover = stage_id if ids[1] != stage_id else ids[0]
        yield Request("PATCH", _path(api, object_type, mover), {"displayOrder": holder["displayOrder"]})
        seen = _stages((yield Request("GET", api.pipelines(object_type))), object_type)
        if [stage["id"] for stage in seen] == ids:
            return  # HubSpot accepted it and did not move it: reading back will say so
        stages, ids = seen, [stage["id"] for stage in seen]


def _deleted(object_type: str, ids: Mapping[str, str], api: Api) -> Write:
    """Only where it is; a 204 proves nothing, so reading back decides (hubspot-api.md E.1)."""
    stages = _stages((yield Request("GET", api.pipelines(object_type))), object_type)
    known = ids.get(object_type)
    if any(stage["id"] == known for stage in stages):
        path = _path(api, object_type, str(known)) + "?validateReferencesBeforeDelete=true"
        yield Request("DELETE", path)


def counts(change: "Change") -> Iterator[Count]:
    """The records that are in the stage, in both objects."""
    for address in change.destroys:
        for object_type, number in sorted(change.remote.get("ids", {}).items()):
            condition = {"propertyName": "lifecyclestage", "operator": "EQ", "value": number}
            yield Count(address, object_type, condition)


def write_scopes(change: "Change") -> Sequence[str]:
    """The schema scope of contacts; that of companies is needed as well."""
    return ("crm.schemas.contacts.write",)


def rows(resource: Resource) -> Mapping[str, Json]:
    """Name and label; nothing of a stage that contacts and companies do not share, which specs cannot say."""
    labels = {side["label"] for side in resource.attributes.values()}
    shared = len(labels) == 1 and len(resource.attributes) == len(resource.facts.get("read", OBJECTS))
    return {"name": resource.name, "label": labels.pop()} if shared else {}
