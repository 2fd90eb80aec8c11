"""Accepts drift: moves the baseline to what is live, in whole or for what was chosen, or remembers it for a while."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from reconciler import acceptances, ignore, report, small_files
from reconciler import baseline as baselines
from reconciler.address import any_covers
from reconciler.baseline import Baseline
from reconciler.drift import UNREADABLE, WHOLE, Drift, DriftItem, leads_to
from reconciler.drift_check import ACCEPTED, declared, detected, refuse_unread, unbaselined, with_acceptances
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
    directory = workspace.baseline_directory
    taken = sorted({item.address for item in items})
    if not until:
        taken, findings, moved = _move(known, observation, choice, items)
        workspace.save_baseline(moved, acceptances.added(directory, findings, consent))
    elif items:
        text = with_acceptances(directory / ACCEPTED, map(_lasting(consent), items), today)
        small_files.write({directory / ACCEPTED: text, **acceptances.added(directory, map(finding_of, items), consent)})
    named = frozenset(taken)
    unsettled = [one for one in otherwise(scope, observation, ignored) if one.address in named]
    return Accepted(taken, unsettled, [item.address for item in chosen if item not in items])


def otherwise(scope: Scope, observation: Observation, ignored: Sequence[IgnoreRule]) -> list[Change]:
    """What the specs declare and want otherwise than it is live, whatever a baseline says."""
    changes = build(Inputs(scope, observation, ignored=tuple(ignored))).writes
    return [one for one in changes if one.action != "archive" and one.declared]


def _lasting(consent: Mapping[str, Json]) -> Callable[[DriftItem], dict[str, Json]]:
    """What is remembered of a finding that is accepted for a while."""
    lasting = {name: consent[name] for name in ("by", "reason", "until") if consent[name]}
    return lambda item: {**lasting, "address": item.address, "fingerprint": item.fingerprint}


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


class Move(NamedTuple):
    """What becomes of a baseline: the definitions that are accepted, what is written down of it, and where it moves."""

    addresses: list[str]
    findings: list[dict[str, Json]]
    baseline: Baseline


def _move(known: Baseline | None, observation: Observation, choice: Choice, items: Sequence[DriftItem]) -> Move:
    if known is None:
        return _first(observation, choice)
    begun, live = _begun(observation, known, choice), observation.snapshot
    new = {one for one in live if within(one, begun)}
    addresses = sorted({item.address for item in items} | new)
    findings = [*map(finding_of, items), *({"address": one} for one in acceptances.patterns(begun))]
    if choice.everything:
        taken = {one for one in {*live, *known.snapshot} if not observation.unreadable(one)}
        return Move(addresses, findings, baselines.moved(known, live, taken, collections=observation.listed))
    accepted = _accepted(items, known.snapshot, live, choice)
    live = live.replaced(filter(None, accepted.values()))
    return Move(addresses, findings, baselines.moved(known, live, {*accepted, *new}, collections=begun))


def _first(observation: Observation, choice: Choice) -> Move:
    """The first baseline of a portal: every list that could be read, whole."""
    fresh = observation.listed
    taken = {address for address in observation.snapshot if within(address, fresh)}
    named = sorted(one for one in taken if choice.everything or any_covers(choice.patterns, one))
    findings: list[dict[str, Json]] = [{"address": one} for one in choice.patterns or ["*"]]
    return Move(named, findings, baselines.moved(None, observation.snapshot, taken, collections=fresh))


def _begun(observation: Observation, known: Baseline, choice: Choice) -> frozenset[str]:
    """The lists that a baseline begins to hold: those without one of which somebody named all that is in them."""
    lacking = unbaselined(known, observation)
    return frozenset(one for one in lacking if choice.everything or any_covers(choice.patterns, f"{one}/*"))


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
