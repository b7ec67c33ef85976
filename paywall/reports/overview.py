"""The overview: how the subscription business stands, and how it moved, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from werkzeug.datastructures import MultiDict

from paywall.domain.roles import Right
from paywall.reports import queries, ranges
from paywall.reports.calendar import span_so_far
from paywall.reports.queries import Standing
from paywall.reports.ranges import Part, RangeQuestion
from paywall.reports.report import Column, Report, Table
from paywall.settings import Settings


@dataclass(frozen=True, slots=True)
class Moved:
    """What one step began with, won, lost and ended with; ``running`` for one that is not over."""

    part: Part
    opening: int
    new: int
    returned: int
    ended: int
    running: bool

    @property
    def closing(self) -> int:
        """What the step ended with, or stands at now."""
        return self.opening + self.new + self.returned - self.ended


@dataclass(frozen=True, slots=True)
class Figures:
    """The overview's figures; the steps in their order."""

    standing: Standing
    steps: Sequence[Moved]


def read(args: MultiDict[str, str], settings: Settings, now: datetime) -> RangeQuestion:
    """Parses the address."""
    return ranges.read(args, settings.zone, now)


def compute(question: RangeQuestion, settings: Settings, now: datetime) -> Figures:
    """The figures of a question without errors."""
    parts = list(question.range.parts())
    spans = [span_so_far(part.first, part.last, settings.zone, now) for part in parts]
    steps = [
        Moved(part, *counts, running=span.by == now)
        for part, span, counts in zip(parts, spans, queries.movements(spans), strict=True)
    ]
    return Figures(queries.standing(now), steps)


_COLUMNS = (
    Column("first_day", "From", "day"),
    Column("last_day", "To", "day"),
    Column("opening", "Opening"),
    Column("new", "New"),
    Column("returned", "Returned"),
    Column("ended", "Ended"),
    Column("closing", "Closing"),
)


def tables(figures: Figures) -> list[Table]:
    """The figures as rows."""
    rows = [
        (one.part.first, one.part.last, one.opening, one.new, one.returned, one.ended, one.closing)
        for one in figures.steps
    ]
    return [Table("movements", "Movements", _COLUMNS, rows, ("opening", "new", "returned", "ended", "closing"))]


REPORT = Report(
    name="overview",
    title="Overview",
    right=Right.REPORTS,
    read=read,
    compute=compute,
    tables=tables,
    template="reports/overview.html",
    fields=ranges.FIELDS,
)
