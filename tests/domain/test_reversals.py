"""What refunds and disputes mean, status by status."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.domain.reversals import STANDS, FullRefund, Given, Stand, full_refund, stand_of

T0 = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def given_back(amount: int, status: str = "succeeded", days: int = 0) -> Given:
    return Given(amount, status, T0 + timedelta(days=days))


@pytest.mark.parametrize(
    ("status", "stand"),
    [
        ("warning_needs_response", Stand.HARMLESS),
        ("warning_under_review", Stand.HARMLESS),
        ("warning_closed", Stand.HARMLESS),
        ("prevented", Stand.HARMLESS),
        ("won", Stand.HARMLESS),
        ("needs_response", Stand.OPEN),
        ("under_review", Stand.OPEN),
        ("appeal_needs_response", Stand.OPEN),
        ("appeal_under_review", Stand.OPEN),
        ("something_new", Stand.OPEN),
        ("lost", Stand.LOST),
    ],
)
def test_each_status_of_a_dispute_has_one_meaning_and_a_new_one_counts_as_open(status: str, stand: Stand) -> None:
    assert stand_of(status) is stand
    assert status in STANDS or status == "something_new"


def test_a_payment_is_given_back_once_the_parts_make_it_full() -> None:
    parts = [given_back(4000, days=1), given_back(6000, days=3), given_back(1, days=5)]
    assert full_refund(10000, parts[:1]) is None
    assert full_refund(10000, parts) == FullRefund(T0 + timedelta(days=3), arrived=True)


def test_what_is_on_its_way_counts_and_has_not_arrived() -> None:
    assert full_refund(10000, [given_back(10000, "pending")]) == FullRefund(T0, arrived=False)
    both = [given_back(4000), given_back(6000, "pending", 1)]
    assert full_refund(10000, both) == FullRefund(T0 + timedelta(days=1), arrived=False)


@pytest.mark.parametrize("status", ["failed", "canceled", "requires_action", "something_new"])
def test_what_did_not_leave_does_not_count(status: str) -> None:
    assert full_refund(10000, [given_back(10000, status)]) is None


def test_a_period_that_cost_nothing_cannot_be_given_back() -> None:
    """A trial, or a 100 % coupon."""
    assert full_refund(0, []) is None
    assert full_refund(0, [given_back(0)]) is None


refunds = st.lists(
    st.builds(
        given_back,
        st.integers(1, 12000),
        st.sampled_from(["succeeded", "pending", "failed", "canceled", "requires_action"]),
        st.integers(0, 30),
    ),
    max_size=6,
)


@given(refunds, st.integers(0, 12000), st.randoms())
def test_the_order_in_which_refunds_are_listed_does_not_matter(found: list[Given], paid: int, random) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    assert full_refund(paid, found) == full_refund(paid, shuffled)


@given(refunds, st.integers(1, 12000))
def test_a_full_refund_is_one_of_at_least_what_was_paid(found: list[Given], paid: int) -> None:
    full = full_refund(paid, found)
    left = [one for one in found if one.status in ("succeeded", "pending")]
    assert (full is not None) == (sum(one.amount for one in left) >= paid)
    if full is not None:
        assert sum(one.amount for one in left if one.at <= full.since) >= paid
        assert sum(one.amount for one in left if one.at < full.since) < paid
        assert full.arrived == (sum(one.amount for one in left if one.status == "succeeded") >= paid)
