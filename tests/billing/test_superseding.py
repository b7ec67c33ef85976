"""Never charged twice: a lapsed subscription is ended at Stripe once another one of the same reader is paid."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from paywall.billing import duplicates, superseding
from paywall.billing.errors import StripeRefused, StripeUnavailable
from paywall.billing.stripe_gateway import StripeGateway
from paywall.checkout import second
from paywall.storage import entitlements, readers, subscriptions
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Entitlement, Subscription
from tests.support import books
from tests.support.builders import sign_in
from tests.support.forms import form_of
from tests.support.life import FAILING_CARD, GOOD_CARD, Life, lived
from tests.support.shop import referer, session_of

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_the_lapsed_one_is_ended_when_the_new_one_is_paid_and_never_collected",
        "test_whatever_is_cut_off_is_done_by_the_next_try",
    }
)

CAUSE = Cause("event", "evt_test")


@pytest.fixture(params=["sqlite", "postgresql"])
def life(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Life]:
    with lived(request.param, tmp_path) as one:
        one.account.set_setting("exhausted", "past_due")
        one.account.set_setting("retry_days", [3, 14, 20])
        yield one


def tell_last(life: Life) -> None:
    """Of weeks in which deliveries were lost the last one arrives: what Stripe says then is what counts."""
    changes = [event for event in life.untold() if event["type"].startswith("customer.subscription.")]
    assert life.shop.deliver(changes[-1]).status_code == 200


def lapse(life: Life, how: str) -> str:
    """A subscription that is alive at Stripe and gives nothing any more."""
    old = life.buy(come_back=True)
    life.tell()
    if how == "voided":
        life.stripe.v1.subscriptions.update(old, {"pause_collection": {"behavior": "void"}})
        life.to_renewal()
        life.later(days=10)
    else:
        life.account.set_setting("exhausted", how)
        life.use_card(FAILING_CARD)
        life.to_renewal()
        life.later(days=20 if how == "past_due" else 60)
    tell_last(life)
    assert not grants(life, old)
    return old


def choose_anew(life: Life) -> str:
    """The reader asks for another subscription, and says so where an open payment is offered; the session's id."""
    reader_id = db.session.scalar(db.select(Subscription.reader_id).where(Subscription.id == life.subscription_id))
    sign_in(life.browser, readers.get(reader_id), now=life.clock.now())
    answer = life.shop.join(life.browser, "ada@example.com")
    if answer.status_code == 409:
        assert "Pay what is open" in answer.text
        page = life.browser.get("/join", query_string={"plan": "annual"}).text
        fields = form_of(page) | {"email": "ada@example.com", "again": "yes"}
        answer = life.browser.post("/checkout", data=fields, headers=referer())
    assert answer.status_code == 303, answer.text
    return session_of(answer)


def buy_anew(life: Life) -> str:
    session_id = choose_anew(life)
    life.shop.pay(session_id, email="ada@example.com")
    return str(life.shop.session(session_id)["subscription"])


def grants(life: Life, subscription_id: str) -> bool:
    db.session.expire_all()
    row = db.session.scalar(db.select(Entitlement).where(Entitlement.source_id == subscription_id))
    granted = entitlements.terms_of(row).state_at(life.clock.now()).grants
    db.session.commit()
    return granted


def status(life: Life, subscription_id: str) -> str:
    return str(life.account.get("subscription", subscription_id)["status"])


def paid(life: Life) -> int:
    return len([one for one in life.account.store.find("charge") if one["status"] == "succeeded"])


@pytest.mark.parametrize("how", ["past_due", "unpaid", "pause", "voided"])
def test_the_lapsed_one_is_ended_when_the_new_one_is_paid_and_never_collected(life: Life, how: str) -> None:
    old = lapse(life, how)
    new = buy_anew(life)
    life.tell()
    assert (status(life, old), status(life, new)) == ("canceled", "active")
    assert (grants(life, old), grants(life, new)) == (False, True)
    life.stripe.v1.payment_methods.attach(GOOD_CARD, {"customer": life.subscription["customer"]})
    life.later(days=40)
    life.tell()
    assert paid(life) == 2, "last year's and the new one"
    assert books.faults(life.shop) == []


def test_its_open_invoice_cannot_be_paid_by_its_link_any_more(life: Life) -> None:
    old = lapse(life, "past_due")
    invoice = life.account.get("subscription", old)["latest_invoice"]
    buy_anew(life)
    life.tell()
    assert life.account.get("invoice", invoice)["status"] == "void"
    assert life.account.get("subscription", old)["cancellation_details"]["comment"] == "paywall: superseded"


def test_it_is_ended_too_when_the_buyer_comes_back_and_no_event_arrives(life: Life) -> None:
    old = lapse(life, "past_due")
    session_id = choose_anew(life)
    assert life.browser.get(life.shop.pay(session_id, email="ada@example.com")).status_code == 303
    assert status(life, old) == "canceled"


