"""Invoice items, and the one-off invoices that gather them; they renew nothing and are never charged by themselves."""

from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.shapes.invoice_items import item_shape, one_off_invoice
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.filters import equals, unset
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, removes, writes
from paywall.sandbox.wire.params import ID, Boolean, Choice, Fields, Integer, Metadata, Only, Text


def customer_of(call: Call) -> Json:
    """Return the customer that is named, who must not be deleted."""
    customer_id = call.params.get("customer")
    if not customer_id:
        raise StripeError("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = call.account.get("customer", customer_id, "customer", 400)
    if customer.get("deleted"):
        raise missing_object("customer", customer_id, "customer", 400)
    return customer


def create(call: Call) -> Json:
    """Note what a customer owes; the next one-off invoice takes it up."""
    account, params = call.account, call.params
    if "amount" not in params:
        raise StripeError("Missing required param: amount.", code="parameter_missing", param="amount")
    customer = customer_of(call)
    known = {"description": params.get("description"), "metadata": merged({}, params.get("metadata", {}))}
    currency = params.get("currency", "usd").lower()
    shape = item_shape(customer["id"], params["amount"], currency, account.now(), **known)
    return account.create(shape, "invoiceitem.created")


def stored(call: Call) -> Json:
    """Return the item in the address."""
    return call.account.get("invoiceitem", call.ids["item"], "invoiceitem")


def delete(call: Call) -> Json:
    """Forget an item that no invoice took up yet."""
    item = stored(call)
    if item["invoice"]:
        raise StripeError("This invoice item is on an invoice already; it can no longer be deleted.")
    call.account.store.remove(item["id"])
    call.account.emit("invoiceitem.deleted", item)
    return {"id": item["id"], "object": "invoiceitem", "deleted": True}


def listed(call: Call) -> Json:
    """Return invoice items."""
    filters = [equals(name, call.params[name]) for name in ("customer", "invoice") if name in call.params]
    if call.params.get("pending"):
        filters.append(unset("invoice"))
    return page(call, "invoiceitem", filters)


def draw(call: Call) -> Json:
    """Draw a draft invoice, over what the customer owes if that is asked for."""
    account, params = call.account, call.params
    customer = customer_of(call)
    items = []
    if params.get("pending_invoice_items_behavior") == "include":
        owed = [equals("customer", customer["id"]), unset("invoice")]
        items = account.store.find("invoiceitem", owed, oldest_first=True)
    currency = items[0]["currency"] if items else params.get("currency") or customer["currency"] or "usd"
    body = one_off_invoice(customer, items, currency, account.config.account_name, account.now())
    body |= {"description": params.get("description"), "metadata": merged({}, params.get("metadata", {}))}
    for item in items:
        account.amend(item, None, invoice=body["id"])
    return account.create(body, "invoice.created")


ITEM = Fields(
    {
        "amount": Integer(-99_999_999),
        "currency": Text(3),
        "customer": ID,
        "description": Text(),
        "metadata": Metadata(),
    },
    later="customer_account discountable discounts invoice period price_data pricing quantity quantity_decimal "
    "subscription tax_behavior tax_code tax_rates unit_amount_decimal",
)
DRAW = Fields(
    {
        "auto_advance": Only(Boolean(), False),
        "collection_method": Only(Text(), "charge_automatically"),
        "currency": Text(3),
        "customer": ID,
        "description": Text(1500),
        "metadata": Metadata(),
        "pending_invoice_items_behavior": Choice("exclude", "include"),
    },
    later="account_tax_ids application_fee_amount automatic_tax automatically_finalizes_at custom_fields "
    "customer_account days_until_due default_payment_method default_source default_tax_rates discounts due_date "
    "effective_at footer from_invoice issuer number on_behalf_of payment_settings rendering shipping_cost "
    "shipping_details statement_descriptor subscription transfer_data",
)
ONE = "/v1/invoiceitems/<item>"
OPERATIONS = [
    writes("/v1/invoiceitems", "invoiceitem", create, ITEM),
    lists(
        "/v1/invoiceitems",
        "invoiceitem",
        listed,
        {"customer": ID, "invoice": ID, "pending": Boolean()},
        later="customer_account",
    ),
    reads(ONE, "invoiceitem", stored),
    removes(ONE, "invoiceitem", delete),
    writes("/v1/invoices", "invoice", draw, DRAW),
]
