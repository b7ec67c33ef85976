"""Erasing a reader, in steps that each may be repeated: access ends, Stripe forgets, then we do."""

from collections.abc import Iterator
from datetime import datetime

import structlog

from paywall import context
from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Sync
from paywall.domain.lifecycle import Group, group_of
from paywall.errors import Conflict
from paywall.mail import letterbox
from paywall.people import granting
from paywall.storage import aliases, checkouts, erasures, forgetting, readers, revocations, subscriptions
from paywall.storage import sessions as session_rows
from paywall.storage.database import begin_read, db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Reader

log = structlog.get_logger("paywall.people")


class IsStaff(Conflict):
    """Staff answer for what they did under their address; the role is taken first."""

    code, title = "is_staff", "This address has a role"

    def __init__(self) -> None:
        super().__init__("This address has a role at the newsroom. Ask for it to be taken away first, then erase.")


def begin(reader: Reader, asked_by: str, now: datetime) -> str:
    """Ends all access of the reader at once, in one transaction, and returns the erasure's id.

    What follows (``carry_on``) may wait for Stripe; the worker does it where nobody else does. Raises IsStaff.
    """
    reader = aliases.lock(reader)
    if reader.role is not None:
        raise IsStaff
    erasure = erasures.begin(reader.id, asked_by, now)
    if erasure.stage != erasures.DONE:
        _end_access(reader.id, now)
        granting.end_all(_ids(reader.id), Cause("erasure", erasure.id), now)
    db.session.commit()
    log.info("erasure_begun", erasure=erasure.id, reader=reader.id, by=asked_by)
    return erasure.id


def carry_on(gateway: StripeGateway, sync: Sync, erasure_id: str, now: datetime) -> None:
    """Does what is left of an erasure; one that is done stays so. Safe to repeat after any interruption, and at once.

    Raises StripeUnavailable, StripeRefused, Busy: the same call may be repeated.
    """
    begin_read()
    row = erasures.get(erasure_id)
    reader_id, stage = row.reader_id, row.stage
    ids = _ids(reader_id)
    db.session.commit()  # Stripe is asked next
    if stage == erasures.BEGUN:
        _leave_stripe(gateway, sync, ids, Cause("erasure", erasure_id), now)
        erasures.advance(erasure_id, erasures.CANCELLED, now)
        db.session.commit()
    if stage != erasures.DONE:
        _forget(erasure_id, reader_id, now)


def _leave_stripe(gateway: StripeGateway, sync: Sync, ids: list[str], cause: Cause, now: datetime) -> None:
    """Nothing can be paid any more, nothing is charged any more, and Stripe forgets card and address."""
    for checkout_id, session_id in _open_checkouts(ids):
        session = gateway.expire_checkout(session_id) if session_id is not None else None
        if session is not None and session.subscription_id is not None:  # paid a moment ago
            sync.subscription(session.subscription_id, cause)
        checkouts.end(checkout_id, session_id, now)
        db.session.commit()
    begin_read()
    bought = [(row.id, group_of(row.status)) for one in ids for row in subscriptions.of_reader(one)]
    db.session.commit()
    for subscription_id, group in bought:
        if group is not Group.CLOSED:
            sync.subscription(subscription_id, cause)  # which ends it: its reader is being erased
    for customer_id in _customers(ids):
        gateway.delete_customer(customer_id)


def _open_checkouts(ids: list[str]) -> list[tuple[str, str | None]]:
    begin_read()
    found = [(row.id, row.session_id) for one in ids for row in checkouts.open_of(one)]
    db.session.commit()
    return list(dict.fromkeys(found))


def _customers(ids: list[str]) -> list[str]:
    """Stripe's customers of the reader, without any that another reader pays by, as after a purchase was moved."""
    begin_read()
    rows = [row for one in ids for row in subscriptions.of_reader(one)]
    named = [row.customer_id for row in rows] + [one.customer_id for one in _readers(ids) if one.customer_id]
    mine = {row.id for row in rows}
    found = [one for one in dict.fromkeys(named) if mine.issuperset(subscriptions.of_customer(one))]
    db.session.commit()
    return found


def _forget(erasure_id: str, reader_id: str, now: datetime) -> None:
    """One transaction: everything that tells who it was goes, and the last letter is posted."""
    reader = aliases.lock(_row(reader_id))
    if not erasures.advance(erasure_id, erasures.DONE, now):
        db.session.rollback()
        return
    ids, address = _ids(reader_id), reader.email
    _end_access(reader_id, now)  # somebody may have signed in meanwhile
    granting.end_all(ids, Cause("erasure", erasure_id), now)
    forgetting.forget(ids, context.settings().newsroom.home_url, now)
    if address is not None:
        letterbox.post_erased(address, erasure_id, now)
    db.session.commit()
    log.info("erased", erasure=erasure_id, reader=reader_id)


def _end_access(reader_id: str, now: datetime) -> None:
    for one in _ids(reader_id):
        session_rows.end_of(one, now)
        revocations.of_reader(one, "erased", now)


def _ids(reader_id: str) -> list[str]:
    return [reader_id, *(one.id for one in aliases.of_reader(reader_id))]


def _readers(ids: list[str]) -> Iterator[Reader]:
    return (row for one in ids if (row := readers.get(one)) is not None)


def _row(reader_id: str) -> Reader:
    """The reader, as the database has it now."""
    return db.session.get_one(Reader, reader_id, populate_existing=True)
