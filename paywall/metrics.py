"""What is counted and timed, under which names: the registry, and the few words that each label may take."""

import os
import re
from bisect import bisect_right
from collections import Counter as Counts
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from paywall.later import LATER

disable_created_metrics()  # type: ignore[no-untyped-call]  # with several workers there are none of them either


class Settled(CollectorRegistry):
    """A registry that counts what waits to be counted before it tells."""

    def collect(self) -> Iterator[Metric]:
        """What every collector tells."""
        LATER.settle()
        yield from super().collect()


REGISTRY: Final = Settled()
# set by who starts several workers: the folder through which they add up; the library reads it when it is imported
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"

_VERSION = re.compile(r"20\d\d-\d\d-\d\d(\.[a-z]{1,20})?")

REQUESTS: Final = Counter(
    "paywall_requests", "Requests, by route, method and status.", ("route", "method", "status"), registry=REGISTRY
)
REQUEST_SECONDS: Final = Histogram(
    "paywall_request_seconds",
    "How long requests took, by route.",
    ("route",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
CHECKOUTS: Final = Counter(
    "paywall_checkouts", "Checkouts started, paid and abandoned.", ("outcome",), registry=REGISTRY
)
WEBHOOK_EVENTS: Final = Counter(
    "paywall_webhook_events", "Deliveries of events, by type and outcome.", ("type", "outcome"), registry=REGISTRY
)
UNTESTED_VERSIONS: Final = Counter(
    "paywall_webhook_untested_version",
    "Deliveries in an API version that this release was not tested with.",
    ("api_version",),
    registry=REGISTRY,
)
STRIPE_SECONDS: Final = Histogram(
    "paywall_stripe_call_seconds",
    "How long calls of Stripe took, by operation and outcome.",
    ("operation", "outcome"),
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80),
    registry=REGISTRY,
)
TOKENS_ISSUED: Final = Counter("paywall_tokens_issued", "Access tokens made.", registry=REGISTRY)
TOKEN_ANSWERS: Final = Counter(
    "paywall_token_answers",
    "What content services were told of tokens, by address and outcome.",
    ("address", "outcome"),
    registry=REGISTRY,
)

# the library looks a child up under a lock and by texts that it makes anew; these are asked for at every request
_requests = lru_cache(maxsize=2048)(REQUESTS.labels)
_request_seconds = lru_cache(maxsize=512)(REQUEST_SECONDS.labels)
_token_answers = lru_cache(maxsize=64)(TOKEN_ANSWERS.labels)


def request_done(route: str | None, method: str, status: int, seconds: float) -> None:
    """Counts a request. One that met no route is told by its status alone: anybody can make up paths and methods."""
    if route is None:
        route, method = "none", "any"
    _requests(route, method, str(status)).inc()
    _request_seconds(route).observe(seconds)


def requests_done(route: str, method: str, status: int, times: Sequence[float]) -> None:
    """Counts many that are alike at once: the seconds of each."""
    _requests(route, method, str(status)).inc(len(times))
    _observe(_request_seconds(route), times)


def _observe(found: Histogram, values: Sequence[float]) -> None:
    """Each of them, with one look at each part of the histogram; the library knows only one after the other."""
    found._sum.inc(sum(values))
    ordered, seen = sorted(values), 0
    for place, bound in enumerate(found._upper_bounds):
        until = bisect_right(ordered, bound)
        if until > seen:
            found._buckets[place].inc(until - seen)
            seen = until


def token_answered(address: str, outcome: str) -> None:
    """Counts what was said of a token; soon, as every page of a content site asks."""
    LATER.add(_tokens_answered, (address, outcome))


def tokens_answered(address: str, outcome: str, number: int) -> None:
    """Counts many at once."""
    _token_answers(address, outcome).inc(number)


def _tokens_answered(answers: Sequence[tuple[str, str]]) -> None:
    for labels, number in Counts(answers).items():
        tokens_answered(*labels, number)


def untested_version(version: str | None) -> None:
    """Counts a delivery in an API version that is not ours."""
    UNTESTED_VERSIONS.labels(version if version and _VERSION.fullmatch(version) else "other").inc()


def generate(further: Iterable[Collector]) -> str:
    """All of it in Prometheus' text format: of every worker where there is a folder for that, and of ``further``."""
    registry = CollectorRegistry()
    LATER.settle()
    if os.environ.get(FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)  # a registry collects as a collector does
    for source in further:
        registry.register(source)
    return generate_latest(registry).decode()
