"""A process that handles one request and is killed at its N-th commit, just before or just after."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import event

from paywall.app import create_app
from paywall.settings import load_settings
from paywall.storage.database import db
from tests.support import loaded, rehearsal
from tests.support.talking import talking


@dataclass(frozen=True)
class Attempt:
    """A request to a service with these tables of settings, and at which commit its process dies."""

    when: str  # before or after
    number: int
    settings: Mapping[str, Mapping[str, Any]]
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    data: Any = None


@dataclass(frozen=True)
class Outcome:
    """Whether the process was killed; if not, what it answered."""

    killed: bool
    status: int | None = None
    location: str | None = None


class Laboratory:
    """Runs attempts, each in a new process that is forked from one that has loaded the service already."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, attempt: Attempt) -> Outcome:
        """One attempt."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asdict(attempt)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the laboratory has ended by itself"
        return Outcome(**json.loads(answer))


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    """A laboratory; it ends with the block, or when this process does."""
    with talking("tests.support.crashes") as process:
        yield Laboratory(process)


def main() -> None:
    """Reads attempts from standard input, a line each, and writes what became of them."""
    rehearsal.rehearse()
    loaded.load()
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _handle(Attempt(**json.loads(line)), writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(told or json.dumps(asdict(Outcome(killed))), flush=True)


def _handle(attempt: Attempt, writing: int) -> None:
    """Answers the request in this process, unless it is killed; never returns."""
    app = create_app(load_settings(**attempt.settings))
    with app.app_context():
        arm(attempt.when, attempt.number)
    client = app.test_client(use_cookies=False)
    address = {"base_url": "https://pay.test", "path": attempt.path, "method": attempt.method}
    answer = client.open(**address, headers=dict(attempt.headers), data=attempt.data)
    os.write(writing, json.dumps(asdict(Outcome(False, answer.status_code, answer.location))).encode())
    os._exit(0)


def arm(when: str, number: int) -> None:
    """Counts commits, and kills this process at the right one."""
    commits = 0

    def count() -> None:
        nonlocal commits
        commits += 1
        if commits == number:
            os.kill(os.getpid(), signal.SIGKILL)

    if when == "before":
        event.listen(db.engine, "commit", lambda _connection: count())
        return
    commit = db.engine.dialect.do_commit

    def do_commit(connection: Any) -> None:
        commit(connection)
        count()

    db.engine.dialect.do_commit = do_commit  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
