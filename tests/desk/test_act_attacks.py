"""Who tries to do at the desk what they may not: by address, by form, by a form of somebody else or of earlier."""

import pytest
from itsdangerous import URLSafeSerializer

from paywall.caring.actions import ACTIONS
from paywall.domain.roles import Right
from paywall.people import erasing
from paywall.storage import aliases, grants, staff_actions
from paywall.storage.database import db
from paywall.storage.models import Reader
from tests.desk.acting import WHY, Acting
from tests.support.browsers import browser
from tests.support.builders import make_reader, sign_in
from tests.support.colleagues import colleague
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import referer

pytestmark = on_sqlite

ADMIN_ONLY = {name for name, one in ACTIONS.items() if one.right is Right.ERASE}


@pytest.fixture
def bea(app, clock):
    """A reader."""
    reader = make_reader("bea@example.org", now=clock.now())
    db.session.commit()
    return reader


@pytest.fixture
def desk(app, bea) -> Acting:
    """A colleague with the role admin, with Bea's page open."""
    return Acting.on(app, bea.id)


def ways(acting: Acting) -> list[tuple[str, str, str]]:
    """Every address of every action: its action, method and path."""
    posts = [("POST", ""), ("POST", "/confirm"), ("POST", "/finish")]
    return [(name, method, acting.at(name, way)) for name in ACTIONS for method, way in [("GET", ""), *posts]]


def test_a_role_without_the_right_is_refused_at_every_address_and_form(app, bea) -> None:
    support, analyst = Acting.on(app, bea.id, "support"), Acting.on(app, bea.id, "analyst")
    token = form_of(support.form("sign-out").text)["csrf_token"]
    for name, method, path in ways(support):
        answer = support.browser.open(path, method=method, data={"csrf_token": token}, headers=referer())
        assert (answer.status_code == 403) == (name in ADMIN_ONLY), (name, method)
    for name, method, path in ways(analyst):
        answer = analyst.browser.open(path, method=method, data={"csrf_token": token}, headers=referer())
        assert answer.status_code in (400, 403), (name, method)
    assert {"erase", "export"} == ADMIN_ONLY


def test_readers_and_strangers_come_to_no_action(app, bea, clock) -> None:
    stranger, reader = browser(app), browser(app)
    sign_in(reader, bea, now=clock.now())
    for _, _, path in ways(Acting(app, stranger, bea.id)):
        assert stranger.get(path).status_code in (303, 405)
        assert reader.get(path).status_code in (403, 405)


@pytest.mark.parametrize("way", ["", "/confirm", "/finish"])
def test_a_form_without_our_token_does_nothing(desk: Acting, bea, way: str) -> None:
    preview = desk.look("grant", days="3")
    state = form_of(preview.text)["state"]
    answer = desk.browser.post(
        desk.at("grant", way), data={"state": state, "reason": WHY, "days": "3"}, headers=referer()
    )
    assert answer.status_code == 400
    assert grants.of_readers([bea.id]) == []


@pytest.mark.parametrize("name", [name for name, one in ACTIONS.items() if one.recent])
def test_what_weighs_most_asks_to_prove_it_again(app, bea, clock, name: str) -> None:
    desk = Acting.on(app, bea.id)
    clock.advance(minutes=15)
    assert desk.form(name).status_code == 403
    assert "prove" in desk.form(name).text.lower() or "Sign in again" in desk.form(name).text
    assert desk.form("sign-out").status_code == 200, "what weighs less does not"


def forged(app, wish: dict, secret: str | None = None) -> str:
    """A state as our signer writes it, with other contents or another secret."""
    key = secret or app.extensions["paywall"].settings.web.secret_key.get_secret_value()
    return URLSafeSerializer(key, salt="paywall desk action").dumps(wish)


def test_a_preview_that_was_tampered_with_is_not_confirmed(desk: Acting, app, bea) -> None:
    preview = desk.look("grant", days="3")
    fields = form_of(preview.text)
    told = URLSafeSerializer("x", salt="paywall desk action").loads_unsafe(fields["state"])[1]
    more = {**told, "given": {"days": "3000"}}
    head, _, tail = fields["state"].rpartition(".")
    for state in ("", "x.y", head, fields["state"][:-2], head[::-1] + "." + tail, forged(app, more, "another secret")):
        answer = desk.send("grant", "/confirm", {"csrf_token": fields["csrf_token"], "state": state})
        assert answer.status_code == 400, state
    assert grants.of_readers([bea.id]) == []


def test_a_state_for_days_that_were_never_shown_is_shown_first(desk: Acting, app, bea) -> None:
    """Even with our signature: the seal names what was shown."""
    fields = form_of(desk.look("grant", days="3").text)
    told = URLSafeSerializer("x", salt="paywall desk action").loads_unsafe(fields["state"])[1]
    state = forged(app, {**told, "given": {"days": "3000"}})
    assert desk.send("grant", "/confirm", {"csrf_token": fields["csrf_token"], "state": state}).status_code == 409
    assert grants.of_readers([bea.id]) == []


def test_a_preview_is_for_who_asked_and_for_this_reader_and_action(desk: Acting, app, bea, clock) -> None:
    state = form_of(desk.look("grant", days="3").text)["state"]
    cleo = make_reader("cleo@example.org", now=clock.now())
    db.session.commit()
    others = [(Acting.on(app, bea.id), "grant"), (Acting(app, desk.browser, cleo.id), "grant"), (desk, "sign-out")]
    for acting, name in others:
        token = form_of(acting.form("sign-out").text)["csrf_token"]
        assert acting.send(name, "/confirm", {"csrf_token": token, "state": state}).status_code == 400, name
    assert grants.of_readers([bea.id, cleo.id]) == []


