"""Which of the newsroom's days a moment belongs to, and what people call it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The newsroom's day at a moment."""
    return moment.astimezone(zone).date()


def last_day(until: datetime, zone: ZoneInfo) -> date:
    """The last day of an access that runs up to, not including, ``until``."""
    return local_day(until - datetime.resolution, zone)


def in_words(day: date) -> str:
    """A day for people, such as 21 November 2027."""
    return f"{day.day} {day:%B %Y}"
