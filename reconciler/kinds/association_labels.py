"""Association labels: what a record of one object is to a record of another, such as "Billing contact".

A label is a pair of type ids, one for each direction, that share one portal-unique name. It is declared in one
direction only, under the object that ``label`` is read from; an object may be paired with itself. HubSpot's label lists
never tell the name (hubspot-api.md D.2), so a label is known by its recorded type ids, else by its name in the object's
schema, else by its exact texts on the pair. Without ``inverseLabel`` HubSpot uses the same text both ways, and a label
that has one text is renamed in both.

Deleting a label takes it off every pair of records that carries it, for good.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from reconciler import object_types
from reconciler.address import join, split
from reconciler.diff import Difference
from reconciler.kinds import Count, Listing, Locate, Request, Risk, Scope, Settled, Write, named, refusal, same_words
from reconciler.memo import kept_with_first
from reconciler.model import Finding, Json, Reads, Resource, Tombstone
from reconciler.object_types import is_custom, segment
from reconciler.order import in_turn, needs_itself
from reconciler.paths import Api

if TYPE_CHECKING:
    from reconciler.diff import Field
    from reconciler.plan import Change

NAME = "associationLabels"
NAME_SYNTAX = re.compile(r"[a-z][a-z0-9_]*")  # hubspot-api.md D.2: no hyphen, no digit first
ODD_TEXT = r"[^\w\s.,&()'/-]"
MOST = 50  # labels a pair of objects may have; the next one answers 437 (D.2)

SCHEMA: Mapping[str, Json] = {
    "title": "Association labels",
    "description": "Labels by the object they are read from, then the object they lead to, then HubSpot's name.",
    "type": "object",
    "additionalProperties": {
        "description": "Labels that are read from records of this object type.",
        "type": "object",
        "additionalProperties": {
            "description": "Labels that lead to records of this object type.",
            "type": "object",
            "allOf": [named(NAME_SYNTAX, "a name is of lower-case letters, digits and underscores, a letter first")],
            "additionalProperties": {
                "title": "Association label",
                "description": "What one record is to another; declared in one direction only.",
                "type": "object",
                "additionalProperties": False,
                "required": ["label"],
                "properties": {
                    "label": {
                        "type": "string",
                        "minLength": 1,
                        "description": "Text in the declared direction.",
                        "examples": ["Billing contact"],
                    },
                    "inverseLabel": {
                        "type": "string",
                        "minLength": 1,
                        "description": "Text in the other direction.",
                        "examples": ["Billed through"],
                    },
                    "meta": {"type": "object", "description": "Notes of yours; never sent to HubSpot."},
                },
            },
        },
    },
}


PLANNED: Mapping[str, Json] = {r"^\w+ (label|inverseLabel)$": {"type": ["string", "null"]}}
REMOTE: Mapping[str, Json] = {
    "type": "object",
    "required": ["from", "to"],
    "properties": {
        "from": {"type": "string"},
        "to": {"type": "string"},
        "typeIds": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "integer"}},
    },
}


# --- the spec side ---------------------------------------------------------------------------------------------------


def parse(section: Json, locate: Locate) -> Iterator[Resource]:
    """The declared labels."""
    for from_type, targets in section.items():
        for to_type, labels in targets.items():
            for name, entry in labels.items():
                attributes = {key: value for key, value in entry.items() if key != "meta"}
                source = locate(NAME, from_type, to_type, name)
                address = join(NAME, from_type, to_type, name)
                yield Resource(NAME, address, attributes, {"meta": entry.get("meta", {})}, source)


def check(resource: Resource) -> Iterator[Finding]:
    """The name's syntax, and texts that HubSpot may not like."""
    if not NAME_SYNTAX.fullmatch(resource.name):
        proper = re.sub(r"[^a-z0-9_]+", "_", resource.name.lower()).lstrip("_0123456789") or "name"
        why = f"{resource.name!r} is no name of a label: lower-case letters, digits and underscores, a letter first"
        yield refusal("label-name", resource, why, f"call it {proper}")
    for field, text in resource.attributes.items():
        if re.search(ODD_TEXT, text):
            why = f"{field} {text!r} has signs that HubSpot may refuse in a label"
            yield Finding(
                "label-text", "warning", why, "use letters, digits and blanks", resource.address, resource.source
            )


