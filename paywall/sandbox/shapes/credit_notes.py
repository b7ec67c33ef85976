"""Credit notes and their lines as Stripe shows them."""

from collections.abc import Sequence

from paywall.sandbox.shapes.lists import embedded
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.ids import new_id


def credited_line(amount: int, description: str | None, quantity: int, invoice_line: str | None) -> Json:
    """What is taken back: a line of the invoice, or something else in words."""
    line = {
        "id": new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "tax_rates": [],
        "taxes": [],
        "type": "invoice_line_item" if invoice_line else "custom_line_item",
        "unit_amount": amount // quantity,
        "unit_amount_decimal": str(amount // quantity),
    }
    return line | ({"invoice_line_item": invoice_line} if invoice_line else {})


def credit_note_shape(invoice: Json, lines: Sequence[Json], number: str, now: int, **known: Value) -> Json:
    """A note that takes back part of an invoice; `known` fields replace the usual ones."""
    note_id = new_id("cn")
    amount = sum(line["amount"] for line in lines)
    return {
        "id": note_id,
        "object": "credit_note",
        "amount": amount,
        "amount_shipping": 0,
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": now,
        "invoice": invoice["id"],
        "lines": embedded(lines, f"/v1/credit_notes/{note_id}/lines"),
        "livemode": False,
        "memo": None,
        "metadata": {},
        "number": number,
        "out_of_band_amount": None,
        "pdf": f"{invoice['hosted_invoice_url']}/credit_notes/{note_id}",
        "post_payment_amount": 0,
        "pre_payment_amount": 0,
        "pretax_credit_amounts": [],
        "reason": None,
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
        "total_taxes": [],
        "type": "post_payment",
        "voided_at": None,
    } | known
