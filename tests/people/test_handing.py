"""A purchase under a wrong address is moved by staff: shown first, audited, without a second holder at any moment."""

import pytest
from sqlalchemy import select

from paywall.billing.errors import StripeUnavailable
from paywall.billing.sync import Sync
from paywall.errors import NotFound
from paywall.people import handing
from paywall.storage import entitlements, erasures, ledger, moves, readers, subscriptions
from paywall.storage.database import db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Reader
from paywall.tokens import verification
from tests.people.life import NEW, Ada
from tests.support import books
from tests.support.builders import NOW, make_reader, make_subscription, save
from tests.support.marks import on_sqlite

RIGHT = "countess@example.org"


@pytest.fixture
def run(ada: Ada):
    """Types the command about Ada's purchase."""

    def type_it(*words: str, answer: str | None = None):
        db.session.commit()
        args = ["paywall", "readers", "move-purchase", *words]
        result = ada.shop.app.test_cli_runner().invoke(args=args, input=answer)
        db.session.expire_all()
        return result

    return type_it


def move(run, ada: Ada, to: str = RIGHT):
    return run(ada.subscription_id, "--to", to, "--reason", "mistyped at the till", "--yes")


def test_the_purchase_goes_to_the_right_address_and_the_former_holder_reads_no_more(ada: Ada, run) -> None:
    moved = move(run, ada)
    assert moved.exit_code == 0, moved.output
    (holder,) = readers.under(RIGHT)
    plans, now = ada.shop.parts.settings.plans, ada.clock.now()
    assert subscriptions.get(ada.subscription_id).reader_id == holder.id
    assert entitlements.access_of(holder.id, plans, now).allowed
    assert not entitlements.access_of(ada.reader_id, plans, now).allowed
    assert holder.customer_id == subscriptions.get(ada.subscription_id).customer_id
    assert db.session.get_one(Reader, ada.reader_id).customer_id is None
    ada.shop.app.extensions.pop("paywall.verification", None)  # as a second later
    assert not verification.of_app().check(ada.token, None, now).allowed
    db.session.commit()
    ada.shop.deliver_all()
    assert subscriptions.get(ada.subscription_id).reader_id == holder.id, "Stripe's marks move nothing back"
    assert books.faults(ada.shop) == []


def test_it_stands_in_the_ledger_with_who_and_why(ada: Ada, run) -> None:
    move(run, ada)
    (row,) = moves.of_subscription(ada.subscription_id)
    (holder,) = readers.under(RIGHT)
    assert (row.from_reader_id, row.to_reader_id, row.reason) == (ada.reader_id, holder.id, "mistyped at the till")
    last = ledger.of_reader(holder.id)[-1]
    assert (last.change, last.cause, last.cause_id, last.reader_id) == ("moved", "moved", row.id, holder.id)


@on_sqlite
def test_the_new_holder_is_mailed_a_link_once(ada: Ada, run) -> None:
    move(run, ada)
    letters = [one.read_text() for one in ada.outbox.glob("*.eml") if f"To: {RIGHT}" in one.read_text()]
    assert len(letters) == 1
    assert "/sign-in/link?token" in letters[0]
    again = move(run, ada)
    assert "there is nothing to do" in again.output
    assert len(moves.of_subscription(ada.subscription_id)) == 1


@on_sqlite
def test_it_shows_what_it_would_do_and_asks(ada: Ada, run) -> None:
    shown = run(ada.subscription_id, "--to", RIGHT, "--reason", "x", answer="n\n")
    assert shown.exit_code == 1
    states = "(at Stripe: active; access by it: active)"
    assert f"{ada.subscription_id} {states} is reader {ada.reader_id}'s. This would:" in shown.output
    assert "give it to a new reader of that address" in shown.output
    assert subscriptions.get(ada.subscription_id).reader_id == ada.reader_id
    assert readers.under(RIGHT) == []


@on_sqlite
def test_an_interrupted_move_is_whole_or_not_at_all(ada: Ada, run, monkeypatch) -> None:
    """Stripe does not answer after the move: it stays, and the command says so when it is repeated."""

    def down(*_args, **_more):
        raise StripeUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(Sync, "subscription", down)
        assert move(run, ada).exit_code == 1
    assert subscriptions.get(ada.subscription_id).reader_id == readers.under(RIGHT)[0].id
    assert "there is nothing to do" in move(run, ada).output
    ada.shop.parts.sync.subscription(ada.subscription_id, Cause("reconcile", "test"))
    assert books.faults(ada.shop) == []


@on_sqlite
def test_a_sync_that_began_before_the_move_does_not_move_it_back(ada: Ada, run, monkeypatch) -> None:
    """It looked up whose the purchase is, then waited; what is so once it may write counts."""
    move(run, ada)
    former = db.session.get_one(Reader, ada.reader_id)
    monkeypatch.setattr("paywall.billing.buyers.of", lambda _snapshot: former)
    ada.shop.parts.sync.subscription(ada.subscription_id, Cause("reconcile", "test"))
    assert subscriptions.holder_of(ada.subscription_id) == readers.under(RIGHT)[0].id


@on_sqlite
def test_what_cannot_be_moved_is_said(ada: Ada, run) -> None:
    assert "is not known here" in run("sub_unknown", "--to", RIGHT, "--reason", "x", "--yes").stderr
    assert "No reader has the id" in move(run, ada, "rdr_unknown").stderr
    assert "Please enter an e-mail address" in move(run, ada, "no@address").stderr
    gone = readers.create(None, ada.clock.now()).id
    erasures.begin(gone, "command", ada.clock.now())
    assert "is erased, or about to be" in move(run, ada, gone).stderr
    assert db.session.scalars(select(Reader.email).where(Reader.id == ada.reader_id)).all() == [NEW]


def test_an_id_that_no_column_can_hold_is_nobodys(app) -> None:
    subscription_id = make_subscription(make_reader()).id
    for made_up in ("\0", "rdr_\0", "rdr_\n"):
        save()  # what looks begins anew
        with pytest.raises(NotFound, match="No reader has the id"):
            handing.look(subscription_id, made_up, NOW)
