"""The endpoint and the inbox: only what Stripe signed, each event once, nothing lost, nothing granted by an event."""

import json
import time
from dataclasses import replace

import pytest
import stripe

from paywall.billing.stripe_gateway import StripeNotFound, StripeUnavailable
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, InboxEvent, Subscription
from tests.support.shop import WEBHOOK_SECRET, Shop, post_event

EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.subscription.updated",
    "api_version": "2026-10-28.endive",
    "created": 1795340000,
    "livemode": False,
    "data": {"object": {"id": "sub_unknown", "object": "subscription", "customer": "cus_1"}},
}


def body(**changes) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


def inbox() -> list[InboxEvent]:
    return list(db.session.scalars(db.select(InboxEvent).execution_options(populate_existing=True)))


def test_an_event_is_stored_without_its_body(shop: Shop) -> None:
    """Names and addresses stay at Stripe: only ids are kept."""
    shop.pay(shop.start(shop.browser()), email="ada@example.com")
    shop.deliver_all()
    completed = next(row for row in inbox() if row.type == "checkout.session.completed")
    assert set(completed.objects) == {"checkout.session", "customer", "subscription", "invoice"}
    assert "ada@example.com" not in json.dumps([row.objects for row in inbox()])
    assert (completed.state, completed.attempts, completed.api_version) == ("handled", 1, "2026-10-28.endive")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"header": ""}, "missing"),
        ({"header": "t=1,v1=00"}, "garbage"),
        ({"header": "nonsense"}, "no scheme"),
        ({"secret": "whsec_of_somebody_else"}, "foreign secret"),
        ({"timestamp": int(time.time()) - 301}, "stale"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_signature_is_400_and_leaves_no_trace(app, how: dict[str, object], why: str) -> None:
    answer = post_event(app, body(), **how)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.json["code"] == "bad_signature"
    assert inbox() == []


def test_a_body_that_was_changed_after_signing_is_refused(app) -> None:
    signed = body()
    header = stripe.WebhookSignature.generate_signature_header(signed.decode(), WEBHOOK_SECRET)
    assert post_event(app, signed.replace(b"sub_unknown", b"sub_another"), header=header).status_code == 400
    assert inbox() == []


def test_each_of_several_secrets_is_accepted_while_they_rotate(make_app) -> None:
    app = make_app(stripe={"webhook_secrets": ["whsec_new", "whsec_old"]})
    with app.app_context():
        for number, secret in enumerate(("whsec_new", "whsec_old")):
            payload = body(id=f"evt_{number}", type="unknown.type")
            assert post_event(app, payload, secret=secret).status_code == 200
        assert post_event(app, body(), secret="whsec_older").status_code == 400


def test_without_a_secret_there_is_no_endpoint(make_app) -> None:
    app = make_app(stripe={"webhook_secrets": []})
    with app.app_context():
        assert post_event(app, body()).status_code == 404
        assert inbox() == []


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"[1, 2]",
        b"null",
        b'"text"',
        b"{}",
        b"not json",
        b'{"object": "v2.core.event", "id": "evt_thin", "type": "v1.customer.subscription.active"}',
        b'{"object": "event", "id": "evt_1"}',
        b'{"object": "event", "id": 7, "type": "x", "created": 1, "data": {"object": {}}}',
        b'{"object": "event", "id": "evt_1", "type": "x", "created": "soon", "data": {"object": {}}}',
        b'{"object": "event", "id": "evt_1", "type": "x", "created": 1e300, "data": {"object": {}}}',
        b'{"object": "event", "id": "evt_1", "type": "x", "created": 1, "data": {"object": []}}',
        b'{"object": "event", "id": "' + b"e" * 300 + b'", "type": "x", "created": 1, "data": {"object": {}}}',
        body(type="t" * 101),
        body(api_version="v" * 41),
        body(api_version={"a": 1}),
        body(id="evt_\0"),
        body(data={"object": {"id": "sub_\0", "object": "subscription"}}),
        body(data={"object": {"id": "sub_1", "object": ["subscription"]}}),
        b"[" * 100_000,
    ],
    ids=range(20),
)
def test_a_signed_body_that_is_no_snapshot_event_is_400_and_leaves_no_trace(app, payload: bytes) -> None:
    answer = post_event(app, payload)
    assert (answer.status_code, answer.json["code"]) == (400, "bad_event")
    assert inbox() == []


