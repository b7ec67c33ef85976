"""Never paid twice (I8): one open session for a reader and plan, one live subscription, matches flagged not linked."""

import threading
from datetime import timedelta

import pytest
import stripe

from paywall.billing.stripe_gateway import StripeGateway
from paywall.storage import entitlements, readers
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, Reader, Subscription
from tests.support.browsers import browser
from tests.support.forms import form_of
from tests.support.shop import ARTICLE, Shop, referer, session_of


def states() -> list[str]:
    return sorted(db.session.scalars(db.select(Checkout.state)), reverse=True)


def sessions(shop: Shop) -> list[str]:
    return [str(row["status"]) for row in shop.sandbox.sandbox.account.store.find("checkout.session")]


def test_a_second_tab_is_led_to_the_same_session(shop: Shop) -> None:
    client = shop.browser()
    assert shop.start(client) == shop.start(client)
    assert states() == ["open"]
    assert sessions(shop) == ["open"]


def test_a_second_tab_for_another_article_comes_back_to_that_one(shop: Shop) -> None:
    client = shop.browser()
    first = shop.start(client)
    assert shop.start(client, return_to="https://reports.news.test/q3") == first
    assert client.get(shop.pay(first)).headers["Location"] == "https://reports.news.test/q3"


def test_a_double_click_makes_one_checkout_and_one_session(make_app, sandbox) -> None:
    """Stripe answers the second of two identical calls at once with 409; the SDK then tries again."""
    app = make_app(stripe={"api_base": sandbox.url, "max_network_retries": 3})
    with app.app_context():
        shop = Shop(app, sandbox)
        client = shop.browser()
        fields = {**form_of(client.get("/join?plan=annual").text), "email": "ada@example.com"}
        cookies = {name: client.get_cookie(name).value for name in ("paywall_web", "__Host-paywall_checkout")}
        results: list[str] = []
        barrier = threading.Barrier(2)

        def click() -> None:
            tab = browser(app)
            for name, value in cookies.items():
                tab.set_cookie(name, value)
            barrier.wait()
            answer = tab.post("/checkout", data=fields, headers=referer())
            results.append(session_of(answer) if answer.status_code == 303 else str(answer.status_code))

        threads = [threading.Thread(target=click) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(results)) == 1, results
        assert results[0].startswith("cs_test_")
        assert states() == ["open"]
        assert sessions(shop) == ["open"]


def test_another_address_in_the_same_browser_ends_the_old_session_first(shop: Shop) -> None:
    client = shop.browser()
    first = shop.start(client, "ada@example.com")
    second = shop.start(client, "grace@example.com")
    assert first != second
    assert shop.session(first)["status"] == "expired"
    assert states() == ["open", "expired"]


def test_an_open_session_near_its_end_is_replaced(shop: Shop, clock) -> None:
    client = shop.browser()
    first = shop.start(client)
    clock.advance(hours=22, minutes=30)
    assert shop.start(client) != first
    assert shop.session(first)["status"] == "expired"


def test_a_session_that_expired_at_stripe_is_replaced_although_its_event_was_lost(shop: Shop) -> None:
    client = shop.browser()
    first = shop.start(client)
    shop.stripe().v1.checkout.sessions.expire(first)
    assert shop.start(client) != first


def test_a_session_already_paid_is_not_sold_again(shop: Shop) -> None:
    """Paid in one tab, the webhook lost, Subscribe pressed in the other: the reader is let in, not charged."""
    client = shop.browser()
    first = shop.start(client)
    shop.pay(first)
    answer = shop.join(client, "ada@example.com")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/checkout/return?session_id={first}"
    assert client.get(answer.headers["Location"]).headers["Location"] == ARTICLE
    assert db.session.query(Subscription).count() == 1


def test_paid_under_another_address_meanwhile_is_noticed_before_selling_again(shop: Shop) -> None:
    client = shop.browser()
    first = shop.start(client, "ada@example.com")
    shop.pay(first)
    assert first in shop.join(client, "grace@example.com").headers["Location"]


