"""A process that takes one message and is killed at its N-th commit; another goes on."""

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_openapi3.openapi import OpenAPI

from paywall.app import create_app
from paywall.settings import load_settings
from paywall.storage.database import db
from tests.conformance.judging import Memory
from tests.conformance.messages import Delivery, give
from tests.conformance.orders import Order
from tests.conformance.running import Run, Tape
from tests.conformance.stage import Frame, Stage, StageClock
from tests.conformance.states import state_of
from tests.conformance.stories import Story
from tests.support.crashes import arm
from tests.support.shop import post_event
from tests.support.talking import talking

LEASE_OVER = timedelta(minutes=10)  # longer than the lease that follows from any time-outs here
MOST = 40  # more commits than any message takes


class Laboratory:
    """Takes messages in processes that die, each forked from one that has loaded the service already."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def take(self, when: str, number: int, delivery: Delivery, moment: datetime) -> str:
        """Has a message taken by a process that dies at this commit, ``before`` or ``after`` it.

        Returns ``killed``; or ``done`` or ``not done`` with the reason where it made fewer commits.
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
    with (
        stage.sandbox.listening() as address,
        talking("tests.conformance.killing", url, address, NO_PROXY="127.0.0.1") as process,
    ):
        yield Laboratory(process)


@dataclass(frozen=True)
class Point:
    """A run just before it delivers a message: everything that it takes to go on from there, again and again."""

    frame: Frame
    memory: Memory
    act: int
    delivery: Delivery
    waiting: tuple[tuple[int, Delivery], ...]  # what was due besides
    undone: Mapping[str, Delivery]
    trace: tuple[str, ...]
    live: bool
    count: int
    delivered: int


class _Reached(Exception):
    """A scout is where it should go."""


class Scout(Run):
    """A run in natural order that stops before message ``target``."""

    def __init__(self, stage: Stage, story: Story, tape: Tape, target: int) -> None:
        super().__init__(stage, story, tape, Order("soon"))
        self._target = target
        self._point: Point | None = None

    def find(self) -> Point:
        """The point before that message."""
        with suppress(_Reached):
            self.play()._settle()
        if self._point is None:
            raise AssertionError(f"{self.story.name} has no message {self._target}")
        return self._point

    def deliver_all(self, messages: list[tuple[int, Delivery]]) -> None:
        """Delivers messages until it comes to the one."""
        for turn, (number, delivery) in enumerate(messages):
            if number == self._target:
                rest = (*messages[turn + 1 :], *self.take_due())
                kept = (self.stage.take(), self.judge.save(), self.act, delivery, rest, dict(self._undone))
                self._point = Point(*kept, tuple(self.trace), self._live, self._number, self.delivered)
                raise _Reached
            self.deliver(delivery, number=number)


class KilledRun(Run):
    """A run from a point on, whose message meets a process that dies at a commit."""

    def __init__(self, stage: Stage, story: Story, tape: Tape, point: Point) -> None:
        super().__init__(stage, story, tape, Order("soon"))
        self.killed = False
        self._point = point
        stage.show(point.frame, rows=True)
        self.judge.restore(point.memory)
        self.act, self._number, self._live, self.delivered = point.act, point.count, point.live, point.delivered
        self._due = [(point.act, float(number), number, delivery) for number, delivery in point.waiting]
        self._undone = dict(point.undone)
        self.trace = list(point.trace)

    def kill(self, lab: Laboratory, when: str, commit: int) -> Hashable:
        """The message comes to a process that dies, then, when its lease is over, again. Returns the state then."""
        delivery = self._point.delivery
        db.session.remove()
        outcome = lab.take(when, commit, delivery, self.stage.clock.moment)
        self.trace.append(f"  {delivery.name} in a process of its own, {when} commit {commit}: {outcome}")
        self.killed = outcome == "killed"
        if outcome.startswith("not done"):
            self.faults.append(f"a process that nobody killed did not deal with the message: {outcome}")
        self.judge.blind()
        self.judge.look("a kill")
        self.stage.clock.moment += LEASE_OVER
        self.deliver(delivery)
        return tuple(sorted(self._undone)), state_of(self.stage.take(), {})

    def rest(self) -> None:
        """What comes after the message."""
        self._notice(self.act)
        self._deliver_until(self.act)
        self.go_on(self.act + 1).finish()


def kill_points(stage: Stage, story: Story, tape: Tape, lab: Laboratory, number: int, when: str) -> Iterator[KilledRun]:
    """One message killed at its first commit, its second, until it gets through.

    What follows is played once for all kills that lead to the same state.
    """
    point = Scout(stage, story, tape, number).find()
    known: set[Hashable] = set()
    for commit in range(1, MOST):
        run = KilledRun(stage, story, tape, point)
        state = run.kill(lab, when, commit)
        if state not in known:
            known.add(state)
            run.rest()
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
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            clock.moment = datetime.fromisoformat(attempt["moment"])
            _take(app, attempt, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        _, status = os.waitpid(child, 0)
        killed = os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        print("killed" if killed else told or "not done: it ended by itself", flush=True)


def _take(app: OpenAPI, attempt: dict[str, Any], writing: int) -> None:
    """Takes the message in this process, unless it is killed, and tells what came of it; never returns."""
    told = "not done: it ended early"
    try:
        with app.app_context():
            arm(attempt["when"], attempt["number"])
            told = _outcome(app, attempt)
    except BaseException:
        told = f"not done: {' / '.join(traceback.format_exc().splitlines())}"
    finally:
        os.write(writing, told.encode())
        os._exit(0)


def _outcome(app: OpenAPI, attempt: dict[str, Any]) -> str:
    if attempt["event"]:
        answer = post_event(app, json.dumps(attempt["event"]).encode())
        return "done" if answer.status_code == 200 else f"not done: {answer.status_code} {answer.get_data()!r}"
    return "done" if give(app.extensions["paywall"], Delivery("return", path=attempt["path"])) else "not done"


if __name__ == "__main__":
    main()
