"""Amounts of money as people type them, in the currency's whole units."""

import re

from paywall.caring.shapes import BadField
from paywall.domain.plans import price_of

_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,7})(?:\.(?P<rest>[0-9]{1,2}))?")


def read(text: str, most: int, currency: str) -> int:
    """Minor units, at least one and not more than ``most``. Raises BadField."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise BadField("amount", f"Write an amount in {currency.upper()} above zero, such as {shown(most)}: no sign.")
    amount = int(found["whole"]) * 100 + int((found["rest"] or "").ljust(2, "0"))
    if amount == 0:
        raise BadField("amount", "Write an amount above zero.")
    if amount > most:
        raise BadField("amount", f"At most {price_of(most, currency)} of this payment is left to give back.")
    return amount


def shown(amount: int) -> str:
    """Minor units as a field holds them: 12.50."""
    return f"{amount // 100}.{amount % 100:02}"
