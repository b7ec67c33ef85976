"""The time of the news site: the machine's, shifted as the sandbox's control page says, so that all parts agree."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path


def clock(file: Path | None) -> Callable[[], datetime]:
    """Tells the aware time in UTC, as far ahead as the file says in whole seconds; with no file the machine's.

    A file that cannot be read shifts nothing: the site then refuses tokens of a later time, and shows teasers.
    """

    def now() -> datetime:
        return datetime.now(UTC) + _offset(file)

    return now


def _offset(file: Path | None) -> timedelta:
    if file is None:
        return timedelta()
    try:
        return timedelta(seconds=int(file.read_text(encoding="ascii").strip() or 0))
    except (OSError, ValueError, OverflowError):
        return timedelta()
