"""Whom a colleague may not act on: themselves under whatever number, and who may more than they do."""

import pytest
from flask.testing import FlaskClient

from paywall.caring import bounds
from paywall.caring.actions import ACTIONS
from paywall.caring.shapes import SomebodyElse, Who
from paywall.domain.roles import Role
from paywall.storage import aliases, grants, staff_actions, subscriptions
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.desk.acting import WHY, Acting
from tests.support.builders import make_reader, make_subscription, save
from tests.support.colleagues import colleague
from tests.support.forms import form_of
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

OWN = "This is your own account, and nobody acts on their own."


def who(reader: Reader) -> Who:
    return Who(reader.id, reader.role, None)


@pytest.fixture
def sue(app, clock) -> Reader:
    """Somebody of the service desk."""
    return make_reader("sue@example.org", role="support", now=clock.now())


@pytest.fixture
def browser(app) -> FlaskClient:
    """The browser of somebody else there."""
    return colleague(app, "support", "tom@example.org")


def tom() -> Reader:
    return db.session.scalars(db.select(Reader).where(Reader.email_normalised == "tom@example.org")).one()


def test_nobody_acts_on_themselves_by_any_form_of_any_action(app, browser) -> None:
    own = Acting(app, browser, tom().id)
    other = make_reader("ada@example.org")
    save()
    token = {"csrf_token": form_of(Acting(app, browser, other.id).form("sign-out").text)["csrf_token"]}
    for name in ACTIONS:
        assert own.form(name).status_code == 403, name
        assert own.send(name, "", {**token, "reason": WHY, "days": "3"}).status_code == 403, name
    assert OWN in own.form("grant").text
    assert "Ask a colleague at the service desk." in own.form("grant").text
    assert grants.of_readers([own.reader_id]) == []


def test_a_number_of_before_a_joining_is_the_same_person(app, browser, clock) -> None:
    old = make_reader(None)
    aliases.add(old.id, tom().id, clock.now())
    save()
    assert OWN in Acting(app, browser, old.id).form("grant").text


def test_who_was_joined_to_another_reader_is_that_one(sue, clock) -> None:
    standing = make_reader(None)
    aliases.add(sue.id, standing.id, clock.now())
    with pytest.raises(SomebodyElse):
        bounds.check(who(sue), standing)


def test_an_account_that_only_typed_the_same_address_counts_as_ones_own(sue) -> None:
    with pytest.raises(SomebodyElse):
        bounds.check(who(sue), make_reader("Sue@example.org", email_verified_at=None))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("theirs", [None, *Role])
def test_a_role_acts_on_whoever_may_not_more(app, role: Role, theirs: Role | None) -> None:
    me, them = make_reader(role=role), make_reader(role=theirs)
    if theirs is None or [*Role].index(theirs) <= [*Role].index(role):
        bounds.check(who(me), them)
        return
    with pytest.raises(SomebodyElse, match=rf"with the role {theirs}\. Ask somebody with that role\."):
        bounds.check(who(me), them)


def test_a_command_on_the_server_is_bound_by_nothing(app) -> None:
    bounds.check(Who(None, "command", None), make_reader(role="admin"))


def test_an_admin_is_told_that_another_one_or_the_server_does_it(app) -> None:
    boss = make_reader(role="admin")
    with pytest.raises(SomebodyElse, match=r"another colleague with the role admin; .* commands on the server"):
        bounds.check(who(boss), boss)


def test_support_signs_no_admin_out_but_may_look(app, browser) -> None:
    boss = make_reader("boss@example.org", role="admin")
    save()
    assert Acting(app, browser, boss.id).form("sign-out").status_code == 403
    assert browser.get(f"/admin/desk/readers/{boss.id}").status_code == 200


def test_a_role_that_was_given_after_the_preview_counts(app, browser) -> None:
    ada = make_reader("ada@example.org")
    save()
    desk = Acting(app, browser, ada.id)
    preview = desk.look("sign-out")
    db.session.get_one(Reader, ada.id).role = "admin"
    assert desk.confirm("sign-out", preview).status_code == 403
    assert staff_actions.of_reader(ada.id) == []


def test_nobody_moves_a_purchase_to_themselves_or_to_an_admin(app, browser) -> None:
    make_reader("boss@example.org", role="admin")
    row = make_subscription()
    save()
    desk = Acting(app, browser, row.reader_id)
    for to in ("tom@example.org", tom().id, "boss@example.org"):
        answer = desk.look("move", to=to)
        assert (answer.status_code, "Ask " in answer.text) == (403, True), to
    assert subscriptions.holder_of(row.id) == desk.reader_id


def test_nobody_takes_a_purchase_back_from_themselves_or_from_an_admin(app, browser, clock) -> None:
    """By undoing the move that brought it."""
    ada, boss = make_reader("ada@example.org"), make_reader("boss@example.org", role="admin")
    row = make_subscription(boss)
    moved = staff_actions.note(
        staff_id=boss.id,
        role="admin",
        action="move",
        subject_id=ada.id,
        reason=WHY,
        now=clock.now(),
        thing=row.id,
        before={"reader": ada.id},
        after={"reader": boss.id},
    )
    save()
    assert Acting(app, browser, ada.id).look("undo", of=moved).status_code == 403
    assert Acting.on(app, ada.id, "admin").look("undo", of=moved).status_code == 200
