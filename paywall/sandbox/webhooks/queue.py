"""Which events still have to be delivered to which endpoints, and every attempt that was made."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from paywall.sandbox.state.store import Store
from paywall.sandbox.webhooks.endpoints import CONFIGURED, targets

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS sendings (event TEXT, endpoint TEXT, kind TEXT, state TEXT, tries INTEGER, due REAL, "
    "at REAL, PRIMARY KEY (event, endpoint))",
    "CREATE INDEX IF NOT EXISTS sendings_due ON sendings (state, due)",
    "CREATE TABLE IF NOT EXISTS posts (event TEXT, endpoint TEXT, at REAL, status INTEGER, note TEXT)",
    "CREATE INDEX IF NOT EXISTS posts_event ON posts (event, endpoint)",
)
KEPT_SECONDS = 30 * 24 * 3600  # as long as Stripe shows events
ALWAYS_KEPT = 5000  # the latest events stay however old they are, for people who let a year pass


class Delivery(NamedTuple):
    """How far an event is at one endpoint: pending, delivered, given_up or dropped, and what the last attempt met."""

    endpoint: str
    state: str
    tries: int
    status: int | None
    note: str


class Due(NamedTuple):
    """One event for one endpoint."""

    event: str
    endpoint: str


def prepare(store: Store) -> None:
    """Make the tables, taking over what an older state file still had to deliver."""
    with store.unit():
        for statement in SCHEMA:
            store.rows(statement)
        if store.rows("SELECT 1 FROM sqlite_master WHERE name = 'deliveries'"):
            store.rows(
                "INSERT INTO sendings SELECT event, ?, json_extract(body, '$.type'), state, tries, due, 0 "
                "FROM deliveries JOIN objects ON objects.id = event",
                CONFIGURED,
            )
            store.rows("INSERT INTO posts SELECT event, ?, at, status, note FROM attempts", CONFIGURED)
            store.rows("DROP TABLE deliveries")
            store.rows("DROP TABLE attempts")


def enqueue(store: Store, event_id: str, kind: str) -> int:
    """Note whom an event goes to; returns how many that are."""
    wanted = targets(store, kind)
    for endpoint in wanted:
        sql = "INSERT INTO sendings VALUES (?, ?, ?, 'pending', 0, 0, ?)"
        store.rows(sql, event_id, endpoint, kind, time.time())
    return len(wanted)


def undelivered(store: Store, event_id: str) -> int:
    """Return how many endpoints have not accepted an event yet."""
    return len(store.rows("SELECT 1 FROM sendings WHERE event = ? AND state != 'delivered'", event_id))


def due(store: Store, now: float, limit: int, held: Sequence[str] = ()) -> list[Due]:
    """Return what to deliver by `now` (wall clock), the longest due first; `held` are patterns of types that wait."""
    others = "".join(" AND kind NOT GLOB ?" for _ in held)
    sql = (  # only this module's own text is joined
        "SELECT event, endpoint FROM sendings WHERE state = 'pending' AND due <= ? "  # noqa: S608
        f"AND endpoint IN (SELECT id FROM objects WHERE kind = 'webhook_endpoint'){others} "
        "ORDER BY due, rowid LIMIT ?"
    )
    return [Due(*row) for row in store.rows(sql, now, *held, limit)]


def pending(store: Store) -> list[Due]:
    """Return everything that still waits, whatever its retry time, in the order in which it happened."""
    return [
        Due(*row) for row in store.rows("SELECT event, endpoint FROM sendings WHERE state = 'pending' ORDER BY rowid")
    ]


def held_back(store: Store, patterns: Sequence[str]) -> list[Due]:
    """Return what waits because its type matches one of the patterns, in the order in which it happened."""
    if not patterns:
        return []
    either = " OR ".join("kind GLOB ?" for _ in patterns)
    sql = f"SELECT event, endpoint FROM sendings WHERE state = 'pending' AND ({either}) ORDER BY rowid"  # noqa: S608
    return [Due(*row) for row in store.rows(sql, *patterns)]


def mark(store: Store, one: Due, state: str, tries: int = 0, due_at: float = 0) -> None:
    """Set how far a delivery is; one that its endpoint was not meant to get becomes known by that."""
    kind = "(SELECT json_extract(body, '$.type') FROM objects WHERE id = ?)"
    store.rows(
        f"INSERT INTO sendings VALUES (?, ?, {kind}, ?, ?, ?, ?) ON CONFLICT (event, endpoint) "  # noqa: S608
        "DO UPDATE SET state = excluded.state, tries = excluded.tries, due = excluded.due",
        *(one.event, one.endpoint, one.event, state, tries, due_at, time.time()),
    )


def record(store: Store, one: Due, at: float, status: int | None, note: str, delays: Sequence[float]) -> None:
    """Note an attempt; anything but a 2xx answer is tried again while delays are left."""
    with store.unit():
        note_post(store, one, at, status, note)
        known = store.rows("SELECT tries, state FROM sendings WHERE event = ? AND endpoint = ?", *one)
        tries, before = known[0] if known else (0, "pending")
        if succeeded(status):
            mark(store, one, "delivered", tries + 1, at)
        elif before != "pending":
            mark(store, one, before, tries + 1, at)
        elif tries < len(delays):
            mark(store, one, "pending", tries + 1, at + delays[tries])
        else:
            mark(store, one, "given_up", tries + 1, at)


def postpone(store: Store, one: Due, due_at: float) -> None:
    """Let a delivery wait until then, as if it had not been tried."""
    store.rows("UPDATE sendings SET due = ? WHERE event = ? AND endpoint = ?", due_at, *one)


def note_post(store: Store, one: Due, at: float, status: int | None, note: str) -> None:
    """Note one attempt, without a word on what it means for the delivery."""
    store.rows("INSERT INTO posts VALUES (?, ?, ?, ?, ?)", *one, at, status, note)


def succeeded(status: int | None) -> bool:
    """Return whether an answer accepts an event."""
    return status is not None and 200 <= status < 300


def deliveries_of(store: Store, event_id: str) -> list[Delivery]:
    """Return how far an event is at each of its endpoints."""
    sql = (
        "SELECT endpoint, state, tries, (SELECT status FROM posts WHERE posts.rowid = latest), "
        "coalesce((SELECT note FROM posts WHERE posts.rowid = latest), '') FROM (SELECT *, sendings.rowid AS place, "
        "(SELECT max(rowid) FROM posts WHERE posts.event = sendings.event AND posts.endpoint = sendings.endpoint) "
        "AS latest FROM sendings WHERE event = ?) ORDER BY place"
    )
    return [Delivery(*row) for row in store.rows(sql, event_id)]


def prune(store: Store, now: int) -> int:
    """Forget old events that wait for nobody, with their deliveries, and return how many; the latest ones stay."""
    with store.unit():
        sql = (
            "SELECT id FROM objects WHERE kind = 'event' AND json_extract(body, '$.created') < ? AND seq < "
            "(SELECT seq FROM objects WHERE kind = 'event' ORDER BY seq DESC LIMIT 1 OFFSET ?) "
            "AND NOT EXISTS (SELECT 1 FROM sendings JOIN objects AS known ON known.id = sendings.endpoint "
            "WHERE sendings.event = objects.id AND state = 'pending') LIMIT 1000"
        )
        old = [row[0] for row in store.rows(sql, now - KEPT_SECONDS, ALWAYS_KEPT - 1)]
        for event_id in old:
            store.rows("DELETE FROM sendings WHERE event = ?", event_id)
            store.rows("DELETE FROM posts WHERE event = ?", event_id)
            store.remove(event_id)
    return len(old)
