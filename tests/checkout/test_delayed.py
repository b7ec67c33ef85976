"""Payments that take days: no access until they have come, nothing sold when they do not, and nobody pays twice."""

import pytest

from paywall.sandbox.billing.passing import let_time_pass
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, Subscription
from tests.support.shop import Shop

COMES, FAILS = "000123456789", "000222222227"


def checkouts() -> list[str]:
    return list(db.session.scalars(db.select(Checkout.state).order_by(Checkout.created_at)))


def access() -> list[tuple[str, str]]:
    return [(row.state, row.reason) for row in db.session.scalars(db.select(Entitlement))]


def days_later(shop: Shop, clock) -> None:
    clock.advance(days=6)
    let_time_pass(shop.sandbox.sandbox.account)
    assert set(shop.deliver_all()) == {200}


@pytest.fixture
def started(shop: Shop) -> tuple[object, str]:
    client = shop.browser()
    return client, shop.start(client)


def test_a_delayed_payment_gives_access_when_it_has_come(shop: Shop, clock, started) -> None:
    client, session_id = started
    back = client.get(shop.pay(session_id, card=COMES))
    assert (back.status_code, shop.session(session_id)["payment_status"]) == (200, "unpaid")
    assert set(shop.deliver_all()) == {200}
    assert (access(), checkouts()) == ([("pending", "not_paid_yet")], ["open"])
    days_later(shop, clock)
    assert (access(), checkouts()) == ([("active", "paid")], ["complete"])


def test_who_waits_for_a_delayed_payment_is_not_sold_a_second_one(shop: Shop, started) -> None:
    client, session_id = started
    client.get(shop.pay(session_id, card=COMES))
    shop.deliver_all()
    again = shop.join(client, "ada@example.com")
    assert (again.status_code, f"session_id={session_id}" in again.headers["Location"]) == (303, True)
    assert "/checkout/return" in again.headers["Location"]


def test_a_delayed_payment_that_fails_sold_nothing_and_the_reader_starts_again(shop: Shop, clock, started) -> None:
    client, session_id = started
    client.get(shop.pay(session_id, card=FAILS))
    shop.deliver_all()
    days_later(shop, clock)
    assert db.session.scalars(db.select(Subscription.status)).all() == ["incomplete_expired"]
    assert (access(), checkouts()) == ([("ended", "never_paid")], ["expired"])
    again = shop.start(client)
    assert again != session_id
    client.get(shop.pay(again))
    assert ("active", "paid") in access()
