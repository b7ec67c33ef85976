"""Erasures of readers: how far each has come, so that whoever is interrupted is carried on."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, select, update
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime, db, insert_if_new, new_id, only

BEGUN, CANCELLED, DONE = "begun", "cancelled", "done"


class Erasure(Base):
    """A reader who is erased, or was: no name and no address, so it stays."""

    __tablename__ = "erasures"
    __table_args__ = (Index("ix_erasures_undone", "asked_at", **only("done_at IS NULL")),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), unique=True)
    asked_by: Mapped[str] = mapped_column(String(20))  # reader, staff, command
    stage: Mapped[str] = mapped_column(String(20))  # begun; cancelled: nothing is left at Stripe; done
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def begin(reader_id: str, asked_by: str, now: datetime) -> Erasure:
    """The erasure of the reader, from now on unless it was begun before. Commits nothing."""
    values = {"reader_id": reader_id, "asked_by": asked_by, "stage": BEGUN, "asked_at": now}
    insert_if_new(Erasure, ["reader_id"], {"id": new_id("era"), **values})
    return db.session.scalars(select(Erasure).where(Erasure.reader_id == reader_id)).one()


def get(erasure_id: str) -> Erasure:
    """The erasure with this id, as the database has it now."""
    return db.session.get_one(Erasure, erasure_id, populate_existing=True)


def of_reader(reader_id: str) -> Erasure | None:
    """The reader's erasure, begun or done."""
    query = select(Erasure).where(Erasure.reader_id == reader_id)
    return db.session.scalar(query, execution_options={"populate_existing": True})


def is_begun(reader_id: str) -> bool:
    """Whether the reader is being erased, or was."""
    return db.session.scalar(select(Erasure.id).where(Erasure.reader_id == reader_id)) is not None


def undone(limit: int) -> list[str]:
    """The erasures that have not come to their end, the oldest first."""
    query = select(Erasure.id).where(Erasure.done_at.is_(None)).order_by(Erasure.asked_at, Erasure.id)
    return list(db.session.scalars(query.limit(limit)))


def advance(erasure_id: str, stage: str, now: datetime) -> bool:
    """Notes the stage that was reached; False where it is done already. Commits nothing."""
    open_ = Erasure.id == erasure_id, Erasure.done_at.is_(None)
    change = update(Erasure).where(*open_).values(stage=stage, done_at=now if stage == DONE else None)
    return db.session.scalar(change.returning(Erasure.id)) is not None