def direction_conflicts(declared: Iterable[Resource]) -> Iterator[Finding]:
    """Labels that are declared in both directions of a pair, and texts that one side of a pair has twice."""
    names: dict[tuple[str, str, str], Resource] = {}
    texts: dict[tuple[str, str, str], Resource] = {}
    for resource in declared:
        there = _pair(resource.address)
        back = there[1], there[0]
        names[(*there, resource.name)] = resource
        other = names.get((*back, resource.name), resource)
        if other is not resource:
            why = f"{resource.name} is declared in both directions, here and at {other.source}; a label covers both"
            yield refusal("label-direction", resource, why, "keep one, and give it an `inverseLabel`")
            continue
        label = resource.attributes["label"]
        for pair, text in ((there, label), (back, resource.attributes.get("inverseLabel", label))):
            first = texts.setdefault((*pair, text.casefold()), resource)
            if first is not resource:
                why = f"{text!r} from {pair[0]} to {pair[1]} is also the text of {first.name} at {first.source}"
                yield refusal("label-text-duplicate", resource, why, "give each label its own texts, or keep one")
                break


def _pair(address: str) -> tuple[str, str]:
    _, from_type, to_type, _ = split(address)
    return from_type, to_type


# --- the portal side -------------------------------------------------------------------------------------------------


def pairs(scope: Scope) -> list[tuple[str, str]]:
    """The pairs of object types that specs, tombstones or the baseline name, or that were asked for."""
    named = {_pair(one.address) for side in (scope.desired, scope.baseline) for one in side.of_kind(NAME)}
    removed = {(parts[1], parts[2]) for parts in scope.removed_paths(NAME)}
    return sorted({*named, *removed, *scope.pairs})


def listings(scope: Scope, reads: Reads) -> Iterator[Listing]:
    """One list a direction of a named pair, and a schema only where a name has to be resolved."""
    for from_type, to_type in pairs(scope):
        collection = f"{NAME}/{from_type}/{to_type}"
        if is_custom(from_type) or is_custom(to_type):
            yield Listing(collection, scope.api.schemas(), leads=True)
        one, two = segment(from_type, scope.api, reads), segment(to_type, scope.api, reads)
        if not one or not two:
            continue
        forward, backward = scope.api.labels(one, two), scope.api.labels(two, one)
        yield Listing(collection, forward)
        if forward != backward:
            yield Listing(collection, backward)
        if reads.ok(forward) and reads.ok(backward) and _names_wanted(scope, reads, from_type, to_type):
            yield Listing(collection, scope.api.schemas(one), refines=True)


def _names_wanted(scope: Scope, reads: Reads, from_type: str, to_type: str) -> bool:
    """Whether a live label is unknown by id and texts while somebody wants to know its name."""
    live = _live(scope, reads, from_type, to_type)
    if (from_type, to_type) in scope.pairs and any(not one.known for one in live):
        return True
    found = {one.name for one in live if one.known}
    removed = {parts[3] for parts in scope.removed_paths(NAME) if parts[1:3] == (from_type, to_type)}
    wanted = {one.name for one in _declared(scope, (from_type, to_type)) if "label" in one.attributes}
    return bool((wanted | removed) - found) and any(not one.known for one in live)


class _Live(NamedTuple):
    """One live label: its ids, its texts, the name it goes by, and whether that is more than a guess."""

    ids: tuple[int, int | None]
    label: str
    inverse: str | None
    name: str = ""
    known: bool = False


class _Loose(NamedTuple):
    """Labels of a pair that have not found their other half yet."""

    forward: dict[int, str]
    backward: dict[int, str]
    found: list[_Live]

    def join(self, one: int, two: int | None, name: str = "", known: bool = False) -> None:
        """Makes one label of two halves; an object with itself has both halves in one list, or only one."""
        label = self.forward.pop(one)
        single = one == two and self.forward is self.backward
        inverse = label if single else self.backward.pop(two) if two is not None else None
        self.found.append(_Live((one, two), label, inverse, name, known))


