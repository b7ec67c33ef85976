"""Letters to be mailed: one for one cause, claimed by one sender at a time, without an address once they left."""

from datetime import datetime

from sqlalchemy import Index, Integer, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime, db, insert_if_new, new_id, only


class WaitingLetter(Base):
    """A letter to be mailed, and what became of it. It names a link by its row, and keeps no address once it left."""

    __tablename__ = "letters"
    __table_args__ = (Index("ix_letters_next_try_at", "next_try_at", **only("done_at IS NULL")),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    cause: Mapped[str] = mapped_column(String(80), unique=True)  # what it answers: one letter for one cause
    kind: Mapped[str] = mapped_column(String(40))
    to: Mapped[str | None] = mapped_column(String(320))
    link_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    next_try_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    outcome: Mapped[str | None] = mapped_column(String(80))  # sent, void, given_up; before: the newest failure


def add(kind: str, to: str, cause: str, now: datetime, link_id: str | None = None) -> bool:
    """Adds a letter that is due at once; False where its cause already has one. Commits nothing."""
    values = {
        "id": new_id("let"),
        "cause": cause,
        "kind": kind,
        "to": to,
        "link_id": link_id,
        "created_at": now,
        "next_try_at": now,
        "attempts": 0,
    }
    return insert_if_new(WaitingLetter, ["cause"], values)


def due(now: datetime, limit: int) -> list[str]:
    """The ids of letters to try now, the oldest first."""
    query = select(WaitingLetter.id).where(WaitingLetter.done_at.is_(None), WaitingLetter.next_try_at <= now)
    return list(db.session.scalars(query.order_by(WaitingLetter.created_at, WaitingLetter.id).limit(limit)))


def claim(letter_id: str, now: datetime, until: datetime) -> WaitingLetter | None:
    """Takes a due letter for one sender alone until ``until``; None if another was faster. Commits nothing."""
    still_due = (
        WaitingLetter.id == letter_id,
        WaitingLetter.done_at.is_(None),
        WaitingLetter.next_try_at <= now,
    )
    statement = update(WaitingLetter).where(*still_due).returning(WaitingLetter)
    return db.session.scalar(
        statement.values(next_try_at=until, attempts=WaitingLetter.attempts + 1),
        execution_options={"populate_existing": True},
    )


def postpone(letter_id: str, until: datetime, why: str) -> None:
    """Notes a failure; the letter is due again at ``until``. Commits nothing."""
    _change(letter_id, next_try_at=until, outcome=why)


def finish(letter_id: str, outcome: str, now: datetime) -> None:
    """Notes that nothing more is to be done, and forgets the address. Commits nothing."""
    _change(letter_id, done_at=now, outcome=outcome, to=None)


def waiting() -> int:
    """How many letters have not left."""
    query = select(func.count()).select_from(WaitingLetter).where(WaitingLetter.done_at.is_(None))
    return db.session.scalar(query) or 0


def _change(letter_id: str, **values: object) -> None:
    db.session.execute(
        update(WaitingLetter).where(WaitingLetter.id == letter_id, WaitingLetter.done_at.is_(None)).values(**values)
    )
