"""Stripe's values beside ours: what is equal is silent, what differs is told with both values. Nothing is asked."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from paywall.billing import comparing, rows
from paywall.billing.comparing import Difference, Ours
from paywall.billing.listing import Listed, ListedCase, ListedInvoice
from paywall.billing.snapshots import (
    DisputeSnapshot,
    InvoicePayment,
    PaidInvoice,
    RefundSnapshot,
    SubscriptionSnapshot,
)
from paywall.domain.entitlements import PaidPeriod, Reason, SubscriptionFacts
from paywall.domain.plans import Plan

ZONE = ZoneInfo("America/New_York")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
NOW = START + timedelta(days=100)
PLAN = Plan("annual", "All", 10000, "usd", "year", "prod", "key", ("news",), renewal_slack_days=3, grace_days=14)
PLANS = {"annual": PLAN}

INVOICE = PaidInvoice(
    "in_1", 10000, "usd", START, START + YEAR, START, payments=(InvoicePayment("inpay_1", "pi_1", "ch_1", 10000),)
)
FACTS = SubscriptionFacts("active", periods=(PaidPeriod(START, START + YEAR),))
SNAPSHOT = SubscriptionSnapshot(
    id="sub_1",
    livemode=False,
    customer_id="cus_1",
    product_id="prod",
    price_id="price_1",
    amount=10000,
    currency="usd",
    created_at=START,
    current_period_end=START + YEAR,
    reader_id="rdr_1",
    checkout_id=None,
    facts=FACTS,
    invoices=(INVOICE,),
)
LISTED = Listed(SNAPSHOT, "in_1")


def ours(snapshot: SubscriptionSnapshot = SNAPSHOT, **changes) -> Ours:
    """Our rows as a sync of this snapshot writes them."""
    tables = {table.__tablename__: list(found) for table, found, _ in rows.money(snapshot, NOW)}
    terms = comparing.deserved(snapshot, PLAN, ZONE)
    values = {
        "subscription": rows.subscription(snapshot, "rdr_1", "annual", NOW),
        "entitlement": {"id": "ent_1", "reader_id": "rdr_1", "plan": "annual", **asdict(terms)},
        "payments": tuple(tables["payments"]),
        "parts": {one["invoice_id"]: {one["payment_intent_id"]: one} for one in tables["invoice_payments"]},
        "refunds": tuple(tables["refunds"]),
        "disputes": tuple(tables["disputes"]),
    }
    return Ours(**{**values, **changes})


def compared(listed: Listed = LISTED, mine: Ours | None = None) -> list[Difference]:
    return list(comparing.subscription(listed, mine or ours(), PLAN))


def test_what_a_sync_stored_does_not_differ_from_what_it_read() -> None:
    """Every field that a sync stores of a subscription and its money is compared in the form in which it is stored."""
    assert compared() == []
    refund = RefundSnapshot("re_1", "in_1", "pi_1", "ch_1", 100, "usd", "succeeded", NOW)
    dispute = DisputeSnapshot("dp_1", "in_1", "pi_1", "ch_1", 100, "usd", "won", NOW, "fraudulent")
    snapshot = replace(SNAPSHOT, refunds=(refund,), disputes=(dispute,))
    assert compared(Listed(snapshot, "in_1"), ours(snapshot)) == []
    assert comparing.access(comparing.with_our_money(snapshot, ours(snapshot)), ours(snapshot), PLAN, ZONE, NOW) == []


def test_every_stored_column_is_compared_but_our_own() -> None:
    stored = set(rows.subscription(SNAPSHOT, "rdr_1", "annual", NOW))
    own = {"id", "reader_id", "synced_at"}
    assert stored - set(comparing.stored_fields(SNAPSHOT, PLAN)) == own | {"card_ends_on"}  # no list tells the card


def test_a_subscription_without_a_row_is_missing() -> None:
    (one,) = comparing.subscription(LISTED, None, PLAN)
    assert (one.kind, one.thing, one.id, one.outcome) == ("missing", "subscription", "sub_1", "found")
    assert one.values == {"status": (None, "active"), "customer_id": (None, "cus_1")}


@pytest.mark.parametrize("name", comparing.stored_fields(SNAPSHOT, PLAN))
def test_each_field_of_a_subscription_is_told_when_it_differs(name: str) -> None:
    mine = ours()
    mine = replace(mine, subscription={**mine.subscription, name: "other"})
    (one,) = compared(mine=mine)
    assert (one.kind, one.thing) == ("different", "subscription")
    assert one.values == {name: ("other", comparing.stored_fields(SNAPSHOT, PLAN)[name])}


def test_what_left_our_product_counts_as_over_as_a_sync_stores_it() -> None:
    gone = replace(SNAPSHOT, product_id="prod_mugs")
    assert comparing.stored_fields(gone, PLAN)["status"] == "canceled"
    assert comparing.deserved(gone, PLAN, ZONE).lapse is Reason.CANCELED
    closed = replace(gone, facts=replace(FACTS, status="incomplete_expired"))
    assert comparing.stored_fields(closed, PLAN)["status"] == "incomplete_expired"


def test_the_plan_is_that_of_the_product_else_that_of_our_row() -> None:
    gone = replace(SNAPSHOT, product_id="prod_mugs")
    assert comparing.plan_of(SNAPSHOT, None, PLANS) is PLAN
    assert comparing.plan_of(gone, {"plan": "annual"}, PLANS) is PLAN
    assert comparing.plan_of(gone, None, PLANS) is None
    assert comparing.plan_of(gone, {"plan": "forgotten"}, PLANS) is None


def test_a_payment_is_missing_different_or_extra() -> None:
    missing = compared(mine=ours(payments=()))
    assert [(one.kind, one.thing, one.id) for one in missing] == [("missing", "payment", "in_1")]
    (row,) = ours().payments
    (different,) = compared(mine=ours(payments=({**row, "amount": 1, "tax": 2},)))
    assert different.values == {"amount": (1, 10000), "tax": (2, 0)}
    (unpaid,) = compared(Listed(replace(SNAPSHOT, invoices=()), "in_1"))
    assert (unpaid.kind, unpaid.id) == ("extra", "in_1")
    later = {**row, "invoice_id": "in_2", "period_end": START + 2 * YEAR}
    (extra,) = compared(mine=ours(payments=(row, later)))
    assert (extra.kind, extra.id, extra.values["amount"]) == ("extra", "in_2", (10000, None))
    earlier = {**row, "invoice_id": "in_0", "period_end": START}
    assert compared(mine=ours(payments=(earlier, row))) == [], "the list tells nothing of earlier ones"


def test_what_paid_an_invoice_is_told_when_it_differs() -> None:
    (none,) = compared(mine=ours(parts={}))
    assert none.values == {"paid by pi_1": (None, 10000)}
    part = ours().parts["in_1"]["pi_1"]
    (two,) = compared(mine=ours(parts={"in_1": {"pi_1": part, "pi_2": part}}))
    assert two.values == {"paid by pi_2": (10000, None)}


def test_an_invoice_by_itself_is_compared_the_same_way() -> None:
    (row,) = ours().payments
    parts = ours().parts["in_1"]
    paid, unpaid = ListedInvoice("in_1", "sub_1", INVOICE), ListedInvoice("in_1", "sub_1", None)
    assert list(comparing.invoice(paid, row, parts)) == []
    assert [one.kind for one in comparing.invoice(paid, None, {})] == ["missing"]
    assert [one.kind for one in comparing.invoice(unpaid, row, parts)] == ["extra"]
    assert list(comparing.invoice(unpaid, None, {})) == []


def listed_case(status: str = "succeeded") -> ListedCase:
    return ListedCase("re_1", "pi_1", None, 100, "usd", status, NOW)


def test_a_case_is_missing_or_different() -> None:
    row = {"amount": 100, "currency": "usd", "status": "succeeded"}
    assert list(comparing.case("refund", listed_case(), row, "sub_1")) == []
    (missing,) = comparing.case("refund", listed_case(), None, "sub_1")
    assert (missing.kind, missing.values["amount"]) == ("missing", (None, 100))
    (different,) = comparing.case("dispute", listed_case("lost"), {**row, "status": "won"}, "sub_1")
    assert (different.kind, different.thing, different.values) == ("different", "dispute", {"status": ("won", "lost")})


@pytest.mark.parametrize("status", ["failed", "canceled", "requires_action"])
def test_a_refund_that_came_to_nothing_needs_no_row_but_a_row_must_be_right(status: str) -> None:
    assert list(comparing.case("refund", listed_case(status), None, "sub_1")) == []
    row = {"amount": 100, "currency": "usd", "status": "succeeded"}
    assert [one.kind for one in comparing.case("refund", listed_case(status), row, "sub_1")] == ["different"]


def test_access_is_compared_by_all_its_dates_its_reader_and_its_plan() -> None:
    mine = ours()
    for name in (*asdict(comparing.deserved(SNAPSHOT, PLAN, ZONE)), "reader_id", "plan"):
        wrong = replace(mine, entitlement={**mine.entitlement, name: "other"})
        (one,) = comparing.access(SNAPSHOT, wrong, PLAN, ZONE, NOW)
        assert (one.kind, one.thing, list(one.values)) == ("different", "entitlement", [name])
    (none,) = comparing.access(SNAPSHOT, replace(mine, entitlement=None), PLAN, ZONE, NOW)
    assert (none.kind, none.thing) == ("missing", "entitlement")


def test_the_money_of_our_rows_decides_on_access_as_a_sync_would() -> None:
    """A full refund in our rows, and access that was not ended: the row of the access is wrong."""
    refund = RefundSnapshot("re_1", "in_1", "pi_1", "ch_1", 10000, "usd", "succeeded", NOW - timedelta(days=1))
    mine = replace(ours(replace(SNAPSHOT, refunds=(refund,))), entitlement=ours().entitlement)
    (one,) = comparing.access(comparing.with_our_money(SNAPSHOT, mine), mine, PLAN, ZONE, NOW)
    assert one.values["lapse"] == (Reason.PERIOD_OVER, Reason.REFUNDED)
    assert one.values["until"][1] == refund.created_at


def test_what_should_have_been_ended_at_stripe_is_told() -> None:
    refund = RefundSnapshot("re_1", "in_1", "pi_1", "ch_1", 10000, "usd", "succeeded", NOW - timedelta(days=1))
    mine = ours(replace(SNAPSHOT, refunds=(refund,)))
    snapshot = comparing.with_our_money(SNAPSHOT, mine)
    mine = replace(mine, entitlement={**mine.entitlement, **asdict(comparing.deserved(snapshot, PLAN, ZONE))})
    (one,) = comparing.access(snapshot, mine, PLAN, ZONE, NOW)
    assert (one.kind, one.thing, one.values["status"][1]) == ("different", "subscription", "active")
    kept = replace(PLAN, on_full_refund="keep")
    assert not any(one.thing == "subscription" for one in comparing.access(snapshot, mine, kept, ZONE, NOW))


def test_payments_after_the_end_give_nothing_as_in_a_sync() -> None:
    ended = START + timedelta(days=30)
    closed = replace(SNAPSHOT, facts=replace(FACTS, status="canceled", ended_at=ended))
    late = replace(ours(), payments=({**ours().payments[0], "paid_at": ended + timedelta(days=1)},))
    assert comparing.with_our_money(closed, late).facts.periods == ()
