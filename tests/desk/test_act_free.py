"""Days free of charge, by the pages of the desk: given, made longer, ended, and each taken back."""

import threading

import pytest

from paywall.domain.days import last_day
from paywall.domain.entitlements import Reason
from paywall.storage import entitlements, grants, ledger, staff_actions
from paywall.storage.database import db
from paywall.tokens import issuer, verification
from tests.desk.acting import WHY, Acting
from tests.support.builders import make_reader, open_session, sign_in
from tests.support.marks import on_sqlite
from tests.support.shop import Shop


@pytest.fixture
def bea(shop: Shop, clock):
    """A reader who never bought anything."""
    reader = make_reader("bea@example.org", now=clock.now())
    db.session.commit()
    return reader


@pytest.fixture
def desk(shop: Shop, bea) -> Acting:
    """A colleague with the role support, with Bea's page open."""
    return Acting.on(shop, bea.id, "support")


def access(shop: Shop, reader_id: str):
    """What the reader may read now."""
    return entitlements.access_of(reader_id, shop.parts.settings.plans, shop.parts.clock.now())


def days_left(shop: Shop, reader_id: str) -> int:
    """Whole days after today."""
    zone, now = shop.parts.settings.zone, shop.parts.clock.now()
    return (last_day(access(shop, reader_id).until, zone) - now.astimezone(zone).date()).days


def test_days_are_shown_then_given_and_the_reader_gets_tokens_that_end_with_them(desk: Acting, shop: Shop, bea) -> None:
    preview = desk.look("grant", days="30")
    assert preview.status_code == 200
    assert "Nothing has been done yet" in preview.text
    assert "May not read." in preview.text
    assert "May read; access ends after" in preview.text
    assert not access(shop, bea.id).allowed, "looking gives nothing"
    answer = desk.confirm("grant", preview)
    assert answer.status_code == 303
    assert answer.location.endswith(f"/admin/desk/readers/{bea.id}")
    assert days_left(shop, bea.id) == 30
    (row,) = entitlements.of_reader(bea.id)
    assert (row.source, row.state, row.reason, row.lapse) == ("comp", "active", Reason.COMPED, Reason.COMP_OVER)
    token = issuer.issue(bea.id, open_session(bea, now=shop.parts.clock.now()), shop.parts.clock.now())
    assert token is not None
    told = desk.browser.get(f"/admin/desk/readers/{bea.id}").text
    assert "The reader reads free of charge" in told


def test_days_that_give_the_reader_nothing_more_are_told_to_be_in_vain(desk: Acting, bea) -> None:
    assert "reads as long without it" not in desk.look("grant", days="30").text
    desk.do("grant", days="30")
    assert "reads as long without it" in desk.look("grant", days="29").text
    assert "reads as long without it" not in desk.look("grant", days="31").text


def test_who_why_and_what_stand_in_the_audit_and_in_the_ledger(desk: Acting, shop: Shop, bea) -> None:
    desk.do("grant", days="30")
    (done,) = staff_actions.of_reader(bea.id)
    assert (done.action, done.role, done.reason, done.state) == ("grant", "support", WHY, "done")
    assert done.staff_id is not None
    assert done.after["grant"] == grants.of_readers([bea.id])[0].id
    (entry,) = ledger.of_reader(bea.id)
    assert (entry.change, entry.cause, entry.cause_id) == ("granted", "staff", done.id)


@on_sqlite
def test_a_confirmation_that_is_sent_again_gives_nothing_more(desk: Acting, shop: Shop, bea) -> None:
    preview = desk.look("grant", days="30")
    assert desk.confirm("grant", preview).status_code == 303
    again = desk.confirm("grant", preview)
    assert again.status_code == 409
    assert "This was done before, once." in again.text
    assert len(grants.of_readers([bea.id])) == 1


def test_one_confirmation_that_is_sent_twice_at_once_gives_once(desk: Acting, shop: Shop, bea) -> None:
    """As a double click does."""
    preview = desk.look("grant", days="30")
    answers: list[int] = []
    start = threading.Barrier(2)

    def confirm() -> None:
        with shop.app.app_context():
            start.wait(10)
            answers.append(desk.confirm("grant", preview).status_code)
            db.session.remove()

    threads = [threading.Thread(target=confirm) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) in ([303, 409], [303, 503])
    assert len(grants.of_readers([desk.reader_id])) == 1


def test_what_a_colleague_changed_meanwhile_is_shown_before_anything_is_done(desk: Acting, shop: Shop, bea) -> None:
    preview = desk.look("grant", days="30")
    Acting.on(shop, bea.id, "support").do("grant", days="10")
    answer = desk.confirm("grant", preview)
    assert answer.status_code == 409
    assert "Something has changed since this was shown." in answer.text
    assert len(grants.of_readers([bea.id])) == 1
    assert desk.confirm("grant", answer).status_code == 303, "the new preview can be confirmed"
    assert len(grants.of_readers([bea.id])) == 2


