"""The second factor in a browser: set up, passed, asked for again; a mailbox alone opens nothing."""

import re

import pytest
from flask.testing import FlaskClient

from paywall import sessions
from paywall.second_factor import TRIES
from paywall.storage import factors
from paywall.storage.database import db
from tests.staff.conftest import signed_in
from tests.support.authenticator import DOOR, enter, send, set_up
from tests.support.browsers import browser
from tests.support.builders import make_reader
from tests.support.forms import form_of
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


def cookie(client: FlaskClient) -> str:
    return client.get_cookie(sessions.SESSION_COOKIE).value


def test_where_it_is_only_offered_the_pages_open_without_one(client) -> None:
    assert client.get("/admin/").status_code == 200
    assert "Set it up" in client.get(DOOR).text


def test_where_it_is_required_every_page_leads_to_its_set_up(make_app, clock) -> None:
    app = make_app(staff={"second_factor": "required"})
    with app.app_context():
        client = signed_in(app, make_reader(role="admin", now=clock.now()), clock)
        answer = client.get("/admin/entitlements?state=active")
        assert answer.headers["Location"] == f"{DOOR}?return_to=/admin/entitlements?state%3Dactive"
        assert "once you have set up" in client.get(DOOR).text
        set_up(client, clock.now())
        assert client.get("/admin/").status_code == 200
        db.session.remove()


def test_the_secret_is_shown_as_a_picture_that_our_policy_allows_and_as_text(client) -> None:
    page = send(client, f"{DOOR}/set-up")
    assert "<svg" in page.text
    assert "style=" not in page.text
    assert "<script" not in page.text
    shown = re.search(r'<code class="secret">(.*?)</code>', page.text)[1]
    assert re.sub(r"</?span>", "", shown) == form_of(page.text)["secret"], "what is copied holds no space"


def test_the_secret_is_read_in_groups_of_four_and_spoken_letter_by_letter(client) -> None:
    page = send(client, f"{DOOR}/set-up").text
    groups = re.findall(r"<span>([A-Z2-7]+)</span>", page)
    assert [len(one) for one in groups] == [4] * 8
    assert "".join(groups) == form_of(page)["secret"]
    spoken = re.search(r'<span class="spoken">Letter by letter: (.*?)</span>', page)[1]
    assert spoken == ", ".join(" ".join(one) for one in groups) + "."


def test_ten_recovery_codes_are_shown_once(client, clock) -> None:
    _, codes = set_up(client, clock.now())
    assert len(set(codes)) == 10
    page = client.get(DOOR).text
    assert not any(one in page for one in codes)


def test_nothing_counts_before_a_first_code_came_back(client, clock, sue) -> None:
    page = send(client, f"{DOOR}/set-up")
    secret = form_of(page.text)["secret"]
    wrong = send(client, f"{DOOR}/confirm", secret=secret, factor_code="000000")
    assert (wrong.status_code, secret in wrong.text) == (403, True)
    assert not factors.is_confirmed(sue.id)
    assert client.get("/admin/").status_code == 200


def test_a_set_up_shows_its_secret_only_to_the_browser_that_began_it(app, client, clock, sue) -> None:
    """Else whoever reads the mailbox could look at the secret that its owner is about to confirm."""
    secret = form_of(send(client, f"{DOOR}/set-up").text)["secret"]
    spy = signed_in(app, sue, clock)
    assert secret not in spy.get(DOOR).text
    answer = send(spy, f"{DOOR}/confirm", secret="A" * 32, factor_code="123456")
    assert answer.status_code == 409
    assert secret not in answer.text


def test_a_set_up_wants_a_fresh_sign_in(client, clock) -> None:
    clock.advance(minutes=11)
    assert send(client, f"{DOOR}/set-up").status_code == 403


def test_who_has_one_cannot_replace_it(app, authenticator, clock, sue) -> None:
    intruder = signed_in(app, sue, clock)
    assert send(intruder, f"{DOOR}/set-up").status_code == 409
    assert send(intruder, f"{DOOR}/recovery-codes").status_code == 403


