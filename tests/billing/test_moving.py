"""Purchases that were made before an address was proved join its owner: nothing is lost, nobody else comes in."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from paywall.billing import moving
from paywall.billing.sync import Sync
from paywall.explaining import finding
from paywall.explaining.gathering import Explainer
from paywall.explaining.text import render
from paywall.storage import aliases, entitlements, ledger, letters, readers, subscriptions
from paywall.storage import sessions as session_rows
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import Checkout, Reader, Revocation
from tests.conftest import FrozenClock
from tests.support import books
from tests.support.shop import Shop

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_a_purchase_under_a_typed_address_joins_the_account_once_the_address_is_proved",
        "test_two_sign_ins_and_syncs_at_once_join_once",
        "test_names_lead_to_one_account_however_often_rows_are_joined",
    }
)

ADDRESS = "ada@example.com"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def buyer(subscription_id: str) -> Reader:
    """Whose a subscription is now."""
    db.session.expire_all()
    return db.session.get_one(Reader, subscriptions.get(subscription_id).reader_id)


def signs_in(shop: Shop, clock: FrozenClock, email: str = ADDRESS) -> Reader:
    """What the use of a mailed link does about the address; returns who is signed in."""

    def may_read(reader_id: str) -> bool:
        return entitlements.access_of(reader_id, shop.parts.settings.plans, clock.now()).allowed

    found = readers.to_sign_in(email, may_read)
    owner = moving.prove(found, clock.now())
    db.session.commit()
    return owner


def lapsed_and_back(shop: Shop, clock: FrozenClock, *, proved: bool = True) -> tuple[str, str]:
    """Bought, proved the address, cancelled; bought again in another browser by typing the address only."""
    first = shop.buy(shop.browser())
    if proved:
        signs_in(shop, clock)
    shop.stripe().v1.subscriptions.cancel(first)
    assert set(shop.deliver_all()) == {200}
    clock.advance(days=3)
    second = shop.buy(shop.browser())
    assert set(shop.deliver_all()) == {200}
    clock.advance(minutes=1)
    return first, second


def test_a_purchase_under_a_typed_address_joins_the_account_once_the_address_is_proved(shop: Shop, clock) -> None:
    first, second = lapsed_and_back(shop, clock)
    account, typed = buyer(first), buyer(second)
    assert account.id != typed.id
    owner = signs_in(shop, clock)
    assert owner.id == account.id == buyer(second).id == buyer(first).id
    assert entitlements.access_of(owner.id, shop.parts.settings.plans, clock.now()).allowed
    assert owner.customer_id == subscriptions.get(second).customer_id, "the card of what runs is the reader's"
    assert books.faults(shop) == []


def test_the_joining_stands_in_the_ledger_and_the_past_stays_as_it_was(shop: Shop, clock: FrozenClock) -> None:
    first, second = lapsed_and_back(shop, clock)
    account, typed = buyer(first).id, buyer(second).id
    before = [(one.id, one.reader_id, one.change) for one in ledger.of_reader(typed)]
    signs_in(shop, clock)
    entries = ledger.of_reader(typed)
    assert [(one.id, one.reader_id, one.change) for one in entries[:-1]] == before
    moved = entries[-1]
    assert (moved.change, moved.cause, moved.cause_id, moved.reader_id) == ("moved", "joined", typed, account)
    assert (moved.state, moved.effective_at, moved.learned_at) == ("active", clock.now(), clock.now())


def test_what_is_left_of_the_joined_row_is_a_name_that_leads_to_the_account(shop: Shop, clock: FrozenClock) -> None:
    first, second = lapsed_and_back(shop, clock)
    account, typed = buyer(first).id, buyer(second).id
    signs_in(shop, clock)
    row = db.session.get_one(Reader, typed)
    assert (row.email, row.email_normalised, row.customer_id, row.role) == (None, None, None, None)
    assert aliases.current(typed).id == finding.named(typed)[0].id == account
    assert [one.id for one in aliases.of_reader(account)] == [typed]


def test_tokens_of_the_joined_row_are_refused_and_its_paying_browser_is_signed_out(shop: Shop, clock) -> None:
    """Who paid has proved no mailbox: the account that the purchase joined is not theirs to see."""
    first = shop.buy(shop.browser())
    signs_in(shop, clock)
    shop.stripe().v1.subscriptions.cancel(first)
    shop.deliver_all()
    clock.advance(days=3)
    stranger = shop.browser()
    typed = buyer(shop.buy(stranger)).id
    assert stranger.get("/account").status_code == 200
    signs_in(shop, clock)
    assert stranger.get("/account").status_code == 303
    refused = db.session.scalars(select(Revocation).where(Revocation.kind == "sub", Revocation.value == typed)).one()
    assert (refused.cause, refused.generation) == ("joined", db.session.get_one(Reader, typed).generation)


def test_paying_under_somebodys_address_never_opens_their_account(shop: Shop, clock: FrozenClock) -> None:
    """Paid by another, joined to the owner, and only then back from Stripe's page: no session, a link by mail."""
    first = shop.buy(shop.browser())
    signs_in(shop, clock)
    shop.stripe().v1.subscriptions.cancel(first)
    shop.deliver_all()
    clock.advance(days=3)
    stranger = shop.browser()
    back = shop.pay(shop.start(stranger), email=ADDRESS)
    shop.deliver_all()
    account = signs_in(shop, clock)
    answer = stranger.get(back)
    assert (answer.status_code, stranger.get_cookie("paywall_sid")) == (200, None)
    assert session_rows.live_of(account.id, clock.now()) == []