def test_a_subscriber_is_told_so_and_not_charged(shop: Shop) -> None:
    client = shop.browser()
    shop.buy(client)
    answer = shop.join(client, "ada@example.com")
    assert answer.status_code == 409
    assert "You already have a subscription" in answer.text
    assert ARTICLE in answer.text
    assert sessions(shop) == ["complete"]


@pytest.mark.parametrize("typed", ["ada@example.com", "ADA@Example.com", "  ada@example.com "])
def test_the_address_of_a_subscriber_leads_to_sign_in_from_any_browser(shop: Shop, typed: str) -> None:
    shop.buy(shop.browser())
    answer = shop.join(shop.browser(), typed)
    assert answer.status_code == 409
    assert "/sign-in?return_to=" in answer.text
    assert sessions(shop) == ["complete"]


def test_two_devices_with_one_address_may_both_start_and_the_second_is_flagged(shop: Shop) -> None:
    shop.start(shop.browser())
    shop.start(shop.browser())
    flags = db.session.scalars(db.select(Checkout.flag).order_by(Checkout.created_at, Checkout.flag.desc())).all()
    assert sorted(flags, key=str) == [None, "open_under_same_address"]
    assert db.session.query(Reader).count() == 2


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_second_live_subscription_is_stored_and_flagged_in_any_order(shop: Shop, newest_first: bool) -> None:
    paths = [shop.start(shop.browser()), shop.start(shop.browser())]
    for session_id in paths:
        shop.pay(session_id)
    ids = [str(shop.session(session_id)["subscription"]) for session_id in paths]
    events = {event["data"]["object"]["id"]: event for event in shop.sandbox.events("customer.subscription.created")}
    for subscription_id in reversed(ids) if newest_first else ids:
        assert shop.deliver(events[subscription_id]).status_code == 200
    rows = db.session.scalars(db.select(Subscription)).all()
    older, newer = sorted(rows, key=lambda row: (row.created_at, row.id))
    assert (older.duplicate_of, newer.duplicate_of) == (None, older.id)
    assert db.session.query(Entitlement).count() == 2
    assert older.reader_id != newer.reader_id, "flagged, never linked"


def test_the_flag_goes_when_the_older_one_ends(shop: Shop) -> None:
    for session_id in [shop.start(shop.browser()), shop.start(shop.browser())]:
        shop.pay(session_id)
    shop.deliver_all()
    older = db.session.scalar(db.select(Subscription.duplicate_of).where(Subscription.duplicate_of.is_not(None)))
    shop.stripe().v1.subscriptions.cancel(older)
    shop.deliver_all()
    assert set(db.session.scalars(db.select(Subscription.duplicate_of))) == {None}


def test_a_lapsed_reader_can_buy_again_at_once(shop: Shop, clock) -> None:
    client = shop.browser()
    subscription_id = shop.buy(client)
    shop.stripe().v1.subscriptions.cancel(subscription_id)
    shop.deliver_all()
    clock.advance(days=2)
    session_id = shop.start(client)
    assert shop.session(session_id)["customer"] == db.session.scalar(db.select(Subscription.customer_id))


def test_a_customer_deleted_at_stripe_does_not_stop_the_next_purchase(shop: Shop, clock) -> None:
    client = shop.browser()
    shop.stripe().v1.subscriptions.cancel(shop.buy(client))
    shop.deliver_all()
    shop.stripe().v1.customers.delete(db.session.scalar(db.select(Reader.customer_id)))
    clock.advance(days=2)
    session_id = shop.start(client)
    assert shop.session(session_id)["customer"] is None
    assert shop.session(session_id)["customer_email"] == "ada@example.com"


def test_a_retry_after_an_unknown_outcome_repeats_the_identical_call(shop: Shop, monkeypatch) -> None:
    """The request arrived, the answer did not: the second try must find the first one's session."""
    client, real = shop.browser(), stripe.RequestsClient.request
    lost: list[bool] = []

    def lose_the_answer(self, method, url, headers, post_data=None, **more):
        answer = real(self, method, url, headers, post_data, **more)
        if url.endswith("/v1/checkout/sessions") and not lost:
            lost.append(True)
            raise stripe.APIConnectionError("timed out", should_retry=False)
        return answer

    monkeypatch.setattr(stripe.RequestsClient, "request", lose_the_answer)
    failed = shop.join(client, "ada@example.com")
    assert failed.status_code == 503
    assert "Nothing was charged" in failed.text
    assert shop.start(client)
    assert sessions(shop) == ["open"]
    assert states() == ["open"]


