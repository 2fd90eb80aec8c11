"""Reads what a run needs to know of a portal, and turns it into the observed snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from reconciler.diff import all_alike
from reconciler.kinds import Kind, Listing, Scope, kinds
from reconciler.model import NOT_READ, UNAVAILABLE, Answer, Collection, Reads, ReadStatus, Snapshot
from reconciler.oddities import understood


class ListSource(Protocol):
    """Whatever answers reads: the portal, or a recorded read of it."""

    def get_all(self, paths: Sequence[str]) -> Mapping[str, Answer]:
        """The answers to these paths, read side by side."""
        ...


class Observation(NamedTuple):
    """The live portal as far as it was read: nothing in a collection that is not ``ok`` may be taken for absent."""

    snapshot: Snapshot
    collections: Mapping[str, Collection]
    reads: Reads

    @property
    def complete(self) -> bool:
        """Whether every list could be read."""
        return all(collection.status == "ok" for collection in self.collections.values())

    @property
    def listed(self) -> frozenset[str]:
        """The lists that the portal has and that were read whole: what a baseline can begin to hold."""
        return frozenset(name for name, one in self.collections.items() if one.status == "ok" and one.there)

    def at_rest(self, before: Snapshot) -> bool:
        """Whether nothing moved: all that could be read is as it was before, and no list was refused."""
        readable = all(one.status in ("ok", "not_read") for one in self.collections.values())
        return readable and all_alike(before, self.snapshot)

    def unreadable(self, address: str) -> Collection | None:
        """The collection that had to be read to know about an address, where it could not be."""
        head = address.rpartition("/")[0]
        found = [one for name, one in self.collections.items() if name == head or name.startswith(head + "/")]
        bad = [one for one in found if one.status != "ok"]
        # A recorded read may hold one of the two lifecycles; what is in it can be worked on.
        if bad and all(one.status == "not_read" for one in bad) and len(bad) < len(found):
            return None
        return bad[0] if bad else None


def within(address: str, collections: Iterable[str]) -> bool:
    """Whether an address lies in one of these collections; stages lie in both lifecycles."""
    head = address.rpartition("/")[0]
    return any(name == head or name.startswith(head + "/") for name in collections)


def read(
    source: ListSource, scope: Scope, only: Sequence[Kind] | None = None, known: Mapping[str, Answer] | None = None
) -> Reads:
    """Every list that the kinds, or only these of them, ask for and nobody knows; answers may make them ask more."""
    answers: dict[str, Answer] = dict(known or {})
    reads = Reads(answers)
    while wanted := _wanted(scope, reads, only):
        answers.update(source.get_all(wanted))
        reads = Reads(answers)
    return reads


def _listings(scope: Scope, reads: Reads, only: Sequence[Kind] | None) -> list[Listing]:
    return [listing for kind in only or kinds() for listing in kind.listings(scope, reads)]


def _wanted(scope: Scope, reads: Reads, only: Sequence[Kind] | None) -> list[str]:
    with understood(reads):
        paths = dict.fromkeys(listing.path for listing in _listings(scope, reads, only))
    return [path for path in paths if path not in reads]


def observe(scope: Scope, reads: Reads, only: Sequence[Kind] | None = None) -> Observation:
    """The observed snapshot, and how much of each collection was read."""
    with understood(reads):
        snapshot = Snapshot(resource for kind in only or kinds() for resource in kind.observe(scope, reads))
    return Observation(snapshot, _collections(_listings(scope, reads, only), reads), reads)


def _collections(listings: Iterable[Listing], reads: Reads) -> dict[str, Collection]:
    lists: dict[str, list[Answer]] = {}
    more: dict[str, list[Answer]] = {}
    there: set[str] = set()
    sizes: dict[str, tuple[str, int]] = {}
    for listing in listings:
        answer, name = reads[listing.path], listing.collection
        if not listing.leads:
            there.add(name)
        if not listing.refines and not listing.beside:
            lists.setdefault(name, []).append(answer)
            stem, (before, size) = listing.path.partition("?")[0], sizes.get(name, ("", 0))
            sizes[name] = stem, len(answer.results) + (size if stem == before else 0)  # in parts, by sensitivity
        elif answer.status == UNAVAILABLE or (listing.beside and answer.status != NOT_READ):
            more.setdefault(name, []).append(answer)
    found = {name: _collection(name, lists[name], more.get(name, ()), sizes[name][1]) for name in sorted(lists)}
    # What only led to lists of object types that the portal does not have is no list, unless nobody could tell.
    return {name: one if name in there else one._replace(size=0, there=False) for name, one in found.items()}


def _collection(name: str, answers: Sequence[Answer], more: Sequence[Answer], size: int) -> Collection:
    bad = [answer for answer in (*answers, *more) if not answer.ok]
    if not bad:
        return Collection(name, "ok", size)
    if lost := [answer for answer in bad if answer.status == UNAVAILABLE]:
        return Collection(name, "unavailable", detail=_detail(lost[0]))
    refused = [answer for answer in bad if answer.status != NOT_READ]
    if not refused:  # a recorded read that holds one of both directions of a pair
        return Collection(name, "not_read", detail=_detail(bad[0]))
    status: ReadStatus = "partial" if len(bad) < len(answers) + len(more) else "denied"
    return Collection(name, status, detail=_detail(refused[0]))


def _detail(answer: Answer) -> str:
    if answer.status == NOT_READ:
        return "not in the recorded read"
    if answer.status == UNAVAILABLE:
        return str(answer.body)
    needs = f"; needs one of the scopes {', '.join(answer.denied_scopes)}" if answer.denied_scopes else ""
    said = answer.body.get("message", "") if isinstance(answer.body, Mapping) else ""
    return f"HubSpot answered {answer.status}{': ' + said if said else ''}{needs}"
