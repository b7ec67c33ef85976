"""Deliveries do what people and tests want of them, and nothing is lost that was not dropped."""

import time

import pytest
import stripe

from paywall.sandbox.errors import StripeError
from paywall.sandbox.webhooks.endpoints import CONFIGURED
from paywall.sandbox.webhooks.queue import deliveries_of
from tests.sandbox.webhooks.test_delivery import wait_until


def make(wire, *names):
    for name in names:
        wire.post("/v1/products", {"id": name, "name": name})


def ids(sandbox):
    return [event["id"] for event in sandbox.events()]


def arrived(receiver):
    return [event.data.object.id for event in receiver.events]


def states(sandbox):
    store = sandbox.sandbox.account.store
    return [delivery.state for event_id in ids(sandbox) for delivery in deliveries_of(store, event_id)]


@pytest.fixture
def held(sandbox, receiver, wire):
    """Three events that are held back."""
    sandbox.webhook_url = receiver.url
    sandbox.hold()
    make(wire, "a", "b", "c")
    return ids(sandbox)


@pytest.mark.parametrize(("order", "expected"), [("oldest", ["a", "b", "c"]), ("newest", ["c", "b", "a"])])
def test_what_was_held_is_released_in_order_and_the_hold_ends(sandbox, receiver, wire, held, order, expected):
    time.sleep(0.1)
    assert receiver.bodies == []
    assert [attempt.status for attempt in sandbox.release(order)] == [200, 200, 200]
    assert arrived(receiver) == expected
    make(wire, "d")
    receiver.wait_for(4)


def test_a_random_order_releases_everything_once(sandbox, receiver, held):
    sandbox.release("random")
    assert sorted(arrived(receiver)) == ["a", "b", "c"]


def test_named_events_come_in_the_order_given_and_the_others_stay_held(sandbox, receiver, held):
    sandbox.release([held[2], held[0]])
    time.sleep(0.1)
    assert arrived(receiver) == ["c", "a"]
    sandbox.release()
    assert arrived(receiver) == ["c", "a", "b"]


def test_an_unknown_order_or_event_is_refused(sandbox, held):
    with pytest.raises(StripeError, match="oldest, newest, random"):
        sandbox.release("sideways")
    for act in (sandbox.duplicate, sandbox.drop, sandbox.resend, lambda event: sandbox.release([event])):
        with pytest.raises(StripeError, match="No such event"):
            act("evt_unknown")


def test_only_the_named_types_are_held(sandbox, receiver, wire):
    sandbox.webhook_url = receiver.url
    sandbox.hold("product.cre*")
    make(wire, "a")
    wire.post("/v1/customers", {})
    receiver.wait_for(1)
    assert receiver.events[0].type == "customer.created"
    sandbox.release()
    assert receiver.events[1].type == "product.created"


def test_a_duplicate_is_sent_beside_the_event_itself(sandbox, receiver, held):
    sandbox.duplicate(held[0])
    assert states(sandbox) == ["pending"] * 3
    sandbox.release()
    assert arrived(receiver) == ["a", "a", "b", "c"]
    assert receiver.events[0].id == receiver.events[1].id
    sandbox.duplicate(held[0])
    assert arrived(receiver)[-1] == "a"


def test_a_copy_that_fails_is_not_retried(sandbox, receiver, held):
    receiver.answers = [500]
    (attempt,) = sandbox.duplicate(held[0])
    assert attempt.status == 500
    sandbox.release()
    assert arrived(receiver) == ["a", "a", "b", "c"]


def test_a_dropped_event_never_arrives_and_is_known_as_undelivered(sandbox, receiver, wire, held):
    assert sandbox.drop(held[1]) == 1
    sandbox.release()
    assert arrived(receiver) == ["a", "c"]
    assert states(sandbox) == ["delivered", "dropped", "delivered"]
    missed = wire.get("/v1/events", "delivery_success=false").json["data"]
    assert [event["id"] for event in missed] == [held[1]]


def test_everything_that_is_held_can_be_dropped_at_once(sandbox, receiver, wire, held):
    assert sandbox.drop() == 3
    assert sandbox.release() == []
    assert sandbox.drop() == 0


def test_what_was_dropped_or_delivered_can_be_sent_again(sandbox, receiver, held):
    sandbox.drop(held[0])
    sandbox.release()
    assert [attempt.status for attempt in sandbox.resend(held[0])] == [200]
    assert [attempt.endpoint for attempt in sandbox.resend(held[1], CONFIGURED)] == [CONFIGURED]
    assert arrived(receiver) == ["b", "c", "a", "b"]
    assert states(sandbox) == ["delivered"] * 3


def test_an_event_can_be_sent_to_an_endpoint_that_did_not_ask_for_it(sandbox, receiver, wire, held):
    form = {"url": receiver.url, "enabled_events[]": "invoice.paid"}
    made = wire.post("/v1/webhook_endpoints", form).json
    assert [attempt.status for attempt in sandbox.resend(held[0], made["id"])] == [200]
    assert stripe.Webhook.construct_event(receiver.bodies[0], receiver.signatures[0], made["secret"])
    with pytest.raises(StripeError, match="No such webhook_endpoint"):
        sandbox.resend(held[0], "we_unknown")


def test_a_release_that_is_refused_is_retried_by_itself(sandbox, receiver, held):
    receiver.answers = [500]
    assert [attempt.status for attempt in sandbox.release()] == [500, 200, 200]
    wait_until(lambda: states(sandbox) == ["delivered"] * 3)


def test_during_a_roll_both_secrets_open_a_delivery(sandbox, receiver, held):
    steering = sandbox.sandbox.steering
    fresh = steering.roll_secret(CONFIGURED, time.time())
    sandbox.release([held[0]])
    for secret in (fresh, "whsec_sandbox"):
        assert stripe.Webhook.construct_event(receiver.bodies[0], receiver.signatures[0], secret)
    with pytest.raises(StripeError, match="No such webhook_endpoint"):
        steering.roll_secret("we_unknown", 0)
