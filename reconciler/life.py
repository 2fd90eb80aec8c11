"""The life of a finding: new, ongoing, accepted, reopened, resolved; told from what earlier checks wrote down.

A finding is known by its fingerprint, which stays while it stays as it is. It is *new* in the check that sees it first
and *ongoing* from then on. It is *reopened* when its acceptance has expired, when it comes back after it was resolved,
and when what was accepted at its address moves again. What a check did not look at stays as it was.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from reconciler.model import Json

SEVERITIES = ("high", "medium", "low", "info")
OPEN, ACCEPTED, RESOLVED = "open", "accepted", "resolved"
TRANSITIONS = ("new", "reopened")  # what `--new-only` tells
DAYS = 366  # a longer timeline holds the last check of each day

Item = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a finding from earlier checks."""

    fingerprint: str
    address: str
    drift_class: str
    since: str
    state: str


@dataclass(frozen=True, slots=True)
class Past:
    """All that earlier checks of a portal wrote down."""

    findings: Mapping[str, Known] = field(default_factory=dict)
    timeline: Sequence[Mapping[str, Json]] = ()


@dataclass(frozen=True, slots=True)
class Now:
    """The findings of a check with their lives, what was resolved, and the record to keep."""

    items: Sequence[dict[str, Json]]
    resolved: Sequence[dict[str, Json]]
    timeline: Sequence[Mapping[str, Json]]
    record: Mapping[str, Json]


def remembered(records: Iterable[Mapping[str, Json]]) -> Past:
    """The past as the records of earlier checks, in their order, add up to it."""
    findings: dict[str, Known] = {}
    timeline: list[Mapping[str, Json]] = []
    for record in records:
        for event in record["events"]:
            _apply(event, record["at"], findings)
        timeline.append({"at": record["at"], **record["counts"]})
    return Past(findings, timeline)


def _apply(event: Mapping[str, Json], at: str, findings: dict[str, Known]) -> None:
    fingerprint = event["fingerprint"]
    known = findings.get(fingerprint)
    if event["event"] == RESOLVED:
        if known:
            findings[fingerprint] = replace(known, state=RESOLVED)
        return
    since = known.since if known and event["event"] not in TRANSITIONS else event.get("since", at)
    if known and known.state == OPEN and event["event"] == "new":
        since = known.since  # two checks at once both called it new
    state = ACCEPTED if event["event"] == ACCEPTED else OPEN
    findings[fingerprint] = Known(fingerprint, event["address"], event["class"], since, state)


def told(
    items: Sequence[Item],
    past: Past,
    at: str,
    looked_at: Callable[[str], bool],
    consents: Mapping[str, Mapping[str, Json]] | None = None,
) -> Now:
    """The lives of what a check found; ``looked_at`` says whether it could have seen a finding at an address.

    ``consents`` say by fingerprint who moved the baseline to what was found, when and why.
    """
    lived = [{**item, "life": _life(item, past, at)} for item in items]
    here = {item["fingerprint"] for item in items}
    gone = [
        known
        for known in past.findings.values()
        if known.state != RESOLVED and known.fingerprint not in here and looked_at(known.address)
    ]
    resolved = [
        {
            "fingerprint": one.fingerprint,
            "address": one.address,
            "class": one.drift_class,
            "since": one.since,
            "resolvedAt": at,
            **_consent(one, consents or {}),
        }
        for one in sorted(gone, key=lambda one: (one.address, one.drift_class))
    ]
    events = [*filter(None, (_event(item, past) for item in lived)), *({**one, "event": RESOLVED} for one in resolved)]
    moved_on = {(item["address"], item["class"]) for item in items}
    resolved = [one for one in resolved if (one["address"], one["class"]) not in moved_on]
    counts = _counts(lived, len(resolved))
    timeline = _thinned([*past.timeline, {"at": at, **counts}])
    return Now(lived, resolved, timeline, {"at": at, "counts": counts, "events": events})


def _consent(known: Known, consents: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    """That somebody accepted a finding, and did so in this life of it."""
    consent = consents.get(known.fingerprint, {})
    return {"accepted": dict(consent)} if consent.get("at", "") >= known.since else {}


def _life(item: Item, past: Past, at: str) -> dict[str, Json]:
    known = past.findings.get(item["fingerprint"])
    if item.get("accepted"):
        return {"state": ACCEPTED, "since": known.since if known and known.state != RESOLVED else at}
    if known is None:
        return {"state": "reopened" if _moved_again(item, past) else "new", "since": at}
    if known.state == OPEN:
        return {"state": "ongoing", "since": known.since}
    return {"state": "reopened", "since": at}


def _moved_again(item: Item, past: Past) -> bool:
    """Whether something else was accepted of the same kind at the same address."""
    return any(
        one.state == ACCEPTED and one.address == item["address"] and one.drift_class == item["class"]
        for one in past.findings.values()
    )


def _event(item: Item, past: Past) -> dict[str, Json] | None:
    """What is worth writing down of a finding: that it came, came back, or was accepted."""
    state, known = item["life"]["state"], past.findings.get(item["fingerprint"])
    if state == "ongoing" or (state == ACCEPTED and known and known.state == ACCEPTED):
        return None
    consent = item.get("accepted") or {}
    return {
        "event": state,
        "fingerprint": item["fingerprint"],
        "address": item["address"],
        "class": item["class"],
        "severity": item["severity"],
        "since": item["life"]["since"],
        **{name: consent[name] for name in ("by", "reason", "until") if consent.get(name)},
    }


def _counts(items: Sequence[Item], resolved: int) -> dict[str, Json]:
    open_ones = [item for item in items if not item.get("accepted")]
    found = Counter(item["severity"] for item in open_ones)
    return {
        "open": len(open_ones),
        "new": sum(item["life"]["state"] in TRANSITIONS for item in items),
        "resolved": resolved,
        "bySeverity": {severity: found[severity] for severity in SEVERITIES},
    }


def _thinned(timeline: Sequence[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    """A timeline that can be drawn: the last check of each day, with what came and went on it, once it is long."""
    if len(timeline) <= DAYS:
        return list(timeline)
    days = [list(points) for _, points in groupby(timeline, key=lambda point: str(point["at"])[:10])]
    return [
        {**points[-1], **{name: sum(one[name] for one in points) for name in ("new", "resolved")}} for points in days
    ]
