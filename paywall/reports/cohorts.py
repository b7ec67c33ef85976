"""Cohorts: retention by the month of joining, as a shaded table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from werkzeug.datastructures import MultiDict

from paywall.domain.roles import Right
from paywall.reports.cohort_sums import Cohort, cohorts
from paywall.reports.report import Column, Field, Report, Table, given, newest_first
from paywall.settings import Settings

USUAL, MOST = 24, 60  # months


@dataclass(slots=True)
class Question:
    """How many months of joining are asked for."""

    given: dict[str, str]
    months: int
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """The cohorts, the oldest first."""

    cohorts: Sequence[Cohort]


FIELDS = (Field("months", f"How many months of joining, from 1 to {MOST}; without it {USUAL}."),)


def read(args: MultiDict[str, str], _settings: Settings, _now: datetime) -> Question:
    """Parses the address."""
    asked, errors = given(args, FIELDS)
    text, months = asked.get("months", ""), USUAL
    if text and "months" not in errors:
        if text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= MOST:
            months = int(text)
        else:
            errors["months"] = f"Must be a number from 1 to {MOST}."
    return Question(asked, months, errors)


def compute(question: Question, settings: Settings, now: datetime) -> Figures:
    """The figures of a question without errors."""
    return Figures(cohorts(question.months, settings.zone, now))


_COLUMNS = (
    Column("joined", "Joined", "month"),
    Column("readers", "Readers"),
    Column("months_after", "Months after"),
    Column("retained", "Still there"),
    Column("retention", "Retention", "share"),
)


def tables(figures: Figures) -> list[Table]:
    """A row for each cohort and each month since."""
    rows = [
        (str(one.month), one.readers, after, count, round(one.share(after) or 0, 4))
        for one in figures.cohorts
        if one.readers
        for after, count in enumerate(one.retained)
    ]
    return [Table("cohorts", "Cohorts", _COLUMNS, newest_first(rows), ("cohort", "retained", "retention"))]


REPORT = Report(
    name="cohorts",
    title="Cohorts",
    right=Right.REPORTS,
    read=read,
    compute=compute,
    tables=tables,
    template="reports/cohorts.html",
    fields=FIELDS,
)
