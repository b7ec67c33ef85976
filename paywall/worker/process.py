"""The worker's process: a thread for each job, and the main thread for heartbeat, signals and the end."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog
from flask import Flask
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from paywall.parts import Parts
from paywall.storage import leases, workers
from paywall.storage.database import db, new_id
from paywall.storage.workers import Tally
from paywall.worker.jobs import Job
from paywall.worker.planned import LEASE
from paywall.worker.shift import Shift

log = structlog.get_logger("paywall.worker")

BEATS = 6  # within the time after which a worker counts as gone
LONGEST_PAUSE_SECONDS = 30.0
_LOOK_SECONDS = 0.2


class Waits(Protocol):
    """Something to wait for."""

    def wait(self, seconds: float) -> bool:
        """True as soon as it has happened, False after that many seconds."""


class JobThread(threading.Thread):
    """Runs one job again and again; whatever happens to it is counted and logged, and it goes on."""

    def __init__(self, app: Flask, job: Job, shift: Shift, pause: float, parts: Parts) -> None:
        super().__init__(name=f"worker-{job.name}", daemon=True)  # a second signal ends it at once
        self.job = job
        self.shift = shift
        self._app = app
        self._pause = pause
        self._clock = parts.clock
        self._lock = threading.Lock()
        self._tally = Tally()
        self._troubles = 0

    def run(self) -> None:
        """Until the worker stops."""
        with self._app.app_context():
            while self.shift.going():
                self.run_once()
                grown = self._pause * (1 << min(self._troubles, 10))
                self.shift.stopping.wait(min(grown, max(LONGEST_PAUSE_SECONDS, self._pause)))

    def run_once(self) -> bool:
        """One round; False if it failed. Needs the application's context."""
        began, failure = time.monotonic(), None
        try:
            self.job.run(self.shift)
        except OperationalError:
            failure = "database_unavailable"
            log.error("database_unavailable", job=self.job.name)
        except Exception as error:  # whatever it is: the next round may go well, and the other jobs go on
            failure = type(error).__name__
            log.exception("job_failed", job=self.job.name, kind=failure)
        finally:
            db.session.remove()
        self._troubles = self._troubles + 1 if failure else 0
        self._count(time.monotonic() - began, failure)
        return failure is None

    def take_tally(self) -> Tally:
        """What was counted since the last time; the caller writes it down, or adds it again."""
        with self._lock:
            taken, self._tally = self._tally, Tally()
            return taken

    def put_back(self, tally: Tally) -> None:
        """A tally that could not be written down."""
        with self._lock:
            self._tally.runs += tally.runs
            self._tally.failures += tally.failures
            self._tally.milliseconds += tally.milliseconds
            self._tally.done_at = self._tally.done_at or tally.done_at
            if self._tally.failed_at is None:
                self._tally.failed_at, self._tally.failure = tally.failed_at, tally.failure

    def _count(self, seconds: float, failure: str | None) -> None:
        now = self._clock.now()
        with self._lock:
            self._tally.runs += 1
            self._tally.milliseconds += round(seconds * 1000)
            if failure is None:
                self._tally.done_at = now
            else:
                self._tally.failures += 1
                self._tally.failed_at, self._tally.failure = now, failure


class Worker:
    """All jobs in one process."""

    def __init__(self, app: Flask, parts: Parts, jobs: Sequence[Job]) -> None:
        self.id = new_id("wrk")
        self.place = f"{socket.gethostname()}:{os.getpid()}"
        self._app = app
        self._clock = parts.clock
        # also a planned job's lease lasts as long as somebody beats
        self._beat_seconds = min(parts.settings.worker.silent_seconds / BEATS, LEASE.total_seconds() / 3)
        self._beat_at: tuple[datetime, float] | None = None  # by the service's clock, and by one that nobody moves
        self._stopping = threading.Event()
        pause = parts.settings.worker.pause_seconds
        self._threads = [JobThread(app, job, Shift(self.id, self._stopping), pause, parts) for job in jobs]

    def once(self) -> list[str]:
        """Runs each job once, here and now, and returns the names of those that failed.

        It leaves no heartbeat: nobody is there afterwards who would try a parked event again.
        """
        over = threading.Event()
        keeper = threading.Thread(target=self._keep_leases, args=(over,), name="worker-leases", daemon=True)
        keeper.start()
        try:
            with self._app.app_context():
                failed = [thread.job.name for thread in self._threads if not thread.run_once()]
        finally:
            over.set()
            keeper.join()
        with self._app.app_context():
            self._write(alive=False)
        return failed

    def _keep_leases(self, over: threading.Event) -> None:
        with self._app.app_context():
            while not over.wait(self._beat_seconds):
                self._write(alive=False)

    def run(self, stop: Waits) -> int:
        """Works until ``stop`` happens, then ends what is in hand. 0, or 1 when a job's thread has died."""
        log.info("worker_started", worker=self.id, place=self.place)
        for thread in self._threads:
            thread.start()
        with self._app.app_context():
            whole = self._watch(stop)
            self._stopping.set()
            log.info("worker_stopping", worker=self.id)
            while any(thread.is_alive() for thread in self._threads):
                if self._beat_is_due():
                    self._write(alive=True)
                time.sleep(_LOOK_SECONDS)
            self._write(alive=True)
            self._say_goodbye()
        log.info("worker_stopped", worker=self.id)
        return 0 if whole else 1

    def _watch(self, stop: Waits) -> bool:
        """Beats until the end; False when a thread ended by itself, so that a supervisor starts a whole worker."""
        while all(thread.is_alive() for thread in self._threads):
            if self._beat_is_due():
                self._write(alive=True)
            if stop.wait(_LOOK_SECONDS):
                return True
        log.error("worker_broken", worker=self.id)
        return False

    def _beat_is_due(self) -> bool:
        """Also when the service's clock was moved, in development: the worker must not seem to be long gone."""
        if self._beat_at is None:
            return True
        passed = (self._clock.now() - self._beat_at[0]).total_seconds(), time.monotonic() - self._beat_at[1]
        return max(abs(one) for one in passed) >= self._beat_seconds

    def _write(self, *, alive: bool) -> None:
        """Heartbeat, leases and figures, in one transaction. A job that is stuck makes the worker fall silent."""
        now = self._clock.now()
        self._beat_at = now, time.monotonic()
        tallies = [(thread, thread.take_tally()) for thread in self._threads]
        stuck = [thread.job.name for thread in self._threads if thread.shift.stuck()]
        try:
            if stuck:
                log.error("job_stuck", jobs=stuck)
            elif alive:
                workers.beat(self.id, self.place, now)
            for thread, tally in sorted(tallies, key=lambda pair: pair[0].job.name):
                if tally.runs:
                    workers.add(thread.job.name, tally)
                if thread.shift.lease and not thread.shift.stuck():
                    leases.extend(thread.shift.lease, self.id, now + LEASE)
            db.session.commit()
        except SQLAlchemyError as error:
            db.session.rollback()
            log.error("heartbeat_failed", worker=self.id, kind=type(error).__name__)
            for thread, tally in tallies:
                thread.put_back(tally)
        finally:
            db.session.remove()

    def _say_goodbye(self) -> None:
        try:
            workers.stop(self.id, self._clock.now())
            db.session.commit()
        except SQLAlchemyError as error:
            db.session.rollback()
            log.error("heartbeat_failed", worker=self.id, kind=type(error).__name__)
        finally:
            db.session.remove()
