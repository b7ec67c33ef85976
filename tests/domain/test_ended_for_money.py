"""Subscriptions that were ended because their money was to go back: what became of the money decides, not the end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from paywall.domain.entitlements import Reason, SubscriptionFacts
from paywall.domain.lifecycle import State
from tests.domain.test_entitlements import ACTIVE, END, PLAN, START, YEAR, decide, local

ENDED = START + timedelta(days=20)
LATER = START + timedelta(days=100)
BY_US = replace(ACTIVE, status="canceled", ended_at=ENDED, ended_for_money=True)
BY_STRIPE = replace(ACTIVE, status="canceled", ended_at=ENDED, ended_by_dispute=True)
LAST_DAY = local(2027, 11, 23)


def paid(facts: SubscriptionFacts, **changes) -> SubscriptionFacts:
    """The same subscription, with this said of its one paid period."""
    return replace(facts, periods=(replace(YEAR, **changes),))


def test_a_refund_that_failed_after_we_ended_it_leaves_the_paid_period() -> None:
    gone = {"refunded_at": START + timedelta(days=10), "refund_arrived": True}
    assert decide(paid(BY_US, **gone)).explain(LATER) == (State.ENDED, Reason.REFUNDED)
    terms = decide(paid(BY_US))
    assert (terms.explain(LATER), terms.until, terms.renews) == ((State.ACTIVE, Reason.PAID), LAST_DAY, False)
    assert terms.explain(LAST_DAY) == (State.ENDED, Reason.CANCELED)


def test_what_readers_or_staff_ended_stays_ended_when_a_refund_fails() -> None:
    by_staff = replace(BY_US, ended_for_money=False)
    assert decide(paid(by_staff)).explain(LATER) == (State.ENDED, Reason.CANCELED)


@pytest.mark.parametrize("ended", [BY_US, BY_STRIPE], ids=["by us", "by Stripe"])
def test_of_one_ended_over_a_dispute_only_the_dispute_counts(ended: SubscriptionFacts) -> None:
    """Lost: over from its beginning; open, as while an appeal runs: a hold; won: what was paid, to its last day."""
    lost = decide(paid(ended, lost_at=START + timedelta(days=5), contested=True))
    assert (lost.until, lost.lapse) == (START + timedelta(days=5), Reason.DISPUTE_LOST)
    fought = decide(paid(ended, disputed=True, contested=True))
    assert (fought.explain(LATER), fought.until) == ((State.SUSPENDED, Reason.DISPUTED), LAST_DAY)
    won = decide(paid(ended, contested=True))
    assert (won.explain(LATER), won.until, won.renews) == ((State.ACTIVE, Reason.PAID), LAST_DAY, False)


def test_one_that_stripe_ended_over_a_dispute_that_we_know_nothing_of_is_over() -> None:
    terms = decide(paid(BY_STRIPE))
    assert (terms.until, terms.lapse) == (ENDED, Reason.DISPUTE_LOST)


def test_one_that_stripe_ended_over_the_dispute_of_an_older_period_follows_that_dispute() -> None:
    old = replace(YEAR, contested=True)
    new = replace(YEAR, start=END, end=END + timedelta(days=365))
    now = END + timedelta(days=100)
    facts = replace(BY_STRIPE, ended_at=END + timedelta(days=20))
    lost = decide(replace(facts, periods=(replace(old, lost_at=START), new)))
    assert lost.explain(now) == (State.ENDED, Reason.DISPUTE_LOST)
    fought = decide(replace(facts, periods=(replace(old, disputed=True), new)))
    assert fought.explain(now) == (State.SUSPENDED, Reason.DISPUTED)
    assert decide(replace(facts, periods=(old, new))).explain(now) == (State.ACTIVE, Reason.PAID)


def test_where_a_dispute_holds_nothing_an_open_one_does_not_hold_what_stripe_ended_either() -> None:
    lenient = decide(paid(BY_STRIPE, disputed=True, contested=True), replace(PLAN, on_dispute="keep"))
    assert lenient.state_at(LATER) is State.ACTIVE
