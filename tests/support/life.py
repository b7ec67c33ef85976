"""A reader's life with the service, in one process on one clock: what happens at Stripe, and what is told of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from paywall.app import create_app
from paywall.sandbox.billing import disputing, portal, refunding
from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.filters import equals
from paywall.settings import load_settings
from paywall.storage.database import db
from paywall.tokens import keyring
from tests.support import databases
from tests.support.in_process import QuietSandbox
from tests.support.shop import API_KEY, WEBHOOK_SECRET, Shop

Json = dict[str, Any]
Retold = Callable[[Json], Json | None]

BEGINNING = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)  # a Wednesday morning in New York
DRAFT = timedelta(hours=2)  # after a period's end: the renewal's invoice is no draft any more, and was tried
GOOD_CARD, FAILING_CARD = "pm_card_visa", "pm_card_chargeCustomerFail"


class Moment:
    """The one clock; it stands where it is put."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """The moment that it shows."""
        return self.moment


class Life:
    """What happens at Stripe to one subscription, and what the service is told."""

    def __init__(self, shop: Shop, clock: Moment) -> None:
        self.shop, self.clock = shop, clock
        self.account: Account = shop.sandbox.sandbox.account
        self.stripe = shop.sandbox.client()  # type: ignore[attr-defined]
        self.browser = shop.browser()
        self.subscription_id = ""
        self._told = 0

    def buy(self, email: str = "ada@example.com", *, come_back: bool = False) -> str:
        """Buys; without coming back, the service hears of it by events alone. Returns the subscription's id."""
        session_id = self.shop.start(self.browser, email)
        back = self.shop.pay(session_id, email=email)
        self.subscription_id = str(self.shop.session(session_id)["subscription"])
        if come_back:
            assert self.browser.get(back).status_code == 303
        return self.subscription_id

    def to(self, moment: datetime) -> None:
        """Moves the clock on, and lets Stripe do what falls due, each thing at its own moment."""
        assert moment >= self.clock.moment
        self.clock.moment = moment
        let_time_pass(self.account)

    def later(self, **span: float) -> None:
        """Moves on by a timedelta's arguments."""
        self.to(self.clock.moment + timedelta(**span))

    def to_renewal(self) -> None:
        """Moves on until the next period has begun and its payment was tried."""
        self.to(self.period_end + DRAFT)

    @property
    def subscription(self) -> Json:
        """The subscription as Stripe has it."""
        return self.account.get("subscription", self.subscription_id)

    @property
    def period_end(self) -> datetime:
        """When the running period ends."""
        return datetime.fromtimestamp(self.subscription["items"]["data"][0]["current_period_end"], UTC)

    @property
    def charge(self) -> str:
        """The charge that paid last."""
        mine = [equals("customer", self.subscription["customer"]), equals("status", "succeeded")]
        return str(self.account.store.find("charge", mine, limit=1)[0]["id"])

    def use_card(self, token: str) -> None:
        """Puts another card in the place of the one that is charged."""
        customer = self.subscription["customer"]
        method = self.stripe.v1.payment_methods.attach(token, {"customer": customer})
        self.stripe.v1.subscriptions.update(self.subscription_id, {"default_payment_method": method.id})

    def pay_what_is_open(self) -> None:
        """Pays the newest invoice with the present card."""
        self.stripe.v1.invoices.pay(self.subscription["latest_invoice"])

    def refund(self, amount: int | None = None, outcome: str = "succeeded") -> str:
        """Gives the last payment back, all of it or a part."""
        return str(refunding.refund(self.account, self.charge, amount, outcome)["id"])

    def dispute(self, status: str = "needs_response") -> str:
        """The bank of the last payment's card asks for it back."""
        return str(disputing.open_dispute(self.account, self.charge, status)["id"])

    def settle(self, dispute_id: str, status: str) -> None:
        """The dispute comes to this status."""
        disputing.settle(self.account, dispute_id, status)

    def end_in_the_portal(self) -> None:
        """The reader ends it with its period, which sets a date alone."""
        portal.end(self.account, {"customer": self.subscription["customer"]}, self.subscription_id)

    def keep_in_the_portal(self) -> None:
        """The reader takes that back."""
        portal.keep(self.account, {"customer": self.subscription["customer"]}, self.subscription_id)

    def untold(self) -> list[Json]:
        """The events that happened since this was asked last, the oldest first."""
        events = self.shop.sandbox.events()
        fresh, self._told = events[self._told :], len(events)
        return fresh

    def tell(self, retold: Retold = lambda event: event) -> int:
        """Delivers what happened, until nothing more comes of it; returns how many events were told."""
        count = 0
        while fresh := self.untold():
            for event in filter(None, map(retold, fresh)):
                answer = self.shop.deliver(event)
                assert answer.status_code == 200, (event["type"], answer.text)
                count += 1
        return count


@contextmanager
def lived(kind: str, folder: Path, beginning: datetime = BEGINNING, **tables: Mapping[str, object]) -> Iterator[Life]:
    """A service on an empty database, and a Stripe of its own; tables of settings given as arguments win."""
    clock = Moment(beginning)
    with ExitStack() as stack:
        url = stack.enter_context(databases.own(kind, folder))
        keys = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
        sandbox = stack.enter_context(QuietSandbox(**keys, now=clock.now))
        given = {"database": {"url": url}, "stripe": {"api_base": sandbox.url}, "log": {"level": "error"}}
        app = create_app(load_settings(**{**given, **tables}), clock=clock)  # type: ignore[arg-type]
        app.testing = True
        stack.enter_context(app.app_context())
        stack.callback(db.engine.dispose)
        stack.callback(db.session.remove)
        keyring.ensure(clock.now())
        db.session.commit()
        sandbox.connect(app.extensions["paywall"].gateway)
        yield Life(Shop(app, sandbox), clock)
