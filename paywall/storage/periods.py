"""When each entry of the ledger was the last word on its entitlement: what was known on a past day is found by it.

The ledger alone says all of this, and what a list shows of a past day is read there. But which of its entries held at
a moment is a question about two moments of each, when it was learned and when the next one was, and no index of one
answers it for very many. So each period also says how long it lasted, in doublings of a minute: of those that lasted
up to an hour, only the last hour's are looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    and_,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from paywall.domain.entitlements import SKEW, Reason, Terms
from paywall.domain.lifecycle import State
from paywall.storage.database import Base, UTCDateTime, only
from paywall.storage.models import Entitlement, LedgerEntry

LASTS = 32  # the size of a period that is not over
_MOST = 26  # the size of one of over sixty years
_UNIT = 60  # seconds
_EVER = datetime(1900, 1, 1, tzinfo=UTC)
_STALE = "stale_for IS NOT NULL"


class LedgerPeriod(Base):
    """How long an entry was the last word, from ``learned_at`` to ``superseded_at``; null while it still is.

    From ``stale_at`` on, a date made its state or reason untrue before a later entry said so; null if none did.
    ``lasted`` and ``stale_for`` are the sizes of both times: n if under 2^n minutes, or ``LASTS``. The other columns
    are those by which a list is filtered and sorted, as they stand in the entry and its entitlement.
    """

    __tablename__ = "ledger_periods"

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("ledger.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    entitlement_id: Mapped[str] = mapped_column(String(40), index=True)
    source: Mapped[str] = mapped_column(String(20))
    plan: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(40))
    renews: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    starts_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    learned_at: Mapped[datetime] = mapped_column(UTCDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lasted: Mapped[int] = mapped_column(SmallInteger)
    stale_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    stale_for: Mapped[int | None] = mapped_column(SmallInteger)


_GROUP = (LedgerPeriod.source, LedgerPeriod.plan, LedgerPeriod.state, LedgerPeriod.reason, LedgerPeriod.renews)
_HELD = (LedgerPeriod.entitlement_id, LedgerPeriod.learned_at, LedgerPeriod.superseded_at)

Index("ix_ledger_periods_listed_created_at", *_GROUP, LedgerPeriod.created_at, *_HELD)
Index("ix_ledger_periods_listed_starts_at", *_GROUP, LedgerPeriod.starts_at, *_HELD)
Index("ix_ledger_periods_listed_until", *_GROUP, LedgerPeriod.until, *_HELD)
Index("ix_ledger_periods_lasted", *_GROUP, LedgerPeriod.lasted, LedgerPeriod.learned_at, LedgerPeriod.superseded_at)
Index("ix_ledger_periods_stale", LedgerPeriod.stale_for, LedgerPeriod.stale_at, **only(_STALE))


def size(begin: datetime, end: datetime | None) -> int:
    """How long a time was, in doublings of a minute: the least n with less than 2^n minutes."""
    if end is None:
        return LASTS
    seconds = max(0, int(end.timestamp()) - int(begin.timestamp()))
    return min((seconds // _UNIT).bit_length(), _MOST)


def sizes(moment: datetime) -> Iterator[tuple[int, datetime]]:
    """Each size, the longest first, and the moment before which no time of that size begins that holds ``moment``."""
    yield LASTS, _EVER
    for number in range(_MOST, -1, -1):
        yield number, moment - timedelta(seconds=_UNIT * 2**number + 2)  # both ends are cut to whole seconds


def held(before: datetime, period: Any = LedgerPeriod) -> ColumnElement[bool]:
    """Whether an entry was the last word of those that had been learned ``before`` a moment."""
    return and_(period.learned_at < before, or_(period.superseded_at.is_(None), period.superseded_at >= before))


def follow(connection: Connection, entry: LedgerEntry) -> None:
    """Ends the period of the entry before this one, which was just written, and begins its own. Commits nothing."""
    period = LedgerPeriod
    ended = select(period.entry_id, period.learned_at, period.stale_at).where(
        period.entitlement_id == entry.entitlement_id,
        or_(period.superseded_at.is_(None), period.superseded_at > entry.learned_at),
    )
    for entry_id, learned_at, stale_at in connection.execute(ended).all():
        values = _ended(learned_at, stale_at, entry.learned_at)
        connection.execute(update(period).where(period.entry_id == entry_id).values(values))
    row = select(Entitlement.source, Entitlement.plan, Entitlement.created_at)
    source, plan, created_at = connection.execute(row.where(Entitlement.id == entry.entitlement_id)).one()
    names = ("entitlement_id", "state", "reason", "renews", "starts_at", "until")
    told = {name: getattr(entry, name) for name in names}
    own = {"entry_id": entry.id, "source": source, "plan": entry.plan or plan, "created_at": created_at}
    stale_at = _stale_at(entry)
    stale_for = None if stale_at is None else LASTS
    since = {"learned_at": entry.learned_at, "lasted": LASTS, "stale_at": stale_at, "stale_for": stale_for}
    connection.execute(insert(period).values(told | own | since))


def _ended(learned_at: datetime, stale_at: datetime | None, superseded_at: datetime) -> dict[str, Any]:
    """What a period says when a later entry ends it."""
    values: dict[str, Any] = {"superseded_at": superseded_at, "lasted": size(learned_at, superseded_at)}
    if stale_at is None or stale_at >= superseded_at:
        return values | {"stale_at": None, "stale_for": None}
    return values | {"stale_for": size(stale_at, superseded_at)}


def _stale_at(entry: LedgerEntry) -> datetime | None:
    lapse = Reason(entry.lapse)
    hold = Reason(entry.hold) if entry.hold else None
    terms = Terms(entry.starts_at, entry.paid_until, entry.until, lapse, entry.in_dunning, hold, entry.renews)
    return terms.stands_until(State(entry.state), Reason(entry.reason))


def fill(connection: Connection) -> None:
    """Makes all periods from the ledger in one statement, into the empty table: what was not written one by one."""
    sqlite = connection.dialect.name == "sqlite"
    connection.execute(text(_filling(_SQLITE if sqlite else _POSTGRESQL)))


@dataclass(frozen=True, slots=True)
class _Words:
    """What the databases say differently; ``{}`` is a moment."""

    seconds: str
    before_skew: str


_SQLITE = _Words(
    "CAST(strftime('%s', {}) AS integer)",
    f"strftime('%Y-%m-%d %H\\:%M\\:%S', {{}}, '-{SKEW.seconds} seconds') || substr({{}}, 20)",
)
_POSTGRESQL = _Words("CAST(floor(extract(epoch FROM {})) AS bigint)", f"{{}} - interval '{SKEW.seconds} seconds'")


def _filling(words: _Words) -> str:
    """The statement; the three levels are the last word of each entry, its dates as numbers, its sizes."""
    first = words.before_skew.replace("{}", "l.starts_at")
    learned, superseded = (words.seconds.format(name) for name in ("learned_at", "superseded_at"))
    return f"""
        INSERT INTO ledger_periods (entry_id, entitlement_id, source, plan, state, reason, renews, created_at,
            starts_at, until, learned_at, superseded_at, lasted, stale_at, stale_for)
        SELECT id, entitlement_id, source, plan, state, reason, renews, created_at, starts_at, until, learned_at,
            superseded_at,
            {_size_of("superseded", "learned")},
            CASE WHEN stale_at < superseded_at OR superseded_at IS NULL THEN stale_at END,
            CASE WHEN stale_at < superseded_at OR (superseded_at IS NULL AND stale_at IS NOT NULL)
                THEN {_size_of("superseded", "stale")} END
        FROM (
            SELECT *, {learned} AS learned, {superseded} AS superseded, {words.seconds.format("stale_at")} AS stale
            FROM (
                SELECT l.id, l.entitlement_id, e.source, coalesce(l.plan, e.plan) AS plan, l.state, l.reason,
                    l.renews, e.created_at, l.starts_at, l.until, l.learned_at,
                    min(l.learned_at) OVER (PARTITION BY l.entitlement_id ORDER BY l.id
                        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS superseded_at,
                    CASE
                        WHEN l.starts_at IS NULL OR l.paid_until IS NULL OR l.until IS NULL THEN NULL
                        WHEN l.state = 'ended' THEN NULL
                        WHEN l.state = 'pending' THEN {first}
                        WHEN l.reason = 'paid' AND (l.in_dunning OR l.renews) AND l.paid_until < l.until
                            THEN l.paid_until
                        ELSE l.until
                    END AS stale_at
                FROM ledger l JOIN entitlements e ON e.id = l.entitlement_id
            ) AS spoken
        ) AS timed
    """  # noqa: S608  # all of it is our own


def _size_of(end: str, begin: str) -> str:
    """What ``size`` says, of two columns of seconds."""
    cases = " ".join(f"WHEN {end} - {begin} < {_UNIT * 2**number} THEN {number}" for number in range(_MOST))
    return f"CASE WHEN {end} IS NULL THEN {LASTS} {cases} ELSE {_MOST} END"
