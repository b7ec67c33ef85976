"""The background thread: there when needed, gone with its owner, forgotten by a forked child."""

import gc
import os
import subprocess
import sys
import threading
import time
import weakref

import pytest

from paywall.verifier.refresher import Refresher

from .test_keysource import Stopwatch


class Task:
    """Counts its turns and asks for the next after `wait` seconds."""

    def __init__(self, wait=60.0, fault=None):
        self.wait = wait
        self.fault = fault
        self.turns = 0
        self.done = threading.Event()

    def refresh(self):
        self.turns += 1
        self.done.set()
        if self.fault:
            raise self.fault
        return self.wait


def threads():
    return [one for one in threading.enumerate() if one.name == "paywall-verifier"]


def until(condition, seconds=5.0):
    """Whether it comes true within these seconds."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.fixture(autouse=True)
def alone():
    """No thread of another test runs, and none is left behind."""
    gc.collect()
    assert until(lambda: not threads())
    yield
    gc.collect()
    assert until(lambda: not threads())


def test_each_task_has_its_turn_when_it_asked_for_it():
    clock = Stopwatch()
    often, seldom = Task(10.0), Task(25.0)
    refresher = Refresher([often, seldom], clock)
    waits = []
    for _ in range(6):
        waits.append(refresher.turn())
        clock.now += waits[-1]
    assert waits == [10, 10, 5, 5, 10, 10]
    assert (often.turns, seldom.turns) == (5, 2)


def test_a_thread_is_started_once_and_runs_the_tasks():
    task = Task()
    refresher = Refresher([task])
    assert threads() == []
    for _ in range(3):
        refresher.start()
    assert task.done.wait(5)
    assert len(threads()) == 1
    refresher.close()
    assert threads() == []


def test_without_tasks_there_is_no_thread():
    refresher = Refresher([])
    refresher.start()
    assert threads() == []
    assert refresher.turn() > 0


def test_after_close_no_thread_is_started():
    refresher = Refresher([Task()])
    refresher.close()
    refresher.start()
    refresher.close()
    assert threads() == []


def test_the_thread_ends_with_the_last_reference():
    task = Task()
    refresher = Refresher([task])
    refresher.start()
    assert task.done.wait(5)
    gone = weakref.ref(refresher)
    del refresher
    assert until(lambda: gone() is None and not threads())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_in_a_task_is_shown_and_the_next_request_starts_another_thread():
    task = Task(fault=RuntimeError("a fault"))
    refresher = Refresher([task])
    refresher.start()
    assert until(lambda: task.turns == 1 and not threads())
    refresher.start()
    assert len(threads()) == 1
    assert task.turns == 1, "it waits before it tries again"
    refresher.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_starts_a_thread_of_its_own():
    """Although the parent's lock was held at the fork, and its thread does not exist there."""
    refresher = Refresher([Task()])
    refresher.start()
    with refresher._lock:
        child = os.fork()
        if child == 0:
            before = len(threads())
            refresher._tasks[0].done.clear()
            refresher._due = [0.0]
            refresher.start()
            ran = refresher._tasks[0].done.wait(5)
            os._exit(0 if ran and before == 0 else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    refresher.close()


ENDS = """
import socket, threading, time
from paywall.verifier import Verifier
silent = socket.create_server(("127.0.0.1", 0))
verifier = Verifier(f"http://127.0.0.1:{silent.getsockname()[1]}", "pwk_x", timeout=0.3, cooldown=0)
verifier.check("k~eyJ9." + "A" * 86)
time.sleep(0.1)
print(any(one.name == "paywall-verifier" for one in threading.enumerate()))
"""


def test_a_process_ends_at_once_although_the_thread_waits_for_the_service():
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-W", "error", "-c", ENDS], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - started < 30
