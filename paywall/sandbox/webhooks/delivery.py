"""Sending events in the background: signed anew at each attempt, retried, never blocking an answer of the API."""

import http.client
import logging
import threading
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, public
from paywall.sandbox.webhooks.endpoints import secrets_of
from paywall.sandbox.webhooks.queue import Due, due, mark, note_post, pending, postpone, prune, record, undelivered
from paywall.sandbox.webhooks.signing import signature
from paywall.sandbox.wire.render import render

log = logging.getLogger(__name__)

WORKERS = 4
TICK = 0.5
PRUNE_SECONDS = 60
REFUSED = ConnectionRefusedError.__name__


class Attempt(NamedTuple):
    """One attempt: `status` is None where no answer came."""

    event_id: str
    kind: str
    status: int | None
    note: str
    endpoint: str = ""


def post(url: str, body: bytes, secrets: tuple[str, ...], timeout: float) -> int:
    """Post one signed body and return the status; redirects are not followed, as at Stripe."""
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(body, int(time.time()), *secrets),
    }
    try:
        connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
        response = connection.getresponse()
        response.read(4096)
        return response.status
    finally:
        connection.close()


class Deliverer:
    """The threads that deliver. An event waits while its endpoint has no address or its type is `held`."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.held: tuple[str, ...] = ()  # patterns of event types; `*` holds everything
        self.stopping = False
        self.sending: set[Due] = set()
        self.answered: set[str] = set()  # endpoints that have answered since the start
        self.patient_until = time.monotonic() + account.config.patience
        self.bell = threading.Condition()
        self.rung = 0
        self.next_prune = 0.0
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
        while not self.stopping:
            seen = self.rung
            try:
                if self.round(keeps_time):
                    continue
            except Exception:  # one bad event or moment must not end all deliveries
                log.exception("sandbox delivery failed")
            with self.bell:
                if self.rung == seen and not self.stopping:
                    self.bell.wait(TICK)

    def round(self, keeps_time: bool) -> bool:
        """Make one delivery that is due; False when there is none."""
        with self.account.store.lock:
            if self.stopping:
                return False
            if keeps_time:
                self.keep_time()
            one = self.claim(time.time())
        if one:
            self.attempt(one)
        return one is not None

    def keep_time(self) -> None:
        """Let time pass, and forget now and then what is too old."""
        let_time_pass(self.account)
        if time.monotonic() >= self.next_prune:
            self.next_prune = time.monotonic() + PRUNE_SECONDS
            prune(self.account.store, self.account.now())

    def claim(self, now: float) -> Due | None:
        """Take a delivery that is due and that no other thread makes."""
        # Those under way are due as well: one more than their number is enough to find a free one.
        for one in due(self.account.store, now, len(self.sending) + 1, self.held):
            if self.take(one):
                return one
        return None

    def take(self, one: Due) -> bool:
        """Mark a delivery as under way; False where another thread has it or there is no address for it."""
        store = self.account.store
        with store.lock:
            endpoint = store.get("webhook_endpoint", one.endpoint)
            if endpoint is None or one in self.sending:
                return False
            if endpoint["status"] != "enabled":
                mark(store, one, "given_up")  # as at Stripe, an endpoint that is switched off gets no retries
                return False
            self.sending.add(one)
            return True

    def attempt(self, one: Due) -> Attempt:
        """Send what was taken and note what came of it."""
        event = self.account.get("event", one.event)
        try:
            status, note = self.send(one, event)
            with self.account.store.lock:
                if not self.stopping:
                    self.conclude(one, status, note)
        finally:
            self.sending.discard(one)
        return Attempt(one.event, event["type"], status, note, one.endpoint)

    def conclude(self, one: Due, status: int | None, note: str) -> None:
        """Note what came of an attempt; an endpoint that is still starting is merely asked again a little later."""
        if note == REFUSED and one.endpoint not in self.answered and time.monotonic() < self.patient_until:
            postpone(self.account.store, one, time.time() + 1)
            return
        if status is not None:
            self.answered.add(one.endpoint)
        record(self.account.store, one, time.time(), status, note, self.account.config.retry_delays)

    def send(self, one: Due, event: Json) -> tuple[int | None, str]:
        """Post an event to an endpoint; returns the answer's status, or None and the kind of the failure."""
        store, config = self.account.store, self.account.config
        endpoint = store.get("webhook_endpoint", one.endpoint)
        if endpoint is None:
            return None, "the endpoint was removed"
        shown = public(event) | {"pending_webhooks": undelivered(store, one.event)}
        shown["api_version"] = endpoint["api_version"] or event["api_version"]
        body = render(shown).encode()
        try:
            secrets = secrets_of(endpoint, time.time())
            return post(endpoint["url"], body, secrets, config.delivery_timeout), ""
        except (OSError, ValueError, http.client.HTTPException) as error:
            return None, type(error).__name__

    def copy(self, one: Due) -> Attempt:
        """Send an event once more without a change to its delivery, as Stripe sometimes does by itself."""
        event = self.account.get("event", one.event)
        status, note = self.send(one, event)
        with self.account.store.lock:
            note_post(self.account.store, one, time.time(), status, note)
        return Attempt(one.event, event["type"], status, note, one.endpoint)

    def deliver_all(self) -> list[Attempt]:
        """Send everything that waits once, now and in order, whatever its retry time or hold."""
        return self.deliver(pending(self.account.store))

    def deliver(self, wanted: list[Due]) -> list[Attempt]:
        """Send these deliveries one after the other in the order given, each once."""
        return [self.attempt(one) for one in wanted if self.take(one)]
