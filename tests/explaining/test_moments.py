"""Moments as a service desk writes and reads them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from paywall.explaining.moments import BadMoment, ends_after, moment, read

NEW_YORK, AUCKLAND, CAIRO = ZoneInfo("America/New_York"), ZoneInfo("Pacific/Auckland"), ZoneInfo("Africa/Cairo")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-22", datetime(2026, 11, 22, 5, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 7, 1, 4, tzinfo=UTC)),
        ("2026-11-22T14:05", datetime(2026, 11, 22, 19, 5, tzinfo=UTC)),
        ("2026-11-22 14:05:09", datetime(2026, 11, 22, 19, 5, 9, tzinfo=UTC)),
        (" 2026-11-22T14:05+00:00 ", datetime(2026, 11, 22, 14, 5, tzinfo=UTC)),
        ("2026-11-22T14:05Z", datetime(2026, 11, 22, 14, 5, tzinfo=UTC)),
    ],
)
def test_a_date_is_its_start_and_a_time_is_the_newsrooms_unless_it_says_otherwise(text: str, found: datetime) -> None:
    assert read(text, NEW_YORK) == found


def test_the_same_text_is_another_moment_in_another_newsroom() -> None:
    assert read("2026-11-22", AUCKLAND) == datetime(2026, 11, 21, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "22.11.2026", "2026-13-01", "2026-02-29", "14:05", "0001-01-01", "9999-12-31", "1e9", "\0"],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadMoment, match="Write a date such as 2026-11-22"):
        read(text, NEW_YORK)


def test_a_moment_is_written_in_the_newsrooms_zone() -> None:
    assert moment(datetime(2026, 11, 22, 19, 5, tzinfo=UTC), NEW_YORK) == "22 November 2026, 14:05 EST"


def test_what_runs_to_midnight_ends_after_its_last_day() -> None:
    assert ends_after(datetime(2026, 11, 22, 5, tzinfo=UTC), NEW_YORK) == "after 21 November 2026"
    assert ends_after(datetime(2026, 11, 22, 5, 0, 1, tzinfo=UTC), NEW_YORK) == "on 22 November 2026, 00:00 EST"


def test_a_day_that_begins_at_one_is_a_day_all_the_same() -> None:
    """In Cairo clocks go from midnight to one o'clock on the last Friday of April."""
    until = datetime(2026, 4, 23, 22, tzinfo=UTC)
    assert until.astimezone(CAIRO).hour == 1
    assert ends_after(until, CAIRO) == "after 23 April 2026"
