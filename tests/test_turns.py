"""One portal of a fleet computes at a time, nobody waits for one that hangs, and nothing of one that is done stays."""

import gc
import threading
import weakref

from reconciler.memo import kept_with_first
from reconciler.turns import Turns


def test_whoever_waits_for_somebody_else_keeps_nobody():
    """A thread that has left its turn and never comes back lets others have theirs."""
    turns, away, answer = Turns(), threading.Event(), threading.Event()

    def hang():
        with turns.taken(), turns.left():
            away.set()
            answer.wait()

    hanging = threading.Thread(target=hang)
    hanging.start()
    away.wait()
    with turns.taken():
        done = "others work"
    answer.set()
    hanging.join()

    assert done == "others work"


def test_one_works_at_a_time_and_nobody_waits_for_many_that_hang():
    """Twenty threads that all hang have all begun; nobody has worked beside another."""
    turns, answer, busy, most = Turns(), threading.Event(), [], []
    begun = threading.Semaphore(0)

    def portal():
        with turns.taken():
            busy.append(1)
            most.append(len(busy))
            busy.pop()
            with turns.left():
                begun.release()
                answer.wait()
            busy.append(1)
            most.append(len(busy))
            busy.pop()

    portals = [threading.Thread(target=portal) for _ in range(20)]
    for one in portals:
        one.start()
    for _ in portals:
        begun.acquire()
    answer.set()
    for one in portals:
        one.join()

    assert most == [1] * 40


def test_leaving_a_turn_that_somebody_else_has_changes_nothing():
    """A helping thread of a portal may wait as it likes."""
    turns = Turns()
    with turns.taken():
        helper = threading.Thread(target=lambda: turns.left().__enter__())
        helper.start()
        helper.join()
        with turns.left(), turns.taken():
            pass


def test_what_is_remembered_of_a_value_goes_with_it():
    """A run over many portals holds nothing of those that are done."""

    class Reads:
        pass

    @kept_with_first
    def counted(reads, path):
        calls.append(path)
        return [path]

    calls, reads = [], Reads()
    made = counted(reads, "a")
    assert counted(reads, "a") is made
    assert counted(reads, "b") == ["b"]
    assert calls == ["a", "b"]
    gone = weakref.ref(reads)
    del reads
    gc.collect()
    assert gone() is None
