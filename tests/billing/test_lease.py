"""The lease of a sync while Stripe is slow: whoever has it keeps it, however long the whole takes."""

from datetime import timedelta

import pytest

from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import LEASE, Busy, lease_for
from paywall.options import Stripe
from paywall.storage import leases
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Lease
from tests.support.shop import Shop

CAUSE = Cause("event", "evt_1")


@pytest.fixture
def bought(shop: Shop) -> str:
    """A subscription that was paid, of which we have heard nothing yet."""
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    return str(shop.session(session_id)["subscription"])


class Slow:
    """A Stripe that takes so long for each answer; after each somebody else wants the lease."""

    def __init__(self, shop: Shop, clock, monkeypatch, seconds: float) -> None:
        real, self.taken, self.writes = StripeGateway.ask, [], 0
        extend = leases.extend

        def ask(gateway, operation, call, **ids):
            assert not db.session().in_transaction(), "no lock is held while Stripe is asked"
            answer = real(gateway, operation, call, **ids)
            clock.advance(seconds=seconds)
            name, now = f"subscription:{ids.get('subscription', self.name)}", clock.now()
            self.name = ids.get("subscription", self.name)
            self.taken.append(leases.take(name, "thief", now, now + timedelta(minutes=5)))
            return answer

        def counted(*known):
            self.writes += 1
            return extend(*known)

        self.name = ""
        monkeypatch.setattr(StripeGateway, "ask", ask)
        monkeypatch.setattr(leases, "extend", counted)


def test_a_sync_that_takes_longer_than_its_lease_is_not_robbed_of_it(shop, bought, clock, monkeypatch) -> None:
    """Else several at once would take it from each other, and none would ever save."""
    slow = Slow(shop, clock, monkeypatch, seconds=25)
    assert shop.parts.sync.subscription(bought, CAUSE).changed
    assert slow.taken == [False] * 3, "75 seconds in all, with a lease of 30"
    assert db.session.scalars(db.select(Lease)).all() == []


def test_while_stripe_is_well_the_lease_is_written_once(shop, bought, clock, monkeypatch) -> None:
    slow = Slow(shop, clock, monkeypatch, seconds=0.3)
    shop.parts.sync.subscription(bought, CAUSE)
    assert (slow.taken, slow.writes) == ([False] * 3, 0)


def test_a_lease_that_was_lost_all_the_same_is_not_prolonged(shop, bought, clock, monkeypatch) -> None:
    """A machine that slept: another one works on it now, and must not be disturbed."""
    Slow(shop, clock, monkeypatch, seconds=31)
    monkeypatch.setattr("paywall.billing.sync.PATIENCE_SECONDS", 0.1)
    with pytest.raises(Busy):
        shop.parts.sync.subscription(bought, CAUSE)
    assert db.session.scalars(db.select(Lease.owner)).all() == ["thief"]


def test_a_lease_outlives_the_longest_call(shop: Shop) -> None:
    """With the settings as delivered: three tries, each of which runs out of time."""
    settings = shop.parts.settings.stripe.model_copy(
        update={"connect_timeout_seconds": 3.0, "read_timeout_seconds": 20.0, "max_network_retries": 2}
    )
    assert isinstance(settings, Stripe)
    assert settings.longest_call_seconds == 3 * 23 + 2 * 5
    assert lease_for(settings.longest_call_seconds) == timedelta(seconds=89)
    assert lease_for(1.5) == LEASE
    assert shop.parts.sync.lease >= timedelta(seconds=shop.parts.settings.stripe.longest_call_seconds)
