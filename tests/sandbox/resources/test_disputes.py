"""Disputes over the API: opened by Stripe's test cards, answered, won, lost, given in to."""

import pytest
import stripe

from paywall.sandbox.billing.disputing import open_dispute, settle

FRAUD, MISSING, INQUIRY, WARNED = "4000000000000259", "4000000000002685", "4000000000001976", "4000000000005423"


@pytest.fixture
def account(sandbox):
    return sandbox.sandbox.account


@pytest.fixture
def buy(sandbox, wire, session):
    """Buy the plan with a card; returns the charge."""

    def buy(card="4242424242424242"):
        sandbox.pay(session["id"], card=card)
        return wire.get("/v1/charges").json["data"][0]

    return buy


def disputed(sandbox):
    """The names of the events about disputes, without what they share."""
    names = [event["type"] for event in sandbox.events()]
    return [name.removeprefix("charge.dispute.") for name in names if name.startswith("charge.dispute.")]


def funds(dispute):
    return [one["net"] for one in dispute["balance_transactions"]]


@pytest.mark.parametrize(("card", "reason"), [(FRAUD, "fraudulent"), (MISSING, "product_not_received")])
def test_a_disputed_payment_loses_its_money_until_it_is_decided(sandbox, sdk, wire, buy, card, reason):
    charge = buy(card)
    (dispute,) = sdk.v1.disputes.list({"payment_intent": charge["payment_intent"]}).data
    assert (dispute.status, dispute.reason, dispute.amount) == ("needs_response", reason, 10000)
    assert dispute.is_charge_refundable is False
    assert funds(dispute.to_dict()) == [-11500]
    assert wire.get(f"/v1/disputes/{dispute.id}").json["balance_transactions"][0]["fee"] == 1500
    assert charge["disputed"] is True
    names = [event["type"] for event in sandbox.events()]
    assert names[-3:] == ["checkout.session.completed", "charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert wire.get("/v1/subscriptions").json["data"][0]["status"] == "active"


def test_an_inquiry_takes_no_money(sandbox, sdk, buy):
    charge = buy(INQUIRY)
    (dispute,) = sdk.v1.disputes.list({"charge": charge["id"]}).data
    assert (dispute.status, dispute.balance_transactions) == ("warning_needs_response", [])
    assert dispute.payment_method_details.card.case_type == "inquiry"
    assert disputed(sandbox) == ["created"]
    assert sdk.v1.refunds.create({"charge": charge["id"]}).status == "succeeded"


def test_a_bank_that_suspects_fraud_warns_of_it(sandbox, wire, buy):
    charge = buy(WARNED)
    (event,) = sandbox.events("radar.early_fraud_warning.created")
    warning = event["data"]["object"]
    assert (warning["charge"], warning["payment_intent"]) == (charge["id"], charge["payment_intent"])
    assert wire.get("/v1/disputes").json["data"] == []


def test_a_disputed_charge_cannot_be_refunded(sdk, buy):
    charge = buy(FRAUD)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sdk.v1.refunds.create({"charge": charge["id"]})
    assert refusal.value.code == "charge_disputed"


@pytest.mark.parametrize(
    ("text", "status", "told", "moved"),
    [
        ("winning_evidence", "won", ["updated", "updated", "closed", "funds_reinstated"], [-11500, 11500]),
        ("losing_evidence", "lost", ["updated", "updated", "closed"], [-11500]),
        ("they did read it", "under_review", ["updated", "updated"], [-11500]),
    ],
)
def test_evidence_decides_a_dispute(sandbox, sdk, buy, text, status, told, moved):
    buy(FRAUD)
    (dispute,) = sdk.v1.disputes.list().data
    after = sdk.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}})
    assert (after.status, after.evidence.uncategorized_text) == (status, text)
    assert (after.evidence_details.has_evidence, after.evidence_details.submission_count) == (True, 1)
    assert disputed(sandbox) == ["created", "funds_withdrawn", *told]
    assert funds(after.to_dict()) == moved


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        ("winning_evidence", "warning_closed", ["closed"]),
        ("losing_evidence", "warning_closed", ["closed"]),
        ("escalate_inquiry_evidence", "needs_response", ["updated", "funds_withdrawn"]),
    ],
)
def test_evidence_ends_or_escalates_an_inquiry(sandbox, sdk, buy, text, status, told):
    buy(INQUIRY)
    (dispute,) = sdk.v1.disputes.list().data
    after = sdk.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}})
    assert after.status == status
    assert disputed(sandbox) == ["created", "updated", "updated", *told]
    assert after.payment_method_details.card.case_type == ("chargeback" if "escalate" in text else "inquiry")


