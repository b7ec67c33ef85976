"""Measures the inbox: events stored beside bare commits, events handled by one worker and by two. Run by `make bench`.

Only the ratios travel between machines, so what is compared is measured in turns, in one run.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import stripe
from flask_openapi3.openapi import OpenAPI

from paywall.parts import Parts
from paywall.storage.database import db, new_id
from paywall.webhooks.handlers import Tools
from paywall.webhooks.intake import Intake
from tests.bench.places import KINDS, database, say, servers, service
from tests.support.recorded import NEWEST
from tests.support.shop import WEBHOOK_SECRET

ROUNDS, EVENTS = 7, 300
_NOW = "2026-11-22 12:00:00"
_COLUMNS = {
    "id": "",
    "type": "payment_intent.created",
    "api_version": NEWEST,
    "created_at": _NOW,
    "received_at": _NOW,
    "objects": '{"payment_intent": "pi_1"}',
    "state": "ignored",
    "outcome": "no handler",
    "attempts": 1,
    "handled_at": _NOW,
}


def storing(kind: str) -> None:
    """Signed events taken in, of a type that nobody handles, beside commits of one row without anything around."""
    with database(kind) as url, service(url) as app:
        ways = {"bare commits": bare_commits(kind), "events stored": intake(app)}
        figures: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                figures[name].append(way())
        ratios = [ours / bare for bare, ours in zip(*figures.values(), strict=True)]
        for name, found in figures.items():
            say(f"  {kind:12}{name:16}{statistics.median(found):8.0f} /s   ({min(found):.0f} to {max(found):.0f})")
        middle = statistics.median(ratios)
        say(f"  {'':12}{'stored / bare':16}{middle:8.2f}      ({min(ratios):.2f} to {max(ratios):.2f}; goal 0.30)")


def bare_commits(kind: str) -> Callable[[], float]:
    """The same row and its commit by the driver itself, on the service's own connections; nothing read or checked."""
    engine, mark = db.engine, "?" if kind == "sqlite" else "%s"
    statement = f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({', '.join([mark] * len(_COLUMNS))})"  # noqa: S608

    def run() -> float:
        rows = [(new_id("evt"), *_COLUMNS.values()) for _ in range(EVENTS)]
        began = time.perf_counter()
        for row in rows:
            with engine.begin() as connection:
                connection.exec_driver_sql(statement, (row[0], *row[2:]))
        return EVENTS / (time.perf_counter() - began)

    return run


def intake(app: OpenAPI) -> Callable[[], float]:
    """From the raw body and its signature to the committed row."""
    parts: Parts = app.extensions["paywall"]
    taken = Intake(Tools(parts.gateway, parts.sync, parts.clock))

    def run() -> float:
        posts = list(signed(EVENTS))
        began = time.perf_counter()
        for body, signature in posts:
            assert taken.receive(parts.gateway.read_event(body, signature))
            db.session.remove()  # as at the end of a request
        return EVENTS / (time.perf_counter() - began)

    return run


def signed(count: int) -> Iterator[tuple[bytes, str]]:
    """New events of a size that Stripe's have, with their signatures."""
    for _ in range(count):
        intent = {
            "id": new_id("pi"),
            "object": "payment_intent",
            "customer": new_id("cus"),
            "metadata": {"x": "y" * 2000},
        }
        event = {"id": new_id("evt"), "object": "event", "type": "payment_intent.created", "api_version": NEWEST}
        event |= {"created": int(time.time()), "livemode": False, "data": {"object": intent}}
        body = json.dumps(event)
        yield body.encode(), stripe.WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET)


def main() -> None:
    """Both measurements on both databases."""
    say(f"\nEvents stored, one connection, median of {ROUNDS} rounds of {EVENTS}:")
    with servers():
        for kind in KINDS:
            storing(kind)


if __name__ == "__main__":
    main()
