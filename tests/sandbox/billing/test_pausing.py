"""A paused subscription costs nothing and comes back when it is paid for; `pause_collection` is another thing."""

import pytest

from tests.support.lives import DAY

FULL = {"bill_for[unused_time_from][type]": "none"}  # nothing is given back for the rest of the period


@pytest.fixture
def subscription(lives, customer, price):
    return lives.buy(customer, price)


def pause(lives, subscription, **form):
    reply = lives.wire.post(f"/v1/subscriptions/{subscription['id']}/pause", form)
    assert reply.status == 200, reply.text
    return reply.json


def resume(lives, subscription, **form):
    return lives.wire.post(f"/v1/subscriptions/{subscription['id']}/resume", form)


def test_pausing_is_told_with_its_reason(lives, subscription, clock, sdk):
    paused = sdk.v1.subscriptions.pause(subscription["id"])
    assert paused.status == "paused"
    assert paused.status_details.paused.subscription.type == "pause_requested"
    assert paused.status_details.paused.transitioned_at == clock.seconds
    assert lives.told() == ["customer.subscription.updated", "customer.subscription.paused"]


def test_while_paused_no_period_begins_and_nothing_is_billed(lives, subscription):
    pause(lives, subscription)
    lives.forget()
    lives.wait(days=800)
    assert lives.told() == []
    assert lives.now(subscription)["items"]["data"][0]["current_period_end"] < lives.clock.seconds


def test_resuming_begins_a_period_that_is_paid_at_once_less_what_was_not_used(lives, subscription, clock):
    clock.advance(days=73)  # a fifth of the year
    pause(lives, subscription)
    lives.forget()
    clock.advance(days=100)
    now = resume(lives, subscription, **{"expand[]": "latest_invoice"}).json
    assert (now["status"], now["status_details"], now["billing_cycle_anchor"]) == ("active", None, clock.seconds)
    invoice = now["latest_invoice"]
    assert [line["amount"] for line in invoice["lines"]["data"]] == [-8000, 10000]
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 2000)
    told = lives.told()
    assert told[:3] == ["customer.subscription.updated", "invoice.created", "invoice.finalized"]
    assert {"customer.subscription.resumed", "invoice.paid"} <= set(told)


def test_a_pause_without_credit_bills_the_new_period_in_full(lives, subscription, clock):
    pause(lives, subscription, **FULL)
    clock.advance(days=10)
    now = resume(lives, subscription, **{"expand[]": "latest_invoice"}).json
    assert now["latest_invoice"]["amount_paid"] == 10000


def test_resuming_unchanged_goes_on_in_the_old_rhythm_without_an_invoice(lives, subscription, clock):
    clock.advance(days=10)
    pause(lives, subscription)
    now = resume(lives, subscription, **{"billing_cycle_anchor[type]": "unchanged"}).json
    assert (now["status"], now["latest_invoice"]) == ("active", subscription["latest_invoice"])
    assert now["items"]["data"][0]["current_period_end"] == subscription["items"]["data"][0]["current_period_end"]
    lives.wait(days=356)
    assert [line["amount"] for line in lives.invoices(subscription)[0]["lines"]["data"]][-1] == 10000
    assert lives.invoices(subscription)[0]["total"] == 10000


def test_resuming_unchanged_after_years_takes_up_the_period_that_runs(lives, subscription, clock):
    pause(lives, subscription)
    clock.advance(days=800)
    now = resume(lives, subscription, **{"billing_cycle_anchor[type]": "unchanged"}).json
    (item,) = now["items"]["data"]
    assert item["current_period_start"] <= clock.seconds < item["current_period_end"]
    assert item["current_period_end"] - item["current_period_start"] in (365 * DAY, 366 * DAY)


def test_with_payment_success_it_stays_paused_until_it_is_paid(lives, subscription, customer):
    pause(lives, subscription, **FULL)
    lives.card(customer, "pm_card_chargeCustomerFail")
    form = {"payment_behavior": "resume_on_payment_success", "expand[]": "latest_invoice"}
    waiting = resume(lives, subscription, **form).json
    assert (waiting["status"], waiting["latest_invoice"]["status"]) == ("paused", "open")
    lives.card(customer, "pm_card_visa")
    lives.wire.post(f"/v1/invoices/{waiting['latest_invoice']['id']}/pay")
    assert lives.told()[-2:] == ["customer.subscription.updated", "customer.subscription.resumed"]
    assert lives.now(subscription)["status"] == "active"


def test_a_resumption_nobody_pays_is_voided_and_it_stays_paused(lives, subscription, customer):
    pause(lives, subscription, **FULL)
    lives.card(customer, "pm_card_chargeCustomerFail")
    resume(lives, subscription, payment_behavior="resume_on_payment_success")
    lives.wait(hours=23)
    now = lives.now(subscription, "latest_invoice")
    assert (now["status"], now["latest_invoice"]["status"]) == ("paused", "void")
    lives.forget()
    lives.wait(days=30)
    assert lives.told() == []


def test_with_the_attempt_alone_it_runs_and_is_past_due_when_the_card_fails(lives, subscription, customer):
    pause(lives, subscription, **FULL)
    lives.card(customer, "pm_card_chargeCustomerFail")
    assert resume(lives, subscription).json["status"] == "past_due"


def test_what_is_not_paused_cannot_be_resumed_and_what_is_over_not_paused(lives, subscription):
    assert resume(lives, subscription).status == 400
    lives.wire.delete(f"/v1/subscriptions/{subscription['id']}")
    assert lives.wire.post(f"/v1/subscriptions/{subscription['id']}/pause").status == 400


def test_without_a_card_it_cannot_be_resumed(lives, price):
    customer = lives.customer(None)
    form = {"trial_period_days": "5", "trial_settings[end_behavior][missing_payment_method]": "pause"}
    subscription = lives.buy(customer, price, **form)
    lives.wait(days=6)
    assert resume(lives, subscription).error["code"] == "resource_missing"
    lives.card(customer, "pm_card_visa")
    assert resume(lives, subscription).json["status"] == "active"


def test_a_paused_subscription_can_be_canceled(lives, subscription):
    pause(lives, subscription)
    lives.forget()
    ended = lives.wire.delete(f"/v1/subscriptions/{subscription['id']}").json
    assert (ended["status"], ended["status_details"]) == ("canceled", None)
    assert lives.told() == ["customer.subscription.deleted"]