def _declared(scope: Scope, pair: tuple[str, str]) -> list[Resource]:
    return [resource for resource in scope.desired.of_kind(NAME) if _pair(resource.address) == pair]


@kept_with_first
def _live(scope: Scope, reads: Reads, from_type: str, to_type: str) -> tuple[_Live, ...]:
    """The labels of a pair, both directions brought together."""
    one, two = segment(from_type, scope.api, reads), segment(to_type, scope.api, reads)
    if not one or not two:
        return ()
    forward = _texts(reads.results(scope.api.labels(one, two)))
    loose = _Loose(forward, forward if one == two else _texts(reads.results(scope.api.labels(two, one))), [])
    names = _schema_names(reads, scope.api.schemas(one)) | _schema_names(reads, scope.api.schemas(two))
    _join_recorded(loose, scope, (from_type, to_type))
    if from_type != to_type:
        _leave_out_other_way(loose, scope, (to_type, from_type))
    _join_named(loose, names)
    _join_declared(loose, scope, (from_type, to_type))
    if _is_home(scope, from_type, to_type):
        _join_rest(loose, {one.name for one in _declared(scope, (from_type, to_type)) if "label" in one.attributes})
    return tuple(loose.found)


def _leave_out_other_way(loose: _Loose, scope: Scope, way: tuple[str, str]) -> None:
    """What is recorded or declared from the other side of the pair is that address, and is not found twice."""
    turned = _Loose(loose.backward, loose.forward, [])
    _join_recorded(turned, scope, way)
    _join_declared(turned, scope, way)


def _is_home(scope: Scope, from_type: str, to_type: str) -> bool:
    """Whether labels that nobody named belong here: to the direction that specs use, if a pair is read in both."""
    if from_type == to_type or (to_type, from_type) not in pairs(scope):
        return True
    here, there = (len(_declared(scope, way)) for way in ((from_type, to_type), (to_type, from_type)))
    return here > there or (here == there and from_type < to_type)


def _texts(listed: Iterable[Mapping[str, Json]]) -> dict[int, str]:
    """Labels of ours by type id; HubSpot's own and plain associations have no place in specs."""
    return {
        int(entry["typeId"]): entry["label"]
        for entry in listed
        if entry.get("category") == "USER_DEFINED" and entry.get("label")
    }


def _schema_names(reads: Reads, path: str) -> dict[int, str]:
    """Names by type id; ids of HubSpot's own associations overlap with ours, whose names are lower case (D.2)."""
    answer = reads.get(path)
    entries = answer.body.get("associations", ()) if answer and answer.ok else ()
    return {int(entry["id"]): entry["name"] for entry in entries if entry.get("name") and not entry["name"].isupper()}


def _join_recorded(loose: _Loose, scope: Scope, pair: tuple[str, str]) -> None:
    for side in (scope.baseline, scope.desired):
        for resource in side.of_kind(NAME):
            one, two = (*resource.facts.get("typeIds", ()), None, None)[:2]
            if _pair(resource.address) == pair and one in loose.forward and two in (*loose.backward, None):
                loose.join(one, two, resource.name, known=True)


def _join_named(loose: _Loose, names: Mapping[int, str]) -> None:
    for one in sorted(set(loose.forward) & set(names)):
        others = [two for two in loose.backward if two != one and names.get(two) == names[one]]
        if one in loose.forward:
            loose.join(one, others[0] if others else _other_half(one, loose), names[one], known=True)


def _join_declared(loose: _Loose, scope: Scope, pair: tuple[str, str]) -> None:
    """An unnamed label with exactly the declared texts is the declared one, where there is only one such."""
    for resource in _declared(scope, pair):
        # An apply that looks at its own work declares only what it changed.
        if "label" not in resource.attributes or any(live.name == resource.name for live in loose.found):
            continue
        label = resource.attributes["label"]
        inverse = resource.attributes.get("inverseLabel", label)
        ones = sorted(one for one, text in loose.forward.items() if text == label)
        itself = loose.forward is loose.backward
        twos = sorted(
            two for two, text in loose.backward.items() if text == inverse and not (itself and two in ones[:1])
        )
        twos = twos or (ones[:1] if itself and label == inverse else [])  # one id may do for both ways
        if ones and twos and (len(ones) == 1 or label == inverse) and (len(twos) == 1 or label == inverse):
            loose.join(ones[0], twos[0], resource.name, known=True)


