"""Rows of readers: found by id, by customer, by address; an address is never a link by itself."""

from collections.abc import Callable
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from paywall.errors import BadRequest
from paywall.storage.database import db, new_id
from paywall.storage.grants import Grant
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
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False)
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


def forget_customer(customer_id: str) -> None:
    """Unlinks a customer that Stripe has deleted, so that the next purchase makes another. Commits nothing."""
    db.session.execute(update(Reader).where(Reader.customer_id == customer_id).values(customer_id=None))


def verified(normalised: str) -> Reader | None:
    """The one reader who has proved to own this address."""
    query = select(Reader).where(Reader.email_normalised == normalised, Reader.email_verified_at.is_not(None))
    return db.session.scalar(query)


def under(normalised: str) -> list[Reader]:
    """All readers with this address, verified or not, the oldest first."""
    query = select(Reader).where(Reader.email_normalised == normalised).order_by(Reader.created_at, Reader.id)
    return list(db.session.scalars(query))


def to_sign_in(normalised: str, may_read: Callable[[str], bool]) -> Reader | None:
    """Whom a link mailed to this address signs in.

    Whoever may read comes first, lest somebody paid and meets the join box; among equals the verified owner, then
    staff, then the oldest who bought something or was given it; nobody else. Whoever opens the link has proved the
    mailbox, so nobody is signed in by an unverified address. ``may_read`` tells of a reader's id whether it has access
    now.
    """
    found = under(normalised)
    ids = [one.id for one in found]
    bought = select(Subscription.reader_id).where(Subscription.reader_id.in_(ids))
    has = set(db.session.scalars(bought.union(select(Grant.reader_id).where(Grant.reader_id.in_(ids)))))
    known = [one for one in found if one.email_verified_at or one.role or one.id in has]
    ranked = sorted(known, key=lambda one: (not may_read(one.id), one.email_verified_at is None, one.role is None))
    return ranked[0] if ranked else None


def prove_address(reader: Reader, now: datetime) -> Reader:
    """Marks that the address is proved, after a link mailed to it came back. Commits nothing.

    Returns whose it is from now on: a reader who proved it before stays its owner. A role goes with it, since roles
    are given to addresses. Lock the person first.
    """
    normalised = reader.email_normalised or ""
    owner = verified(normalised) or reader
    for other in under(normalised):
        if other is not owner and other.role is not None:
            owner.role, other.role = owner.role or other.role, None
    try:
        with db.session.begin_nested():
            owner.email_verified_at = owner.email_verified_at or now
    except IntegrityError:
        faster = verified(normalised)
        if faster is None:
            raise
        return faster
    return owner


def lock_person(reader: Reader) -> None:
    """Makes other writers about the same person wait until this transaction ends.

    A person is a reader, and whoever gave the same address. On SQLite the writing transaction is lock enough.
    """
    same = Reader.id == reader.id
    if reader.email_normalised:
        same = or_(same, Reader.email_normalised == reader.email_normalised)
    db.session.execute(select(Reader.id).where(same).order_by(Reader.id).with_for_update())
