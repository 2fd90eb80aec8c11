"""Ignore rules: parts of the portal that somebody decided to leave alone, with the same meaning everywhere.

What a rule covers is copied from the one side to the other before anything is compared: into the planned snapshot in a
plan, from the baseline onto the live one in drift. Nothing is filtered out of a comparison afterwards.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain
from typing import NamedTuple

from reconciler.address import covers, encode, join, matches, split
from reconciler.diff import field_changes
from reconciler.model import Collection, Finding, Json, Resource, Snapshot, Source, Tombstone
from reconciler.overlays import origin

STAGES = "lifecycleStages"  # their fields lie one level deeper, by object type


class IgnoreRule(NamedTuple):
    """One line under ``ignore:``: an address pattern, its fields (all without any), why, and how long."""

    address: str
    reason: str
    fields: tuple[str, ...] = ()
    expires: date | None = None
    source: Source | None = None

    def holds(self, today: date) -> bool:
        """Whether it has not expired; it holds through its last day."""
        return self.expires is None or self.expires >= today

    def covers(self, address: str, path: str = "") -> bool:
        """Whether it covers a definition, or what lies at a path of it, as a whole."""
        if not self.fields:
            return covers(self.address, f"{address}/{path}" if path else address)
        named = path and (covers(self.address, address) or self._covers_option(address, path))
        return bool(named) and any(self._names(name, address, path) for name in self.fields)

    def _covers_option(self, address: str, path: str) -> bool:
        return path.startswith("options/") and matches(self.address, f"{address}/{path.rpartition('/')[0]}")

    def _names(self, name: str, address: str, path: str) -> bool:
        if path == name or path.startswith(f"{name}/"):
            return covers(self.address, address)
        deeper = address.startswith(STAGES) or self._covers_option(address, path)
        return deeper and path.rpartition("/")[2] == name

    def touches(self, address: str) -> bool:
        """Whether it could cover anything of a definition, as a whole or in part."""
        depth = address.count("/") + 1
        segments = self.address.split("/")
        return covers(self.address, address) or (len(segments) > depth and matches("/".join(segments[:depth]), address))


def rules(lines: Iterable[Mapping[str, Json]]) -> tuple[IgnoreRule, ...]:
    """The rules of lines that the schema accepts."""
    return tuple(
        IgnoreRule(
            join(*split(line["address"])),  # the one spelling of what is percent-encoded
            line["reason"],
            tuple(line.get("fields", ())),
            date.fromisoformat(line["expires"]) if "expires" in line else None,
        )
        for line in lines
    )


def in_force(every: Iterable[IgnoreRule], today: date) -> tuple[IgnoreRule, ...]:
    """The rules that have not expired."""
    return tuple(rule for rule in every if rule.holds(today))


# --- the comparison --------------------------------------------------------------------------------------------------


def copied(before: Snapshot, after: Snapshot, ignored: Sequence[IgnoreRule]) -> Snapshot:
    """The later side, with all that the rules cover as it is on the earlier one."""
    if not ignored:
        return after
    changed, gone = [], []
    for address in {**before, **after}:
        touching = [rule for rule in ignored if rule.touches(address)]
        if not touching:
            continue
        kept = _kept(before.get(address), after.get(address), touching)
        if kept is None:
            gone.append(address)
        elif kept is not after.get(address):
            changed.append(kept)
    return after.replaced(changed, gone)


def silenced(before: Snapshot, after: Snapshot, ignored: Sequence[IgnoreRule]) -> Iterator[tuple[str, IgnoreRule]]:
    """The definitions of which the rules hide that something moved, each with the first rule that does."""
    quiet = copied(before, after, ignored)
    for address in {**before, **after} if ignored else ():
        live, kept = after.get(address), quiet.get(address)
        if live is not kept and (live is None or kept is None or field_changes(live, kept)):
            touching = [rule for rule in ignored if rule.touches(address)]
            yield address, next(rule for rule in touching if _kept(before.get(address), live, [rule]) is not live)


def _kept(old: Resource | None, new: Resource | None, touching: Sequence[IgnoreRule]) -> Resource | None:
    resource = old or new
    assert resource is not None
    if any(rule.covers(resource.address) for rule in touching):
        return old
    if old is None or new is None:
        return new
    address = new.address
    attributes = _merged(old.attributes, new.attributes, address, "", touching)
    facts = _merged(old.facts, new.facts, address, "", touching)
    kept = Resource(new.kind, address, attributes, facts, new.source)
    return kept if field_changes(new, kept) or facts != new.facts else new


def _merged(
    old: Mapping[str, Json], new: Mapping[str, Json], address: str, prefix: str, touching: Sequence[IgnoreRule]
) -> dict[str, Json]:
    """The new mapping with covered parts as in the old one, each at the place that it had there."""
    merged: dict[str, Json] = {}
    for name in _names(old, new):
        path = prefix + encode(name)
        covered = any(rule.covers(address, path) for rule in touching)
        if covered and name in old:
            merged[name] = old[name]
        elif not covered and name in new:
            both = isinstance(new[name], Mapping) and isinstance(old.get(name), Mapping)
            merged[name] = _merged(old[name], new[name], address, f"{path}/", touching) if both else new[name]
    return merged


def _names(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    """The names of both in the order of the new mapping; those of the old one alone behind their predecessors."""
    names = list(new)
    before: str | None = None
    for name in old:
        if name not in new:
            names.insert(names.index(before) + 1 if before is not None else 0, name)
        before = name
    return names


# --- what is wrong with them -----------------------------------------------------------------------------------------


def conflicts(every: Iterable[IgnoreRule], desired: Snapshot, removed: Mapping[str, Tombstone]) -> Iterator[Finding]:
    """Nothing can be declared and ignored: a rule that covers what the specs say is an error."""
    for rule in every:
        for address, resource in desired.items():
            if rule.touches(address) and (path := _declared(rule, resource)) is not None:
                where = f"{address}/{path}" if path else address
                declared = origin(resource, path) or resource.source
                why = f"{where} is declared at {declared}, and ignored here by {rule.address!r}"
                yield _finding(rule, "ignored-declared", "error", why, "drop one of the two", where)
        for address, stone in removed.items():
            if not rule.fields and covers(rule.address, address):
                why = f"{address} is removed at {stone.source}, and ignored here by {rule.address!r}"
                yield _finding(rule, "ignored-declared", "error", why, "drop one of the two", address)


def _declared(rule: IgnoreRule, resource: Resource) -> str | None:
    """The first declared field that a rule covers; the empty path for the whole definition."""
    if rule.covers(resource.address):
        return ""
    return next((path for path in _paths(resource.attributes, "") if rule.covers(resource.address, path)), None)


def _paths(value: Mapping[str, Json], prefix: str) -> Iterator[str]:
    for name, below in value.items():
        path = prefix + encode(name)
        yield path
        if isinstance(below, Mapping):
            yield from _paths(below, f"{path}/")


def expired(every: Iterable[IgnoreRule], today: date) -> Iterator[Finding]:
    """Rules whose time is over: they hold no more, and somebody should decide again."""
    for rule in every:
        if not rule.holds(today):
            why = f"the rule for {rule.address} expired on {rule.expires} and holds no more ({rule.reason})"
            fix = "drop it, or give it a later date"
            yield _finding(rule, "ignore-expired", "warning", why, fix, rule.address)


def unused(
    ignored: Iterable[IgnoreRule],
    sides: Sequence[Snapshot],
    collections: Mapping[str, Collection],
) -> Iterator[Finding]:
    """Rules that cover nothing there is, as far as the lists were read where they would be looked for."""
    for rule in ignored:
        searched = [one for name, one in collections.items() if _leads_to(rule.address, name)]
        if any(one.status != "ok" for one in searched):
            continue
        if not any(_covers_something(rule, resource) for side in sides for resource in side.values()):
            why = f"the rule for {rule.address} covers nothing that is in the portal ({rule.reason})"
            yield _finding(
                rule, "ignore-unused", "info", why, "drop it, or correct its address or fields", rule.address
            )


def _leads_to(pattern: str, collection: str) -> bool:
    depth = min(pattern.count("/"), collection.count("/")) + 1
    return matches("/".join(pattern.split("/")[:depth]), "/".join(collection.split("/")[:depth]))


def _covers_something(rule: IgnoreRule, resource: Resource) -> bool:
    if not rule.touches(resource.address):
        return False
    if rule.covers(resource.address):
        return True
    paths = chain(_paths(resource.attributes, ""), _paths(resource.facts, ""))
    return any(rule.covers(resource.address, path) for path in paths)


def _finding(rule: IgnoreRule, name: str, severity: str, message: str, fix: str, address: str) -> Finding:
    return Finding(name, severity, message, fix, address, rule.source)  # type: ignore[arg-type]
