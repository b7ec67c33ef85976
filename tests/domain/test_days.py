"""Days of the newsroom's zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from paywall.domain.days import last_day, local_day

NEW_YORK = ZoneInfo("America/New_York")
MIDNIGHT = datetime(2026, 12, 1, 5, tzinfo=UTC)  # in New York


def test_midnight_belongs_to_the_day_that_begins() -> None:
    assert local_day(MIDNIGHT, NEW_YORK) == date(2026, 12, 1)
    assert local_day(MIDNIGHT - datetime.resolution, NEW_YORK) == date(2026, 11, 30)


def test_access_until_midnight_has_its_last_day_before() -> None:
    assert last_day(MIDNIGHT, NEW_YORK) == date(2026, 11, 30)
    assert last_day(MIDNIGHT + datetime.resolution, NEW_YORK) == date(2026, 12, 1)
