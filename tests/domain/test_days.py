"""Days of the newsroom's zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from paywall.domain.days import in_words, last_day, local_day

NEW_YORK = ZoneInfo("America/New_York")
MIDNIGHT = datetime(2026, 12, 1, 5, tzinfo=UTC)  # in New York


def test_midnight_belongs_to_the_day_that_begins() -> None:
    assert local_day(MIDNIGHT, NEW_YORK) == date(2026, 12, 1)
    assert local_day(MIDNIGHT - datetime.resolution, NEW_YORK) == date(2026, 11, 30)


def test_access_until_midnight_has_its_last_day_before() -> None:
    assert last_day(MIDNIGHT, NEW_YORK) == date(2026, 11, 30)
    assert last_day(MIDNIGHT + datetime.resolution, NEW_YORK) == date(2026, 12, 1)


def test_a_day_has_its_name_in_words_also_a_leap_day() -> None:
    assert in_words(date(2028, 2, 29)) == "29 February 2028"
    assert in_words(date(2026, 12, 1)) == "1 December 2026"
