"""What refunds and disputes mean: when a payment is given back in full, and where a dispute stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# https://docs.stripe.com/api/refunds/object#refund_object-status
ARRIVED = frozenset({"succeeded"})
UNDER_WAY = frozenset({"pending"})  # the money has left; should it fail, Stripe says so later
IN_VAIN = frozenset({"failed", "canceled"})  # also one that had succeeded may fail, days later


class Stand(StrEnum):
    """Where a dispute stands, as far as access goes."""

    HARMLESS = "harmless"  # an inquiry, or decided for us
    OPEN = "open"
    LOST = "lost"


# https://docs.stripe.com/api/disputes/object#dispute_object-status
STANDS: dict[str, Stand] = {
    "warning_needs_response": Stand.HARMLESS,
    "warning_under_review": Stand.HARMLESS,
    "warning_closed": Stand.HARMLESS,
    "prevented": Stand.HARMLESS,
    "won": Stand.HARMLESS,
    "needs_response": Stand.OPEN,
    "under_review": Stand.OPEN,
    "appeal_needs_response": Stand.OPEN,
    "appeal_under_review": Stand.OPEN,
    "lost": Stand.LOST,
}


def stand_of(status: str) -> Stand:
    """Where a dispute of this status stands; a status that Stripe invented after this was written counts as open."""
    return STANDS.get(status, Stand.OPEN)


@dataclass(frozen=True, slots=True)
class Given:
    """A refund: minor units, Stripe's status, when it was asked for."""

    amount: int
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FullRefund:
    """A payment was given back in full ``since`` then; ``arrived`` once Stripe calls all of it succeeded."""

    since: datetime
    arrived: bool


def full_refund(paid: int, refunds: Iterable[Given]) -> FullRefund | None:
    """Since when ``paid`` minor units are given back or on their way; None while a part is left.

    What failed, was cancelled or waits for somebody to act does not count; nor is nothing ever given back.
    """
    counted = sorted((one for one in refunds if one.status in ARRIVED | UNDER_WAY), key=lambda one: one.at)
    total = 0
    for one in counted:
        total += one.amount
        if 0 < paid <= total:
            arrived = sum(each.amount for each in counted if each.status in ARRIVED) >= paid
            return FullRefund(one.at, arrived)
    return None
