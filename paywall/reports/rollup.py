"""Keeps the daily rollup: made anew from every row, or brought up to date by what the ledger has gained.

The rollup holds exactly the ledger's entries up to one number. Whoever reads it puts right what came after, so its age
changes how long a page takes and never what it says.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import OperationalError

from paywall.domain.days import local_day
from paywall.reports import sums
from paywall.reports.calendar import FIRST_DAY, LAST_DAY
from paywall.reports.contributions import events, live, renewals
from paywall.storage import daily_figures
from paywall.storage.daily_figures import Key, State
from paywall.storage.database import db
from paywall.storage.models import Entitlement, LedgerEntry

# readers are read in parts by the beginning of their ids, so that memory stays flat and progress can be told
_PARTS = (None, *(f"rdr_{digit}" for digit in "123456789abcdef"), None)
PARTS = len(_PARTS) - 1
_NO_LOCK = "55P03"  # PostgreSQL's lock_not_available


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: ``figures`` rows written, from the ledger up to ``ledger_id``; ``whole`` if made anew."""

    figures: int
    ledger_id: int
    whole: bool


def refresh(zone: ZoneInfo, now: datetime) -> Done | None:
    """Brings the rollup up to date, by a few readers where that is enough. None if there was nothing to do."""
    to = _settled(db.engine)
    with _reading(db.engine) as connection:
        state = daily_figures.state(connection)
        if state is not None and state.zone == zone.key and state.ledger_id == to:
            return None
        changed = _changes(connection, state, zone, to)
    if state is None or changed is None:
        return rebuild(zone, now)
    with _writing(db.engine) as connection:
        if daily_figures.state(connection) != state:
            return None  # somebody else was faster
        daily_figures.add(connection, changed)
        daily_figures.put_state(connection, State(zone.key, to, now))
    return Done(len(changed), to, whole=False)


def rebuild(zone: ZoneInfo, now: datetime, tell: Callable[[], object] = lambda: None) -> Done:
    """Makes the rollup from every row. ``tell`` is called after each of ``PARTS``.

    Reads one view of the database and writes at its end, in one transaction: interrupted, it leaves what was there.
    """
    to = _settled(db.engine)
    with _reading(db.engine) as connection:
        first, last = _days(connection, zone, now)
        figures: Counter[Key] = Counter()
        for after, before in pairwise(_PARTS):
            figures.update(sums.of_days(connection, events(_part(after, before)), first, last, zone))
            tell()
        figures.update(sums.of_days(connection, renewals(LedgerEntry.id <= to), first, last, zone))
        newest = daily_figures.newest_entry(connection)
        readers = sums.readers_of(connection, LedgerEntry.id > to)
        if readers is None:
            raise TooBusy
        figures.subtract(sums.changes(connection, zone, readers, to, newest, renewed=False))
    with _writing(db.engine) as connection:
        daily_figures.replace(connection, figures)
        daily_figures.put_state(connection, State(zone.key, to, now))
    return Done(sum(1 for value in figures.values() if value), to, whole=True)


class TooBusy(Exception):
    """Too much is being written: for a moment's quiet, or to be taken out of what was read. Doing it again helps."""


def _changes(connection: Connection, state: State | None, zone: ZoneInfo, to: int) -> Counter[Key] | None:
    """What is to be added to the rollup; None where it must be made anew."""
    if state is None or state.zone != zone.key or state.ledger_id > to:
        return None
    between = LedgerEntry.id.between(state.ledger_id + 1, to)
    readers = sums.readers_of(connection, between)
    return None if readers is None else sums.changes(connection, zone, readers, state.ledger_id, to)


def _part(after: str | None, before: str | None) -> sums.Rows:
    rows = live()
    if after is not None:
        rows = rows.where(Entitlement.reader_id >= after)
    return rows if before is None else rows.where(Entitlement.reader_id < before)


def _days(connection: Connection, zone: ZoneInfo, now: datetime) -> tuple[date, date]:
    """The first and the last day on which anything changes, within those that reports know."""
    renewed = select(func.min(LedgerEntry.effective_at)).where(text(daily_figures.RENEWALS)).scalar_subquery()
    query = select(func.min(Entitlement.starts_at), renewed, func.max(Entitlement.until))
    moments = [moment for moment in connection.execute(query).one() if moment is not None]
    days = [local_day(moment, zone) for moment in (*moments, now)]
    return max(min(days), FIRST_DAY), min(max(days), LAST_DAY)


def _settled(engine: Engine) -> int:
    """The number of an entry of the ledger before which none will appear any more.

    PostgreSQL gives out numbers before they are committed: the lock waits for those on their way, a second at most,
    since other writers wait behind it. Raises TooBusy where that is not enough.
    """
    if engine.dialect.name == "sqlite":
        with _reading(engine) as connection:
            return daily_figures.newest_entry(connection)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '1s'"))
        try:
            connection.execute(text("LOCK TABLE ledger IN SHARE MODE"))
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _NO_LOCK:
                raise
            raise TooBusy from None
        return daily_figures.newest_entry(connection)


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    """One unchanging view of the database, that holds up no writer."""
    options: dict[str, object] = {"readonly": True}
    if engine.dialect.name == "postgresql":
        options.update(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with engine.connect().execution_options(**options) as connection:
        yield connection


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    """A transaction of one writer at a time."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("LOCK TABLE rollups IN EXCLUSIVE MODE"))
        yield connection
