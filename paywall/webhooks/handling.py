"""What every handler works with, and what it answers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Sync, Synced
from paywall.clock import Clock
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


Objects = Mapping[str, str]
Handler = Callable[[Objects, Cause, Tools], Outcome]

_STRIPE_ID = re.compile(r"[A-Za-z0-9_]+")


def named(kind: str, objects: Objects) -> str | None:
    """The id of an object to ask Stripe for. Anything else would lead to another address of its API."""
    found = objects.get(kind)
    return found if found and _STRIPE_ID.fullmatch(found) else None


def told(synced: Synced) -> Outcome:
    """What a sync comes to for the inbox."""
    if synced.outcome == "synced":
        return Outcome("handled", "entitlement changed" if synced.changed else "nothing new")
    return Outcome("ignored", "no such subscription" if synced.outcome == "missing" else "not a plan of ours")
