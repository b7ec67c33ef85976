"""Money that was to go back and did not, after the subscription was ended for it: the reader reads what is paid."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from paywall.domain.entitlements import Reason
from paywall.reconciling import reconciler
from paywall.storage import payments
from paywall.storage.database import db
from paywall.storage.models import LedgerEntry
from tests.billing.test_money_back import CAUSE, entitlement, may_read, status_at_stripe, sync
from tests.support import staff
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

pytestmark = on_sqlite  # what it asks of the database, the tests of storage and of the sync ask of both


@pytest.fixture
def bought(shop: Shop) -> str:
    """A subscription that was paid and synced."""
    return shop.buy(shop.browser())


def details(shop: Shop, subscription_id: str) -> dict[str, object]:
    return dict(shop.sandbox.sandbox.account.get("subscription", subscription_id)["cancellation_details"])


def stripe_ends_it(shop: Shop, subscription_id: str) -> None:
    """As Stripe does by itself where an account says so for disputed payments."""
    shop.stripe().v1.subscriptions.cancel(subscription_id)
    account = shop.sandbox.sandbox.account
    with account.unit():
        body = account.get("subscription", subscription_id)
        known = {"comment": None, "feedback": None, "reason": "payment_disputed"}
        account.amend(body, "customer.subscription.updated", cancellation_details=known)


def test_our_own_cancellation_carries_a_mark_that_stripe_keeps(shop: Shop, bought: str) -> None:
    staff.refund(shop, bought)
    sync(shop, bought)
    assert details(shop, bought)["comment"] == "paywall: refunded"
    assert shop.parts.gateway.fetch_subscription(bought).facts.ended_for_money


def test_the_mark_of_a_lost_dispute_is_another(shop: Shop, bought: str) -> None:
    staff.settle_dispute(shop, staff.dispute(shop, bought)["id"], "lost")
    sync(shop, bought)
    assert details(shop, bought)["comment"] == "paywall: dispute lost"


@pytest.mark.parametrize("comment", ["refunded", "too expensive", ""])
def test_what_readers_and_staff_say_of_their_cancellation_is_no_mark(shop: Shop, bought: str, comment: str) -> None:
    shop.stripe().v1.subscriptions.cancel(bought, {"cancellation_details": {"comment": comment}})
    assert not shop.parts.gateway.fetch_subscription(bought).facts.ended_for_money


@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_a_refund_that_fails_after_it_had_succeeded_gives_access_back(shop: Shop, bought: str, clock, end: str) -> None:
    """Neither money nor access would be left to a reader whose subscription we ended for that refund."""
    paid_until = entitlement().paid_until
    refund = staff.refund(shop, bought)
    sync(shop, bought)
    assert (may_read(shop), status_at_stripe(shop, bought)) == (False, "canceled")
    clock.advance(days=30)
    staff.settle_refund(shop, refund["id"], end)
    with capture_logs() as lines:
        assert sync(shop, bought)
    row = entitlement()
    assert (row.state, row.reason, row.paid_until, row.renews) == ("active", "paid", paid_until, False)
    assert status_at_stripe(shop, bought) == "canceled", "nothing brings it back to life there"
    told = [line for line in lines if line["event"] == "refund_failed_after_end"]
    assert told == [
        {"event": "refund_failed_after_end", "log_level": "error", "subscription": bought, "refunds": [refund["id"]]}
    ]
    with capture_logs() as lines:
        assert not sync(shop, bought)
    assert lines == []


def test_a_second_refund_after_one_that_failed_ends_access_again(shop: Shop, bought: str) -> None:
    failed = staff.refund(shop, bought)
    sync(shop, bought)
    staff.settle_refund(shop, failed["id"], "failed")
    sync(shop, bought)
    staff.refund(shop, bought)
    assert sync(shop, bought)
    assert (may_read(shop), entitlement().reason) == (False, "refunded")


def test_a_lost_dispute_that_is_appealed_and_won_gives_what_was_paid(shop: Shop, bought: str, clock) -> None:
    paid_until = entitlement().paid_until
    case = staff.dispute(shop, bought)
    found = []
    for status in ("lost", "appeal_under_review", "won"):
        staff.settle_dispute(shop, case["id"], status)
        clock.advance(days=10)
        sync(shop, bought)
        found.append((entitlement().state, entitlement().reason, status_at_stripe(shop, bought)))
    assert found == [
        ("ended", "dispute_lost", "canceled"),
        ("suspended", "disputed", "canceled"),
        ("active", "paid", "canceled"),
    ]
    assert entitlement().paid_until == paid_until


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("needs_response", ("suspended", "disputed")),
        ("won", ("active", "paid")),
        ("prevented", ("active", "paid")),
        ("lost", ("ended", "dispute_lost")),
    ],
)
def test_one_that_stripe_ended_over_a_dispute_follows_the_dispute(shop: Shop, bought: str, status, expected) -> None:
    case = staff.dispute(shop, bought)
    stripe_ends_it(shop, bought)
    staff.settle_dispute(shop, case["id"], status)
    sync(shop, bought)
    assert (entitlement().state, entitlement().reason) == expected
    assert entitlement().until - shop.parts.clock.now() < timedelta(days=367)


def test_one_that_stripe_ended_over_a_dispute_that_it_does_not_show_is_over(shop: Shop, bought: str) -> None:
    stripe_ends_it(shop, bought)
    sync(shop, bought)
    assert (entitlement().state, entitlement().reason) == ("ended", "dispute_lost")


def test_a_second_one_whose_refund_fails_is_as_if_it_had_not_been_given_back(shop: Shop, bought: str) -> None:
    """The command that ends second subscriptions leaves the same mark as a refund that was heard of first."""
    refund = staff.refund(shop, bought)
    shop.parts.gateway.cancel_subscription(bought, Reason.REFUNDED)
    sync(shop, bought)
    staff.settle_refund(shop, refund["id"], "failed")
    sync(shop, bought)
    assert may_read(shop)


def test_the_ledger_tells_what_happened(shop: Shop, bought: str) -> None:
    refund = staff.refund(shop, bought)
    sync(shop, bought)
    staff.settle_refund(shop, refund["id"], "failed")
    sync(shop, bought)
    entries = db.session.scalars(db.select(LedgerEntry).order_by(LedgerEntry.id)).all()
    assert [(one.change, one.lapse) for one in entries] == [
        ("granted", "period_over"),
        ("ended", "refunded"),
        ("returned", "canceled"),
    ]
    assert {one.cause_id for one in entries[1:]} == {CAUSE.id}
    assert [one.status for one in payments.refunds_of(bought)] == ["failed"]


def test_a_refund_that_we_hear_of_only_after_it_failed_ends_nothing(shop: Shop, bought: str) -> None:
    refund = staff.refund(shop, bought)
    staff.settle_refund(shop, refund["id"], "failed")
    sync(shop, bought)
    assert (may_read(shop), entitlement().renews, status_at_stripe(shop, bought)) == (True, True, "active")


@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_a_comparison_with_stripe_finds_nothing_wrong_with_it(shop: Shop, bought: str, end: str) -> None:
    """Our mark is among the facts that it reads, whatever became of the refund."""
    refund = staff.refund(shop, bought)
    sync(shop, bought)
    if end == "failed":
        staff.settle_refund(shop, refund["id"], "failed")
        sync(shop, bought)
    shop.deliver_all()
    found: list[object] = []
    assert reconciler(shop.parts).run(timedelta(days=30), True, found.append, lambda _seen: None).good
    assert found == []
