"""Readers who turned out to be another one: which row stands for a person since the rows were joined."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Select, select, update
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage import readers
from paywall.storage.database import Base, UTCDateTime, db, only
from paywall.storage.models import Reader


class ReaderAlias(Base):
    """A reader whose things all went over to another one. Stripe's marks, and old entries of the ledger, name it still.

    No alias leads to another alias.
    """

    __tablename__ = "reader_aliases"
    __table_args__ = (Index("ix_reader_aliases_unsettled", "id", **only("settled_at IS NULL")),)

    id: Mapped[str] = mapped_column(ForeignKey("readers.id"), primary_key=True)
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)  # who stands for it
    joined_at: Mapped[datetime] = mapped_column(UTCDateTime)
    # null while Stripe was not asked what the joined subscriptions come to beside each other
    settled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def add(old_id: str, reader_id: str, now: datetime) -> None:
    """From now on ``reader_id`` stands for ``old_id``, and for all for whom that one stood. Commits nothing."""
    mine = update(ReaderAlias).where(ReaderAlias.reader_id == old_id).values(reader_id=reader_id)
    db.session.execute(mine, execution_options={"synchronize_session": False})
    db.session.add(ReaderAlias(id=old_id, reader_id=reader_id, joined_at=now))
    db.session.flush()


def ids_of(reader_id: str) -> Select[str]:
    """The ids for which a reader stands, without its own, as a query."""
    return select(ReaderAlias.id).where(ReaderAlias.reader_id == reader_id)


def of_reader(reader_id: str) -> list[ReaderAlias]:
    """For whom a reader stands, the earliest joined first."""
    query = select(ReaderAlias).where(ReaderAlias.reader_id == reader_id)
    return list(db.session.scalars(query.order_by(ReaderAlias.joined_at, ReaderAlias.id)))


def current_id(reader_id: str) -> str:
    """Who stands for this reader now: mostly the reader itself."""
    return db.session.scalar(select(ReaderAlias.reader_id).where(ReaderAlias.id == reader_id)) or reader_id


def current(reader_id: str) -> Reader | None:
    """The reader who stands for this id now."""
    return readers.get(current_id(reader_id))


def lock(reader: Reader) -> Reader:
    """Locks the person, and returns who stands for it once that is ours: a joining may have been faster.

    What was read of the reader before counts no more: it is read again.
    """
    while True:
        readers.lock_person(reader)
        standing = current_id(reader.id)
        if standing == reader.id:
            db.session.refresh(reader)
            return reader
        reader = db.session.get_one(Reader, standing)


def unsettled(limit: int) -> list[str]:
    """Those who were joined and for whose subscriptions Stripe was not asked since."""
    query = select(ReaderAlias.id).where(ReaderAlias.settled_at.is_(None))
    return list(db.session.scalars(query.order_by(ReaderAlias.id).limit(limit)))


def settle(alias_id: str, now: datetime) -> None:
    """Notes that Stripe was asked. Commits nothing."""
    db.session.execute(update(ReaderAlias).where(ReaderAlias.id == alias_id).values(settled_at=now))
