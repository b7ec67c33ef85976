"""What Stripe itself said of whole months: sums of charges, refunds and disputes of ours, and when it was asked."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import BigInteger, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime, begin_read, db
from paywall.storage.payments import Payment


class StripeMonth(Base):
    """One month (``2026-11``, in a time zone) in one currency: minor units, as of ``taken_at``."""

    __tablename__ = "stripe_months"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    zone: Mapped[str] = mapped_column(String(64))  # whose month it is; sums of another zone's month say nothing
    charged: Mapped[int] = mapped_column(BigInteger)
    refunded: Mapped[int] = mapped_column(BigInteger)
    disputed: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)


@dataclass(frozen=True, slots=True)
class Sums:
    """One month in one currency: minor units."""

    month: str
    currency: str
    charged: int
    refunded: int
    disputed: int


def put(months: Collection[str], sums: Iterable[Sums], zone: str, taken_at: datetime) -> None:
    """Keeps what Stripe said of these months in place of what it said before. Commits nothing."""
    db.session.execute(delete(StripeMonth).where(StripeMonth.month.in_(months)))
    db.session.add_all(StripeMonth(**asdict(one), zone=zone, taken_at=taken_at) for one in sums)
    db.session.flush()


def of(months: Collection[str], zone: str) -> list[StripeMonth]:
    """What is known of these months of a time zone."""
    query = select(StripeMonth).where(StripeMonth.month.in_(months), StripeMonth.zone == zone)
    return list(db.session.scalars(query.order_by(StripeMonth.month, StripeMonth.currency)))


def invoices_paid(since: datetime, before: datetime) -> set[str]:
    """The ids of our paid invoices of a stretch of time; in a transaction of its own, as what follows asks Stripe."""
    begin_read()
    query = select(Payment.invoice_id).where(Payment.paid_at >= since, Payment.paid_at < before)
    found = set(db.session.scalars(query))
    db.session.rollback()
    return found
