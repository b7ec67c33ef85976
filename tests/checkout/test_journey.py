"""A reader subscribes and comes back: the whole way, in every order of return and webhook."""

import pytest
from structlog.testing import capture_logs

from paywall.billing.stripe_gateway import StripeGateway, StripeRefused
from paywall.billing.sync import Sync, Synced
from paywall.domain.lifecycle import State
from paywall.mail import delivery, sending
from paywall.mail.sending import NotSent
from paywall.storage import entitlements, readers
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, LedgerEntry, Reader, ReaderSession, Subscription
from paywall.storage.payments import Payment
from tests.support.browsers import browser
from tests.support.shop import ARTICLE, Shop


def only(model):
    """The one row of a table."""
    rows = db.session.scalars(db.select(model).execution_options(populate_existing=True)).all()
    assert len(rows) == 1, rows
    return rows[0]


def count(model) -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(model))


def test_the_offer_says_what_it_costs_and_that_it_renews(shop: Shop) -> None:
    page = shop.browser().get("/join", query_string={"plan": "annual", "return_to": ARTICLE}).text
    for words in ("$100", "per year", "Renews at $100 each year until cancelled", "24/7 news", 'type="email"', ARTICLE):
        assert words in page
    assert 'href="/sign-in?return_to=' in page


def test_the_checkout_row_is_committed_and_carries_the_key_before_stripe_is_asked(shop: Shop) -> None:
    session_id = shop.start(shop.browser())
    row = only(Checkout)
    asked = [request for request in shop.sandbox.requests if request.path == "/v1/checkout/sessions"]
    assert [request.idempotency_key for request in asked] == [f"checkout-{row.id}"]
    assert (row.session_id, row.state) == (session_id, "open")
    session = shop.session(session_id)
    assert session["mode"] == "subscription"
    assert session["client_reference_id"] == row.reader_id
    assert session["metadata"] == {"reader": row.reader_id, "checkout": row.id, "plan": "annual"}
    assert session["customer_email"] == "ada@example.com"
    assert session["success_url"] == "https://pay.test/checkout/return?session_id={CHECKOUT_SESSION_ID}"


def test_the_redirect_to_stripe_is_allowed_by_our_own_policy(shop: Shop, make_app) -> None:
    """Chromium applies form-action to the redirect that answers a form."""
    policy = shop.browser().get("/join").headers["Content-Security-Policy"]
    assert "https://checkout.stripe.com" in policy.split("form-action")[1].split(";")[0]


def test_paying_grants_signs_in_and_leads_back_to_the_article(shop: Shop) -> None:
    client = shop.browser()
    back = client.get(shop.pay(shop.start(client)))
    assert (back.status_code, back.headers["Location"]) == (303, ARTICLE)
    reader, subscription = only(Reader), only(Subscription)
    access = entitlements.access_of(reader.id, shop.parts.settings.plans, shop.parts.clock.now())
    assert access.features == ("news", "analyses", "memos", "reports", "newsletters")
    assert (subscription.status, subscription.reader_id, subscription.amount) == ("active", reader.id, 10000)
    assert reader.customer_id == subscription.customer_id
    assert only(Payment).amount == 10000
    assert only(ReaderSession).method == "checkout"
    assert only(Checkout).state == "complete"
    cookie = client.get_cookie("paywall_token")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.secure
    assert cookie.same_site == "Lax"


def test_the_webhooks_alone_are_enough_when_the_browser_never_comes_back(shop: Shop) -> None:
    shop.pay(shop.start(shop.browser()))
    assert set(shop.deliver_all()) == {200}
    assert only(Entitlement).state == State.ACTIVE
    assert only(Checkout).state == "complete"
    assert count(ReaderSession) == 0


@pytest.mark.parametrize("order", ["return first", "webhooks first", "webhooks twice"])
def test_return_and_webhooks_give_the_same_result_in_any_order(shop: Shop, order: str) -> None:
    client = shop.browser()
    path = shop.pay(shop.start(client))
    if order != "return first":
        shop.deliver_all()
    assert client.get(path).status_code == 303
    shop.deliver_all()
    entitlement, subscription = only(Entitlement), only(Subscription)
    assert (entitlement.state, entitlement.source_id, entitlement.reason) == ("active", subscription.id, "paid")
    assert entitlement.paid_until == only(Payment).period_end
    assert [(entry.change, entry.state) for entry in db.session.scalars(db.select(LedgerEntry))] == [
        ("granted", "active")
    ]


