"""Subscriptions by API: what becomes of the first payment, endings and their undoing, and the lists."""

import pytest

YEAR = 365 * 24 * 3600


def buy(wire, customer, price, **more):
    return wire.post("/v1/subscriptions", {"customer": customer["id"], "items[0][price]": price["id"], **more})


def types(sandbox):
    return [event["type"] for event in sandbox.events()]


@pytest.fixture
def subscription(wire, customer, price):
    return buy(wire, customer, price, **{"metadata[reader]": "reader-1"}).json


def with_card(wire, token):
    form = {"payment_method": token, "invoice_settings[default_payment_method]": token}
    return wire.post("/v1/customers", form).json


def test_a_good_card_makes_it_active_at_once(wire, subscription, clock):
    assert subscription["status"] == "active"
    assert subscription["metadata"] == {"reader": "reader-1"}
    (item,) = subscription["items"]["data"]
    assert (item["current_period_start"], item["current_period_end"]) == (clock.seconds, clock.seconds + YEAR)
    assert "current_period_end" not in subscription
    assert subscription["billing_mode"]["type"] == "flexible"
    invoice = wire.get(f"/v1/invoices/{subscription['latest_invoice']}").json
    assert (invoice["status"], invoice["amount_paid"], invoice["amount_remaining"]) == ("paid", 10000, 0)


def test_it_is_told_as_incomplete_first_and_active_then(subscription, sandbox):
    (created,) = sandbox.events("customer.subscription.created")
    (updated,) = sandbox.events("customer.subscription.updated")
    assert created["data"]["object"]["status"] == "incomplete"
    assert updated["data"]["object"]["status"] == "active"
    assert updated["data"]["previous_attributes"]["status"] == "incomplete"


def test_a_card_that_fails_leaves_it_incomplete_with_an_open_invoice(wire, price, sandbox):
    made = buy(wire, with_card(wire, "pm_card_chargeCustomerFail"), price, **{"expand[]": "latest_invoice.payments"})
    subscription = made.json
    assert subscription["status"] == "incomplete"
    invoice = subscription["latest_invoice"]
    assert (invoice["status"], invoice["attempt_count"], invoice["attempted"]) == ("open", 1, True)
    (payment,) = invoice["payments"]["data"]
    intent = wire.get(f"/v1/payment_intents/{payment['payment']['payment_intent']}").json
    assert intent["status"] == "requires_payment_method"
    assert intent["last_payment_error"]["decline_code"] == "generic_decline"
    assert {"charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"} <= set(types(sandbox))
    assert "invoice.paid" not in types(sandbox)


def test_a_card_that_asks_leaves_it_waiting_for_the_buyer(wire, price, sandbox):
    made = buy(wire, with_card(wire, "pm_card_authenticationRequired"), price)
    assert made.json["status"] == "incomplete"
    (intent,) = wire.get("/v1/payment_intents").json["data"]
    assert (intent["status"], intent["next_action"]["type"]) == ("requires_action", "use_stripe_sdk")
    assert {"invoice.payment_action_required", "payment_intent.requires_action"} <= set(types(sandbox))
    assert wire.get("/v1/charges").json["data"] == []


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("pm_card_chargeCustomerFail", "card_declined"),
        ("pm_card_authenticationRequired", "payment_intent_authentication_failure"),
    ],
)
def test_error_if_incomplete_is_402_and_leaves_nothing(wire, price, sandbox, token, code):
    customer = with_card(wire, token)
    before = types(sandbox)
    reply = buy(wire, customer, price, payment_behavior="error_if_incomplete")
    assert (reply.status, reply.error["code"]) == (402, code)
    assert wire.get("/v1/subscriptions", {"status": "all"}).json["data"] == []
    assert types(sandbox) == before


def test_default_incomplete_waits_even_for_a_good_card(wire, customer, price):
    form = {"payment_behavior": "default_incomplete", "expand[]": "latest_invoice.confirmation_secret"}
    subscription = buy(wire, customer, price, **form).json
    assert subscription["status"] == "incomplete"
    assert subscription["latest_invoice"]["confirmation_secret"]["client_secret"].startswith("pi_")
    assert wire.get("/v1/charges").json["data"] == []


def test_without_any_card_it_is_refused(wire, price):
    reply = buy(wire, wire.post("/v1/customers", {}).json, price)
    assert (reply.status, reply.error["code"]) == (400, "resource_missing")
    assert "no attached payment source" in reply.error["message"]


def test_a_named_card_must_be_the_customers(wire, customer, price):
    other = with_card(wire, "pm_card_visa")
    card = other["invoice_settings"]["default_payment_method"]
    reply = buy(wire, customer, price, default_payment_method=card)
    assert (reply.status, reply.error["param"]) == (400, "default_payment_method")


def test_a_price_of_nothing_is_paid_without_a_charge(wire, customer, price):
    free = {"product": price["product"], "currency": "usd", "unit_amount": "0", "recurring[interval]": "year"}
    subscription = buy(wire, customer, wire.post("/v1/prices", free).json).json
    assert subscription["status"] == "active"
    assert wire.get(f"/v1/invoices/{subscription['latest_invoice']}").json["status"] == "paid"
    assert wire.get("/v1/payment_intents").json["data"] == []


