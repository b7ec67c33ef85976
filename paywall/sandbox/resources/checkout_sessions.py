"""Checkout Sessions by API; what their payment page does stands in billing/checkout."""

import re
from typing import Any
from urllib.parse import urlsplit

from paywall.sandbox.billing.checkout import with_offer
from paywall.sandbox.billing.passing import expire as expire_session
from paywall.sandbox.errors import StripeError, missing_object, unsupported
from paywall.sandbox.resources.lines import LINE, bought_lines
from paywall.sandbox.shapes.lists import embedded
from paywall.sandbox.shapes.sessions import line_item_shape, session_shape
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, merged
from paywall.sandbox.state.filters import equals
from paywall.sandbox.wire.expand import made
from paywall.sandbox.wire.listing import page as list_page
from paywall.sandbox.wire.operation import Call, Operation, lists, reads, writes
from paywall.sandbox.wire.params import (
    ID,
    LISTING,
    Boolean,
    Choice,
    Fields,
    Integer,
    Items,
    Metadata,
    Only,
    Text,
)

SHORTEST, LONGEST = 30 * 60, 24 * 3600
SHORTEST_TRIAL = 2 * 86400
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
BILLING = Fields({"type": Only(Choice("classic", "flexible"), "flexible")}, required="type", later="flexible")
WITHOUT_METHOD = Choice("cancel", "create_invoice", "pause")
AT_TRIAL_END = Fields({"missing_payment_method": WITHOUT_METHOD}, required="missing_payment_method")
SUBSCRIPTION = Fields(
    {
        "billing_mode": BILLING,
        "description": Text(500),
        "metadata": Metadata(),
        "trial_end": Integer(),
        "trial_period_days": Integer(1, 730),
        "trial_settings": Fields({"end_behavior": AT_TRIAL_END}, required="end_behavior"),
    },
    later="application_fee_percent billing_cycle_anchor billing_cycle_anchor_config default_tax_rates invoice_settings "
    "on_behalf_of pending_invoice_item_interval proration_behavior transfer_data",
)
CREATE = Fields(
    {
        "allow_promotion_codes": Boolean(),
        "allowed_payment_method_types": Items(Only(Text(), "card", "us_bank_account")),
        "automatic_tax": Fields({"enabled": Only(Boolean(), False)}, required="enabled", later="liability"),
        "billing_address_collection": Only(Choice("auto", "required"), "auto"),
        "cancel_url": Text(),
        "client_reference_id": Text(200, clearable=False),
        "customer": ID,
        "customer_email": Text(800, clearable=False),
        "discounts": Items(Fields({"coupon": ID, "promotion_code": ID}), 1),
        "expires_at": Integer(),
        "line_items": Items(Fields(LINE, later="adjustable_quantity price_data tax_rates"), 20),
        "locale": Only(Text(), "auto", "en"),
        "metadata": Metadata(),
        "mode": Choice("payment", "setup", "subscription"),
        "payment_method_collection": Choice("always", "if_required"),
        "submit_type": Only(Choice("auto", "book", "donate", "pay", "subscribe"), "auto", "subscribe"),
        "subscription_data": SUBSCRIPTION,
        "success_url": Text(),
        "ui_mode": Only(Choice("elements", "embedded_page", "hosted_page"), "hosted_page"),
    },
    required="mode",
    later="adaptive_pricing after_expiration branding_settings consent_collection currency custom_fields custom_text "
    "customer_account customer_creation customer_update excluded_payment_method_types integration_identifier "
    "invoice_creation managed_payments name_collection optional_items origin_context payment_intent_data "
    "payment_method_configuration payment_method_data payment_method_options permissions phone_number_collection "
    "redirect_on_completion return_url saved_payment_method_options setup_intent_data shipping_address_collection "
    "shipping_options tax_id_collection wallet_options",
)


def check_urls(call: Call) -> None:
    """The page must know where to send the buyer."""
    if not call.params.get("success_url"):
        raise StripeError("Missing required param: success_url.", code="parameter_missing", param="success_url")
    for name in ("success_url", "cancel_url"):
        url = call.params.get(name)
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
            raise StripeError("Not a valid URL", code="url_invalid", param=name)


def check_lifetime(call: Call) -> int:
    """Return when the session expires: 30 minutes to 24 hours from now, a day if nothing is said."""
    now = call.account.now()
    expires = call.params.get("expires_at", now + LONGEST)
    if expires < now + SHORTEST:
        limit = "at least 30 minutes"
    elif expires > now + LONGEST:
        limit = "less than 24 hours"
    else:
        return int(expires)
    message = f"The `expires_at` timestamp must be {limit} from Checkout Session creation."
    raise StripeError(message, param="expires_at")


