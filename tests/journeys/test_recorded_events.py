"""Events of real accounts, correctly signed: none crashes the endpoint, none grants, each is kept once."""

import copy
import json
from collections import Counter

import pytest
import stripe

from paywall.storage.database import db
from paywall.storage.models import Entitlement, InboxEvent, Reader, Subscription
from tests.support import recorded
from tests.support.marks import on_sqlite
from tests.support.shop import Shop
from tests.support.stripe_spec import needs_spec

pytestmark = needs_spec

OURS = "paywall_annual"


def kept() -> dict[str, InboxEvent]:
    return {row.id: row for row in db.session.scalars(db.select(InboxEvent))}


def deliver_twice(shop: Shop, events: list[recorded.Json]) -> None:
    for event in events:
        assert shop.deliver(event).status_code == 200, (event["id"], event["type"])
        assert shop.deliver(event).status_code == 200, (event["id"], event["type"])


def assert_nobody_gained() -> None:
    for model in (Entitlement, Subscription, Reader):
        assert db.session.query(model).count() == 0, model


def test_every_recorded_event_is_kept_once_and_grants_nothing(shop: Shop) -> None:
    events = [*recorded.whole_events(), *recorded.data_events()]
    assert len(events) == 90
    deliver_twice(shop, events)
    assert set(kept()) == {event["id"] for event in events}
    assert {row.state for row in kept().values()} == {"ignored"}
    assert_nobody_gained()


def test_recorded_events_do_not_disturb_a_subscriber(shop: Shop) -> None:
    shop.buy(shop.browser())
    before = [(row.id, row.state, row.until) for row in db.session.scalars(db.select(Entitlement))]
    for event in [*recorded.whole_events(), *recorded.data_events()]:
        shop.deliver(event)
    assert [(row.id, row.state, row.until) for row in db.session.scalars(db.select(Entitlement))] == before


def test_every_recorded_object_told_by_an_event_of_its_version_is_kept_once_and_grants_nothing(shop: Shop) -> None:
    """Every kind of object, in all ten versions on record; those that we listen for under each of their types."""
    events = recorded.wrapped_events()
    if db.engine.dialect.name != "sqlite":
        events = one_of_each(events)
    for event in events:
        assert shop.deliver(event).status_code == 200, (event["id"], event["type"])
    deliver_twice(shop, one_of_each(events))
    rows = kept()
    assert {name: row.api_version for name, row in rows.items()} == {one["id"]: one["api_version"] for one in events}
    assert {row.state for row in rows.values()} == {"ignored"}
    assert_nobody_gained()


def test_the_recordings_are_as_many_as_they_were() -> None:
    """A checkout of the recordings that lost most of them would make the tests above say nothing."""
    events = recorded.wrapped_events()
    versions = Counter(event["api_version"] for event in events)
    assert len(events) >= 1100
    assert len(versions) >= 10
    assert {"2020-08-27", "2025-03-31.basil", "2025-10-29.clover", "2026-03-25.dahlia"} <= set(versions)
    assert {kind for kinds in recorded.TYPES.values() for kind in kinds} <= {event["type"] for event in events}


@on_sqlite
def test_a_purchase_of_ours_grants_whatever_version_its_event_is_told_in(shop: Shop) -> None:
    """The ones above are ignored for what they name, not because nothing recorded could ever be handled."""
    versions = sorted({event["api_version"] for event in recorded.wrapped_events()})
    for number, version in enumerate(versions):
        session_id = shop.start(shop.browser(), f"reader-{number}@example.com")
        shop.pay(session_id)
        subscription = next(
            thing for _, thing in recorded.objects() if thing["object"] == "subscription" and "items" in thing
        )
        told = {**subscription, "id": shop.session(session_id)["subscription"]}
        event = recorded.event(number, "customer.subscription.created", version, {"object": told})
        assert shop.deliver(event).status_code == 200
        assert db.session.query(Entitlement).count() == number + 1, version


def one_of_each(events: list[recorded.Json]) -> list[recorded.Json]:
    """One event of every type in every version."""
    return list({(event["type"], event["api_version"]): event for event in events}.values())


