"""A subscription renews by itself as Stripe lets it: a draft, an hour later the charge, and every date its own."""

from datetime import UTC, datetime

import pytest

from tests.support.lives import DAY, HOUR, YEAR

DRAFT = ["invoice.created", "customer.subscription.updated"]
CHARGED = [
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
]


@pytest.fixture
def subscription(lives, customer, price):
    return lives.buy(customer, price)


def test_a_renewal_begins_with_a_draft_and_dates_that_have_moved_before_anything_is_paid(lives, subscription):
    end = subscription["items"]["data"][0]["current_period_end"]
    lives.wait(days=365)
    now = lives.now(subscription, "latest_invoice")
    (item,) = now["items"]["data"]
    assert (item["current_period_start"], item["current_period_end"]) == (end, end + 366 * DAY)  # 2028 is a leap year
    invoice = now["latest_invoice"]
    assert (now["status"], invoice["status"], invoice["billing_reason"]) == ("active", "draft", "subscription_cycle")
    assert (invoice["created"], invoice["automatically_finalizes_at"]) == (end, end + HOUR)
    assert (invoice["number"], invoice["amount_paid"], invoice["attempted"]) == (None, 0, False)
    assert invoice["lines"]["data"][0]["period"] == {"start": end, "end": end + 366 * DAY}
    assert (invoice["period_start"], invoice["period_end"]) == (end - YEAR, end)
    assert lives.told() == DRAFT


def test_an_hour_later_it_is_finalized_and_charged(lives, subscription):
    lives.wait(days=365)
    lives.forget()
    lives.wait(minutes=59)
    assert lives.told() == []
    lives.wait(minutes=1)
    news = lives.news()
    assert [event["type"] for event in news] == CHARGED
    assert {event["created"] for event in news} == {lives.clock.seconds}
    invoice = lives.invoices(subscription)[0]
    assert (invoice["status"], invoice["amount_paid"], invoice["attempt_count"]) == ("paid", 10000, 1)
    assert invoice["number"].endswith("-0002")


def test_a_renewal_that_is_looked_at_late_happened_at_its_own_moment(lives, subscription):
    end = subscription["items"]["data"][0]["current_period_end"]
    lives.wait(days=365 + 40)
    news = lives.news()
    assert [event["type"] for event in news] == DRAFT + CHARGED
    assert [event["created"] for event in news] == [end] * 2 + [end + HOUR] * 7
    charge = lives.wire.get("/v1/charges").json["data"][0]
    assert charge["created"] == end + HOUR


def test_the_changed_dates_are_told_with_their_old_values(lives, subscription):
    lives.wait(days=365)
    (event,) = [one for one in lives.news() if one["type"] == "customer.subscription.updated"]
    assert set(event["data"]["previous_attributes"]) == {"items", "latest_invoice"}


def test_five_years_are_five_renewals_and_29_february_comes_back(lives, clock, price):
    clock.moment = datetime(2028, 2, 29, 12, tzinfo=UTC)
    subscription = lives.buy(lives.customer(), price)
    lives.wait(days=5 * 365 + 2)
    starts = [
        datetime.fromtimestamp(invoice["lines"]["data"][0]["period"]["start"], UTC).date().isoformat()
        for invoice in lives.invoices(subscription)
    ]
    assert starts == ["2033-02-28", "2032-02-29", "2031-02-28", "2030-02-28", "2029-02-28", "2028-02-29"]
    assert {invoice["status"] for invoice in lives.invoices(subscription)[1:]} == {"paid"}


def test_a_plan_that_ends_with_its_period_ends_instead_of_renewing(lives, subscription):
    lives.wire.post(f"/v1/subscriptions/{subscription['id']}", {"cancel_at_period_end": "true"})
    lives.forget()
    lives.wait(days=800)
    assert lives.told() == ["customer.subscription.deleted"]
    assert len(lives.invoices(subscription)) == 1


