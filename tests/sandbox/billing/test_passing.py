"""What time does by itself it does once, at its moment."""

import pytest

from paywall.sandbox.billing.passing import let_time_pass


@pytest.fixture
def account(sandbox):
    return sandbox.sandbox.account


def test_nothing_happens_before_its_time(account, session, sandbox, clock):
    before = len(sandbox.events())
    clock.advance(hours=23, minutes=59, seconds=59)
    let_time_pass(account)
    assert len(sandbox.events()) == before


def test_every_session_that_is_due_expires_once(account, wire, order, sandbox, clock):
    for _ in range(3):
        wire.post("/v1/checkout/sessions", order)
    clock.advance(hours=24)
    for _ in range(2):
        let_time_pass(account)
    assert len(sandbox.events("checkout.session.expired")) == 3


def test_a_paid_session_does_not_expire(account, session, sandbox, clock):
    sandbox.pay(session["id"])
    clock.advance(days=2)
    let_time_pass(account)
    assert sandbox.events("checkout.session.expired") == []
    assert account.get("checkout.session", session["id"])["status"] == "complete"


def test_a_subscription_ends_at_its_date_and_not_twice(account, wire, customer, price, sandbox, clock):
    form = {"customer": customer["id"], "items[0][price]": price["id"], "cancel_at_period_end": "true"}
    made = wire.post("/v1/subscriptions", form).json
    asked = clock.seconds
    clock.advance(days=365)
    for _ in range(2):
        let_time_pass(account)
    (event,) = sandbox.events("customer.subscription.deleted")
    ended = event["data"]["object"]
    assert (ended["id"], ended["status"], ended["canceled_at"]) == (made["id"], "canceled", asked)
    assert ended["ended_at"] == made["items"]["data"][0]["current_period_end"] == clock.seconds


def test_a_subscription_that_ended_before_its_date_stays_ended(account, wire, customer, price, sandbox, clock):
    form = {"customer": customer["id"], "items[0][price]": price["id"], "cancel_at": str(clock.seconds + 60)}
    made = wire.post("/v1/subscriptions", form).json
    wire.delete(f"/v1/subscriptions/{made['id']}")
    clock.advance(minutes=2)
    let_time_pass(account)
    assert len(sandbox.events("customer.subscription.deleted")) == 1
