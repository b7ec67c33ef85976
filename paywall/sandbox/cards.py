"""Stripe's test cards and bank accounts: what each does when it is saved, charged and refunded, and later.

Source: https://docs.stripe.com/testing.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """Why a bank says no: Stripe's codes and its sentence for the buyer."""

    code: str
    message: str
    decline_code: str | None = None
    advice_code: str | None = None
    network_decline_code: str | None = None


GENERIC = Decline("card_declined", "Your card was declined.", "generic_decline", "try_again_later", "01")
FUNDS = Decline("card_declined", "Your card has insufficient funds.", "insufficient_funds")
LOST = Decline("card_declined", "Your card was declined.", "lost_card")
STOLEN = Decline("card_declined", "Your card was declined.", "stolen_card")
EXPIRED = Decline("expired_card", "Your card has expired.")
CVC = Decline("incorrect_cvc", "Your card's security code is incorrect.")
PROCESSING = Decline("processing_error", "An error occurred while processing your card. Try again in a little bit.")
UNAUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
NOT_A_TEST_CARD = Decline(
    "card_declined",
    "Your card was declined. Your request was in test mode, but used a non test (live) card. "
    "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
    "test_mode_live_card",
)
NO_MONEY = Decline("insufficient_funds", "The customer's account has insufficient funds to cover this payment.")

# What can be asked of the next charge by name, whatever card it is made with.
BY_REASON = {decline.decline_code or decline.code: decline for decline in (GENERIC, FUNDS, LOST, STOLEN, EXPIRED, CVC)}
BY_REASON["processing_error"] = PROCESSING


@dataclass(frozen=True)
class Card:
    """A test card. `refused` already stops it being saved, `declined` only its charge; `asks` means 3D Secure.

    `later` names what follows a payment: the reason of a dispute, `inquiry` or `fraud_warning`.
    `refunds` says how a refund begins where it does not simply succeed: `pending`, or `failing` to fail later.
    `delayed` marks a bank account: what becomes of a payment is known days later.
    `once` means that it asks no more once its customer has agreed to be charged later.
    """

    number: str
    token: str
    brand: str = "visa"
    refused: Decline | None = None
    declined: Decline | None = None
    asks: bool = False
    funding: str = "credit"
    later: str = ""
    refunds: str = ""
    delayed: bool = False
    once: bool = False

    @property
    def last4(self) -> str:
        """The digits that may be shown."""
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        """The same text for the same card number, wherever it was typed."""
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]


CARDS = (
    Card("4242424242424242", "pm_card_visa"),
    Card("4000056655665556", "pm_card_visa_debit", funding="debit"),
    Card("5555555555554444", "pm_card_mastercard", "mastercard"),
    Card("378282246310005", "pm_card_amex", "amex"),
    Card("6011111111111117", "pm_card_discover", "discover"),
    Card("4000000000000002", "pm_card_chargeDeclined", refused=GENERIC),
    Card("4000000000009995", "pm_card_chargeDeclinedInsufficientFunds", refused=FUNDS),
    Card("4000000000009987", "pm_card_chargeDeclinedLostCard", refused=LOST),
    Card("4000000000009979", "pm_card_chargeDeclinedStolenCard", refused=STOLEN),
    Card("4000000000000069", "pm_card_chargeDeclinedExpiredCard", refused=EXPIRED),
    Card("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", refused=CVC),
    Card("4000000000000119", "pm_card_chargeDeclinedProcessingError", refused=PROCESSING),
    Card("4000000000000341", "pm_card_chargeCustomerFail", declined=GENERIC),
    Card("4000002500003155", "pm_card_authenticationRequiredOnSetup", asks=True, once=True),
    Card("4000002760003184", "pm_card_authenticationRequired", asks=True),
    Card("4000000000003220", "pm_card_threeDSecure2Required", asks=True),
    Card("4000008400001629", "pm_card_threeDSecureRequiredChargeDeclined", asks=True, declined=GENERIC),
    Card("4000000000000259", "pm_card_createDispute", later="fraudulent"),
    Card("4000000000002685", "pm_card_createDisputeProductNotReceived", later="product_not_received"),
    Card("4000000000001976", "pm_card_createDisputeInquiry", later="inquiry"),
    Card("4000000000005423", "pm_card_createIssuerFraudRecord", later="fraud_warning"),
    Card("4000000000007726", "pm_card_pendingRefund", refunds="pending"),
    Card("4000000000005126", "pm_card_refundFail", refunds="failing"),
)
ROUTING_NUMBER = "110000000"
BANKS = (
    Card("000123456789", "pm_usBankAccount_success", "bank", delayed=True),
    Card("000222222227", "pm_usBankAccount_insufficientFunds", "bank", declined=NO_MONEY, delayed=True),
    Card("000000000009", "pm_usBankAccount_processing", "bank", delayed=True),
)
NEVER_SETTLES = "000000000009"
BANK_BY_NUMBER = {bank.number: bank for bank in BANKS}
BY_NUMBER = {card.number: card for card in CARDS}
BY_TOKEN = {card.token: card for card in CARDS}
BY_FINGERPRINT = {card.fingerprint: card for card in (*CARDS, *BANKS)}


def card_behind(number: str) -> Card | Decline:
    """Return the test card of a valid number, or why any other number is declined here."""
    return BY_NUMBER.get(number, NOT_A_TEST_CARD)


def luhn(number: str) -> bool:
    """Return whether the check digit is right."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = (digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
