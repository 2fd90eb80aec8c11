"""The baseline: what a portal looked like when somebody last accepted it.

It lives in ``baselines/<portal>/``, one JSON file per kind and object type, written so that ``git diff`` reads as a
history: keys sorted, one definition a block, an option a line. It serves attribution and drift only; losing it makes
reports less precise and never makes an apply more dangerous.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from reconciler import address as addresses
from reconciler import small_files
from reconciler.errors import UsageError
from reconciler.kinds import properties
from reconciler.model import Json, Resource, Snapshot
from reconciler.order import moved as moving

FORMAT_VERSION = "1.0"
NOT_OURS = ("accepted.json",)  # what else may stand in the directory
STAGES = "lifecycleStages"  # one file for the lifecycle of contacts and companies

# The facts that drift, attribution and the kinds need. ``archived`` is kept because only the definitions that are
# HubSpot's own everywhere lack the key (real-drift.md 2).
_FACTS: Mapping[str, tuple[str, ...]] = {
    "properties": (
        "archived",
        "calculated",
        "createdAt",
        "createdUserId",
        "declaredFormula",
        "hubspotDefined",
        "modificationMetadata",
        "sensitiveDataCategories",
        "updatedAt",
        "updatedUserId",
    ),
    "propertyGroups": (),
    STAGES: ("ids", "stages"),
    "associationLabels": ("category", "name", "typeIds"),
}
_STAGE_FACTS = ("createdAt", "id", "metadata", "updatedAt")


class Baseline(NamedTuple):
    """Accepted definitions, which of them the specs managed, and the collections that were recorded whole.

    ``digest`` is a fingerprint of the files that it was loaded from: reports name it, nothing is decided from it.
    """

    snapshot: Snapshot = Snapshot()
    managed: frozenset[str] = frozenset()
    collections: frozenset[str] = frozenset()
    portal_id: int | None = None
    digest: str = ""


# --- moving it -------------------------------------------------------------------------------------------------------


def moved(
    known: Baseline | None,
    observed: Snapshot,
    taken: Iterable[str],
    *,
    managed: frozenset[str] | None = None,
    collections: Iterable[str] = (),
    declared_formulas: Mapping[str, str] | None = None,
) -> Baseline:
    """The baseline with some addresses as they are observed now, absent ones dropped; the others stay."""
    before = known or Baseline()
    listed = list(taken)
    formulas = declared_formulas or {}
    fresh = [_accepted(observed[one], before.snapshot.get(one), formulas) for one in listed if one in observed]
    snapshot = before.snapshot.replaced(fresh, [one for one in listed if one not in observed])
    if any(one.kind == STAGES for one in fresh):
        snapshot = snapshot.replaced(_renumbered(snapshot, observed, set(listed)))
    return Baseline(
        snapshot,
        before.managed if managed is None else managed,
        before.collections | frozenset(collections),
        before.portal_id,
    )


def _accepted(observed: Resource, known: Resource | None, formulas: Mapping[str, str]) -> Resource:
    facts = kept_facts(observed)
    declared = formulas.get(observed.address) or _formula_still_declared(observed, known)
    if declared:
        facts["declaredFormula"] = declared
    return Resource(observed.kind, observed.address, observed.attributes, facts)


def kept_facts(resource: Resource) -> dict[str, Json]:
    """The part of what HubSpot says about a definition that is worth remembering."""
    names = _FACTS.get(resource.kind, resource.facts)
    facts = {name: resource.facts[name] for name in names if name in resource.facts}
    if resource.kind == "properties":
        facts.update(_unusual(resource.facts))
    if "stages" in facts:
        facts["stages"] = {
            object_type: {name: raw[name] for name in _STAGE_FACTS if name in raw}
            for object_type, raw in facts["stages"].items()
        }
    return facts


def _unusual(facts: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """What drift has to know of an answer that was not as HubSpot's answers are today: missing keys, shared numbers."""
    if missing := properties.unsent(facts):
        yield "unsent", sorted(missing)
    numbers = properties.option_numbers(facts)
    if len(set(numbers.values())) < len(numbers):
        yield "optionNumbers", dict(numbers)


