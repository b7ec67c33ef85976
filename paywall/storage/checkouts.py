"""Rows of checkouts: at most one open for a reader and plan, and for a browser and plan."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from paywall import metrics
from paywall.storage import aliases
from paywall.storage.database import db
from paywall.storage.models import Checkout


def get(checkout_id: str) -> Checkout | None:
    """The checkout with this id."""
    return db.session.get(Checkout, checkout_id)


def by_session(session_id: str) -> Checkout | None:
    """The checkout that a Stripe session was made for."""
    return db.session.scalar(select(Checkout).where(Checkout.session_id == session_id))


def return_of(subscription_id: str) -> str | None:
    """Where the reader came from who bought this subscription."""
    query = select(Checkout.return_to).where(Checkout.subscription_id == subscription_id)
    return db.session.scalar(query.order_by(Checkout.created_at).limit(1))


def open_ones(browser_hash: str, reader_id: str | None, plan: str) -> list[Checkout]:
    """The open checkouts of this browser or this reader for a plan."""
    mine = Checkout.browser_hash == browser_hash
    if reader_id is not None:
        mine = or_(mine, _of(reader_id))
    query = select(Checkout).where(mine, Checkout.plan == plan, Checkout.state == "open")
    return list(db.session.scalars(query.order_by(Checkout.created_at, Checkout.id)))


def open_of(reader_id: str) -> list[Checkout]:
    """All open checkouts of a reader, the oldest first."""
    query = select(Checkout).where(_of(reader_id), Checkout.state == "open")
    return list(db.session.scalars(query.order_by(Checkout.created_at, Checkout.id)))


def open_elsewhere(normalised: str, reader_id: str) -> bool:
    """Whether another reader has an open checkout under the same address."""
    query = select(Checkout.id).where(
        Checkout.email_normalised == normalised, Checkout.state == "open", Checkout.reader_id != reader_id
    )
    return db.session.scalar(query.limit(1)) is not None


def close(checkout_id: str, state: str, now: datetime, **values: Any) -> None:
    """Moves a checkout to ``complete`` or ``expired``; a complete one stays so. Commits nothing."""
    change = update(Checkout).where(Checkout.id == checkout_id, Checkout.state.not_in(("complete", state)))
    moved = db.session.scalar(change.values(state=state, closed_at=now, **values).returning(Checkout.id))
    if moved is not None:
        metrics.CHECKOUTS.labels("paid" if state == "complete" else "abandoned").inc()


def end(checkout_id: str, session_id: str | None, now: datetime) -> bool:
    """Gives up a checkout whose session is ``session_id`` (None: it has none yet); False if that is not so any more.

    Commits nothing.
    """
    known = Checkout.session_id.is_not_distinct_from(session_id)
    change = update(Checkout).where(Checkout.id == checkout_id, Checkout.state == "open", known)
    if db.session.scalar(change.values(state="expired", closed_at=now).returning(Checkout.id)) is not None:
        metrics.CHECKOUTS.labels("abandoned").inc()
        return True
    over = select(Checkout.id).where(Checkout.id == checkout_id, Checkout.state == "expired", known)
    return db.session.scalar(over) is not None


def claim_mail(checkout_id: str, now: datetime) -> bool:
    """Takes the right to mail the buyer's sign-in link; True for the first who asks. Commits nothing."""
    claim = update(Checkout).where(Checkout.id == checkout_id, Checkout.mailed_at.is_(None)).values(mailed_at=now)
    return db.session.execute(claim.returning(Checkout.id)).first() is not None


def claim_sign_in(checkout_id: str, browser_hash: str, used: str) -> bool:
    """Takes the right to be signed in for a payment, by putting ``used`` in the browser's place; True for the first.

    Commits nothing.
    """
    mine = Checkout.id == checkout_id, Checkout.browser_hash == browser_hash
    claim = update(Checkout).where(*mine).values(browser_hash=used)
    return db.session.execute(claim.returning(Checkout.id)).first() is not None


def opened(checkout_id: str, session_id: str, session_url: str) -> bool:
    """Notes the session that Stripe made; False if the checkout was given up meanwhile. Commits nothing."""
    still_open = Checkout.id == checkout_id, Checkout.state == "open"
    change = update(Checkout).where(*still_open).values(session_id=session_id, session_url=session_url)
    return db.session.scalar(change.returning(Checkout.id)) is not None


def _of(reader_id: str) -> ColumnElement[bool]:
    """Whether a checkout is a reader's, or one's for whom the reader stands: Stripe knows it under that id."""
    return or_(Checkout.reader_id == reader_id, Checkout.reader_id.in_(aliases.ids_of(reader_id)))
