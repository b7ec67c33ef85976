"""The sync: one writer, the same result however often and in whichever order it runs."""

from dataclasses import replace
from itertools import permutations

import pytest
from structlog.testing import capture_logs

from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Synced
from paywall.storage import entitlements, subscriptions
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import (
    Entitlement,
    InboxEvent,
    Lease,
    LedgerEntry,
    Reader,
    Revocation,
    Subscription,
)
from paywall.storage.payments import InvoicePayment, Payment
from tests.support.shop import Shop

CAUSE = Cause("event", "evt_1")


def ledger() -> list[tuple[str, str]]:
    return [(row.change, row.state) for row in db.session.scalars(db.select(LedgerEntry).order_by(LedgerEntry.id))]


def facts_of() -> list[tuple[object, ...]]:
    """What the rows say, apart from when we learned it."""
    rows = db.session.scalars(db.select(Entitlement).execution_options(populate_existing=True))
    return [(row.source_id, row.state, row.reason, row.starts_at, row.paid_until, row.until, row.hold) for row in rows]


def test_a_second_sync_changes_nothing_and_writes_no_ledger(shop: Shop, bought: str) -> None:
    first = shop.parts.sync.subscription(bought, CAUSE)
    second = shop.parts.sync.subscription(bought, CAUSE)
    assert (first.outcome, first.changed, second.changed) == ("synced", True, False)
    assert ledger() == [("granted", "active")]
    entry = db.session.scalar(db.select(LedgerEntry))
    assert (entry.cause, entry.cause_id, entry.reason) == ("event", "evt_1", "paid")


def test_what_is_missing_or_not_ours_is_said(shop: Shop) -> None:
    assert shop.parts.sync.subscription("sub_unknown", CAUSE) == Synced("missing")
    assert db.session.query(Lease).count() == 0


def test_cancelling_and_undoing_are_followed(shop: Shop, bought: str) -> None:
    sync, sdk = shop.parts.sync, shop.stripe()
    sync.subscription(bought, CAUSE)
    renewing = facts_of()
    sdk.v1.subscriptions.update(bought, {"cancel_at_period_end": True})
    sync.subscription(bought, CAUSE)
    row = db.session.scalar(db.select(Entitlement).execution_options(populate_existing=True))
    assert (row.state, row.renews, row.lapse) == ("active", False, "canceled")
    sdk.v1.subscriptions.update(bought, {"cancel_at_period_end": False})
    sync.subscription(bought, CAUSE)
    assert facts_of() == renewing
    assert ledger() == [("granted", "active"), ("amended", "active"), ("amended", "active")]


def test_an_end_takes_the_tokens_back_at_once(shop: Shop, clock, bought: str) -> None:
    shop.parts.sync.subscription(bought, CAUSE)
    shop.stripe().v1.subscriptions.cancel(bought)
    clock.advance(days=2)
    # as if the reader still had access by what we knew: the rule's dates are changed by the sync, not by time
    row = db.session.scalar(db.select(Entitlement))
    assert row.until > clock.now()
    shop.parts.sync.subscription(bought, CAUSE)
    reader = db.session.scalar(db.select(Reader).execution_options(populate_existing=True))
    entry = db.session.scalar(db.select(Revocation))
    assert (entry.kind, entry.value, entry.generation) == ("sub", reader.id, reader.generation)
    assert not entitlements.access_of(reader.id, shop.parts.settings.plans, clock.now()).allowed


def test_ending_one_of_two_takes_no_token_back(shop: Shop, clock) -> None:
    """Access is a union: another subscription of the same reader still lets them read."""
    client = shop.browser()
    first = shop.buy(client)
    reader = db.session.scalar(db.select(Reader))
    sdk = shop.stripe()
    second = sdk.v1.subscriptions.create(
        {
            "customer": reader.customer_id,
            "items": [{"price": shop.parts.catalog.price_id(shop.parts.settings.plans["annual"])}],
            "default_payment_method": sdk.v1.subscriptions.retrieve(first).default_payment_method,
        }
    )
    assert shop.parts.sync.subscription(second.id, CAUSE).reader_id == reader.id
    shop.stripe().v1.subscriptions.cancel(first)
    clock.advance(days=2)
    shop.parts.sync.subscription(first, CAUSE)
    assert entitlements.access_of(reader.id, shop.parts.settings.plans, clock.now()).allowed
    assert db.session.query(Revocation).count() == 0


def test_the_ledger_cannot_be_changed(shop: Shop, bought: str) -> None:
    shop.parts.sync.subscription(bought, CAUSE)
    entry = db.session.scalar(db.select(LedgerEntry))
    entry.reason = "nothing happened"
    with pytest.raises(RuntimeError, match="append-only"):
        db.session.commit()
    db.session.rollback()
    db.session.delete(db.session.scalar(db.select(LedgerEntry)))
    with pytest.raises(RuntimeError, match="append-only"):
        db.session.commit()
    db.session.rollback()


