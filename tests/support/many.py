"""Many subscriptions at once, at Stripe's sandbox and in our tables: one real purchase, copied as often as wanted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from paywall.sandbox.state.store import Store
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry, Reader, Subscription
from paywall.storage.payments import InvoicePayment, Payment

KINDS = ("customer", "invoice", "invoice_payment", "payment_intent", "charge", "subscription")
TABLES = (Reader, Subscription, Payment, InvoicePayment, Entitlement, LedgerEntry)
CHUNK = 1000

Row = dict[str, Any]


class Copier:
    """Copies the one purchase that Stripe and we hold, all of whose events were handled. Copies have no events.

    ``number`` counts the copies; ``per_second`` of them were made within each second, after the first.
    """

    def __init__(self, store: Store, per_second: int = 3) -> None:
        self.store = store
        self.per_second = per_second
        self.number = 0
        bodies = [body for kind in KINDS for body in store.find(kind)]
        assert len(bodies) == len(KINDS), "one purchase and nothing else"
        self.subscription = next(body for body in bodies if body["object"] == "subscription")
        self.bodies = [(body["id"], body["object"], json.dumps(body)) for body in bodies]
        self.rows = {table: self._only(table) for table in TABLES}
        ours = (self.rows[Reader]["id"], self.rows[Entitlement]["id"])
        self.ids = [name for name, _, _ in self.bodies] + list(ours)

    def _only(self, table: Any) -> Row:
        (row,) = db.session.execute(sa.select(*table.__table__.columns)).mappings()
        db.session.commit()
        return dict(row)

    def copy(self, count: int) -> None:
        """Makes so many more."""
        end = self.number + count
        while self.number < end:
            chunk = range(self.number + 1, min(self.number + CHUNK, end) + 1)
            with self.store.unit():
                self.store.connection.executemany(
                    "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)", self._objects(chunk)
                )
            for table in TABLES:
                db.session.execute(sa.insert(table.__table__), [self._row(table, number) for number in chunk])
            db.session.commit()
            self.number = chunk[-1]

    def created(self, number: int) -> int:
        """When a copy was made, in unix seconds."""
        return int(self.subscription["created"]) + 1 + number // self.per_second

    def _objects(self, chunk: range) -> Iterator[tuple[str, str, str]]:
        for number in chunk:
            for name, kind, text in self.bodies:
                for known in self.ids:
                    text = text.replace(known, f"{known}{number:06}")
                if kind == "subscription":
                    text = text.replace(
                        f'"created": {self.subscription["created"]}, "currency"',
                        f'"created": {self.created(number)}, "currency"',
                    )
                yield f"{name}{number:06}", kind, text

    def _row(self, table: Any, number: int) -> Row:
        new = {name: f"{value}{number:06}" if value in self.ids else value for name, value in self.rows[table].items()}
        if table is Reader:
            new |= {"email": None, "email_normalised": None, "email_verified_at": None}
        if table is LedgerEntry:
            del new["id"]
        if table is Subscription:
            new["created_at"] = datetime.fromtimestamp(self.created(number), UTC)
        return new
