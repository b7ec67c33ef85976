"""``flask paywall reports compare-with-stripe``: asks Stripe for whole months, and says where our figures differ."""

import re
import sys
from datetime import datetime

import click

from paywall.billing.errors import StripeUnavailable
from paywall.billing.pacing import Pace
from paywall.domain.plans import price_of
from paywall.errors import PaywallError
from paywall.parts import Parts, parts
from paywall.reports import months, revenue
from paywall.reports.calendar import FIRST_DAY, Month
from paywall.reports.queries import begin
from paywall.reports.ranges import DAY, Range, RangeQuestion
from paywall.storage.database import db

MOST = 24  # months at once: so many pages of lists take a while


class MonthType(click.ParamType[Month]):
    """A month such as 2026-11."""

    name = "month"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        """Reads year and month."""
        if isinstance(value, Month):
            return value
        found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", str(value))
        if found is None or int(found[1]) < FIRST_DAY.year:
            self.fail("write a month such as 2026-11", param, ctx)
        return Month(int(found[1]), int(found[2]))


@click.command("compare-with-stripe")
@click.option("--from", "first", type=MonthType(), help="The first month, such as 2026-01; without it the last one.")
@click.option("--to", "last", type=MonthType(), help="The last month; without it the running one.")
def compare_with_stripe(first: Month | None, last: Month | None) -> None:
    """Ask Stripe for the sums of whole months, and say where ours differ.

    Ends with 0 when nothing differs, else with 1: then `flask paywall reconcile` finds and repairs what it can.
    """
    ours = parts()
    now = ours.clock.now()
    newest = months.running(ours.settings.zone, now)
    last = last or newest
    first = first or last
    count = 12 * (last.year - first.year) + last.number - first.number + 1
    if not 1 <= count <= MOST or last > newest:
        raise click.UsageError(f"--from, --to: from 1 to {MOST} months, none of them still to come")
    try:
        months.compare(ours, first, last, Pace())
    except StripeUnavailable:
        told = "Stripe does not answer, so not every month was compared; run it again in a minute"
        raise click.ClickException(told) from None
    except PaywallError as error:
        raise click.ClickException(error.message) from None
    if not _say(ours, first, last, now):
        sys.exit(1)


def _say(ours: Parts, first: Month, last: Month, now: datetime) -> bool:
    """Tells each month; True where nothing differs."""
    begin()
    today = now.astimezone(ours.settings.zone).date()
    span = Range(first.first_day, min(last.plus(1).first_day - DAY, today))
    figures = revenue.compute(RangeQuestion({}, span), ours.settings, now)
    db.session.rollback()
    for one in figures.rows:
        net = price_of(one.money.net, one.currency)
        click.echo(f"{one.month}  {one.currency}  net {net}  differs from Stripe: {one.difference}")
    return all(one.difference == "none" for one in figures.rows)
