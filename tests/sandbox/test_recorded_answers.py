"""What a real account of Stripe was asked, asked of the sandbox: the same status, and no field less."""

from collections import Counter

import pytest

from paywall.sandbox.server import SandboxServer
from tests.sandbox.conftest import KEY, send
from tests.support import recorded, replay
from tests.support.stripe_spec import needs_spec

pytestmark = needs_spec

# Operations and parameters of the recordings that the sandbox does not play, and says so.
NOT_PLAYED = {
    ("POST /v1/checkout/sessions", "currency"),
    ("POST /v1/checkout/sessions", "mode"),
    ("POST /v1/invoiceitems", "invoice"),
    ("POST /v1/invoices", "subscription"),
    ("POST /v1/payment_intents", "capture_method"),
    ("POST /v1/payment_methods", "type"),
    ("POST /v1/setup_intents", None),
    ("POST /v1/subscription_items/{}", None),
    ("POST /v1/subscriptions", "add_invoice_items"),
}

# Fields that were asked for with `expand[]`, which the sandbox refuses to expand; what depends on the account's
# settings; and the private talk of Stripe's own script with a bank.
NOT_OURS = ("tax", "invoice_credit_balance", "payment_method_options.", "next_action.use_stripe_sdk.")


@pytest.fixture(scope="module")
def compared():
    with SandboxServer(api_key=KEY) as server:
        server.deliver = False

        def ask(method, path, form):
            headers = {"Authorization": f"Bearer {KEY}"}
            if method == "POST":
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                return send(server.url, method, path, form, headers)
            return send(server.url, method, f"{path}?{form}" if form else path, None, headers)

        give_prices(server, ask)
        yield list(replay.comparisons(ask))


def give_prices(server, ask):
    """The prices and the coupon that were there before the recordings began, under their own ids."""
    ask("POST", "/v1/coupons", "id=10OFF&percent_off=10&duration=forever")
    ask("POST", "/v1/products", "id=prod_recorded&name=Recorded")
    form = "product=prod_recorded&currency=usd&unit_amount=1000&recurring[interval]="
    made = {interval: ask("POST", "/v1/prices", form + interval).json["id"] for interval in ("month", "year")}
    account = server.sandbox.account
    with account.unit():
        for name in replay.PRICES:
            account.create({**account.get("price", made["year" if "annual" in name else "month"]), "id": name})


def test_the_sandbox_says_plainly_what_it_does_not_play(compared):
    refused = [one for one in compared if one.unsupported]
    assert {(one.operation, one.ours[1]["error"].get("param")) for one in refused} == NOT_PLAYED
    assert {one.ours[0] for one in refused} <= {400, 404}


def test_what_it_plays_has_the_status_that_stripe_answered(compared):
    played = [one for one in compared if not one.unsupported]
    assert len(played) >= 180
    assert [
        (one.where, one.operation, one.recorded[0], one.ours) for one in played if one.recorded[0] != one.ours[0]
    ] == []
    operations = Counter(one.operation for one in played)
    for operation in ("POST /v1/checkout/sessions", "GET /v1/subscriptions/{}", "POST /v1/subscriptions"):
        assert operations[operation] >= 1, operation


def test_no_field_is_missing_that_every_recorded_answer_of_the_operation_has(compared):
    answers = {}
    for one in compared:
        if not one.unsupported and one.recorded[0] == 200:
            answers.setdefault(one.operation, []).append(one.missing())
    always = {operation: set.intersection(*missing) for operation, missing in answers.items()}
    assert {name: lacking for name, fields in always.items() if (lacking := ours(fields))} == {}


def ours(fields):
    return {name for name in fields if not any(f".{part}" in f"{name}." for part in NOT_OURS)}


def test_a_refusal_has_stripes_type_code_and_parameter(compared):
    refusals = [one for one in compared if one.recorded[0] >= 400 and not one.unsupported]
    assert len(refusals) >= 5
    for one in refusals:
        theirs, told = one.recorded[1]["error"], one.ours[1]["error"]
        assert theirs.keys() - {"payment_intent"} <= told.keys(), one.where
        for name in ("type", "code", "param", "decline_code", "doc_url"):
            assert told.get(name) == theirs.get(name), (one.where, name)


def test_a_missing_field_and_another_status_would_be_seen(compared):
    """The comparison can fail: a field taken out of one answer is named."""
    one = next(one for one in compared if one.operation == "GET /v1/subscriptions/{}")
    broken = {name: value for name, value in one.ours[1].items() if name != "status"}
    assert ".status" in replay.Comparison(one.where, one.operation, one.recorded, (200, broken)).missing()
    assert len(recorded.exchanges()) > 500
