"""Stripe away, slow, refusing, or silent about what it did: nothing is lost, and trying again doubles nothing."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from structlog.testing import capture_logs

from paywall.billing.stripe_gateway import StripeUnavailable
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, InboxEvent, LedgerEntry, Reader, Subscription
from paywall.storage.payments import Payment
from paywall.tokens import keyring
from tests.support.faults import FAULTS, FaultyStripe
from tests.support.forms import form_of
from tests.support.servers import wait_until
from tests.support.shop import ARTICLE, Shop, referer

SESSION, SUBSCRIPTION, INVOICES = "GET /v1/checkout/sessions/.*", "GET /v1/subscriptions/.*", "GET /v1/invoices"
PATIENCE = 10.0  # the seconds that an answer may take where one comes
PORTAL = "POST /v1/billing_portal/sessions"
# every fault on SQLite; what a failed call leaves in a database is asked of PostgreSQL with one done and one refused
FAULTY = [*(("sqlite", fault) for fault in FAULTS), ("postgresql", "lost"), ("postgresql", "500")]
every_fault = pytest.mark.parametrize(("database_url", "fault"), FAULTY, indirect=["database_url"])
STARTING = {"price": "GET /v1/prices", "session": "POST /v1/checkout/sessions"}
SYNCING = {"session": SESSION, "subscription": SUBSCRIPTION, "invoices": INVOICES}


@pytest.fixture
def stripe(sandbox) -> Iterator[FaultyStripe]:
    """The way to the sandbox, which can fail."""
    with FaultyStripe(sandbox.url) as proxy:
        yield proxy


@pytest.fixture
def impatient(stripe: FaultyStripe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for what never comes gives up at once, but not before Stripe has done what it does; others wait."""
    send = requests.Session.request

    def request(session: requests.Session, method: str, url: str, **options: Any) -> requests.Response:
        if not stripe.never_answers(f"{method.upper()} {urlsplit(url).path}"):
            return send(session, method, url, **options)
        assert options["timeout"][1] == PATIENCE
        stripe.hanging.clear()
        try:
            return send(session, method, url, **{**options, "timeout": (PATIENCE, 0.05)})
        finally:
            assert stripe.hanging.wait(PATIENCE)

    monkeypatch.setattr(requests.Session, "request", request)


@pytest.fixture
def shop(make_app, sandbox, stripe: FaultyStripe, impatient: None) -> Iterator[Shop]:
    """The service behind that way."""
    app = make_app(stripe={"api_base": stripe.url, "read_timeout_seconds": PATIENCE})
    with app.app_context(), capture_logs():
        keyring.ensure(app.extensions["paywall"].clock.now())
        db.session.commit()
        yield Shop(app, sandbox)
        db.session.remove()


def count(model) -> int:
    found = db.session.scalar(db.select(db.func.count()).select_from(model))
    db.session.commit()
    return found


def at_stripe(shop: Shop, kind: str) -> int:
    return len(shop.sandbox.sandbox.account.store.find(kind))


def bought_once(shop: Shop) -> None:
    """One of everything, here and at Stripe."""
    assert [count(model) for model in (Subscription, Entitlement, LedgerEntry, Payment, Reader)] == [1] * 5
    kinds = ("checkout.session", "customer", "subscription", "invoice", "charge")
    assert {kind: at_stripe(shop, kind) for kind in kinds} == dict.fromkeys(kinds, 1)


@every_fault
@pytest.mark.parametrize("step", STARTING)
def test_a_checkout_that_cannot_start_says_so_and_the_next_press_starts_it_once(
    shop: Shop, stripe: FaultyStripe, step: str, fault: str
) -> None:
    client = shop.browser()
    fields = form_of(client.get("/join", query_string={"return_to": ARTICLE}).text)
    with stripe.failing(fault, STARTING[step]):
        answer = client.post("/checkout", data={**fields, "email": "ada@example.com"}, headers=referer())
    assert stripe.met
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing was charged" in answer.text
    again = form_of(answer.text)
    assert (again["email"], again["return_to"]) == ("ada@example.com", ARTICLE), "the way on is the same form"
    started = client.post("/checkout", data=again, headers=referer())
    assert started.status_code == 303
    assert (count(Checkout), count(Reader), at_stripe(shop, "checkout.session")) == (1, 1, 1)
    session_id = shop.sandbox.sandbox.account.store.find("checkout.session")[0]["id"]
    assert client.get(shop.pay(session_id)).headers["Location"] == ARTICLE
    bought_once(shop)


@every_fault
@pytest.mark.parametrize("step", SYNCING)
def test_a_return_that_cannot_be_confirmed_waits_and_then_leads_back(
    shop: Shop, stripe: FaultyStripe, step: str, fault: str
) -> None:
    client = shop.browser()
    path = shop.pay(shop.start(client))
    with stripe.failing(fault, SYNCING[step]):
        answer = client.get(path)
    assert stripe.met
    assert (answer.status_code, answer.headers["Refresh"]) == (503, "5")
    assert "you need not pay again" in answer.text
    assert "Check again" in answer.text
    assert count(Entitlement) == 0
    assert client.get(path).headers["Location"] == ARTICLE
    bought_once(shop)


