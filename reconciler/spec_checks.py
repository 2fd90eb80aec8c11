"""What no single entry shows: the same thing twice, something both declared and removed, names nobody knows."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from reconciler import overlays
from reconciler.address import join, matches, split
from reconciler.integrations import Integration
from reconciler.kinds import Kind, association_labels, kinds, lifecycle_stages, properties, property_groups
from reconciler.model import Finding, Resource, Snapshot, Tombstone
from reconciler.object_types import TYPE_IDS
from reconciler.schema import depth, entry_schema

_BY_TYPE_ID = {type_id: name for name, type_id in TYPE_IDS.items()}
# HubSpot takes singular names, too; those of newer object types can be names of custom objects in older portals.
CLASSIC = {"contact": "contacts", "company": "companies", "deal": "deals", "ticket": "tickets"}
CLASSIC |= {"product": "products", "line_item": "line_items", "quote": "quotes"}


def misnamed(object_type: str) -> str:
    """The one way to write an object type that HubSpot also knows by other names; nothing when it is written so."""
    plain = object_type.lower()
    proper = _BY_TYPE_ID.get(plain) or CLASSIC.get(plain) or (plain if plain in CLASSIC.values() else object_type)
    return proper if proper != object_type else ""


def misdirected(pattern: str) -> tuple[str, str] | None:
    """Why a pattern of addresses can never name anything, and the way out."""
    first, *below = pattern.split("/")
    meant = [kind for kind in kinds() if matches(first, kind.NAME)]
    if not meant:
        return f"{pattern} names no kind of definition", _near_kind(first)
    scopes = min(depth(kind.SCHEMA) for kind in meant) - 1
    wrong = ((one, proper) for one in below[:scopes] if (proper := misnamed(one)))
    return next(((f"{one} is written {proper} here", f"write {proper}") for one, proper in wrong), None)


def _near_kind(name: str) -> str:
    from reconciler.wording import did_you_mean

    known = [kind.NAME for kind in kinds()]
    return did_you_mean(name, known) or f"begin with one of {', '.join(known)}"


def united(first: Resource, second: Resource) -> Resource | None:
    """One thing that two places may declare: a stage, in lists of two files that each say something of it."""
    if first.kind != lifecycle_stages.NAME or not first.source or not second.source:
        return None
    return lifecycle_stages.unite(first, second) if first.source.file != second.source.file else None


def across(resources: Snapshot, removed: Mapping[str, Tombstone]) -> Iterator[Finding]:
    """What is wrong between entries."""
    yield from object_types(resources.values())
    yield from groups(resources, removed)
    yield from lifecycle_stages.conflicts(resources.of_kind(lifecycle_stages.NAME))
    yield from association_labels.direction_conflicts(resources.of_kind(association_labels.NAME))
    for stone in removed.values():
        yield from declared_and_removed(resources, stone)


def object_types(resources: Iterable[Resource]) -> Iterator[Finding]:
    """Object types under one name only: an address is an identity."""
    first = {resource.address.rpartition("/")[0]: resource for resource in resources}
    for head, resource in first.items():
        for object_type in dict.fromkeys(split(head)[1:]):
            if proper := misnamed(object_type):
                yield _about(resource, "object-type-name", f"{object_type} is written {proper} here", f"write {proper}")
            elif near := _near_object_type(object_type):
                why = f"{object_type} is taken for a custom object"
                yield _about(resource, "unknown-object-type", why, f"did you mean {near}?", "warning")


def object_types_needed(integrations: Iterable[Integration]) -> Iterator[Finding]:
    """The same of what integrations need, or their requirements would never meet a definition."""
    for one in integrations:
        for object_type in dict.fromkeys(split(address)[1] for address in (*one.requires, *sorted(one.uses))):
            if proper := misnamed(object_type):
                why, fix = f"{object_type} is written {proper} here", f"write {proper}"
                yield Finding("object-type-name", "error", why, fix, join("integrations", one.name), one.source)


# What HubSpot has beside what a portal may choose (hubspot-api.md A.4).
_TYPES: Mapping[str, frozenset[str]] = {
    "type": frozenset({*properties.FIELD_TYPES, "object_coordinates", "json"}),
    "fieldType": frozenset(chain(*properties.FIELD_TYPES.values()))
    | {"calculation_read_time", "calculation_rollup", "calculation_score"},
}


def types_needed(integrations: Iterable[Integration]) -> Iterator[Finding]:
    """Requirements that no property can meet; a warning, for HubSpot may have a new type any day."""
    for one in integrations:
        for address, wants in one.requires.items():
            for name, known in _TYPES.items():
                if name in wants and wants[name] not in known:
                    why = f"{one.name} needs {name} {wants[name]} of {address}, and HubSpot knows none such"
                    yield Finding("integration-type", "warning", why, _near(wants[name], known), address, one.source)


def _near(word: str, known: Iterable[str]) -> str:
    from reconciler.wording import did_you_mean

    return did_you_mean(word, known) or f"write one of {', '.join(sorted(known))}"


def _near_object_type(object_type: str) -> str:
    if object_type in TYPE_IDS:
        return ""
    from difflib import get_close_matches

    return next(iter(get_close_matches(object_type.lower(), CLASSIC.values(), 1, 0.85)), "")


def groups(resources: Mapping[str, Resource], removed: Mapping[str, Tombstone]) -> Iterator[Finding]:
    """Groups that neither the specs nor HubSpot's own lists know; the portal may have them, so it is a warning."""
    told: set[tuple[str, str]] = set()  # section and object type, group: one warning for all of its properties
    for address, resource in resources.items():
        group = resource.attributes.get("groupName")
        if group is None or group in property_groups.DEFAULT_GROUPS:
            continue
        place = (address.rpartition("/")[0], group)
        if place not in told:
            findings = list(_group(resource, group, resources, removed))
            yield from findings
            told |= set() if any(one.severity == "error" for one in findings) else {place}