def test_it_is_ended_by_news_of_its_own_where_nothing_was_done_after_the_new_one_was_stored(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a process that died between the two."""
    old = lapse(life, "past_due")
    new = buy_anew(life)
    life.untold()
    with monkeypatch.context() as patch:
        patch.setattr("paywall.billing.sync.doubles.spent", lambda *asked: ())
        life.shop.parts.sync.subscription(new, CAUSE)
    assert (status(life, old), grants(life, new)) == ("past_due", True)
    life.shop.parts.sync.subscription(old, CAUSE)
    assert status(life, old) == "canceled"


@pytest.mark.parametrize("step", ["void_unpaid", "cancel_subscription"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_is_cut_off_is_done_by_the_next_try(
    life: Life, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    old = lapse(life, "past_due")
    new = buy_anew(life)
    where = superseding if step == "void_unpaid" else StripeGateway
    real = getattr(where, step)

    def cut_off(*asked: object) -> None:
        if when == "after":
            real(*asked)
        raise StripeUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(where, step, cut_off)
        with pytest.raises(StripeUnavailable):
            life.shop.parts.sync.subscription(new, CAUSE)
    assert grants(life, new), "the paid one is stored before the other is touched"
    life.shop.parts.sync.subscription(new, CAUSE)
    assert status(life, old) == "canceled"


def test_whoever_comes_back_is_let_in_although_the_old_one_cannot_be_ended_yet(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = lapse(life, "past_due")
    session_id = choose_anew(life)
    back = life.shop.pay(session_id, email="ada@example.com")

    def away(*asked: object) -> None:
        raise StripeUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(superseding, "void_unpaid", away)
        assert life.browser.get(back).status_code == 303
    assert status(life, old) == "past_due"
    life.tell()
    assert status(life, old) == "canceled"


def test_one_whose_payment_is_under_way_is_left_until_that_is_decided(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe voids no such invoice; ended now, its money would arrive and nobody would see that it was paid twice."""
    old = lapse(life, "past_due")
    new = buy_anew(life)
    real = StripeGateway.ask

    def refuse(self, operation, call, **ids):
        if operation == "invoice.void":
            raise StripeRefused("invoice_not_editable")
        return real(self, operation, call, **ids)

    with monkeypatch.context() as patch:
        patch.setattr(StripeGateway, "ask", refuse)
        life.shop.parts.sync.subscription(new, CAUSE)
        assert status(life, old) == "past_due"
    life.tell()
    assert status(life, old) == "canceled"


def test_one_that_was_paid_a_moment_before_stays_and_the_new_one_is_flagged(life: Life) -> None:
    old = lapse(life, "past_due")
    session_id = choose_anew(life)
    life.use_card(GOOD_CARD)
    life.pay_what_is_open()
    life.shop.pay(session_id, email="ada@example.com")
    new = str(life.shop.session(session_id)["subscription"])
    life.tell()
    assert (status(life, old), status(life, new)) == ("active", "active")
    assert {row.id: row.duplicate_of for row in subscriptions.duplicates()} == {new: old}


def test_a_page_for_paying_anew_is_closed_once_the_old_one_is_paid_after_all(life: Life) -> None:
    old = lapse(life, "past_due")
    session_id = choose_anew(life)
    life.use_card(GOOD_CARD)
    life.pay_what_is_open()
    life.tell()
    assert (status(life, old), grants(life, old)) == ("active", True)
    assert life.shop.session(session_id)["status"] == "expired"
    assert books.faults(life.shop) == []


def test_a_page_for_paying_anew_stays_open_while_the_old_one_gives_nothing(life: Life) -> None:
    old = lapse(life, "past_due")
    session_id = choose_anew(life)
    life.shop.parts.sync.subscription(old, CAUSE)
    assert life.shop.session(session_id)["status"] == "open"


def test_of_two_readers_under_one_address_the_one_that_gives_nothing_is_flagged_and_not_ended(life: Life) -> None:
    session_id = life.shop.start(life.shop.browser())  # opened in another browser, before the first one is bought
    old = life.buy(come_back=True)
    life.dispute()
    life.tell()
    assert not grants(life, old)
    life.shop.pay(session_id, email="ada@example.com")
    new = str(life.shop.session(session_id)["subscription"])
    life.tell()
    assert (status(life, old), status(life, new)) == ("active", "active")
    assert {row.id: row.duplicate_of for row in subscriptions.duplicates()} == {old: new}


def test_what_was_read_before_the_one_that_stays_began_is_not_given_back_with_a_double(life: Life) -> None:
    """Of two readers under one address, one read a year, and their renewal failed."""
    old = lapse(life, "past_due")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(second, "refuse", lambda *asked, **how: None)
        life.shop.pay(life.shop.start(life.shop.browser()), email="ada@example.com")
    life.tell()
    ending = duplicates.look(life.shop.parts.sync, old)
    assert (ending.owed, ending.beside is None) == ((), False)


def test_nothing_is_ended_for_one_that_is_not_paid(life: Life) -> None:
    old = lapse(life, "past_due")
    choose_anew(life)
    life.tell()
    life.shop.parts.sync.subscription(old, CAUSE)
    assert status(life, old) == "past_due"
    assert db.session.query(Subscription).count() == 1
