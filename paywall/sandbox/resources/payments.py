"""Payment intents and charges, to read: only pages and subscriptions make them here."""

from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import Filter, equals
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, Operation, lists, reads
from paywall.sandbox.wire.params import EXPAND, ID, Fields


def intent(call: Call) -> Json:
    """Return a payment intent."""
    return call.account.get("payment_intent", call.ids["intent"], "intent")


def charge(call: Call) -> Json:
    """Return a charge."""
    return call.account.get("charge", call.ids["charge"])


def listed_intents(call: Call) -> Json:
    """Return payment intents."""
    return page(call, "payment_intent", same(call, "customer"))


def listed_charges(call: Call) -> Json:
    """Return charges."""
    return page(call, "charge", [*same(call, "customer"), *same(call, "payment_intent")])


def same(call: Call, name: str) -> list[Filter]:
    """Return the filter for a field, when it was sent."""
    return [equals(name, call.params[name])] if name in call.params else []


OPERATIONS = [
    lists("/v1/payment_intents", "payment_intent", listed_intents, {"customer": ID}, later="customer_account"),
    Operation("GET", "/v1/payment_intents/<intent>", "payment_intent", Fields(EXPAND, later="client_secret"), intent),
    lists(
        "/v1/charges",
        "charge",
        listed_charges,
        {"customer": ID, "payment_intent": ID},
        later="transfer_group",
    ),
    reads("/v1/charges/<charge>", "charge", charge),
]
