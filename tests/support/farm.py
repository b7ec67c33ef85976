"""Several real server processes of one service on one database, with a Stripe of their own, for races between them."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import stripe
from sqlalchemy import update

from paywall.app import create_app
from paywall.demo.processes import GuardedProcess
from paywall.demo.stack import ROOT, free_ports
from paywall.sandbox.server import SandboxServer
from paywall.sandbox.webhooks.queue import pending, record
from paywall.settings import load_settings
from paywall.storage.database import db
from paywall.storage.models import Lease
from paywall.tokens import keyring
from paywall.webhooks.handlers import ROUTES
from tests.support import books, databases
from tests.support.forms import form_of
from tests.support.gate import Gate
from tests.support.shop import API_KEY, ARTICLE, WEBHOOK_SECRET, Shop

READY_SECONDS = 40.0
WAIT_SECONDS = 40.0


class Door:
    """One server: its address and its processes."""

    def __init__(self, name: str, port: int, workers: int, env: dict[str, str], folder: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        options = "--interface wsgi --host 127.0.0.1 --http 1 --no-ws --blocking-threads 8 --respawn-failed-workers"
        command = [sys.executable, "-m", "granian", *options.split(), "--respawn-interval", "0.2"]
        command += ["--port", str(port), "--workers", str(workers), "wsgi:app"]
        self._process = GuardedProcess(name, command, env=env, cwd=ROOT, log=folder / f"{name}.log")

    def until_ready(self) -> None:
        """Returns when it answers."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            assert self._process.exit_code is None, self._process.tail()
            assert time.monotonic() < deadline, self._process.tail()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except requests.RequestException:
            return False

    def workers(self) -> list[psutil.Process]:
        """The processes that answer requests: the server's children, which share its listening socket."""
        guard = psutil.Process(self._process._guard.pid)
        (server,) = guard.children()
        return [one for one in server.children() if "resource_tracker" not in " ".join(one.cmdline())]

    def stop(self) -> None:
        """Ends it."""
        self._process.ask_to_stop()
        self._process.finish()


class Farm(Shop):
    """Two servers, one of them with two workers; this process looks into their database and is Stripe."""

    def __init__(self, app: Any, sandbox: SandboxServer, doors: Sequence[Door]) -> None:
        super().__init__(app, sandbox)
        self.doors = tuple(doors)
        self.gate = Gate(sandbox)

    def visitor(self) -> "Visitor":
        """Another browser."""
        return Visitor(self)

    def post_event(self, event: dict[str, Any], door: int = 0) -> int:
        """Delivers an event to one of the servers; returns the answer's status."""
        payload = json.dumps(event)
        signature = stripe.WebhookSignature.generate_signature_header(payload, WEBHOOK_SECRET)
        headers = {"Stripe-Signature": signature, "Content-Type": "application/json; charset=utf-8"}
        url = f"{self.doors[door].url}/webhooks/stripe"
        return requests.post(url, data=payload.encode(), headers=headers, timeout=WAIT_SECONDS).status_code

    def events_of(self, *ids: str) -> list[dict[str, Any]]:
        """The events that we listen to and that name one of these objects, the oldest first."""
        events = (event for event in self.sandbox.events() if event["type"] in ROUTES)
        return [event for event in events if any(one in json.dumps(event) for one in ids)]

    def catch_up(self) -> None:
        """What Stripe does with events that were never answered by 200: again, one after the other."""
        states = {row.id: row.state for row in books.read(self).events}
        for event in self.sandbox.events():
            if event["type"] in ROUTES and states.get(event["id"]) not in ("handled", "ignored"):
                assert self.post_event(event) == 200, event["type"]
        store = self.sandbox.sandbox.account.store
        for event_id in pending(store):
            record(store, event_id, time.time(), 200, "", ())

    def forget_leases(self) -> None:
        """Lets the time pass after which a lease is free again."""
        with self.app.app_context(), db.engine.begin() as connection:
            connection.execute(update(Lease).values(expires_at=self.parts.clock.now()))


