"""Days and months of the newsroom: where each begins and ends, as moments in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from paywall.domain.days import local_day

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)  # reports know no day outside of these


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of the calendar; written ``2026-11``."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime, zone: ZoneInfo) -> "Month":
        """The newsroom's month in which ``moment`` lies."""
        day = local_day(moment, zone)
        return cls(day.year, day.month)

    @property
    def first_day(self) -> date:
        """The month's first day."""
        return date(self.year, self.number, 1)

    @property
    def title(self) -> str:
        """The month for people."""
        return f"{self.first_day:%B %Y}"

    def plus(self, months: int) -> "Month":
        """The month so many months later."""
        years, index = divmod(self.number - 1 + months, 12)
        return Month(self.year + years, index + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in a report.

    What starts in it has ``since <= starts_at < before``. What ends in it has ``since < until <= by``: access runs up
    to ``until``, so a year that is over at midnight ended on the day before.
    """

    since: datetime
    before: datetime
    by: datetime


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the newsroom's day, in UTC; right where clocks change at midnight."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def span_of_days(first: date | None, last: date | None, zone: ZoneInfo) -> Span:
    """From the start of ``first`` to the end of ``last``, both included; an open side reaches as far as reports do."""
    end = day_start((last or LAST_DAY) + timedelta(days=1), zone)
    return Span(day_start(first or FIRST_DAY, zone), end, end)


def span_of_month(month: Month, zone: ZoneInfo, now: datetime) -> Span:
    """The whole month; of the running one what has passed, the present moment included."""
    return span_so_far(month.first_day, month.plus(1).first_day - timedelta(days=1), zone, now)


def span_so_far(first: date, last: date, zone: ZoneInfo, now: datetime) -> Span:
    """From ``first`` to ``last``, both included; where that is not over, up to the present moment and with it."""
    since, end = day_start(first, zone), day_start(last + timedelta(days=1), zone)
    return Span(since, end, end) if end <= now else Span(since, now + datetime.resolution, now)