def test_an_end_after_the_renewal_leaves_the_renewal_be(lives, subscription, clock):
    date = clock.seconds + YEAR + 30 * DAY
    lives.wire.post(f"/v1/subscriptions/{subscription['id']}", {"cancel_at": str(date)})
    lives.wait(days=400)
    ended = lives.now(subscription)
    assert (ended["status"], ended["ended_at"]) == ("canceled", date)
    assert [invoice["status"] for invoice in lives.invoices(subscription)] == ["paid", "paid"]


def test_several_subscriptions_take_turns_in_the_order_of_their_moments(lives, price, clock):
    first = lives.buy(lives.customer(), price)
    clock.advance(minutes=30)
    second = lives.buy(lives.customer(), price)
    lives.wait(days=366)
    news = lives.news()
    assert [event["created"] for event in news] == sorted(event["created"] for event in news)
    drawn = [event["data"]["object"] for event in news if event["type"] == "invoice.created"]
    names = [invoice["parent"]["subscription_details"]["subscription"] for invoice in drawn]
    assert names == [first["id"], second["id"]]


def test_a_coupon_that_holds_once_leaves_the_renewal_at_full_price(lives, customer, price):
    coupon = lives.wire.post("/v1/coupons", {"percent_off": "100", "duration": "once"}).json["id"]
    subscription = lives.buy(customer, price, **{"discounts[0][coupon]": coupon})
    assert lives.invoices(subscription)[0]["amount_paid"] == 0
    lives.wait(days=366)
    assert [invoice["amount_paid"] for invoice in lives.invoices(subscription)] == [10000, 0]


def test_a_first_invoice_nobody_pays_is_voided_after_23_hours(lives, price):
    subscription = lives.buy(lives.customer("pm_card_chargeCustomerFail"), price)
    lives.wait(hours=22, minutes=59)
    assert lives.told() == []
    lives.wait(minutes=1)
    assert lives.told() == ["payment_intent.canceled", "invoice.voided", "customer.subscription.updated"]
    now = lives.now(subscription, "latest_invoice.payments")
    assert (now["status"], now["ended_at"]) == ("incomplete_expired", lives.clock.seconds)
    assert (now["latest_invoice"]["status"], now["latest_invoice"]["auto_advance"]) == ("void", False)
    assert now["latest_invoice"]["payments"]["data"][0]["status"] == "canceled"
    lives.wait(days=800)
    assert lives.told() == []


@pytest.mark.parametrize(
    ("behavior", "status", "events"),
    [
        ("void", "void", [*DRAFT, "invoice.finalized", "invoice.voided"]),
        ("mark_uncollectible", "uncollectible", [*DRAFT, "invoice.finalized", "invoice.marked_uncollectible"]),
        ("keep_as_draft", "draft", DRAFT),
    ],
)
def test_a_pause_of_collection_lets_it_renew_without_a_charge(lives, subscription, behavior, status, events):
    path = f"/v1/subscriptions/{subscription['id']}"
    paused = lives.wire.post(path, {"pause_collection[behavior]": behavior}).json
    assert (paused["status"], paused["pause_collection"]) == ("active", {"behavior": behavior, "resumes_at": None})
    lives.forget()
    lives.wait(days=370)
    assert lives.told() == events
    assert lives.invoices(subscription)[0]["status"] == status
    assert lives.now(subscription)["status"] == "active"
    assert lives.wire.post(path, {"pause_collection": ""}).json["pause_collection"] is None


def test_collection_begins_again_at_its_date(lives, subscription, clock):
    form = {"pause_collection[behavior]": "void", "pause_collection[resumes_at]": str(clock.seconds + 60 * DAY)}
    lives.wire.post(f"/v1/subscriptions/{subscription['id']}", form)
    lives.forget()
    lives.wait(days=61)
    assert lives.told() == ["customer.subscription.updated"]
    assert lives.now(subscription)["pause_collection"] is None
    lives.wait(days=305)
    assert lives.invoices(subscription)[0]["status"] == "paid"
