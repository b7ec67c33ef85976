"""Test cards are told from real ones, and each is known by number, token and fingerprint."""

import re
from pathlib import Path

import pytest

from paywall.sandbox.cards import (
    BANKS,
    BY_FINGERPRINT,
    BY_NUMBER,
    BY_REASON,
    BY_TOKEN,
    CARDS,
    NOT_A_TEST_CARD,
    card_behind,
    luhn,
)


def test_every_card_has_a_right_check_digit():
    assert all(luhn(number) for number in BY_NUMBER)


def test_no_two_cards_are_confused():
    assert len(CARDS) == len(BY_NUMBER) == len(BY_TOKEN) == len(BY_FINGERPRINT) - len(BANKS)


@pytest.mark.parametrize("number", ["4242424242424241", "4242424242424243", "1234567812345678"])
def test_a_wrong_digit_is_seen(number):
    assert not luhn(number)


def test_any_other_number_is_declined_as_a_live_card():
    assert card_behind("4111111111111111") is NOT_A_TEST_CARD
    assert card_behind("4242424242424242") is BY_TOKEN["pm_card_visa"]


@pytest.mark.parametrize(
    "number", ["0000000000259", "0000000002685", "0000000001976", "0000000005423", "0000000007726", "0000000005126"]
)
def test_cards_with_a_later_life_are_played(number):
    card = card_behind(f"400{number}")
    assert card.later or card.refunds
    assert not card.refused
    assert not card.declined


def test_each_reason_that_can_be_ordered_is_known_by_its_own_code():
    assert BY_REASON["insufficient_funds"].decline_code == "insufficient_funds"
    assert BY_REASON["expired_card"].code == "expired_card"
    assert {"generic_decline", "lost_card", "stolen_card", "incorrect_cvc", "processing_error"} <= set(BY_REASON)


def test_a_fingerprint_does_not_hold_the_number():
    assert all(card.number not in card.fingerprint for card in CARDS)


def test_the_documentation_names_every_number_and_no_other():
    text = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text()
    numbers = {one for row in text.splitlines() if row.startswith("|") for one in re.findall(r"\b[0-9]{12,16}\b", row)}
    assert numbers == {card.number for card in (*CARDS, *BANKS)}
