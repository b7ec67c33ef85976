"""The ledger as it is read: what was decided on a reader's entitlements, when we learned of it, and from what."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, union

from paywall.storage.database import db
from paywall.storage.events import UNDONE
from paywall.storage.models import Entitlement, InboxEvent, LedgerEntry

_MOST_WAITING = 1000  # so many events that are not dealt with mean that something bigger is wrong


def of_reader(reader_id: str) -> list[LedgerEntry]:
    """All entries of all entitlements that are or were this reader's, the oldest first."""
    are = select(Entitlement.id).where(Entitlement.reader_id == reader_id)
    were = select(LedgerEntry.entitlement_id).where(LedgerEntry.reader_id == reader_id)
    query = select(LedgerEntry).where(LedgerEntry.entitlement_id.in_(union(are, were)))
    return list(db.session.scalars(query.order_by(LedgerEntry.id)))


def known_at(entries: Collection[LedgerEntry], moment: datetime) -> LedgerEntry | None:
    """The last of one entitlement's entries that had been learned by a moment: what was known then."""
    return max((one for one in entries if one.learned_at <= moment), key=lambda one: one.id, default=None)


def true_at(entries: Collection[LedgerEntry], moment: datetime) -> LedgerEntry | None:
    """The last of one entitlement's entries that had taken effect by a moment: what is known of it today."""
    return max((one for one in entries if one.effective_at <= moment), key=lambda one: one.id, default=None)


def event_types(event_ids: Collection[str]) -> dict[str, str]:
    """The type of each of these events, as far as the inbox still holds it."""
    query = select(InboxEvent.id, InboxEvent.type).where(InboxEvent.id.in_(event_ids))
    return {row.id: row.type for row in db.session.execute(query)}


def waiting_events(ids: Collection[str]) -> list[InboxEvent]:
    """The events that are not dealt with and name one of these ids, the oldest first."""
    query = select(InboxEvent).where(InboxEvent.state.in_(UNDONE))
    rows = db.session.scalars(query.order_by(InboxEvent.received_at, InboxEvent.id).limit(_MOST_WAITING))
    wanted = set(ids)
    return [row for row in rows if not wanted.isdisjoint(row.objects.values())]
