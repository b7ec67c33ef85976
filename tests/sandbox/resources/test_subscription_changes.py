"""Another price or quantity within a period is credited and billed as Stripe's recorded answers have it."""

import pytest

from tests.support.lives import DAY


@pytest.fixture
def subscription(lives, customer, price):
    return lives.buy(customer, price)


@pytest.fixture
def dearer(wire, price):
    return other_price(wire, price, 20000, "year")


def other_price(wire, price, amount, interval):
    form = {"product": price["product"], "currency": "usd", "unit_amount": str(amount)}
    return wire.post("/v1/prices", {**form, "recurring[interval]": interval}).json


def change(lives, subscription, **form):
    item = subscription["items"]["data"][0]["id"]
    reply = lives.wire.post(f"/v1/subscriptions/{subscription['id']}", {"items[0][id]": item, **form})
    assert reply.status == 200, reply.text
    return reply.json


def test_a_dearer_price_at_once_bills_the_difference_for_the_rest_of_the_period(lives, subscription, dearer, clock):
    clock.advance(days=73)
    form = {"items[0][price]": dearer["id"], "proration_behavior": "always_invoice", "expand[]": "latest_invoice"}
    now = change(lives, subscription, **form)
    (item,) = now["items"]["data"]
    assert (item["price"]["id"], item["id"]) == (dearer["id"], subscription["items"]["data"][0]["id"])
    assert item["current_period_end"] == subscription["items"]["data"][0]["current_period_end"]
    invoice = now["latest_invoice"]
    assert (invoice["status"], invoice["amount_paid"], invoice["billing_reason"]) == (
        "paid",
        8000,
        "subscription_update",
    )
    unused, remaining = invoice["lines"]["data"]
    assert (unused["amount"], remaining["amount"]) == (-8000, 16000)
    assert (unused["description"], remaining["description"]) == (
        "Unused time on All access after 3 Feb 2027",
        "Remaining time on All access after 3 Feb 2027",
    )
    details = unused["parent"]["subscription_item_details"]
    assert details["proration"] is True
    assert details["proration_details"]["credited_items"]["invoice"] == subscription["latest_invoice"]
    assert details["invoice_item"].startswith("ii_")


def test_prorations_wait_for_the_next_invoice_unless_told_otherwise(lives, subscription, dearer, clock):
    clock.advance(days=73)
    now = change(lives, subscription, **{"items[0][price]": dearer["id"]})
    assert now["latest_invoice"] == subscription["latest_invoice"]
    lives.wait(days=293)
    amounts = [line["amount"] for line in lives.invoices(subscription)[0]["lines"]["data"]]
    assert amounts == [-8000, 16000, 20000]
    lives.wait(days=366)
    assert lives.invoices(subscription)[0]["total"] == 20000


def test_without_proration_the_new_price_begins_with_the_next_period(lives, subscription, dearer, clock):
    clock.advance(days=73)
    change(lives, subscription, **{"items[0][price]": dearer["id"], "proration_behavior": "none"})
    lives.wait(days=293)
    assert lives.invoices(subscription)[0]["total"] == 20000


def test_a_longer_rhythm_ends_the_period_at_the_anchors_next_year(lives, price, customer, wire, clock):
    monthly = other_price(wire, price, 2500, "month")
    subscription = lives.buy(customer, monthly)
    form = {"items[0][price]": price["id"], "proration_behavior": "always_invoice", "expand[]": "latest_invoice"}
    now = change(lives, subscription, **form)
    (item,) = now["items"]["data"]
    assert (item["current_period_start"], item["current_period_end"]) == (clock.seconds, clock.seconds + 365 * DAY)
    assert (now["plan"]["interval"], now["latest_invoice"]["amount_paid"]) == ("year", 7500)


def test_a_larger_quantity_is_billed_for_the_rest(lives, subscription):
    now = change(lives, subscription, **{"items[0][quantity]": "3", "proration_behavior": "always_invoice"})
    assert (now["quantity"], now["items"]["data"][0]["quantity"]) == (3, 3)
    assert lives.invoices(subscription)[0]["amount_paid"] == 20000


def test_a_smaller_one_leaves_nothing_to_pay(lives, customer, price):
    subscription = lives.buy(customer, price, **{"items[0][quantity]": "3"})
    now = change(lives, subscription, **{"items[0][quantity]": "1", "proration_behavior": "always_invoice"})
    invoice = lives.invoices(subscription)[0]
    assert (invoice["total"], invoice["amount_due"], invoice["status"]) == (-20000, 0, "paid")
    assert now["status"] == "active"


