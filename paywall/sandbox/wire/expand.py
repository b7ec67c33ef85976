"""`expand[]`: which ids may be opened into objects, and opening them.

LINKS names, for each kind of object, the dotted fields that Stripe can open. A path is checked against it before
the operation runs, so that a wrong one changes nothing, as at Stripe.
"""

from collections.abc import Callable
from typing import TypeVar

from paywall.sandbox.errors import StripeError
from paywall.sandbox.state.account import Account
from paywall.sandbox.state.bodies import Json, Value, public

DEEPEST = 4
NOTHING = ""  # a field that Stripe can open and that is always empty here

LINKS: dict[str, dict[str, str]] = {
    "product": {"default_price": "price", "tax_code": NOTHING},
    "price": {"product": "product", "currency_options": NOTHING, "tiers": NOTHING},
    "plan": {"product": "product"},
    "customer": {
        "invoice_settings.default_payment_method": "payment_method",
        "default_source": NOTHING,
        "subscriptions": "list:subscription",
        "sources": NOTHING,
        "tax_ids": NOTHING,
        "discount": NOTHING,
        "test_clock": "test_helpers.test_clock",
        "cash_balance": NOTHING,
    },
    "payment_method": {"customer": "customer"},
    "checkout.session": {
        "customer": "customer",
        "subscription": "subscription",
        "invoice": "invoice",
        "line_items": "list:item",
        "payment_intent": "payment_intent",
        "setup_intent": NOTHING,
        "payment_link": NOTHING,
        "discounts": "session_discount",
    },
    "session_discount": {"coupon": "coupon", "promotion_code": "promotion_code"},
    "coupon": {},
    "promotion_code": {"promotion.coupon": "coupon", "customer": "customer"},
    "discount": {"source.coupon": "coupon", "promotion_code": "promotion_code", "customer": "customer"},
    "billing_portal.session": {"flow": NOTHING, "configuration": "billing_portal.configuration"},
    "billing_portal.configuration": {"application": NOTHING},
    "item": {"price": "price", "discounts": NOTHING, "taxes": NOTHING},
    "subscription": {
        "customer": "customer",
        "latest_invoice": "invoice",
        "default_payment_method": "payment_method",
        "items": "list:subscription_item",
        "default_source": NOTHING,
        "discounts": "discount",
        "pending_setup_intent": NOTHING,
        "schedule": NOTHING,
        "test_clock": "test_helpers.test_clock",
        "plan": "plan",
    },
    "subscription_item": {"price": "price", "plan": "plan", "discounts": NOTHING, "tax_rates": NOTHING},
    "invoice": {
        "customer": "customer",
        "default_payment_method": "payment_method",
        "parent.subscription_details.subscription": "subscription",
        "payments": "list:invoice_payment",
        "confirmation_secret": NOTHING,
        "lines": "list:line_item",
        "default_source": NOTHING,
        "discounts": "discount",
        "total_discount_amounts": "discount_amount",
        "total_taxes": "tax_amount",
        "test_clock": "test_helpers.test_clock",
    },
    "discount_amount": {"discount": "discount"},
    "tax_amount": {"tax_rate_details.tax_rate": NOTHING},
    "line_item": {
        "pricing.price_details.price": "price",
        "discounts": NOTHING,
        "parent.subscription_item_details.subscription": "subscription",
    },
    "invoice_payment": {
        "invoice": "invoice",
        "payment.payment_intent": "payment_intent",
        "payment.charge": "charge",
    },
    "payment_intent": {
        "customer": "customer",
        "latest_charge": "charge",
        "payment_method": "payment_method",
        "review": NOTHING,
    },
    "charge": {
        "customer": "customer",
        "payment_intent": "payment_intent",
        "balance_transaction": NOTHING,
        "refunds": "list:refund",
        "review": NOTHING,
    },
    "refund": {
        "charge": "charge",
        "payment_intent": "payment_intent",
        "balance_transaction": NOTHING,
        "customer": "customer",
        "failure_balance_transaction": NOTHING,
        "payment_method": "payment_method",
        "source_transfer_reversal": NOTHING,
        "transfer_reversal": NOTHING,
    },
    "credit_note": {
        "customer": "customer",
        "invoice": "invoice",
        "refunds": "credit_note_refund",
        "discount_amounts": "discount_amount",
        "customer_balance_transaction": NOTHING,
    },
    "credit_note_refund": {"refund": "refund"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "test_helpers.test_clock": {},
    "event": {},
}

Maker = Callable[[Account, Json], Value]
M = TypeVar("M", bound=Maker)

# Fields that are absent unless asked for, and what makes them; filled by the modules that own the objects.
MADE: dict[tuple[str, str], Maker] = {}


def made(kind: str, name: str) -> Callable[[M], M]:
    """Register what makes a field that only `expand` shows."""

    def register(maker: M) -> M:
        MADE[kind, name] = maker
        return maker

    return register


def step(kind: str, segments: list[str]) -> tuple[str, str, list[str]] | None:
    """Return the next field of a path, the kind of what it holds and the rest of the path."""
    if kind.startswith("list:"):
        return ("data", kind[5:], segments[1:]) if segments[0] == "data" else None
    for end in range(1, len(segments) + 1):
        name = ".".join(segments[:end])
        if name in LINKS.get(kind, {}):
            return name, LINKS[kind][name], segments[end:]
    return None


def check_path(kind: str, path: str) -> None:
    """Refuse a path that cannot be opened from this kind of object."""
    segments = path.split(".")
    if len(segments) > DEEPEST:
        message = f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}"
        raise StripeError(message, stored=False)
    here = kind
    while segments:
        found = step(here, segments)
        if found is None:
            hint = ""
            if here == kind and kind.startswith("list:") and step(kind[5:], segments):
                hint = f" You may want to try expanding 'data.{path}' instead."
            raise StripeError(f"This property cannot be expanded ({segments[0]}).{hint}", stored=False)
        _, here, segments = found
        if here == NOTHING:
            return


def opened(account: Account, kind: str, object_id: str) -> Json:
    """Return the object behind an id, as far as there is one."""
    return public(account.store.get(kind, object_id) or {"id": object_id})


def open_path(account: Account, body: Json, kind: str, segments: list[str]) -> None:
    """Open one checked path inside a body, in place."""
    found = step(kind, segments) if segments else None
    if found is None:
        return
    name, target, rest = found
    *parents, last = name.split(".")
    node = body
    for parent in parents:
        node = node.get(parent) or {}
    if (kind, name) in MADE and last not in node:
        node[last] = MADE[kind, name](account, body)
    value = node.get(last)
    if isinstance(value, str) and target:
        value = node[last] = opened(account, target, value)
    if isinstance(value, list) and target:
        value = node[last] = [opened(account, target, one) if isinstance(one, str) else one for one in value]
    for inner in value if isinstance(value, list) else [value]:
        if isinstance(inner, dict):
            open_path(account, inner, target, rest)
