"""The range picker: from, to and by what step; the steps of a range, and the period before it."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from paywall.domain.days import local_day
from paywall.reports import report
from paywall.reports.calendar import FIRST_DAY, day_start
from paywall.reports.report import Field

MOST_STEPS = 3700  # ten years of days
DAY = timedelta(days=1)


class Step(StrEnum):
    """How long a row of a report is. Weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a range: whole days of the newsroom, both included; the first and the last one may be cut."""

    first: date
    last: date
    by: Step

    @property
    def title(self) -> str:
        """The step for people."""
        day = f"{self.first.day} {self.first:%b %Y}"
        return {
            Step.DAY: day,
            Step.WEEK: f"Week of {day}",
            Step.MONTH: f"{self.first:%B %Y}",
            Step.YEAR: f"{self.first:%Y}",
        }[self.by]


@dataclass(frozen=True, slots=True)
class Range:
    """Whole days of the newsroom from ``first`` to ``last``, both included, in steps."""

    first: date
    last: date
    by: Step = Step.MONTH

    @property
    def count(self) -> int:
        """How many steps it has, without making them."""
        first, last = self.first, self.last
        if self.by is Step.DAY:
            return (last - first).days + 1
        if self.by is Step.WEEK:
            return (_begin(last, self.by) - _begin(first, self.by)).days // 7 + 1
        if self.by is Step.MONTH:
            return 12 * (last.year - first.year) + last.month - first.month + 1
        return last.year - first.year + 1

    def parts(self) -> Iterator[Part]:
        """Its steps, the earliest first; together they are the range, without gap or overlap."""
        first = self.first
        while first <= self.last:
            following = _begin(_next(first, self.by), self.by)
            yield Part(first, min(following - DAY, self.last), self.by)
            first = following

    def before(self) -> "Range":
        """The period before it: as many months back where it begins with a month, else as many days.

        So a month that is half over is put beside the same days of the month before.
        """
        if self.first.day != 1:
            return Range(self.first - (self.last - self.first) - DAY, self.first - DAY, self.by)
        months = 12 * (self.last.year - self.first.year) + self.last.month - self.first.month + 1
        last = self.first - DAY if _ends_month(self.last) else min(_back(self.last, months), self.first - DAY)
        return Range(_back(self.first, months), last, self.by)


@dataclass(slots=True)
class RangeQuestion:
    """What an address asks of a report about a range. ``as_of``: as it was known by the end of that day."""

    given: dict[str, str]
    range: Range
    as_of: date | None = None
    errors: dict[str, str] = field(default_factory=dict)


FIELDS = (
    Field("from", "The first day, such as 2026-01-01."),
    Field("to", "The last day, included; at most today."),
    Field("by", "The step: day, week, month or year."),
)
AS_OF = Field("as_of", "Show what was known by the end of this day.")


def read(
    args: MultiDict[str, str], zone: ZoneInfo, now: datetime, *more: Field, most: int = MOST_STEPS
) -> RangeQuestion:
    """Parses from, to and by (and ``as_of`` if it is among ``more``); never raises.

    Without ``from`` it is the last 12 months (30 days, 12 weeks, 5 years), up to and with today. More steps than
    ``most`` are a fault.
    """
    given, errors = report.given(args, (*FIELDS, *more))
    today = local_day(now, zone)
    days: dict[str, date] = {}
    for name in ("from", "to", "as_of"):
        if given.get(name) and name not in errors:
            try:
                days[name] = read_day(given[name], today)
            except ValueError as error:
                errors[name] = str(error)
    by = Step.MONTH
    if given.get("by") and given["by"] not in list(Step):
        errors["by"] = f"Must be one of: {', '.join(Step)}."
    elif given.get("by"):
        by = Step(given["by"])
    newest = days.get("as_of", today)
    last = days.get("to", newest)
    chosen = Range(days.get("from") or _usual(last, by), last, by)
    if not errors:
        errors = _faults(chosen, newest, most)
    return RangeQuestion(given, chosen, days.get("as_of"), errors)


def end_of(as_of: date | None, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment that a question is about: now, or the end of a day that is over."""
    return now if as_of is None else min(now, day_start(as_of + DAY, zone) - datetime.resolution)


def read_day(text: str, today: date) -> date:
    """A day that has begun. Raises ValueError with words for people."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("Must be a day such as 2026-11-22.")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("There is no such day in the calendar.") from None
    if not FIRST_DAY <= day <= today:
        raise ValueError(f"Must be a day from {FIRST_DAY} to today, {today}.")
    return day


def _faults(chosen: Range, newest: date, most: int) -> dict[str, str]:
    if chosen.last < chosen.first:
        return {"to": "Is before the first day."}
    if chosen.last > newest:
        return {"to": "Is after the day whose knowledge is asked for."}
    if chosen.count > most:
        told = f"{chosen.count:,} rows by {chosen.by}, and at most {most:,} are shown"
        return {"by": f"Makes {told}: choose a longer step or fewer days."}
    return {}


def _usual(last: date, by: Step) -> date:
    found = {
        Step.DAY: last - 29 * DAY,
        Step.WEEK: _begin(last, by) - 77 * DAY,
        Step.MONTH: _back(last.replace(day=1), 11),
        Step.YEAR: date(max(last.year - 4, FIRST_DAY.year), 1, 1),
    }[by]
    return max(found, FIRST_DAY)


def _begin(day: date, by: Step) -> date:
    if by is Step.WEEK:
        return day - day.weekday() * DAY
    if by is Step.MONTH:
        return day.replace(day=1)
    return day.replace(month=1, day=1) if by is Step.YEAR else day


def _next(day: date, by: Step) -> date:
    """A day in the following step."""
    if by is Step.MONTH:
        return day.replace(day=1) + 31 * DAY
    return {Step.DAY: day + DAY, Step.WEEK: day + 7 * DAY, Step.YEAR: date(day.year + 1, 1, 1)}[by]


def _back(day: date, months: int) -> date:
    years, index = divmod(12 * day.year + day.month - 1 - months, 12)
    return date(years, index + 1, min(day.day, calendar.monthrange(years, index + 1)[1]))


def _ends_month(day: date) -> bool:
    return (day + DAY).day == 1
