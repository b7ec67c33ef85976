"""Sending events in the background: signed anew at each attempt, retried, never blocking an answer of the API."""

import http.client
import threading
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.webhooks.queue import due, pending, record, undelivered
from paywall.sandbox.webhooks.signing import signature
from paywall.sandbox.wire.render import render

WORKERS = 4
TICK = 0.5


class Attempt(NamedTuple):
    """One attempt: `status` is None where no answer came."""

    event_id: str
    kind: str
    status: int | None
    note: str


def post(url: str, body: bytes, secret: str, timeout: float) -> int:
    """Post one signed body and return the status; redirects are not followed, as at Stripe."""
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(body, secret, int(time.time())),
    }
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        response = connection.getresponse()
        response.read(4096)
        return response.status
    finally:
        connection.close()


class Deliverer:
    """The threads that deliver. Nothing is sent while there is no address or while `paused`; events wait."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.paused = False
        self.stopping = False
        self.sending: set[str] = set()
        self.bell = threading.Condition()
        self.rung = 0
        self.threads: list[threading.Thread] = []
        account.on_events = self.wake

    def start(self) -> None:
        """Start the threads; what an earlier run left undelivered goes first."""
        self.threads = [threading.Thread(target=self.work, args=(n == 0,), daemon=True) for n in range(WORKERS)]
        for thread in self.threads:
            thread.start()

    def wake(self) -> None:
        """Look at the queue now instead of at the next tick."""
        with self.bell:
            self.rung += 1
            self.bell.notify_all()

    def stop(self) -> None:
        """Stop the threads; an attempt under way is forgotten and will be made again by the next start."""
        with self.account.store.lock:
            self.stopping = True
        self.wake()
        for thread in self.threads:
            thread.join(timeout=1)

    def work(self, keeps_time: bool) -> None:
        """Deliver whatever is due, until stopped; one of the threads also lets time pass."""
        while True:
            with self.account.store.lock:
                if self.stopping:
                    return
                if keeps_time:
                    let_time_pass(self.account)
                seen = self.rung
                event = None if self.paused else self.claim(time.time())
            if event:
                self.attempt(event)
                continue
            with self.bell:
                if self.rung == seen:
                    self.bell.wait(TICK)

    def claim(self, now: float) -> Json | None:
        """Take an event that is due and that no other thread is sending."""
        # Those under way are due as well: one more than their number is enough to find a free one.
        for event_id in due(self.account.store, now, len(self.sending) + 1):
            if event := self.take(event_id):
                return event
        return None

    def take(self, event_id: str) -> Json | None:
        """Mark an event as being sent and return it as it goes over the wire; None if it is taken or was delivered."""
        with self.account.store.lock:
            event = self.account.get("event", event_id)
            waits = undelivered(self.account.store, event_id)
            if not self.account.config.webhook_url or event_id in self.sending or not waits:
                return None
            self.sending.add(event_id)
            return event | {"pending_webhooks": waits}

    def attempt(self, event: Json) -> Attempt:
        """Send one event and note what came of it."""
        config = self.account.config
        status: int | None = None
        note = ""
        body = render(event).encode()
        try:
            status = post(str(config.webhook_url), body, config.webhook_secret, config.delivery_timeout)
        except (OSError, http.client.HTTPException) as error:
            note = type(error).__name__
        with self.account.store.lock:
            self.sending.discard(event["id"])
            if not self.stopping:
                record(self.account.store, event["id"], time.time(), status, note, config.retry_delays)
        return Attempt(event["id"], event["type"], status, note)

    def deliver_all(self) -> list[Attempt]:
        """Send every pending event once, now and in order, whatever its retry time; for tests and the paused."""
        taken = (self.take(event_id) for event_id in pending(self.account.store))
        return [self.attempt(event) for event in taken if event]