def _formula_still_declared(observed: Resource, known: Resource | None) -> Json:
    """HubSpot rewrites formulas (hubspot-api.md A.11): what was declared holds while its canonical form stays."""
    if known and known.attributes.get("calculationFormula") == observed.attributes.get("calculationFormula"):
        return known.facts.get("declaredFormula")
    return None


def _renumbered(snapshot: Snapshot, observed: Snapshot, taken: set[str]) -> Iterator[Resource]:
    """Every stage with a position that fits the others': a position tells only order, and that is what was accepted."""
    stages = {one.address: one for one in snapshot.of_kind(STAGES)}
    attributes = {address: dict(one.attributes) for address, one in stages.items()}
    for object_type in sorted({name for one in stages.values() for name in one.attributes}):
        there = [one for one in stages.values() if _position(one, object_type) is not None]
        for address, place in _places(there, observed, taken, object_type).items():
            attributes[address][object_type] = {**attributes[address][object_type], "position": place}
    for address, one in stages.items():
        yield Resource(one.kind, one.address, attributes[address], one.facts)


def _places(stages: Iterable[Resource], observed: Snapshot, taken: set[str], object_type: str) -> dict[str, int]:
    """The live position; where the order of what is not taken has drifted, places in the order that was accepted."""
    known = {one.address: _position(one, object_type) or 0 for one in stages}
    live = {
        one: place for one in known if one in observed and (place := _position(observed[one], object_type)) is not None
    }
    then = sorted(known.keys() - taken, key=lambda address: (known[address], address))
    gone_or_moved = {one for one in then if one not in live}
    gone_or_moved |= moving([one for one in then if one in live], sorted(live, key=lambda address: live[address]))
    if not gone_or_moved:
        return live
    order = sorted(live.keys() - gone_or_moved, key=lambda address: live[address])
    for index, address in enumerate(then):
        if address in gone_or_moved:
            order.insert(order.index(then[index - 1]) + 1 if index else 0, address)
    return {address: place for place, address in enumerate(order)}


def _position(stage: Resource, object_type: str) -> int | None:
    here = stage.attributes.get(object_type)
    return here.get("position") if isinstance(here, Mapping) else None


# --- files -----------------------------------------------------------------------------------------------------------


