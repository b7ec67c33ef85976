"""What was known on a past day, found by how long each entry of the ledger was the last word (storage/periods)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    DateTime,
    SmallInteger,
    String,
    TableValuedAlias,
    and_,
    bindparam,
    case,
    column,
    func,
    inspect,
    or_,
    select,
    true,
)

from paywall.domain.entitlements import SKEW
from paywall.domain.lifecycle import State
from paywall.reports import groups
from paywall.reports.calendar import Span
from paywall.reports.filters import Dated
from paywall.reports.groups import Asked, Group
from paywall.reports.rule import Row
from paywall.storage.database import db
from paywall.storage.periods import LedgerPeriod, held, sizes

FEW = 250  # rows that held on a day; of groups with more than these the next ones are found by their order
_EVER, _NEVER = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_RUNNING = (State.ACTIVE, State.GRACE, State.SUSPENDED)


def overtaken(span: Span, most: int) -> list[str]:
    """The entitlements of which a date had changed the state or reason that was the last word at the day's end."""
    period = LedgerPeriod
    found = select(period.entitlement_id).where(period.stale_at <= span.by, held(span.before))
    if db.engine.dialect.name == "sqlite":
        of_a_size = [and_(period.stale_for == size, period.stale_at > since) for size, since in sizes(span.before)]
        return list(db.session.scalars(found.where(period.stale_for.is_not(None), or_(*of_a_size)).limit(most)))
    size = sizes_at(span)
    one = found.where(period.stale_for == size.c.lasted, period.stale_at > size.c.since).limit(most).lateral()
    return list(db.session.scalars(select(one).select_from(size.join(one, true())).limit(most)))


def parted(wanted: Asked, span: Span) -> tuple[list[Group], list[Group]]:
    """The groups that fit: those of which many rows held at the day's end, and those of which few did, or none."""
    if db.engine.dialect.name == "sqlite":
        fit = [group for group in groups.one_by_one(LedgerPeriod) if groups.fits(group, wanted)]
        counted = [(group, _number(_held(group, span, of_some_size(LedgerPeriod, span)))) for group in fit]
    else:
        counted = _counted(wanted, span)
    full = [group for group, number in counted if number > FEW]
    return full, [group for group, number in counted if 0 < number <= FEW]


def _number(query: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _held(group: Any, span: Span, of_a_size: ColumnElement[bool]) -> Any:
    """Some entries of the group, one more than are few."""
    period = LedgerPeriod
    found = select(period.entry_id).where(*groups.among(period, group), of_a_size, held(span.before))
    return found.limit(FEW + 1)


def _counted(wanted: Asked, span: Span) -> list[tuple[Group, int]]:
    group, size = groups.every(LedgerPeriod), sizes_at(span)
    # the newest first: they hold for sure, where those from before half of a size's time may be over
    one = _held(group.c, span, of_size(LedgerPeriod, size)).order_by(LedgerPeriod.learned_at.desc())
    one = one.correlate(group, size).lateral("one")
    some = select(one.c.entry_id).select_from(size.join(one, true())).limit(FEW + 1).correlate(group).subquery("some")
    number = select(func.count()).select_from(some).correlate(group).scalar_subquery()
    query = select(*(group.c[name] for name in groups.PARTS), number).where(*groups.fitting(group.c, wanted))
    return [(groups.group_of(row), row[-1]) for row in db.session.execute(query)]


def sizes_at(span: Span) -> TableValuedAlias:
    """The sizes of periods as a table, each with the moment before which none of it begins that holds the day's end."""
    numbers, moments = zip(*sizes(span.before), strict=True)
    return _table("sizes", lasted=(numbers, SmallInteger), since=(moments, DateTime(timezone=True)))


def as_table(found: Sequence[Group]) -> TableValuedAlias:
    """Groups as a table."""
    parts = zip(groups.PARTS, zip(*found, strict=True), strict=True)
    return _table("groups", **{name: (values, Boolean if name == "renews" else String) for name, values in parts})


def _table(name: str, **columns: tuple[Sequence[Any], Any]) -> TableValuedAlias:
    """Rows of values, sent as arrays, so that the statement is the same for any number of them."""
    arrays = [bindparam(None, list(values), type_=ARRAY(kind)) for values, kind in columns.values()]
    typed = [column(column_name, kind) for column_name, (_, kind) in columns.items()]
    return func.unnest(*arrays).table_valued(*typed, name=name).render_derived()


def of_size(row: Any, size: TableValuedAlias) -> ColumnElement[bool]:
    """Whether a row's period is of one size, and may hold the day's end by it."""
    of = _periods(row)
    return and_(of.lasted == size.c.lasted, of.learned_at > size.c.since)


def of_some_size(row: Any, span: Span) -> ColumnElement[bool]:
    """The same of any size."""
    of = _periods(row)
    return or_(*(and_(of.lasted == size, of.learned_at > since) for size, since in sizes(span.before)))


def _periods(row: Any) -> Any:
    """The period's own columns, also those that are none of an entitlement's."""
    return row if row is LedgerPeriod else inspect(row).selectable.c


def bounds(row: Row, by: Dated, state: Any, span: Span) -> ColumnElement[bool]:
    """Between which dates the rows of a group lie that held at the day's end, as nothing had overtaken them.

    Without it the way to the first of them would lead past all that was learned since.
    """
    if by is Dated.CREATED:
        return row.created_at < span.before
    if by is Dated.STARTS:
        return row.starts_at < case((state == State.PENDING.value, _NEVER), else_=span.before + SKEW)
    return row.until > case((state.in_([one.value for one in _RUNNING]), span.by), else_=_EVER)
