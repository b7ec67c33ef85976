"""Which of the newsroom's days a moment belongs to, and what people call it."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from paywall.phrases import Phrase

_MONTHS = (
    Phrase("January"), Phrase("February"), Phrase("March"), Phrase("April"), Phrase("May"), Phrase("June"),
    Phrase("July"), Phrase("August"), Phrase("September"), Phrase("October"), Phrase("November"), Phrase("December"),
)  # fmt: skip


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The newsroom's day at a moment."""
    return moment.astimezone(zone).date()


def last_day(until: datetime, zone: ZoneInfo) -> date:
    """The last day of an access that runs up to, not including, ``until``."""
    return local_day(until - datetime.resolution, zone)


def in_words(day: date) -> Phrase:
    """A day for people, such as 21 November 2027."""
    return Phrase("%(day)s %(month)s %(year)s", day=day.day, month=_MONTHS[day.month - 1], year=day.year)
