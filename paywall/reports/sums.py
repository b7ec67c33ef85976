"""The overview's figures of any steps: the sum of all that changed, from the daily rollup or from the rows."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, and_, func, not_, or_, select, true

from paywall.domain.days import local_day
from paywall.domain.entitlements import SKEW
from paywall.reports.calendar import day_start
from paywall.reports.contributions import events, known, live, renewals
from paywall.reports.slots import prepare, slot
from paywall.storage import daily_figures
from paywall.storage.daily_figures import DailyFigure, Key
from paywall.storage.models import Entitlement, LedgerEntry

MOST_BEHIND = 5000  # more entries of the ledger than these are not put right one reader at a time
_TICK = datetime.resolution


class Of(NamedTuple):
    """What a sum counts, and in which step: 0 is before the first, then from 1 on."""

    step: int
    measure: str
    plan: str
    currency: str
    cause: str


Sums = Counter[Of]
Rows = Select[*tuple[Any, ...]]
Events = CompoundSelect[*tuple[Any, ...]] | Rows


def of_steps(connection: Connection, days: Sequence[date], zone: ZoneInfo, now: datetime) -> Sums:
    """The sums up to ``now`` of the steps that begin on these ascending days; from the rollup if it is of use."""
    prepare(connection)
    found = _from_rollup(connection, days, zone, now)
    return found if found is not None else of_rows(connection, days, zone, now)


def of_rows(
    connection: Connection,
    days: Sequence[date],
    zone: ZoneInfo,
    now: datetime,
    learned_by: datetime | None = None,
) -> Sums:
    """The same from every row; with ``learned_by`` as the ledger knew it at that moment."""
    prepare(connection)
    if learned_by is None:
        rows, entries = live(), renewals(true())
    else:
        then = LedgerEntry.learned_at <= learned_by
        rows, entries = known(then), renewals(then)
    found: Sums = Counter()
    moments = [day_start(day, zone) for day in days]
    for query in (events(rows), entries):
        for place, closes, *of, value in _grouped(connection, query, moments, now):
            found[Of(place // 2 if closes else (place + 1) // 2, *of)] += value
    return found


def of_days(connection: Connection, query: Events, first: date, last: date, zone: ZoneInfo) -> Counter[Key]:
    """What these events change on each day from ``first`` to ``last``; days beyond lie at its ends."""
    prepare(connection)
    count = (last - first).days + 1
    moments = [day_start(first + timedelta(days=index), zone) for index in range(count + 1)]
    found: Counter[Key] = Counter()
    for place, closes, *of, value in _grouped(connection, query, moments, None):
        index = place // 2 if closes else (place + 1) // 2
        found[Key(first + timedelta(days=index - 1), bool(closes and place % 2), *of)] += value
    return found


def _grouped(
    connection: Connection, query: Events, moments: Sequence[datetime], now: datetime | None
) -> Iterator[tuple[Any, ...]]:
    """Events summed up by place: odd ones are the very moments, even ones what lies between two of them."""
    event = query.subquery("happened").c
    thresholds = [one for moment in moments for one in (moment, moment + _TICK)]
    place = slot(connection, event.moment, thresholds).label("place")
    of = (event.closes, event.measure, event.plan, event.currency, event.cause)
    summed = select(place, *of, func.sum(event.value)).group_by(place, *of)
    for *key, value in connection.execute(summed if now is None else summed.where(event.moment <= now)):
        yield (*key, int(value))


def _from_rollup(connection: Connection, days: Sequence[date], zone: ZoneInfo, now: datetime) -> Sums | None:
    """What the rollup holds, put right by what it does not know; None where that is too much, or in another zone."""
    state = daily_figures.state(connection)
    if state is None or state.zone != zone.key:
        return None
    behind = readers_of(connection, LedgerEntry.id > state.ledger_id)
    if behind is None:
        return None
    today = local_day(now, zone)
    found = _stored(connection, days, today)
    if behind:
        for key, _, value in _exact(connection, known(LedgerEntry.id <= state.ledger_id, behind), zone):
            if _is_stored(key, today):
                found[_step(days, key)] -= value
        for key, moment, value in _exact(connection, live(behind), zone):
            if moment <= now:
                found[_step(days, key)] += value
    if later := _later_today(connection, zone, now) - behind:
        for key, moment, value in _exact(connection, live(later), zone):
            if moment > now and _is_stored(key, today):
                found[_step(days, key)] -= value
    for key, _, value in _keyed(connection, renewals(LedgerEntry.id > state.ledger_id), zone):
        found[_step(days, key)] += value
    return found


def _is_stored(key: Key, today: date) -> bool:
    """Whether ``_stored`` counts it."""
    return key.day < today or (key.day == today and not key.closing)


def _stored(connection: Connection, days: Sequence[date], today: date) -> Sums:
    """What the rollup holds of the past and of today, but for what happens as today closes."""
    row = DailyFigure
    step = slot(connection, row.__table__.c.day, days).label("step")
    of = (row.measure, row.plan, row.currency, row.cause)
    past = or_(row.day < today, and_(row.day == today, not_(row.closing)))
    query = select(step, *of, func.sum(row.value)).where(past).group_by(step, *of)
    return Counter({Of(*found[:-1]): int(found[-1]) for found in connection.execute(query)})


def readers_of(connection: Connection, of: ColumnElement[bool]) -> set[str] | None:
    """Whose entitlements these entries of the ledger change, before or after; None where they are too many."""
    entries = connection.scalars(select(LedgerEntry.entitlement_id).where(of).limit(MOST_BEHIND + 1)).all()
    if len(entries) > MOST_BEHIND:
        return None
    query = select(LedgerEntry.reader_id).where(LedgerEntry.entitlement_id.in_(set(entries))).distinct()
    return set(connection.scalars(query)) if entries else set()


def _later_today(connection: Connection, zone: ZoneInfo, now: datetime) -> set[str]:
    """Whose figures change between now and the midnight that ends the day; what ends at that midnight is kept apart."""
    row, end = Entitlement, day_start(local_day(now, zone) + timedelta(days=1), zone)
    cases = (
        and_(row.starts_at > now, row.starts_at < end + SKEW),
        and_(row.until > now, row.until < end),
        and_(row.in_dunning, row.until > now, row.paid_until > now, row.paid_until < end),
    )
    return {reader for one in cases for reader in connection.scalars(select(row.reader_id).where(one))}


def changes(
    connection: Connection, zone: ZoneInfo, readers: Collection[str], since: int, to: int, *, renewed: bool = True
) -> Counter[Key]:
    """What the ledger's entries after ``since``, up to ``to``, change of the figures; they are of these readers."""
    prepare(connection)
    found: Counter[Key] = Counter()
    if readers:
        for entry, sign in ((since, -1), (to, 1)):
            for key, _, value in _exact(connection, known(LedgerEntry.id <= entry, readers), zone):
                found[key] += sign * value
    if renewed:
        for key, _, value in _keyed(connection, renewals(LedgerEntry.id.between(since + 1, to)), zone):
            found[key] += value
    return found


def _exact(connection: Connection, rows: Rows, zone: ZoneInfo) -> Iterable[tuple[Key, datetime, int]]:
    return _keyed(connection, events(rows), zone)


def _keyed(connection: Connection, query: Events, zone: ZoneInfo) -> Iterator[tuple[Key, datetime, int]]:
    for moment, closes, *of, value in connection.execute(query):
        day = local_day(moment, zone)
        closing = bool(closes) and moment == day_start(day, zone)
        yield Key(day - timedelta(days=closing), closing, *of), moment, value


def _step(days: Sequence[date], key: Key) -> Of:
    return Of(bisect_right(days, key.day), key.measure, key.plan, key.currency, key.cause)
