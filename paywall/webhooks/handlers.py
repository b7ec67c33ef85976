"""Which event goes where and why we listen. An event is a hint: a handler takes ids from it and asks Stripe."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paywall.billing.stripe_gateway import StripeGateway, StripeNotFound
from paywall.billing.sync import Sync, Synced
from paywall.clock import Clock
from paywall.storage import checkouts
from paywall.storage.database import db
from paywall.storage.entitlements import Cause


@dataclass(frozen=True, slots=True)
class Tools:
    """What handlers work with."""

    gateway: StripeGateway
    sync: Sync
    clock: Clock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event: ``handled``, or ``ignored`` because it is not about us; with a word on why."""

    state: str
    note: str


_STRIPE_ID = re.compile(r"[A-Za-z0-9_]+")

Objects = Mapping[str, str]
Handler = Callable[[Objects, Cause, Tools], Outcome]


def _checkout_completed(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    session_id = _named("checkout.session", objects)
    if session_id is None:
        return Outcome("ignored", "names no checkout session")
    try:
        session = tools.gateway.fetch_checkout(session_id)
    except StripeNotFound:
        return Outcome("ignored", "no such checkout session")
    if session.mode != "subscription" or session.subscription_id is None:
        return Outcome("ignored", "not a subscription")
    if not session.settled:
        return Outcome("handled", "awaits the payment")
    return _told(tools.sync.subscription(session.subscription_id, cause))


def _checkout_expired(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
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


def _subscription(objects: Objects, cause: Cause, tools: Tools) -> Outcome:
    subscription_id = _named("subscription", objects)
    if subscription_id is None:
        return Outcome("ignored", "names no subscription")
    return _told(tools.sync.subscription(subscription_id, cause))


def _named(kind: str, objects: Objects) -> str | None:
    """The id of an object to ask Stripe for. Anything else would lead to another address of its API."""
    found = objects.get(kind)
    return found if found and _STRIPE_ID.fullmatch(found) else None


def _told(synced: Synced) -> Outcome:
    if synced.outcome == "synced":
        return Outcome("handled", "entitlement changed" if synced.changed else "nothing new")
    return Outcome("ignored", "no such subscription" if synced.outcome == "missing" else "not a plan of ours")


@dataclass(frozen=True, slots=True)
class Route:
    """A handler and the reason why we listen."""

    handler: Handler
    why: str


ROUTES: dict[str, Route] = {
    "checkout.session.completed": Route(_checkout_completed, "the first grant"),
    "checkout.session.expired": Route(_checkout_expired, "frees the one open checkout"),
    "customer.subscription.created": Route(_subscription, "the first grant, should the session's event be lost"),
    "customer.subscription.updated": Route(_subscription, "cancellation planned or undone, renewal, past due"),
    "customer.subscription.deleted": Route(_subscription, "the end"),
    "invoice.paid": Route(_subscription, "a renewal: a longer paid period"),
    "invoice.payment_failed": Route(_subscription, "the start of the grace period"),
}
