"""Coupons by API: what they take off, for how long."""

import re
from decimal import Decimal

from paywall.sandbox.errors import StripeError, bad_parameter
from paywall.sandbox.shapes.discounts import coupon_shape
from paywall.sandbox.state.bodies import Json, fields_set, merged
from paywall.sandbox.wire.forms import Raw
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, removes, writes
from paywall.sandbox.wire.params import ID, Choice, Fields, Integer, Metadata, Param, Text, text_of


class Percent(Param):
    """A share above 0 and up to 100, with at most four decimals."""

    def parse(self, raw: Raw, name: str) -> float:
        """Return the share, or raise StripeError naming the parameter."""
        value = text_of(raw, name, "decimal")
        if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", value):
            raise bad_parameter(f"Invalid decimal: {value[:50]}", name)
        if not 0 < Decimal(value) <= 100:
            raise bad_parameter("Invalid percent_off: must be greater than 0 and at most 100.", name)
        return float(value)


PLAIN = {"metadata": Metadata(), "name": Text(40)}
CREATE = Fields(
    {
        **PLAIN,
        "amount_off": Integer(1),
        "currency": ID,
        "duration": Choice("forever", "once", "repeating"),
        "duration_in_months": Integer(1, 1200),
        "id": ID,
        "max_redemptions": Integer(1),
        "percent_off": Percent(),
        "redeem_by": Integer(),
    },
    later="applies_to currency_options",
)


def check_terms(call: Call) -> None:
    """Refuse a coupon that takes off nothing, or in two ways, or for no certain time."""
    params = call.params
    if ("amount_off" in params) == ("percent_off" in params):
        message = "You must pass either percent_off or amount_off, and not both."
        raise StripeError(message, code="parameter_missing", param="percent_off")
    if "amount_off" in params and "currency" not in params:
        message = "You must pass currency when passing amount_off."
        raise StripeError(message, code="parameter_missing", param="currency")
    if (params.get("duration") == "repeating") != ("duration_in_months" in params):
        message = "You must pass duration_in_months when duration is repeating, and only then."
        raise StripeError(message, code="parameter_missing", param="duration_in_months")
    if params.get("redeem_by", call.account.now() + 1) <= call.account.now():
        raise StripeError("The redeem_by must be in the future.", param="redeem_by")


def create(call: Call) -> Json:
    """Make a coupon."""
    check_terms(call)
    account, sent = call.account, dict(call.params)
    if "id" in sent and account.store.get("coupon", sent["id"]):
        raise StripeError("Coupon already exists.", code="resource_already_exists", param="id")
    if "currency" in sent:
        sent["currency"] = sent["currency"].lower() if "amount_off" in sent else None
    sent["metadata"] = merged({}, sent.get("metadata", {}))
    coupon = coupon_shape(account.now(), **sent)
    return account.create(coupon | {"_due": coupon["redeem_by"]}, "coupon.created")


def stored(call: Call) -> Json:
    """Return the coupon in the address."""
    return call.account.get("coupon", call.ids["coupon"], "coupon")


def update(call: Call) -> Json:
    """Change a coupon's name and metadata; what it takes off stays for good."""
    coupon = stored(call)
    return call.account.amend(coupon, "coupon.updated", **fields_set(coupon, call.params))


def delete(call: Call) -> Json:
    """Delete a coupon; who has it keeps it."""
    coupon = stored(call)
    call.account.store.remove(coupon["id"])
    call.account.emit("coupon.deleted", coupon)
    return {"id": coupon["id"], "object": "coupon", "deleted": True}


def listed(call: Call) -> Json:
    """Return coupons."""
    return page(call, "coupon")


ONE = "/v1/coupons/<coupon>"
OPERATIONS = [
    writes("/v1/coupons", "coupon", create, CREATE),
    lists("/v1/coupons", "coupon", listed, {}),
    reads(ONE, "coupon", stored),
    writes(ONE, "coupon", update, Fields(PLAIN, later="currency_options")),
    removes(ONE, "coupon", delete),
]
