"""Money given back over the API: how much, in which state, what is told about it and what is refused."""

import pytest
import stripe

from paywall.sandbox.billing.refunding import SOME_TIME, refund, settle_refund


@pytest.fixture
def buy(sandbox, wire, order):
    """Buy the plan with a card; returns the charge."""

    def buy(card="4242424242424242"):
        session = wire.post("/v1/checkout/sessions", order).json
        sandbox.pay(session["id"], card=card)
        return wire.get("/v1/charges", {"limit": "1"}).json["data"][0]

    return buy


@pytest.fixture
def charge(buy):
    return buy()


@pytest.fixture
def told(sandbox):
    """The names of what happened since the last time this was asked."""
    seen = 0

    def since():
        nonlocal seen
        names = [event["type"] for event in sandbox.events()]
        new, seen = names[seen:], len(names)
        return new

    return since


def sums(wire, charge):
    now = wire.get(f"/v1/charges/{charge['id']}").json
    return now["amount_refunded"], now["refunded"]


def test_a_full_refund_by_charge_marks_the_charge(sdk, wire, charge, told, clock):
    told()
    clock.advance(days=1)
    made = sdk.v1.refunds.create({"charge": charge["id"], "reason": "requested_by_customer", "metadata": {"why": "x"}})
    assert (made.amount, made.currency, made.status, made.reason) == (
        10000,
        "usd",
        "succeeded",
        "requested_by_customer",
    )
    assert (made.charge, made.payment_intent, made.created) == (charge["id"], charge["payment_intent"], clock.seconds)
    assert made.metadata.to_dict() == {"why": "x"}
    assert sums(wire, charge) == (10000, True)
    assert told() == ["refund.created", "charge.refunded"]


def test_a_refund_leaves_the_subscription_and_its_invoice_alone(sdk, wire, charge):
    before = wire.get("/v1/subscriptions").json["data"], wire.get("/v1/invoices").json["data"]
    sdk.v1.refunds.create({"payment_intent": charge["payment_intent"]})
    assert (wire.get("/v1/subscriptions").json["data"], wire.get("/v1/invoices").json["data"]) == before


def test_parts_add_up_and_the_rest_is_what_is_left(sdk, wire, charge, sandbox):
    for amount, total in ((1000, 1000), (2500, 3500)):
        sdk.v1.refunds.create({"payment_intent": charge["payment_intent"], "amount": amount})
        assert sums(wire, charge) == (total, False)
    assert sdk.v1.refunds.create({"charge": charge["id"]}).amount == 6500
    assert sums(wire, charge) == (10000, True)
    shown = [event["data"]["object"]["amount_refunded"] for event in sandbox.events("charge.refunded")]
    assert shown == [1000, 3500, 10000]


def test_more_than_is_left_is_refused(sdk, wire, charge):
    sdk.v1.refunds.create({"charge": charge["id"], "amount": 4000})
    with pytest.raises(stripe.InvalidRequestError, match="unrefunded amount") as refusal:
        sdk.v1.refunds.create({"charge": charge["id"], "amount": 6001})
    assert refusal.value.param == "amount"
    assert "($60.01) is greater than unrefunded amount on charge ($60.00)" in str(refusal.value)
    assert sums(wire, charge) == (4000, False)


def test_what_is_refunded_already_cannot_be_again(sdk, charge):
    sdk.v1.refunds.create({"charge": charge["id"]})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sdk.v1.refunds.create({"charge": charge["id"]})
    assert (refusal.value.code, refusal.value.http_status) == ("charge_already_refunded", 400)


def test_the_same_key_refunds_once(sdk, wire, charge):
    form = {"charge": charge["id"], "amount": 100}
    first, again = (sdk.v1.refunds.create(form, options={"idempotency_key": "k"}) for _ in range(2))
    assert first.id == again.id
    assert sums(wire, charge) == (100, False)


@pytest.mark.parametrize(
    ("form", "status", "code", "param"),
    [
        ({}, 400, None, None),
        ({"charge": "ch_x"}, 404, "resource_missing", "charge"),
        ({"payment_intent": "pi_x"}, 404, "resource_missing", "payment_intent"),
        ({"charge": "ch_x", "payment_intent": "pi_x"}, 400, "parameters_exclusive", "charge"),
        ({"charge": "ch_x", "amount": "0"}, 400, "parameter_invalid_integer", "amount"),
        ({"charge": "ch_x", "reason": "mood"}, 400, None, "reason"),
        ({"charge": "ch_x", "reverse_transfer": "true"}, 400, None, "reverse_transfer"),
    ],
)
def test_a_refund_of_nothing_in_particular_is_refused(wire, form, status, code, param):
    reply = wire.post("/v1/refunds", form)
    assert (reply.status, reply.error.get("code"), reply.error.get("param")) == (status, code, param)


def test_what_was_never_paid_cannot_be_refunded(sandbox, session, wire):
    with pytest.raises(ValueError, match="declined"):
        sandbox.pay(session["id"], card="4000000000000002")
    (failed,) = wire.get("/v1/charges").json["data"]
    for form in ({"charge": failed["id"]}, {"payment_intent": failed["payment_intent"]}):
        assert wire.post("/v1/refunds", form).status == 400
    assert wire.get("/v1/refunds").json["data"] == []


