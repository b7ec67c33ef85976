"""The account's objects in SQLite, in a file that survives a kill at any moment or in memory."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.due import clock_of, due_of
from paywall.sandbox.state.filters import Filter

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, kind TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_customer ON objects (kind, json_extract(body, '$.customer'), seq);
CREATE INDEX IF NOT EXISTS objects_intent ON objects (json_extract(body, '$.payment.payment_intent'));
CREATE INDEX IF NOT EXISTS objects_subscription
    ON objects (kind, json_extract(body, '$.parent.subscription_details.subscription'), seq);
CREATE INDEX IF NOT EXISTS objects_invoice ON objects (kind, json_extract(body, '$.invoice'), seq);
CREATE TABLE IF NOT EXISTS moments (id TEXT PRIMARY KEY, clock TEXT, due INTEGER, seq INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS moments_due ON moments (clock, due, seq);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS answers
    (key TEXT PRIMARY KEY, path TEXT, fingerprint TEXT, request_id TEXT, status INTEGER, body TEXT, at INTEGER);
"""


class Moment(NamedTuple):
    """The next thing that time does by itself: to which object, and when (unix seconds of its clock)."""

    id: str
    due: int


def open_database(path: Path | None) -> sqlite3.Connection:
    """Open the state; a new file is readable by its owner alone, because it names readers' addresses."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.executescript(SCHEMA)
    return connection


class Store:
    """One connection behind one lock: every change happens inside `unit()`, whole or not at all."""

    def __init__(self, path: Path | None) -> None:
        self.connection = open_database(path)
        self.lock = threading.RLock()
        self.depth = 0
        self.remember_moments()

    def remember_moments(self) -> None:
        """Note what is due in a state that was written before moments were kept."""
        if not self.rows("SELECT 1 FROM moments LIMIT 1"):
            with self.unit():
                for (body,) in self.rows("SELECT body FROM objects WHERE kind != 'event'"):
                    self.note_moment(json.loads(body))

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Run a block as one transaction; nested blocks join the outer one."""
        with self.lock:
            if self.depth == 0:
                self.connection.execute("BEGIN IMMEDIATE")
            self.depth += 1
            try:
                yield
            except BaseException:
                self.depth -= 1
                if self.depth == 0:
                    self.connection.execute("ROLLBACK")
                raise
            self.depth -= 1
            if self.depth == 0:
                self.connection.execute("COMMIT")

    def rows(self, sql: str, *args: Value) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with self.lock:
            return self.connection.execute(sql, args).fetchall()

    def add(self, body: Json) -> None:
        """Store a new object under its id; raises sqlite3.IntegrityError when the id is taken."""
        self.rows("INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)", body["id"], body["object"], json.dumps(body))
        self.note_moment(body)

    def put(self, body: Json) -> None:
        """Replace a stored object."""
        self.rows("UPDATE objects SET body = ? WHERE id = ?", json.dumps(body), body["id"])
        self.note_moment(body)

    def remove(self, object_id: str) -> None:
        """Forget a stored object."""
        self.rows("DELETE FROM objects WHERE id = ?", object_id)
        self.rows("DELETE FROM moments WHERE id = ?", object_id)

    def note_moment(self, body: Json) -> None:
        """Keep when an object next changes by itself beside it, so that time passes without looking at all objects."""
        due = due_of(body)
        if due is None:
            self.rows("DELETE FROM moments WHERE id = ?", body["id"])
        else:
            sql = "INSERT OR REPLACE INTO moments SELECT id, ?, ?, seq FROM objects WHERE id = ?"
            self.rows(sql, clock_of(body), due, body["id"])

    def next_moment(self, clock: str, until: int) -> Moment | None:
        """Return the first thing that is due by `until` on a clock; of several at once, the older object's."""
        sql = "SELECT id, due FROM moments WHERE clock = ? AND due <= ? ORDER BY due, seq LIMIT 1"
        found = self.rows(sql, clock, until)
        return Moment(*found[0]) if found else None

    def any_kind(self, object_id: str) -> Json | None:
        """Return the object of this id whatever it is, or None."""
        found = self.rows("SELECT body FROM objects WHERE id = ?", object_id)
        return dict(json.loads(found[0][0])) if found else None

    def settings(self) -> Json:
        """Return the account's settings that were set."""
        return {name: json.loads(value) for name, value in self.rows("SELECT name, value FROM settings")}

    def set_setting(self, name: str, value: Value) -> None:
        """Keep one of the account's settings."""
        self.rows("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, json.dumps(value))

    def get(self, kind: str, object_id: str) -> Json | None:
        """Return the object of this kind and id, or None."""
        found = self.rows("SELECT body FROM objects WHERE id = ? AND kind = ?", object_id, kind)
        return dict(json.loads(found[0][0])) if found else None

    def position(self, kind: str, object_id: str) -> int | None:
        """Return where an object stands in the order of creation."""
        found = self.rows("SELECT seq FROM objects WHERE id = ? AND kind = ?", object_id, kind)
        return int(found[0][0]) if found else None

    def find(
        self, kind: str, filters: Sequence[Filter] = (), *, limit: int = -1, oldest_first: bool = False
    ) -> list[Json]:
        """Return the objects of a kind that pass every filter, newest first unless told otherwise."""
        conditions = "".join(f" AND {condition.sql}" for condition in filters)
        args = [value for condition in filters for value in condition.args]
        order = "ASC" if oldest_first else "DESC"
        # Only SQL written in this package is joined here; every value travels as a parameter.
        sql = f"SELECT body FROM objects WHERE kind = ?{conditions} ORDER BY seq {order} LIMIT ?"  # noqa: S608
        return [json.loads(row[0]) for row in self.rows(sql, kind, *args, limit)]

    def close(self) -> None:
        """Close the state; the file is complete without it."""
        with self.lock:
            self.connection.close()