def test_a_mailbox_alone_opens_nothing(app, authenticator, clock, sue) -> None:
    intruder = signed_in(app, sue, clock)
    assert intruder.get("/admin/").headers["Location"] == f"{DOOR}?return_to=/admin/"
    assert intruder.get("/account").status_code == 200, "the reader's pages are no matter of the staff"
    assert enter(intruder, "000000").status_code == 403
    assert intruder.get("/admin/").status_code == 303


def test_the_app_opens_and_leads_on(app, authenticator, clock, sue) -> None:
    client = signed_in(app, sue, clock)
    answer = enter(client, authenticator.code(clock.now()), "/admin/entitlements?state=active")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/entitlements?state=active")
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/",
        "//evil.example",
        "/admin//evil.example",
        "/admin/../sign-out",
        "/admin/%2E%2e/sign-out",
        "/account",
        "",
    ],
)
def test_nobody_is_led_anywhere_else(app, authenticator, clock, sue, place: str) -> None:
    answer = enter(signed_in(app, sue, clock), authenticator.code(clock.now()), place)
    assert answer.headers["Location"] == "/admin/"


def test_a_code_works_once_in_whatever_browser(app, authenticator, clock, sue) -> None:
    code = authenticator.code(clock.now())
    assert enter(signed_in(app, sue, clock), code).status_code == 303
    assert enter(signed_in(app, sue, clock), code).status_code == 403
    earlier = authenticator.code(clock.now(), -1)
    assert enter(signed_in(app, sue, clock), earlier).status_code == 403, "one that was seen before it was used"


@pytest.mark.parametrize(("apart", "status"), [(-2, 403), (-1, 303), (0, 303), (1, 303), (2, 403)])
def test_a_clock_may_be_half_a_minute_off(app, authenticator, clock, sue, apart: int, status: int) -> None:
    clock.advance(minutes=5)
    assert enter(signed_in(app, sue, clock), authenticator.code(clock.now(), apart)).status_code == status


def test_guessing_ends_after_a_few_tries_and_the_right_code_rests_too(app, authenticator, clock, sue) -> None:
    for _ in range(TRIES):
        assert enter(signed_in(app, sue, clock), "000000").status_code == 403
    rests = enter(signed_in(app, sue, clock), authenticator.code(clock.now()))
    assert (rests.status_code, rests.headers["Retry-After"]) == (429, "3600")
    clock.advance(hours=1)
    assert enter(signed_in(app, sue, clock), authenticator.code(clock.now())).status_code == 303


def test_recovery_codes_do_not_add_tries(app, authenticator, clock, sue) -> None:
    for number in range(TRIES):
        assert enter(signed_in(app, sue, clock), f"AAAA-AAAA-AAAA-AAA{number + 2}").status_code == 403
    assert enter(signed_in(app, sue, clock), authenticator.code(clock.now())).status_code == 429


def test_a_recovery_code_opens_once(app, client, clock, sue) -> None:
    _, codes = set_up(client, clock.now())
    assert enter(signed_in(app, sue, clock), codes[3].lower().replace("-", " ")).status_code == 303
    assert enter(signed_in(app, sue, clock), codes[3]).status_code == 403
    assert "You have 9 recovery codes" in client.get(DOOR).text


def test_new_recovery_codes_end_the_old_ones(app, client, clock, sue) -> None:
    _, codes = set_up(client, clock.now())
    answer = send(client, f"{DOOR}/recovery-codes")
    assert (answer.status_code, answer.text.count("<li><code>")) == (200, 10)
    assert enter(signed_in(app, sue, clock), codes[0]).status_code == 403


def test_a_cookie_from_before_the_code_is_worth_nothing_after_it(app, authenticator, clock, sue) -> None:
    """Session fixation: whoever planted or saw the cookie waits for its owner to pass the second factor."""
    client = signed_in(app, sue, clock)
    planted = cookie(client)
    assert enter(client, authenticator.code(clock.now())).status_code == 303
    assert cookie(client) != planted
    attacker = browser(app)
    attacker.set_cookie(sessions.SESSION_COOKIE, planted)
    assert attacker.get("/admin/").headers["Location"].startswith("/sign-in")
    assert attacker.get("/account").status_code == 303


