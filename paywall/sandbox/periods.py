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


def running_period(anchor: int, interval: str, count: int, moment: int) -> tuple[int, int]:
    """Return start and end (unix seconds) of the period around `moment`, in the rhythm that began at `anchor`.

    Before the anchor, as in a trial, the period is the time until then.
    """
    if moment < anchor:
        return moment, anchor
    start, now = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(moment, UTC)
    if interval in DAYS:
        passed = (now - start).days // (DAYS[interval] * count)
    else:
        passed = ((now.year - start.year) * 12 + now.month - start.month) // (MONTHS[interval] * count)
    # The count of whole periods is too high by one where the day or the hour has not come yet.
    if period_end(anchor, interval, count, passed) > moment:
        passed -= 1
    return period_end(anchor, interval, count, passed), period_end(anchor, interval, count, passed + 1)
