"""Events: what happened, to read again for as long as the state is kept."""

from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import Filter, like, one_of
from paywall.sandbox.webhooks.queue import undelivered
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads
from paywall.sandbox.wire.params import ID, Boolean, Items

# What no endpoint wanted was delivered to everyone that it was for.
DELIVERED = "(NOT EXISTS (SELECT 1 FROM sendings WHERE sendings.event = objects.id AND sendings.state != 'delivered'))"


def retrieve(call: Call) -> Json:
    """Return an event with the number of endpoints that still wait for it."""
    event = call.account.get("event", call.ids["event"])
    return event | {"pending_webhooks": undelivered(call.account.store, event["id"])}


def listed(call: Call) -> Json:
    """Return events by type (`*` stands for anything) and by whether they were delivered."""
    if "type" in call.params and "types" in call.params:
        message = "You may only specify one of these parameters: type, types."
        raise StripeError(message, code="parameters_exclusive", param="types")
    filters = []
    if "type" in call.params:
        filters.append(like("type", call.params["type"]))
    if "types" in call.params:
        filters.append(one_of("type", call.params["types"]))
    if "delivery_success" in call.params:
        filters.append(Filter(f"{DELIVERED} = ?", (int(call.params["delivery_success"]),)))
    found = page(call, "event", filters)
    for event in found["data"]:
        event["pending_webhooks"] = undelivered(call.account.store, event["id"])
    return found


OPERATIONS = [
    lists(
        "/v1/events",
        "event",
        listed,
        {"type": ID, "types": Items(ID, 20), "delivery_success": Boolean()},
    ),
    reads("/v1/events/<event>", "event", retrieve),
]
