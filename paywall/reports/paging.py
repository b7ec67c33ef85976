"""Pages of a list by keyset: the next page starts after a row, not after a number of rows, so it never slows down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, tuple_

from paywall.reports.filters import Cursor, Dated, Filters, Sort
from paywall.reports.selection import DATES, rows
from paywall.storage.database import db
from paywall.storage.models import Entitlement

PAGE = 50

_LABELS = {Dated.STARTS: "starts_at", Dated.ENDS: "until", Dated.CREATED: "created_at"}


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list in its order, and the places before and after them if more rows are there."""

    rows: Sequence[Row[Any]]
    before: Cursor | None
    after: Cursor | None


def page(filters: Filters, zone: ZoneInfo, now: datetime, size: int = PAGE) -> Page:
    """The page that the filters' place asks for; without one, or with too few rows before it, the first."""
    query = rows(filters, zone, now)
    if filters.before:
        found = _take(query, filters.sort, filters.before, size + 1, forward=False)
        if len(found) > size:
            return _page(found[1:], filters.sort, has_before=True, has_after=True)
        found = _take(query, filters.sort, None, size + 1)
    else:
        found = _take(query, filters.sort, filters.after, size + 1)
    has_before = filters.after is not None and bool(found)
    return _page(found[:size], filters.sort, has_before, has_after=len(found) > size)


def _page(found: Sequence[Row[Any]], sort: Sort, has_before: bool, has_after: bool) -> Page:
    places = [Cursor(getattr(row, _LABELS[sort.by]), row.id) for row in (*found[:1], *found[-1:])]
    return Page(found, places[0] if has_before else None, places[-1] if has_after else None)


def _take(
    query: Select[*tuple[Any, ...]], sort: Sort, place: Cursor | None, size: int, *, forward: bool = True
) -> Sequence[Row[Any]]:
    """Up to ``size`` rows next to the place, in the list's order.

    Rows without the date stand last in either direction. They are read by a query of their own, because one condition
    for both would keep the database from going straight to the place by its index.
    """
    key, descending = DATES[sort.by], sort.descending is forward
    parts = [True, False] if key.expression.nullable else [True]  # dated, then undated
    if not forward:
        parts.reverse()
    if place:
        parts = parts[parts.index(place.value is not None) :] if (place.value is not None) in parts else []
    found: list[Row[Any]] = []
    for dated in parts:
        part = query.where(key.is_not(None) if dated else key.is_(None))
        if place and dated is (place.value is not None):
            part = part.where(_beyond(key, place, descending))
        columns = (key, Entitlement.id) if dated else (Entitlement.id,)
        ordered = part.order_by(*(one.desc() if descending else one.asc() for one in columns))
        found += db.session.execute(ordered.limit(size - len(found))).all()
        if len(found) == size:
            break
    return found if forward else found[::-1]


def _beyond(key: Any, place: Cursor, descending: bool) -> ColumnElement[bool]:
    if place.value is None:
        return Entitlement.id < place.id if descending else Entitlement.id > place.id
    here, there = tuple_(key, Entitlement.id), tuple_(place.value, place.id)
    return here < there if descending else here > there
