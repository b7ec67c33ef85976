"""Which events still have to be delivered, and every attempt that was made."""

from typing import NamedTuple

from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.store import Store


class Delivery(NamedTuple):
    """How far the delivery of one event is: state is pending, delivered or given_up."""

    state: str
    tries: int
    status: int | None
    note: str


def undelivered(store: Store, event_id: str) -> int:
    """Return how many endpoints have not accepted an event yet: one or none."""
    return len(store.rows("SELECT 1 FROM deliveries WHERE event = ? AND state != 'delivered'", event_id))


def due(store: Store, now: float, limit: int) -> list[str]:
    """Return the events to deliver by `now` (wall clock), the longest due first."""
    sql = "SELECT event FROM deliveries WHERE state = 'pending' AND due <= ? ORDER BY due, rowid LIMIT ?"
    return [row[0] for row in store.rows(sql, now, limit)]


def pending(store: Store) -> list[str]:
    """Return every event that still waits, whatever its retry time, in the order in which they happened."""
    return [row[0] for row in store.rows("SELECT event FROM deliveries WHERE state = 'pending' ORDER BY rowid")]


def record(store: Store, event_id: str, at: float, status: int | None, note: str, delays: tuple[float, ...]) -> None:
    """Note an attempt; anything but a 2xx answer is tried again while delays are left."""
    with store.unit():
        store.rows("INSERT INTO attempts (event, at, status, note) VALUES (?, ?, ?, ?)", event_id, at, status, note)
        ((tries,),) = store.rows("SELECT tries FROM deliveries WHERE event = ?", event_id)
        if status is not None and 200 <= status < 300:
            state, when = "delivered", at
        elif tries < len(delays):
            state, when = "pending", at + delays[tries]
        else:
            state, when = "given_up", at
        store.rows(
            "UPDATE deliveries SET state = ?, tries = ?, due = ? WHERE event = ?", state, tries + 1, when, event_id
        )


def delivery_of(store: Store, event: Json) -> Delivery:
    """Return how far an event's delivery is, with what its latest attempt met."""
    sql = (
        "SELECT state, tries, attempts.status, coalesce(note, '') FROM deliveries "
        "LEFT JOIN attempts ON attempts.event = deliveries.event "
        "WHERE deliveries.event = ? ORDER BY attempts.rowid DESC LIMIT 1"
    )
    return Delivery(*store.rows(sql, event["id"])[0])
