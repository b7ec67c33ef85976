"""Renewals: what renews, what ends and what is expected to fail, month by month, with its amounts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import Select, and_, case, func, literal, or_, select
from werkzeug.datastructures import MultiDict

from paywall.domain.roles import Right
from paywall.reports import charts
from paywall.reports.calendar import Month, day_start
from paywall.reports.report import Column, Question, Report, Table, given
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
            labels = [str(one.month) for one in months]
            found.append(charts.bars(title, about, labels, series, stacked=True))
        return found


def read(args: MultiDict[str, str], _settings: Settings, _now: datetime) -> Question:
    """Parses the address, which asks for nothing more."""
    return Question(*given(args, ()))


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
    found: Counter[tuple[int, str, str]] = Counter()
    amounts: Counter[tuple[int, str, str]] = Counter()
    for index, kind, currency, card, count, amount in db.session.execute(_query(months, zone, now)):
        at = max(index, 0)  # a renewal that is due since last month is awaited now
        expires = kind == _RENEWS and card is not None and card < at
        key = (at, currency, _CARD if expires else kind)
        found[key] += count
        amounts[key] += int(amount)
    return {key: Due(found[key], amounts[key]) for key in found}


def _query(months: Sequence[Month], zone: ZoneInfo, now: datetime) -> Select[int, str, str, int | None, int, int]:
    """Counts and sums by month, kind, currency, and the month (of these) in which the card's last day lies."""
    row, starts = Entitlement, [day_start(month.first_day, zone) for month in months]
    after = day_start(months[-1].plus(1).first_day, zone)
    lasts = and_(row.renews, ~row.in_dunning)  # else it ends with its access, unless somebody pays
    kind = case((row.in_dunning, literal(_IN_DUNNING)), (row.renews, literal(_RENEWS)), else_=literal(_ENDS))
    index = case((lasts, step(row.paid_until, starts)), else_=step(row.until, starts, ending=True))
    card = step(Subscription.card_ends_on, [month.first_day for month in months])
    inner = (
        select(index.label("month"), kind.label("kind"), Subscription.currency, card.label("card"), Subscription.amount)
        .join(Subscription, Subscription.id == row.source_id)
        .where(row.source == "subscription", row.starts_at < row.until, row.until > now)
        .where(or_(and_(lasts, row.paid_until < after), and_(~lasts, row.until <= after)))
        .subquery()
    )
    names = (inner.c.month, inner.c.kind, inner.c.currency, inner.c.card)
    return select(*names, func.count(), func.sum(inner.c.amount)).group_by(*names)


_COLUMNS = (
    Column("month", "Month", "text"),
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
    read=read,
    compute=compute,
    tables=tables,
    template="reports/renewals.html",
)
