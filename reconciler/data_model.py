"""What a plan or drift does to the shape of the CRM: association labels and lifecycle stages, before and after.

Documents hold it beside their changes so that pages can draw it; nothing is decided from it.
"""

from collections.abc import Iterator, Mapping

from reconciler import address as addresses
from reconciler.model import Json, Resource, Snapshot

LABELS, STAGES = "associationLabels", "lifecycleStages"


def data_model(before: Snapshot, after: Snapshot) -> dict[str, Json]:
    """The labels of both sides with what becomes of each, and the stages in order; empty where there are neither."""
    labels = _labels(before, after)
    stages = {side: _stages(snapshot) for side, snapshot in (("before", before), ("after", after))}
    if not labels and not any(stages.values()):
        return {}
    objects = sorted({end for label in labels for end in (label["from"], label["to"])})
    return {"objects": objects, "associationLabels": labels, "lifecycleStages": stages}


def pictured(side: Snapshot) -> Iterator[Resource]:
    """All that a picture shows of a side."""
    return (one for one in side.values() if one.kind in (LABELS, STAGES))


def _labels(before: Snapshot, after: Snapshot) -> list[dict[str, Json]]:
    there = {one.address: one for side in (before, after) for one in side.of_kind(LABELS)}
    return [_label(address, before.get(address), after.get(address)) for address in sorted(there)]


def _label(address: str, before: Resource | None, after: Resource | None) -> dict[str, Json]:
    shown = after or before
    assert shown is not None
    _, from_type, to_type, *_ = addresses.split(address)
    return {
        "address": address,
        "from": from_type,
        "to": to_type,
        "label": shown.attributes.get("label", shown.name),
        "inverseLabel": shown.attributes.get("inverseLabel"),
        "state": _state(before, after),
    }


def _state(before: Resource | None, after: Resource | None) -> str:
    if before is None or after is None:
        return "added" if before is None else "removed"
    texts = [(one.attributes.get("label"), one.attributes.get("inverseLabel")) for one in (before, after)]
    return "same" if texts[0] == texts[1] else "changed"


def _stages(side: Snapshot) -> list[dict[str, Json]]:
    placed = [(_place(one), one) for one in side.of_kind(STAGES)]
    ordered = sorted(placed, key=lambda pair: (pair[0].get("position", len(placed)), pair[1].address))
    return [{"name": one.name, "label": place.get("label", one.name)} for place, one in ordered]


def _place(stage: Resource) -> Mapping[str, Json]:
    """The label and position of a stage, of contacts where contacts have it."""
    of_objects = {name: one for name, one in stage.attributes.items() if isinstance(one, Mapping)}
    return of_objects.get("contacts") or next(iter(of_objects.values()), stage.attributes)
