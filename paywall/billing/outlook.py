"""Reads what a subscription's next payments hang on: until when its card is good, and what is owed and tried again."""

import calendar
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from paywall.billing.reading import Json, at, moment
from paywall.billing.snapshots import OpenInvoice
from paywall.domain.lifecycle import Group, group_of

# opens the card in the answer about a subscription, so that it costs no request of its own
EXPANDED = ["default_payment_method", "customer.invoice_settings.default_payment_method"]


def card_ends_on(body: Json) -> date | None:
    """The last day of the card that the next renewal of an opened ``subscription`` charges.

    None where no method is known, or it is no card.
    """
    method = body.get("default_payment_method") or at(body, "customer", "invoice_settings", "default_payment_method")
    return _last_day(at(method, "card"))


def kept_card(body: Json) -> date | None:
    """The same, for a subscription that may still charge it; of one that is over no card is kept."""
    return None if group_of(body["status"]) is Group.CLOSED else card_ends_on(body)


def owed(bills: Iterable[Json]) -> tuple[OpenInvoice, ...]:
    """Those of the ``invoice`` objects whose payment was tried and failed, and that can still be paid."""
    return tuple(_open(bill) for bill in bills if bill.get("status") == "open" and (bill.get("attempt_count") or 0) > 0)


def _open(bill: Json) -> OpenInvoice:
    return OpenInvoice(
        id=bill["id"],
        amount=bill.get("amount_remaining") or 0,
        currency=bill["currency"],
        attempts=bill["attempt_count"],
        next_try_at=moment(bill.get("next_payment_attempt")),
    )


def _last_day(card: Any) -> date | None:
    if not isinstance(card, Mapping):
        return None
    year, month = card.get("exp_year"), card.get("exp_month")
    if not isinstance(year, int) or not isinstance(month, int):
        return None
    return date(year, month, calendar.monthrange(year, month)[1])
