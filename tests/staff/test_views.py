"""The page of who is staff: admins alone change it, with a reason, soon after they proved who they are."""

import pytest
from flask.testing import FlaskClient

from paywall.storage import factors, staff, staff_actions
from paywall.storage.database import db
from paywall.storage.models import Reader
from paywall.storage.staff_actions import StaffAction
from tests.mail.stories import sent
from tests.support.browsers import browser
from tests.support.builders import make_reader, save, sign_in
from tests.support.colleagues import colleague, pass_factor
from tests.support.marks import on_sqlite
from tests.support.shop import referer

pytestmark = on_sqlite

PAGE = "/admin/staff"


@pytest.fixture
def boss(app) -> FlaskClient:
    """The browser of an admin."""
    return colleague(app, "admin", "boss@example.org")


@pytest.fixture
def sue(app, clock) -> Reader:
    """Somebody of the service desk, with a second factor."""
    reader = make_reader("sue@example.org", role="support", now=clock.now())
    save()
    pass_factor(reader, clock.now())
    return reader


def send(client: FlaskClient, path: str, **fields: str):
    """Sends a form of the page."""
    page = client.get(PAGE).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    return client.post(path, data={"csrf_token": token, "reason": "Asked by the desk.", **fields}, headers=referer())


def noted() -> list[tuple[str, str | None, dict, dict]]:
    """What was noted, the oldest first."""
    rows = db.session.scalars(db.select(StaffAction).order_by(StaffAction.at, StaffAction.id))
    return [(row.action, row.reason, row.before, row.after) for row in rows]


def role_of(reader: Reader) -> str | None:
    return db.session.get(Reader, reader.id, populate_existing=True).role


def test_the_list_names_everybody_with_role_and_second_factor(boss, sue) -> None:
    page = boss.get(PAGE).text
    assert page.index("boss@example.org") < page.index("sue@example.org")
    assert "support" in page
    assert page.count("set up") == 2


def test_an_invited_address_has_the_role_and_is_told_where_to_sign_in(app, boss) -> None:
    answer = send(boss, PAGE, email="New@Example.org", role="analyst")
    assert answer.status_code == 303
    page = boss.get(answer.headers["Location"]).text
    assert "New@example.org is analyst now" in page
    assert "https://pay.test/sign-in?return_to=/admin/" in page
    assert [row.role for row in staff.under("new@example.org")] == ["analyst"]
    assert noted() == [("role-changed", "Asked by the desk.", {"role": None}, {"role": "analyst"})]


def test_who_is_invited_is_told_by_one_letter_who_did_it_and_where_to_sign_in(app, boss, monkeypatch) -> None:
    with sent(monkeypatch) as letters:
        for role in ("analyst", "analyst", "support"):
            send(boss, PAGE, email="new@example.org", role=role)
    (letter,) = letters
    assert (letter.kind, letter.to) == ("invited", "new@example.org")
    for part in (letter.text, letter.html):
        assert "a colleague with the role admin" in part
        assert "Your role is analyst" in part
        assert "https://pay.test/sign-in?return_to=/admin/" in part
        assert "boss@example.org" not in part


def test_who_was_removed_may_be_invited_again(app, boss, monkeypatch) -> None:
    with sent(monkeypatch) as letters:
        send(boss, PAGE, email="new@example.org", role="analyst")
        (member,) = staff.under("new@example.org")
        send(boss, f"{PAGE}/{member.id}/remove")
        send(boss, PAGE, email="new@example.org", role="admin")
    assert ["Your role is admin" in one.text for one in letters] == [False, True]


def test_whoever_has_a_role_is_not_invited_to_another(app, boss, sue, monkeypatch) -> None:
    with sent(monkeypatch) as letters:
        send(boss, PAGE, email="sue@example.org", role="admin")
    assert letters == []


def test_another_role_counts_at_once(app, boss, sue) -> None:
    assert send(boss, f"{PAGE}/{sue.id}/role", role="admin").status_code == 303
    assert role_of(sue) == "admin"
    assert noted() == [("role-changed", "Asked by the desk.", {"role": "support"}, {"role": "admin"})]


def test_the_audit_row_says_who_whom_and_when(app, boss, sue, clock) -> None:
    send(boss, f"{PAGE}/{sue.id}/role", role="analyst")
    (row,) = staff_actions.of_reader(sue.id)
    admin = staff.under("boss@example.org")[0]
    assert (row.staff_id, row.role, row.at) == (admin.id, "admin", clock.now())
    assert "@" not in f"{row.before}{row.after}"


def test_who_is_removed_has_neither_role_nor_second_factor(app, boss, sue) -> None:
    assert send(boss, f"{PAGE}/{sue.id}/remove").status_code == 303
    assert role_of(sue) is None
    assert factors.get(sue.id) is None
    assert boss.get(f"{PAGE}/{sue.id}").status_code == 404


