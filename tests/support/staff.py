"""What staff and banks do with a payment at Stripe: refunds and disputes, in a line each; the service is not told."""

from typing import Any

from paywall.sandbox.billing import disputing, refunding
from tests.support.shop import Shop

Json = dict[str, Any]


def charges(shop: Shop, subscription_id: str) -> list[Json]:
    """The paid charges of a subscription's customer, the oldest first."""
    body = shop.sandbox.sandbox.account.get("subscription", subscription_id)
    found = shop.sandbox.sandbox.account.store.find("charge")
    own = [one for one in found if one["customer"] == body["customer"] and one["paid"]]
    return sorted(own, key=lambda one: (one["created"], one["id"]))


def refund(shop: Shop, subscription_id: str, amount: int | None = None, outcome: str = "succeeded") -> Json:
    """Gives back the newest payment, or minor units of it."""
    account = shop.sandbox.sandbox.account
    with account.unit():
        return refunding.refund(account, charges(shop, subscription_id)[-1]["id"], amount, outcome)


def settle_refund(shop: Shop, refund_id: str, status: str) -> None:
    """Lets a refund end as ``succeeded``, ``failed`` or ``canceled``."""
    account = shop.sandbox.sandbox.account
    with account.unit():
        refunding.settle_refund(account, refund_id, status)


def dispute(shop: Shop, subscription_id: str, status: str = "needs_response") -> Json:
    """The newest payment is disputed."""
    account = shop.sandbox.sandbox.account
    with account.unit():
        return disputing.open_dispute(account, charges(shop, subscription_id)[-1]["id"], status)


def settle_dispute(shop: Shop, dispute_id: str, status: str) -> None:
    """Brings a dispute to any status."""
    account = shop.sandbox.sandbox.account
    with account.unit():
        disputing.settle(account, dispute_id, status)
