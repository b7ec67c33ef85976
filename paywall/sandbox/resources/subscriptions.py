"""Subscriptions by API: begin, look at, end; how they are changed stands in subscription_changes."""

from paywall.sandbox.billing.discounts import bind
from paywall.sandbox.billing.subscribing import begin, cancel
from paywall.sandbox.cards import UNAUTHENTICATED, Decline
from paywall.sandbox.errors import missing_object
from paywall.sandbox.resources.lines import bought_lines
from paywall.sandbox.resources.payment_methods import card_error
from paywall.sandbox.resources.subscription_params import (
    CREATE,
    END,
    attached,
    ending,
    method_for,
    no_card,
    trial_end_of,
)
from paywall.sandbox.shapes.subscriptions import SETTINGS, Bought
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.due import OVER
from paywall.sandbox.state.filters import any_item, equals, none_of, one_of, unset
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, removes, writes
from paywall.sandbox.wire.params import ID, Choice


def create(call: Call) -> Json:
    """Begin a subscription, charging the customer's card for the first invoice."""
    account, params = call.account, call.params
    customer = account.get("customer", params["customer"], "customer", 400)
    if customer.get("deleted"):
        raise missing_object("customer", customer["id"], "customer", 400)
    bought = bought_lines(call, params["items"], "items")
    behavior = params.get("payment_behavior", "allow_incomplete")
    method, known = method_for(call, customer), known_fields(call, customer, bought)
    if method is None and behavior != "default_incomplete" and not known["trial_end"]:
        raise no_card()
    try_now = behavior != "default_incomplete"
    subscription, outcome = begin(account, customer["id"], bought, method, try_now=try_now, **known)
    if behavior == "error_if_incomplete" and outcome not in ("paid", None):
        raise card_error(outcome if isinstance(outcome, Decline) else UNAUTHENTICATED)
    bind(account, subscription)
    changes = ending(subscription, params, account.now())
    return account.amend(subscription, "customer.subscription.updated", **changes)


def known_fields(call: Call, customer: Json, bought: list[Bought]) -> Json:
    """Return the fields of a new subscription that the request sets."""
    params = call.params
    amount = sum(one.price["unit_amount"] * one.quantity for one in bought)
    known = {
        "default_payment_method": params.get("default_payment_method"),
        "description": params.get("description"),
        "discounts": attached(call, params.get("discounts"), customer["id"], amount),
        "metadata": merged({}, params.get("metadata", {})),
        "payment_settings": SETTINGS | params.get("payment_settings", {}),
        "trial_end": trial_end_of(params, call.account.now()),
    }
    return known | ({"trial_settings": params["trial_settings"]} if "trial_settings" in params else {})


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
    """Return subscriptions; unless a status is named, those that were canceled are left out.

    Those of test clocks are shown only where the clock or the customer is named.
    """
    status = call.params.get("status")
    filters = []
    if status is None:
        filters.append(none_of("status", ["canceled"]))
    elif status == "ended":
        filters.append(one_of("status", OVER))
    elif status != "all":
        filters.append(equals("status", status))
    filters += [equals(name, call.params[name]) for name in ("customer", "test_clock") if name in call.params]
    if not {"customer", "test_clock"} & set(call.params):
        filters.append(unset("test_clock"))
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
        {"customer": ID, "price": ID, "status": STATUSES, "test_clock": ID},
        later="automatic_tax collection_method current_period_end current_period_start customer_account",
    ),
    reads(ONE, "subscription", retrieve),
    removes(ONE, "subscription", end, END),
]
