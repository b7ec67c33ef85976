"""Rows of readers who are staff: named, listed and released by address."""

from datetime import datetime

from sqlalchemy import select

from paywall.storage import readers
from paywall.storage.database import db
from paywall.storage.models import Reader

ROLE = "staff"


def add(email: str, now: datetime) -> Reader:
    """Makes staff of whom a link mailed to this address signs in; of a new reader if it is nobody. Commits nothing.

    Raises BadEmail.
    """
    _, normalised = readers.normalise(email)
    row = readers.to_sign_in(normalised) or readers.create(email, now)
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
