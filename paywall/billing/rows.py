"""A snapshot of a subscription as rows of our tables."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from paywall.billing.snapshots import DisputeSnapshot, OpenInvoice, PaidInvoice, RefundSnapshot, SubscriptionSnapshot
from paywall.storage.database import Base
from paywall.storage.owed import Owed
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund

Row = dict[str, Any]


def subscription(snapshot: SubscriptionSnapshot, reader_id: str, plan: str, now: datetime) -> Row:
    """The row of the subscription itself."""
    own = {"id": snapshot.id, "reader_id": reader_id, "plan": plan, "synced_at": now}
    return own | described(snapshot) | {"card_ends_on": snapshot.card_ends_on}


def described(snapshot: SubscriptionSnapshot) -> Row:
    """What Stripe's list, too, says of the subscription, under the names of our columns."""
    facts = snapshot.facts
    return {
        "status": facts.status,
        "customer_id": snapshot.customer_id,
        "price_id": snapshot.price_id,
        "amount": snapshot.amount,
        "currency": snapshot.currency,
        "current_period_end": snapshot.current_period_end,
        "cancel_at": facts.cancel_at,
        "cancels_at_period_end": facts.cancels_at_period_end,
        "ended_at": facts.ended_at,
        "created_at": snapshot.created_at,
    }


def money(snapshot: SubscriptionSnapshot, now: datetime) -> Iterator[tuple[type[Base], list[Row], str]]:
    """The rows of its money: for each table the rows and the name of their key."""
    own = {"subscription_id": snapshot.id}
    yield Payment, [_payment(one) | own for one in snapshot.invoices], "invoice_id"
    yield InvoicePayment, [row | own for one in snapshot.invoices for row in _paid_by(one)], "id"
    yield Refund, [_case(one) | own | {"synced_at": now} for one in snapshot.refunds], "id"
    disputes = [_case(one) | {"reason": one.reason} for one in snapshot.disputes]
    yield Dispute, [row | own | {"synced_at": now} for row in disputes], "id"
    yield Owed, [_owed(one) | own for one in snapshot.owed], "invoice_id"


def _payment(invoice: PaidInvoice) -> Row:
    return {
        "invoice_id": invoice.id,
        "amount": invoice.amount,
        "tax": invoice.tax,
        "currency": invoice.currency,
        "period_start": invoice.period_start,
        "period_end": invoice.period_end,
        "paid_at": invoice.paid_at,
        "number": invoice.number,
        "receipt_number": invoice.receipt_number,
    }


def _paid_by(invoice: PaidInvoice) -> Iterator[Row]:
    for one in invoice.payments:
        yield {
            "id": one.id,
            "invoice_id": invoice.id,
            "payment_intent_id": one.intent_id,
            "charge_id": one.charge_id,
            "amount": one.amount,
        }


def _owed(one: OpenInvoice) -> Row:
    return {
        "invoice_id": one.id,
        "amount": one.amount,
        "currency": one.currency,
        "attempts": one.attempts,
        "next_try_at": one.next_try_at,
    }


def _case(one: RefundSnapshot | DisputeSnapshot) -> Row:
    return {
        "id": one.id,
        "invoice_id": one.invoice_id,
        "payment_intent_id": one.intent_id,
        "charge_id": one.charge_id,
        "amount": one.amount,
        "currency": one.currency,
        "status": one.status,
        "created_at": one.created_at,
    }
