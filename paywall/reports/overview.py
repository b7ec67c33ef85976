"""The overview: how the subscription business stands, and how it moved, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from paywall.domain.days import local_day
from paywall.domain.roles import Right
from paywall.reports import adding_up, charts, leading, ranges, sums
from paywall.reports.adding_up import Flow, Money, Standing
from paywall.reports.causes import EndCause
from paywall.reports.ranges import DAY, Part, Range, RangeQuestion
from paywall.reports.report import Cell, Column, Report, Table, newest_first
from paywall.settings import Settings
from paywall.storage.database import db

_CHARTED = 2  # steps; fewer make no chart


@dataclass(frozen=True, slots=True)
class Moved:
    """What one step began with, won, lost and ended with; ``running`` for one that is not over."""

    part: Part
    flow: Flow
    running: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The overview's figures at ``moment``; the steps in their order, their total, and that of the period before."""

    moment: datetime
    as_of: date | None
    standing: Standing
    money: Sequence[Money]
    range: Range
    steps: Sequence[Moved]
    total: Flow
    before_range: Range
    before: Flow
    causes: Sequence[EndCause] = tuple(cause for cause in EndCause if cause is not EndCause.COMP)
    unshown: Sequence[str] = (f"Ended: {EndCause.COMP}",)  # nothing that is paid ends so

    def rows(self, first: date | None = None, last: date | None = None, **more: str) -> str:
        """The address of the rows behind a figure; none for movements as they were known on a past day."""
        if self.as_of and "movement" in more:
            return ""
        known = {"as_of": self.as_of.isoformat()} if self.as_of else {}
        return leading.address(first, last, **more, **known)

    @property
    def charts(self) -> list[Markup]:
        """What was there at the end of each step; what was won and lost."""
        labels = [one.part.title for one in self.steps]
        if len(labels) < _CHARTED:
            return []
        won = {"New": [one.flow.new for one in self.steps], "Returned": [one.flow.returned for one in self.steps]}
        lost = {"Ended": [-one.flow.ended for one in self.steps]}
        closing = {"Closing": [one.flow.closing for one in self.steps]}
        what = f"by {self.range.by}, from {labels[0]} to {labels[-1]}; the table has the same numbers"
        return [
            charts.lines("Paid entitlements", f"How many there were at the end of each step, {what}.", labels, closing),
            charts.bars(
                "Won and lost",
                f"What started above the line, what ended below it, {what}.",
                labels,
                won | lost,
                stacked=True,
            ),
        ]


def read(args: MultiDict[str, str], settings: Settings, now: datetime) -> RangeQuestion:
    """Parses the address."""
    return ranges.read(args, settings.zone, now, ranges.AS_OF)


def compute(question: RangeQuestion, settings: Settings, now: datetime) -> Figures:
    """The figures of a question without errors."""
    moment = ranges.end_of(question.as_of, settings.zone, now)
    chosen, before, connection = question.range, question.range.before(), db.session.connection()
    parts, earlier = list(chosen.parts()), list(before.parts())
    gap = [before.last + DAY] if before.last + DAY < chosen.first else []
    days = [*(part.first for part in earlier), *gap, *(part.first for part in parts), chosen.last + DAY]
    if question.as_of is None:
        found = sums.of_steps(connection, days, settings.zone, moment)
    else:
        found = sums.of_rows(connection, days, settings.zone, moment, learned_by=moment)
    flows = adding_up.flows(found, len(days))
    mine = flows[len(earlier) + len(gap) + 1 : -1]
    today = local_day(moment, settings.zone)
    return Figures(
        moment=moment,
        as_of=question.as_of,
        standing=adding_up.standing(found),
        money=adding_up.money(found, settings.plans),
        range=chosen,
        steps=[Moved(part, flow, part.last >= today) for part, flow in zip(parts, mine, strict=True)],
        total=adding_up.total(mine),
        before_range=before,
        before=adding_up.total(flows[1 : len(earlier) + 1]),
    )


_CAUSES = tuple(Column(f"ended_{cause}", f"Ended: {cause}") for cause in EndCause)
_FLOW = (
    Column("opening", "Opening"),
    Column("new", "New"),
    Column("returned", "Returned"),
    Column("renewed", "Renewed"),
    *_CAUSES,
    Column("ended", "Ended"),
    Column("net", "Net"),
    Column("closing", "Closing"),
)
_MOVEMENTS = (Column("first_day", "From", "day"), Column("last_day", "To", "day"), *_FLOW)
_STANDING = (
    Column("paying", "Active subscribers"),
    Column("grace", "In grace"),
    Column("ending", "Scheduled to end"),
    Column("held", "On hold"),
    Column("comped", "Comped"),
)
_MONEY = (Column("currency", "Currency", "text"), Column("arr", "ARR", "money"), Column("mrr", "MRR", "money"))
_COMPARED = (
    Column("figure", "Figure", "text"),
    Column("period", "This period"),
    Column("before", "Period before"),
    Column("change", "Change"),
)


def tables(figures: Figures) -> list[Table]:
    """The figures as rows."""
    names = tuple(column.name for column in _FLOW)
    moved: list[Sequence[Cell]] = [(one.part.first, one.part.last, *_cells(one.flow).values()) for one in figures.steps]
    this, before = _cells(figures.total), _cells(figures.before)
    compared: list[Sequence[Cell]] = [
        (column.title, this[column.name], before[column.name], _less(this, before, column.name)) for column in _FLOW
    ]
    standing = figures.standing
    now: Sequence[Cell] = (standing.paying, standing.grace, standing.ending, standing.held, standing.comped)
    return [
        Table("movements", "Movements", _MOVEMENTS, newest_first(moved), names),
        Table("compared", "Beside the period before", _COMPARED, compared),
        Table("standing", "Subscribers", _STANDING, [now], tuple(column.name for column in _STANDING)),
        Table(
            "money", "Recurring revenue", _MONEY, [(m.currency, m.arr, m.mrr) for m in figures.money], ("arr", "mrr")
        ),
    ]


def _cells(flow: Flow) -> dict[str, int]:
    causes = {f"ended_{cause}": flow.ended_by[cause] for cause in EndCause}
    return {
        "opening": flow.opening,
        "new": flow.new,
        "returned": flow.returned,
        "renewed": flow.renewed,
        **causes,
        "ended": flow.ended,
        "net": flow.net,
        "closing": flow.closing,
    }


def _less(this: Mapping[str, int], before: Mapping[str, int], name: str) -> Cell:
    return this[name] - before[name]


REPORT = Report(
    name="overview",
    title="Overview",
    right=Right.REPORTS,
    read=read,
    compute=compute,
    tables=tables,
    template="reports/overview.html",
    fields=(*ranges.FIELDS, ranges.AS_OF),
)
