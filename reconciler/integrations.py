"""Integrations: which systems read or write definitions, what they need of them, and what would break them.

``integrations:`` in a spec file names requirements; a pack adds those of a system that many portals use, and rules
for the fields that it can map. A definition is judged as it is declared (``warnings``), as a plan would change it, and
as it drifted (``broken``): a breach of those is only what the change makes worse. What is not met after a plan, and is
none of its doing, is a warning of the plan (``unmet``).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from reconciler.address import decode, encode, join
from reconciler.kinds import Locate, lifecycle_stages, properties
from reconciler.model import Collection as Listed
from reconciler.model import Finding, Json, Resource, Snapshot, Source
from reconciler.object_types import TYPE_IDS

NAME = "integrations"
PACKS = {
    "brevo": "Maps no boolean, drop-down or read-only fields.",
    "marketing-contacts": "`hs_marketable_status` is read only.",
    "salesforce": "The contact properties that its sync maps by default.",
}
STAGE_MIRROR = "lifecyclestage"  # its options mirror the stages of the lifecycle (hubspot-api.md C)

_REQUIREMENT: Json = {
    "title": "Requirement",
    "description": "What has to hold of a property; that it exists always has to.",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "description": "How HubSpot has to store the value.", "examples": ["enumeration"]},
        "fieldType": {"type": "string", "description": "How HubSpot has to show it.", "examples": ["select"]},
        "options": {
            "type": "array",
            "items": {"type": "string", "description": "Internal value of an option."},
            "description": "Options that have to be there, by their internal values.",
        },
        "writable": {"type": "boolean", "description": "true: records can be given a value."},
        "unique": {"type": "boolean", "description": "true: no two records share a value."},
        "hidden": {"type": "boolean", "description": "false: people can see it in HubSpot."},
    },
}
_BY_OBJECT_TYPE: Json = {
    "type": "object",
    "description": "Properties by object type, then by HubSpot's internal name.",
    "additionalProperties": {
        "type": "object",
        "description": "Properties of one object type.",
        "additionalProperties": _REQUIREMENT,
    },
}
SCHEMA: Mapping[str, Json] = {
    "title": "Integrations",
    "description": "Systems that depend on definitions, by a name of yours; what would break one is called breaking.",
    "type": "object",
    "additionalProperties": {
        "title": "Integration",
        "description": "One system, and what it needs.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "pack": {
                "enum": list(PACKS),
                "enumDescriptions": list(PACKS.values()),
                "description": "Known needs of a system that many portals use.",
            },
            "requires": {
                "type": "object",
                "description": "What has to stay as it is.",
                "additionalProperties": False,
                "properties": {"properties": _BY_OBJECT_TYPE},
            },
            "properties": {
                "type": "object",
                "description": "Properties that it reads or writes: the field rules of its pack hold for them.",
                "additionalProperties": {
                    "description": "Properties of one object type.",
                    "oneOf": [
                        {
                            "type": "array",
                            "items": {"type": "string", "minLength": 1, "description": "Internal name of a property."},
                            "description": "Their internal names.",
                        },
                        _BY_OBJECT_TYPE["additionalProperties"],
                    ],
                },
            },
        },
    },
}


class Rule(NamedTuple):
    """Fields that a system cannot map, or something to know of them (advice)."""

    when: Mapping[str, Sequence[Json]]
    why: str
    advice: bool = False


class Integration(NamedTuple):
    """One system: what it needs of which property, what else it reads or writes, and what it cannot map."""

    name: str
    requires: Mapping[str, Mapping[str, Json]]  # by address
    uses: frozenset[str] = frozenset()  # addresses
    rules: tuple[Rule, ...] = ()
    pack: str = ""
    source: Source | None = None

    def consumes(self, address: str, consumers: Iterable[str]) -> bool:
        """Whether it reads or writes a property, by its own entry or by the notes of the property."""
        return address in self.uses or bool({self.name, self.pack or self.name} & set(consumers))


class Breach(NamedTuple):
    """Something that an integration needs and does not find; the path says in which field."""

    integration: str
    path: str
    why: str

    def as_json(self) -> dict[str, Json]:
        """The breach as documents hold it."""
        return {"integration": self.integration, "why": self.why}


# --- the spec side ---------------------------------------------------------------------------------------------------


def parse(section: Mapping[str, Json], locate: Locate) -> Iterator[Integration]:
    """The integrations of a section that the schema accepts."""
    for name, entry in section.items():
        pack = _pack(entry["pack"]) if "pack" in entry else {}
        requires = {**_requirements(pack), **_requirements(entry), **_listed(entry.get("properties", {}))}
        uses = frozenset(_listed(entry.get("properties", {})))
        rules = tuple(Rule(**rule) for rule in pack.get("rules", ()))
        needed = {address: wants for address, wants in requires.items() if address not in uses or wants}
        yield Integration(name, needed, uses, rules, entry.get("pack", ""), locate(NAME, name))


def _requirements(entry: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    return _listed(entry.get("requires", {}).get(properties.NAME, {}))


def _listed(by_type: Mapping[str, Json]) -> dict[str, Mapping[str, Json]]:
    """By address what is wanted of each property; one that is only named is wanted as it is."""
    return {
        join(properties.NAME, object_type, name): names[name] if isinstance(names, Mapping) else {}
        for object_type, names in by_type.items()
        for name in names
    }


@cache
def _pack(name: str) -> Mapping[str, Json]:
    from reconciler.yaml_loader import load

    file = Path(__file__).parent / "packs" / f"{name}.yaml"
    value: Mapping[str, Json] = load(file.read_bytes(), file.name).value
    return value


# --- what is needed and not there ------------------------------------------------------------------------------------


def breaches(integration: Integration, address: str, resource: Resource | None) -> Iterator[Breach]:
    """What one definition lacks that an integration needs; what a partial declaration leaves open lacks nothing."""
    wants = integration.requires.get(address)
    if wants is not None:
        for path, why in _unmet(wants, resource):
            yield Breach(integration.name, path, why)


def _unmet(wants: Mapping[str, Json], resource: Resource | None) -> Iterator[tuple[str, str]]:
    if resource is None:
        yield "", "it needs the property, and it is gone"
        return
    attributes = resource.attributes
    for name in ("type", "fieldType"):
        if name in wants and name in attributes and attributes[name] != wants[name]:
            yield name, f"it needs {name} {wants[name]}, and finds {attributes[name]}"
    yield from _missing_options(wants.get("options", ()), resource)
    if wants.get("writable") and writable(resource) is False:
        yield "readOnlyValue", "it needs to write values, and they are read only"
    if wants.get("unique") and _flag(resource, "hasUniqueValue") is False:
        yield "hasUniqueValue", "it needs unique values, and they are not"
    if wants.get("hidden") is False and _flag(resource, "hidden"):
        yield "hidden", "it needs the property to be visible, and it is hidden"


def _missing_options(wanted: Sequence[str], resource: Resource) -> Iterator[tuple[str, str]]:
    open_list = _declared(resource) and not resource.facts.get("exact")
    if open_list or resource.attributes.get("externalOptions"):
        return  # a declared list is merged into the live one; the entries of an external one are never sent
    for value in wanted:
        if value not in (resource.attributes.get("options") or {}):
            yield f"options/{encode(value)}", f"it needs the option {value}, and it is gone"


def _declared(resource: Resource) -> bool:
    """Whether a resource is a declaration: a live one always has all of the fields that HubSpot sends."""
    return resource.source is not None and "modificationMetadata" not in resource.facts


def writable(resource: Resource) -> bool | None:
    """Whether records can be given a value, as far as that can be told."""
    attributes = resource.attributes
    if attributes.get("calculationFormula") or attributes.get("fieldType") == "calculation_equation":
        return False
    if "calculationFormula" in attributes:
        return True  # it is cleared, whatever was calculated before
    if resource.facts.get("calculated"):
        return False
    read_only = (resource.facts.get("modificationMetadata") or {}).get("readOnlyValue")
    return None if read_only is None else not read_only


def _flag(resource: Resource, name: str) -> bool | None:
    """A flag, whose default is off in a full definition and open in a partial one."""
    if name in resource.attributes:
        return bool(resource.attributes[name])
    return False if "type" in resource.attributes else None


# --- specs -----------------------------------------------------------------------------------------------------------


def warnings(integrations: Sequence[Integration], desired: Snapshot, removed: Iterable[str]) -> Iterator[Finding]:
    """Where the specs contradict what integrations need, at the line of the field."""
    gone = frozenset(removed)
    told: set[str] = set()
    for integration in integrations:
        for address in sorted({*integration.requires, *integration.uses}):
            if resource := desired.get(address):
                for breach in breaches(integration, address, resource):
                    yield _warning("integration-breaking", integration, resource, breach.path, breach.why)
            if lost := sorted(one for one in gone if one == address or one.startswith(f"{address}/options/")):
                removals = list(_removals(integration, address, lost))
                told.update(one.message for one in removals)
                yield from removals
        for resource in desired.of_kind(properties.NAME) if integration.rules else ():
            if integration.consumes(resource.address, _consumers(resource)):
                for rule, path in _held(integration.rules, resource):
                    yield _warning("integration-field-rule", integration, resource, path, rule.why)
    yield from _removals_of_consumed(desired, gone, told)


def _removals_of_consumed(desired: Snapshot, gone: frozenset[str], told: Collection[str]) -> Iterator[Finding]:
    for one in sorted(gone):
        address, _, value = one.partition("/options/")
        if value and (resource := desired.get(address)):
            for name in _consumers(resource):
                why = f"breaks {name}: it needs {one}, which is listed under `removed:`"
                fix = f"drop the removal, or {name} from the consumers of {address}"
                if why not in told:
                    yield Finding("integration-breaking", "warning", why, fix, one, resource.source)


def unmet(
    integrations: Sequence[Integration], desired: Snapshot, planned: Snapshot, lists: Mapping[str, Listed]
) -> Iterator[Finding]:
    """What integrations need and a plan does not bring, beside what the specs themselves contradict."""
    for integration in integrations:
        heads = {one: one.rpartition("/")[0] for one in sorted({*integration.requires, *integration.uses})}
        for address in [one for one, head in heads.items() if head in lists and lists[head].status == "ok"]:
            declared = desired.get(address)
            told = set(breaches(integration, address, declared)) if declared else set()
            for breach in breaches(integration, address, planned.get(address)):
                if breach not in told:
                    yield _lacking(integration, address, breach)
            if address not in integration.requires and address not in planned:
                yield _lacking(integration, address, Breach(integration.name, "", ""))
        for head in sorted(set(heads.values()) - lists.keys()):
            yield _unwatched(integration, head)


def _lacking(integration: Integration, address: str, breach: Breach) -> Finding:
    why, way = f"{address} breaks {integration.name}: {breach.why}", "make it so"
    if not breach.path:
        why, way = f"{integration.name} needs {address}, and neither portal nor specs have it", "bring it back"
    fix = f"{way}, or change the entry of {integration.name}"
    return Finding("integration-unmet", "warning", why, fix, address, integration.source)


def _unwatched(integration: Integration, head: str) -> Finding:
    from reconciler.wording import did_you_mean

    object_type = decode(head.rpartition("/")[2])
    near = "" if object_type in TYPE_IDS else did_you_mean(object_type, TYPE_IDS)
    watch = f"add {object_type} to `watch:`"
    why = f"{integration.name} needs properties of {object_type}, which nobody reads"
    fix = f"{near} Else {watch}" if near else watch
    return Finding("integration-unwatched", "warning", why, fix, f"{head}/*", integration.source)


def _warning(rule: str, integration: Integration, resource: Resource, path: str, why: str) -> Finding:
    message = f"{'breaks' if rule == 'integration-breaking' else 'cannot serve'} {integration.name}: {why}"
    at = f"{resource.address}/{path}" if path.partition("/")[0] in resource.attributes else resource.address
    fix = f"keep what it needs, or change the entry of {integration.name}"
    if integration.source:
        fix += f" at {integration.source}"
    return Finding(rule, "warning", message, fix, at, resource.source)


def _removals(integration: Integration, address: str, lost: Sequence[str]) -> Iterator[Finding]:
    wanted = integration.requires.get(address, {}).get("options", ())
    for one in lost:
        value = decode(one.rpartition("/")[2])
        if one == address or value in wanted or address in integration.uses:
            why = f"breaks {integration.name}: it needs {one}, which is listed under `removed:`"
            fix = f"drop the removal, or change the entry of {integration.name}"
            yield Finding("integration-breaking", "warning", why, fix, one, integration.source)


def _held(rules: Iterable[Rule], resource: Resource) -> Iterator[tuple[Rule, str]]:
    """The rules that hold for a definition, each reason once, and the field that they look at."""
    told: set[str] = set()
    for rule in rules:
        if rule.why not in told and all(_trait(resource, name) in values for name, values in rule.when.items()):
            told.add(rule.why)
            yield rule, next(iter(rule.when))


def _trait(resource: Resource, name: str) -> Json:
    match name:
        case "name":
            return resource.name
        case "writable":
            return writable(resource)
        case "hubspotDefined":
            return bool(resource.facts.get(name) or properties.VENDOR_PREFIX.match(resource.name))
    return resource.attributes.get(name)


def _consumers(resource: Resource | None) -> Sequence[str]:
    meta = resource.facts.get("meta", {}) if resource else {}
    consumers: Sequence[str] = meta.get("consumers", ())
    return consumers


# --- changes and drift -----------------------------------------------------------------------------------------------


def verdicts(
    integrations: Sequence[Integration],
    declared: Resource | None,
    before: Resource | None,
    after: Resource | None,
) -> tuple[Breach, ...]:
    """What a change at one address breaks that was not broken before it."""
    resource = before or after
    assert resource is not None
    if resource.kind == lifecycle_stages.NAME:
        return tuple(_lost_stage(integrations, before, after))
    if resource.kind != properties.NAME:
        return ()
    found = [*_newly_unmet(integrations, before, after), *_newly_unmapped(integrations, declared, before, after)]
    found += _lost_by_consumers(integrations, declared, before, after, {one.integration for one in found})
    return tuple(found)


def _newly_unmet(
    integrations: Iterable[Integration], before: Resource | None, after: Resource | None
) -> Iterator[Breach]:
    address = (before or after).address  # type: ignore[union-attr]
    for integration in integrations:
        known = {breach.path for breach in breaches(integration, address, before)}
        yield from (breach for breach in breaches(integration, address, after) if breach.path not in known)


def _newly_unmapped(
    integrations: Iterable[Integration], declared: Resource | None, before: Resource | None, after: Resource | None
) -> Iterator[Breach]:
    """What a pack cannot map any more; a property that is new is told of by ``warnings``."""
    if before is None or after is None:
        return
    for integration in integrations:
        if integration.consumes(after.address, _consumers(declared)):
            old = {rule.why for rule, _ in _held(integration.rules, before)}
            for rule, path in _held(integration.rules, after):
                if rule.why not in old and not rule.advice:
                    yield Breach(integration.name, "readOnlyValue" if path == "writable" else path, rule.why)


def _lost_by_consumers(
    integrations: Iterable[Integration],
    declared: Resource | None,
    before: Resource | None,
    after: Resource | None,
    told: set[str],
) -> Iterator[Breach]:
    """Whoever reads or writes a property is affected by anything that it loses; each is told once."""
    if before is None:
        return
    names = dict.fromkeys(_consumers(declared))
    names |= dict.fromkeys(one.name for one in integrations if before.address in one.uses)
    losses = list(_losses(before, after))
    for name in names:
        if name not in told:
            yield from (Breach(name, path, f"it reads or writes the property, and {what}") for path, what in losses)


def _losses(before: Resource, after: Resource | None) -> Iterator[tuple[str, str]]:
    if after is None:
        yield "", "it is gone"
        return
    for name in ("type", "fieldType"):
        old, new = before.attributes.get(name), after.attributes.get(name)
        if name in after.attributes and old != new:
            yield name, f"its {name} goes from {old} to {new}"
    if writable(before) and writable(after) is False:
        yield "readOnlyValue", "its values become read only"
    if before.name == STAGE_MIRROR or "options" not in after.attributes:
        return
    for value in before.attributes.get("options") or {}:
        if value not in (after.attributes["options"] or {}):
            yield f"options/{encode(value)}", f"its option {value} is gone"


def _lost_stage(
    integrations: Iterable[Integration], before: Resource | None, after: Resource | None
) -> Iterator[Breach]:
    """A stage is an option of ``lifecyclestage``: who needs the option needs the stage."""
    for object_type in before.attributes if before else ():
        if after is not None and object_type in after.attributes:
            continue
        assert before is not None
        values = {before.name, before.facts.get("ids", {}).get(object_type)}
        address = join(properties.NAME, object_type, STAGE_MIRROR)
        for integration in integrations:
            for value in integration.requires.get(address, {}).get("options", ()):
                if value in values:
                    why = f"it needs the option {value} of {object_type}, and its stage is gone"
                    yield Breach(integration.name, object_type, why)


def referred(integrations: Iterable[Integration]) -> frozenset[str]:
    """Every address that an integration refers to; an option of ``lifecyclestage`` refers to the stage."""
    named = {address for one in integrations for address in (*one.requires, *one.uses)}
    for one in integrations:
        for object_type in lifecycle_stages.OBJECTS:
            wants = one.requires.get(join(properties.NAME, object_type, STAGE_MIRROR), {})
            named.update(join(lifecycle_stages.NAME, value) for value in wants.get("options", ()))
    return frozenset(named)


def share(found: Sequence[Breach], paths: Sequence[Sequence[str]]) -> list[list[Breach]]:
    """Breaches given to the items of one address, to the one that tells of their field, else to the first."""
    shares: list[list[Breach]] = [[] for _ in paths]
    for breach in found:
        index = next((i for i, of_item in enumerate(paths) if _tells(of_item, breach.path)), 0)
        shares[index].append(breach)
    return shares


def _tells(paths: Iterable[str], path: str) -> bool:
    return any(one == path or one.startswith(f"{path}/") or path.startswith(f"{one}/") for one in paths)
