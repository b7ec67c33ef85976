"""The one rule of access: facts about a subscription and its plan in, what the reader deserves out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from paywall.domain.lifecycle import Group, State, group_of
from paywall.domain.plans import Plan


class Reason(StrEnum):
    """Why access is as it is; stable codes for the ledger, reports and explanations."""

    PAID = "paid"
    RENEWAL_DUE = "renewal_due"  # the paid period is over, the renewal is awaited
    PAYMENT_FAILED = "payment_failed"
    PERIOD_OVER = "period_over"
    CANCELED = "canceled"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    DISPUTE_LOST = "dispute_lost"
    PAUSED = "paused"
    COLLECTION_PAUSED = "collection_paused"
    NOT_PAID_YET = "not_paid_yet"
    NEVER_PAID = "never_paid"
    UNKNOWN_STATUS = "unknown_status"
    COMPED = "comped"  # given free of charge
    COMP_OVER = "comp_over"
    COMP_ENDED = "comp_ended"  # by staff, before its time


# what was given free of charge lapses for one of these, and is never called paid
COMPS = frozenset({Reason.COMP_OVER, Reason.COMP_ENDED})


# A period starts by Stripe's clock and is asked about by ours: whoever just paid must not wait for the difference.
SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class PaidPeriod:
    """A period whose invoice is paid, as its invoice line says. Moments are aware.

    ``refunded_at`` is set while the money is given back in full or on its way, ``refund_arrived`` once Stripe says of
    all of it that it arrived (a bank may still send it back); ``lost_at`` is when a dispute began that was lost,
    ``disputed`` says that one (no inquiry) is open, ``contested`` that there is any, decided or not.
    """

    start: datetime
    end: datetime
    refunded_at: datetime | None = None
    refund_arrived: bool = False
    lost_at: datetime | None = None
    disputed: bool = False
    contested: bool = False


@dataclass(frozen=True, slots=True)
class SubscriptionFacts:
    """What Stripe says of one subscription now; ``unpaid_from`` starts the oldest period whose payment failed.

    ``ended_for_money`` says that we ended it ourselves, because the money of its last period went back.
    """

    status: str
    periods: tuple[PaidPeriod, ...] = ()
    unpaid_from: datetime | None = None
    cancel_at: datetime | None = None
    cancels_at_period_end: bool = False
    ended_at: datetime | None = None
    ended_by_dispute: bool = False
    ended_by_failure: bool = False
    ended_for_money: bool = False
    collection_paused: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What a reader deserves, as dates, so that access ends with no further event.

    Access runs from ``starts_at`` (less the clocks' skew) up to, not including, ``until``. Between ``paid_until`` and
    ``until`` it is grace if ``in_dunning``, else the renewal's slack or the rest of the day. ``hold`` suspends it.
    ``lapse`` is the reason given from ``until`` on. Without ``starts_at`` nothing was ever paid.
    """

    starts_at: datetime | None
    paid_until: datetime | None
    until: datetime | None
    lapse: Reason
    in_dunning: bool = False
    hold: Reason | None = None
    renews: bool = False

    def state_at(self, now: datetime) -> State:
        """The state at a moment."""
        return self.explain(now)[0]

    def explain(self, now: datetime) -> tuple[State, Reason]:
        """The state at a moment, with its reason."""
        if self.starts_at is None or self.until is None or self.paid_until is None:
            closed = self.lapse is not Reason.NOT_PAID_YET
            return (State.ENDED if closed else State.PENDING), self.lapse
        if now < self.starts_at - SKEW:
            return State.PENDING, Reason.NOT_PAID_YET
        if now >= self.until:
            return State.ENDED, self.lapse
        if self.hold is not None:
            return State.SUSPENDED, self.hold
        if now >= self.paid_until and self.in_dunning:
            return State.GRACE, Reason.PAYMENT_FAILED
        if self.lapse in COMPS:
            return State.ACTIVE, Reason.COMPED
        return State.ACTIVE, Reason.RENEWAL_DUE if now >= self.paid_until and self.renews else Reason.PAID

    def stands_until(self, state: State, reason: Reason) -> datetime | None:
        """From when on the dates say something else than ``explain`` said once; None where no date ever does."""
        if self.starts_at is None or self.until is None or self.paid_until is None or state is State.ENDED:
            return None
        if state is State.PENDING:
            return self.starts_at - SKEW
        turns = reason is Reason.PAID and (self.in_dunning or self.renews)
        return min(self.paid_until, self.until) if turns else self.until


