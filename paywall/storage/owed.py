"""Invoices whose payment failed and that can still be paid: what is owed, how often it was tried, when it is again."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime
from paywall.storage.models import LedgerEntry


class Owed(Base):
    """An open invoice that was tried at least once; the row goes when it is paid or given up. Written by sync alone."""

    __tablename__ = "owed"

    invoice_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    amount: Mapped[int] = mapped_column(Integer)  # minor units that are left to pay
    currency: Mapped[str] = mapped_column(String(3))
    attempts: Mapped[int] = mapped_column(Integer)
    next_try_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # null: Stripe has given up trying


# failed renewals of a stretch of time: few entries among many; all of one failure have the same paid_until
Index(
    "ix_ledger_dunning",
    LedgerEntry.paid_until,
    LedgerEntry.entitlement_id,
    sqlite_where=text("in_dunning = 1"),
    postgresql_where=text("in_dunning"),
)
