"""Each event leads to its subscription and to what Stripe says of it now, in every shape that the event may have."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from paywall.storage import payments
from paywall.storage.database import db
from paywall.storage.models import Checkout, Entitlement, InboxEvent, LedgerEntry, Reader, Subscription
from paywall.storage.payments import InvoicePayment, Payment
from paywall.webhooks.handlers import ROUTES
from tests.support import staff
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_money_leads_to_its_subscription",
        "test_a_subscription_of_nobody_we_know_is_parked_until_the_reader_exists",
        "test_a_deleted_customer_ends_all_that_it_had_and_the_reader_buys_again",
    }
)

# what a paywall must hear of, as gathered from Stripe's documents
EXPECTED = {
    "checkout.session": "completed async_payment_succeeded async_payment_failed expired",
    "customer.subscription": (
        "created updated deleted paused resumed pending_update_applied pending_update_expired trial_will_end"
    ),
    "invoice": (
        "paid payment_succeeded payment_failed payment_action_required finalization_failed marked_uncollectible "
        "voided overdue"
    ),
    "invoice_payment": "paid",
    "charge": "refunded refund.updated",
    "refund": "created updated failed",
    "charge.dispute": "created updated closed funds_withdrawn funds_reinstated",
    "radar.early_fraud_warning": "created",
    "customer": "deleted updated",
    "payment_method": "automatically_updated updated",
    "entitlements.active_entitlement_summary": "updated",
    "credit_note": "created voided",
}


def event(kind: str, thing: dict[str, object], number: int = 1) -> dict[str, object]:
    return {
        "id": f"evt_made_{number}",
        "object": "event",
        "type": kind,
        "api_version": "2026-10-28.endive",
        "created": 1795340000,
        "livemode": False,
        "data": {"object": thing},
    }


def inbox(event_id: str = "evt_made_1") -> tuple[str, str | None]:
    row = db.session.get(InboxEvent, event_id, populate_existing=True)
    return row.state, row.outcome


def entitlement() -> Entitlement:
    return db.session.scalars(db.select(Entitlement).execution_options(populate_existing=True)).one()


def forget_the_way() -> None:
    """As if the events that tell what paid an invoice had been lost."""
    for model in (InvoicePayment, Payment):
        db.session.execute(db.delete(model))
    db.session.commit()


@pytest.fixture
def bought(shop: Shop) -> str:
    return shop.buy(shop.browser())


def test_every_event_of_a_subscriptions_life_is_listened_to_and_says_why() -> None:
    assert set(ROUTES) == {f"{kind}.{what}" for kind, names in EXPECTED.items() for what in names.split()}
    assert all(route.why for route in ROUTES.values())


MONEY = [
    ("charge.refunded", {"object": "charge", "id": "{charge}", "payment_intent": "{intent}"}),
    ("charge.refunded", {"object": "charge", "id": "{charge}", "invoice": "{invoice}"}),  # before basil
    ("charge.refunded", {"object": "charge", "id": "{charge}"}),
    ("refund.created", {"object": "refund", "id": "re_1", "charge": "{charge}", "payment_intent": "{intent}"}),
    ("refund.updated", {"object": "refund", "id": "re_1", "charge": {"id": "{charge}", "object": "charge"}}),
    ("charge.refund.updated", {"object": "refund", "id": "re_1", "charge": "{charge}"}),
    ("charge.dispute.created", {"object": "dispute", "id": "du_1", "charge": "{charge}", "payment_intent": "{intent}"}),
    (
        "charge.dispute.closed",
        {"object": "dispute", "id": "du_1", "charge": {"id": "{charge}", "invoice": "{invoice}"}},
    ),
    ("credit_note.created", {"object": "credit_note", "id": "cn_1", "invoice": "{invoice}"}),
    (
        "invoice_payment.paid",
        {"object": "invoice_payment", "id": "inpay_1", "payment": {"payment_intent": "{intent}"}},
    ),
]


def filled(thing: object, ids: dict[str, str]) -> object:
    if isinstance(thing, dict):
        return {name: filled(value, ids) for name, value in thing.items()}
    return str(thing).format(**ids)


@on_sqlite
@pytest.mark.parametrize(("kind", "thing"), MONEY, ids=[f"{kind}-{number}" for number, (kind, _) in enumerate(MONEY)])
@pytest.mark.parametrize("known", [True, False], ids=["by our rows", "by Stripe"])
def test_money_leads_to_its_subscription(shop: Shop, bought: str, kind: str, thing, known: bool) -> None:
    """By our own rows, else by Stripe's payments of invoices; in today's shape and in older ones."""
    (charge,) = staff.charges(shop, bought)
    invoice_id = payments.payments_of(bought)[0].invoice_id
    staff.refund(shop, bought)
    if not known:
        forget_the_way()
    ids = {"charge": charge["id"], "intent": charge["payment_intent"], "invoice": invoice_id}
    assert shop.deliver(event(kind, filled(thing, ids))).status_code == 200
    assert inbox() == ("handled", "entitlement changed")
    assert (entitlement().state, entitlement().reason) == ("ended", "refunded")


def test_what_our_rows_know_is_not_asked_of_stripe(shop: Shop, bought: str) -> None:
    (charge,) = staff.charges(shop, bought)
    before = len(shop.sandbox.requests)
    shop.deliver(
        event("charge.refunded", {"object": "charge", "id": charge["id"], "payment_intent": charge["payment_intent"]})
    )
    asked = [one.path.split("/")[2] for one in shop.sandbox.requests[before:]]
    assert asked == ["subscriptions", "invoices", "charges"]


@pytest.mark.parametrize("kind", ["charge.refunded", "refund.created", "charge.dispute.created"])
def test_money_that_paid_for_no_subscription_is_left_alone(shop: Shop, bought: str, kind: str) -> None:
    thing = {"object": kind.split(".")[0], "id": "x_1", "charge": "ch_other", "payment_intent": "pi_other"}
    assert shop.deliver(event(kind, thing)).status_code == 200
    assert inbox() == ("ignored", "not a payment for a subscription")


def test_a_refund_before_anything_else_was_heard_waits_for_nothing(shop: Shop) -> None:
    """The refund's event overtakes the purchase's: the subscription is found at Stripe, and known at once."""
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    bought = str(shop.session(session_id)["subscription"])
    staff.refund(shop, bought)
    (told,) = shop.sandbox.events("refund.created")
    assert shop.deliver(told).status_code == 200
    assert (entitlement().state, entitlement().reason) == ("ended", "refunded")


def test_a_subscription_of_nobody_we_know_is_parked_until_the_reader_exists(shop: Shop, bought: str) -> None:
    db.session.execute(db.delete(LedgerEntry))
    for model in (Entitlement, InvoicePayment, Payment, Subscription):
        db.session.execute(db.delete(model))
    db.session.execute(db.update(Reader).values(customer_id=None))
    db.session.commit()
    shop.stripe().v1.subscriptions.update(bought, {"metadata": {"reader": "rdr_later", "checkout": ""}})
    staff.refund(shop, bought)
    (told,) = shop.sandbox.events("refund.created")
    assert shop.deliver(told).status_code == 503
    assert inbox(told["id"]) == ("parked", "unknown_reader")
    db.session.add(Reader(id="rdr_later", generation=1, created_at=shop.parts.clock.now()))
    db.session.commit()
    assert shop.deliver(told).status_code == 200
    assert (entitlement().reader_id, entitlement().reason) == ("rdr_later", "refunded")


def test_a_warning_of_fraud_is_noted_for_staff_and_changes_nothing(shop: Shop, bought: str) -> None:
    (charge,) = staff.charges(shop, bought)
    by_intent = {"object": "radar.early_fraud_warning", "id": "issfr_1", "charge": charge["id"]}
    told = event("radar.early_fraud_warning.created", {**by_intent, "payment_intent": charge["payment_intent"]})
    with capture_logs() as lines:
        assert shop.deliver(told).status_code == 200
    assert ("early_fraud_warning", bought) in {(line["event"], line.get("subscription")) for line in lines}
    assert (inbox(), entitlement().state) == (("handled", "noted for staff; access stays"), "active")


def test_a_warning_of_fraud_that_comes_first_finds_its_subscription_at_stripe(shop: Shop, bought: str) -> None:
    """Nothing of the payment was heard yet: staff must be told all the same."""
    (charge,) = staff.charges(shop, bought)
    forget_the_way()
    warning = {"object": "radar.early_fraud_warning", "id": "issfr_1", "charge": charge["id"], "payment_intent": None}
    with capture_logs() as lines:
        assert shop.deliver(event("radar.early_fraud_warning.created", warning)).status_code == 200
    assert ("early_fraud_warning", bought) in {(line["event"], line.get("subscription")) for line in lines}
    assert (inbox(), entitlement().state) == (("handled", "noted for staff; access stays"), "active")
    assert payments.subscription_of(charge["payment_intent"]) == bought


def test_a_warning_of_fraud_about_other_money_is_left_alone(shop: Shop, bought: str) -> None:
    warning = {"object": "radar.early_fraud_warning", "id": "issfr_1", "charge": "ch_other"}
    with capture_logs() as lines:
        assert shop.deliver(event("radar.early_fraud_warning.created", warning)).status_code == 200
    assert inbox() == ("ignored", "not a payment for a subscription")
    assert "early_fraud_warning" not in {line["event"] for line in lines}


@pytest.mark.parametrize(
    ("kind", "thing"),
    [
        ("customer.updated", {"object": "customer", "id": "{customer}", "email": "somebody.else@example.com"}),
        ("customer.subscription.trial_will_end", {"object": "subscription", "id": "{subscription}"}),
        (
            "entitlements.active_entitlement_summary.updated",
            {"object": "entitlements.active_entitlement_summary", "customer": "{customer}"},
        ),
    ],
)
def test_what_decides_nothing_is_noted_without_asking_stripe(shop: Shop, bought: str, kind: str, thing) -> None:
    """An address at Stripe is no identity; Stripe's own entitlements, whose event has no id, decide nothing here."""
    reader = db.session.scalars(db.select(Reader)).one()
    before = (reader.email, reader.email_normalised, len(shop.sandbox.requests))
    ids = {"customer": str(reader.customer_id), "subscription": bought}
    assert shop.deliver(event(kind, filled(thing, ids))).status_code == 200
    assert inbox() == ("handled", "noted; nothing hangs on it")
    after = db.session.scalars(db.select(Reader)).one()
    assert before == (after.email, after.email_normalised, len(shop.sandbox.requests))


