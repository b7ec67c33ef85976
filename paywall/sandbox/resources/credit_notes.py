"""Credit notes by API; what they change stands in billing/crediting."""

from collections.abc import Mapping
from typing import Any

from paywall.sandbox.billing.crediting import issue, void
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.money import written
from paywall.sandbox.shapes.credit_notes import credited_line
from paywall.sandbox.state.bodies import Json, fields_set, merged
from paywall.sandbox.state.filters import equals
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, Operation, lists, reads, writes
from paywall.sandbox.wire.params import ID, LISTING, Choice, Fields, Integer, Items, Metadata, Text

LINE = Fields(
    {
        "amount": Integer(1),
        "description": Text(),
        "invoice_line_item": ID,
        "quantity": Integer(1),
        "type": Choice("custom_line_item", "invoice_line_item"),
        "unit_amount": Integer(1),
    },
    required="type",
    later="metadata tax_amounts tax_rates unit_amount_decimal",
)
GIVEN = Fields({"refund": ID}, required="refund", later="amount_refunded payment_record_refund type")
CREATE = Fields(
    {
        "amount": Integer(1),
        "invoice": ID,
        "lines": Items(LINE),
        "memo": Text(),
        "metadata": Metadata(),
        "out_of_band_amount": Integer(1),
        "reason": Choice("duplicate", "fraudulent", "order_change", "product_unsatisfactory"),
        "refund_amount": Integer(1),
        "refunds": Items(GIVEN),
    },
    required="invoice",
    later="credit_amount effective_at email_type shipping_cost",
)


def create(call: Call) -> Json:
    """Issue a note for an invoice that is open or paid."""
    account, params = call.account, call.params
    invoice = account.get("invoice", params["invoice"], "invoice", 400)
    if invoice["status"] not in ("open", "paid"):
        raise StripeError("Credit notes can only be issued for open or paid invoices.", param="invoice")
    if ("amount" in params) == ("lines" in params):
        message = "You must pass either amount or lines, and not both."
        raise StripeError(message, code="parameter_missing", param="amount")
    lines = [credited_line(params["amount"], None, 1, None)] if "amount" in params else lines_of(invoice, params)
    check_total(invoice, sum(line["amount"] for line in lines))
    refunds = [account.get("refund", one["refund"], "refunds", 400) for one in params.get("refunds", [])]
    return issue(
        account,
        invoice,
        lines,
        refund_amount=params.get("refund_amount", 0),
        refunds=refunds,
        outside=params.get("out_of_band_amount", 0),
        memo=params.get("memo"),
        metadata=merged({}, params.get("metadata", {})),
        reason=params.get("reason"),
    )


def lines_of(invoice: Json, params: Mapping[str, Any]) -> list[Json]:
    """Return the lines that a request asks for: of the invoice, or in its own words."""
    billed = {line["id"]: line for line in invoice["lines"]["data"]}
    lines = []
    for index, sent in enumerate(params["lines"]):
        line_id, quantity = sent.get("invoice_line_item"), sent.get("quantity", 1)
        if sent["type"] == "invoice_line_item" and line_id not in billed:
            raise missing_object("line_item", line_id or "", f"lines[{index}][invoice_line_item]", 400)
        amount = sent.get("amount") or sent.get("unit_amount", 0) * quantity
        amount = amount or (billed[line_id]["amount"] if line_id in billed else 0)
        if not amount:
            name = f"lines[{index}][unit_amount]"
            raise StripeError(f"Missing required param: {name}.", code="parameter_missing", param=name)
        words = sent.get("description") or (billed[line_id]["description"] if line_id in billed else None)
        lines.append(credited_line(amount, words, quantity, line_id))
    return lines


def check_total(invoice: Json, amount: int) -> None:
    """Refuse to take back more than is still asked for, or was paid and not credited yet."""
    left = invoice["amount_remaining"]
    if invoice["status"] == "paid":
        left = invoice["amount_paid"] - invoice["post_payment_credit_notes_amount"]
    if amount > left:
        asked, rest = written(amount, invoice["currency"]), written(left, invoice["currency"])
        raise StripeError(f"The credit note ({asked}) is greater than what can be credited ({rest}).", param="amount")


def stored(call: Call) -> Json:
    """Return the note in the address."""
    return call.account.get("credit_note", call.ids["note"], "id")


def update(call: Call) -> Json:
    """Change the memo and the metadata."""
    note = stored(call)
    return call.account.amend(note, "credit_note.updated", **fields_set(note, call.params))


def voided(call: Call) -> Json:
    """Take a note back."""
    return void(call.account, stored(call))


def listed(call: Call) -> Json:
    """Return notes, of one invoice or customer if it is named."""
    names = [name for name in ("customer", "invoice") if name in call.params]
    return page(call, "credit_note", [equals(name, call.params[name]) for name in names])


def listed_lines(call: Call) -> Json:
    """Return a note's lines."""
    return dict(stored(call)["lines"])


ONE = "/v1/credit_notes/<note>"
OPERATIONS = [
    writes("/v1/credit_notes", "credit_note", create, CREATE),
    lists("/v1/credit_notes", "credit_note", listed, {"customer": ID, "invoice": ID}, later="customer_account"),
    reads(ONE, "credit_note", stored),
    writes(ONE, "credit_note", update, Fields({"memo": Text(), "metadata": Metadata()})),
    writes(f"{ONE}/void", "credit_note", voided, Fields({})),
    Operation("GET", f"{ONE}/lines", "list:credit_note_line_item", Fields(LISTING), listed_lines),
]
