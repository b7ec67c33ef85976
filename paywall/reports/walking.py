"""The order of the list, walked by indexes: few steps from any place to the next rows, whatever is filtered.

A page takes the next rows of every group that the filters want and keeps the first of all. The groups go by the state
that was decided last. Rows that a date may have overtaken since then are few and have indexes of their own: they are
left out of the groups, and each is asked for its state of the moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Select,
    String,
    any_,
    bindparam,
    exists,
    false,
    literal,
    not_,
    select,
    text,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from paywall.domain.entitlements import SKEW
from paywall.reports import groups, known, past
from paywall.reports.calendar import Span
from paywall.reports.filters import Cursor, Dated, Filters
from paywall.reports.groups import Group
from paywall.reports.rule import Movement, Row, renewed
from paywall.reports.selection import conditions, date_of, other, span_of
from paywall.storage.database import db
from paywall.storage.listing import BEING_READ
from paywall.storage.models import AWAITED, RUNNING, Entitlement, LedgerEntry

# what is asked of a row, or shown in the order of
_ASKED = (
    "id", "reader_id", "plan", "source", "source_id", "starts_at", "paid_until", "until", "lapse", "in_dunning",
    "hold", "renews", "created_at",
)  # fmt: skip
_MANY = 2000  # rows of a kind that a date has overtaken; the worker leaves a minute's


@dataclass(frozen=True, slots=True)
class Walk:
    """A stretch of a list: ``size`` rows in one direction, those with a date or the others, behind a place if given."""

    filters: Filters
    descending: bool
    dated: bool
    place: Cursor | None
    size: int


def steps(walk: Walk, zone: ZoneInfo, now: datetime) -> Select[*tuple[Any, ...]]:
    """The ids of a stretch and its rows' dates, in order."""
    filters = walk.filters
    if filters.order.by is Movement.RENEWED:
        return _renewed(walk, zone, now)
    if not (filters.who or filters.flag) and (filters.as_of or groups.are_few(filters)):
        overtaken = _overtaken(filters, zone, now)
        if overtaken is not None:  # there may also be too many: right all the same, but row by row
            return _grouped(walk, zone, now, overtaken)
    row = known.rows(filters.as_of, zone, now)
    return _stretch(walk, row, conditions(filters, zone, now, row))


def _renewed(walk: Walk, zone: ZoneInfo, now: datetime) -> Select[*tuple[Any, ...]]:
    """The next of those that were renewed, each by its last renewal in the time that is asked for."""
    span, filters = span_of(walk.filters, zone, now), walk.filters
    row, entry, later = Entitlement, LedgerEntry, aliased(LedgerEntry)
    behind = tuple_(later.effective_at, later.id) > tuple_(entry.effective_at, entry.id)
    again = exists().where(later.entitlement_id == entry.entitlement_id, renewed(span, later), behind)
    last = select(entry.entitlement_id, entry.effective_at).where(renewed(span), not_(again)).subquery("renewals")
    first, last_day = (filters.first, filters.last) if filters.month else (None, None)
    others = replace(filters, movement=None, month=None, first=first, last=last_day)
    at = last.c.effective_at
    query = (
        select(row.id.label("id"), at.label("at"))
        .join(last, last.c.entitlement_id == row.id)
        .where(*conditions(others, zone, now))
    )
    if walk.place:
        query = query.where(_beyond(at, row.id, walk.place, descending=walk.descending))
    return query.order_by(*_order(at, row.id, walk)).limit(walk.size)


def _overtaken(filters: Filters, zone: ZoneInfo, now: datetime) -> list[str] | None:
    """The rows whose state or reason a date may have changed since they were decided; None if there are too many."""
    found = past.overtaken(known.span_of(filters.as_of, zone, now), _MANY + 1) if filters.as_of else _unnoticed(now)
    return None if len(found) > _MANY else found


def _unnoticed(now: datetime) -> list[str]:
    """Each kind is taken from its own index in that index's order, which no guess about numbers leads elsewhere."""
    row = Entitlement
    kinds = (
        (text(RUNNING), row.until, now),
        (text(BEING_READ), row.paid_until, now),  # enters grace, or its renewal is due
        (text(AWAITED), row.starts_at, now + SKEW),
    )
    first = [select(row.id).where(kind, at <= moment).order_by(at).limit(_MANY + 1) for kind, at, moment in kinds]
    return list(db.session.scalars(union_all(*(select(one.subquery()) for one in first))))


def _grouped(walk: Walk, zone: ZoneInfo, now: datetime, overtaken: list[str]) -> Select[*tuple[Any, ...]]:
    """The next rows of all groups that are wanted, and of those that may stand in the wrong one."""
    filters = walk.filters
    row = known.listed(filters.as_of, zone, now) if filters.as_of else Entitlement
    asked = list(other(filters, zone, now, row, settled=True))
    if overtaken:
        asked.append(not_(_is_any(row, overtaken)))
    parts = _of_groups(walk, row, asked, zone, now)
    if overtaken:
        parts.append(_of_few(walk, overtaken, zone, now))
    if not parts:
        return _stretch(walk, Entitlement, [false()])
    found = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return select(found.c.id, found.c.at).order_by(*_order(found.c.at, found.c.id, walk)).limit(walk.size)


