"""Payment intents made by API: one payment with a card, of no subscription."""

from paywall.sandbox.billing.paying import Outcome, take
from paywall.sandbox.cards import BY_TOKEN, Decline
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.resources.payment_methods import TOKENS_EXPIRE, card_error
from paywall.sandbox.shapes.payments import billing_details, intent_shape, method_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.wire.operation import Call, writes
from paywall.sandbox.wire.params import ID, Boolean, Choice, Fields, Integer, Items, Metadata, Only, Text


def create(call: Call) -> Json | StripeError:
    """Make an intent, and charge it at once if that is asked for."""
    account, params = call.account, call.params
    if "customer" in params:
        account.get("customer", params["customer"], "customer", 400)
    known = {
        name: params[name] for name in ("customer", "description", "setup_future_usage", "shipping") if name in params
    }
    known = {"description": None, "setup_future_usage": None} | known
    known["metadata"] = merged({}, params.get("metadata", {}))
    body = intent_shape(params["amount"], params["currency"].lower(), account.now(), **known)
    method = method_of(account, params["payment_method"]) if "payment_method" in params else None
    if method:
        body |= {"payment_method": method["id"], "status": "requires_confirmation"}
    intent = account.create(body, "payment_intent.created")
    return charge(call, intent, method) if params.get("confirm") else intent


def confirm(call: Call) -> Json | StripeError:
    """Charge an intent that still waits."""
    intent = call.account.get("payment_intent", call.ids["intent"], "intent")
    if intent["status"] not in WAITING:
        message = f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}."
        raise StripeError(message, code="payment_intent_unexpected_state")
    wanted = call.params.get("payment_method") or intent["payment_method"]
    return charge(call, intent, method_of(call.account, wanted) if wanted else None)


def cancel(call: Call) -> Json:
    """Give up an intent that was not paid."""
    intent = call.account.get("payment_intent", call.ids["intent"], "intent")
    if intent["status"] not in WAITING:
        message = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
        raise StripeError(message, code="payment_intent_unexpected_state")
    over = {"status": "canceled", "canceled_at": call.account.now(), "next_action": None}
    over["cancellation_reason"] = call.params.get("cancellation_reason")
    return call.account.amend(intent, "payment_intent.canceled", **over)


def charge(call: Call, intent: Json, method: Json | None) -> Json | StripeError:
    """Charge a card for an intent; what a refusal leaves behind stays, and is answered with 402."""
    if method is None:
        message = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise StripeError(message, code="payment_intent_unexpected_state")
    outcome: Outcome
    intent, outcome = take(call.account, intent, method, authenticated=False)
    return card_error(outcome) if isinstance(outcome, Decline) else intent


def method_of(account: Account, method_id: str) -> Json:
    """Return a stored payment method, or make the card of one of Stripe's ready-made names."""
    card = BY_TOKEN.get(method_id) or BY_TOKEN.get(method_id.replace("pm_card_visa_", "pm_card_"))
    if card:
        return account.create(method_shape(card, TOKENS_EXPIRE, billing_details(), account.now()))
    method = account.store.get("payment_method", method_id)
    if method is None:
        raise missing_object("payment_method", method_id, "payment_method", 400)
    return method


WAITING = ("requires_action", "requires_confirmation", "requires_payment_method")
ADDRESS = Fields({name: Text() for name in ("city", "country", "line1", "line2", "postal_code", "state")})
SHIPPING = Fields(
    {"address": ADDRESS, "carrier": Text(), "name": Text(), "phone": Text(), "tracking_number": Text()},
    required="address name",
)
REASONS = Choice("abandoned", "duplicate", "fraudulent", "requested_by_customer")
CARD_ONLY = Items(Only(Text(), "card"))
CREATE = Fields(
    {
        "allowed_payment_method_types": CARD_ONLY,
        "amount": Integer(1, 99_999_999),
        "confirm": Boolean(),
        "currency": Text(3, clearable=False),
        "customer": ID,
        "description": Text(1000),
        "metadata": Metadata(),
        "off_session": Boolean(),
        "payment_method": ID,
        "return_url": Text(),
        "setup_future_usage": Choice("off_session", "on_session"),
        "shipping": SHIPPING,
    },
    required="amount currency",
    later="amount_details application_fee_amount automatic_payment_methods capture_method confirmation_method "
    "confirmation_token customer_account error_on_requires_action excluded_payment_method_types hooks mandate "
    "mandate_data on_behalf_of payment_details payment_method_configuration payment_method_data "
    "payment_method_options radar_options receipt_email statement_descriptor statement_descriptor_suffix "
    "transfer_data transfer_group use_stripe_sdk",
)
CONFIRM = Fields(
    {"allowed_payment_method_types": CARD_ONLY, "off_session": Boolean(), "payment_method": ID, "return_url": Text()},
    later="amount_details amount_to_confirm capture_method client_secret confirmation_token error_on_requires_action "
    "excluded_payment_method_types hooks mandate mandate_data payment_details payment_method_data "
    "payment_method_options radar_options receipt_email setup_future_usage shipping use_stripe_sdk",
)
OPERATIONS = [
    writes("/v1/payment_intents", "payment_intent", create, CREATE),
    writes("/v1/payment_intents/<intent>/confirm", "payment_intent", confirm, CONFIRM),
    writes("/v1/payment_intents/<intent>/cancel", "payment_intent", cancel, Fields({"cancellation_reason": REASONS})),
]
