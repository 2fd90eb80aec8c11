"""Accepts drift: moves the baseline to what is live, in whole or for what was chosen, or remembers it for a while."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from reconciler import acceptances, ignore, report
from reconciler import baseline as baselines
from reconciler.address import any_covers
from reconciler.baseline import Baseline
from reconciler.drift import UNREADABLE, WHOLE, Drift, DriftItem, leads_to
from reconciler.drift_check import ACCEPTED, declared, detected, refuse_unread, remember, unbaselined
from reconciler.errors import UsageError
from reconciler.ignore import IgnoreRule
from reconciler.kinds import Scope
from reconciler.model import Json, Resource, Snapshot
from reconciler.observe import ListSource, Observation, within
from reconciler.plan import Change, Inputs, build
from reconciler.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody accepts: address patterns, classes of drift, or both together; nothing of them means all."""

    patterns: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing was named."""
        return not self.patterns and not self.classes

    def takes(self, item: DriftItem) -> bool:
        """Whether an item is accepted, in whole or in part."""
        if self.classes and item.drift_class not in self.classes:
            return False
        return not self.patterns or self._whole(item) or any(True for _ in self._parts(item))

    def rules(self, item: DriftItem) -> Iterator[IgnoreRule]:
        """What of a definition is accepted with an item."""
        if self.patterns and not self._whole(item):
            yield from self._parts(item)
        elif item.drift_class.endswith(WHOLE):
            yield IgnoreRule(item.address, "")
        else:
            yield IgnoreRule(item.address, "", tuple(one.change.path for one in item.fields))

    def _whole(self, item: DriftItem) -> bool:
        return any_covers(self.patterns, item.address)

    def _parts(self, item: DriftItem) -> Iterator[IgnoreRule]:
        """The fields or options that a pattern leads to."""
        for path in (one.change.path for one in item.fields):
            if any_covers(self.patterns, f"{item.address}/{path}"):
                yield IgnoreRule(item.address, "", (path,))


class Accepted(NamedTuple):
    """What somebody accepted: definitions, what an apply would do to some of them all the same, and unread lists."""

    addresses: Sequence[str]
    unsettled: Sequence[Change] = ()
    unread: Sequence[str] = ()  # lists that were chosen as well and could not be read


def accept(
    workspace: Workspace, source: ListSource, choice: Choice, reason: str, until: date | None, now: datetime
) -> Accepted:
    """Moves the baseline to what is live, or remembers that some of it is accepted for a while; and by whom and why.

    No baseline can say what stands in a list that was not read, so without it is accepted for a while or not at all.
    """
    today = now.date()
    if until and until < today:
        raise UsageError(f"{until} is past, so nothing would be accepted", hint=f"--until {today} or later")
    loaded, known = declared(workspace), workspace.baseline
    if known is None and (choice.classes or until):
        hint = f"make one with `{workspace.command('import')}` or `{workspace.command('accept --all')}`"
        raise UsageError(f"portal {workspace.portal.name} has no baseline yet, so nothing has moved", hint=hint)
    scope = workspace.scope(loaded, baselined=True)
    observation = workspace.observe(source, scope)
    refuse_unread(observation)
    ignored = ignore.in_force(workspace.settings.ignore, today)
    found = detected(known, observation, loaded, ignored=ignored) if known else Drift((), ())
    _check(choice.patterns, observation, known)
    chosen = [item for item in found.items if choice.takes(item)]
    items = [item for item in chosen if until or item.drift_class != UNREADABLE]
    consent = {"at": report.stamp(now), "by": workspace.author, "reason": reason, "until": until and until.isoformat()}
    if until is None and known is None:
        taken, findings = _first(workspace, observation, choice), [{"address": one} for one in choice.patterns or ["*"]]
    else:
        begun = _begun(observation, known, choice) if known and not until else ()
        taken = sorted({item.address for item in items} | {one for one in observation.snapshot if within(one, begun)})
        findings = [*(finding_of(item) for item in items), *({"address": f"{name}/*"} for name in sorted(begun))]
        _take(workspace, observation, choice, items, consent, today)
    acceptances.append(workspace.baseline_directory, findings, consent)
    named = frozenset(taken)
    unsettled = [one for one in otherwise(scope, observation, ignored) if one.address in named]
    return Accepted(taken, unsettled, [item.address for item in chosen if item not in items])


def otherwise(scope: Scope, observation: Observation, ignored: Sequence[IgnoreRule]) -> list[Change]:
    """What the specs declare and want otherwise than it is live, whatever a baseline says."""
    changes = build(Inputs(scope, observation, ignored=tuple(ignored))).writes
    return [one for one in changes if one.action != "archive" and one.declared]


def _take(
    workspace: Workspace,
    observation: Observation,
    choice: Choice,
    items: Sequence[DriftItem],
    consent: Mapping[str, Json],
    today: date,
) -> None:
    known = workspace.baseline
    if consent["until"]:
        lasting = {name: consent[name] for name in ("by", "reason", "until") if consent[name]}
        entries = [{**lasting, "address": one.address, "fingerprint": one.fingerprint} for one in items]
        remember(workspace.baseline_directory / ACCEPTED, entries, today)
        return
    assert known is not None
    if choice.everything:
        _move_all(workspace, observation, known)
    else:
        _move(workspace, observation, known, choice, items)


def finding_of(item: DriftItem) -> dict[str, Json]:
    """What is written down of a finding that somebody accepts."""
    return {"address": item.address, "class": item.drift_class, "fingerprint": item.fingerprint}


def _check(patterns: Iterable[str], observation: Observation, known: Baseline | None) -> None:
    there = {*observation.snapshot, *(known.snapshot if known else ())}
    for pattern in patterns:
        if not any(leads_to(pattern, address) for address in there if not observation.unreadable(address)):
            from reconciler.wording import did_you_mean

            hint = did_you_mean(pattern, there) or "see `reconciler drift`"
            raise UsageError(f"nothing in the portal or the baseline is called {pattern}", hint=hint)


def _first(workspace: Workspace, observation: Observation, choice: Choice) -> list[str]:
    """The first baseline of a portal: every list that could be read, whole."""
    fresh = frozenset(name for name, one in observation.collections.items() if one.status == "ok")
    taken = {address for address in observation.snapshot if within(address, fresh)}
    _save(workspace, None, observation.snapshot, taken, fresh)
    return sorted(one for one in taken if choice.everything or any_covers(choice.patterns, one))


def _move_all(workspace: Workspace, observation: Observation, known: Baseline) -> None:
    """The baseline as the portal is, as far as that could be read."""
    fresh = frozenset(name for name, one in observation.collections.items() if one.status == "ok")
    taken = {one for one in {*observation.snapshot, *known.snapshot} if not observation.unreadable(one)}
    _save(workspace, known, observation.snapshot, taken, fresh)


def _move(
    workspace: Workspace, observation: Observation, known: Baseline, choice: Choice, items: Sequence[DriftItem]
) -> None:
    begun = _begun(observation, known, choice)
    accepted = _accepted(items, known.snapshot, observation.snapshot, choice)
    live = observation.snapshot.replaced(filter(None, accepted.values()))
    _save(workspace, known, live, {*accepted, *(one for one in live if within(one, begun))}, begun)


def _begun(observation: Observation, known: Baseline, choice: Choice) -> frozenset[str]:
    """The lists that a baseline begins to hold: those without one of which somebody named all that is in them."""
    lacking = unbaselined(known, observation)
    return frozenset(one for one in lacking if choice.everything or any_covers(choice.patterns, f"{one}/*"))


def _save(
    workspace: Workspace, known: Baseline | None, live: Snapshot, taken: Iterable[str], collections: frozenset[str]
) -> None:
    workspace.save_baseline(
        baselines.moved(known, live, taken, collections=collections, portal_id=workspace.portal.portal_id)
    )


def _accepted(
    items: Sequence[DriftItem], before: Snapshot, live: Snapshot, choice: Choice
) -> dict[str, Resource | None]:
    """The definitions as they are accepted now: each as it was, with what was chosen as it is live."""
    rules: dict[str, list[IgnoreRule]] = {}
    for item in items:
        rules.setdefault(item.address, []).extend(choice.rules(item))
    return {address: merged(before.get(address), live.get(address), chosen) for address, chosen in rules.items()}


def merged(known: Resource | None, live: Resource | None, chosen: Sequence[IgnoreRule]) -> Resource | None:
    """A definition as it was accepted, with what the rules cover as it is live."""
    if known is None or live is None:
        return live
    after = ignore.copied(Snapshot([live]), Snapshot([known]), chosen)[live.address]
    return live if after.attributes == live.attributes else after
