"""Rows of content services' keys: kept as SHA-256, so that a copy of the database opens nothing."""

import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from paywall.storage.database import db, new_id
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import ServiceKey

PREFIX = "pwk_"
_HINT_CHARS = 10


def add(name: str, now: datetime) -> tuple[ServiceKey, str]:
    """A new key for the service of this name: its row, and the key itself, seen only here. Commits nothing."""
    key = PREFIX + secrets.token_urlsafe(32)
    row = ServiceKey(
        id=new_id("svc"), name=name, key_hash=sha256_hex(key), hint=key[:_HINT_CHARS], created_at=now, revoked_at=None
    )
    db.session.add(row)
    db.session.flush()
    return row, key


def find(key: str, scope: str, now: datetime) -> ServiceKey | None:
    """The live key of this text, if it is for this."""
    mine = ServiceKey.key_hash == sha256_hex(key), ServiceKey.scope == scope
    return db.session.scalar(select(ServiceKey).where(*mine, is_live(now)))


def is_live(now: datetime) -> ColumnElement[bool]:
    """In a query: the key opens something at this moment."""
    return or_(ServiceKey.revoked_at.is_(None), ServiceKey.revoked_at > now)


def every() -> list[ServiceKey]:
    """All keys, the oldest first."""
    return list(db.session.scalars(select(ServiceKey).order_by(ServiceKey.created_at, ServiceKey.id)))


def live(session: Session | None = None) -> list[ServiceKey]:
    """The keys that are not revoked."""
    return list((session or db.session).scalars(select(ServiceKey).where(ServiceKey.revoked_at.is_(None))))


def revoke(id_or_name: str, now: datetime) -> list[ServiceKey]:
    """Revokes the live key of this id, or all live keys of this name; returns their rows. Commits nothing."""
    named = or_(ServiceKey.id == id_or_name, ServiceKey.name == id_or_name)
    rows = list(db.session.scalars(select(ServiceKey).where(named, ServiceKey.revoked_at.is_(None))))
    for row in rows:
        row.revoked_at = now
    db.session.flush()
    return rows
