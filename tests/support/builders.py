"""Rows with sensible defaults; a test names only what it is about. Nothing is committed before ``save``."""

import itertools
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient

from paywall import sessions
from paywall.domain.entitlements import Reason, Terms
from paywall.storage import sessions as session_rows
from paywall.storage.database import db, new_id
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import Entitlement, Reader, Subscription

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # noon in New York
DAY = timedelta(days=1)

_numbers = itertools.count(1)


def save(*rows: object) -> None:
    """Commits what was made, and further rows."""
    db.session.add_all(rows)
    db.session.commit()


def make_reader(email: str | None = "", *, role: str | None = None, now: datetime = NOW, **columns) -> Reader:
    """A reader with a verified address of their own; ``email=None`` for one without."""
    if email == "":
        email = f"reader{next(_numbers)}@example.org"
    compared = email.casefold() if email else None
    values = {"generation": 1, "email_verified_at": now if email else None, "created_at": now, **columns}
    row = Reader(id=new_id("rdr"), email=email, email_normalised=compared, role=role, **values)
    db.session.add(row)
    db.session.flush()
    return row


def make_subscription(reader: Reader | None = None, *, now: datetime = NOW, **columns) -> Subscription:
    """An active subscription to the annual plan that began a month ago."""
    values = {
        "id": f"sub_{next(_numbers):08}",
        "reader_id": (reader or make_reader(now=now)).id,
        "plan": "annual",
        "status": "active",
        "customer_id": f"cus_{next(_numbers):08}",
        "price_id": "price_annual",
        "amount": 10000,
        "currency": "usd",
        "current_period_end": now + 335 * DAY,
        "cancels_at_period_end": False,
        "created_at": now - 30 * DAY,
        "synced_at": now,
        **columns,
    }
    row = Subscription(**values)
    db.session.add(row)
    db.session.flush()
    return row


def make_terms(now: datetime = NOW, **changes) -> Terms:
    """Terms of a paid year that began a month ago and renews."""
    terms = Terms(now - 30 * DAY, now + 335 * DAY, now + 338 * DAY, Reason.PERIOD_OVER, renews=True)
    return replace(terms, **changes)


def make_entitlement(
    reader: Reader | None = None, terms: Terms | None = None, *, now: datetime = NOW, **columns
) -> Entitlement:
    """An entitlement with these terms (default: a paid year), decided at ``now``; its columns may be overruled."""
    terms = terms or make_terms(now)
    state, reason = terms.explain(now)
    values = {
        "id": new_id("ent"),
        "reader_id": (reader or make_reader(now=now)).id,
        "plan": "annual",
        "source": "subscription",
        "source_id": f"sub_{next(_numbers):08}",
        **asdict(terms),
        "state": state,
        "reason": reason,
        "created_at": terms.starts_at or now,
        "decided_at": now,
        **columns,
    }
    row = Entitlement(**values)
    db.session.add(row)
    db.session.flush()
    return row


def sign_in(client: FlaskClient, reader: Reader, *, method: str = "link", now: datetime = NOW) -> None:
    """Gives the browser a session of the reader, as if signed in by a link (or by ``checkout``)."""
    client.set_cookie(sessions.SESSION_COOKIE, open_session(reader, method=method, now=now))


def open_session(reader: Reader, *, method: str = "link", now: datetime = NOW) -> str:
    """A session of the reader, committed; returns the secret that its cookie carries."""
    secret = f"secret-{next(_numbers)}"
    session_rows.create(reader.id, sha256_hex(secret), method, now, now + 180 * DAY)
    db.session.commit()
    return secret
