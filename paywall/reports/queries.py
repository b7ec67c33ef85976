"""The figures of the reports, each by the rule's dates at one moment and over one view of the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports.calendar import Month, Span, span_of_month
from paywall.reports.filters import Filters
from paywall.reports.rule import Movement, moved, reason_at, state_at
from paywall.reports.selection import conditions
from paywall.storage.database import db
from paywall.storage.models import Entitlement, Reader


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
    state, reason = state_at(now), reason_at(now)
    never = func.sum(case((reason == Reason.NEVER_PAID.value, 1), else_=0))
    found = db.session.execute(select(state, func.count(), never).group_by(state)).all()
    states = dict.fromkeys(State, 0) | {State(name): number for name, number, _ in found}
    return Standing(states, sum(number for *_, number in found))


def months(last: Month, count: int, zone: ZoneInfo, now: datetime) -> list[MonthFigures]:
    """The figures of ``count`` months up to ``last``, the newest first.

    Each month but the first opens with what the one before it closed with.
    """
    names = [last.plus(-back) for back in range(count - 1, -1, -1)]
    by_month = {movement: _by_month(movement, names, zone, now) for movement in _FLOWS}
    opening = _number(Movement.OPENING, names[0], zone, now)
    figures = []
    for index, month in enumerate(names):
        new, returned, ended = (by_month[movement].get(index, 0) for movement in _FLOWS)
        running = span_of_month(month, zone, now).by == now
        figures.append(MonthFigures(month, opening, new, returned, ended, running))
        opening = figures[-1].closing
    return figures[::-1]


def count(filters: Filters, zone: ZoneInfo, now: datetime) -> int:
    """How many rows the filters want."""
    query = select(func.count()).select_from(Entitlement)
    if filters.who:
        query = query.join(Reader, Reader.id == Entitlement.reader_id)
    return db.session.scalar(query.where(*conditions(filters, zone, now))) or 0


_FLOWS = (Movement.NEW, Movement.RETURNED, Movement.ENDED)


def _by_month(movement: Movement, names: list[Month], zone: ZoneInfo, now: datetime) -> dict[int, int]:
    """How many entitlements count under the movement, by the month's index, in one pass over the whole time."""
    spans = [span_of_month(month, zone, now) for month in names]
    if movement is Movement.ENDED:
        month = case(*((Entitlement.until <= span.by, index) for index, span in enumerate(spans)))
    else:
        month = case(*((Entitlement.starts_at < span.before, index) for index, span in enumerate(spans)))
    whole = Span(spans[0].since, spans[-1].before, spans[-1].by)
    query = select(month, func.count()).where(moved(movement, whole)).group_by(month)
    return {row[0]: row[1] for row in db.session.execute(query)}


def _number(movement: Movement, month: Month, zone: ZoneInfo, now: datetime) -> int:
    query = select(func.count()).select_from(Entitlement).where(moved(movement, span_of_month(month, zone, now)))
    return db.session.scalar(query) or 0
