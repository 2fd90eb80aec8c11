import heapq
import itertools
import random
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.pace import Pace, Window


class FakeClock:
    """Time that passes only when somebody waits; waits side by side pass together."""

    def __init__(self):
        self.time = 0.0
        self.waited = []

    def now(self):
        return self.time

    def wait(self, seconds):
        self.waited.append(seconds)
        self.time = max(self.time, self.time + seconds)


class RollingServer:
    """Counts requests in a rolling window, like HubSpot, other applications included."""

    def __init__(self, limit, interval):
        self.limit, self.interval = limit, interval
        self.counted = deque()
        self.refused = 0

    def arrive(self, now):
        while self.counted and self.counted[0] <= now - self.interval:
            self.counted.popleft()
        allowed = len(self.counted) < self.limit
        if allowed:
            self.counted.append(now)
        return allowed, {
            "x-hubspot-ratelimit-max": str(self.limit),
            "x-hubspot-ratelimit-interval-milliseconds": str(int(self.interval * 1000)),
            "x-hubspot-ratelimit-remaining": str(self.limit - len(self.counted)),
        }


def simulate(requests, server, *, at_once, others=(), seed=1, latency=(0.12, 0.18)):
    """Runs requests through a window against a server in simulated time; gives the seconds and the 429 answers."""
    clock, rng, order = FakeClock(), random.Random(seed), itertools.count()
    window = Window(clock)
    events = [(0.0, next(order), "ask", None) for _ in range(at_once)]
    events += [(moment, next(order), "other", None) for moment in others]
    heapq.heapify(events)
    left, refused, done_at = requests, 0, 0.0

    def later(seconds, what, carried=None):
        heapq.heappush(events, (clock.time + seconds, next(order), what, carried))

    while events and (left or done_at == 0.0 or any(event[2] != "other" for event in events)):
        clock.time, _, what, carried = heapq.heappop(events)
        match what:
            case "other":
                server.arrive(clock.time)
            case "ask" if left:
                pause = window.take()
                if pause:
                    later(pause, "ask")
                    continue
                left -= 1
                whole = rng.uniform(*latency)
                later(rng.uniform(0, whole), "arrive", (clock.time, clock.time + whole))
            case "arrive":
                sent, answered = carried
                allowed, headers = server.arrive(clock.time)
                refused += not allowed
                later(answered - clock.time, "answer", (sent, headers))
            case "answer":
                sent, headers = carried
                window.learn(headers, sent)
                window.give_back()
                done_at = clock.time
                later(0, "ask")
    return done_at, refused


@pytest.mark.parametrize("at_once", [8, 12, 32, 190])
@pytest.mark.parametrize("seed", range(5))
def test_the_whole_budget_is_used_and_never_overdrawn(at_once, seed):
    """600 requests at 190 per 10 s take at most 3 % more than the 30 s they must take, without an answer of 429."""
    seconds, refused = simulate(600, RollingServer(190, 10.0), at_once=at_once, seed=seed)

    assert refused == 0
    assert seconds <= 30 * 1.03 + (600 % 190 / at_once) * 0.18


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rhythm", ["even", "random", "bursts"])
def test_another_application_keeps_its_share(rhythm, seed):
    """With half of the budget used by somebody else, ours is used up to 3 % and nobody is refused."""
    rng = random.Random(seed)
    moments = {
        "even": [index * 10 / 95 for index in range(-95, 1000)],
        "random": [index * 10 / 95 + rng.uniform(0, 0.5) for index in range(-95, 1000)],
        "bursts": [10 * burst + index * 0.01 for burst in range(-1, 10) for index in range(95)],
    }[rhythm]
    server = RollingServer(190, 10.0)
    for moment in sorted(one for one in moments if one < 0):
        server.arrive(moment)

    seconds, refused = simulate(600, server, at_once=12, others=[one for one in moments if one >= 0], seed=seed)

    assert refused == 0
    assert seconds <= 60 * 1.03 + 30 / 12 * 0.18