def test_an_older_browser_that_only_paid_does_not_see_what_joins(shop: Shop, clock: FrozenClock) -> None:
    """The account itself began by a payment under a typed address: that browser, too, must sign in by mail."""
    paying = shop.browser()
    first = shop.buy(paying)
    shop.stripe().v1.subscriptions.cancel(first)
    shop.deliver_all()
    clock.advance(days=3)
    shop.buy(shop.browser())
    assert paying.get("/account").status_code == 200
    signs_in(shop, clock)
    assert paying.get("/account").status_code == 303


def test_signing_in_without_another_purchase_ends_no_session(shop: Shop, clock: FrozenClock) -> None:
    paying = shop.browser()
    shop.buy(paying)
    signs_in(shop, clock)
    signs_in(shop, clock)
    assert paying.get("/account").status_code == 200
    assert db.session.scalars(select(Revocation)).all() == []


def test_sessions_that_proved_the_mailbox_and_waiting_letters_go_along(shop: Shop, clock: FrozenClock) -> None:
    first, second = lapsed_and_back(shop, clock)
    account, typed = buyer(first).id, buyer(second).id
    kept = session_rows.create(typed, "a" * 64, "link", clock.now(), clock.now() + timedelta(days=9))
    letters.add("payment_failed", ADDRESS, "test", clock.now(), reader_id=typed)
    db.session.commit()
    signs_in(shop, clock)
    assert kept in {one.id for one in session_rows.live_of(account, clock.now())}
    assert db.session.scalar(select(WaitingLetter.reader_id).where(WaitingLetter.cause == "test")) == account


def test_later_events_find_the_account_and_move_nothing_back(shop: Shop, clock: FrozenClock) -> None:
    """Stripe's marks name the joined row for ever."""
    first, second = lapsed_and_back(shop, clock)
    account, typed = buyer(first).id, buyer(second).id
    signs_in(shop, clock)
    shop.stripe().v1.subscriptions.update(second, {"cancel_at_period_end": True})
    assert set(shop.deliver_all()) == {200}
    assert buyer(second).id == account
    assert shop.stripe().v1.subscriptions.retrieve(second).metadata["reader"] == typed
    assert [one.change for one in ledger.of_reader(typed)][-1] == "amended"
    assert books.faults(shop) == []


def test_a_purchase_that_comes_in_late_under_a_joined_name_is_the_accounts(shop: Shop, clock: FrozenClock) -> None:
    first, second = lapsed_and_back(shop, clock)
    account, typed = buyer(first).id, buyer(second).id
    signs_in(shop, clock)
    customer_id = subscriptions.get(second).customer_id
    card = shop.stripe().v1.payment_methods.attach("pm_card_visa", {"customer": customer_id}).id
    third = shop.stripe().v1.subscriptions.create(
        {
            "customer": customer_id,
            "default_payment_method": card,
            "items": [{"price": subscriptions.get(second).price_id}],
            "metadata": {"reader": typed, "plan": "annual"},
        }
    )
    assert set(shop.deliver_all()) == {200}
    assert buyer(third.id).id == account
    assert subscriptions.get(third.id).duplicate_of == second, "the newer of two is flagged"


def test_of_two_running_purchases_the_newer_is_flagged_once_joined(shop: Shop, clock: FrozenClock, monkeypatch) -> None:
    monkeypatch.setattr("paywall.checkout.second.refuse", lambda *_args, **_more: None)
    older = shop.buy(shop.browser())
    clock.advance(minutes=5)
    newer = shop.buy(shop.browser())
    owner = signs_in(shop, clock)
    assert {buyer(older).id, buyer(newer).id} == {owner.id}
    assert (subscriptions.get(older).duplicate_of, subscriptions.get(newer).duplicate_of) == (None, older)
    assert owner.customer_id == subscriptions.get(older).customer_id


