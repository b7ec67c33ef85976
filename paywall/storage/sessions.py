"""Rows of signed-in browsers."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import or_, select, update

from paywall.storage.database import db, new_id
from paywall.storage.models import Reader, ReaderSession


def create(
    reader_id: str,
    hashed: str,
    method: str,
    now: datetime,
    expires_at: datetime,
    label: str | None = None,
    seen_on: date | None = None,
) -> str:
    """Adds a session and returns its id. Commits nothing.

    ``label`` names its browser for people; ``seen_on`` is today in the newsroom's zone.
    """
    times = {"created_at": now, "expires_at": expires_at, "seen_on": seen_on}
    row = ReaderSession(id=new_id("ses"), secret_hash=hashed, reader_id=reader_id, method=method, label=label, **times)
    db.session.add(row)
    db.session.flush()
    return row.id


def find_live(hashed: str, now: datetime) -> tuple[ReaderSession, Reader] | None:
    """The session with this secret and its reader, unless it ended or expired."""
    query = (
        select(ReaderSession, Reader)
        .join(Reader, Reader.id == ReaderSession.reader_id)
        .where(ReaderSession.secret_hash == hashed, ReaderSession.ended_at.is_(None), ReaderSession.expires_at > now)
    )
    row = db.session.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


def live(session_id: str, reader_id: str, now: datetime) -> ReaderSession | None:
    """The session, if it belongs to the reader and neither ended nor expired."""
    query = select(ReaderSession).where(
        ReaderSession.id == session_id,
        ReaderSession.reader_id == reader_id,
        ReaderSession.ended_at.is_(None),
        ReaderSession.expires_at > now,
    )
    return db.session.scalar(query)


def live_of(reader_id: str, now: datetime) -> list[ReaderSession]:
    """The sessions in which a reader is signed in, the newest first."""
    live = ReaderSession.reader_id == reader_id, ReaderSession.ended_at.is_(None), ReaderSession.expires_at > now
    query = select(ReaderSession).where(*live).order_by(ReaderSession.created_at.desc(), ReaderSession.id)
    return list(db.session.scalars(query))


def is_of(session_id: str, reader_id: str) -> bool:
    """Whether this is a session of the reader, live or not."""
    query = select(ReaderSession.id).where(ReaderSession.id == session_id, ReaderSession.reader_id == reader_id)
    return db.session.scalar(query) is not None


def end(session_id: str, now: datetime) -> bool:
    """Ends a session, and says whether it had not ended before. Its tokens are refused by the caller's revocation.

    Commits nothing.
    """
    live = ReaderSession.id == session_id, ReaderSession.ended_at.is_(None)
    ended = update(ReaderSession).where(*live).values(ended_at=now).returning(ReaderSession.id)
    return db.session.scalar(ended) is not None


def end_of(reader_id: str, now: datetime) -> None:
    """Ends all sessions of a reader; their tokens are refused by the caller's revocation. Commits nothing."""
    live = ReaderSession.reader_id == reader_id, ReaderSession.ended_at.is_(None)
    db.session.execute(update(ReaderSession).where(*live).values(ended_at=now))


def end_unproved(reader_id: str, now: datetime) -> list[str]:
    """Ends the reader's sessions that only a payment opened: not for them is a role. Returns their ids.

    Commits nothing.
    """
    live = ReaderSession.reader_id == reader_id, ReaderSession.method == "checkout", ReaderSession.ended_at.is_(None)
    return list(db.session.scalars(update(ReaderSession).where(*live).values(ended_at=now).returning(ReaderSession.id)))


def seen(session_id: str, day: date) -> bool:
    """Notes that a session was used on a day; False where that was noted. Commits nothing."""
    earlier = ReaderSession.id == session_id, or_(ReaderSession.seen_on.is_(None), ReaderSession.seen_on < day)
    noted = update(ReaderSession).where(*earlier).values(seen_on=day).returning(ReaderSession.id)
    return db.session.scalar(noted) is not None


def staff_seen(session_id: str, now: datetime) -> None:
    """Notes when a page for staff was used last. Commits nothing."""
    db.session.execute(update(ReaderSession).where(ReaderSession.id == session_id).values(staff_seen_at=now))


def pass_factor(session_id: str, hashed: str, now: datetime) -> None:
    """Notes a passed second factor, and that the cookie's secret is another one now. Commits nothing."""
    values = {"secret_hash": hashed, "factor_passed_at": now, "staff_seen_at": now}
    db.session.execute(update(ReaderSession).where(ReaderSession.id == session_id).values(**values))


def forget_factor(reader_ids: Collection[str]) -> None:
    """Notes that no session of these readers has passed a second factor. Commits nothing."""
    theirs = update(ReaderSession).where(ReaderSession.reader_id.in_(reader_ids))
    db.session.execute(theirs.values(factor_passed_at=None))


def hand_over(reader_id: str, to: str) -> None:
    """Gives the sessions of a reader, living or not, to another one. Commits nothing."""
    db.session.execute(update(ReaderSession).where(ReaderSession.reader_id == reader_id).values(reader_id=to))
