"""The controls over HTTP: each does what its name says, and says so; a bad value is refused with what to do."""

import json

import pytest
import stripe

from tests.sandbox.conftest import KEY, send


@pytest.fixture
def ask(sandbox):
    """Use a control as a program does."""

    def run(name, **values):
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        return send(sandbox.url, "POST", f"/sandbox/controls/{name}", json.dumps(values), headers)

    return run


@pytest.fixture
def subscription(sandbox, session):
    sandbox.pay(session["id"])
    return sandbox.sandbox.account.get("checkout.session", session["id"])["subscription"]


def kinds(sandbox, since=0):
    return [event["type"] for event in sandbox.events()][since:]


def test_an_unknown_control_names_those_that_there_are(ask):
    reply = ask("explode")
    assert reply.status == 404
    assert "fail-calls" in reply.error["message"]


def test_a_body_that_is_no_object_is_refused(sandbox):
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    for body in ("[]", "{", '"x"'):
        reply = send(sandbox.url, "POST", "/sandbox/controls/hold", body, headers)
        assert (reply.status, reply.error["message"]) == (400, "The body must be a JSON object.")


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("advance", {}, "one of: seconds, days, months, to"),
        ("advance", {"days": 1, "months": 1}, "one of: seconds"),
        ("advance", {"days": "soon"}, "Invalid integer"),
        ("advance", {"to": 1}, "cannot be moved back"),
        ("refund", {}, "Name a charge or a subscription"),
        ("refund", {"charge": "ch_x"}, "No such charge"),
        ("dispute", {"charge": "ch_x", "status": "angry"}, "must be one of"),
        ("fail-calls", {"kind": "418"}, "must be one of"),
        ("fail-next-charge", {"code": "bad_mood"}, "generic_decline"),
        ("setting", {"exhausted": "forgive"}, "must be one of"),
        ("setting", {"retry_days": "soon"}, "whole numbers"),
        ("duplicate", {}, "Missing required param: event"),
        ("drop", {"evt": "x"}, "unknown parameter"),
    ],
)
def test_a_bad_value_is_refused_with_what_to_do(ask, name, values, words):
    reply = ask(name, **values)
    assert reply.status in (400, 404)
    assert words in reply.error["message"]


def test_time_moves_by_seconds_days_months_or_to_a_moment(ask, clock):
    start = clock.seconds
    assert ask("advance", seconds=5).json["now"] == start + 5
    assert ask("advance", days=2).json["now"] == start + 5 + 2 * 86400
    assert ask("advance", months=1).json["now"] == start + 5 + 32 * 86400
    assert ask("advance", to=start + 40 * 86400).json["offset"] == 40 * 86400


def test_time_moves_to_the_period_end_where_the_subscription_renews(ask, sandbox, subscription):
    before = len(sandbox.events())
    reply = ask("to-period-end", subscription=subscription)
    assert "2027-11-22 12:00:00" in reply.json["said"]
    assert reply.json["events"] == len(sandbox.events()) - before
    assert "invoice.created" in kinds(sandbox, before)


def test_the_next_charge_fails_once(ask, sandbox, session):
    assert ask("fail-next-charge", code="insufficient_funds").status == 200
    with pytest.raises(ValueError, match="insufficient funds"):
        sandbox.pay(session["id"])
    assert sandbox.pay(session["id"])


def test_the_decline_of_the_next_charge_is_called_off(ask, sandbox, session):
    ask("fail-next-charge", code="lost_card")
    assert ask("clear-next-charge").json["said"] == "Called off: the next charge goes by its card."
    assert "no decline was ordered" in ask("clear-next-charge").json["said"]
    assert sandbox.pay(session["id"])


def test_a_renewal_that_waits_to_be_charged_is_told_and_an_hour_later_it_is_not(ask, subscription):
    said = ask("to-period-end", subscription=subscription).json["said"]
    assert said.endswith(" 1 renewal is charged at 2027-11-22 13:00:00 UTC: move on by an hour.")
    assert ask("advance", seconds=3600).json["said"].endswith(" happened on the way.")


def test_several_renewals_are_told_with_the_first_and_the_last_moment(ask, sandbox, wire, order, clock):
    for seconds in (0, 600):
        clock.advance(seconds=seconds)
        sandbox.pay(wire.post("/v1/checkout/sessions", order).json["id"])
    said = ask("advance", months=12).json["said"]
    assert "2 renewals are charged between 2027-11-22 13:00:00 and 2027-11-22 13:10:00 UTC" in said


def test_a_draft_that_nothing_will_charge_is_not_announced(ask, subscription):
    ask("pause-collection", subscription=subscription, behavior="keep_as_draft")
    assert ask("to-period-end", subscription=subscription).json["said"].endswith(" happened on the way.")


def test_what_ends_access_says_when_a_site_will_notice(ask, subscription):
    """A part, a warning or an inquiry ends nothing, so nothing is said of tokens."""
    assert "token" not in ask("refund", subscription=subscription, percent=50).json["said"]
    inquiry = ask("dispute", subscription=subscription, status="warning_needs_response").json
    assert "token" not in inquiry["said"]
    assert "until the token runs out" in ask("refund", subscription=subscription).json["said"]
    grown = ask("settle-dispute", dispute=inquiry["dispute"], status="needs_response").json["said"]
    assert "until the token runs out" in grown


