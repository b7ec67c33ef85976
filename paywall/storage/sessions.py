"""Rows of signed-in browsers."""

from datetime import datetime

from sqlalchemy import select, update

from paywall.storage.database import db, new_id
from paywall.storage.models import Reader, ReaderSession


def create(reader_id: str, hashed: str, method: str, now: datetime, expires_at: datetime) -> str:
    """Adds a session and returns its id. Commits nothing."""
    row = ReaderSession(
        id=new_id("ses"), secret_hash=hashed, reader_id=reader_id, method=method, created_at=now, expires_at=expires_at
    )
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


def is_live(session_id: str, reader_id: str, now: datetime) -> bool:
    """Whether the session exists, belongs to the reader, and neither ended nor expired."""
    query = select(ReaderSession.id).where(
        ReaderSession.id == session_id,
        ReaderSession.reader_id == reader_id,
        ReaderSession.ended_at.is_(None),
        ReaderSession.expires_at > now,
    )
    return db.session.scalar(query) is not None


def end(session_id: str, now: datetime) -> None:
    """Ends a session; its tokens are refused by the caller's revocation. Commits nothing."""
    live = ReaderSession.id == session_id, ReaderSession.ended_at.is_(None)
    db.session.execute(update(ReaderSession).where(*live).values(ended_at=now))


def end_unproved(reader_id: str, now: datetime) -> None:
    """Ends the reader's sessions that only a payment opened: not for them is a role. Commits nothing."""
    live = ReaderSession.reader_id == reader_id, ReaderSession.method == "checkout", ReaderSession.ended_at.is_(None)
    db.session.execute(update(ReaderSession).where(*live).values(ended_at=now))
