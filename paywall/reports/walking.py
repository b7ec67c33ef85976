"""The order of the list, walked by indexes: few steps from any place to the next rows, whatever is filtered.

An index holds the rows of each group (source, plan, state, reason) in the order of a date. A page takes the next rows
of every group that the filters want and keeps the first of all. The groups go by the state that was decided last. Rows
that a date may have overtaken since then are few and have indexes of their own: they are left out of the groups, and
each is asked for its state of this moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ARRAY,
    CTE,
    BindParameter,
    ColumnElement,
    Select,
    String,
    any_,
    bindparam,
    false,
    literal,
    not_,
    select,
    text,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from paywall.domain.entitlements import SKEW
from paywall.domain.lifecycle import State
from paywall.reports import known
from paywall.reports.filters import Cursor, Filters, Source
from paywall.reports.leading import Standing
from paywall.reports.rule import Row
from paywall.reports.selection import conditions, date_of, other
from paywall.storage.database import db
from paywall.storage.listing import BEING_READ
from paywall.storage.models import AWAITED, RUNNING, Entitlement

Group = tuple[str, str, str, str]
_MANY = 2000  # rows of a kind that a date has overtaken; the worker leaves a minute's
_PARTS = ("source", "plan", "state", "reason")
# what a standing says of state and source
_IMPLIED: dict[Standing, tuple[State | None, Source | None]] = {
    Standing.GRACE: (State.GRACE, None),
    Standing.HELD: (State.SUSPENDED, None),
    Standing.COMPED: (None, Source.COMP),
}


@dataclass(frozen=True, slots=True)
class Walk:
    """A stretch of a list: ``size`` rows in one direction, those with a date or the others, behind a place if given."""

    filters: Filters
    descending: bool
    dated: bool
    place: Cursor | None
    size: int


def steps(walk: Walk, zone: ZoneInfo, now: datetime) -> Select[*tuple[Any, ...]]:
    """The ids of a stretch and its rows' dates, in order."""
    filters = walk.filters
    row = known.rows(filters.as_of, zone, now)
    grouped = not (filters.as_of or filters.who) and _asked(filters)
    overtaken = _overtaken(now) if grouped else None
    if overtaken is None:  # there may also be too many: right all the same, but row by row
        return _stretch(walk, row, conditions(filters, zone, now, row))
    return _grouped(walk, zone, now, overtaken)


def _grouped(walk: Walk, zone: ZoneInfo, now: datetime, overtaken: list[str]) -> Select[*tuple[Any, ...]]:
    """The next rows of all groups that are wanted, and of those that may stand in the wrong one."""
    among, asked = _is_any(overtaken), list(other(walk.filters, zone, now))
    groups = _of_groups(walk, [*asked, not_(among)] if overtaken else asked)
    parts = [groups] if groups is not None else []
    if overtaken:  # taken by their keys before anything is asked of them: an index of the filters would be walked whole
        few = select(Entitlement).where(among).cte("overtaken").prefix_with("MATERIALIZED")
        row = aliased(Entitlement, few)
        parts.append(_rows(walk, row, conditions(walk.filters, zone, now, row)))
    if not parts:
        return _stretch(walk, Entitlement, [false()])
    found = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return select(found.c.id, found.c.at).order_by(*_order(found.c.at, found.c.id, walk)).limit(walk.size)


def _asked(filters: Filters) -> dict[str, str]:
    """What the filters ask of a group, by its part."""
    state, source = _IMPLIED.get(filters.standing, (None, None)) if filters.standing else (None, None)
    wanted = {
        "source": filters.source or source,
        "plan": filters.plan,
        "state": filters.state or state,
        "reason": filters.reason,
    }
    return {name: str(one) for name, one in wanted.items() if one}


def _fits(group: Group, filters: Filters) -> bool:
    """Whether rows of the group may be wanted, as they were decided last."""
    parts = dict(zip(_PARTS, group, strict=True))
    return all(parts[name] == one for name, one in _asked(filters).items())


