"""Several endpoints, each with its own secret and types; what happens while one is off never reaches it."""

import json
import time

import pytest
import stripe

from tests.sandbox.conftest import SECRET, Receiver
from tests.sandbox.webhooks.test_delivery import wait_until

TYPES = {"enabled_events[]": "product.created"}
FORM = {"url": "http://127.0.0.1:9/hook", **TYPES}


@pytest.fixture
def second():
    receiver = Receiver()
    yield receiver
    receiver.close()


def test_the_sdk_makes_changes_lists_and_removes_endpoints(sdk):
    endpoints = sdk.v1.webhook_endpoints
    made = endpoints.create(
        {"url": FORM["url"], "enabled_events": ["*"], "description": "ours", "metadata": {"a": "b"}}
    )
    assert (made.status, made.enabled_events, made.livemode) == ("enabled", ["*"], False)
    changed = endpoints.update(made.id, {"disabled": True, "enabled_events": ["invoice.paid"]})
    assert (changed.status, changed.enabled_events, changed.description) == ("disabled", ["invoice.paid"], "ours")
    assert endpoints.update(made.id, {"disabled": False, "metadata": {"a": ""}}).metadata.to_dict() == {}
    assert [one.id for one in endpoints.list().data] == [made.id]
    assert endpoints.delete(made.id).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook_endpoint"):
        endpoints.retrieve(made.id)


def test_the_secret_stands_in_the_first_answer_alone(wire, sandbox):
    made = wire.post("/v1/webhook_endpoints", FORM).json
    assert made["secret"].startswith("whsec_")
    later = wire.get(f"/v1/webhook_endpoints/{made['id']}"), wire.get("/v1/webhook_endpoints")
    changed = wire.post(f"/v1/webhook_endpoints/{made['id']}", {"description": "x"})
    for reply in (*later, changed):
        assert "whsec_" not in reply.text


def test_the_endpoint_of_the_command_line_is_one_of_them(wire, sandbox, receiver):
    assert wire.get("/v1/webhook_endpoints").json["data"] == []
    sandbox.webhook_url = receiver.url
    (one,) = wire.get("/v1/webhook_endpoints").json["data"]
    assert (one["url"], one["description"]) == (receiver.url, "configured at start")
    assert SECRET not in json.dumps(one)


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"url": "hook", **TYPES}, "url"),
        ({"url": "ftp://127.0.0.1/", **TYPES}, "url"),
        ({"url": "http://127.0.0.1:99999/", **TYPES}, "url"),
        ({"url": "http://[::1/", **TYPES}, "url"),
        ({"url": FORM["url"]}, "enabled_events"),
        ({**FORM, "enabled_events[]": "Nonsense"}, "enabled_events[0]"),
        ({**FORM, "api_version": "latest"}, "api_version"),
        ({**FORM, "connect": "true"}, "connect"),
    ],
)
def test_a_bad_endpoint_is_refused_naming_the_parameter(wire, form, param):
    reply = wire.post("/v1/webhook_endpoints", form)
    assert (reply.status, reply.error["param"]) == (400, param)


def test_there_are_sixteen_at_most_as_at_stripe(wire):
    replies = [wire.post("/v1/webhook_endpoints", FORM) for _ in range(17)]
    assert [reply.status for reply in replies] == [200] * 16 + [400]
    assert "maximum of 16" in replies[-1].error["message"]


def test_each_endpoint_gets_its_types_signed_with_its_own_secret(wire, sandbox, receiver, second):
    sandbox.webhook_url = receiver.url
    secret = wire.post("/v1/webhook_endpoints", {**FORM, "url": second.url}).json["secret"]
    wire.post("/v1/products", {"id": "p", "name": "x"})
    wire.post("/v1/products/p", {"name": "y"})
    receiver.wait_for(2)
    second.wait_for(1)
    assert {event.type for event in receiver.events} == {"product.created", "product.updated"}
    event = stripe.Webhook.construct_event(second.bodies[0], second.signatures[0], secret)
    assert event.type == "product.created"
    assert len(second.bodies) == 1


def test_pending_webhooks_counts_the_endpoints_that_still_wait(wire, sandbox, receiver, second):
    sandbox.deliver = False
    sandbox.webhook_url = receiver.url
    wire.post("/v1/webhook_endpoints", {**FORM, "url": second.url})
    wire.post("/v1/products", {"id": "p", "name": "x"})
    (event,) = sandbox.events()
    assert wire.get(f"/v1/events/{event['id']}").json["pending_webhooks"] == 2
    second.answers = [500]
    sandbox.deliver_all()
    assert wire.get(f"/v1/events/{event['id']}").json["pending_webhooks"] == 1
    assert wire.get("/v1/events", "delivery_success=true").json["data"] == []
    assert [json.loads(body)["pending_webhooks"] for body in receiver.bodies + second.bodies] == [2, 1]


def test_one_endpoint_is_retried_alone(wire, sandbox, receiver, second):
    second.answers = [500]
    sandbox.webhook_url = receiver.url
    wire.post("/v1/webhook_endpoints", {**FORM, "url": second.url})
    wire.post("/v1/products", {"id": "p", "name": "x"})
    second.wait_for(2)
    time.sleep(0.1)
    assert len(receiver.bodies) == 1


def test_an_event_carries_the_version_of_its_endpoint(wire, sandbox, second):
    wire.post("/v1/webhook_endpoints", {**FORM, "url": second.url, "api_version": "2026-03-25.dahlia"})
    wire.post("/v1/products", {"id": "p", "name": "x"})
    second.wait_for(1)
    assert json.loads(second.bodies[0])["api_version"] == "2026-03-25.dahlia"


def test_what_happens_while_an_endpoint_is_off_is_not_kept_for_it(wire, sandbox, second):
    made = wire.post("/v1/webhook_endpoints", {**FORM, "url": second.url}).json
    one = f"/v1/webhook_endpoints/{made['id']}"
    wire.post(one, {"disabled": "true"})
    wire.post("/v1/products", {"id": "missed", "name": "x"})
    wire.post(one, {"disabled": "false"})
    wire.post("/v1/products", {"id": "told", "name": "x"})
    second.wait_for(1)
    assert json.loads(second.bodies[0])["data"]["object"]["id"] == "told"


def test_an_endpoint_that_is_switched_off_gets_no_retries(wire, sandbox, second):
    second.answers = [500] * 9
    made = wire.post("/v1/webhook_endpoints", {**FORM, "url": second.url}).json
    wire.post("/v1/products", {"id": "p", "name": "x"})
    second.wait_for(1)
    wire.post(f"/v1/webhook_endpoints/{made['id']}", {"disabled": "true"})
    (event,) = sandbox.events()
    states = "SELECT state FROM sendings WHERE event = ?"
    wait_until(lambda: sandbox.sandbox.account.store.rows(states, event["id"]) == [("given_up",)])


def test_a_removed_endpoint_is_waited_for_no_longer(wire, sandbox, receiver):
    made = wire.post("/v1/webhook_endpoints", FORM).json
    sandbox.deliver = False
    sandbox.webhook_url = receiver.url
    wire.post("/v1/products", {"id": "p", "name": "x"})
    wire.delete(f"/v1/webhook_endpoints/{made['id']}")
    (event,) = sandbox.events()
    assert wire.get(f"/v1/events/{event['id']}").json["pending_webhooks"] == 1
    assert [attempt.status for attempt in sandbox.deliver_all()] == [200]