def test_a_body_that_is_not_text_is_400(app) -> None:
    assert post_event(app, b"\xff\xfe\x00", header="t=1,v1=00").status_code == 400


def test_an_oversize_body_is_413_and_leaves_no_trace(app) -> None:
    answer = post_event(app, b" " * 1_100_000, header="t=1,v1=00")
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
    assert inbox() == []


def test_an_unknown_type_is_stored_answered_200_and_has_no_effect(app) -> None:
    assert post_event(app, body(type="planet.discovered")).status_code == 200
    assert [(row.state, row.outcome) for row in inbox()] == [("ignored", "no handler")]


def test_an_event_of_the_other_mode_is_stored_and_has_no_effect(shop: Shop) -> None:
    shop.pay(shop.start(shop.browser()))
    created = shop.sandbox.events("customer.subscription.created")[0]
    assert shop.deliver({**created, "livemode": True}).status_code == 200
    assert [(row.state, row.outcome) for row in inbox()] == [("ignored", "of the other mode")]
    assert db.session.query(Entitlement).count() == 0


def test_an_event_about_a_subscription_that_stripe_does_not_know_is_stored_and_has_no_effect(shop: Shop) -> None:
    assert shop.deliver(EVENT).status_code == 200
    assert [(row.state, row.outcome) for row in inbox()] == [("ignored", "no such subscription")]


@pytest.mark.parametrize("odd", ["..", ".", "sub_1/", "sub_1/../../customers/cus_1", "sub_1?expand[]=customer"])
@pytest.mark.parametrize("kind", ["subscription", "checkout.session"])
def test_an_id_that_is_none_of_stripes_never_becomes_an_address(shop: Shop, odd: str, kind: str) -> None:
    event = {**EVENT, "type": "checkout.session.completed" if kind == "checkout.session" else "invoice.paid"}
    before = len(shop.sandbox.requests)
    assert shop.deliver({**event, "data": {"object": {"id": odd, "object": kind}}}).status_code == 200
    assert [row.state for row in inbox()] == ["ignored"]
    assert len(shop.sandbox.requests) == before


def test_an_event_grants_only_what_stripe_says_when_asked(shop: Shop) -> None:
    """The body claims an active, paid subscription; Stripe, asked, knows an unpaid session."""
    session_id = shop.start(shop.browser())
    claim = {**shop.session(session_id), "status": "complete", "payment_status": "paid", "subscription": "sub_x"}
    event = {**EVENT, "type": "checkout.session.completed", "data": {"object": claim}}
    assert shop.deliver(event).status_code == 200
    assert db.session.query(Entitlement).count() == 0
    assert db.session.scalar(db.select(Checkout.state)) == "open"


def test_an_event_delivered_ten_times_stands_in_the_inbox_once_and_acts_once(shop: Shop) -> None:
    shop.pay(shop.start(shop.browser()))
    created = shop.sandbox.events("customer.subscription.created")[0]
    before = len(shop.sandbox.requests)
    assert {shop.deliver(created).status_code for _ in range(10)} == {200}
    assert [(row.id, row.attempts) for row in inbox()] == [(created["id"], 1)]
    assert len(shop.sandbox.requests) - before == 3, "the subscription, its invoices, its customer's charges"


def test_what_fails_is_kept_answered_503_and_done_when_it_comes_again(shop: Shop, monkeypatch) -> None:
    shop.pay(shop.start(shop.browser()))
    created = shop.sandbox.events("customer.subscription.created")[0]
    with monkeypatch.context() as broken:
        broken.setattr(type(shop.parts.gateway), "fetch_subscription", _unavailable)
        answer = shop.deliver(created)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert [(row.state, row.outcome, row.attempts) for row in inbox()] == [("parked", "stripe_unavailable", 1)]
    assert db.session.query(Entitlement).count() == 0
    assert shop.deliver(created).status_code == 200
    assert [(row.state, row.attempts) for row in inbox()] == [("handled", 2)]
    assert db.session.query(Entitlement).count() == 1


