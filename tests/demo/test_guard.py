"""The guard ends its command, and all that the command started, when whoever started it is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from paywall.demo import guard
from tests.demo.procs import eventually, mentioning

# A server with a worker that does not mind its parent's end, as granian's do not.
SERVER = """
import subprocess, sys, time, pathlib
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", sys.argv[1]])
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """A file that the server makes once it runs; its path stands in the command line of each process."""
    path = tmp_path / "started"
    yield path
    for process in mentioning(str(path)):
        process.kill()


GUARD = [sys.executable, "-I", guard.__file__]
HASTY = "import sys; from paywall.demo import guard; guard.GRACE_SECONDS = 0.3; guard.main(sys.argv[1:])"


def start(mark: Path, code: str = SERVER, guarded: list[str] = GUARD) -> subprocess.Popen[bytes]:
    command = [*guarded, sys.executable, "-c", code, str(mark)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    assert eventually(mark.exists)
    assert len(mentioning(str(mark))) == 3
    return process


def test_the_command_and_its_workers_end_when_the_starter_lets_go(mark: Path) -> None:
    process = start(mark)
    process.communicate()
    assert eventually(lambda: not mentioning(str(mark)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_command_and_its_workers_end_on_a_signal(mark: Path, number: int) -> None:
    process = start(mark)
    process.send_signal(number)
    process.wait(10)
    assert eventually(lambda: not mentioning(str(mark)))
    process.communicate()


def test_a_command_that_will_not_end_is_killed(mark: Path) -> None:
    process = start(mark, STUBBORN, [sys.executable, "-c", HASTY])
    process.communicate()
    assert eventually(lambda: not mentioning(str(mark)))


@pytest.mark.parametrize(("code", "expected"), [("raise SystemExit(3)", 3), ("", 0)])
def test_the_guard_ends_with_the_command_s_code(code: str, expected: int) -> None:
    command = [*GUARD, sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        assert process.wait(10) == expected


def test_a_killed_command_is_told_as_a_shell_does() -> None:
    code = "import os; os.kill(os.getpid(), 9)"
    command = [*GUARD, sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        assert process.wait(10) == 128 + 9


def test_a_guard_without_a_group_of_its_own_makes_one(mark: Path) -> None:
    """Otherwise it would end the shell that called it."""
    command = [*GUARD, sys.executable, "-c", SERVER, str(mark)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert eventually(mark.exists)
        assert os.getpgid(process.pid) == process.pid != os.getpgrp()