class Visitor:
    """A browser that speaks to the servers over the network; each request may go to another of them."""

    def __init__(self, farm: Farm) -> None:
        self.farm = farm
        self.cookies: dict[str, str] = {}

    def send(self, method: str, path: str, door: int = 0, **how: Any) -> requests.Response:
        """One request with the browser's cookies as they are now; redirects are not followed."""
        url = f"{self.farm.doors[door].url}{path}"
        sent = dict(self.cookies)
        answer = requests.request(method, url, cookies=sent, timeout=WAIT_SECONDS, allow_redirects=False, **how)
        self.cookies.update(answer.cookies.get_dict())
        return answer

    def offer(self, return_to: str = ARTICLE) -> dict[str, str]:
        """Opens the offer; returns the fields of its form."""
        page = self.send("GET", "/join", params={"plan": "annual", "return_to": return_to})
        assert page.status_code == 200, page.text
        return form_of(page.text)

    def submit(self, fields: dict[str, str], email: str, door: int = 0) -> requests.Response:
        """Sends the offer's form."""
        return self.send("POST", "/checkout", door, data={**fields, "email": email})

    def start(self, email: str) -> str:
        """Opens the offer, sends its form; returns the Checkout Session."""
        answer = self.submit(self.offer(), email)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].rpartition("/")[2].partition("?")[0]


def at_once(*actions: Callable[[], Any], apart: float = 0.0) -> list[Any]:
    """Runs all at the same time, or each ``apart`` seconds after the one before; returns what each returned."""
    results: list[Any] = [None] * len(actions)
    barrier = threading.Barrier(len(actions))

    def run(number: int, action: Callable[[], Any]) -> None:
        barrier.wait()
        time.sleep(number * apart)
        try:
            results[number] = action()
        except Exception as error:  # shown by whatever looks at the results
            results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def service_environment(database_url: str, sandbox_url: str, base_url: str) -> dict[str, str]:
    """The settings of a service under test, for processes of their own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PAYWALL_", "GRANIAN_"))}
    return clean | {
        "PAYWALL_ENV": "testing",
        "PAYWALL_DATABASE__URL": database_url,
        "PAYWALL_STRIPE__API_BASE": sandbox_url,
        "PAYWALL_STRIPE__MAX_NETWORK_RETRIES": "3",
        "PAYWALL_WEB__BASE_URL": base_url,
        "PAYWALL_WEB__COOKIE_SECURE": "false",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Farm]:
    """A farm on a database of its own; everything ends with the block."""
    with ExitStack() as stack:
        url = stack.enter_context(databases.own(kind, folder))
        sandbox = stack.enter_context(SandboxServer(api_key=API_KEY, webhook_secret=WEBHOOK_SECRET))
        sandbox.deliver = False
        ports = free_ports()
        env = service_environment(url, sandbox.url, ports.service_url) | {"PAYWALL_MAIL__OUTBOX_DIR": str(folder)}
        tables = {"database": {"url": url}, "stripe": {"api_base": sandbox.url}, "mail": {"outbox_dir": str(folder)}}
        app = create_app(load_settings(**tables))
        stack.enter_context(app.app_context())
        stack.callback(db.engine.dispose)
        stack.callback(db.session.remove)
        keyring.ensure(app.extensions["paywall"].clock.now())
        db.session.commit()
        doors = []
        for name, port, workers in (("first", ports.service, 2), ("second", ports.site, 1)):
            doors.append(Door(name, port, workers, env, folder))
            stack.callback(doors[-1].stop)
        farm = Farm(app, sandbox, doors)
        for door in doors:
            door.until_ready()
        yield farm


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def farm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """The servers, on each database; tests share them and use readers of their own."""
    with opened(request.param, tmp_path_factory.mktemp("farm")) as made:
        yield made
