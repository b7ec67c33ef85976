"""Whether the books are in order, whatever happened at once: entitlements, ledger, checkouts and Stripe agree."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from paywall.domain.lifecycle import CHANGES, LIVE_STATUSES, Change, State
from paywall.storage.database import db
from paywall.storage.entitlements import terms_of
from paywall.storage.grants import Grant
from paywall.storage.models import Checkout, Entitlement, InboxEvent, Lease, LedgerEntry, Reader, Subscription
from tests.support.shop import Shop

NEVER_PAID = ("incomplete", "incomplete_expired")
_KEPT = ("state", "reason", "starts_at", "paid_until", "until", "lapse", "in_dunning", "hold", "renews", "reader_id")
_KEPT += ("plan", "amount", "currency")


@dataclass(frozen=True)
class Books:
    """The tables and Stripe's objects, read at one moment."""

    readers: dict[str, Reader]
    subscriptions: dict[str, Subscription]
    entitlements: list[Entitlement]
    ledger: list[LedgerEntry]
    checkouts: list[Checkout]
    events: list[InboxEvent]
    leases: list[Lease]
    grants: list[Grant]
    at_stripe: dict[str, dict[str, Any]]
    sessions: dict[str, dict[str, Any]]
    at: datetime


def read(shop: Shop) -> Books:
    """Reads everything, without taking SQLite's write lock."""
    store = shop.sandbox.sandbox.account.store
    with Session(db.engine.execution_options(readonly=True), expire_on_commit=False) as session:

        def rows(model: Any, *order: Any) -> list[Any]:
            return list(session.scalars(select(model).order_by(*order)))

        return Books(
            readers={row.id: row for row in rows(Reader)},
            subscriptions={row.id: row for row in rows(Subscription)},
            entitlements=rows(Entitlement),
            ledger=rows(LedgerEntry, LedgerEntry.id),
            checkouts=rows(Checkout),
            events=rows(InboxEvent),
            leases=rows(Lease),
            grants=rows(Grant),
            at_stripe={body["id"]: body for body in store.find("subscription")},
            sessions={body["id"]: body for body in store.find("checkout.session")},
            at=shop.app.extensions["paywall"].clock.now(),
        )


def faults(shop: Shop) -> list[str]:
    """What is wrong once all events are dealt with; empty when the books are in order."""
    books = read(shop)
    checks = (agree_with_stripe, one_entitlement_each, ledgers, open_checkouts, paid_twice, left_over)
    return [f"{check.__name__}: {fault}" for check in checks for fault in check(books)]


def agree_with_stripe(books: Books) -> Iterator[str]:
    """Every subscription at Stripe is stored, once, with its status; if it was paid, its checkout is closed."""
    for key, body in books.at_stripe.items():
        row = books.subscriptions.get(key)
        if row is None:
            yield f"{key} was paid and is not stored"
        elif (row.status, row.cancels_at_period_end) != (body["status"], body["cancel_at_period_end"]):
            yield f"{key} is {body['status']} at Stripe and {row.status} here, or its planned end differs"
    for key in books.subscriptions.keys() - books.at_stripe.keys():
        yield f"{key} is unknown at Stripe"
    complete = Counter(row.subscription_id for row in books.checkouts if row.state == "complete")
    for key, row in books.subscriptions.items():
        if complete[key] != (0 if row.status in NEVER_PAID else 1):
            yield f"{complete[key]} checkouts are complete with {key}"


def one_entitlement_each(books: Books) -> Iterator[str]:
    """One entitlement for a subscription or a grant, of its reader; it lets in while Stripe says that it runs."""
    found = Counter(row.source_id for row in books.entitlements)
    for key, subscription in books.subscriptions.items():
        if found.pop(key, 0) != 1:
            yield f"{key} has not one entitlement"
        for row in books.entitlements:
            if row.source_id == key and row.reader_id != subscription.reader_id:
                yield f"{row.id} is another reader's than {key}"
            if row.source_id == key and subscription.status == "active" and not State(row.state).grants:
                yield f"{row.id} is {row.state} while {key} is active"
    for grant in books.grants:
        if found.pop(grant.id, 0) != 1:
            yield f"{grant.id} has not one entitlement"
        if any(row.reader_id != grant.reader_id for row in books.entitlements if row.source_id == grant.id):
            yield f"what {grant.id} gives is another reader's"
    yield from (f"entitlement for {key}, which is not stored" for key in found)


