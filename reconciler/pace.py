"""Keeps to a portal's request budget: a window of slots, each of which is free again ten seconds after its response.

HubSpot counted a request some time between its sending and its response, so only a slot that waits from the response on
is safe whatever the network does (performance.md 3: no answer of 429 at 1.016 of the ideal time). What other
applications use of the same budget shows in ``Remaining``.
"""

import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol

GLANCE = 0.5  # how often whoever waits looks whether the run is to end
LEAST_PAUSE = 0.001
CHECK_AGAIN = 0.01  # while every slot is in flight, nobody knows when the next one is free
MARGIN = 1  # another application's share is never seen to the last request


class Clock(Protocol):
    """Tells the time and lets it pass."""

    def now(self) -> float:
        """Seconds, from any start."""
        ...

    def wait(self, seconds: float) -> None:
        """Comes back after so many seconds."""
        ...


class WallClock:
    """The real time."""

    def now(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleeps."""
        time.sleep(seconds)


class IdleClock:
    """Time that passes only while somebody waits, and then at once: an embedded portal keeps nobody waiting."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> float:
        """The seconds that were waited for."""
        return self._seconds

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        self._seconds += seconds


class OutOfPatience(Exception):
    """Waiting would take too long, or the run is to end."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s are too long")
        self.seconds = seconds


@dataclass
class Patience:
    """How long one request may wait until HubSpot is ready for it, and nobody wants the run to end."""

    clock: Clock
    seconds: float = float("inf")
    cancelled: Callable[[], bool] = bool
    waited: float = 0.0

    def lasts(self, seconds: float) -> bool:
        """Whether so long a wait is still in it."""
        return self.waited + seconds <= self.seconds

    def wait(self, seconds: float) -> None:
        """Waits; what would be too long is not begun."""
        if not self.lasts(seconds):
            raise OutOfPatience(seconds)
        left = seconds
        while left > 0:
            if self.cancelled():
                raise OutOfPatience(left)
            glance = min(left, GLANCE)
            self.clock.wait(glance)
            self.waited += glance
            left -= glance


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """The right to one request, from its sending to some time after its response."""

    sent_at: float


@dataclass
class Window:
    """The slots of one token and one family of routes."""

    clock: Clock
    limit: int = 100  # the smallest published budget, until an answer tells the real one (hubspot-api.md F.2)
    interval: float = 10.0
    learns: bool = True
    _in_flight: set[Slot] = field(default_factory=set)
    _answered: list[tuple[float, float]] = field(default_factory=list)  # answered at, sent at
    _shared: bool = False
    _others: deque[tuple[float, int]] = field(default_factory=deque)  # seen at, how many; falling
    _closed_until: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def slot(self, patience: Patience | None = None) -> Iterator[Slot]:
        """Waits for a slot, for room as long as it takes, and gives it back when the block ends."""
        while isinstance(slot := self.take(), float):
            if patience and self.closed:
                patience.wait(slot)
            else:
                self.clock.wait(slot)
        try:
            yield slot
        finally:
            self.give_back(slot)

    def take(self) -> Slot | float:
        """A slot, or after how many seconds to ask again."""
        with self._lock:
            now = self.clock.now()
            if now < self._closed_until:
                return self._closed_until - now
            self._forget(now)
            held = len(self._in_flight) + self._answered_since(now - self.interval)
            if held + self._share_of_others() >= self.limit:
                return self._pause(now)
            slot = Slot(now)
            self._in_flight.add(slot)
            return slot

    def give_back(self, slot: Slot) -> None:
        """The answer is there: the slot is free again one interval from now."""
        with self._lock:
            self._in_flight.remove(slot)
            self._answered.append((self.clock.now(), slot.sent_at))

    def learn(self, headers: Mapping[str, str], slot: Slot) -> None:
        """The real budget from an answer, and what other applications use of it; before the slot is given back."""
        limit = _number(headers.get("x-hubspot-ratelimit-max"))
        interval = _number(headers.get("x-hubspot-ratelimit-interval-milliseconds"))
        remaining = _number(headers.get("x-hubspot-ratelimit-remaining"))
        if not limit or not self.learns:
            return
        with self._lock:
            self.limit = limit
            self.interval = interval / 1000 if interval else self.interval
            if remaining is not None:
                self._see_others(limit - remaining, slot)

    def close_for(self, seconds: float) -> None:
        """HubSpot said that there is no room: nobody goes on before so many seconds have passed."""
        with self._lock:
            self._closed_until = max(self._closed_until, self.clock.now() + seconds)

    @property
    def closed(self) -> bool:
        """Whether HubSpot has said that there is no room."""
        return self.clock.now() < self._closed_until

    def _see_others(self, used: int, slot: Slot) -> None:
        """What is used beyond anything that can be ours proves another application; how much is an estimate."""
        now = self.clock.now()
        at_most = len(self._in_flight) + self._answered_since(slot.sent_at - self.interval)
        self._shared = self._shared or used > at_most
        others = used - self._counted_of_ours(slot, now)
        while self._others and self._others[-1][1] <= others:
            self._others.pop()
        self._others.append((now, others))
        while self._others[0][0] <= now - self.interval:
            self._others.popleft()

    def _counted_of_ours(self, slot: Slot, now: float) -> int:
        """Our requests in HubSpot's window when it counted this one, if it counts half-way through each exchange."""
        counted_at = (slot.sent_at + now) / 2
        before = sum(one.sent_at <= slot.sent_at for one in self._in_flight)
        return before + sum(
            counted_at - self.interval < (sent + answered) / 2 <= counted_at for answered, sent in self._answered
        )

    def _share_of_others(self) -> int:
        return max(0, self._others[0][1]) + MARGIN if self._shared and self._others else 0

    def _answered_since(self, moment: float) -> int:
        return len(self._answered) - bisect_right(self._answered, moment, key=itemgetter(0))

    def _forget(self, now: float) -> None:
        """Old answers; and what was seen of others after two windows, since our own requests come once a window."""
        del self._answered[: len(self._answered) - self._answered_since(now - 2 * self.interval)]
        while self._others and self._others[0][0] <= now - 2 * self.interval:
            self._others.popleft()

    def _pause(self, now: float) -> float:
        held = self._answered_since(now - self.interval)
        free_at = [self._answered[-held][0] + self.interval] if held else []
        free_at += [self._others[0][0] + 2 * self.interval] if self._others else []
        return max(LEAST_PAUSE, min(free_at) - now) if free_at else CHECK_AGAIN


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


@dataclass
class Pace:
    """The windows of one token: associations and search have budgets of their own."""

    clock: Clock
    _windows: dict[str, Window] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def window(self, path: str) -> Window:
        """The window that a path belongs to."""
        family = _family(path.split("?")[0])
        with self._lock:
            if family not in self._windows:
                self._windows[family] = _new_window(family, self.clock)
            return self._windows[family]


def _family(path: str) -> str:
    if path.endswith("/search") and "/objects/" in path:
        return "search"
    return "associations" if "/associations/" in path and "/limits/" not in path else "general"


def _new_window(family: str, clock: Clock) -> Window:
    if family == "search":  # five a second, and no headers that say so (hubspot-api.md F.2)
        return Window(clock, limit=5, interval=1.0, learns=False)
    return Window(clock)