def test_an_open_checkout_survives_until_its_key_is_too_old(shop: Shop, clock) -> None:
    """A row that Stripe never heard of is not sent with an expiry that Stripe would refuse."""
    client = shop.browser()
    shop.sandbox.server.shutdown()
    assert shop.join(client, "ada@example.com").status_code == 503
    row = db.session.scalar(db.select(Checkout))
    assert row is None or row.expires_at - clock.now() > timedelta(hours=22)


def test_who_buys_again_under_the_same_address_reads_on_every_device(shop: Shop, clock) -> None:
    """Bought, cancelled, lapsed, bought again in another browser: the mailed link leads to the living purchase."""
    first = shop.browser()
    shop.stripe().v1.subscriptions.cancel(shop.buy(first))
    shop.deliver_all()
    clock.advance(days=3)
    shop.buy(shop.browser())
    plans, now = shop.parts.settings.plans, clock.now()
    reader = readers.to_sign_in("ada@example.com", lambda one: entitlements.access_of(one, plans, now).allowed)
    assert entitlements.access_of(reader.id, plans, now).allowed


def test_rows_of_reader_and_browser_that_meet_leave_one_open_session(shop: Shop, clock) -> None:
    """Open in one browser as a reader, open in another as nobody, then signed in there: one session stays payable."""
    known = shop.browser()
    shop.stripe().v1.subscriptions.cancel(shop.buy(known))
    shop.deliver_all()
    clock.advance(days=3)
    shop.start(known)
    other = shop.browser()
    shop.start(other)
    other.set_cookie("paywall_sid", known.get_cookie("paywall_sid").value)
    assert shop.start(other)
    assert sorted(sessions(shop)) == ["complete", "expired", "open"]
    assert states().count("open") == 1


def test_a_session_made_for_a_row_that_was_given_up_meanwhile_is_ended(shop: Shop, monkeypatch) -> None:
    """The first answer hangs, the reader corrects the address and sends again; then the first call ends."""
    client, real = shop.browser(), StripeGateway.create_checkout
    page = client.get("/join?plan=annual").text
    slow: list[str] = []

    def create(self, order):
        if not slow:
            slow.append(order.checkout_id)
            impatient = shop.browser()
            for name in ("paywall_web", "__Host-paywall_checkout"):
                impatient.set_cookie(name, client.get_cookie(name).value)
            fields = {**form_of(page), "email": "ada@example.com"}
            assert impatient.post("/checkout", data=fields, headers=referer()).status_code == 303
        return real(self, order)

    monkeypatch.setattr(StripeGateway, "create_checkout", create)
    late = client.post("/checkout", data={**form_of(page), "email": "aba@example.com"}, headers=referer())
    assert late.status_code == 409
    assert "You started again" in late.text
    assert sorted(sessions(shop)) == ["expired", "open"]


def test_an_answer_that_stripe_stored_under_the_key_does_not_block_the_reader(shop: Shop, monkeypatch) -> None:
    """Stripe repeats even a 500 for a day: the next try needs another key."""
    client, real = shop.browser(), stripe.RequestsClient.request
    keys: list[str] = []

    def broken(self, method, url, headers, post_data=None, **more):
        if method == "post" and url.endswith("/v1/checkout/sessions"):
            keys.append(headers["Idempotency-Key"])
            if keys[-1] == keys[0]:
                stored = {"Idempotent-Replayed": "true"} if len(keys) > 1 else {}
                return '{"error": {"type": "api_error", "message": "no"}}', 500, stored
        return real(self, method, url, headers, post_data, **more)

    monkeypatch.setattr(stripe.RequestsClient, "request", broken)
    assert shop.join(client, "ada@example.com").status_code == 503
    assert shop.join(client, "ada@example.com").status_code == 303
    assert len(set(keys)) == 2
    assert sessions(shop) == ["open"]
