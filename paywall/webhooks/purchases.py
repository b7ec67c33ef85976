"""Handlers of events about checkouts, subscriptions with their invoices, and customers."""

from paywall.billing import tracing
from paywall.billing.errors import StripeNotFound
from paywall.billing.snapshots import CheckoutSnapshot
from paywall.storage import checkouts, readers, subscriptions
from paywall.storage.database import begin_read, db
from paywall.storage.entitlements import Cause
from paywall.webhooks.handling import Objects, Outcome, Tools, named, told


def checkout_completed(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    """The buyer is done: if nothing is owed any more, the subscription is synced."""
    session = _session(objects, tools)
    if isinstance(session, Outcome):
        return session
    if session.mode != "subscription" or session.subscription_id is None:
        return Outcome("ignored", "not a subscription")
    if not session.settled:
        return Outcome("handled", "awaits the payment")
    return told(tools.sync.subscription(session.subscription_id, cause))


def checkout_unpaid(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    """A delayed payment failed: the reader may start again."""
    session = _session(objects, tools)
    if isinstance(session, Outcome):
        return session
    row = checkouts.by_session(session.id)
    if row is not None and session.status == "complete" and not session.settled:
        checkouts.close(row.id, "expired", tools.clock.now())
    db.session.commit()
    if session.mode == "subscription" and session.subscription_id is not None:
        return told(tools.sync.subscription(session.subscription_id, cause))
    return Outcome("ignored", "not a checkout of ours") if row is None else Outcome("handled", "nothing was sold")


def checkout_expired(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    """Nobody can pay it any more: the reader may open another."""
    row = checkouts.by_session(objects.get("checkout.session", ""))
    if row is None:
        return Outcome("ignored", "not a checkout of ours")
    checkout_id, session_id = row.id, row.session_id or ""
    db.session.commit()
    try:
        session = tools.gateway.fetch_checkout(session_id)
    except StripeNotFound:
        return Outcome("ignored", "no such checkout session")
    if session.status != "expired":
        return Outcome("handled", "not expired any more")
    checkouts.close(checkout_id, "expired", tools.clock.now())
    return Outcome("handled", "checkout closed")


def subscription(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    """Anything about a subscription or an invoice of one: Stripe's present state decides."""
    subscription_id = named("subscription", objects)
    if subscription_id is None:
        return Outcome("ignored", "names no subscription")
    return told(tools.sync.subscription(subscription_id, cause))


def customer_deleted(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    """Stripe has ended all that the customer had; the reader's next purchase makes another customer."""
    customer_id = named("customer", objects)
    if customer_id is None or not _is_ours(customer_id):
        return Outcome("ignored", "not a customer of ours")
    if not tracing.customer_is_gone(tools.gateway, customer_id):
        return Outcome("handled", "not deleted")
    begin_read()
    ids = subscriptions.of_customer(customer_id)
    db.session.commit()
    changed = [tools.sync.subscription(one, cause).changed for one in ids]
    readers.forget_customer(customer_id)
    db.session.commit()
    return Outcome("handled", "entitlement changed" if any(changed) else "nothing new")


def card_changed(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    """Whatever its owner has running is read anew, with the last day of its card."""
    begin_read()
    ids = subscriptions.live_of_customer(named("customer", objects) or "")
    db.session.commit()
    if not ids:
        return Outcome("ignored", "nothing of ours is charged to it")
    changed = [tools.sync.subscription(one, cause).changed for one in ids]
    return Outcome("handled", "entitlement changed" if any(changed) else "nothing new")


def noted(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    """What changes nothing here: access hangs on subscriptions and their payments alone."""
    begin_read()
    known = subscriptions.get(objects.get("subscription", "")) is not None
    db.session.commit()
    if known or _is_ours(objects.get("customer", "")):
        return Outcome("handled", "noted; nothing hangs on it")
    return Outcome("ignored", "not about a reader of ours")


def _session(objects: Objects, tools: Tools) -> CheckoutSnapshot | Outcome:
    session_id = named("checkout.session", objects)
    if session_id is None:
        return Outcome("ignored", "names no checkout session")
    try:
        return tools.gateway.fetch_checkout(session_id)
    except StripeNotFound:
        return Outcome("ignored", "no such checkout session")


def _is_ours(customer_id: str) -> bool:
    """Whether a reader pays, or paid, as this customer; no transaction is left open."""
    begin_read()
    found = readers.by_customer(customer_id) is not None or bool(subscriptions.of_customer(customer_id))
    db.session.commit()
    return found
