"""Requests that were answered: counted, and told in a line each; at once, or soon where an answer may not wait."""

import logging
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from paywall import logs, metrics
from paywall.later import LATER


class Done(NamedTuple):
    """A request, when it was answered in Unix seconds, and how many it took. The route is never the address, whose
    query may hold a token.
    """

    route: str
    method: str
    status: int
    seconds: float
    at: float


def new_request_id() -> str:
    """Names a request in the log, no more: it need not be unguessable. Never sixteen digits, as a card number has."""
    return f"r{random.getrandbits(64):016x}"


def at_once(route: str | None, method: str, status: int, seconds: float, request_id: str | None) -> None:
    """Counts an answered request and logs its line."""
    metrics.request_done(route, method, status, seconds)
    fields = {"route": route, "status": status, "ms": round(seconds * 1000, 1), "id": request_id}
    logs.ready("paywall.web").info("request", method=method, **fields)


def soon(route: str, method: str, status: int, seconds: float) -> None:
    """The same in a moment, together with others: a line of its own costs a request as much as its answer."""
    LATER.add(_tell, Done(route, method, status, seconds, time.time()))


def _tell(requests: Sequence[Done]) -> None:
    metrics.requests_done(one[:4] for one in requests)
    if logs.ready("paywall.web").is_enabled_for(logging.INFO):
        logs.write(map(_line, requests))


def _line(one: Done) -> str:
    """What ``at_once`` logs, without the way through structlog; the route and method are of our own table."""
    ms, at = round(one.seconds * 1000, 1), _written(one.at)
    if not logs.is_json():
        fields = {"method": one.method, "route": one.route, "status": one.status, "ms": ms, "id": new_request_id()}
        return logs.rendered({**fields, "event": "request", "level": "info", "timestamp": at})
    return (
        f'{{"method": "{one.method}", "route": "{one.route}", "status": {one.status}, "ms": {ms}, '
        f'"id": "{new_request_id()}", "event": "request", "level": "info", "timestamp": "{at}"}}'
    )


def _written(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC).isoformat()[:-6]}Z"
