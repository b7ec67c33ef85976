"""What a report's address asks for: each filter parsed and checked, a fault told beside the field it stands in."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports.calendar import FIRST_DAY, LAST_DAY, Month
from paywall.reports.causes import EndCause
from paywall.reports.leading import Standing
from paywall.reports.rule import Movement


class Dated(StrEnum):
    """Which date of an entitlement is meant."""

    STARTS = "starts"
    ENDS = "ends"
    CREATED = "created"


class Source(StrEnum):
    """What gives entitlements."""

    SUBSCRIPTION = "subscription"
    COMP = "comp"  # given free of charge


class Flag(StrEnum):
    """What staff should look at."""

    DUPLICATE = "duplicate"  # a second live subscription of one person


@dataclass(frozen=True, slots=True)
class Sort:
    """The order of the list: by one date, or by when a movement last happened; ties by id."""

    by: Dated | Movement = Dated.CREATED
    descending: bool = True

    def __str__(self) -> str:
        return f"-{self.by}" if self.descending else str(self.by)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the list: the row that the next page comes after (or before), by its date and id."""

    value: datetime | None
    id: str

    def __str__(self) -> str:
        return f"{self.value.isoformat() if self.value else ''}~{self.id}"


@dataclass(frozen=True, slots=True)
class Filters:
    """The rows that are wanted; what is None does not matter. ``first`` and ``last`` are whole days, both included.

    They bound the date that ``dated`` names; or, under a ``movement`` without a ``month``, the days in which it counts.
    ``readers`` are whom ``who`` stands for, where it is an address. ``as_of`` asks for what was known on that day.
    """

    state: State | None = None
    reason: Reason | None = None
    plan: str | None = None
    source: Source | None = None
    who: str | None = None
    dated: Dated = Dated.STARTS
    first: date | None = None
    last: date | None = None
    movement: Movement | None = None
    month: Month | None = None
    sort: Sort = Sort()
    after: Cursor | None = None
    before: Cursor | None = None
    flag: Flag | None = None
    as_of: date | None = None
    standing: Standing | None = None
    cause: EndCause | None = None
    readers: tuple[str, ...] | None = None

    @property
    def order(self) -> Sort:
        """The order that the list is in: ``sort``, as far as what is asked for leaves a choice.

        Days of a date are listed by that date, and movements by theirs, because one index leads to both; who runs at a
        moment is listed by who ends next. What was known on a day is listed by when it was first known, or by days.
        """
        if self.by_date_of_past:
            return Sort(Dated.ENDS, descending=False) if self.dated is Dated.ENDS else replace(self.sort, by=self.dated)
        if self.as_of:
            return replace(self.sort, by=Dated.CREATED)
        if self.movement in _RUNNING_THEN:
            return Sort(Dated.ENDS, descending=False)
        if self.movement:
            return replace(self.sort, by=_MOVED_BY.get(self.movement, Dated.STARTS))
        return replace(self.sort, by=self.dated) if self.first or self.last else self.sort

    @property
    def by_date_of_past(self) -> bool:
        """Whether days of a date are asked for, as they were known on a past day."""
        return bool(self.as_of and (self.first or self.last))


@dataclass(slots=True)
class Question:
    """The address as it came: ``given`` is shown again whatever is wrong; ``errors`` name their field, "" the whole."""

    given: dict[str, str]
    filters: Filters = Filters()
    errors: dict[str, str] = field(default_factory=dict)


_Choice = TypeVar("_Choice", bound=StrEnum)
FIELDS = {
    "state": "The state.",
    "reason": "The reason of the state.",
    "plan": "The plan's key.",
    "source": "subscription or comp.",
    "who": "An address or the beginning of one; or a whole id: rdr_, ent_, cus_, sub_, in_.",
    "date": "The date that from and to bound: starts, ends or created.",
    "from": "The first day, such as 2026-11-01.",
    "to": "The last day, included.",
    "movement": "What happened in the month, or from and to: opening, new, returned, renewed, ended or closing.",
    "month": "The month of the movement, such as 2026-11.",
    "standing": "What the overview counts it under: paying, grace, ending, held or comped.",
    "cause": "Why it ended, in the overview's words.",
    "flag": "duplicate: a second live subscription of one person.",
    "as_of": "As it was known at the end of that day.",
    "sort": "starts, ends or created; with - before it the newest first.",
    "after": "A place in the list, as the answer before gave it.",
    "before": "A place in the list, as the answer before gave it.",
}
_RUNNING_THEN = (Movement.OPENING, Movement.CLOSING)
_MOVED_BY: dict[Movement, Dated | Movement] = {Movement.ENDED: Dated.ENDS, Movement.RENEWED: Movement.RENEWED}
_CURSOR = re.compile(r"(?P<value>[^~]*)~(?P<id>[A-Za-z0-9_]{1,40})")
_NAMES = {"date": "dated", "from": "first", "to": "last"}  # in the address -> in Filters, where they differ


