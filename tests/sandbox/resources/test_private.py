"""The few addresses that only Stripe's own programs use."""

import pytest

from tests.sandbox.conftest import KEY, send
from tests.sandbox.webhooks.test_delivery import wait_until


@pytest.fixture
def post(sandbox):
    """Send a form that Stripe's public description does not know."""

    def run(path, form=""):
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
        return send(sandbox.url, "POST", path, form, headers)

    return run


def method(wire, token):
    return wire.post("/v1/payment_methods", {"type": "card", "card[token]": token}).json["id"]


def test_an_event_is_delivered_again_whatever_became_of_it(sandbox, receiver, wire, post):
    sandbox.webhook_url = receiver.url
    wire.post("/v1/products", {"id": "p", "name": "x"})
    receiver.wait_for(1)
    (event,) = sandbox.events()
    wait_until(lambda: wire.get(f"/v1/events/{event['id']}").json["pending_webhooks"] == 0)
    reply = post(f"/v1/events/{event['id']}/retry")
    assert (reply.json["id"], reply.json["pending_webhooks"]) == (event["id"], 1)
    receiver.wait_for(2)


def test_an_unknown_event_or_endpoint_is_refused(sandbox, wire, post, price):
    (event, _) = sandbox.events()
    assert post("/v1/events/evt_unknown/retry").status == 404
    assert post(f"/v1/events/{event['id']}/retry", "webhook_endpoint=we_unknown").status == 400


def test_a_session_is_paid_as_its_page_pays_it(sandbox, wire, session, post):
    page = f"/v1/payment_pages/{session['id']}"
    card = method(wire, "tok_visa")
    assert post(f"{page}/confirm", f"payment_method={card}&expected_amount=1").error["param"] == "expected_amount"
    assert post(f"{page}/confirm", "payment_method=pm_unknown").status == 400
    assert post(f"{page}/confirm", f"payment_method={card}&expected_amount=10000").json["status"] == "complete"
    assert len(sandbox.events("customer.subscription.created")) == 1


def test_a_bad_card_is_refused_and_the_session_stays_open(wire, session, post):
    reply = post(
        f"/v1/payment_pages/{session['id']}/confirm", f"payment_method={method(wire, 'tok_chargeCustomerFail')}"
    )
    assert (reply.status, reply.error["code"]) == (402, "card_declined")
    assert wire.get(f"/v1/checkout/sessions/{session['id']}").json["status"] == "open"
