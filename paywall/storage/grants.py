"""Grants: access that staff gave free of charge. What each gives stands among the entitlements, of source ``comp``."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from paywall.domain.grants import GrantFacts
from paywall.storage.database import Base, UTCDateTime, db, new_id

SOURCE = "comp"


class Grant(Base):
    """One grant; who gave it and why stands among the actions of staff. Written by people/granting alone."""

    __tablename__ = "grants"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)
    plan: Mapped[str] = mapped_column(String(40))
    given_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # before its time

    @property
    def facts(self) -> GrantFacts:
        """As the rule takes it."""
        return GrantFacts(self.given_at, self.until, self.ended_at)


def add(reader_id: str, plan: str, given_at: datetime, until: datetime) -> Grant:
    """A new grant. Commits nothing."""
    row = Grant(id=new_id("grt"), reader_id=reader_id, plan=plan, given_at=given_at, until=until)
    db.session.add(row)
    db.session.flush()
    return row


def get(grant_id: str) -> Grant | None:
    """The grant with this id, as the database has it now."""
    return db.session.get(Grant, grant_id, populate_existing=True)


def lock(grant_id: str) -> Grant | None:
    """The same, and nobody else changes it until the transaction ends."""
    return db.session.get(Grant, grant_id, with_for_update=True, populate_existing=True)


def of_readers(ids: Collection[str]) -> list[Grant]:
    """All grants of these readers, the earliest first."""
    query = select(Grant).where(Grant.reader_id.in_(ids)).order_by(Grant.given_at, Grant.id)
    return list(db.session.scalars(query))


def hand_over(reader_id: str, to: str) -> list[Grant]:
    """Gives the grants of a reader to another one, and returns them. Only billing/moving may. Commits nothing."""
    change = update(Grant).where(Grant.reader_id == reader_id).values(reader_id=to).returning(Grant)
    return list(db.session.scalars(change, execution_options={"populate_existing": True}))
