"""What next payments hang on is read from the answers of a sync, kept with the subscription, and gone with it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paywall.billing import outlook
from paywall.billing.snapshots import OpenInvoice
from paywall.storage.database import db
from paywall.storage.models import Subscription
from paywall.storage.owed import Owed
from tests.support.life import FAILING_CARD, GOOD_CARD, lived
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

CARD = {"card": {"exp_month": 2, "exp_year": 2028}}
OPEN = {"id": "in_1", "status": "open", "amount_remaining": 10000, "currency": "usd", "attempt_count": 2}


def body(own: object = None, customers: object = None, status: str = "active") -> dict[str, object]:
    settings = {"invoice_settings": {"default_payment_method": customers}}
    return {"status": status, "default_payment_method": own, "customer": {"id": "cus_1", **settings}}


@pytest.mark.parametrize(
    ("told", "day"),
    [
        (body(own=CARD), date(2028, 2, 29)),
        (body(customers=CARD), date(2028, 2, 29)),
        (body(own=CARD, customers={"card": {"exp_month": 1, "exp_year": 2030}}), date(2028, 2, 29)),
        (body(), None),
        (body(own={"sepa_debit": {}}), None),
        (body(own="pm_1"), None),
        (body(own={"card": {"exp_month": None, "exp_year": 2028}}), None),
        ({"status": "active", "customer": {"id": "cus_1", "deleted": True}}, None),
        ({"status": "active", "customer": "cus_1"}, None),
    ],
    ids=["its own", "the customer's", "its own first", "none", "no card", "not opened", "odd", "deleted", "plain"],
)
def test_a_card_is_good_to_the_last_day_of_its_month(told: dict[str, object], day: date | None) -> None:
    assert outlook.card_ends_on(told) == day


@pytest.mark.parametrize(("status", "kept"), [("past_due", True), ("canceled", False), ("incomplete_expired", False)])
def test_of_a_subscription_that_is_over_no_card_is_kept(status: str, *, kept: bool) -> None:
    assert (outlook.kept_card(body(own=CARD, status=status)) is not None) is kept


def test_what_failed_and_can_still_be_paid_is_owed() -> None:
    retried = {**OPEN, "next_payment_attempt": 1_800_000_000}
    others = [{**OPEN, "status": status} for status in ("draft", "paid", "void", "uncollectible")]
    found = outlook.owed([retried, {**OPEN, "attempt_count": 0}, {**OPEN, "attempt_count": None}, *others])
    assert found == (OpenInvoice("in_1", 10000, "usd", 2, datetime.fromtimestamp(1_800_000_000, UTC)),)
    assert outlook.owed([OPEN])[0].next_try_at is None


def card_kept(subscription_id: str) -> date | None:
    row = db.session.get(Subscription, subscription_id, populate_existing=True)
    assert row
    return row.card_ends_on


def use_card_until(shop: Shop, year: int, month: int) -> None:
    """The card gets another last month, as when its owner, or the bank, corrects it."""
    for method in shop.sandbox.sandbox.account.store.find("payment_method"):
        shop.stripe().v1.payment_methods.update(method["id"], {"card": {"exp_month": month, "exp_year": year}})


def test_a_sync_keeps_the_last_day_of_the_card_without_a_request_of_its_own(shop: Shop) -> None:
    bought = shop.buy(shop.browser())
    (method,) = shop.sandbox.sandbox.account.store.find("payment_method")
    kept = card_kept(bought)
    assert kept
    assert (kept.year, kept.month) == (method["card"]["exp_year"], method["card"]["exp_month"])
    assert kept.month != (kept + timedelta(days=1)).month
    assert not any("payment_methods" in request.path for request in shop.sandbox.requests)


@on_sqlite
def test_another_last_day_of_the_card_is_learned_from_its_event(shop: Shop) -> None:
    bought = shop.buy(shop.browser())
    use_card_until(shop, 2033, 5)
    (told,) = shop.sandbox.events("payment_method.updated")[-1:]
    assert shop.deliver(told).status_code == 200
    assert card_kept(bought) == date(2033, 5, 31)
    shop.stripe().v1.subscriptions.cancel(bought)
    shop.deliver_all()
    assert card_kept(bought) is None


def test_a_failed_renewal_is_owed_with_its_tries_until_it_is_paid(tmp_path: Path) -> None:
    with lived("sqlite", tmp_path) as life:
        bought = life.buy(come_back=True)
        life.use_card(FAILING_CARD)
        life.to_renewal()
        life.tell()
        (row,) = db.session.scalars(db.select(Owed)).all()
        assert (row.subscription_id, row.amount, row.currency, row.attempts) == (bought, 10000, "usd", 1)
        assert row.next_try_at
        life.to(row.next_try_at + timedelta(hours=1))
        life.tell()
        (later,) = db.session.scalars(db.select(Owed).execution_options(populate_existing=True)).all()
        assert (later.invoice_id, later.attempts) == (row.invoice_id, 2)
        life.use_card(GOOD_CARD)
        life.pay_what_is_open()
        life.tell()
        assert db.session.scalars(db.select(Owed)).all() == []
