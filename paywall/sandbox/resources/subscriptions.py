"""Subscriptions by API: begin, look at, change, end."""

from collections.abc import Mapping
from typing import Any

from paywall.sandbox.billing.subscribing import OVER, begin, cancel
from paywall.sandbox.cards import UNAUTHENTICATED, Decline
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.resources.lines import LINE, bought_lines
from paywall.sandbox.resources.payment_methods import card_error
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.filters import any_item, equals, none_of, one_of
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, removes, writes
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
    Text,
)

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
CANCEL_AT = Clearable(Integer())
LATER = (
    "add_invoice_items application_fee_percent automatic_tax billing_cycle_anchor billing_schedules billing_thresholds "
    "collection_method days_until_due default_source default_tax_rates discounts invoice_settings on_behalf_of "
    "payment_settings pending_invoice_item_interval proration_behavior transfer_data trial_end trial_from_plan "
    "trial_settings"
)
AT_START = "backdate_start_date billing_cycle_anchor_config billing_mode currency customer_account trial_period_days"
ITEM = Fields(LINE, later="billing_thresholds current_trial discounts price_data tax_rates")
BEHAVIORS = Choice("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
CREATE = Fields(
    {
        "customer": ID,
        "items": Items(ITEM, 20),
        "default_payment_method": ID,
        "description": Text(500),
        "metadata": Metadata(),
        "off_session": Boolean(),
        "payment_behavior": Only(BEHAVIORS, "allow_incomplete", "default_incomplete", "error_if_incomplete"),
        "cancel_at": CANCEL_AT,
        "cancel_at_period_end": Boolean(),
    },
    required="customer items",
    later=f"{LATER} {AT_START}",
)
UPDATE = Fields(
    {
        "cancel_at": CANCEL_AT,
        "cancel_at_period_end": Boolean(),
        "cancellation_details": WHY,
        "default_payment_method": Text(),
        "description": Text(500),
        "metadata": Metadata(),
    },
    later=LATER + " items off_session pause_collection payment_behavior proration_date",
)
END = Fields({**EXPAND, "cancellation_details": WHY}, later="invoice_now prorate")


def create(call: Call) -> Json:
    """Begin a subscription, charging the customer's card for the first invoice."""
    account, params = call.account, call.params
    customer = account.get("customer", params["customer"], "customer", 400)
    if customer.get("deleted"):
        raise missing_object("customer", customer["id"], "customer", 400)
    bought = bought_lines(call, params["items"], "items")
    behavior = params.get("payment_behavior", "allow_incomplete")
    method = method_for(call, customer)
    if method is None and behavior != "default_incomplete":
        raise no_card()
    subscription, outcome = begin(
        account,
        customer["id"],
        bought,
        method,
        try_now=behavior != "default_incomplete",
        default_payment_method=params.get("default_payment_method"),
        description=params.get("description"),
        metadata=merged({}, params.get("metadata", {})),
    )
    if behavior == "error_if_incomplete" and outcome not in ("paid", None):
        raise card_error(outcome if isinstance(outcome, Decline) else UNAUTHENTICATED)
    changes = ending(subscription, params, account.now())
    return account.amend(subscription, "customer.subscription.updated", **changes)


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
    if at_end:
        cancel_at = min(item["current_period_end"] for item in subscription["items"]["data"])
    elif cancel_at is not None and cancel_at <= now:
        raise StripeError("`cancel_at` must be a timestamp in the future.", param="cancel_at")
    asked = "cancellation_requested" if cancel_at else None
    return {
        "cancel_at": cancel_at,
        "cancel_at_period_end": at_end,
        "canceled_at": now if cancel_at else None,
        "cancellation_details": subscription["cancellation_details"] | {"reason": asked},
    }


def update(call: Call) -> Json:
    """Change a subscription; of one that is over only the notes may change."""
    subscription = call.account.get("subscription", call.ids["subscription"])
    params = call.params
    if subscription["status"] in OVER and set(params) - {"metadata", "cancellation_details"}:
        raise StripeError("A canceled subscription can only update its cancellation_details and metadata.")
    changes = ending(subscription, params, call.account.now())
    changes |= {name: params[name] for name in ("description", "default_payment_method") if name in params}
    if "default_payment_method" in changes:
        method_for(call, call.account.get("customer", subscription["customer"]))
    if "metadata" in params:
        changes["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "cancellation_details" in params:
        details = changes.get("cancellation_details", subscription["cancellation_details"])
        changes["cancellation_details"] = details | params["cancellation_details"]
    return call.account.amend(subscription, "customer.subscription.updated", **changes)


def end(call: Call) -> Json:
    """End a subscription now."""
    subscription = call.account.get("subscription", call.ids["subscription"])
    if subscription["status"] in OVER:
        raise missing_object("subscription", subscription["id"], "id")
    return cancel(call.account, subscription, **call.params.get("cancellation_details", {}))


def retrieve(call: Call) -> Json:
    """Return a subscription."""
    return call.account.get("subscription", call.ids["subscription"])


def listed(call: Call) -> Json:
    """Return subscriptions; unless a status is named, those that were canceled are left out."""
    status = call.params.get("status")
    filters = []
    if status is None:
        filters.append(none_of("status", ["canceled"]))
    elif status == "ended":
        filters.append(one_of("status", OVER))
    elif status != "all":
        filters.append(equals("status", status))
    if "customer" in call.params:
        filters.append(equals("customer", call.params["customer"]))
    if "price" in call.params:
        filters.append(any_item("items.data", "price.id", call.params["price"]))
    return page(call, "subscription", filters)


STATUSES = Choice(
    "active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"
)
ONE = "/v1/subscriptions/<subscription>"
OPERATIONS = [
    writes("/v1/subscriptions", "subscription", create, CREATE),
    lists(
        "/v1/subscriptions",
        "subscription",
        listed,
        {"customer": ID, "price": ID, "status": STATUSES},
        later="automatic_tax collection_method current_period_end current_period_start customer_account test_clock",
    ),
    reads(ONE, "subscription", retrieve),
    writes(ONE, "subscription", update, UPDATE),
    removes(ONE, "subscription", end, END),
]
