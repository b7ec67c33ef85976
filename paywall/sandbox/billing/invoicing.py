"""An invoice's own life: drawn as a draft, finalized, voided or given up."""

from collections.abc import Sequence

from paywall.sandbox.billing.discounts import take_off
from paywall.sandbox.billing.ties import drop_payment
from paywall.sandbox.errors import missing_object
from paywall.sandbox.shapes.invoices import invoice_shape, subscription_lines
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.filters import equals, one_of

DRAFT_SECONDS = 3600  # how long a renewal's invoice can still be changed


def draft(account: Account, subscription: Json, lines: Sequence[Json] | None = None, **known: Value) -> Json:
    """Draw a draft for a subscription: for its items' current period, or for the lines given.

    What earlier changes left to be billed or credited (`_pending`) goes with a period's invoice.
    """
    customer = account.get("customer", subscription["customer"])
    if lines is None:
        period = subscription_lines(subscription, names_of(account, subscription))
        lines = [*subscription.get("_pending", []), *period]
    body = invoice_shape(subscription, customer, lines, account.config.account_name, account.now()) | known
    body = take_off(account, subscription, body)
    due = max(body["total"], 0)  # a credit is not paid out
    return account.create(body | {"amount_due": due, "amount_remaining": due}, "invoice.created")


def names_of(account: Account, subscription: Json) -> dict[str, str]:
    """Return the names of the products that a subscription's items sell."""
    products = {item["price"]["product"] for item in subscription["items"]["data"]}
    return {product: account.get("product", product)["name"] for product in products}


def living_customer(account: Account, invoice: Json) -> Json:
    """Return who an invoice is for; raises StripeError where that customer is deleted."""
    customer = account.get("customer", invoice["customer"])
    if customer.get("deleted"):
        raise missing_object("customer", customer["id"], "customer", 400)
    return customer


def finalize(account: Account, invoice: Json, **known: Value) -> Json:
    """Give a draft its number; from now on it can be paid and no longer changed.

    Raises StripeError where the customer is deleted.
    """
    customer = living_customer(account, invoice)
    now, changes = account.now(), dict(known)
    if invoice["number"] is None:
        number = customer["next_invoice_sequence"]
        account.amend(customer, None, next_invoice_sequence=number + 1, currency=invoice["currency"])
        changes["number"] = f"{customer['invoice_prefix']}-{number:04}"
    changes |= {"status": "open", "effective_at": now, "automatically_finalizes_at": None}
    changes |= {"hosted_invoice_url": f"{account.config.base_url}/invoice/{invoice['id']}"}
    times = invoice["status_transitions"] | {"finalized_at": now}
    return account.amend(invoice, "invoice.finalized", status_transitions=times, **changes)


def void(account: Account, invoice: Json) -> Json:
    """Take an open invoice back for good: nobody owes it."""
    drop_payment(account, invoice)
    times = invoice["status_transitions"] | {"voided_at": account.now()}
    still = {"auto_advance": False, "next_payment_attempt": None}
    return account.amend(invoice, "invoice.voided", status="void", status_transitions=times, **still)


def give_up(account: Account, invoice: Json) -> Json:
    """Mark an open invoice as one that is not expected to be paid; it still can be."""
    times = invoice["status_transitions"] | {"marked_uncollectible_at": account.now()}
    still = {"auto_advance": False, "next_payment_attempt": None}
    return account.amend(
        invoice, "invoice.marked_uncollectible", status="uncollectible", status_transitions=times, **still
    )


def invoices_of(account: Account, subscription: Json, *statuses: str) -> list[Json]:
    """Return a subscription's invoices in these statuses, newest first."""
    mine = equals("parent.subscription_details.subscription", subscription["id"])
    return account.store.find("invoice", [mine, one_of("status", statuses)])


def stop_collecting(account: Account, subscription: Json) -> None:
    """Charge a subscription's unpaid invoices no longer by themselves; they stay payable."""
    for invoice in invoices_of(account, subscription, "draft", "open"):
        still = {"auto_advance": False, "automatically_finalizes_at": None, "next_payment_attempt": None}
        account.amend(invoice, "invoice.updated", **still)
