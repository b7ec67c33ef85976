"""Which rows stand behind a figure of the overview, as conditions for the list and as addresses of it."""

from datetime import date
from enum import StrEnum
from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, text
from sqlalchemy.orm import aliased

from paywall.domain.lifecycle import State
from paywall.reports.causes import CAUSES, EndCause
from paywall.reports.rule import Row, is_in
from paywall.storage.daily_figures import ERASURES
from paywall.storage.grants import SOURCE as COMP
from paywall.storage.models import Entitlement, LedgerEntry


class Standing(StrEnum):
    """What the overview counts persons by; the list shows what they have of it."""

    PAYING = "paying"
    GRACE = "grace"
    ENDING = "ending"
    HELD = "held"
    COMPED = "comped"


def stands(name: Standing, moment: Any, row: Row = Entitlement, every: Row | None = None) -> ColumnElement[bool]:
    """Whether an entitlement is one of those by which its reader counts under ``name`` at a moment.

    ``every`` stands for all rows where ``row`` does for some.
    """
    return and_(_is_one(name, moment, row), *beside(name, moment, row, every or row))


def _is_one(name: Standing, moment: Any, row: Row) -> ColumnElement[bool]:
    """What it takes of the entitlement itself."""
    if name is Standing.COMPED:
        return and_(row.source == COMP, _grants(moment, row))
    if name is Standing.HELD:
        return and_(row.source != COMP, is_in(State.SUSPENDED, moment, row))
    if name is Standing.GRACE:
        return and_(row.source != COMP, is_in(State.GRACE, moment, row))
    return and_(row.source != COMP, _grants(moment, row), *([not_(row.renews)] if name is Standing.ENDING else []))


def beside(name: Standing, moment: Any, row: Row, every: Row) -> list[ColumnElement[bool]]:
    """What it takes of the others that its reader has."""
    other = aliased(every)
    bought = and_(other.reader_id == row.reader_id, other.source != COMP)
    if name is Standing.GRACE:
        return [not_(exists().where(bought, is_in(State.ACTIVE, moment, other)))]
    if name is Standing.ENDING:
        return [not_(exists().where(bought, other.renews, _grants(moment, other)))]
    if name is Standing.COMPED:
        return [not_(exists().where(bought, _grants(moment, other)))]
    return []


def ended_by(cause: EndCause, row: Row = Entitlement) -> ColumnElement[bool]:
    """Whether an entitlement, once it is over, ended by this cause."""
    return and_(row.lapse.in_(reasons_of(cause)), *by_whom(cause, row))


def reasons_of(cause: EndCause) -> list[str]:
    """The reasons of what ended by the cause. Who is erased has cancelled before."""
    among = EndCause.ASKED if cause is EndCause.ERASED else cause
    return [reason.value for reason, one in CAUSES.items() if one is among]


def by_whom(cause: EndCause, row: Row) -> list[ColumnElement[bool]]:
    """What a cause says beyond the reason."""
    erased = row.id.in_(select(LedgerEntry.entitlement_id).where(text(ERASURES)))
    if cause is EndCause.ERASED:
        return [erased]
    return [not_(erased)] if cause is EndCause.ASKED else []


def address(first: date | None = None, last: date | None = None, **more: Any) -> str:
    """The address of the list that shows the rows behind a figure: of a standing, or of a movement in some days."""
    days: dict[str, Any] = {name: day.isoformat() for name, day in (("from", first), ("to", last)) if day}
    return url_for("reports.entitlements", **more, **days)


def _grants(moment: Any, row: Row) -> ColumnElement[bool]:
    return or_(is_in(State.ACTIVE, moment, row), is_in(State.GRACE, moment, row))