def test_a_second_look_at_the_return_page_changes_nothing(shop: Shop) -> None:
    client = shop.browser()
    path = shop.pay(shop.start(client))
    assert client.get(path).status_code == 303
    assert client.get(path).status_code == 303
    assert count(ReaderSession) == 1
    assert count(LedgerEntry) == 1


def test_a_return_in_another_browser_confirms_signs_nobody_in_and_mails_the_link_once(shop: Shop, monkeypatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(sending, "send", lambda letter, now: sent.append(letter.to))
    path = shop.pay(shop.start(shop.browser()))
    stranger = shop.browser()
    for _ in range(2):
        page = stranger.get(path)
        assert page.status_code == 200
        assert "Your payment is confirmed" in page.text
        assert "ada@example.com" not in page.text
        assert "on its way to the mailbox" in page.text
    assert stranger.get_cookie("paywall_sid") is None
    assert stranger.get_cookie("paywall_token") is None
    assert count(ReaderSession) == 0
    assert only(Entitlement).state == "active"
    assert only(Checkout).mailed_at is not None
    assert sent == ["ada@example.com"]


def test_a_letter_that_no_server_takes_is_kept_and_goes_later_once(shop: Shop, clock, monkeypatch) -> None:
    sent: list[str] = []

    def post_office(letter, now) -> None:
        sent.append(letter.to)
        if len(sent) == 1:
            raise NotSent("ConnectionRefusedError", final=False)

    monkeypatch.setattr(sending, "send", post_office)
    path = shop.pay(shop.start(shop.browser()))
    for _ in range(2):
        assert "on its way to the mailbox" in shop.browser().get(path).text
    assert sent == ["ada@example.com"]
    clock.advance(minutes=1)
    for _ in range(2):
        delivery.deliver()
    assert sent == ["ada@example.com", "ada@example.com"]


def test_after_signing_out_going_back_does_not_sign_in_again(shop: Shop) -> None:
    client = shop.browser()
    path = shop.pay(shop.start(client))
    client.get(path)
    client.delete_cookie("paywall_sid")
    client.delete_cookie("__Host-paywall_checkout")
    assert "confirmed" in client.get(path).text
    assert client.get_cookie("paywall_sid") is None


def test_a_cancelled_checkout_leads_back_to_the_article_and_says_so(shop: Shop) -> None:
    client = shop.browser()
    session = shop.session(shop.start(client, return_to=f"{ARTICLE}?from=feed"))
    answer = client.get(session["cancel_url"].removeprefix("https://pay.test"))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ARTICLE}?from=feed&checkout=cancelled")


def test_a_cancelled_checkout_that_nobody_knows_leads_home(shop: Shop) -> None:
    answer = shop.browser().get("/checkout/cancelled?checkout=https://evil.test")
    assert answer.headers["Location"] == "https://news.test/?checkout=cancelled"


def test_an_unfinished_payment_offers_to_go_on(shop: Shop) -> None:
    client = shop.browser()
    session_id = shop.start(client)
    page = client.get(f"/checkout/return?session_id={session_id}")
    assert page.status_code == 200
    assert "Nothing was charged yet" in page.text
    assert shop.session(session_id)["url"] in page.text
    assert count(Entitlement) == 0


def test_an_expired_session_says_so_and_offers_to_start_again(shop: Shop) -> None:
    client = shop.browser()
    session_id = shop.start(client)
    shop.stripe().v1.checkout.sessions.expire(session_id)
    page = client.get(f"/checkout/return?session_id={session_id}")
    assert "expired" in page.text
    assert "/join?plan=annual" in page.text
    assert count(Entitlement) == 0


@pytest.mark.parametrize("session_id", ["", "cs_", "cs_test_unknown", "sub_1", "cs_é", "cs_" + "a" * 300])
def test_a_session_that_is_not_ours_is_refused_and_signs_nobody_in(shop: Shop, session_id: str) -> None:
    client = shop.browser()
    answer = client.get("/checkout/return", query_string={"session_id": session_id})
    assert answer.status_code in (400, 404)
    assert client.get_cookie("paywall_sid") is None


def test_a_paid_session_of_the_same_account_that_we_did_not_start_is_refused(shop: Shop) -> None:
    price = shop.parts.catalog.price_id(shop.parts.settings.plans["annual"])
    foreign = shop.stripe().v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": price, "quantity": 1}],
            "success_url": "https://pay.test/checkout/return?session_id={CHECKOUT_SESSION_ID}",
        }
    )
    answer = shop.browser().get(shop.pay(foreign.id))
    assert answer.status_code == 404
    assert count(Entitlement) == 0