def test_a_preview_of_more_than_an_hour_ago_is_shown_anew(desk: Acting, bea, clock) -> None:
    preview = desk.look("grant", days="3")
    for _ in range(3):  # the colleague works on meanwhile
        clock.advance(minutes=21)
        desk.form("sign-out")
    answer = desk.confirm("grant", preview)
    assert answer.status_code == 400
    assert "This form is too old" in answer.text


def test_an_action_of_another_reader_cannot_be_gone_on_with_here(desk: Acting, app, bea, clock) -> None:
    cleo = make_reader("cleo@example.org", now=clock.now())
    theirs = staff_actions.note(
        staff_id=None, role="command", action="sign-out", subject_id=cleo.id, reason=WHY, now=clock.now(), state="begun"
    )
    db.session.commit()
    answer = desk.finish("sign-out", theirs)
    assert answer.status_code == 409
    assert "This form belongs to another action." in answer.text
    assert desk.finish("sign-out", "act_nobody").status_code == 409


def test_nothing_is_done_for_who_is_erased(desk: Acting, app, bea, clock) -> None:
    preview = desk.look("grant", days="3")
    erasing.begin(db.session.get_one(Reader, bea.id), "command", clock.now())
    answer = desk.confirm("grant", preview)
    assert answer.status_code == 409
    assert "This reader is erased" in answer.text
    assert {desk.form(name).status_code for name in ACTIONS} == {409}
    assert grants.of_readers([bea.id]) == []


def test_nothing_is_given_to_who_erases_the_account_at_the_same_moment(desk: Acting, bea, clock, monkeypatch) -> None:
    """By the reader's own page, which asks nobody at the desk."""
    preview, lock = desk.look("grant", days="3"), aliases.lock

    def too_late(reader: Reader) -> Reader:
        monkeypatch.undo()
        erasing.begin(reader, "reader", clock.now())
        return lock(reader)

    monkeypatch.setattr(aliases, "lock", too_late)
    assert desk.confirm("grant", preview).status_code == 409
    assert grants.of_readers([bea.id]) == []


def test_a_reader_who_never_was_has_no_actions(desk: Acting, app) -> None:
    nobody = Acting(app, desk.browser, "rdr_nobody")
    answer = nobody.form("grant")
    assert answer.status_code == 409
    assert "No reader has this id." in answer.text


def test_no_reason_and_no_address_reaches_the_log(make_app, clock, capfd) -> None:
    app = make_app(log={"level": "debug", "format": "json"})
    with app.app_context():
        reader = make_reader("bea@example.org", now=clock.now())
        Acting.on(app, reader.id).do("grant", "because of the flood in Harbour Street", days="3")
        db.session.remove()
    logged = "".join(capfd.readouterr())
    assert "staff_action_done" in logged
    assert "Harbour" not in logged
    assert "bea@example.org" not in logged


def test_a_field_that_the_form_does_not_have_changes_nothing(desk: Acting, bea) -> None:
    desk.do("grant", days="3", until="2099-01-01", reader_id="rdr_x", plan="free")
    (row,) = grants.of_readers([bea.id])
    assert row.plan == "annual"


def test_erasing_asks_for_the_readers_id_in_full(desk: Acting, bea) -> None:
    preview = desk.look("erase")
    for typed in ("", "bea@example.org", bea.id[:-1], bea.id.upper()):
        again = desk.confirm("erase", preview, typed=typed)
        assert again.status_code == 400
        assert "Type the reader&#39;s id" in again.text
    assert db.session.get_one(Reader, bea.id).email == "bea@example.org"


@pytest.mark.parametrize("role", ["support", "admin"])
def test_the_readers_page_lists_what_the_role_may(app, bea, role: str) -> None:
    page = colleague(app, role).get(f"/admin/desk/readers/{bea.id}").text
    listed = {name for name, action in ACTIONS.items() if f">{action.title}<" in page}
    assert listed == (set(ACTIONS) if role == "admin" else set(ACTIONS) - ADMIN_ONLY)


@pytest.mark.parametrize("days", ["0", "-3", "3661", "1.5", "", "x", "٣", "9" * 30])
def test_days_out_of_bounds_are_refused_beside_the_field(desk: Acting, bea, days: str) -> None:
    answer = desk.look("grant", days=days)
    assert answer.status_code == 400
    assert "Write a whole number of days from 1 to 3,660." in answer.text
    assert grants.of_readers([bea.id]) == []


def test_free_access_ends_within_ten_years_however_often_it_is_extended(desk: Acting, bea) -> None:
    desk.do("grant", days="3660")
    assert "It would end more than 3,660 days from now." in desk.look("extend", days="1").text


@pytest.mark.parametrize("reason", ["", "short", " " * 40, "x" * 501])
def test_nothing_is_done_without_a_reason_of_some_words(desk: Acting, bea, reason: str) -> None:
    answer = desk.look("grant", reason, days="3")
    assert answer.status_code == 400
    assert "Say why, in 10 to 500 letters" in answer.text


def test_a_script_in_a_reason_is_shown_as_text(desk: Acting, bea) -> None:
    nasty = "<script>alert(1)</script> said the reader"
    preview = desk.look("grant", nasty, days="3")
    assert "<script>alert" not in preview.text
    assert "&lt;script&gt;" in preview.text
    assert desk.confirm("grant", preview).status_code == 303
    assert "<script>alert" not in desk.browser.get(f"/admin/desk/readers/{bea.id}").text
