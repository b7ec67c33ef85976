"""The clock tells the machine's time in UTC, and in development a time that a file shifts."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from structlog.testing import capture_logs

from paywall.clock import Clock

NOON = datetime(2026, 11, 22, 12, 0, 0, 250000, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 1_000_000_000


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


@pytest.mark.parametrize("text", ["soon", "1.5", "1 hour", "9" * 5000, "9" * 30, "\xe9"])
def test_a_file_that_holds_no_number_is_told_of_once_and_the_last_offset_stays(tmp_path: Path, text: str) -> None:
    """The service goes on: one that answers nothing would hide what is wrong."""
    file = tmp_path / "offset"
    file.write_text("60")
    clock = Clock(file)
    before = clock.now()
    replace(file, text)
    with capture_logs() as lines:
        assert [clock.now(), clock.now()] == [before, before]
    assert [(line["event"], line["log_level"]) for line in lines] == [("clock_file_broken", "error")]
    assert text not in str(lines)
    replace(file, "120")
    assert clock.now() - before == timedelta(minutes=1)


def test_a_file_broken_from_the_start_shifts_nothing_and_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    file.write_text("soon")
    with capture_logs() as lines:
        assert Clock(file).now() == NOON
    assert len(lines) == 1


@pytest.mark.parametrize("text", ["99999999999", "-99999999999"])
def test_an_offset_beyond_the_calendar_is_cut(tmp_path: Path, text: str) -> None:
    file = tmp_path / "offset"
    file.write_text(text)
    assert abs(Clock(file).now() - NOON) <= timedelta(days=366 * 200)


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, monkeypatch) -> None:
    """Every request asks for the time, some of them often."""
    file = tmp_path / "offset"
    file.write_text("60")
    clock = Clock(file)
    clock.now()
    monkeypatch.setattr(Path, "read_text", None)
    assert clock.now() == NOON + timedelta(minutes=1)


def test_a_new_number_of_the_same_length_in_the_same_moment_is_seen(tmp_path: Path) -> None:
    """Whoever writes the file replaces it, so it is another file."""
    file = tmp_path / "offset"
    file.write_text("60")
    clock = Clock(file)
    clock.now()
    replace(file, "61")
    os.utime(file, ns=(file.stat().st_atime_ns, NOON_NS))
    clock.now()
    replace(file, "62")
    os.utime(file, ns=(file.stat().st_atime_ns, NOON_NS))
    assert clock.now() == NOON + timedelta(seconds=62)


def replace(file: Path, text: str) -> None:
    """Writes the file as the control page does: whole, under another name first."""
    draft = file.with_name("draft")
    draft.write_text(text)
    draft.replace(file)
