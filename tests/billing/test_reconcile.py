"""The reconciliation: each way in which our rows can differ from Stripe is found, told with its evidence, repaired."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from paywall.billing import stripe_gateway
from paywall.billing.comparing import Difference
from paywall.billing.errors import StripeUnavailable
from paywall.billing.listing import Lists
from paywall.billing.pacing import Pace
from paywall.billing.reconcile import LAST_RUN, AnotherRun, Summary
from paywall.reconciling import reconciler
from paywall.sandbox.billing.disputing import open_dispute, settle
from paywall.sandbox.billing.refunding import refund
from paywall.storage import facts
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, InboxEvent, Lease, LedgerEntry, Reader, Subscription
from paywall.storage.payments import Dispute, InvoicePayment, Payment, Refund
from tests.support import books
from tests.support.shop import Shop

MONTH = timedelta(days=30)


class Runs:
    """Runs the reconciliation of a shop without waiting, and keeps what it tells."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.found: list[Difference] = []
        self.steps: list[int] = []
        self.slept: list[float] = []

    def __call__(self, *, since: timedelta = MONTH, dry_run: bool = False, inbox: bool = True) -> Summary:
        self.found, self.steps = [], []
        db.session.commit()
        ours = reconciler(self.shop.parts)
        made = replace(ours, inbox=ours.inbox if inbox else None, pace=Pace(self.slept.append, lambda: 0.0, 10**9))
        try:
            return made.run(since, dry_run, self.found.append, self.steps.append)
        finally:
            db.session.expire_all()

    @property
    def told(self) -> set[tuple[str, str, str]]:
        """Kind, thing and outcome of each difference."""
        return {(one.kind, one.thing, one.outcome) for one in self.found}

    def one(self, thing: str) -> Difference:
        """The one difference of this thing."""
        (found,) = [one for one in self.found if one.thing == thing]
        return found


@pytest.fixture
def run(shop: Shop) -> Runs:
    return Runs(shop)


@pytest.fixture
def sold(shop: Shop) -> str:
    """A subscription that was paid and of which every event was handled."""
    subscription_id = shop.buy(shop.browser())
    assert set(shop.deliver_all()) == {200}
    return subscription_id


def change(statement: Any) -> None:
    """Alters rows behind the service's back."""
    db.session.execute(statement)
    db.session.commit()


def rows(table: Any) -> list[dict[str, Any]]:
    """All rows of a table but their times of syncing and deciding, in one order."""
    db.session.expire_all()
    found = db.session.execute(sa.select(*table.__table__.columns)).mappings()
    kept = [{name: value for name, value in row.items() if name not in ("synced_at", "decided_at")} for row in found]
    return sorted(kept, key=str)


def state_of_all() -> list[Any]:
    return [rows(table) for table in (Subscription, Payment, InvoicePayment, Refund, Dispute, Entitlement)]


def charge_of(shop: Shop) -> str:
    (charge,) = shop.sandbox.sandbox.account.store.find("charge")
    return str(charge["id"])


def test_nothing_differs_after_every_event_was_handled(shop: Shop, sold: str, run: Runs) -> None:
    before = state_of_all()
    done = run()
    assert run.found == []
    assert (done.good, done.complete, done.counts.subscriptions, done.counts.foreign) == (True, True, 1, 0)
    assert state_of_all() == before


def test_a_subscription_that_we_never_heard_of_is_found_and_stored(shop: Shop, run: Runs) -> None:
    """Every event was lost and the reader never came back: the run alone brings the access."""
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    done = run()
    assert ("missing", "subscription", "repaired") in run.told
    assert "access: none -> active (paid) until" in run.one("subscription").note
    assert done.good
    assert books.faults(shop) == []
    entry = db.session.scalar(sa.select(LedgerEntry))
    assert (entry.cause, entry.cause_id) == ("reconcile", done.run)
    assert run().good
    assert run.found == []


