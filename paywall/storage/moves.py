"""Purchases that staff moved to another reader: who had it, who has it, and why."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime, db, new_id


class PurchaseMove(Base):
    """One move. Its id is the cause that the ledger names."""

    __tablename__ = "purchase_moves"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    subscription_id: Mapped[str] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    from_reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)
    to_reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)
    reason: Mapped[str | None] = mapped_column(Text)  # in staff's words; forgotten with either reader
    moved_at: Mapped[datetime] = mapped_column(UTCDateTime)


def add(subscription_id: str, from_id: str, to_id: str, reason: str, now: datetime) -> str:
    """Notes a move and returns its id. Commits nothing."""
    values = {"subscription_id": subscription_id, "from_reader_id": from_id, "to_reader_id": to_id}
    row = PurchaseMove(id=new_id("mov"), **values, reason=reason, moved_at=now)
    db.session.add(row)
    db.session.flush()
    return row.id


def of_subscription(subscription_id: str) -> list[PurchaseMove]:
    """The moves of a purchase, the earliest first."""
    query = select(PurchaseMove).where(PurchaseMove.subscription_id == subscription_id)
    return list(db.session.scalars(query.order_by(PurchaseMove.moved_at, PurchaseMove.id)))
