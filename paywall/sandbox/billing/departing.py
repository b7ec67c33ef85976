"""What is left of a customer who is deleted."""

from paywall.sandbox.billing.subscribing import cancel
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.due import OVER
from paywall.sandbox.state.filters import equals, none_of


def delete_customer(account: Account, customer: Json) -> Json:
    """Delete a customer for good, ending all their subscriptions at once."""
    mine = [equals("customer", customer["id"]), none_of("status", OVER)]
    for subscription in account.store.find("subscription", mine):
        cancel(account, subscription)
    for method in account.store.find("payment_method", [equals("customer", customer["id"])]):
        account.amend(method, None, customer=None)
    account.emit("customer.deleted", account.get("customer", customer["id"]))
    gone = {"id": customer["id"], "object": "customer", "deleted": True}
    account.store.put(gone)
    return gone
