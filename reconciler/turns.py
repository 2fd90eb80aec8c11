"""Lets one thread of several compute at a time, and those that have begun before those that have not.

Python computes in one thread at a time anyway. Taking turns saves the switching, and memory: while enough of them wait
for their answers to keep the processor busy, nobody begins who would then hold answers and wait. Where the processor
has nothing to do all the same, the next one begins, so nobody ever waits for one that hangs.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

ENOUGH = 14  # portals that wait for answers: 0.6 seconds at 0.04 of work each
IDLE_SECONDS = 0.01


class Turns:
    """One turn, which one thread at a time has."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._back, self._new = threading.Condition(self._lock), threading.Condition(self._lock)
        self._away = self._returning = 0
        self._whose: int | None = None
        self._free_since = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """The turn, once nobody has it or is about to come back to it."""
        with self._lock:
            while not self._welcome():
                self._new.wait(IDLE_SECONDS if self._whose is None else None)
            self._whose = threading.get_ident()
        try:
            yield
        finally:
            self._pass_on()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Leaves the turn to others while there is nothing to do but wait; where it is not ours, changes nothing."""
        if self._whose != threading.get_ident():
            yield
            return
        self._pass_on(away=1)
        try:
            yield
        finally:
            with self._lock:
                self._away -= 1
                self._returning += 1
                self._back.wait_for(lambda: self._whose is None)
                self._returning -= 1
                self._whose = threading.get_ident()

    def _welcome(self) -> bool:
        """Whether one may begin."""
        if self._whose is not None or self._returning:
            return False
        return self._away < ENOUGH or time.monotonic() - self._free_since >= IDLE_SECONDS

    def _pass_on(self, away: int = 0) -> None:
        with self._lock:
            self._away += away
            self._whose = None
            self._free_since = time.monotonic()
            (self._back if self._returning else self._new).notify()