def test_a_recorded_body_without_its_envelope_is_no_event(shop: Shop) -> None:
    """Objects signed as they are, and members of an event alone: 400, and nothing is kept."""
    things = one_of_each_kind()
    assert len(things) >= 100
    for thing in [*things, *({"data": {"object": thing}} for thing in things[:10])]:
        answer = shop.deliver(thing)
        assert (answer.status_code, answer.json["code"]) == (400, "bad_event"), thing.get("object")
    assert kept() == {}


def one_of_each_kind() -> list[recorded.Json]:
    found = {thing["object"]: thing for _, thing in recorded.objects() if thing["object"] != "event"}
    return list(found.values())


@pytest.fixture
def stripe_answers(monkeypatch):
    """Lets Stripe answer with recorded objects: one subscription, and invoices."""

    def answer_with(subscription: recorded.Json, invoices: list[recorded.Json]) -> None:
        bills = {"object": "list", "data": invoices, "has_more": False, "url": "/v1/invoices"}

        def request(_client: object, _method: str, url: str, *_: object, **__: object) -> tuple[str, int, object]:
            return json.dumps(subscription if "/v1/subscriptions/" in url else bills), 200, {}

        monkeypatch.setattr(stripe.RequestsClient, "request", request)

    return answer_with


def recorded_pairs() -> list[tuple[str, recorded.Json, list[recorded.Json]]]:
    """Every recorded subscription with the recorded invoices of its own version."""
    invoices: dict[str, list[recorded.Json]] = {}
    for version, thing in recorded.objects():
        if thing["object"] == "invoice":
            invoices.setdefault(version, []).append(thing)
    subscriptions = [one for one in recorded.objects() if one[1]["object"] == "subscription"]
    return [(version, thing, invoices.get(version, [])[:10]) for version, thing in subscriptions]


def for_sale(thing: recorded.Json) -> bool:
    """Whether the recording names what is sold at all; parts that somebody cut out are of no use here."""
    items = thing["items"]["data"]
    return bool(items) and all("product" in (item.get("price") or {}) for item in items)


@on_sqlite
def test_a_subscription_of_another_product_grants_nothing_in_any_version(shop: Shop, stripe_answers) -> None:
    """Stripe is asked, and answers with what it once really answered: active, trialing, cancelled, past due."""
    pairs = [pair for pair in recorded_pairs() if for_sale(pair[1])]
    assert len(pairs) >= 40
    for number, (version, subscription, invoices) in enumerate(pairs):
        event = recorded.event(number, "customer.subscription.updated", version, {"object": subscription})
        stripe_answers(subscription, invoices)
        deliver_twice(shop, [event])
    assert {(row.state, row.outcome) for row in kept().values()} == {("ignored", "not a plan of ours")}
    assert_nobody_gained()


@on_sqlite
def test_a_subscription_of_our_product_that_names_no_reader_is_kept_for_staff_and_grants_nothing(
    shop: Shop, stripe_answers
) -> None:
    """The same answers with our product in them: somebody may have paid, so the event must not be lost."""
    pairs = [pair for pair in recorded_pairs() if for_sale(pair[1])]
    for number, (version, subscription, invoices) in enumerate(pairs):
        ours = copy.deepcopy(subscription)
        for item in ours["items"]["data"]:
            item["price"]["product"] = OURS
        event = recorded.event(number, "customer.subscription.updated", version, {"object": ours})
        stripe_answers(ours, invoices)
        assert [shop.deliver(event).status_code for _ in range(2)] == [503, 503]
    assert {(row.state, row.outcome, row.attempts) for row in kept().values()} == {("parked", "unknown_reader", 2)}
    assert_nobody_gained()


@pytest.mark.parametrize("how", [{"secret": "whsec_of_somebody_else"}, {"header": ""}, {"timestamp": 1795000000}])
@on_sqlite
def test_a_recorded_event_with_a_wrong_signature_leaves_no_trace(shop: Shop, how: dict[str, object]) -> None:
    for event in one_of_each([*recorded.whole_events(), *recorded.data_events()]):
        answer = shop.deliver(event, **how)
        assert (answer.status_code, answer.json["code"]) == (400, "bad_signature")
    assert kept() == {}
