"""Every change is an event: stored with the object as it was, and found again by type and delivery."""

import pytest


@pytest.fixture
def told(wire, sandbox):
    """Two events, one of them delivered nowhere."""
    wire.post("/v1/products", {"id": "a", "name": "a"}, Idempotency_Key="key-1")
    wire.post("/v1/products/a", {"name": "b"})
    return sandbox.events()


def test_an_event_says_who_caused_it(told, wire, sandbox):
    created, updated = told
    requests = [entry.request_id for entry in sandbox.requests if entry.method == "POST"]
    assert created["request"] == {"id": requests[0], "idempotency_key": "key-1"}
    assert updated["request"] == {"id": requests[1], "idempotency_key": None}
    assert (created["api_version"], created["livemode"], created["object"]) == ("2026-10-28.endive", False, "event")


def test_an_event_keeps_the_object_as_it_was(told, wire):
    created = wire.get(f"/v1/events/{told[0]['id']}").json
    assert created["data"]["object"]["name"] == "a"
    assert "previous_attributes" not in created["data"]


def test_what_a_page_or_time_causes_has_no_request(sandbox, session):
    sandbox.pay(session["id"])
    (event,) = sandbox.events("checkout.session.completed")
    assert event["request"] == {"id": None, "idempotency_key": None}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=product.created", ["product.created"]),
        ("type=product.*", ["product.updated", "product.created"]),
        ("type=customer.*", []),
        ("types[]=product.created&types[]=price.created", ["product.created"]),
        ("delivery_success=false", ["product.updated", "product.created"]),
        ("delivery_success=true", []),
    ],
)
def test_events_are_found_by_type_and_delivery(wire, told, query, found):
    assert [one["type"] for one in wire.get("/v1/events", query).json["data"]] == found


def test_type_and_types_exclude_each_other(wire):
    reply = wire.get("/v1/events", "type=a&types[]=b")
    assert (reply.status, reply.error["code"]) == (400, "parameters_exclusive")


def test_an_undelivered_event_waits_for_one_endpoint(wire, told, sandbox, receiver):
    assert wire.get(f"/v1/events/{told[0]['id']}").json["pending_webhooks"] == 1
    sandbox.deliver = False
    sandbox.webhook_url = receiver.url
    sandbox.deliver_all()
    assert wire.get(f"/v1/events/{told[0]['id']}").json["pending_webhooks"] == 0
    assert len(wire.get("/v1/events", "delivery_success=true").json["data"]) == 2


def test_nothing_happens_when_an_operation_fails(wire, sandbox):
    wire.post("/v1/customers", {"payment_method": "pm_card_chargeDeclined"})
    assert sandbox.events() == []
