"""A trial costs nothing, is announced before it ends, and ends as was chosen for a buyer without a card."""

import pytest

from tests.support.lives import DAY, HOUR

PAUSED = ["customer.subscription.updated", "customer.subscription.paused"]


@pytest.fixture
def trial(lives, customer, price):
    return lives.buy(customer, price, trial_period_days="14", **{"expand[]": "latest_invoice"})


def without_card(lives, price, behavior, days=14):
    form = {"trial_period_days": str(days), "trial_settings[end_behavior][missing_payment_method]": behavior}
    return lives.buy(lives.customer(None), price, **form)


def test_a_trial_begins_with_a_paid_invoice_of_nothing(lives, trial, clock):
    assert (trial["status"], trial["trial_start"], trial["trial_end"]) == (
        "trialing",
        clock.seconds,
        clock.seconds + 14 * DAY,
    )
    (item,) = trial["items"]["data"]
    assert item["current_period_end"] == trial["billing_cycle_anchor"] == trial["trial_end"]
    invoice = trial["latest_invoice"]
    assert (invoice["status"], invoice["amount_due"], invoice["attempt_count"]) == ("paid", 0, 0)
    assert invoice["lines"]["data"][0]["description"] == "Free trial for 1 \u00d7 All access"
    assert lives.wire.get("/v1/payment_intents").json["data"] == []


def test_its_end_is_announced_once_three_days_before(lives, trial):
    lives.wait(days=10, hours=23, minutes=59)
    assert lives.told() == []
    lives.wait(minutes=1)
    assert lives.told() == ["customer.subscription.trial_will_end"]
    lives.wait(days=2)
    assert lives.told() == []


def test_a_short_trial_is_announced_at_once(lives, customer, price):
    lives.buy(customer, price, trial_period_days="2")
    lives.look()
    assert len(lives.sandbox.events("customer.subscription.trial_will_end")) == 1


def test_after_it_the_first_year_is_billed_from_its_end(lives, trial):
    lives.wait(days=14)
    now = lives.now(trial, "latest_invoice")
    assert (now["status"], now["latest_invoice"]["status"]) == ("active", "draft")
    (item,) = now["items"]["data"]
    period = (trial["trial_end"], trial["trial_end"] + 365 * DAY)
    assert (item["current_period_start"], item["current_period_end"]) == period
    lives.wait(hours=1)
    assert lives.now(trial, "latest_invoice")["latest_invoice"]["amount_paid"] == 10000


def test_without_a_card_it_can_end_with_the_subscription(lives, price):
    subscription = without_card(lives, price, "cancel")
    lives.wait(days=14)
    assert lives.told() == ["customer.subscription.trial_will_end", "customer.subscription.deleted"]
    assert lives.now(subscription)["status"] == "canceled"


def test_without_a_card_it_can_pause(lives, price):
    subscription = without_card(lives, price, "pause")
    lives.wait(days=14)
    assert lives.told()[1:] == PAUSED
    paused = lives.now(subscription)["status_details"]["paused"]
    assert paused["subscription"]["type"] == "trial_end_without_payment_method"


def test_without_a_card_it_can_be_billed_all_the_same(lives, price):
    subscription = without_card(lives, price, "create_invoice")
    lives.wait(days=14, hours=1)
    assert lives.now(subscription)["status"] == "past_due"


def test_a_card_given_in_time_makes_it_go_on(lives, price):
    subscription = without_card(lives, price, "cancel")
    lives.card({"id": subscription["customer"]}, "pm_card_visa")
    lives.wait(days=14, hours=1)
    assert lives.now(subscription)["status"] == "active"


def test_ending_it_now_bills_the_first_year_at_once(lives, trial, clock):
    clock.advance(days=3)
    path = f"/v1/subscriptions/{trial['id']}"
    now = lives.wire.post(path, {"trial_end": "now", "expand[]": "latest_invoice"}).json
    assert (now["status"], now["trial_end"], now["billing_cycle_anchor"]) == ("active", clock.seconds, clock.seconds)
    assert (now["latest_invoice"]["status"], now["latest_invoice"]["amount_paid"]) == ("paid", 10000)
    assert now["latest_invoice"]["billing_reason"] == "subscription_update"
    lives.forget()
    lives.wait(days=30)
    assert lives.told() == []


def test_ending_it_now_with_a_card_that_fails_leaves_it_past_due(lives, trial, customer):
    lives.card(customer, "pm_card_chargeCustomerFail")
    now = lives.wire.post(f"/v1/subscriptions/{trial['id']}", {"trial_end": "now"}).json
    assert now["status"] == "past_due"


@pytest.mark.parametrize(
    ("behavior", "status", "events"),
    [("pause", "paused", PAUSED), ("cancel", "canceled", ["customer.subscription.deleted"])],
)
def test_ending_it_now_without_a_card_does_what_was_chosen(lives, price, behavior, status, events):
    subscription = without_card(lives, price, behavior)
    now = lives.wire.post(f"/v1/subscriptions/{subscription['id']}", {"trial_end": "now"}).json
    assert (now["status"], now["latest_invoice"]) == (status, subscription["latest_invoice"])
    assert lives.told() == events


def test_a_trial_can_be_made_longer(lives, trial, clock):
    end = clock.seconds + 30 * DAY
    now = lives.wire.post(f"/v1/subscriptions/{trial['id']}", {"trial_end": str(end)}).json
    assert (now["status"], now["trial_end"], now["trial_start"]) == ("trialing", end, trial["trial_start"])
    lives.wait(days=29)
    assert lives.told()[-1] == "customer.subscription.trial_will_end"
    lives.wait(days=1, hours=1)
    assert lives.now(trial)["status"] == "active"


def test_trial_end_now_changes_nothing_of_what_runs_already(lives, customer, price):
    subscription = lives.buy(customer, price)
    same = lives.wire.post(f"/v1/subscriptions/{subscription['id']}", {"trial_end": "now"}).json
    assert same["latest_invoice"] == subscription["latest_invoice"]
    assert lives.told() == []


@pytest.mark.parametrize("end", [0, -HOUR, 731 * DAY])
def test_a_trial_ends_in_the_future_within_two_years(lives, customer, price, clock, end):
    form = {"customer": customer["id"], "items[0][price]": price["id"], "trial_end": str(clock.seconds + end)}
    reply = lives.wire.post("/v1/subscriptions", form)
    assert (reply.status, reply.error["param"]) == (400, "trial_end")


def test_two_ways_to_say_when_are_one_too_many(lives, customer, price, clock):
    form = {"customer": customer["id"], "items[0][price]": price["id"], "trial_end": str(clock.seconds + DAY)}
    reply = lives.wire.post("/v1/subscriptions", {**form, "trial_period_days": "3"})
    assert reply.error["code"] == "parameters_exclusive"
