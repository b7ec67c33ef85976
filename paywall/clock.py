"""The one source of the present moment: aware UTC, shifted in development by an offset file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """Tells the time. ``offset_file`` holds seconds to add (a signed integer); without it the time is the machine's."""

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file

    def now(self) -> datetime:
        """The present moment, aware, UTC, whole microseconds."""
        return datetime.now(UTC) + self._offset()

    def _offset(self) -> timedelta:
        if self._offset_file is None:
            return timedelta()
        try:
            return timedelta(seconds=int(self._offset_file.read_text().strip() or 0))
        except FileNotFoundError:
            return timedelta()
