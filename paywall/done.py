"""Requests that were answered: counted, and told in a line each; at once, or soon where an answer may not wait."""

import logging
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Final

from paywall import logs, metrics

_TENTHS: Final = tuple(f"{tenths // 10}.{tenths % 10}" for tenths in range(1000))


@dataclass(frozen=True, slots=True, eq=False)
class Sort:
    """Route, method and status of requests; the route is never the address, whose query may hold a token.

    Made by ``sort_of`` alone, so that two of the same are one object.
    """

    route: str
    method: str
    status: int

    @property
    def begin(self) -> str:
        """How the line of such a request begins in JSON; all of it is of our own table."""
        return f'{{"method": "{self.method}", "route": "{self.route}", "status": {self.status}, "ms": '


@cache
def sort_of(route: str, method: str, status: int) -> Sort:
    """The one sort of these; ``route`` and ``method`` are of our own table, so there are few."""
    return Sort(route, method, status)


def new_request_id() -> str:
    """Names a request in the log, no more: it need not be unguessable. Never sixteen digits, as a card number has."""
    return f"r{random.getrandbits(64):016x}"


def at_once(route: str | None, method: str, status: int, seconds: float, request_id: str | None) -> None:
    """Counts an answered request and logs its line."""
    metrics.request_done(route, method, status, seconds)
    fields = {"route": route, "status": status, "ms": round(seconds * 1000, 1), "id": request_id}
    logs.ready("paywall.web").info("request", method=method, **fields)


def tell(sorts: Sequence[Sort], seconds: Sequence[float], ats: Sequence[float]) -> None:
    """The same for many, a little later: a line of its own would cost a request as much as its answer.

    Of each its sort, how many seconds it took, and when it was answered in Unix seconds.
    """
    times: defaultdict[Sort, list[float]] = defaultdict(list)
    for sort, took in zip(sorts, seconds, strict=True):
        times[sort].append(took)
    for sort, taken in times.items():
        metrics.requests_done(sort.route, sort.method, sort.status, taken)
    if logs.ready("paywall.web").is_enabled_for(logging.INFO):
        begins = {sort: sort.begin for sort in times}
        as_json = logs.is_json()
        logs.write(_as_json(sorts, seconds, ats, begins) if as_json else map(_rendered, sorts, seconds, ats))


def _as_json(
    sorts: Sequence[Sort], seconds: Sequence[float], ats: Sequence[float], begins: Mapping[Sort, str]
) -> Iterator[str]:
    """What ``at_once`` logs, without the way through structlog."""
    many = len(sorts)
    # one by one they would take as long as all the rest
    ids = random.getrandbits(64 * many).to_bytes(8 * many, "big").hex(" ", 8).split()
    known, second = -1, ""
    for sort, took, at, name in zip(sorts, seconds, ats, ids, strict=True):
        tenths, micros = int(took * 10_000 + 0.5), int(at * 1_000_000)
        whole = micros // 1_000_000
        if whole != known:
            known, second = whole, _second(whole)
        ms = _TENTHS[tenths] if tenths < 1000 else f"{took * 1000:.1f}"
        yield (
            f'{begins[sort]}{ms}, "id": "r{name}", "event": "request", "level": "info", '
            f'"timestamp": "{second}.{micros - whole * 1_000_000:06}Z"}}'
        )


def _rendered(sort: Sort, took: float, at: float) -> str:
    """The same in any other form."""
    fields = {"method": sort.method, "route": sort.route, "status": sort.status, "ms": round(took * 1000, 1)}
    told = {"id": new_request_id(), "event": "request", "level": "info", "timestamp": written(at)}
    return logs.rendered(fields | told)


def written(at: float) -> str:
    """A moment, in Unix seconds, as lines of the log have it."""
    micros = int(at * 1_000_000)
    return f"{_second(micros // 1_000_000)}.{micros % 1_000_000:06}Z"


@lru_cache(maxsize=4)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).isoformat()[:-6]
