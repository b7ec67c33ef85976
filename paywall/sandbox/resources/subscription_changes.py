"""Changes of a subscription by API: its end, card, notes, items, trial, discounts; pausing and resuming it."""

from collections.abc import Mapping, Sequence
from typing import Any

from paywall.sandbox.billing.changing import begin_anew, change_items, cost, end_trial_now, try_until
from paywall.sandbox.billing.collecting import card_for
from paywall.sandbox.billing.discounts import bind
from paywall.sandbox.billing.resuming import pause_on_request, resume_anew, resume_unchanged
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.resources.lines import bought_lines
from paywall.sandbox.resources.subscription_params import (
    PAUSE,
    RESUME,
    UPDATE,
    attached,
    ending,
    method_for,
    no_card,
    trial_end_of,
)
from paywall.sandbox.shapes.subscriptions import plan_shape
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.due import OVER
from paywall.sandbox.wire.operation import Call, writes

CHANGED = "customer.subscription.updated"
PLAIN = ("default_payment_method", "description", "pause_collection", "trial_settings")


def update(call: Call) -> Json:
    """Change a subscription; of one that is over only the notes may change."""
    subscription = call.account.get("subscription", call.ids["subscription"])
    params = call.params
    if subscription["status"] in OVER and set(params) - {"metadata", "cancellation_details"}:
        raise StripeError("A canceled subscription can only update its cancellation_details and metadata.")
    if "default_payment_method" in params:
        method_for(call, call.account.get("customer", subscription["customer"]))
    subscription = change_terms(call, subscription)
    return call.account.amend(subscription, CHANGED, **plain_changes(call, subscription))


def plain_changes(call: Call, subscription: Json) -> Json:
    """Return what a request changes without anything following from it."""
    params, account = call.params, call.account
    changes = ending(subscription, params, account.now())
    changes |= {name: params[name] for name in PLAIN if name in params}
    if changes.get("pause_collection"):
        changes["pause_collection"] = {"resumes_at": None} | changes["pause_collection"]
    if "payment_settings" in params:
        changes["payment_settings"] = subscription["payment_settings"] | params["payment_settings"]
    if "metadata" in params:
        changes["metadata"] = merged(subscription["metadata"], params["metadata"])
    if "cancellation_details" in params:
        details = changes.get("cancellation_details", subscription["cancellation_details"])
        changes["cancellation_details"] = details | params["cancellation_details"]
    return changes


def change_terms(call: Call, subscription: Json) -> Json:
    """Change what a subscription sells, for what and since when; returns it after what follows from that."""
    params, account = call.params, call.account
    behavior = params.get("proration_behavior", "create_prorations")
    if "discounts" in params:
        subscription = change_discounts(call, subscription)
    items = changed_items(call, subscription, params["items"]) if "items" in params else None
    anew = params.get("billing_cycle_anchor", {}).get("type") == "now" and subscription["status"] != "trialing"
    if items and not anew:
        subscription = change_items(account, subscription, items, behavior)
    trial_end = trial_end_of(params, account.now())
    if trial_end:
        subscription = try_until(account, subscription, trial_end)
    elif "trial_end" in params and subscription["status"] == "trialing":
        subscription = end_trial_now(account, subscription)
    elif anew:
        subscription = begin_anew(account, subscription, behavior, items)
    if params.get("payment_behavior") == "error_if_incomplete" and subscription["status"] == "past_due":
        raise failure(call, subscription)
    return subscription


def failure(call: Call, subscription: Json) -> StripeError:
    """Return 402 with what the bank said of a subscription's latest invoice; raising it undoes the change."""
    from_bank = call.account.store.find("payment_intent", [], limit=1)
    error: Mapping[str, Any] = (from_bank and from_bank[0]["last_payment_error"]) or {}
    message = error.get("message") or "The payment for this change failed. Use another card and try again."
    return StripeError(message, status=402, kind="card_error", code=error.get("code") or "card_declined")


def change_discounts(call: Call, subscription: Json) -> Json:
    """Put other coupons to work, or none."""
    account = call.account
    amount = sum(cost(item) for item in subscription["items"]["data"])
    for discount_id in subscription["discounts"]:
        account.emit("customer.discount.deleted", account.get("discount", discount_id))
    found = attached(call, call.params["discounts"], subscription["customer"], amount)
    subscription = account.amend(subscription, CHANGED, discounts=found)
    bind(account, subscription)
    return subscription


def changed_items(call: Call, subscription: Json, wanted: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Return a subscription's items with the prices, quantities and metadata that a request gives them."""
    items = {item["id"]: item for item in subscription["items"]["data"]}
    for index, one in enumerate(wanted):
        item = items.get(one["id"])
        if item is None:
            raise missing_object("subscription_item", one["id"], f"items[{index}][id]", 400)
        if "price" in one:
            (bought,) = bought_lines(call, [one], "items")
            item = item | {"price": bought.price, "plan": plan_shape(bought.price)}
        metadata = merged(item["metadata"], one["metadata"]) if "metadata" in one else item["metadata"]
        items[one["id"]] = item | {"quantity": one.get("quantity", item["quantity"]), "metadata": metadata}
    return list(items.values())


def pause(call: Call) -> Json:
    """Pause a subscription: nothing is billed until it is resumed."""
    subscription = call.account.get("subscription", call.ids["subscription"])
    if subscription["status"] not in ("active", "trialing", "past_due", "unpaid"):
        raise StripeError(f"A subscription with the status {subscription['status']} cannot be paused.")
    unused = call.params.get("bill_for", {}).get("unused_time_from", {"type": "now"})
    return pause_on_request(call.account, subscription, credited=unused["type"] == "now")


def resume(call: Call) -> Json:
    """Resume a paused subscription, by default with a period that begins now and is billed at once."""
    params, account = call.params, call.account
    subscription = account.get("subscription", call.ids["subscription"])
    if subscription["status"] != "paused":
        raise StripeError("Only a subscription with the status paused can be resumed.")
    if params.get("billing_cycle_anchor", {}).get("type") == "unchanged":
        prorated = params.get("proration_behavior", "create_prorations") != "none"
        return resume_unchanged(account, subscription, prorated=prorated)
    attempt = params.get("payment_behavior", "resume_on_payment_attempt") == "resume_on_payment_attempt"
    if attempt and card_for(account, subscription) is None:
        raise no_card()
    return resume_anew(account, subscription, attempt=attempt)


ONE = "/v1/subscriptions/<subscription>"
OPERATIONS = [
    writes(ONE, "subscription", update, UPDATE),
    writes(f"{ONE}/pause", "subscription", pause, PAUSE),
    writes(f"{ONE}/resume", "subscription", resume, RESUME),
]
