"""When a billing period ends: months keep the anchor's day where the month has one."""

import calendar
from datetime import UTC, datetime, timedelta

MONTHS = {"month": 1, "year": 12}
DAYS = {"day": 1, "week": 7}


def period_end(anchor: int, interval: str, count: int, periods: int = 1) -> int:
    """Return the end of the `periods`-th period after `anchor`, in unix seconds.

    Counted from the anchor each time, so that 29 February comes back in the next leap year.
    """
    start = datetime.fromtimestamp(anchor, UTC)
    if interval in DAYS:
        return int((start + timedelta(days=DAYS[interval] * count * periods)).timestamp())
    months = start.month - 1 + MONTHS[interval] * count * periods
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())
