"""Promotion codes by API: words that buyers type to get a coupon."""

import re
from typing import Any

from paywall.sandbox.billing.discounts import usable
from paywall.sandbox.billing.promotion import find_active, same_code
from paywall.sandbox.errors import StripeError, missing_object
from paywall.sandbox.shapes.discounts import promotion_shape
from paywall.sandbox.state.bodies import Json, fields_set, merged
from paywall.sandbox.state.filters import equals
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, writes
from paywall.sandbox.wire.params import ID, Boolean, Choice, Fields, Integer, Metadata

RULES = Fields(
    {"first_time_transaction": Boolean(), "minimum_amount": Integer(1), "minimum_amount_currency": ID},
    later="currency_options",
)
CREATE = Fields(
    {
        "active": Boolean(),
        "code": ID,
        "customer": ID,
        "expires_at": Integer(),
        "max_redemptions": Integer(1),
        "metadata": Metadata(),
        "promotion": Fields({"coupon": ID, "type": Choice("coupon")}, required="type"),
        "restrictions": RULES,
    },
    required="promotion",
    later="customer_account",
)


def create(call: Call) -> Json:
    """Make a code for a coupon."""
    account, sent = call.account, dict(call.params)
    coupon_id = sent.pop("promotion").get("coupon")
    if not coupon_id:
        raise StripeError("Missing required param: promotion[coupon].", code="parameter_missing", param="promotion")
    coupon = account.store.get("coupon", coupon_id)
    if coupon is None:
        raise missing_object("coupon", coupon_id, "promotion[coupon]", 400)
    usable(coupon, "promotion[coupon]")
    check(call, sent)
    rules = sent.pop("restrictions", {})
    sent["metadata"] = merged({}, sent.get("metadata", {}))
    code = promotion_shape(coupon_id, account.now(), **sent)
    code["restrictions"] |= rules
    return account.create(code | {"_due": code["expires_at"]}, "promotion_code.created")


def check(call: Call, sent: dict[str, Any]) -> None:
    """Refuse a code that is taken, over already, unreadable or for nobody."""
    account = call.account
    if "customer" in sent:
        account.get("customer", sent["customer"], "customer", 400)
    if "code" in sent and not re.fullmatch(r"[A-Za-z0-9_-]{1,500}", sent["code"]):
        raise StripeError("A code may hold letters, digits, dashes and underscores only.", param="code")
    if "code" in sent and find_active(account, sent["code"]):
        raise StripeError(f"An active promotion code with `code: {sent['code']}` already exists.", param="code")
    if sent.get("expires_at", account.now() + 1) <= account.now():
        raise StripeError("The expires_at must be in the future.", param="expires_at")
    rules = sent.get("restrictions", {})
    if ("minimum_amount" in rules) != ("minimum_amount_currency" in rules):
        name = "restrictions[minimum_amount_currency]"
        raise StripeError("A minimum amount needs its currency.", code="parameter_missing", param=name)


def stored(call: Call) -> Json:
    """Return the code in the address."""
    return call.account.get("promotion_code", call.ids["code"], "promotion_code")


def update(call: Call) -> Json:
    """Switch a code on or off, or change its metadata."""
    code = stored(call)
    return call.account.amend(code, "promotion_code.updated", **fields_set(code, call.params))


def listed(call: Call) -> Json:
    """Return codes."""
    params = call.params
    filters = [equals("customer", params["customer"])] if "customer" in params else []
    if "active" in params:
        filters.append(equals("active", params["active"]))
    if "code" in params:
        filters.append(same_code(params["code"]))
    if "coupon" in params:
        filters.append(equals("promotion.coupon", params["coupon"]))
    return page(call, "promotion_code", filters)


ONE = "/v1/promotion_codes/<code>"
FILTERS = {"active": Boolean(), "code": ID, "coupon": ID, "customer": ID}
OPERATIONS = [
    writes("/v1/promotion_codes", "promotion_code", create, CREATE),
    lists("/v1/promotion_codes", "promotion_code", listed, FILTERS, later="customer_account"),
    reads(ONE, "promotion_code", stored),
    writes(ONE, "promotion_code", update, Fields({"active": Boolean(), "metadata": Metadata()}, later="restrictions")),
]
