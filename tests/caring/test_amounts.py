"""Amounts as people type them: exact, above zero, within what is left."""

import pytest

from paywall.caring import amounts
from paywall.caring.shapes import BadField


@pytest.mark.parametrize(
    ("text", "amount"), [("100", 10000), ("0.01", 1), ("12.5", 1250), (" 99.99 ", 9999), ("100.00", 10000)]
)
def test_an_amount_is_read_to_the_cent(text: str, amount: int) -> None:
    assert amounts.read(text, 10000, "usd") == amount


@pytest.mark.parametrize(
    "text", ["-5", "+5", "", "five", "1e2", "1,50", "12.345", "٣", "$5", "0x10", "NaN", "inf", ".5", "5.", "999999999"]
)
def test_what_is_no_amount_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadField, match=r"Write an amount in USD above zero, such as 100\.00") as refused:
        amounts.read(text, 10000, "usd")
    assert refused.value.name == "amount"


def test_nothing_is_no_amount() -> None:
    with pytest.raises(BadField, match="above zero"):
        amounts.read("0.00", 10000, "usd")


def test_no_more_is_given_than_is_left() -> None:
    with pytest.raises(BadField, match=r"At most €40\.50 of this payment is left"):
        amounts.read("40.51", 4050, "eur")


@pytest.mark.parametrize("amount", [1, 10, 100, 1050, 9999999])
def test_what_a_field_shows_is_read_back(amount: int) -> None:
    for currency in ("usd", "jpy", "kwd"):
        assert amounts.read(amounts.shown(amount, currency), amount, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "amount"), [("500", "jpy", 500), ("1.005", "kwd", 1005), ("5", "kwd", 5000)]
)
def test_each_currency_is_read_in_its_own_minor_unit(text: str, currency: str, amount: int) -> None:
    """Else 500 yen typed would give 50,000 back."""
    assert amounts.read(text, 100_000, currency) == amount


def test_a_whole_yen_has_no_decimals() -> None:
    assert amounts.shown(1250, "jpy") == "1250"
    with pytest.raises(BadField, match=r"in JPY above zero, such as 1250: no sign"):
        amounts.read("12.50", 1250, "jpy")
