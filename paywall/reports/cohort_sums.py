"""Of the readers who joined in a month, how many were still there at the end of each later month."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, func, select

from paywall.reports.calendar import Month, day_start
from paywall.reports.steps import step
from paywall.storage.database import db
from paywall.storage.models import Entitlement


@dataclass(frozen=True, slots=True)
class Cohort:
    """Who joined in ``month``; ``retained`` counts those there at its end, at that of the next month, and so on.

    The last one is of the running month, at this moment.
    """

    month: Month
    readers: int
    retained: Sequence[int]

    def share(self, after: int) -> float | None:
        """The part that was there so many months later; None where nobody joined."""
        return self.retained[after] / self.readers if self.readers else None


def cohorts(count: int, zone: ZoneInfo, now: datetime) -> list[Cohort]:
    """The cohorts of the running month and those before it, ``count`` together, the oldest first."""
    last = Month.of(now, zone)
    months = [last.plus(-back) for back in range(count - 1, -1, -1)]
    sizes: Counter[int] = Counter()
    there: Counter[tuple[int, int]] = Counter()
    for joined, since, until, first, readers in db.session.execute(_stays(months, zone, now)):
        sizes[joined] += readers if first else 0
        there.update({(joined, at): readers for at in range(since, until + 1)})
    return [
        Cohort(month, sizes[index], [there[index, at] for at in range(index, count)])
        for index, month in enumerate(months)
    ]


def _stays(months: Sequence[Month], zone: ZoneInfo, now: datetime) -> Select[int, int, int, bool, int]:
    """Number of stays by the month of joining, the first and the last month at whose end the reader was there.

    A stay is what an entitlement adds to those of its reader that began before it, so that nobody counts twice in a
    month. One that was over within its month has its last month before its first. ``first`` marks a reader's first.
    """
    starts = [day_start(month.first_day, zone) for month in months]
    row, whose = Entitlement, Entitlement.reader_id
    last = step(row.until, [*starts[1:], now], ending=True)
    rows = (
        select(
            func.first_value(row.starts_at, type_=row.starts_at.type)
            .over(partition_by=whose, order_by=row.starts_at)
            .label("joined_at"),
            step(row.starts_at, starts).label("since"),
            last.label("until"),
            func.max(last).over(partition_by=whose, order_by=row.starts_at, rows=(None, -1)).label("seen"),
            (func.row_number().over(partition_by=whose, order_by=row.starts_at) == 1).label("first"),
        )
        .where(row.source == "subscription", row.paid_until.is_not(None))
        .where(row.starts_at < row.until, row.starts_at <= now)
        .subquery()
    )
    stays = (
        select(
            step(rows.c.joined_at, starts).label("joined"),
            _greatest(rows.c.since, rows.c.seen + 1).label("since"),
            rows.c.until,
            rows.c.first,
        )
        .where(rows.c.joined_at >= starts[0])
        .subquery()
    )
    keys = (stays.c.joined, stays.c.since, stays.c.until, stays.c.first)
    return select(*keys, func.count()).group_by(*keys)


def _greatest(one: ColumnElement[int], other: ColumnElement[int]) -> ColumnElement[int]:
    """The greater of the two; the first one where the other is null."""
    return case((other > one, other), else_=one)