@every_fault
@pytest.mark.parametrize("step", SYNCING)
def test_an_event_that_cannot_be_handled_is_kept_and_handled_when_it_comes_again(
    shop: Shop, stripe: FaultyStripe, step: str, fault: str
) -> None:
    shop.pay(shop.start(shop.browser()))
    (event,) = shop.sandbox.events("checkout.session.completed")
    with stripe.failing(fault, SYNCING[step]):
        assert shop.deliver(event).status_code == 503
    assert stripe.met
    row = db.session.get(InboxEvent, event["id"])
    assert (row.state, row.outcome) == ("parked", "stripe_unavailable")
    assert count(Entitlement) == 0
    assert shop.deliver(event).status_code == 200
    bought_once(shop)


@every_fault
def test_a_billing_page_that_cannot_be_made_leaves_the_account_and_the_next_press_opens_it(
    shop: Shop, stripe: FaultyStripe, fault: str
) -> None:
    client = shop.browser()
    shop.buy(client)
    fields = form_of(client.get("/account").text)
    with stripe.failing(fault, PORTAL):
        answer = client.post("/account/billing", data=fields, headers=referer())
    assert stripe.met
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing was charged" in answer.text
    assert "Your access runs until" in answer.text
    opened = client.post("/account/billing", data=form_of(answer.text), headers=referer())
    assert opened.status_code == 303, "the way on is the same button"
    bought_once(shop)


@pytest.mark.parametrize("fault", ["slow", "lost", "500"])
def test_the_command_catches_up_with_what_no_delivery_repeats(shop: Shop, stripe: FaultyStripe, fault: str) -> None:
    shop.pay(shop.start(shop.browser()))
    with stripe.failing(fault, SUBSCRIPTION):
        assert {shop.deliver(event).status_code for event in shop.sandbox.events()} <= {200, 503}
    done = shop.app.test_cli_runner().invoke(args=["paywall", "webhooks", "retry"])
    assert done.exit_code == 0, done.output
    bought_once(shop)


@pytest.mark.parametrize("fault", ["refused", "slow", "500"])
def test_who_has_paid_reads_on_and_signs_in_while_stripe_is_away(shop: Shop, stripe: FaultyStripe, fault: str) -> None:
    client = shop.browser()
    shop.buy(client)
    with stripe.failing(fault):
        assert "Your access runs until" in client.get("/account").text
        page = client.get("/sign-in")
        mailed = client.post("/sign-in", data={**form_of(page.text), "email": "ada@example.com"}, headers=referer())
        assert mailed.status_code == 303
    assert stripe.met == []


def test_two_tabs_during_an_unknown_outcome_share_one_session(shop: Shop, stripe: FaultyStripe) -> None:
    """Stripe made the session and the answer was lost; the other tab, then the first again, find that one."""
    client = shop.browser()
    with stripe.failing("lost", STARTING["session"]):
        assert shop.join(client, "ada@example.com").status_code == 503
        assert at_stripe(shop, "checkout.session") == 1
    assert shop.start(client) == shop.start(client)
    assert (count(Checkout), at_stripe(shop, "checkout.session")) == (1, 1)


def test_an_answer_that_never_comes_is_waited_for_as_long_as_the_setting_says(make_app, stripe: FaultyStripe) -> None:
    gateway = make_app(stripe={"api_base": stripe.url, "read_timeout_seconds": 0.3}).extensions["paywall"].gateway
    before = time.monotonic()
    with stripe.failing("slow"), pytest.raises(StripeUnavailable), capture_logs():
        gateway.find_price("any")
    assert 0.3 <= time.monotonic() - before < 0.3 * PATIENCE
    assert len(stripe.met) == 1


def test_calls_that_hang_take_only_their_share_of_the_threads(make_app, sandbox, stripe: FaultyStripe) -> None:
    """Readers beyond the share are told at once; the threads that are left serve everything else."""
    app = make_app(stripe={"api_base": stripe.url, "read_timeout_seconds": 20, "max_calls_at_once": 2})
    gateway, fast = app.extensions["paywall"].gateway, threading.Event()

    def ask() -> str:
        try:
            return str(gateway.find_price("any"))
        except StripeUnavailable:
            fast.set()
            return "unavailable"

    with ThreadPoolExecutor(8) as pool, capture_logs() as lines:
        with stripe.failing("slow"):
            asked = [pool.submit(ask) for _ in range(8)]
            assert fast.wait(10)
            wait_until(lambda: sum(one.done() for one in asked) == 6, "six are told at once", 10)
            assert len(stripe.met) == 2
        assert [one.result() for one in asked] == ["unavailable"] * 8
        assert ask() == "None", "the slots are free again"
    assert sum(line["event"] == "stripe_line_is_full" for line in lines) == 6
