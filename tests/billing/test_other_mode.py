"""Objects of Stripe's other mode: never found, never granted by, whoever brings them."""

from dataclasses import replace

import pytest
import stripe

from paywall.billing.stripe_gateway import StripeNotFound
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Entitlement
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

SIMILAR = (
    '{"error": {"type": "invalid_request_error", "code": "resource_missing", "param": "id", "message": '
    '"No such object; a similar object exists in live mode, but a test mode key was used to make this request."}}'
)


def test_a_subscription_of_the_other_mode_grants_nothing(shop: Shop, monkeypatch) -> None:
    """Our product, our reader, paid: but with play money, or in the account of the other key."""
    client = shop.browser()
    path = shop.pay(shop.start(client))
    real = type(shop.parts.gateway).fetch_subscription
    monkeypatch.setattr(
        type(shop.parts.gateway), "fetch_subscription", lambda *asked: replace(real(*asked), livemode=True)
    )
    assert client.get(path).status_code == 503
    (created,) = shop.sandbox.events("customer.subscription.created")
    synced = shop.parts.sync.subscription(created["data"]["object"]["id"], Cause("event", created["id"]))
    assert synced.outcome == "not_ours"
    assert db.session.query(Entitlement).count() == 0


@on_sqlite
@pytest.mark.parametrize("method", ["fetch_checkout", "fetch_subscription"])
def test_an_object_of_the_other_mode_is_not_found(shop: Shop, monkeypatch, method: str) -> None:
    monkeypatch.setattr(stripe.RequestsClient, "request", lambda *_, **__: (SIMILAR, 404, {}))
    with pytest.raises(StripeNotFound):
        getattr(shop.parts.gateway, method)("cs_live_1")


@on_sqlite
def test_coming_back_with_a_session_of_the_other_mode_is_refused(shop: Shop) -> None:
    answer = shop.browser().get("/checkout/return?session_id=cs_live_a1b2c3")
    assert answer.status_code in (400, 404)
    assert db.session.query(Entitlement).count() == 0
