"""Rows of money: what Stripe has is what is kept, and each leads to its subscription."""

import pytest
from flask_openapi3.openapi import OpenAPI

from paywall.storage import payments
from paywall.storage.database import db
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund
from tests.support.builders import DAY, NOW, make_subscription, save


@pytest.fixture
def pair(app: OpenAPI) -> tuple[str, str]:
    """Two subscriptions."""
    rows = make_subscription(), make_subscription()
    save()
    return rows[0].id, rows[1].id


def payment(subscription_id: str, invoice_id: str = "in_1", start=NOW) -> dict[str, object]:
    money = {"amount": 10825, "tax": 825, "currency": "usd"}
    period = {"period_start": start, "period_end": start + 365 * DAY, "paid_at": start}
    return {"invoice_id": invoice_id, "subscription_id": subscription_id, **money, **period}


def paid_by(subscription_id: str, name: str = "inpay_1", **more: object) -> dict[str, object]:
    ids = {"payment_intent_id": "pi_1", "charge_id": None, **more}
    return {"id": name, "invoice_id": "in_1", "subscription_id": subscription_id, "amount": 10825, **ids}


def case(subscription_id: str, name: str, **more: object) -> dict[str, object]:
    ids = {"invoice_id": "in_1", "payment_intent_id": "pi_1", "charge_id": "ch_1"}
    moments = {"created_at": NOW, "synced_at": NOW}
    values = {"id": name, "subscription_id": subscription_id, "amount": 100, "currency": "usd", "status": "pending"}
    return {**values, **ids, **moments, **more}


def test_what_is_put_twice_is_kept_once_as_it_was_put_last(pair) -> None:
    for status in ("pending", "failed"):
        payments.put(Refund, pair[0], [case(pair[0], "re_1", status=status)], "id")
        db.session.commit()
    (kept,) = payments.refunds_of(pair[0])
    assert (kept.status, kept.amount) == ("failed", 100)


def test_what_stripe_does_not_have_any_more_goes_and_other_subscriptions_stay(pair) -> None:
    mine, other = pair
    payments.put(Refund, mine, [case(mine, "re_1"), case(mine, "re_2")], "id")
    payments.put(Refund, other, [case(other, "re_3")], "id")
    payments.put(Refund, mine, [case(mine, "re_2")], "id")
    db.session.commit()
    assert [row.id for row in payments.refunds_of(mine)] == ["re_2"]
    payments.put(Refund, mine, [], "id")
    db.session.commit()
    assert payments.refunds_of(mine) == []
    assert [row.id for row in payments.refunds_of(other)] == ["re_3"]


def test_payments_come_with_the_oldest_period_first_and_their_tax(pair) -> None:
    mine, _ = pair
    rows = [payment(mine, "in_new", NOW), payment(mine, "in_old", NOW - 365 * DAY)]
    payments.put(Payment, mine, rows, "invoice_id")
    db.session.commit()
    found = payments.payments_of(mine)
    assert [(row.invoice_id, row.amount, row.tax) for row in found] == [("in_old", 10825, 825), ("in_new", 10825, 825)]
    assert found[0].period_end == NOW


@pytest.mark.parametrize("name", ["pi_1", "ch_9"])
def test_an_intent_or_a_charge_leads_to_its_subscription(pair, name: str) -> None:
    mine, other = pair
    rows = [paid_by(mine), paid_by(mine, "inpay_2", payment_intent_id=None, charge_id="ch_9")]
    payments.put(InvoicePayment, mine, rows, "id")
    payments.put(InvoicePayment, other, [paid_by(other, "inpay_3", payment_intent_id="pi_3")], "id")
    db.session.commit()
    assert payments.subscription_of(name) == mine
    assert payments.subscription_of("pi_3") == other
    assert payments.subscription_of("pi_unknown") is None
    assert [row.id for row in payments.invoice_payments_of(mine)] == ["inpay_1", "inpay_2"]


def test_an_invoice_leads_to_its_subscription(pair) -> None:
    mine, _ = pair
    payments.put(Payment, mine, [payment(mine)], "invoice_id")
    db.session.commit()
    assert payments.subscription_of_invoice("in_1") == mine
    assert payments.subscription_of_invoice("in_unknown") is None


def test_payments_with_a_refund_or_a_dispute_are_asked_about_again(pair) -> None:
    mine, other = pair
    refunds = [case(mine, "re_1"), case(mine, "re_2", payment_intent_id=None, charge_id="ch_2")]
    payments.put(Refund, mine, refunds, "id")
    payments.put(Dispute, mine, [case(mine, "du_1", payment_intent_id="pi_2", reason="fraudulent")], "id")
    payments.put(Dispute, other, [case(other, "du_2", payment_intent_id="pi_3", reason="general")], "id")
    db.session.commit()
    assert payments.with_cases(mine) == {"pi_1", "pi_2", "ch_2"}
    assert [row.reason for row in payments.disputes_of(other)] == ["general"]
