"""Deletes rows that nobody needs any more: each function a small batch, so that no lock is held for long."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, TextClause, delete, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute

from paywall.storage.addresses import AddressChange
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import UNPAID, Checkout, InboxEvent, Lease, ReaderSession, Revocation, SignInLink
from paywall.storage.reminders import Reminder
from paywall.storage.workers import WorkerRow

Prune = Callable[[datetime, int], int]

_WORKERS = timedelta(days=7)
# a letter may wait for a day and then begins the life of its link again; codes are counted over a day
_UNUSED = timedelta(days=2)
# an expired lease is free, and an expired entry hits no token: an hour more costs nothing and allows for clocks
_SLACK = timedelta(hours=1)


def events(before: datetime, limit: int) -> int:
    """Events that were dealt with and came in before; those that wait are kept for ever. Commits nothing."""
    done = InboxEvent.state.in_(("handled", "ignored")), InboxEvent.received_at < before
    return _delete(InboxEvent.id, limit, *done)


def checkouts(before: datetime, limit: int) -> int:
    """Checkouts that ended unpaid before, with the typed address. Paid and flagged ones are kept. Commits nothing."""
    return _delete(Checkout.id, limit, text(UNPAID), Checkout.closed_at < before)


def letters(before: datetime, limit: int) -> int:
    """Letters that left, or were given up, before. Commits nothing."""
    return _delete(WaitingLetter.id, limit, WaitingLetter.done_at < before)


def links(before: datetime, limit: int) -> int:
    """Sign-in links that were used or ran out before. Commits nothing."""
    return _delete(SignInLink.id, limit, or_(SignInLink.used_at < before, SignInLink.expires_at < before))


def unused_links(now: datetime, limit: int) -> int:
    """Requests to sign in that came to nothing, with the typed address: it may be a stranger's. Commits nothing."""
    return _delete(SignInLink.id, limit, SignInLink.used_at.is_(None), SignInLink.expires_at < now - _UNUSED)


def sessions(before: datetime, limit: int) -> int:
    """Sessions that were ended or ran out before. Commits nothing."""
    return _delete(ReaderSession.id, limit, or_(ReaderSession.ended_at < before, ReaderSession.expires_at < before))


def address_changes(now: datetime, limit: int) -> int:
    """Changes of address that were made or came to nothing, once Stripe was told. Commits nothing."""
    over = AddressChange.expires_at < now - _UNUSED, AddressChange.tell_at.is_(None)
    return _delete(AddressChange.id, limit, *over)


def leases(now: datetime, limit: int) -> int:
    """Leases that ran out and were never given back. Commits nothing."""
    return _delete(Lease.name, limit, Lease.expires_at < now - _SLACK)


def revocations(now: datetime, limit: int) -> int:
    """Entries that hit no token any more, but never the newest: its number would be given again. Commits nothing."""
    newest = select(func.max(Revocation.seq)).scalar_subquery()
    return _delete(Revocation.seq, limit, Revocation.expires_at < now - _SLACK, Revocation.seq < newest)


def workers(now: datetime, limit: int) -> int:
    """Workers that ended, or fell silent, a week ago. Commits nothing."""
    return _delete(WorkerRow.id, limit, WorkerRow.beat_at < now - _WORKERS)


def reminders(now: datetime, limit: int) -> int:
    """Reminders of renewals that have begun: none is told of what lies behind. Commits nothing."""
    return _delete(Reminder.subscription_id, limit, Reminder.period_end < now - _SLACK)


BY_AGE: Mapping[str, tuple[Prune, ...]] = {
    "events_days": (events,),
    "checkouts_days": (checkouts,),
    "letters_days": (letters,),
    "sign_ins_days": (links, sessions),
}
BY_NOW: tuple[Prune, ...] = (unused_links, address_changes, leases, revocations, workers, reminders)


def _delete(key: InstrumentedAttribute[Any], limit: int, *which: ColumnElement[bool] | TextClause) -> int:
    # materialized: as a plain subquery PostgreSQL may run it once for each row, and each time find others to delete
    rows = select(key).where(*which).limit(limit).with_for_update(skip_locked=True).cte().prefix_with("MATERIALIZED")
    statement = delete(key.class_).where(key.in_(select(rows))).returning(key)
    return len(db.session.execute(statement, execution_options={"synchronize_session": False}).all())
