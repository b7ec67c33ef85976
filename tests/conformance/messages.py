"""Messages to the service, and the shortest way to give it one: what its views do, without the web around it."""

from dataclasses import dataclass
from typing import Any

from paywall.billing import shapes
from paywall.checkout.service import Checkouts
from paywall.errors import Unavailable
from paywall.parts import Parts
from paywall.storage.database import db
from paywall.webhooks.handlers import Tools
from paywall.webhooks.intake import Intake


@dataclass(frozen=True)
class Delivery:
    """One message to the service: an event as Stripe posts it, or a browser's return to the address ``path``."""

    name: str
    event: dict[str, Any] | None = None
    path: str | None = None

    @property
    def key(self) -> str:
        """What tells it from other messages."""
        return str(self.event["id"]) if self.event else str(self.path)


def send(parts: Parts, delivery: Delivery) -> bool:
    """Gives a message to the service, in the application's context; True when it is dealt with."""
    try:
        return give(parts, delivery)
    except Unavailable:
        db.session.rollback()
        return False
    finally:
        db.session.remove()


def give(parts: Parts, delivery: Delivery) -> bool:
    """The same, for who wants to know why not. Raises Unavailable."""
    if delivery.event is not None:
        return Intake(Tools(parts.gateway, parts.sync, parts.clock)).receive(shapes.event(delivery.event))
    service = Checkouts(parts.gateway, parts.catalog, parts.sync, parts.settings.web.base_url)
    service.settle(str(delivery.path).rpartition("=")[2])
    return True