def ledgers(books: Books) -> Iterator[str]:
    """Each entitlement's entries lead from nothing to what the row says, each a change of the state before it."""
    for row in books.entitlements:
        entries = [entry for entry in books.ledger if entry.entitlement_id == row.id]
        for last, entry in zip([None, *entries], entries, strict=False):
            before = _states_before(last, entry)
            allowed = {CHANGES[state, State(entry.state)] for state in before} | {Change.RENEWED if last else None}
            if last is not None and last.reader_id != entry.reader_id:
                allowed = {Change.MOVED}
            if entry.change not in allowed:
                yield f"{row.id}: {entry.change} leads from {' or '.join(map(str, before))} to {entry.state}"
        if not entries or _kept(entries[-1]) != _kept(row):
            yield f"{row.id}: its last entry does not say what the row says"
        if any(_kept(one) == _kept(other) for one, other in pairwise(entries)):
            yield f"{row.id}: an entry that changes nothing"


def _states_before(last: LedgerEntry | None, entry: LedgerEntry) -> set[State | None]:
    """The state that an entry ended: as written last, or as the dates written then had made it meanwhile."""
    return {State(last.state), terms_of(last).state_at(entry.learned_at)} if last else {None}  # type: ignore[arg-type]


def _kept(row: Any) -> list[Any]:
    return [getattr(row, name) for name in _KEPT]


def open_checkouts(books: Books) -> Iterator[str]:
    """What can be paid at Stripe is the one open checkout of its reader and its browser."""
    opened = [row for row in books.checkouts if row.state == "open"]
    for name in ("reader_id", "browser_hash"):
        counts = Counter(getattr(row, name) for row in opened)
        yield from (f"{count} open checkouts with {name} {key}" for key, count in counts.items() if count > 1)
    known = {row.session_id for row in opened}
    for key, body in books.sessions.items():
        if body["status"] == "open" and key not in known:
            yield f"session {key} can be paid, and no open checkout knows it"


def paid_twice(books: Books) -> Iterator[str]:
    """Of several live subscriptions of one person all but one are flagged as its doubles, and no others.

    That one is the oldest, unless those before it gave no access as last decided, or give none any more.
    """
    groups: dict[str, list[Subscription]] = {}
    for row in books.subscriptions.values():
        reader = books.readers[row.reader_id]
        groups.setdefault(reader.email_normalised or reader.id, []).append(row)
    # by a date alone it ends unseen, and the next sync of any of them looks again
    grants = {row.source_id for row in books.entitlements if State(row.state).grants and _still(row, books.at)}
    for rows in groups.values():
        rows.sort(key=lambda row: (row.created_at, *_bought(books, row), row.id))
        live = [row for row in rows if row.status in LIVE_STATUSES]
        kept = next((row for row in live if row.duplicate_of is None), None)
        if kept is not None and any(row.id in grants for row in live[: live.index(kept)]):
            yield f"{kept.id} is kept beside an older one that gives access"
        for row in rows:
            expected = kept.id if kept is not None and row in live and row is not kept else None
            if row.duplicate_of != expected or (row in live and kept is None):
                yield f"{row.id} is marked as a double of {row.duplicate_of}, not of {expected}"


def _still(row: Entitlement, now: datetime) -> bool:
    return terms_of(row).state_at(now).grants


def _bought(books: Books, row: Subscription) -> tuple[bool, datetime]:
    opened = [one.created_at for one in books.checkouts if one.subscription_id == row.id]
    return not opened, min(opened, default=row.created_at)


def left_over(books: Books) -> Iterator[str]:
    """No lease is held, no event waits."""
    yield from (f"lease {row.name} is held by {row.owner}" for row in books.leases)
    yield from (f"{row.type} {row.id} is {row.state}: {row.outcome}" for row in books.events if _waits(row))


def _waits(row: InboxEvent) -> bool:
    return row.state not in ("handled", "ignored")
