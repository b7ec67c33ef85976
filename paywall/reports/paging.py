"""Pages of a list by keyset: the next page starts after a row, not after a number of rows, so it never slows down."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select

from paywall.reports import known
from paywall.reports.filters import Cursor, Dated, Filters
from paywall.reports.rule import Movement
from paywall.reports.selection import columns
from paywall.reports.walking import Walk, steps
from paywall.storage.database import db

PAGE = 50
MOST = 1000  # rows that are counted; to count all would cost more than to show them


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list in its order, and the places before and after them if more rows are there.

    ``number`` is how many rows the whole list has; None if more than ``MOST``, or not counted.
    """

    rows: Sequence[Row[Any]]
    before: Cursor | None
    after: Cursor | None
    number: int | None = None


def page(filters: Filters, zone: ZoneInfo, now: datetime, size: int = PAGE, *, identities: bool = True) -> Page:
    """The page that the filters' place asks for; without one, or with too few rows before it, the first.

    Without ``identities`` its rows tell neither addresses nor ids of Stripe.
    """
    list_ = _List(filters, zone, now, identities)
    if filters.before:
        places = list_.take(filters.before, size + 1, forward=False)
        if len(places) > size:
            return list_.page(places[1:], has_before=True, has_after=True)
        places = list_.take(None, size + 1)
    else:
        places = list_.take(filters.after, size + 1)
    return list_.page(places[:size], has_before=filters.after is not None, has_after=len(places) > size)


def counted_page(filters: Filters, zone: ZoneInfo, now: datetime, size: int = PAGE, *, identities: bool = True) -> Page:
    """The same page with the number of the list's rows; the first page and its number are found in one walk."""
    if filters.after or filters.before or not is_counted(filters):
        found = page(filters, zone, now, size, identities=identities)
        if found.before is None and found.after is None:
            return replace(found, number=len(found.rows))
        return replace(found, number=count(filters, zone, now)) if is_counted(filters) else found
    list_ = _List(filters, zone, now, identities)
    places = list_.take(None, MOST + 1)
    found = list_.page(places[:size], has_before=False, has_after=len(places) > size)
    return found if len(places) > MOST else replace(found, number=len(places))


def count(filters: Filters, zone: ZoneInfo, now: datetime, most: int = MOST) -> int | None:
    """How many rows the filters want; None where there are more than ``most``."""
    number = 0
    for dated in _parts(filters):
        walk = Walk(filters, filters.order.descending, dated, None, most + 1 - number)
        number += db.session.scalar(select(func.count()).select_from(steps(walk, zone, now).subquery())) or 0
        if number > most:
            return None
    return number


def is_counted(asked: Filters) -> bool:
    """Whether an index leads to the rows that are counted, and to few others; who returned is asked of each."""
    grouped = asked.state or asked.reason or asked.plan or asked.source
    moved = asked.movement and (grouped or asked.movement is Movement.RETURNED)
    return not (asked.as_of or asked.cause or moved)


def _parts(filters: Filters) -> list[bool]:
    """The rows with a date, then those without; these are in no days, and never moved."""
    may_miss = filters.order.by in (Dated.STARTS, Dated.ENDS)
    return [True, False] if may_miss and not (filters.first or filters.last or filters.movement) else [True]


@dataclass(frozen=True, slots=True)
class _List:
    filters: Filters
    zone: ZoneInfo
    now: datetime
    identities: bool

    def page(self, places: Sequence[Cursor], *, has_before: bool, has_after: bool) -> Page:
        """The rows at the places."""
        row = known.rows(self.filters.as_of, self.zone, self.now)
        moment = known.end_of(self.filters.as_of, self.zone, self.now)
        query = columns(moment, row, identities=self.identities).where(row.id.in_([place.id for place in places]))
        by_id = {one.id: one for one in db.session.execute(query)}
        rows = [by_id[place.id] for place in places]
        return Page(rows, places[0] if rows and has_before else None, places[-1] if rows and has_after else None)

    def take(self, place: Cursor | None, size: int, *, forward: bool = True) -> list[Cursor]:
        """Up to ``size`` rows next to the place, in the list's order: their ids alone, so that little is sorted.

        Rows without the date stand last in either direction. They are read by a query of their own, because one
        condition for both would keep the database from going straight to the place by its index.
        """
        sort = self.filters.order
        parts = _parts(self.filters)
        if not forward:
            parts.reverse()
        if place:
            parts = parts[parts.index(place.value is not None) :] if (place.value is not None) in parts else []
        found: list[Cursor] = []
        for dated in parts:
            here = place if place and dated is (place.value is not None) else None
            walk = Walk(self.filters, sort.descending is forward, dated, here, size - len(found))
            found += [Cursor(one.at, one.id) for one in db.session.execute(steps(walk, self.zone, self.now))]
            if len(found) == size:
                break
        return found if forward else found[::-1]
