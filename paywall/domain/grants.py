"""Access that staff give free of charge: what a grant comes to, and how long it may be."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from paywall.domain.entitlements import Reason, Terms, end_of_day

MOST_DAYS = 3660  # ten years


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A grant: from when, up to (not including) when, and when staff ended it before its time. Moments are aware."""

    given_at: datetime
    until: datetime
    ended_at: datetime | None = None


def terms_of(facts: GrantFacts) -> Terms:
    """What a grant gives: access free of charge, which neither renews nor knows grace, nor counts as paid."""
    until = facts.until
    lapse = Reason.COMP_OVER
    if facts.ended_at is not None and facts.ended_at < until:
        until, lapse = max(facts.ended_at, facts.given_at), Reason.COMP_ENDED
    return Terms(facts.given_at, until, until, lapse)


def end_after(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The end of the local day ``days`` after ``moment``'s: so many whole days, and what is left of the first.

    Raises ValueError unless 1 <= days <= MOST_DAYS.
    """
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"days must be 1 to {MOST_DAYS}")
    return end_of_day(moment, zone, days)


def longer(facts: GrantFacts, days: int, now: datetime, zone: ZoneInfo) -> datetime:
    """Until when a grant runs once it is ``days`` longer. Raises ValueError where that is too far from ``now``."""
    until = end_after(facts.until - datetime.resolution, days, zone)
    if until > end_after(now, MOST_DAYS, zone):
        raise ValueError(f"a grant ends at most {MOST_DAYS} days from now")
    return until
