"""Moments and numbers of things, written for people."""

from datetime import UTC, datetime


def clock(seconds: int) -> str:
    """Return a moment as UTC text, `2026-11-22 12:00:00`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def counted(number: int, thing: str) -> str:
    """Return `1 event` or `2 events`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def ahead(seconds: int) -> str:
    """Return how far a clock is ahead, in days, hours and minutes."""
    days, rest = divmod(seconds, 86400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    parts = [counted(days, "day"), counted(hours, "hour"), counted(minutes, "minute")]
    return ", ".join(part for part in parts if not part.startswith("0 ")) or "less than a minute"