def _stretch(walk: Walk, row: Row, wanted: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """The next rows by one index."""
    return _rows(walk, row, wanted).order_by(*_order(_at(walk, row), row.id, walk)).limit(walk.size)


def _rows(walk: Walk, row: Row, wanted: Sequence[ColumnElement[bool]]) -> Select[*tuple[Any, ...]]:
    """All rows from the place on, without an order."""
    at = _at(walk, row)
    query = select(row.id.label("id"), at.label("at")).where(*wanted, at.is_not(None) if walk.dated else at.is_(None))
    return query.where(_beyond(at, row.id, walk.place, descending=walk.descending)) if walk.place else query


def _at(walk: Walk, row: Row) -> Any:
    return date_of(walk.filters.order.by, row)


def _order(at: Any, row_id: Any, walk: Walk) -> list[ColumnElement[Any]]:
    columns = (at, row_id) if walk.dated else (row_id,)
    return [one.desc() if walk.descending else one.asc() for one in columns]


def _beyond(at: Any, row_id: Any, place: Cursor, *, descending: bool) -> ColumnElement[bool]:
    if place.value is None:
        return row_id < place.id if descending else row_id > place.id  # type: ignore[no-any-return]
    here, there = tuple_(at, row_id), tuple_(place.value, place.id)
    return here < there if descending else here > there


def _overtaken(now: datetime) -> list[str] | None:
    """The rows whose state or reason a date may have changed since they were decided; None if there are too many.

    Each kind is taken from its own index in that index's order, which no guess about numbers leads elsewhere.
    """
    row = Entitlement
    kinds = (
        (text(RUNNING), row.until, now),
        (text(BEING_READ), row.paid_until, now),  # enters grace, or its renewal is due
        (text(AWAITED), row.starts_at, now + SKEW),
    )
    first = [select(row.id).where(kind, at <= moment).order_by(at).limit(_MANY + 1) for kind, at, moment in kinds]
    found = db.session.scalars(union_all(*(select(one.subquery()) for one in first))).all()
    return None if len(found) > _MANY else list(found)


def _of_groups(walk: Walk, wanted: list[ColumnElement[bool]]) -> Select[*tuple[Any, ...]] | None:
    """The next rows of each group that the filters want; None where there is no such group."""
    if db.engine.dialect.name == "sqlite":  # has no lateral join; asks itself, so that many questions cost little
        groups = [group for group in _one_by_one() if _fits(group, walk.filters)]
        arms = [_stretch(walk, Entitlement, [*_in(map(literal, group)), *wanted]) for group in groups]
        return select(union_all(*(select(arm.subquery()) for arm in arms)).subquery()) if arms else None
    group = _every_group()
    arm = _stretch(walk, Entitlement, [*_in(group.c), *wanted]).lateral()
    asked = [group.c[name] == one for name, one in _asked(walk.filters).items()]
    return select(arm).select_from(group.join(arm, true())).where(*asked)


def _is_any(ids: list[str]) -> ColumnElement[bool]:
    """Whether a row is one of these; as one array where there are such, so that the statement is always the same."""
    if db.engine.dialect.name == "sqlite":
        return Entitlement.id.in_(ids)
    return Entitlement.id == any_(_array(ids))


def _array(values: Iterable[str]) -> BindParameter[Any]:
    return bindparam(None, list(values), type_=ARRAY(String))


def _in(group: Any) -> list[ColumnElement[bool]]:
    return [getattr(Entitlement, name) == part for name, part in zip(_PARTS, group, strict=True)]


def _every_group() -> CTE:
    """Every group that has rows, found by stepping from one to the next."""
    group = _first_group().cte("groups", recursive=True)
    row = aliased(Entitlement)
    behind = tuple_(*_parts(row)) > tuple_(*(group.c[name] for name in _PARTS))
    following = select(*_parts(row)).where(behind).order_by(*_parts(row)).limit(1).lateral()
    return group.union_all(select(following).select_from(group.join(following, true())))


def _one_by_one() -> list[Group]:
    found: list[Group] = []
    first = _first_group()
    here = db.session.execute(first).first()
    while here:
        found.append((here[0], here[1], here[2], here[3]))
        here = db.session.execute(first.where(tuple_(*_parts(Entitlement)) > tuple_(*map(literal, found[-1])))).first()
    return found


def _first_group() -> Select[*tuple[Any, ...]]:
    return select(*_parts(Entitlement)).order_by(*_parts(Entitlement)).limit(1)


def _parts(row: Any) -> list[Any]:
    return [getattr(row, name) for name in _PARTS]
