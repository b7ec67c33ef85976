"""Amounts in minor units are written as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.sandbox.money import rhythm, shared_out, written


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (10000, "usd", "$100.00"),
        (5, "usd", "$0.05"),
        (123456789, "eur", "€1,234,567.89"),
        (500, "jpy", "¥500"),
        (1000, "krw", "1,000 KRW"),
        (150, "sek", "1.50 SEK"),
    ],
)
def test_amounts_are_written(amount, currency, text):
    assert written(amount, currency) == text


def test_rhythms_are_written():
    assert (rhythm("year", 1), rhythm("month", 3)) == ("year", "3 months")


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (1333, [10000, 3333], [1000, 333]),
        (3, [1, 1, 1, 1, 1], [1, 0, 1, 0, 1]),
        (100, [0, 5, 0], [0, 100, 0]),
        (0, [7, 7], [0, 0]),
        (5, [], []),
    ],
)
def test_an_amount_is_shared_out_by_weight(amount, weights, shares):
    assert shared_out(amount, weights) == shares


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), min_size=1, max_size=20))
def test_shares_add_up_and_none_is_more_than_its_line(part, weights):
    amount = min(part, sum(weights))
    shares = shared_out(amount, weights)
    assert sum(shares) == amount
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))