def _group(
    resource: Resource, group: str, resources: Mapping[str, Resource], removed: Mapping[str, Tombstone]
) -> Iterator[Finding]:
    address = join(property_groups.NAME, resource.object_type, group)
    if address in removed:
        why = f"group {group} is listed under `removed:` at {removed[address].source}"
        yield _about(resource, "unknown-group", why, "move the property to another group", at="groupName")
    elif address not in resources:
        why = f"group {group} is neither in the specs nor one of HubSpot's own"
        fix = _near_group(resource.object_type, group, resources)
        yield _about(resource, "unknown-group", why, fix, "warning", "groupName")


def _near_group(object_type: str, group: str, resources: Mapping[str, Resource]) -> str:
    from reconciler.wording import did_you_mean

    head = join(property_groups.NAME, object_type) + "/"
    declared = [split(address)[-1] for address in resources if address.startswith(head)]
    near = did_you_mean(group, [*declared, *property_groups.DEFAULT_GROUPS])
    return near or f"declare it under `propertyGroups: {object_type}:`, unless the portal has it"


def tombstone(stone: Tombstone) -> Iterator[Finding]:
    """A removal has to name something of a kind that specs know, and something that is a portal's own."""
    names = split(stone.address)
    known = {kind.NAME: kind for kind in kinds()}
    if names[0] not in known:
        yield _gone(stone, "removed-address", f"{stone.address} names no kind of definition", _near_kind(names[0]))
    elif problem := _misshapen(names, known[names[0]]):
        yield _gone(stone, "removed-address", f"{stone.address} names no definition", problem)
    else:
        yield from _not_removable(stone, names)


def _misshapen(names: tuple[str, ...], kind: Kind) -> str:
    """How an address of this kind looks, unless it looks so."""
    length = 1 + depth(kind.SCHEMA)
    with_options = "options" in entry_schema(kind.SCHEMA).get("properties", {})
    shapes = {
        2: f"{kind.NAME}/NAME",
        3: f"{kind.NAME}/OBJECT_TYPE/NAME",
        4: f"{kind.NAME}/OBJECT_TYPE/OBJECT_TYPE/NAME",
    }
    if all(names) and len(names) == length:
        return ""
    if with_options and all(names) and len(names) == length + 2 and names[length] == "options":
        return ""
    option = f", or {shapes[length]}/options/VALUE" if with_options else ""
    return f"write {shapes[length]}{option}; a / inside a name is written %2F"


def _not_removable(stone: Tombstone, names: tuple[str, ...]) -> Iterator[Finding]:
    for object_type in dict.fromkeys(names[1:-1] if names[0] != properties.NAME else names[1:2]):
        if proper := misnamed(object_type):
            yield _gone(stone, "object-type-name", f"{object_type} is written {proper} here", f"write {proper}")
    if names[0] == properties.NAME and len(names) == 3 and properties.VENDOR_PREFIX.match(names[2]):
        why = f"{names[2]} is HubSpot's or an integration's, by its prefix, and is never archived"
        yield _gone(stone, "removed-vendor", why, "drop the line; to stop managing it, drop its entry instead")
    if names[0] == property_groups.NAME and names[2] in property_groups.DEFAULT_GROUPS:
        why = f"{names[2]} is a group of HubSpot's own, and is never archived"
        yield _gone(stone, "removed-vendor", why, "drop the line")
    if names[0] == lifecycle_stages.NAME and names[1] in lifecycle_stages.DEFAULTS:
        why = f"{names[1]} is a stage of HubSpot's own, and is never deleted"
        yield _gone(stone, "removed-vendor", why, "drop the line")


def declared_and_removed(resources: Mapping[str, Resource], stone: Tombstone) -> Iterator[Finding]:
    """Nothing can be wanted and unwanted."""
    resource, option = resources.get(stone.address), ""
    if resource is None:
        owner, _, option = stone.address.partition("/options/")
        resource = resources.get(owner) if option else None
        if resource is None or split(option)[0] not in (resource.attributes.get("options") or ()):
            return
    declared = overlays.origin(resource, f"options/{option}") or resource.source
    why = f"{stone.address} is declared at {declared} and removed here"
    yield _gone(stone, "declared-and-removed", why, "drop one of the two")


def _about(resource: Resource, rule: str, message: str, fix: str, severity: str = "error", at: str = "") -> Finding:
    address = f"{resource.address}/{at}" if at else resource.address
    return Finding(rule, severity, message, fix, address, resource.source)  # type: ignore[arg-type]


def _gone(stone: Tombstone, rule: str, message: str, fix: str) -> Finding:
    return Finding(rule, "error", message, fix, stone.address, stone.source)
