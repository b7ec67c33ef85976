"""What each reader's entitlements add to the overview's figures, and at which moments: one query for every use of it.

An event is a moment at which figures change: something starts or ends by the rule's dates. Events are read of all
entitlements or of some readers', as the tables say now or as the ledger knew them, so that a daily rollup, what is
put right in it, and a figure of a past day cannot differ.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Interval,
    Select,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
)

from paywall.domain.entitlements import SKEW, Reason
from paywall.reports.slots import EARLIER
from paywall.storage.daily_figures import ERASURES
from paywall.storage.database import UTCDateTime, db
from paywall.storage.grants import SOURCE as COMP
from paywall.storage.models import Entitlement, LedgerEntry

# persons who may read by a paid source; by one that is not in grace; by one that renews; by any source; on hold
PAYING, ACTIVE, RENEWING, READING, HELD = "paying", "active", "renewing", "reading", "held"
NEW, RETURNED, ENDED, RENEWED, PRICE = "new", "returned", "ended", "renewed", "price"
ERASED = "erased"
_TERMS = ("starts_at", "paid_until", "until", "lapse", "in_dunning", "hold", "renews")
_RENEWALS = ("renewed", "recovered")


def live(readers: Collection[str] | None = None) -> Select[*tuple[Any, ...]]:
    """The entitlements as they are, of all or of these readers."""
    row = Entitlement
    erased = select(LedgerEntry.entitlement_id).where(text(ERASURES)).distinct().subquery()
    columns: list[Any] = [row.id, row.reader_id, row.plan, row.source, row.amount, row.currency]
    columns += [getattr(row, name) for name in _TERMS]
    query = select(*columns, erased.c.entitlement_id.is_not(None).label(ERASED))
    query = query.outerjoin(erased, erased.c.entitlement_id == row.id)
    return query if readers is None else query.where(row.reader_id.in_(readers))


def known(of: ColumnElement[bool], readers: Collection[str] | None = None) -> Select[*tuple[Any, ...]]:
    """The entitlements as those entries of the ledger say that are wanted, of all or of who were these readers then."""
    entry = LedgerEntry
    last = select(func.max(entry.id).label("id"), func.max(case((entry.cause == "erasure", 1), else_=0)).label(ERASED))
    last = last.where(of).group_by(entry.entitlement_id)
    if readers is not None:
        theirs = select(entry.entitlement_id).where(entry.reader_id.in_(readers))
        last = last.where(entry.entitlement_id.in_(theirs))
    found = last.subquery()
    columns: list[Any] = [entry.entitlement_id.label("id"), entry.reader_id, entry.plan, Entitlement.source]
    columns += [entry.amount, entry.currency, *(getattr(entry, name) for name in _TERMS)]
    query = select(*columns, (found.c[ERASED] == 1).label(ERASED)).join(found, found.c.id == entry.id)
    query = query.join(Entitlement, Entitlement.id == entry.entitlement_id)
    return query if readers is None else query.where(entry.reader_id.in_(readers))


def events(rows: Select[*tuple[Any, ...]]) -> CompoundSelect[*tuple[Any, ...]]:
    """Every change of a figure: moment, whether something ends by it, measure, plan, currency, cause, value."""
    seen = _seen(rows.subquery("given"))
    flow = case((seen.c.earlier == 0, NEW), else_=RETURNED)
    ended = case((and_(seen.c.erased, seen.c.lapse == Reason.CANCELED.value), ERASED), else_=seen.c.lapse)
    of = {"plan": seen.c.plan, "currency": seen.c.currency}
    found = [
        _event(seen.c.starts_at, seen.c.ran, flow, plan=seen.c.plan),
        _event(seen.c.until, seen.c.ran, ENDED, end=True, plan=seen.c.plan, cause=ended),
        _event(seen.c.begin, seen.c.costs, PRICE, value=seen.c.amount, **of),
        _event(seen.c.until, seen.c.costs, PRICE, end=True, value=-seen.c.amount, **of),
    ]
    for name in _ENDS:
        found += _union_of(seen, name)
    return union_all(*found)


def renewals(of: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """The renewals among those entries of the ledger that are wanted, as events."""
    entry = LedgerEntry
    plan = func.coalesce(entry.plan, "")
    return select(*_columns(entry.effective_at, literal(RENEWED), plan=plan)).where(entry.change.in_(_RENEWALS), of)


def _seen(given: FromClause) -> CTE:
    """What runs, with its place among what its reader has: each union's end so far, and at last."""
    row = given.c
    dated = and_(row.starts_at.is_not(None), row.paid_until.is_not(None), row.until.is_not(None))
    paid = row.source != COMP
    begin = _less_skew(row.starts_at)
    runs = and_(dated, begin < row.until)
    lets = and_(runs, row.hold.is_(None))
    held = and_(runs, paid, row.hold.is_not(None))
    facts = select(
        *row,
        begin.label("begin"),
        and_(paid, dated, row.starts_at < row.until).label("ran"),
        and_(paid, lets, row.amount.is_not(None)).label("costs"),
        *(make(row, paid, lets, begin, held).label(f"{name}_end") for name, make in _ENDS.items()),
    ).subquery("facts")
    fact = facts.c
    kept = (
        select(facts).where(or_(fact.ran, fact.reading_end.is_not(None), fact.held_end.is_not(None))).subquery("kept")
    )
    mine, order = kept.c.reader_id, (kept.c.starts_at, kept.c.id)
    before: dict[str, Any] = {"partition_by": mine, "order_by": order, "rows": (None, -1)}
    windows = [func.coalesce(func.sum(case((kept.c.ran, 1), else_=0)).over(**before), 0).label("earlier")]
    windows.append(func.row_number().over(partition_by=mine, order_by=order).label("place"))
    for name in _ENDS:
        end = kept.c[f"{name}_end"]
        windows.append(func.max(end).over(**before).label(f"{name}_before"))
        windows.append(func.max(end).over(partition_by=mine).label(f"{name}_last"))
    return select(kept, *windows).cte("seen").prefix_with("MATERIALIZED")