def test_a_dry_run_tells_the_same_and_changes_nothing(shop: Shop, run: Runs) -> None:
    shop.pay(shop.start(shop.browser()))
    done = run(dry_run=True)
    assert run.told == {("missing", "subscription", "found")}
    assert (done.dry_run, done.good, done.counts.missing, done.counts.repaired) == (True, False, 1, 0)
    assert rows(Subscription) == rows(InboxEvent) == rows(Entitlement) == []


ALTERED = [
    ({"status": "past_due"}, "status"),
    ({"customer_id": "cus_other"}, "customer_id"),
    ({"price_id": "price_other"}, "price_id"),
    ({"amount": 1}, "amount"),
    ({"currency": "eur"}, "currency"),
    ({"cancels_at_period_end": True}, "cancels_at_period_end"),
    ({"current_period_end": None}, "current_period_end"),
    ({"cancel_at": Subscription.created_at}, "cancel_at"),
    ({"ended_at": Subscription.created_at}, "ended_at"),
]


@pytest.mark.parametrize(("values", "name"), ALTERED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_row_that_differs_is_told_with_both_values_and_mended(
    shop: Shop, sold: str, run: Runs, values: dict[str, Any], name: str
) -> None:
    before = state_of_all()
    change(sa.update(Subscription).values(**values))
    here = getattr(db.session.get(Subscription, sold), name)
    assert run().good
    assert run.told == {("different", "subscription", "repaired")}
    there = next(row[name] for row in before[0])
    assert run.one("subscription").values == {name: (here, there)}
    assert state_of_all() == before


def test_a_time_of_creation_that_differs_is_found_though_the_row_is_looked_for_elsewhere(
    shop: Shop, sold: str, run: Runs, clock
) -> None:
    before = state_of_all()
    change(sa.update(Subscription).values(created_at=clock.now() - timedelta(days=900)))
    assert run().good
    assert {one.values["created_at"][0] for one in run.found} == {clock.now() - timedelta(days=900)}
    assert state_of_all() == before


@pytest.mark.parametrize("values", [{"amount": 1}, {"tax": 7}, {"currency": "eur"}], ids=str)
def test_a_payment_that_differs_is_mended(shop: Shop, sold: str, run: Runs, values: dict[str, Any]) -> None:
    before = state_of_all()
    change(sa.update(Payment).values(**values))
    assert run().good
    assert ("different", "payment", "repaired") in run.told
    assert state_of_all() == before


def test_a_payment_that_is_missing_is_stored(shop: Shop, sold: str, run: Runs) -> None:
    before = state_of_all()
    change(sa.delete(InvoicePayment))
    change(sa.delete(Payment))
    assert run().good
    assert run.told == {("missing", "payment", "repaired")}
    assert run.one("payment").values["amount"] == (None, 10000)
    assert state_of_all() == before


def test_what_paid_an_invoice_is_compared_too(shop: Shop, sold: str, run: Runs) -> None:
    before = state_of_all()
    change(sa.update(InvoicePayment).values(amount=5))
    assert run().good
    (name,) = run.one("payment").values
    assert name.startswith("paid by pi_")
    assert state_of_all() == before


def test_a_payment_that_stripe_does_not_have_goes_away(shop: Shop, sold: str, run: Runs) -> None:
    before = state_of_all()
    (paid,) = rows(Payment)
    later = {"invoice_id": "in_made_up", "period_end": paid["period_end"] + timedelta(days=365)}
    change(sa.insert(Payment).values(**{**paid, **later}))
    assert run().good
    assert run.told == {("extra", "payment", "repaired")}
    assert state_of_all() == before


WRONG_ACCESS = [
    ({"until": Entitlement.created_at}, "until"),
    ({"hold": "disputed"}, "hold"),
    ({"lapse": "refunded"}, "lapse"),
    ({"renews": False}, "renews"),
    ({"in_dunning": True}, "in_dunning"),
    ({"starts_at": None}, "starts_at"),
]


@pytest.mark.parametrize(("values", "name"), WRONG_ACCESS, ids=lambda value: value if isinstance(value, str) else "")
def test_access_that_does_not_follow_from_stripes_facts_is_mended(
    shop: Shop, sold: str, run: Runs, values: dict[str, Any], name: str
) -> None:
    before = rows(Entitlement)
    change(sa.update(Entitlement).values(**values))
    assert run().good
    assert run.told == {("different", "entitlement", "repaired")}
    assert list(run.one("entitlement").values) == [name]
    assert rows(Entitlement) == before


def test_access_that_is_missing_is_given(shop: Shop, sold: str, run: Runs) -> None:
    change(sa.delete(LedgerEntry))
    change(sa.delete(Entitlement))
    assert run().good
    assert run.told == {("missing", "entitlement", "repaired")}
    assert [row["state"] for row in rows(Entitlement)] == ["active"]


def test_a_subscription_that_stripe_does_not_know_is_told_and_left_alone(shop: Shop, sold: str, run: Runs) -> None:
    """A wrong key must not take away everybody's access."""
    shop.sandbox.sandbox.account.store.remove(sold)
    before = state_of_all()
    done = run()
    assert run.told == {("extra", "subscription", "failed")}
    assert "PAYWALL_STRIPE__API_KEY" in run.one("subscription").note
    assert (done.complete, done.good, done.counts.extra) == (True, False, 1)
    assert state_of_all() == before


def test_a_subscription_that_stripe_does_not_list_is_asked_for_by_itself(
    shop: Shop, sold: str, run: Runs, monkeypatch
) -> None:
    """Stripe lists none that lives on a test clock."""
    monkeypatch.setattr(Lists, "subscriptions", lambda self: iter([()]))
    assert run().good
    assert run.found == []
    shop.stripe().v1.subscriptions.update(sold, {"cancel_at_period_end": True})
    assert run().good
    assert run.one("subscription").values["cancels_at_period_end"] == (False, True)


def test_a_cancellation_whose_event_was_lost_ends_the_access(shop: Shop, sold: str, run: Runs) -> None:
    shop.stripe().v1.subscriptions.cancel(sold)
    assert run().good
    assert ("different", "subscription", "repaired") in run.told
    assert run.one("subscription").values["status"] == ("active", "canceled")
    assert [row["state"] for row in rows(Entitlement)] == ["active"]  # to the end of the day
    assert [row["lapse"] for row in rows(Entitlement)] == ["canceled"]
    assert run().counts.differences == 0


def test_a_refund_whose_events_were_lost_ends_the_access(shop: Shop, sold: str, run: Runs) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop))
    assert run().good
    assert ("missing", "event", "repaired") in run.told
    assert [row["status"] for row in rows(Refund)] == ["succeeded"]
    assert [(row["state"], row["reason"]) for row in rows(Entitlement)] == [("ended", "refunded")]
    assert shop.stripe().v1.subscriptions.retrieve(sold).status == "canceled"
    assert run().good
    told = [one.values["type"][1] for one in run.found]
    assert told == ["customer.subscription.deleted"], "what the repair itself caused, not delivered yet"
    assert run().counts.differences == 0


