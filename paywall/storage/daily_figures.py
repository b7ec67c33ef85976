"""Rows of the daily rollup: by how much each figure changes on each of the newsroom's days, and what it was made of."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import BigInteger, Boolean, Connection, Date, Index, Integer, String, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime, insert_for, only
from paywall.storage.models import LedgerEntry

_BATCH = 500


class Key(NamedTuple):
    """What a figure counts: on which day, whether it takes effect as that day closes, and of what."""

    day: date
    closing: bool
    measure: str
    plan: str = ""
    currency: str = ""
    cause: str = ""


class DailyFigure(Base):
    """One figure's change on one day. Days to come stand in it too: access ends without an event."""

    __tablename__ = "daily_figures"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    closing: Mapped[bool] = mapped_column(Boolean, primary_key=True)  # at the midnight that ends the day
    measure: Mapped[str] = mapped_column(String(12), primary_key=True)
    plan: Mapped[str] = mapped_column(String(40), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    cause: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class Rollup(Base):
    """What the daily figures hold: the ledger up to an entry, in the days of a zone. One row, or none."""

    __tablename__ = "rollups"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    zone: Mapped[str] = mapped_column(String(60))
    ledger_id: Mapped[int] = mapped_column(BigInteger)
    made_at: Mapped[datetime] = mapped_column(UTCDateTime)


# renewals are counted by the day on which they took effect, ends by whether they came of an erasure; as SQL, because no
# database uses such an index for a value that is bound later
RENEWALS = "change IN ('renewed', 'recovered')"
ERASURES = "cause = 'erasure'"
Index("ix_ledger_renewals", LedgerEntry.effective_at, **only(RENEWALS))
Index("ix_ledger_erasures", LedgerEntry.entitlement_id, **only(ERASURES))

ALONE = 1  # the id of the one row


class State(NamedTuple):
    """The one row of ``rollups``."""

    zone: str
    ledger_id: int
    made_at: datetime


def state(connection: Connection) -> State | None:
    """What the figures hold; None where they were never made."""
    query = select(Rollup.zone, Rollup.ledger_id, Rollup.made_at).where(Rollup.id == ALONE)
    found = connection.execute(query).one_or_none()
    return State(*found) if found else None


def newest_entry(connection: Connection) -> int:
    """The number of the ledger's newest entry; 0 for an empty ledger."""
    return connection.scalar(select(func.max(LedgerEntry.id))) or 0


def put_state(connection: Connection, now: State) -> None:
    """Says what the figures hold from now on. Commits nothing."""
    statement = insert_for(Rollup).values(id=ALONE, **now._asdict())
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=now._asdict()))


def replace(connection: Connection, figures: Mapping[Key, int]) -> None:
    """Puts these figures in the place of all that are there. Commits nothing."""
    connection.execute(delete(DailyFigure))
    rows = [{**key._asdict(), "value": value} for key, value in figures.items() if value]
    if rows:
        connection.execute(insert(DailyFigure), rows)


def add(connection: Connection, figures: Mapping[Key, int]) -> None:
    """Adds to what is there. Commits nothing."""
    rows = [{**key._asdict(), "value": value} for key, value in figures.items() if value]
    table = DailyFigure.__table__
    for first in range(0, len(rows), _BATCH):
        statement = insert_for(DailyFigure).values(rows[first : first + _BATCH])
        summed = table.c.value + statement.excluded.value
        keys = [column.name for column in table.primary_key]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"value": summed}))
