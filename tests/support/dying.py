"""A worker that does one job once and is killed at its N-th commit, just before or just after."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from paywall.app import create_app
from paywall.settings import load_settings
from paywall.worker.jobs import all_jobs
from paywall.worker.process import Worker
from tests.support import loaded, rehearsal
from tests.support.crashes import arm
from tests.support.talking import talking


class Ward:
    """Runs jobs, each in a new process that is forked from one that has loaded the service already."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, job: str, when: str, number: int, settings: Mapping[str, Any]) -> bool:
        """Whether the worker was killed at that commit; else it has done the job."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([job, when, number, settings]) + "\n")
        self._process.stdin.flush()
        told = self._process.stdout.readline().strip()
        assert told in ("killed", "done"), f"the job {job} {told or 'ended the ward'}"
        return told == "killed"


@contextmanager
def ward() -> Iterator[Ward]:
    """A ward; it ends with the block, or when this process does."""
    with talking("tests.support.dying") as process:
        yield Ward(process)


def main() -> None:
    """Reads what to do from standard input, a line each, and writes what became of it."""
    rehearsal.rehearse()
    loaded.load()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _work(*json.loads(line))
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            print("killed" if os.WTERMSIG(status) == signal.SIGKILL else "crashed", flush=True)
        else:
            print("failed" if os.WEXITSTATUS(status) else "done", flush=True)


def _work(name: str, when: str, number: int, settings: Mapping[str, Any]) -> None:
    """Does the job in this process, unless it is killed; never returns."""
    code = 1
    try:
        app = create_app(load_settings(**settings))
        parts = app.extensions["paywall"]
        with app.app_context():
            jobs = [job for job in all_jobs(parts) if job.name == name]
            arm(when, number)
            code = len(Worker(app, parts, jobs).once())
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