def test_a_refund_without_a_row_is_found_though_its_events_were_handled(shop: Shop, sold: str, run: Runs) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop), 2500)
    shop.deliver_all()
    before = state_of_all()
    change(sa.delete(Refund))
    assert run().good
    assert run.told == {("missing", "refund", "repaired")}
    assert run.one("refund").values["amount"] == (None, 2500)
    assert state_of_all() == before


@pytest.mark.parametrize("values", [{"status": "failed"}, {"amount": 1}, {"currency": "eur"}], ids=str)
def test_a_refund_that_differs_is_mended(shop: Shop, sold: str, run: Runs, values: dict[str, Any]) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop), 2500)
    shop.deliver_all()
    before = state_of_all()
    change(sa.update(Refund).values(**values))
    assert run().good
    assert run.told == {("different", "refund", "repaired")}
    assert state_of_all() == before


def test_a_refund_that_stripe_does_not_have_goes_away(shop: Shop, sold: str, run: Runs) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop), 2500)
    shop.deliver_all()
    before = state_of_all()
    (known,) = rows(Refund)
    change(sa.insert(Refund).values(**{**known, "id": "re_made_up", "synced_at": known["created_at"], "amount": 1}))
    assert run().good
    assert run.told == {("extra", "refund", "repaired")}
    assert state_of_all() == before


