"""A period ends on the anchor's day where the month has one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.sandbox.periods import period_end, running_period


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "periods", "end"),
    [
        ("2026-11-22T12:00:00", "year", 1, 1, "2027-11-22T12:00:00"),
        ("2028-02-29T00:00:00", "year", 1, 1, "2029-02-28T00:00:00"),
        ("2028-02-29T00:00:00", "year", 1, 4, "2032-02-29T00:00:00"),
        ("2027-01-31T00:00:00", "month", 1, 1, "2027-02-28T00:00:00"),
        ("2027-01-31T00:00:00", "month", 1, 2, "2027-03-31T00:00:00"),
        ("2026-12-15T00:00:00", "month", 3, 1, "2027-03-15T00:00:00"),
        ("2026-12-31T23:59:59", "week", 2, 1, "2027-01-14T23:59:59"),
        ("2026-12-31T23:59:59", "day", 1, 1, "2027-01-01T23:59:59"),
    ],
)
def test_the_end_is_where_a_calendar_has_it(anchor, interval, count, periods, end):
    assert period_end(at(anchor), interval, count, periods) == at(end)


@given(st.integers(0, 4_000_000_000), st.sampled_from(["day", "week", "month", "year"]), st.integers(1, 36))
def test_periods_follow_one_another_and_keep_the_time_of_day(anchor, interval, count):
    first, second = period_end(anchor, interval, count), period_end(anchor, interval, count, 2)
    assert anchor < first < second
    assert first % 86400 == anchor % 86400


@pytest.mark.parametrize(
    ("anchor", "interval", "moment", "start", "end"),
    [
        ("2028-02-29T12:00:00", "year", "2029-02-28T11:59:59", "2028-02-29T12:00:00", "2029-02-28T12:00:00"),
        ("2028-02-29T12:00:00", "year", "2029-02-28T12:00:00", "2029-02-28T12:00:00", "2030-02-28T12:00:00"),
        ("2028-02-29T12:00:00", "year", "2032-02-28T12:00:00", "2031-02-28T12:00:00", "2032-02-29T12:00:00"),
        ("2027-01-31T00:00:00", "month", "2027-02-28T00:00:00", "2027-02-28T00:00:00", "2027-03-31T00:00:00"),
        ("2027-01-31T00:00:00", "month", "2027-01-01T00:00:00", "2027-01-01T00:00:00", "2027-01-31T00:00:00"),
    ],
)
def test_the_running_period_is_the_one_a_moment_lies_in(anchor, interval, moment, start, end):
    assert running_period(at(anchor), interval, 1, at(moment)) == (at(start), at(end))


@given(
    st.integers(0, 4_000_000_000),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(1, 36),
    st.integers(0, 700_000_000),
)
def test_every_moment_lies_in_one_period_of_the_rhythm(anchor, interval, count, later):
    start, end = running_period(anchor, interval, count, anchor + later)
    assert start <= anchor + later < end
    assert running_period(anchor, interval, count, start) == (start, end)
    assert running_period(anchor, interval, count, end - 1) == (start, end)
