"""Test cards are told from real ones, and each is known by number, token and fingerprint."""

import pytest

from paywall.sandbox.cards import (
    BY_FINGERPRINT,
    BY_NUMBER,
    BY_TOKEN,
    CARDS,
    NOT_A_TEST_CARD,
    NOT_PLAYED,
    NOT_PLAYED_YET,
    card_behind,
    luhn,
)


def test_every_card_has_a_right_check_digit():
    assert all(luhn(number) for number in [*BY_NUMBER, *NOT_PLAYED_YET])


def test_no_two_cards_are_confused():
    assert len(CARDS) == len(BY_NUMBER) == len(BY_TOKEN) == len(BY_FINGERPRINT)
    assert not NOT_PLAYED_YET & set(BY_NUMBER)


@pytest.mark.parametrize("number", ["4242424242424241", "4242424242424243", "1234567812345678"])
def test_a_wrong_digit_is_seen(number):
    assert not luhn(number)


def test_any_other_number_is_declined_as_a_live_card():
    assert card_behind("4111111111111111") is NOT_A_TEST_CARD
    assert card_behind("4242424242424242") is BY_TOKEN["pm_card_visa"]


@pytest.mark.parametrize("number", sorted(NOT_PLAYED_YET))
def test_cards_whose_later_life_is_not_played_say_so(number):
    assert card_behind(number) is NOT_PLAYED


def test_a_fingerprint_does_not_hold_the_number():
    assert all(card.number not in card.fingerprint for card in CARDS)
