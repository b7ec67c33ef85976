"""Rows of readers who are staff: named, listed and released by address."""

from datetime import datetime

from sqlalchemy import select

from paywall.storage import readers
from paywall.storage.database import db
from paywall.storage.models import Reader

ROLE = "staff"


def add(email: str, now: datetime) -> Reader:
    """Makes staff of who owns the address or bought under it, else of a new reader. Commits nothing.

    The role belongs to the address: a link mailed there takes it along to whom it signs in.

    Raises BadEmail.
    """
    _, normalised = readers.normalise(email)
    row = readers.to_sign_in(normalised, lambda _reader_id: False) or readers.create(email, now)
    row.role = ROLE
    db.session.flush()
    return row


def everyone() -> list[Reader]:
    """All staff, in the order of their addresses."""
    query = select(Reader).where(Reader.role == ROLE).order_by(Reader.email_normalised, Reader.id)
    return list(db.session.scalars(query))


def remove(email: str) -> int:
    """Takes the role from every reader with this address; returns how many had it. Commits nothing. Raises BadEmail."""
    _, normalised = readers.normalise(email)
    rows = [row for row in everyone() if row.email_normalised == normalised]
    for row in rows:
        row.role = None
    db.session.flush()
    return len(rows)
