"""Bending deliveries on purpose, to see what the receiver makes of it: held, reordered, doubled, dropped, resent."""

import secrets
from collections.abc import Sequence

from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.webhooks.delivery import Attempt, Deliverer
from paywall.sandbox.webhooks.endpoints import EVERYTHING, roll
from paywall.sandbox.webhooks.queue import Delivery, Due, deliveries_of, held_back, pending

ORDERS = ("oldest", "newest", "random")


class Steering:
    """What people and tests do to the deliveries of one sandbox. A hold ends with the process."""

    def __init__(self, deliverer: Deliverer) -> None:
        self.deliverer = deliverer
        self.account = deliverer.account

    @property
    def held(self) -> tuple[str, ...]:
        """The patterns of event types that wait now; `*` stands for anything."""
        return self.deliverer.held

    def hold(self, *types: str) -> None:
        """Let events of these types wait, every event if none is named; earlier holds stay."""
        with self.account.store.lock:
            self.deliverer.held = tuple(dict.fromkeys((*self.held, *(types or (EVERYTHING,)))))

    def waiting(self) -> list[Due]:
        """Return the deliveries that are held back, in the order in which they happened."""
        return held_back(self.account.store, self.held)

    def release(self, order: str | Sequence[str] = "oldest") -> list[Attempt]:
        """Send what is held: everything in an order of ORDERS, which ends the hold, or the events named, in this order.

        Raises StripeError for an order that there is not and for an event that is unknown.
        """
        if not isinstance(order, str):
            return self.deliverer.deliver([one for event_id in order for one in self.pending_of(event_id)])
        if order not in ORDERS:
            raise StripeError(f"There is no order {order!r}: use one of {', '.join(ORDERS)}.", param="order")
        wanted = self.waiting()
        if order == "newest":
            wanted.reverse()
        elif order == "random":
            secrets.SystemRandom().shuffle(wanted)
        attempts = self.deliverer.deliver(wanted)
        self.deliverer.held = ()
        self.deliverer.wake()
        return attempts

    def pending_of(self, event_id: str) -> list[Due]:
        """Return what is still to be delivered of an event."""
        return [Due(event_id, one.endpoint) for one in self.known(event_id) if one.state == "pending"]

    def known(self, event_id: str) -> list[Delivery]:
        """Return an event's deliveries to endpoints that there still are; an unknown event raises StripeError."""
        self.account.get("event", event_id, "event")
        store = self.account.store
        found = deliveries_of(store, event_id)
        return [one for one in found if store.get("webhook_endpoint", one.endpoint)]

    def duplicate(self, event_id: str) -> list[Attempt]:
        """Send one more copy of an event now; its own delivery goes on as if nothing had been sent."""
        return [self.deliverer.copy(Due(event_id, one.endpoint)) for one in self.known(event_id)]

    def drop(self, event_id: str | None = None) -> int:
        """Never deliver an event (or whatever is held now); returns how many deliveries that ends."""
        store = self.account.store
        if event_id:
            self.account.get("event", event_id, "event")
        with store.unit():
            wanted = [one for one in pending(store) if one.event == event_id] if event_id else self.waiting()
            for one in wanted:
                store.rows("UPDATE sendings SET state = 'dropped' WHERE event = ? AND endpoint = ?", *one)
        return len(wanted)

    def resend(self, event_id: str, endpoint_id: str | None = None) -> list[Attempt]:
        """Deliver an event again, whatever became of it, to one endpoint or to each that was to have it."""
        if endpoint_id:
            self.account.get("webhook_endpoint", endpoint_id, "webhook_endpoint", 400)
            self.account.get("event", event_id, "event")
            return self.deliverer.deliver([Due(event_id, endpoint_id)])
        return self.deliverer.deliver([Due(event_id, one.endpoint) for one in self.known(event_id)])

    def roll_secret(self, endpoint_id: str, at: float) -> str:
        """Give an endpoint a new secret, beside which the old one signs for a day of wall time; returns the new one."""
        endpoint = self.account.store.get("webhook_endpoint", endpoint_id)
        if endpoint is None:
            raise missing_object("webhook_endpoint", endpoint_id, "webhook_endpoint", 400)
        with self.account.store.unit():
            return roll(self.account.store, endpoint, at)
