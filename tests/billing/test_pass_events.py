"""The pass over events: those that never came are stored, and handled by their own way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from paywall.billing import stripe_gateway
from paywall.billing.comparing import Difference
from paywall.billing.errors import StripeUnavailable
from paywall.reconciling import reconciler
from paywall.storage.database import db
from paywall.storage.models import Checkout, InboxEvent
from tests.support.runs import Runs, change, rows
from tests.support.shop import Shop

ASKED_OF_POSTGRESQL = frozenset({"test_lost_events_are_stored_and_handled_by_their_own_way"})


def test_lost_events_are_stored_and_handled_by_their_own_way(shop: Shop, sold: str, run: Runs) -> None:
    """An expired checkout changes no subscription: only its event tells that it can be replaced."""
    session_id = shop.start(shop.browser(), "grace@example.com")
    shop.stripe().v1.checkout.sessions.expire(session_id)
    change(sa.delete(InboxEvent))
    assert run().good
    assert run.told == {("missing", "event", "repaired")}
    assert db.session.scalar(sa.select(Checkout.state).where(Checkout.session_id == session_id)) == "expired"
    assert {row["state"] for row in rows(InboxEvent)} <= {"handled", "ignored"}
    assert run().counts.differences == 0


def test_an_event_that_may_be_on_its_way_is_taken_in_and_no_difference(shop: Shop, sold: str, clock) -> None:
    """Five minutes after it was made it counts as lost, not a second earlier."""
    patient = replace(reconciler(shop.parts), settling=timedelta(minutes=5))
    told: list[Difference] = []
    for seconds, missing in ((0, 0), (299, 0), (1, 1)):
        change(sa.delete(InboxEvent).where(InboxEvent.type == "invoice.paid"))
        clock.advance(seconds=seconds)
        assert patient.run(timedelta(days=1), False, told.append, lambda _: None).counts.missing == missing
        assert "invoice.paid" in {row["type"] for row in rows(InboxEvent)}
    assert [one.outcome for one in told] == ["repaired"]


def test_a_dry_run_leaves_an_event_that_may_be_on_its_way_alone(shop: Shop, sold: str) -> None:
    change(sa.delete(InboxEvent).where(InboxEvent.type == "invoice.paid"))
    patient = replace(reconciler(shop.parts), settling=timedelta(minutes=5))
    assert patient.run(timedelta(days=1), True, lambda _: None, lambda _: None).counts.differences == 0
    assert "invoice.paid" not in {row["type"] for row in rows(InboxEvent)}


def test_an_event_that_cannot_be_handled_is_told_as_failed_and_stays_in_the_inbox(
    shop: Shop, sold: str, run: Runs, monkeypatch
) -> None:
    change(sa.delete(InboxEvent).where(InboxEvent.type == "invoice.paid"))

    def away(self: Any, *_: Any) -> None:
        raise StripeUnavailable

    monkeypatch.setattr(stripe_gateway.StripeGateway, "fetch_subscription", away)
    done = run()
    assert run.told == {("missing", "event", "failed")}
    assert (done.complete, done.good) == (True, False)
    assert [row["state"] for row in rows(InboxEvent) if row["type"] == "invoice.paid"] == ["parked"]


def test_an_event_in_a_shape_that_is_not_understood_is_counted_and_passed_over(
    shop: Shop, sold: str, run: Runs
) -> None:
    store = shop.sandbox.sandbox.account.store
    event = store.find("event")[0]
    store.put(event | {"data": {}, "type": "invoice.paid"})
    done = run()
    assert (done.complete, done.counts.unread) == (True, 1)


def test_the_events_of_a_run_are_seen_as_they_are(shop: Shop, sold: str, run: Runs) -> None:
    """The inbox is asked by the events' ids: each lost one is told once, with what it names."""
    change(sa.delete(InboxEvent).where(InboxEvent.type == "customer.subscription.created"))
    assert run().good
    lost = run.one("event")
    assert lost.values["type"] == (None, "customer.subscription.created")
    assert sold in lost.values["names"][1]
