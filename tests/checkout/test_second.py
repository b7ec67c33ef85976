"""A second subscription is not sold while the first may be collected or come back, unless the reader so chooses."""

import pytest
from flask.testing import FlaskClient

from paywall.sandbox.billing.passing import let_time_pass
from paywall.storage import readers
from paywall.storage.database import db
from paywall.storage.models import Subscription
from tests.support import staff
from tests.support.builders import sign_in
from tests.support.forms import form_of
from tests.support.shop import Shop, referer, session_of


@pytest.fixture
def owing(shop: Shop, clock) -> FlaskClient:
    """The browser of a signed-in reader whose renewal failed, and whose grace is over; Stripe goes on trying."""
    client = shop.browser()
    subscription_id = shop.buy(client)
    account = shop.sandbox.sandbox.account
    account.set_setting("exhausted", "past_due")
    customer = account.get("subscription", subscription_id)["customer"]
    method = shop.stripe().v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer})
    shop.stripe().v1.subscriptions.update(subscription_id, {"default_payment_method": method.id})
    clock.advance(days=366)
    let_time_pass(account)
    clock.advance(days=30)
    let_time_pass(account)
    shop.deliver_all()
    reader_id = db.session.scalar(db.select(Subscription.reader_id))
    sign_in(client, readers.get(reader_id), now=clock.now())
    return client


def anew(client: FlaskClient) -> dict[str, str]:
    return form_of(client.get("/join?plan=annual").text) | {"email": "ada@example.com", "again": "yes"}


def test_whoever_owes_a_payment_is_led_to_it_first(shop: Shop, owing: FlaskClient) -> None:
    answer = shop.join(owing, "ada@example.com")
    assert (answer.status_code, "A payment is still open" in answer.text) == (409, True)
    assert 'action="/account/billing"' in answer.text
    assert 'name="again" value="yes"' in answer.text


def test_the_way_to_the_open_payment_works(shop: Shop, owing: FlaskClient) -> None:
    fields = form_of(shop.join(owing, "ada@example.com").text)
    answer = owing.post("/account/billing", data=fields, headers=referer())
    assert (answer.status_code, shop.sandbox.url in answer.headers["Location"]) == (303, True)


def test_whoever_owes_a_payment_may_buy_anew(owing: FlaskClient) -> None:
    answer = owing.post("/checkout", data=anew(owing), headers=referer())
    assert session_of(answer).startswith("cs_test_")


def test_under_the_address_of_one_that_lapsed_another_browser_signs_in_first(shop: Shop, owing: FlaskClient) -> None:
    """Only a reader's own old subscription can be ended; whoever is not signed in would be charged for both."""
    other = shop.browser()
    for answer in (shop.join(other, "ada@example.com"), other.post("/checkout", data=anew(other), headers=referer())):
        assert answer.status_code == 409
        assert "Sign in by e-mail" in answer.text
        assert "open" not in answer.text, "nothing is told of somebody else's payments"


@pytest.mark.parametrize("again", [False, True])
def test_what_is_on_hold_is_not_sold_a_second_time(shop: Shop, again: bool) -> None:
    client = shop.browser()
    staff.dispute(shop, shop.buy(client))
    shop.deliver_all()
    fields = anew(client) if again else anew(client) | {"again": ""}
    answer = client.post("/checkout", data=fields, headers=referer())
    assert (answer.status_code, "on hold" in answer.text) == (409, True)
    assert "help@example.org" in answer.text
    assert shop.join(shop.browser(), "ada@example.com").status_code == 409


def test_once_the_dispute_is_lost_a_new_one_is_sold(shop: Shop) -> None:
    client = shop.browser()
    subscription_id = shop.buy(client)
    staff.settle_dispute(shop, staff.dispute(shop, subscription_id)["id"], "lost")
    shop.deliver_all()
    assert shop.start(client)
