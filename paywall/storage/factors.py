"""Rows of second factors: a sealed secret for each member of staff, its last used step, and recovery codes."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, Integer, Select, String, Text, case, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage import sessions
from paywall.storage.database import Base, UTCDateTime, db


class SecondFactor(Base):
    """The secret that somebody's app makes codes of, encrypted; it counts once a first code confirmed it."""

    __tablename__ = "second_factors"

    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), primary_key=True)
    secret: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_step: Mapped[int | None] = mapped_column(BigInteger)  # of the newest code that was used
    tries: Mapped[int] = mapped_column(Integer, default=0)  # codes typed since then, right or wrong
    tries_since: Mapped[datetime] = mapped_column(UTCDateTime)


class RecoveryCode(Base):
    """A code for whoever lost the app: good once, kept as its SHA-256 (hex)."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


def get(reader_id: str) -> SecondFactor | None:
    """The reader's factor as the database has it now, confirmed or not."""
    return db.session.get(SecondFactor, reader_id, populate_existing=True)


def confirmed() -> Select[str]:
    """Who has set a second factor up, as a query."""
    return select(SecondFactor.reader_id).where(SecondFactor.confirmed_at.is_not(None))


def is_confirmed(reader_id: str) -> bool:
    """Whether the reader has set a second factor up."""
    return db.session.scalar(confirmed().where(SecondFactor.reader_id == reader_id)) is not None


def begin(reader_id: str, sealed: str, now: datetime) -> None:
    """Keeps the secret of a factor that is being set up, in place of one that was not confirmed. Commits nothing."""
    unconfirmed = SecondFactor.reader_id == reader_id, SecondFactor.confirmed_at.is_(None)
    db.session.execute(delete(SecondFactor).where(*unconfirmed))
    db.session.add(SecondFactor(reader_id=reader_id, secret=sealed, created_at=now, tries=0, tries_since=now))
    db.session.flush()


def confirm(reader_id: str, now: datetime) -> bool:
    """From now on the factor counts; False where it did before, or is gone. Commits nothing."""
    mine = SecondFactor.reader_id == reader_id, SecondFactor.confirmed_at.is_(None)
    done = update(SecondFactor).where(*mine).values(confirmed_at=now).returning(SecondFactor.reader_id)
    return db.session.scalar(done) is not None


def replace(reader_id: str, old: str, sealed: str, step: int, now: datetime) -> bool:
    """Puts another secret in place of ``old``, its code of ``step`` used up; False where ``old`` is not there any more.

    What sessions had proved goes with the old one. Commits nothing.
    """
    row = SecondFactor
    values = {"secret": sealed, "created_at": now, "confirmed_at": now, "last_step": step, "tries": 0}
    mine = row.reader_id == reader_id, row.secret == old, row.confirmed_at.is_not(None)
    changed = update(row).where(*mine).values(**values, tries_since=now).returning(row.reader_id)
    if db.session.scalar(changed) is None:
        return False
    sessions.forget_factor([reader_id])
    return True


def take_try(reader_id: str, now: datetime, most: int, span: timedelta) -> bool:
    """Counts one typed code; False where ``most`` were typed since ``span`` ago. Commits nothing."""
    row = SecondFactor
    over = row.tries_since <= now - span
    counted = {
        "tries": case((over, 1), else_=row.tries + 1),
        "tries_since": case((or_(over, row.tries == 0), now), else_=row.tries_since),
    }
    taken = update(row).where(row.reader_id == reader_id, or_(over, row.tries < most)).values(**counted)
    return db.session.scalar(taken.returning(row.reader_id)) is not None


def take_step(reader_id: str, step: int) -> bool:
    """Uses the code of this step up, and forgets the tries; False where it or a later one was used. Commits nothing."""
    row = SecondFactor
    unused = row.reader_id == reader_id, or_(row.last_step.is_(None), row.last_step < step)
    return (
        db.session.scalar(update(row).where(*unused).values(last_step=step, tries=0).returning(row.reader_id))
        is not None
    )


def take_recovery(reader_id: str, hashed: str, now: datetime) -> bool:
    """Uses a recovery code up, and forgets the tries; False where it is none, or was used. Commits nothing."""
    row = RecoveryCode
    mine = row.reader_id == reader_id, row.code_hash == hashed, row.used_at.is_(None)
    if db.session.scalar(update(row).where(*mine).values(used_at=now).returning(row.code_hash)) is None:
        return False
    db.session.execute(update(SecondFactor).where(SecondFactor.reader_id == reader_id).values(tries=0))
    return True


def replace_recovery(reader_id: str, hashes: Collection[str]) -> None:
    """Gives the reader these recovery codes in place of all others. Commits nothing."""
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.reader_id == reader_id))
    db.session.add_all(RecoveryCode(code_hash=one, reader_id=reader_id) for one in hashes)
    db.session.flush()


def recovery_left(reader_id: str) -> int:
    """How many recovery codes the reader has left."""
    unused = RecoveryCode.reader_id == reader_id, RecoveryCode.used_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


def every() -> list[SecondFactor]:
    """All factors, in the order of their readers."""
    return list(db.session.scalars(select(SecondFactor).order_by(SecondFactor.reader_id)))


def forget(reader_ids: Collection[str]) -> bool:
    """Takes the factor and the recovery codes of readers away; says whether there were any. Commits nothing.

    What their sessions had proved goes with it: it must not count for a factor that is set up later.
    """
    sessions.forget_factor(reader_ids)
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.reader_id.in_(reader_ids)))
    gone = delete(SecondFactor).where(SecondFactor.reader_id.in_(reader_ids)).returning(SecondFactor.reader_id)
    return db.session.scalar(gone) is not None
