"""Readers with access, made through the tables' own functions."""

from datetime import datetime, timedelta

from paywall.domain.entitlements import Reason, Terms
from paywall.storage import entitlements, readers, sessions
from paywall.storage.database import db, new_id
from paywall.storage.hashing import sha256_hex
from paywall.tokens import issuer, keyring


def reader(now: datetime) -> str:
    """A reader without access; returns the id. Committed."""
    row = readers.create(None, now)
    db.session.commit()
    return row.id


def entitle(reader_id: str, now: datetime, life: timedelta = timedelta(days=365), plan: str = "annual") -> str:
    """Gives the reader what a subscription paid until ``now + life`` gives; returns its id. Committed."""
    source = entitlements.Source("subscription", new_id("sub"), reader_id, plan)
    terms = Terms(now - timedelta(days=1), now + life, now + life, Reason.PERIOD_OVER)
    entitlements.save(source, terms, entitlements.Cause("event", new_id("evt")), now)
    db.session.commit()
    return source.id


def session(reader_id: str, now: datetime, life: timedelta = timedelta(days=30)) -> str:
    """A signed-in browser of the reader; returns the session's id. Committed."""
    session_id = sessions.create(reader_id, sha256_hex(new_id("secret")), "link", now, now + life)
    db.session.commit()
    return session_id


def subscriber(now: datetime) -> tuple[str, str]:
    """A signed-in reader with a year's access, and a key to sign with: reader id, session id. Committed."""
    keyring.ensure(now)
    reader_id = reader(now)
    entitle(reader_id, now)
    return reader_id, session(reader_id, now)


def token(reader_id: str, session_id: str, now: datetime) -> str:
    """An access token of the reader, who must have access. Committed."""
    issued = issuer.issue(reader_id, session_id, now)
    db.session.commit()  # no lock is left that a server in another thread waits for
    assert issued is not None
    return issued.token
