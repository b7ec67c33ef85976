"""What we ask of Stripe is what Stripe takes; what it answers, and refuses, reaches us as plain values and errors."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import stripe
from pydantic import SecretStr
from structlog.testing import capture_logs

from paywall.billing import tracing
from paywall.billing.snapshots import CheckoutOrder
from paywall.billing.stripe_gateway import StripeGateway, StripeNotFound, StripeRefused, StripeUnavailable
from paywall.domain.entitlements import Reason
from paywall.domain.plans import Plan
from tests.support import staff
from tests.support.shop import Shop
from tests.support.stripe_spec import needs_spec, request_problems

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # no table is touched here


@pytest.fixture
def plan(shop: Shop) -> Plan:
    return shop.parts.settings.plans["annual"]


@pytest.fixture
def order(shop: Shop, plan: Plan, clock) -> CheckoutOrder:
    return CheckoutOrder(
        idempotency_key="checkout-chk_1",
        checkout_id="chk_1",
        reader_id="rdr_1",
        plan="annual",
        price_id=shop.parts.catalog.price_id(plan),
        email="ada@example.com",
        customer_id=None,
        success_url="https://pay.test/checkout/return?session_id={CHECKOUT_SESSION_ID}",
        cancel_url="https://pay.test/checkout/cancelled?checkout=chk_1",
        expires_at=clock.now() + timedelta(hours=23),
    )


@needs_spec
def test_every_request_is_one_that_stripe_describes(shop: Shop, order: CheckoutOrder, plan: Plan) -> None:
    """Every operation of the gateway runs; no request may hold a parameter that Stripe does not know."""
    gateway = shop.parts.gateway
    session = gateway.create_checkout(order)
    gateway.fetch_checkout(session.id)
    shop.pay(session.id)
    paid = gateway.fetch_checkout(session.id)
    gateway.fetch_subscription(paid.subscription_id)
    other = replace(order, idempotency_key="other", email=None, customer_id=paid.customer_id)
    gateway.expire_checkout(gateway.create_checkout(other).id)
    gateway.create_portal(paid.customer_id, "https://pay.test/account")
    (charge,) = staff.charges(shop, paid.subscription_id)
    (invoice,) = gateway.fetch_subscription(paid.subscription_id).invoices
    gateway.refund("payment_intent", charge["payment_intent"], 100, "key-1")
    gateway.fetch_subscription(paid.subscription_id)
    for way in ({"invoice_id": invoice.id}, {"intent_id": charge["payment_intent"]}, {"charge_id": charge["id"]}):
        assert tracing.subscription_of(gateway, **way) == paid.subscription_id
    assert not tracing.customer_is_gone(gateway, paid.customer_id)
    gateway.cancel_subscription(paid.subscription_id, Reason.DISPUTE_LOST)
    gateway.find_price(plan.lookup_key)
    gateway.ensure_product(plan)
    gateway.create_price(replace(plan, lookup_key="another"))
    asked = shop.sandbox.requests
    operations = {(request.method, request.path.split("/")[2]) for request in asked}
    assert ("POST", "billing_portal") in operations
    assert {("POST", "checkout"), ("GET", "subscriptions"), ("GET", "invoices"), ("POST", "prices")} <= operations
    money = {
        ("GET", "charges"),
        ("GET", "refunds"),
        ("GET", "disputes"),
        ("GET", "invoice_payments"),
        ("POST", "refunds"),
    }
    assert money | {("GET", "customers"), ("DELETE", "subscriptions")} <= operations
    for request in asked:
        assert request_problems(request.method, request.path, request.text) == []


def test_equal_orders_make_one_session_and_other_orders_are_refused_under_the_same_key(shop, order) -> None:
    first = shop.parts.gateway.create_checkout(order)
    assert shop.parts.gateway.create_checkout(order).id == first.id
    with pytest.raises(StripeRefused):
        shop.parts.gateway.create_checkout(replace(order, email="grace@example.com"))


def test_a_session_carries_our_marks_to_the_subscription(shop: Shop, order: CheckoutOrder) -> None:
    session = shop.parts.gateway.create_checkout(order)
    assert (session.status, session.payment_status, session.settled) == ("open", "unpaid", False)
    shop.pay(session.id)
    paid = shop.parts.gateway.fetch_checkout(session.id)
    assert (paid.settled, paid.reader_id, paid.checkout_id) == (True, "rdr_1", "chk_1")
    subscription = shop.parts.gateway.fetch_subscription(paid.subscription_id)
    assert (subscription.reader_id, subscription.checkout_id) == ("rdr_1", "chk_1")
    assert (subscription.amount, subscription.currency, subscription.product_id) == (10000, "usd", "paywall_annual")
    (invoice,) = subscription.invoices
    assert (invoice.amount, invoice.currency) == (10000, "usd")
    assert subscription.facts.periods[0].end == invoice.period_end == subscription.current_period_end


def test_expiring_a_paid_session_says_that_it_is_complete(shop: Shop, order: CheckoutOrder) -> None:
    session = shop.parts.gateway.create_checkout(order)
    shop.pay(session.id)
    assert shop.parts.gateway.expire_checkout(session.id).status == "complete"


@pytest.mark.parametrize("method", ["fetch_checkout", "fetch_subscription"])
def test_what_stripe_does_not_know_is_not_found(shop: Shop, method: str) -> None:
    with pytest.raises(StripeNotFound):
        getattr(shop.parts.gateway, method)("nothing_1")


def test_a_portal_page_is_for_a_customer_that_stripe_knows(shop: Shop, order: CheckoutOrder) -> None:
    session = shop.parts.gateway.create_checkout(order)
    shop.pay(session.id)
    customer_id = shop.parts.gateway.fetch_checkout(session.id).customer_id
    pages = {shop.parts.gateway.create_portal(customer_id, "https://pay.test/account") for _ in range(2)}
    assert len(pages) == 2, "each click has an address of its own"
    with pytest.raises((StripeNotFound, StripeRefused)) as gone:
        shop.parts.gateway.create_portal("cus_nobody", "https://pay.test/account")
    assert getattr(gone.value, "stripe_code", "resource_missing") == "resource_missing"


def test_a_wrong_key_is_refused_and_never_taken_for_not_found(shop: Shop) -> None:
    settings = shop.parts.settings.stripe.model_copy(update={"api_key": SecretStr("sk_test_wrong")})
    with pytest.raises(StripeRefused):
        StripeGateway(settings, frozenset()).fetch_subscription("sub_1")


def test_stripe_out_of_reach_is_unavailable(shop: Shop) -> None:
    settings = shop.parts.settings.stripe.model_copy(update={"api_base": "http://127.0.0.1:9"})
    with pytest.raises(StripeUnavailable) as unavailable:
        StripeGateway(settings, frozenset()).fetch_subscription("sub_1")
    assert unavailable.value.status == 503


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (429, "rate_limit", StripeUnavailable),
        (429, "lock_timeout", StripeUnavailable),
        (409, "idempotency_key_in_use", StripeUnavailable),
        (500, None, StripeUnavailable),
        (503, None, StripeUnavailable),
        (400, "parameter_unknown", StripeRefused),
        (401, None, StripeRefused),
        (403, None, StripeRefused),
        (400, "resource_missing", StripeRefused),
        (404, "resource_missing", StripeNotFound),
    ],
)
def test_each_answer_of_stripe_has_one_meaning_for_us(shop, monkeypatch, status, code, expected) -> None:
    error = {"error": {"type": "invalid_request_error", "code": code, "message": "no"}}
    body = json.dumps(error)
    monkeypatch.setattr(stripe.RequestsClient, "request", lambda *_, **__: (body, status, {}))
    with pytest.raises(expected):
        shop.parts.gateway.fetch_checkout("cs_test_1")


def test_a_tool_that_answers_no_json_is_unavailable_or_refused_never_a_crash(shop, monkeypatch) -> None:
    monkeypatch.setattr(stripe.RequestsClient, "request", lambda *_, **__: ("<html>bad gateway</html>", 502, {}))
    with pytest.raises(StripeUnavailable):
        shop.parts.gateway.fetch_checkout("cs_test_1")


def test_the_log_of_a_failure_names_ids_and_no_secret(shop: Shop) -> None:
    with capture_logs() as lines, pytest.raises(StripeNotFound):
        shop.parts.gateway.fetch_checkout("cs_test_missing")
    assert [(line["event"], line["log_level"], line["session"], line["status"]) for line in lines] == [
        ("stripe_error", "warning", "cs_test_missing", 404)
    ]
    assert shop.parts.settings.stripe.api_key.get_secret_value() not in str(lines)


def test_ending_a_subscription_twice_is_ending_it_once(shop: Shop) -> None:
    bought = shop.buy(shop.browser())
    for _ in range(2):
        shop.parts.gateway.cancel_subscription(bought, Reason.REFUNDED)
    assert shop.parts.gateway.fetch_subscription(bought).facts.status == "canceled"
    shop.parts.gateway.cancel_subscription("sub_unknown", Reason.REFUNDED)


def test_a_refund_under_one_key_is_made_once(shop: Shop) -> None:
    bought = shop.buy(shop.browser())
    (charge,) = staff.charges(shop, bought)
    for _ in range(2):
        shop.parts.gateway.refund("charge", charge["id"], 2500, "key-1")
    assert [one.amount for one in shop.parts.gateway.fetch_subscription(bought).refunds] == [2500]


def test_what_others_ask_goes_through_our_errors_and_our_metrics(shop: Shop) -> None:
    asked = shop.parts.gateway.ask("account.fetch", lambda client: client.v1.prices.list({"limit": 1}).data)
    assert len(asked) == 1
    with capture_logs() as lines, pytest.raises(StripeNotFound):
        shop.parts.gateway.ask("charge.fetch", lambda client: client.v1.charges.retrieve("ch_no"), charge="ch_no")
    assert [(line["operation"], line["charge"]) for line in lines] == [("charge.fetch", "ch_no")]


@pytest.mark.parametrize("refusal", [StripeNotFound(), StripeRefused("resource_missing")], ids=["404", "400"])
def test_the_money_of_a_customer_that_stripe_does_not_list_is_asked_for_by_payment(shop: Shop, refusal) -> None:
    bought = shop.buy(shop.browser())
    staff.refund(shop, bought, 2500)
    real = StripeGateway.ask

    def asked(self, operation, call, **ids):
        if operation == "charges.list":
            raise refusal
        return real(self, operation, call, **ids)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StripeGateway, "ask", asked)
        found = shop.parts.gateway.fetch_subscription(bought)
    assert [one.amount for one in found.refunds] == [2500]


def test_a_key_that_may_not_list_charges_is_an_error_and_never_read_as_no_refund(shop: Shop) -> None:
    bought = shop.buy(shop.browser())
    real = StripeGateway.ask

    def asked(self, operation, call, **ids):
        if operation == "charges.list":
            raise StripeRefused("permission_denied")
        return real(self, operation, call, **ids)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StripeGateway, "ask", asked)
        with pytest.raises(StripeRefused):
            shop.parts.gateway.fetch_subscription(bought)


@pytest.mark.parametrize("way", ["invoice_id", "intent_id", "charge_id"])
def test_money_that_stripe_does_not_know_leads_nowhere(shop: Shop, way: str) -> None:
    assert tracing.subscription_of(shop.parts.gateway, **{way: "x_unknown"}) is None
    assert tracing.subscription_of(shop.parts.gateway) is None


def test_a_customer_is_gone_when_deleted_or_never_there(shop: Shop) -> None:
    bought = shop.buy(shop.browser())
    customer_id = shop.parts.gateway.fetch_subscription(bought).customer_id
    shop.stripe().v1.customers.delete(customer_id)
    assert tracing.customer_is_gone(shop.parts.gateway, customer_id)
    assert tracing.customer_is_gone(shop.parts.gateway, "cus_unknown")


def test_the_first_push_of_a_plan_warns_of_nothing(shop: Shop, plan: Plan) -> None:
    """That Stripe has no product yet is why it is made."""
    with capture_logs() as lines:
        shop.parts.gateway.ensure_product(replace(plan, product="paywall_new"))
    assert lines == [], "from warnings on, as the tests' settings say"
    assert (
        shop.parts.gateway.ask("product", lambda stripe: stripe.v1.products.retrieve("paywall_new").name) == plan.name
    )
