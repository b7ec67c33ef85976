"""What clients that name no version still send: they get the newest answers and may use some names of before."""

from paywall.sandbox.wire.forms import Form, Raw
from paywall.sandbox.wire.params import Fields, Items, Param

RENAMED = {
    "payment_method_types": "allowed_payment_method_types",  # until 2026-09-30.endive; the command line tool sends it
    "plan": "price",  # of a subscription's items: from before there were prices, and still understood at Stripe
}
NESTED = {"billing_cycle_anchor": "type"}  # a plain word until 2026-09-30.endive


def translated(sent: Raw, param: Param) -> Raw:
    """Return what was sent with old names replaced, at any depth, where the new name alone is known."""
    if not isinstance(sent, dict):
        return sent
    if isinstance(param, Items):
        return {place: translated(value, param.inner) for place, value in sent.items()}
    if not isinstance(param, Fields):
        return sent
    sent = with_coupon(sent, param)
    return {now: inner(now, sent[old], param.names.get(now)) for old, now in names(sent, param).items()}


def inner(name: str, sent: Raw, param: Param | None) -> Raw:
    """Return the value of one name, which an operation may not know at all."""
    if param is None:
        return sent
    if name in NESTED and isinstance(param, Fields) and isinstance(sent, str):
        return {NESTED[name]: sent}
    return translated(sent, param)


def names(sent: Form, fields: Fields) -> dict[str, str]:
    """Return the name to use for each name that was sent."""
    known = {*fields.names, *fields.later}
    old = {name: RENAMED[name] for name in sent if name in RENAMED and name not in known}
    return {name: old[name] if old.get(name) in fields.names else name for name in sent}


def with_coupon(sent: Form, fields: Fields) -> Form:
    """Return a form whose coupon stands where 2025-03-31.basil and 2025-09-30.clover moved it."""
    if "coupon" not in sent or "coupon" in fields.names:
        return sent
    rest = {name: value for name, value in sent.items() if name != "coupon"}
    if "promotion" in fields.names:
        return rest | {"promotion": {"type": "coupon", "coupon": sent["coupon"]}}
    return rest | {"discounts": {"0": {"coupon": sent["coupon"]}}} if "discounts" in fields.names else sent
