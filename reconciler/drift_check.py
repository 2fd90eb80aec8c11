"""Runs a drift check: reads the portal, and compares it with the baseline."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from reconciler import baseline as baselines
from reconciler import coverage, drift, ignore, integrations, report, spec
from reconciler.baseline import Baseline
from reconciler.drift import Drift
from reconciler.errors import UsageError
from reconciler.ignore import IgnoreRule
from reconciler.integrations import Breach, Integration
from reconciler.model import Collection, Finding, Json, Snapshot
from reconciler.observe import ListSource, Observation
from reconciler.quiet import normalised_json
from reconciler.receipts import OwnWrites, own_writes
from reconciler.spec import Spec
from reconciler.workspace import Workspace

ACCEPTED = "accepted.json"  # beside the baseline: what was accepted for a while only, and why


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody asked of a drift check on the command line."""

    only: tuple[str, ...] = ()
    fail_on: str = ""
    show_normalised: bool = False
    limits: bool = False


def check(workspace: Workspace, source: ListSource, wishes: Wishes, now: datetime) -> dict[str, Json]:
    """What moved since the last accept, as a document."""
    return checked(workspace, declared(workspace), source, wishes, now)


def checked(
    workspace: Workspace, loaded: Spec | None, source: ListSource, wishes: Wishes, now: datetime
) -> dict[str, Json]:
    """The same for specs that were loaded before."""
    known = workspace.baseline
    assert known is not None
    portal_id = workspace.check_identity(source)
    observation = workspace.observe(source, workspace.scope(loaded, baselined=True))
    settings, today = workspace.settings, now.date()
    wrote = own_writes(workspace.receipts, now)
    ignored = ignore.in_force(settings.ignore, today)
    found = detected(known, observation, loaded, wishes.only, ignored, wrote)
    held = coverage.measured(observation.snapshot, loaded.desired if loaded else Snapshot(), known.managed, ignored)
    items = [_with_acceptance(item, workspace, now.date()) for item in drift.drift_items_json(found)]
    document = {
        **report.header("drift", workspace.portal_json(portal_id), now),
        **({"failOn": wishes.fail_on} if wishes.fail_on else {}),
        "baseline": {"digest": baselines.digest(known)},
        "complete": observation.complete,
        "reads": report.reads_json(observation.collections),
        "items": items,
        "muted": [one.as_json() for one in found.muted],
        **({"normalised": normalised_json(found.normalised)} if wishes.show_normalised else {}),
        "coverage": {**held, **(coverage.limits(source, workspace.api) if wishes.limits else {})},
        "findings": [one.as_json() for one in _rule_findings(settings.ignore, known, observation, today)],
        "errors": nothing_read(observation),
    }
    return report.finished(document)


def declared(workspace: Workspace) -> Spec | None:
    """The specs where there are any; a portal can be watched without."""
    loaded = spec.load(workspace.directory, workspace.portal.name) if spec.has_specs(workspace.directory) else None
    if loaded and any(finding.severity == "error" for finding in loaded.findings):
        raise UsageError("the specs have errors", hint="`reconciler validate` names them")
    return loaded


def detected(
    known: Baseline,
    observation: Observation,
    loaded: Spec | None,
    only: Sequence[str] = (),
    ignored: Sequence[IgnoreRule] = (),
    wrote: OwnWrites | None = None,
) -> Drift:
    """What moved and is not ignored, with the specs as far as there are any, and which integrations it breaks."""
    desired = loaded.desired if loaded else Snapshot()
    systems = loaded.integrations if loaded else ()
    live = ignore.copied(known.snapshot, observation.snapshot, ignored)
    found = drift.detect(
        known,
        live,
        desired,
        observation.collections,
        removed=frozenset(loaded.removed) if loaded else frozenset(),
        receipts=wrote,
        referred=integrations.referred(systems),
        only=only,
    )
    return with_breaches(found, known.snapshot, live, desired, systems, observation.collections)


def with_breaches(
    found: Drift,
    before: Snapshot,
    after: Snapshot,
    desired: Snapshot,
    systems: Sequence[Integration],
    collections: Mapping[str, Collection],
) -> Drift:
    """The drift with the integrations that each item breaks."""
    paths: dict[str, list[list[str]]] = {}
    for item in found.items:
        paths.setdefault(item.address, []).append([one.change.path for one in item.fields])
    unread = {name.rpartition("/")[2] for name, one in collections.items() if one.status != "ok"}
    shares = {}
    for address, of_items in paths.items():
        breaches = _breaches(address, before, after, desired, systems)
        read = [one for one in breaches if one.path not in unread]  # a stage lies in two lists
        shares[address] = iter(integrations.share(read, of_items))
    items = [
        replace(one, breaks=tuple(breach.as_json() for breach in next(shares[one.address]))) for one in found.items
    ]
    return replace(found, items=tuple(items))


def _breaches(
    address: str, before: Snapshot, after: Snapshot, desired: Snapshot, systems: Sequence[Integration]
) -> Sequence[Breach]:
    old, new = before.get(address), after.get(address)
    return integrations.verdicts(systems, desired.get(address), old, new) if old or new else ()


def _rule_findings(
    rules: Sequence[IgnoreRule], known: Baseline, observation: Observation, today: date
) -> Iterator[Finding]:
    yield from ignore.expired(rules, today)
    sides = [known.snapshot, observation.snapshot]
    yield from ignore.unused(ignore.in_force(rules, today), sides, observation.collections)


def nothing_read(observation: Observation) -> list[dict[str, Json]]:
    """A check that could read nothing at all has checked nothing."""
    bad = [one for one in observation.collections.values() if one.status not in ("ok", "not_read")]
    if not bad or any(one.status == "ok" for one in observation.collections.values()):
        return []
    code = "unavailable" if all(one.status == "unavailable" for one in bad) else "access"
    return [report.error_json(code, "no list of the portal could be read", hint=bad[0].detail)]


def remember(path: Path, entries: Iterable[Mapping[str, Json]], today: date) -> None:
    """Keeps what was accepted for a while only, and drops what has expired."""
    kept = [entry for entry in _remembered(path) if date.fromisoformat(entry["until"]) >= today]
    by_fingerprint = {entry["fingerprint"]: entry for entry in [*kept, *entries]}
    ordered = sorted(by_fingerprint.values(), key=lambda entry: (entry["address"], entry["fingerprint"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _remembered(path: Path) -> list[dict[str, Json]]:
    if not path.exists():
        return []
    try:
        entries: list[dict[str, Json]] = json.loads(path.read_bytes())
        return [entry for entry in entries if date.fromisoformat(entry["until"]) and entry["fingerprint"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        hint = f"restore it with `git checkout -- {path}`, or delete it"
        raise UsageError(f"{path} cannot be read: {error!r}", where=str(path), hint=hint) from error


def _with_acceptance(item: dict[str, Json], workspace: Workspace, today: date) -> dict[str, Json]:
    for entry in _remembered(workspace.baseline_directory / ACCEPTED):
        if entry["fingerprint"] == item["fingerprint"] and date.fromisoformat(entry["until"]) >= today:
            return {**item, "accepted": {"reason": entry["reason"], "until": entry["until"]}}
    return item
