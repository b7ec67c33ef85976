"""The one rule of access, as properties over any facts (I1, I4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from paywall.domain.entitlements import (
    SKEW,
    PaidPeriod,
    SubscriptionFacts,
    end_of_day,
    must_cancel,
    terms_of,
    union,
)
from paywall.domain.lifecycle import STATUS_GROUPS, Group, State, group_of
from tests.domain.test_entitlements import PLAN

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
moments = st.integers(0, 4 * 365 * 24 * 60).map(lambda minutes: EPOCH + timedelta(minutes=minutes))
zones = st.sampled_from(["UTC", "America/New_York", "Pacific/Pago_Pago", "Pacific/Kiritimati", "Europe/Berlin"]).map(
    ZoneInfo
)
maybe = st.none() | moments


@st.composite
def periods(draw: st.DrawFn) -> PaidPeriod:
    start, disputed = draw(moments), draw(st.booleans())
    later = st.integers(0, 400).map(lambda days: start + timedelta(days=days))
    lost_at = draw(st.none() | later)
    return PaidPeriod(
        start=start,
        end=start + timedelta(days=draw(st.integers(-2, 366))),
        refunded_at=draw(st.none() | later),
        refund_arrived=draw(st.booleans()),
        lost_at=lost_at,
        disputed=disputed,
        contested=disputed or lost_at is not None or draw(st.booleans()),
    )


facts = st.builds(
    SubscriptionFacts,
    status=st.sampled_from([*STATUS_GROUPS, "something_new"]),
    periods=st.lists(periods(), max_size=4).map(tuple),
    unpaid_from=maybe,
    cancel_at=maybe,
    cancels_at_period_end=st.booleans(),
    ended_at=maybe,
    ended_by_dispute=st.booleans(),
    ended_by_failure=st.booleans(),
    ended_for_money=st.booleans(),
    collection_paused=st.booleans(),
)
plans = st.builds(
    replace,
    st.just(PLAN),
    grace_days=st.integers(0, 30),
    renewal_slack_days=st.integers(0, 7),
    on_full_refund=st.sampled_from(["end", "keep"]),
    on_dispute=st.sampled_from(["suspend", "keep"]),
    on_pause_collection=st.sampled_from(["suspend", "keep"]),
)


@given(facts, plans, zones, st.randoms())
def test_the_order_in_which_periods_are_listed_does_not_matter(subscription, plan, zone, random) -> None:
    shuffled = list(subscription.periods)
    random.shuffle(shuffled)
    assert terms_of(subscription, plan, zone) == terms_of(replace(subscription, periods=tuple(shuffled)), plan, zone)


@given(facts, plans, zones, moments)
def test_access_needs_a_paid_period_that_began(subscription, plan, zone, now) -> None:
    if terms_of(subscription, plan, zone).state_at(now).grants:
        assert any(period.start - SKEW <= now and period.start < period.end for period in subscription.periods)


@given(facts, plans, zones, moments)
def test_access_never_lasts_beyond_the_paid_end_plus_slack_or_grace(subscription, plan, zone, now) -> None:
    terms = terms_of(subscription, plan, zone)
    if not terms.state_at(now).grants:
        return
    paid = max(period.end for period in subscription.periods if period.start < period.end)
    grace_from = max(paid, subscription.unpaid_from or paid)
    allowed = max(end_of_day(paid, zone, plan.renewal_slack_days), end_of_day(grace_from, zone, plan.grace_days))
    assert now < allowed


@given(facts, plans, zones, moments)
def test_closed_paused_unknown_and_unborn_subscriptions_never_outlive_their_end(subscription, plan, zone, now) -> None:
    state = terms_of(subscription, plan, zone).state_at(now)
    group = group_of(subscription.status)
    if group in (Group.UNBORN, Group.PAUSED, Group.UNKNOWN):
        assert not state.grants
    over_money = subscription.ended_for_money or subscription.ended_by_dispute
    ended_at = None if over_money else subscription.ended_at
    if group is Group.CLOSED and ended_at and now >= end_of_day(ended_at, zone):
        assert not state.grants


@given(facts, plans, zones, moments, moments)
def test_once_ended_it_stays_ended_while_the_facts_stay(subscription, plan, zone, one, other) -> None:
    terms = terms_of(subscription, plan, zone)
    earlier, later = sorted((one, other))
    if terms.state_at(earlier) is State.ENDED:
        assert terms.state_at(later) is State.ENDED


@given(facts, plans, zones, moments)
def test_the_dates_say_the_same_as_the_state(subscription, plan, zone, now) -> None:
    """Access is exactly the half-open interval from starts_at to until, unless it is on hold."""
    terms = terms_of(subscription, plan, zone)
    inside = terms.starts_at is not None and terms.starts_at - SKEW <= now < terms.until
    assert terms.state_at(now).grants == (inside and terms.hold is None)


@given(facts, zones)
def test_stricter_policies_never_give_more(subscription, zone) -> None:
    strict = replace(PLAN, on_full_refund="end", on_dispute="suspend", on_pause_collection="suspend")
    lenient = replace(PLAN, on_full_refund="keep", on_dispute="keep", on_pause_collection="keep")
    for days in range(0, 1500, 97):
        now = EPOCH + timedelta(days=days)
        if terms_of(subscription, strict, zone).state_at(now).grants:
            assert terms_of(subscription, lenient, zone).state_at(now).grants


@given(st.lists(st.tuples(st.sampled_from([("a",), ("b",), ("a", "b")]), facts), max_size=4), zones, moments)
def test_a_union_gives_exactly_what_its_parts_give(sources, zone, now) -> None:
    parts = [(features, terms_of(subscription, PLAN, zone)) for features, subscription in sources]
    given_features = {name for features, terms in parts if terms.state_at(now).grants for name in features}
    access = union(parts, now)
    assert set(access.features) == given_features
    assert access.allowed == bool(given_features)
    assert access.until is None or access.until > now


@given(facts, plans, zones, moments)
def test_money_that_went_back_never_gives_more_than_money_that_stayed(subscription, plan, zone, now) -> None:
    stayed = tuple(replace(one, refunded_at=None, lost_at=None, disputed=False) for one in subscription.periods)
    if terms_of(subscription, plan, zone).state_at(now).grants:
        assert terms_of(replace(subscription, periods=stayed), plan, zone).state_at(now).grants


@given(facts, plans, zones, moments)
def test_what_was_ended_for_its_money_gives_no_more_than_if_it_had_only_stopped_renewing(
    subscription, plan, zone, now
) -> None:
    """A refund that fails and a dispute that is won bring back the paid period, never a longer one."""
    ended = replace(subscription, status="canceled", ended_for_money=True)
    kept = replace(subscription, status="active", unpaid_from=None, cancel_at=None, cancels_at_period_end=True)
    if terms_of(ended, plan, zone).state_at(now).grants:
        assert terms_of(replace(kept, ended_by_dispute=False), plan, zone).until > now


@given(facts, plans, zones, moments)
def test_where_every_payment_went_back_nothing_is_given_afterwards(subscription, plan, zone, now) -> None:
    gone = tuple(replace(one, lost_at=one.start) for one in subscription.periods)
    terms = terms_of(replace(subscription, periods=gone), plan, zone)
    assert terms.until is None or terms.until <= max(one.start for one in gone if one.start < one.end)
    if all(one.start + SKEW < now for one in gone):
        assert not terms.state_at(now).grants


@given(facts, plans, zones, moments)
def test_a_subscription_that_must_be_ended_at_stripe_gives_nothing_any_more(subscription, plan, zone, now) -> None:
    """Else it would be cancelled under a reader who may still read."""
    if must_cancel(subscription, plan, now):
        last_days = [end_of_day(one.end, zone) for one in subscription.periods if one.start < one.end <= now]
        later = max([now, *last_days, *(one.refunded_at or now for one in subscription.periods)])
        later = max([later, *(one.lost_at or now for one in subscription.periods)])
        assert not terms_of(subscription, plan, zone).state_at(later).grants


@given(facts, plans, moments)
def test_ending_it_at_stripe_is_asked_for_once(subscription, plan, now) -> None:
    assert not must_cancel(replace(subscription, status="canceled", ended_at=now), plan, now)


@given(facts, plans, zones, moments, moments)
def test_what_was_said_stands_until_a_date_changes_it(subscription, plan, zone, one, two) -> None:
    """And no longer: from that date on something else is said."""
    terms, (now, later) = terms_of(subscription, plan, zone), sorted((one, two))
    said = terms.explain(now)
    until = terms.stands_until(*said)
    if until is None or later < until:
        assert terms.explain(later) == said
    if until is not None:
        assert until > now
        assert terms.explain(until) != said