def test_the_same_terms_again_bill_nothing(lives, subscription, price):
    lives.forget()
    change(lives, subscription, **{"items[0][price]": price["id"], "proration_behavior": "always_invoice"})
    assert lives.told() == []


def test_a_change_whose_payment_fails_makes_it_past_due(lives, subscription, dearer, customer):
    lives.card(customer, "pm_card_chargeCustomerFail")
    form = {"items[0][price]": dearer["id"], "proration_behavior": "always_invoice"}
    assert change(lives, subscription, **form)["status"] == "past_due"


def test_error_if_incomplete_undoes_a_change_whose_payment_fails(lives, subscription, dearer, customer):
    lives.card(customer, "pm_card_chargeCustomerFail")
    form = {"items[0][id]": subscription["items"]["data"][0]["id"], "items[0][price]": dearer["id"]}
    form |= {"proration_behavior": "always_invoice", "payment_behavior": "error_if_incomplete"}
    reply = lives.wire.post(f"/v1/subscriptions/{subscription['id']}", form)
    assert (reply.status, reply.error["code"]) == (402, "card_declined")
    now = lives.now(subscription)
    assert (now["status"], now["items"]["data"][0]["price"]["unit_amount"]) == ("active", 10000)
    assert lives.told() == []


def test_a_new_anchor_begins_a_period_now(lives, subscription, clock):
    clock.advance(days=73)
    form = {"billing_cycle_anchor[type]": "now", "expand[]": "latest_invoice"}
    now = lives.wire.post(f"/v1/subscriptions/{subscription['id']}", form).json
    assert now["billing_cycle_anchor"] == now["items"]["data"][0]["current_period_start"] == clock.seconds
    assert now["latest_invoice"]["amount_paid"] == 2000


def test_a_new_anchor_and_another_price_make_one_invoice(lives, subscription, dearer, clock):
    """As recorded: the rest of the old period is credited, the new one billed in full."""
    clock.advance(days=73)
    lives.forget()
    now = change(lives, subscription, **{"items[0][price]": dearer["id"], "billing_cycle_anchor[type]": "now"})
    assert now["plan"]["id"] == now["items"]["data"][0]["price"]["id"] == dearer["id"]
    invoice, first = lives.invoices(subscription)
    amounts = [(line["amount"], line["description"]) for line in invoice["lines"]["data"]]
    assert amounts == [
        (-8000, "Unused time on All access after 3 Feb 2027"),
        (20000, "1 \u00d7 All access (at $200.00 / year)"),
    ]
    assert (invoice["amount_paid"], first["id"]) == (12000, subscription["latest_invoice"])
    assert lives.told().count("customer.subscription.updated") == 1


def test_discounts_can_be_given_and_taken_away(lives, subscription, wire):
    coupon = wire.post("/v1/coupons", {"percent_off": "50", "duration": "forever"}).json["id"]
    path = f"/v1/subscriptions/{subscription['id']}"
    assert len(wire.post(path, {"discounts[0][coupon]": coupon}).json["discounts"]) == 1
    lives.wait(days=366)
    assert lives.invoices(subscription)[0]["amount_paid"] == 5000
    assert wire.post(path, {"discounts": ""}).json["discounts"] == []
    lives.wait(days=366)
    assert lives.invoices(subscription)[0]["amount_paid"] == 10000


def test_an_item_that_it_does_not_have_is_refused(lives, subscription, dearer):
    form = {"items[0][id]": "si_other", "items[0][price]": dearer["id"]}
    reply = lives.wire.post(f"/v1/subscriptions/{subscription['id']}", form)
    assert (reply.status, reply.error["param"]) == (400, "items[0][id]")


def test_cancelling_can_name_the_periods_end(lives, subscription):
    form = {"cancel_at": "min_period_end"}
    now = lives.wire.post(f"/v1/subscriptions/{subscription['id']}", form).json
    end = subscription["items"]["data"][0]["current_period_end"]
    assert (now["cancel_at"], now["cancel_at_period_end"]) == (end, False)


def test_settings_of_payment_and_trial_are_kept(lives, subscription):
    form = {"payment_settings[save_default_payment_method]": "on_subscription"}
    form |= {"trial_settings[end_behavior][missing_payment_method]": "pause"}
    now = lives.wire.post(f"/v1/subscriptions/{subscription['id']}", form).json
    assert now["payment_settings"]["save_default_payment_method"] == "on_subscription"
    assert now["trial_settings"]["end_behavior"]["missing_payment_method"] == "pause"
