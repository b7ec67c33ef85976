"""The one source of the present moment: aware UTC, shifted in development by an offset file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

log = structlog.get_logger("paywall.clock")

_Mark = tuple[int, int, int]
_LONGEST = timedelta(days=366 * 200)  # further the calendar of a year with four digits may not reach


class Clock:
    """Tells the time. ``offset_file`` holds seconds to add (a signed integer); without it the time is the machine's.

    The file is read again when it has changed. One that holds no such number is told of as an error and otherwise
    left alone: the last good offset stays, because a service that answers nothing would hide what is wrong.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._offset_file = offset_file
        self._seen: tuple[_Mark | None, timedelta] = (None, timedelta())

    def now(self) -> datetime:
        """The present moment, aware, UTC, whole microseconds."""
        moment = datetime.now(UTC)
        return moment if self._offset_file is None else moment + self._offset(self._offset_file)

    def _offset(self, file: Path) -> timedelta:
        mark = _mark(file)
        seen, offset = self._seen
        if mark == seen:
            return offset
        offset = timedelta() if mark is None else self._read(file, otherwise=offset)
        self._seen = (mark, offset)  # in one piece: threads share the clock
        return offset

    def _read(self, file: Path, otherwise: timedelta) -> timedelta:
        try:
            offset = timedelta(seconds=int(file.read_text(encoding="ascii").strip() or 0))
        except FileNotFoundError:
            return timedelta()
        except (OSError, ValueError, OverflowError) as error:
            log.error("clock_file_broken", kind=type(error).__name__, mend="write a whole number of seconds into it")
            return otherwise
        return max(-_LONGEST, min(offset, _LONGEST))


def _mark(file: Path) -> _Mark | None:
    """What changes when the file is written anew; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)
