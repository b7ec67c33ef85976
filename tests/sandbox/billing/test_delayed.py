"""A bank debit: the session is complete and unpaid, the subscription waits until the bank has spoken."""

import pytest

from paywall.sandbox.billing.delayed import DAYS, settle

GOOD, POOR, SILENT = "000123456789", "000222222227", "000000000009"


@pytest.fixture
def account(sandbox):
    return sandbox.sandbox.account


@pytest.fixture
def pay(wire, sandbox, session):
    """Pay the session from a bank account; returns it as it is afterwards."""

    def pay(number=SILENT):
        sandbox.pay(session["id"], card=number)
        return read(wire, session)

    return pay


def read(wire, session):
    return wire.get(f"/v1/checkout/sessions/{session['id']}").json


def standing(wire, session):
    """The statuses of everything that the payment is about."""
    subscription = wire.get(f"/v1/subscriptions/{session['subscription']}").json["status"]
    invoice = wire.get(f"/v1/invoices/{session['invoice']}").json["status"]
    charge, intent = (wire.get(f"/v1/{kind}").json["data"][0]["status"] for kind in ("charges", "payment_intents"))
    return subscription, invoice, charge, intent


def told_since(sandbox, name):
    names = [event["type"] for event in sandbox.events()]
    return names[names.index(name) + 1 :]


def test_the_session_is_complete_before_any_money_has_come(wire, sandbox, pay):
    session = pay()
    assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
    assert standing(wire, session) == ("incomplete", "open", "pending", "processing")
    method = wire.get("/v1/payment_methods", {"customer": session["customer"]}).json["data"][0]
    assert (method["type"], method["us_bank_account"]["last4"]) == ("us_bank_account", "0009")
    (charge,) = wire.get("/v1/charges").json["data"]
    assert (charge["paid"], charge["amount_captured"]) == (False, 0)
    assert told_since(sandbox, "invoice.finalized") == [
        "payment_intent.created",
        "charge.pending",
        "payment_intent.processing",
        "checkout.session.completed",
    ]


def test_the_subscription_runs_once_the_money_is_here(wire, sandbox, account, pay):
    session = pay()
    assert settle(account, session["id"], ok=True)["payment_status"] == "paid"
    assert standing(wire, session) == ("active", "paid", "succeeded", "succeeded")
    assert told_since(sandbox, "checkout.session.completed") == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "customer.subscription.updated",
        "checkout.session.async_payment_succeeded",
    ]


def test_a_debit_that_bounces_leaves_the_subscription_incomplete_until_it_is_given_up(
    wire, sandbox, account, pay, clock
):
    session = pay()
    settle(account, session["id"], ok=False)
    assert standing(wire, session) == ("incomplete", "open", "failed", "requires_payment_method")
    assert read(wire, session)["payment_status"] == "unpaid"
    assert told_since(sandbox, "checkout.session.completed") == [
        "charge.failed",
        "payment_intent.payment_failed",
        "invoice.payment_failed",
        "checkout.session.async_payment_failed",
    ]
    clock.advance(hours=23)
    assert standing(wire, session)[:2] == ("incomplete_expired", "void")


@pytest.mark.parametrize(
    ("number", "status", "paid"), [(GOOD, "active", "paid"), (POOR, "incomplete_expired", "unpaid")]
)
def test_the_bank_speaks_after_some_days(wire, pay, clock, number, status, paid):
    session = pay(number)
    clock.advance(seconds=DAYS - 1)
    assert standing(wire, session)[0] == "incomplete"
    clock.advance(seconds=1)
    assert standing(wire, session)[0] == status
    assert read(wire, session)["payment_status"] == paid


def test_a_silent_bank_keeps_the_subscription_waiting(wire, pay, clock):
    session = pay(SILENT)
    clock.advance(days=30)
    assert standing(wire, session) == ("incomplete", "open", "pending", "processing")


def test_a_payment_is_decided_once(account, session, pay, sandbox):
    with pytest.raises(ValueError, match="waits for no payment"):
        settle(account, session["id"])
    pay(GOOD)
    settle(account, session["id"], ok=False)
    for outcome in (True, False):
        with pytest.raises(ValueError, match="waits for no payment"):
            settle(account, session["id"], ok=outcome)


def test_what_was_decided_by_hand_is_not_decided_again(wire, account, pay, clock):
    session = pay(POOR)
    settle(account, session["id"], ok=True)
    clock.advance(days=5)
    assert standing(wire, session)[0] == "active"


def test_money_for_a_subscription_that_was_ended_meanwhile_brings_nothing_back(wire, account, pay):
    session = pay()
    wire.delete(f"/v1/subscriptions/{session['subscription']}")
    settle(account, session["id"], ok=True)
    assert standing(wire, session)[:2] == ("canceled", "paid")


def test_a_renewal_by_bank_is_decided_at_once(wire, pay, clock):
    session = pay(GOOD)
    clock.advance(days=5)
    wire.get("/v1/events")
    clock.advance(days=366)
    invoices = wire.get("/v1/invoices").json["data"]
    assert [one["status"] for one in invoices] == ["paid", "paid"]
    assert wire.get(f"/v1/subscriptions/{session['subscription']}").json["status"] == "active"
