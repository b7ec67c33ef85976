"""The report Health: each part of the service, what to do where one does not work, and what Stripe last told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from paywall.domain.days import local_day
from paywall.domain.roles import Right
from paywall.reports import health_checks
from paywall.reports.health_checks import Light, Part
from paywall.reports.report import Column, Question, Report, Table, read_nothing
from paywall.settings import Settings
from paywall.storage import events

AMONG = 5000  # events that are looked through for their types
# a sign and a word beside each colour, which not everybody sees
SIGNS = {Light.GOOD: ("✓", "Good"), Light.LOOK: ("!", "Look"), Light.ACT: ("✕", "Act")}
_URGENT = list(Light)


@dataclass(frozen=True, slots=True)
class Figures:
    """Every part, the most urgent first; the types of the newest events with arrival and number."""

    parts: Sequence[Part]
    types: Sequence[tuple[str, datetime, str, int]]  # type, latest arrival, how long ago, number
    settings: Settings
    signs = SIGNS

    @property
    def worst(self) -> Light:
        """The light of the whole."""
        return max((part.light for part in self.parts), key=_URGENT.index)


def compute(question: Question, settings: Settings, now: datetime) -> Figures:
    """How each part does now."""
    parts = sorted(health_checks.parts(settings, now), key=lambda part: -_URGENT.index(part.light))
    types = [
        (kind, moment, health_checks.span(now - moment), number)
        for kind, moment, number in events.newest_by_type(AMONG)
    ]
    return Figures(parts, types, settings)


_PARTS = (
    Column("part", "Part", "text"),
    Column("light", "State", "text"),
    Column("told", "What is known", "text"),
    Column("todo", "What to do", "text"),
)
_TYPES = (
    Column("type", "Type", "text"),
    Column("last_day", "Day of the last", "day"),
    Column("ago", "How long ago", "text"),
    Column("number", f"Among the newest {AMONG:,}"),
)


def tables(figures: Figures) -> list[Table]:
    """The parts, and the types of events."""
    zone = figures.settings.zone
    return [
        Table(
            "health",
            "Parts",
            _PARTS,
            [(part.name, part.light, part.told, part.todo) for part in figures.parts],
            ("health",),
        ),
        Table(
            "events",
            "Events by type",
            _TYPES,
            [(kind, local_day(moment, zone), ago, number) for kind, moment, ago, number in figures.types],
            ("last_events",),
        ),
    ]


REPORT = Report(
    name="health",
    title="Health",
    right=Right.REPORTS,
    read=read_nothing,
    compute=compute,
    tables=tables,
    template="reports/health.html",
)
