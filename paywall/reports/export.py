"""The entitlements as CSV: every row, read in batches, safe to open in a spreadsheet."""

import csv
import io
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import repeat
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Engine, Row, Select, String, case, func, tuple_, type_coerce

from paywall.reports import known
from paywall.reports.calendar import FIRST_DAY, LAST_DAY, day_start
from paywall.reports.filters import Filters
from paywall.reports.rule import Row as Rows
from paywall.reports.selection import columns, conditions

BATCH = 5000
COLUMNS = (
    "entitlement_id", "reader_id", "customer_id", "address", "plan", "source", "source_id", "state", "reason", "renews",
    "starts_at", "first_day", "paid_until", "until", "last_day", "created_at", "created_day", "as_of",
    "duplicate_of",
)  # fmt: skip

# A cell that begins with one of these is a formula to some spreadsheet, the full-width forms to some in East Asia
_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_DATES = ("starts_at", "paid_until", "until", "created_at")
_TEXT = 'YYYY-MM-DD"T"HH24:MI:SS.US'


def stream(
    engine: Engine,
    filters: Filters,
    zone: ZoneInfo,
    now: datetime,
    *,
    identities: bool = True,
    told: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """The file (RFC 4180, UTF-8) in pieces: a line of ``COLUMNS``, then the rows that the filters want.

    Moments are ISO 8601 in UTC, days are the newsroom's. Rows come in the order in which they were made, which no
    change to them alters: what is saved during the download neither drops a row nor repeats one. Each batch is a short
    transaction of its own; ``told`` hears how many rows it gave. Without ``identities`` the cells of addresses and of
    Stripe's ids are empty.
    """
    yield _lines([COLUMNS])
    row = known.rows(filters.as_of, zone, now)
    moment = known.end_of(filters.as_of, zone, now)
    query = columns(moment, row, identities=identities).where(*conditions(filters, zone, now, row))
    as_of = f"{moment.isoformat()[:19]}Z"
    days = _days(zone.key)
    for batch in _batches(engine, _as_texts(query, row, engine), row):
        yield _lines(map(_cells, batch, repeat(as_of), repeat(days)))
        if told:
            told(len(batch))


def safe(text: str | None) -> str:
    """A text that no spreadsheet takes for a formula: one that could be is led by an apostrophe."""
    if not text:
        return ""
    return f"'{text}" if text[0] in _FORMULA else text


def _as_texts(query: Select[*tuple[Any, ...]], row: Rows, engine: Engine) -> Select[*tuple[Any, ...]]:
    """The same rows with moments as ISO 8601 in UTC to the microsecond; to make moments of millions takes long."""
    plain = {column.name: column for column in query.selected_columns}
    plain["renews"] = case((row.renews, "yes"), else_="no").label("renews")
    for name in _DATES:
        plain[name] = _moment(getattr(row, name), engine.dialect.name == "sqlite").label(name)
    return query.with_only_columns(*plain.values())


def _moment(column: Any, sqlite: bool) -> ColumnElement[str]:
    if sqlite:  # which stores such a text, in UTC
        return func.replace(type_coerce(column, String), " ", "T")
    return func.to_char(func.timezone("UTC", column), _TEXT)


def _batches(engine: Engine, query: Select[*tuple[Any, ...]], row: Rows) -> Iterator[Sequence[Row[Any]]]:
    ordered = query.order_by(row.created_at, row.id).limit(BATCH)
    with ThreadPoolExecutor(max_workers=1) as ahead:  # the database finds the next batch while this one is written
        coming = ahead.submit(_fetch, engine, ordered)
        while batch := coming.result():
            place = datetime.fromisoformat(batch[-1].created_at).replace(tzinfo=UTC), batch[-1].id
            behind = ordered.where(tuple_(row.created_at, row.id) > tuple_(*place))
            if len(batch) == BATCH:
                coming = ahead.submit(_fetch, engine, behind)
            yield batch
            if len(batch) < BATCH:
                return


def _fetch(engine: Engine, query: Select[*tuple[Any, ...]]) -> Sequence[Row[Any]]:
    with engine.execution_options(readonly=True).connect() as connection:
        return connection.execute(query).all()


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    return "".join(map(_line, rows)).encode()


def _line(cells: Sequence[str]) -> str:
    """A line as the module csv writes it; that takes five times as long, and is asked where a cell needs quotes."""
    line = ",".join(cells)
    if line.count(",") < len(cells) and '"' not in line and "\n" not in line and "\r" not in line:
        return f"{line}\r\n"
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()


Days = tuple[list[str], list[str]]


def _cells(row: Row[Any], as_of: str, days: Days) -> Sequence[str]:
    (
        row_id, reader_id, customer_id, address, plan, source, source_id, state, reason,
        starts_at, paid_until, until, renews, created_at, duplicate_of,
    ) = row  # type: ignore[misc]  # fmt: skip
    begins, names = days
    return (
        safe(row_id), safe(reader_id), safe(customer_id), safe(address), safe(plan), safe(source), safe(source_id),
        safe(state), safe(reason), renews,
        f"{starts_at[:19]}Z" if starts_at else "", names[bisect_right(begins, starts_at)] if starts_at else "",
        f"{paid_until[:19]}Z" if paid_until else "",
        f"{until[:19]}Z" if until else "", names[bisect_left(begins, until)] if until else "",
        f"{created_at[:19]}Z", names[bisect_right(begins, created_at)],
        as_of, safe(duplicate_of),
    )  # fmt: skip


@lru_cache(maxsize=2)
def _days(zone: str) -> Days:
    """When each day of the newsroom begins, as a text in UTC, and the days' names; the one before all is first."""
    place, count = ZoneInfo(zone), (LAST_DAY - FIRST_DAY).days + 2
    days = [FIRST_DAY + timedelta(days=number) for number in range(count)]
    begins = [f"{day_start(day, place):%Y-%m-%dT%H:%M:%S.%f}" for day in days]
    return begins, [(FIRST_DAY - timedelta(days=1)).isoformat(), *(day.isoformat() for day in days)]
