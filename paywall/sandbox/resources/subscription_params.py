"""What requests about subscriptions may say, and what of that is checked the same way for new and running ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from paywall.sandbox.billing.discounts import attach, offer_of
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.resources.lines import LINE
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.due import ends_of
from paywall.sandbox.wire.forms import Raw
from paywall.sandbox.wire.operation import Call
from paywall.sandbox.wire.params import (
    EXPAND,
    ID,
    Boolean,
    Choice,
    Clearable,
    Fields,
    Integer,
    Items,
    Metadata,
    Only,
    Param,
    Text,
)

LONGEST_TRIAL = 730  # days, as at Stripe


class OrWord(Param):
    """A moment in unix seconds, or one of these words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def parse(self, raw: Raw, name: str) -> int | str:
        """Return the word or the moment, or raise StripeError naming the parameter."""
        return raw if isinstance(raw, str) and raw in self.words else Integer().parse(raw, name)


FEEDBACK = Clearable(
    Choice(
        "customer_service",
        "low_quality",
        "missing_features",
        "other",
        "switched_service",
        "too_complex",
        "too_expensive",
        "unused",
    )
)
WHY = Fields({"comment": Text(), "feedback": FEEDBACK}, later="feedback_option")
CANCEL_AT = Clearable(OrWord("min_period_end", "max_period_end"))
DISCOUNTS = Clearable(Items(Fields({"coupon": ID, "promotion_code": ID}, later="discount"), 1))
MISSING = Choice("cancel", "create_invoice", "pause")
TRIAL_SETTINGS = Fields(
    {"end_behavior": Fields({"missing_payment_method": MISSING}, later="billing_cycle_anchor")}, required="end_behavior"
)
SAVE = Choice("off", "on_subscription")
PAYMENT_SETTINGS = Fields({"save_default_payment_method": SAVE}, later="payment_method_options payment_method_types")
PRORATION = Choice("always_invoice", "create_prorations", "none")
BEHAVIORS = Only(
    Choice("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"),
    "allow_incomplete",
    "default_incomplete",
    "error_if_incomplete",
)
PAUSED = Fields(
    {"behavior": Choice("keep_as_draft", "mark_uncollectible", "void"), "resumes_at": Integer()}, required="behavior"
)
LATER = (
    "add_invoice_items application_fee_percent automatic_tax billing_schedules billing_thresholds "
    "collection_method days_until_due default_source default_tax_rates invoice_settings on_behalf_of "
    "pending_invoice_item_interval transfer_data trial_from_plan"
)
AT_START = "backdate_start_date billing_cycle_anchor billing_cycle_anchor_config currency customer_account"
MODE = Fields({"type": Only(Choice("classic", "flexible"), "flexible")}, required="type", later="flexible")
BOTH: dict[str, Param] = {
    "cancel_at": CANCEL_AT,
    "cancel_at_period_end": Boolean(),
    "default_payment_method": Text(),
    "description": Text(500),
    "discounts": DISCOUNTS,
    "metadata": Metadata(),
    "off_session": Boolean(),
    "payment_behavior": BEHAVIORS,
    "payment_settings": PAYMENT_SETTINGS,
    "proration_behavior": PRORATION,
    "trial_end": OrWord("now"),
    "trial_settings": TRIAL_SETTINGS,
}
ITEM = Fields(LINE, later="billing_thresholds current_trial discounts price_data tax_rates")
CREATE = Fields(
    {
        **BOTH,
        "billing_mode": MODE,
        "customer": ID,
        "items": Items(ITEM, 20),
        "trial_period_days": Integer(0, LONGEST_TRIAL),
    },
    required="customer items",
    later=f"{LATER} {AT_START}",
)
CHANGED_ITEM = Fields(
    {**LINE, "id": ID},
    required="id",
    later="billing_thresholds clear_usage current_trial deleted discounts price_data tax_rates",
)
ANCHOR = Fields({"type": Choice("now", "unchanged")}, required="type")
UPDATE = Fields(
    {
        **BOTH,
        "billing_cycle_anchor": ANCHOR,
        "cancellation_details": WHY,
        "items": Items(CHANGED_ITEM, 20),
        "pause_collection": Clearable(PAUSED),
    },
    later=f"{LATER} proration_date",
)
END = Fields({**EXPAND, "cancellation_details": WHY}, later="invoice_now prorate")
UNUSED = Fields({"type": Only(Choice("item_current_period_start", "none", "now"), "none", "now")}, required="type")
PAUSE = Fields(
    {
        "bill_for": Fields({"unused_time_from": UNUSED}, later="outstanding_usage_through"),
        "invoicing_behavior": Only(Choice("invoice", "pending_invoice_item"), "pending_invoice_item"),
        "type": Choice("subscription"),
    }
)
RESUME = Fields(
    {
        "billing_cycle_anchor": ANCHOR,
        "payment_behavior": Choice("resume_on_payment_attempt", "resume_on_payment_success"),
        "proration_behavior": Only(PRORATION, "create_prorations", "none"),
    },
    later="proration_date",
)


