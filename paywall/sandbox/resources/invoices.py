"""Invoices, their lines and the payments tied to them; paying an invoice and giving it up."""

from paywall.sandbox.billing.collecting import card_for, forgive, paid_elsewhere, subscription_of
from paywall.sandbox.billing.collecting import pay as pay_now
from paywall.sandbox.billing.invoicing import DRAFT_SECONDS, finalize, give_up, living_customer, void
from paywall.sandbox.cards import Decline
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.resources.payment_methods import card_error
from paywall.sandbox.resources.subscription_params import no_card
from paywall.sandbox.shapes.lists import embedded
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.filters import equals
from paywall.sandbox.wire.expand import made
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, Operation, lists, reads, writes
from paywall.sandbox.wire.params import ID, LISTING, Boolean, Choice, Fields, Metadata, Text

UNPAID_3DS = Decline(
    "invoice_payment_intent_requires_action",
    "Payment for this invoice requires additional user action before it can be completed successfully.",
)


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


def update(call: Call) -> Json:
    """Change an invoice's notes, or whether it goes on by itself."""
    invoice, params = retrieve(call), call.params
    changes = {name: params[name] for name in ("description", "auto_advance") if name in params}
    if "metadata" in params:
        changes["metadata"] = merged(invoice["metadata"], params["metadata"])
    if changes.get("auto_advance") and invoice["status"] == "draft":
        living_customer(call.account, invoice)
        planned = invoice["automatically_finalizes_at"]
        changes["automatically_finalizes_at"] = planned or call.account.now() + DRAFT_SECONDS
    if changes.get("auto_advance") is False:
        changes["automatically_finalizes_at"] = None
    return call.account.amend(invoice, "invoice.updated", **changes)


def finalize_draft(call: Call) -> Json:
    """Give a draft its number; one of nothing is paid at once."""
    invoice = in_status(call, "finalized", "draft")
    known = {name: call.params[name] for name in ("auto_advance",) if name in call.params}
    invoice = finalize(call.account, invoice, next_payment_attempt=None, **known)
    return invoice if invoice["amount_remaining"] else pay_now(call.account, invoice, None, authenticated=False)[0]


def pay(call: Call) -> Json | StripeError:
    """Pay an invoice with a card of its customer, or say that it was paid elsewhere."""
    account, params = call.account, call.params
    invoice = in_status(call, "paid", "draft", "open", "uncollectible")
    if invoice["status"] == "draft":
        invoice = finalize(account, invoice, next_payment_attempt=None)
    if params.get("paid_out_of_band"):
        return paid_elsewhere(account, invoice)
    method = card_for(account, subscription_of(account, invoice) or invoice)
    if "payment_method" in params:
        method = account.store.get("payment_method", params["payment_method"])
        if method is None or method["customer"] != invoice["customer"]:
            raise missing_object("payment_method", params["payment_method"], "payment_method", 400)
    if method is None and invoice["amount_remaining"]:
        raise no_card()
    return paid_or_refused(call, invoice, method)


def paid_or_refused(call: Call, invoice: Json, method: Json | None) -> Json | StripeError:
    """Charge a card for an invoice; what a refusal leaves behind stays, and is answered with 402."""
    invoice, outcome = pay_now(call.account, invoice, method, authenticated=False)
    if outcome == "paid":
        return invoice
    return card_error(outcome if isinstance(outcome, Decline) else UNPAID_3DS)


def in_status(call: Call, wish: str, *statuses: str) -> Json:
    """Return the invoice in the address if its status allows what is asked for."""
    invoice = retrieve(call)
    if invoice["status"] not in statuses:
        if wish == "paid" and invoice["status"] == "paid":
            raise StripeError("Invoice is already paid", code="invoice_already_paid")
        listed = ", ".join(statuses)
        message = f"This invoice cannot be {wish}: its status is {invoice['status']}, it must be one of {listed}."
        raise StripeError(message, code="invoice_not_editable")
    return invoice


def void_one(call: Call) -> Json:
    """Take an invoice back: nobody owes it."""
    invoice = void(call.account, in_status(call, "voided", "open", "uncollectible"))
    forgive(call.account, invoice, uncollectible=False)
    return invoice


def mark_uncollectible(call: Call) -> Json:
    """Note that an invoice is not expected to be paid."""
    invoice = give_up(call.account, in_status(call, "marked uncollectible", "open"))
    forgive(call.account, invoice, uncollectible=True)
    return invoice


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
OLD = "account_tax_ids application_fee_amount automatic_tax collection_method custom_fields days_until_due "
UPDATE = Fields(
    {"auto_advance": Boolean(), "description": Text(1500), "metadata": Metadata()},
    later=OLD + "automatically_finalizes_at default_payment_method default_source default_tax_rates discounts due_date "
    "effective_at footer issuer number on_behalf_of payment_settings rendering shipping_cost shipping_details "
    "statement_descriptor transfer_data",
)
PAY = Fields(
    {"off_session": Boolean(), "paid_out_of_band": Boolean(), "payment_method": ID}, later="forgive mandate source"
)
ONE = "/v1/invoices/<invoice>"
STATUSES = Choice("draft", "open", "paid", "uncollectible", "void")
OPERATIONS = [
    lists(
        "/v1/invoices",
        "invoice",
        listed,
        {"customer": ID, "status": STATUSES, "subscription": ID},
        later="collection_method customer_account due_date",
    ),
    reads(ONE, "invoice", retrieve),
    writes(ONE, "invoice", update, UPDATE),
    writes(f"{ONE}/finalize", "invoice", finalize_draft, Fields({"auto_advance": Boolean()})),
    writes(f"{ONE}/pay", "invoice", pay, PAY),
    writes(f"{ONE}/void", "invoice", void_one, Fields({})),
    writes(f"{ONE}/mark_uncollectible", "invoice", mark_uncollectible, Fields({})),
    Operation("GET", f"{ONE}/lines", "list:line_item", Fields(LISTING), listed_lines),
    lists(
        "/v1/invoice_payments",
        "invoice_payment",
        listed_payments,
        {"invoice": ID, "payment": PAYMENT, "status": Choice("canceled", "open", "paid")},
    ),
    reads("/v1/invoice_payments/<payment>", "invoice_payment", retrieve_payment),
]
