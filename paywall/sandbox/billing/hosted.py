"""What a customer does with a card typed on a hosted page: keep it for later, pay an invoice that is open."""

from dataclasses import dataclass
from typing import Literal

from paywall.sandbox.billing.collecting import pay
from paywall.sandbox.billing.passing import let_time_pass
from paywall.sandbox.billing.paying import behavior, fail, intent_of
from paywall.sandbox.cards import UNAUTHENTICATED, Card, Decline
from paywall.sandbox.errors import missing_object
from paywall.sandbox.shapes.payments import billing_details, method_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json

PAYABLE = ("open", "uncollectible")


@dataclass(frozen=True)
class Typed:
    """A test card as it was typed and checked: its expiry is month and year."""

    card: Card
    exp: tuple[int, int]
    name: str


Settled = Decline | Literal["paid", "asks", "closed"]


def find_invoice(account: Account, invoice_id: str) -> Json:
    """Return an invoice that customers can see; raises StripeError for any other."""
    let_time_pass(account)
    invoice = account.get("invoice", invoice_id, "invoice")
    if invoice["status"] == "draft":
        raise missing_object("invoice", invoice_id, "invoice")
    return invoice


def payment_of(account: Account, invoice: Json) -> Json | None:
    """Return the intent that a payable invoice waits for, if one was begun."""
    return intent_of(account, invoice) if invoice["status"] in PAYABLE else None


def method_from(account: Account, customer_id: str, typed: Typed) -> Json:
    """Store a typed card, tied to its customer unless its bank refuses that."""
    customer = account.get("customer", customer_id)
    details = billing_details(customer.get("email"), typed.name)
    method = method_shape(typed.card, typed.exp, details, account.now())
    if typed.card.refused or customer.get("deleted"):
        return account.create(method)
    return account.create(method | {"customer": customer_id}, "payment_method.attached")


def pay_invoice(account: Account, invoice_id: str, typed: Typed) -> Settled:
    """Pay an open invoice with a typed card; `closed` where there is nothing to pay, or a payment is under way."""
    with account.unit():
        invoice = find_invoice(account, invoice_id)
        intent = payment_of(account, invoice)
        if invoice["status"] not in PAYABLE or (intent and intent["status"] == "processing"):
            return "paid" if invoice["status"] == "paid" else "closed"
        method = method_from(account, invoice["customer"], typed)
        _, outcome = pay(account, invoice, method, authenticated=False)
    let_time_pass(account)
    return outcome


def confirm(account: Account, invoice_id: str, *, agreed: bool) -> Settled:
    """Go on after 3D Secure, whoever had begun the payment: charge if the customer agreed, else note the failure."""
    with account.unit():
        invoice = find_invoice(account, invoice_id)
        intent = payment_of(account, invoice)
        if intent is None:
            return "paid" if invoice["status"] == "paid" else "closed"
        if intent["status"] != "requires_action":
            return UNAUTHENTICATED  # answered before: the form asks anew
        method = account.get("payment_method", intent["payment_method"])
        if not agreed:
            fail(account, intent, method, None, UNAUTHENTICATED)
            return UNAUTHENTICATED
        _, outcome = pay(account, invoice, method, authenticated=True)
    let_time_pass(account)
    return outcome


def keep_card(account: Account, customer_id: str, typed: Typed) -> Json | Decline:
    """Keep a typed card as what the customer's invoices and plans are charged to; returns it, or why it is refused."""
    with account.unit():
        if typed.card.refused:
            return typed.card.refused
        method = method_from(account, customer_id, typed)
        customer = account.get("customer", customer_id)
        settings = customer["invoice_settings"] | {"default_payment_method": method["id"]}
        account.amend(customer, "customer.updated", invoice_settings=settings)
        return method


def asks(account: Account, invoice: Json) -> bool:
    """Return whether an invoice waits for its customer to confirm a payment with their bank."""
    intent = payment_of(account, invoice)
    return bool(intent and intent["status"] == "requires_action")


def pay_with(account: Account, invoice: Json, method: Json) -> Settled:
    """Pay an open invoice with a card that was just kept."""
    _, outcome = pay(account, invoice, method, authenticated=not behavior(method).asks)
    return outcome