@dataclass(frozen=True, slots=True)
class Access:
    """The union of a reader's entitlements at a moment: what may be read, and when the last of it ends."""

    features: tuple[str, ...] = ()
    until: datetime | None = None

    @property
    def allowed(self) -> bool:
        """Whether anything may be read."""
        return bool(self.features)


def terms_of(facts: SubscriptionFacts, plan: Plan, zone: ZoneInfo) -> Terms:
    """What a subscription gives (invariant I1): a pure function of Stripe's facts, the plan and the newsroom's zone.

    Access runs to the end of the last paid period; plus the plan's slack while it renews by itself, or plus its grace
    days counted from the start of the unpaid period; to the end of that local day. Raises ValueError on a naive moment.
    """
    good = _good(facts)
    if not good or group_of(facts.status) is Group.UNBORN:
        return _nothing(facts)
    starts_at = min(p.start for p in good)
    last = max(good, key=lambda p: _rank(p, plan))
    until, lapse = _until(facts, plan, zone, last.end)
    fallen = _reversal(last, plan)
    if fallen is None:
        in_dunning = lapse is Reason.PAYMENT_FAILED
        hold = _hold(facts, plan, last)
        return Terms(starts_at, min(last.end, until), until, lapse, in_dunning, hold, _renews(facts))
    # the last period's money went back: what earlier periods still give, and never more than without the reversal
    standing = [p for p in good if _reversal(p, plan) is None]
    since, why = fallen
    left = max([since, *(end_of_day(p.end, zone) for p in standing)])
    if left < until:
        until, lapse = left, why
    hold = _hold(facts, plan, max(standing, key=lambda p: _rank(p, plan), default=last))
    return Terms(starts_at, until, until, lapse, hold=hold)


def must_cancel(facts: SubscriptionFacts, plan: Plan, now: datetime) -> Reason | None:
    """Why a subscription is to be ended at Stripe: its last paid period was lost to a dispute, or given back.

    Given back means in full, where the plan says that this ends access, and once the refund has arrived. What an
    earlier paid period still gives is not cut short. None where the subscription is to stay.
    """
    good = _good(facts)
    if not good or group_of(facts.status) in (Group.UNBORN, Group.CLOSED):
        return None
    last = max(good, key=lambda p: _rank(p, plan))
    given_back = last.refund_arrived and plan.on_full_refund == "end"
    if last.lost_at is None and not given_back:
        return None
    if any(p.end > now for p in good if _reversal(p, plan) is None):
        return None
    return Reason.DISPUTE_LOST if last.lost_at is not None else Reason.REFUNDED


def union(entitlements: Iterable[tuple[tuple[str, ...], Terms]], now: datetime) -> Access:
    """A reader's access from all entitlements (features, terms): ending one never touches another."""
    live = [(features, terms) for features, terms in entitlements if terms.state_at(now).grants]
    features = tuple(dict.fromkeys(feature for names, _ in live for feature in names))
    ends = [terms.until for _, terms in live if terms.until is not None]
    return Access(features, max(ends)) if ends else Access()


def end_of_day(moment: datetime, zone: ZoneInfo, days: int = 0) -> datetime:
    """The end (first moment of the next day) of the local day ``days`` after ``moment``'s, in UTC."""
    date = moment.astimezone(zone).date() + timedelta(days=days + 1)
    return datetime.combine(date, time.min, tzinfo=zone).astimezone(UTC)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment


def _good(facts: SubscriptionFacts) -> tuple[PaidPeriod, ...]:
    return tuple(p for p in facts.periods if _aware(p.start) < _aware(p.end))


def _reversal(period: PaidPeriod, plan: Plan) -> tuple[datetime, Reason] | None:
    """Since when a period's payment counts no more, and why."""
    found = []
    if period.lost_at is not None:
        found.append((period.lost_at, Reason.DISPUTE_LOST))
    if period.refunded_at is not None and plan.on_full_refund == "end":
        found.append((period.refunded_at, Reason.REFUNDED))
    return min(found, default=None)


