"""Taking money for an invoice: the intent, its charges, and what each outcome changes."""

from dataclasses import asdict
from typing import Literal

from paywall.sandbox.billing.later import note
from paywall.sandbox.cards import BY_FINGERPRINT, BY_REASON, Card, Decline
from paywall.sandbox.shapes.payments import charge_shape, intent_shape, invoice_payment_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value, public
from paywall.sandbox.state.filters import equals

NO_METHOD = Decline("missing_payment_method", "There is no payment method to charge. Add a card and pay again.")
Outcome = Decline | Literal["paid", "asks"]
ORDERED_FAILURE = "sandbox_next_charge"  # the id of the note that the next charge is to fail


def decline_facts(decline: Decline) -> Json:
    """The codes of a decline, without those that it lacks."""
    return {name: value for name, value in asdict(decline).items() if value is not None}


def fail_next(account: Account, code: str | None = "generic_decline") -> None:
    """Let the next charge of any card fail for this reason; None takes the order back.

    Raises ValueError for a reason that no bank gives.
    """
    if code is not None and code not in BY_REASON:
        raise ValueError(f"The next charge can fail with {', '.join(sorted(BY_REASON))}, not with {code!r}.")
    with account.unit():
        account.store.remove(ORDERED_FAILURE)
        if code:
            account.store.add({"id": ORDERED_FAILURE, "object": "sandbox.order", "code": code})


def ordered_failure(account: Account) -> str | None:
    """Return the reason for which the next charge will be declined; None where nobody ordered that."""
    ordered = account.store.get("sandbox.order", ORDERED_FAILURE)
    return ordered["code"] if ordered else None


def behavior(method: Json) -> Card:
    """Return the test card or bank account behind a payment method."""
    return BY_FINGERPRINT[method[method["type"]]["fingerprint"]]


def verdict(account: Account, method: Json) -> Decline | None:
    """Return why the bank says no to a charge, which uses up an ordered failure; None if it pays."""
    ordered = ordered_failure(account)
    if ordered:
        account.store.remove(ORDERED_FAILURE)
        return BY_REASON[ordered]
    card = behavior(method)
    return card.refused or card.declined


def start_payment(account: Account, invoice: Json, **known: Value) -> Json:
    """Make the intent that is to pay an open invoice and tie the two together."""
    now = account.now()
    references = {"customer_reference": None, "order_reference": invoice["id"]}
    if invoice["billing_reason"] != "subscription_create":
        known = {"description": "Subscription update", **known}
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


def intent_of(account: Account, invoice: Json) -> Json | None:
    """Return the intent that an open invoice waits for; every try to pay it is made on the same one."""
    ties = account.store.find("invoice_payment", [equals("invoice", invoice["id"]), equals("status", "open")], limit=1)
    return account.get("payment_intent", ties[0]["payment"]["payment_intent"]) if ties else None


def take(account: Account, intent: Json, method: Json, *, authenticated: bool) -> tuple[Json, Outcome]:
    """Charge a payment method for an intent; returns the changed intent and what became of it."""
    card = behavior(method)
    if card.asks and not authenticated and not (card.once and method.get("_agreed")):
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
        waiting = {"status": "requires_action", "next_action": action, "payment_method": method["id"]}
        return account.amend(intent, "payment_intent.requires_action", **waiting), "asks"
    decline = verdict(account, method)
    if card.once and authenticated and decline is None:
        method = account.amend(method, None, _agreed=True)
    return attempt(account, intent, method, decline), decline or "paid"


def attempt(account: Account, intent: Json, method: Json, decline: Decline | None) -> Json:
    """Make the charge that the bank has decided on; returns the changed intent."""
    charge = account.create(charge_shape(intent, method, decline, account.now()))
    account.emit("charge.failed" if decline else "charge.succeeded", charge)
    if decline:
        return fail(account, intent, method, charge, decline)
    return earn(account, intent, charge)


def earn(account: Account, intent: Json, charge: Json) -> Json:
    """Record that a charge succeeded on its intent; some cards have something coming after that."""
    details = charge["payment_method_details"]
    card = BY_FINGERPRINT[details[details["type"]]["fingerprint"]]
    if card.later:
        note(account, card.later, charge["id"], 0)
    paid = {"status": "succeeded", "amount_received": intent["amount"], "next_action": None}
    paid |= {"latest_charge": charge["id"], "payment_method": charge["payment_method"], "last_payment_error": None}
    return account.amend(intent, "payment_intent.succeeded", **paid)


def fail(account: Account, intent: Json, method: Json, charge: Json | None, decline: Decline) -> Json:
    """Record a failed attempt on the intent, which waits for another payment method."""
    error = decline_facts(decline) | {"payment_method": public(method), "type": "card_error"}
    if charge:
        error["charge"] = charge["id"]
    changes = {"status": "requires_payment_method", "last_payment_error": error, "next_action": None}
    if charge:
        changes["latest_charge"] = charge["id"]
    return account.amend(intent, "payment_intent.payment_failed", **changes)


def settle(account: Account, invoice: Json, intent: Json | None) -> Json:
    """Mark an invoice paid, by an intent or because nothing was due."""
    now = account.now()
    tries = invoice["attempt_count"] + (1 if intent else 0)
    paid = {"amount_paid": invoice["amount_due"], "amount_remaining": 0, "status": "paid"}
    paid |= {"attempted": True, "attempt_count": tries, "auto_advance": False, "ending_balance": 0}
    paid |= {"status_transitions": invoice["status_transitions"] | {"paid_at": now}, "webhooks_delivered_at": now}
    invoice = account.amend(invoice, "invoice.paid", next_payment_attempt=None, **paid)
    account.emit("invoice.payment_succeeded", invoice)
    if intent:
        (tie,) = account.store.find("invoice_payment", [equals("payment.payment_intent", intent["id"])])
        when = tie["status_transitions"] | {"paid_at": now}
        account.amend(tie, "invoice_payment.paid", status="paid", amount_paid=intent["amount"], status_transitions=when)
    return invoice


def collect(
    account: Account, invoice: Json, method: Json | None, *, authenticated: bool, plan: Json | None = None
) -> tuple[Json, Outcome]:
    """Try to pay an open invoice with a payment method; returns the changed invoice and the outcome.

    An automatic attempt gives its `plan`: the invoice's count of attempts and its next one, should this one fail.
    """
    if invoice["amount_remaining"] == 0:
        return settle(account, invoice, None), "paid"
    intent = intent_of(account, invoice) or start_payment(account, invoice)
    outcome: Outcome = NO_METHOD
    if method:
        intent, outcome = take(account, intent, method, authenticated=authenticated)
    if outcome == "paid":
        return settle(account, invoice, intent), outcome
    tried: Json = {"attempted": True} | (plan or {})
    if outcome == "asks":
        invoice = account.amend(invoice, "invoice.payment_action_required", **tried)
        if plan:
            account.emit("invoice.payment_failed", invoice)
        return invoice, outcome
    tried.setdefault("attempt_count", invoice["attempt_count"] or 1)
    changed = account.amend(invoice, None, **tried)
    account.emit("invoice.payment_failed", changed)
    return changed, outcome
