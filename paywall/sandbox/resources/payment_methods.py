"""Payment methods: cards, made by the payment page or from Stripe's ready-made test tokens."""

from paywall.sandbox.billing.paying import decline_facts
from paywall.sandbox.cards import BY_TOKEN, Decline
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.shapes.payments import billing_details, method_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.state.filters import equals, unset
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, Operation, reads, writes
from paywall.sandbox.wire.params import ID, LISTING, Fields, Only, Text

TOKENS_EXPIRE = (12, 2034)
KINDS = Only(Text(), "card")


def card_error(decline: Decline, param: str = "") -> StripeError:
    """402 with the bank's reason."""
    facts = decline_facts(decline)
    message = facts.pop("message")
    return StripeError(message, status=402, kind="card_error", param=param, **facts)


def attach_to(account: Account, method_id: str, customer: Json, param: str) -> Json:
    """Tie a card to a customer; cards that a bank refuses are refused here already."""
    method = account.store.get("payment_method", method_id)
    card = BY_TOKEN.get(method_id)
    if card and card.refused:
        raise card_error(card.refused)
    if card:
        method = account.create(method_shape(card, TOKENS_EXPIRE, billing_details(), account.now()))
    if method is None:
        raise missing_object("payment_method", method_id, param)
    if method["customer"] not in (None, customer["id"]):
        message = "This PaymentMethod has already been attached to a different customer."
        raise StripeError(message, code="resource_already_exists", param=param)
    return account.amend(method, "payment_method.attached", customer=customer["id"])


def attach(call: Call) -> Json:
    """Tie a card to a customer."""
    customer = call.account.get("customer", call.params["customer"], "customer", 400)
    if customer.get("deleted"):
        raise missing_object("customer", customer["id"], "customer", 400)
    return attach_to(call.account, call.ids["method"], customer, "payment_method")


def retrieve(call: Call) -> Json:
    """Return a payment method."""
    return call.account.get("payment_method", call.ids["method"], "payment_method")


def listed(call: Call) -> Json:
    """Return the cards of a customer."""
    if "customer" in call.params:
        call.account.get("customer", call.params["customer"], "customer", 400)
        return page(call, "payment_method", [equals("customer", call.params["customer"])])
    return page(call, "payment_method", [unset("customer")])


def listed_of_customer(call: Call) -> Json:
    """Return the cards of the customer in the address."""
    call.account.get("customer", call.ids["customer"])
    return page(call, "payment_method", [equals("customer", call.ids["customer"])])


LATER = "allow_redisplay customer_account"
ATTACH = Fields({"customer": ID}, required="customer", later="customer_account")
OPERATIONS = [
    Operation(
        "GET",
        "/v1/payment_methods",
        "list:payment_method",
        Fields({**LISTING, "customer": ID, "type": KINDS}, later=LATER),
        listed,
    ),
    reads("/v1/payment_methods/<method>", "payment_method", retrieve),
    writes("/v1/payment_methods/<method>/attach", "payment_method", attach, ATTACH),
    Operation(
        "GET",
        "/v1/customers/<customer>/payment_methods",
        "list:payment_method",
        Fields({**LISTING, "type": KINDS}, later="allow_redisplay"),
        listed_of_customer,
    ),
]