def _rank(period: PaidPeriod, plan: Plan) -> tuple[datetime, bool, datetime, bool, datetime]:
    """Orders periods by what they give: of two that end together, the one whose payment stands undisputed is last."""
    fallen = _reversal(period, plan)
    return period.end, fallen is None, fallen[0] if fallen else period.end, not period.disputed, period.start


def _nothing(facts: SubscriptionFacts) -> Terms:
    group = group_of(facts.status)
    lapse = Reason.NEVER_PAID if group in (Group.CLOSED, Group.EXHAUSTED) else Reason.NOT_PAID_YET
    return Terms(None, None, None, lapse)


def _failing(facts: SubscriptionFacts) -> bool:
    group = group_of(facts.status)
    return group is Group.FAILING or (group is Group.OPEN and facts.unpaid_from is not None)


def _renews(facts: SubscriptionFacts) -> bool:
    planned_end = facts.cancel_at is not None or facts.cancels_at_period_end
    return group_of(facts.status) in (Group.OPEN, Group.FAILING) and not planned_end


def _until(facts: SubscriptionFacts, plan: Plan, zone: ZoneInfo, paid: datetime) -> tuple[datetime, Reason]:
    group = group_of(facts.status)
    paid_end, unpaid_from = end_of_day(paid, zone), facts.unpaid_from or paid
    # grace goes on from a paid period: after one that nobody paid or owed, as a voided one, there is none
    follows = unpaid_from <= end_of_day(paid, zone, plan.renewal_slack_days)
    grace_end = end_of_day(unpaid_from, zone, plan.grace_days) if follows else paid_end
    if group is Group.CLOSED:
        return _closed(facts, zone, paid_end, grace_end)
    if _failing(facts):
        planned = end_of_day(facts.cancel_at, zone) if facts.cancel_at else grace_end
        return min(max(paid_end, grace_end), max(paid_end, planned)), Reason.PAYMENT_FAILED
    if group is Group.EXHAUSTED:
        return paid_end, Reason.PAYMENT_FAILED
    if facts.cancel_at is not None:
        return min(paid_end, end_of_day(facts.cancel_at, zone)), Reason.CANCELED
    if facts.cancels_at_period_end:
        return paid_end, Reason.CANCELED
    if _renews(facts):
        return end_of_day(paid, zone, plan.renewal_slack_days), Reason.PERIOD_OVER
    return paid_end, Reason.PERIOD_OVER


def _closed(
    facts: SubscriptionFacts, zone: ZoneInfo, paid_end: datetime, grace_end: datetime
) -> tuple[datetime, Reason]:
    if facts.ended_at is None or _ended_over_money(facts):
        return paid_end, Reason.CANCELED
    if facts.ended_by_dispute:
        return min(facts.ended_at, paid_end), Reason.DISPUTE_LOST
    if facts.unpaid_from is not None or facts.ended_by_failure:
        return min(end_of_day(facts.ended_at, zone), max(paid_end, grace_end)), Reason.PAYMENT_FAILED
    return min(end_of_day(facts.ended_at, zone), paid_end), Reason.CANCELED


def _ended_over_money(facts: SubscriptionFacts) -> bool:
    """Whether it was ended only because its money was to go back: then what became of the money decides by itself.

    A refund that fails and a dispute that is won after all leave a paid period that nobody gave back.
    """
    disputes = [p for p in _good(facts) if p.contested]
    by_dispute = facts.ended_by_dispute and bool(disputes) and all(p.lost_at is None for p in disputes)
    return facts.ended_for_money or by_dispute


def _hold(facts: SubscriptionFacts, plan: Plan, last: PaidPeriod) -> Reason | None:
    group = group_of(facts.status)
    if group is Group.UNKNOWN:
        return Reason.UNKNOWN_STATUS
    if group is Group.PAUSED:
        return Reason.PAUSED
    disputed = last.disputed or (facts.ended_by_dispute and any(p.disputed for p in _good(facts)))
    if disputed and plan.on_dispute == "suspend":
        return Reason.DISPUTED
    if facts.collection_paused and plan.on_pause_collection == "suspend":
        return Reason.COLLECTION_PAUSED
    return None
