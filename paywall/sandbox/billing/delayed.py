"""Payments whose outcome is known days later: a subscription waits, incomplete, until its bank debit has arrived.

While a payment is processing the subscription is not given up, see https://docs.stripe.com/billing/subscriptions/overview.
"""

from collections.abc import Sequence

from paywall.sandbox.billing.collecting import recover, subscription_of
from paywall.sandbox.billing.later import does, note
from paywall.sandbox.billing.paying import behavior, earn, fail, intent_of
from paywall.sandbox.billing.paying import settle as settle_invoice
from paywall.sandbox.billing.subscribing import begin
from paywall.sandbox.cards import NEVER_SETTLES, NO_MONEY
from paywall.sandbox.shapes.payments import charge_shape, outcome_shape
from paywall.sandbox.shapes.subscriptions import Bought
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value

DAYS = 4 * 86400  # seconds until a bank tells what became of a debit
UNDER_WAY = {"amount_captured": 0, "captured": False, "paid": False, "status": "pending"}


def begin_waiting(
    account: Account, customer: str, bought: Sequence[Bought], method: Json, session_id: str, **known: Value
) -> Json:
    """Begin a subscription whose first payment is under way; returns it, incomplete."""
    known |= {"default_payment_method": method["id"], "_waiting": True}
    subscription, _ = begin(account, customer, bought, method, try_now=False, **known)
    invoice = account.get("invoice", subscription["latest_invoice"])
    intent = intent_of(account, invoice)
    if intent is None:
        raise AssertionError("an invoice that is to be paid has an intent")
    charge = account.create(charge_shape(intent, method, None, account.now()) | UNDER_WAY)
    account.emit("charge.pending", charge)
    changes = {"status": "processing", "latest_charge": charge["id"], "payment_method": method["id"]}
    account.amend(intent, "payment_intent.processing", **changes)
    if behavior(method).number != NEVER_SETTLES:
        note(account, "debit.settles", session_id, DAYS)
    return subscription


def settle(account: Account, session_id: str, *, ok: bool = True) -> Json:
    """Let the debit of a completed session arrive or bounce; returns the session.

    Raises ValueError for a session that waits for no payment.
    """
    with account.unit():
        session = account.get("checkout.session", session_id, "session")
        invoice = session["invoice"] and account.get("invoice", session["invoice"])
        intent = invoice and intent_of(account, invoice)
        if not intent or intent["status"] != "processing":
            raise ValueError(f"The session {session_id} waits for no payment: nothing can arrive or bounce.")
        subscription = subscription_of(account, invoice)
        if subscription:
            account.amend(subscription, None, _waiting=False)
        charge = account.get("charge", intent["latest_charge"])
        return arrive(account, session, invoice, charge) if ok else bounce(account, session, invoice, charge)


def arrive(account: Account, session: Json, invoice: Json, charge: Json) -> Json:
    """The money is here: the subscription begins to run, unless it has ended meanwhile."""
    here = {"amount_captured": charge["amount"], "captured": True, "paid": True, "status": "succeeded"}
    charge = account.amend(charge, "charge.succeeded", **here)
    intent = earn(account, account.get("payment_intent", charge["payment_intent"]), charge)
    invoice = settle_invoice(account, invoice, intent)
    subscription = subscription_of(account, invoice)
    if subscription:
        recover(account, subscription, invoice)
    return account.amend(session, "checkout.session.async_payment_succeeded", payment_status="paid")


def bounce(account: Account, session: Json, invoice: Json, charge: Json) -> Json:
    """The bank sends nothing: the invoice stays open, the subscription incomplete until it is given up."""
    gone = {"status": "failed", "failure_code": NO_MONEY.code, "failure_message": NO_MONEY.message}
    charge = account.amend(charge, "charge.failed", outcome=outcome_shape(NO_MONEY), **gone)
    method = account.get("payment_method", charge["payment_method"])
    fail(account, account.get("payment_intent", charge["payment_intent"]), method, charge, NO_MONEY)
    tries = invoice["attempt_count"] + 1
    account.emit("invoice.payment_failed", account.amend(invoice, None, attempted=True, attempt_count=tries))
    account.emit("checkout.session.async_payment_failed", session)
    return session


@does("debit.settles")
def settle_by_itself(account: Account, session_id: str) -> None:
    """The bank tells what the account it was told of does, unless somebody was faster."""
    session = account.get("checkout.session", session_id)
    invoice = account.get("invoice", session["invoice"])
    intent = intent_of(account, invoice)
    if intent and intent["status"] == "processing":
        method = account.get("payment_method", intent["payment_method"])
        settle(account, session_id, ok=behavior(method).declined is None)
