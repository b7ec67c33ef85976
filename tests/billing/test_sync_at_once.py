"""Syncs at the same time: leases instead of locks, no transaction while Stripe is asked, one result."""

import threading
import time
from contextvars import Context
from datetime import timedelta

import pytest

from paywall.billing import sync as sync_module
from paywall.billing.stripe_gateway import StripeGateway
from paywall.billing.sync import Busy
from paywall.storage import leases, subscriptions
from paywall.storage.database import db
from paywall.storage.models import Entitlement, Lease, Subscription
from tests.billing.test_sync import CAUSE, ledger
from tests.support.shop import Shop


def test_no_transaction_is_open_while_stripe_is_asked(shop: Shop, bought: str, monkeypatch) -> None:
    """A lock held over a network call would stop every other writer."""
    real, open_ones = StripeGateway.fetch_subscription, []

    def watched(self, subscription_id, *known):
        open_ones.append(db.session().in_transaction())
        return real(self, subscription_id, *known)

    monkeypatch.setattr(StripeGateway, "fetch_subscription", watched)
    shop.parts.sync.subscription(bought, CAUSE)
    assert open_ones == [False]


def test_the_whole_checkout_holds_no_transaction_while_stripe_is_asked(shop: Shop, monkeypatch) -> None:
    seen: dict[str, bool] = {}
    for name in ("find_price", "create_checkout", "fetch_checkout", "expire_checkout", "fetch_subscription"):
        real = getattr(StripeGateway, name)

        def watched(self, *arguments, real=real, name=name):
            seen[name] = seen.get(name, False) or db.session().in_transaction()
            return real(self, *arguments)

        monkeypatch.setattr(StripeGateway, name, watched)
    shop.parts.catalog._known.clear()
    client = shop.browser()
    shop.start(client, "ada@example.com")
    shop.start(client, "ada@example.com")
    client.get(shop.pay(shop.start(client, "grace@example.com")))
    shop.deliver_all()
    assert seen == dict.fromkeys(
        ("find_price", "create_checkout", "fetch_checkout", "expire_checkout", "fetch_subscription"), False
    )


def test_a_lease_that_is_held_makes_the_second_wait_and_then_give_up(shop: Shop, bought, clock, monkeypatch) -> None:
    monkeypatch.setattr(sync_module, "PATIENCE_SECONDS", 0.2)
    assert leases.take(f"subscription:{bought}", "other", clock.now(), clock.now() + timedelta(minutes=1))
    with pytest.raises(Busy):
        shop.parts.sync.subscription(bought, CAUSE)
    assert db.session.query(Entitlement).count() == 0
    assert db.session.scalar(db.select(Lease.owner)) == "other"


def test_a_lease_left_by_a_killed_process_runs_out(shop: Shop, bought: str, clock) -> None:
    leases.take(f"subscription:{bought}", "killed", clock.now(), clock.now() + timedelta(seconds=90))
    clock.advance(seconds=90)
    assert shop.parts.sync.subscription(bought, CAUSE).changed
    assert db.session.query(Lease).count() == 0


def test_a_lease_is_given_to_one_of_many(shop: Shop, clock) -> None:
    now = clock.now()
    taken = [leases.take("thing", f"own_{number}", now, now + timedelta(minutes=1)) for number in range(5)]
    assert taken == [True, False, False, False, False]


def test_whoever_lost_the_lease_starts_again_instead_of_writing(shop: Shop, bought: str, clock, monkeypatch) -> None:
    """The fetch took longer than the lease, and another sync has taken over: the stale answer must not be saved."""
    real, calls = StripeGateway.fetch_subscription, []

    def slow(self, subscription_id, *known):
        snapshot = real(self, subscription_id, *known)
        calls.append(subscription_id)
        if len(calls) == 1:
            clock.advance(seconds=91)
            leases.take(f"subscription:{subscription_id}", "thief", clock.now(), clock.now() + timedelta(seconds=1))
            clock.advance(seconds=2)
        return snapshot

    monkeypatch.setattr(StripeGateway, "fetch_subscription", slow)
    assert shop.parts.sync.subscription(bought, CAUSE).changed
    assert len(calls) == 2


def test_many_at_once_give_one_entitlement_and_one_entry(shop: Shop, bought: str) -> None:
    results: list[object] = []

    def run() -> None:
        with shop.app.app_context():
            try:
                results.append(shop.parts.sync.subscription(bought, CAUSE).outcome)
            except Exception as error:
                results.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=Context().run, args=(run,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["synced"] * 5
    assert ledger() == [("granted", "active")]


def test_two_subscriptions_of_one_person_synced_at_once_see_each_other(shop: Shop, monkeypatch) -> None:
    """Their leases differ; each must wait for the other's flag, or both would stay unflagged."""
    for session_id in [shop.start(shop.browser()), shop.start(shop.browser())]:
        shop.pay(session_id)
    created = shop.sandbox.events("customer.subscription.created")
    ids = [event["data"]["object"]["id"] for event in created]
    fetched = threading.Barrier(2)
    real_fetch, real_flag = StripeGateway.fetch_subscription, subscriptions.flag_duplicates

    def fetch(self, subscription_id, *known):
        snapshot = real_fetch(self, subscription_id, *known)
        fetched.wait(5)
        return snapshot

    def flag(*asked):
        flagged = real_flag(*asked)
        time.sleep(0.3)  # long enough for the other to write, if nothing made it wait
        return flagged

    monkeypatch.setattr(StripeGateway, "fetch_subscription", fetch)
    monkeypatch.setattr(subscriptions, "flag_duplicates", flag)

    def run(subscription_id: str) -> None:
        with shop.app.app_context():
            shop.parts.sync.subscription(subscription_id, CAUSE)
            db.session.remove()

    db.session.commit()
    threads = [threading.Thread(target=Context().run, args=(run, one)) for one in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.expire_all()
    flags = [row.duplicate_of for row in db.session.scalars(db.select(Subscription))]
    assert sorted(flags, key=str) == sorted([None, min(ids, key=lambda one: _created(one))], key=str)


def _created(subscription_id: str) -> tuple[object, str]:
    row = db.session.get(Subscription, subscription_id)
    return row.created_at, row.id
