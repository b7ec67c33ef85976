"""Taking money for an invoice: the intent, its charges, and what each outcome changes."""

from dataclasses import asdict
from typing import Literal

from paywall.sandbox.cards import BY_FINGERPRINT, Decline
from paywall.sandbox.shapes.payments import charge_shape, intent_shape, invoice_payment_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value
from paywall.sandbox.state.filters import equals

Outcome = Decline | Literal["paid", "asks"]


def decline_facts(decline: Decline) -> Json:
    """The codes of a decline, without those that it lacks."""
    return {name: value for name, value in asdict(decline).items() if value is not None}


def start_payment(account: Account, invoice: Json, **known: Value) -> Json:
    """Make the intent that is to pay an open invoice and tie the two together."""
    now = account.now()
    references = {"customer_reference": None, "order_reference": invoice["id"]}
    intent = intent_shape(
        invoice["amount_remaining"],
        invoice["currency"],
        now,
        customer=invoice["customer"],
        payment_details=references,
        **known,
    )
    account.create(intent, "payment_intent.created")
    account.create(invoice_payment_shape(invoice, intent, now))
    return intent


def take(account: Account, intent: Json, method: Json, *, authenticated: bool) -> tuple[Json, Outcome]:
    """Charge a payment method for an intent; returns the changed intent and what became of it."""
    card = BY_FINGERPRINT[method["card"]["fingerprint"]]
    if card.asks and not authenticated:
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        waiting = {"status": "requires_action", "next_action": action, "payment_method": method["id"]}
        return account.amend(intent, "payment_intent.requires_action", **waiting), "asks"
    decline = card.refused or card.declined
    charge = account.create(charge_shape(intent, method, decline, account.now()))
    account.emit("charge.failed" if decline else "charge.succeeded", charge)
    if decline:
        return fail(account, intent, method, charge, decline), decline
    paid = {"status": "succeeded", "amount_received": intent["amount"], "next_action": None}
    paid |= {"latest_charge": charge["id"], "payment_method": method["id"], "last_payment_error": None}
    return account.amend(intent, "payment_intent.succeeded", **paid), "paid"


def fail(account: Account, intent: Json, method: Json, charge: Json | None, decline: Decline) -> Json:
    """Record a failed attempt on the intent, which waits for another payment method."""
    error = decline_facts(decline) | {"payment_method": method, "type": "card_error"}
    if charge:
        error["charge"] = charge["id"]
    changes = {"status": "requires_payment_method", "last_payment_error": error, "next_action": None}
    if charge:
        changes["latest_charge"] = charge["id"]
    return account.amend(intent, "payment_intent.payment_failed", **changes)


def settle(account: Account, invoice: Json, intent: Json | None) -> Json:
    """Mark an invoice paid, by an intent or because nothing was due."""
    now = account.now()
    paid = {"amount_paid": invoice["amount_due"], "amount_remaining": 0, "status": "paid"}
    paid |= {"attempted": True, "attempt_count": 1 if intent else 0, "auto_advance": False, "ending_balance": 0}
    paid |= {"status_transitions": invoice["status_transitions"] | {"paid_at": now}, "webhooks_delivered_at": now}
    invoice = account.amend(invoice, "invoice.paid", **paid)
    account.emit("invoice.payment_succeeded", invoice)
    if intent:
        (tie,) = account.store.find("invoice_payment", [equals("payment.payment_intent", intent["id"])])
        when = tie["status_transitions"] | {"paid_at": now}
        account.amend(tie, "invoice_payment.paid", status="paid", amount_paid=intent["amount"], status_transitions=when)
    return invoice


def collect(account: Account, invoice: Json, method: Json, *, authenticated: bool) -> tuple[Json, Outcome]:
    """Try to pay an open invoice with a payment method; returns the changed invoice and the outcome."""
    if invoice["amount_remaining"] == 0:
        return settle(account, invoice, None), "paid"
    intent, outcome = take(account, start_payment(account, invoice), method, authenticated=authenticated)
    if outcome == "paid":
        return settle(account, invoice, intent), outcome
    tried = {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    event = "invoice.payment_action_required" if outcome == "asks" else "invoice.payment_failed"
    if outcome == "asks":
        tried = {"attempted": True}
    return account.amend(invoice, event, **tried), outcome
