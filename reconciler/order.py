"""Orders of named things: merging a declared order into a live one, with as few moves as possible."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise


def merged_order(live: Sequence[str], declared: Sequence[str]) -> list[str]:
    """Live extras stay where they are, declared ones stand in declared order, new ones after their predecessor."""
    known = set(live)
    order = list(live)
    for index, name in enumerate(declared):
        if name not in known:
            order.insert(_place(order, declared, index), name)
            known.add(name)
    mine = set(declared)
    ordered = iter(declared)
    return [next(ordered) if name in mine else name for name in order]


def _place(order: Sequence[str], declared: Sequence[str], index: int) -> int:
    """After the nearest declared predecessor that is there; before the first declared successor; last."""
    present = set(order)
    for before in reversed(declared[:index]):
        if before in present:
            return order.index(before) + 1
    followers = [order.index(after) for after in declared[index + 1 :] if after in present]
    return min(followers, default=len(order))


def moved(live: Sequence[str], wanted: Sequence[str], fixed: Collection[str] = ()) -> set[str]:
    """The fewest names that have to move, and none of the fixed ones, for the live order to become the wanted one."""
    rank = {name: index for index, name in enumerate(wanted)}
    ranks = [rank[name] for name in live if name in rank]
    staying = _longest_rising(_beside(ranks, {rank[name] for name in fixed}) if fixed else ranks)
    return {name for name in live if name in rank and rank[name] not in staying}


def _beside(ranks: Sequence[int], fixed: Collection[int]) -> list[int]:
    """The numbers that stand to each fixed one as they should."""
    places = {one: place for place, one in enumerate(ranks)}
    return [
        one for one in ranks if all((one < other) == (places[one] < places[other]) for other in fixed if other != one)
    ]


def _longest_rising(ranks: Iterable[int]) -> set[int]:
    """The most numbers that rise as they stand; each remembers only the one before it, for lists of thousands."""
    tails: list[int] = []
    before: dict[int, int] = {}
    for one in ranks:
        place = bisect_left(tails, one)
        if place:
            before[one] = tails[place - 1]
        tails[place : place + 1] = [one]
    found = set(tails[-1:])
    last = tails[-1] if tails else None
    while last in before:
        last = before[last]
        found.add(last)
    return found


def joined(lists: Sequence[Sequence[str]], preference: Mapping[str, int]) -> tuple[list[str], set[str]]:
    """One order that keeps every list's, by preference where they say nothing; and the names that contradict."""
    after: dict[str, set[str]] = {name: set() for names in lists for name in names}
    for names in lists:
        for first, second in pairwise(names):
            after[second].add(first)
    places: dict[str, tuple[float, int]] = {}
    while ready := [name for name in after if name not in places and not after[name] - set(places)]:
        wishes = {name: _wish(name, after[name], places, preference) for name in ready}
        first = min(ready, key=lambda name: (wishes[name], name))  # by name, not by the order of files
        places[first] = wishes[first]
    return list(places), set(after) - set(places)


def _wish(
    name: str, follows: set[str], places: Mapping[str, tuple[float, int]], preference: Mapping[str, int]
) -> tuple[float, int]:
    """A name that is not there yet wants to stand right after what it follows, be that there or not."""
    if name in preference:
        return preference[name], 0
    place, steps = max((places[one] for one in follows), default=(float("inf"), 0))
    return place, steps + 1


def in_turn(names: Iterable[str], needs: Mapping[str, Collection[str]]) -> list[str]:
    """These names, each behind those that it needs; of some that need each other, the first goes first."""
    waiting = dict.fromkeys(names)
    found = []
    while waiting:
        name = next((one for one in waiting if waiting.keys().isdisjoint(needs.get(one, ()))), next(iter(waiting)))
        found.append(name)
        del waiting[name]
    return found


def needs_itself(name: str, needs: Mapping[str, Collection[str]]) -> bool:
    """Whether something needs itself, over however many corners."""
    found: set[str] = set()
    open_ = [*needs.get(name, ())]
    while open_:
        if (one := open_.pop()) not in found:
            found.add(one)
            open_ += needs.get(one, ())
    return name in found
