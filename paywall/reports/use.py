"""The report Use: tokens that were made and checked, by step, content service and feature."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from paywall.domain.roles import Right
from paywall.reports import charts, ranges
from paywall.reports.ranges import Part, Range, RangeQuestion, Step
from paywall.reports.report import Cell, Column, Report, Table, newest_first
from paywall.settings import Settings
from paywall.storage import service_keys, use
from paywall.storage.use import Counted, Kind

OWN = "(no key: own pages, gateways)"
ANY = "(any)"
MOST = 400  # steps: each has a row for every key, kind and set of features
_KINDS = (Kind.ISSUED, Kind.ALLOWED, Kind.REFUSED, Kind.LISTED)

Counts = Mapping[str, int]  # by kind


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted in a range: by its steps, by the name of the service, by feature; and by all of these.

    A number's ``day`` is the first one of its step.
    """

    range: Range
    steps: Sequence[tuple[Part, Counts]]
    services: Mapping[str, Counts]
    last_used: Mapping[str, date]
    features: Mapping[str, Counts]
    numbers: Sequence[tuple[Counted, str, int]]  # with the service's name

    @property
    def charts(self) -> list[Markup]:
        """Checks and tokens, step by step."""
        labels = [part.title for part, _ in self.steps]
        if len(labels) < 2:
            return []
        what = f"by {self.range.by}, from {labels[0]} to {labels[-1]}; the table has the same numbers"
        checks = {name: [counts.get(kind, 0) for _, counts in self.steps] for name, kind in _CHECKS.items()}
        made = {"Issued": [counts.get(Kind.ISSUED, 0) for _, counts in self.steps]}
        return [
            charts.bars("Tokens checked", f"Allowed and refused, {what}.", labels, checks, stacked=True),
            charts.lines("Tokens issued", f"How many were made, {what}.", labels, made),
        ]


_CHECKS = {"Allowed": Kind.ALLOWED, "Refused": Kind.REFUSED}


def read(args: MultiDict[str, str], settings: Settings, now: datetime) -> RangeQuestion:
    """Parses the address; by day if it does not say."""
    asked = MultiDict(args)
    if not asked.get("by"):
        asked.setlist("by", [Step.DAY])
    return ranges.read(asked, settings.zone, now, most=MOST)


def compute(question: RangeQuestion, settings: Settings, now: datetime) -> Figures:
    """The figures of a question without errors."""
    parts = list(question.range.parts())
    starts, steps = [part.first for part in parts], [Counter[str]() for _ in parts]
    names = {row.id: row.name for row in service_keys.every()} | {"": OWN}
    services, features = dict[str, Counter[str]](), dict[str, Counter[str]]()
    numbers = Counter[Counted]()
    for one, number in use.between(question.range.first, question.range.last):
        index = bisect_right(starts, one.day) - 1
        steps[index][one.kind] += number
        numbers[one._replace(day=starts[index])] += number
        services.setdefault(names.get(one.service_id, one.service_id), Counter())[one.kind] += number
        for feature in one.features.split() or [ANY]:
            features.setdefault(feature, Counter())[one.kind] += number
    last = _last_days(names)
    return Figures(
        range=question.range,
        steps=list(zip(parts, steps, strict=True)),
        services={name: services.get(name, Counter()) for name in sorted({*services, *last} - {OWN})}
        | {OWN: services.get(OWN, Counter())},
        last_used=last,
        features=dict(sorted(features.items())),
        numbers=[(one, names.get(one.service_id, one.service_id), number) for one, number in sorted(numbers.items())],
    )


def _last_days(names: Mapping[str, str]) -> dict[str, date]:
    """The newest day of each service, by its name; several keys may have the same one."""
    last = dict[str, date]()
    for service, day in use.last_days().items():
        name = names.get(service, service)
        last[name] = max(day, last.get(name, day))
    return last


_NUMBERS = tuple(Column(str(kind), str(kind).capitalize()) for kind in _KINDS)
_STEPS = (Column("first_day", "From", "day"), Column("last_day", "To", "day"), *_NUMBERS)
_SERVICES = (Column("service", "Service", "text"), *_NUMBERS, Column("last_used", "Last used", "day"))
_FEATURES = (Column("feature", "Feature", "text"), *_NUMBERS[:3])
_DAILY = (
    Column("day", "From", "day"),
    Column("service", "Service", "text"),
    Column("service_id", "Key", "text"),
    Column("kind", "Use", "text"),
    Column("features", "Features", "text"),
    Column("number", "Number"),
    Column("last_day", "To", "day"),
)


def tables(figures: Figures) -> list[Table]:
    """The figures as rows."""
    kinds = [str(kind) for kind in _KINDS]
    ends = {part.first: part.last for part, _ in figures.steps}
    steps = [(part.first, part.last, *_cells(counts)) for part, counts in figures.steps]
    services = [(name, *_cells(counts), figures.last_used.get(name)) for name, counts in figures.services.items()]
    return [
        Table("use", "Use", _STEPS, newest_first(steps), kinds),
        Table("services", "By content service", _SERVICES, services, ("last_used",)),
        Table(
            "features",
            "By feature",
            _FEATURES,
            [(name, *_cells(counts)[:3]) for name, counts in figures.features.items() if any(_cells(counts)[:3])],
            ("by_feature",),
        ),
        Table(
            "daily",
            "Every number, by step",
            _DAILY,
            newest_first(
                (one.day, name, one.service_id, one.kind, one.features, number, ends[one.day])
                for one, name, number in figures.numbers
            ),
        ),
    ]


def _cells(counts: Counts) -> list[Cell]:
    return [counts.get(kind, 0) for kind in _KINDS]


REPORT = Report(
    name="use",
    title="Use",
    right=Right.REPORTS,
    read=read,
    compute=compute,
    tables=tables,
    template="reports/use.html",
    fields=ranges.FIELDS,
)
