"""What later steps of a pipeline want to know of a run: names and values, each on one line."""

import json
from collections.abc import Mapping, Sequence

from reconciler.model import Json
from reconciler.render import escape
from reconciler.render.summaries import summary, totals
from reconciler.render.words import WRITES, drift_items, is_destructive


def of(documents: Mapping[str, Mapping[str, Json]], code: int) -> dict[str, str]:
    """The outputs of a run: counts over all its portals, and the digest where there is one portal."""
    all_of = list(documents.values())
    counts = [totals(document) for document in all_of]
    digests = {portal: document["digest"] for portal, document in documents.items() if document.get("digest")}
    told = " ".join(summary(document) for document in all_of)
    return {
        "exit-code": str(code),
        "has-changes": _yes(any(map(has_changes, all_of))),
        "has-destructive": _yes(any(is_destructive(change) for document in all_of for change in _writes(document))),
        "has-drift": _yes(any(open_items(document) for document in all_of)),
        "blocked": _yes(any(map(is_blocked, all_of))),
        "creates": str(sum(found["create"] + found["restore"] for found in counts)),
        "updates": str(sum(found["update"] for found in counts)),
        "deletes": str(sum(found["archive"] for found in counts)),
        "plan-digest": next(iter(digests.values())) if len(digests) == 1 else "",
        "plan-digests": json.dumps(digests, sort_keys=True),
        "summary": escape.terminal(told),
    }


def has_changes(document: Mapping[str, Json]) -> bool:
    """Whether a plan would write, or an apply did or tried to."""
    return bool(_writes(document))


def is_blocked(document: Mapping[str, Json]) -> bool:
    """Whether a guard or a conflict stands in the way of it."""
    guards = [*document.get("guards", ()), *(g for change in _writes(document) for g in change.get("guards", ()))]
    return any(guard["result"] == "refused" for guard in guards) or document["exit"]["name"] in ("blocked", "stale")


def open_items(document: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """The drift that nobody accepted."""
    return drift_items(document) if "items" in document else []


def _writes(document: Mapping[str, Json]) -> Sequence[Mapping[str, Json]]:
    return [change for change in document.get("changes", ()) if change["action"] in WRITES]


def _yes(value: bool) -> str:
    return "true" if value else "false"


def lines(outputs: Mapping[str, str]) -> str:
    """The text for the file that GitHub reads them from; no value has a line break, so none can forge another."""
    assert not any("\n" in value or "\r" in value for value in outputs.values())
    return "".join(f"{name}={value}\n" for name, value in outputs.items())
