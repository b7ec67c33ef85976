"""A process that takes one message and is killed at its N-th commit; another goes on."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from flask_openapi3.openapi import OpenAPI

from paywall.app import create_app
from paywall.settings import ROOT, load_settings
from paywall.storage.database import db
from tests.conformance.messages import Delivery, send
from tests.conformance.orders import Order
from tests.conformance.running import Run, Tape
from tests.conformance.stage import Stage, StageClock
from tests.conformance.stories import Story
from tests.support.crashes import arm
from tests.support.shop import post_event

DONE, NOT_DONE, CRASHED = 0, 3, 4
OUTCOMES = {DONE: "done", NOT_DONE: "not done", CRASHED: "not done", -signal.SIGKILL: "killed"}
LEASE_OVER = timedelta(seconds=31)
MOST = 40  # more commits than any message takes


class Laboratory:
    """Takes messages in processes that die, each forked from one that has loaded the service already."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def take(self, when: str, number: int, delivery: Delivery, moment: datetime) -> str:
        """Has a message taken by a process that dies at this commit, ``before`` or ``after`` it.

        Returns ``killed``; or ``done`` or ``not done`` where it made fewer commits.
        """
        attempt = {"when": when, "number": number, "moment": moment.isoformat(), "event": delivery.event}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({**attempt, "path": delivery.path}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the laboratory has ended by itself"
        return answer.strip()


@contextmanager
def laboratory(stage: Stage) -> Iterator[Laboratory]:
    """A laboratory that works on the stage's database and asks the stage's Stripe over the network."""
    url = stage.parts.settings.database.url.get_secret_value()
    with stage.sandbox.listening() as address:
        command = [sys.executable, "-m", "tests.conformance.killing", url, address]
        env = {**os.environ, "PAYWALL_ENV": "testing", "NO_PROXY": "127.0.0.1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, text=True, cwd=ROOT, env=env, **pipes) as process:  # type: ignore[call-overload]
            try:
                yield Laboratory(process)
            finally:
                if process.stdin:
                    process.stdin.close()
                process.wait(10)


class KilledRun(Run):
    """A run in natural order in which message ``number`` meets a process that dies at commit ``commit``."""

    def __init__(
        self, stage: Stage, story: Story, tape: Tape, lab: Laboratory, number: int, when: str, commit: int
    ) -> None:
        super().__init__(stage, story, tape, Order("soon"))
        self._lab, self._target, self._when, self._commit = lab, number, when, commit
        self.killed = False

    def deliver(self, delivery: Delivery, *, number: int | None = None, away: bool = False) -> None:
        """Delivers a message; the chosen one first to a process that dies, then, when its lease is over, again."""
        if number == self._target:
            self._target = -1
            db.session.remove()
            outcome = self._lab.take(self._when, self._commit, delivery, self.stage.clock.moment)
            self.trace.append(f"  {delivery.name} in a process of its own: {outcome}")
            self.killed = outcome == "killed"
            if outcome == "not done":
                self.faults.append("a process that nobody killed did not deal with the message")
            self.judge.blind()
            self.judge.look("a kill")
            self.stage.clock.moment += LEASE_OVER
        super().deliver(delivery, number=number, away=away)


def kill_points(stage: Stage, story: Story, tape: Tape, lab: Laboratory, number: int, when: str) -> Iterator[KilledRun]:
    """One message killed at its first commit, its second, until it gets through; each is a run to the end."""
    for commit in range(1, MOST):
        run = KilledRun(stage, story, tape, lab, number, when, commit)
        run.play().finish()
        yield run
        if not run.killed:
            return
    raise AssertionError(f"killed at commit {MOST}")


def main() -> None:
    """Reads attempts from standard input, a line each, and writes what became of them."""
    clock = StageClock()
    patient = {"api_base": sys.argv[2], "connect_timeout_seconds": 20.0, "read_timeout_seconds": 60.0}
    tables: dict[str, Any] = {"database": {"url": sys.argv[1]}, "stripe": patient, "log": {"level": "error"}}
    app = create_app(load_settings(**tables), clock=clock)
    for line in sys.stdin:
        attempt = json.loads(line)
        child = os.fork()
        if child == 0:
            clock.moment = datetime.fromisoformat(attempt["moment"])
            _take(app, attempt)
        _, status = os.waitpid(child, 0)
        print(OUTCOMES[os.waitstatus_to_exitcode(status)], flush=True)


def _take(app: OpenAPI, attempt: dict[str, Any]) -> None:
    """Takes the message in this process, unless it is killed; never returns."""
    code = CRASHED
    try:
        with app.app_context():
            arm(attempt["when"], attempt["number"])
            if attempt["event"]:
                done = post_event(app, json.dumps(attempt["event"]).encode()).status_code == 200
            else:
                done = send(app.extensions["paywall"], Delivery("return", path=attempt["path"]))
        code = DONE if done else NOT_DONE
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
