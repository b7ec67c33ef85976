"""The way to card, receipts and cancelling: to Stripe's page, by a link made for one click and one reader."""

import re
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from paywall.accounts.account import NothingToManage
from paywall.billing.stripe_gateway import StripeNotFound, StripeRefused
from paywall.storage.database import db
from paywall.storage.models import Reader, Subscription
from tests.accounts.door import HOST, Door
from tests.support.forms import form_of
from tests.support.shop import Shop, referer

BUTTON = "Card, receipts, cancel"


def press(client: FlaskClient, **headers: str):
    """Presses the button of the account page."""
    form = form_of(client.get("/account").text)
    return client.post("/account/billing", data=form, headers={**referer(), **headers})


def portals(shop: Shop) -> list[str]:
    return [one.text for one in shop.sandbox.requests if one.path == "/v1/billing_portal/sessions"]


@pytest.fixture
def subscriber(shop: Shop) -> FlaskClient:
    """A browser that has paid."""
    client = shop.browser()
    shop.buy(client)
    return client


@pytest.fixture
def gateway(shop: Shop, monkeypatch):
    """Lets the gateway answer with an address, or fail."""

    def answer(outcome: str | Exception) -> list[tuple[str, str]]:
        asked = []

        def create_portal(_self: object, customer_id: str, return_url: str) -> str:
            asked.append((customer_id, return_url))
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setattr(type(shop.parts.gateway), "create_portal", create_portal)
        return asked

    return answer


def test_the_button_leads_to_a_page_at_stripe_for_this_customer_and_back(shop: Shop, subscriber: FlaskClient) -> None:
    assert BUTTON in subscriber.get("/account").text
    answer = press(subscriber)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{shop.sandbox.url}/p/session/")
    assert answer.headers["Cache-Control"] == "private, no-store"
    customer = db.session.scalars(db.select(Reader.customer_id)).one()
    assert portals(shop) == [f"customer={customer}&return_url=https%3A%2F%2Fpay.test%2Faccount"]


def test_every_click_makes_its_own_link_and_none_is_kept(
    shop: Shop, subscriber: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with capture_logs() as lines:
        links = [press(subscriber).headers["Location"] for _ in range(2)]
    assert links[0] != links[1]
    kept = [
        str(value)
        for table in db.metadata.sorted_tables
        for row in db.session.execute(db.select(table))
        for value in row
    ]
    for link in links:
        secret = urlsplit(link).path.rpartition("/")[2]
        assert secret
        assert secret not in f"{lines} {caplog.text}"
        assert not any(secret in value for value in kept)


def test_stripe_is_asked_for_the_readers_own_customer_alone(shop: Shop, subscriber: FlaskClient, gateway) -> None:
    """What a browser adds to the form chooses neither whose page it is nor where it leads back to."""
    asked = gateway("https://billing.stripe.com/p/session/test_1")
    form = form_of(subscriber.get("/account").text)
    wrong = {"customer": "cus_other", "return_url": "https://evil.test/", "return_to": "https://evil.test/"}
    answer = subscriber.post("/account/billing", query_string=wrong, data={**form, **wrong}, headers=referer())
    assert answer.headers["Location"] == "https://billing.stripe.com/p/session/test_1"
    customer = db.session.scalars(db.select(Reader.customer_id)).one()
    assert asked == [(customer, "https://pay.test/account")]


def test_who_never_paid_sees_no_button_and_is_told_why(door: Door) -> None:
    """Stripe is not asked: it would not answer here."""
    door.staff("eve@example.com")
    browser = door.signed_in("eve@example.com")
    page = browser.get("/account")
    assert BUTTON not in page.text
    answer = browser.send(page, "/account/billing")
    assert answer.status_code == NothingToManage.status == 409
    assert "there is no card, no receipt and nothing to cancel" in answer.text


def test_a_stranger_signs_in_and_comes_to_the_page_with_the_button(door: Door) -> None:
    door.subscriber("ada@example.com")
    stranger = door.browser()
    away = stranger.send(stranger.get("/sign-in"), "/account/billing")
    assert (away.status_code, away.headers["Location"]) == (303, "/sign-in?return_to=/account/billing")
    back = stranger.use(door.mailed_link("ada@example.com", "/account/billing"))
    assert back.headers["Location"] == "/account/billing"
    again = stranger.get("/account/billing")
    assert (again.status_code, again.headers["Location"]) == (303, "/account")


def test_another_site_cannot_have_a_link_made(shop: Shop, subscriber: FlaskClient) -> None:
    assert subscriber.post("/account/billing", headers=referer()).status_code == 400
    assert subscriber.get("/account/billing").headers["Location"] == "/account"
    assert portals(shop) == []


@pytest.mark.parametrize("gone", [StripeNotFound(), StripeRefused("resource_missing")])
def test_a_customer_that_is_gone_at_stripe_is_said_with_a_way_to_get_help(subscriber, gateway, gone) -> None:
    """The account page stays as it was: access does not depend on the customer."""
    gateway(gone)
    answer = press(subscriber)
    assert answer.status_code == 409
    assert "no longer has your card and receipts" in answer.text
    assert "Your access runs until" in answer.text
    assert re.search(r'Write to <a href="mailto:[^"]+@[^"]+"', answer.text)
    assert press(subscriber, Accept="application/json").json["code"] == "customer_gone"


def test_a_refusal_is_said_on_the_account_page_with_a_way_to_get_help(subscriber: FlaskClient, gateway) -> None:
    """As when the portal was never set up at Stripe."""
    gateway(StripeRefused(None))
    answer = press(subscriber)
    assert answer.status_code == 502
    assert "Nothing was charged" in answer.text
    assert "mailto:" in answer.text
    assert BUTTON in answer.text


def test_a_deleted_customer_is_told_by_the_sandbox_as_by_stripe(shop: Shop, subscriber: FlaskClient) -> None:
    db.session.execute(db.update(Reader).values(customer_id="cus_gone"))
    db.session.commit()
    assert press(subscriber, Accept="application/json").json["code"] == "customer_gone"
    assert db.session.scalars(db.select(Reader.customer_id)).one() == "cus_gone", "nothing was changed"
    assert db.session.scalars(db.select(Subscription.status)).one() == "active"


def test_who_clicks_too_often_is_asked_to_wait(make_app, clock, outbox) -> None:
    """Also where Stripe does not answer, which is said with the way on."""
    tables = {"limits": {"checkout_person": "2 per minute"}, "stripe": {"api_base": "http://127.0.0.1:9"}}
    app = make_app(mail={"outbox_dir": outbox}, **tables)
    door = Door(app, clock, outbox)
    door.subscriber("ada@example.com")
    browser = door.signed_in("ada@example.com")
    page = browser.get("/account")
    with app.app_context():
        db.session.execute(db.update(Reader).values(customer_id="cus_1"))
        db.session.commit()
    statuses = [browser.send(page, "/account/billing").status_code for _ in range(3)]
    assert statuses == [503, 503, 429]
    assert browser.client.get("/account", base_url=HOST).status_code == 200
