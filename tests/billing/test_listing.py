"""Stripe's lists as snapshots: pages in order, parameters that Stripe knows, shapes that are not understood."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from paywall.billing import listing
from paywall.billing.errors import StripeNotFound, StripeUnavailable
from paywall.billing.listing import Lists
from paywall.billing.pacing import Pace
from paywall.billing.stripe_gateway import StripeGateway
from paywall.sandbox.billing.refunding import refund
from tests.support.many import Copier
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

pytestmark = on_sqlite  # what it asks of the database, the tests of storage and of the sync ask of both

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def lists(shop: Shop) -> Lists:
    products = frozenset(plan.product for plan in shop.parts.settings.plans.values())
    return Lists(shop.parts.gateway, products, Pace(lambda _seconds: None))


@pytest.fixture
def sold(shop: Shop) -> str:
    subscription_id = shop.buy(shop.browser())
    shop.deliver_all()
    return subscription_id


def asked(shop: Shop, path: str) -> list[dict[str, str]]:
    return [dict(parse_qsl(one.text)) for one in shop.sandbox.requests if one.path == path and one.method == "GET"]


def test_a_listed_subscription_carries_its_latest_invoice_and_what_paid_it(shop: Shop, sold: str, lists: Lists) -> None:
    ((one,),) = list(lists.subscriptions())
    (invoice,) = one.snapshot.invoices
    assert (one.snapshot.id, one.latest_invoice_id) == (sold, invoice.id)
    assert [payment.amount for payment in invoice.payments] == [10000]
    assert invoice.payments[0].intent_id.startswith("pi_")
    assert one == lists.subscription(sold)


def test_all_statuses_are_asked_for_a_hundred_at_a_time(shop: Shop, sold: str, lists: Lists) -> None:
    list(lists.subscriptions())
    (sent,) = [params for params in asked(shop, "/v1/subscriptions") if "status" in params]
    assert sent == {"status": "all", "limit": "100", "expand[0]": "data.latest_invoice.payments"}


def test_pages_follow_each_other_without_gap_or_double(shop: Shop, sold: str, lists: Lists, monkeypatch) -> None:
    Copier(shop.sandbox.sandbox.account.store).copy(24)
    monkeypatch.setattr(listing, "PAGE", 10)
    pages = list(lists.subscriptions())
    assert [len(page) for page in pages] == [10, 10, 5]
    ids = [one.snapshot.id for page in pages for one in page]
    assert len(set(ids)) == 25
    created = [one.snapshot.created_at for page in pages for one in page]
    assert created == sorted(created, reverse=True)


def test_a_page_that_meets_an_outage_is_asked_again_and_nothing_before_it(
    shop: Shop, sold: str, lists: Lists, monkeypatch
) -> None:
    Copier(shop.sandbox.sandbox.account.store).copy(24)
    monkeypatch.setattr(listing, "PAGE", 10)
    real, calls = StripeGateway.ask, []

    def ask(self: StripeGateway, operation: str, call: Callable[..., object], **ids: str) -> object:
        calls.append(operation)
        if len(calls) == 2:
            raise StripeUnavailable
        return real(self, operation, call, **ids)

    monkeypatch.setattr(StripeGateway, "ask", ask)
    assert sum(len(page) for page in lists.subscriptions()) == 25
    assert calls == ["subscriptions.list"] * 4


def test_types_of_events_are_asked_for_twenty_at_a_time(shop: Shop, sold: str, lists: Lists) -> None:
    types = [f"made.up.{n}" for n in range(40)] + ["invoice.paid"]
    events = [one for page in lists.events(LONG_AGO, types) for one in page]
    assert [one.type for one in events] == ["invoice.paid"]
    assert events[0].objects["subscription"] == sold
    sent = asked(shop, "/v1/events")
    assert [sum(name.startswith("types[") for name in params) for params in sent] == [20, 20, 1]
    assert {params["created[gte]"] for params in sent} == {str(int(LONG_AGO.timestamp()))}


def test_invoices_of_no_subscription_are_passed_over(shop: Shop, sold: str, lists: Lists) -> None:
    store = shop.sandbox.sandbox.account.store
    (bill,) = store.find("invoice")
    store.add(bill | {"id": "in_other", "parent": None, "lines": {"object": "list", "data": []}})
    ((other, ours),) = list(lists.invoices(LONG_AGO))
    assert other is None
    assert (ours.subscription_id, ours.paid.amount) == (sold, 10000)


def test_an_invoice_that_is_not_paid_has_no_payment(shop: Shop, sold: str, lists: Lists) -> None:
    store = shop.sandbox.sandbox.account.store
    store.put(store.find("invoice")[0] | {"status": "open"})
    ((one,),) = list(lists.invoices(LONG_AGO))
    assert (one.subscription_id, one.paid) == (sold, None)


def test_refunds_name_what_they_are_about(shop: Shop, sold: str, lists: Lists, clock) -> None:
    account = shop.sandbox.sandbox.account
    (charge,) = account.store.find("charge")
    made = refund(account, charge["id"], 2500)
    ((one,),) = list(lists.cases("refund", clock.now() - timedelta(days=1)))
    assert (one.id, one.amount, one.currency, one.status) == (made["id"], 2500, "usd", "succeeded")
    assert one.paid_by == (charge["payment_intent"], charge["id"])
    assert list(lists.cases("refund", clock.now() + timedelta(days=1))) == [()]
    assert list(lists.cases("dispute", LONG_AGO)) == [()]
    assert lists.case("refund", made["id"]) == one
    with pytest.raises(StripeNotFound):
        lists.case("refund", "re_unknown")


def test_one_subscription_that_stripe_does_not_know_is_said(lists: Lists) -> None:
    with pytest.raises(StripeNotFound):
        lists.subscription("sub_unknown")


@pytest.mark.parametrize("wrong", [{"items": {"data": []}}, {"items": None}, {"created": "x"}], ids=str)
def test_a_subscription_in_a_shape_that_is_not_understood_stops_nobody(
    shop: Shop, sold: str, lists: Lists, wrong: dict[str, object], monkeypatch
) -> None:
    body = shop.sandbox.sandbox.account.store.get("subscription", sold)
    monkeypatch.setattr(StripeGateway, "ask", lambda self, operation, call: {"data": [body | wrong], "has_more": False})
    assert list(lists.subscriptions()) == [(None,)]
    assert lists.unread == 1


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("invoice", {"currency": ...}),
        ("refund", {"created": "x"}),
        ("refund", {"currency": ...}),
    ],
    ids=str,
)
def test_money_in_a_shape_that_is_not_understood_stops_nobody_and_is_counted(
    shop: Shop, sold: str, lists: Lists, kind: str, wrong: dict[str, object], monkeypatch
) -> None:
    store = shop.sandbox.sandbox.account.store
    refund(shop.sandbox.sandbox.account, store.find("charge")[0]["id"], 100)
    body = store.find(kind)[0]
    odd = {name: value for name, value in (body | wrong).items() if value is not ...}
    answer = {"data": [odd, body], "has_more": False}
    monkeypatch.setattr(StripeGateway, "ask", lambda self, operation, call: answer)
    ((first, second),) = list(lists.invoices(LONG_AGO) if kind == "invoice" else lists.cases(kind, LONG_AGO))
    assert first is None
    assert second.id == body["id"]
    assert lists.unread == 1
