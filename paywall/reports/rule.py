"""The rule of access as SQL: state, reason and movement of an entitlement, from its dates alone.

``paywall.domain.entitlements.Terms.explain`` decides for one row; here the same is said of a whole table, and a
property test holds the two equal. So a figure does not depend on whether anybody noticed that a date has passed.

States and reasons take the start as generously as the rule does (``SKEW``: five minutes for the difference of two
clocks). Movements go by the plain dates: a start counts in the month in which it lies, so that months add up. Hence
what starts within the next five minutes already reads as active, and is not yet counted as running in its month.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, literal, not_, or_, select, text, tuple_
from sqlalchemy.orm import aliased

from paywall.domain.entitlements import COMPS, SKEW, Reason
from paywall.domain.lifecycle import State
from paywall.reports.calendar import Span
from paywall.storage.daily_figures import RENEWALS
from paywall.storage.grants import SOURCE as COMP
from paywall.storage.models import Entitlement, LedgerEntry

Row = type[Entitlement]  # the table, or what stands for its rows, such as the rows as they were known on a day


class Movement(StrEnum):
    """How an entitlement counts in a month: opening + new + returned - ended = closing."""

    OPENING = "opening"  # carried over from the month before
    NEW = "new"  # started, and is the reader's first
    RETURNED = "returned"  # started, and the reader had one before
    RENEWED = "renewed"  # a payment carried it on; takes no part in the sum
    ENDED = "ended"
    CLOSING = "closing"  # carried over to the month after, or running now


def is_in(state: State, moment: datetime, row: Row = Entitlement) -> ColumnElement[bool]:
    """Whether an entitlement is in ``state`` at a moment. The five states exclude each other."""
    dated, begun = _dated(row), _begun(moment, row)
    running = and_(dated, begun, row.until > moment)
    if state is State.PENDING:
        return or_(and_(not_(dated), row.lapse == Reason.NOT_PAID_YET), and_(dated, not_(begun)))
    if state is State.ENDED:
        never = and_(not_(dated), row.lapse != Reason.NOT_PAID_YET)
        return or_(never, and_(dated, begun, row.until <= moment))
    if state is State.SUSPENDED:
        return and_(running, row.hold.is_not(None))
    if state is State.GRACE:
        return and_(running, row.hold.is_(None), row.in_dunning, row.paid_until <= moment)
    return and_(running, row.hold.is_(None), or_(not_(row.in_dunning), row.paid_until > moment))


def state_at(moment: datetime, row: Row = Entitlement) -> ColumnElement[str]:
    """The state at a moment."""
    undated = case((row.lapse == Reason.NOT_PAID_YET, _say(State.PENDING)), else_=_say(State.ENDED))
    return case(
        (not_(_dated(row)), undated),
        (not_(_begun(moment, row)), _say(State.PENDING)),
        (row.until <= moment, _say(State.ENDED)),
        (row.hold.is_not(None), _say(State.SUSPENDED)),
        (and_(row.in_dunning, row.paid_until <= moment), _say(State.GRACE)),
        else_=_say(State.ACTIVE),
    )


def reason_at(moment: datetime, row: Row = Entitlement) -> ColumnElement[str]:
    """The reason code of the state at a moment."""
    return case(
        (not_(_dated(row)), row.lapse),
        (not_(_begun(moment, row)), _say(Reason.NOT_PAID_YET)),
        (row.until <= moment, row.lapse),
        (row.hold.is_not(None), row.hold),
        (and_(row.in_dunning, row.paid_until <= moment), _say(Reason.PAYMENT_FAILED)),
        (row.lapse.in_(COMPS), _say(Reason.COMPED)),
        (and_(row.renews, row.paid_until <= moment), _say(Reason.RENEWAL_DUE)),
        else_=_say(Reason.PAID),
    )


def moved(movement: Movement, span: Span, row: Row = Entitlement) -> ColumnElement[bool]:
    """Whether an entitlement counts under ``movement`` in the span.

    Only a paid one that ever ran counts: what is free, was never paid, or ended before it began, moves nothing. A
    suspended one runs.
    The start is taken as it stands, without the rule's five minutes.
    """
    if movement is Movement.OPENING:
        return and_(_ran(row), row.starts_at < span.since, row.until > span.since)
    if movement is Movement.CLOSING:
        return and_(_ran(row), row.starts_at < span.before, row.until > span.by)
    if movement is Movement.RENEWED:
        return row.id.in_(select(LedgerEntry.entitlement_id).where(renewed(span)))
    if movement is Movement.ENDED:
        return and_(_ran(row), row.until > span.since, row.until <= span.by)
    return and_(started(span, row), had_before(row) if movement is Movement.RETURNED else not_(had_before(row)))


def renewed(span: Span, entry: Any = LedgerEntry) -> ColumnElement[bool]:
    """Whether an entry of the ledger is a renewal that took effect in the span; asked of one table of entries only."""
    return and_(text(RENEWALS), entry.effective_at >= span.since, entry.effective_at < span.before)


def started(span: Span, row: Row = Entitlement) -> ColumnElement[bool]:
    """Whether an entitlement that ran started in the span."""
    return and_(_ran(row), row.starts_at >= span.since, row.starts_at < span.before)


def had_before(row: Row = Entitlement) -> ColumnElement[bool]:
    """Whether the reader had an earlier paid entitlement that ran."""
    other = aliased(row)
    return exists().where(
        other.reader_id == row.reader_id,
        other.source != COMP,
        other.paid_until.is_not(None),
        other.starts_at < other.until,
        tuple_(other.starts_at, other.id) < tuple_(row.starts_at, row.id),
    )


def _ran(row: Row) -> ColumnElement[bool]:
    """Whether the entitlement is a paid one and ever let its reader in, holds aside."""
    return and_(row.source != COMP, _dated(row), row.starts_at < row.until)


def _begun(moment: datetime, row: Row) -> ColumnElement[bool]:
    """Whether a dated entitlement has started, as generously as the rule takes it."""
    return row.starts_at <= moment + SKEW


def _dated(row: Row) -> ColumnElement[bool]:
    """Whether the entitlement was ever paid, and so has its dates."""
    return and_(row.starts_at.is_not(None), row.paid_until.is_not(None), row.until.is_not(None))


def _say(code: State | Reason) -> ColumnElement[str]:
    return literal(code.value)
