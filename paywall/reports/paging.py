"""Pages of a list by keyset: the next page starts after a row, not after a number of rows, so it never slows down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, tuple_

from paywall.reports.filters import Cursor, Filters, Sort
from paywall.reports.selection import DATES, columns, ids
from paywall.storage.database import db
from paywall.storage.models import Entitlement

PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list in its order, and the places before and after them if more rows are there."""

    rows: Sequence[Row[Any]]
    before: Cursor | None
    after: Cursor | None


def page(filters: Filters, zone: ZoneInfo, now: datetime, size: int = PAGE) -> Page:
    """The page that the filters' place asks for; without one, or with too few rows before it, the first."""
    query = ids(filters, zone, now)
    if filters.before:
        places = _take(query, filters.sort, filters.before, size + 1, forward=False)
        if len(places) > size:
            return _page(places[1:], now, has_before=True, has_after=True)
        places = _take(query, filters.sort, None, size + 1)
    else:
        places = _take(query, filters.sort, filters.after, size + 1)
    return _page(places[:size], now, has_before=filters.after is not None, has_after=len(places) > size)


def _page(places: list[Cursor], now: datetime, *, has_before: bool, has_after: bool) -> Page:
    found = db.session.execute(columns(now).where(Entitlement.id.in_([place.id for place in places])))
    by_id = {row.id: row for row in found}
    rows = [by_id[place.id] for place in places]
    return Page(rows, places[0] if rows and has_before else None, places[-1] if rows and has_after else None)


def _take(
    query: Select[*tuple[Any, ...]], sort: Sort, place: Cursor | None, size: int, *, forward: bool = True
) -> list[Cursor]:
    """Up to ``size`` rows next to the place, in the list's order: their ids alone, so that little has to be sorted.

    Rows without the date stand last in either direction. They are read by a query of their own, because one condition
    for both would keep the database from going straight to the place by its index.
    """
    key, descending = DATES[sort.by], sort.descending is forward
    parts = [True, False] if key.expression.nullable else [True]  # dated, then undated
    if not forward:
        parts.reverse()
    if place:
        parts = parts[parts.index(place.value is not None) :] if (place.value is not None) in parts else []
    found: list[Cursor] = []
    for dated in parts:
        part = query.add_columns(key).where(key.is_not(None) if dated else key.is_(None))
        if place and dated is (place.value is not None):
            part = part.where(_beyond(key, place, descending))
        order = (key, Entitlement.id) if dated else (Entitlement.id,)
        ordered = part.order_by(*(one.desc() if descending else one.asc() for one in order))
        found += [Cursor(value, row_id) for row_id, value in db.session.execute(ordered.limit(size - len(found)))]
        if len(found) == size:
            break
    return found if forward else found[::-1]


def _beyond(key: Any, place: Cursor, descending: bool) -> ColumnElement[bool]:
    if place.value is None:
        return Entitlement.id < place.id if descending else Entitlement.id > place.id
    here, there = tuple_(key, Entitlement.id), tuple_(place.value, place.id)
    return here < there if descending else here > there
