"""Keeps to a portal's request budget: a window of slots, each of which is free again ten seconds after its response.

HubSpot counted a request some time between its sending and its response, so only a slot that waits from the response on
is safe whatever the network does (performance.md 3: no answer of 429 at 1.016 of the ideal time). What other
applications use of the same budget shows in ``Remaining``.
"""

import threading
import time
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

LEAST_PAUSE = 0.001
CHECK_AGAIN = 0.01  # while every slot is in flight, nobody knows when the next one is free
MARGIN = 2  # another application's share is never seen to the last request


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


@dataclass
class Window:
    """The slots of one token and one family of routes."""

    clock: Clock
    limit: int = 100  # the smallest published budget, until an answer tells the real one (hubspot-api.md F.2)
    interval: float = 10.0
    learns: bool = True
    _in_flight: int = 0
    _answered: list[float] = field(default_factory=list)
    _others: deque[tuple[float, int]] = field(default_factory=deque)  # when seen, at least so many; falling
    _closed_until: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def slot(self) -> Iterator[float]:
        """Waits for a slot and holds it until some time after the response; tells when the request was sent."""
        while (pause := self.take()) > 0:
            self.clock.wait(pause)
        try:
            yield self.clock.now()
        finally:
            self.give_back()

    def take(self) -> float:
        """Takes a slot and says 0, or says after how many seconds to ask again."""
        with self._lock:
            now = self.clock.now()
            if now < self._closed_until:
                return self._closed_until - now
            self._forget(now)
            if self._in_flight + self._answered_since(now - self.interval) < self.limit - self._share_of_others():
                self._in_flight += 1
                return 0
            return self._pause(now)

    def give_back(self) -> None:
        """The answer is there: the slot is free again one interval from now."""
        with self._lock:
            self._in_flight -= 1
            self._answered.append(self.clock.now())

    def learn(self, headers: Mapping[str, str], sent_at: float) -> None:
        """The real budget from an answer, and what other applications use of it; call before the slot is given back."""
        limit = _number(headers.get("x-hubspot-ratelimit-max"))
        interval = _number(headers.get("x-hubspot-ratelimit-interval-milliseconds"))
        remaining = _number(headers.get("x-hubspot-ratelimit-remaining"))
        if not limit or not self.learns:
            return
        with self._lock:
            self.limit = limit
            self.interval = interval / 1000 if interval else self.interval
            if remaining is not None:
                # all that HubSpot may have counted of ours; the rest was somebody else, at least
                ours = self._in_flight + self._answered_since(sent_at - self.interval)
                self._see_others(limit - remaining - ours)

    def close_for(self, seconds: float) -> None:
        """HubSpot said that there is no room: nobody goes on before so many seconds have passed."""
        with self._lock:
            self._closed_until = max(self._closed_until, self.clock.now() + seconds)

    def _see_others(self, at_least: int) -> None:
        while self._others and self._others[-1][1] <= at_least:
            self._others.pop()
        self._others.append((self.clock.now(), at_least))

    def _share_of_others(self) -> int:
        seen = self._others[0][1] if self._others else 0
        return seen + MARGIN if seen > 0 else 0

    def _answered_since(self, moment: float) -> int:
        return len(self._answered) - bisect_right(self._answered, moment)

    def _forget(self, now: float) -> None:
        del self._answered[: bisect_right(self._answered, now - 2 * self.interval)]
        while self._others and self._others[0][0] + self.interval <= now:
            self._others.popleft()

    def _pause(self, now: float) -> float:
        oldest = self._answered[bisect_right(self._answered, now - self.interval) :][:1]
        seen = [*oldest, *(moment for moment, _ in list(self._others)[:1])]
        return max(LEAST_PAUSE, min(seen) + self.interval - now) if seen else CHECK_AGAIN


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
