"""The reconciliation of many subscriptions: few calls, flat memory, ties at the borders of pages."""

import gc
import sys
from collections import deque
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from paywall.billing import listing
from paywall.billing.pacing import Pace
from paywall.billing.reconcile import Reconciler, Summary
from paywall.reconciling import reconciler
from paywall.storage import letters
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import Entitlement, Reader, Subscription
from tests.support.many import TABLES, Copier
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

pytestmark = on_sqlite  # what it asks of the database, the tests of storage and of the sync ask of both

MET = 40


@pytest.fixture
def copier(shop: Shop, clock) -> Copier:
    """One purchase, more than a month old, whose events were handled."""
    shop.buy(shop.browser())
    shop.deliver_all()
    clock.advance(days=40)
    return Copier(shop.sandbox.sandbox.account.store)


def made(shop: Shop) -> Reconciler:
    ours = reconciler(shop.parts)
    quick = Pace(lambda _seconds: None)
    return Reconciler(ours.gateway, ours.sync, ours.plans, ours.clock, ours.inbox, quick)


def run(shop: Shop, found: list[Any], steps: list[int] | None = None) -> Summary:
    return made(shop).run(timedelta(days=30), False, found.append, (steps if steps is not None else []).append)


def test_a_thousand_unchanged_subscriptions_cost_at_most_twelve_calls(shop: Shop, copier: Copier) -> None:
    copier.copy(999)
    before, found, steps = len(shop.sandbox.requests), [], []
    done = run(shop, found, steps)
    asked = shop.sandbox.requests[before:]
    assert len(asked) <= 12, [one.path for one in asked]
    assert done.calls == len(asked)
    assert (found, done.counts.subscriptions, done.good) == ([], 1000, True)
    assert {one.status for one in asked} == {200}
    assert steps[-1] == 1000


def test_rows_that_stripe_lacks_are_told_one_by_one_wherever_they_stand(shop: Shop, copier: Copier) -> None:
    """First and last of the list, on both sides of a page's border, and among many of one second."""
    copier.per_second = 45
    copier.copy(459)
    names = [body["id"] for body in copier.store.find("subscription")]
    gone = {names[place] for place in (0, 1, 99, 100, 101, 199, 200, 250, 458, 459)}
    for name in gone:
        copier.store.remove(name)
    found: list[Any] = []
    before = len(shop.sandbox.requests)
    done = run(shop, found)
    assert {(one.kind, one.id) for one in found} == {("extra", name) for name in gone}
    assert len(found) == len(gone)
    assert done.counts.subscriptions == 450
    assert len(shop.sandbox.requests) - before <= 5 + 2 + len(gone)


def test_more_of_one_second_than_fit_on_a_page_are_no_puzzle(shop: Shop, copier: Copier) -> None:
    copier.per_second = 1000
    copier.copy(320)
    before, found = len(shop.sandbox.requests), []
    assert run(shop, found).good
    assert found == []
    assert len(shop.sandbox.requests) - before == 4 + 2


def test_all_that_differ_are_repaired_in_one_run(shop: Shop, copier: Copier) -> None:
    copier.copy(130)
    db.session.execute(sa.update(Subscription).values(status="past_due"))
    db.session.commit()
    found: list[Any] = []
    assert run(shop, found).good
    assert len(found) == 131
    db.session.expire_all()
    assert set(db.session.scalars(sa.select(Subscription.status))) == {"active"}


def test_a_first_comparison_with_an_old_account_mails_nobody(shop: Shop, copier: Copier) -> None:
    """Everything is learnt at once, and nothing of it is news."""
    copier.copy(MET - 1)
    db.session.execute(sa.update(Reader).values(email=Reader.id + "@example.com"))
    for table in (*reversed(TABLES[1:]), WaitingLetter):
        db.session.execute(sa.delete(table.__table__))
    db.session.commit()
    found: list[Any] = []
    assert run(shop, found).good
    assert len({one.subscription_id for one in found if one.outcome == "repaired"}) == MET
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Entitlement)) == MET
    assert letters.waiting() == 0


def test_memory_does_not_grow_with_the_number_of_subscriptions(shop: Shop, copier: Copier, monkeypatch) -> None:
    """What is still held after a page is the same after the fifth and after the thirtieth."""
    monkeypatch.setattr(listing, "PAGE", 20)
    copier.copy(599)
    shop.sandbox.sandbox.api.requests = deque(maxlen=1)  # the sandbox lives in this process
    db.session.remove()
    held: dict[int, int] = {}

    def count(seen: int) -> None:
        if seen in (120, 600) and seen not in held:
            gc.collect()
            held[seen] = sys.getallocatedblocks()

    done = made(shop).run(timedelta(days=30), False, [].append, count)
    assert (done.good, list(held)) == (True, [120, 600])
    subscriptions = 20 * 24  # looked at meanwhile; one snapshot kept would take more than five blocks
    assert held[600] - held[120] < 5 * subscriptions, held
