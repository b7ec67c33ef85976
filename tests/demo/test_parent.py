"""A child of make, or of whatever started the demo, notices when that is about to end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from paywall.demo.parent import Parent
from paywall.demo.stack import ROOT
from tests.demo.procs import eventually

CHILD = """
import sys, time, pathlib
from paywall.demo.parent import Parent
parent = Parent()
pathlib.Path(sys.argv[1], "started").touch()
while not parent.ending():
    time.sleep(0.05)
pathlib.Path(sys.argv[1], "noticed").touch()
"""


@pytest.fixture
def make(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """make, running the child in the way the demo is run."""
    if shutil.which("make") is None:
        pytest.skip("there is no make on this machine")
    (tmp_path / "child.py").write_text(CHILD)
    (tmp_path / "Makefile").write_text(f"run:\n\t@exec {sys.executable} {tmp_path}/child.py {tmp_path}\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "-C", str(tmp_path), "run"]
    with subprocess.Popen(command, env=env | {"PYTHONPATH": str(ROOT)}, start_new_session=True) as process:
        assert eventually((tmp_path / "started").exists)
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_the_end_of_make_is_noticed(make: subprocess.Popen[bytes], tmp_path: Path, number: int) -> None:
    """Except for SIGKILL make waits for its child, and ends as soon as that has."""
    if number != signal.SIGKILL and not Path("/proc/self/status").exists():
        pytest.skip("only Linux shows that make has been told to stop")
    time.sleep(0.3)
    assert not (tmp_path / "noticed").exists()
    make.send_signal(number)
    assert eventually((tmp_path / "noticed").exists)
    assert make.wait(10) != 0


def test_a_parent_that_goes_on_is_not_taken_for_ending() -> None:
    parent = Parent()
    assert not any(parent.ending() for _ in range(50))


def test_signals_that_the_parent_always_blocks_mean_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paywall.demo.parent._blocked", lambda _pid: 1 << (signal.SIGINT - 1))
    assert not Parent().ending()


def test_a_block_of_a_moment_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([0, 1 << (signal.SIGINT - 1), 0])
    monkeypatch.setattr("paywall.demo.parent._blocked", lambda _pid: next(answers))
    assert not Parent().ending()