def read(args: MultiDict[str, str], plans: Collection[str], today: date) -> Question:
    """Parses the query of a report's address; never raises. ``today`` is the newsroom's."""
    question = Question({name: args[name].strip() for name in args})
    parsers = _parsers(plans, Month(today.year, today.month))
    found: dict[str, object] = {}
    for name, text in question.given.items():
        try:
            if name not in parsers:
                raise ValueError("The address holds a filter that this report does not have.")
            if len(args.getlist(name)) > 1:
                raise ValueError("Is given twice; once is enough.")
            if text:
                found[_NAMES.get(name, name)] = parsers[name](text)
        except ValueError as error:
            question.errors[name if name in parsers else ""] = str(error)
    question.filters = Filters(**found)  # type: ignore[arg-type]  # each parser gives its field's type
    if not question.errors:
        question.errors = _contradictions(question.filters, today)
    return question


def _parsers(plans: Collection[str], this_month: Month) -> dict[str, Callable[[str], object]]:
    return {
        "state": lambda text: _choice(State, text),
        "reason": lambda text: _choice(Reason, text),
        "plan": lambda text: _one_of(plans, text),
        "source": lambda text: _choice(Source, text),
        "who": _who,
        "date": lambda text: _choice(Dated, text),
        "from": _day,
        "to": _day,
        "movement": lambda text: _choice(Movement, text),
        "month": lambda text: _month(text, this_month),
        "sort": _sort,
        "after": _cursor,
        "before": _cursor,
        "flag": lambda text: _choice(Flag, text),
        "as_of": _day,
        "standing": lambda text: _choice(Standing, text),
        "cause": lambda text: _choice(EndCause, text),
    }


def _contradictions(filters: Filters, today: date) -> dict[str, str]:
    errors = {}
    if filters.first and filters.last and filters.last < filters.first:
        errors["to"] = "Is before the first day."
    if filters.movement and not filters.month:
        errors.update(_no_days(filters, today))
    if filters.month and not filters.movement:
        errors["movement"] = "Choose what happened in that month."
    if filters.as_of and filters.as_of > today:
        errors["as_of"] = "Has not come yet."
    if filters.as_of and filters.movement:
        errors["as_of"] = "Movements are told as they are known today; leave one of the two out."
    if filters.after and filters.before:
        errors[""] = "The address names two places in the list; one is enough."
    return errors


def _no_days(filters: Filters, today: date) -> dict[str, str]:
    """What a movement misses that is asked for without a month."""
    if not filters.first and not filters.last:
        return {"month": "Choose the month that is meant, or the days from and to."}
    if not filters.first or not filters.last:
        return {"to" if filters.first else "from": "A movement needs both days, or a month."}
    return {"from": "Has not begun yet."} if filters.first > today else {}


def _choice(kind: type[_Choice], text: str) -> _Choice:
    return kind(_one_of([one.value for one in kind], text))


def _one_of(known: Collection[str], text: str) -> str:
    if text not in known:
        raise ValueError(f"Must be one of: {', '.join(known)}.")
    return text


def _who(text: str) -> str:
    if len(text) > 320 or not text.isprintable():
        raise ValueError("Is no address or id: at most 320 characters, all of them printable.")
    return text


def _day(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            raise ValueError("There is no such day in the calendar.") from None
        if FIRST_DAY <= day <= LAST_DAY:
            return day
    raise ValueError(f"Must be a day such as 2026-11-22, from {FIRST_DAY} to {LAST_DAY}.")


def _month(text: str, this_month: Month) -> Month:
    day = _day(f"{text}-01") if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) else None
    if day is None:
        raise ValueError("Must be a month such as 2026-11.")
    if Month(day.year, day.month) > this_month:
        raise ValueError("Has not begun yet.")
    return Month(day.year, day.month)


def _sort(text: str) -> Sort:
    by = text.removeprefix("-")
    if by not in list(Dated):
        raise ValueError(f"Must be one of: {', '.join(Dated)}; with - before it for the newest first.")
    return Sort(Dated(by), descending=text.startswith("-"))


def _cursor(text: str) -> Cursor:
    match = _CURSOR.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        value = datetime.fromisoformat(match["value"]) if match["value"] else None
        if value and value.tzinfo is None:
            raise ValueError
        return Cursor(value.astimezone(UTC) if value else None, match["id"])
    except (ValueError, OverflowError):  # in UTC the first and the last hours of the calendar may lie outside of it
        raise ValueError("The link to this page of the list is damaged; start from its first page.") from None
