"""A planned job runs at its time, once, whichever worker is there; its plan outlives every process."""

from datetime import timedelta

import pytest

from paywall.storage import leases, workers
from paywall.storage.database import db
from paywall.worker.planned import AGAIN, LEASE, Planned
from paywall.worker.shift import Shift, Stopped

HOUR = timedelta(hours=1)


def due():
    """When it is due, and no transaction left open."""
    try:
        return workers.due_at("reconcile")
    finally:
        db.session.rollback()


@pytest.fixture
def job(app, clock):
    """A job of every hour, and the shifts that did its work."""
    done: list[str] = []
    return Planned("reconcile", HOUR, clock, lambda shift: done.append(shift.owner)), done


def test_it_runs_at_once_and_then_every_hour(job, clock, shift) -> None:
    planned, done = job
    for _ in range(3):
        planned.run(shift)
    assert len(done) == 1
    assert due() == clock.now() + HOUR
    clock.advance(minutes=59, seconds=59)
    planned.run(shift)
    assert len(done) == 1
    clock.advance(seconds=1)
    planned.run(shift)
    assert len(done) == 2


def test_a_second_worker_neither_doubles_nor_skips_it(job, clock, shift) -> None:
    planned, done = job
    other = Planned("reconcile", HOUR, clock, planned.work)
    for _ in range(4):
        planned.run(shift)
        other.run(Shift("wrk_other"))
        clock.advance(minutes=30)
    assert done == ["wrk_test", "wrk_test"]


def test_while_one_worker_is_at_it_another_leaves_it_alone(app, clock, shift) -> None:
    inner: list[str] = []

    def work(own: Shift) -> None:
        assert own.lease == "job:reconcile"
        Planned("reconcile", HOUR, clock, lambda other: inner.append(other.owner)).run(Shift("wrk_other"))

    Planned("reconcile", HOUR, clock, work).run(shift)
    assert inner == []
    assert shift.lease is None


def test_after_a_death_another_worker_begins_anew(job, clock, shift) -> None:
    planned, done = job
    assert leases.take("job:reconcile", "wrk_dead", clock.now(), clock.now() + LEASE)
    planned.run(shift)
    assert done == []
    clock.advance(seconds=LEASE.total_seconds())
    planned.run(shift)
    assert done == ["wrk_test"]


def test_who_waited_for_the_lease_sees_that_it_was_just_done(app, clock, shift, monkeypatch) -> None:
    done: list[str] = []
    planned = Planned("reconcile", HOUR, clock, lambda one: done.append(one.owner))
    real = leases.take

    def take(*arguments):
        workers.plan("reconcile", clock.now() + HOUR)  # meanwhile
        db.session.commit()
        return real(*arguments)

    monkeypatch.setattr(leases, "take", take)
    planned.run(shift)
    assert done == []


def test_a_failure_is_told_and_comes_again_after_ten_minutes(app, clock, shift) -> None:
    def work(_shift: Shift) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        Planned("reconcile", HOUR, clock, work).run(shift)
    assert due() == clock.now() + AGAIN
    assert leases.take("job:reconcile", "wrk_other", clock.now(), clock.now() + LEASE), "the lease is free"


def test_one_that_is_stopped_is_still_due_and_free_at_once(app, clock, shift) -> None:
    def work(_shift: Shift) -> None:
        raise Stopped

    Planned("reconcile", HOUR, clock, work).run(shift)
    assert due() is None
    assert leases.take("job:reconcile", "wrk_other", clock.now(), clock.now() + LEASE)


def test_a_clock_that_was_set_back_does_not_put_it_off(job, clock, shift) -> None:
    planned, done = job
    planned.run(shift)
    clock.advance(days=-365)
    planned.run(shift)
    assert len(done) == 2


def test_nothing_waits_for_the_database_while_the_work_goes_on(app, clock, shift) -> None:
    """It may take an hour, and on SQLite an open transaction would be the write lock."""
    held: list[bool] = []
    Planned("reconcile", HOUR, clock, lambda _: held.append(db.session().in_transaction())).run(shift)
    assert held == [False]
