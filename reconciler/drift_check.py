"""Runs a drift check: reads the portal, and compares it with the baseline."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from shlex import quote

from reconciler import (
    acceptances,
    coverage,
    drift,
    history,
    ignore,
    integrations,
    life,
    people,
    report,
    spec,
    upkeep,
)
from reconciler.address import any_covers, covers
from reconciler.attribution import known_until
from reconciler.baseline import Baseline
from reconciler.data_model import data_model, pictured
from reconciler.drift import Drift
from reconciler.errors import AccessError, UnavailableError, UsageError
from reconciler.ignore import IgnoreRule
from reconciler.integrations import Breach, Integration
from reconciler.model import Collection, Finding, Json, Snapshot
from reconciler.observe import Observation, observe, read, within
from reconciler.oddities import understood
from reconciler.quiet import Muted, normalised_json
from reconciler.receipts import OwnWrites, own_writes
from reconciler.spec import Spec
from reconciler.wording import enumerated
from reconciler.workspace import Workspace

ACCEPTED = "accepted.json"  # beside the baseline: what was accepted for a while only, and why


def refuse(missing: Sequence[UsageError]) -> None:
    """Ends a partial check of something that nobody knows, which would say for ever that nothing moved."""
    if missing:
        raise missing[0]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody asked of a drift check on the command line."""

    only: tuple[str, ...] = ()
    fail_on: str = ""
    show_normalised: bool = False
    limits: bool = False
    history: Path | None = None
    new_only: bool = False
    sought: Callable[[Sequence[UsageError]], None] = refuse  # is told which of `only` name nothing here


@dataclass(frozen=True, slots=True)
class Checked:
    """A drift check's document, and what its history should keep of it once somebody has been told."""

    document: dict[str, Json]
    record: Mapping[str, Json] | None = None


def refuse_without_baseline(workspace: Workspace) -> None:
    """Ends a check that has nothing to compare with."""
    if workspace.baseline is None:
        hint = f"make one with `{workspace.command('import')}` or `{workspace.command('accept --all')}`"
        raise UsageError(f"portal {workspace.portal.name} has no baseline yet", hint=hint)


def check(workspace: Workspace, source: people.Source, wishes: Wishes, now: datetime) -> dict[str, Json]:
    """What moved since the last accept, as a document."""
    return checked(workspace, lambda: declared(workspace), source, wishes, now).document


def checked(
    workspace: Workspace, specs: Callable[[], Spec | None], source: people.Source, wishes: Wishes, now: datetime
) -> Checked:
    """The same with its life, as far as a history tells; of a portal at rest nobody needs to know what specs say."""
    known = workspace.baseline
    assert known is not None
    portal_id = workspace.check_identity(source)
    today = now.date()
    ignored = ignore.in_force(workspace.settings.ignore, today)
    written = own_writes(workspace.receipts, now, portal_id)
    observation, loaded, found, notes = _looked(workspace, specs, source, wishes, ignored, written)
    wishes.sought(_missing(wishes.only, known, observation, specs))
    held = coverage.measured(observation, loaded.desired if loaded else known.managed, ignored)
    items = _items(found, workspace, today)
    lived = _lives(items, workspace, observation, wishes, now) if wishes.history else None
    lacking = unbaselined(known, observation, wishes.only)
    in_part = [name for name in lacking if any(within(address, (name,)) for address in known.snapshot)]
    unknown = [name for name in lacking if name not in in_part]
    findings = (
        *upkeep.findings(workspace, observation, known.snapshot, today, written.unread),
        *_known_in_part(workspace, in_part),
        *notes,
    )
    by = "specs" if loaded else "baseline"
    document = {
        **report.header("drift", workspace.portal_json(portal_id), now),
        **({"failOn": wishes.fail_on} if wishes.fail_on else {}),
        "baseline": {"digest": known.digest},
        "complete": observation.complete,
        "reads": report.reads_json(observation.collections),
        **(_told(lived, wishes) if lived else {"items": items}),
        "muted": [one.as_json() for one in (*found.muted, *_ignored(known, observation, ignored, wishes.only))],
        **({"normalised": normalised_json(found.normalised)} if wishes.show_normalised else {}),
        "coverage": {**held, "by": by, **(coverage.limits(source, workspace.api) if wishes.limits else {})},
        **_pictured(known, observation),
        "findings": [one.as_json() for one in findings],
        "errors": [*nothing_read(observation), *_unknown(workspace, unknown)],
    }
    return Checked(report.finished(document), lived.record if lived else None)


