"""Trouble with a card is told on the account page in time, with the button that mends it."""

import calendar
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from paywall.storage.database import db
from paywall.storage.models import Entitlement
from tests.accounts.test_account import main_button
from tests.conftest import FrozenClock
from tests.support.forms import form_of
from tests.support.life import lived
from tests.support.marks import on_sqlite
from tests.support.shop import Shop, referer


@pytest.fixture
def buyer(shop: Shop) -> FlaskClient:
    """A browser that has paid."""
    client = shop.browser()
    shop.buy(client)
    return client


def renewal() -> date:
    found = db.session.scalars(db.select(Entitlement.paid_until)).one().date()
    db.session.commit()
    return found


def use_card_until(shop: Shop, day: date) -> None:
    """The card's last month becomes that of this day, and an event tells of it."""
    (method,) = shop.sandbox.sandbox.account.store.find("payment_method")
    params = {"card": {"exp_month": day.month, "exp_year": day.year}}
    shop.stripe().v1.payment_methods.update(method["id"], params)
    shop.deliver_all()


def asked(shop: Shop) -> int:
    return len(shop.sandbox.requests)


def near(clock: FrozenClock, days: int = 20) -> None:
    """So many days before the renewal."""
    clock.advance(days=365 - days)


def test_a_card_that_ends_before_a_near_renewal_is_told_of(shop: Shop, buyer: FlaskClient, clock: FrozenClock) -> None:
    ends = renewal() - timedelta(days=35)
    use_card_until(shop, ends)
    near(clock)
    text = buyer.get("/account").text
    assert f"Your card expires on {calendar.monthrange(ends.year, ends.month)[1]} {ends:%B %Y}, before" in text
    assert main_button(text) == ["Change the card"]
    assert 'class="button quiet" href="https://news.test/"' in text
    answer = buyer.post("/account/billing", data=form_of(text), headers=referer())
    assert answer.headers["Location"].startswith(f"{shop.sandbox.url}/p/session/")


@on_sqlite
def test_a_card_that_lasts_is_not_spoken_of(shop: Shop, buyer: FlaskClient, clock: FrozenClock) -> None:
    use_card_until(shop, renewal())
    near(clock)
    text = buyer.get("/account").text
    assert "Your card" not in text.replace("Your card, your receipts", "")
    assert main_button(text)[0].startswith("Read ")


@on_sqlite
def test_long_before_the_renewal_a_card_is_not_spoken_of(shop: Shop, buyer: FlaskClient, clock: FrozenClock) -> None:
    use_card_until(shop, renewal() - timedelta(days=100))
    near(clock, days=32)
    assert "expires" not in buyer.get("/account").text


@on_sqlite
def test_what_will_not_renew_needs_no_card(shop: Shop, buyer: FlaskClient, clock: FrozenClock) -> None:
    use_card_until(shop, renewal() - timedelta(days=100))
    db.session.execute(db.update(Entitlement).values(renews=False))
    db.session.commit()
    near(clock)
    assert "expires" not in buyer.get("/account").text


@on_sqlite
def test_the_page_asks_stripe_nothing(shop: Shop, buyer: FlaskClient, clock: FrozenClock) -> None:
    """So it is there at once, also while Stripe is slow or away."""
    use_card_until(shop, renewal() - timedelta(days=35))
    near(clock)
    before = asked(shop)
    assert "expires" in buyer.get("/account").text
    assert asked(shop) == before


@pytest.mark.parametrize("asks", [True, False])
def test_a_bank_that_asks_for_the_payer_is_named(tmp_path: Path, asks: bool) -> None:
    """Only the payer can help then; another try by itself cannot succeed."""
    with lived("sqlite", tmp_path) as life:
        life.buy(come_back=True)
        life.tell()
        life.use_card("pm_card_authenticationRequired" if asks else "pm_card_chargeCustomerFail")
        life.to_renewal()
        life.tell()
        text = life.browser.get("/account").text
        db.session.remove()
    assert "Your renewal could not be paid yet" in text
    assert ("Your bank asks you to confirm the payment" in text) is asks
    assert main_button(text) == ["Pay now or change the card"]
