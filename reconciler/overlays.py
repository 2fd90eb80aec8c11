"""Overlays: what one portal has otherwise, laid over the specs that all portals share.

An entry of an overlay names only what differs. It is merged with the shared entry of the same address: fields replace
fields, options and their fields go by value and into the order that the overlay has, an exact list replaces the whole
list. An entry that the shared specs do not have is added. Every merged field keeps its origin, so that each message and
the plan can name the file and line.
"""

from collections.abc import Callable, Iterator, Mapping

from reconciler.address import encode
from reconciler.kinds import lifecycle_stages
from reconciler.kinds.properties import OVERWRITTEN
from reconciler.model import Finding, Json, Resource, Source
from reconciler.order import merged_order

DIRECTORY = "overlays"  # in the specs directory, one folder a portal
ORIGINS = "origins"  # the fact that says where the merged fields of a resource stand: by path below its address


def laid_over(shared: Resource, own: Resource, place: Callable[[str], Source]) -> Resource:
    """A shared entry with what one portal has otherwise; the places of its fields come from ``place``."""
    facts = {**shared.facts, **_own_facts(shared, own)}
    attributes = dict(shared.attributes)
    origins = dict(shared.facts.get(ORIGINS, {}))
    for name, value in own.attributes.items():
        before = attributes.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping) and not own.facts.get("exact"):
            attributes[name] = {
                key: {**before.get(key, {}), **value[key]} if key in value else before[key]
                for key in merged_order(list(before), list(value))
            }
            origins.update((f"{name}/{encode(key)}", place(f"{name}/{encode(key)}")) for key in value)
        else:
            attributes[name] = value
            origins[name] = place(name)
    return Resource(shared.kind, shared.address, attributes, {**facts, ORIGINS: origins}, shared.source)


def _own_facts(shared: Resource, own: Resource) -> dict[str, Json]:
    facts = dict(own.facts)
    if OVERWRITTEN in shared.facts and "options" in own.attributes:
        shared_too = [] if own.facts.get("exact") else shared.facts[OVERWRITTEN]
        facts[OVERWRITTEN] = [*shared_too, *facts.get(OVERWRITTEN, ())]
    if "meta" in facts:
        facts["meta"] = {**shared.facts.get("meta", {}), **facts["meta"]}
    if shared.kind == lifecycle_stages.NAME:
        facts["orders"] = [*shared.facts["orders"], *own.facts["orders"]]
    return facts


def origin(resource: Resource, field: str) -> Source | None:
    """Where a field of a declared resource, or something in it, was given by an overlay; nothing where it was not."""
    origins = resource.facts.get(ORIGINS)
    if not origins:
        return None
    parts = field.split("/")
    found = (origins.get("/".join(parts[:length])) for length in range(len(parts), 0, -1))
    return next((place for place in found if place), None)


def _options(resource: Resource) -> list[str]:
    return list(resource.attributes.get("options", ()))


def without_effect(shared: Resource, own: Resource, merged: Resource) -> Iterator[Finding]:
    """An entry that changes nothing of the shared one: a mistake, or left over from a change of the shared specs."""
    said = {key: value for key, value in merged.facts.items() if key not in (ORIGINS, OVERWRITTEN)}
    before = {key: value for key, value in shared.facts.items() if key not in (ORIGINS, OVERWRITTEN)}
    if merged.attributes == shared.attributes and said == before and _options(merged) == _options(shared):
        why = f"this overlay changes nothing of {own.address}, which is declared so at {shared.source}"
        yield Finding("overlay-without-effect", "error", why, "drop it", own.address, own.source)
