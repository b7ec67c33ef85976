"""What concerns the person at the desk: mails, signing out, a copy of the data, erasing, a purchase that moves."""

import json

import pytest

from paywall.billing.stripe_gateway import StripeGateway, StripeRefused, StripeUnavailable
from paywall.storage import entitlements, erasures, readers, staff_actions, subscriptions
from paywall.storage import sessions as session_rows
from paywall.storage.database import db
from paywall.storage.models import Reader
from paywall.tokens import verification
from tests.desk.acting import WHY, Acting
from tests.people.conftest import ada, outbox, shop
from tests.people.life import NEW, Ada
from tests.support import books
from tests.support.builders import make_reader
from tests.support.marks import on_sqlite
from tests.support.shop import Shop

__all__ = ["ada", "outbox", "shop"]  # fixtures

RIGHT = "countess@example.org"

pytestmark = on_sqlite


@pytest.fixture
def desk(ada: Ada) -> Acting:
    """A colleague with the role admin."""
    return Acting.on(ada.shop, ada.reader_id)


def letters_to(ada: Ada, address: str) -> list[str]:
    """The letters that left."""
    found = [one.read_text() for one in sorted(ada.outbox.glob("*.eml"))]
    return [one for one in found if f"To: {address}" in one]


def newest(ada: Ada, action: str):
    """The newest action of a kind."""
    db.session.expire_all()
    return next(row for row in staff_actions.of_reader(ada.reader_id) if row.action == action)


def test_the_sign_in_mail_leaves_at_once_and_only_so_often(desk: Acting, ada: Ada) -> None:
    before = len(letters_to(ada, NEW))
    desk.do("sign-in-mail")
    assert "/sign-in/link?token" in letters_to(ada, NEW)[-1]
    desk.do("sign-in-mail")
    desk.do("sign-in-mail")
    assert len(letters_to(ada, NEW)) > before
    stopped = desk.form("sign-in-mail")
    assert stopped.status_code == 409
    assert "3 such mails left within an hour." in stopped.text


def test_a_mailbox_gets_no_more_of_them_by_other_readers_who_gave_its_address(desk: Acting, ada: Ada, clock) -> None:
    for _ in range(3):
        desk.do("export-mail")
    namesake = readers.create(NEW, clock.now())
    stopped = Acting(desk.shop, desk.browser, namesake.id).form("export-mail")
    assert (stopped.status_code, "3 such mails left within an hour." in stopped.text) == (409, True)


def test_signing_out_ends_every_session_and_every_token(desk: Acting, ada: Ada, clock) -> None:
    assert ada.browser.get("/account").status_code == 200
    desk.do("sign-out")
    assert session_rows.live_of(ada.reader_id, clock.now()) == []
    assert ada.browser.get("/account").status_code == 303
    ada.shop.app.extensions.pop("paywall.verification", None)  # as a second later
    assert not verification.of_app().check(ada.token, None, clock.now()).allowed
    plans = ada.shop.parts.settings.plans
    assert entitlements.access_of(ada.reader_id, plans, clock.now()).allowed, "what was bought stays"


def test_a_copy_of_the_data_is_downloaded_and_that_is_noted(desk: Acting, ada: Ada) -> None:
    answer = desk.confirm("export", desk.look("export"))
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{ada.reader_id}.json"'
    assert "no-store" in answer.headers["Cache-Control"]
    told = json.loads(answer.text)["sections"]
    assert told["account"]["entries"][0]["address"] == NEW
    assert told["what staff did"]["entries"][0]["why"] == WHY
    assert newest(ada, "export").state == "done"


def test_the_way_to_a_copy_is_mailed_to_the_reader_alone(desk: Acting, ada: Ada) -> None:
    desk.do("export-mail")
    assert len(letters_to(ada, NEW)) >= 1
    assert newest(ada, "export-mail").state == "done"


