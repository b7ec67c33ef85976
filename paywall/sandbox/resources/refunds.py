"""Refunds by API; what they change stands in billing/refunding."""

from paywall.sandbox.billing.refunding import refund, settle_refund
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.shapes.lists import embedded
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.filters import equals
from paywall.sandbox.wire.expand import made
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, writes
from paywall.sandbox.wire.params import ID, Choice, Fields, Integer, Metadata

CREATE = Fields(
    {
        "amount": Integer(1),
        "charge": ID,
        "metadata": Metadata(),
        "payment_intent": ID,
        "reason": Choice("duplicate", "fraudulent", "requested_by_customer"),
    },
    later="currency customer instructions_email origin refund_application_fee reverse_transfer",
)


def charge_of(call: Call) -> str:
    """Return the id of the charge that the request names, by itself or by its intent."""
    params = call.params
    if "charge" in params and "payment_intent" in params:
        message = "You may only specify one of these parameters: charge, payment_intent."
        raise StripeError(message, code="parameters_exclusive", param="charge")
    if "charge" in params:
        if call.account.store.get("charge", params["charge"]) is None:
            raise missing_object("charge", params["charge"], "charge")
        return str(params["charge"])
    if "payment_intent" not in params:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise StripeError(message)
    intent = call.account.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise StripeError(message, code="payment_intent_unexpected_state", param="payment_intent")
    return str(intent["latest_charge"])


def create(call: Call) -> Json:
    """Give a payment back, whole or in part."""
    known: Json = {"metadata": merged({}, call.params.get("metadata", {})), "reason": call.params.get("reason")}
    return refund(call.account, charge_of(call), call.params.get("amount"), **known)


def stored(call: Call) -> Json:
    """Return the refund in the address."""
    return call.account.get("refund", call.ids["refund"], "refund")


def update(call: Call) -> Json:
    """Change the metadata, which is all that can be changed."""
    body = stored(call)
    if "metadata" not in call.params:
        return body
    return call.account.amend(body, "refund.updated", metadata=merged(body["metadata"], call.params["metadata"]))


def cancel(call: Call) -> Json:
    """Stop a refund that waits for somebody's action; any other is on its way."""
    body = stored(call)
    if body["status"] != "requires_action":
        message = f"Only a refund with the status requires_action can be canceled; this one is {body['status']}."
        raise StripeError(message)
    return settle_refund(call.account, body["id"], "canceled")


def listed(call: Call) -> Json:
    """Return refunds, of one charge or intent if it is named."""
    names = [name for name in ("charge", "payment_intent") if name in call.params]
    return page(call, "refund", [equals(name, call.params[name]) for name in names])


@made("charge", "refunds")
def refunds_of(account: Account, charge: Json) -> Json:
    """Return a charge's refunds, newest first."""
    found = account.store.find("refund", [equals("charge", charge["id"])])
    return embedded(found, f"/v1/charges/{charge['id']}/refunds", total_count=len(found))


ONE = "/v1/refunds/<refund>"
OPERATIONS = [
    writes("/v1/refunds", "refund", create, CREATE),
    lists("/v1/refunds", "refund", listed, {"charge": ID, "payment_intent": ID}),
    reads(ONE, "refund", stored),
    writes(ONE, "refund", update, Fields({"metadata": Metadata()})),
    writes(f"{ONE}/cancel", "refund", cancel, Fields({})),
]
