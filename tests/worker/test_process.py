"""The worker's threads: a job that fails stops no other, a job that hangs silences the heartbeat, a stop is orderly."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from paywall.storage import leases, workers
from paywall.storage.database import begin_read, db
from paywall.storage.models import Lease
from paywall.worker import shift as shifts
from paywall.worker.jobs import Job
from paywall.worker.planned import LEASE
from paywall.worker.process import Worker
from paywall.worker.shift import Shift
from tests.support.marks import on_sqlite
from tests.worker.conftest import parts_of, until

MINUTE = timedelta(minutes=1)


def figures(name: str):
    """A job's row, as it is now."""
    db.session.rollback()
    begin_read()
    found = [row for row in workers.jobs() if row.name == name]
    db.session.expunge_all()
    db.session.rollback()
    return found[0] if found else None


def end_of_lease(name: str):
    """When a lease runs out, as it stands there now."""
    begin_read()
    found = db.session.scalar(db.select(Lease.expires_at).where(Lease.name == name))
    db.session.rollback()
    return found


def alive(clock) -> int:
    begin_read()
    found = workers.alive(clock.now(), MINUTE)
    db.session.rollback()
    return found


@pytest.fixture
def quick(make_settings, make_app):
    """An application whose workers hardly pause."""
    made = make_app(worker={"pause_seconds": 0.1, "silent_seconds": 10})
    with made.app_context():
        yield made
        db.session.remove()


@pytest.fixture
def app(quick):
    """The one that workers are started for."""
    return quick


def test_a_worker_beats_from_its_start_until_it_has_stopped(start, clock) -> None:
    running = start(Job("mail", lambda shift: None))
    assert until(lambda: alive(clock) == 1)
    assert running.stop() == 0
    assert alive(clock) == 0


def test_a_clock_that_is_moved_does_not_make_it_seem_gone(start, clock) -> None:
    """In development a year passes in a moment."""
    start(Job("mail", lambda shift: None))
    assert until(lambda: alive(clock) == 1)
    for days in (365, -730):
        clock.advance(days=days)
        assert until(lambda: alive(clock) == 1, 1.5), "sooner than the next beat"


def test_a_failing_job_is_counted_and_tried_again_and_stops_no_other(start) -> None:
    tries, others = [], []

    def fail(_shift: Shift) -> None:
        tries.append(1)
        raise KeyError("sesame")

    with capture_logs() as lines:
        running = start(Job("inbox", fail), Job("mail", lambda _: others.append(1)))
        assert until(lambda: len(tries) > 1 and len(others) > 5)
        assert running.stop() == 0
    failed = figures("inbox")
    assert (failed.runs, failed.failures, failed.failure) == (len(tries), len(tries), "KeyError")
    assert (figures("mail").runs, figures("mail").failures) == (len(others), 0)
    assert figures("mail").done_at is not None
    assert {line["kind"] for line in lines if line["event"] == "job_failed"} == {"KeyError"}


def test_a_job_that_fails_pauses_longer_each_time(start) -> None:
    tries, others = [], []

    def fail(_shift: Shift) -> None:
        tries.append(1)
        raise KeyError

    start(Job("inbox", fail), Job("mail", lambda _: others.append(1)))
    assert until(lambda: len(others) > 15)
    assert len(tries) <= 5


@on_sqlite
def test_the_database_away_is_one_line_in_the_log_and_the_work_goes_on_by_itself(start, monkeypatch, clock) -> None:
    away = threading.Event()
    away.set()
    runs = []
    real = workers.beat

    def beat(*arguments):
        if away.is_set():
            raise OperationalError("INSERT", {}, Exception("sesame"))
        return real(*arguments)

    def job(_shift: Shift) -> None:
        runs.append(1)
        if away.is_set():
            raise OperationalError("SELECT", {}, Exception("sesame"))

    monkeypatch.setattr(workers, "beat", beat)
    with capture_logs() as lines:
        running = start(Job("inbox", job))
        assert until(lambda: len(runs) > 1)
        away.clear()
        assert until(lambda: alive(clock) == 1)
        running.stop()
    told = {line["event"] for line in lines}
    assert {"database_unavailable", "heartbeat_failed"} <= told
    assert "sesame" not in str(lines)
    row = figures("inbox")
    assert row.runs == len(runs), "what was counted meanwhile is not lost"
    assert row.failure == "database_unavailable"


