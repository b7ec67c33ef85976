"""What no answer has to wait for is done soon, once, and in the order in which it came."""

import subprocess
import sys
import threading
import time

import pytest

from paywall.later import Later, Pile
from paywall.settings import ROOT


@pytest.fixture
def done() -> list[int]:
    return []


@pytest.fixture
def never() -> Later:
    """One whose thread sleeps for as long as any test takes."""
    return Later(pause=3600)


def test_work_is_done_without_being_asked_for(done) -> None:
    later = Later(pause=0.01)
    later.add(done.extend, 1)
    _wait(lambda: done == [1])
    later.add(done.extend, 2)  # the thread went back to sleep
    _wait(lambda: done == [1, 2])


def test_what_was_added_before_is_done_when_settle_returns(never, done) -> None:
    for number in range(1000):
        never.add(done.extend, number)
    assert done == []
    never.settle()
    assert done == list(range(1000))


def test_works_get_the_items_that_are_theirs(never) -> None:
    odd, even = list[int](), list[int]()
    works = (even.extend, odd.extend)  # a bound method is another object each time, and yet the same work
    for number in range(10):
        never.add(works[number % 2], number)
    never.settle()
    assert (even, odd) == ([0, 2, 4, 6, 8], [1, 3, 5, 7, 9])


def test_items_come_in_batches_that_let_others_go_on(never) -> None:
    sizes = list[int]()

    def count(items) -> None:
        sizes.append(len(items))

    for number in range(5000):
        never.add(count, number)
    never.settle()
    assert sum(sizes) == 5000
    assert max(sizes) <= 2000


def test_a_pile_is_done_in_its_order_with_the_rest(never, done) -> None:
    pile = Pile(done.extend, never)
    for number in range(5000):
        pile.add(number)
    assert done == []
    never.settle()
    assert done == list(range(5000))
    pile.add(5000)
    never.settle()
    assert done[-1] == 5000


def by_itself(later: Later, done: list[int]):
    return lambda number: later.add(done.extend, number)


def on_a_pile(later: Later, done: list[int]):
    return Pile(done.extend, later).add


@pytest.mark.parametrize("adding", [by_itself, on_a_pile])
def test_who_adds_to_too_many_does_the_work(done, adding) -> None:
    add = adding(Later(pause=3600, most=10), done)
    for number in range(25):
        add(number)
    assert done == list(range(20)), "twice ten"


@pytest.mark.parametrize("adding", [by_itself, on_a_pile])
def test_threads_lose_nothing_and_do_nothing_twice(done, adding) -> None:
    later = Later(pause=0.001)
    add_one = adding(later, done)

    def add(first: int) -> None:
        for number in range(first, first + 2000):
            add_one(number)

    threads = [threading.Thread(target=add, args=(first,)) for first in range(0, 8000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    later.settle()
    assert sorted(done) == list(range(8000))


def test_a_work_that_fails_takes_nothing_of_the_others_with_it(never, done) -> None:
    def fail(_items) -> None:
        raise RuntimeError

    piles = Pile(fail, never), Pile(done.extend, never)
    never.add(fail, 0)
    for number, pile in enumerate(piles):
        pile.add(number)
    never.add(done.extend, 2)
    with pytest.raises(RuntimeError):
        never.settle()
    piles[1].add(3)
    never.settle()
    assert sorted(done) == [1, 2, 3]


def test_a_work_that_fails_does_not_end_the_next(done, monkeypatch) -> None:
    told = list[object]()
    monkeypatch.setattr(threading, "excepthook", told.append)
    later = Later(pause=0.01)

    def fail(_items) -> None:
        raise RuntimeError

    later.add(fail, 1)
    _wait(lambda: told)
    _wait(lambda: not any(one.is_alive() for one in [later._thread]))
    later.add(done.extend, 2)
    _wait(lambda: done == [2])


PROGRAM = """
import os
from paywall.later import LATER, Pile
PILE = Pile(lambda lines: print(*lines, flush=True))
LATER.add(lambda lines: print(*lines, flush=True), "parent")
PILE.add("parents")
if os.fork() == 0:
    LATER.add(lambda lines: print(*lines, flush=True), "child")
    PILE.add("childs")
    LATER.settle()
    os._exit(0)
os.wait()
"""


def test_an_ending_process_does_what_waits_and_a_forked_one_its_own_alone() -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert (found.stdout.split(), found.stderr) == (["child", "childs", "parent", "parents"], "")


WORKERS = """
import multiprocessing
from paywall.later import LATER

def work():
    LATER.add(lambda lines: print(*lines, flush=True), "worker")

if __name__ == "__main__":
    worker = multiprocessing.get_context("fork").Process(target=work)
    worker.start()
    worker.join()
"""


def test_a_worker_of_a_server_does_what_waits_before_it_ends() -> None:
    """As granian's are: their process ends without what `atexit` holds."""
    command = [sys.executable, "-W", "error", "-c", WORKERS]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert (found.stdout.split(), found.stderr) == (["worker"], "")


def test_where_no_thread_can_be_had_who_adds_does_the_work(done, monkeypatch) -> None:
    """A service that has reached its limit of threads goes on answering, and the next item tries again."""
    later = Later(pause=0.01)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", refuse)
        later.add(done.extend, 1)
        later.add(done.extend, 2)
    assert done == [1, 2]
    later.add(done.extend, 3)
    _wait(lambda: done == [1, 2, 3])
    assert later._thread is not None
    assert later._thread.is_alive()


def test_adding_costs_a_request_next_to_nothing(never, done) -> None:
    """Microseconds for one."""

    def microseconds() -> float:
        began = time.perf_counter()
        for number in range(1000):
            never.add(done.extend, number)
        return (time.perf_counter() - began) * 1000

    assert min(microseconds() for _ in range(5)) < 20


def _wait(ready) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.005)
