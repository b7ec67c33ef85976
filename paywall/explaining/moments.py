"""Moments as people write and read them, in the newsroom's zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from paywall.domain.days import in_words, last_day
from paywall.domain.entitlements import end_of_day
from paywall.errors import BadRequest


class BadMoment(BadRequest):
    """The text is no date and no time."""

    code, title = "bad_moment", "That is not a date or a time"


def read(text: str, zone: ZoneInfo) -> datetime:
    """The moment of an ISO date (its start) or an ISO date and time; the zone's own time where no other is named.

    Raises BadMoment, also for years that no calendar of ours holds.
    """
    try:
        found = datetime.fromisoformat(text.strip())
        moment = found if found.tzinfo else found.replace(tzinfo=zone)
        if 2000 <= moment.astimezone(zone).year <= 2099:
            return moment
    except (ValueError, OverflowError):
        pass
    raise BadMoment("Write a date such as 2026-11-22, or a time such as 2026-11-22T14:05 or 2026-11-22T19:05+00:00.")


def moment(value: datetime, zone: ZoneInfo) -> str:
    """A moment such as 22 November 2026, 14:05 EST."""
    local = value.astimezone(zone)
    return f"{in_words(local.date())}, {local:%H:%M %Z}"


def ends_after(until: datetime, zone: ZoneInfo) -> str:
    """The last day of what runs up to ``until``, or the moment itself where that is no day's end."""
    if end_of_day(until - datetime.resolution, zone) == until:
        return f"after {in_words(last_day(until, zone))}"
    return f"on {moment(until, zone)}"
