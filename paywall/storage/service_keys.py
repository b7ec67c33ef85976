"""Rows of content services' keys: kept as SHA-256, so that a copy of the database opens nothing."""

import secrets
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BindParameter, ColumnElement, bindparam, or_, select
from sqlalchemy.orm import Session

from paywall.storage.database import db, new_id
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import ServiceKey

PREFIX = "pwk_"
_HINT_CHARS = 10


class Scope(StrEnum):
    """What a key is for; each opens nothing else."""

    VERIFY = "verify"  # tokens are checked and renewed with it
    REPORTS = "reports"  # figures are read with it, without identities


def add(name: str, now: datetime, scope: str = Scope.VERIFY) -> tuple[ServiceKey, str]:
    """A new key for the service of this name: its row, and the key itself, seen only here. Commits nothing."""
    key = PREFIX + secrets.token_urlsafe(32)
    hint = key[:_HINT_CHARS]
    row = ServiceKey(
        id=new_id("svc"), name=name, key_hash=sha256_hex(key), hint=hint, scope=scope, created_at=now, revoked_at=None
    )
    db.session.add(row)
    db.session.flush()
    return row, key


def find(key: str, scope: Scope, now: datetime) -> ServiceKey | None:
    """The live key of this text, if it is for this."""
    mine = ServiceKey.key_hash == sha256_hex(key), ServiceKey.scope == scope
    return db.session.scalar(select(ServiceKey).where(*mine, is_live(now)))


def get(key_id: str) -> ServiceKey | None:
    """The key of this id, as the database has it now; locked until the transaction ends."""
    query = select(ServiceKey).where(ServiceKey.id == key_id).with_for_update()
    return db.session.scalar(query, execution_options={"populate_existing": True})


def is_live(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """In a query: the key opens something at this moment. One that was replaced does for a while."""
    return or_(ServiceKey.revoked_at.is_(None), ServiceKey.revoked_at > now)


def every() -> list[ServiceKey]:
    """All keys, the oldest first."""
    return list(db.session.scalars(select(ServiceKey).order_by(ServiceKey.created_at, ServiceKey.id)))


# made once, as every worker asks it twice a second
_LIVE = select(ServiceKey).where(is_live(bindparam("now")), ServiceKey.scope == Scope.VERIFY)


def live(now: datetime, session: Session | None = None) -> list[ServiceKey]:
    """The keys by which tokens may be checked at this moment."""
    return list((session or db.session).scalars(_LIVE, {"now": now}))


def revoke(id_or_name: str, now: datetime) -> list[ServiceKey]:
    """Revokes the live key of this id, or all live keys of this name; returns their rows. Commits nothing."""
    named = or_(ServiceKey.id == id_or_name, ServiceKey.name == id_or_name)
    rows = list(db.session.scalars(select(ServiceKey).where(named, is_live(now))))
    for row in rows:
        row.revoked_at = now
    db.session.flush()
    return rows
