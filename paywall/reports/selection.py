"""From filters to SQL: the columns of a report's row, and which rows are meant."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, null, select
from sqlalchemy.orm import InstrumentedAttribute

from paywall.domain.lifecycle import State
from paywall.reports import known
from paywall.reports.calendar import Month, Span, span_of_days, span_of_month, span_so_far
from paywall.reports.filters import Dated, Filters, Source
from paywall.reports.leading import beside, by_whom, ended_by, stands
from paywall.reports.rule import Row, is_in, moved, reason_at, state_at
from paywall.storage.models import Entitlement, Reader, Subscription
from paywall.storage.payments import Payment


def date_of(dated: Dated, row: Row = Entitlement) -> InstrumentedAttribute[Any]:
    """The column that a date of an entitlement stands in."""
    columns = {Dated.STARTS: row.starts_at, Dated.ENDS: row.until, Dated.CREATED: row.created_at}
    return columns[dated]


def columns(now: datetime, row: Row = Entitlement, *, identities: bool = True) -> Select[*tuple[Any, ...]]:
    """Everything that a report says of an entitlement, with state and reason at ``now``; of all, without an order.

    Without ``identities`` whatever names a person outside of this service is null: the address and Stripe's ids.
    """
    query = select(
        row.id,
        row.reader_id,
        _named(Reader.customer_id, "customer_id", identities),
        _named(Reader.email, "address", identities),
        row.plan,
        row.source,
        _named(row.source_id, "source_id", identities),
        state_at(now, row).label("state"),
        reason_at(now, row).label("reason"),
        row.starts_at,
        row.paid_until,
        row.until,
        row.renews,
        row.created_at,
        _named(Subscription.duplicate_of, "duplicate_of", identities),
    )
    return query.join(Reader, Reader.id == row.reader_id).outerjoin(Subscription, _of_subscription(row))


def ids(filters: Filters, zone: ZoneInfo, now: datetime) -> Select[str]:
    """The ids of the rows that the filters want, without an order."""
    row = known.rows(filters.as_of, zone, now)
    return select(row.id).where(*conditions(filters, zone, now, row))


def conditions(filters: Filters, zone: ZoneInfo, now: datetime, row: Row = Entitlement) -> list[ColumnElement[bool]]:
    """What a row must fulfil."""
    return [*stated(filters, known.end_of(filters.as_of, zone, now), row), *other(filters, zone, now, row)]


def stated(filters: Filters, moment: datetime, row: Row = Entitlement) -> Iterator[ColumnElement[bool]]:
    """What the filters ask of a row's state and reason at a moment, of its plan and of its source."""
    if filters.state:
        yield is_in(filters.state, moment, row)
    if filters.reason:
        yield reason_at(moment, row) == filters.reason.value
    if filters.plan:
        yield row.plan == filters.plan
    if filters.source:
        yield row.source == filters.source.value


def other(
    filters: Filters, zone: ZoneInfo, now: datetime, row: Row = Entitlement, *, settled: bool = False
) -> Iterator[ColumnElement[bool]]:
    """What they ask of its dates, of whose it is, and of what the overview counts it under.

    Where the state is ``settled``, as a group of the list has it, only the rest is asked: a database that counts on a
    condition to leave few rows, where it leaves all, does not go by their order.
    """
    if filters.movement:
        yield moved(filters.movement, span_of(filters, zone, now), row)
    if (filters.first or filters.last) and (filters.month or not filters.movement):
        yield _dated(filters, zone, row)
    if filters.readers is not None:
        yield row.reader_id.in_(filters.readers)
    elif filters.who:
        yield _IDS[filters.who.partition("_")[0]](filters.who, row)
    yield from _of_the_overview(filters, zone, now, row, settled=settled)
    if filters.flag:  # there is one
        yield exists().where(_of_subscription(row), Subscription.duplicate_of.is_not(None))


def _of_the_overview(
    filters: Filters, zone: ZoneInfo, now: datetime, row: Row, *, settled: bool
) -> Iterator[ColumnElement[bool]]:
    moment = known.end_of(filters.as_of, zone, now)
    if filters.standing:
        every = known.rows(filters.as_of, zone, now)
        if settled:
            yield from beside(filters.standing, moment, row, every)
        else:
            yield stands(filters.standing, moment, row, every)
    if filters.cause and settled:
        yield from by_whom(filters.cause, row)
    elif filters.cause:
        yield is_in(State.ENDED, moment, row)
        yield ended_by(filters.cause, row)


def span_of(filters: Filters, zone: ZoneInfo, now: datetime) -> Span:
    """The time in which a movement counts: the month, else the days, of which it needs both."""
    if filters.month or not (filters.first and filters.last):
        return span_of_month(filters.month or Month.of(now, zone), zone, now)
    return span_so_far(filters.first, filters.last, zone, now)


def is_id(who: str) -> bool:
    """Whether a text is an id, and so no address."""
    kind, line, rest = who.partition("_")
    return bool(line and rest) and kind in _IDS and "@" not in who


def is_stripes(who: str) -> bool:
    """Whether an id is one of Stripe's."""
    return is_id(who) and who.partition("_")[0] not in ("ent", "rdr")


def _named(column: Any, name: str, shown: bool) -> Any:
    return (column if shown else null()).label(name)


def _of_subscription(row: Row) -> ColumnElement[bool]:
    return and_(row.source == Source.SUBSCRIPTION.value, Subscription.id == row.source_id)


def _dated(filters: Filters, zone: ZoneInfo, row: Row) -> ColumnElement[bool]:
    span, column = span_of_days(filters.first, filters.last, zone), date_of(filters.dated, row)
    if filters.dated is Dated.ENDS:  # the midnight at which access ends belongs to the day before
        return and_(column > span.since, column <= span.by)
    return and_(column >= span.since, column < span.before)


def _paid_by(invoice_id: str) -> Select[str]:
    return select(Payment.subscription_id).where(Payment.invoice_id == invoice_id)


_IDS: dict[str, Callable[[str, Row], ColumnElement[bool]]] = {
    "ent": lambda who, row: row.id == who,
    "rdr": lambda who, row: row.reader_id == who,
    "cus": lambda who, row: row.reader_id.in_(select(Reader.id).where(Reader.customer_id == who)),
    "sub": lambda who, row: and_(row.source == Source.SUBSCRIPTION.value, row.source_id == who),
    "in": lambda who, row: and_(row.source == Source.SUBSCRIPTION.value, row.source_id.in_(_paid_by(who))),
}