def _looked(
    workspace: Workspace,
    specs: Callable[[], Spec | None],
    source: people.Source,
    wishes: Wishes,
    ignored: Sequence[IgnoreRule],
    written: OwnWrites,
) -> tuple[Observation, Spec | None, Drift, Sequence[Finding]]:
    """What is live, the specs where something moved, what that is, and notes on who moved it."""
    known = workspace.baseline
    assert known is not None
    observation = workspace.observe(source, workspace.scope(None, baselined=True))
    if observation.at_rest(known.snapshot):
        return observation, None, Drift((), ()), ()
    if loaded := specs():  # they may name what nobody else does, and declare what is not watched
        scope = workspace.scope(loaded, baselined=True)
        observation = observe(scope, read(source, scope, known=observation.reads))
    found = detected(known, observation, loaded, wishes.only, ignored, written)
    return observation, loaded, *attributed(workspace, found, source)


def attributed(workspace: Workspace, found: Drift, source: people.Source) -> tuple[Drift, list[Finding]]:
    """The drift with the people behind it, as far as the portal tells, and notes on what it does not."""
    known = workspace.baseline
    assert known is not None
    return people.attributed(found, source, workspace.api, _newest(known), workspace.token)


def _items(found: Drift, workspace: Workspace, today: date) -> Sequence[dict[str, Json]]:
    """What moved as documents hold it, with what was accepted of it for a while."""
    entries = sorted(_remembered(workspace.baseline_directory / ACCEPTED), key=lambda entry: str(entry["until"]))
    accepted = {entry["fingerprint"]: entry for entry in entries}
    return [_with_acceptance(item, accepted, today) for item in drift.drift_items_json(found, workspace.flags)]


def _missing(
    only: Sequence[str], known: Baseline, observation: Observation, specs: Callable[[], Spec | None]
) -> list[UsageError]:
    """The patterns that name nothing which this portal, its baseline or the specs know."""
    lists = observation.collections
    there = {*observation.snapshot, *known.snapshot, *(name for name, one in lists.items() if one.status != "ok")}
    unknown = [one for one in only if not _names(one, there) and not any(covers(one, name) for name in lists)]
    loaded = specs() if unknown else None
    there |= {*loaded.desired, *loaded.removed} if loaded else set()
    return [_nothing_called(pattern, there) for pattern in unknown if not _names(pattern, there)]


def _nothing_called(pattern: str, there: Iterable[str]) -> UsageError:
    from reconciler.wording import did_you_mean

    hint = did_you_mean(pattern, there) or "see `reconciler drift` without --only"
    return UsageError(f"nothing in the portal, the baseline or the specs is called {pattern}", hint=hint)


def _names(pattern: str, addresses: Iterable[str]) -> bool:
    return any(drift.leads_to(pattern, one) for one in addresses)


def _ignored(
    known: Baseline, observation: Observation, ignored: Sequence[IgnoreRule], only: Sequence[str]
) -> Iterator[Muted]:
    """What moved and is ignored, by the reason of the rule: never told, and never forgotten."""
    causes: dict[str, list[str]] = {}
    for address, rule in ignore.silenced(known.snapshot, observation.snapshot, ignored):
        looked_at = not observation.unreadable(address) and drift.led_to(only, address)
        if looked_at and (address in known.snapshot or within(address, known.collections)):
            causes.setdefault(f"ignored: {rule.reason}", []).append(address)
    for cause, addresses in sorted(causes.items()):
        yield Muted(cause, len(addresses), tuple(sorted(addresses)))


def _newest(known: Baseline) -> str:
    """The latest time that the baseline knows of: what an audit trail tells from before it is accepted already."""
    return max(map(known_until, known.snapshot.values()), default="")


def _lives(
    items: Sequence[dict[str, Json]], workspace: Workspace, observation: Observation, wishes: Wishes, now: datetime
) -> life.Now:
    assert wishes.history is not None
    past = life.remembered(history.records(wishes.history, workspace.portal.name))

    def looked_at(address: str) -> bool:
        head = address.rpartition("/")[0]
        lists = observation.collections
        here = [one for name, one in lists.items() if name in (address, head) or name.startswith(f"{head}/")]
        asked = not wishes.only or any_covers(wishes.only, address)
        return asked and bool(here) and all(one.status == "ok" for one in here)

    consents = acceptances.for_good(acceptances.load(workspace.baseline_directory))
    return life.told(items, past, report.stamp(now), looked_at, consents)


def _told(lived: life.Now, wishes: Wishes) -> dict[str, Json]:
    """What a document holds of lives: all, or with `--new-only` what came, with a count of what stays."""
    document = {"items": lived.items, "resolved": lived.resolved, "timeline": lived.timeline}
    if not wishes.new_only:
        return document
    states = Counter(item["life"]["state"] for item in lived.items)
    held = {"ongoing": states["ongoing"], "accepted": states["accepted"]}
    items = [item for item in lived.items if item["life"]["state"] in life.TRANSITIONS]
    return {**document, "items": items, "newOnly": True, "held": held}