def test_a_deleted_customer_ends_all_that_it_had_and_the_reader_buys_again(shop: Shop, clock) -> None:
    client = shop.browser()
    bought = shop.buy(client)
    old = db.session.scalars(db.select(Reader.customer_id)).one()
    shop.stripe().v1.customers.delete(old)
    (told,) = shop.sandbox.events("customer.deleted")
    assert shop.deliver(told).status_code == 200
    assert inbox(told["id"]) == ("handled", "entitlement changed")
    assert db.session.get(Subscription, bought, populate_existing=True).status == "canceled"
    assert db.session.scalars(db.select(Reader.customer_id)).all() == [None]
    shop.deliver_all()  # what comes late does not link the deleted customer again
    assert db.session.scalars(db.select(Reader.customer_id)).all() == [None]
    clock.advance(days=2)
    session_id = shop.start(client)
    assert shop.session(session_id)["customer"] is None
    client.get(shop.pay(session_id, email="ada@example.com"))
    assert db.session.scalars(db.select(Reader.customer_id)).one() not in (None, old)


def test_a_customer_that_is_still_there_keeps_everything(shop: Shop, bought: str) -> None:
    """An event is a hint: whether the customer is gone is asked of Stripe."""
    customer_id = db.session.scalars(db.select(Reader.customer_id)).one()
    assert shop.deliver(event("customer.deleted", {"object": "customer", "id": customer_id})).status_code == 200
    assert inbox() == ("handled", "not deleted")
    assert (entitlement().state, db.session.scalars(db.select(Reader.customer_id)).one()) == ("active", customer_id)