def test_a_refund_that_failed_at_once_needs_no_row(shop: Shop, sold: str, run: Runs) -> None:
    """Its charge shows nothing given back, so no sync asks for it."""
    refund(shop.sandbox.sandbox.account, charge_of(shop), outcome="failed")
    shop.deliver_all()
    assert run().good
    assert run.found == []


def test_a_dispute_whose_events_were_lost_holds_the_access_until_it_is_won(shop: Shop, sold: str, run: Runs) -> None:
    account = shop.sandbox.sandbox.account
    dispute = open_dispute(account, charge_of(shop))
    assert run().good
    assert [(row["state"], row["reason"]) for row in rows(Entitlement)] == [("suspended", "disputed")]
    settle(account, dispute["id"], "won")
    assert run().good
    assert [row["state"] for row in rows(Entitlement)] == ["active"]
    assert [row["status"] for row in rows(Dispute)] == ["won"]
    assert run().counts.differences == 0


def test_a_dispute_without_a_row_is_found_though_its_events_were_handled(shop: Shop, sold: str, run: Runs) -> None:
    open_dispute(shop.sandbox.sandbox.account, charge_of(shop), "warning_needs_response")
    shop.deliver_all()
    before = state_of_all()
    change(sa.delete(Dispute))
    assert run().good
    assert run.told == {("missing", "dispute", "repaired")}
    assert state_of_all() == before


def test_lost_events_are_stored_and_handled_by_their_own_way(shop: Shop, sold: str, run: Runs) -> None:
    """An expired checkout changes no subscription: only its event tells that it can be replaced."""
    session_id = shop.start(shop.browser(), "grace@example.com")
    shop.stripe().v1.checkout.sessions.expire(session_id)
    change(sa.delete(InboxEvent))
    assert run().good
    assert run.told == {("missing", "event", "repaired")}
    assert db.session.scalar(sa.select(Checkout.state).where(Checkout.session_id == session_id)) == "expired"
    assert {row["state"] for row in rows(InboxEvent)} <= {"handled", "ignored"}
    assert run().counts.differences == 0


def test_an_event_that_cannot_be_handled_is_told_as_failed_and_stays_in_the_inbox(
    shop: Shop, sold: str, run: Runs, monkeypatch
) -> None:
    change(sa.delete(InboxEvent).where(InboxEvent.type == "invoice.paid"))

    def away(self: Any, *_: Any) -> None:
        raise StripeUnavailable

    monkeypatch.setattr(stripe_gateway.StripeGateway, "fetch_subscription", away)
    done = run()
    assert run.told == {("missing", "event", "failed")}
    assert (done.complete, done.good) == (True, False)
    assert [row["state"] for row in rows(InboxEvent) if row["type"] == "invoice.paid"] == ["parked"]


def test_other_products_are_left_alone_and_counted(shop: Shop, sold: str, run: Runs) -> None:
    foreign_subscription(shop)
    done = run()
    assert run.found == []
    assert (done.counts.subscriptions, done.counts.foreign, done.good) == (2, 1, True)
    assert done.counts.foreign_events > 0
    assert len(rows(Subscription)) == 1


