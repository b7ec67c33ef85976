"""The first signal asks for an orderly end, the second one ends the process at once."""

import os
import signal
import subprocess
import sys
import time

import pytest

from paywall.worker.signals import Stop, stop_on_signals

CHILD = """
import time
from paywall.worker.signals import stop_on_signals
with stop_on_signals() as stop:
    print("ready", flush=True)
    stop.wait(30)
    print("asked", flush=True)
    time.sleep(30)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_something_to_wait_for_and_handlers_come_back(number: int) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop.wait(0)
        os.kill(os.getpid(), number)
        assert stop.wait(5)
        assert stop.wait(0), "it stays so"
    assert signal.getsignal(number) is before


def test_asking_often_never_blocks() -> None:
    stop = Stop()
    for _ in range(100_000):
        stop.ask()
    assert stop.wait(0)
    stop.close()


def test_a_second_signal_ends_at_once() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        assert process.stdout.readline() == "asked\n"
        began = time.monotonic()
        process.terminate()
        assert process.wait(10) == 128 + signal.SIGTERM
        assert time.monotonic() - began < 10
