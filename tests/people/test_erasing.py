"""Erasure: access ends at once, Stripe first, nothing that names the person is left, and the books stay whole."""

import pytest
from sqlalchemy import select

from paywall.billing.errors import StripeUnavailable
from paywall.billing.stripe_gateway import StripeGateway
from paywall.mail import delivery
from paywall.people import erasing
from paywall.storage import aliases, erasures, ledger, payments, readers, subscriptions
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import Checkout, Reader, ReaderSession
from paywall.tokens import verification
from tests.people.life import NEW, OLD, Ada, everywhere
from tests.support import books
from tests.support.marks import on_sqlite

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_nothing_is_left_that_names_the_person",
        "test_erasing_twice_or_at_two_doors_is_one_erasure",
    }
)


def named(wanted: str) -> list[str]:
    """Where a text is held; the last letter apart, which must know where it goes."""
    db.session.commit()
    with db.engine.connect() as connection:
        return everywhere(connection, wanted)


def allowed(ada: Ada) -> bool:
    """Whether the API accepts the token, a second later."""
    ada.shop.app.extensions.pop("paywall.verification", None)
    found = verification.of_app().check(ada.token, None, ada.clock.now()).allowed
    db.session.commit()
    return found


def test_what_the_tests_look_for_is_held_before(ada: Ada) -> None:
    """Else the tests below would find nothing because nothing was ever there."""
    assert {"readers.email", "address_changes.email", "letters.to", "sign_in_links.email_normalised"} <= set(named(NEW))
    assert {"checkouts.email", "former_addresses.email"} <= set(named(OLD))
    assert allowed(ada)
    assert ada.browser.get("/account").status_code == 200


def test_nothing_is_left_that_names_the_person(ada: Ada) -> None:
    erasure_id = ada.erase()
    assert named(OLD) == []
    assert named(NEW) == ["letters.to"], "the last letter waits"
    delivery.deliver()
    assert named(NEW) == []
    letters = sorted(ada.outbox.glob("*.eml"))
    assert b"has erased your account" in b"".join(one.read_bytes() for one in letters)
    row = db.session.get_one(Reader, ada.reader_id)
    assert (row.email, row.email_verified_at, row.customer_id) == (None, None, None)
    assert db.session.scalars(select(ReaderSession)).all() == []
    assert erasures.get(erasure_id).stage == "done"
    assert all(one.return_to == "https://news.test/" and one.session_url is None for one in checkouts())


def checkouts() -> list[Checkout]:
    return list(db.session.scalars(select(Checkout)))


def test_stripe_ends_the_subscription_and_forgets_the_customer_first(ada: Ada) -> None:
    customer_id = subscriptions.get(ada.subscription_id).customer_id
    ada.erase()
    stripe = ada.shop.stripe().v1
    ended = stripe.subscriptions.retrieve(ada.subscription_id)
    assert (ended.status, ended.cancellation_details.comment) == ("canceled", "paywall: erased")
    assert stripe.customers.retrieve(customer_id).deleted


def test_access_ends_at_once_even_while_stripe_does_not_answer(ada: Ada, monkeypatch) -> None:
    def down(*_args, **_more):
        raise StripeUnavailable

    erasure_id = erasing.begin(db.session.get_one(Reader, ada.reader_id), "reader", ada.clock.now())
    assert not allowed(ada)
    assert ada.browser.get("/account").status_code == 303
    with monkeypatch.context() as broken:
        broken.setattr(StripeGateway, "cancel_subscription", down)
        with pytest.raises(StripeUnavailable):
            ada.carry_on(erasure_id)
    db.session.rollback()
    assert erasures.undone(9) == [erasure_id]
    assert named(NEW) != [], "nothing is forgotten before Stripe has ended it"
    ada.carry_on(erasure_id)
    assert erasures.undone(9) == []
    assert not allowed(ada)


def test_bookkeeping_stays_whole_without_the_person(ada: Ada) -> None:
    before = [(one.id, one.reader_id, one.change) for one in ledger.of_reader(ada.reader_id)]
    paid = [(one.invoice_id, one.amount) for one in payments.payments_of(ada.subscription_id)]
    ada.erase()
    entries = [(one.id, one.reader_id, one.change) for one in ledger.of_reader(ada.reader_id)]
    assert entries[: len(before)] == before
    assert [(one.invoice_id, one.amount) for one in payments.payments_of(ada.subscription_id)] == paid
    assert len(paid) == 1
    ada.shop.deliver_all()
    assert books.faults(ada.shop) == []


