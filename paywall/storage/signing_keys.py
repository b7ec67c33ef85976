"""Rows of signing keys; their private parts arrive here encrypted."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from paywall.storage.database import db
from paywall.storage.models import SigningKey

# made once, as every worker asks it twice a second
_EVERY = select(SigningKey).order_by(SigningKey.signs_from.desc(), SigningKey.created_at.desc(), SigningKey.kid)
_LOCK = 0x7061796B  # any number that no other advisory lock of this database uses


def lock() -> None:
    """Keeps everybody else from making or removing keys until the transaction ends.

    On SQLite the writing transaction itself is the lock.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def add(kid: str, public_key: str, private_key: str, now: datetime, signs_from: datetime) -> SigningKey:
    """Adds a key: the public part as base64url, the private part as encrypted text. Commits nothing."""
    row = SigningKey(
        kid=kid, public_key=public_key, private_key=private_key, created_at=now, signs_from=signs_from, retired_at=None
    )
    db.session.add(row)
    db.session.flush()
    return row


def get(kid: str) -> SigningKey | None:
    """The key of this id."""
    return db.session.get(SigningKey, kid)


def every(session: Session | None = None) -> list[SigningKey]:
    """All keys, those that sign the latest first."""
    return list((session or db.session).scalars(_EVERY))


def signing(now: datetime) -> SigningKey | None:
    """The key that signs at this moment: the newest that has begun to and is not retired."""
    return next((row for row in every() if row.retired_at is None and row.signs_from <= now), None)


def delete(row: SigningKey) -> None:
    """Removes a key as if it had never been. Commits nothing."""
    db.session.delete(row)
    db.session.flush()
