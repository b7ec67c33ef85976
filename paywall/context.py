"""What a request works with: settings, clock, the way to Stripe and the sync, kept on the application."""

from dataclasses import dataclass
from datetime import datetime

from flask import current_app

from paywall.billing.catalog import Catalog
from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Sync
from paywall.clock import Clock
from paywall.settings import Settings


@dataclass(frozen=True)
class Parts:
    """The parts that ``create_app`` put together."""

    settings: Settings
    clock: Clock
    gateway: StripeGateway
    catalog: Catalog
    sync: Sync


def parts() -> Parts:
    """The parts of the running application."""
    found: Parts = current_app.extensions["paywall"]
    return found


def settings() -> Settings:
    """The settings of the running application."""
    return parts().settings


def now() -> datetime:
    """The present moment of the running application."""
    return parts().clock.now()
