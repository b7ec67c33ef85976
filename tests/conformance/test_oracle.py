"""The judge itself: examples of what the design and the plan promise, each said by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from paywall.domain.plans import Plan, load_plan
from paywall.settings import load_settings
from tests.conformance.oracle import Case, Deserved, judge

ZONE = ZoneInfo("America/New_York")
START = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
END = datetime(2027, 3, 4, 15, 30, tzinfo=UTC)
NEXT = datetime(2028, 3, 4, 15, 30, tzinfo=UTC)
MIDSUMMER = datetime(2026, 6, 21, tzinfo=UTC)
LAST_DAY = datetime(2027, 3, 5, 5, 0, tzinfo=UTC)  # midnight in New York after the paid period


@pytest.fixture(scope="module")
def plan() -> Plan:
    return load_settings(database={"url": "sqlite://"}).plans["annual"]


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def invoice(plan: Plan, start: datetime = START, end: datetime = END, **fields: Any) -> dict[str, Any]:
    """A paid invoice of one period."""
    line = {
        "period": {"start": seconds(start), "end": seconds(end)},
        "parent": {"subscription_item_details": {"proration": False}},
        "pricing": {"price_details": {"product": plan.product}},
    }
    known = {"id": f"in_{seconds(start)}", "status": "paid", "attempt_count": 1, "amount_paid": 10_000}
    known["status_transitions"] = {"paid_at": seconds(start)}
    return {**known, "lines": {"data": [line]}, **fields}


def case(*invoices: dict[str, Any], refunds: Any = (), disputes: Any = (), **fields: Any) -> Case:
    """A subscription; refunds and disputes are of its first invoice."""
    body = {
        "id": "sub_1",
        "status": "active",
        "cancel_at": None,
        "cancel_at_period_end": False,
        "ended_at": None,
        "cancellation_details": {"reason": None},
        "pause_collection": None,
        "metadata": {"reader": "rdr_1"},
        **fields,
    }
    first = invoices[0]["id"] if invoices else ""
    return Case(body, list(invoices), {first: list(refunds)}, {first: list(disputes)})


def refund(amount: int, status: str = "succeeded", at: datetime = MIDSUMMER) -> dict[str, Any]:
    return {"amount": amount, "status": status, "created": seconds(at)}


def test_a_paid_year_lasts_to_the_end_of_its_last_day_and_three_days_more_while_it_renews(plan: Plan) -> None:
    until = datetime(2027, 3, 8, 5, 0, tzinfo=UTC)
    running = case(invoice(plan))
    assert judge(running, plan, ZONE, MIDSUMMER) == Deserved("active", until, "paid")
    assert judge(running, plan, ZONE, END) == Deserved("active", until, "renewal_due")
    assert judge(running, plan, ZONE, until) == Deserved("ended", until, "period_over")


def test_nothing_is_deserved_before_anything_is_paid(plan: Plan) -> None:
    open_invoice = invoice(plan, status="open", attempt_count=0)
    assert judge(case(open_invoice, status="incomplete"), plan, ZONE, MIDSUMMER).state == "pending"
    assert judge(case(open_invoice, status="incomplete_expired"), plan, ZONE, MIDSUMMER).reason == "never_paid"


def test_a_failed_renewal_gives_fourteen_days_from_the_unpaid_period(plan: Plan) -> None:
    late = case(invoice(plan), invoice(plan, END, NEXT, status="open", amount_paid=0), status="past_due")
    until = datetime(2027, 3, 19, 4, 0, tzinfo=UTC)  # summer time has begun
    assert judge(late, plan, ZONE, END) == Deserved("grace", until, "payment_failed")
    assert judge(late, plan, ZONE, until).state == "ended"


def test_after_a_year_that_nobody_paid_a_failed_renewal_gives_no_grace(plan: Plan) -> None:
    later = datetime(2029, 3, 4, 15, 30, tzinfo=UTC)
    voided = invoice(plan, END, NEXT, status="void", amount_paid=0)
    failed = invoice(plan, NEXT, later, status="open", amount_paid=0)
    late = case(invoice(plan), voided, failed, status="past_due")
    assert judge(late, plan, ZONE, NEXT) == Deserved("ended", LAST_DAY, "payment_failed")


@pytest.mark.parametrize("how", [{"cancel_at_period_end": True}, {"cancel_at": seconds(END)}])
def test_a_planned_end_takes_the_slack_away(plan: Plan, how: dict[str, Any]) -> None:
    assert judge(case(invoice(plan), **how), plan, ZONE, MIDSUMMER) == Deserved("active", LAST_DAY, "paid")
    assert judge(case(invoice(plan), **how), plan, ZONE, LAST_DAY).reason == "canceled"


def test_an_immediate_end_lasts_to_the_end_of_that_day(plan: Plan) -> None:
    over = case(invoice(plan), status="canceled", ended_at=seconds(MIDSUMMER))
    assert judge(over, plan, ZONE, MIDSUMMER).until == datetime(2026, 6, 21, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("refunds", "state"),
    [
        ([refund(10_000)], "ended"),
        ([refund(10_000, "pending")], "ended"),
        ([refund(4_000), refund(6_000)], "ended"),
        ([refund(4_000)], "active"),
        ([refund(10_000, "failed")], "active"),
        ([refund(10_000, "canceled")], "active"),
        ([refund(10_000, "requires_action")], "active"),
    ],
)
def test_only_money_that_goes_back_in_full_ends_access(plan: Plan, refunds: Any, state: str) -> None:
    found = judge(case(invoice(plan), refunds=refunds), plan, ZONE, MIDSUMMER)
    assert found.state == state
    assert (found.reason == "refunded") == (state == "ended")


def test_money_that_comes_after_the_end_revives_nothing(plan: Plan) -> None:
    late = invoice(plan, END, NEXT, status_transitions={"paid_at": seconds(LAST_DAY)})
    over = case(invoice(plan), late, status="canceled", ended_at=seconds(END))
    assert judge(over, plan, ZONE, LAST_DAY) == Deserved("ended", LAST_DAY, "payment_failed")


def test_a_refund_changes_nothing_where_the_plan_says_so(plan: Plan) -> None:
    keeps = replace(plan, on_full_refund="keep")
    assert judge(case(invoice(plan), refunds=[refund(10_000)]), keeps, ZONE, MIDSUMMER).state == "active"


@pytest.mark.parametrize(("days", "reason"), [(-1, "dispute_lost"), (1, "refunded")])
def test_of_a_refund_and_a_lost_dispute_the_earlier_ends_access(plan: Plan, days: int, reason: str) -> None:
    lost = {"status": "lost", "created": seconds(MIDSUMMER + timedelta(days=days))}
    found = judge(case(invoice(plan), refunds=[refund(10_000)], disputes=[lost]), plan, ZONE, END)
    assert (found.reason, found.until) == (reason, MIDSUMMER + timedelta(days=min(days, 0)))


def test_the_refund_of_an_old_period_changes_nothing(plan: Plan) -> None:
    renewed = case(invoice(plan), invoice(plan, END, NEXT), refunds=[refund(10_000, at=END)])
    assert judge(renewed, plan, ZONE, END).state == "active"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("needs_response", "suspended"),
        ("under_review", "suspended"),
        ("appeal_under_review", "suspended"),
        ("a_status_of_tomorrow", "suspended"),
        ("warning_needs_response", "active"),
        ("won", "active"),
        ("prevented", "active"),
        ("lost", "ended"),
    ],
)
def test_a_dispute_holds_until_it_is_decided(plan: Plan, status: str, state: str) -> None:
    fought = case(invoice(plan), disputes=[{"status": status, "created": seconds(MIDSUMMER)}])
    assert judge(fought, plan, ZONE, MIDSUMMER).state == state


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [([], "ended"), (["lost"], "ended"), (["under_review"], "suspended"), (["won"], "active")],
)
def test_one_that_stripe_ended_over_a_dispute_follows_the_dispute(plan: Plan, verdicts: list[str], state: str) -> None:
    disputes = [{"status": one, "created": seconds(START)} for one in verdicts]
    why = {"reason": "payment_disputed", "comment": None}
    over = {"status": "canceled", "ended_at": seconds(START), "cancellation_details": why}
    found = judge(case(invoice(plan), disputes=disputes, **over), plan, ZONE, MIDSUMMER)
    assert (found.state, found.reason == "dispute_lost") == (state, state == "ended")


@pytest.mark.parametrize(("status", "state"), [("succeeded", "ended"), ("failed", "active"), ("canceled", "active")])
def test_one_that_the_service_ended_for_a_refund_follows_the_refund(plan: Plan, status: str, state: str) -> None:
    why = {"reason": "cancellation_requested", "comment": "paywall: refunded"}
    over = {"status": "canceled", "ended_at": seconds(START), "cancellation_details": why}
    back = case(invoice(plan), refunds=[refund(10_000, status, at=START)], **over)
    assert judge(back, plan, ZONE, MIDSUMMER).state == state
    by_staff = case(invoice(plan), **over | {"cancellation_details": {"reason": "cancellation_requested"}})
    assert judge(by_staff, plan, ZONE, MIDSUMMER).state == "ended"


def test_a_pause_holds_and_paused_collection_does_not(plan: Plan) -> None:
    assert judge(case(invoice(plan), status="paused"), plan, ZONE, MIDSUMMER).reason == "paused"
    collecting = {"pause_collection": {"behavior": "void"}}
    assert judge(case(invoice(plan), **collecting), plan, ZONE, MIDSUMMER).state == "active"
    strict = replace(plan, on_pause_collection="suspend")
    assert judge(case(invoice(plan), **collecting), strict, ZONE, MIDSUMMER).reason == "collection_paused"


def test_a_status_of_tomorrow_is_no_access(plan: Plan) -> None:
    assert judge(case(invoice(plan), status="dreaming"), plan, ZONE, MIDSUMMER).reason == "unknown_status"


def test_another_product_gives_nothing(plan: Plan) -> None:
    other = load_plan("mug", {**_fields(plan), "product": "prod_mug"})
    assert not judge(case(invoice(other)), plan, ZONE, MIDSUMMER).access


def _fields(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in plan.__slots__ if name != "key"}
