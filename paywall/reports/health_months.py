"""Which of the last twelve months differ from Stripe's own sums, as the page Revenue has them, for the page Health."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from paywall.domain.days import local_day
from paywall.reports import revenue
from paywall.reports.calendar import Month
from paywall.reports.ranges import Range, RangeQuestion
from paywall.settings import Settings
from paywall.storage import stripe_months

MONTHS = 12  # the running one among them; as many as the page Revenue shows unless it is asked for others
_AGREE = "none"


@dataclass(frozen=True, slots=True)
class Beside:
    """When Stripe was last asked; how many months were compared; those that differ, the newest first, with by what."""

    asked_at: datetime
    compared: int
    apart: Sequence[tuple[Month, str]]


def beside(settings: Settings, now: datetime) -> Beside | None:
    """What a comparison of the months with Stripe comes to; None where Stripe was asked about none of them."""
    zone = settings.zone
    running = Month.of(now, zone)
    names = [str(running.plus(-back)) for back in range(MONTHS)]
    told = stripe_months.of(names, zone.key)
    if not told:
        return None
    first = running.plus(-names.index(min(row.month for row in told)))
    span = Range(first.first_day, local_day(now, zone))
    rows = [row for row in revenue.compute(RangeQuestion({}, span), settings, now).rows if row.month and row.compared]
    apart = dict[Month, list[str]]()
    for row in rows:
        if row.month and row.difference != _AGREE:
            apart.setdefault(row.month, []).append(row.difference)
    return Beside(
        asked_at=max(row.taken_at for row in told),
        compared=len({row.month for row in rows}),
        apart=[(month, ", ".join(apart[month])) for month in sorted(apart, reverse=True)],
    )
