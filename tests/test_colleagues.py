"""Staff are let in for as long as they proved who they are, each by their role."""

import pytest

from paywall.domain.roles import Role
from tests.support.browsers import browser
from tests.support.builders import make_reader, sign_in
from tests.support.colleagues import colleague
from tests.support.forms import form_of
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


@pytest.mark.parametrize("role", Role)
def test_every_role_opens_the_overview(app, role: Role) -> None:
    assert colleague(app, role).get("/admin/").status_code == 200


def test_the_rights_of_staff_end_eight_hours_after_signing_in_however_busy_they_are(app, clock) -> None:
    client = colleague(app)
    for _ in range(16):
        clock.advance(minutes=29)
        assert client.get("/admin/staff").status_code == 200
    clock.advance(minutes=16)
    answer = client.get("/admin/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?return_to=/admin/")


def test_the_rights_of_staff_rest_after_half_an_hour_without_a_request(app, clock) -> None:
    client = colleague(app)
    clock.advance(minutes=29)
    assert client.get("/admin/").status_code == 200
    clock.advance(minutes=29, seconds=59)
    assert client.get("/admin/").status_code == 200
    clock.advance(minutes=31)
    assert client.get("/admin/").status_code == 303


def test_who_must_sign_in_again_is_told_why_and_need_not_type_the_address(app, clock) -> None:
    client = colleague(app, "support", "sue@example.org")
    clock.advance(hours=9)
    page = client.get(client.get("/admin/").headers["Location"]).text
    assert "The pages for staff want a new sign-in" in page
    assert 'value="sue@example.org"' in page
    assert "Go on" not in page


@pytest.mark.parametrize(
    ("came", "back"),
    [
        ("https://pay.test/admin/staff/rdr_1?a=b", "/admin/staff/rdr_1?a%3Db"),
        ("https://evil.example/admin/staff", "/admin/"),
        ("https://pay.test/account", "/admin/"),
        ("", "/admin/"),
    ],
)
def test_who_sends_a_form_too_late_is_led_back_to_its_page(app, clock, came: str, back: str) -> None:
    client = colleague(app)
    token = form_of(client.get("/sign-in").text)["csrf_token"]
    clock.advance(hours=9)
    app.config["WTF_CSRF_SSL_STRICT"] = False
    answer = client.post("/admin/staff/rdr_1/remove", data={"csrf_token": token}, headers={"Referer": came})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/sign-in?return_to={back}")


def test_the_session_of_the_reader_goes_on_without_the_rights_of_staff(app, clock) -> None:
    client = colleague(app)
    clock.advance(hours=9)
    assert client.get("/admin/").status_code == 303
    assert client.get("/account").status_code == 200


def test_a_role_that_was_taken_away_is_gone_at_the_next_request(app, clock) -> None:
    reader, client = make_reader(role=Role.SUPPORT, now=clock.now()), browser(app)
    sign_in(client, reader, now=clock.now())
    assert client.get("/admin/").status_code == 200
    reader.role = None
    app.extensions["sqlalchemy"].session.commit()
    assert client.get("/admin/").status_code == 403
