"""A renewal whose card fails is tried again as the account says; what becomes of it then is the account's choice."""

import pytest

from tests.support.lives import DAY, HOUR, YEAR

FAILED = ["charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"]
PAID = ["charge.succeeded", "payment_intent.succeeded", "invoice.paid", "invoice.payment_succeeded"]


@pytest.fixture
def subscription(lives, price, customer):
    """One whose next renewal meets a card that declines."""
    made = lives.buy(customer, price)
    lives.card(customer, "pm_card_chargeCustomerFail")
    return made


def choose(lives, name, value):
    lives.account.set_setting(name, value)


def fail_once(lives):
    lives.wait(days=365, hours=1)
    lives.forget()


def test_the_first_failure_makes_it_past_due_and_plans_the_next_attempt(lives, subscription):
    lives.wait(days=365, hours=1)
    told = lives.told()
    expected = ["invoice.created", "customer.subscription.updated", "invoice.finalized", "payment_intent.created"]
    assert told == [*expected, *FAILED, "customer.subscription.updated"]
    now = lives.now(subscription, "latest_invoice")
    invoice = now["latest_invoice"]
    assert (now["status"], invoice["status"], invoice["attempt_count"]) == ("past_due", "open", 1)
    assert invoice["next_payment_attempt"] == lives.clock.seconds + 3 * DAY
    assert now["items"]["data"][0]["current_period_end"] > lives.clock.seconds + 300 * DAY


def test_attempts_follow_the_accounts_days_and_charge_the_same_intent(lives, subscription):
    fail_once(lives)
    lives.wait(days=3 + 5)
    news = lives.news()
    assert [event["type"] for event in news] == FAILED * 2
    invoice = lives.invoices(subscription)[0]
    assert (invoice["attempt_count"], invoice["next_payment_attempt"]) == (3, lives.clock.seconds + 7 * DAY)
    payments = lives.wire.get("/v1/invoice_payments", {"invoice": invoice["id"]}).json["data"]
    assert len(payments) == 1
    charges = [event["data"]["object"]["payment_intent"] for event in news if event["type"] == "charge.failed"]
    assert set(charges) == {payments[0]["payment"]["payment_intent"]}


@pytest.mark.parametrize(
    ("choice", "status", "events"),
    [
        ("cancel", "canceled", ["customer.subscription.deleted"]),
        ("unpaid", "unpaid", ["customer.subscription.updated"]),
        ("past_due", "past_due", []),
        ("pause", "paused", ["customer.subscription.updated", "customer.subscription.paused"]),
    ],
)
def test_after_the_last_attempt_the_accounts_choice_is_done(lives, subscription, choice, status, events):
    choose(lives, "exhausted", choice)
    fail_once(lives)
    lives.wait(days=20)
    assert lives.told() == FAILED * 3 + events
    now = lives.now(subscription, "latest_invoice")
    invoice = now["latest_invoice"]
    assert (now["status"], invoice["status"], invoice["attempt_count"]) == (status, "open", 4)
    assert (invoice["next_payment_attempt"], invoice["auto_advance"]) == (None, False)
    reason = "payment_failed" if choice == "cancel" else None
    assert now["cancellation_details"]["reason"] == reason
    details = now["status_details"] or {"paused": {"subscription": {"type": None}}}
    assert details["paused"]["subscription"]["type"] == ("final_payment_failure" if choice == "pause" else None)


def test_without_days_the_first_failure_is_the_last(lives, subscription):
    choose(lives, "retry_days", [])
    lives.wait(days=365, hours=1)
    assert lives.told()[-2:] == ["customer.subscription.updated", "customer.subscription.deleted"]


def test_a_new_card_is_charged_at_the_next_attempt_and_brings_it_back(lives, subscription, customer):
    fail_once(lives)
    lives.card(customer, "pm_card_visa")
    lives.wait(days=3)
    assert lives.told() == [*PAID, "invoice_payment.paid", "customer.subscription.updated"]
    now = lives.now(subscription, "latest_invoice")
    assert (now["status"], now["latest_invoice"]["attempt_count"]) == ("active", 2)


@pytest.mark.parametrize("choice", ["unpaid", "past_due", "pause"])
def test_paying_the_open_invoice_brings_it_back_whatever_it_had_become(lives, subscription, customer, choice):
    choose(lives, "exhausted", choice)
    fail_once(lives)
    lives.wait(days=30)
    lives.card(customer, "pm_card_visa")
    invoice = lives.invoices(subscription)[0]
    paid = lives.wire.post(f"/v1/invoices/{invoice['id']}/pay").json
    assert (paid["status"], paid["amount_remaining"]) == ("paid", 0)
    resumed = ["customer.subscription.resumed"] if choice == "pause" else []
    assert lives.told() == [*PAID, "invoice_payment.paid", "customer.subscription.updated", *resumed]
    now = lives.now(subscription)
    assert (now["status"], now["status_details"]) == ("active", None)


