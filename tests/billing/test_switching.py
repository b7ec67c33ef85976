"""A subscription that is switched from one plan of ours to another gives what the new plan says, from then on."""

from dataclasses import replace

import pytest

from paywall.billing import catalog
from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Sync
from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Entitlement, LedgerEntry, Revocation, Subscription
from tests.support.shop import Shop

CAUSE = Cause("event", "evt_1")


class Two:
    """A shop with two plans, and a subscription to ``annual`` of two features; ``small`` has one of them."""

    def __init__(self, shop: Shop) -> None:
        annual = replace(shop.parts.settings.plans["annual"], features=("news", "archive"))
        small = replace(annual, key="small", product="paywall_small", lookup_key="small_1", features=("news",))
        self.shop, self.plans = shop, {"annual": annual, "small": small}
        gateway = StripeGateway(shop.parts.settings.stripe, frozenset(plan.product for plan in self.plans.values()))
        self.sync = Sync(gateway, self.plans, shop.parts.sync.zone, shop.parts.clock)
        self.prices = {"annual": shop.parts.catalog.price_id(annual), "small": catalog.push(gateway, small)}
        self.id = shop.buy(shop.browser())
        self.hear()

    def hear(self) -> bool:
        return self.sync.subscription(self.id, CAUSE).changed

    def switch(self, key: str) -> bool:
        """Staff move it to another plan, from the next period on; then we hear of it."""
        stripe = self.shop.stripe()
        item = stripe.v1.subscriptions.retrieve(self.id).to_dict()["items"]["data"][0]["id"]
        change = {"items": [{"id": item, "price": self.prices[key]}], "proration_behavior": "none"}
        stripe.v1.subscriptions.update(self.id, change)
        return self.hear()

    def features(self) -> tuple[str, ...]:
        """What the reader may read."""
        db.session.expire_all()
        row = db.session.scalars(db.select(Entitlement)).one()
        return entitlements.access_of(row.reader_id, self.plans, self.shop.parts.clock.now()).features


@pytest.fixture
def two(shop: Shop) -> Two:
    return Two(shop)


def test_a_switch_gives_the_features_of_the_new_plan(two: Two) -> None:
    assert two.features() == ("news", "archive")
    assert two.switch("small")
    assert two.features() == ("news",)
    assert db.session.scalars(db.select(Entitlement.plan)).one() == "small"
    assert db.session.get(Subscription, two.id).plan == "small"
    assert two.switch("annual")
    assert two.features() == ("news", "archive")


def test_a_switch_stands_in_the_ledger_once(two: Two) -> None:
    two.switch("small")
    assert not two.hear()
    entries = db.session.scalars(db.select(LedgerEntry).order_by(LedgerEntry.id)).all()
    assert [(one.change, one.state) for one in entries] == [("granted", "active"), ("amended", "active")]


def test_a_plan_that_gives_less_takes_back_the_tokens_that_say_more(two: Two) -> None:
    """They would open for minutes what is not paid for any more."""
    two.switch("small")
    assert [one.kind for one in db.session.scalars(db.select(Revocation))] == ["sub"]


def test_a_plan_that_gives_more_takes_back_nothing(two: Two) -> None:
    two.switch("small")
    db.session.execute(db.delete(Revocation))
    db.session.commit()
    two.switch("annual")
    assert db.session.scalars(db.select(Revocation)).all() == []
