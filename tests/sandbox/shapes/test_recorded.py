"""Objects carry every field that Stripe's recorded answers carry, old ones included."""

import json

import pytest

from tests.support.stripe_spec import RECORDED, needs_spec

SINCE = "2025-10-29"

# Every recorded charge was asked for with `expand[]=refunds`; without it Stripe leaves the field out.
NOT_OURS = {"charge": {"refunds"}}


def objects_in(body):
    if isinstance(body, dict):
        if isinstance(body.get("object"), str) and "id" in body:
            yield body
        for value in body.values():
            yield from objects_in(value)
    elif isinstance(body, list):
        for value in body:
            yield from objects_in(value)


def common_fields():
    """By kind of object, the fields that every recording of the last versions has."""
    common = {}
    for path in sorted(RECORDED.glob("*.json")):
        for exchange in json.loads(path.read_text())["exchanges"]:
            version = str(exchange["response"]["headers"].get("stripe-version") or "")
            if exchange["response"]["status"] == 200 and version >= SINCE:
                for body in objects_in(exchange["response"]["json"]):
                    known = common.setdefault(body["object"], set(body))
                    known &= set(body)
    return common


KINDS = (
    "customer payment_method checkout.session subscription subscription_item price plan "
    "invoice line_item invoice_payment payment_intent charge"
)


@needs_spec
def test_no_field_is_missing_that_every_recording_has(wire, sandbox, session):
    sandbox.pay(session["id"])
    ours = {}
    kinds = (
        "customers payment_methods checkout/sessions subscriptions invoices invoice_payments payment_intents charges"
    )
    (customer,) = wire.get("/v1/customers").json["data"]
    for kind in kinds.split():
        form = {"customer": customer["id"]} if kind == "payment_methods" else ""
        for body in objects_in(wire.get(f"/v1/{kind}", form).json):
            ours.setdefault(body["object"], set(body))
    common = common_fields()
    missing = {
        kind: sorted(common[kind] - ours[kind] - NOT_OURS.get(kind, set())) for kind in KINDS.split() if kind in common
    }
    assert {kind: fields for kind, fields in missing.items() if fields} == {}
    assert set(missing) == set(KINDS.split())


@pytest.mark.parametrize("field", ["plan", "quantity"])
def test_a_subscription_still_carries_its_old_fields(wire, sandbox, session, field):
    sandbox.pay(session["id"])
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    assert subscription[field]
    assert subscription["items"]["data"][0][field]
    assert subscription["items"]["total_count"] == 1