def test_cancelling_at_the_period_end_and_undoing_it(wire, subscription, clock, sandbox):
    """As recorded: four fields change together, and back."""
    path = f"/v1/subscriptions/{subscription['id']}"
    clock.advance(days=10)
    ending = wire.post(path, {"cancel_at_period_end": "true"}).json
    end = subscription["items"]["data"][0]["current_period_end"]
    assert (ending["cancel_at"], ending["cancel_at_period_end"], ending["canceled_at"]) == (end, True, clock.seconds)
    assert (ending["status"], ending["cancellation_details"]["reason"]) == ("active", "cancellation_requested")
    kept = wire.post(path, {"cancel_at_period_end": "false"}).json
    assert (kept["cancel_at"], kept["cancel_at_period_end"], kept["canceled_at"]) == (None, False, None)
    assert kept["cancellation_details"]["reason"] is None
    assert len(sandbox.events("customer.subscription.updated")) == 3


def test_cancelling_at_a_date_takes_effect_on_that_date(wire, subscription, clock, sandbox):
    path = f"/v1/subscriptions/{subscription['id']}"
    date = clock.seconds + 86400
    ending = wire.post(path, {"cancel_at": date}).json
    assert (ending["cancel_at"], ending["cancel_at_period_end"], ending["status"]) == (date, False, "active")
    clock.advance(days=1)
    ended = wire.get(path).json
    assert (ended["status"], ended["ended_at"], ended["cancel_at"]) == ("canceled", date, None)
    assert len(sandbox.events("customer.subscription.deleted")) == 1


def test_a_date_in_the_past_and_both_wishes_at_once_are_refused(wire, subscription, clock):
    path = f"/v1/subscriptions/{subscription['id']}"
    assert wire.post(path, {"cancel_at": clock.seconds}).status == 400
    both = wire.post(path, {"cancel_at": clock.seconds + 9, "cancel_at_period_end": "true"})
    assert both.error["code"] == "parameters_exclusive"


def test_ending_now_keeps_the_time_of_the_first_wish(sdk, wire, subscription, clock, sandbox):
    path = f"/v1/subscriptions/{subscription['id']}"
    wire.post(path, {"cancel_at_period_end": "true"})
    asked = clock.seconds
    clock.advance(days=3)
    ended = sdk.v1.subscriptions.cancel(subscription["id"], {"cancellation_details": {"comment": "moving"}})
    assert (ended.status, ended.canceled_at, ended.ended_at) == ("canceled", asked, clock.seconds)
    assert (ended.cancel_at, ended.cancel_at_period_end) == (None, False)
    assert (ended.cancellation_details.reason, ended.cancellation_details.comment) == (
        "cancellation_requested",
        "moving",
    )
    (event,) = sandbox.events("customer.subscription.deleted")
    assert event["data"]["object"]["status"] == "canceled"


def test_what_is_over_cannot_end_again_and_only_its_notes_change(wire, subscription):
    path = f"/v1/subscriptions/{subscription['id']}"
    wire.delete(path)
    assert wire.delete(path).status == 404
    assert wire.post(path, {"cancel_at_period_end": "true"}).status == 400
    changed = wire.post(path, {"metadata[note]": "x", "cancellation_details[feedback]": "too_expensive"}).json
    assert changed["metadata"] == {"reader": "reader-1", "note": "x"}
    assert changed["cancellation_details"]["feedback"] == "too_expensive"


def test_card_and_description_can_be_changed(wire, subscription, customer):
    path = f"/v1/subscriptions/{subscription['id']}"
    card = wire.post("/v1/payment_methods/pm_card_mastercard/attach", {"customer": customer["id"]}).json["id"]
    changed = wire.post(path, {"default_payment_method": card, "description": "For the office"}).json
    assert (changed["default_payment_method"], changed["description"]) == (card, "For the office")
    assert wire.post(path, {"default_payment_method": "pm_x"}).status == 400


def test_lists_leave_out_what_was_canceled_unless_asked(wire, subscription, customer, price):
    second = buy(wire, customer, price).json
    wire.delete(f"/v1/subscriptions/{subscription['id']}")
    other = wire.post("/v1/customers", {}).json
    for query, found in (
        ({}, [second]),
        ({"status": "all"}, [second, subscription]),
        ({"status": "canceled"}, [subscription]),
        ({"status": "ended"}, [subscription]),
        ({"status": "active", "customer": customer["id"]}, [second]),
        ({"price": price["id"]}, [second]),
        ({"price": "price_other"}, []),
        ({"customer": other["id"]}, []),
    ):
        listed = wire.get("/v1/subscriptions", query).json["data"]
        assert [one["id"] for one in listed] == [one["id"] for one in found], query


@pytest.mark.parametrize(
    "name", ["proration_date", "items[0][deleted]", "billing_thresholds[reset_billing_cycle_anchor]", "default_source"]
)
def test_changes_that_are_not_played_are_named(wire, subscription, name):
    form = {"items[0][id]": "si_1", name: "1"} if name.startswith("items") else {name: "1"}
    reply = wire.post(f"/v1/subscriptions/{subscription['id']}", form)
    assert reply.status == 400
    assert "does not support the parameter" in reply.error["message"]
