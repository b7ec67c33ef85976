"""The address of the metrics: what the workers counted, and what the database says of inbox, worker and comparison."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from paywall import context, guards, metrics
from paywall.storage import events, facts, letters, workers
from paywall.storage.database import begin_read, db

blueprint = Blueprint("metrics", __name__)
guards.protect(blueprint, guards.OPERATOR)

GAUGES = {
    "paywall_database_up": "1 while the database answers; else 0, and what needs it is left out.",
    "paywall_webhook_unhandled_events": "Events that are stored but not dealt with.",
    "paywall_webhook_oldest_unhandled_seconds": "Age of the oldest of them; 0 when there is none.",
    "paywall_webhook_last_event_seconds": "Time since the last event came in; left out before the first.",
    "paywall_webhook_parked_events": "Events that failed and wait for another try, by the age that they exceed.",
    "paywall_webhook_failing_events": "Events that wait and have failed ten times or more.",
    "paywall_workers": "Workers whose heartbeat is fresh.",
    "paywall_worker_last_beat_seconds": "Time since a worker said that it works; left out where none does.",
    "paywall_worker_job_last_success_seconds": "Time since a job of the worker last did all it had to, by job.",
    "paywall_letters_waiting": "Letters that have not left, by kind.",
    "paywall_letters_oldest_waiting_seconds": "Age of the oldest of them; 0 when there is none.",
    "paywall_letters_last_day": "Letters that were done with in the last 24 hours, by kind and outcome.",
    "paywall_reconcile_drift": "Differences to Stripe that the last comparison found, by kind.",
    "paywall_reconcile_unrepaired": "How many of them it could not repair.",
    "paywall_reconcile_last_run_seconds": "Time since the last comparison ended; left out before the first.",
    "paywall_reconcile_last_run_complete": "1 if the last comparison came to its end, else 0.",
}
LABELS = {
    "paywall_webhook_parked_events": ("older_than",),
    "paywall_worker_job_last_success_seconds": ("job",),
    "paywall_letters_waiting": ("kind",),
    "paywall_letters_last_day": ("kind", "outcome"),
    "paywall_reconcile_drift": ("kind",),
}
# kept in the database, because who counts them is another process than who is asked
COUNTERS = {
    "paywall_worker_job_runs": "How often the worker looked for work, by job.",
    "paywall_worker_job_failures": "How often that failed, by job.",
    "paywall_worker_job_seconds": "How long it worked, by job.",
}
AGES = {"0s": timedelta(), "1m": timedelta(minutes=1), "1h": timedelta(hours=1), "1d": timedelta(days=1)}
DRIFT = ("missing", "extra", "different")


@dataclass(frozen=True, slots=True)
class Stored(Collector):
    """What the database knows, asked at each scrape, so that workers cannot disagree on it."""

    now: datetime
    silence: timedelta

    def collect(self) -> Iterator[Metric]:
        """The database's word, or that it does not answer."""
        try:
            begin_read()
            found = [*self._inbox(), *self._workers(), *self._letters(), *self._comparison()]
        except SQLAlchemyError:
            db.session.rollback()
            yield _gauge("paywall_database_up", 0)
            return
        yield _gauge("paywall_database_up", 1)
        yield from found

    def _inbox(self) -> Iterator[Metric]:
        state = events.state()
        yield _gauge("paywall_webhook_unhandled_events", state.undone)
        yield _gauge("paywall_webhook_oldest_unhandled_seconds", self._age(state.oldest_undone))
        if state.newest is not None:
            yield _gauge("paywall_webhook_last_event_seconds", self._age(state.newest))
        yield _gauge("paywall_webhook_failing_events", state.keep_failing)
        counts = events.parked_before([self.now - age for age in AGES.values()])
        yield _gauges("paywall_webhook_parked_events", dict(zip(AGES, counts, strict=True)))

    def _workers(self) -> Iterator[Metric]:
        yield _gauge("paywall_workers", workers.alive(self.now, self.silence))
        newest = workers.newest_beat()
        if newest is not None:
            yield _gauge("paywall_worker_last_beat_seconds", self._age(newest))
        rows = workers.jobs()
        done = {row.name: self._age(row.done_at) for row in rows if row.done_at is not None}
        yield _gauges("paywall_worker_job_last_success_seconds", done)
        yield _counters("paywall_worker_job_runs", {row.name: row.runs for row in rows})
        yield _counters("paywall_worker_job_failures", {row.name: row.failures for row in rows})
        yield _counters("paywall_worker_job_seconds", {row.name: row.milliseconds / 1000 for row in rows})

    def _letters(self) -> Iterator[Metric]:
        yield _gauges("paywall_letters_waiting", letters.waiting_by_kind())
        yield _gauge("paywall_letters_oldest_waiting_seconds", self._age(letters.oldest_waiting()))
        yield _gauges("paywall_letters_last_day", letters.done_since(self.now - timedelta(days=1)))

    def _comparison(self) -> Iterator[Metric]:
        told = facts.get("reconcile:last")
        if told is None:
            return
        last = json.loads(told)
        drift = {kind: last[kind] for kind in DRIFT}
        yield _gauges("paywall_reconcile_drift", drift)
        yield _gauge("paywall_reconcile_unrepaired", sum(drift.values()) - last["repaired"])
        yield _gauge("paywall_reconcile_last_run_seconds", self._age(datetime.fromisoformat(last["ended_at"])))
        yield _gauge("paywall_reconcile_last_run_complete", int(last["complete"]))

    def _age(self, moment: datetime | None) -> float:
        return max(0.0, (self.now - moment).total_seconds()) if moment else 0.0


def init_app(app: Flask) -> None:
    """Adds ``/metrics``."""
    app.register_blueprint(blueprint)


@blueprint.get("/metrics")
def show() -> Response:
    """All metrics in Prometheus' text format."""
    silence = timedelta(seconds=context.settings().worker.silent_seconds)
    response = Response(metrics.generate([Stored(context.now(), silence)]), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response


def _gauge(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, GAUGES[name], value)


def _gauges(name: str, values: Mapping[Any, float]) -> GaugeMetricFamily:
    """One gauge for each value; its key is the label, or the labels."""
    family = GaugeMetricFamily(name, GAUGES[name], labels=LABELS[name])
    for labels, value in values.items():
        family.add_metric([labels] if isinstance(labels, str) else labels, value)
    return family


def _counters(name: str, values: dict[str, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, COUNTERS[name], labels=("job",))
    for label, value in values.items():
        family.add_metric([label], value)
    return family
