"""Our requests beside those that Stripe really took for the same operations: no parameter that it does not know."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from paywall.billing.snapshots import CheckoutOrder
from tests.support import recorded
from tests.support.marks import on_sqlite
from tests.support.shop import Shop
from tests.support.stripe_spec import needs_spec, request_problems

pytestmark = [needs_spec, on_sqlite]

SINCE = "2025-10-29"
ONE = re.compile(r"/(?:sub|cs_test|in|price|cus)_\w+")


def operation(method: str, path: str) -> str:
    return f"{method} {ONE.sub('/{}', path)}"


def names(text: str) -> set[str]:
    """The parameters of a form or a query; places in lists count as one."""
    return {re.sub(r"\[\d*\]", "[]", name) for name, _ in parse_qsl(text, keep_blank_values=True)}


def taken() -> dict[str, list[str]]:
    """By operation, the forms or queries that Stripe answered with 200."""
    found: dict[str, list[str]] = {}
    for exchange in recorded.exchanges():
        asked = exchange["request"]
        if exchange["response"]["status"] == 200 and recorded.version_of(exchange) >= SINCE:
            uri = urlsplit(asked["uri"])
            text = (asked["body"] or "") if asked["method"] == "POST" else uri.query
            found.setdefault(operation(asked["method"], uri.path), []).append(text)
    return found


@pytest.fixture
def asked(shop: Shop, clock):
    """Every request of the gateway, made once."""
    plan = shop.parts.settings.plans["annual"]
    order = CheckoutOrder(
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
    gateway = shop.parts.gateway
    session = gateway.create_checkout(order)
    shop.pay(session.id)
    paid = gateway.fetch_checkout(session.id)
    gateway.fetch_subscription(paid.subscription_id)
    known = replace(order, idempotency_key="other", email=None, customer_id=paid.customer_id)
    gateway.expire_checkout(gateway.create_checkout(known).id)
    gateway.find_price(plan.lookup_key)
    gateway.create_price(replace(plan, lookup_key="another"))
    return shop.sandbox.requests


def test_no_request_holds_a_parameter_that_stripe_does_not_know(asked) -> None:
    """Recorded operations and the others alike; what others once sent is checked by the same description below."""
    operations = {operation(one.method, one.path) for one in asked}
    assert operations & set(taken()) == {"POST /v1/checkout/sessions", "GET /v1/subscriptions/{}"}
    for request in asked:
        assert request_problems(request.method, request.path, request.text) == [], request.path


def test_a_session_for_a_subscription_is_asked_for_as_others_ask_for_it(asked) -> None:
    """The same parameters in the same spelling, and nothing of theirs left out."""
    (theirs,) = [names(text) for text in taken()["POST /v1/checkout/sessions"] if "mode=subscription" in text]
    ours = [names(one.text) for one in asked if operation(one.method, one.path) == "POST /v1/checkout/sessions"]
    assert theirs - ours[0] == {"customer"}  # the first purchase has no customer yet, only an address
    assert theirs - ours[1] == set()
    further = {"client_reference_id", "expires_at", "metadata[reader]", "subscription_data[metadata][reader]"}
    assert further <= ours[0] - theirs


def test_every_post_that_makes_something_carries_a_key_as_recorded_ones_do(asked) -> None:
    posts = [one for one in recorded.exchanges() if recorded.version_of(one) >= SINCE]
    posts = [one["request"] for one in posts if one["request"]["method"] == "POST"]
    assert len(posts) > 200
    assert all(post["idempotency_key_sent"] for post in posts)
    assert all(one.idempotency_key for one in asked if one.method == "POST")


def test_the_check_takes_what_stripe_took_and_refuses_what_it_does_not_know(asked) -> None:
    """Otherwise the tests above would say nothing."""
    forms = taken()["POST /v1/checkout/sessions"] + ["mode=subscription&success_url=https%3A%2F%2Fa.test"]
    assert [request_problems("POST", "/v1/checkout/sessions", text) for text in forms] == [[]] * len(forms)
    created = next(one for one in asked if one.path == "/v1/checkout/sessions")
    for further in ("payment_method_types[0]=card", "surprise=1", "subscription_data[surprise]=1", "metadata=x"):
        assert request_problems("POST", created.path, f"{created.text}&{further}") != [], further
