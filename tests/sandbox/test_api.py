"""What every answer of the API has in common, good or bad."""

import json

import pytest
import stripe

from paywall.sandbox.resources import OPERATIONS
from paywall.sandbox.wire.params import Clearable, Either, Fields, Items, Only
from tests.support.stripe_spec import RECORDED, needs_spec, problems_of, spec


def recorded_errors():
    """Error bodies that Stripe itself sent, by the message they carry."""
    found = {}
    for path in sorted(RECORDED.glob("*.json")) if RECORDED.exists() else []:
        for exchange in json.loads(path.read_text())["exchanges"]:
            body = exchange["response"]["json"] or {}
            if "error" in body:
                found[body["error"]["message"].split(":")[0]] = (exchange["response"]["status"], body["error"])
    return found


def test_every_answer_names_its_request_and_version(wire, sandbox):
    reply = wire.get("/v1/products")
    assert reply.headers["Request-Id"].startswith("req_")
    assert reply.headers["Content-Type"] == "application/json"
    assert sandbox.requests[-1].request_id == reply.headers["Request-Id"]


def test_answers_are_laid_out_as_stripe_does(wire):
    text = wire.post("/v1/products", {"name": "x", "id": "p"}).text
    assert text.startswith('{\n  "id": "p",\n  "object": "product",\n')


def test_an_error_body_has_stripes_fields(wire, sandbox):
    reply = wire.get("/v1/customers/cus_missing")
    request_id = reply.headers["Request-Id"]
    assert reply.status == 404
    assert reply.json == {
        "error": {
            "code": "resource_missing",
            "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
            "message": "No such customer: 'cus_missing'",
            "param": "id",
            "request_log_url": f"{sandbox.url}/?request={request_id}",
            "type": "invalid_request_error",
        }
    }


@needs_spec
def test_errors_have_the_fields_of_recorded_ones(wire, customer):
    recorded = recorded_errors()
    asked = {
        "No such customer": wire.get("/v1/customers/cus_missing"),
        "No such price": wire.post("/v1/subscriptions", {"customer": customer["id"], "items[0][price]": "invalid"}),
        "Invalid API Key provided": wire.get("/v1/customers/cus_x", key="sk_test_wrong"),
        "Your card was declined.": wire.post(
            "/v1/payment_methods/pm_card_chargeDeclined/attach", {"customer": customer["id"]}
        ),
    }
    for start, reply in asked.items():
        status, error = recorded[start]
        assert reply.status == status
        assert reply.error["type"] == error["type"]
        for name in ("code", "param", "decline_code", "doc_url"):
            assert reply.error.get(name) == error.get(name), (start, name)


def test_the_sdk_raises_its_own_errors(sdk):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sdk.v1.customers.retrieve("cus_missing")
    assert (caught.value.http_status, caught.value.code, caught.value.param) == (404, "resource_missing", "id")
    with pytest.raises(stripe.CardError) as declined:
        sdk.v1.customers.create({"payment_method": "pm_card_chargeDeclinedInsufficientFunds"})
    assert declined.value.error.decline_code == "insufficient_funds"
    assert declined.value.user_message == "Your card has insufficient funds."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/payouts"),
        ("GET", "/v1/balance"),
        ("POST", "/v1/topups"),
        ("DELETE", "/v1/prices/price_1"),
        ("POST", "/v1/invoices/in_1/send"),
        ("GET", "/v2/core/events"),
        ("PUT", "/v1/customers/cus_1"),
    ],
)
def test_what_it_does_not_serve_is_404_naming_it(wire, method, path):
    reply = wire(method, path)
    assert reply.status == 404
    assert reply.error["code"] == "unrecognized_request_url"
    assert f"({method}: {path})" in reply.error["message"]
    assert "sandbox does not support" in reply.error["message"]


def test_only_form_encoding_is_understood(wire):
    reply = wire.post("/v1/customers", '{"email": "a@example.com"}', Content_Type="application/json")
    assert reply.status == 400
    assert "application/x-www-form-urlencoded" in reply.error["message"]


def test_a_body_of_more_than_a_megabyte_is_refused(wire):
    assert wire.post("/v1/customers", "name=" + "x" * 1_000_001).status == 413


def test_both_array_forms_mean_the_same(wire, price):
    for form in ("lookup_keys[0]=paywall_annual_usd_10000", "lookup_keys[]=paywall_annual_usd_10000"):
        assert [one["id"] for one in wire.get("/v1/prices", form).json["data"]] == [price["id"]]


def test_the_log_keeps_what_was_asked_but_never_the_key(wire, sandbox):
    wire.post("/v1/products", {"name": "x"}, Idempotency_Key="k1")
    entry = sandbox.requests[-1]
    assert entry[:5] == ("POST", "/v1/products", "name=x", 200, "k1")
    assert "sk_test" not in repr(sandbox.requests)


def test_the_log_keeps_the_beginning_of_long_requests(wire, sandbox):
    wire.post("/v1/products", "name=" + "x" * 100_000)
    assert len(sandbox.requests[-1].text) == 10_000


def described(operation):
    """Stripe's description of an operation's parameters as one schema, or None where Stripe has no such operation."""
    path = operation.path.replace("<", "x").replace(">", "")
    _, known = spec().route(operation.method, path)
    if known is None:
        return None
    fields = {one["name"]: one["schema"] for one in known["parameters"] if one["in"] != "path"}
    for content in (known.get("requestBody") or {}).get("content", {}).values():
        fields |= content["schema"].get("properties", {})
    return {"properties": fields}


def names_apart(ours, schema, name):
    """Yield the hashes in which our names and Stripe's differ, at any depth."""
    if isinstance(ours, Clearable | Only):
        ours = ours.inner
    if isinstance(ours, Either):
        ours = ours.nested
    schema = next((one for one in schema.get("anyOf", []) if "properties" in one or "items" in one), schema)
    if isinstance(ours, Items):
        yield from names_apart(ours.inner, schema.get("items", {}), f"{name}[]")
    if isinstance(ours, Fields):
        theirs = schema.get("properties", {})
        if apart := (set(ours.names) | set(ours.later)) ^ set(theirs):
            yield f"{name}: {sorted(apart)}"
        for field, inner in ours.names.items():
            yield from names_apart(inner, theirs.get(field, {}), f"{name}[{field}]")


@needs_spec
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_every_operation_and_parameter_is_one_of_stripes(operation):
    """What the sandbox takes, with what it names as unsupported, is exactly what Stripe takes."""
    schema = described(operation)
    assert schema is not None
    assert list(names_apart(operation.params, schema, "")) == []


def test_the_first_story_passes_the_description(wire, sandbox, session):
    """Every object that a payment leaves behind, and every event about it."""
    sandbox.pay(session["id"])
    kinds = ("customers", "subscriptions", "invoices", "invoice_payments", "payment_intents", "charges", "events")
    for kind in (*kinds, "products", "prices", "checkout/sessions"):
        reply = wire.get(f"/v1/{kind}", {"limit": 100})
        assert reply.json["data"], kind
        assert problems_of(reply.json) == []
