"""The way at Stripe from money to the subscription that it was paid for, and whether a customer is still there."""

from collections.abc import Mapping

from paywall.billing.cases import Asks, everything
from paywall.billing.errors import StripeNotFound, StripeRefused
from paywall.billing.reading import ref
from paywall.billing.shapes import subscription_of_invoice


def subscription_of(
    stripe: Asks, invoice_id: str | None = None, intent_id: str | None = None, charge_id: str | None = None
) -> str | None:
    """The subscription that an invoice bills, else that a payment intent or a charge paid for; None if there is none.

    Since version basil a charge names no invoice: the way leads by its intent and the invoice's payments.
    https://docs.stripe.com/api/invoice-payment/list
    """
    try:
        if invoice_id is not None:
            return _of_invoice(stripe, invoice_id)
        if intent_id is None and charge_id is not None:
            intent_id = _intent_of(stripe, charge_id)
        return None if intent_id is None else _of_intent(stripe, intent_id)
    except StripeNotFound:
        return None
    except StripeRefused as refused:
        if refused.stripe_code == "resource_missing":
            return None
        raise


def customer_is_gone(stripe: Asks, customer_id: str) -> bool:
    """Whether Stripe has deleted a customer, or never knew it in this account and mode."""
    try:
        body = stripe.ask(
            "customer.fetch", lambda client: client.v1.customers.retrieve(customer_id).to_dict(), customer=customer_id
        )
    except StripeNotFound:
        return True
    return bool(body.get("deleted"))


def _of_invoice(stripe: Asks, invoice_id: str) -> str | None:
    body = stripe.ask(
        "invoice.fetch", lambda client: client.v1.invoices.retrieve(invoice_id).to_dict(), invoice=invoice_id
    )
    return subscription_of_invoice(body)


def _of_intent(stripe: Asks, intent_id: str) -> str | None:
    params = {
        "payment": {"type": "payment_intent", "payment_intent": intent_id},
        "expand": ["data.invoice"],
        "limit": 10,
    }
    found = everything(
        stripe, "invoice_payments.list", lambda client: client.v1.invoice_payments.list(params), intent=intent_id
    )
    invoices = [one["invoice"] for one in found if isinstance(one.get("invoice"), Mapping)]
    return next((name for one in invoices if (name := subscription_of_invoice(one))), None)


def _intent_of(stripe: Asks, charge_id: str) -> str | None:
    body = stripe.ask("charge.fetch", lambda client: client.v1.charges.retrieve(charge_id).to_dict(), charge=charge_id)
    return ref(body.get("payment_intent"))