def test_an_open_checkout_of_a_joined_row_counts_as_the_accounts(shop: Shop, clock: FrozenClock) -> None:
    """It can still be paid: who reads again must not find it open."""
    _, second = lapsed_and_back(shop, clock)
    typed = buyer(second).id
    row = db.session.scalars(select(Checkout).where(Checkout.reader_id == typed)).one()
    values = {column.name: getattr(row, column.name) for column in Checkout.__table__.columns}
    extra = {"id": "chk_open", "state": "open", "session_id": None, "session_url": None, "subscription_id": None}
    db.session.add(Checkout(**{**values, **extra, "closed_at": None}))
    db.session.commit()
    signs_in(shop, clock)
    shop.parts.sync.subscription(second, Cause("reconcile", "test"))
    assert db.session.get_one(Checkout, "chk_open", populate_existing=True).state == "expired"


def test_a_typed_address_alone_joins_nothing(shop: Shop, clock: FrozenClock) -> None:
    """Without a sign-in the rows stay apart, and a visitor who only typed an address is left alone."""
    first, second = lapsed_and_back(shop, clock)
    visitor = readers.create(ADDRESS, clock.now()).id
    db.session.commit()
    assert buyer(first).id != buyer(second).id
    signs_in(shop, clock)
    assert db.session.get_one(Reader, visitor).email == ADDRESS
    assert aliases.current_id(visitor) == visitor


def test_names_lead_to_one_account_however_often_rows_are_joined(shop: Shop, clock: FrozenClock) -> None:
    """No name leads to a name: what stood for others hands them on."""
    lapsed_and_back(shop, clock, proved=False)
    middle = signs_in(shop, clock).id
    last = readers.create("new@example.com", clock.now()).id
    aliases.add(middle, last, clock.now())
    db.session.commit()
    assert {aliases.current_id(one.id) for one in aliases.of_reader(last)} == {last}
    assert len(aliases.of_reader(last)) == 2


def at_once(shop: Shop, *works: Callable[[], object]) -> None:
    """Does all of it at the same moment, each in a thread of its own."""
    faults: list[Exception] = []
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        with shop.app.app_context():
            try:
                barrier.wait(10)
                work()
                db.session.commit()
            except Exception as error:
                faults.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    db.session.remove()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []


def test_two_sign_ins_and_syncs_at_once_join_once(shop: Shop, clock: FrozenClock) -> None:
    first, second = lapsed_and_back(shop, clock)
    account, typed = buyer(first).id, buyer(second).id

    def enter() -> None:
        moving.prove(db.session.get_one(Reader, typed), clock.now())

    def sync() -> None:
        shop.parts.sync.subscription(second, Cause("reconcile", "test"))

    at_once(shop, enter, enter, sync, enter)
    assert {buyer(first).id, buyer(second).id} == {account}
    assert [one.change for one in ledger.of_reader(typed)].count("moved") == 1
    assert books.faults(shop) == []


def test_what_lapsed_is_ended_at_stripe_once_it_stands_beside_a_paid_one(shop: Shop, clock: FrozenClock) -> None:
    """Else a new try of the old payment would charge the reader twice; done beside the sign-in, and once."""
    first, second = lapsed_and_back(shop, clock)
    account, typed = buyer(first).id, buyer(second).id
    signs_in(shop, clock)
    asked: list[str] = []
    moving.settle(Watched(shop.parts.sync, asked), typed, clock.now())
    assert asked == [second], "what is over at Stripe needs no asking"
    assert aliases.unsettled(10) == []
    assert buyer(second).id == account


class Watched:
    """Notes what is synced."""

    def __init__(self, sync: Sync, asked: list[str]) -> None:
        self.sync, self.asked = sync, asked

    def subscription(self, subscription_id: str, cause: Cause) -> object:
        """Syncs it."""
        self.asked.append(subscription_id)
        return self.sync.subscription(subscription_id, cause)


@on_sqlite
def test_explain_tells_whose_it_is_and_was(shop: Shop, clock: FrozenClock) -> None:
    first, second = lapsed_and_back(shop, clock)
    account, typed = buyer(first), buyer(second).id
    before = clock.now()
    clock.advance(hours=1)
    signs_in(shop, clock)
    explainer = Explainer(shop.parts.settings.plans, shop.parts.settings.zone)
    told = "\n".join(render(explainer.explain(account, clock.now(), clock.now()), shop.parts.settings.zone))
    assert "it became this reader's" in told
    assert f"which joined reader {typed}" in told
    then = explainer.explain(account, before, clock.now())
    assert not then.may_read
    assert any(f"was then reader {typed}'s" in note for note in then.notes)
    assert explainer.explain(db.session.get_one(Reader, typed), before, clock.now()).may_read
