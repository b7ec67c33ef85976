"""Rows of readers who are staff: given a role by address, listed, released."""

from datetime import datetime

from sqlalchemy import func, select

from paywall.domain.roles import Role
from paywall.storage import factors, readers
from paywall.storage.database import db
from paywall.storage.models import Reader

_LOCK = 0x73746166  # any number that no other advisory lock of this database uses


def lock() -> None:
    """Keeps everybody else from changing who is staff until the transaction ends, so that one admin is left.

    On SQLite the writing transaction itself is the lock.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def add(email: str, role: Role, now: datetime) -> Reader:
    """Gives the role to who owns the address or bought under it, else to a new reader. Commits nothing.

    The role belongs to the address: a link mailed there takes it along to whom it signs in.

    Raises BadEmail.
    """
    _, normalised = readers.normalise(email)
    row = readers.to_sign_in(normalised, lambda _reader_id: False) or readers.create(email, now)
    row.role = role
    db.session.flush()
    return row


def everyone() -> list[Reader]:
    """All staff, in the order of their addresses."""
    query = select(Reader).where(Reader.role.is_not(None)).order_by(Reader.email_normalised, Reader.id)
    return list(db.session.scalars(query))


def under(email: str) -> list[Reader]:
    """Those of the staff with this address. Raises BadEmail."""
    _, normalised = readers.normalise(email)
    return [row for row in everyone() if row.email_normalised == normalised]


def get(reader_id: str) -> Reader | None:
    """The member of staff with this id, as the database has it now."""
    row = db.session.get(Reader, reader_id, populate_existing=True)
    return row if row is not None and row.role is not None else None


def admins_but(reader_id: str, *, with_factor: bool) -> int:
    """How many other admins could act: they proved their mailbox and, where that is needed, set up a second factor."""
    others = Reader.role == Role.ADMIN, Reader.id != reader_id, Reader.email_verified_at.is_not(None)
    query = select(func.count()).select_from(Reader).where(*others)
    if with_factor:
        query = query.where(Reader.id.in_(factors.confirmed()))
    return db.session.scalar(query) or 0


def release(row: Reader) -> None:
    """Takes the role, and the second factor with it. Commits nothing."""
    row.role = None
    factors.forget([row.id])
    db.session.flush()