@on_sqlite
def test_a_grant_is_made_longer_ended_and_each_is_taken_back(desk: Acting, shop: Shop, bea, clock) -> None:
    desk.do("grant", days="30")
    (grant,) = grants.of_readers([bea.id])
    desk.do("extend", grant=grant.id, days="10")
    assert days_left(shop, bea.id) == 40
    extended = newest(bea.id, "extend")
    desk.do("undo", of=extended.id)
    assert days_left(shop, bea.id) == 30
    assert staff_actions.get(extended.id).undone_by == newest(bea.id, "undo").id
    desk.do("end-grant", grant=grant.id)
    assert not access(shop, bea.id).allowed
    assert entitlements.of_reader(bea.id)[0].reason == Reason.COMP_ENDED
    clock.advance(minutes=1)
    desk.do("undo", of=newest(bea.id, "end-grant").id)
    assert days_left(shop, bea.id) == 30
    clock.advance(minutes=1)
    desk.do("undo", of=newest(bea.id, "grant").id)
    assert not access(shop, bea.id).allowed
    assert [one.change for one in ledger.of_reader(bea.id)] == [
        "granted",
        "amended",
        "amended",
        "ended",
        "returned",
        "ended",
    ]


def newest(reader_id: str, action: str):
    """The newest action of a kind."""
    rows = [row for row in staff_actions.of_reader(reader_id) if row.action == action]
    return max(rows, key=lambda row: row.at)


@on_sqlite
def test_an_action_is_taken_back_once(desk: Acting, shop: Shop, bea) -> None:
    desk.do("grant", days="30")
    given = newest(bea.id, "grant")
    first, second = desk.look("undo", of=given.id), desk.look("undo", of=given.id)
    assert desk.confirm("undo", first).status_code == 303
    stopped = desk.confirm("undo", second)
    assert stopped.status_code in (400, 409)
    assert len([row for row in staff_actions.of_reader(bea.id) if row.action == "undo"]) == 1


def test_tokens_are_refused_when_free_access_is_ended(desk: Acting, shop: Shop, bea, clock) -> None:
    desk.do("grant", days="30")
    token = issuer.issue(bea.id, open_session(bea, now=clock.now()), clock.now()).token
    db.session.commit()
    desk.do("end-grant")
    shop.app.extensions.pop("paywall.verification", None)  # as a second later
    assert not verification.of_app().check(token, None, clock.now()).allowed


@on_sqlite
def test_who_reads_free_of_charge_may_buy_and_has_no_subscription_before(desk: Acting, shop: Shop, bea) -> None:
    desk.do("grant", days="30")
    subscription_id = shop.buy(shop.browser(), "bea@example.org")
    assert subscription_id.startswith("sub_")
    assert entitlements.of_source("subscription", subscription_id).state == "active"


@on_sqlite
def test_a_signed_in_reader_who_reads_free_of_charge_may_buy_and_keeps_both(
    desk: Acting, shop: Shop, bea, clock
) -> None:
    desk.do("grant", days="30")
    signed_in = shop.browser()
    sign_in(signed_in, bea, now=clock.now())
    shop.buy(signed_in, "bea@example.org")
    rows = {row.source: row for row in entitlements.of_reader(bea.id)}
    assert {source: row.state for source, row in rows.items()} == {"comp": "active", "subscription": "active"}
    before = rows["comp"].until
    desk.do("cancel-now")
    clock.advance(days=2)
    assert access(shop, bea.id).until == before, "ending one touches no other"
    assert shop.join(signed_in, "bea@example.org").status_code == 303, "and another may be bought"


@on_sqlite
def test_free_access_under_an_address_joins_whoever_proves_it(shop: Shop, clock) -> None:
    typed = make_reader("cleo@example.org", now=clock.now(), email_verified_at=None)
    db.session.commit()
    desk = Acting.on(shop, typed.id)
    desk.do("grant", days="5")
    assert days_left(shop, typed.id) == 5
    assert desk.do("sign-in-mail").status_code == 303, "a grant is enough to sign in"


@on_sqlite
def test_an_end_that_a_date_brings_needs_nobody(desk: Acting, shop: Shop, bea, clock) -> None:
    desk.do("grant", days="1")
    clock.advance(days=3)
    assert not access(shop, bea.id).allowed
    (row,) = entitlements.of_reader(bea.id)
    assert shop.parts.sync.expire(row.id)
    assert (row.state, row.reason) == ("ended", Reason.COMP_OVER)
