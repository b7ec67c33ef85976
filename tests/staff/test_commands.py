"""The commands about staff: given, listed, taken, reset on the server, each noted."""

import pytest
from click.testing import Result

from paywall.domain.roles import Role
from paywall.storage import factors, staff
from paywall.storage.database import db
from paywall.storage.staff_actions import StaffAction
from tests.mail.stories import sent
from tests.support.builders import make_reader, save
from tests.support.colleagues import pass_factor
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


def run(app, *words: str) -> Result:
    db.session.commit()
    return app.test_cli_runner().invoke(args=["paywall", "staff", *words])


def test_who_is_added_without_a_role_may_see_figures_alone(app) -> None:
    assert run(app, "add", "sue@example.org").exit_code == 0
    assert [row.role for row in staff.under("sue@example.org")] == [Role.ANALYST]


@pytest.mark.parametrize("role", ["analyst", "support", "admin"])
def test_a_role_is_given_and_replaced(app, role: str) -> None:
    run(app, "add", "sue@example.org", "--role", "support")
    result = run(app, "add", "sue@example.org", "--role", role)
    assert f"sue@example.org is staff: {role}." in result.output
    assert run(app, "list").output == f"sue@example.org  {role}  (has not signed in yet)\n"


def test_who_is_added_on_the_server_is_told_by_mail(app, monkeypatch) -> None:
    with sent(monkeypatch) as letters:
        run(app, "add", "sue@example.org")
    (letter,) = letters
    assert "whoever runs the service of" in letter.text
    assert "Your role is analyst" in letter.text


def test_an_unknown_role_is_refused(app) -> None:
    result = run(app, "add", "sue@example.org", "--role", "owner")
    assert (result.exit_code, staff.everyone()) == (2, [])


def test_the_last_admin_may_be_removed_on_the_server_but_is_not_made_less_by_an_invitation(app) -> None:
    run(app, "add", "boss@example.org", "--role", "admin")
    less = run(app, "add", "boss@example.org")
    assert (less.exit_code, "Make somebody else admin first" in less.output) == (1, True)
    assert run(app, "remove", "boss@example.org").exit_code == 0
    assert staff.everyone() == []


def test_a_lost_factor_is_reset(app, clock) -> None:
    sue = make_reader("sue@example.org", role=Role.SUPPORT, now=clock.now())
    save()
    pass_factor(sue, clock.now())
    assert run(app, "list").output == "sue@example.org  support  (has signed in by mail, second factor)\n"
    assert run(app, "reset-factor", "SUE@example.org").exit_code == 0
    assert factors.get(sue.id) is None
    again = run(app, "reset-factor", "sue@example.org")
    assert (again.exit_code, "there is nothing to reset" in again.output) == (1, True)


def test_what_is_done_on_the_server_is_noted_too(app, clock) -> None:
    run(app, "add", "sue@example.org")
    run(app, "remove", "sue@example.org")
    rows = db.session.scalars(db.select(StaffAction).order_by(StaffAction.at, StaffAction.id)).all()
    assert {(row.action, row.role, row.staff_id) for row in rows} == {("role-changed", "command", None)}
    assert sorted(str(row.after) for row in rows) == ["{'role': 'analyst'}", "{'role': None}"]
