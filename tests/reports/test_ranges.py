"""The range picker: steps without gap or overlap, the period before, faults beside their fields."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from paywall.reports import ranges
from paywall.reports.ranges import AS_OF, DAY, MOST_STEPS, Range, RangeQuestion, Step

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)

days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
steps = st.sampled_from(Step)


def asked(now: datetime = NOW, zone: ZoneInfo = NEW_YORK, **args: str) -> RangeQuestion:
    return ranges.read(MultiDict(args), zone, now, AS_OF)


@given(days, st.integers(0, 900), steps)
def test_the_steps_of_a_range_are_the_range(first: date, length: int, by: Step) -> None:
    """Without gap or overlap, as many as were counted without making them, each within one step of the calendar."""
    chosen = Range(first, first + length * DAY, by)
    parts = list(chosen.parts())
    assert len(parts) == chosen.count
    assert (parts[0].first, parts[-1].last) == (chosen.first, chosen.last)
    assert all(one.last + DAY == other.first for one, other in pairwise(parts))
    for part in parts:
        assert part.first <= part.last
        names = {"day": "%x", "week": "%G %V", "month": "%Y %m", "year": "%Y"}
        assert part.first.strftime(names[by]) == part.last.strftime(names[by])


@given(days, st.integers(0, 4000), steps)
def test_the_period_before_lies_before_and_never_overlaps(first: date, length: int, by: Step) -> None:
    chosen = Range(first, first + length * DAY, by)
    before = chosen.before()
    assert before.first <= before.last < chosen.first
    assert before.by is by
    if first.day != 1:
        assert before.last - before.first == chosen.last - chosen.first
        assert before.last + DAY == chosen.first


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        ("2026-11-01", "2026-11-22", ("2026-10-01", "2026-10-22")),  # a month that is not over
        ("2026-11-01", "2026-11-30", ("2026-10-01", "2026-10-31")),  # a whole one, beside a longer one
        ("2026-03-01", "2026-03-30", ("2026-02-01", "2026-02-28")),  # no such day in February
        ("2025-12-01", "2026-11-22", ("2024-12-01", "2025-11-22")),
        ("2026-01-01", "2026-12-31", ("2025-01-01", "2025-12-31")),
        ("2026-11-10", "2026-11-12", ("2026-11-07", "2026-11-09")),
    ],
)
def test_months_are_put_beside_months(first: str, last: str, before: tuple[str, str]) -> None:
    found = Range(date.fromisoformat(first), date.fromisoformat(last)).before()
    assert (str(found.first), str(found.last)) == before


@pytest.mark.parametrize(
    ("args", "first", "last", "count"),
    [
        ({}, "2025-12-01", "2026-11-22", 12),
        ({"by": "day"}, "2026-10-24", "2026-11-22", 30),
        ({"by": "week"}, "2026-08-31", "2026-11-22", 12),
        ({"by": "year"}, "2022-01-01", "2026-11-22", 5),
        ({"to": "2026-06-30"}, "2025-07-01", "2026-06-30", 12),
        ({"as_of": "2026-06-30"}, "2025-07-01", "2026-06-30", 12),
        ({"from": "2026-11-22", "by": ""}, "2026-11-22", "2026-11-22", 1),
        ({"to": "2000-01-03", "by": "day"}, "2000-01-01", "2000-01-03", 3),
    ],
)
def test_what_is_not_said_is_the_last_time_up_to_today(args: dict, first: str, last: str, count: int) -> None:
    question = asked(**args)
    assert question.errors == {}
    found = question.range
    assert (str(found.first), str(found.last), found.count) == (first, last, count)


@pytest.mark.parametrize(
    ("args", "field", "fault"),
    [
        ({"from": "yesterday"}, "from", "Must be a day such as 2026-11-22."),
        ({"from": "2026-02-30"}, "from", "There is no such day in the calendar."),
        ({"from": "1999-12-31"}, "from", "Must be a day from 2000-01-01 to today, 2026-11-22."),
        ({"to": "2026-11-23"}, "to", "Must be a day from 2000-01-01 to today, 2026-11-22."),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "to", "Is before the first day."),
        ({"to": "2026-11-02", "as_of": "2026-11-01"}, "to", "Is after the day whose knowledge is asked for."),
        ({"by": "hour"}, "by", "Must be one of: day, week, month, year."),
        ({"where": "x"}, "", "The address asks for something that this report does not know."),
    ],
)
def test_a_fault_stands_beside_its_field(args: dict, field: str, fault: str) -> None:
    question = asked(**args)
    assert question.errors == {field: fault}
    assert question.given == args


def test_what_is_given_twice_is_refused() -> None:
    question = ranges.read(MultiDict([("from", "2026-01-01"), ("from", "2026-02-01")]), NEW_YORK, NOW)
    assert question.errors == {"from": "Is given twice; once is enough."}


def test_ten_years_of_days_are_shown_and_a_day_more_is_not() -> None:
    last = NOW.date()
    longest = asked(**{"from": str(last - (MOST_STEPS - 1) * DAY), "by": "day"})
    assert longest.errors == {}
    longer = asked(**{"from": str(last - MOST_STEPS * DAY), "by": "day"})
    assert longer.errors == {
        "by": "Makes 3,701 rows by day, and at most 3,700 are shown: choose a longer step or fewer days."
    }


@pytest.mark.parametrize(("zone", "today"), [("Pacific/Kiritimati", "2026-11-23"), ("Pacific/Niue", "2026-11-22")])
def test_today_is_the_newsrooms(zone: str, today: str) -> None:
    assert str(asked(zone=ZoneInfo(zone)).range.last) == today


def test_a_past_day_is_asked_about_as_it_ended() -> None:
    """Its last moment, an hour later or earlier where clocks changed; today goes up to now."""
    over = ranges.end_of(date(2026, 10, 31), NEW_YORK, NOW)
    assert over == datetime(2026, 11, 1, 4, tzinfo=UTC) - timedelta(microseconds=1)
    changed = ranges.end_of(date(2026, 11, 1), NEW_YORK, NOW)
    assert changed == datetime(2026, 11, 2, 5, tzinfo=UTC) - timedelta(microseconds=1)
    assert ranges.end_of(date(2026, 11, 22), NEW_YORK, NOW) == NOW
    assert ranges.end_of(None, NEW_YORK, NOW) == NOW


@pytest.mark.parametrize(
    ("by", "title"),
    [("day", "16 Nov 2026"), ("week", "Week of 16 Nov 2026"), ("month", "November 2026"), ("year", "2026")],
)
def test_a_step_has_a_title_for_people(by: str, title: str) -> None:
    (part,) = Range(date(2026, 11, 16), date(2026, 11, 16), Step(by)).parts()
    assert part.title == title
