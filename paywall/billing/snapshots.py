"""Stripe's objects as plain values, reduced to what the service needs; no shape of Stripe's reaches further."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from paywall.domain.entitlements import SubscriptionFacts


@dataclass(frozen=True, slots=True)
class CheckoutOrder:
    """What a Checkout Session is created from; equal orders make equal requests."""

    idempotency_key: str
    checkout_id: str
    reader_id: str
    plan: str
    price_id: str
    email: str | None
    customer_id: str | None
    success_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutSnapshot:
    """A Checkout Session: ``status`` is open, complete or expired; ``payment_status`` paid, unpaid or not required."""

    id: str
    status: str
    payment_status: str
    mode: str
    livemode: bool
    url: str | None
    reader_id: str | None
    checkout_id: str | None
    customer_id: str | None
    subscription_id: str | None

    @property
    def settled(self) -> bool:
        """Whether the buyer is done and owes nothing now."""
        return self.status == "complete" and self.payment_status in ("paid", "no_payment_required")


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    """What paid an invoice, or a part of it (minor units). Without an intent it was a bare charge, or no money."""

    id: str
    intent_id: str | None
    charge_id: str | None
    amount: int


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """A paid invoice of a subscription: minor units (``tax`` is within ``amount``), and the period of its line.

    ``number`` stands on the invoice that the reader sees, ``receipt_number`` on the receipt that Stripe mailed, if any.
    """

    id: str
    amount: int
    currency: str
    period_start: datetime
    period_end: datetime
    paid_at: datetime
    tax: int = 0
    payments: tuple[InvoicePayment, ...] = ()
    number: str | None = None
    receipt_number: str | None = None


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice whose payment failed and that is still owed (minor units); when Stripe tries again, if it does."""

    id: str
    amount: int
    currency: str
    attempts: int
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseSnapshot:
    """What became of an invoice's payment afterwards: minor units; ``status`` is Stripe's."""

    id: str
    invoice_id: str
    intent_id: str | None
    charge_id: str | None
    amount: int
    currency: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RefundSnapshot(CaseSnapshot):
    """Money given back, or on its way."""


@dataclass(frozen=True, slots=True)
class DisputeSnapshot(CaseSnapshot):
    """An inquiry or a dispute, with the ``reason`` that the payer's bank gave."""

    reason: str


@dataclass(frozen=True, slots=True)
class SubscriptionSnapshot:
    """A subscription with its invoices, and what became of their money, as of one fetch.

    ``card_ends_on`` is the last day of the card that the next renewal charges; ``owed`` are invoices that failed.
    """

    id: str
    livemode: bool
    customer_id: str
    product_id: str
    price_id: str
    amount: int
    currency: str
    created_at: datetime
    current_period_end: datetime | None
    reader_id: str | None
    checkout_id: str | None
    facts: SubscriptionFacts
    invoices: tuple[PaidInvoice, ...] = ()
    refunds: tuple[RefundSnapshot, ...] = ()
    disputes: tuple[DisputeSnapshot, ...] = ()
    card_ends_on: date | None = None
    owed: tuple[OpenInvoice, ...] = ()


@dataclass(frozen=True, slots=True)
class EventSnapshot:
    """A verified webhook event: its envelope, and the ids of the objects that it names, by kind."""

    id: str
    type: str
    api_version: str | None
    created_at: datetime
    livemode: bool
    objects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PriceSnapshot:
    """A price: what it costs (minor units), how often, of which product."""

    id: str
    product_id: str
    amount: int | None
    currency: str
    interval: str | None
    tax_behavior: str | None
    active: bool
    lookup_key: str | None