def _union_of(seen: CTE, name: str) -> list[Select[*tuple[Any, ...]]]:
    """A person counts once however many entitlements they have: where a union of them begins, and where it ends."""
    end, before, last = (seen.c[f"{name}_{part}"] for part in ("end", "before", "last"))
    begins = and_(end.is_not(None), or_(before.is_(None), seen.c.begin > before))
    return [
        _event(seen.c.begin, begins, name),
        _event(before, and_(begins, before.is_not(None)), name, end=True, value=literal(-1)),
        _event(last, and_(seen.c.place == 1, last.is_not(None)), name, end=True, value=literal(-1)),
    ]


def _event(
    moment: ColumnElement[Any], when: ColumnElement[bool], measure: str | ColumnElement[str], **values: Any
) -> Select[*tuple[Any, ...]]:
    named = literal(measure) if isinstance(measure, str) else measure
    return select(*_columns(moment, named, **values)).where(when)


def _columns(
    moment: Any,
    measure: ColumnElement[str],
    *,
    end: bool = False,
    plan: ColumnElement[str] | None = None,
    currency: ColumnElement[str] | None = None,
    cause: ColumnElement[str] | None = None,
    value: ColumnElement[int] | None = None,
) -> list[ColumnElement[Any]]:
    named = {"plan": plan, "currency": currency, "cause": cause}
    return [
        moment.label("moment"),
        (true() if end else false()).label("closes"),
        measure.label("measure"),
        *((literal("") if column is None else column).label(name) for name, column in named.items()),
        (literal(1) if value is None else value).label("value"),
    ]


def _less_skew(moment: ColumnElement[Any]) -> ColumnElement[datetime]:
    if db.engine.dialect.name == "sqlite":  # which has no microseconds in its own functions
        return getattr(func, EARLIER)(moment, type_=UTCDateTime)  # type: ignore[no-any-return]
    return func.timezone("UTC", func.timezone("UTC", moment) - literal(SKEW, Interval), type_=UTCDateTime)


def _grace_begins(row: Any) -> ColumnElement[datetime]:
    return case((and_(row.in_dunning, row.paid_until < row.until), row.paid_until), else_=row.until)


def _if(when: ColumnElement[bool], end: ColumnElement[datetime]) -> ColumnElement[datetime]:
    return case((when, end))


# name -> where an entitlement's part in the union ends; null where it has none
_ENDS: dict[str, Any] = {
    PAYING: lambda row, paid, lets, begin, held: _if(and_(paid, lets), row.until),
    ACTIVE: lambda row, paid, lets, begin, held: _if(and_(paid, lets, begin < _grace_begins(row)), _grace_begins(row)),
    RENEWING: lambda row, paid, lets, begin, held: _if(and_(paid, lets, row.renews), row.until),
    READING: lambda row, paid, lets, begin, held: _if(lets, row.until),
    HELD: lambda row, paid, lets, begin, held: _if(held, row.until),
}
