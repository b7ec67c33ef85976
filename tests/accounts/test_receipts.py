"""Receipts on the account page: what was paid, for which days, what was given back; Stripe's page for each click."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from paywall.accounts import receipts
from paywall.billing.stripe_gateway import StripeNotFound, StripeRefused, StripeUnavailable
from paywall.storage.database import db
from paywall.storage.payments import Dispute, Payment, Refund
from tests.support import staff
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

START = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
SINCE = {"currency": "usd", "created_at": START, "synced_at": START}


def payment(**columns: object) -> Payment:
    """A year that was paid at half past eleven in the evening, UTC."""
    values = {"invoice_id": "in_1", "amount": 10825, "tax": 825, "currency": "usd", "paid_at": START}
    period = {"period_start": START, "period_end": START.replace(year=2027)}
    return Payment(subscription_id="sub_1", **{**values, **period, **columns})


def refund(amount: int, status: str = "succeeded", invoice_id: str = "in_1") -> Refund:
    return Refund(id="re_1", invoice_id=invoice_id, amount=amount, status=status, **SINCE)


def dispute(status: str) -> Dispute:
    return Dispute(id="du_1", invoice_id="in_1", amount=10825, status=status, reason="general", **SINCE)


@pytest.mark.parametrize(
    ("zone", "paid_on", "period"),
    [
        ("UTC", "22 November 2026", "22 November 2026 to 22 November 2027"),
        ("Pacific/Pago_Pago", "22 November 2026", "22 November 2026 to 22 November 2027"),
        ("Pacific/Kiritimati", "23 November 2026", "23 November 2026 to 23 November 2027"),
    ],
)
def test_days_are_those_of_the_newsroom(zone: str, paid_on: str, period: str) -> None:
    told = receipts.describe(payment(), [], [], ZoneInfo(zone))
    assert (told.paid_on, told.period) == (paid_on, period)


def test_a_period_that_begins_at_midnight_ends_on_the_day_before() -> None:
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    year = payment(period_start=midnight, period_end=midnight.replace(year=2027))
    assert receipts.describe(year, [], [], ZoneInfo("UTC")).period == "22 November 2026 to 21 November 2027"


def test_amount_and_tax_are_told_in_the_currency_that_was_paid() -> None:
    told = receipts.describe(payment(), [], [], ZoneInfo("UTC"))
    assert (told.amount, told.tax) == ("$108.25", "$8.25")
    free = receipts.describe(payment(amount=0, tax=0, currency="chf"), [], [], ZoneInfo("UTC"))
    assert (free.amount, free.tax, free.marks) == ("0 CHF", None, ())


@pytest.mark.parametrize(
    ("refunds", "disputes", "marks"),
    [
        ([], [], ()),
        ([refund(10825)], [], ("refunded",)),
        ([refund(2500)], [], ("$25 refunded",)),
        ([refund(2500), refund(2500)], [], ("$50 refunded",)),
        ([refund(10825, "pending")], [], ("on its way back to you",)),
        ([refund(10825, "failed")], [], ()),
        ([refund(10825, "canceled")], [], ()),
        ([refund(10825, invoice_id="in_2")], [], ()),
        ([], [dispute("needs_response")], ("your bank is looking into it",)),
        ([], [dispute("warning_needs_response")], ()),
        ([], [dispute("won")], ()),
        ([refund(2500)], [dispute("lost")], ("$25 refunded", "taken back by your bank")),
    ],
)
def test_what_became_of_a_payment_stands_beside_it(refunds, disputes, marks) -> None:
    assert receipts.describe(payment(), refunds, disputes, ZoneInfo("UTC")).marks == marks


@pytest.fixture
def buyer(shop: Shop) -> FlaskClient:
    """A browser that has paid."""
    client = shop.browser()
    shop.buy(client)
    return client


def rows(page: str) -> list[str]:
    """The table's rows, each in one line."""
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found][1:]


def links(page: str) -> list[str]:
    return re.findall(r'href="(/account/receipts/[^"]+)"', page)


def test_the_page_lists_what_was_paid_and_given_back(shop: Shop, buyer: FlaskClient) -> None:
    (before,) = rows(buyer.get("/account").text)
    assert re.fullmatch(r"\d+ \w+ \d{4} \$100 \d+ \w+ \d{4} to \d+ \w+ \d{4} Open", before)
    subscription_id = db.session.scalars(db.select(Payment.subscription_id)).one()
    staff.refund(shop, subscription_id, 2500)
    shop.deliver_all()
    assert "$100 ($25 refunded)" in rows(buyer.get("/account").text)[0]


@on_sqlite
def test_the_newest_comes_first(shop: Shop, buyer: FlaskClient) -> None:
    (only,) = db.session.scalars(db.select(Payment)).all()
    values = {column.name: getattr(only, column.name) for column in Payment.__table__.columns}
    year = timedelta(days=365)
    shifted = {name: values[name] - year for name in ("paid_at", "period_start", "period_end")}
    db.session.add(Payment(**{**values, **shifted, "invoice_id": "in_before"}))
    db.session.commit()
    assert links(buyer.get("/account").text) == [f"/account/receipts/{one}" for one in (only.invoice_id, "in_before")]


@on_sqlite
def test_who_never_paid_sees_no_table(shop: Shop) -> None:
    client = shop.browser()
    shop.buy(client)
    db.session.execute(db.delete(Payment))
    db.session.commit()
    assert "Receipts" not in client.get("/account").text


def test_a_click_leads_to_the_receipt_at_stripe_which_nobody_keeps(shop: Shop, buyer: FlaskClient) -> None:
    (link,) = links(buyer.get("/account").text)
    answer = buyer.get(link)
    assert answer.status_code == 303
    where = urlsplit(answer.headers["Location"])
    assert where.path == f"/invoice/{link.rpartition('/')[2]}"
    kept = [
        str(value)
        for table in db.metadata.sorted_tables
        for row in db.session.execute(db.select(table))
        for value in row
    ]
    assert not any("/invoice/" in value for value in kept)


def test_nobody_elses_receipt_can_be_opened(shop: Shop, buyer: FlaskClient) -> None:
    """Stripe is not even asked."""
    (link,) = links(buyer.get("/account").text)
    other = shop.browser()
    shop.buy(other, "bob@example.com")
    asked = len(shop.sandbox.requests)
    for path in (link, "/account/receipts/in_0", "/account/receipts/..%2Fcustomers"):
        answer = other.get(path)
        assert answer.status_code == 404
    assert len(shop.sandbox.requests) == asked
    assert shop.browser().get(link).headers["Location"].startswith("/sign-in?return_to=/account/receipts/")


@on_sqlite
@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (StripeUnavailable(), 503, "does not answer right now"),
        (StripeRefused("api_key_expired"), 502, "refused the request"),
        (StripeNotFound(), 404, "no such receipt"),
    ],
)
def test_what_stripe_cannot_show_is_said_on_the_page(
    shop: Shop, buyer: FlaskClient, monkeypatch, fault, status: int, words: str
) -> None:
    (link,) = links(buyer.get("/account").text)

    def ask(*_args: object, **_ids: object) -> None:
        raise fault

    monkeypatch.setattr(type(shop.parts.gateway), "ask", ask)
    answer = buyer.get(link)
    assert answer.status_code == status
    assert words in answer.text
    assert "Receipts" in answer.text, "the rest of the page is there"
    assert ("Retry-After" in answer.headers) is (status == 503)
    document = buyer.get(link, headers={"Accept": "application/json"})
    assert (document.status_code, document.content_type) == (status, "application/problem+json")