def no_card() -> StripeError:
    """What Stripe says where nothing could be charged."""
    message = (
        "This customer has no attached payment source or default payment method. "
        "Please consider adding a default payment method."
    )
    return StripeError(message, code="resource_missing")


def method_for(call: Call, customer: Json) -> Json | None:
    """Return the card to charge: the one named, else the customer's default."""
    name = "default_payment_method"
    method_id = call.params.get(name) or customer["invoice_settings"][name]
    if not method_id:
        return None
    method = call.account.store.get("payment_method", method_id)
    if method is None or method["customer"] != customer["id"]:
        raise missing_object("payment_method", method_id, name, 400)
    return method


def ending(subscription: Json, params: Mapping[str, Any], now: int) -> Json:
    """Return what a wish to end, or no longer to end, at a date changes."""
    if "cancel_at" not in params and "cancel_at_period_end" not in params:
        return {}
    at_end = params.get("cancel_at_period_end", False)
    if at_end and params.get("cancel_at"):
        message = "You may only specify one of these parameters: cancel_at, cancel_at_period_end."
        raise StripeError(message, code="parameters_exclusive", param="cancel_at")
    cancel_at = params.get("cancel_at")
    if at_end or isinstance(cancel_at, str):
        cancel_at = ends_of(subscription)  # all items of one subscription renew together here
    elif cancel_at is not None and cancel_at <= now:
        raise StripeError("`cancel_at` must be a timestamp in the future.", param="cancel_at")
    asked = "cancellation_requested" if cancel_at else None
    return {
        "cancel_at": cancel_at,
        "cancel_at_period_end": at_end,
        "canceled_at": now if cancel_at else None,
        "cancellation_details": subscription["cancellation_details"] | {"reason": asked},
    }


def trial_end_of(params: Mapping[str, Any], now: int) -> int | None:
    """Return when a trial is to end, None where none is asked for; `now` counts as none."""
    if "trial_end" in params and "trial_period_days" in params:
        message = "You may only specify one of these parameters: trial_end, trial_period_days."
        raise StripeError(message, code="parameters_exclusive", param="trial_end")
    days = params.get("trial_period_days")
    end = now + days * 86400 if days else params.get("trial_end")
    if end in (None, "now"):
        return None
    if not now < end <= now + LONGEST_TRIAL * 86400:
        message = f"Invalid timestamp: a trial must end in the future, within {LONGEST_TRIAL} days."
        raise StripeError(message, param="trial_end")
    return int(end)


def attached(call: Call, wanted: Sequence[Mapping[str, str]] | None, customer: str, amount: int) -> list[str]:
    """Put the coupons to work that a request names; returns the discounts' ids."""
    offers = [offer_of(call.account, one, customer, amount, f"discounts[{i}]") for i, one in enumerate(wanted or [])]
    return [attach(call.account, offer, customer) for offer in offers]