def test_every_order_of_a_purchases_events_gives_the_same_rows(shop: Shop, bought: str) -> None:
    """I3, for a purchase and its planned end: all orders of the events that matter, each from empty tables."""
    shop.stripe().v1.subscriptions.update(bought, {"cancel_at_period_end": True})
    kinds = ("checkout.session.completed", "customer.subscription.", "invoice.paid")
    story = [event for event in shop.sandbox.events() if event["type"].startswith(kinds)]
    assert len(story) >= 4
    results = set()
    for order in list(permutations(story[:5]))[:: 1 if len(story) <= 4 else 5]:
        _forget()
        assert {shop.deliver(event).status_code for event in order} == {200}
        results.add(tuple(facts_of()))
    assert len(results) == 1


@pytest.mark.parametrize("lost", range(4))
def test_any_event_of_a_purchase_may_be_lost(shop: Shop, bought: str, lost: int) -> None:
    kinds = ("checkout.session.completed", "customer.subscription.", "invoice.paid")
    story = [event for event in shop.sandbox.events() if event["type"].startswith(kinds)]
    for number, event in enumerate(story):
        if number != lost:
            shop.deliver(event)
    assert [row[1] for row in facts_of()] == ["active"]


def _forget() -> None:
    """Empties what sync and inbox wrote, and keeps readers and checkouts."""
    for model in (LedgerEntry, Entitlement, Payment, InvoicePayment, Subscription, InboxEvent):
        db.session.execute(db.delete(model))
    db.session.commit()
    db.session.expire_all()


def test_a_subscription_stays_with_its_reader_whatever_the_marks_say_later(shop: Shop, bought: str, clock) -> None:
    shop.parts.sync.subscription(bought, CAUSE)
    owner = subscriptions.get(bought).reader_id
    db.session.add(Reader(id="rdr_thief", generation=1, created_at=clock.now()))
    db.session.commit()
    shop.stripe().v1.subscriptions.update(bought, {"metadata": {"reader": "rdr_thief"}})
    shop.parts.sync.subscription(bought, CAUSE)
    assert db.session.scalar(db.select(Subscription.reader_id)) == owner


def test_a_subscription_that_left_for_another_product_renews_nothing_of_ours(shop: Shop, bought: str) -> None:
    """What was paid for stays, and staff hear of it."""
    shop.parts.sync.subscription(bought, CAUSE)
    real = StripeGateway.fetch_subscription
    moved = replace(real(shop.parts.gateway, bought), product_id="prod_tote_bag")
    with capture_logs() as lines:
        patched = shop.parts.sync.__class__(
            gateway=_Answers(shop.parts.gateway, moved),
            plans=shop.parts.sync.plans,
            zone=shop.parts.sync.zone,
            clock=shop.parts.sync.clock,
        )
        assert patched.subscription(bought, CAUSE).outcome == "synced"
    row = db.session.scalar(db.select(Entitlement).execution_options(populate_existing=True))
    assert (row.renews, row.lapse, row.state) == (False, "canceled", "active")
    assert "subscription_left_plan" in {line["event"] for line in lines}


class _Answers:
    """A gateway that gives one answer."""

    def __init__(self, real: StripeGateway, answer: object) -> None:
        self.livemode = real.livemode
        self._answer = answer

    def fetch_subscription(self, *_: object) -> object:
        """The answer."""
        return self._answer


def test_access_cut_short_takes_back_tokens_that_would_outlive_it(shop: Shop, clock, bought: str) -> None:
    """I6: still allowed until midnight, but no token may live longer than that."""
    shop.parts.sync.subscription(bought, CAUSE)
    shop.stripe().v1.subscriptions.cancel(bought)
    shop.parts.sync.subscription(bought, CAUSE)
    reader = db.session.scalar(db.select(Reader).execution_options(populate_existing=True))
    assert entitlements.access_of(reader.id, shop.parts.settings.plans, clock.now()).allowed
    assert [entry.generation for entry in db.session.scalars(db.select(Revocation))] == [reader.generation] == [2]


def test_the_ledger_dates_a_change_by_when_it_took_effect(shop: Shop, clock, bought: str) -> None:
    clock.advance(days=2)  # the event came late
    shop.parts.sync.subscription(bought, CAUSE)
    entry = db.session.scalar(db.select(LedgerEntry))
    assert (entry.change, entry.effective_at, entry.learned_at) == ("granted", entry.starts_at, clock.now())
    assert entry.effective_at < entry.learned_at
