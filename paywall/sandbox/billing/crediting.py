"""Credit notes: an invoice is corrected, before it is paid by asking for less, afterwards by giving back."""

from collections.abc import Sequence

from paywall.sandbox.billing.collecting import pay
from paywall.sandbox.billing.refunding import refund
from paywall.sandbox.billing.ties import drop_payment
from paywall.sandbox.errors import StripeError
from paywall.sandbox.money import written
from paywall.sandbox.shapes.credit_notes import credit_note_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.filters import equals


def issue(
    account: Account,
    invoice: Json,
    lines: Sequence[Json],
    *,
    refund_amount: int = 0,
    refunds: Sequence[Json] = (),
    outside: int = 0,
    **known: Value,
) -> Json:
    """Issue a note for these lines: amounts to refund now, refunds made already, what was given back elsewhere."""
    number = len(account.store.find("credit_note", [equals("invoice", invoice["id"])])) + 1
    note = credit_note_shape(invoice, lines, f"{invoice['number']}-CN-{number:02}", account.now(), **known)
    if invoice["status"] != "paid":
        return lessen(account, invoice, note)
    given = [{"amount_refunded": one["amount"], "refund": one["id"]} for one in refunds]
    back = refund_amount + outside + sum(one["amount_refunded"] for one in given)
    if back != note["amount"]:
        parts, whole = (written(amount, note["currency"]) for amount in (back, note["amount"]))
        message = f"The refunds and the amount given back elsewhere ({parts}) must add up to the credit note ({whole})."
        raise StripeError(message, param="refund_amount")
    if refund_amount:
        made = refund(account, charge_of(account, invoice), refund_amount)
        given.append({"amount_refunded": refund_amount, "refund": made["id"]})
    note |= {"post_payment_amount": note["amount"], "out_of_band_amount": outside or None}
    note["refunds"] = [one | {"payment_record_refund": None, "type": "refund"} for one in given]
    credited = invoice["post_payment_credit_notes_amount"] + note["amount"]
    account.amend(invoice, "invoice.updated", post_payment_credit_notes_amount=credited)
    return account.create(note, "credit_note.created")


def lessen(account: Account, invoice: Json, note: Json) -> Json:
    """Ask for less on an invoice that is open; one that asks for nothing any more is paid by that."""
    note |= {"type": "pre_payment", "pre_payment_amount": note["amount"]}
    note = account.create(note, "credit_note.created")
    drop_payment(account, invoice)
    invoice = account.amend(invoice, "invoice.updated", **owing(invoice, note["amount"]))
    if invoice["amount_remaining"] == 0:
        pay(account, invoice, None, authenticated=True)
    return note


def owing(invoice: Json, less: int) -> Json:
    """Return what crediting an amount (minor units) changes of an open invoice."""
    sums = {name: invoice[name] - less for name in ("amount_due", "amount_remaining")}
    return sums | {"pre_payment_credit_notes_amount": invoice["pre_payment_credit_notes_amount"] + less}


def charge_of(account: Account, invoice: Json) -> str:
    """Return the id of the charge that paid an invoice."""
    for tie in account.store.find("invoice_payment", [equals("invoice", invoice["id"]), equals("status", "paid")]):
        return str(account.get("payment_intent", tie["payment"]["payment_intent"])["latest_charge"])
    raise StripeError("Nothing was paid for this invoice; there is nothing to refund.", param="refund_amount")


def void(account: Account, note: Json) -> Json:
    """Take a note back, while its invoice is still to be paid."""
    invoice = account.get("invoice", note["invoice"])
    if note["status"] == "void" or note["type"] != "pre_payment" or invoice["status"] != "open":
        raise StripeError("Only a credit note that was issued for an open invoice can be voided.")
    drop_payment(account, invoice)
    account.amend(invoice, "invoice.updated", **owing(invoice, -note["amount"]))
    return account.amend(note, "credit_note.voided", status="void", voided_at=account.now())
