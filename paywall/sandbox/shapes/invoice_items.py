"""Invoice items and the one-off invoices that gather them, as Stripe shows them."""

from collections.abc import Sequence

from paywall.sandbox.shapes.invoices import blank_invoice
from paywall.sandbox.shapes.lists import embedded
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.ids import new_id


def item_shape(customer: str, amount: int, currency: str, now: int, **known: Value) -> Json:
    """Something a customer owes, until an invoice takes it up; `known` fields replace the usual ones."""
    return {
        "id": new_id("ii"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "date": now,
        "description": None,
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "net_amount": amount,
        "parent": None,
        "period": {"start": now, "end": now},
        "pricing": None,
        "proration": False,
        "quantity": 1,
        "quantity_decimal": "1",
        "tax_rates": [],
        "test_clock": None,
    } | known


def item_line(item: Json) -> Json:
    """The line of an invoice about an invoice item."""
    parent = {"invoice_item": item["id"], "proration": False, "proration_details": None, "subscription": None}
    kind = "invoice_item_details"
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": item["amount"],
        "currency": item["currency"],
        "description": item["description"],
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": item["metadata"],
        "parent": {kind: parent, "subscription_item_details": None, "type": kind},
        "period": item["period"],
        "pretax_credit_amounts": [],
        "pricing": item["pricing"],
        "quantity": item["quantity"],
        "quantity_decimal": item["quantity_decimal"],
        "subtotal": item["amount"],
        "taxes": [],
    }


def one_off_invoice(customer: Json, items: Sequence[Json], currency: str, account_name: str, now: int) -> Json:
    """A draft invoice over a customer's items, of no subscription."""
    invoice_id = new_id("in")
    lines = [item_line(item) | {"invoice": invoice_id} for item in items]
    return blank_invoice(sum(item["amount"] for item in items)) | {
        "id": invoice_id,
        "account_country": "US",
        "account_name": account_name,
        "auto_advance": False,
        "billing_reason": "manual",
        "created": now,
        "currency": currency,
        "customer": customer["id"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_tax_exempt": customer["tax_exempt"],
        "lines": embedded(lines, f"/v1/invoices/{invoice_id}/lines", total_count=len(lines)),
        "parent": None,
        "period_end": now,
        "period_start": now,
    }
