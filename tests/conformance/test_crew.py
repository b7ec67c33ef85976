"""Processes that play stories leave nothing behind, however the first of them ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from paywall.settings import ROOT
from tests.support.servers import wait_until

STARTED = """
import sys, time
from pathlib import Path
from tests.conformance import crew

if __name__ == "__main__":
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork"), initializer=crew._open,
                               initargs=(Path(sys.argv[1]),))
    list(pool.map(time.sleep, [0.2, 0.2]))
    print("at work", flush=True)
    time.sleep(60)
"""


def test_they_end_when_the_first_one_is_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTED, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        assert first.stdout.readline() == "at work\n"
        others = psutil.Process(first.pid).children(recursive=True)
        assert len(others) == 2
        os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: not [one for one in others if one.is_running()], "they end too", 20)
