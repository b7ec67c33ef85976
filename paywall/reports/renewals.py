"""Renewals: what renews, what ends and what is expected to fail, month by month, with its amounts."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select

from paywall.domain.roles import Right
from paywall.reports import charts
from paywall.reports.calendar import Month, day_start
from paywall.reports.report import Column, Question, Report, Table, read_nothing
from paywall.reports.steps import step
from paywall.settings import Settings
from paywall.storage.database import db
from paywall.storage.models import Entitlement, Subscription

AHEAD = 12  # months after the running one, so that a year that begins today is seen to renew

_RENEWS, _ENDS, _IN_DUNNING, _CARD = "renews", "ends", "dunning", "card"
_KINDS = (_RENEWS, _CARD, _IN_DUNNING, _ENDS)


@dataclass(frozen=True, slots=True)
class Due:
    """So many subscriptions, with the sum of their prices in minor units."""

    count: int = 0
    amount: int = 0

    def __add__(self, other: "Due") -> "Due":
        return Due(self.count + other.count, self.amount + other.amount)


@dataclass(frozen=True, slots=True)
class MonthDue:
    """What one month brings in one currency."""

    month: Month
    currency: str
    renewing: Due
    card_expires: Due
    in_dunning: Due
    ending: Due

    @property
    def failing(self) -> Due:
        """What is expected to fail, for either reason."""
        return self.card_expires + self.in_dunning


@dataclass(frozen=True, slots=True)
class Figures:
    """The months from the running one on, each once for every currency."""

    months: Sequence[MonthDue]

    @property
    def charts(self) -> list[Markup]:
        """What renews, fails and ends, as one chart for each currency."""
        found = []
        for currency in dict.fromkeys(one.currency for one in self.months):
            months = [one for one in self.months if one.currency == currency]
            series = {
                "Renew": [one.renewing.count for one in months],
                "Expected to fail": [one.failing.count for one in months],
                "End": [one.ending.count for one in months],
            }
            title = f"Subscriptions in {currency.upper()} by the month of their next renewal or end"
            about = "Stacked bars, one for each month; the table below has the numbers and the amounts."
            labels = [one.month.title for one in months]
            found.append(charts.bars(title, about, labels, series, stacked=True))
        return found


def compute(_question: Question, settings: Settings, now: datetime) -> Figures:
    """The figures at a moment."""
    return Figures(months_due(settings.zone, now, {plan.currency for plan in settings.plans.values()}))


def months_due(zone: ZoneInfo, now: datetime, currencies: set[str]) -> list[MonthDue]:
    """What the running month and the next twelve bring, in every currency that occurs or is among ``currencies``."""
    first = Month.of(now, zone)
    months = [first.plus(ahead) for ahead in range(AHEAD + 1)]
    found = _sums(months, zone, now)
    shown = sorted(currencies | {currency for _, currency, _ in found})
    return [
        MonthDue(month, currency, *(found.get((index, currency, kind), Due()) for kind in _KINDS))
        for index, month in enumerate(months)
        for currency in shown
    ]


def _sums(months: Sequence[Month], zone: ZoneInfo, now: datetime) -> dict[tuple[int, str, str], Due]:
    """By the month's index, the currency and the kind."""
    found: defaultdict[tuple[int, str, str], Due] = defaultdict(Due)
    # a renewal that is due since last month is awaited now
    for index, kind, currency, count, amount in db.session.execute(_dues(months, zone, now)):
        found[max(index, 0), currency, kind] += Due(count, int(amount))
    for index, card, currency, count, amount in db.session.execute(_cards(months, zone, now)):
        if card < max(index, 0):
            found[max(index, 0), currency, _CARD] += Due(count, int(amount))
            found[max(index, 0), currency, _RENEWS] += Due(-count, -int(amount))
    return found


def renewing(months: Sequence[Month], zone: ZoneInfo, now: datetime) -> ColumnElement[bool]:
    """Which entitlements renew by themselves in the months, whatever their card."""
    return and_(_runs(now), _renews(months, zone))


