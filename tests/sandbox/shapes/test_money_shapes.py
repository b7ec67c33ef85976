"""Refunds, disputes, coupons, credit notes and portal configurations carry every field of Stripe's own examples."""

import json

import pytest

from paywall.sandbox.billing.disputing import open_dispute
from paywall.sandbox.billing.refunding import refund
from tests.sandbox.shapes.test_recorded import common_fields, objects_in
from tests.support.stripe_spec import STRIPE_FILES, needs_spec

EXAMPLES = STRIPE_FILES / "recorded" / "stripe-openapi" / "fixtures3.json"
KINDS = (
    "refund",
    "dispute",
    "balance_transaction",
    "radar.early_fraud_warning",
    "coupon",
    "promotion_code",
    "discount",
    "credit_note",
    "credit_note_line_item",
    "billing_portal.configuration",
)
# Only there for a line of the invoice, which is not what was credited here.
NOT_OURS = {"credit_note_line_item": {"invoice_line_item"}}


@pytest.fixture
def ours(sandbox, wire, order):
    """One object of each kind as the sandbox made it, from its lists and its events."""
    account = sandbox.sandbox.account
    wire.post("/v1/coupons", {"id": "TEN", "percent_off": "10", "duration": "forever"})
    form = {"promotion[type]": "coupon", "promotion[coupon]": "TEN"}
    code = wire.post("/v1/promotion_codes", form).json["id"]
    session = wire.post("/v1/checkout/sessions", {**order, "discounts[0][promotion_code]": code}).json
    sandbox.pay(session["id"], card="4000000000005423")
    (charge,) = wire.get("/v1/charges").json["data"]
    refund(account, charge["id"], 100, "failed")
    invoice = wire.get("/v1/invoices").json["data"][0]["id"]
    wire.post("/v1/credit_notes", {"invoice": invoice, "amount": "100", "refund_amount": "100"})
    open_dispute(account, charge["id"])
    found = {}
    for path in ("disputes", "coupons", "promotion_codes", "credit_notes", "refunds", "billing_portal/configurations"):
        for body in objects_in(wire.get(f"/v1/{path}").json):
            found[body["object"]] = body
    for event in sandbox.events():
        for body in objects_in(event["data"]["object"]):
            found.setdefault(body["object"], body)
    return found


@needs_spec
def test_no_field_of_stripes_examples_is_missing(ours):
    examples = json.loads(EXAMPLES.read_text())["resources"]
    missing = {kind: set(examples[kind]) - set(ours[kind]) - NOT_OURS.get(kind, set()) for kind in KINDS}
    assert {kind: fields for kind, fields in missing.items() if fields} == {}


@needs_spec
@pytest.mark.parametrize("kind", ["refund", "credit_note", "credit_note_line_item", "discount", "coupon"])
def test_no_field_is_missing_that_every_recording_has(ours, kind):
    assert common_fields()[kind] - set(ours[kind]) == set()


def test_what_the_sandbox_keeps_for_itself_is_not_told(ours):
    assert not [name for body in ours.values() for name in body if name.startswith("_")]
