"""The rule of access as SQL: state, reason and movement of an entitlement, from its dates alone.

``paywall.domain.entitlements.Terms.explain`` decides for one row; here the same is said of a whole table, and a
property test holds the two equal. So a figure does not depend on whether anybody noticed that a date has passed.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, exists, literal, not_, or_, tuple_
from sqlalchemy.orm import aliased

from paywall.domain.entitlements import SKEW, Reason
from paywall.domain.lifecycle import State
from paywall.reports.calendar import Span
from paywall.storage.models import Entitlement

_STARTS, _PAID, _UNTIL = Entitlement.starts_at, Entitlement.paid_until, Entitlement.until
_DATED = and_(_STARTS.is_not(None), _PAID.is_not(None), _UNTIL.is_not(None))


class Movement(StrEnum):
    """How an entitlement counts in a month: opening + new + returned - ended = closing."""

    OPENING = "opening"  # carried over from the month before
    NEW = "new"  # started, and is the reader's first
    RETURNED = "returned"  # started, and the reader had one before
    ENDED = "ended"
    CLOSING = "closing"  # carried over to the month after, or running now


def is_in(state: State, moment: datetime) -> ColumnElement[bool]:
    """Whether an entitlement is in ``state`` at a moment. The five states exclude each other."""
    running = and_(_DATED, moment + SKEW >= _STARTS, moment < _UNTIL)
    if state is State.PENDING:
        return or_(and_(not_(_DATED), Entitlement.lapse == Reason.NOT_PAID_YET), and_(_DATED, moment + SKEW < _STARTS))
    if state is State.ENDED:
        never = and_(not_(_DATED), Entitlement.lapse != Reason.NOT_PAID_YET)
        return or_(never, and_(_DATED, moment >= _UNTIL, moment + SKEW >= _STARTS))
    if state is State.SUSPENDED:
        return and_(running, Entitlement.hold.is_not(None))
    failing = and_(Entitlement.in_dunning, moment >= _PAID)
    return and_(running, Entitlement.hold.is_(None), failing if state is State.GRACE else not_(failing))


def state_at(moment: datetime) -> ColumnElement[str]:
    """The state at a moment."""
    return case(*((is_in(state, moment), literal(state.value)) for state in State))


def reason_at(moment: datetime) -> ColumnElement[str]:
    """The reason code of the state at a moment."""
    return case(
        (not_(_DATED), Entitlement.lapse),
        (moment + SKEW < _STARTS, literal(Reason.NOT_PAID_YET.value)),
        (moment >= _UNTIL, Entitlement.lapse),
        (Entitlement.hold.is_not(None), Entitlement.hold),
        (moment < _PAID, literal(Reason.PAID.value)),
        (Entitlement.in_dunning, literal(Reason.PAYMENT_FAILED.value)),
        else_=literal(Reason.RENEWAL_DUE.value),
    )


def moved(movement: Movement, span: Span) -> ColumnElement[bool]:
    """Whether an entitlement counts under ``movement`` in the span.

    Only one that ever ran counts: what was never paid, or ended before it began, moves nothing. A suspended one runs.
    """
    if movement is Movement.OPENING:
        return and_(ran(), span.since > _STARTS, span.since < _UNTIL)
    if movement is Movement.CLOSING:
        return and_(ran(), span.before > _STARTS, span.by < _UNTIL)
    if movement is Movement.ENDED:
        return and_(ran(), span.since < _UNTIL, span.by >= _UNTIL)
    started = and_(ran(), span.since <= _STARTS, span.before > _STARTS)
    return and_(started, had_before() if movement is Movement.RETURNED else not_(had_before()))


def ran() -> ColumnElement[bool]:
    """Whether the entitlement ever let its reader in, holds aside."""
    return and_(_DATED, _STARTS < _UNTIL)


def had_before() -> ColumnElement[bool]:
    """Whether the reader had an earlier entitlement that ran."""
    other = aliased(Entitlement)
    return exists().where(
        other.reader_id == Entitlement.reader_id,
        other.paid_until.is_not(None),
        other.starts_at < other.until,
        tuple_(other.starts_at, other.id) < tuple_(_STARTS, Entitlement.id),
    )
