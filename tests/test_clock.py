"""The clock tells the machine's time in UTC, and in development a time that a file shifts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from paywall.clock import Clock

NOON = datetime(2026, 11, 22, 12, 0, 0, 250000, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def test_the_present_is_aware_and_utc() -> None:
    now = Clock().now()
    assert now == NOON
    assert now.utcoffset() == timedelta()


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        ("0", timedelta()),
        ("", timedelta()),
        ("\n", timedelta()),
        ("3600\n", timedelta(hours=1)),
        (" -86400 ", timedelta(days=-1)),
        ("+31622400", timedelta(days=366)),
    ],
)
def test_the_file_shifts_the_present_by_seconds(tmp_path: Path, text: str, shift: timedelta) -> None:
    file = tmp_path / "offset"
    file.write_text(text)
    assert Clock(file).now() == NOON + shift


def test_without_its_file_the_time_is_the_machines(tmp_path: Path) -> None:
    assert Clock(tmp_path / "nowhere").now() == NOON


def test_the_file_is_read_each_time(tmp_path: Path) -> None:
    """So one file moves every process that was told of it."""
    file = tmp_path / "offset"
    clock = Clock(file)
    before = clock.now()
    file.write_text("60")
    assert clock.now() - before == timedelta(minutes=1)
    file.unlink()
    assert clock.now() == before


@pytest.mark.parametrize("text", ["soon", "1.5", "1 hour"])
def test_a_file_that_holds_no_number_is_an_error_and_not_ignored(tmp_path: Path, text: str) -> None:
    file = tmp_path / "offset"
    file.write_text(text)
    with pytest.raises(ValueError, match="invalid literal"):
        Clock(file).now()
