"""Refunds and disputes as the sync sees them: what ends access, what suspends it, what changes nothing."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from paywall.billing.errors import StripeUnavailable
from paywall.billing.stripe_gateway import StripeGateway
from paywall.storage import entitlements, payments
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Entitlement, LedgerEntry, Reader, Revocation, Subscription
from tests.support import staff
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

pytestmark = on_sqlite  # what it asks of the database, the tests of storage and of the sync ask of both

CAUSE = Cause("event", "evt_1")


@pytest.fixture
def bought(shop: Shop) -> str:
    """A subscription that was paid and synced."""
    return shop.buy(shop.browser())


def sync(shop: Shop, subscription_id: str) -> bool:
    return shop.parts.sync.subscription(subscription_id, CAUSE).changed


def entitlement() -> Entitlement:
    return db.session.scalars(db.select(Entitlement).execution_options(populate_existing=True)).one()


def status_at_stripe(shop: Shop, subscription_id: str) -> str:
    return str(shop.sandbox.sandbox.account.get("subscription", subscription_id)["status"])


def may_read(shop: Shop) -> bool:
    return entitlements.access_of(entitlement().reader_id, shop.parts.settings.plans, shop.parts.clock.now()).allowed


def test_a_plain_sync_costs_three_requests(shop: Shop, bought: str) -> None:
    before = len(shop.sandbox.requests)
    sync(shop, bought)
    asked = [one.path for one in shop.sandbox.requests[before:]]
    assert asked == [f"/v1/subscriptions/{bought}", "/v1/invoices", "/v1/charges"]


def test_what_paid_an_invoice_is_kept_so_that_money_is_traced_without_asking(shop: Shop, bought: str) -> None:
    (charge,) = staff.charges(shop, bought)
    (paid,) = payments.payments_of(bought)
    (by,) = payments.invoice_payments_of(bought)
    assert (by.invoice_id, by.payment_intent_id, by.amount) == (paid.invoice_id, charge["payment_intent"], 10000)
    assert payments.subscription_of(charge["payment_intent"]) == bought
    assert payments.subscription_of("pi_of_somebody_else") is None
    assert payments.subscription_of_invoice(paid.invoice_id) == bought


def test_a_full_refund_ends_access_when_it_was_made_and_cancels_at_stripe(shop: Shop, bought: str, clock) -> None:
    clock.advance(days=3)
    made = clock.now()
    refund = staff.refund(shop, bought)
    clock.advance(hours=1)  # the event comes late
    assert sync(shop, bought)
    row = entitlement()
    assert (row.state, row.reason, row.until) == ("ended", "refunded", made)
    assert status_at_stripe(shop, bought) == "canceled"
    assert db.session.get(Subscription, bought, populate_existing=True).status == "canceled"
    (kept,) = payments.refunds_of(bought)
    assert (kept.id, kept.amount, kept.status, kept.created_at) == (refund["id"], 10000, "succeeded", made)
    entry = db.session.scalars(db.select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
    assert (entry.change, entry.effective_at, entry.learned_at) == ("ended", made, clock.now())


def test_a_full_refund_where_the_plan_keeps_access_changes_nothing(shop: Shop, bought: str) -> None:
    plan = shop.parts.settings.plans["annual"]
    lenient = type(shop.parts.sync)(
        shop.parts.gateway, {"annual": replace(plan, on_full_refund="keep")}, shop.parts.sync.zone, shop.parts.clock
    )
    staff.refund(shop, bought)
    assert not lenient.subscription(bought, CAUSE).changed
    assert (entitlement().state, status_at_stripe(shop, bought)) == ("active", "active")
    assert len(payments.refunds_of(bought)) == 1


def test_a_partial_refund_changes_nothing_and_parts_add_up(shop: Shop, bought: str) -> None:
    staff.refund(shop, bought, 4000)
    assert not sync(shop, bought)
    staff.refund(shop, bought, 5999)
    assert not sync(shop, bought)
    assert entitlement().state == "active"
    staff.refund(shop, bought, 1)
    assert sync(shop, bought)
    assert (entitlement().reason, len(payments.refunds_of(bought))) == ("refunded", 3)


def test_a_pending_refund_ends_access_but_cancels_only_once_it_arrived(shop: Shop, bought: str) -> None:
    refund = staff.refund(shop, bought, outcome="pending")
    assert sync(shop, bought)
    assert (entitlement().state, status_at_stripe(shop, bought)) == ("ended", "active")
    staff.settle_refund(shop, refund["id"], "succeeded")
    sync(shop, bought)
    assert (entitlement().state, status_at_stripe(shop, bought)) == ("ended", "canceled")


@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_a_refund_that_does_not_arrive_restores_access(shop: Shop, bought: str, end: str) -> None:
    """Nothing at Stripe but the refund itself tells of it: what we know is asked about again."""
    refund = staff.refund(shop, bought, outcome="pending")
    sync(shop, bought)
    assert not may_read(shop)
    staff.settle_refund(shop, refund["id"], end)
    assert sync(shop, bought)
    assert may_read(shop)
    assert (entitlement().state, entitlement().renews) == ("active", True)
    assert [one.status for one in payments.refunds_of(bought)] == [end]
    changes = db.session.scalars(db.select(LedgerEntry.change).order_by(LedgerEntry.id)).all()
    assert changes == ["granted", "ended", "returned"]


def test_stripe_away_after_a_refund_ends_access_all_the_same_and_cancels_later(shop: Shop, bought: str) -> None:
    """Our own denial does not wait for the cancellation, which the repeated event brings."""
    staff.refund(shop, bought)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StripeGateway, "cancel_subscription", _unavailable)
        with pytest.raises(StripeUnavailable):
            sync(shop, bought)
    assert (may_read(shop), status_at_stripe(shop, bought)) == (False, "active")
    sync(shop, bought)
    assert status_at_stripe(shop, bought) == "canceled"


def _unavailable(*_: object) -> None:
    raise StripeUnavailable


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_under_review", "warning_closed", "prevented"])
def test_an_inquiry_changes_nothing(shop: Shop, bought: str, status: str) -> None:
    case = staff.dispute(shop, bought, "warning_needs_response")
    staff.settle_dispute(shop, case["id"], status)
    assert not sync(shop, bought)
    assert [one.status for one in payments.disputes_of(bought)] == [status]


@pytest.mark.parametrize("status", ["needs_response", "under_review", "appeal_needs_response", "appeal_under_review"])
def test_an_open_dispute_suspends_access_and_takes_the_tokens_back(shop: Shop, bought: str, status: str) -> None:
    case = staff.dispute(shop, bought)
    staff.settle_dispute(shop, case["id"], status)
    assert sync(shop, bought)
    row = entitlement()
    assert (row.state, row.reason, row.hold) == ("suspended", "disputed", "disputed")
    assert status_at_stripe(shop, bought) == "active"
    entry = db.session.scalars(db.select(Revocation)).one()
    assert (entry.kind, entry.value) == ("sub", row.reader_id)


def test_a_dispute_that_is_won_restores_access(shop: Shop, bought: str) -> None:
    case = staff.dispute(shop, bought)
    sync(shop, bought)
    staff.settle_dispute(shop, case["id"], "won")
    assert sync(shop, bought)
    assert (entitlement().state, entitlement().hold, may_read(shop)) == ("active", None, True)
    changes = db.session.scalars(db.select(LedgerEntry.change).order_by(LedgerEntry.id)).all()
    assert changes == ["granted", "suspended", "reinstated"]


def test_a_lost_dispute_ends_access_from_its_beginning_and_cancels_at_stripe(shop: Shop, bought: str, clock) -> None:
    clock.advance(days=10)
    opened = clock.now()
    case = staff.dispute(shop, bought)
    sync(shop, bought)
    clock.advance(days=40)
    staff.settle_dispute(shop, case["id"], "lost")
    assert sync(shop, bought)
    row = entitlement()
    assert (row.state, row.reason, row.until) == ("ended", "dispute_lost", opened)
    assert status_at_stripe(shop, bought) == "canceled"


def test_rows_that_stripe_does_not_have_are_taken_away(shop: Shop, bought: str, clock) -> None:
    """A refund that was made up, or of another payment, cannot stay in the books."""
    values = {
        "amount": 1,
        "currency": "usd",
        "status": "succeeded",
        "created_at": clock.now(),
        "synced_at": clock.now(),
    }
    db.session.add(payments.Refund(id="re_none", subscription_id=bought, invoice_id="in_none", **values))
    db.session.commit()
    sync(shop, bought)
    assert payments.refunds_of(bought) == []


def test_the_money_of_a_deleted_customer_is_asked_for_by_payment(shop: Shop, bought: str) -> None:
    """Whether Stripe still lists a deleted customer's charges or refuses to, a refund is seen."""
    staff.refund(shop, bought)
    shop.stripe().v1.customers.delete(db.session.scalar(db.select(Reader.customer_id)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("paywall.billing.cases._suspects", lambda *_: None)
        sync(shop, bought)
    assert (entitlement().reason, len(payments.refunds_of(bought))) == ("refunded", 1)


def test_a_cancellation_that_nobody_asked_for_is_in_the_log_without_any_address(shop: Shop, bought: str) -> None:
    staff.refund(shop, bought)
    with capture_logs() as lines:
        sync(shop, bought)
    (line,) = lines
    assert (line["event"], line["subscription"], line["cause_id"]) == ("subscription_cancelled", bought, "evt_1")
    assert "@" not in str(lines)
