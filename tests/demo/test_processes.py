"""Guarded processes: log, exit code, stop, and what is left when things are killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paywall.demo.processes import GuardedProcess
from tests.demo.procs import eventually, mentioning
from tests.demo.test_guard import SERVER

Start = Callable[..., GuardedProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts Python code guarded; all ends with the test."""
    started: list[GuardedProcess] = []

    def begin(code: str, *arguments: str) -> GuardedProcess:
        command = [sys.executable, "-c", code, *arguments]
        process = GuardedProcess("part", command, env=dict(os.environ), cwd=tmp_path, log=tmp_path / "part.log")
        started.append(process)
        return process

    yield begin
    for process in started:
        process.ask_to_stop()
        process.finish()


def test_what_it_prints_goes_to_the_log_and_its_end_can_be_shown(start: Start) -> None:
    process = start("import sys\nfor n in range(40): print(f'line {n}', flush=True)\nprint('oops', file=sys.stderr)")
    assert eventually(lambda: process.exit_code == 0)
    tail = process.tail().splitlines()
    assert len(tail) == 15
    assert "    oops" in tail
    assert "    line 39" in tail


def test_silence_is_told_too(start: Start) -> None:
    process = start("")
    assert eventually(lambda: process.exit_code is not None)
    assert "printed nothing" in process.tail()


def test_the_log_of_a_crash_is_kept_over_a_restart_but_is_not_the_next_ones_end(start: Start, tmp_path: Path) -> None:
    first = start("import sys; sys.exit('the crash')")
    assert eventually(lambda: first.exit_code == 1)
    second = start("print('well again')")
    assert eventually(lambda: second.exit_code == 0)
    assert (tmp_path / "part.log").read_text() == "the crash\nwell again\n"
    assert second.tail() == "    well again"


def test_logs_are_bounded_and_a_crash_is_kept_even_then(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    for crash in ("first", "second"):
        log.write_text("x" * 1_000_000 + crash)
        process = start("print('well again')")
        assert eventually(lambda process=process: process.exit_code == 0)
        assert log.read_text() == "well again\n"
        assert (tmp_path / "part.log.1").read_text().endswith(crash)
    assert len(list(tmp_path.iterdir())) == 2


def test_it_has_no_exit_code_while_it_runs_and_stops_when_asked(start: Start) -> None:
    process = start("import time; time.sleep(60)")
    assert process.exit_code is None
    process.ask_to_stop()
    process.finish()
    assert process.exit_code is not None


def test_workers_of_a_server_that_was_killed_are_swept(start: Start, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    process = start(SERVER, str(mark))
    assert eventually(mark.exists)
    server = next(one for one in mentioning(str(mark)) if one.ppid() != 1 and one.children())
    while server.children()[0].children():
        server = server.children()[0]
    server.kill()
    assert eventually(lambda: process.exit_code == 128 + signal.SIGKILL)
    process.finish()
    assert eventually(lambda: not mentioning(str(mark)))


def test_a_killed_guard_leaves_nothing_either(start: Start, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    process = start(SERVER, str(mark))
    assert eventually(mark.exists)
    process._guard.kill()
    assert eventually(lambda: process.exit_code == -signal.SIGKILL)
    process.finish()
    assert eventually(lambda: not mentioning(str(mark)))


def test_everything_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"""
import os, sys, time
from pathlib import Path
from paywall.demo.processes import GuardedProcess
command = [sys.executable, "-c", {SERVER!r}, {str(mark)!r}]
here = Path({str(tmp_path)!r})
part = GuardedProcess("part", command, env=dict(os.environ), cwd=here, log=here / "log")
time.sleep(60)
"""
    launcher = subprocess.Popen([sys.executable, "-c", code])
    assert eventually(mark.exists)
    launcher.kill()
    launcher.wait()
    assert eventually(lambda: not mentioning(str(mark)))
