"""The stage: service and sandbox in one process on one clock, whose whole state can be taken and put back."""

import json
import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import structlog
from flask.testing import FlaskClient

from paywall.app import create_app
from paywall.billing.comparing import Difference
from paywall.billing.pacing import Pace
from paywall.reconciling import reconciler
from paywall.sandbox.state.account import Account
from paywall.settings import load_settings
from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.tokens import keyring
from paywall.webhooks.handlers import ROUTES
from tests.conformance import oracle
from tests.conformance.messages import Delivery
from tests.support import databases
from tests.support.in_process import Line, QuietSandbox
from tests.support.rows import Rows, dump, load
from tests.support.shop import API_KEY, WEBHOOK_SECRET, Shop

MOST_KNOWN = 5000  # answers that are remembered
_numbers = count(1)
COOKIE = "__Host-paywall_checkout"
SINCE = timedelta(days=30)  # as far back as Stripe keeps events
BEGINNING = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)  # a Wednesday morning in New York


class StageClock:
    """The one clock of service and sandbox; it stands until an act moves it."""

    def __init__(self) -> None:
        self.moment = BEGINNING

    def now(self) -> datetime:
        """The moment that it shows."""
        return self.moment


@dataclass(frozen=True)
class Frame:
    """A state: Stripe's objects (``number`` tells them from others), our rows, the time, the buyer's cookie."""

    number: int
    stripe: bytes
    rows: Rows
    moment: datetime
    cookie: str | None
    seen: int
    cases: Mapping[str, oracle.Case] = field(repr=False)
    fetched: frozenset[str] = frozenset()  # subscriptions that the service had asked for by then


class _RememberingLine(Line):
    """Answers a question about an unchanged state from memory; ``stamp`` names the state, None if it has no name."""

    def __init__(self, wsgi: Callable[..., Any], stamp: Callable[[], Hashable | None]) -> None:
        super().__init__(wsgi)
        self._stamp = stamp
        self._known: dict[Hashable, tuple[bytes, int, Mapping[str, str]]] = {}

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request; what is known is told again."""
        stamp = self._stamp() if method.upper() == "GET" and not self.down else None
        if stamp is None:
            return super().request(method, url, headers, post_data)
        key = (stamp, url)
        if key not in self._known:
            answer = super().request(method, url, headers, post_data)
            if self._stamp() != stamp:
                return answer
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = answer
        else:
            self.watch(method.upper(), url.split("?")[0], self._known[key][1])
        return self._known[key]


class Stage:
    """Everything that a story needs. ``kind`` is the database: sqlite or postgresql."""

    def __init__(self, kind: str, shop: Shop, sandbox: QuietSandbox, clock: StageClock) -> None:
        self.kind, self.shop, self.sandbox, self.clock = kind, shop, sandbox, clock
        self.parts = shop.parts
        self.line = _RememberingLine(sandbox.line._wsgi, self._stamp)
        sandbox.line = self.line
        sandbox.connect(self.parts.gateway)
        self.sdk = sandbox.client()
        self.browser: FlaskClient = shop.browser()
        self.returns: list[str] = []
        self._seen = 0
        self._shown: Frame | None = None
        self._changes = 0
        self.beginning = self.take()

    @property
    def account(self) -> Account:
        """The account at Stripe."""
        return self.sandbox.sandbox.account

    @property
    def changed(self) -> bool:
        """Whether Stripe's objects are others than in the frame that was shown last."""
        return self._shown is None or self.account.store.connection.total_changes != self._changes

    def take(self, fetched: Iterable[str] = ()) -> Frame:
        """The state as it is now."""
        cookie = self.browser.get_cookie(COOKIE)
        if self._shown is None or self.changed:
            self._shown = self._read()
        return replace(
            self._shown,
            rows=dump(),
            moment=self.clock.moment,
            cookie=cookie.value if cookie else None,
            seen=self._seen,
            fetched=frozenset(fetched),
        )

    def _read(self) -> Frame:
        """Stripe's objects as they are now."""
        store, self._changes = self.account.store, self.account.store.connection.total_changes
        stripe = store.connection.serialize()
        return Frame(next(_numbers), stripe, {}, self.clock.moment, None, self._seen, oracle.read(self.account))

    def show(self, frame: Frame, *, rows: bool) -> None:
        """Puts a state back; without ``rows`` the service's own stay as they are."""
        self.account.store.connection.deserialize(frame.stripe)
        self.clock.moment = frame.moment
        self._seen, self.returns = frame.seen, []
        self._shown, self._changes = frame, self.account.store.connection.total_changes
        if rows:
            load(frame.rows)
            self.browser = self.shop.browser()
            if frame.cookie:
                self.browser.set_cookie(COOKIE, frame.cookie)

    def caused(self) -> list[Delivery]:
        """What has happened since this was asked last, as messages to the service."""
        sql = "SELECT seq, body FROM objects WHERE kind = 'event' AND seq > ? ORDER BY seq"
        found = self.account.store.rows(sql, self._seen)
        self._seen = max((row[0] for row in found), default=self._seen)
        events = [json.loads(row[1]) for row in found]
        told = [Delivery(event["type"], event=event) for event in events if event["type"] in ROUTES]
        told += [Delivery("return", path=path) for path in self.returns]
        self.returns = []
        return told

    def expire(self) -> None:
        """What the worker does by itself: writes down whatever the passing of time has changed."""
        for entitlement_id in entitlements.due_to_change(self.clock.moment, 100):
            self.parts.sync.expire(entitlement_id)
        db.session.remove()

    def reconcile(self) -> list[str]:
        """Staff or the schedule compare with Stripe and repair what differs; returns what could not be repaired."""
        db.session.remove()
        found: list[Difference] = []
        patient = replace(reconciler(self.parts), pace=Pace(sleep=lambda _seconds: None))
        done = patient.run(SINCE, False, found.append, lambda _seen: None)
        db.session.remove()
        left = [f"reconcile: {one}" for one in found if one.outcome != "repaired"]
        return left if done.good or left else [f"reconcile: {done}"]

    def _stamp(self) -> Hashable | None:
        return None if self._shown is None or self.changed else self._shown.number


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Stage]:
    """A stage on a database of its own, with the application's context pushed."""
    clock = StageClock()
    with ExitStack() as stack:
        url = stack.enter_context(databases.own(kind, folder))
        keys = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
        sandbox = stack.enter_context(QuietSandbox(**keys, now=clock.now))
        tables = {"database": {"url": url}, "stripe": {"api_base": sandbox.url}, "mail": {"outbox_dir": str(folder)}}
        app = create_app(load_settings(**tables), clock=clock)
        stack.callback(structlog.configure, **structlog.get_config())
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # faults are meant
        stack.enter_context(app.app_context())
        stack.callback(db.engine.dispose)
        stack.callback(db.session.remove)
        keyring.ensure(clock.now())
        db.session.commit()
        sandbox.connect(app.extensions["paywall"].gateway)
        yield Stage(kind, Shop(app, sandbox), sandbox, clock)