def test_later_events_bring_nothing_back(ada: Ada) -> None:
    """The end of the subscription, the deleted customer, invoices: all are told after the erasure, some again."""
    ada.erase()
    delivery.deliver()
    sent = len(list(ada.outbox.glob("*.eml")))
    assert set(ada.shop.deliver_all()) == {200}
    assert set(ada.shop.deliver_all()) == {200}
    ada.clock.advance(days=2)
    delivery.deliver()
    assert named(OLD) == named(NEW) == []
    row = db.session.get_one(Reader, ada.reader_id)
    assert (row.email, row.customer_id) == (None, None)
    assert len(list(ada.outbox.glob("*.eml"))) == sent, "no letter follows the last one"
    assert books.faults(ada.shop) == []


def test_the_same_address_may_buy_again_as_somebody_new(ada: Ada) -> None:
    ada.erase()
    ada.clock.advance(minutes=1)
    again = ada.shop.buy(ada.shop.browser(), NEW)
    assert subscriptions.get(again).reader_id != ada.reader_id
    assert subscriptions.get(again).duplicate_of is None
    assert subscriptions.get(again).customer_id != subscriptions.get(ada.subscription_id).customer_id


def test_erasing_twice_or_at_two_doors_is_one_erasure(ada: Ada) -> None:
    first = ada.erase()
    assert ada.erase() == first
    letters = select(WaitingLetter).where(WaitingLetter.kind == "erased")
    assert len(db.session.scalars(letters).all()) == 1


def test_an_open_checkout_cannot_be_paid_any_more(ada: Ada) -> None:
    """Begun by the reader before the erasure, in a tab that is still open."""
    ada.shop.stripe().v1.subscriptions.cancel(ada.subscription_id)
    ada.shop.deliver_all()
    ada.clock.advance(days=3)
    session_id = ada.shop.start(ada.browser, NEW)
    ada.erase()
    assert ada.shop.session(session_id)["status"] == "expired"
    assert named(NEW) == ["letters.to"]


def test_a_checkout_that_is_paid_meanwhile_is_ended_too(ada: Ada) -> None:
    ada.shop.stripe().v1.subscriptions.cancel(ada.subscription_id)
    ada.shop.deliver_all()
    ada.clock.advance(days=3)
    session_id = ada.shop.start(ada.browser, NEW)
    ada.shop.pay(session_id, email=NEW)
    ada.erase()
    late = ada.shop.session(session_id)["subscription"]
    assert ada.shop.stripe().v1.subscriptions.retrieve(late).status == "canceled"
    assert set(ada.shop.deliver_all()) == {200}
    assert books.faults(ada.shop) == []


def test_all_names_of_the_person_are_erased(ada: Ada) -> None:
    """A reader who was joined from two rows is one person."""
    other = readers.create(None, ada.clock.now()).id
    aliases.add(other, ada.reader_id, ada.clock.now())
    db.session.add(_checkout(other))
    db.session.commit()
    ada.erase()
    assert named("typed@example.org") == []


def _checkout(reader_id: str) -> Checkout:
    row = checkouts()[0]
    values = {column.name: getattr(row, column.name) for column in Checkout.__table__.columns}
    typed = "typed@example.org"
    own = {"id": "chk_typed", "session_id": None, "subscription_id": None, "state": "expired"}
    return Checkout(**{**values, **own, "reader_id": reader_id, "email": typed, "email_normalised": typed})


def test_a_visitor_who_typed_the_address_and_bought_nothing_is_forgotten_with_it(ada: Ada) -> None:
    readers.create(NEW, ada.clock.now())
    stranger = readers.create("bob@example.org", ada.clock.now()).id
    db.session.commit()
    ada.erase()
    assert named(NEW) == ["letters.to"]
    assert db.session.get_one(Reader, stranger).email == "bob@example.org"


@on_sqlite
def test_another_payer_keeps_the_customer(ada: Ada) -> None:
    """After a purchase was moved, two readers may pay as one customer of Stripe's: the other one's card stays."""
    other = readers.create("bob@example.org", ada.clock.now()).id
    values = {c.name: getattr(subscriptions.get(ada.subscription_id), c.name) for c in _columns()}
    subscriptions.put({**values, "id": "sub_moved", "reader_id": other, "status": "active"})
    db.session.commit()
    customer_id = values["customer_id"]
    ada.erase()
    assert not ada.shop.stripe().v1.customers.retrieve(customer_id).to_dict().get("deleted")


def _columns():
    return subscriptions.Subscription.__table__.columns


@on_sqlite
def test_staff_are_not_erased_before_the_role_is_taken(ada: Ada) -> None:
    reader = db.session.get_one(Reader, ada.reader_id)
    reader.role = "admin"
    db.session.commit()
    with pytest.raises(erasing.IsStaff):
        erasing.begin(reader, "reader", ada.clock.now())
    db.session.rollback()
    assert not erasures.is_begun(ada.reader_id)
