"""Rows of the inbox: each verified event once, what became of it, and when it is tried again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, func, select, update

from paywall.storage.database import UTCDateTime, db, insert_for
from paywall.storage.models import InboxEvent

UNDONE = ("received", "parked")
KEEPS_FAILING = 10  # so many tries in vain are worth a look; the event is tried on all the same
# who received it handles it at once; whoever is not done by then has died
UNTOUCHED = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class InboxState:
    """How many events wait, when the oldest of them came in, and the newest of all; how many fail time and again."""

    undone: int
    oldest_undone: datetime | None
    newest: datetime | None
    keep_failing: int


def add(values: dict[str, Any], settled: tuple[str, str] | None = None) -> bool:
    """Stores an event unless it is there; True if it is new. Commits nothing.

    ``settled`` is the state and outcome of an event that asks for nothing: it is stored as done with.
    """
    return _add(db.session.connection(), values, settled)


def store(values: dict[str, Any], settled: tuple[str, str] | None = None) -> bool:
    """As ``add``, in a transaction of its own that is committed before this returns; the session's is ended first.

    The session's machinery would take longer than the row.
    """
    if db.session.registry.has() and db.session().in_transaction():
        db.session.commit()  # on SQLite it may hold the write lock
    with db.engine.begin() as connection:
        return _add(connection, values, settled)


def _add(connection: Connection, values: dict[str, Any], settled: tuple[str, str] | None) -> bool:
    now = values["received_at"]
    row = {"state": "received", "outcome": None, "attempts": 0, "handled_at": None, "next_try_at": now + UNTOUCHED}
    if settled is not None:
        row = {"state": settled[0], "outcome": settled[1], "attempts": 1, "handled_at": now, "next_try_at": None}
    return connection.execute(_adding(connection.dialect.name), {**row, **values}).first() is not None


@cache
def _adding(_dialect: str) -> Any:
    """The INSERT, made once: every event that Stripe sends goes through it, and making it costs more than its row."""
    table = InboxEvent.__table__
    return insert_for(InboxEvent).on_conflict_do_nothing(index_elements=["id"]).returning(table.c.id)


def get(event_id: str) -> InboxEvent | None:
    """The event with this Stripe id."""
    return db.session.get(InboxEvent, event_id, populate_existing=True)


def newest(state: str | None, limit: int, at_least: int = 0) -> list[InboxEvent]:
    """The events that came in last, of one state or of any, with that many tries or more."""
    query = select(InboxEvent).order_by(InboxEvent.received_at.desc(), InboxEvent.id).limit(limit)
    if at_least:
        query = query.where(InboxEvent.attempts >= at_least)
    return list(db.session.scalars(query if state is None else query.where(InboxEvent.state == state)))


def undone() -> list[str]:
    """The ids of all events that were not handled, the oldest first."""
    query = select(InboxEvent.id).where(InboxEvent.state.in_(UNDONE))
    return list(db.session.scalars(query.order_by(InboxEvent.created_at, InboxEvent.id)))


def anything_due(now: datetime) -> bool:
    """Whether an event waits whose time has come."""
    return db.session.scalar(select(InboxEvent.id).where(InboxEvent.next_try_at <= now).limit(1)) is not None


def claim(now: datetime, until: datetime, *, fresh_first: bool) -> str | None:
    """Takes one due event for one worker alone until ``until``, and returns its id. Commits nothing.

    ``fresh_first`` prefers the one with the fewest tries, else the one that has been due longest. Whoever takes turns
    with the two keeps neither new events waiting behind those that always fail, nor those for ever. Each order has an
    index; only what waits has a time at all, and asking for the state too would lead past it.
    """
    due = InboxEvent.next_try_at <= now
    order = (InboxEvent.next_try_at, InboxEvent.id)
    one = select(InboxEvent.id).where(due).order_by(*((InboxEvent.attempts, *order) if fresh_first else order)).limit(1)
    taken = update(InboxEvent).where(InboxEvent.id == one.with_for_update(skip_locked=True).scalar_subquery(), due)
    statement = taken.values(next_try_at=until).returning(InboxEvent.id)
    return db.session.scalar(statement, execution_options={"synchronize_session": False})


def state() -> InboxState:
    """The inbox in a few figures, each by an index."""
    failing = InboxEvent.attempts >= KEEPS_FAILING
    waiting = select(func.count(), func.min(InboxEvent.received_at), func.count().filter(failing))
    count, oldest, keep_failing = db.session.execute(waiting.where(InboxEvent.state.in_(UNDONE))).one()
    return InboxState(count, oldest, db.session.scalar(select(func.max(InboxEvent.received_at))), keep_failing)


def newest_by_type(among: int) -> list[tuple[str, datetime, int]]:
    """Of the newest so many events: each type with its latest arrival and its number, the latest first."""
    row = InboxEvent
    newest = select(row.type, row.received_at).order_by(row.received_at.desc()).limit(among).subquery()
    latest = func.max(newest.c.received_at, type_=UTCDateTime)
    query = select(newest.c.type, latest, func.count()).group_by(newest.c.type).order_by(latest.desc(), newest.c.type)
    return [(kind, moment, number) for kind, moment, number in db.session.execute(query)]


def parked_before(moments: Sequence[datetime]) -> list[int]:
    """For each moment: how many of the parked events came in by then."""
    counts = (func.count().filter(InboxEvent.received_at <= moment) for moment in moments)
    return list(db.session.execute(select(*counts).where(InboxEvent.state == "parked")).one())


def record(event_id: str, state: str, outcome: str, now: datetime, pause: Callable[[int], timedelta]) -> int:
    """Writes down what became of an attempt, and returns how many there were. Commits nothing.

    ``pause`` tells how long a parked event waits after so many attempts. A handled event stays handled.
    """
    row = db.session.get(InboxEvent, event_id, with_for_update=True, populate_existing=True)
    if row is None:
        return 0
    if row.state == "handled" and state == "parked":
        return row.attempts
    row.state, row.outcome, row.attempts = state, outcome[:200], row.attempts + 1
    row.handled_at = None if state == "parked" else now
    row.next_try_at = now + pause(row.attempts) if state == "parked" else None
    return row.attempts