def test_a_new_dispute_says_when_a_site_will_notice(ask, subscription):
    dispute = ask("dispute", subscription=subscription).json
    assert "until the token runs out" in dispute["said"]
    assert "token" not in ask("settle-dispute", dispute=dispute["dispute"], status="won").json["said"]


def test_a_refund_is_of_all_or_of_a_part(ask, sandbox, subscription):
    assert ask("refund", subscription=subscription, amount=1).json["said"] == "Refund of $0.01: succeeded."
    assert ask("refund", subscription=subscription, percent=50, outcome="pending").json["status"] == "pending"
    refund = ask("refund", subscription=subscription, outcome="pending").json["refund"]
    assert "already been refunded" in ask("refund", subscription=subscription).error["message"]
    assert ask("settle-refund", refund=refund, status="failed").json["status"] == "failed"
    assert "refund.failed" in kinds(sandbox)


def test_a_dispute_opens_and_ends(ask, sandbox, subscription):
    dispute = ask("dispute", subscription=subscription, reason="product_not_received").json["dispute"]
    assert ask("settle-dispute", dispute=dispute, status="won").json["status"] == "won"
    assert kinds(sandbox)[-2:] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]


def test_what_was_never_paid_cannot_be_taken_back(ask, wire, customer, price):
    form = {"customer": customer["id"], "items[0][price]": price["id"], "payment_behavior": "default_incomplete"}
    unpaid = wire.post("/v1/subscriptions", form).json["id"]
    assert "Nothing was paid" in ask("refund", subscription=unpaid).error["message"]


def test_a_subscription_ends_later_goes_on_and_ends_now(ask, subscription, sdk):
    ask("cancel-at-period-end", subscription=subscription)
    assert sdk.v1.subscriptions.retrieve(subscription).cancel_at_period_end
    ask("keep", subscription=subscription)
    assert not sdk.v1.subscriptions.retrieve(subscription).cancel_at_period_end
    assert ask("cancel", subscription=subscription).json["status"] == "canceled"
    assert ask("cancel", subscription=subscription).status == 404


def test_a_subscription_pauses_and_goes_on(ask, subscription, sdk, sandbox):
    assert ask("pause", subscription=subscription).json["status"] == "paused"
    assert ask("resume", subscription=subscription).json["status"] == "active"
    assert "customer.subscription.paused" in kinds(sandbox)


def test_collection_pauses_and_goes_on_while_the_status_stays(ask, subscription, sdk):
    assert ask("pause-collection", subscription=subscription).json["status"] == "active"
    assert sdk.v1.subscriptions.retrieve(subscription).pause_collection.behavior == "void"
    ask("resume-collection", subscription=subscription)
    assert sdk.v1.subscriptions.retrieve(subscription).pause_collection is None


def test_a_customer_is_deleted(ask, subscription, sdk, sandbox):
    customer = sdk.v1.subscriptions.retrieve(subscription).customer
    assert ask("delete-customer", customer=customer).status == 200
    assert kinds(sandbox)[-2:] == ["customer.subscription.deleted", "customer.deleted"]


def test_the_accounts_settings_are_kept(ask, sandbox):
    assert ask("setting", exhausted="unpaid", retry_days=[1, 2]).json["settings"]["retry_days"] == [1, 2]
    ask("setting", retry_days="4, 6")
    settings = sandbox.sandbox.account.settings()
    assert (settings["exhausted"], settings["retry_days"]) == ("unpaid", [4, 6])


def test_deliveries_are_held_released_doubled_dropped_and_sent_again(ask, sandbox, receiver, wire):
    sandbox.webhook_url = receiver.url
    assert ask("hold", types=["product.*", "price.*"]).json["held"] == ["product.*", "price.*"]
    wire.post("/v1/products", {"id": "a", "name": "a"})
    wire.post("/v1/products", {"id": "b", "name": "b"})
    first, second = (event["id"] for event in sandbox.events())
    assert [one["event_id"] for one in ask("release", events=[second]).json["attempts"]] == [second]
    assert ask("drop").json["dropped"] == 1
    assert ask("release").json["attempts"] == []
    assert ask("duplicate", event=second).json["attempts"][0]["status"] == 200
    assert ask("resend", event=first).json["attempts"][0]["status"] == 200
    assert [event.data.object.id for event in receiver.events] == ["b", "b", "a"]


def test_a_secret_is_rolled(ask, wire, receiver):
    endpoint = wire.post("/v1/webhook_endpoints", {"url": receiver.url, "enabled_events[]": "*"}).json
    fresh = ask("roll-secret", endpoint=endpoint["id"]).json["secret"]
    wire.post("/v1/products", {"name": "x"})
    receiver.wait_for(1)
    for secret in (fresh, endpoint["secret"]):
        assert stripe.Webhook.construct_event(receiver.bodies[0], receiver.signatures[0], secret)


def test_calls_fail_until_they_are_called_off(ask, wire):
    assert ask("fail-calls", kind="500", times=3, path="/v1/products", after=True).status == 200
    assert wire.get("/v1/products").status == 500
    assert ask("clear-faults").json["cleared"] == 2
    assert wire.get("/v1/products").status == 200
