"""Objects of every API version are read alike, and nothing that is missing is guessed."""

import json
from datetime import UTC, datetime

import pytest

from paywall.billing import shapes
from paywall.billing.money import Cases
from tests.support.stripe_spec import STRIPE_FILES, needs_spec


def subscription(**changes):
    price = {"id": "price_1", "product": "prod_1", "unit_amount": 10000, "currency": "usd"}
    return {
        "id": "sub_1",
        "status": "active",
        "livemode": False,
        "customer": "cus_1",
        "created": 1_000_000,
        "metadata": {},
        "items": {"data": [{"price": price, "quantity": 1, "current_period_end": 2_000_000}]},
        **changes,
    }


def invoice(status="paid", start=1_000_000, end=2_000_000, product="prod_1", attempts=1, proration=False, **changes):
    line = {
        "period": {"start": start, "end": end},
        "pricing": {"price_details": {"product": product, "price": "price_1"}},
        "parent": {"subscription_item_details": {"proration": proration, "subscription": "sub_1"}},
    }
    return {
        "id": f"in_{start}",
        "status": status,
        "amount_paid": 10000,
        "currency": "usd",
        "created": start,
        "attempt_count": attempts,
        "status_transitions": {"paid_at": start + 5},
        "lines": {"data": [line]},
        **changes,
    }


def read(body, *bills):
    return shapes.subscription(body, bills, frozenset({"prod_1"}))


def test_the_period_end_is_read_from_the_item_and_in_old_versions_from_the_subscription() -> None:
    new = read(subscription())
    item = {"price": {"id": "price_1", "product": "prod_1", "unit_amount": 1, "currency": "usd"}}
    old = read(subscription(items={"data": [item]}, current_period_end=2_000_000))
    assert new.current_period_end == old.current_period_end == datetime.fromtimestamp(2_000_000, UTC)


def test_only_paid_invoices_of_our_product_make_paid_periods() -> None:
    bills = [
        invoice(),
        invoice("open", 2_000_000, 3_000_000),
        invoice("draft", 3_000_000, 4_000_000),
        invoice("void", 4_000_000, 5_000_000),
        invoice("paid", 5_000_000, 6_000_000, product="prod_other"),
        invoice("paid", 6_000_000, 7_000_000, proration=True),
    ]
    assert [period.end.timestamp() for period in read(subscription(), *bills).facts.periods] == [2_000_000]


@pytest.mark.parametrize(
    ("bill", "unpaid_from"),
    [
        (invoice("open", 2_000_000, 3_000_000), 2_000_000),
        (invoice("uncollectible", 2_000_000, 3_000_000), 2_000_000),
        (invoice("open", 2_000_000, 3_000_000, attempts=0), None),  # nobody has tried to charge it yet
        (invoice("draft", 2_000_000, 3_000_000, attempts=0), None),
        (invoice("void", 2_000_000, 3_000_000), None),
        (invoice("open", 500_000, 900_000), None),  # older than what was paid since
    ],
    ids=["open", "uncollectible", "not tried", "draft", "void", "old"],
)
def test_an_unpaid_period_is_one_whose_payment_was_tried_and_failed(bill, unpaid_from) -> None:
    found = read(subscription(), invoice(), bill).facts.unpaid_from
    assert (found and found.timestamp()) == unpaid_from


def test_an_item_of_ours_is_found_among_others() -> None:
    def item(product, amount):
        return {"price": {"id": f"price_{product}", "product": product, "unit_amount": amount, "currency": "usd"}}

    found = read(subscription(items={"data": [item("prod_x", 1), item("prod_1", 2)]}))
    assert (found.product_id, found.amount) == ("prod_1", 2)


def test_how_a_subscription_ended_is_read() -> None:
    disputed = read(subscription(status="canceled", cancellation_details={"reason": "payment_disputed"}, ended_at=7))
    failed = read(subscription(status="canceled", cancellation_details={"reason": "payment_failed"}))
    assert (disputed.facts.ended_by_dispute, disputed.facts.ended_at.timestamp()) == (True, 7)
    assert (failed.facts.ended_by_failure, failed.facts.ended_by_dispute) == (True, False)


def test_pausing_the_collection_is_not_a_status() -> None:
    facts = read(subscription(pause_collection={"behavior": "void"})).facts
    assert (facts.status, facts.collection_paused) == ("active", True)


def recorded_events():
    folder = STRIPE_FILES / "recorded/stripe-sync-engine"
    return [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))]


@needs_spec
def test_every_recorded_event_can_be_read_whatever_its_version() -> None:
    events = recorded_events()
    assert len(events) >= 70
    for body in events:
        event = shapes.event(body)
        assert (event.id, event.type) == (body["id"], body["type"])
        assert all(isinstance(value, str) and value for value in event.objects.values())