def _dues(months: Sequence[Month], zone: ZoneInfo, now: datetime) -> Select[int, str, str, int, int]:
    """Counts and sums by month, kind and currency, as if every card were good."""
    row, starts = Entitlement, [day_start(month.first_day, zone) for month in months]
    renews = _renews(months, zone)
    ends = and_(~_lasts(), row.until <= _after(months, zone))
    kind = case((row.in_dunning, literal(_IN_DUNNING)), (row.renews, literal(_RENEWS)), else_=literal(_ENDS))
    index = case((_lasts(), step(row.paid_until, starts)), else_=step(row.until, starts, ending=True))
    inner = (
        select(index.label("month"), kind.label("kind"), row.currency, row.amount)
        .where(_runs(now), or_(renews, ends))
        .offset(0)  # else PostgreSQL sees through it, expects as many groups as there are dates, and sorts for them
        .subquery()
    )
    keys = (inner.c.month, inner.c.kind, inner.c.currency)
    return select(*keys, func.count(), func.sum(inner.c.amount)).group_by(*keys)


def _cards(months: Sequence[Month], zone: ZoneInfo, now: datetime) -> Select[int, int, str, int, int]:
    """Of what renews, counts and sums by its month and that in which its card's last day lies, where one ends soon."""
    row, starts = Entitlement, [day_start(month.first_day, zone) for month in months]
    card = step(Subscription.card_ends_on, [month.first_day for month in months])
    inner = (
        select(step(row.paid_until, starts).label("month"), card.label("card"), row.currency, row.amount)
        .join(Subscription, Subscription.id == row.source_id)
        .where(renewing(months, zone, now), Subscription.card_ends_on < months[-1].first_day)
        .subquery()
    )
    keys = (inner.c.month, inner.c.card, inner.c.currency)
    return select(*keys, func.count(), func.sum(inner.c.amount)).group_by(*keys)


def _runs(now: datetime) -> ColumnElement[bool]:
    row = Entitlement
    paid = row.source == "subscription", row.currency.is_not(None)
    return and_(*paid, row.starts_at < row.until, row.until > now)


def _lasts() -> ColumnElement[bool]:
    """Whether it goes on by itself; else it ends with its access, unless somebody pays."""
    return and_(Entitlement.renews, ~Entitlement.in_dunning)


def _renews(months: Sequence[Month], zone: ZoneInfo) -> ColumnElement[bool]:
    return and_(_lasts(), Entitlement.paid_until < _after(months, zone))


def _after(months: Sequence[Month], zone: ZoneInfo) -> datetime:
    return day_start(months[-1].plus(1).first_day, zone)


_COLUMNS = (
    Column("month", "Month", "month"),
    Column("currency", "Currency", "text"),
    Column("renewing", "Renew"),
    Column("renewing_amount", "Amount", "money"),
    Column("failing", "Expected to fail"),
    Column("failing_amount", "Amount", "money"),
    Column("card_expires", "of them: card expires"),
    Column("in_dunning", "of them: in grace"),
    Column("ending", "End"),
    Column("ending_amount", "Amount", "money"),
)


def tables(figures: Figures) -> list[Table]:
    """The figures as rows."""
    rows = [
        (
            *(str(one.month), one.currency, one.renewing.count, one.renewing.amount),
            *(one.failing.count, one.failing.amount, one.card_expires.count, one.in_dunning.count),
            *(one.ending.count, one.ending.amount),
        )
        for one in figures.months
    ]
    meant = ("renewing", "failing", "card_expires", "in_dunning", "will_end")
    return [Table("renewals", "Renewals", _COLUMNS, rows, meant)]


REPORT = Report(
    name="renewals",
    title="Renewals",
    right=Right.REPORTS,
    read=read_nothing,
    compute=compute,
    tables=tables,
    template="reports/renewals.html",
)
