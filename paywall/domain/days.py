"""Which of the newsroom's days a moment belongs to."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The newsroom's day at a moment."""
    return moment.astimezone(zone).date()


def last_day(until: datetime, zone: ZoneInfo) -> date:
    """The last day of an access that runs up to, not including, ``until``."""
    return local_day(until - datetime.resolution, zone)
