"""Another app in place of the one that somebody has: after a proof by that, with new recovery codes, in one step."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from paywall import second_factor
from paywall.second_factor import SetUpOver
from paywall.storage import factors, staff_actions
from paywall.storage.database import db
from tests.staff.conftest import signed_in
from tests.support.authenticator import DOOR, App, enter, send
from tests.support.builders import make_reader
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import referer

pytestmark = on_sqlite


def begin(client: FlaskClient) -> tuple[App, str]:
    """The other app, and what the page holds sealed."""
    page = send(client, f"{DOOR}/change")
    assert page.status_code == 200, page.text
    shown = re.search(r'<code class="secret">(.*?)</code>', page.text)[1]
    return App(re.sub(r"</?span>", "", shown)), form_of(page.text)["sealed"]


def finish(client: FlaskClient, sealed: str, code: str) -> TestResponse:
    return send(client, f"{DOOR}/changed", sealed=sealed, new_code=code)


def test_the_page_offers_it(client, kit) -> None:
    assert "Set up another app" in client.get(DOOR).text


def test_the_new_apps_first_code_ends_the_old_app_and_its_recovery_codes(app, client, kit, clock, sue) -> None:
    old, codes = kit
    new, sealed = begin(client)
    done = finish(client, sealed, new.code(clock.now()))
    assert (done.status_code, done.text.count("<li><code>")) == (200, 10)
    assert "Your new app counts from now on." in done.text
    assert client.get("/admin/").status_code == 200, "who changed it goes on"
    clock.advance(minutes=1)
    other = signed_in(app, sue, clock)
    assert [enter(other, code).status_code for code in (old.code(clock.now()), codes[0])] == [403, 403]
    assert enter(other, new.code(clock.now())).status_code == 303
    fresh = re.search(r"<li><code>([A-Z2-7-]+)</code>", done.text)[1]
    assert enter(signed_in(app, sue, clock), fresh).status_code == 303


def test_until_then_the_old_app_counts(app, client, kit, clock, sue) -> None:
    new, _ = begin(client)
    assert enter(signed_in(app, sue, clock), new.code(clock.now())).status_code == 403
    assert enter(signed_in(app, sue, clock), kit[0].code(clock.now())).status_code == 303


def test_the_first_code_is_used_up(app, client, kit, clock, sue) -> None:
    new, sealed = begin(client)
    code = new.code(clock.now())
    finish(client, sealed, code)
    assert enter(signed_in(app, sue, clock), code).status_code == 403


def test_a_wrong_code_changes_nothing_and_shows_the_same_secret(app, client, kit, clock, sue) -> None:
    _, sealed = begin(client)
    for code in ("000000", "", "abcdef", kit[0].code(clock.now())):
        wrong = finish(client, sealed, code)
        assert (wrong.status_code, form_of(wrong.text)["sealed"]) == (403, sealed)
    assert "That is not a code of the new app" in wrong.text
    assert enter(signed_in(app, sue, clock), kit[0].code(clock.now())).status_code == 303


def test_an_old_proof_is_asked_for_anew_by_the_old_app_or_a_recovery_code(client, kit, clock) -> None:
    for code in (lambda: kit[0].code(clock.now()), lambda: kit[1][0]):
        clock.advance(minutes=11)
        asked = send(client, f"{DOOR}/change")
        assert (asked.status_code, "Is it you?" in asked.text) == (403, True)
        typed = {**form_of(asked.text), "factor_code": code()}
        page = client.post(f"{DOOR}/change", data=typed, headers=referer())
        assert (page.status_code, "Set up another app" in page.text) == (200, True)


def test_a_proof_that_grew_old_on_the_page_is_asked_for_before_anything_is_changed(client, kit, clock, sue) -> None:
    new, sealed = begin(client)
    clock.advance(minutes=11)
    asked = finish(client, sealed, new.code(clock.now()))
    assert (asked.status_code, "Is it you?" in asked.text) == (403, True)
    typed = {**form_of(asked.text), "factor_code": new.code(clock.now())}
    refused = client.post(f"{DOOR}/changed", data=typed, headers=referer())
    assert (refused.status_code, "Is it you?" in refused.text) == (403, True), "the new app proves nothing yet"
    typed = {**form_of(refused.text), "factor_code": kit[0].code(clock.now())}
    assert client.post(f"{DOOR}/changed", data=typed, headers=referer()).text.count("<li><code>") == 10


def test_what_other_browsers_had_proved_counts_no_more(app, client, kit, clock, sue) -> None:
    other = signed_in(app, sue, clock)
    enter(other, kit[0].code(clock.now()))
    assert other.get("/admin/").status_code == 200
    new, sealed = begin(client)
    finish(client, sealed, new.code(clock.now()))
    assert other.get("/admin/").headers["Location"].startswith(DOOR)


def test_a_mailbox_alone_changes_nothing(app, client, kit, clock, sue) -> None:
    intruder = signed_in(app, sue, clock)
    _, sealed = begin(client)
    for path in ("change", "changed"):
        assert send(intruder, f"{DOOR}/{path}", sealed=sealed, new_code="123456").status_code == 403


def test_a_form_that_was_left_open_or_forged_changes_nothing(client, kit, clock, sue) -> None:
    (first, left), (second, sealed) = begin(client), begin(client)
    assert finish(client, sealed, second.code(clock.now())).status_code == 200
    for stale in (left, sealed, "", "A" * 60, "é"):
        assert finish(client, stale, first.code(clock.now())).status_code in (400, 409), stale
    assert factors.recovery_left(sue.id) == 10


def test_what_is_sealed_for_one_is_nothing_to_another(client, kit, clock, sue) -> None:
    other = make_reader(role="admin", now=clock.now())
    theirs = App(second_factor.begin(other, clock.now()).secret)
    second_factor.confirm(other, theirs.secret, theirs.code(clock.now()), clock.now())
    made, sealed = second_factor.begin_change(sue)
    with pytest.raises(SetUpOver):
        second_factor.change(other, sealed, App(made.secret).code(clock.now()), clock.now())


def test_it_is_noted_without_secret_or_code(client, kit, clock, sue) -> None:
    new, sealed = begin(client)
    finish(client, sealed, new.code(clock.now()))
    (row,) = staff_actions.of_reader(sue.id)
    assert (row.action, row.staff_id, row.role) == ("second-factor-changed", sue.id, "admin")
    assert (row.before, row.after) == ({}, {})
    assert new.secret not in str(db.session.execute(db.select(factors.SecondFactor.secret)).all())


def test_who_has_none_is_led_to_the_page(client) -> None:
    answer = send(client, f"{DOOR}/change")
    assert (answer.status_code, "You have no second factor that could be changed." in answer.text) == (409, True)


def test_reloads_lead_to_the_page(client) -> None:
    for path in ("change", "changed"):
        assert client.get(f"{DOOR}/{path}").headers["Location"] == DOOR