def test_a_customer_of_others_is_left_alone(shop: Shop) -> None:
    assert shop.deliver(event("customer.deleted", {"object": "customer", "id": "cus_other"})).status_code == 200
    assert inbox() == ("ignored", "not a customer of ours")


def test_a_delayed_payment_gives_access_only_when_it_has_come(shop: Shop, monkeypatch) -> None:
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    real = type(shop.parts.gateway).fetch_checkout
    waiting = lambda self, name: replace(real(self, name), payment_status="unpaid")  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(type(shop.parts.gateway), "fetch_checkout", waiting)
        told = event("checkout.session.completed", {"object": "checkout.session", "id": session_id})
        assert shop.deliver(told).status_code == 200
    assert inbox() == ("handled", "awaits the payment")
    assert db.session.query(Entitlement).count() == 0
    come = event("checkout.session.async_payment_succeeded", {"object": "checkout.session", "id": session_id}, 2)
    assert shop.deliver(come).status_code == 200
    assert (inbox("evt_made_2"), entitlement().state) == (("handled", "entitlement changed"), "active")


def test_a_delayed_payment_that_fails_frees_the_checkout(shop: Shop, monkeypatch) -> None:
    session_id = shop.start(shop.browser())
    shop.pay(session_id)
    real = type(shop.parts.gateway).fetch_checkout
    failed = lambda self, name: replace(real(self, name), payment_status="unpaid", subscription_id=None)  # noqa: E731
    monkeypatch.setattr(type(shop.parts.gateway), "fetch_checkout", failed)
    told = event("checkout.session.async_payment_failed", {"object": "checkout.session", "id": session_id})
    assert shop.deliver(told).status_code == 200
    assert inbox() == ("handled", "nothing was sold")
    assert db.session.scalars(db.select(Checkout.state)).all() == ["expired"]


def test_an_open_checkout_is_not_closed_by_an_event_that_says_its_payment_failed(shop: Shop) -> None:
    session_id = shop.start(shop.browser())
    told = event("checkout.session.async_payment_failed", {"object": "checkout.session", "id": session_id})
    assert shop.deliver(told).status_code == 200
    assert db.session.scalars(db.select(Checkout.state)).all() == ["open"]


@on_sqlite
@pytest.mark.parametrize("kind", sorted(kind for kind in ROUTES if kind.startswith(("invoice.", "customer.sub"))))
def test_each_event_of_a_subscription_or_invoice_asks_stripe_and_believes_nothing_of_the_event(
    shop: Shop, bought: str, kind: str
) -> None:
    before = entitlement().until
    thing: dict[str, object] = {"object": "subscription", "id": bought, "status": "canceled", "ended_at": 1}
    if kind.startswith("invoice."):
        details = {"subscription_details": {"subscription": bought}}
        thing = {"object": "invoice", "id": "in_made", "status": "void", "parent": details}
    assert shop.deliver(event(kind, thing)).status_code == 200
    assert inbox()[0] == "handled"
    assert (entitlement().state, entitlement().until) == ("active", before)
