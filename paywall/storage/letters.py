"""Letters to be mailed: one for one cause, claimed by one sender at a time, without an address once they left."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, Integer, String, func, null, select, update
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime, db, insert_if_new, new_id, only


class WaitingLetter(Base):
    """A letter to be mailed, and what became of it. It names a link by its row, and keeps no address once it left."""

    __tablename__ = "letters"
    __table_args__ = (Index("ix_letters_next_try_at", "next_try_at", **only("done_at IS NULL")),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    cause: Mapped[str] = mapped_column(String(400), unique=True)  # what it answers: one letter for one cause
    kind: Mapped[str] = mapped_column(String(40))
    to: Mapped[str | None] = mapped_column(String(320))
    link_id: Mapped[str | None] = mapped_column(String(40))
    reader_id: Mapped[str | None] = mapped_column(String(40), index=True)  # whom it is about, if anybody we know
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # what it tells; never an address
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    next_try_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    outcome: Mapped[str | None] = mapped_column(String(80))  # sent, void, given_up; before: the newest failure


def add(
    kind: str,
    to: str,
    cause: str,
    now: datetime,
    link_id: str | None = None,
    reader_id: str | None = None,
    facts: Mapping[str, Any] | None = None,
    due_at: datetime | None = None,
) -> bool:
    """Adds a letter that is due at once, or at ``due_at``; False where its cause already has one. Commits nothing.

    ``facts`` are what JSON can hold, without any address.
    """
    values = {
        "id": new_id("let"),
        "cause": cause,
        "kind": kind,
        "to": to,
        "link_id": link_id,
        "reader_id": reader_id,
        "facts": dict(facts) if facts is not None else null(),
        "created_at": now,
        "next_try_at": due_at or now,
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
    """Notes that nothing more is to be done, and forgets the address and the facts. Commits nothing."""
    _change(letter_id, done_at=now, outcome=outcome, to=None, facts=null())


def drop_of(reader_id: str, now: datetime) -> None:
    """Drops the letters about a reader that have not left. Commits nothing."""
    mine = WaitingLetter.reader_id == reader_id, WaitingLetter.done_at.is_(None)
    values = {"done_at": now, "outcome": "void", "to": None, "facts": null()}
    db.session.execute(update(WaitingLetter).where(*mine).values(**values))


def hand_over(reader_id: str, to: str) -> None:
    """The letters about a reader are about another one from now on. Commits nothing."""
    db.session.execute(update(WaitingLetter).where(WaitingLetter.reader_id == reader_id).values(reader_id=to))


def readdress(reader_id: str, old: str, new: str) -> None:
    """The letters about a reader that still wait for the old address go to the new one. Commits nothing."""
    mine = WaitingLetter.reader_id == reader_id, WaitingLetter.to == old, WaitingLetter.done_at.is_(None)
    db.session.execute(update(WaitingLetter).where(*mine).values(to=new))


def newer(row: WaitingLetter, prefix: str) -> bool:
    """Whether a later cause that begins like this has a letter: what follows in it sorts by time."""
    cause = WaitingLetter.cause
    later = cause.startswith(prefix, autoescape=True), cause > row.cause
    return db.session.scalar(select(WaitingLetter.id).where(*later).limit(1)) is not None


def has(cause: str) -> bool:
    """Whether the cause has a letter, waiting or gone."""
    return db.session.scalar(select(WaitingLetter.id).where(WaitingLetter.cause == cause)) is not None


def oldest_waiting() -> datetime | None:
    """When the oldest letter was posted that has not left."""
    return db.session.scalar(select(func.min(WaitingLetter.created_at)).where(WaitingLetter.done_at.is_(None)))


def waiting_by_kind() -> dict[str, int]:
    """How many letters of each kind have not left."""
    kind = WaitingLetter.kind
    query = select(kind, func.count()).where(WaitingLetter.done_at.is_(None)).group_by(kind)
    return dict(iter(db.session.execute(query)))


def done_since(moment: datetime) -> dict[tuple[str, str], int]:
    """How many letters were done with since then, by kind and outcome."""
    row = WaitingLetter
    query = select(row.kind, row.outcome, func.count()).where(row.done_at >= moment).group_by(row.kind, row.outcome)
    return {(kind, outcome or ""): count for kind, outcome, count in db.session.execute(query)}


def waiting() -> int:
    """How many letters have not left."""
    query = select(func.count()).select_from(WaitingLetter).where(WaitingLetter.done_at.is_(None))
    return db.session.scalar(query) or 0


def _change(letter_id: str, **values: object) -> None:
    db.session.execute(
        update(WaitingLetter).where(WaitingLetter.id == letter_id, WaitingLetter.done_at.is_(None)).values(**values)
    )