def test_after_half_an_hour_away_the_app_is_asked_again(app, client, authenticator, clock) -> None:
    assert client.get("/admin/").status_code == 200
    clock.advance(minutes=31)
    assert client.get("/admin/").headers["Location"].startswith(DOOR)
    assert enter(client, authenticator.code(clock.now())).status_code == 303
    assert client.get("/admin/").status_code == 200


def test_after_eight_hours_the_app_alone_is_not_enough(client, authenticator, clock) -> None:
    clock.advance(hours=8)
    assert client.get("/admin/").headers["Location"].startswith("/sign-in")
    assert client.get(DOOR).headers["Location"].startswith("/sign-in")


def test_a_form_without_its_token_is_refused(app, authenticator, clock, sue) -> None:
    client = signed_in(app, sue, clock)
    for path in (DOOR, f"{DOOR}/set-up", f"{DOOR}/confirm", f"{DOOR}/recovery-codes"):
        answer = client.post(path, data={"factor_code": authenticator.code(clock.now())})
        assert (answer.status_code, "could not be checked" in answer.text) == (400, True), path


def test_what_was_typed_goes_on_once_the_code_is_given(client, authenticator, clock) -> None:
    """A form that came too late is not lost: the page that asks for a code carries its fields on."""
    clock.advance(minutes=12)
    asked = send(client, f"{DOOR}/recovery-codes", note='two "words" & more', other="x")
    assert asked.status_code == 403
    fields = form_of(asked.text)
    assert (fields["note"], fields["other"]) == ('two "words" & more', "x")
    wrong = client.post(f"{DOOR}/recovery-codes", data={**fields, "factor_code": "000000"}, headers=REFERER)
    assert (wrong.status_code, form_of(wrong.text)["note"]) == (403, 'two "words" & more')
    typed = {**form_of(wrong.text), "factor_code": authenticator.code(clock.now())}
    done = client.post(f"{DOOR}/recovery-codes", data=typed, headers=REFERER)
    assert (done.status_code, done.text.count("<li><code>")) == (200, 10)
    again = send(client, f"{DOOR}/recovery-codes")
    assert again.status_code == 200, "proved a moment ago"


def test_a_page_that_wants_a_proof_opens_after_the_code(client, authenticator, clock) -> None:
    clock.advance(minutes=12)
    page = "/admin/desk/readers/rdr_1/act/erase"
    asked = client.get(page)
    assert (asked.status_code, f'action="{DOOR}"' in asked.text) == (403, True)
    typed = {**form_of(asked.text), "factor_code": authenticator.code(clock.now())}
    assert client.post(DOOR, data=typed, headers=REFERER).headers["Location"] == page
    assert client.get(page).status_code in (404, 409), "nobody has this number; the code is not asked again"


def test_a_proof_lasts_ten_minutes(client, authenticator, clock) -> None:
    assert enter(client, authenticator.code(clock.now())).status_code == 303
    clock.advance(minutes=9, seconds=59)
    assert send(client, f"{DOOR}/recovery-codes").status_code == 200
    clock.advance(seconds=1)
    assert send(client, f"{DOOR}/recovery-codes").status_code == 403


def test_readers_have_no_second_factor(app, clock) -> None:
    reader = signed_in(app, make_reader(now=clock.now()), clock)
    assert reader.get(DOOR).status_code == 403
    assert browser(app).get(DOOR).headers["Location"] == f"/sign-in?return_to={DOOR}"


def test_reloads_lead_to_the_page(client) -> None:
    for path in ("set-up", "confirm", "recovery-codes"):
        assert client.get(f"{DOOR}/{path}").headers["Location"] == DOOR


REFERER = {"Referer": "https://pay.test/"}
