"""The figures of the reports, each by the rule's dates at one moment and over one view of the database."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports.calendar import Month, Span, span_of_month
from paywall.reports.filters import Filters
from paywall.reports.rule import Movement, had_before, moved, started, state_at
from paywall.reports.selection import ids
from paywall.storage.database import db
from paywall.storage.models import Entitlement


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """How many entitlements a month began with, won, lost and ended with; ``running`` for a month that is not over."""

    month: Month
    opening: int
    new: int
    returned: int
    ended: int
    running: bool = False

    @property
    def closing(self) -> int:
        """What the month ended with, or stands at now."""
        return self.opening + self.new + self.returned - self.ended


@dataclass(frozen=True, slots=True)
class Standing:
    """How many entitlements are in each state at a moment, and how many of the ended ones were never paid."""

    states: Mapping[State, int]
    never_paid: int


def begin() -> None:
    """Starts the request's transaction as a reader of one unchanging view, so that a page's figures fit each other."""
    options: dict[str, object] = {"readonly": True}
    if db.engine.dialect.name == "postgresql":
        options.update(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    db.session.connection(execution_options=options)


def standing(now: datetime) -> Standing:
    """How the entitlements stand at a moment."""
    state, never = state_at(now), case((Entitlement.lapse == Reason.NEVER_PAID, 1), else_=0)
    found = db.session.execute(select(state, func.count(), func.sum(never)).group_by(state)).all()
    states = dict.fromkeys(State, 0) | {State(name): number for name, number, _ in found}
    return Standing(states, sum(number for name, _, number in found if name == State.ENDED))


def months(last: Month, count: int, zone: ZoneInfo, now: datetime) -> list[MonthFigures]:
    """The figures of ``count`` months up to ``last``, the newest first.

    Each month but the first opens with what the one before it closed with.
    """
    names = [last.plus(-back) for back in range(count - 1, -1, -1)]
    spans = [span_of_month(month, zone, now) for month in names]
    starts, ends = _started(spans), _ended(spans)
    opening = db.session.scalar(select(func.count()).where(moved(Movement.OPENING, spans[0]))) or 0
    figures = []
    for index, month in enumerate(names):
        new, returned, ended = starts[index, False], starts[index, True], ends[index]
        figures.append(MonthFigures(month, opening, new, returned, ended, running=spans[index].by == now))
        opening = figures[-1].closing
    return figures[::-1]


def movements(spans: list[Span]) -> list[tuple[int, int, int, int]]:
    """Opening, new, returned and ended of neighbouring spans."""
    starts, ends = _started(spans), _ended(spans)
    opening = db.session.scalar(select(func.count()).where(moved(Movement.OPENING, spans[0]))) or 0
    found = []
    for index in range(len(spans)):
        new, returned, ended = starts[index, False], starts[index, True], ends[index]
        found.append((opening, new, returned, ended))
        opening += new + returned - ended
    return found


def count(filters: Filters, zone: ZoneInfo, now: datetime) -> int:
    """How many rows the filters want."""
    return db.session.scalar(select(func.count()).select_from(ids(filters, zone, now).subquery())) or 0


def _started(spans: list[Span]) -> Counter[tuple[int, bool]]:
    """How many entitlements started, by the index of the span and whether the reader had one before."""
    index = case(*((Entitlement.starts_at < span.before, number) for number, span in enumerate(spans)))
    inner = select(index.label("span"), had_before().label("had")).where(started(_whole(spans))).subquery()
    query = select(inner.c.span, inner.c.had, func.count()).group_by(inner.c.span, inner.c.had)
    return Counter({(span, bool(had)): number for span, had, number in db.session.execute(query)})


def _ended(spans: list[Span]) -> Counter[int]:
    """How many entitlements ended, by the index of the span."""
    index = case(*((Entitlement.until <= span.by, number) for number, span in enumerate(spans)))
    query = select(index, func.count()).where(moved(Movement.ENDED, _whole(spans))).group_by(index)
    return Counter({row[0]: row[1] for row in db.session.execute(query)})


def _whole(spans: list[Span]) -> Span:
    return Span(spans[0].since, spans[-1].before, spans[-1].by)
