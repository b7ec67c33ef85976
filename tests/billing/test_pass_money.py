"""The pass over money: refunds and disputes that we never heard of, or know wrongly, are found and mended."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from paywall.sandbox.billing.disputing import open_dispute, settle
from paywall.sandbox.billing.refunding import refund, settle_refund
from paywall.storage.models import Entitlement
from paywall.storage.payments import Dispute, Refund
from tests.support.marks import on_sqlite
from tests.support.runs import Runs, change, charge_of, rows, state_of_all
from tests.support.shop import Shop

pytestmark = on_sqlite  # what it asks of the database, the tests of storage and of the sync ask of both


def test_a_refund_whose_events_were_lost_ends_the_access(shop: Shop, sold: str, run: Runs) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop))
    assert run().good
    assert ("missing", "event", "repaired") in run.told
    assert [row["status"] for row in rows(Refund)] == ["succeeded"]
    assert [(row["state"], row["reason"]) for row in rows(Entitlement)] == [("ended", "refunded")]
    assert shop.stripe().v1.subscriptions.retrieve(sold).status == "canceled"
    assert run().good
    told = [one.values["type"][1] for one in run.found]
    assert told == ["customer.subscription.deleted"], "what the repair itself caused, not delivered yet"
    assert run().counts.differences == 0


def test_a_refund_without_a_row_is_found_though_its_events_were_handled(shop: Shop, sold: str, run: Runs) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop), 2500)
    shop.deliver_all()
    before = state_of_all()
    change(sa.delete(Refund))
    assert run().good
    assert run.told == {("missing", "refund", "repaired")}
    assert run.one("refund").values["amount"] == (None, 2500)
    assert state_of_all() == before


@pytest.mark.parametrize("values", [{"status": "failed"}, {"amount": 1}, {"currency": "eur"}], ids=str)
def test_a_refund_that_differs_is_mended(shop: Shop, sold: str, run: Runs, values: dict[str, Any]) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop), 2500)
    shop.deliver_all()
    before = state_of_all()
    change(sa.update(Refund).values(**values))
    assert run().good
    assert run.told == {("different", "refund", "repaired")}
    assert state_of_all() == before


def test_a_refund_that_stripe_does_not_have_goes_away(shop: Shop, sold: str, run: Runs) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop), 2500)
    shop.deliver_all()
    before = state_of_all()
    (known,) = rows(Refund)
    change(sa.insert(Refund).values(**{**known, "id": "re_made_up", "synced_at": known["created_at"], "amount": 1}))
    assert run().good
    assert run.told == {("extra", "refund", "repaired")}
    assert state_of_all() == before


def test_a_refund_that_failed_at_once_needs_no_row(shop: Shop, sold: str, run: Runs) -> None:
    """Its charge shows nothing given back, so no sync asks for it."""
    refund(shop.sandbox.sandbox.account, charge_of(shop), outcome="failed")
    shop.deliver_all()
    assert run().good
    assert run.found == []


def test_a_dispute_whose_events_were_lost_holds_the_access_until_it_is_won(shop: Shop, sold: str, run: Runs) -> None:
    account = shop.sandbox.sandbox.account
    dispute = open_dispute(account, charge_of(shop))
    assert run().good
    assert [(row["state"], row["reason"]) for row in rows(Entitlement)] == [("suspended", "disputed")]
    settle(account, dispute["id"], "won")
    assert run().good
    assert [row["state"] for row in rows(Entitlement)] == ["active"]
    assert [row["status"] for row in rows(Dispute)] == ["won"]
    assert run().counts.differences == 0


def test_a_dispute_without_a_row_is_found_though_its_events_were_handled(shop: Shop, sold: str, run: Runs) -> None:
    open_dispute(shop.sandbox.sandbox.account, charge_of(shop), "warning_needs_response")
    shop.deliver_all()
    before = state_of_all()
    change(sa.delete(Dispute))
    assert run().good
    assert run.told == {("missing", "dispute", "repaired")}
    assert state_of_all() == before


def test_without_an_inbox_the_lists_of_money_are_asked_all_the_same(shop: Shop, sold: str, run: Runs) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop))
    assert run(inbox=False).good
    assert run.told == {("missing", "refund", "repaired")}
    assert [row["state"] for row in rows(Entitlement)] == ["ended"]


def test_beyond_the_events_that_stripe_keeps_the_lists_of_money_are_asked(
    shop: Shop, sold: str, run: Runs, clock
) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop), 100)
    shop.deliver_all()
    change(sa.delete(Refund))
    clock.advance(days=60)
    account = shop.sandbox.sandbox.account
    account.store.rows("DELETE FROM objects WHERE kind = 'event'")
    assert run(since=timedelta(days=20)).good
    assert not any(one.thing == "refund" for one in run.found)
    assert run(since=timedelta(days=90)).good
    assert any(one.thing == "refund" for one in run.found)


def test_a_refund_whose_status_stripe_leaves_open_is_read_alike_by_list_and_sync(
    shop: Shop, sold: str, run: Runs
) -> None:
    """Stripe's status of a refund may be null."""
    account = shop.sandbox.sandbox.account
    made = refund(account, charge_of(shop), 100)
    with account.unit():
        account.amend(account.get("refund", made["id"]), None, status=None)
    shop.deliver_all()
    assert [row["status"] for row in rows(Refund)] == ["unknown"]
    assert run().good
    assert run.found == []


def test_a_dispute_from_before_the_period_that_was_decided_unseen_is_asked_for(
    shop: Shop, sold: str, run: Runs, clock
) -> None:
    """Banks take months: the list of the period does not name it, and the event of its end was lost."""
    account = shop.sandbox.sandbox.account
    case = open_dispute(account, charge_of(shop))
    shop.deliver_all()
    clock.advance(days=5)
    settle(account, case["id"], "won")
    clock.advance(days=40)
    assert [row["state"] for row in rows(Entitlement)] == ["suspended"]
    assert run(dry_run=True).counts.different == 1
    assert run().good
    assert run.told == {("different", "dispute", "repaired")}
    assert run.one("dispute").values == {"status": ("needs_response", "won")}
    assert [row["state"] for row in rows(Entitlement)] == ["active"]
    calls = run().calls
    clock.advance(days=1)
    assert run().calls == calls, "what is decided is not asked for any more"


def test_a_refund_from_before_the_period_that_was_under_way_is_asked_for(
    shop: Shop, sold: str, run: Runs, clock
) -> None:
    account = shop.sandbox.sandbox.account
    made = refund(account, charge_of(shop), outcome="pending")
    shop.deliver_all()
    assert [row["state"] for row in rows(Entitlement)] == ["ended"]
    settle_refund(account, made["id"], "failed")
    clock.advance(days=3)
    assert run(since=timedelta(days=2)).good
    assert run.told == {("different", "refund", "repaired")}
    assert [row["state"] for row in rows(Entitlement)] == ["active"]


def test_an_undecided_case_that_stripe_does_not_know_goes_away(shop: Shop, sold: str, run: Runs, clock) -> None:
    open_dispute(shop.sandbox.sandbox.account, charge_of(shop), "warning_needs_response")
    shop.deliver_all()
    before = state_of_all()
    (known,) = rows(Dispute)
    change(sa.insert(Dispute).values(**{**known, "id": "dp_made_up", "synced_at": known["created_at"]}))
    clock.advance(days=40)
    assert run().good
    assert run.told == {("extra", "dispute", "repaired")}
    assert state_of_all() == before
