"""Subscriptions and their items as Stripe shows them, flexible billing."""

from collections.abc import Sequence
from typing import NamedTuple

from paywall.sandbox.periods import period_end
from paywall.sandbox.shapes.lists import embedded, nulls
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.ids import new_id


class Bought(NamedTuple):
    """A price and how many of it; `metadata` goes to the subscription's item."""

    price: Json
    quantity: int
    metadata: dict[str, str]


def plan_shape(price: Json) -> Json:
    """The price in the old shape that subscriptions still carry beside it."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": recurring["usage_type"],
    }


def item_shape(subscription_id: str, bought: Bought, now: int, trial_end: int | None = None) -> Json:
    """One price of a subscription with its current period, which during a trial is the trial."""
    recurring = bought.price["recurring"]
    end = trial_end or period_end(now, recurring["interval"], recurring["interval_count"])
    return {
        "id": new_id("si"),
        "object": "subscription_item",
        "billed_until": end,
        "billing_thresholds": None,
        "created": now,
        "current_period_end": end,
        "current_period_start": now,
        "current_trial": None,
        "discounts": [],
        "metadata": bought.metadata,
        "plan": plan_shape(bought.price),
        "price": bought.price,
        "quantity": bought.quantity,
        "subscription": subscription_id,
        "tax_rates": [],
    }


SUBSCRIPTION_NULLS = (
    "application application_fee_percent billing_cycle_anchor_config billing_thresholds cancel_at "
    "canceled_at customer_account days_until_due default_payment_method default_source description "
    "ended_at latest_invoice next_pending_invoice_item_invoice on_behalf_of pause_collection "
    "pending_invoice_item_interval pending_setup_intent pending_update schedule status_details test_clock "
    "transfer_data trial_end trial_start"
)
SETTINGS = {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"}


def subscription_shape(customer: str, bought: Sequence[Bought], now: int, **known: Value) -> Json:
    """A subscription that begins now; `known` fields replace the usual ones, `trial_end` makes it a trial."""
    subscription_id = new_id("sub")
    trial_end = known.get("trial_end")
    items = [item_shape(subscription_id, one, now, trial_end) for one in bought]
    url = f"/v1/subscription_items?subscription={subscription_id}"
    single = items[0] if len(items) == 1 else None
    return (
        nulls(SUBSCRIPTION_NULLS)
        | {
            "id": subscription_id,
            "object": "subscription",
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": trial_end or now,
            "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": now},
            "billing_schedules": [],
            "cancel_at_period_end": False,
            "cancellation_details": {"comment": None, "feedback": None, "reason": None},
            "collection_method": "charge_automatically",
            "created": now,
            "currency": bought[0].price["currency"],
            "customer": customer,
            "default_tax_rates": [],
            "discounts": [],
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
            "items": embedded(items, url, total_count=len(items)),
            "livemode": False,
            "metadata": {},
            "payment_settings": SETTINGS | {},
            "plan": single and single["plan"],
            "quantity": single and single["quantity"],
            "start_date": now,
            "status": "incomplete",
            "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
            "trial_start": now if trial_end else None,
        }
        | known
    )