@needs_spec
def test_recorded_subscriptions_of_real_accounts_can_be_read() -> None:
    """Several API versions; whatever is recorded must not raise, and names no product of ours."""
    found = 0
    for file in sorted((STRIPE_FILES / "recorded/pay-rails-pay/vcr").glob("*.json")):
        for exchange in json.loads(file.read_text())["exchanges"]:
            body = exchange["response"]["json"]
            if isinstance(body, dict) and body.get("object") == "subscription":
                found += 1
                assert shapes.subscription(body, [], frozenset({"paywall_annual"})).product_id != "paywall_annual"
    assert found > 20


def test_what_was_paid_after_the_end_is_booked_and_revives_nothing() -> None:
    late = invoice("paid", 2_000_000, 3_000_000, attempts=4, status_transitions={"paid_at": 2_600_000})
    ended = subscription(status="canceled", ended_at=2_500_000)
    found = read(ended, invoice(), late)
    assert [one.id for one in found.invoices] == ["in_1000000", "in_2000000"]
    assert [period.end.timestamp() for period in found.facts.periods] == [2_000_000]
    assert found.facts.unpaid_from is not None, "it is as unpaid as it was when the subscription ended"
    before = read(ended, invoice(), {**late, "status": "open"})
    assert found.facts == before.facts


def test_a_bill_that_cost_nothing_pays_its_period() -> None:
    """A trial, and a coupon of 100 %."""
    (period,) = read(subscription(status="trialing"), invoice(amount_paid=0)).facts.periods
    assert (period.end.timestamp(), period.refunded_at) == (2_000_000, None)


PAID_BY = [{"id": "inpay_1", "status": "paid", "amount_paid": 10000, "payment": {"payment_intent": "pi_1"}}]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"payments": {"data": PAID_BY}}, ("inpay_1", "pi_1", None, 10000)),
        (
            {"payments": {"data": [{**PAID_BY[0], "payment": {"charge": {"id": "ch_1"}}}]}},
            ("inpay_1", None, "ch_1", 10000),
        ),
        ({"payment_intent": "pi_1", "charge": "ch_1"}, ("in_1000000:pi_1", "pi_1", "ch_1", 10000)),
        ({"charge": "ch_1"}, ("in_1000000:ch_1", None, "ch_1", 10000)),
    ],
    ids=["basil", "charge", "older", "oldest"],
)
def test_what_paid_an_invoice_is_read_in_every_version(more, expected) -> None:
    (paid,) = read(subscription(), invoice(**more)).invoices
    assert [(one.id, one.intent_id, one.charge_id, one.amount) for one in paid.payments] == [expected]


def test_what_was_tried_and_not_paid_paid_nothing() -> None:
    tried = [{**PAID_BY[0], "status": "canceled"}, {**PAID_BY[0], "status": "open"}]
    assert read(subscription(), invoice(payments={"data": tried})).invoices[0].payments == ()


@pytest.mark.parametrize(
    ("more", "tax"),
    [
        ({"total_taxes": [{"amount": 700}, {"amount": 125}]}, 825),
        ({"total_tax_amounts": [{"amount": 700}]}, 700),
        ({"tax": 800}, 800),
        ({"tax": None}, 0),
        ({}, 0),
    ],
    ids=["basil", "older", "oldest", "none", "missing"],
)
def test_the_tax_within_a_payment_is_read_in_every_version(more, tax: int) -> None:
    assert read(subscription(), invoice(**more)).invoices[0].tax == tax


def cases(status: str = "succeeded", **more):
    body = {"id": "re_1", "amount": 10000, "currency": "usd", "created": 1_500_000, "status": status}
    return body | {"payment_intent": "pi_1", "charge": "ch_1"} | more


def test_refunds_and_disputes_reach_the_period_that_their_payment_paid() -> None:
    bills = [invoice(payments={"data": PAID_BY}), invoice("paid", 2_000_000, 3_000_000)]
    dispute = cases("needs_response", id="du_1", reason="fraudulent")
    found = shapes.subscription(
        subscription(), bills, frozenset({"prod_1"}), Cases(refunds=(cases(), cases()), disputes=(dispute,))
    )
    first, second = found.facts.periods
    assert (first.refunded_at, first.refund_arrived, first.disputed) == (
        datetime.fromtimestamp(1_500_000, UTC),
        True,
        True,
    )
    assert (second.refunded_at, second.disputed) == (None, False)
    assert [(one.id, one.invoice_id) for one in found.refunds] == [("re_1", "in_1000000")], "told twice, counted once"
    assert [(one.id, one.reason) for one in found.disputes] == [("du_1", "fraudulent")]


def test_cases_about_other_payments_are_left_out() -> None:
    foreign = cases(payment_intent="pi_other", charge="ch_other")
    bill = invoice(payments={"data": PAID_BY})
    found = shapes.subscription(subscription(), [bill], frozenset({"prod_1"}), Cases(refunds=(foreign,)))
    assert (found.refunds, found.facts.periods[0].refunded_at) == ((), None)
