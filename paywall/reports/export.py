"""The entitlements as CSV: every row, read in batches, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Row, Select, tuple_

from paywall.domain.days import last_day, local_day
from paywall.storage.models import Entitlement

BATCH = 1000
COLUMNS = (
    "entitlement_id", "reader_id", "customer_id", "address", "plan", "source", "source_id", "state", "reason", "renews",
    "starts_at", "first_day", "paid_until", "until", "last_day", "created_at", "created_day", "as_of",
    "duplicate_of",
)  # fmt: skip

# A cell that begins with one of these is a formula to some spreadsheet, the full-width forms to some in East Asia
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def stream(engine: Engine, query: Select[*tuple[Any, ...]], zone: ZoneInfo, now: datetime) -> Iterator[bytes]:
    """The file (RFC 4180, UTF-8) in pieces: a line of ``COLUMNS``, then the rows of ``query`` (see selection.rows).

    Moments are ISO 8601 in UTC, days are the newsroom's. Rows come in the order in which they were made, which no
    change to them alters: what is saved during the download neither drops a row nor repeats one. Each batch is a short
    transaction of its own.
    """
    yield _lines([COLUMNS])
    as_of = _moment(now)
    for batch in _batches(engine, query):
        yield _lines((*_cells(row, zone), as_of, safe(row.duplicate_of)) for row in batch)


def safe(text: str | None) -> str:
    """A text that no spreadsheet takes for a formula: one that could be is led by an apostrophe."""
    return f"'{text}" if text and text.startswith(_FORMULA) else text or ""


def _batches(engine: Engine, query: Select[*tuple[Any, ...]]) -> Iterator[Sequence[Row[Any]]]:
    reading = engine.execution_options(readonly=True)
    ordered = query.order_by(Entitlement.created_at, Entitlement.id).limit(BATCH)
    part = ordered
    while True:
        with reading.connect() as connection:
            batch = connection.execute(part).all()
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        last = batch[-1]
        part = ordered.where(tuple_(Entitlement.created_at, Entitlement.id) > tuple_(last.created_at, last.id))


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cells(row: Row[Any], zone: ZoneInfo) -> Sequence[str]:
    owner = (row.id, row.reader_id, row.customer_id, row.address)
    return (
        *map(safe, (*owner, row.plan, row.source, row.source_id, row.state, row.reason)),
        "yes" if row.renews else "no",
        _moment(row.starts_at),
        _day(local_day(row.starts_at, zone) if row.starts_at else None),
        _moment(row.paid_until),
        _moment(row.until),
        _day(last_day(row.until, zone) if row.until else None),
        _moment(row.created_at),
        _day(local_day(row.created_at, zone)),
    )


def _moment(value: datetime | None) -> str:
    return f"{value.isoformat()[:19]}Z" if value else ""  # rows hold UTC, and so does the clock


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""