def buyer_of(call: Call) -> Json | None:
    """Return the customer that the session is for, if it names one."""
    if "customer" in call.params and "customer_email" in call.params:
        message = "You may only specify one of these parameters: customer, customer_email."
        raise StripeError(message, code="parameters_exclusive", param="customer_email")
    email = call.params.get("customer_email")
    if email and not EMAIL.fullmatch(email):
        message = f"Invalid email address: {email}"
        raise StripeError(message, code="email_invalid", param="customer_email")
    if "customer" not in call.params:
        return None
    customer = call.account.get("customer", call.params["customer"], "customer", 400)
    if customer.get("deleted"):
        raise missing_object("customer", customer["id"], "customer", 400)
    return customer


def create(call: Call) -> Json:
    """Open a session with its payment page."""
    account, params = call.account, call.params
    if params["mode"] != "subscription":
        raise unsupported(f"Checkout Sessions with mode={params['mode']}: it plays subscriptions alone", "mode")
    check_urls(call)
    customer = buyer_of(call)
    expires = check_lifetime(call)
    for index, line in enumerate(params.get("line_items", [])):
        if "quantity" not in line:
            message = f"Quantity is required. Add `quantity` to `line_items[{index}]`"
            raise StripeError(message, param=f"line_items[{index}][quantity]")
    bought = bought_lines(call, params.get("line_items", []), "line_items")
    names = {one.price["product"]: account.get("product", one.price["product"])["name"] for one in bought}
    trial = check_trial(call)
    lines = [line_item_shape(one, names[one.price["product"]], free=trial) for one in bought]
    session = session_shape(account.config, account.now(), expires, params, customer, lines)
    return account.create(session | offered(call, session))


def check_trial(call: Call) -> bool:
    """Return whether the session begins with a trial; one that ends must end in two days at least."""
    wanted = call.params.get("subscription_data", {})
    if "trial_end" in wanted and "trial_period_days" in wanted:
        message = "You may only specify one of these parameters: trial_end, trial_period_days."
        raise StripeError(message, code="parameters_exclusive", param="subscription_data[trial_end]")
    if wanted.get("trial_end", call.account.now() + SHORTEST_TRIAL) < call.account.now() + SHORTEST_TRIAL:
        message = "The `trial_end` date has to be at least 2 days in the future."
        raise StripeError(message, param="subscription_data[trial_end]")
    return "trial_end" in wanted or "trial_period_days" in wanted


def offered(call: Call, session: Json) -> Json:
    """Return what the coupon that the request names changes of a session."""
    wanted = call.params.get("discounts")
    if not wanted:
        return {}
    if "allow_promotion_codes" in call.params:
        message = "You may only specify one of these parameters: allow_promotion_codes, discounts."
        raise StripeError(message, code="parameters_exclusive", param="discounts")
    return with_offer(call.account, session, wanted[0], "discounts[0]")


def stored(call: Call) -> Json:
    """Return the session in the address."""
    return call.account.get("checkout.session", call.ids["session"], "session")


def update(call: Call) -> Json:
    """Change the metadata."""
    session = stored(call)
    if "metadata" not in call.params:
        return session
    return call.account.amend(session, None, metadata=merged(session["metadata"], call.params["metadata"]))


def expire(call: Call) -> Json:
    """Close an open session."""
    session = stored(call)
    if session["status"] != "open":
        message = (
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{session['status']}`."
        )
        raise StripeError(message)
    return expire_session(call.account, session)


@made("checkout.session", "line_items")
def lines_of(account: Account, session: Json) -> Json:
    """Return what a session sells."""
    kept = account.get("checkout.session", session["id"])
    return embedded(kept["_lines"], f"/v1/checkout/sessions/{session['id']}/line_items")


def listed_lines(call: Call) -> Json:
    """Return what a session sells as a list of its own; sessions are too small to need pages."""
    return lines_of(call.account, stored(call))


def listed(call: Call) -> Json:
    """Return sessions."""
    fields = ("customer", "payment_intent", "status", "subscription")
    filters = [equals(name, call.params[name]) for name in fields if name in call.params]
    if "customer_details" in call.params:
        filters.append(equals("customer_details.email", call.params["customer_details"]["email"]))
    return list_page(call, "checkout.session", filters)


FILTERS: dict[str, Any] = {
    "customer": ID,
    "customer_details": Fields({"email": ID}, required="email"),
    "payment_intent": ID,
    "status": Choice("complete", "expired", "open"),
    "subscription": ID,
}
ONE = "/v1/checkout/sessions/<session>"
OPERATIONS = [
    writes("/v1/checkout/sessions", "checkout.session", create, CREATE),
    lists("/v1/checkout/sessions", "checkout.session", listed, FILTERS, later="customer_account payment_link"),
    reads(ONE, "checkout.session", stored),
    writes(
        ONE,
        "checkout.session",
        update,
        Fields({"metadata": Metadata()}, later="collected_information line_items payment_intent_data shipping_options"),
    ),
    writes(f"{ONE}/expire", "checkout.session", expire, Fields({})),
    Operation("GET", f"{ONE}/line_items", "list:item", Fields(LISTING), listed_lines),
]
