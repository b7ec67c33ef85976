"""Prices: how much of which currency, and how often; the amount of a price never changes."""

from collections.abc import Mapping
from typing import Any

from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.bodies import Json, fields_set, merged
from paywall.sandbox.state.filters import equals, one_of
from paywall.sandbox.state.ids import new_id
from paywall.sandbox.wire.listing import page
from paywall.sandbox.wire.operation import Call, lists, reads, writes
from paywall.sandbox.wire.params import ID, Boolean, Choice, Fields, Integer, Items, Metadata, Only, Text

LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}
INTERVALS = Choice("day", "week", "month", "year")
TAX = Choice("exclusive", "inclusive", "unspecified")
RECURRING = Fields(
    {
        "interval": INTERVALS,
        "interval_count": Integer(1),
        "usage_type": Only(Choice("licensed", "metered"), "licensed"),
    },
    required="interval",
    later="meter",
)
CHANGEABLE = {
    "active": Boolean(),
    "lookup_key": Text(200),
    "metadata": Metadata(),
    "nickname": Text(),
    "tax_behavior": TAX,
    "transfer_lookup_key": Boolean(),
}
CREATE = Fields(
    {
        **CHANGEABLE,
        "billing_scheme": Only(Choice("per_unit", "tiered"), "per_unit"),
        "currency": Text(3, clearable=False),
        "product": ID,
        "recurring": RECURRING,
        "unit_amount": Integer(),
    },
    required="currency",
    later="currency_options custom_unit_amount product_data tiers tiers_mode transform_quantity unit_amount_decimal",
)
UPDATE = Fields(CHANGEABLE, later="currency_options")


def recurring_shape(sent: Mapping[str, Any]) -> Json:
    """How often a price is charged."""
    count = sent.get("interval_count", 1)
    if count > LONGEST[sent["interval"]]:
        message = "The interval cannot be longer than three years."
        raise StripeError(message, param="recurring[interval_count]")
    return {
        "interval": sent["interval"],
        "interval_count": count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def price_shape(params: Mapping[str, Any], now: int) -> Json:
    """A price as it is created."""
    recurring = params.get("recurring")
    return {
        "id": new_id("price"),
        "object": "price",
        "active": params.get("active", True),
        "billing_scheme": "per_unit",
        "created": now,
        "currency": params["currency"].lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": params.get("lookup_key"),
        "metadata": merged({}, params.get("metadata")),
        "nickname": params.get("nickname"),
        "product": params["product"],
        "recurring": recurring_shape(recurring) if recurring else None,
        "tax_behavior": params.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        "unit_amount": params["unit_amount"],
        "unit_amount_decimal": str(params["unit_amount"]),
    }


def create(call: Call) -> Json:
    """Make a price of an existing product."""
    for name in ("product", "unit_amount"):
        if name not in call.params:
            raise StripeError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    if not call.params["currency"].isalpha() or len(call.params["currency"]) != 3:
        message = f"Invalid currency: {call.params['currency']}."
        raise StripeError(message, param="currency")
    call.account.get("product", call.params["product"], "product", 400)
    free_lookup_key(call, None)
    return call.account.create(price_shape(call.params, call.account.now()), "price.created")


def free_lookup_key(call: Call, own_id: str | None) -> None:
    """See that the wanted lookup key is free, taking it from its holder only when that was asked for."""
    key = call.params.get("lookup_key")
    holders = call.account.store.find("price", [equals("lookup_key", key)]) if key else []
    for holder in holders:
        if holder["id"] == own_id:
            continue
        if not call.params.get("transfer_lookup_key"):
            message = f"A price (`{holder['id']}`) already uses that lookup key."
            raise StripeError(message, param="lookup_key")
        call.account.amend(holder, "price.updated", lookup_key=None)


def update(call: Call) -> Json:
    """Change what may change of a price."""
    price = call.account.get("price", call.ids["price"], "price")
    free_lookup_key(call, price["id"])
    sent = {name: value for name, value in call.params.items() if name != "transfer_lookup_key"}
    changes = fields_set(price, sent)
    fixed = price["tax_behavior"] != "unspecified"
    if fixed and changes.get("tax_behavior", price["tax_behavior"]) != price["tax_behavior"]:
        message = "You cannot update `tax_behavior` once it has been set to exclusive or inclusive."
        raise StripeError(message, param="tax_behavior")
    return call.account.amend(price, "price.updated", **changes)


def retrieve(call: Call) -> Json:
    """Return a price."""
    return call.account.get("price", call.ids["price"], "price")


def listed(call: Call) -> Json:
    """Return prices."""
    filters = [
        equals(name, call.params[name]) for name in ("active", "currency", "product", "type") if name in call.params
    ]
    if "lookup_keys" in call.params:
        filters.append(one_of("lookup_key", call.params["lookup_keys"]))
    filters += [equals(f"recurring.{name}", value) for name, value in call.params.get("recurring", {}).items()]
    return page(call, "price", filters)


FILTERS = {
    "active": Boolean(),
    "currency": Text(3),
    "lookup_keys": Items(ID, 10),
    "product": ID,
    "recurring": Fields({"interval": INTERVALS, "usage_type": Choice("licensed", "metered")}, later="meter"),
    "type": Choice("one_time", "recurring"),
}
OPERATIONS = [
    writes("/v1/prices", "price", create, CREATE),
    lists("/v1/prices", "price", listed, FILTERS),
    reads("/v1/prices/<price>", "price", retrieve),
    writes("/v1/prices/<price>", "price", update, UPDATE),
]
