"""Amounts of money as people type them, in the currency's whole units."""

import re

from paywall.caring.shapes import BadField
from paywall.domain.plans import digits_of, price_of

_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,8})(?:\.(?P<rest>[0-9]{1,3}))?")


def read(text: str, most: int, currency: str) -> int:
    """Minor units of the currency, at least one and not more than ``most``. Raises BadField."""
    found, digits = _AMOUNT.fullmatch(text.strip()), digits_of(currency)
    if found is None or len(found["rest"] or "") > digits:
        example = shown(most, currency)
        raise BadField("amount", f"Write an amount in {currency.upper()} above zero, such as {example}: no sign.")
    amount = int(found["whole"] + (found["rest"] or "").ljust(digits, "0"))
    if amount == 0:
        raise BadField("amount", "Write an amount above zero.")
    if amount > most:
        raise BadField("amount", f"At most {price_of(most, currency)} of this payment is left to give back.")
    return amount


def shown(amount: int, currency: str) -> str:
    """Minor units as a field holds them: 12.50 dollars, 1250 yen."""
    digits = digits_of(currency)
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}}" if digits else str(whole)
