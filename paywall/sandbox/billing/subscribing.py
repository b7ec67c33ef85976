"""Beginning and ending subscriptions, each with its invoice and events in Stripe's usual order."""

from collections.abc import Sequence

from paywall.sandbox.billing.paying import Outcome, collect, start_payment
from paywall.sandbox.shapes.invoices import invoice_shape
from paywall.sandbox.shapes.subscriptions import Bought, subscription_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value

OVER = ("canceled", "incomplete_expired")


def draw_invoice(account: Account, subscription: Json) -> Json:
    """Make and finalize the invoice for a subscription's current period."""
    customer = account.get("customer", subscription["customer"])
    products = {item["price"]["product"] for item in subscription["items"]["data"]}
    names = {product: account.get("product", product)["name"] for product in products}
    now = account.now()
    draft = invoice_shape(subscription, customer, names, account.config.account_name, now)
    account.create(draft, "invoice.created")
    number = customer["next_invoice_sequence"]
    account.amend(customer, None, next_invoice_sequence=number + 1, currency=subscription["currency"])
    return account.amend(
        draft,
        "invoice.finalized",
        status="open",
        number=f"{customer['invoice_prefix']}-{number:04}",
        effective_at=now,
        status_transitions=draft["status_transitions"] | {"finalized_at": now},
    )


def buy(account: Account, customer: str, bought: Sequence[Bought], method: Json, **known: Value) -> Json:
    """Begin a subscription whose card is known to pay: it appears only once it is active, as Checkout does it."""
    subscription = subscription_shape(customer, bought, account.now(), **known)
    subscription |= {"status": "active", "default_payment_method": method["id"]}
    invoice = draw_invoice(account, subscription)
    invoice, outcome = collect(account, invoice, method, authenticated=True)
    if outcome != "paid":
        raise AssertionError("a card that was tried before must pay")
    subscription["latest_invoice"] = invoice["id"]
    return account.create(subscription, "customer.subscription.created")


def begin(
    account: Account, customer: str, bought: Sequence[Bought], method: Json | None, *, try_now: bool, **known: Value
) -> tuple[Json, Outcome | None]:
    """Begin a subscription by API: incomplete first, active when its first invoice is paid at once."""
    subscription = subscription_shape(customer, bought, account.now(), **known)
    account.create(subscription, "customer.subscription.created")
    invoice = draw_invoice(account, subscription)
    subscription = account.amend(subscription, None, latest_invoice=invoice["id"])
    outcome: Outcome | None = None
    if method and try_now:
        _, outcome = collect(account, invoice, method, authenticated=False)
    elif invoice["amount_remaining"]:
        start_payment(account, invoice, payment_method=method and method["id"])
    if outcome == "paid":
        subscription = account.amend(subscription, "customer.subscription.updated", status="active")
    return subscription, outcome


def cancel(account: Account, subscription: Json, reason: str = "cancellation_requested", **details: Value) -> Json:
    """End a subscription now; `canceled_at` keeps the time of the first request to end it."""
    now = account.now()
    return account.amend(
        subscription,
        "customer.subscription.deleted",
        status="canceled",
        cancel_at=None,
        cancel_at_period_end=False,
        canceled_at=subscription["canceled_at"] or now,
        ended_at=now,
        cancellation_details=subscription["cancellation_details"] | details | {"reason": reason},
    )
