"""Events arrive signed, are retried until accepted, never block the API and outlive the process."""

import json
import socket
import time

import pytest
import stripe

from paywall.sandbox.server import SandboxServer
from paywall.sandbox.webhooks import delivery
from paywall.sandbox.webhooks.queue import Due, deliveries_of
from tests.sandbox.conftest import KEY, SECRET, Wire, send


def wait_until(condition, seconds=10):
    """Wait for what a background thread will do."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def state_of(server, event):
    (delivery,) = deliveries_of(server.sandbox.account.store, event["id"])
    return delivery


def test_every_event_arrives_with_a_signature_that_the_sdk_accepts(sandbox, receiver, session):
    sandbox.webhook_url = receiver.url
    sandbox.pay(session["id"])
    expected = {event["id"] for event in sandbox.events()}
    receiver.wait_for(len(expected))
    assert {event.id for event in receiver.events} == expected
    completed = [event for event in receiver.events if event.type == "checkout.session.completed"]
    assert completed[0].data.object.id == session["id"]


def test_a_foreign_secret_does_not_fit(sandbox, receiver, price):
    sandbox.webhook_url = receiver.url
    receiver.wait_for(1)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(receiver.bodies[0], receiver.signatures[0], "whsec_other")


def test_the_body_is_the_stored_event_laid_out_as_stripe_does(sandbox, receiver, wire):
    sandbox.webhook_url = receiver.url
    wire.post("/v1/products", {"id": "p", "name": "x"})
    receiver.wait_for(1)
    (event,) = sandbox.events()
    assert json.loads(receiver.bodies[0]) == event
    assert receiver.bodies[0].startswith(b'{\n  "id": "evt_')
    assert event["pending_webhooks"] == 1


def test_the_signature_carries_the_wall_clock_whatever_the_sandbox_says(sandbox, receiver, wire, clock):
    clock.advance(days=4000)
    sandbox.webhook_url = receiver.url
    wire.post("/v1/products", {"id": "p", "name": "x"})
    receiver.wait_for(1)
    sent = int(receiver.signatures[0].partition(",")[0].removeprefix("t="))
    assert abs(sent - time.time()) < 60
    assert receiver.events[0].created == clock.seconds


@pytest.mark.parametrize("status", [500, 404, 400, 302])
def test_anything_but_success_is_tried_again_signed_anew(sandbox, receiver, wire, status):
    receiver.answers = [status]
    sandbox.webhook_url = receiver.url
    wire.post("/v1/products", {"id": "p", "name": "x"})
    receiver.wait_for(2)
    assert receiver.bodies[0] == receiver.bodies[1]
    assert len(receiver.events) == 2
    (event,) = sandbox.events()
    wait_until(lambda: state_of(sandbox, event).state == "delivered")
    assert state_of(sandbox, event).tries == 2


def test_after_the_last_retry_it_is_given_up(receiver):
    receiver.answers = [500] * 9
    with SandboxServer(api_key=KEY, webhook_url=receiver.url, webhook_secret=SECRET, retry_delays=(0, 0)) as server:
        Wire(server.url).post("/v1/products", {"id": "p", "name": "x"})
        (event,) = server.events()
        wait_until(lambda: state_of(server, event).state == "given_up")
        assert state_of(server, event)[2:4] == (3, 500)
        assert len(receiver.bodies) == 3
        assert server.deliver_all() == []


def test_an_endpoint_that_is_away_gets_everything_once_it_is_back(receiver):
    with SandboxServer(api_key=KEY, webhook_secret=SECRET, retry_delays=(0.3,) * 9) as server:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            server.webhook_url = f"http://127.0.0.1:{nobody.getsockname()[1]}/webhooks/stripe"
            Wire(server.url).post("/v1/products", {"id": "p", "name": "x"})
            (event,) = server.events()
            wait_until(lambda: state_of(server, event).tries)
        assert state_of(server, event).note == "ConnectionRefusedError"
        server.webhook_url = receiver.url
        receiver.wait_for(1)


def test_an_endpoint_that_starts_later_than_the_sandbox_leaves_no_trace_of_that(sandbox, receiver, wire):
    sandbox.sandbox.deliverer.patient_until = time.monotonic() + 60
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        sandbox.webhook_url = f"http://127.0.0.1:{nobody.getsockname()[1]}/webhooks/stripe"
        wire.post("/v1/products", {"id": "p", "name": "x"})
        (event,) = sandbox.events()
        wait_until(lambda: sandbox.sandbox.account.store.rows("SELECT due FROM sendings")[0][0] > 0)
    assert state_of(sandbox, event)[1:] == ("pending", 0, None, "")
    sandbox.webhook_url = receiver.url
    receiver.wait_for(1)
    wait_until(lambda: state_of(sandbox, event)[1:4] == ("delivered", 1, 200))


def test_an_endpoint_that_answered_once_and_is_away_again_is_noted(sandbox, receiver, wire):
    sandbox.sandbox.deliverer.patient_until = time.monotonic() + 60
    sandbox.webhook_url = receiver.url
    wire.post("/v1/products", {"id": "p", "name": "x"})
    receiver.wait_for(1)
    wait_until(lambda: sandbox.sandbox.deliverer.answered)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        sandbox.webhook_url = f"http://127.0.0.1:{nobody.getsockname()[1]}/webhooks/stripe"
        wire.post("/v1/products", {"id": "q", "name": "x"})
        wait_until(lambda: state_of(sandbox, sandbox.events()[-1]).note == "ConnectionRefusedError")


def test_a_slow_endpoint_does_not_slow_the_api(sandbox, wire):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        sandbox.webhook_url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        begun = time.monotonic()
        for number in range(10):
            assert wire.post("/v1/products", {"name": str(number)}).status == 200
        assert time.monotonic() - begun < 3
        sandbox.webhook_url = None


def test_deliveries_can_be_held_back_and_made_on_demand_in_order(sandbox, receiver, session):
    sandbox.webhook_url = receiver.url
    receiver.wait_for(2)
    sandbox.deliver = False
    sandbox.pay(session["id"])
    time.sleep(0.2)
    assert len(receiver.bodies) == 2
    attempts = sandbox.deliver_all()
    assert {attempt.status for attempt in attempts} == {200}
    assert [attempt.kind for attempt in attempts] == [event["type"] for event in sandbox.events()][2:]
    assert [event.type for event in receiver.events][2:] == [attempt.kind for attempt in attempts]
    assert sandbox.deliver_all() == []
    assert not sandbox.deliver


def test_without_an_address_events_wait(sandbox, receiver, price):
    assert sandbox.deliver_all() == []
    sandbox.webhook_url = receiver.url
    receiver.wait_for(2)


def test_a_second_start_keeps_everything_and_delivers_what_was_left(tmp_path, receiver, clock):
    state = tmp_path / "sandbox.db"
    with SandboxServer(api_key=KEY, webhook_secret=SECRET, state=state, now=clock) as first:
        wire = Wire(first.url)
        wire.post("/v1/products", {"id": "p", "name": "x"})
        wire.post("/v1/customers", {"email": "a@example.com"}, Idempotency_Key="k")
        kept = wire.get("/v1/customers").json["data"]
        told = first.events()
    with SandboxServer(api_key=KEY, webhook_url=receiver.url, webhook_secret=SECRET, state=state, now=clock) as second:
        wire = Wire(second.url)
        assert wire.get("/v1/customers").json["data"] == kept
        again = wire.post("/v1/customers", {"email": "a@example.com"}, Idempotency_Key="k")
        assert again.json["id"] == kept[0]["id"]
        assert second.events() == told
        receiver.wait_for(2)
        assert {event.id for event in receiver.events} == {event["id"] for event in told}


def test_time_passes_without_anybody_asking(sandbox, receiver, session, clock):
    sandbox.webhook_url = receiver.url
    clock.advance(hours=24)
    receiver.wait_for(3)
    assert "checkout.session.expired" in {event.type for event in receiver.events}  # threads keep no order


def test_a_stopped_sandbox_answers_no_more(clock):
    with SandboxServer(api_key=KEY, now=clock) as server:
        url = server.url
        assert send(url, "GET", "/").status == 200
    with pytest.raises(ConnectionRefusedError):
        send(url, "GET", "/")


def test_an_address_that_cannot_be_ends_no_other_delivery(sandbox, receiver, wire):
    """What one endpoint makes impossible is noted for it, and all threads go on."""
    sandbox.webhook_url = f"http://{'a' * 70}.example/"  # no name may have so long a part
    for number in range(6):
        wire.post("/v1/products", {"id": f"p{number}", "name": "x"})
    events = sandbox.events()
    wait_until(lambda: all(state_of(sandbox, event).tries for event in events))
    assert {state_of(sandbox, event).note for event in events} <= {"UnicodeError", "UnicodeEncodeError", "gaierror"}
    sandbox.webhook_url = receiver.url
    receiver.wait_for(6)


def test_a_moment_that_fails_does_not_end_the_deliveries(sandbox, receiver, wire, monkeypatch, caplog):
    failures = []

    def fail(account):
        failures.append(account)
        raise AssertionError("a moment that cannot be played")

    monkeypatch.setattr(delivery, "let_time_pass", fail)
    wait_until(lambda: len(failures) > 1)
    sandbox.webhook_url = receiver.url
    wire.post("/v1/products", {"id": "p", "name": "x"})
    receiver.wait_for(1)
    assert "sandbox delivery failed" in caplog.text


def test_an_endpoint_that_is_removed_meanwhile_is_noted(sandbox, wire):
    one = Due("evt_1", "we_gone")
    assert sandbox.sandbox.deliverer.send(one, {"id": "evt_1", "api_version": "x"}) == (
        None,
        "the endpoint was removed",
    )