def test_refunds_are_found_by_charge_intent_and_time(sdk, wire, charge, buy, clock):
    mine = [sdk.v1.refunds.create({"charge": charge["id"], "amount": 1}).id for _ in range(2)]
    clock.advance(hours=1)
    other = sdk.v1.refunds.create({"charge": buy()["id"]}).id
    assert [one.id for one in sdk.v1.refunds.list({"charge": charge["id"]}).data] == mine[::-1]
    assert [one.id for one in sdk.v1.refunds.list({"payment_intent": charge["payment_intent"]}).data] == mine[::-1]
    assert [one.id for one in sdk.v1.refunds.list({"created": {"gte": clock.seconds}}).data] == [other]
    assert [one.id for one in sdk.v1.refunds.list({"limit": 1}).auto_paging_iter()] == [other, *mine[::-1]]
    assert sdk.v1.refunds.retrieve(other).id == other
    opened = sdk.v1.charges.retrieve(charge["id"], {"expand": ["refunds.data.charge"]})
    assert [(one.id, one.charge.id) for one in opened.refunds.data] == [
        (mine[1], charge["id"]),
        (mine[0], charge["id"]),
    ]


def test_only_the_metadata_of_a_refund_can_be_changed(sdk, wire, charge, told):
    made = sdk.v1.refunds.create({"charge": charge["id"]})
    told()
    assert sdk.v1.refunds.update(made.id, {"metadata": {"a": "b"}}).metadata["a"] == "b"
    assert told() == ["refund.updated"]
    assert wire.post(f"/v1/refunds/{made.id}", {"amount": "1"}).error["code"] == "parameter_unknown"


def test_a_card_whose_bank_takes_its_time_refunds_later(sdk, wire, buy, told, clock):
    charge = buy("4000000000007726")
    told()
    made = sdk.v1.refunds.create({"charge": charge["id"]})
    assert (made.status, made.pending_reason) == ("pending", "processing")
    assert sums(wire, charge) == (10000, True)
    assert told() == ["refund.created", "charge.refunded"]
    clock.advance(seconds=SOME_TIME)
    assert sdk.v1.refunds.retrieve(made.id).status == "succeeded"
    assert told() == ["refund.updated", "charge.refund.updated"]
    assert sums(wire, charge) == (10000, True)


def test_a_card_whose_bank_sends_the_money_back_fails_later(sdk, wire, buy, told, clock, sandbox):
    charge = buy("4000000000005126")
    made = sdk.v1.refunds.create({"charge": charge["id"], "amount": 4000})
    assert made.status == "succeeded"
    told()
    clock.advance(seconds=SOME_TIME)
    after = sdk.v1.refunds.retrieve(made.id)
    assert (after.status, after.failure_reason) == ("failed", "expired_or_canceled_card")
    assert sums(wire, charge) == (0, False)
    assert told() == ["refund.updated", "charge.refund.updated", "refund.failed"]
    assert sandbox.events("refund.updated")[0]["data"]["previous_attributes"]["status"] == "succeeded"
    assert sdk.v1.refunds.create({"charge": charge["id"]}).amount == 10000


@pytest.mark.parametrize(
    ("outcome", "status", "counted"),
    [("succeeded", "succeeded", 10000), ("pending", "pending", 10000), ("failed", "failed", 0)],
)
def test_an_outcome_can_be_ordered(sandbox, wire, charge, outcome, status, counted):
    made = refund(sandbox.sandbox.account, charge["id"], outcome=outcome)
    assert wire.get(f"/v1/refunds/{made['id']}").json["status"] == status
    assert sums(wire, charge)[0] == counted


@pytest.mark.parametrize(("status", "counted"), [("succeeded", 300), ("failed", 0), ("canceled", 0)])
def test_a_refund_that_waits_is_settled_by_hand(sandbox, wire, charge, status, counted, clock):
    account = sandbox.sandbox.account
    made = refund(account, charge["id"], 300, "pending")
    clock.advance(days=30)
    assert wire.get(f"/v1/refunds/{made['id']}").json["status"] == "pending"
    for _ in range(2):
        settle_refund(account, made["id"], status)
    assert wire.get(f"/v1/refunds/{made['id']}").json["status"] == status
    assert sums(wire, charge)[0] == counted
    assert len(sandbox.events("refund.updated")) == 1


def test_an_outcome_that_there_is_not_is_refused(sandbox, wire, charge):
    account = sandbox.sandbox.account
    with pytest.raises(ValueError, match="pending"):
        refund(account, charge["id"], outcome="lost")
    made = refund(account, charge["id"], 1)
    with pytest.raises(ValueError, match="not as 'pending'"):
        settle_refund(account, made["id"], "pending")


def test_only_a_refund_that_waits_for_somebody_can_be_cancelled(sandbox, sdk, wire, charge):
    waiting = refund(sandbox.sandbox.account, charge["id"], 700, "requires_action")
    assert sdk.v1.refunds.cancel(waiting["id"]).status == "canceled"
    assert sums(wire, charge) == (0, False)
    done = sdk.v1.refunds.create({"charge": charge["id"]})
    with pytest.raises(stripe.InvalidRequestError, match="requires_action"):
        sdk.v1.refunds.cancel(done.id)
