"""Rows of workers and jobs: heartbeats, figures that add up, plans."""

from datetime import timedelta

from paywall.storage import workers
from paywall.storage.database import db
from paywall.storage.workers import Tally, WorkerRow
from tests.support.builders import NOW

SECOND = timedelta(seconds=1)


def beat(worker: str, now=NOW) -> None:
    workers.beat(worker, f"{worker}.example.org:7", now)
    db.session.commit()


def test_a_worker_lives_while_it_beats(app) -> None:
    beat("wrk_1")
    beat("wrk_2", NOW + 5 * SECOND)
    assert [workers.alive(NOW + seconds * SECOND, 10 * SECOND) for seconds in (6, 12, 15)] == [2, 1, 0]
    assert workers.newest_beat() == NOW + 5 * SECOND


def test_a_beat_keeps_when_the_worker_began(app) -> None:
    beat("wrk_1")
    beat("wrk_1", NOW + SECOND)
    (row,) = db.session.scalars(db.select(WorkerRow).execution_options(populate_existing=True))
    assert (row.started_at, row.beat_at, row.place) == (NOW, NOW + SECOND, "wrk_1.example.org:7")


def test_one_that_ended_is_no_worker_any_more_until_it_beats_again(app) -> None:
    beat("wrk_1")
    workers.stop("wrk_1", NOW)
    db.session.commit()
    assert (workers.alive(NOW, SECOND), workers.newest_beat()) == (0, None)
    beat("wrk_1")
    assert workers.alive(NOW, SECOND) == 1


def test_without_workers_there_is_no_beat(app) -> None:
    assert (workers.alive(NOW, SECOND), workers.newest_beat()) == (0, None)


def test_what_several_workers_did_of_a_job_adds_up(app) -> None:
    workers.add("inbox", Tally(runs=2, milliseconds=30, done_at=NOW))
    workers.add("inbox", Tally(runs=3, failures=1, milliseconds=7, failed_at=NOW + SECOND, failure="KeyError" * 20))
    db.session.commit()
    (row,) = workers.jobs()
    assert (row.name, row.runs, row.failures, row.milliseconds) == ("inbox", 5, 1, 37)
    assert (row.done_at, row.failed_at, len(row.failure)) == (NOW, NOW + SECOND, 80)


def test_a_plan_is_kept_and_figures_leave_it_alone(app) -> None:
    assert workers.due_at("prune") is None
    workers.plan("prune", NOW)
    workers.add("prune", Tally(runs=1, done_at=NOW))
    db.session.commit()
    assert workers.due_at("prune") == NOW
    workers.plan("prune", NOW + SECOND)
    db.session.commit()
    assert (workers.due_at("prune"), [row.runs for row in workers.jobs()]) == (NOW + SECOND, [1])


def test_a_heartbeat_of_a_clock_far_ahead_does_not_count(app) -> None:
    """After a clock was set back it would count for years."""
    workers.beat("wrk_ahead", "here:1", NOW + timedelta(days=1))
    assert workers.alive(NOW, timedelta(seconds=30)) == 0
    workers.beat("wrk_near", "here:2", NOW + timedelta(seconds=5))
    assert workers.alive(NOW, timedelta(seconds=30)) == 1
