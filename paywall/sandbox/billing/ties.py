"""The tie between an invoice and the payment intent that is to pay it."""

from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import equals


def open_ties(account: Account, invoice: Json) -> list[Json]:
    """Return the payments of an invoice that still wait."""
    return account.store.find("invoice_payment", [equals("invoice", invoice["id"]), equals("status", "open")])


def drop_payment(account: Account, invoice: Json) -> None:
    """Cancel what was still to pay an invoice."""
    now = account.now()
    for tie in open_ties(account, invoice):
        intent = account.get("payment_intent", tie["payment"]["payment_intent"])
        gone = {"status": "canceled", "canceled_at": now, "cancellation_reason": "void_invoice", "next_action": None}
        account.amend(intent, "payment_intent.canceled", **gone)
        account.amend(tie, None, status="canceled", status_transitions=tie["status_transitions"] | {"canceled_at": now})
