"""Measures the inbox: events stored beside bare commits, events handled by one worker and by two. Run by `make bench`.

Only the ratios travel between machines, so what is compared is measured in turns, in one run.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import stripe
from flask_openapi3.openapi import OpenAPI

from paywall.parts import Parts
from paywall.sandbox.server import SandboxServer
from paywall.settings import ROOT
from paywall.storage import events
from paywall.storage.database import db, new_id
from paywall.storage.models import InboxEvent
from paywall.storage.workers import WorkerRow
from paywall.tokens import keyring
from paywall.webhooks.handlers import Tools
from paywall.webhooks.intake import Intake
from tests.bench.places import KINDS, database, say, servers, service
from tests.bench.results import Findings, Row
from tests.support.farm import service_environment
from tests.support.recorded import NEWEST
from tests.support.shop import API_KEY, WEBHOOK_SECRET, Shop

ROUNDS, EVENTS = 7, 300
SUBSCRIPTIONS = 20
DELAYS = {0.0: 4, 0.05: 2}  # seconds that Stripe takes for an answer, above what the sandbox takes -> events for each
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


def storing(kind: str, found: Findings) -> None:
    """Signed events taken in, of a type that nobody handles, beside commits of one row without anything around."""
    with database(kind) as url, service(url) as app:
        ways = {"bare commits": bare_commits(kind), "events stored": intake(app)}
        figures: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                figures[name].append(way())
        for name, rates in figures.items():
            say(f"  {kind:12}{name:16}{statistics.median(rates):8.0f} /s   ({min(rates):.0f} to {max(rates):.0f})")
            found.measured[f"{name}, {kind}"] = rates
        found.ratio("intake", f"events stored, {kind}", f"bare commits, {kind}", goal=0.3)


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


class Crowd:
    """A service with paid subscriptions and a Stripe that takes its time; workers are processes of their own."""

    def __init__(self, url: str, sandbox: SandboxServer, shop: Shop, letters: str) -> None:
        self.url, self.sandbox, self.shop, self.letters = url, sandbox, shop, letters
        self.subscriptions: list[str] = []
        for number in range(SUBSCRIPTIONS):
            browser, email = shop.browser(), f"reader{number}@example.com"
            session_id = shop.start(browser, email)
            assert browser.get(shop.pay(session_id, email=email)).status_code == 303
            self.subscriptions.append(str(shop.session(session_id)["subscription"]))

    @contextmanager
    def workers(self, number: int) -> Iterator[None]:
        """So many workers, from the moment that all are looking for work."""
        env = service_environment(self.url, self.sandbox.url, "https://pay.test") | {
            "PAYWALL_WORKER__PAUSE_SECONDS": "0.1",
            "PAYWALL_MAIL__OUTBOX_DIR": self.letters,
            "PAYWALL_LOG__LEVEL": "error",
            "FLASK_APP": "wsgi",
        }
        command = [sys.executable, "-m", "flask", "paywall", "worker"]
        started = [subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) for _ in range(number)]
        try:
            living = sa.select(sa.func.count()).select_from(WorkerRow).where(WorkerRow.stopped_at.is_(None))
            self._wait(lambda: self._ask(living) == number)
            time.sleep(1)  # the first look of every job
            yield
        finally:
            for process in started:
                process.terminate()
            for process in started:
                assert process.wait(30) == 0

    def handled_per_second(self, rounds: int) -> float:
        """Lets the inbox fill at once with an event for every subscription, and waits until none is left."""
        now = datetime.now(UTC)
        ids = [new_id("evt") for _ in range(rounds * len(self.subscriptions))]
        for number, event_id in enumerate(ids):
            objects = {"subscription": self.subscriptions[number % len(self.subscriptions)]}
            row = {"id": event_id, "type": "customer.subscription.updated", "api_version": NEWEST, "objects": objects}
            events.add({**row, "created_at": now, "received_at": now, "next_try_at": now})
        db.session.commit()
        began = time.perf_counter()
        undone = sa.select(sa.func.count()).select_from(InboxEvent).where(InboxEvent.state.in_(events.UNDONE))
        self._wait(lambda: self._ask(undone) == 0)
        took = time.perf_counter() - began
        handled = sa.select(sa.func.count()).where(InboxEvent.id.in_(ids), InboxEvent.state == "handled")
        assert self._ask(handled) == len(ids)
        return len(ids) / took

    def _ask(self, query: sa.Select[tuple[int]]) -> int:
        with db.engine.connect().execution_options(readonly=True) as connection:
            return int(connection.scalar(query) or 0)

    def _wait(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 90
        while not done():
            if time.monotonic() > deadline:
                raise SystemExit("the workers do not come to an end")
            time.sleep(0.02)


def handling(kind: str, found: Findings) -> None:
    """Syncs that find nothing new: three questions to Stripe each, beside the same by two workers."""
    keys = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
    with ExitStack() as stack:
        url, sandbox = stack.enter_context(database(kind)), stack.enter_context(SandboxServer(**keys))
        letters = stack.enter_context(tempfile.TemporaryDirectory(prefix="paywall-bench-"))
        tables = {"stripe": {"api_base": sandbox.url}, "mail": {"outbox_dir": letters}}
        app = stack.enter_context(service(url, **tables))
        sandbox.deliver = False
        keyring.ensure(datetime.now(UTC))
        db.session.commit()
        crowd = Crowd(url, sandbox, Shop(app, sandbox), letters)
        for delay, rounds in DELAYS.items():
            sandbox.server.app = delayed(sandbox.server.app, delay)
            figures = {}
            for number in (1, 2):
                with crowd.workers(number):
                    figures[number] = crowd.handled_per_second(rounds)
            one, two = figures[1], figures[2]
            what = f"handled by two, {kind}, +{delay * 1000:.0f} ms"
            found.add(Row("intake", what, "by one worker", two / one))
            line = f"{one:7.1f} /s by one worker   {two:7.1f} /s by two   ({two / one:.2f} times)"
            say(f"  {kind:12}Stripe takes {delay * 1000:3.0f} ms more   {line}")


def delayed(application: Any, seconds: float) -> Any:
    """A WSGI application behind a network: each answer takes so long."""
    inner = getattr(application, "inner", application)

    def answer(environ: Any, start_response: Any) -> Any:
        time.sleep(seconds)
        return inner(environ, start_response)

    answer.inner = inner  # type: ignore[attr-defined]
    return answer


def intakes(found: Findings) -> None:
    """Both measurements on both databases."""
    say(f"\nEvents stored, one connection, median of {ROUNDS} rounds of {EVENTS}:")
    with servers():
        for kind in KINDS:
            storing(kind, found)
        say(f"\nEvents handled by processes, {SUBSCRIPTIONS} subscriptions:")
        for kind in KINDS:
            handling(kind, found)