def load(directory: Path) -> Baseline | None:
    """The baseline in a directory; none where there is no file of one."""
    if not directory.is_dir():
        return None
    files = [path for path in sorted(directory.glob("*.json")) if path.name[0] != "." and path.name not in NOT_OURS]
    resources: list[Resource] = []
    managed: set[str] = set()
    collections: set[str] = set()
    portals: dict[int, Path] = {}
    fingerprint = hashlib.sha256()
    for path in files:
        document = _read(path, fingerprint.update)
        try:
            head = addresses.join(document["kind"], *document["scope"])
            resources += _resources(document["kind"], head, document["definitions"])
            managed.update(f"{head}/{addresses.encode(name)}" for name in document["managed"])
            collections.update(document["collections"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise _unusable(path, "is not a baseline that this tool wrote") from error
        if path.name != _file_name(head):
            raise _unusable(path, f"holds what belongs into {_file_name(head)}")
        if document.get("portalId") is not None:
            portals.setdefault(document["portalId"], path)
    if len(portals) > 1:
        raise _unusable(list(portals.values())[-1], "and its neighbours are of different portals")
    if not files:
        return None
    return Baseline(
        Snapshot(resources),
        frozenset(managed),
        frozenset(collections),
        next(iter(portals), None),
        f"sha256:{fingerprint.hexdigest()}",
    )


def _read(path: Path, also: Callable[[bytes], None]) -> dict[str, Json]:
    try:
        data = path.read_bytes()
        document = json.loads(data)
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        from reconciler.wording import not_json

        raise _unusable(path, not_json(error)) from error
    version = document.get("formatVersion") if isinstance(document, dict) else None
    major = version.partition(".")[0] if isinstance(version, str) else ""
    if not major.isdecimal():
        raise _unusable(path, "is not a baseline that this tool wrote")
    if int(major) > int(FORMAT_VERSION.partition(".")[0]):
        message = f"{path} has format {version}; this version reads {FORMAT_VERSION}"
        raise UsageError(message, where=str(path), hint="use the version of reconciler that wrote it")
    also(data)
    return document  # type: ignore[no-any-return]


def _unusable(path: Path, why: str) -> UsageError:
    hint = f"restore it with `git checkout -- {path}`, or delete it and run `reconciler accept --all` for a new one"
    return UsageError(f"{path} {why}", where=str(path), hint=hint)


def _resources(kind: str, head: str, definitions: Mapping[str, dict[str, Json]]) -> Iterator[Resource]:
    for name, attributes in definitions.items():
        facts = dict(attributes.pop("facts"))
        if "options" in attributes:
            attributes["options"] = {option.pop("value"): _option(option) for option in attributes["options"]}
        yield Resource(kind, f"{head}/{addresses.encode(name)}", attributes, facts)


def _option(option: dict[str, Json]) -> Mapping[str, Json]:
    """An option with its keys in the order that the portal's own answer is read in; in the file they are sorted."""
    if "label" not in option:
        return option
    if len(option) == 1:
        return properties.plain_option(option["label"])
    return {"label": option.pop("label"), **option}


def save(directory: Path, baseline: Baseline, beside: Mapping[Path, str | bytes] = MappingProxyType({})) -> None:
    """Writes the files that changed and others beside them, all or none, and removes those that became empty."""
    texts = {directory / name: _text(document) for name, document in _documents(baseline).items()}
    changed = {path: text for path, text in texts.items() if not path.exists() or path.read_bytes() != text}
    small_files.write({**beside, **changed})
    for path in directory.glob("*.json"):
        if path not in texts and path.name not in NOT_OURS and path.name[0] != ".":
            path.unlink()


def _documents(baseline: Baseline) -> dict[str, dict[str, Json]]:
    """The files of a baseline by name."""
    documents: dict[str, dict[str, Json]] = {}

    def of(head: str) -> dict[str, Json]:
        name = _file_name(head)
        if name not in documents:
            kind, *scope = addresses.split(head)
            documents[name] = {
                "formatVersion": FORMAT_VERSION,
                "portalId": baseline.portal_id,
                "kind": kind,
                "scope": scope,
                "collections": [],
                "managed": [],
                "definitions": {},
            }
        return documents[name]

    for collection in sorted(baseline.collections):
        of(STAGES if collection.startswith(STAGES) else collection)["collections"].append(collection)
    for address in sorted(baseline.managed):
        head, _, name = address.rpartition("/")
        of(head)["managed"].append(addresses.decode(name))
    for address, resource in baseline.snapshot.items():
        head, _, name = address.rpartition("/")
        of(head)["definitions"][addresses.decode(name)] = _block(resource)
    return documents


def _block(resource: Resource) -> dict[str, Json]:
    block = {**resource.attributes, "facts": resource.facts}
    if "options" in block:
        block["options"] = [{"value": value, **option} for value, option in block["options"].items()]
    return block


def _file_name(head: str) -> str:
    return ".".join(part.replace(".", "%2E") for part in head.split("/")) + ".json"


_compact = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
_EXPANDED = 3  # how deep a value has its own line: the file, its sections, a definition, its options and facts
_INVISIBLE = "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"  # compiled only when a baseline is written


def _text(document: Mapping[str, Json]) -> bytes:
    """One file; signs that could fool whoever looks at a diff of it are escaped."""
    text = re.sub(_INVISIBLE, lambda found: f"\\u{ord(found[0]):04x}", _pretty(document, 0))
    return (text + "\n").encode("utf-8", "backslashreplace")  # lone surrogates become their JSON escape


def _pretty(value: Json, depth: int) -> str:
    if not value or depth > _EXPANDED or not isinstance(value, (Mapping, list)):
        return _compact(value)
    inner = "\n" + "  " * (depth + 1)
    if isinstance(value, list):
        return "[" + inner + f",{inner}".join(_pretty(one, depth + 1) for one in value) + "\n" + "  " * depth + "]"
    entries = (f"{_compact(key)}: {_pretty(value[key], depth + 1)}" for key in sorted(value))
    return "{" + inner + f",{inner}".join(entries) + "\n" + "  " * depth + "}"