def test_a_second_factor_is_reset(app, boss, sue) -> None:
    assert "Reset the second factor" in boss.get(f"{PAGE}/{sue.id}").text
    assert send(boss, f"{PAGE}/{sue.id}/reset-factor").status_code == 303
    assert factors.get(sue.id) is None
    assert role_of(sue) == "support"
    assert send(boss, f"{PAGE}/{sue.id}/reset-factor").status_code == 409


def test_a_reset_signs_the_browsers_out(app, boss, sue, clock) -> None:
    """Else whoever found the lost one might set the next factor up first."""
    lost = browser(app)
    sign_in(lost, sue, now=clock.now())
    assert send(boss, f"{PAGE}/{sue.id}/reset-factor").status_code == 303
    assert lost.get("/account").status_code == 303
    assert lost.get("/admin/second-factor").status_code == 303


@pytest.mark.parametrize("taken", ["remove", "reset-factor"])
def test_what_was_proved_by_an_old_factor_does_not_count_for_a_new_one(app, boss, sue, clock, taken: str) -> None:
    old = browser(app)
    sign_in(old, sue, now=clock.now())
    pass_factor(sue, clock.now())
    assert old.get("/admin/").status_code == 200
    send(boss, f"{PAGE}/{sue.id}/{taken}")
    send(boss, PAGE, email="sue@example.org", role="admin")
    factors.begin(sue.id, "of another app, opens nothing", clock.now())
    factors.confirm(sue.id, clock.now())
    db.session.commit()
    assert old.get("/admin/").status_code == 303


@pytest.mark.parametrize(("action", "fields"), [("role", {"role": "support"}), ("remove", {})])
def test_the_last_admin_stays(app, boss, action: str, fields: dict[str, str]) -> None:
    (admin,) = staff.under("boss@example.org")
    answer = send(boss, f"{PAGE}/{admin.id}/{action}", **fields)
    assert (answer.status_code, "Make somebody else admin first" in answer.text) == (409, True)
    invited = send(boss, PAGE, email="boss@example.org", role="analyst")
    assert invited.status_code == 409
    assert role_of(admin) == "admin"
    assert noted() == []


def test_an_admin_may_go_where_another_stays(app, boss, sue) -> None:
    (admin,) = staff.under("boss@example.org")
    send(boss, f"{PAGE}/{sue.id}/role", role="admin")
    assert send(boss, f"{PAGE}/{admin.id}/remove").status_code == 303
    assert boss.get(PAGE).status_code == 403


@pytest.mark.parametrize("reason", ["", "  ", "x", "y" * 501, "no\x00body"])
def test_nothing_is_done_without_a_reason(app, boss, sue, reason: str) -> None:
    for path in (f"{PAGE}/{sue.id}/role", f"{PAGE}/{sue.id}/remove", f"{PAGE}/{sue.id}/reset-factor", PAGE):
        answer = send(boss, path, reason=reason, role="admin", email="sue@example.org")
        assert (answer.status_code, "Say in a few words why" in answer.text) == (400, True), path
    assert (role_of(sue), noted()) == ("support", [])


@pytest.mark.parametrize("role", ["", "owner", "Admin", "admin "])
def test_what_is_no_role_is_refused_with_what_was_typed(app, boss, sue, role: str) -> None:
    answer = send(boss, PAGE, email="new@example.org", role=role)
    assert (answer.status_code, 'value="new@example.org"' in answer.text) == (400, True)
    assert send(boss, f"{PAGE}/{sue.id}/role", role=role).status_code == 400


def test_an_address_or_a_reason_brings_no_script_along(app, boss, sue) -> None:
    spiked = '"><script>alert(1)</script>'
    page = send(boss, PAGE, email=spiked, role="analyst", reason=spiked)
    assert page.status_code == 400
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("action", ["role", "remove", "reset-factor"])
def test_a_proof_that_is_too_old_is_asked_for_again(app, boss, sue, clock, action: str) -> None:
    clock.advance(minutes=11)
    answer = send(boss, f"{PAGE}/{sue.id}/{action}", role="admin")
    assert (answer.status_code, "Code from your app" in answer.text) == (403, True)
    assert (role_of(sue), noted()) == ("support", [])


def test_reloads_lead_to_the_member(app, boss, sue) -> None:
    assert boss.get(f"{PAGE}/{sue.id}/remove").headers["Location"] == f"{PAGE}/{sue.id}"


def test_a_reader_is_nobody_of_the_staff(app, boss, clock) -> None:
    reader = make_reader("ada@example.org", now=clock.now())
    save()
    assert boss.get(f"{PAGE}/{reader.id}").status_code == 404
    assert send(boss, f"{PAGE}/{reader.id}/role", role="admin").status_code == 404
    assert role_of(reader) is None
