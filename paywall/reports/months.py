"""Which of the newsroom's months Stripe is asked about, for the report of revenue."""

from datetime import datetime
from zoneinfo import ZoneInfo

from paywall.billing.listing import Lists
from paywall.billing.month_sums import Stretch, take
from paywall.billing.pacing import Pace
from paywall.parts import Parts
from paywall.reports.calendar import Month, day_start


def running(zone: ZoneInfo, now: datetime) -> Month:
    """The newsroom's month at a moment."""
    return Month.of(now, zone)


def compare(ours: Parts, first: Month, last: Month, pace: Pace) -> None:
    """Asks Stripe for the months from ``first`` to ``last``, and keeps its sums to be laid beside ours.

    Raises StripeUnavailable, StripeRefused; then what was known stays.
    """
    zone, plans = ours.settings.zone, ours.settings.plans.values()
    stretches, month = [], first
    while month <= last:
        following = month.plus(1)
        starts = day_start(month.first_day, zone), day_start(following.first_day, zone)
        stretches.append(Stretch(str(month), *starts))
        month = following
    lists = Lists(ours.gateway, frozenset(plan.product for plan in plans), pace)
    take(lists, stretches, {plan.currency for plan in plans}, zone.key, ours.clock.now())
