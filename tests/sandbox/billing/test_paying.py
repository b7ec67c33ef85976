"""The next charge can be made to fail, whoever pays with whatever; and only the next."""

import pytest

from paywall.sandbox.billing.paying import fail_next, verdict
from paywall.sandbox.cards import BY_REASON
from paywall.sandbox.server import SandboxServer


@pytest.fixture
def account(sandbox):
    return sandbox.sandbox.account


@pytest.mark.parametrize("code", sorted(BY_REASON))
def test_the_next_charge_fails_for_the_reason_that_was_ordered(account, sandbox, session, wire, code):
    fail_next(account, code)
    with pytest.raises(ValueError, match=BY_REASON[code].message):
        sandbox.pay(session["id"])
    sandbox.pay(session["id"])
    paid, failed = wire.get("/v1/charges").json["data"]
    assert (paid["status"], failed["status"]) == ("succeeded", "failed")
    assert failed["failure_code"] == BY_REASON[code].code


def test_a_renewal_fails_once_and_recovers_with_its_next_attempt(account, sandbox, session, wire, clock):
    sandbox.pay(session["id"])
    fail_next(account, "insufficient_funds")
    clock.advance(days=365, hours=1)
    assert wire.get("/v1/subscriptions").json["data"][0]["status"] == "past_due"
    assert sandbox.events("invoice.payment_failed")[-1]["data"]["object"]["attempt_count"] == 1
    clock.advance(days=4)
    assert wire.get("/v1/subscriptions").json["data"][0]["status"] == "active"
    (intent, _) = wire.get("/v1/payment_intents").json["data"]
    assert intent["status"] == "succeeded"


def test_an_order_can_be_taken_back(account, sandbox, session, wire):
    fail_next(account)
    fail_next(account, None)
    sandbox.pay(session["id"])
    assert len(wire.get("/v1/charges").json["data"]) == 1


def test_what_costs_nothing_uses_no_order_up(account, sandbox, wire, order):
    wire.post("/v1/coupons", {"id": "FREE", "percent_off": "100"})
    fail_next(account)
    free = wire.post("/v1/checkout/sessions", {**order, "discounts[0][coupon]": "FREE"}).json
    sandbox.pay(free["id"])
    session = wire.post("/v1/checkout/sessions", order).json
    with pytest.raises(ValueError, match="declined"):
        sandbox.pay(session["id"])


def test_a_reason_that_no_bank_gives_is_refused(account):
    with pytest.raises(ValueError, match="insufficient_funds"):
        fail_next(account, "bad_mood")


def test_an_order_outlives_the_sandbox(tmp_path, clock):
    """The order is part of the state, like everything else that is still to come."""
    from_before = {"api_key": "sk_test_sandbox", "state": tmp_path / "state.db", "now": clock}
    with SandboxServer(**from_before) as first:
        fail_next(first.sandbox.account, "lost_card")
    with SandboxServer(**from_before) as second:
        assert verdict(second.sandbox.account, {"type": "card"}) is BY_REASON["lost_card"]


@pytest.mark.parametrize(
    ("card", "status"),
    [("4000002500003155", "active"), ("4000002760003184", "past_due"), ("4000000000003220", "past_due")],
)
def test_some_cards_ask_once_and_others_with_each_renewal(sandbox, session, wire, clock, card, status):
    sandbox.pay(session["id"], card=card)
    clock.advance(days=365, hours=1)
    assert wire.get("/v1/subscriptions").json["data"][0]["status"] == status
    assert len(sandbox.events("invoice.payment_action_required")) == (status == "past_due")


def test_a_card_whose_customer_never_agreed_keeps_asking(wire, price):
    """Attached without the page, it has to be confirmed first."""
    form = {"payment_method": "pm_card_authenticationRequiredOnSetup"}
    name = "invoice_settings[default_payment_method]"
    buyer = wire.post("/v1/customers", {**form, name: form["payment_method"]}).json["id"]
    made = wire.post("/v1/subscriptions", {"customer": buyer, "items[0][price]": price["id"]}).json
    assert made["status"] == "incomplete"


def test_nothing_of_the_sandboxs_own_is_shown_with_a_failure(account, sandbox, session, wire, clock):
    sandbox.pay(session["id"], card="4000002500003155")
    fail_next(account)
    clock.advance(days=365, hours=1)
    error = wire.get("/v1/payment_intents").json["data"][0]["last_payment_error"]
    assert error["payment_method"]["card"]["last4"] == "3155"
    assert not [name for name in error["payment_method"] if name.startswith("_")]
