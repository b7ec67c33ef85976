"""Dunning: what is in grace now, and what became of the renewals that failed, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from paywall.domain.roles import Right
from paywall.reports import charts, dunning_sums, ranges
from paywall.reports.calendar import day_start
from paywall.reports.dunning_sums import Failed, Fate, Standing
from paywall.reports.ranges import DAY, Part, RangeQuestion
from paywall.reports.report import Column, Report, Table, newest_first
from paywall.settings import Settings

_NONE = Failed({}, 0)


@dataclass(frozen=True, slots=True)
class Row:
    """The renewals that failed in one step, in one currency."""

    part: Part
    currency: str
    failed: Failed


@dataclass(frozen=True, slots=True)
class Figures:
    """What is in grace now, by currency; the steps in their order, each once for every currency."""

    standing: Sequence[Standing]
    rows: Sequence[Row]

    @property
    def charts(self) -> list[Markup]:
        """What became of failed renewals, as one chart for each currency."""
        found = []
        for currency in dict.fromkeys(one.currency for one in self.rows):
            rows = [one for one in self.rows if one.currency == currency]
            series = {
                "Recovered": [one.failed.fates.get(Fate.RECOVERED, 0) for one in rows],
                "In grace": [one.failed.fates.get(Fate.OPEN, 0) for one in rows],
                "Paid too late": [one.failed.fates.get(Fate.RETURNED, 0) for one in rows],
                "Lost": [one.failed.fates.get(Fate.LOST, 0) for one in rows],
            }
            title = f"What became of renewals in {currency.upper()} that failed"
            about = "Stacked bars, one for each step in which renewals failed; the table below has the numbers."
            found.append(charts.bars(title, about, [one.part.title for one in rows], series, stacked=True))
        return found


def read(args: MultiDict[str, str], settings: Settings, now: datetime) -> RangeQuestion:
    """Parses the address."""
    return ranges.read(args, settings.zone, now)


def compute(question: RangeQuestion, settings: Settings, now: datetime) -> Figures:
    """The figures of a question without errors."""
    zone, parts = settings.zone, list(question.range.parts())
    starts = [day_start(part.first, zone) for part in parts]
    found = dunning_sums.failed(starts, day_start(parts[-1].last + DAY, zone), now)
    plans = {plan.currency for plan in settings.plans.values()}
    currencies = sorted(plans | {currency for _, currency in found})
    rows = [
        Row(part, currency, found.get((index, currency), _NONE))
        for index, part in enumerate(parts)
        for currency in currencies
    ]
    return Figures(dunning_sums.standing(now), rows)


_COLUMNS = (
    Column("first_day", "From", "day"),
    Column("last_day", "To", "day"),
    Column("currency", "Currency", "text"),
    Column("failed", "Failed"),
    Column("recovered", "Recovered"),
    Column("paid_too_late", "Paid too late"),
    Column("lost", "Lost"),
    Column("still_in_grace", "In grace"),
    Column("recovery_rate", "Recovery rate", "share"),
    Column("regained", "Regained", "money"),
)
_NOW = (
    Column("currency", "Currency", "text"),
    Column("in_grace_now", "In grace"),
    Column("owed", "Owed", "money"),
    Column("tried_again", "Will be tried again"),
    Column("given_up", "Not tried any more"),
)


def tables(figures: Figures) -> list[Table]:
    """The figures as rows."""
    failed = [(one.part.first, one.part.last, one.currency, *_cells(one.failed)) for one in figures.rows]
    now = [(one.currency, one.count, one.owed, one.retried, one.count - one.retried) for one in figures.standing]
    meant = ("failed", "recovered", "paid_too_late", "lost", "still_in_grace", "recovery_rate", "regained")
    return [
        Table("failed", "Renewals that failed", _COLUMNS, newest_first(failed), meant),
        Table("now", "In grace now", _NOW, now, ("in_grace_now", "owed", "tried_again", "given_up")),
    ]


def _cells(failed: Failed) -> tuple[int | float | None, ...]:
    fates = [failed.fates.get(fate, 0) for fate in (Fate.RECOVERED, Fate.RETURNED, Fate.LOST, Fate.OPEN)]
    rate = None if failed.rate is None else round(failed.rate, 4)
    return failed.count, *fates, rate, failed.regained


REPORT = Report(
    name="dunning",
    title="Dunning",
    right=Right.REPORTS,
    read=read,
    compute=compute,
    tables=tables,
    template="reports/dunning.html",
    fields=ranges.FIELDS,
)
