"""Events recorded from real accounts, correctly signed: none crashes the endpoint, none grants, each is kept once."""

import json

import pytest

from paywall.storage.database import db
from paywall.storage.models import Entitlement, InboxEvent, Reader, Subscription
from tests.support.shop import Shop
from tests.support.stripe_spec import STRIPE_FILES, needs_spec

FILES = sorted((STRIPE_FILES / "recorded/stripe-sync-engine").glob("*.json"))


@needs_spec
def test_every_recorded_event_is_kept_once_and_grants_nothing(shop: Shop) -> None:
    events = [json.loads(file.read_text()) for file in FILES]
    assert len(events) >= 70
    for event in events:
        assert shop.deliver(event).status_code == 200, event["type"]
        assert shop.deliver(event).status_code == 200, event["type"]
    rows = {row.id: row for row in db.session.scalars(db.select(InboxEvent))}
    assert set(rows) == {event["id"] for event in events}
    assert {row.state for row in rows.values()} == {"ignored"}
    for model in (Entitlement, Subscription, Reader):
        assert db.session.query(model).count() == 0, model


@needs_spec
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_recorded_events_do_not_disturb_a_subscriber(shop: Shop) -> None:
    shop.buy(shop.browser())
    before = [(row.id, row.state, row.until) for row in db.session.scalars(db.select(Entitlement))]
    for file in FILES:
        shop.deliver(json.loads(file.read_text()))
    assert [(row.id, row.state, row.until) for row in db.session.scalars(db.select(Entitlement))] == before
