"""Rows of readers: found by id, by customer, by address; an address is never a link by itself."""

from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import exists, or_, select
from sqlalchemy.exc import IntegrityError

from paywall.domain.lifecycle import LIVE_STATUSES
from paywall.errors import BadRequest
from paywall.storage.database import db, new_id
from paywall.storage.models import Reader, Subscription


class BadEmail(BadRequest):
    """The text is not an address that mail can be sent to."""

    code, title = "bad_email", "That is not an e-mail address"


def normalise(email: str) -> tuple[str, str]:
    """The address as it should be shown, and in the form in which addresses are compared.

    Raises BadEmail, also for letters before the @ that our way of sending cannot carry (RFC 6531): better refused
    before a payment than never reached after it.
    """
    text = email.strip()
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True, allow_smtputf8=False)
    except EmailNotValidError:
        raise BadEmail("Please enter an e-mail address such as name@example.org.") from None
    # not casefold, which takes some mailboxes for others, such as straße@ for strasse@
    return found.normalized, found.normalized.lower()


def create(email: str | None, now: datetime) -> Reader:
    """A new reader, with an unverified address or none. Commits nothing."""
    shown, compared = normalise(email) if email else (None, None)
    row = Reader(id=new_id("rdr"), email=shown, email_normalised=compared, generation=1, created_at=now)
    db.session.add(row)
    db.session.flush()
    return row


def get(reader_id: str) -> Reader | None:
    """The reader with this id."""
    return db.session.get(Reader, reader_id)


def by_customer(customer_id: str) -> Reader | None:
    """The reader who pays as this Stripe customer."""
    return db.session.scalar(select(Reader).where(Reader.customer_id == customer_id))


def verified(normalised: str) -> Reader | None:
    """The one reader who has proved to own this address."""
    query = select(Reader).where(Reader.email_normalised == normalised, Reader.email_verified_at.is_not(None))
    return db.session.scalar(query)


def to_sign_in(normalised: str) -> Reader | None:
    """Whom a link mailed to this address signs in: its verified owner, else a buyer or staff under it, oldest first.

    An owner whose subscription ended gives way to whoever pays under the address now, lest somebody paid and cannot
    read. Whoever opens the link has proved the mailbox, so nobody is signed in by an unverified address.
    """
    owner = verified(normalised)
    paying = live_subscription_of_address(normalised)
    if owner is not None and paying is not None and not _keeps_address(owner):
        return get(paying.reader_id)
    if owner is not None:
        return owner
    bought = exists().where(Subscription.reader_id == Reader.id)
    query = select(Reader).where(Reader.email_normalised == normalised, or_(bought, Reader.role.is_not(None)))
    return db.session.scalar(query.order_by(Reader.created_at, Reader.id).limit(1))


def prove_address(reader: Reader, now: datetime) -> Reader:
    """Marks the reader's address as verified, after a link mailed to it came back. Commits nothing.

    Returns the reader who owns the address from now on: another one, if that one was verified a moment before. An
    owner whose subscription ended loses the mark.
    """
    if reader.email_verified_at is not None:
        return reader
    owner = verified(reader.email_normalised or "")
    if owner is not None and not _keeps_address(owner):
        owner.email_verified_at = None
        db.session.flush()
    try:
        with db.session.begin_nested():
            reader.email_verified_at = now
    except IntegrityError:
        owner = verified(reader.email_normalised or "")
        if owner is None:
            raise
        return owner
    return reader


def _keeps_address(owner: Reader) -> bool:
    return owner.role is not None or live_subscription(owner.id) is not None


def live_subscription(reader_id: str) -> Subscription | None:
    """The reader's oldest subscription that is alive at Stripe."""
    query = select(Subscription).where(Subscription.reader_id == reader_id, Subscription.status.in_(LIVE_STATUSES))
    return db.session.scalar(query.order_by(Subscription.created_at).limit(1))


def live_subscription_of_address(normalised: str) -> Subscription | None:
    """The oldest live subscription of any reader with this address, verified or not."""
    query = (
        select(Subscription)
        .join(Reader, Reader.id == Subscription.reader_id)
        .where(Reader.email_normalised == normalised, Subscription.status.in_(LIVE_STATUSES))
    )
    return db.session.scalar(query.order_by(Subscription.created_at, Subscription.id).limit(1))
