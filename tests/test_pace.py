import heapq
import itertools
import random
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import pytest

from reconciler.pace import Pace, Window


class FakeClock:
    """Time that passes only when somebody waits; waits side by side pass together."""

    def __init__(self):
        self.time = 0.0
        self.waited = []
        self.lock = Lock()

    def now(self):
        return self.time

    def wait(self, seconds):
        self.waited.append(seconds)
        until = self.time + seconds
        with self.lock:
            self.time = max(self.time, until)


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
                slot = window.take()
                if isinstance(slot, float):
                    later(slot, "ask")
                    continue
                left -= 1
                whole = rng.uniform(*latency)
                later(rng.uniform(0, whole), "arrive", (slot, clock.time + whole))
            case "arrive":
                slot, answered_at = carried
                allowed, headers = server.arrive(clock.time)
                refused += not allowed
                later(answered_at - clock.time, "answer", (slot, headers))
            case "answer":
                slot, headers = carried
                window.learn(headers, slot)
                window.give_back(slot)
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


def test_a_budget_that_others_have_used_up_is_waited_for():
    """With no request left at all nobody is refused more than once each, and the work is done once there is room."""
    server = RollingServer(100, 10.0)
    for index in range(100):
        server.arrive(-5 + index * 0.01)

    seconds, refused = simulate(50, server, at_once=4)

    assert refused <= 4  # those that were under way before the first answer came
    assert seconds <= 21


def test_before_any_answer_the_smallest_published_budget_holds():
    """The hundred-and-first request waits until ten seconds after the first response."""
    clock = FakeClock()
    window = Window(clock)
    for _ in range(100):
        with window.slot():
            clock.time += 0.01

    assert window.take() == pytest.approx(10.0 - 0.99)


def test_the_budget_is_learnt_from_the_headers():
    """Max and Interval-Milliseconds of an answer replace what was assumed; nonsense in them changes nothing."""
    window = Window(FakeClock())
    with window.slot() as slot:
        window.learn(headers(190, 5000, 189), slot)
    assert (window.limit, window.interval) == (190, 5.0)

    with window.slot() as slot:
        window.learn({"x-hubspot-ratelimit-max": "²", "x-hubspot-ratelimit-remaining": "-1"}, slot)
        window.learn({}, slot)
    assert (window.limit, window.interval) == (190, 5.0)


def test_what_nobody_else_uses_is_ours():
    """A Remaining that our own requests explain costs no slot."""
    clock = FakeClock()
    window = Window(clock)
    for sent in range(1, 191):
        with window.slot() as slot:
            window.learn(headers(190, 10_000, 190 - sent), slot)

    assert clock.waited == []


def test_a_closed_window_lets_nobody_through():
    """After an answer of 429 every thread waits as long as HubSpot asked for, not only the one that got it."""
    clock = FakeClock()
    window = Window(clock)
    window.close_for(10.0)
    window.close_for(2.0)

    with window.slot() as slot:
        assert slot.sent_at == 10.0
    assert clock.waited == [10.0]


def test_associations_and_searches_have_budgets_of_their_own():
    """Routes share a window by family; five searches a second, whatever the headers say."""
    pace = Pace(FakeClock())
    search = pace.window("/crm/v3/objects/contacts/search")
    with search.slot() as slot:
        search.learn(headers(190, 10_000, 100), slot)

    assert (search.limit, search.interval) == (5, 1.0)
    assert pace.window("/crm/v3/properties/contacts") is pace.window("/crm/v3/pipelines/deals?archived=true")
    assert pace.window("/crm/v3/properties/contacts/search") is pace.window("/crm/v3/limits/associations/labels")
    labels = pace.window("/crm/v4/associations/contacts/companies/labels")
    assert labels is pace.window("/crm/associations/2026-03/contacts/deals/labels")
    assert labels is not pace.window("/crm/v3/properties/contacts")


def test_threads_share_a_window():
    """However many threads ask, no interval holds more requests than the limit."""
    clock = FakeClock()
    window = Window(clock, limit=20, interval=1.0, learns=False)
    sent = []

    def work(_):
        with window.slot() as slot:
            sent.append(slot.sent_at)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(200)))

    sent.sort()
    assert len(sent) == 200
    assert all(later - earlier >= 1.0 for earlier, later in zip(sent, sent[20:], strict=False))


def headers(limit, interval, remaining):
    return {
        "x-hubspot-ratelimit-max": str(limit),
        "x-hubspot-ratelimit-interval-milliseconds": str(interval),
        "x-hubspot-ratelimit-remaining": str(remaining),
    }
