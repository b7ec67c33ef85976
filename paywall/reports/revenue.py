"""Revenue: charged, refunded, disputed, net, by step and currency, beside what Stripe itself says of whole months."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from paywall.domain.days import local_day
from paywall.domain.plans import price_of
from paywall.domain.roles import Right
from paywall.reports import charts, ranges
from paywall.reports.calendar import Month, day_start
from paywall.reports.ranges import DAY, Part, RangeQuestion, Step
from paywall.reports.report import Column, Report, Table, newest_first
from paywall.reports.revenue_sums import Money, sums
from paywall.settings import Settings
from paywall.storage import stripe_months
from paywall.storage.stripe_months import StripeMonth


@dataclass(frozen=True, slots=True)
class Compared:
    """What Stripe said of a month, what it is less than ours was at that moment, and when it was asked."""

    stripe: Money
    difference: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One step in one currency. ``month`` is set for a whole month, or the running one: those can be compared."""

    part: Part
    currency: str
    money: Money
    month: Month | None
    compared: Compared | None

    @property
    def difference(self) -> str:
        """What differs from Stripe's figures, in words."""
        if self.month is None:
            return "of whole months only"
        if self.compared is None:
            return "not compared yet"
        apart = self.compared.difference
        found = {"charged": apart.charged, "refunded": apart.refunded, "disputed": apart.disputed}
        told = [f"{name} {price_of(amount, self.currency)}" for name, amount in found.items() if amount]
        return ", ".join(told) or "none"


@dataclass(frozen=True, slots=True)
class Figures:
    """The steps in their order, each once for every currency."""

    rows: Sequence[Row]

    @property
    def charts(self) -> list[Markup]:
        """What came and what went back, as one chart for each currency."""
        found = []
        for currency in dict.fromkeys(one.currency for one in self.rows):
            rows = [one for one in self.rows if one.currency == currency]
            series = {
                "Charged": [one.money.charged for one in rows],
                "Refunded": [-one.money.refunded for one in rows],
                "Disputed": [-one.money.disputed for one in rows],
            }
            title = f"Charged and given back in {currency.upper()}"
            about = "Bars for each step, what went back below the line; the table below has the numbers."
            say = partial(price_of, currency=currency)
            found.append(charts.bars(title, about, [one.part.title for one in rows], series, stacked=True, say=say))
        return found


def read(args: MultiDict[str, str], settings: Settings, now: datetime) -> RangeQuestion:
    """Parses the address."""
    return ranges.read(args, settings.zone, now)


def compute(question: RangeQuestion, settings: Settings, now: datetime) -> Figures:
    """The figures of a question without errors."""
    zone, parts = settings.zone, list(question.range.parts())
    found = sums([day_start(part.first, zone) for part in parts], day_start(parts[-1].last + DAY, zone))
    months = [_whole(part, settings, now) for part in parts]
    told = {(row.month, row.currency): row for row in stripe_months.of([str(one) for one in months if one], zone.key)}
    plans = {plan.currency for plan in settings.plans.values()}
    currencies = sorted(plans | {currency for _, currency in found} | {currency for _, currency in told})
    rows = []
    for index, (part, month) in enumerate(zip(parts, months, strict=True)):
        for currency in currencies:
            money = found.get((index, currency), Money())
            stripes = told.get((str(month), currency))
            compared = _compared(part, money, stripes, settings) if stripes else None
            rows.append(Row(part, currency, money, month, compared))
    return Figures(rows)


def _whole(part: Part, settings: Settings, now: datetime) -> Month | None:
    """The month that a step is, all of it that has passed."""
    if part.by is not Step.MONTH or part.first.day != 1:
        return None
    over = (part.last + DAY).day == 1 or part.last == local_day(now, settings.zone)
    return Month(part.first.year, part.first.month) if over else None


def _compared(part: Part, money: Money, stripes: StripeMonth, settings: Settings) -> Compared:
    """Ours beside Stripe's; of a month that was not over when Stripe was asked, ours up to that moment."""
    start = day_start(part.first, settings.zone)
    if stripes.taken_at < day_start(part.last + DAY, settings.zone):
        money = sums([start], stripes.taken_at).get((0, stripes.currency), Money())
    theirs = Money(stripes.charged, stripes.refunded, stripes.disputed)
    return Compared(theirs, money - theirs, stripes.taken_at)


_COLUMNS = (
    Column("first_day", "From", "day"),
    Column("last_day", "To", "day"),
    Column("currency", "Currency", "text"),
    Column("charged", "Charged", "money"),
    Column("refunded", "Refunded", "money"),
    Column("disputed", "Disputed", "money"),
    Column("net", "Net", "money"),
    Column("difference", "Differs from Stripe", "text"),
)
_STRIPES = (
    Column("month", "Month", "month"),
    Column("currency", "Currency", "text"),
    Column("charged", "Charged", "money"),
    Column("refunded", "Refunded", "money"),
    Column("disputed", "Disputed", "money"),
    Column("charged_difference", "Ours less Stripe's: charged", "money"),
    Column("refunded_difference", "refunded", "money"),
    Column("disputed_difference", "disputed", "money"),
    Column("compared_at", "Compared (UTC)", "text"),
)


def tables(figures: Figures) -> list[Table]:
    """The figures as rows; then Stripe's own, of the months that were compared."""
    rows = [(one.part.first, one.part.last, one.currency, *_amounts(one.money), one.difference) for one in figures.rows]
    stripes = [
        (
            *(str(one.month), one.currency, *_amounts(one.compared.stripe)[:3]),
            *(*_amounts(one.compared.difference)[:3], f"{one.compared.at:%Y-%m-%d %H:%M}"),
        )
        for one in figures.rows
        if one.compared
    ]
    meant = ("charged", "refunded", "disputed", "net_revenue", "difference")
    return [
        Table("revenue", "Revenue", _COLUMNS, newest_first(rows), meant),
        Table("stripe", "Stripe's own figures", _STRIPES, newest_first(stripes), ("stripes_figures",)),
    ]


def _amounts(money: Money) -> tuple[int, int, int, int]:
    return money.charged, money.refunded, money.disputed, money.net


REPORT = Report(
    name="revenue",
    title="Revenue",
    right=Right.REPORTS,
    read=read,
    compute=compute,
    tables=tables,
    template="reports/revenue.html",
    fields=ranges.FIELDS,
)
