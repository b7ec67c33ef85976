"""The passes of a reconciliation: whose lost events are taken in, which lists are asked, what a busy Stripe changes."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from paywall.billing.comparing import Difference
from paywall.billing.pacing import Pace
from paywall.billing.reconcile import Summary
from paywall.billing.snapshots import EventSnapshot
from paywall.domain.entitlements import SKEW
from paywall.reconciling import reconciler
from paywall.storage.database import db
from paywall.storage.models import InboxEvent, Subscription
from tests.support.marks import on_sqlite
from tests.support.shop import Shop
from tests.support.staff import dispute, refund

pytestmark = on_sqlite  # what it asks of the database, the tests of storage and of the sync ask of both


@dataclass
class Box:
    """An inbox that takes in what it is given, and says whether it could handle it."""

    types: tuple[str, ...]
    works: bool = True
    taken: list[EventSnapshot] = field(default_factory=list)

    def receive(self, event: EventSnapshot) -> bool:
        self.taken.append(event)
        return self.works


@dataclass
class Ran:
    """What a run told, and which lists it asked for."""

    summary: Summary
    found: list[Difference]
    asked: list[str]


def run(shop: Shop, box: Box | None = None, *, dry_run: bool = False, tell=lambda: 0.0) -> Ran:
    db.session.commit()
    ours = reconciler(shop.parts)
    made = replace(ours, inbox=box or ours.inbox, pace=Pace(lambda _seconds: None, tell))
    before, found = len(shop.sandbox.requests), []
    done = made.run(timedelta(days=30), dry_run, found.append, lambda _seen: None)
    db.session.expire_all()
    asked = [one.path.removeprefix("/v1/") for one in shop.sandbox.requests[before:]]
    return Ran(done, found, asked)


@pytest.fixture
def sold(shop: Shop) -> str:
    subscription_id = shop.buy(shop.browser())
    shop.deliver_all()
    return subscription_id


def lose_all_events() -> None:
    db.session.execute(sa.delete(InboxEvent))
    db.session.commit()


def test_lost_events_come_in_oldest_first_and_each_once(shop: Shop, sold: str) -> None:
    lose_all_events()
    shop.stripe().v1.subscriptions.update(sold, {"cancel_at_period_end": True})
    box = Box(("customer.subscription.created", "customer.subscription.updated", "checkout.session.completed"))
    ran = run(shop, box)
    types = [one.type for one in box.taken]
    assert sorted(types) == sorted(set(types))
    assert [one.created_at for one in box.taken] == sorted(one.created_at for one in box.taken)
    assert ran.summary.counts.events == 3


def test_only_types_with_a_handler_are_asked_for(shop: Shop, sold: str) -> None:
    lose_all_events()
    box = Box(("invoice.paid",))
    run(shop, box)
    assert {one.type for one in box.taken} == {"invoice.paid"}


def test_a_dry_run_takes_nothing_in(shop: Shop, sold: str) -> None:
    lose_all_events()
    box = Box(("invoice.paid",))
    ran = run(shop, box, dry_run=True)
    assert box.taken == []
    assert [(one.thing, one.outcome) for one in ran.found] == [("event", "found")]


def test_what_could_not_be_handled_is_told_as_failed(shop: Shop, sold: str) -> None:
    lose_all_events()
    ran = run(shop, Box(("invoice.paid",), works=False))
    (one,) = ran.found
    assert (one.outcome, ran.summary.good) == ("failed", False)
    assert "`flask paywall webhooks list` says why" in one.note


def test_a_sync_of_this_run_covers_the_events_before_it(shop: Shop, sold: str, clock) -> None:
    """A restored backup has lost thousands: each subscription is asked for once, not once for each event."""
    lose_all_events()
    db.session.execute(sa.update(Subscription).values(status="past_due"))
    clock.advance(hours=1)
    box = Box(("customer.subscription.created", "invoice.paid", "checkout.session.completed"))

    def moving() -> float:
        clock.advance(seconds=1)  # the run takes its time
        return 0.0

    ran = run(shop, box, tell=moving)
    assert [one.type for one in box.taken] == ["checkout.session.completed"], "which does more than a sync"
    notes = {one.values["type"][1]: one.note for one in ran.found if one.thing == "event"}
    assert notes["invoice.paid"] == "its subscription was synced in this run"
    stored = db.session.scalars(sa.select(InboxEvent)).all()
    assert {one.type for one in stored} == {"customer.subscription.created", "invoice.paid"}
    assert {(one.state, one.outcome, one.next_try_at) for one in stored} == {
        ("handled", f"covered by {ran.summary.run}", None)
    }


def test_a_list_of_money_is_asked_only_when_something_of_its_kind_happened(shop: Shop, sold: str, clock) -> None:
    assert set(run(shop).asked) == {"subscriptions", "events", "invoices"}
    clock.advance(days=40)
    assert set(run(shop).asked) == {"subscriptions", "events"}
    refund(shop, sold, 100)
    shop.deliver_all()
    assert set(run(shop).asked) == {"subscriptions", "events", "refunds"}
    lose_all_events()
    shop.sandbox.sandbox.account.store.rows("DELETE FROM objects WHERE kind = 'event'")
    assert "refunds" in run(shop).asked, "our own row of the period names one"


def test_a_dispute_is_looked_for_when_its_event_is_there(shop: Shop, sold: str, clock) -> None:
    clock.advance(days=40)
    dispute(shop, sold)
    shop.deliver_all()
    assert set(run(shop).asked) == {"subscriptions", "events", "disputes"}


@pytest.mark.parametrize("status", [429, "lock_timeout", 500, "reset"])
def test_a_busy_stripe_is_asked_again_where_the_run_stood(shop: Shop, sold: str, status: int | str) -> None:
    """Over the wire: the library tries some of these again by itself, and never a 429."""
    shop.sandbox.fail_calls(status, times=2, path="/v1/events")
    ran = run(shop)
    assert ran.summary.good
    assert ran.found == []
    assert ran.asked.count("subscriptions") == 1


def test_an_event_within_the_difference_of_two_clocks_is_handled_by_its_own_way(shop: Shop, sold: str, clock) -> None:
    """Stripe's clock may be behind ours: what it says happened before the run may have happened after its sync."""
    clock.advance(hours=1)
    shop.stripe().v1.subscriptions.update(sold, {"cancel_at_period_end": True})
    clock.advance(seconds=SKEW.total_seconds() - 30)
    box = Box(("customer.subscription.updated",))

    def moving() -> float:
        clock.advance(seconds=1)
        return 0.0

    ran = run(shop, box, tell=moving)
    assert ("subscription", "repaired") in {(one.thing, one.outcome) for one in ran.found}
    assert [one.type for one in box.taken] == ["customer.subscription.updated"]
