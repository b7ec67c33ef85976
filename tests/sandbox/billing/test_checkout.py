"""A paid session leaves everything that Stripe leaves; a refused card leaves the session open."""

import threading

import pytest

from paywall.sandbox.cards import CARDS

STORY = [
    "customer.created",
    "payment_method.attached",
    "invoice.created",
    "invoice.finalized",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
    "customer.subscription.created",
    "checkout.session.completed",
]


def told(sandbox):
    return [event["type"] for event in sandbox.events() if event["type"] not in ("product.created", "price.created")]


def test_payment_leads_back_with_the_sessions_id(sandbox, session):
    address = sandbox.pay(session["id"])
    assert address == f"http://127.0.0.1:9/checkout/return?session_id={session['id']}"


def test_a_paid_session_is_complete_and_names_what_it_made(wire, sandbox, session):
    sandbox.pay(session["id"], email="reader@example.com")
    paid = wire.get(f"/v1/checkout/sessions/{session['id']}").json
    assert (paid["status"], paid["payment_status"], paid["url"]) == ("complete", "paid", None)
    assert paid["customer_details"]["email"] == "reader@example.com"
    subscription = wire.get(f"/v1/subscriptions/{paid['subscription']}").json
    assert (subscription["status"], subscription["customer"]) == ("active", paid["customer"])
    assert subscription["latest_invoice"] == paid["invoice"]
    assert subscription["metadata"] == {"reader": "reader-1"}
    card = wire.get(f"/v1/payment_methods/{subscription['default_payment_method']}").json
    assert (card["card"]["last4"], card["customer"]) == ("4242", paid["customer"])
    assert wire.get(f"/v1/customers/{paid['customer']}").json["email"] == "reader@example.com"


def test_everything_is_told_in_stripes_usual_set(sandbox, session):
    sandbox.pay(session["id"])
    assert told(sandbox) == STORY


def test_the_subscription_appears_active(sandbox, session):
    """Since the first basil version Checkout makes it after the payment only."""
    sandbox.pay(session["id"])
    (created,) = sandbox.events("customer.subscription.created")
    assert created["data"]["object"]["status"] == "active"
    assert sandbox.events("customer.subscription.updated") == []


def test_a_session_of_a_known_customer_makes_no_other(wire, sandbox, order, customer):
    session = wire.post("/v1/checkout/sessions", {**order, "customer": customer["id"]}).json
    sandbox.pay(session["id"], email="somebody@example.com")
    paid = wire.get(f"/v1/checkout/sessions/{session['id']}").json
    assert paid["customer"] == customer["id"]
    assert paid["customer_details"]["email"] == "buyer@example.com"
    assert len(wire.get("/v1/customers").json["data"]) == 1


def test_a_session_is_paid_once_however_often_and_at_once(wire, sandbox, session):
    addresses = []
    threads = [threading.Thread(target=lambda: addresses.append(sandbox.pay(session["id"]))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(addresses)) == 1
    assert len(addresses) == 8
    for kind in ("customers", "subscriptions", "charges", "invoices"):
        assert len(wire.get(f"/v1/{kind}").json["data"]) == 1


@pytest.mark.parametrize("card", [card for card in CARDS if card.refused or card.declined], ids=lambda one: one.last4)
def test_a_refused_card_leaves_the_session_open(wire, sandbox, session, card):
    reason = (card.refused or card.declined).message
    with pytest.raises(ValueError, match=reason):
        sandbox.pay(session["id"], card=card.number)
    after = wire.get(f"/v1/checkout/sessions/{session['id']}").json
    assert (after["status"], after["payment_status"], after["subscription"]) == ("open", "unpaid", None)
    assert wire.get("/v1/customers").json["data"] == wire.get("/v1/invoices").json["data"] == []
    (charge,) = wire.get("/v1/charges").json["data"]
    assert (charge["status"], charge["failure_message"], charge["amount_captured"]) == ("failed", reason, 0)
    assert told(sandbox) == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]


@pytest.mark.parametrize(
    "card", [card for card in CARDS if not card.refused and not card.declined], ids=lambda one: one.last4
)
def test_every_other_card_pays(wire, sandbox, session, card):
    sandbox.pay(session["id"], card=card.number)
    assert wire.get(f"/v1/checkout/sessions/{session['id']}").json["status"] == "complete"


def test_after_a_decline_another_card_pays(wire, sandbox, session):
    with pytest.raises(ValueError, match="insufficient funds"):
        sandbox.pay(session["id"], card="4000000000009995")
    sandbox.pay(session["id"])
    assert told(sandbox)[3:] == STORY
    assert [one["status"] for one in wire.get("/v1/charges").json["data"]] == ["succeeded", "failed"]


def test_refusing_3d_secure_charges_nothing(wire, sandbox, session):
    with pytest.raises(ValueError, match="unable to authenticate"):
        sandbox.pay(session["id"], card="4000002760003184", agree=False)
    assert wire.get("/v1/charges").json["data"] == []
    (intent,) = wire.get("/v1/payment_intents").json["data"]
    assert intent["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert wire.get(f"/v1/checkout/sessions/{session['id']}").json["status"] == "open"


def test_an_expired_session_cannot_be_paid(wire, sandbox, session, clock):
    clock.advance(hours=24)
    with pytest.raises(ValueError, match="gone"):
        sandbox.pay(session["id"])
    assert wire.get("/v1/subscriptions").json["data"] == []


def test_a_session_whose_customer_was_deleted_is_closed(wire, sandbox, order, customer):
    session = wire.post("/v1/checkout/sessions", {**order, "customer": customer["id"]}).json
    wire.delete(f"/v1/customers/{customer['id']}")
    with pytest.raises(ValueError, match="gone"):
        sandbox.pay(session["id"])
    assert wire.get(f"/v1/checkout/sessions/{session['id']}").json["status"] == "expired"


def test_no_card_number_is_kept_anywhere(sandbox, session):
    with pytest.raises(ValueError, match="unable"):
        sandbox.pay(session["id"], card="4000002760003184", agree=False)
    sandbox.pay(session["id"])
    rows = sandbox.sandbox.account.store.rows("SELECT body FROM objects")
    assert not any("4242424242424242" in body or "4000002760003184" in body for (body,) in rows)
