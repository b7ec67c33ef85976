"""The first pass: each way in which our rows and the access can differ from Stripe is found and mended."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from paywall.billing import stripe_gateway
from paywall.billing.errors import StripeRefused, StripeUnavailable
from paywall.billing.listing import Lists
from paywall.sandbox.billing.refunding import refund
from paywall.storage.database import db
from paywall.storage.models import Entitlement, InboxEvent, LedgerEntry, Subscription
from paywall.storage.payments import InvoicePayment, Payment
from tests.support import books
from tests.support.marks import on_sqlite
from tests.support.runs import Runs, change, charge_of, forget_everything, rows, state_of_all
from tests.support.shop import Shop

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_a_row_that_differs_is_told_with_both_values_and_mended",
        "test_access_that_does_not_follow_from_stripes_facts_is_mended",
        "test_a_payment_that_stripe_does_not_have_goes_away",
    }
)


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


ALTERED = [
    ({"plan": "other"}, "plan"),
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


@on_sqlite
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


@on_sqlite
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
    ({"plan": "other"}, "plan"),
    ({"until": Entitlement.created_at}, "until"),
    ({"hold": "disputed"}, "hold"),
    ({"lapse": "refunded"}, "lapse"),
    ({"renews": False}, "renews"),
    ({"in_dunning": True}, "in_dunning"),
    ({"starts_at": None}, "starts_at"),
]


@on_sqlite
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


def test_one_that_cannot_be_read_whole_keeps_no_other_from_being_mended(shop: Shop, run: Runs, monkeypatch) -> None:
    """An older invoice in a strange shape shows only when all of them are asked for."""
    first, second = shop.buy(shop.browser()), shop.buy(shop.browser(), "bob@example.com")
    shop.deliver_all()
    change(sa.update(Subscription).values(status="past_due"))
    real = stripe_gateway.StripeGateway.fetch_subscription

    def fetch(self: Any, subscription_id: str, *rest: Any) -> Any:
        if subscription_id == first:
            raise KeyError("period")
        return real(self, subscription_id, *rest)

    monkeypatch.setattr(stripe_gateway.StripeGateway, "fetch_subscription", fetch)
    with capture_logs() as lines:
        done = run()
    assert {(one.id, one.outcome) for one in run.found} == {(first, "failed"), (second, "repaired")}
    assert (done.complete, done.good) == (True, False)
    (line,) = [line for line in lines if line["event"] == "reconcile_repair_failed"]
    assert (line["subscription"], line["kind"], line["exc_info"]) == (first, "KeyError", True)
    (note,) = [one.note for one in run.found if one.id == first]
    assert "unexpected error (KeyError); the log says where" in note


def test_one_whose_access_cannot_be_judged_is_told_and_the_run_goes_on(shop: Shop, run: Runs, monkeypatch) -> None:
    first, second = shop.buy(shop.browser()), shop.buy(shop.browser(), "bob@example.com")
    shop.deliver_all()
    change(sa.update(Entitlement).values(renews=False))
    real = stripe_gateway.StripeGateway.fetch_subscription

    def fetch(self: Any, subscription_id: str, *rest: Any) -> Any:
        if subscription_id == first:
            raise StripeRefused("resource_missing")
        return real(self, subscription_id, *rest)

    monkeypatch.setattr(stripe_gateway.StripeGateway, "fetch_subscription", fetch)
    assert run().complete
    (told,) = [one for one in run.found if one.subscription_id == first]
    assert (told.thing, told.outcome) == ("subscription", "failed")
    assert told.note.startswith("It could not be compared: The payment service refused the request.")
    assert {(one.thing, one.outcome) for one in run.found if one.subscription_id == second} == {
        ("entitlement", "repaired")
    }


def test_what_stripe_does_not_know_any_more_is_no_difference_once_its_access_has_ended(
    shop: Shop, sold: str, run: Runs, clock
) -> None:
    shop.sandbox.sandbox.account.store.remove(sold)
    assert run().counts.extra == 1
    clock.advance(days=400)
    done = run()
    assert (done.good, done.counts.gone, run.found) == (True, 1, [])