@on_sqlite
def test_a_job_that_hangs_makes_the_worker_fall_silent(start, monkeypatch, clock) -> None:
    """Else Stripe would be told that somebody will try again."""
    monkeypatch.setattr(shifts, "STUCK_SECONDS", 0.3)
    hang = threading.Event()
    with capture_logs() as lines:
        running = start(Job("mail", lambda _: None), Job("inbox", lambda _: hang.wait(60)))
        try:
            assert until(lambda: alive(clock) == 1)
            assert until(lambda: {"event": "job_stuck", "jobs": ["inbox"], "log_level": "error"} in lines)
        finally:
            hang.set()
        running.stop()


def test_a_stop_lets_the_step_in_hand_end(start) -> None:
    begun, release, ended = threading.Event(), threading.Event(), []

    def work(_shift: Shift) -> None:
        begun.set()
        release.wait(20)
        ended.append(1)

    running = start(Job("inbox", work))
    assert begun.wait(10)
    assert running.stop(0.3) is None, "it waits for the step"
    release.set()
    assert running.ended() == 0
    assert ended == [1]


def test_a_lease_held_by_a_running_job_is_prolonged_with_the_heartbeat(start, clock) -> None:
    taken, release = threading.Event(), threading.Event()

    def work(shift: Shift) -> None:
        leases.take("job:reconcile", shift.owner, clock.now(), clock.now() + timedelta(seconds=1))
        shift.lease = "job:reconcile"
        taken.set()
        release.wait(20)

    start(Job("reconcile", work))
    try:
        assert taken.wait(10)
        clock.advance(seconds=30)
        assert until(lambda: end_of_lease("job:reconcile") == clock.now() + LEASE)
    finally:
        release.set()


@on_sqlite
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_ends_the_worker_so_that_a_supervisor_starts_a_whole_one(start) -> None:
    def die(_shift: Shift) -> None:
        raise SystemExit

    with capture_logs() as lines:
        running = start(Job("inbox", die), Job("mail", lambda _: None))
        assert running.ended() == 1
    assert "worker_broken" in {line["event"] for line in lines}


def test_once_runs_each_job_and_leaves_no_heartbeat(app, clock) -> None:
    done = []

    def fail(_shift: Shift) -> None:
        raise KeyError

    jobs = [Job("inbox", fail), Job("mail", lambda _: done.append(1))]
    assert Worker(app, parts_of(app), jobs).once() == ["inbox"]
    assert done == [1]
    assert (figures("inbox").failures, figures("mail").runs) == (1, 1)
    assert alive(clock) == 0, "a parked event would wait for somebody who is gone"


def test_once_too_prolongs_the_lease_of_a_job_that_takes_long(app, clock) -> None:
    """Else a second worker would begin the same comparison beside it."""
    prolonged = []

    def work(shift: Shift) -> None:
        leases.take("job:reconcile", shift.owner, clock.now(), clock.now() + timedelta(seconds=1))
        shift.lease = "job:reconcile"
        clock.advance(seconds=30)
        prolonged.append(until(lambda: end_of_lease("job:reconcile") == clock.now() + LEASE))

    worker = Worker(app, parts_of(app), [Job("reconcile", work)])
    worker._beat_seconds = 0.1
    assert worker.once() == []
    assert prolonged == [True]
    assert alive(clock) == 0


def test_it_beats_often_enough_for_the_leases_however_long_it_may_be_silent(make_app) -> None:
    app = make_app(worker={"silent_seconds": 600})
    assert Worker(app, parts_of(app), [])._beat_seconds <= LEASE.total_seconds() / 3
