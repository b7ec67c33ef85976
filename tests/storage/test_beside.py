"""Our rows as a reconciliation reads them: in batches, by any id of Stripe's, in transactions that end at once."""

from datetime import timedelta

import pytest
from flask_openapi3.openapi import OpenAPI

from paywall.storage import beside
from paywall.storage.database import db
from paywall.storage.models import Checkout, InboxEvent, Lease, Subscription
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund
from tests.support.builders import DAY, NOW, make_entitlement, make_reader, make_subscription, save


@pytest.fixture
def sub(app: OpenAPI) -> Subscription:
    """A subscription with a payment, a refund, a dispute and an entitlement."""
    row = make_subscription(make_reader(customer_id="cus_1"), id="sub_1", customer_id="cus_2")
    make_entitlement(source_id="sub_1")
    money = {"subscription_id": "sub_1", "invoice_id": "in_1", "amount": 10000}
    about = {**money, "payment_intent_id": "pi_1", "charge_id": "ch_1"}
    case = {**about, "currency": "usd", "status": "won", "created_at": NOW, "synced_at": NOW}
    period = {"period_start": NOW - 30 * DAY, "period_end": NOW + 335 * DAY, "paid_at": NOW - 30 * DAY}
    save(
        Payment(**money, tax=0, currency="usd", **period),
        InvoicePayment(id="inpay_1", **about),
        Refund(id="re_1", **case),
        Dispute(id="dp_1", reason="fraudulent", **case),
    )
    return row


def test_rows_are_found_by_the_ids_that_a_page_names(sub: Subscription) -> None:
    assert beside.subscriptions(["sub_1", "sub_x"])["sub_1"]["status"] == "active"
    assert list(beside.subscriptions(["sub_x"])) == []
    assert beside.entitlements(["sub_1"])["sub_1"]["source"] == "subscription"
    assert [row["invoice_id"] for row in beside.payments(["sub_1"])["sub_1"]] == ["in_1"]
    assert list(beside.payments_by_invoice(["in_1", "in_x"])) == ["in_1"]
    for by in ({"invoice_ids": ["in_1"]}, {"subscription_ids": ["sub_1"]}):
        assert beside.parts_of_payments(**by)["in_1"]["pi_1"]["id"] == "inpay_1"
    assert beside.parts_of_payments(invoice_ids=["in_x"]) == {}
    assert list(beside.cases(Refund, ["re_1", "dp_1"])) == ["re_1"]
    assert [row["id"] for row in beside.cases_of(Dispute, ["sub_1"])["sub_1"]] == ["dp_1"]


def test_money_leads_to_its_subscription_by_intent_and_by_charge(sub: Subscription) -> None:
    assert beside.subscriptions_of_money(["pi_1"])["pi_1"] == "sub_1"
    assert beside.subscriptions_of_money(["ch_1", "ch_x"])["ch_1"] == "sub_1"
    assert beside.subscriptions_of_money(["pi_x"]) == {}


def test_every_id_of_stripes_that_we_hold_is_known(sub: Subscription) -> None:
    values = {"reader_id": sub.reader_id, "plan": "annual", "price_id": "p", "browser_hash": "b", "return_to": "/"}
    times = {"created_at": NOW, "expires_at": NOW}
    save(Checkout(id="chk_1", session_id="cs_1", state="complete", **values, **times))
    ids = {"sub_1", "cus_1", "cus_2", "cs_1", "in_1", "pi_1", "ch_1", "re_1", "dp_1"}
    assert beside.known_things(ids | {"sub_x", "cus_x", "in_x"}) == ids


def test_a_buyer_is_known_by_any_mark_that_a_sync_would_follow(sub: Subscription) -> None:
    assert beside.buyer_is_known(sub.reader_id, None, "cus_x")
    assert beside.buyer_is_known(None, None, "cus_1")
    assert not beside.buyer_is_known("rdr_x", "chk_x", "cus_2")


def test_what_happened_since_a_moment_is_told_by_kind(sub: Subscription) -> None:
    assert beside.has_since(NOW - 31 * DAY) == {"invoice": True, "refund": True, "dispute": True}
    assert beside.has_since(NOW - DAY) == {"invoice": False, "refund": True, "dispute": True}
    assert beside.has_since(NOW + DAY) == {"invoice": False, "refund": False, "dispute": False}


def test_events_and_leases_are_found(app: OpenAPI) -> None:
    save(
        InboxEvent(id="evt_1", type="t", created_at=NOW, received_at=NOW, objects={}, state="handled", attempts=1),
        Lease(name="reconcile", owner="rec_1", expires_at=NOW),
    )
    assert beside.known_events(["evt_1", "evt_2"]) == {"evt_1"}
    assert beside.lease("reconcile")["owner"] == "rec_1"
    assert beside.lease("other") is None


def test_rows_that_were_not_named_come_in_batches_without_gap_or_double(app: OpenAPI, monkeypatch) -> None:
    monkeypatch.setattr(beside, "_BATCH", 3)
    reader = make_reader()
    for number in range(20):  # five within each second
        make_subscription(reader, id=f"sub_{number:02}", created_at=NOW + timedelta(seconds=number // 5))
    save()

    def found(after=None, upto=None, named=()):
        return list(beside.not_named(Subscription, after, upto, named))

    assert found() == [f"sub_{number:02}" for number in range(20)]
    assert found(NOW, NOW + timedelta(seconds=2)) == [f"sub_{number:02}" for number in range(5, 15)]
    assert found(upto=NOW, named={"sub_01", "sub_03"}) == ["sub_00", "sub_02", "sub_04"]
    assert found(NOW + timedelta(seconds=3)) == []


def test_cases_that_are_not_decided_are_found_in_batches(sub: Subscription, monkeypatch) -> None:
    monkeypatch.setattr(beside, "_BATCH", 2)
    known = {"subscription_id": "sub_1", "invoice_id": "in_9", "currency": "usd", "amount": 1, "synced_at": NOW}
    for number, status in enumerate(["pending", "requires_action", "succeeded", "unknown", "pending", "failed"]):
        save(Refund(id=f"re_old_{number}", status=status, created_at=NOW - 90 * DAY, **known))
    save(Refund(id="re_new", status="pending", created_at=NOW, **known))
    assert list(beside.undecided(Refund, NOW, {"succeeded", "failed"})) == [
        f"re_old_{number}" for number in (0, 1, 3, 4)
    ]


def test_no_transaction_is_left_open(sub: Subscription) -> None:
    """Stripe is asked next."""
    for read in (lambda: beside.subscriptions(["sub_1"]), lambda: beside.known_things(["sub_1"])):
        read()
        assert not db.session().in_transaction()
    for _ in beside.not_named(Subscription, None, None, ()):
        assert not db.session().in_transaction()
