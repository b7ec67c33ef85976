"""Payment methods: made by the hosted pages or from Stripe's ready-made test tokens, given to customers and taken."""

from collections.abc import Mapping
from typing import Any

from paywall.sandbox.billing.paying import behavior, decline_facts
from paywall.sandbox.cards import BY_TOKEN, Decline
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.shapes.payments import NO_ADDRESS, billing_details, method_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.filters import Filter, equals, unset
from paywall.sandbox.wire.forms import Raw
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, Operation, reads, writes
from paywall.sandbox.wire.params import EXPAND, ID, LISTING, Clearable, Fields, Integer, Metadata, Only, Param, Text

TOKENS_EXPIRE = (12, 2034)
KINDS = Only(Text(), "card")
LISTED = Only(Text(), "card", "us_bank_account")


def card_error(decline: Decline, param: str = "") -> StripeError:
    """402 with the bank's reason."""
    facts = decline_facts(decline)
    message = facts.pop("message")
    return StripeError(message, status=402, kind="card_error", param=param, **facts)


def attach_to(account: Account, method_id: str, customer: Json, param: str) -> Json:
    """Tie a card to a customer; cards that a bank refuses are refused here already."""
    method = account.store.get("payment_method", method_id)
    card = BY_TOKEN.get(method_id) or (behavior(method) if method else None)
    if card and card.refused:
        raise card_error(card.refused)
    if card and method is None:
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


def create(call: Call) -> Json:
    """Make a card that belongs to nobody yet, from one of Stripe's test tokens such as tok_visa."""
    if "card" not in call.params:
        raise StripeError("Missing required param: card.", code="parameter_missing", param="card")
    token = call.params["card"]
    card = BY_TOKEN.get(token.replace("tok_", "pm_card_", 1))
    if card is None:
        raise missing_object("token", token, "card[token]", 400)
    details = noted(billing_details(), call.params.get("billing_details", {}))
    shape = method_shape(card, TOKENS_EXPIRE, details, call.account.now())
    return call.account.create(shape | {"metadata": merged({}, call.params.get("metadata", {}))})


def noted(details: Json, sent: Mapping[str, Any]) -> Json:
    """Return who pays, with what a request says of it."""
    address = {"address": details["address"] | (sent["address"] or NO_ADDRESS)} if "address" in sent else {}
    return details | dict(sent) | address


def update(call: Call) -> Json:
    """Change what is noted about a payment method: who pays, and a card's expiry."""
    method, params = retrieve(call), call.params
    changes: Json = {}
    if "metadata" in params:
        changes["metadata"] = merged(method["metadata"], params["metadata"])
    if "billing_details" in params:
        changes["billing_details"] = noted(method["billing_details"], params["billing_details"])
    if "card" in params and "card" in method:
        changes["card"] = method["card"] | params["card"]
    return call.account.amend(method, "payment_method.updated", **changes)


def detach(call: Call) -> Json:
    """Take a payment method away from its customer, for good; nothing is charged to it any more."""
    account, method = call.account, retrieve(call)
    if method["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise StripeError(message, param="payment_method")
    customer = account.get("customer", method["customer"])
    settings = customer.get("invoice_settings") or {}
    gone = account.amend(method, None, customer=None)
    account.emit("payment_method.detached", gone, {"customer": method["customer"]})
    if settings.get("default_payment_method") == method["id"]:
        settings = settings | {"default_payment_method": None}
        account.amend(customer, "customer.updated", invoice_settings=settings)
    for subscription in account.store.find("subscription", [equals("customer", customer["id"])]):
        if subscription["default_payment_method"] == method["id"]:
            account.amend(subscription, "customer.subscription.updated", default_payment_method=None)
    return gone


def retrieve(call: Call) -> Json:
    """Return a payment method."""
    return call.account.get("payment_method", call.ids["method"], "payment_method")


def listed(call: Call) -> Json:
    """Return the payment methods of a customer, or those of nobody."""
    if "customer" not in call.params:
        return page(call, "payment_method", [unset("customer"), *of_type(call)])
    call.account.get("customer", call.params["customer"], "customer", 400)
    return page(call, "payment_method", [equals("customer", call.params["customer"]), *of_type(call)])


def listed_of_customer(call: Call) -> Json:
    """Return the payment methods of the customer in the address."""
    call.account.get("customer", call.ids["customer"])
    return page(call, "payment_method", [equals("customer", call.ids["customer"]), *of_type(call)])


def of_type(call: Call) -> list[Filter]:
    """Return the filter for the type, when one was named."""
    return [equals("type", call.params["type"])] if "type" in call.params else []


LATER = "allow_redisplay customer_account"
ADDRESS = Fields({name: Text() for name in ("city", "country", "line1", "line2", "postal_code", "state")})
DETAILS = {"address": Clearable(ADDRESS), "email": Text(512), "name": Text(256), "phone": Text(20)}
PLAIN = {"billing_details": Fields(DETAILS, later="tax_id"), "metadata": Metadata()}
EXPIRY = Fields({"exp_month": Integer(1, 12), "exp_year": Integer(2000, 2100)}, later="networks")


class Token(Param):
    """A card by one of Stripe's test tokens; its parts, which would be a number, are not taken."""

    def parse(self, raw: Raw, name: str) -> str:
        """Return the token."""
        inner = Fields({"token": ID}, required="token", later="cvc exp_month exp_year networks number")
        return str(inner.parse(raw, name)["token"])


class OfOneKind(Fields):
    """The parameters of a new card: any other type is refused by its name, before the parameters that only it has."""

    def refuse_others(self, raw: Mapping[str, Any], name: str) -> None:
        """Refuse another type, then what is unknown."""
        if "type" in raw:
            self.names["type"].parse(raw["type"], "type")
        super().refuse_others(raw, name)


OTHER_KINDS = (
    "acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit bacs_debit bancontact billie bizum blik "
    "boleto cashapp crypto custom customer_balance eps fpx giropay grabpay ideal interac_present kakao_pay klarna "
    "konbini kr_card link mb_way mobilepay multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank payco paynow "
    "paypal paypay payto pix promptpay revolut_pay samsung_pay satispay scalapay sepa_debit sequra sofort sunbit swish "
    "twint upi us_bank_account wechat_pay zip"
)
NOT_YET = f"{OTHER_KINDS} allow_redisplay customer payment_method radar_options"
UPDATE = Fields({**PLAIN, "card": EXPIRY}, later="allow_redisplay us_bank_account")
CREATE = OfOneKind({**PLAIN, **EXPAND, "card": Token(), "type": KINDS}, required="type", later=NOT_YET)
ATTACH = Fields({"customer": ID}, required="customer", later="customer_account")
OPERATIONS = [
    Operation(
        "GET",
        "/v1/payment_methods",
        "list:payment_method",
        Fields({**LISTING, "customer": ID, "type": LISTED}, later=LATER),
        listed,
    ),
    Operation("POST", "/v1/payment_methods", "payment_method", CREATE, create),
    reads("/v1/payment_methods/<method>", "payment_method", retrieve),
    writes("/v1/payment_methods/<method>", "payment_method", update, UPDATE),
    writes("/v1/payment_methods/<method>/detach", "payment_method", detach, Fields({})),
    writes("/v1/payment_methods/<method>/attach", "payment_method", attach, ATTACH),
    Operation(
        "GET",
        "/v1/customers/<customer>/payment_methods",
        "list:payment_method",
        Fields({**LISTING, "type": LISTED}, later="allow_redisplay"),
        listed_of_customer,
    ),
]
