"""Stripe hears of a new address after the change, until it has heard, and of the newest one last."""

from datetime import timedelta

import pytest
from structlog.testing import CapturingLogger

from paywall.billing import addressing
from paywall.billing.errors import StripeRefused, StripeUnavailable
from paywall.storage import addresses
from paywall.storage.database import db
from paywall.storage.models import Reader
from paywall.worker import jobs
from paywall.worker.shift import Shift
from tests.conftest import FrozenClock
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

HOUR = timedelta(hours=1)


def change(shop: Shop, clock: FrozenClock, email: str = "ada@example.net") -> str:
    """The buyer confirms a new address; returns the change's id."""
    now, reader = clock.now(), db.session.scalars(db.select(Reader)).one()
    row = addresses.use(addresses.create(reader.id, email, email, now, now + HOUR), now)
    assert addresses.move(row, now) is not None
    db.session.commit()
    return row.id


def work(shop: Shop) -> None:
    """One round of the worker's job."""
    db.session.commit()
    jobs.tell_addresses(shop.parts, Shift("wrk_test"))


def at_stripe(shop: Shop) -> set[str]:
    return {one["email"] for one in shop.sandbox.sandbox.account.store.find("customer")}


@pytest.fixture
def bought(shop: Shop) -> Shop:
    """A shop in which Ada bought."""
    shop.buy(shop.browser())
    return shop


def test_the_worker_gives_the_customer_the_new_address(bought: Shop, clock: FrozenClock) -> None:
    assert at_stripe(bought) == {"ada@example.com"}
    change(bought, clock)
    assert at_stripe(bought) == {"ada@example.com"}, "not in the transaction of the change"
    work(bought)
    assert at_stripe(bought) == {"ada@example.net"}
    asked = len(bought.sandbox.requests)
    work(bought)
    assert len(bought.sandbox.requests) == asked, "once is enough"


def test_while_stripe_is_away_it_stays_due(bought: Shop, clock: FrozenClock, monkeypatch) -> None:
    name = change(bought, clock)
    with monkeypatch.context() as patch:
        patch.setattr(
            type(bought.parts.gateway), "ask", lambda *_args, **_ids: (_ for _ in ()).throw(StripeUnavailable)
        )
        with pytest.raises(StripeUnavailable):
            work(bought)
    work(bought)
    assert at_stripe(bought) == {"ada@example.com"}, "not again at once"
    clock.advance(minutes=5)
    work(bought)
    assert at_stripe(bought) == {"ada@example.net"}
    assert addresses.get(name).tell_at is None


def test_one_worker_tells_at_a_time(bought: Shop, clock: FrozenClock) -> None:
    name = change(bought, clock)
    assert addresses.claim_telling(name, clock.now(), clock.now() + addressing.AGAIN) is not None
    db.session.commit()
    assert addressing.tell(bought.parts.gateway, name, clock.now()) is False
    assert at_stripe(bought) == {"ada@example.com"}


@on_sqlite
def test_who_changes_again_meanwhile_is_told_last(bought: Shop, clock: FrozenClock, monkeypatch) -> None:
    """A call that hangs may arrive after the next one."""
    first = change(bought, clock)
    real = type(bought.parts.gateway).ask

    def slow(gateway, operation, call, **ids):
        monkeypatch.setattr(type(gateway), "ask", real)
        second = change(bought, clock, "ada@example.org")
        assert addressing.tell(gateway, second, clock.now())
        return real(gateway, operation, call, **ids)

    monkeypatch.setattr(type(bought.parts.gateway), "ask", slow)
    work(bought)
    assert at_stripe(bought) == {"ada@example.net"}, "the older came later"
    assert addresses.get(first).tell_at is not None
    clock.advance(minutes=5)
    work(bought)
    assert at_stripe(bought) == {"ada@example.org"}


@on_sqlite
def test_what_stripe_refuses_is_logged_without_the_address_and_given_up(
    bought: Shop, clock: FrozenClock, monkeypatch
) -> None:
    name = change(bought, clock)
    refuse = lambda *_args, **_ids: (_ for _ in ()).throw(StripeRefused("email_invalid"))  # noqa: E731
    monkeypatch.setattr(type(bought.parts.gateway), "ask", refuse)
    monkeypatch.setattr(addressing, "log", log := CapturingLogger())
    work(bought)
    assert addresses.get(name).tell_at is None
    assert "address_not_told" in str(log.calls)
    assert "ada@" not in str(log.calls)


@on_sqlite
def test_a_customer_that_is_gone_keeps_nobody_busy(bought: Shop, clock: FrozenClock) -> None:
    (customer,) = bought.sandbox.sandbox.account.store.find("customer")
    bought.stripe().v1.customers.delete(customer["id"])
    name = change(bought, clock)
    work(bought)
    assert addresses.get(name).tell_at is None


@on_sqlite
def test_nobody_is_named_for_a_reader_without_an_address(bought: Shop, clock: FrozenClock) -> None:
    name = change(bought, clock)
    reader = db.session.scalars(db.select(Reader)).one()
    reader.email = reader.email_normalised = reader.email_verified_at = None
    db.session.commit()
    work(bought)
    assert addresses.get(name).tell_at is None
    assert at_stripe(bought) == {"ada@example.com"}
