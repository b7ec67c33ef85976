"""Until when the card of a subscription is good: asked of Stripe where somebody is to be told, and never kept."""

import calendar
from collections.abc import Mapping
from datetime import date
from typing import Any

from paywall.billing.stripe_gateway import StripeGateway

_METHODS: Any = {"expand": ["default_payment_method", "customer.invoice_settings.default_payment_method"]}


def last_day(gateway: StripeGateway, subscription_id: str) -> date | None:
    """The last day of the card that the next renewal charges; None where none is known, or it is no card.

    Asked once, without repetitions: a page waits for it. Raises StripeUnavailable, StripeNotFound, StripeRefused.
    """
    body = gateway.ask(
        "card.fetch",
        lambda client: client.v1.subscriptions.retrieve(
            subscription_id, _METHODS, options={"max_network_retries": 0}
        ).to_dict(),
        subscription=subscription_id,
    )
    customer = body.get("customer")
    settings = customer.get("invoice_settings") if isinstance(customer, Mapping) else None
    method = body.get("default_payment_method") or (settings or {}).get("default_payment_method")
    card = method.get("card") if isinstance(method, Mapping) else None
    if not card:
        return None
    year, month = int(card["exp_year"]), int(card["exp_month"])
    return date(year, month, calendar.monthrange(year, month)[1])
