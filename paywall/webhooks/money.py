"""Handlers of events about money: they find the subscription that it was paid for, and sync that."""

import structlog

from paywall.billing import tracing
from paywall.storage import payments
from paywall.storage.database import begin_read, db
from paywall.storage.entitlements import Cause
from paywall.webhooks.handling import Objects, Outcome, Tools, named, told

log = structlog.get_logger("paywall.webhooks")


def paid_for(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    """Payments, refunds, disputes, credit notes: by our own rows, else by Stripe's payments of invoices."""
    subscription_id = _by_our_rows(objects) or _by_stripe(objects, tools)
    if subscription_id is None:
        return Outcome("ignored", "not a payment for a subscription")
    return told(tools.sync.subscription(subscription_id, cause))


def fraud_warning(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    """A card's bank fears fraud: counted and logged for staff, who may refund before a dispute. Access stays."""
    subscription_id = _by_our_rows(objects)
    if subscription_id is None:  # the warning may come before anything else about the payment
        subscription_id = _by_stripe(objects, tools)
        if subscription_id is None:
            return Outcome("ignored", "not a payment for a subscription")
        synced = tools.sync.subscription(subscription_id, cause)
        if synced.outcome != "synced":
            return told(synced)
    log.warning("early_fraud_warning", subscription=subscription_id, charge=objects.get("charge"), cause_id=cause.id)
    return Outcome("handled", "noted for staff; access stays")


def _by_our_rows(objects: Objects) -> str | None:
    """The subscription as our own rows know it; no transaction is left open."""
    begin_read()
    found: str | None = None
    if invoice_id := objects.get("invoice"):
        found = payments.subscription_of_invoice(invoice_id)
    for kind in ("payment_intent", "charge"):
        if found is None and (name := objects.get(kind)):
            found = payments.subscription_of(name)
    db.session.commit()
    return found


def _by_stripe(objects: Objects, tools: Tools) -> str | None:
    intent_id, charge_id = named("payment_intent", objects), named("charge", objects)
    return tracing.subscription_of(tools.gateway, named("invoice", objects), intent_id, charge_id)
