"""Whose a purchase is: what was bought under an address joins the reader who proved it; staff may move a purchase.

What a purchase gives stays as ``billing/sync`` decided it: here only the reader changes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import structlog

from paywall.domain.lifecycle import LIVE_STATUSES
from paywall.storage import aliases, entitlements, grants, letters, readers, revocations, subscriptions
from paywall.storage import sessions as session_rows
from paywall.storage.database import begin_read, db
from paywall.storage.entitlements import Cause, Source
from paywall.storage.models import Reader, Subscription

log = structlog.get_logger("paywall.moving")


class Syncs(Protocol):
    """What brings a subscription up to date: ``billing/sync``."""

    def subscription(self, subscription_id: str, cause: Cause) -> object:
        """Fetches, decides, saves."""


JOINED, MOVED = "joined", "moved"  # causes in the ledger


def prove(found: Reader, now: datetime) -> Reader:
    """Gives the address to its owner, after a link or code mailed to it came back; returns the owner.

    All that was bought under the address by others, who had only typed it, is the owner's from now on: a purchase
    joins the account that is there. Safe for several at once. Commits nothing.
    """
    person = aliases.lock(found)
    owner = readers.prove_address(person, now)
    others = [one for one in readers.under(owner.email_normalised or "") if one.id != owner.id]
    held = [(one, subscriptions.of_reader(one.id), grants.of_readers([one.id])) for one in others]
    bought = [(one, mine) for one, mine, given in held if mine or given]
    for other, theirs in bought:
        _join(other, theirs, owner, now)
    if bought:
        _end_unproved(owner, now)
        _settle_customer(owner, now)
    return owner


def settle(sync: Syncs, alias_id: str, now: datetime) -> None:
    """Has Stripe asked about what was joined: what lapsed beside a paid one is ended there, lest both be charged.

    Raises what a sync raises; the same call may be repeated.
    """
    begin_read()
    ids = [row.id for row in subscriptions.of_reader(aliases.current_id(alias_id)) if row.status in LIVE_STATUSES]
    db.session.commit()
    for subscription_id in ids:
        sync.subscription(subscription_id, Cause(JOINED, alias_id))
    aliases.settle(alias_id, now)
    db.session.commit()


def hand_over(row: Subscription, to: Reader, cause: Cause, now: datetime) -> None:
    """Gives one purchase, with what it gives, to another reader; the ledger says whose it was. Commits nothing."""
    before = row.reader_id
    subscriptions.hand_over(row.id, to.id)
    entitlements.hand_over(Source("subscription", row.id, to.id, row.plan), cause, now)
    ids = {"subscription": row.id, "reader": to.id, "before": before}
    log.info("purchase_moved", **ids, cause=cause.kind, cause_id=cause.id)


def give(row: Subscription, holder: Reader, to: Reader, cause: Cause, now: datetime) -> None:
    """Gives one purchase with its customer to another person; the holder's tokens are taken back. Commits nothing."""
    hand_over(row, to, cause, now)
    revocations.of_reader(holder.id, MOVED, now)
    if holder.customer_id == row.customer_id:
        holder.customer_id = None
        db.session.flush()  # one customer is one reader's
        to.customer_id = to.customer_id or row.customer_id
    for one in (holder, to):
        subscriptions.flag_duplicates(one, now)


def _join(other: Reader, theirs: Sequence[Subscription], owner: Reader, now: datetime) -> None:
    """Everything of ``other`` becomes the owner's; what is left of it is a name that leads to the owner.

    A browser that only paid has not proved the mailbox, and must not come into the owner's account: it is signed out.
    """
    for row in theirs:
        hand_over(row, owner, Cause(JOINED, other.id), now)
    for given in grants.hand_over(other.id, owner.id):
        entitlements.hand_over(Source(grants.SOURCE, given.id, owner.id, given.plan), Cause(JOINED, other.id), now)
    session_rows.end_unproved(other.id, now)
    revocations.of_reader(other.id, JOINED, now)
    session_rows.hand_over(other.id, owner.id)
    letters.hand_over(other.id, owner.id)
    customer_id, other.customer_id = other.customer_id, None
    other.email = other.email_normalised = other.email_verified_at = None
    aliases.add(other.id, owner.id, now)
    owner.customer_id = owner.customer_id or customer_id
    log.info("readers_joined", reader=owner.id, joined=other.id, subscriptions=[row.id for row in theirs])


def _end_unproved(owner: Reader, now: datetime) -> None:
    """The owner's browsers that only paid saw one purchase until now, and must not see the others."""
    for session_id in session_rows.end_unproved(owner.id, now):
        revocations.of_session(session_id, JOINED, now)


def _settle_customer(owner: Reader, now: datetime) -> None:
    """Of several customers the one of the subscription that stays is the reader's: its card is what is charged."""
    marked = set(subscriptions.flag_duplicates(owner, now))
    live = [one for one in subscriptions.of_person(owner, now) if one.live and one.id not in marked]
    row = subscriptions.get(live[0].id) if live else None
    if row is not None and readers.by_customer(row.customer_id) in (None, owner):
        owner.customer_id = row.customer_id
