"""Keeps to a portal's request budget: a window of slots, each of which is free again ten seconds after its response.

HubSpot counted a request some time between its sending and its response, so only a slot that waits from the response on
is safe whatever the network does (performance.md 3: no answer of 429 at 1.016 of the ideal time).
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol


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
    reserve: int = 0
    _in_flight: int = 0
    _freed: deque[float] = field(default_factory=deque)
    _foreign: deque[tuple[float, int]] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Waits for a slot, and holds it until some time after the response."""
        while (pause := self._taken_or_pause()) > 0:
            self.clock.wait(pause)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1
                self._freed.append(self.clock.now() + self.interval)

    def _taken_or_pause(self) -> float:
        with self._lock:
            now = self.clock.now()
            while self._freed and self._freed[0] <= now:
                self._freed.popleft()
            while self._foreign and self._foreign[0][0] <= now:
                self._foreign.popleft()
            foreign = self._foreign[-1][1] if self._foreign else 0
            if self._in_flight + len(self._freed) + foreign < max(1, self.limit - self.reserve):
                self._in_flight += 1
                return 0
            waiting = [*list(self._freed)[:1], *(until for until, _ in self._foreign)]
            return max(0.001, min(waiting) - now) if waiting else 0.01

    def learn(self, headers: Mapping[str, str]) -> None:
        """The real budget from an answer, and what other applications use of it."""
        limit = _number(headers.get("x-hubspot-ratelimit-max"))
        interval = _number(headers.get("x-hubspot-ratelimit-interval-milliseconds"))
        remaining = _number(headers.get("x-hubspot-ratelimit-remaining"))
        with self._lock:
            if limit:
                self.limit = limit
            if interval:
                self.interval = interval / 1000
            if limit and remaining is not None:
                mine = self._in_flight + len(self._freed)
                foreign = max(0, limit - remaining - mine)
                self._foreign.append((self.clock.now() + self.interval, foreign))

    def exhausted(self, seconds: float) -> None:
        """HubSpot said that there is no room: nobody goes on before so many seconds have passed."""
        with self._lock:
            self._foreign.append((self.clock.now() + seconds, self.limit))


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


@dataclass
class Pace:
    """The windows of one token: associations and search have budgets of their own."""

    clock: Clock
    _windows: dict[str, Window] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def window(self, path: str) -> Window:
        """The window that a path belongs to."""
        family = _family(path)
        with self._lock:
            if family not in self._windows:
                self._windows[family] = _new_window(family, self.clock)
            return self._windows[family]


def _family(path: str) -> str:
    if path.split("?")[0].endswith("/search"):
        return "search"
    return "associations" if "/associations/" in path and "/limits/" not in path else "general"


def _new_window(family: str, clock: Clock) -> Window:
    if family == "search":  # five a second, and no headers that say so (hubspot-api.md F.2)
        return Window(clock, limit=5, interval=1.0)
    return Window(clock)
