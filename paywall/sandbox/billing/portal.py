"""What the billing portal does: it lets a customer in for a while, ends a plan with its period and takes that back."""

from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.billing.subscribing import OVER
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import equals, none_of

KIND = "billing_portal.session"
OPENED = 60 * 60  # seconds that a session works from its first opening
HIDDEN = (*OVER, "incomplete")


def enter(account: Account, secret: str) -> Json:
    """Return the session behind an address, opening it if this is the first time.

    Raises StripeError for an unknown address (404) and for one that has run out or whose customer is gone (410).
    """
    let_time_pass(account)
    with account.unit():
        found = account.store.find(KIND, [equals("_secret", secret)], limit=1)
        if not found:
            raise missing_object(KIND, "", "session")
        session, now = found[0], account.now()
        if now >= session["_until"] or account.get("customer", session["customer"]).get("deleted"):
            raise StripeError("This session has expired.", status=410)
        return session if session["_opened"] else account.amend(session, None, _opened=True, _until=now + OPENED)


def plans(account: Account, session: Json) -> list[Json]:
    """Return the customer's subscriptions that run, newest first."""
    return account.store.find("subscription", [equals("customer", session["customer"]), none_of("status", HIDDEN)])


def plan_of(account: Account, session: Json, subscription_id: str) -> Json:
    """Return a subscription of the session's own customer; raises StripeError (404) for any other."""
    subscription = account.get("subscription", subscription_id)
    if subscription["customer"] != session["customer"] or subscription["status"] in HIDDEN:
        raise missing_object("subscription", subscription_id, "id")
    return subscription


def invoices(account: Account, session: Json) -> list[Json]:
    """Return the customer's invoices that were sent, newest first."""
    return account.store.find(
        "invoice", [equals("customer", session["customer"]), none_of("status", ("draft", "void"))]
    )


def card_of(account: Account, session: Json, subscription: Json | None) -> Json | None:
    """Return the payment method that a plan, else the customer's next invoice, is charged to."""
    customer = account.get("customer", session["customer"])
    name = "default_payment_method"
    method = (subscription and subscription[name]) or customer["invoice_settings"][name]
    return account.store.get("payment_method", method) if method else None


def period_end(subscription: Json) -> int:
    """Return when the running period ends, in unix seconds."""
    return min(int(item["current_period_end"]) for item in subscription["items"]["data"])


def end_later(account: Account, session: Json, subscription_id: str) -> Json:
    """End a plan with its period, as Stripe's portal does it: by a date alone. A plan that ends already stays so."""
    with account.unit():
        subscription = plan_of(account, session, subscription_id)
        if subscription["cancel_at"]:
            return subscription
        return account.amend(
            subscription,
            "customer.subscription.updated",
            cancel_at=period_end(subscription),
            canceled_at=account.now(),
            cancellation_details=subscription["cancellation_details"] | {"reason": "cancellation_requested"},
        )


def keep(account: Account, session: Json, subscription_id: str) -> Json:
    """Take back a plan's end before it comes, whoever had asked for it."""
    with account.unit():
        subscription = plan_of(account, session, subscription_id)
        return account.amend(
            subscription,
            "customer.subscription.updated",
            cancel_at=None,
            cancel_at_period_end=False,
            canceled_at=None,
            cancellation_details=subscription["cancellation_details"] | {"reason": None},
        )
