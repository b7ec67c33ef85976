"""The parts that know Stripe, kept on the application: who asks for them is ready to wait for a network."""

from dataclasses import dataclass

from flask import current_app

from paywall.billing.catalog import Catalog
from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Sync
from paywall.context import Surroundings


@dataclass(frozen=True)
class Parts(Surroundings):
    """What ``create_app`` put together."""

    gateway: StripeGateway
    catalog: Catalog
    sync: Sync


def parts() -> Parts:
    """The parts of the running application."""
    found: Parts = current_app.extensions["paywall"]
    return found
