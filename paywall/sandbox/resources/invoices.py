"""Invoices, their lines and the payments tied to them, to read."""

from paywall.sandbox.errors import StripeError
from paywall.sandbox.shapes.lists import embedded
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import equals
from paywall.sandbox.wire.expand import made
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, Operation, lists, reads
from paywall.sandbox.wire.params import ID, LISTING, Choice, Fields


def retrieve(call: Call) -> Json:
    """Return an invoice."""
    return call.account.get("invoice", call.ids["invoice"], "invoice")


def listed(call: Call) -> Json:
    """Return invoices."""
    paths = {
        "customer": "customer",
        "status": "status",
        "subscription": "parent.subscription_details.subscription",
    }
    filters = [equals(path, call.params[name]) for name, path in paths.items() if name in call.params]
    return page(call, "invoice", filters)


def listed_lines(call: Call) -> Json:
    """Return an invoice's lines."""
    return dict(retrieve(call)["lines"])


@made("invoice", "payments")
def payments_of(account: Account, invoice: Json) -> Json:
    """Return an invoice's payments."""
    return embedded(account.store.find("invoice_payment", [equals("invoice", invoice["id"])]), "/v1/invoices/payments")


@made("invoice", "confirmation_secret")
def secret_of(account: Account, invoice: Json) -> Json | None:
    """Return what a browser would confirm an open invoice's payment with."""
    for tie in account.store.find("invoice_payment", [equals("invoice", invoice["id"])], limit=1):
        intent = account.get("payment_intent", tie["payment"]["payment_intent"])
        return {"client_secret": intent["client_secret"], "type": "payment_intent"}
    return None


def retrieve_payment(call: Call) -> Json:
    """Return one payment of an invoice."""
    return call.account.get("invoice_payment", call.ids["payment"], "invoice_payment")


def listed_payments(call: Call) -> Json:
    """Return the payments of an invoice, or the invoice payment that an intent made."""
    filters = [equals(name, call.params[name]) for name in ("invoice", "status") if name in call.params]
    payment = call.params.get("payment")
    if payment:
        if payment["type"] not in payment:
            name = f"payment[{payment['type']}]"
            raise StripeError(f"Missing required param: {name}.", code="parameter_missing", param=name)
        filters.append(equals(f"payment.{payment['type']}", payment[payment["type"]]))
    return page(call, "invoice_payment", filters)


PAYMENT = Fields(
    {"type": Choice("payment_intent", "payment_record"), "payment_intent": ID, "payment_record": ID}, required="type"
)
STATUSES = Choice("draft", "open", "paid", "uncollectible", "void")
OPERATIONS = [
    lists(
        "/v1/invoices",
        "invoice",
        listed,
        {"customer": ID, "status": STATUSES, "subscription": ID},
        later="collection_method customer_account due_date",
    ),
    reads("/v1/invoices/<invoice>", "invoice", retrieve),
    Operation("GET", "/v1/invoices/<invoice>/lines", "list:line_item", Fields(LISTING), listed_lines),
    lists(
        "/v1/invoice_payments",
        "invoice_payment",
        listed_payments,
        {"invoice": ID, "payment": PAYMENT, "status": Choice("canceled", "open", "paid")},
    ),
    reads("/v1/invoice_payments/<payment>", "invoice_payment", retrieve_payment),
]
