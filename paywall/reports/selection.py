"""From filters to SQL: the columns of a report's row, and which rows are meant."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, select
from sqlalchemy.orm import InstrumentedAttribute

from paywall.reports.calendar import span_of_days, span_of_month, span_so_far
from paywall.reports.filters import Dated, Filters, Source
from paywall.reports.rule import is_in, moved, reason_at, state_at
from paywall.storage import readers
from paywall.storage.models import Entitlement, Reader, Subscription
from paywall.storage.payments import Payment

DATES: dict[Dated, InstrumentedAttribute[datetime]] = {
    Dated.STARTS: Entitlement.starts_at,  # type: ignore[dict-item]  # may be null
    Dated.ENDS: Entitlement.until,  # type: ignore[dict-item]
    Dated.CREATED: Entitlement.created_at,
}


def columns(now: datetime) -> Select[*tuple[Any, ...]]:
    """Everything that a report says of an entitlement, with state and reason at ``now``; of all, without an order."""
    query = select(
        Entitlement.id,
        Entitlement.reader_id,
        Reader.customer_id,
        Reader.email.label("address"),
        Entitlement.plan,
        Entitlement.source,
        Entitlement.source_id,
        state_at(now).label("state"),
        reason_at(now).label("reason"),
        Entitlement.starts_at,
        Entitlement.paid_until,
        Entitlement.until,
        Entitlement.renews,
        Entitlement.created_at,
        Subscription.duplicate_of,
    )
    return query.join(Reader, Reader.id == Entitlement.reader_id).outerjoin(Subscription, _of_subscription())


def rows(filters: Filters, zone: ZoneInfo, now: datetime) -> Select[*tuple[Any, ...]]:
    """The rows that the filters want, without an order."""
    return columns(now).where(*conditions(filters, zone, now))


def ids(filters: Filters, zone: ZoneInfo, now: datetime) -> Select[*tuple[Any, ...]]:
    """The ids of these rows."""
    query = select(Entitlement.id)
    if filters.who:  # no other filter asks the reader
        query = query.join(Reader, Reader.id == Entitlement.reader_id)
    return query.where(*conditions(filters, zone, now))


def conditions(filters: Filters, zone: ZoneInfo, now: datetime) -> list[ColumnElement[bool]]:
    """What a row must fulfil. Conditions on the reader need it joined."""
    return list(_conditions(filters, zone, now))


def _conditions(filters: Filters, zone: ZoneInfo, now: datetime) -> Iterator[ColumnElement[bool]]:
    if filters.state:
        yield is_in(filters.state, now)
    if filters.reason:
        yield reason_at(now) == filters.reason.value
    if filters.plan:
        yield Entitlement.plan == filters.plan
    if filters.source:
        yield Entitlement.source == filters.source.value
    if filters.movement and not filters.month and filters.first and filters.last:
        yield moved(filters.movement, span_so_far(filters.first, filters.last, zone, now))
    elif filters.first or filters.last:
        yield _dated(filters, zone)
    if filters.movement and filters.month:
        yield moved(filters.movement, span_of_month(filters.month, zone, now))
    if filters.who:
        yield _belongs_to(filters.who)
    if filters.flag:  # there is one
        yield exists().where(_of_subscription(), Subscription.duplicate_of.is_not(None))


def _of_subscription() -> ColumnElement[bool]:
    return and_(Entitlement.source == Source.SUBSCRIPTION.value, Subscription.id == Entitlement.source_id)


def _dated(filters: Filters, zone: ZoneInfo) -> ColumnElement[bool]:
    span, column = span_of_days(filters.first, filters.last, zone), DATES[filters.dated]
    if filters.dated is Dated.ENDS:  # the midnight at which access ends belongs to the day before
        return and_(column > span.since, column <= span.by)
    return and_(column >= span.since, column < span.before)


def _belongs_to(who: str) -> ColumnElement[bool]:
    """An id finds what it names, a whole address exactly its readers, anything else every address that contains it."""
    if "@" not in who:
        kind = who.partition("_")[0]
        if kind in _IDS and who != kind:
            return _IDS[kind](who)
        return Reader.email_normalised.contains(who.casefold(), autoescape=True)
    try:
        return Reader.email_normalised == readers.normalise(who)[1]
    except readers.BadEmail:
        return Reader.email_normalised.contains(who.casefold(), autoescape=True)


_IDS: dict[str, Callable[[str], ColumnElement[bool]]] = {
    "ent": lambda who: Entitlement.id == who,
    "rdr": lambda who: Entitlement.reader_id == who,
    "cus": lambda who: Reader.customer_id == who,
    "sub": lambda who: Entitlement.source_id == who,
    "in": lambda who: Entitlement.source_id.in_(select(Payment.subscription_id).where(Payment.invoice_id == who)),
}
