"""The address of the metrics: what the workers counted, and what the inbox says of its own state."""

from collections.abc import Iterator
from datetime import datetime

from flask import Blueprint, Flask, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from paywall import context, guards, metrics
from paywall.storage import events
from paywall.storage.database import begin_read, db

blueprint = Blueprint("metrics", __name__)
guards.protect(blueprint, guards.OPERATOR)

GAUGES = {
    "paywall_database_up": "1 while the database answers; else 0, and the gauges that need it are left out.",
    "paywall_webhook_unhandled_events": "Events that are stored but not dealt with.",
    "paywall_webhook_oldest_unhandled_seconds": "Age of the oldest of them; 0 when there is none.",
    "paywall_webhook_last_event_seconds": "Time since the last event came in; left out before the first.",
}


class Inbox(Collector):
    """The gauges, asked of the database at each scrape, so that workers cannot disagree on them."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        """The database's word, or that it does not answer."""
        try:
            begin_read()
            state = events.state()
        except SQLAlchemyError:
            db.session.rollback()
            yield _gauge("paywall_database_up", 0)
            return
        yield _gauge("paywall_database_up", 1)
        yield _gauge("paywall_webhook_unhandled_events", state.undone)
        yield _gauge("paywall_webhook_oldest_unhandled_seconds", self._age(state.oldest_undone))
        if state.newest is not None:
            yield _gauge("paywall_webhook_last_event_seconds", self._age(state.newest))

    def _age(self, moment: datetime | None) -> float:
        return max(0.0, (self._now - moment).total_seconds()) if moment else 0.0


def init_app(app: Flask) -> None:
    """Adds ``/metrics``."""
    app.register_blueprint(blueprint)


@blueprint.get("/metrics")
def show() -> Response:
    """All metrics in Prometheus' text format."""
    response = Response(metrics.generate([Inbox(context.now())]), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response


def _gauge(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, GAUGES[name], value)
