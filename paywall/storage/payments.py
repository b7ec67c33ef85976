"""Rows of money: paid invoices, what paid them, refunds, disputes; and the way from any of them to its subscription."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, delete, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime, by_letter, db, insert_for


class Payment(Base):
    """A paid invoice and the period that it paid for."""

    __tablename__ = "payments"
    __table_args__ = (
        Index("ix_payments_invoice_id_by_letter", "invoice_id", **by_letter("invoice_id")),
        Index("ix_payments_number", "number", **by_letter("number")),
        Index("ix_payments_receipt_number", "receipt_number", **by_letter("receipt_number")),
    )

    invoice_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    amount: Mapped[int] = mapped_column(Integer)  # minor units, as paid
    tax: Mapped[int] = mapped_column(Integer, default=0)  # minor units, within the amount
    currency: Mapped[str] = mapped_column(String(3))
    period_start: Mapped[datetime] = mapped_column(UTCDateTime)
    period_end: Mapped[datetime] = mapped_column(UTCDateTime)
    paid_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    number: Mapped[str | None] = mapped_column(String(255))  # the invoice's, as its reader sees it on paper
    receipt_number: Mapped[str | None] = mapped_column(String(255))  # on Stripe's mailed receipt, if one was sent


class InvoicePayment(Base):
    """What paid an invoice, or a part of it: the way back from a charge, a refund or a dispute."""

    __tablename__ = "invoice_payments"
    __table_args__ = (
        Index("ix_invoice_payments_payment_intent_id", "payment_intent_id", **by_letter("payment_intent_id")),
        Index("ix_invoice_payments_charge_id", "charge_id", **by_letter("charge_id")),
    )

    id: Mapped[str] = mapped_column(String(255), primary_key=True)  # inpay_..., or made of what it joins
    invoice_id: Mapped[str] = mapped_column(String(255), index=True)
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    payment_intent_id: Mapped[str | None] = mapped_column(String(255))
    charge_id: Mapped[str | None] = mapped_column(String(255))
    amount: Mapped[int] = mapped_column(Integer)  # minor units


class _Case:
    """What a refund and a dispute have in common."""

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    invoice_id: Mapped[str] = mapped_column(String(255), index=True)
    payment_intent_id: Mapped[str | None] = mapped_column(String(255))
    charge_id: Mapped[str | None] = mapped_column(String(255))
    amount: Mapped[int] = mapped_column(Integer)  # minor units
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(40))  # Stripe's
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)  # at Stripe
    synced_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Refund(_Case, Base):
    """Money given back, or on its way back."""

    __tablename__ = "refunds"
    __table_args__ = (Index("ix_refunds_id_by_letter", "id", **by_letter("id")),)


class Dispute(_Case, Base):
    """A payment that its payer's bank asks about (``warning_...``) or takes back."""

    __tablename__ = "disputes"
    __table_args__ = (Index("ix_disputes_id_by_letter", "id", **by_letter("id")),)

    reason: Mapped[str] = mapped_column(String(100))


def put(table: type[Base], subscription_id: str, rows: Iterable[dict[str, Any]], key: str) -> None:
    """Brings a subscription's rows of one table to these, by their key: all that Stripe has, and no others.

    Only billing/sync may. Commits nothing.
    """
    found = list(rows)
    columns = table.__table__.columns
    gone = columns[key].not_in([row[key] for row in found])
    others = delete(table).where(columns["subscription_id"] == subscription_id, gone)
    db.session.execute(others, execution_options={"synchronize_session": False})
    for row in found:
        statement = insert_for(table).values(**row)
        db.session.execute(statement.on_conflict_do_update(index_elements=[key], set_=row))


def payments_of(*subscription_ids: str) -> list[Payment]:
    """The paid invoices of these subscriptions, the oldest period first."""
    query = select(Payment).where(Payment.subscription_id.in_(subscription_ids))
    return list(db.session.scalars(query.order_by(Payment.period_start, Payment.invoice_id)))


def invoice_payments_of(*subscription_ids: str) -> list[InvoicePayment]:
    """What paid the invoices of these subscriptions."""
    query = select(InvoicePayment).where(InvoicePayment.subscription_id.in_(subscription_ids))
    return list(db.session.scalars(query.order_by(InvoicePayment.id)))


def refunds_of(*subscription_ids: str) -> list[Refund]:
    """The refunds of these subscriptions' payments, in any status, the oldest first."""
    query = select(Refund).where(Refund.subscription_id.in_(subscription_ids))
    return list(db.session.scalars(query.order_by(Refund.created_at, Refund.id)))


def disputes_of(*subscription_ids: str) -> list[Dispute]:
    """The disputes over these subscriptions' payments, in any status, the oldest first."""
    query = select(Dispute).where(Dispute.subscription_id.in_(subscription_ids))
    return list(db.session.scalars(query.order_by(Dispute.created_at, Dispute.id)))


def with_cases(subscription_id: str) -> frozenset[str]:
    """The payments of which a refund or a dispute is known: Stripe is asked about them at every sync.

    Ids of payment intents, or of charges where an old payment has no intent.
    """
    found: list[Refund | Dispute] = [*refunds_of(subscription_id), *disputes_of(subscription_id)]
    return frozenset(name for one in found if (name := one.payment_intent_id or one.charge_id))


def subscription_of(intent_or_charge_id: str) -> str | None:
    """The subscription that a payment intent or a charge paid for, as far as our own rows know."""
    row = InvoicePayment
    named = or_(row.payment_intent_id == intent_or_charge_id, row.charge_id == intent_or_charge_id)
    return db.session.scalar(select(row.subscription_id).where(named).limit(1))


def subscription_of_invoice(invoice_id: str) -> str | None:
    """The subscription that a paid invoice belongs to, as far as our own rows know."""
    return db.session.scalar(select(Payment.subscription_id).where(Payment.invoice_id == invoice_id))