def test_an_unexpected_error_parks_the_event_and_names_its_kind(shop: Shop, monkeypatch) -> None:
    monkeypatch.setattr(type(shop.parts.gateway), "fetch_subscription", lambda *_: {}["secret-detail"])
    assert shop.deliver(EVENT).status_code == 503
    assert [(row.state, row.outcome) for row in inbox()] == [("parked", "KeyError")]


def test_a_subscription_of_our_plan_without_a_reader_is_parked_not_lost(shop: Shop) -> None:
    """Somebody paid and nobody can read: that must stay visible."""
    price = shop.parts.catalog.price_id(shop.parts.settings.plans["annual"])
    sdk = shop.stripe()
    customer = sdk.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    sdk.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price}]})
    created = shop.sandbox.events("customer.subscription.created")[0]
    assert shop.deliver(created).status_code == 503
    assert [(row.state, row.outcome) for row in inbox()] == [("parked", "unknown_reader")]


def test_a_product_that_is_not_ours_is_left_alone(shop: Shop) -> None:
    sdk = shop.stripe()
    product = sdk.v1.products.create({"name": "Tote bag of the month"})
    recurring = {"recurring": {"interval": "month"}, "unit_amount": 500, "currency": "usd"}
    price = sdk.v1.prices.create({"product": product.id, **recurring})
    customer = sdk.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    sdk.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    assert set(shop.deliver_all()) == {200}
    assert db.session.query(Subscription).count() == 0
    assert "not a plan of ours" in {row.outcome for row in inbox()}


def test_an_expired_session_frees_the_open_checkout(shop: Shop) -> None:
    session_id = shop.start(shop.browser())
    shop.stripe().v1.checkout.sessions.expire(session_id)
    shop.deliver_all()
    assert db.session.scalar(db.select(Checkout.state)) == "expired"


def test_an_expired_session_that_stripe_does_not_know_any_more_is_left_alone(shop: Shop, monkeypatch) -> None:
    """Repeating the event would never help, so it must not be parked."""
    session_id = shop.start(shop.browser())
    monkeypatch.setattr(type(shop.parts.gateway), "fetch_checkout", _unknown)
    expired = {**EVENT, "type": "checkout.session.expired", "data": {"object": shop.session(session_id)}}
    assert shop.deliver(expired).status_code == 200
    assert [(row.state, row.outcome) for row in inbox()] == [("ignored", "no such checkout session")]
    assert db.session.scalar(db.select(Checkout.state)) == "open"


def test_an_expired_event_that_comes_late_does_not_close_a_paid_checkout(shop: Shop) -> None:
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    shop.deliver_all()
    late = {**EVENT, "type": "checkout.session.expired", "data": {"object": shop.session(session_id)}}
    assert shop.deliver(late).status_code == 200
    assert db.session.scalar(db.select(Checkout.state)) == "complete"


def test_a_session_that_is_not_paid_yet_waits(shop: Shop, monkeypatch) -> None:
    """A delayed payment method: complete, but unpaid."""
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    real = shop.parts.gateway.fetch_checkout(session_id)
    unpaid = replace(real, payment_status="unpaid")
    monkeypatch.setattr(type(shop.parts.gateway), "fetch_checkout", lambda *_: unpaid)
    completed = shop.sandbox.events("checkout.session.completed")[0]
    assert shop.deliver(completed).status_code == 200
    assert [(row.state, row.outcome) for row in inbox()] == [("handled", "awaits the payment")]
    assert db.session.query(Entitlement).count() == 0


def _unknown(*_: object) -> None:
    raise StripeNotFound


def _unavailable(*_: object) -> None:
    raise StripeUnavailable
