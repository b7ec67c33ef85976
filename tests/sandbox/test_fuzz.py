"""Whatever is asked, the answer is one of Stripe's: no crash, no made-up shape, nothing half done."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.sandbox.app import create_sandbox
from paywall.sandbox.config import SandboxConfig
from paywall.sandbox.resources import OPERATIONS
from tests.sandbox.conftest import KEY

HEADERS = {"Authorization": f"Bearer {KEY}"}
WORDS = st.sampled_from(
    [
        "id",
        "name",
        "active",
        "price",
        "items",
        "line_items",
        "customer",
        "metadata",
        "expand",
        "limit",
        "mode",
        "currency",
        "unit_amount",
        "recurring",
        "product",
        "success_url",
        "starting_after",
        "status",
        "type",
        "created",
        "payment",
        "cancel_at",
        "quantity",
        "interval",
        "lookup_keys",
        "0",
        "1",
    ]
)
KEYS = st.builds(lambda head, rest: head + "".join(f"[{step}]" for step in rest), WORDS, st.lists(WORDS | st.just("")))
VALUES = st.sampled_from(
    ["", "0", "1", "-1", "true", "subscription", "usd", "year", "x", "é", "\x00", "9" * 30, "a" * 6000]
)
FORMS = st.dictionaries(KEYS | st.text(max_size=8), VALUES | st.text(max_size=20), max_size=8)
IDS = st.sampled_from(["x", "cus_x", "cs_test_x", "%20", "..%2f", "é"])


@pytest.fixture(scope="module")
def client():
    """The application without a server; one account for the whole run."""
    app = create_sandbox(SandboxConfig(KEY))
    yield app.test_client()
    app.extensions["sandbox"].stop()


@given(operation=st.sampled_from(OPERATIONS), form=FORMS, object_id=IDS, key=st.none() | st.text("abc", max_size=2))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_crashes_it(client, operation, form, object_id, key):
    path = "/".join(object_id if part.startswith("<") else part for part in operation.path.split("/"))
    sent = {"data": form} if operation.method == "POST" else {"query_string": form}
    headers = HEADERS | ({"Idempotency-Key": key} if key else {})
    reply = client.open(path, method=operation.method, headers=headers, **sent)
    assert reply.status_code in (200, 400, 402, 404)
    if reply.status_code == 200:
        assert reply.json["object"]
    else:
        error = reply.json["error"]
        assert error["type"] in ("invalid_request_error", "card_error", "idempotency_error")
        assert error["message"]
        assert error.get("param") is None or isinstance(error["param"], str)


@given(header=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_header_opens_it_but_the_right_one(client, header):
    reply = client.get("/v1/products", headers={"Authorization": header})
    assert reply.status_code == (200 if KEY in header else 401)


@given(body=st.binary(max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_crashes_it(client, body):
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = client.post("/v1/customers", data=body, headers=HEADERS | kind)
    assert reply.status_code in (200, 400)


@given(
    form=st.dictionaries(st.sampled_from(["email", "cardNumber", "cardExpiry", "cardCvc", "billingName"]), st.text())
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_form_crashes_the_page_or_pays_by_chance(client, form):
    product = client.post("/v1/products", data={"name": "x"}, headers=HEADERS).json["id"]
    price = {"product": product, "currency": "usd", "unit_amount": "1", "recurring[interval]": "day"}
    made = client.post("/v1/prices", data=price, headers=HEADERS).json
    order = {
        "mode": "subscription",
        "line_items[0][price]": made["id"],
        "line_items[0][quantity]": "1",
        "success_url": "http://127.0.0.1:9/",
    }
    session = client.post("/v1/checkout/sessions", data=order, headers=HEADERS).json
    assert client.post(f"/c/pay/{session['id']}", data=form).status_code == 400