def _of_few(walk: Walk, ids: list[str], zone: ZoneInfo, now: datetime) -> Select[*tuple[Any, ...]]:
    """Rows taken by their keys before anything is asked of them: an index of the filters would be walked whole."""
    every = known.rows(walk.filters.as_of, zone, now)
    columns = [getattr(every, name) for name in _ASKED]
    few = select(*columns).where(_is_any(every, ids)).cte("overtaken").prefix_with("MATERIALIZED")
    row = aliased(Entitlement, few, adapt_on_names=True)
    return _rows(walk, row, conditions(walk.filters, zone, now, row))


def _of_groups(
    walk: Walk, row: Row, wanted: list[ColumnElement[bool]], zone: ZoneInfo, now: datetime
) -> list[Select[*tuple[Any, ...]]]:
    """The next rows of each group that the filters want."""
    as_of, asked = walk.filters.as_of, groups.asked(walk.filters)
    if as_of:
        span = known.span_of(as_of, zone, now)
        full, sparse = past.parted(asked, span)
        return [*_of_full(walk, row, wanted, full, span), *_of_sparse(walk, row, wanted, sparse, span)]
    if db.engine.dialect.name == "sqlite":
        fit = [group for group in groups.one_by_one(Entitlement) if groups.fits(group, asked)]
        return _one_by_one([_stretch(walk, row, [*groups.among(row, group), *wanted]) for group in fit])
    group = groups.every(Entitlement)
    arm = _stretch(walk, row, [*groups.among(row, group.c), *wanted]).lateral()
    return [select(arm).select_from(group.join(arm, true())).where(*groups.fitting(group.c, asked))]


def _of_full(
    walk: Walk, row: Row, wanted: list[ColumnElement[bool]], full: list[Group], span: Span
) -> list[Select[*tuple[Any, ...]]]:
    """The next rows of groups of which many held at a past day's end, each by its order."""

    def of(group: Any, state: Any) -> Select[*tuple[Any, ...]]:
        bounds = [past.bounds(row, Dated(walk.filters.order.by), state, span)] if walk.dated else []
        return _stretch(walk, row, [*groups.among(row, group), *bounds, *wanted])

    if db.engine.dialect.name == "sqlite":
        return _one_by_one([of(group, literal(group[2])) for group in full])
    if not full:
        return []
    group = past.as_table(full)
    arm = of(group.c, group.c.state).lateral()
    return [select(arm).select_from(group.join(arm, true()))]


def _of_sparse(
    walk: Walk, row: Row, wanted: list[ColumnElement[bool]], sparse: list[Group], span: Span
) -> list[Select[*tuple[Any, ...]]]:
    """All rows that are wanted of groups of which few held at a past day's end."""
    if db.engine.dialect.name == "sqlite":
        by_size = past.of_some_size(row, span)
        return _one_by_one([_rows(walk, row, [*groups.among(row, group), by_size, *wanted]) for group in sparse])
    if not sparse:
        return []
    group, size = past.as_table(sparse), past.sizes_at(span)
    by_size = past.of_size(row, size)
    arm = _rows(walk, row, [*groups.among(row, group.c), by_size, *wanted]).limit(past.FEW).lateral()
    return [select(arm).select_from(group.join(size, true()).join(arm, true()))]


def _one_by_one(arms: Sequence[Select[*tuple[Any, ...]]]) -> list[Select[*tuple[Any, ...]]]:
    return [select(union_all(*(select(arm.subquery()) for arm in arms)).subquery())] if arms else []


def _stretch(walk: Walk, row: Row, wanted: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """The next rows by one index."""
    return _rows(walk, row, wanted).order_by(*_order(_at(walk, row), row.id, walk)).limit(walk.size)


def _rows(walk: Walk, row: Row, wanted: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """All rows from the place on, without an order."""
    at = _at(walk, row)
    query = select(row.id.label("id"), at.label("at")).where(*wanted, at.is_not(None) if walk.dated else at.is_(None))
    return query.where(_beyond(at, row.id, walk.place, descending=walk.descending)) if walk.place else query


def _at(walk: Walk, row: Row) -> Any:
    return date_of(Dated(walk.filters.order.by), row)


def _order(at: Any, row_id: Any, walk: Walk) -> list[ColumnElement[Any]]:
    columns = (at, row_id) if walk.dated else (row_id,)
    return [one.desc() if walk.descending else one.asc() for one in columns]


def _beyond(at: Any, row_id: Any, place: Cursor, *, descending: bool) -> ColumnElement[bool]:
    if place.value is None:
        return row_id < place.id if descending else row_id > place.id  # type: ignore[no-any-return]
    here, there = tuple_(at, row_id), tuple_(place.value, place.id)
    return here < there if descending else here > there


def _is_any(row: Row, ids: list[str]) -> ColumnElement[bool]:
    """Whether a row is one of these; as one array where there are such, so that the statement is always the same."""
    if db.engine.dialect.name == "sqlite":
        return row.id.in_(ids)
    return row.id == any_(_array(ids))


def _array(values: Iterable[str]) -> BindParameter[Any]:
    return bindparam(None, list(values), type_=ARRAY(String))
