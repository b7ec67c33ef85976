"""A reconciliation as a whole: it comes to its end or says why not, changes nothing twice, and keeps its result."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from paywall.billing import pass_events, stripe_gateway
from paywall.billing.errors import StripeUnavailable
from paywall.billing.reconcile import LAST_RUN, AnotherRun
from paywall.sandbox.billing.refunding import refund
from paywall.storage import facts
from paywall.storage.database import db
from paywall.storage.models import Entitlement, InboxEvent, Lease, LedgerEntry, Subscription
from paywall.storage.payments import InvoicePayment, Payment, Refund
from tests.support import books
from tests.support.marks import on_sqlite
from tests.support.runs import Runs, change, charge_of, rows, state_of_all
from tests.support.shop import Shop


def test_nothing_differs_after_every_event_was_handled(shop: Shop, sold: str, run: Runs) -> None:
    before = state_of_all()
    done = run()
    assert run.found == []
    assert (done.good, done.complete, done.counts.subscriptions, done.counts.foreign) == (True, True, 1, 0)
    assert state_of_all() == before


def test_a_dry_run_tells_the_same_and_changes_nothing(shop: Shop, run: Runs) -> None:
    shop.pay(shop.start(shop.browser()))
    done = run(dry_run=True)
    assert run.told == {("missing", "subscription", "found")}
    assert (done.dry_run, done.good, done.counts.missing, done.counts.repaired) == (True, False, 1, 0)
    assert rows(Subscription) == rows(InboxEvent) == rows(Entitlement) == []


def test_a_restored_backup_catches_up_in_one_run(shop: Shop, sold: str, run: Runs) -> None:
    """All that a purchase wrote is gone, but reader and checkout, as if a dump from before it was restored."""
    before = state_of_all()
    for table in (LedgerEntry, Entitlement, InvoicePayment, Payment, InboxEvent, Subscription):
        change(sa.delete(table))
    assert run().good
    assert [{**row, "id": "", "created_at": ""} for row in state_of_all()[5]] == [
        {**row, "id": "", "created_at": ""} for row in before[5]
    ]
    assert state_of_all()[:5] == before[:5]
    assert books.faults(shop) == []


def test_the_other_mode_is_refused_before_anything_is_changed(shop: Shop, sold: str, run: Runs) -> None:
    store = shop.sandbox.sandbox.account.store
    store.put(store.get("subscription", sold) | {"livemode": True, "status": "canceled"})
    before = state_of_all()
    done = run()
    assert (done.complete, run.found) == (False, [])
    assert "is of test mode, and Stripe lists objects of live mode" in done.stopped
    assert state_of_all() == before


def test_the_summary_is_kept_for_the_metrics(shop: Shop, sold: str, run: Runs, clock) -> None:
    change(sa.update(Subscription).values(status="past_due"))
    done = run()
    kept = json.loads(facts.get(LAST_RUN))
    assert kept == done.plain()
    assert (kept["different"], kept["repaired"], kept["failed"], kept["complete"]) == (1, 1, 0, True)
    assert kept["ended_at"] == clock.now().isoformat()


def test_two_runs_do_not_overlap(shop: Shop, sold: str, run: Runs, clock) -> None:
    expires = clock.now() + timedelta(minutes=1)
    change(sa.insert(Lease).values(name="reconcile", owner="rec_20261122T090807Z_12345678", expires_at=expires))
    with pytest.raises(AnotherRun, match="since 2026-11-22 09:08:07 UTC"):
        run()
    assert [row["owner"] for row in rows(Lease)] == ["rec_20261122T090807Z_12345678"]
    clock.advance(minutes=2)
    assert run().good, "what a killed run left behind is free after its time"
    assert rows(Lease) == []


def test_a_run_whose_place_was_taken_stops(shop: Shop, sold: str, run: Runs, monkeypatch) -> None:
    real = stripe_gateway.StripeGateway.ask

    def slow(self: Any, operation: str, call: Callable[..., Any], **ids: str) -> Any:
        if operation == "subscriptions.list":
            change(sa.update(Lease).where(Lease.name == "reconcile").values(owner="rec_20261122T090807Z_other000"))
        return real(self, operation, call, **ids)

    monkeypatch.setattr(stripe_gateway.StripeGateway, "ask", slow)
    done = run()
    assert not done.complete
    assert "Another reconciliation began" in done.stopped
    assert [row["owner"] for row in rows(Lease)] == ["rec_20261122T090807Z_other000"]


@pytest.mark.parametrize("away", [1, 5])
def test_stripe_away_for_a_while_only_delays_the_run(shop: Shop, sold: str, run: Runs, monkeypatch, away: int) -> None:
    failing(monkeypatch, away)
    assert run().good
    pauses = [pause for pause in run.slept if pause >= 0.5]
    assert len(pauses) == away
    assert all(0.5 * 2**n <= pause <= 2**n for n, pause in enumerate(pauses))


def test_stripe_away_for_long_ends_the_run_with_what_it_saw(shop: Shop, sold: str, run: Runs, monkeypatch) -> None:
    failing(monkeypatch, 10**6, after=1)
    done = run()
    assert (done.complete, done.good) == (False, False)
    assert "1 objects were looked at; run this again" in done.stopped
    assert rows(Lease) == []


def failing(monkeypatch: pytest.MonkeyPatch, times: int, after: int = 0) -> None:
    """So many calls meet a Stripe that is away, after some that were answered."""
    real, calls = stripe_gateway.StripeGateway.ask, [0]

    def ask(self: Any, operation: str, call: Callable[..., Any], **ids: str) -> Any:
        calls[0] += 1
        if after < calls[0] <= after + times:
            raise StripeUnavailable
        return real(self, operation, call, **ids)

    monkeypatch.setattr(stripe_gateway.StripeGateway, "ask", ask)


def test_a_repair_that_fails_is_told_and_the_run_goes_on(shop: Shop, run: Runs, monkeypatch) -> None:
    first, second = shop.buy(shop.browser()), shop.buy(shop.browser(), "bob@example.com")
    shop.deliver_all()
    change(sa.update(Subscription).values(status="past_due"))
    real = stripe_gateway.StripeGateway.fetch_subscription

    def fetch(self: Any, subscription_id: str, *known: Any) -> Any:
        if subscription_id == first:
            raise StripeUnavailable
        return real(self, subscription_id, *known)

    monkeypatch.setattr(stripe_gateway.StripeGateway, "fetch_subscription", fetch)
    done = run()
    assert {(one.id, one.outcome) for one in run.found} == {(first, "failed"), (second, "repaired")}
    assert (done.complete, done.good, done.counts.failed, done.counts.repaired) == (True, False, 1, 1)
    monkeypatch.undo()
    assert run().good
    assert {(one.id, one.outcome) for one in run.found} == {(first, "repaired")}


class Interrupted(BaseException):
    """As Ctrl-C, which no handler of errors may swallow."""


@on_sqlite
def test_interrupted_at_any_call_and_run_again_it_comes_to_the_same_end(shop: Shop, run: Runs, monkeypatch) -> None:
    shop.buy(shop.browser())
    refund(shop.sandbox.sandbox.account, shop.sandbox.sandbox.account.store.find("charge")[0]["id"], 100)
    shop.deliver_all()
    before = state_of_all()
    real = stripe_gateway.StripeGateway.ask
    left = 10**6

    def ask(self: Any, operation: str, call: Callable[..., Any], **ids: str) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise Interrupted
        return real(self, operation, call, **ids)

    monkeypatch.setattr(stripe_gateway.StripeGateway, "ask", ask)
    for stop_at in range(0, 40, 2):
        change(sa.update(Subscription).values(status="past_due"))
        change(sa.delete(Refund))
        change(sa.delete(InboxEvent))
        left = stop_at
        try:
            run()
        except Interrupted:
            assert rows(Lease) == []
        else:
            break
        left = 10**6
        assert run().good
        assert state_of_all() == before
    assert stop_at > 10, "the run made enough calls to be interrupted at"


def test_no_transaction_is_open_while_stripe_is_asked(shop: Shop, sold: str, run: Runs, monkeypatch) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop), 100)
    real, seen = stripe_gateway.StripeGateway.ask, set()

    def ask(self: Any, operation: str, call: Callable[..., Any], **ids: str) -> Any:
        seen.add((operation, db.session().in_transaction()))
        return real(self, operation, call, **ids)

    monkeypatch.setattr(stripe_gateway.StripeGateway, "ask", ask)
    change(sa.update(Subscription).values(status="past_due"))
    run()
    assert {operation for operation, _ in seen} >= {"subscriptions.list", "events.list", "refunds.list"}
    assert {open_one for _, open_one in seen} == {False}


def test_an_error_that_no_one_has_foreseen_leaves_a_summary_that_says_so(
    shop: Shop, sold: str, run: Runs, monkeypatch
) -> None:
    """Else the metrics would go on telling of the last good run."""

    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("surprise")

    monkeypatch.setattr(pass_events, "run", broken)
    done = run()
    assert (done.complete, done.good) == (False, False)
    assert done.stopped.startswith("Unexpected error (KeyError); the log says where. 1 objects were looked at")
    assert json.loads(facts.get(LAST_RUN))["complete"] is False
    assert rows(Lease) == []


def test_neither_a_dry_run_nor_one_over_less_than_the_workers_hides_what_is_left_to_do(
    shop: Shop, sold: str, run: Runs
) -> None:
    """The alarm goes by the last run that is kept."""
    run()
    kept = facts.get(LAST_RUN)
    change(sa.update(Subscription).values(status="past_due"))
    run(dry_run=True)
    assert facts.get(LAST_RUN) == kept
    run(since=timedelta(days=29))
    assert facts.get(LAST_RUN) == kept
    run(since=timedelta(days=30))
    assert facts.get(LAST_RUN) != kept


def test_a_page_of_slow_repairs_keeps_its_lease(shop: Shop, run: Runs, clock, monkeypatch) -> None:
    for number in range(4):
        shop.pay(shop.start(shop.browser(), f"r{number}@example.com"), email=f"r{number}@example.com")
    real, left = stripe_gateway.StripeGateway.fetch_subscription, []

    def slow(self: Any, subscription_id: str, *rest: Any) -> Any:
        expires = db.session.scalar(sa.select(Lease.expires_at).where(Lease.name == "reconcile"))
        db.session.rollback()
        left.append((expires - clock.now()).total_seconds())
        clock.advance(seconds=70)
        return real(self, subscription_id, *rest)

    monkeypatch.setattr(stripe_gateway.StripeGateway, "fetch_subscription", slow)
    assert run().complete
    assert len(left) >= 4
    assert min(left) >= 90