def test_erasing_ends_forgets_and_keeps_the_act_without_its_reason(desk: Acting, ada: Ada, clock) -> None:
    desk.do("grant", days="30")
    preview = desk.look("erase")
    assert f"{ada.subscription_id} ends at Stripe" in preview.text
    assert desk.confirm("erase", preview, typed=ada.reader_id).status_code == 303
    assert db.session.get_one(Reader, ada.reader_id).email is None
    assert erasures.of_reader(ada.reader_id).stage == erasures.DONE
    free = next(row for row in entitlements.of_reader(ada.reader_id) if row.source == "comp")
    assert (free.state, free.reason) == ("ended", "comp_ended")
    assert subscriptions.get(ada.subscription_id).status == "canceled"
    done = newest(ada, "erase")
    assert (done.state, done.reason) == ("done", None)
    assert newest(ada, "grant").reason is None
    assert books.faults(ada.shop) == []


@pytest.mark.parametrize("fault", [StripeUnavailable(), StripeRefused("resource_locked")], ids=["away", "refused"])
def test_erasing_goes_on_by_itself_when_stripe_does_not_do_its_part(
    fault: Exception, desk: Acting, ada: Ada, clock, monkeypatch
) -> None:
    preview = desk.look("erase")

    def away(*_args: object, **_options: object) -> None:
        raise fault

    with monkeypatch.context() as outage:
        outage.setattr(StripeGateway, "fetch_subscription", away)
        outage.setattr(StripeGateway, "expire_checkout", away)
        assert desk.confirm("erase", preview, typed=ada.reader_id).status_code == 303
    assert erasures.of_reader(ada.reader_id).stage != erasures.DONE
    assert newest(ada, "erase").state == "done", "staff have done their part"
    assert session_rows.live_of(ada.reader_id, clock.now()) == [], "access ended at once"
    erasure_id = erasures.of_reader(ada.reader_id).id
    db.session.commit()
    ada.carry_on(erasure_id)
    assert erasures.of_reader(ada.reader_id).stage == erasures.DONE


def test_staff_are_not_erased_while_they_have_a_role(shop: Shop, clock) -> None:
    other = make_reader("colleague@example.org", role="analyst", now=clock.now())
    db.session.commit()
    stopped = Acting.on(shop, other.id).form("erase")
    assert stopped.status_code == 409
    assert "Take the role away first." in stopped.text


def test_a_purchase_moves_to_an_address_and_back(desk: Acting, ada: Ada, clock) -> None:
    preview = desk.look("move", to=RIGHT)
    assert "(at Stripe: active; access by it: active) goes to a new reader of that address" in preview.text
    assert desk.confirm("move", preview).status_code == 303
    (holder,) = readers.under(RIGHT)
    assert subscriptions.get(ada.subscription_id).reader_id == holder.id
    assert len(letters_to(ada, RIGHT)) == 1
    done = newest(ada, "move")
    assert (done.before["reader"], done.after["reader"]) == (ada.reader_id, holder.id)
    assert RIGHT not in json.dumps([done.before, done.after]), "no address in the audit"
    desk.do("undo", of=done.id)
    assert subscriptions.holder_of(ada.subscription_id) == ada.reader_id
    assert newest(ada, "move").undone_by == newest(ada, "undo").id
    assert books.faults(ada.shop) == []


@pytest.mark.parametrize("to", ["", "rdr_nobody", "not an address@", NEW])
def test_a_purchase_moves_to_nobody_who_is_not_named_well(desk: Acting, to: str) -> None:
    answer = desk.look("move", to=to)
    assert answer.status_code == 400
    assert 'id="to-fault"' in answer.text


def test_a_move_that_was_interrupted_after_it_is_gone_on_with(desk: Acting, ada: Ada, monkeypatch) -> None:
    real = type(ada.shop.parts.sync).subscription
    left = [1]

    def once(self, *args: object) -> object:
        if left:
            left.pop()
            raise StripeUnavailable
        return real(self, *args)

    monkeypatch.setattr(type(ada.shop.parts.sync), "subscription", once)
    waits = desk.confirm("move", desk.look("move", to=RIGHT))
    assert waits.status_code == 503
    assert desk.finish("move", newest(ada, "move").id).status_code == 303
    (holder,) = readers.under(RIGHT)
    assert subscriptions.holder_of(ada.subscription_id) == holder.id
    assert newest(ada, "move").state == "done"
    assert len(letters_to(ada, RIGHT)) == 1