def test_the_plan_must_be_one_that_is_for_sale(shop: Shop) -> None:
    assert shop.browser().get("/join?plan=weekly").status_code == 404


def test_readers_are_bound_by_our_own_ids_and_never_by_an_address(shop: Shop) -> None:
    """The buyer types another address at Stripe, one that another reader has."""
    other = readers.create("grace@example.com", shop.parts.clock.now())
    db.session.commit()
    client = shop.browser()
    path = shop.pay(shop.start(client, "ada@example.com"), email="grace@example.com")
    client.get(path)
    assert only(Entitlement).reader_id != other.id


@pytest.mark.parametrize("outcome", ["missing", "not_ours"])
def test_a_payment_that_gave_no_access_is_not_passed_over(shop: Shop, monkeypatch, outcome: str) -> None:
    """The payer must not meet the join box as if nothing had happened, and staff must hear of it."""
    client = shop.browser()
    path = shop.pay(shop.start(client))
    monkeypatch.setattr(Sync, "subscription", lambda *_: Synced(outcome))
    with capture_logs() as lines:
        page = client.get(path)
    assert page.status_code == 503
    assert "you need not pay again" in page.text
    assert [line["outcome"] for line in lines if line["event"] == "paid_without_access"] == [outcome]


def test_a_copied_checkout_cookie_signs_nobody_in_after_the_buyer(shop: Shop) -> None:
    """Each payment signs in once: a copy of the cookie, or going back after signing out, finds it used."""
    client, thief = shop.browser(), shop.browser()
    path = shop.pay(shop.start(client))
    thief.set_cookie("__Host-paywall_checkout", client.get_cookie("__Host-paywall_checkout").value)
    assert client.get(path).status_code == 303
    assert "Your payment is confirmed" in thief.get(path).text
    assert thief.get_cookie("paywall_sid") is None
    assert client.get(path).status_code == 303, "the buyer's own session still leads to the article"


def test_a_reader_signed_in_on_two_devices_may_pay_on_either(shop: Shop, clock) -> None:
    """Both share one session; coming back on the first must not look like a stranger's browser."""
    first, second = shop.browser(), shop.browser()
    shop.stripe().v1.subscriptions.cancel(shop.buy(first))
    shop.deliver_all()
    clock.advance(days=3)
    session_id = shop.start(first)
    second.set_cookie("paywall_sid", first.get_cookie("paywall_sid").value)
    assert shop.start(second) == session_id
    assert first.get(shop.pay(session_id)).headers["Location"] == ARTICLE


@pytest.mark.parametrize("named", ["%00", "chk_%00", "chk_" + "0" * 24, "x" * 3000])
def test_odd_names_of_checkouts_lead_home(shop: Shop, named: str) -> None:
    answer = shop.browser().get(f"/checkout/cancelled?checkout={named}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://news.test/?checkout=cancelled")


@pytest.mark.parametrize("named", ["cs_/../x", "cs_%00", "cs_a b", "cs_-"])
def test_odd_names_of_sessions_never_reach_stripe(shop: Shop, named: str) -> None:
    before = len(shop.sandbox.requests)
    assert shop.browser().get(f"/checkout/return?session_id={named}").status_code == 400
    assert len(shop.sandbox.requests) == before


def test_coming_back_is_limited(make_app, sandbox) -> None:
    """Each return asks Stripe: nobody may make us ask without end."""
    app = make_app(stripe={"api_base": sandbox.url}, limits={"checkout_return": "2 per minute"})
    client = browser(app)
    statuses = [client.get("/checkout/return?session_id=cs_test_1").status_code for _ in range(3)]
    assert statuses == [404, 404, 429]


@pytest.mark.parametrize("typed", ["test@test", "ada@localhost", "ada@example.invalid", "a" * 400_000 + "@example.com"])
def test_addresses_that_stripe_would_refuse_are_refused_before(shop: Shop, typed: str) -> None:
    answer = shop.join(shop.browser(), typed)
    assert answer.status_code == 400
    assert "name@example.org" in answer.text
    assert len(answer.text) < 10_000
    assert count(Reader) == 0


def test_an_address_that_only_stripe_refuses_is_said_at_the_field(shop: Shop, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise StripeRefused("email_invalid")

    monkeypatch.setattr(StripeGateway, "create_checkout", refuse)
    answer = shop.join(shop.browser(), "ada@example.com")
    assert answer.status_code == 400
    assert "does not take this address" in answer.text
