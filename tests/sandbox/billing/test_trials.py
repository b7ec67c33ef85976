"""A session with a trial: nothing is due today, a card is kept for later unless the site can do without."""

import pytest

DAYS = {"subscription_data[trial_period_days]": "14"}


@pytest.fixture
def begin(wire, sandbox, order):
    """Begin a trial; returns the session and its subscription."""

    def begin(card="4242424242424242", **changes):
        session = wire.post("/v1/checkout/sessions", {**order, **DAYS, **changes}).json
        assert (session["amount_total"], session["status"]) == (0, "open")
        sandbox.pay(session["id"], card=card)
        session = wire.get(f"/v1/checkout/sessions/{session['id']}").json
        return session, wire.get(f"/v1/subscriptions/{session['subscription']}").json

    return begin


def test_a_trial_begins_without_a_payment(wire, begin, clock, sandbox):
    session, subscription = begin()
    assert (session["status"], session["payment_status"]) == ("complete", "no_payment_required")
    assert (subscription["status"], subscription["trial_end"]) == ("trialing", clock.seconds + 14 * 86400)
    invoice = wire.get(f"/v1/invoices/{session['invoice']}").json
    assert (invoice["status"], invoice["total"]) == ("paid", 0)
    assert wire.get("/v1/charges").json["data"] == []
    assert "invoice.paid" in {event["type"] for event in sandbox.events()}


def test_the_days_count_from_the_completion(wire, order, sandbox, clock):
    session = wire.post("/v1/checkout/sessions", {**order, **DAYS}).json
    clock.advance(hours=5)
    sandbox.pay(session["id"])
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    assert subscription["trial_end"] == clock.seconds + 14 * 86400


def test_the_first_charge_comes_with_the_end_of_the_trial(wire, begin, clock):
    _, subscription = begin()
    clock.advance(days=14, hours=1)
    assert wire.get(f"/v1/subscriptions/{subscription['id']}").json["status"] == "active"
    assert [one["amount"] for one in wire.get("/v1/charges").json["data"]] == [10000]


@pytest.mark.parametrize(("behavior", "status"), [("cancel", "canceled"), ("pause", "paused")])
def test_without_a_card_the_end_is_what_was_chosen(wire, begin, clock, behavior, status):
    name = "subscription_data[trial_settings][end_behavior][missing_payment_method]"
    _, subscription = begin(card="", **{"payment_method_collection": "if_required", name: behavior})
    assert (subscription["status"], subscription["default_payment_method"]) == ("trialing", None)
    clock.advance(days=15)
    assert wire.get(f"/v1/subscriptions/{subscription['id']}").json["status"] == status


def test_a_coupon_waits_for_the_end_of_the_trial(wire, begin, clock):
    wire.post("/v1/coupons", {"id": "C", "percent_off": "10", "duration": "once"})
    begin(**{"discounts[0][coupon]": "C"})
    clock.advance(days=15)
    assert [one["total"] for one in wire.get("/v1/invoices").json["data"]] == [9000, 0]
