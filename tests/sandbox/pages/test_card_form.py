"""The form's checks say what Stripe's page says."""

from datetime import UTC, datetime

import pytest

from paywall.sandbox.pages.card_form import read_form

NOW = datetime(2026, 11, 22, tzinfo=UTC)
GOOD = {
    "email": "reader@example.com",
    "cardNumber": "4242 4242 4242 4242",
    "cardExpiry": "12 / 34",
    "cardCvc": "123",
    "billingName": "A Reader",
}


def read(**changes):
    return read_form({**GOOD, **changes}, None, NOW)


def test_a_good_form_has_no_errors():
    form = read()
    assert form.errors == {}
    assert (form.number, form.exp) == ("4242424242424242", (12, 2034))


@pytest.mark.parametrize("number", ["4242424242424242", "4242-4242-4242-4242", " 4242  42424242 4242 "])
def test_the_number_may_have_spaces_and_dashes(number):
    assert read(cardNumber=number).number == "4242424242424242"


@pytest.mark.parametrize(
    ("expiry", "exp"),
    [
        ("12/34", (12, 2034)),
        ("1/27", (1, 2027)),
        ("1234", (12, 2034)),
        ("12 / 2034", (12, 2034)),
        ("11/26", (11, 2026)),
        ("11/76", (11, 2076)),
    ],
)
def test_the_expiry_may_be_written_in_several_ways(expiry, exp):
    form = read(cardExpiry=expiry)
    assert (form.errors, form.exp) == ({}, exp)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("cardNumber", "", "Your card number is incomplete."),
        ("cardNumber", "4242 4242", "Your card number is incomplete."),
        ("cardNumber", "4242424242424241", "Your card number is invalid."),
        ("cardNumber", "4242x24242424242", "Your card number is invalid."),
        ("cardNumber", "42424242424242424242424242424242", "Your card number is invalid."),
        ("cardNumber", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", "Your card number is invalid."),
        ("cardExpiry", "", "Your card's expiration date is incomplete."),
        ("cardExpiry", "12/3", "Your card's expiration date is incomplete."),
        ("cardExpiry", "13/30", "Your card's expiration date is invalid."),
        ("cardExpiry", "00/30", "Your card's expiration date is invalid."),
        ("cardExpiry", "12/25", "Your card's expiration year is in the past."),
        ("cardExpiry", "10/26", "Your card's expiration date is in the past."),
        ("cardExpiry", "01/99", "Your card's expiration year is invalid."),
        ("cardCvc", "", "Your card's security code is incomplete."),
        ("cardCvc", "12", "Your card's security code is incomplete."),
        ("cardCvc", "12a", "Your card's security code is incomplete."),
        ("email", "", "Enter your email address."),
        ("email", "reader@example", "Your email address is invalid."),
        ("email", "a b@example.com", "Your email address is invalid."),
        ("billingName", " ", "Enter the name on the card."),
    ],
)
def test_a_wrong_field_is_told_and_no_other(field, value, message):
    assert read(**{field: value}).errors == {field: message}


def test_american_express_has_a_code_of_four_digits():
    amex = "378282246310005"
    assert read(cardNumber=amex, cardCvc="1234").errors == {}
    assert set(read(cardNumber=amex, cardCvc="123").errors) == {"cardCvc"}


def test_an_address_that_the_session_fixed_is_not_taken_from_the_form():
    form = read_form({**GOOD, "email": "other@example.com"}, "fixed@example.com", NOW)
    assert form.values["email"] == "fixed@example.com"


def test_an_empty_form_marks_every_field():
    assert set(read_form({}, None, NOW).errors) == set(GOOD)
