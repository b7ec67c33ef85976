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


@pytest.fixture
def loading(source, keeper):
    """Lets the value become so many seconds old, then has a thread load it that waits at the source's gate."""
    threads = []

    def load(age):
        keeper.current(NOW)
        source.time += age
        source.gate = threading.Event()
        threads.append(threading.Thread(target=keeper.current, args=(NOW,)))
        threads[0].start()
        while len(source.seen) < 2:
            pass
        return threads[0]

    yield load
    source.gate.set()
    threads[0].join()


@pytest.mark.parametrize("age", [1, 1.99])
def test_for_one_more_interval_the_others_go_on_while_one_loads(source, keeper, loading, age):
    slow = loading(age)
    assert keeper.current(NOW) == 1
    assert slow.is_alive()
    source.gate.set()
    slow.join()
    assert keeper.current(NOW) == 2


@pytest.mark.parametrize("age", [2, 3600])
def test_nobody_is_given_an_older_value_while_one_loads(source, keeper, loading, monkeypatch, age):
    """After a quiet hour the second of two simultaneous requests must not decide by what was true an hour ago."""
    monkeypatch.setattr("paywall.tokens.keeper.PATIENCE_SECONDS", 10)
    loading(age)
    threading.Timer(0.05, source.gate.set).start()
    assert keeper.current(NOW) == 2
    assert source.loads == 2


def test_a_load_that_hangs_holds_the_others_only_for_a_while(source, keeper, loading, monkeypatch):
    monkeypatch.setattr("paywall.tokens.keeper.PATIENCE_SECONDS", 0.05)
    slow = loading(3600)
    assert keeper.current(NOW) == 1
    assert slow.is_alive()


def test_a_load_that_hangs_is_waited_for_in_vain_only_once(source, keeper, loading, monkeypatch):
    """Eight threads that wait at every request answer next to nobody while the database says nothing."""
    monkeypatch.setattr("paywall.tokens.keeper.PATIENCE_SECONDS", 0.05)
    slow = loading(3600)
    keeper.current(NOW)
    assert keeper._patience() == 0
    source.gate.set()
    slow.join()
    source.time += 3600
    assert keeper._patience() == 0.05, "the next load is waited for again"
    assert keeper.current(NOW) == 3


def test_a_load_that_failed_just_now_holds_nobody(source, keeper):
    """While the database is down the value grows old, yet only who tries the database anew waits for it."""
    keeper.current(NOW)
    source.down = True
    source.time += 3600
    keeper.current(NOW)
    with keeper._lock:
        source.time += 1
        assert keeper._patience() == 0
        assert keeper.current(NOW) == 1


def test_with_its_own_interval_a_value_is_at_most_a_second_old():
    """The verification API has a second to refuse a revoked token."""
    assert 2 * Keeper(lambda previous, now: 1).interval <= 1


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


def test_a_lock_held_at_a_fork_does_not_stop_the_child(source, keeper):
    """The child has a copy of the lock, but not the thread that would open it. It loads for itself, and once."""
    keeper.current(NOW)
    source.time += 1
    keeper._lock.acquire()
    assert keeper.current(NOW) == 1
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 10 * keeper.current(NOW) + keeper.current(NOW)
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 22
