"""Operations outside Stripe's public description, as far as the official command line tool uses them."""

from paywall.sandbox.billing.checkout import Asked, Payer, pay
from paywall.sandbox.cards import BY_FINGERPRINT, Decline
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.resources.payment_methods import card_error
from paywall.sandbox.state.bodies import Json
from paywall.sandbox.webhooks.queue import Due, deliveries_of, mark
from paywall.sandbox.wire.operation import Call, reads, writes
from paywall.sandbox.wire.params import ID, Fields, Integer, Text


def retry(call: Call) -> Json:
    """Deliver an event once more, in the background, to one endpoint or to each that was to have it."""
    account, store = call.account, call.account.store
    event = account.get("event", call.ids["event"], "event")
    wanted = [one.endpoint for one in deliveries_of(store, event["id"])]
    if "webhook_endpoint" in call.params:
        wanted = [account.get("webhook_endpoint", call.params["webhook_endpoint"], "webhook_endpoint", 400)["id"]]
    for endpoint in wanted:
        mark(store, Due(event["id"], endpoint), "pending")
    account.fresh = True  # wakes the deliverer at the end of this request
    return event | {"pending_webhooks": len(wanted)}


def page_of(call: Call) -> Json:
    """Return what the hosted payment page of a session knows: the session."""
    return call.account.get("checkout.session", call.ids["session"], "session")


def confirm(call: Call) -> Json:
    """Pay a session with a payment method, as its hosted page does."""
    session = page_of(call)
    method = call.account.store.get("payment_method", call.params["payment_method"])
    if method is None:
        raise missing_object("payment_method", call.params["payment_method"], "payment_method", 400)
    if call.params.get("expected_amount", session["amount_total"]) != session["amount_total"]:
        raise StripeError("The expected amount is not what the session asks for.", param="expected_amount")
    details = method["billing_details"]
    email = (session["customer_details"] or {}).get("email") or details["email"] or "buyer@example.com"
    kind = method[method["type"]]
    expires = (kind.get("exp_month", 12), kind.get("exp_year", 2034))
    result = pay(
        call.account, session["id"], Payer(BY_FINGERPRINT[kind["fingerprint"]], expires, email, details["name"])
    )
    if isinstance(result, Decline):
        raise card_error(result)
    if isinstance(result, Asked):
        raise StripeError("This card asks for 3D Secure: pay on the session's page.", param="payment_method")
    return page_of(call)


PAGE = "/v1/payment_pages/<session>"
CONFIRM = Fields({"payment_method": ID, "expected_amount": Integer(), "return_url": Text()}, required="payment_method")
OPERATIONS = [
    writes("/v1/events/<event>/retry", "event", retry, Fields({"webhook_endpoint": ID, "account": ID})),
    reads(PAGE, "checkout.session", page_of),
    writes(f"{PAGE}/confirm", "checkout.session", confirm, CONFIRM),
]
