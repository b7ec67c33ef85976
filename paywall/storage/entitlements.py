"""Rows of entitlements and their ledger: what a decision changes is written here, with its cause."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, select, text

from paywall.domain import changes
from paywall.domain.entitlements import SKEW, Access, Reason, Terms, union
from paywall.domain.lifecycle import Change, State
from paywall.domain.plans import Plan
from paywall.storage import periods
from paywall.storage.database import db, new_id
from paywall.storage.models import AWAITED, RUNNING, Entitlement, LedgerEntry, Subscription


@dataclass(frozen=True, slots=True)
class Cause:
    """What made us decide: its id, and its kind.

    Kinds are event, return, command, clock, reconcile, joined, moved, erasure, staff.
    """

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where an entitlement comes from, and whose it is."""

    kind: str
    id: str
    reader_id: str
    plan: str


def terms_of(row: Entitlement | LedgerEntry) -> Terms:
    """The rule's dates as the row, or an entry of the ledger, keeps them."""
    return Terms(
        starts_at=row.starts_at,
        paid_until=row.paid_until,
        until=row.until,
        lapse=Reason(row.lapse),
        in_dunning=row.in_dunning,
        hold=Reason(row.hold) if row.hold else None,
        renews=row.renews,
    )


def get(entitlement_id: str) -> Entitlement | None:
    """The entitlement with this id."""
    return db.session.get(Entitlement, entitlement_id)


def of_reader(reader_id: str) -> list[Entitlement]:
    """All entitlements of a reader, the oldest first."""
    query = (
        select(Entitlement).where(Entitlement.reader_id == reader_id).order_by(Entitlement.created_at, Entitlement.id)
    )
    return list(db.session.scalars(query))


def of_source(kind: str, source_id: str) -> Entitlement | None:
    """What a source such as a ``subscription`` gives."""
    return db.session.scalar(_of_source(kind, source_id))


def access_of(reader_id: str, plans: Mapping[str, Plan], now: datetime) -> Access:
    """What a reader may read now: the union of the entitlements. A plan that is no longer known gives nothing."""
    rows = of_reader(reader_id)
    return union(((plans[row.plan].features, terms_of(row)) for row in rows if row.plan in plans), now)


def bought_access_of(reader_id: str, plans: Mapping[str, Plan], now: datetime) -> Access:
    """The same without what was given free of charge: who has nothing else has no subscription."""
    rows = [row for row in of_reader(reader_id) if row.source == "subscription"]
    return union(((plans[row.plan].features, terms_of(row)) for row in rows if row.plan in plans), now)


def save(source: Source, terms: Terms, cause: Cause, now: datetime) -> LedgerEntry | None:
    """Brings the source's entitlement to ``terms`` and writes the ledger; None if nothing changed. Commits nothing."""
    state, reason = terms.explain(now)
    query = _of_source(source.kind, source.id).with_for_update()
    row = db.session.scalar(query, execution_options={"populate_existing": True})
    price = _price(source)
    told = (state, source.reader_id, source.plan, *price)
    if row is not None and terms_of(row) == terms and _told(row) == told:
        return None
    before = (State(row.state), terms_of(row)) if row is not None else None
    change = changes.name(before, state, terms, now)
    effective_at = changes.took_effect(change, terms, row.paid_until if row is not None else None, now)
    if row is None:
        row = Entitlement(id=new_id("ent"), source=source.kind, source_id=source.id, created_at=now)
        db.session.add(row)
    row.reader_id, row.plan = source.reader_id, source.plan
    row.amount, row.currency = price
    for name, value in _columns(terms, state, reason).items():
        setattr(row, name, value)
    row.decided_at = now
    return _enter(row, change, effective_at, cause, now)


def hand_over(source: Source, cause: Cause, now: datetime) -> LedgerEntry | None:
    """Gives what a source gives to ``source.reader_id``, unchanged, and writes the ledger; None if it is theirs.

    What a date has changed unseen is written down first. Only billing/moving may. Commits nothing.
    """
    query = _of_source(source.kind, source.id).with_for_update()
    row = db.session.scalar(query, execution_options={"populate_existing": True})
    if row is None or row.reader_id == source.reader_id:
        return None
    save(Source(source.kind, source.id, row.reader_id, row.plan), terms_of(row), Cause("clock", "expiry"), now)
    row.reader_id, row.decided_at = source.reader_id, now
    return _enter(row, Change.MOVED, now, cause, now)


def _enter(row: Entitlement, change: Change, effective_at: datetime, cause: Cause, now: datetime) -> LedgerEntry:
    """Writes down what the row says now."""
    db.session.flush()
    entry = LedgerEntry(
        entitlement_id=row.id,
        reader_id=row.reader_id,
        plan=row.plan,
        amount=row.amount,
        currency=row.currency,
        change=change,
        effective_at=effective_at,
        learned_at=now,
        cause=cause.kind,
        cause_id=cause.id,
        **_columns(terms_of(row), State(row.state), Reason(row.reason)),
    )
    db.session.add(entry)
    db.session.flush()
    periods.follow(db.session.connection(), entry)
    return entry


def decide_again(entitlement_id: str, cause: Cause, now: datetime) -> LedgerEntry | None:
    """Brings the stored state to what the dates say now, and writes the ledger; None if it did. Commits nothing."""
    row = db.session.get(Entitlement, entitlement_id, with_for_update=True, populate_existing=True)
    if row is None:
        return None
    return save(Source(row.source, row.source_id, row.reader_id, row.plan), terms_of(row), cause, now)


def due_to_change(now: datetime, limit: int) -> list[str]:
    """The ids of entitlements whose stored state a date has overtaken, each kind by an index of its own."""
    row = Entitlement
    overtaken = (
        and_(text(RUNNING), row.until <= now),
        and_(row.in_dunning, row.state == State.ACTIVE, row.paid_until <= now),
        and_(text(AWAITED), row.starts_at <= now + SKEW),
    )
    found = [db.session.scalars(select(row.id).where(one).limit(limit)).all() for one in overtaken]
    return list(dict.fromkeys(one for ids in found for one in ids))[:limit]


def _of_source(kind: str, source_id: str) -> Select[Entitlement]:
    return select(Entitlement).where(Entitlement.source == kind, Entitlement.source_id == source_id)


def _price(source: Source) -> tuple[int | None, str | None]:
    """What the source costs: minor units an interval of its plan, and their currency; nothing for what is free."""
    if source.kind != "subscription":
        return None, None
    query = select(Subscription.amount, Subscription.currency).where(Subscription.id == source.id)
    found = db.session.execute(query).one_or_none()
    return (found.amount, found.currency) if found else (None, None)


def _told(row: Entitlement) -> tuple[object, ...]:
    return row.state, row.reader_id, row.plan, row.amount, row.currency


def _columns(terms: Terms, state: State, reason: Reason) -> dict[str, Any]:
    return {**asdict(terms), "state": state, "reason": reason}
