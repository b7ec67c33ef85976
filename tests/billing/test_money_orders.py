"""I3 with money that goes back: whatever order its events come in, whichever is lost or repeated, the end is one."""

import random
from collections.abc import Callable
from itertools import permutations

import pytest

from paywall.billing.sync import Sync
from paywall.storage import subscriptions
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Entitlement, InboxEvent, LedgerEntry, Reader, Subscription
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund
from paywall.webhooks.handlers import ROUTES
from tests.support import staff
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

ORDERS = 8


def refunded(shop: Shop, bought: str) -> None:
    staff.refund(shop, bought, 4000)
    staff.refund(shop, bought, 6000)


def refund_failed(shop: Shop, bought: str) -> None:
    staff.settle_refund(shop, staff.refund(shop, bought, outcome="pending")["id"], "failed")


def dispute_won(shop: Shop, bought: str) -> None:
    staff.settle_dispute(shop, staff.dispute(shop, bought)["id"], "won")


def dispute_lost(shop: Shop, bought: str) -> None:
    staff.settle_dispute(shop, staff.dispute(shop, bought)["id"], "lost")


def refunded_then_customer_deleted(shop: Shop, bought: str) -> None:
    staff.refund(shop, bought)
    customer_id = shop.sandbox.sandbox.account.get("subscription", bought)["customer"]
    shop.stripe().v1.customers.delete(customer_id)


STORIES: list[tuple[Callable[[Shop, str], None], str, str]] = [
    (refunded, "ended", "refunded"),
    (refund_failed, "active", "paid"),
    (dispute_won, "active", "paid"),
    (dispute_lost, "ended", "dispute_lost"),
    (refunded_then_customer_deleted, "ended", "refunded"),
]


def outcome() -> list[tuple[object, ...]]:
    """What the rows say, apart from when we learned it, with a ledger that ends in it."""
    found = []
    for row in db.session.scalars(db.select(Entitlement).execution_options(populate_existing=True)):
        entries = db.session.scalars(
            db.select(LedgerEntry).where(LedgerEntry.entitlement_id == row.id).order_by(LedgerEntry.id)
        ).all()
        assert (entries[-1].state, entries[-1].until) == (row.state, row.until)
        found.append((row.source_id, row.state, row.reason, row.starts_at, row.paid_until, row.until, row.hold))
    money = [len(db.session.scalars(db.select(model)).all()) for model in (Payment, InvoicePayment, Refund, Dispute)]
    return [*found, tuple(money)]


def forget(customer_id: str | None) -> None:
    """Empties what sync and inbox wrote; the reader and the checkout stay."""
    for model in (LedgerEntry, Entitlement, Dispute, Refund, InvoicePayment, Payment, Subscription, InboxEvent):
        db.session.execute(db.delete(model))
    db.session.execute(db.update(Reader).values(customer_id=customer_id))
    db.session.commit()
    db.session.expire_all()


@on_sqlite
@pytest.mark.parametrize(("story", "state", "reason"), STORIES, ids=lambda value: getattr(value, "__name__", ""))
def test_every_order_loss_and_repetition_ends_alike(shop: Shop, story, state: str, reason: str) -> None:
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    bought = str(shop.session(session_id)["subscription"])
    story(shop, bought)
    told = [event for event in shop.sandbox.events() if event["type"] in ROUTES]
    kinds = list({event["type"]: event for event in told}.values())
    orders = (
        list(permutations(kinds))
        if len(kinds) <= 4
        else [random.Random(n).sample(kinds, len(kinds)) for n in range(ORDERS)]
    )
    ends = set()
    for number, order in enumerate(orders[:ORDERS]):
        forget(None)
        doubled = [*order, order[number % len(order)]]
        lost = doubled.pop(number % len(doubled)) if number % 2 else None
        assert {shop.deliver(event).status_code for event in doubled} == {200}, lost
        if lost:
            reconcile(shop.parts.sync, bought)
        ends.add(tuple(outcome()))
    assert len(ends) == 1, ends
    assert [row[1:3] for row in ends.pop()[:-1]] == [(state, reason)]


def reconcile(sync: Sync, subscription_id: str) -> None:
    sync.subscription(subscription_id, Cause("reconcile", "run_1"))
    assert subscriptions.get(subscription_id) is not None


def test_reinstated_funds_before_or_after_the_dispute_is_closed_end_alike(shop: Shop) -> None:
    bought = shop.buy(shop.browser())
    dispute_won(shop, bought)
    kinds = ("charge.dispute.created", "charge.dispute.closed", "charge.dispute.funds_reinstated")
    told = [event for event in shop.sandbox.events() if event["type"] in kinds]
    assert {event["type"] for event in told} == set(kinds)
    for order in permutations(told):
        for event in order:
            assert shop.deliver(event).status_code == 200
            assert [row.state for row in db.session.scalars(db.select(Entitlement))] == ["active"]
