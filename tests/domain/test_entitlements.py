"""The one rule of access, by example: each sentence of the design has a test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from paywall.domain.entitlements import (
    PaidPeriod,
    Reason,
    SubscriptionFacts,
    Terms,
    end_of_day,
    must_cancel,
    terms_of,
    union,
)
from paywall.domain.lifecycle import State
from paywall.domain.plans import Plan, load_plan
from tests.domain.test_plans import GOOD

ZONE = ZoneInfo("America/New_York")
PLAN: Plan = load_plan("annual", GOOD)
START = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)  # 10:00 in the newsroom
END = datetime(2027, 11, 22, 15, 0, tzinfo=UTC)
YEAR = PaidPeriod(START, END)
ACTIVE = SubscriptionFacts(status="active", periods=(YEAR,))


def local(year: int, month: int, day: int) -> datetime:
    """Midnight at the start of a local day."""
    return datetime(year, month, day, tzinfo=ZONE)


def decide(facts: SubscriptionFacts, plan: Plan = PLAN) -> Terms:
    return terms_of(facts, plan, ZONE)


def test_a_renewing_subscription_gives_the_paid_period_and_three_local_days_of_slack() -> None:
    terms = decide(ACTIVE)
    assert (terms.starts_at, terms.paid_until, terms.until) == (START, END, local(2027, 11, 26))
    assert terms.renews
    assert terms.explain(END - timedelta(seconds=1)) == (State.ACTIVE, Reason.PAID)
    assert terms.explain(END) == (State.ACTIVE, Reason.RENEWAL_DUE)
    assert terms.explain(local(2027, 11, 26)) == (State.ENDED, Reason.PERIOD_OVER)


def test_a_clock_behind_stripes_does_not_lock_out_who_just_paid() -> None:
    assert decide(ACTIVE).state_at(START - timedelta(minutes=4)) is State.ACTIVE
    assert decide(ACTIVE).state_at(START - timedelta(minutes=6)) is State.PENDING


def test_access_ends_without_any_further_event() -> None:
    assert decide(ACTIVE).state_at(END + timedelta(days=400)) is State.ENDED


def test_the_period_that_stripe_moved_ahead_but_nobody_paid_gives_nothing() -> None:
    """Only paid periods are facts: nothing else about the future can reach the rule."""
    assert decide(replace(ACTIVE, status="past_due", unpaid_from=END)).paid_until == END


def test_a_failed_renewal_gives_grace_counted_from_the_start_of_the_unpaid_period() -> None:
    terms = decide(replace(ACTIVE, status="past_due", unpaid_from=END))
    assert terms.until == local(2027, 12, 7)  # 22 November plus 14 days, to the end of that day
    assert terms.explain(END + timedelta(days=13)) == (State.GRACE, Reason.PAYMENT_FAILED)
    assert terms.explain(local(2027, 12, 7)) == (State.ENDED, Reason.PAYMENT_FAILED)


def test_grace_begins_even_while_the_status_is_still_active() -> None:
    assert decide(replace(ACTIVE, unpaid_from=END)).state_at(END) is State.GRACE


def test_grace_is_not_counted_again_from_a_later_failure() -> None:
    first = decide(replace(ACTIVE, status="past_due", unpaid_from=END))
    assert decide(replace(ACTIVE, status="past_due", unpaid_from=END)).until == first.until


def test_no_grace_days_means_the_end_of_the_paid_day() -> None:
    terms = decide(replace(ACTIVE, status="past_due", unpaid_from=END), replace(PLAN, grace_days=0))
    assert terms.until == local(2027, 11, 23)


@pytest.mark.parametrize("plan_to_end", [{"cancels_at_period_end": True}, {"cancel_at": END}])
def test_both_forms_of_a_planned_end_give_the_paid_day_and_no_slack(plan_to_end: dict[str, object]) -> None:
    """The portal sets only cancel_at; the API sets cancel_at_period_end."""
    terms = decide(replace(ACTIVE, **plan_to_end))
    assert (terms.until, terms.renews, terms.lapse) == (local(2027, 11, 23), False, Reason.CANCELED)


def test_a_planned_end_inside_the_period_ends_that_day() -> None:
    terms = decide(replace(ACTIVE, cancel_at=START + timedelta(days=30)))
    assert terms.until == local(2026, 12, 23)
    assert terms.paid_until == terms.until


def test_undoing_the_planned_end_restores_the_slack() -> None:
    assert decide(replace(ACTIVE, cancel_at=None)) == decide(ACTIVE)


def test_an_immediate_cancellation_ends_with_that_day() -> None:
    terms = decide(replace(ACTIVE, status="canceled", ended_at=START + timedelta(days=10)))
    assert terms.until == local(2026, 12, 3)
    assert terms.explain(local(2026, 12, 3)) == (State.ENDED, Reason.CANCELED)


def test_a_cancellation_by_stripe_after_a_lost_dispute_ends_at_once() -> None:
    ended = START + timedelta(days=10)
    terms = decide(replace(ACTIVE, status="canceled", ended_at=ended, ended_by_dispute=True))
    assert (terms.until, terms.lapse) == (ended, Reason.DISPUTE_LOST)


def test_a_cancellation_after_dunning_never_extends_the_grace() -> None:
    late = replace(ACTIVE, status="canceled", unpaid_from=END, ended_at=END + timedelta(days=60), ended_by_failure=True)
    early = replace(late, ended_at=END + timedelta(days=5))
    assert decide(late).until == local(2027, 12, 7)
    assert decide(early).until == local(2027, 11, 28)
    assert decide(late).lapse is Reason.PAYMENT_FAILED


def test_a_canceled_subscription_is_never_brought_back_by_a_late_payment() -> None:
    ended = END + timedelta(days=5)
    paid_late = PaidPeriod(END, END + timedelta(days=365))
    terms = decide(SubscriptionFacts(status="canceled", periods=(YEAR, paid_late), ended_at=ended))
    assert terms.until == end_of_day(ended, ZONE)


@pytest.mark.parametrize("status", ["incomplete", "incomplete_expired", "active", "past_due", "trialing", "unpaid"])
def test_without_a_paid_period_nobody_reads(status: str) -> None:
    terms = decide(SubscriptionFacts(status=status))
    assert not terms.state_at(START).grants
    assert terms.until is None


def test_waiting_for_the_first_payment_is_pending_and_giving_up_is_ended() -> None:
    assert decide(SubscriptionFacts("incomplete")).explain(START) == (State.PENDING, Reason.NOT_PAID_YET)
    assert decide(SubscriptionFacts("incomplete_expired")).explain(START) == (State.ENDED, Reason.NEVER_PAID)


def test_unpaid_gives_what_was_paid_for_and_no_more() -> None:
    """Stripe gave up; the status alone must not count as active for ever."""
    assert decide(replace(ACTIVE, status="unpaid", unpaid_from=END)).until == local(2027, 11, 23)


def test_a_paused_subscription_is_suspended() -> None:
    assert decide(replace(ACTIVE, status="paused")).explain(START) == (State.SUSPENDED, Reason.PAUSED)


def test_a_status_that_nobody_knows_denies() -> None:
    assert decide(replace(ACTIVE, status="hibernating")).explain(START) == (State.SUSPENDED, Reason.UNKNOWN_STATUS)


def test_pausing_the_collection_follows_the_policy() -> None:
    facts = replace(ACTIVE, collection_paused=True)
    assert decide(facts).state_at(START) is State.ACTIVE
    strict = decide(facts, replace(PLAN, on_pause_collection="suspend"))
    assert strict.explain(START) == (State.SUSPENDED, Reason.COLLECTION_PAUSED)


def test_a_full_refund_of_the_current_period_ends_access_at_that_moment() -> None:
    refunded = START + timedelta(days=3)
    terms = decide(replace(ACTIVE, periods=(replace(YEAR, refunded_at=refunded),)))
    assert terms.until == refunded
    assert terms.explain(refunded) == (State.ENDED, Reason.REFUNDED)
    assert terms.state_at(refunded - timedelta(seconds=1)) is State.ACTIVE


def test_a_full_refund_changes_nothing_where_the_policy_keeps_access() -> None:
    period = replace(YEAR, refunded_at=START)
    kept = decide(replace(ACTIVE, periods=(period,)), replace(PLAN, on_full_refund="keep"))
    assert kept == decide(ACTIVE)


def test_a_refund_of_an_old_period_changes_nothing_now() -> None:
    old = PaidPeriod(START - timedelta(days=365), START, START + timedelta(days=5), Reason.REFUNDED)
    now = START + timedelta(days=6)
    assert decide(replace(ACTIVE, periods=(old, YEAR))).explain(now) == (State.ACTIVE, Reason.PAID)


def test_an_open_dispute_suspends_and_a_won_one_restores() -> None:
    disputed = decide(replace(ACTIVE, periods=(replace(YEAR, disputed=True),)))
    assert disputed.explain(START) == (State.SUSPENDED, Reason.DISPUTED)
    assert decide(ACTIVE).state_at(START) is State.ACTIVE
    lenient = decide(replace(ACTIVE, periods=(replace(YEAR, disputed=True),)), replace(PLAN, on_dispute="keep"))
    assert lenient.state_at(START) is State.ACTIVE


def test_a_lost_dispute_ends_access_whatever_the_policy() -> None:
    lost = replace(YEAR, lost_at=START + timedelta(days=40))
    terms = decide(replace(ACTIVE, periods=(lost,)), replace(PLAN, on_full_refund="keep", on_dispute="keep"))
    assert terms.explain(START + timedelta(days=40)) == (State.ENDED, Reason.DISPUTE_LOST)


def test_a_renewal_extends_from_the_first_start() -> None:
    renewed = PaidPeriod(END, END + timedelta(days=365))
    terms = decide(replace(ACTIVE, periods=(renewed, YEAR)))
    assert (terms.starts_at, terms.paid_until) == (START, renewed.end)


def test_a_trial_counts_as_paid() -> None:
    """Its invoice is paid, with an amount of nothing."""
    trial = PaidPeriod(START, START + timedelta(days=14))
    assert decide(SubscriptionFacts("trialing", (trial,))).state_at(START) is State.ACTIVE


def test_an_empty_or_backward_period_gives_nothing() -> None:
    assert decide(SubscriptionFacts("active", (PaidPeriod(END, START), PaidPeriod(START, START)))).until is None


def test_a_moment_without_a_zone_is_an_error_not_a_guess() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        decide(SubscriptionFacts("active", (PaidPeriod(START.replace(tzinfo=None), END),)))


def test_access_is_a_union_and_ending_one_never_touches_another() -> None:
    living = (("news", "memos"), decide(ACTIVE))
    ended = (("news", "reports"), decide(replace(ACTIVE, status="canceled", ended_at=START)))
    now = START + timedelta(days=100)
    assert union([living, ended], now) == union([living], now)
    assert union([living, ended], now).features == ("news", "memos")
    assert not union([ended], now).allowed


def test_a_union_lasts_as_long_as_its_longest_part() -> None:
    longer = decide(replace(ACTIVE, periods=(PaidPeriod(START, END + timedelta(days=30)),)))
    access = union([(("news",), decide(ACTIVE)), (("memos",), longer)], START)
    assert (access.features, access.until) == (("news", "memos"), longer.until)


@pytest.mark.parametrize(
    ("zone", "moment", "end"),
    [
        ("Pacific/Kiritimati", datetime(2026, 11, 22, 15, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("UTC", datetime(2026, 11, 22, 15, tzinfo=UTC), datetime(2026, 11, 23, 0, tzinfo=UTC)),
        ("Pacific/Pago_Pago", datetime(2026, 11, 22, 15, tzinfo=UTC), datetime(2026, 11, 23, 11, tzinfo=UTC)),
        # the day on which clocks go back in New York has 25 hours, the one on which they go forward 23
        ("America/New_York", datetime(2026, 11, 1, 4, 30, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC)),
        ("America/New_York", datetime(2027, 3, 14, 5, 30, tzinfo=UTC), datetime(2027, 3, 15, 4, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2028, 2, 28, 23, 30, tzinfo=UTC), datetime(2028, 2, 29, 23, tzinfo=UTC)),
    ],
)
def test_days_end_at_midnight_of_the_newsroom(zone: str, moment: datetime, end: datetime) -> None:
    assert end_of_day(moment, ZoneInfo(zone)) == end


def test_the_grace_of_a_subscription_that_ended_by_failure_stays_grace() -> None:
    """Its last day must not look as if it had recovered."""
    ended = END + timedelta(days=5)
    terms = decide(replace(ACTIVE, status="canceled", unpaid_from=END, ended_at=ended, ended_by_failure=True))
    assert terms.explain(ended) == (State.GRACE, Reason.PAYMENT_FAILED)
    assert decide(replace(ACTIVE, status="unpaid", unpaid_from=END)).state_at(END) is State.GRACE


def test_the_last_hours_of_a_planned_end_are_paid_and_await_no_renewal() -> None:
    assert decide(replace(ACTIVE, cancel_at=END)).explain(END) == (State.ACTIVE, Reason.PAID)


def test_a_planned_end_cuts_the_grace_short() -> None:
    """Should the event of the end be lost, the grace does not outlive it."""
    facts = replace(ACTIVE, status="past_due", unpaid_from=END, cancel_at=END + timedelta(days=3))
    assert decide(facts).until == local(2027, 11, 26)
    assert decide(replace(facts, cancel_at=START)).until == local(2027, 11, 23), "what was paid for stays"


NEXT = PaidPeriod(END, END + timedelta(days=365))
GONE = {"refunded_at": END + timedelta(days=2), "refund_arrived": True}


def test_a_refund_of_the_last_period_keeps_what_an_earlier_period_still_gives() -> None:
    early = replace(NEXT, refunded_at=END - timedelta(days=30), refund_arrived=True)  # paid ahead, and given back
    terms = decide(replace(ACTIVE, periods=(YEAR, early)))
    assert terms.until == local(2027, 11, 23)
    assert terms.state_at(END - timedelta(days=1)) is State.ACTIVE
    assert terms.explain(local(2027, 11, 23)) == (State.ENDED, Reason.REFUNDED)


def test_a_dispute_over_the_earlier_period_holds_what_it_still_gives() -> None:
    early = replace(NEXT, refunded_at=END - timedelta(days=30))
    terms = decide(replace(ACTIVE, periods=(replace(YEAR, disputed=True), early)))
    assert terms.explain(END - timedelta(days=1)) == (State.SUSPENDED, Reason.DISPUTED)


def test_disputes_and_refunds_of_an_old_period_change_nothing_now() -> None:
    for change in ({"disputed": True}, {"lost_at": START}, {"refunded_at": START, "refund_arrived": True}):
        facts = replace(ACTIVE, periods=(replace(YEAR, **change), NEXT))
        assert decide(facts) == decide(replace(ACTIVE, periods=(YEAR, NEXT)))
        assert not must_cancel(facts, PLAN, END + timedelta(days=3))


def test_the_earlier_of_a_refund_and_a_lost_dispute_ends_access() -> None:
    both = replace(YEAR, refunded_at=START + timedelta(days=5), lost_at=START + timedelta(days=9))
    assert decide(replace(ACTIVE, periods=(both,))).until == START + timedelta(days=5)
    lenient = decide(replace(ACTIVE, periods=(both,)), replace(PLAN, on_full_refund="keep"))
    assert (lenient.until, lenient.lapse) == (START + timedelta(days=9), Reason.DISPUTE_LOST)


def test_of_two_payments_for_one_period_the_one_that_stands_gives_it() -> None:
    """A reader who paid a period twice and got one payment back has still paid it."""
    twice = (YEAR, replace(YEAR, refunded_at=START, refund_arrived=True))
    assert decide(replace(ACTIVE, periods=twice)) == decide(ACTIVE)
    assert not must_cancel(replace(ACTIVE, periods=twice), PLAN, START)


@pytest.mark.parametrize(
    ("change", "plan", "expected"),
    [
        (GONE, PLAN, Reason.REFUNDED),
        (GONE, replace(PLAN, on_full_refund="keep"), None),
        ({**GONE, "refund_arrived": False}, PLAN, None),
        ({"lost_at": END + timedelta(days=2)}, replace(PLAN, on_full_refund="keep"), Reason.DISPUTE_LOST),
        ({"disputed": True}, PLAN, None),
        ({}, PLAN, None),
    ],
    ids=["refunded", "kept by policy", "on its way", "lost", "open", "nothing"],
)
def test_a_subscription_is_ended_at_stripe_only_when_its_last_payment_is_gone(change, plan, expected) -> None:
    facts = replace(ACTIVE, periods=(YEAR, replace(NEXT, **change)))
    assert must_cancel(facts, plan, END + timedelta(days=3)) is expected


@pytest.mark.parametrize("status", ["canceled", "incomplete_expired", "incomplete"])
def test_what_is_over_or_never_began_is_not_ended_again(status: str) -> None:
    assert not must_cancel(replace(ACTIVE, status=status, periods=(replace(YEAR, **GONE),)), PLAN, END)


def test_a_subscription_is_not_ended_while_an_earlier_paid_period_runs() -> None:
    facts = replace(ACTIVE, periods=(YEAR, replace(NEXT, refunded_at=START, refund_arrived=True)))
    assert not must_cancel(facts, PLAN, START + timedelta(days=30))
    assert must_cancel(facts, PLAN, END)


def test_a_renewal_that_staff_voided_gives_nothing_and_owes_nothing() -> None:
    """Access ends with the last paid period and its slack, without grace: no payment is tried again."""
    voided = decide(replace(ACTIVE, status="active", unpaid_from=None))
    assert (voided.until, voided.lapse, voided.in_dunning) == (local(2027, 11, 26), Reason.PERIOD_OVER, False)


def test_a_paused_collection_gives_what_was_paid_and_no_period_that_nobody_is_billed_for() -> None:
    kept = decide(replace(ACTIVE, collection_paused=True))
    assert kept.until == decide(ACTIVE).until
    assert kept.state_at(START) is State.ACTIVE
    strict = decide(replace(ACTIVE, collection_paused=True), replace(PLAN, on_pause_collection="suspend"))
    assert strict.explain(START) == (State.SUSPENDED, Reason.COLLECTION_PAUSED)