def _join_rest(loose: _Loose, declared: set[str]) -> None:
    """What nobody knows goes by a guess at its name, never by a declared one: that would be written to."""
    taken = {live.name for live in loose.found} | declared
    for one in sorted(loose.forward):
        if one not in loose.forward:  # it was the other half of one before it
            continue
        name = _slug(loose.forward[one], taken)
        taken.add(name)
        loose.join(one, _other_half(one, loose), name)


def _other_half(one: int, loose: _Loose) -> int | None:
    """The other half of a label whose name nobody tells, if there is no doubt which it is.

    HubSpot gives both ids in one go (hubspot-api.md D.2), so sorted ids are couples, one of each direction. Where they
    are not, a half stays alone: a wrong one would be written over with the text of another label.
    """
    if loose.forward is loose.backward:
        ids = sorted(loose.forward)
    else:
        ids = sorted([*loose.forward, *loose.backward])
    couples = [set(ids[start : start + 2]) for start in range(0, len(ids), 2)]
    if any(not _is_couple(couple, loose) for couple in couples) or len(ids) != len(set(ids)):
        return None
    return next(iter(next(couple for couple in couples if one in couple) - {one}))


def _is_couple(couple: set[int], loose: _Loose) -> bool:
    if len(couple) != 2 or max(couple) - min(couple) != 1:
        return False
    itself = loose.forward is loose.backward
    return itself or sum(number in loose.forward for number in couple) == 1


