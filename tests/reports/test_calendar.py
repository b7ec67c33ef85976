"""Days and months of the newsroom."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.domain.days import local_day
from paywall.reports import calendar
from paywall.reports.calendar import Month

NEW_YORK = ZoneInfo("America/New_York")
# UTC-11 and UTC+14; clocks that change at midnight, by half an hour; an island that skipped a day
ZONES = (
    "UTC", "America/New_York", "Pacific/Niue", "Pacific/Kiritimati", "Pacific/Apia", "Africa/Cairo", "America/Havana",
    "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Beirut",
)  # fmt: skip
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2000, 1, 3), datetime(2099, 12, 28), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, zones)
def test_every_moment_lies_within_its_local_day(moment: datetime, zone: ZoneInfo) -> None:
    day = local_day(moment, zone)
    following = calendar.day_start(day + timedelta(days=1), zone)
    assert calendar.day_start(day, zone) <= moment < following


@given(moments, zones)
def test_a_day_begins_where_its_predecessor_ends(moment: datetime, zone: ZoneInfo) -> None:
    """The moment before a day's first moment is on an earlier day (a skipped day is empty and has no moment)."""
    day = local_day(moment, zone)
    assert local_day(calendar.day_start(day, zone) - datetime.resolution, zone) < day


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 11, 2), 24)], ids=str
)
def test_days_of_a_clock_change_have_23_and_25_hours(day: date, hours: int) -> None:
    span = calendar.span_of_days(day, day, NEW_YORK)
    assert span.before - span.since == timedelta(hours=hours)


def test_an_open_side_of_a_span_reaches_to_the_ends_of_the_reports() -> None:
    span = calendar.span_of_days(None, None, NEW_YORK)
    assert (span.since.year, span.by.year) == (2000, 2100)


@given(st.integers(0, 1200), st.integers(-24, 24))
def test_months_add_like_numbers(index: int, more: int) -> None:
    month = Month(1990 + index // 12, index % 12 + 1)
    assert month.plus(more).plus(-more) == month
    assert (month.plus(more) > month) is (more > 0)


def test_a_month_is_written_for_addresses_and_for_people() -> None:
    month = Month.of(datetime(2026, 12, 1, 4, 59, tzinfo=UTC), NEW_YORK)
    assert (str(month), month.title, month.first_day) == ("2026-11", "November 2026", date(2026, 11, 1))


def test_the_running_month_reaches_to_the_present_moment_included() -> None:
    now = datetime(2026, 11, 22, 17, tzinfo=UTC)
    span = calendar.span_of_month(Month(2026, 11), NEW_YORK, now)
    assert (span.since, span.before, span.by) == (datetime(2026, 11, 1, 4, tzinfo=UTC), now + datetime.resolution, now)


def test_a_month_is_over_at_its_last_midnight() -> None:
    end = datetime(2026, 12, 1, 5, tzinfo=UTC)
    span = calendar.span_of_month(Month(2026, 11), NEW_YORK, end)
    assert (span.before, span.by) == (end, end)
