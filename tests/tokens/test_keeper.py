"""A value kept in memory: one load at a time, the old value when a load fails, a fresh start after a fork."""

import os
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from paywall.errors import Unavailable
from paywall.tokens.keeper import Keeper

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Source:
    """Something to load: counts the loads, fails or waits when told to."""

    def __init__(self):
        self.loads = 0
        self.seen = []
        self.down = False
        self.gate = None
        self.time = 100.0

    def load(self, previous, now):
        self.seen.append(previous)
        if self.gate:
            self.gate.wait(5)
        if self.down:
            raise OperationalError("select 1", {}, Exception("gone"))
        self.loads += 1
        return self.loads


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def keeper(source):
    return Keeper(source.load, interval=1.0, monotonic=lambda: source.time)


def test_nothing_is_loaded_before_it_is_needed(source, keeper):
    assert source.loads == 0


def test_a_value_is_kept_for_its_interval_and_handed_to_the_next_load(source, keeper):
    assert keeper.current(NOW) == 1
    source.time += 0.99
    assert keeper.current(NOW) == 1
    source.time += 0.01
    assert keeper.current(NOW) == 2
    assert source.seen == [None, 1]


def test_the_old_value_serves_on_while_the_database_is_down(source, keeper):
    keeper.current(NOW)
    source.down = True
    for _ in range(3):
        source.time += 1
        assert keeper.current(NOW) == 1
    source.down = False
    source.time += 1
    assert keeper.current(NOW) == 2


def test_a_failed_load_is_tried_again_only_after_the_interval(source, keeper):
    keeper.current(NOW)
    source.down = True
    source.time += 1
    for _ in range(5):
        keeper.current(NOW)
    assert len(source.seen) == 2


def test_before_the_first_load_it_is_unavailable(source, keeper):
    source.down = True
    with pytest.raises(Unavailable):
        keeper.current(NOW)
    source.down = False
    source.time += 1
    assert keeper.current(NOW) == 1


def test_other_mistakes_are_not_hidden(keeper):
    """Only a database that does not answer is endured; a programming error must show."""
    broken = Keeper(lambda previous, now: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        broken.current(NOW)
    with pytest.raises(ZeroDivisionError):
        broken.current(NOW)


def test_while_one_loads_the_others_go_on(source, keeper):
    keeper.current(NOW)
    source.time += 1
    source.gate = threading.Event()
    slow = threading.Thread(target=keeper.current, args=(NOW,))
    slow.start()
    while len(source.seen) < 2:
        pass
    assert keeper.current(NOW) == 1
    assert slow.is_alive()
    source.gate.set()
    slow.join()
    assert keeper.current(NOW) == 2


def test_the_first_requests_wait_for_one_load(source, keeper):
    source.gate = threading.Event()
    results = []
    threads = [threading.Thread(target=lambda: results.append(keeper.current(NOW))) for _ in range(6)]
    for thread in threads:
        thread.start()
    source.gate.set()
    for thread in threads:
        thread.join()
    assert results == [1] * 6
    assert source.loads == 1


def test_a_lock_held_at_a_fork_does_not_stop_the_child(source, keeper, monkeypatch):
    """The child has a copy of the lock, but not the thread that would open it."""
    keeper.current(NOW)
    source.time += 1
    keeper._lock.acquire()
    assert keeper.current(NOW) == 1
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert keeper.current(NOW) == 2