def foreign_subscription(shop: Shop) -> str:
    stripe = shop.stripe().v1
    product = stripe.products.create({"name": "Mugs"})
    price = stripe.prices.create(
        {"product": product.id, "unit_amount": 900, "currency": "usd", "recurring": {"interval": "month"}}
    )
    card = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    customer = stripe.customers.create(card)
    return stripe.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]}).id


def test_somebody_who_paid_and_is_nobody_here_is_told_on_every_run(shop: Shop, sold: str, run: Runs) -> None:
    forget_everything()
    done = run()
    assert ("missing", "subscription", "failed") in run.told
    assert "belongs to no known reader" in run.one("subscription").note
    assert not done.good


def test_what_is_over_and_of_nobody_here_is_no_difference(shop: Shop, sold: str, run: Runs) -> None:
    """An erased reader leaves a canceled subscription at Stripe for ever."""
    shop.stripe().v1.subscriptions.cancel(sold)
    forget_everything()
    done = run()
    assert run.found == []
    assert (done.good, done.counts.unclaimed) == (True, 1)


def forget_everything() -> None:
    for table in (LedgerEntry, Entitlement, InvoicePayment, Payment, InboxEvent, Checkout, Subscription):
        change(sa.delete(table))
    db.session.execute(sa.text("DELETE FROM reader_sessions"))
    db.session.execute(sa.text("DELETE FROM letters"))
    change(sa.delete(Reader))


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


def test_without_an_inbox_the_lists_of_money_are_asked_all_the_same(shop: Shop, sold: str, run: Runs) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop))
    assert run(inbox=False).good
    assert run.told == {("missing", "refund", "repaired")}
    assert [row["state"] for row in rows(Entitlement)] == ["ended"]


def test_beyond_the_events_that_stripe_keeps_the_lists_of_money_are_asked(
    shop: Shop, sold: str, run: Runs, clock
) -> None:
    refund(shop.sandbox.sandbox.account, charge_of(shop), 100)
    shop.deliver_all()
    change(sa.delete(Refund))
    clock.advance(days=60)
    account = shop.sandbox.sandbox.account
    account.store.rows("DELETE FROM objects WHERE kind = 'event'")
    assert run(since=timedelta(days=20)).good
    assert not any(one.thing == "refund" for one in run.found)
    assert run(since=timedelta(days=90)).good
    assert any(one.thing == "refund" for one in run.found)


def test_a_full_refund_that_stripe_was_not_told_to_end_is_ended(shop: Shop, sold: str, run: Runs, monkeypatch) -> None:
    """The sync that saw the refund met a Stripe that was away when it wanted to cancel."""
    refund(shop.sandbox.sandbox.account, charge_of(shop))

    def away(self: Any, *_: Any) -> None:
        raise StripeUnavailable

    monkeypatch.setattr(stripe_gateway.StripeGateway, "cancel_subscription", away)
    shop.deliver_all()
    monkeypatch.undo()
    assert [row["state"] for row in rows(Entitlement)] == ["ended"]
    change(sa.update(InboxEvent).values(state="handled"))
    assert run().good
    assert ("different", "subscription", "repaired") in run.told
    assert shop.stripe().v1.subscriptions.retrieve(sold).status == "canceled"


def test_an_event_in_a_shape_that_is_not_understood_is_counted_and_passed_over(
    shop: Shop, sold: str, run: Runs
) -> None:
    store = shop.sandbox.sandbox.account.store
    event = store.find("event")[0]
    store.put(event | {"data": {}, "type": "invoice.paid"})
    done = run()
    assert (done.complete, done.counts.unread) == (True, 1)


def test_the_events_of_a_run_are_seen_as_they_are(shop: Shop, sold: str, run: Runs) -> None:
    """The inbox is asked by the events' ids: each lost one is told once, with what it names."""
    change(sa.delete(InboxEvent).where(InboxEvent.type == "customer.subscription.created"))
    assert run().good
    lost = run.one("event")
    assert lost.values["type"] == (None, "customer.subscription.created")
    assert sold in lost.values["names"][1]