def _slug(text: str, taken: set[str]) -> str:
    """The name that HubSpot's own pages derive from a text (D.2)."""
    stem = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_").lstrip("0123456789_") or "label"
    names = (stem if number == 1 else f"{stem}_{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def observe(scope: Scope, reads: Reads) -> Iterator[Resource]:
    """The live labels of every pair whose two directions were read."""
    for from_type, to_type in pairs(scope):
        one, two = segment(from_type, scope.api, reads), segment(to_type, scope.api, reads)
        for live in _live(scope, reads, from_type, to_type):
            attributes = {"label": live.label, **({"inverseLabel": live.inverse} if live.inverse else {})}
            ids = [number for number in live.ids if number is not None]
            facts = {"typeIds": ids, "name": live.name, "category": "USER_DEFINED", "from": one, "to": two}
            yield Resource(NAME, join(NAME, from_type, to_type, live.name), attributes, facts)


# --- what should be --------------------------------------------------------------------------------------------------


def settle(desired: Resource, observed: Resource | None, scope: Scope, reads: Reads) -> Settled:
    """The declared texts over the live ones."""
    from_type, to_type = _pair(desired.address)
    if observed is None:
        return _settle_absent(desired, scope, reads)
    wanted = _texts_after(desired, observed.attributes["label"], observed.attributes.get("inverseLabel"))
    texts = {field: text for field, text in zip(("label", "inverseLabel"), wanted, strict=True) if text is not None}
    if all(same(field, text, observed.attributes.get(field)) for field, text in texts.items()):
        return Settled(observed)
    if "inverseLabel" not in texts:
        why = "the text of the other direction is not known, and HubSpot changes both at once"
        return Settled(observed, findings=(refusal("label-inverse", desired, why, "declare `inverseLabel`"),))
    if findings := tuple(_in_the_way(desired, _labels(scope, reads, from_type, to_type))):
        return Settled(observed, findings=findings)
    return Settled(Resource(NAME, desired.address, texts, observed.facts, desired.source))


def _texts_after(desired: Resource | None, label: str, inverse: str | None) -> tuple[str, str | None]:
    """The texts of a live label after an apply; one that has the same both ways keeps having one."""
    if desired is None or "label" not in desired.attributes:
        return label, inverse
    text = desired.attributes["label"]
    return text, desired.attributes.get("inverseLabel", text if inverse == label else inverse)


def _settle_absent(desired: Resource, scope: Scope, reads: Reads) -> Settled:
    from_type, to_type = _pair(desired.address)
    one, two = segment(from_type, scope.api, reads), segment(to_type, scope.api, reads)
    labels = _labels(scope, reads, from_type, to_type)
    there = {label.name for label in labels}
    adding = sum(label.name not in there for label in _declared(scope, (from_type, to_type)))
    findings = [*_in_the_way(desired, labels), *_too_many(desired, len(labels), adding)]
    if findings:
        return Settled(findings=(findings[0],))
    label = desired.attributes["label"]
    attributes = {"label": label, "inverseLabel": desired.attributes.get("inverseLabel", label)}
    return Settled(Resource(NAME, desired.address, attributes, {"from": one, "to": two}, desired.source))


class _Label(NamedTuple):
    """A live label of a pair as one of its ends sees it: its texts now, and those after an apply."""

    name: str
    known: bool
    now: tuple[str, str | None]
    after: tuple[str, str | None]
    declared: bool
    going: bool  # deleted at the end of the apply


@kept_with_first
def _labels(scope: Scope, reads: Reads, from_type: str, to_type: str) -> tuple[_Label, ...]:
    """The live labels of a pair, also those that are addressed from its other side."""
    ways = [(from_type, to_type)]
    if from_type != to_type and (to_type, from_type) in pairs(scope):
        ways.append((to_type, from_type))
    found = []
    for way in ways:
        for live in _live(scope, reads, *way):
            address = join(NAME, *way, live.name)
            now, after = (live.label, live.inverse), _texts_after(scope.desired.get(address), live.label, live.inverse)
            if way != (from_type, to_type):
                now, after = (now[1] or "", now[0]), (after[1] or "", after[0])
            declared, going = address in scope.desired, address in scope.removed
            found.append(_Label(live.name, live.known, now, after, declared, going))
    return tuple(found)


def _by_side(texts: tuple[str, str | None], itself: bool) -> set[tuple[int, str]]:
    """Texts as HubSpot keeps them apart: by the side of the pair, of which an object with itself has one (N.5)."""
    return {(0 if itself else side, text.casefold()) for side, text in enumerate(texts) if text}


def _in_the_way(desired: Resource, labels: Sequence[_Label]) -> Iterator[Finding]:
    label = desired.attributes["label"]
    from_type, to_type = _pair(desired.address)
    sided = partial(_by_side, itself=from_type == to_type)
    mine = next((one for one in labels if one.name == desired.name), None)
    wanted = sided(mine.after if mine else (label, desired.attributes.get("inverseLabel", label)))
    for one in labels:
        if one is not mine and wanted & sided(one.after):
            texts = sorted({text.casefold() for text in one.now if text})
            called = f", named {one.name}" if one.known else ""
            why = f"the pair has a label with one of these texts already ({' / '.join(texts)}){called}"
            known = f"declare it under the name {one.name}, or choose other texts; a name never changes"
            fix = known if one.known else "declare exactly its texts to own it, or choose other texts"
            if one.declared:
                fix = f"choose other texts, or declare both texts of {one.name}"
            if one.going:
                fix = "apply the removal first: labels are deleted last"
            yield refusal("label-text-taken", desired, why, fix)
            return
    needs = {
        one.name: [other.name for other in labels if other is not one and sided(one.after) & sided(other.now)]
        for one in labels
    }
    if needs_itself(desired.name, needs):
        why = f"it would change texts over with {', '.join(needs[desired.name])}, and HubSpot refuses what is taken"
        yield refusal("label-text-taken", desired, why, "give one of them another text first, and apply that")


def _too_many(desired: Resource, there: int, adding: int) -> Iterator[Finding]:
    if there + adding > MOST:
        why = f"the pair has {there} labels, {adding} would be added, and HubSpot takes {MOST}"
        yield refusal("label-count", desired, why, "remove some first")


def remove(tombstone: Tombstone, observed: Resource, scope: Scope) -> Settled:
    """Every label that people made can be deleted."""
    return Settled()


def same(field: str, one: Json, other: Json) -> bool:
    """Blanks in texts do not count."""
    return same_words(one, other)


def depends_on(resource: Resource) -> Sequence[str]:
    """Labels need nothing that specs declare."""
    return ()


def value_at(resource: Resource, field: "Field") -> tuple[bool, Json]:
    """Labels have flat attributes."""
    return field.path in resource.attributes, resource.attributes.get(field.path)


def fields(difference: Difference) -> "Sequence[Field]":
    """Labels have flat attributes."""
    return difference.fields


def destroys(difference: Difference) -> Sequence[str]:
    """The label, when it goes."""
    return () if difference.after else (difference.address,)


def risk(difference: Difference) -> Risk:
    """Records lose a deleted label for good."""
    return "safe" if difference.after else "irreversible"


def remote(resource: Resource) -> Mapping[str, Json]:
    """The path segments of the pair, and the type ids of a live label."""
    facts = resource.facts
    ids = {"typeIds": list(facts["typeIds"])} if facts.get("typeIds") else {}
    return {"from": facts["from"], "to": facts["to"], **ids}


# --- writing ---------------------------------------------------------------------------------------------------------


def write(change: "Change", api: Api) -> Write:
    """POST, PUT or DELETE; what is there already is never made twice, and both texts are always sent."""
    one, two = change.remote["from"], change.remote["to"]
    path = api.labels(one, two)
    wanted = {field.path: field.after for field in change.fields}
    match change.action:
        case "create":
            answer = yield Request("GET", path)
            if wanted["label"] not in _texts(answer.results).values():
                yield Request("POST", path, {"name": change.name, **wanted}, creates=True)
        case "archive":
            yield Request("DELETE", api.labels(one, two, str(change.remote["typeIds"][0])))
        case _:
            ids = change.remote["typeIds"]
            texts: dict[str, Json] = {}
            for field, ends, type_id in (("label", (one, two), ids[0]), ("inverseLabel", (two, one), ids[-1])):
                if field not in wanted:
                    answer = yield Request("GET", api.labels(*ends))
                    live = _texts(answer.results)
                    if type_id not in live:
                        return  # gone meanwhile; reading back says so
                    texts[field] = live[type_id]
            # A PUT without inverseLabel overwrites both sides (hubspot-api.md D.2).
            yield Request("PUT", path, {"associationTypeId": ids[0], **texts, **wanted})


def write_order(changes: Iterable["Change"]) -> Iterator[list["Change"]]:
    """The changes that may be written side by side, and together, one after the other, those that make way for others.

    HubSpot refuses a text that another label of the pair still has.
    """
    listed = {change.address: change for change in changes}
    giving_up = {text: one.address for one in listed.values() for text in _sides_texts(one, "before")}
    needs = {
        one.address: {giving_up[text] for text in _sides_texts(one, "after") if text in giving_up} - {one.address}
        for one in listed.values()
    }
    waiting = {one for one, needed in needs.items() if needed} | {one for needed in needs.values() for one in needed}
    yield from ([change] for address, change in listed.items() if address not in waiting)
    if waiting:
        yield [listed[address] for address in in_turn(sorted(waiting), needs)]


def _sides_texts(change: "Change", which: str) -> Iterator[tuple[str, str, str]]:
    """The texts of a change, in the direction of the pair that each is read in."""
    start, end = _pair(change.address)
    for field in change.fields if change.action != "archive" else ():
        ends = (start, end) if field.path == "label" else (end, start)
        if text := getattr(field, which):
            yield (*ends, text.casefold())


def counts(change: "Change") -> Iterator[Count]:
    """HubSpot offers no count of records that carry a label (hubspot-api.md I)."""
    yield from ()


def write_scopes(change: "Change") -> Sequence[str]:
    """Either family of scopes opens labels (N.1), so both are named, for the object the label is read from."""
    from_type, _ = _pair(change.address)
    return (*object_types.write_scopes(from_type), f"crm.objects.{from_type}.write")


def rows(resource: Resource) -> Mapping[str, Json]:
    """The texts; one is enough where both are the same."""
    label, inverse = resource.attributes["label"], resource.attributes.get("inverseLabel")
    return {"label": label} if inverse in (None, label) else {"label": label, "inverseLabel": inverse}