def _pictured(known: Baseline, observation: Observation) -> dict[str, Json]:
    """Labels and stages of the baseline and of the portal, of the lists that both of them hold."""
    before = [one for one in pictured(known.snapshot) if not observation.unreadable(one.address)]
    after = [one for one in pictured(observation.snapshot) if within(one.address, known.collections)]
    model = data_model(Snapshot(before), Snapshot(after))
    return {"model": model} if model else {}


def declared(workspace: Workspace) -> Spec | None:
    """The specs where there are any; a portal can be watched without."""
    loaded = spec.load(workspace.directory, workspace.portal.name) if spec.has_specs(workspace.directory) else None
    if loaded and (errors := [one for one in loaded.findings if one.severity == "error"]):
        from reconciler.wording import report as told

        hint = f"mend them first: `{workspace.command('validate')}`"
        raise UsageError(f"the specs have errors\n{told(errors)}", hint=hint)
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
    with understood(observation.reads):
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


def nothing_read(observation: Observation) -> list[dict[str, Json]]:
    """A check that could read nothing at all has checked nothing."""
    bad = [one for one in observation.collections.values() if one.status not in ("ok", "not_read")]
    if not bad or any(one.status == "ok" for one in observation.collections.values()):
        return []
    code = "unavailable" if all(one.status == "unavailable" for one in bad) else "access"
    return [report.error_json(code, "no list of the portal could be read", hint=bad[0].detail)]


def refuse_unread(observation: Observation) -> None:
    """Ends a run that needs the portal where no list of it could be read."""
    for error in nothing_read(observation):
        told = UnavailableError if error["code"] == UnavailableError.code else AccessError
        raise told(error["message"], hint=error["hint"])


def unbaselined(known: Baseline, observation: Observation, only: Sequence[str] = ()) -> list[str]:
    """The lists that were read, and that somebody asks about, and that no baseline holds whole."""
    asked = [
        name
        for name in observation.listed - known.collections
        if not only or any(drift.leads_to(one, name) for one in only)
    ]
    return sorted(asked)


def _unknown(workspace: Workspace, lists: Sequence[str]) -> list[dict[str, Json]]:
    if not lists:
        return []
    message = f"there is no baseline of {enumerated(lists)}, so nobody can tell what moved there"
    return [report.error_json("usage", message, hint=beginning(workspace, lists))]


def _known_in_part(workspace: Workspace, lists: Sequence[str]) -> Iterator[Finding]:
    """What a saved plan wrote is known by itself; what else is in its list is not (CONTRACT 6)."""
    if lists:
        message = f"of {enumerated(lists)} the baseline holds only what was applied, so nobody can tell what else moved"
        yield Finding("baseline-in-part", "warning", message, beginning(workspace, lists))


def beginning(workspace: Workspace, lists: Iterable[str]) -> str:
    """The command that begins the baseline of these lists."""
    return workspace.command(f'accept {" ".join(map(quote, acceptances.patterns(lists)))} --reason "..."')


def with_acceptances(path: Path, entries: Iterable[Mapping[str, Json]], today: date) -> str:
    """The file of what was accepted for a while only, with more of it and without what has expired."""
    kept = [entry for entry in _remembered(path) if date.fromisoformat(entry["until"]) >= today]
    by_fingerprint = {entry["fingerprint"]: entry for entry in [*kept, *entries]}
    ordered = sorted(by_fingerprint.values(), key=lambda entry: (entry["address"], entry["fingerprint"]))
    return json.dumps(ordered, indent=1, ensure_ascii=False) + "\n"


def _remembered(path: Path) -> list[dict[str, Json]]:
    if not path.exists():
        return []
    try:
        entries: list[dict[str, Json]] = json.loads(path.read_bytes())
        return [entry for entry in entries if date.fromisoformat(entry["until"]) and entry["fingerprint"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        hint = f"restore it with `git checkout -- {path}`, or delete it"
        raise UsageError(f"{path} cannot be read: it is no list of acceptances", where=str(path), hint=hint) from error


def _with_acceptance(item: dict[str, Json], accepted: Mapping[str, Json], today: date) -> dict[str, Json]:
    entry = accepted.get(item["fingerprint"])
    if entry is None or date.fromisoformat(entry["until"]) < today:
        return item
    return {**item, "accepted": {name: entry[name] for name in ("by", "reason", "until") if entry.get(name)}}
