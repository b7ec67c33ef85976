"""Amounts in minor units are written as people read them."""

import pytest

from paywall.sandbox.money import rhythm, written


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