def test_paying_after_it_was_canceled_brings_nothing_back(lives, subscription, customer):
    fail_once(lives)
    lives.wait(days=30)
    card = lives.card(customer, "pm_card_visa")
    invoice = lives.invoices(subscription)[0]
    paid = lives.wire.post(f"/v1/invoices/{invoice['id']}/pay", {"payment_method": card}).json
    assert paid["status"] == "paid"
    assert lives.told() == [*PAID, "invoice_payment.paid"]
    assert lives.now(subscription)["status"] == "canceled"


def test_an_unpaid_subscription_draws_drafts_that_nobody_charges(lives, subscription):
    choose(lives, "exhausted", "unpaid")
    fail_once(lives)
    lives.wait(days=366)
    lives.wait(days=10)
    draft = lives.invoices(subscription)[0]
    assert (draft["status"], draft["auto_advance"], draft["automatically_finalizes_at"]) == ("draft", False, None)
    assert lives.now(subscription)["status"] == "unpaid"


def test_an_unpaid_subscription_comes_back_when_its_latest_draft_is_paid(lives, subscription, customer):
    """Paying the older invoice is not enough: Stripe looks at the latest one."""
    choose(lives, "exhausted", "unpaid")
    fail_once(lives)
    lives.wait(days=370)
    lives.card(customer, "pm_card_visa")
    draft, older, _ = lives.invoices(subscription)
    assert lives.wire.post(f"/v1/invoices/{older['id']}/pay").json["status"] == "paid"
    assert lives.now(subscription)["status"] == "unpaid"
    assert lives.wire.post(f"/v1/invoices/{draft['id']}/pay").json["status"] == "paid"
    assert lives.now(subscription)["status"] == "active"


def test_a_pause_of_collection_leaves_what_was_open_before_to_its_attempts(lives, subscription):
    fail_once(lives)
    lives.wire.post(f"/v1/subscriptions/{subscription['id']}", {"pause_collection[behavior]": "void"})
    lives.forget()
    lives.wait(days=3)
    assert lives.told() == FAILED
    assert lives.invoices(subscription)[0]["status"] == "open"


def test_a_paused_subscription_draws_nothing(lives, subscription):
    choose(lives, "exhausted", "pause")
    fail_once(lives)
    lives.wait(days=20)
    lives.forget()
    lives.wait(days=800)
    assert lives.told() == []


def test_a_renewal_that_asks_for_3d_secure_waits_for_the_buyer(lives, price, customer):
    subscription = lives.buy(customer, price)
    lives.card(customer, "pm_card_authenticationRequired")
    lives.wait(days=365, hours=1)
    told = lives.told()
    asked = ["payment_intent.requires_action", "invoice.payment_action_required", "invoice.payment_failed"]
    assert told[-4:] == [*asked, "customer.subscription.updated"]
    now = lives.now(subscription, "latest_invoice")
    assert (now["status"], now["latest_invoice"]["status"]) == ("past_due", "open")
    reply = lives.wire.post(f"/v1/invoices/{now['latest_invoice']['id']}/pay")
    assert (reply.status, reply.error["code"]) == (402, "invoice_payment_intent_requires_action")


def test_a_renewal_without_any_card_fails_too(lives, price, clock):
    customer = lives.customer(None)
    trial = {"trial_end": str(clock.seconds + 5 * DAY)}
    subscription = lives.buy(customer, price, **trial)
    lives.wait(days=6)
    now = lives.now(subscription, "latest_invoice")
    assert (now["status"], now["latest_invoice"]["attempt_count"]) == ("past_due", 1)
    assert now["latest_invoice"]["amount_remaining"] == 10000


def test_ending_a_past_due_subscription_stops_its_attempts(lives, subscription):
    fail_once(lives)
    lives.wire.delete(f"/v1/subscriptions/{subscription['id']}")
    assert lives.told() == ["customer.subscription.deleted", "invoice.updated"]
    lives.wait(days=60)
    assert lives.told() == []
    assert lives.invoices(subscription)[0]["status"] == "open"


def test_a_year_later_the_renewal_of_a_past_due_subscription_is_tried_again(lives, subscription):
    choose(lives, "exhausted", "past_due")
    fail_once(lives)
    lives.wait(days=400)
    statuses = [(invoice["status"], invoice["attempt_count"]) for invoice in lives.invoices(subscription)]
    assert statuses == [("open", 4), ("open", 4), ("paid", 1)]


@pytest.mark.parametrize(("name", "value"), [("exhausted", "stop"), ("retry_days", [0]), ("retry_days", 3), ("x", 1)])
def test_a_setting_that_stripe_does_not_have_is_refused(lives, name, value):
    with pytest.raises(ValueError, match=name):
        choose(lives, name, value)
    assert lives.account.settings()["retry_days"] == [3, 5, 7]


def test_a_renewal_in_the_hour_of_its_draft_is_already_a_year_ahead(lives, subscription):
    """The trap for those who trust the period's end: it lies a year ahead although nothing is paid."""
    lives.wait(days=365)
    now = lives.now(subscription, "latest_invoice")
    assert now["items"]["data"][0]["current_period_end"] >= lives.clock.seconds + YEAR
    assert now["latest_invoice"]["automatically_finalizes_at"] == lives.clock.seconds + HOUR
