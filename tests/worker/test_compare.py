"""The comparison with Stripe as a job: on schedule, repaired through the sync, told in log, metrics and `jobs`."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from paywall.billing.errors import StripeUnavailable
from paywall.billing.stripe_gateway import StripeGateway
from paywall.reconciling import reconciler
from paywall.storage import facts, workers
from paywall.storage.database import begin_read, db
from paywall.storage.models import Entitlement
from paywall.worker import jobs
from paywall.worker import shift as shifts
from paywall.worker.planned import AGAIN
from paywall.worker.process import Worker
from paywall.worker.shift import Shift, Stopped
from tests.support import staff
from tests.support.shop import Shop

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_what_was_lost_is_found_repaired_and_told",
        "test_a_stop_in_the_middle_leaves_it_due_and_free_for_the_next_worker",
    }
)


@pytest.fixture
def lost(shop: Shop) -> Shop:
    """A shop in which somebody has paid, and no event and no browser ever came back."""
    shop.pay(shop.start(shop.browser()))
    db.session.commit()
    return shop


def run(shop: Shop, shift) -> None:
    """The worker's look at whether it is due."""
    (job,) = [job for job in jobs.all_jobs(shop.parts) if job.name == "reconcile"]
    job.run(shift)


def due():
    begin_read()
    found = workers.due_at("reconcile")
    db.session.commit()
    return found


def entitlements() -> int:
    begin_read()
    found = db.session.query(Entitlement).count()
    db.session.commit()
    return found


def test_what_was_lost_is_found_repaired_and_told(lost: Shop, clock, shift) -> None:
    with capture_logs() as lines:
        run(lost, shift)
    assert entitlements() == 1
    told = [line for line in lines if line["event"] == "drift"]
    assert {line["outcome"] for line in told} == {"repaired"}
    assert "subscription" in {line["thing"] for line in told}
    begin_read()
    last = json.loads(facts.get("reconcile:last"))
    assert (last["complete"], last["missing"] > 0, last["repaired"]) == (True, True, last["missing"])
    db.session.commit()
    assert due() == clock.now() + timedelta(hours=24)


def test_it_is_due_again_after_a_day_and_then_finds_nothing(lost: Shop, clock, shift) -> None:
    run(lost, shift)
    asked = len(lost.sandbox.requests)
    clock.advance(hours=23, minutes=59)
    run(lost, shift)
    assert len(lost.sandbox.requests) == asked
    clock.advance(minutes=1)
    with capture_logs() as lines:
        run(lost, shift)
    assert len(lost.sandbox.requests) > asked
    assert "drift" not in {line["event"] for line in lines}


def test_a_stop_in_the_middle_leaves_it_due_and_free_for_the_next_worker(lost: Shop, clock, shift) -> None:
    shift.stopping.set()
    run(lost, shift)
    assert due() is None
    run(lost, Shift("wrk_next"))
    assert (due(), entitlements()) == (clock.now() + timedelta(hours=24), 1)


def test_while_stripe_is_away_it_fails_and_comes_again_soon(lost: Shop, clock, shift, monkeypatch) -> None:
    def away(*_arguments: object, **_ids: object) -> None:
        raise StripeUnavailable

    naps: list[float] = []
    monkeypatch.setattr(Shift, "nap", lambda _shift, seconds: naps.append(seconds))
    monkeypatch.setattr(type(lost.parts.gateway), "ask", away)
    with pytest.raises(jobs.Incomplete):
        run(lost, shift)
    assert due() == clock.now() + AGAIN
    assert len(naps) >= 5, "it was patient first"


def test_who_waits_for_stripe_is_stopped_at_once(shift) -> None:
    shift.stopping.set()
    with pytest.raises(Stopped):
        shift.nap(600)


def test_once_compares_too(lost: Shop) -> None:
    assert Worker(lost.app, lost.parts, jobs.all_jobs(lost.parts)).once() == []
    assert entitlements() == 1


def test_a_page_of_slow_repairs_is_not_taken_for_a_job_that_is_stuck(shop: Shop, shift, monkeypatch) -> None:
    """While Stripe is slow, a page of a hundred repairs takes hours; each request is a step of its own."""
    for number in range(4):
        shop.pay(shop.start(shop.browser(), f"r{number}@example.com"), email=f"r{number}@example.com")
    db.session.commit()
    real_ask, real_time, late = StripeGateway.ask, time.monotonic, [0.0]
    stuck: list[bool] = []

    def slow(self: StripeGateway, *arguments: Any, **ids: str) -> Any:
        late[0] += 70
        stuck.append(shift.stuck())
        return real_ask(self, *arguments, **ids)

    monkeypatch.setattr(shifts.time, "monotonic", lambda: real_time() + late[0])
    monkeypatch.setattr(StripeGateway, "ask", slow)
    monkeypatch.setattr(Shift, "nap", lambda _shift, _seconds: None)
    run(shop, shift)
    assert late[0] > shifts.STUCK_SECONDS
    assert not any(stuck)


@pytest.mark.parametrize(("minutes", "told"), [(4, False), (6, True)])
def test_events_raise_an_alarm_once_they_cannot_be_on_their_way_any_more(
    lost: Shop, clock, shift, minutes: int, told: bool
) -> None:
    clock.advance(minutes=minutes)
    with capture_logs() as lines:
        run(lost, shift)
    assert ("event" in {line["thing"] for line in lines if line["event"] == "drift"}) is told
    assert entitlements() == 1


def test_money_that_went_back_in_a_long_outage_is_found_by_the_next_comparison(lost: Shop, clock, shift) -> None:
    """Neither the setting's days nor those for which Stripe keeps events reach so far back."""
    run(lost, shift)
    begin_read()
    (row,) = db.session.scalars(db.select(Entitlement))
    subscription_id = row.source_id
    db.session.commit()
    clock.advance(days=2)
    staff.refund(lost, subscription_id)
    clock.advance(days=90)
    run(lost, shift)
    begin_read()
    (row,) = db.session.scalars(db.select(Entitlement).execution_options(populate_existing=True))
    assert (row.state, row.reason) == ("ended", "refunded")


def test_a_comparison_that_did_not_come_to_its_end_counts_for_nothing(lost: Shop, clock, shift, monkeypatch) -> None:
    run(lost, shift)
    whole = reconciler(lost.parts).reach()
    clock.advance(days=50)
    assert reconciler(lost.parts).reach() > timedelta(days=50)
    monkeypatch.setattr(Shift, "nap", lambda _shift, _seconds: None)
    with monkeypatch.context() as broken:

        def away(*_arguments: object, **_ids: object) -> None:
            raise StripeUnavailable

        broken.setattr(type(lost.parts.gateway), "ask", away)
        with pytest.raises(jobs.Incomplete):
            run(lost, shift)
    assert reconciler(lost.parts).reach() > timedelta(days=50)
    clock.advance(hours=1)
    run(lost, shift)
    assert reconciler(lost.parts).reach() == whole
