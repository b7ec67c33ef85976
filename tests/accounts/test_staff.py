"""The staff commands, and what they open."""

import pytest
from click.testing import Result

from paywall.storage import readers
from paywall.storage.database import db
from tests.accounts.door import Door


def run(door: Door, *words: str) -> Result:
    return door.app.test_cli_runner().invoke(args=["paywall", "staff", *words])


def test_added_staff_sign_in_by_mail_and_may_open_the_reports(door: Door) -> None:
    result = run(door, "add", "Sue@Example.com")
    assert result.exit_code == 0, result.output
    assert "Sue@example.com" in result.output
    assert "https://pay.test/sign-in?return_to=/admin/" in result.output
    browser = door.browser()
    answer = browser.use(door.mailed_link("sue@example.com", "/admin/"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/")
    assert browser.get("/admin/").status_code == 200


def test_a_subscriber_who_becomes_staff_keeps_the_subscription(door: Door) -> None:
    reader_id = door.subscriber("ada@example.com")
    assert run(door, "add", "ada@example.com").exit_code == 0
    with door.app.app_context():
        assert readers.to_sign_in("ada@example.com", lambda _: False).id == reader_id
    browser = door.signed_in("ada@example.com")
    assert "renews at $100" in browser.get("/account").text
    assert browser.get("/admin/").status_code == 200


def test_adding_twice_changes_nothing(door: Door) -> None:
    run(door, "add", "sue@example.com")
    run(door, "add", "SUE@example.com")
    assert run(door, "list").output.splitlines() == ["sue@example.com  analyst  (has not signed in yet)"]


def test_the_list_tells_who_has_signed_in(door: Door) -> None:
    run(door, "add", "zoe@example.com")
    run(door, "add", "sue@example.com")
    door.signed_in("zoe@example.com")
    assert run(door, "list").output.splitlines() == [
        "sue@example.com  analyst  (has not signed in yet)",
        "zoe@example.com  analyst  (has signed in by mail)",
    ]


def test_removed_staff_are_shut_out_at_once(door: Door) -> None:
    run(door, "add", "sue@example.com")
    browser = door.signed_in("sue@example.com")
    assert browser.get("/admin/").status_code == 200
    assert run(door, "remove", "sue@example.com").exit_code == 0
    assert browser.get("/admin/").status_code == 403
    assert run(door, "list").output == ""


@pytest.mark.parametrize("command", ["add", "remove"])
def test_what_is_no_address_gets_one_clear_line(door: Door, command: str) -> None:
    result = run(door, command, "sue")
    assert result.exit_code == 1
    assert result.output.startswith("Error: Please enter an e-mail address")


def test_removing_nobody_fails(door: Door) -> None:
    door.subscriber("ada@example.com")
    result = run(door, "remove", "ada@example.com")
    assert (result.exit_code, "nobody with this address is staff" in result.output) == (1, True)


def test_a_session_that_a_payment_opened_is_not_enough_for_staff(door: Door) -> None:
    """Paying under a staff address proves no mailbox."""
    door.staff("sue@example.com")
    browser = door.signed_in("sue@example.com")
    with door.app.app_context():
        db.session.execute(db.text("UPDATE reader_sessions SET method = 'checkout'"))
        db.session.commit()
    assert browser.get("/admin/").status_code == 403
