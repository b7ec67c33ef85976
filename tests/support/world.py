"""Readers, staff and Stripe on one clock, in one process: what each can do, and what must hold whatever they do."""

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import stripe
from flask.testing import FlaskClient

from paywall.billing import duplicates
from paywall.billing.comparing import Difference
from paywall.billing.pacing import Pace
from paywall.billing.reconcile import Reconciler, Summary
from paywall.errors import PaywallError
from paywall.reconciling import reconciler
from paywall.sandbox.billing import disputing, portal, refunding
from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.errors import StripeError
from paywall.storage import entitlements, revocations, subscriptions
from paywall.storage.database import db
from paywall.storage.models import Reader, ReaderSession
from paywall.tokens import issuer, verification
from paywall.webhooks.handlers import ROUTES, Tools
from paywall.webhooks.intake import Intake
from paywall.worker import jobs
from paywall.worker.shift import Shift
from tests.conformance import oracle
from tests.support.forms import form_of
from tests.support.in_process import Line
from tests.support.life import BEGINNING, Life
from tests.support.rows import dump, load

Json = dict[str, Any]

TICK = timedelta(seconds=2)
ANSWERS = {
    "429": (429, {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many requests"}),
    "500": (500, {"type": "api_error", "message": "Sorry"}),
}
FAULTS = (*ANSWERS, "down", "lost")  # lost: Stripe does it, and the answer never comes


class ShakyLine(Line):
    """A line on which the next calls meet what ``plan`` says, one entry a call."""

    def __init__(self, wsgi: Any) -> None:
        super().__init__(wsgi)
        self.plan: list[str] = []

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One call. Raises APIConnectionError where it is lost, before or after Stripe did what it asks for."""
        fault = self.plan.pop(0) if self.plan else ""
        if fault in ANSWERS:
            status, error = ANSWERS[fault]
            return json.dumps({"error": error}).encode(), status, {}
        answer = super().request(method, url, headers, post_data) if fault != "down" else None
        if answer is None or fault == "lost":
            raise stripe.APIConnectionError("the line is down")
        return answer


@dataclass
class Tab:
    """A browser of one person."""

    email: str
    client: FlaskClient
    sessions: list[str] = field(default_factory=list)  # Checkout Sessions that it was led to
    back: str | None = None


@dataclass(frozen=True)
class Held:
    """A token that was given out, and to whom."""

    token: str
    reader_id: str


class World:
    """Everything that happens. Made once, it begins anew with ``reset``."""

    def __init__(self, life: Life) -> None:
        self.shop, self.clock, self.account = life.shop, life.clock, life.account
        self.parts = life.shop.parts
        self.staff = life.stripe  # always gets through
        self.line = ShakyLine(life.shop.sandbox.line._wsgi)  # type: ignore[attr-defined]
        keys = {"base_addresses": {"api": life.shop.sandbox.url}, "http_client": self.line}
        gateway: Any = self.parts.gateway
        gateway._client = stripe.StripeClient(life.shop.sandbox.config.api_key, **keys)
        fetch = gateway.fetch_subscription
        gateway.fetch_subscription = lambda *asked: self._note(asked[0], fetch(*asked))
        for plan in self.parts.settings.plans.values():  # else it is asked for now and then, by the machine's own clock
            self.parts.catalog._known[plan.lookup_key] = (math.inf, self.parts.catalog.price_id(plan))
        self._beginning = self.account.store.connection.serialize(), dump()
        self.reset()

    def reset(self) -> None:
        """Begins anew."""
        stored, rows = self._beginning
        self.account.store.connection.deserialize(stored)
        load(rows)
        self.clock.moment = BEGINNING
        self.line.plan = []
        self.tabs = [
            Tab(email, self.shop.browser()) for email in ("ada@example.com", "ada@example.com", "bob@example.com")
        ]
        self.seen: dict[str, oracle.Case] = {}  # each subscription as it was when we last asked for it
        self.waiting: list[Json] = []  # events that Stripe has not delivered yet
        self.lost: list[Json] = []
        self.tokens: list[Held] = []
        self._last = self._newest_event()

    def _note(self, subscription_id: str, snapshot: Any) -> Any:
        self.seen[subscription_id] = oracle.read(self.account)[subscription_id]
        return snapshot

    def _newest_event(self) -> int:
        ((last,),) = self.account.store.rows("SELECT coalesce(max(seq), 0) FROM objects WHERE kind = 'event'")
        return int(last)

    def passes(self, span: timedelta = TICK) -> None:
        """Time passes, and what Stripe does meanwhile is told, but not delivered."""
        self.clock.moment += span
        let_time_pass(self.account)
        rows = self.account.store.rows(
            "SELECT body FROM objects WHERE kind = 'event' AND seq > ? ORDER BY seq", self._last
        )
        self._last = self._newest_event()
        self.waiting += [event for (body,) in rows if (event := json.loads(body))["type"] in ROUTES]

    # what readers do

    def join(self, tab: Tab) -> None:
        """Opens the offer and sends its form."""
        page = tab.client.get("/join", query_string={"plan": "annual"})
        if page.status_code == 200:
            fields = form_of(page.text) | {"email": tab.email}
            answer = tab.client.post("/checkout", data=fields, headers={"Referer": "https://pay.test/"})
            assert answer.status_code in (200, 303, 409, 503), answer.status_code
            where = answer.headers.get("Location", "")
            if "cs_test_" in where and "/c/pay/" in where:
                tab.sessions.append(where.rpartition("/")[2].partition("#")[0].partition("?")[0])

    def pay(self, tab: Tab, card: str, *, agree: bool = True) -> None:
        """Pays the session that this browser was led to last, if it can be paid."""
        if tab.sessions:
            try:
                tab.back = self.shop.pay(tab.sessions[-1], email=tab.email, card=card, agree=agree)
            except (ValueError, StripeError):  # declined, expired, or paid in the other tab
                return

    def come_back(self, tab: Tab) -> None:
        """Follows the way back from the payment page."""
        if tab.back:
            assert tab.client.get(tab.back).status_code in (200, 303, 404, 409, 503)

    def take_tokens(self) -> None:
        """Whoever is signed in reads an article somewhere: a content service renews the reader's token."""
        now, plans = self.clock.moment, self.parts.settings.plans
        sessions = db.session.scalars(db.select(ReaderSession).where(ReaderSession.ended_at.is_(None))).all()
        for row in sessions:
            if row.expires_at > now and (made := issuer.issue(row.reader_id, row.id, now)):
                access = entitlements.access_of(row.reader_id, plans, now)
                assert access.until is not None
                assert verification.of_app().read(made.token, now).exp <= access.until.timestamp(), "I6"
                self.tokens.append(Held(made.token, row.reader_id))
        db.session.commit()

    # what Stripe and its customers do

    def bodies(self, kind: str) -> list[Json]:
        """Stripe's objects of a kind, the oldest first."""
        return self.account.store.find(kind, oldest_first=True)

    def use_card(self, subscription: Json, token: str) -> None:
        """Another card is charged from now on, and at once for what is owed."""
        with refusals():
            method = self.staff.v1.payment_methods.attach(token, {"customer": subscription["customer"]})
            self.staff.v1.subscriptions.update(subscription["id"], {"default_payment_method": method.id})
            if subscription["status"] in ("past_due", "unpaid"):
                self.staff.v1.invoices.pay(subscription["latest_invoice"])

    def change(self, subscription: Json, **values: Any) -> None:
        """Staff or the reader change the subscription at Stripe."""
        with refusals():
            self.staff.v1.subscriptions.update(subscription["id"], values)

    def end_in_the_portal(self, subscription: Json, *, wanted: bool) -> None:
        """The reader ends it with its period, or takes that back."""
        with refusals():
            act = portal.end if wanted else portal.keep
            act(self.account, {"customer": subscription["customer"]}, subscription["id"])

    def stop(self, subscription: Json, how: str) -> None:
        """Staff cancel, pause or resume it at Stripe, at once."""
        with refusals():
            if how == "cancel":
                self.staff.v1.subscriptions.cancel(subscription["id"])
            else:
                self.staff.raw_request("post", f"/v1/subscriptions/{subscription['id']}/{how}")

    def delete_customer(self, customer: Json) -> None:
        """Staff delete a customer."""
        with refusals():
            self.staff.v1.customers.delete(customer["id"])

    def refund(self, charge: Json, amount: int | None, outcome: str) -> None:
        """Staff give a payment back."""
        with refusals():
            refunding.refund(self.account, charge["id"], amount, outcome)

    def dispute(self, charge: Json, status: str) -> None:
        """A bank takes a payment back, or asks about it."""
        with refusals():
            if not charge["disputed"]:
                disputing.open_dispute(self.account, charge["id"], status)

    def settle_dispute(self, dispute: Json, status: str) -> None:
        """The dispute comes to another status."""
        with refusals():
            disputing.settle(self.account, dispute["id"], status)

    def settle_refund(self, refund: Json, status: str) -> None:
        """A refund that was on its way arrives, or does not."""
        with refusals():
            refunding.settle_refund(self.account, refund["id"], status)

    def deliver(self, index: int) -> None:
        """Delivers one of the events that wait; it goes on waiting where it was not dealt with."""
        event = self.waiting.pop(index)
        answer = self.shop.deliver(event)
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 503:
            self.waiting.append(event)

    def deliver_all(self) -> None:
        """Delivers what waits, each once, the oldest first."""
        for _ in range(len(self.waiting)):
            self.deliver(0)

    def forge(self, event: Json) -> None:
        """Somebody without the secret posts an event, and somebody with it nonsense (I4)."""
        nonsense = {**event, "data": {"object": [event["data"]["object"]]}}
        for told, how in ((event, {"secret": "whsec_guessed"}), (nonsense, {})):
            before = dump()
            assert self.shop.deliver(told, **how).status_code == 400, "I4"
            assert dump() == before, "I4"

    # what staff and the worker do

    def work(self) -> None:
        """The worker's frequent jobs, once each."""
        shift = Shift("wrk_test")
        jobs.retry_events(self.parts, shift)
        jobs.expire(self.parts, shift)

    def replay(self, event: Json) -> None:
        """Staff handle an event again."""
        Intake(Tools(self.parts.gateway, self.parts.sync, self.parts.clock)).handle(event["id"])

    def reconcile(self) -> tuple[Summary, list[Difference]]:
        """Staff compare all with Stripe: how it went, and what was found."""
        made, found = reconciler(self.parts), list[Difference]()
        quick = Pace(lambda _seconds: None)
        run = Reconciler(made.gateway, made.sync, made.plans, made.clock, made.inbox, quick)
        return run.run(timedelta(days=30), False, found.append, lambda _seen: None), found

    def end_duplicates(self) -> None:
        """Staff end every second subscription, as the command does."""
        for row in subscriptions.duplicates():
            try:
                ending = duplicates.look(self.parts.sync, row.id)
                if ending.beside:
                    duplicates.carry_out(self.parts.gateway, self.parts.sync, ending, lambda _line: None)
            except PaywallError:  # Stripe is away: the command says so, and is run again
                db.session.rollback()
        db.session.commit()

    def revoke(self) -> None:
        """Staff take back every token of every reader."""
        for reader_id in db.session.scalars(db.select(Reader.id)).all():
            revocations.of_reader(reader_id, "staff", self.clock.moment)
        db.session.commit()


@contextmanager
def refusals() -> Iterator[None]:
    """What Stripe refuses does not happen; here nothing is asked of it that it could not refuse."""
    try:
        yield
    except (stripe.StripeError, StripeError, ValueError):
        return
