"""Pausing a subscription, which draws no invoices until it is resumed. (`pause_collection` is another thing.)"""

from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value


def pause(account: Account, subscription: Json, reason: str, **changes: Value) -> Json:
    """Pause a subscription; `reason` is Stripe's word for why."""
    since = {"subscription": {"type": reason}, "transitioned_at": account.now(), "type": "subscription"}
    changes |= {"status": "paused", "status_details": {"paused": since}}
    subscription = account.amend(subscription, "customer.subscription.updated", **changes)
    account.emit("customer.subscription.paused", subscription)
    return subscription


def resumed(account: Account, subscription: Json, status: str = "active") -> Json:
    """Let a paused subscription run again."""
    changes = {"status": status, "status_details": None, "_resuming": None, "_resumes_until": None}
    subscription = account.amend(subscription, "customer.subscription.updated", **changes)
    account.emit("customer.subscription.resumed", subscription)
    return subscription
