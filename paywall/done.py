"""Requests that were answered: counted, and told in a line each; at once, or soon where an answer may not wait."""

import logging
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from paywall import logs, metrics

# route, method, status, seconds that it took, and when it was answered in Unix seconds; the route is never the address,
# whose query may hold a token
Done = tuple[str, str, int, float, float]


def new_request_id() -> str:
    """Names a request in the log, no more: it need not be unguessable. Never sixteen digits, as a card number has."""
    return f"r{random.getrandbits(64):016x}"


def at_once(route: str | None, method: str, status: int, seconds: float, request_id: str | None) -> None:
    """Counts an answered request and logs its line."""
    metrics.request_done(route, method, status, seconds)
    fields = {"route": route, "status": status, "ms": round(seconds * 1000, 1), "id": request_id}
    logs.ready("paywall.web").info("request", method=method, **fields)


def tell(requests: Sequence[Done]) -> None:
    """The same for many, a little later: a line of its own would cost a request as much as its answer."""
    metrics.requests_done(requests)
    if logs.ready("paywall.web").is_enabled_for(logging.INFO):
        logs.write(_as_json(requests) if logs.is_json() else map(_rendered, requests))


def _as_json(requests: Sequence[Done]) -> Iterator[str]:
    """What ``at_once`` logs, without the way through structlog; route and method are of our own table."""
    many = len(requests)
    ids = f"{random.getrandbits(64 * many):0{16 * many}x}"  # one by one they would take as long as all the rest
    place = 0
    for route, method, status, seconds, at in requests:
        begin = _begin(route, method, status)
        yield (
            f'{begin}{seconds * 1000:.1f}, "id": "r{ids[place : place + 16]}", "event": "request", "level": "info", '
            f'"timestamp": "{written(at)}"}}'
        )
        place += 16


@lru_cache(maxsize=64)
def _begin(route: str, method: str, status: int) -> str:
    return f'{{"method": "{method}", "route": "{route}", "status": {status}, "ms": '


def _rendered(one: Done) -> str:
    """The same in any other form."""
    route, method, status, seconds, at = one
    fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
    told = {"id": new_request_id(), "event": "request", "level": "info", "timestamp": written(at)}
    return logs.rendered(fields | told)


def written(at: float) -> str:
    """A moment, in Unix seconds, as lines of the log have it."""
    whole = int(at)
    return f"{_second(whole)}.{int((at - whole) * 1_000_000):06}Z"


@lru_cache(maxsize=4)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).isoformat()[:-6]
