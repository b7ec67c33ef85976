"""Beginning and ending subscriptions, each with its invoice and events in Stripe's usual order."""

from collections.abc import Sequence

from paywall.sandbox.billing.invoicing import draft, finalize, stop_collecting
from paywall.sandbox.billing.paying import Outcome, collect, start_payment
from paywall.sandbox.shapes.subscriptions import Bought, subscription_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value


def draw_invoice(account: Account, subscription: Json) -> Json:
    """Make and finalize the invoice for a subscription's current period."""
    return finalize(account, draft(account, subscription))


def buy(account: Account, customer: str, bought: Sequence[Bought], method: Json | None, **known: Value) -> Json:
    """Begin a subscription whose card is known to pay: it appears only once it runs, as Checkout does it.

    With a `trial_end` among the `known` fields it is a trial, whose first invoice asks for nothing.
    """
    subscription = subscription_shape(customer, bought, account.now(), **known)
    subscription |= {"status": "trialing" if subscription["trial_end"] else "active"}
    subscription |= {"default_payment_method": method and method["id"]}
    invoice = draw_invoice(account, subscription)
    invoice, outcome = collect(account, invoice, method, authenticated=True)
    if outcome != "paid":
        raise AssertionError("a card that was tried before must pay")
    subscription["latest_invoice"] = invoice["id"]
    return account.create(subscription, "customer.subscription.created")


def begin(
    account: Account, customer: str, bought: Sequence[Bought], method: Json | None, *, try_now: bool, **known: Value
) -> tuple[Json, Outcome | None]:
    """Begin a subscription by API: incomplete first, active when its first invoice is paid at once.

    With a `trial_end` among the `known` fields it is a trial from the beginning.
    """
    subscription = subscription_shape(customer, bought, account.now(), **known)
    subscription["status"] = "trialing" if subscription["trial_end"] else "incomplete"
    account.create(subscription, "customer.subscription.created")
    invoice = draw_invoice(account, subscription)
    subscription = account.amend(subscription, None, latest_invoice=invoice["id"])
    outcome: Outcome | None = None
    if not invoice["amount_remaining"] or (method and try_now):
        _, outcome = collect(account, invoice, method, authenticated=False)
    else:
        start_payment(account, invoice, payment_method=method and method["id"])
    if outcome == "paid" and subscription["status"] == "incomplete":
        subscription = account.amend(subscription, "customer.subscription.updated", status="active")
    return subscription, outcome


def cancel(account: Account, subscription: Json, reason: str = "cancellation_requested", **details: Value) -> Json:
    """End a subscription now; `canceled_at` keeps the time of the first request to end it.

    Its unpaid invoices are charged no longer by themselves; they stay payable, which brings nothing back.
    """
    now = account.now()
    ended = account.amend(
        subscription,
        "customer.subscription.deleted",
        status="canceled",
        status_details=None,
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=subscription["canceled_at"] or now,
        ended_at=now,
        cancellation_details=subscription["cancellation_details"] | details | {"reason": reason},
    )
    stop_collecting(account, ended)
    return ended
