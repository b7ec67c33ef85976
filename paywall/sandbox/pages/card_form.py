"""The card form of the hosted pages: what was typed, checked with the messages that Stripe shows."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from paywall.sandbox.cards import BANK_BY_NUMBER, luhn

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
CARD = ("cardNumber", "cardExpiry", "cardCvc", "billingName")
FIELDS = ("email", *CARD)
BANK = ("email", "billingName", "bankAccount")


@dataclass
class CardForm:
    """The typed values and, by field, what is wrong with them."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    exp: tuple[int, int] = (0, 0)

    @property
    def number(self) -> str:
        """The card's digits without the spaces between them."""
        return re.sub(r"[\s-]", "", self.values["cardNumber"])


def read_form(
    sent: Mapping[str, str], fixed_email: str | None, now: datetime, asked: Collection[str] = FIELDS
) -> CardForm:
    """Check the fields of a posted form that were asked for; an address that is fixed is not taken from it."""
    values = {name: sent.get(name, "").strip()[:512] for name in {*FIELDS, *asked}}
    if fixed_email:
        values["email"] = fixed_email
    form = CardForm(values)
    checks: dict[str, Callable[[], str | None]] = {
        "email": lambda: check_email(values["email"]),
        "cardNumber": lambda: check_number(form.number),
        "cardExpiry": lambda: check_expiry(form, now),
        "cardCvc": lambda: check_cvc(values["cardCvc"], form.number),
        "billingName": lambda: None if values["billingName"] else "Enter the name on the card.",
        "bankAccount": lambda: None if values["bankAccount"] in BANK_BY_NUMBER else "Choose one of the test accounts.",
    }
    problems = {name: check() for name, check in checks.items() if name in asked}
    form.errors = {name: message for name, message in problems.items() if message}
    return form


def check_email(email: str) -> str | None:
    """An address that could be real."""
    if not email:
        return "Enter your email address."
    return None if EMAIL.fullmatch(email) else "Your email address is invalid."


def check_number(number: str) -> str | None:
    """Only the number itself; whether it is a test card is for the bank to say."""
    if re.fullmatch(r"[0-9]{0,11}", number):
        return "Your card number is incomplete."
    if not re.fullmatch(r"[0-9]{12,19}", number) or not luhn(number):
        return "Your card number is invalid."
    return None


def check_expiry(form: CardForm, now: datetime) -> str | None:
    """MM/YY or MM/YYYY, not past; sets the form's month and year."""
    match = re.fullmatch(r"(\d{1,2})\s*/\s*(\d{4}|\d{2})|(\d{2})(\d{2})", form.values["cardExpiry"])
    if not match:
        return "Your card's expiration date is incomplete."
    month, year = int(match[1] or match[3]), int(match[2] or match[4])
    year += 2000 if year < 100 else 0
    if not 1 <= month <= 12:
        return "Your card's expiration date is invalid."
    if year < now.year:
        return "Your card's expiration year is in the past."
    if (year, month) < (now.year, now.month):
        return "Your card's expiration date is in the past."
    if year > now.year + 50:
        return "Your card's expiration year is invalid."
    form.exp = (month, year)
    return None


def check_cvc(code: str, number: str) -> str | None:
    """Three digits, four on American Express."""
    length = 4 if number.startswith(("34", "37")) else 3
    return None if re.fullmatch(rf"[0-9]{{{length}}}", code) else "Your card's security code is incomplete."
