"""Rows of the inbox: each verified event once, with what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from paywall.storage.database import db, insert_if_new
from paywall.storage.models import InboxEvent

UNDONE = ("received", "parked")


@dataclass(frozen=True, slots=True)
class InboxState:
    """How many events wait, when the oldest of them came in, and the newest of all."""

    undone: int
    oldest_undone: datetime | None
    newest: datetime | None


def add(values: dict[str, Any]) -> bool:
    """Stores an event unless it is there; True if it is new. Commits nothing."""
    return insert_if_new(InboxEvent, ["id"], {"state": "received", "attempts": 0, **values})


def get(event_id: str) -> InboxEvent | None:
    """The event with this Stripe id."""
    return db.session.get(InboxEvent, event_id, populate_existing=True)


def newest(state: str | None, limit: int) -> list[InboxEvent]:
    """The events that came in last, of one state or of any."""
    query = select(InboxEvent).order_by(InboxEvent.received_at.desc(), InboxEvent.id).limit(limit)
    return list(db.session.scalars(query if state is None else query.where(InboxEvent.state == state)))


def undone() -> list[str]:
    """The ids of all events that were not handled, the oldest first."""
    query = select(InboxEvent.id).where(InboxEvent.state.in_(UNDONE))
    return list(db.session.scalars(query.order_by(InboxEvent.created_at, InboxEvent.id)))


def state() -> InboxState:
    """The inbox in three figures, each by an index."""
    waiting = select(func.count(), func.min(InboxEvent.received_at)).where(InboxEvent.state.in_(UNDONE))
    count, oldest = db.session.execute(waiting).one()
    return InboxState(count, oldest, db.session.scalar(select(func.max(InboxEvent.received_at))))


def record(event_id: str, state: str, outcome: str, now: datetime) -> None:
    """Writes down what became of an attempt. A handled event stays handled. Commits nothing."""
    row = db.session.get(InboxEvent, event_id, with_for_update=True, populate_existing=True)
    if row is None or (row.state == "handled" and state == "parked"):
        return
    row.state, row.outcome, row.attempts = state, outcome[:200], row.attempts + 1
    row.handled_at = None if state == "parked" else now