def test_evidence_can_be_kept_back_and_handed_in_later(sdk, buy):
    buy(FRAUD)
    (dispute,) = sdk.v1.disputes.list().data
    kept = sdk.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": False})
    assert (kept.status, kept.evidence_details.submission_count) == ("needs_response", 0)
    assert sdk.v1.disputes.update(dispute.id, {"submit": True}).status == "won"


def test_giving_in_loses_a_dispute_and_closes_an_inquiry(account, sdk, buy):
    charge = buy()
    lost = sdk.v1.disputes.close(open_dispute(account, charge["id"])["id"])
    assert (lost.status, lost.is_charge_refundable) == ("lost", False)
    inquiry = open_dispute(account, charge["id"], "warning_needs_response")
    assert sdk.v1.disputes.close(inquiry["id"]).status == "warning_closed"


def test_what_is_closed_takes_no_more_answers(sdk, buy):
    buy(FRAUD)
    (dispute,) = sdk.v1.disputes.list().data
    sdk.v1.disputes.close(dispute.id)
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        sdk.v1.disputes.close(dispute.id)
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        sdk.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}})
    assert sdk.v1.disputes.update(dispute.id, {"metadata": {"a": "b"}}).metadata["a"] == "b"


@pytest.mark.parametrize(
    ("path", "moved"),
    [
        (["under_review", "won"], [-11500, 11500]),
        (["lost", "appeal_needs_response", "appeal_under_review", "won"], [-11500, 11500]),
        (["won", "appeal_needs_response", "lost"], [-11500, 11500, -11500]),
        (["lost", "appeal_needs_response", "lost"], [-11500]),
        (["status_of_next_year"], [-11500]),
    ],
)
def test_the_money_is_where_the_decision_puts_it(account, sandbox, sdk, buy, path, moved):
    dispute = open_dispute(account, buy()["id"])
    for status in path:
        settle(account, dispute["id"], status)
        settle(account, dispute["id"], status)
    assert sdk.v1.disputes.retrieve(dispute["id"]).status == path[-1]
    assert funds(account.get("dispute", dispute["id"])) == moved
    told = disputed(sandbox)
    assert told.count("closed") == sum(status in ("won", "lost") for status in path)
    assert told.count("funds_withdrawn") + told.count("funds_reinstated") == len(moved)


def test_a_dispute_that_was_won_leaves_the_charge_refundable(account, sdk, buy):
    charge = buy()
    settle(account, open_dispute(account, charge["id"])["id"], "won")
    assert sdk.v1.refunds.create({"charge": charge["id"]}).status == "succeeded"


def test_disputes_are_found_by_time(account, sdk, buy, clock):
    charge = buy()
    open_dispute(account, charge["id"], "warning_needs_response")
    clock.advance(days=1)
    late = open_dispute(account, charge["id"])["id"]
    assert [one.id for one in sdk.v1.disputes.list({"created": {"gte": clock.seconds}}).data] == [late]
    assert sdk.v1.disputes.retrieve(late, {"expand": ["charge"]}).charge.id == charge["id"]


def test_only_what_was_paid_can_be_disputed(account, sandbox, session, wire):
    with pytest.raises(ValueError, match="declined"):
        sandbox.pay(session["id"], card="4000000000000002")
    (failed,) = wire.get("/v1/charges").json["data"]
    with pytest.raises(ValueError, match="paid"):
        open_dispute(account, failed["id"])


def test_an_unknown_dispute_is_404(wire):
    reply = wire.get("/v1/disputes/du_x")
    assert (reply.status, reply.error["code"], reply.error["param"]) == (404, "resource_missing", "dispute")
