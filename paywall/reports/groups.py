"""The groups of a list: an index holds the rows of each in the order of a date.

A group is what has the same source, plan, state, reason and answer to whether it renews.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import CTE, ColumnElement, Select, literal, select, true, tuple_
from sqlalchemy.orm import aliased

from paywall.domain.lifecycle import State
from paywall.reports.filters import Filters, Source
from paywall.reports.leading import Standing, reasons_of
from paywall.storage.database import db
from paywall.storage.models import Entitlement
from paywall.storage.periods import LedgerPeriod

Group = tuple[str, str, str, str, bool]
Table = type[Entitlement] | type[LedgerPeriod]
Asked = Mapping[str, frozenset[Any]]

PARTS = ("source", "plan", "state", "reason", "renews")
_READS = (State.ACTIVE, State.GRACE)
_BOUGHT = tuple(source for source in Source if source is not Source.COMP)
# what a standing says of state and source
_IMPLIED: Mapping[Standing, tuple[Iterable[State], Iterable[Source]]] = {
    Standing.PAYING: (_READS, _BOUGHT),
    Standing.ENDING: (_READS, _BOUGHT),
    Standing.GRACE: ((State.GRACE,), _BOUGHT),
    Standing.HELD: ((State.SUSPENDED,), _BOUGHT),
    Standing.COMPED: (_READS, (Source.COMP,)),
}


def asked(filters: Filters) -> Asked:
    """What the filters ask of a group: by its part, the values of which one must stand there."""
    wanted: dict[str, frozenset[Any]] = {}
    for name, values in _said(filters):
        these = frozenset(str(one) if isinstance(one, str) else one for one in values)
        wanted[name] = wanted.get(name, these) & these
    return wanted


def are_few(filters: Filters) -> bool:
    """Whether the filters want some groups only; those who pay are most, and found soonest by going through all."""
    return bool(asked(replace(filters, standing=None) if filters.standing is Standing.PAYING else filters))


def _said(filters: Filters) -> Iterable[tuple[str, Iterable[str | bool]]]:
    for name in ("source", "plan", "state", "reason"):
        if value := getattr(filters, name):
            yield name, (value,)
    if filters.standing:
        states, sources = _IMPLIED[filters.standing]
        yield "state", states
        yield "source", sources
    if filters.standing is Standing.ENDING:
        yield "renews", (False,)
    if filters.cause:
        yield "state", (State.ENDED,)
        yield "reason", reasons_of(filters.cause)


def fits(group: Group, wanted: Asked) -> bool:
    """Whether rows of the group may be wanted, as they were decided last."""
    parts = dict(zip(PARTS, group, strict=True))
    return all(parts[name] in values for name, values in wanted.items())


def fitting(columns: Any, wanted: Asked) -> list[ColumnElement[bool]]:
    """The same as SQL, of the columns of ``every``."""
    return [columns[name].in_(sorted(values)) for name, values in wanted.items()]


def among(row: Any, group: Any) -> list[ColumnElement[bool]]:
    """Whether a row is of the group, which is a row of ``every`` or the values themselves."""
    parts = map(literal, group) if isinstance(group, tuple) else (group[name] for name in PARTS)
    return [getattr(row, name) == part for name, part in zip(PARTS, parts, strict=True)]


def every(table: Table) -> CTE:
    """Every group that has rows, found by stepping from one to the next."""
    group = _first(table).cte("groups", recursive=True)
    row = aliased(table)
    behind = tuple_(*_parts(row)) > tuple_(*(group.c[name] for name in PARTS))
    following = select(*_parts(row)).where(behind).order_by(*_parts(row)).limit(1).lateral()
    return group.union_all(select(following).select_from(group.join(following, true())))


def one_by_one(table: Table) -> list[Group]:
    """The same for a database without lateral joins; it asks itself, so that many questions cost little."""
    found: list[Group] = []
    first = _first(table)
    here = db.session.execute(first).first()
    while here:
        found.append(group_of(here))
        here = db.session.execute(first.where(tuple_(*_parts(table)) > tuple_(*map(literal, found[-1])))).first()
    return found


def group_of(row: Any) -> Group:
    """The group that a row of the database begins with."""
    return row[0], row[1], row[2], row[3], bool(row[4])


def _first(table: Table) -> Select[*tuple[Any, ...]]:
    return select(*_parts(table)).order_by(*_parts(table)).limit(1)


def _parts(row: Any) -> list[Any]:
    return [getattr(row, name) for name in PARTS]
