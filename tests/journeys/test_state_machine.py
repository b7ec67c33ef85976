"""Readers, staff and Stripe do what they like, in any order; after each step the invariants hold (I1, I3 to I8)."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support import invariants
from tests.support.life import lived
from tests.support.world import FAULTS, World

CARDS = (
    "4242424242424242",
    "4000002500003155",  # asks for consent
    "4000000000000002",  # is declined
    "4000000000000341",  # is taken, and declined when it is charged
    "4000000000000259",  # is disputed
    "4000000000005126",  # its refunds fail
)
TOKENS = ("pm_card_visa", "pm_card_chargeCustomerFail")
STATUSES = ("won", "lost", "under_review", "warning_closed", "appeal_under_review", "prevented")

numbers = st.integers(0, 20)
tabs = st.integers(0, 2)


def where(kind: str):
    """Only where Stripe has an object of this kind, so that few steps come to nothing."""
    return precondition(lambda self: self.world.bodies(kind))


class Lives(RuleBasedStateMachine):
    """Random lives of two people with three browsers."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        world.reset()

    def one(self, kind, number):
        found = self.world.bodies(kind)
        return found[number % len(found)]

    @initialize(buyers=st.sampled_from([(0,), (0, 1), (0, 2), (0, 1, 2), ()]), told=st.booleans())
    def begin(self, buyers, told):
        """Those who buy open the offer at the same time, so that nobody knows of another's purchase."""
        for tab in buyers:
            self.join(tab)
        for tab in buyers:
            self.pay(tab, CARDS[0], True)
            self.come_back(tab)
        if told:
            self.world.passes()
            self.world.deliver_all()

    @rule(tab=tabs)
    def join(self, tab):
        self.world.join(self.world.tabs[tab])

    @precondition(lambda self: any(tab.sessions for tab in self.world.tabs))
    @rule(tab=tabs, card=st.sampled_from(CARDS), agree=st.booleans())
    def pay(self, tab, card, agree):
        self.world.pay(self.world.tabs[tab], card, agree=agree)

    @precondition(lambda self: any(tab.back for tab in self.world.tabs))
    @rule(tab=tabs)
    def come_back(self, tab):
        self.world.come_back(self.world.tabs[tab])

    @rule(tab=tabs, card=st.sampled_from(CARDS))
    def buy(self, tab, card):
        """A whole purchase at once."""
        self.join(tab)
        self.pay(tab, card, True)
        self.come_back(tab)

    @where("subscription")
    @rule()
    def read_articles(self):
        self.world.take_tokens()

    @where("subscription")
    @rule(number=numbers, token=st.sampled_from(TOKENS))
    def use_card(self, number, token):
        self.world.use_card(self.one("subscription", number), token)

    @where("subscription")
    @rule(number=numbers, wanted=st.booleans())
    def end_with_the_period(self, number, wanted):
        self.world.change(self.one("subscription", number), cancel_at_period_end=wanted)

    @where("subscription")
    @rule(number=numbers, wanted=st.booleans())
    def end_in_the_portal(self, number, wanted):
        self.world.end_in_the_portal(self.one("subscription", number), wanted=wanted)

    @where("subscription")
    @rule(number=numbers, behavior=st.sampled_from(["void", "keep_as_draft", "mark_uncollectible", ""]))
    def pause_collection(self, number, behavior):
        paused = {"behavior": behavior} if behavior else ""
        self.world.change(self.one("subscription", number), pause_collection=paused)

    @where("subscription")
    @rule(number=numbers, how=st.sampled_from(["pause", "resume", "cancel"]))
    def stop(self, number, how):
        self.world.stop(self.one("subscription", number), how)

    @where("customer")
    @rule(number=numbers)
    def delete_customer(self, number):
        self.world.delete_customer(self.one("customer", number))

    @where("charge")
    @rule(number=numbers, part=st.booleans(), outcome=st.sampled_from(["succeeded", "pending", "failed"]))
    def refund(self, number, part, outcome):
        self.world.refund(self.one("charge", number), 1000 if part else None, outcome)

    @where("refund")
    @rule(number=numbers, status=st.sampled_from(["succeeded", "failed", "canceled"]))
    def settle_refund(self, number, status):
        self.world.settle_refund(self.one("refund", number), status)

    @where("charge")
    @rule(number=numbers, status=st.sampled_from(["needs_response", "warning_needs_response"]))
    def dispute(self, number, status):
        self.world.dispute(self.one("charge", number), status)

    @where("dispute")
    @rule(number=numbers, status=st.sampled_from(STATUSES))
    def settle_dispute(self, number, status):
        self.world.settle_dispute(self.one("dispute", number), status)

    @where("subscription")
    @rule(exhausted=st.sampled_from(["cancel", "unpaid", "past_due", "pause"]))
    def choose_what_exhausted_renewals_lead_to(self, exhausted):
        self.world.account.set_setting("exhausted", exhausted)

    @rule(hours=st.integers(1, 24 * 60))
    def time_passes(self, hours):
        self.world.passes(timedelta(hours=hours))

    @where("subscription")
    @rule(number=numbers, hours=st.sampled_from([-1, 0, 2, 100]), token=st.sampled_from(["", *TOKENS]))
    def the_period_ends(self, number, hours, token):
        subscription = self.one("subscription", number)
        if token:
            self.world.use_card(subscription, token)
        end = subscription["items"]["data"][0]["current_period_end"] + hours * 3600
        left = end - self.world.clock.moment.timestamp()
        if left > 0:
            self.world.passes(timedelta(seconds=left))

    @precondition(lambda self: self.world.waiting)
    @rule(number=numbers, double=st.booleans())
    def deliver(self, number, double):
        index = number % len(self.world.waiting)
        if double:
            self.world.waiting.append(self.world.waiting[index])
        self.world.deliver(index)

    @precondition(lambda self: self.world.waiting)
    @rule(newest_first=st.booleans())
    def deliver_all(self, newest_first):
        if newest_first:
            self.world.waiting.reverse()
        self.world.deliver_all()

    @precondition(lambda self: self.world.waiting)
    @rule(numbers=st.lists(numbers, min_size=1, max_size=5))
    def lose(self, numbers):
        for number in numbers:
            if self.world.waiting:
                self.world.lost.append(self.world.waiting.pop(number % len(self.world.waiting)))

    @precondition(lambda self: self.world.waiting)
    @rule(number=numbers)
    def somebody_else_posts(self, number):
        self.world.forge(self.world.waiting[number % len(self.world.waiting)])

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4))
    def stripe_is_shaky(self, faults):
        self.world.line.plan = faults

    @where("subscription")
    @rule()
    def work(self):
        self.world.work()

    @where("event")
    @rule(number=numbers)
    def replay(self, number):
        self.world.replay(self.one("event", number))

    @where("subscription")
    @rule()
    def reconcile(self):
        self.world.reconcile()

    @precondition(lambda self: len(self.world.bodies("subscription")) > 1)
    @rule()
    def end_duplicates(self):
        self.world.end_duplicates()

    @precondition(lambda self: self.world.tokens)
    @rule()
    def revoke(self):
        self.world.revoke()
        invariants.tokens(self.world, refused=True)
        self.world.tokens.clear()

    @invariant()
    def all_is_in_order(self):
        self.world.passes()
        invariants.check(self.world)

    def teardown(self):
        invariants.settle(self.world)


@pytest.mark.parametrize(("kind", "lives"), [("sqlite", 6), ("postgresql", 2)])
def test_whatever_readers_staff_and_stripe_do_the_invariants_hold(kind: str, lives: int, tmp_path: Path) -> None:
    """LIVES asks for more, at random: `make conformance` does."""
    asked = int(os.environ.get("LIVES", 0))
    chosen = settings(
        max_examples=asked or lives,
        derandomize=not asked,
        stateful_step_count=40,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    with lived(kind, tmp_path) as life:
        world = World(life)
        run_state_machine_as_test(lambda: Lives(world), settings=chosen)
