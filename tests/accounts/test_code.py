"""Signing in by the code beside the link: in the browser that asked, once, within a few tries."""

import pytest
from sqlalchemy import select

from paywall.storage.database import db
from paywall.storage.models import ReaderSession, SignInLink
from tests.accounts.door import ARTICLE, Browser, Door, text_of
from tests.support.forms import form_of
from tests.support.marks import on_sqlite

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_the_code_signs_in_and_leads_back_to_the_article",
        "test_after_five_wrong_codes_the_right_one_is_refused_and_the_link_still_works",
        "test_asking_again_gives_new_tries_but_not_without_end",
        "test_a_code_is_good_once",
        "test_link_and_code_are_used_up_together",
    }
)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def asked(door: Door, email: str = "ada@example.com", return_to: str | None = None) -> Browser:
    """A browser that waits for the mail."""
    door.clock.advance(seconds=1)
    browser = door.browser()
    assert browser.ask(email, return_to).status_code == 200
    return browser


def test_the_code_signs_in_and_leads_back_to_the_article(door: Door) -> None:
    reader_id = door.subscriber("ada@example.com")
    browser = asked(door, return_to=ARTICLE)
    answer = browser.type(door.code())
    assert (answer.status_code, answer.headers["Location"]) == (303, ARTICLE)
    assert browser.cookie("paywall_token").count(".") == 1
    assert "ada@example.com" in browser.get("/account").text
    with door.app.app_context():
        (session,) = db.session.scalars(select(ReaderSession))
        assert (session.reader_id, session.method) == (reader_id, "link"), "it proves the mailbox as the link does"


@on_sqlite
def test_the_field_is_what_phones_and_screen_readers_know(door: Door) -> None:
    page = asked(door).get("/sign-in/code").text
    assert '<label for="code">' in page
    assert 'inputmode="numeric" autocomplete="one-time-code"' in page
    assert "<script" not in page


@on_sqlite
def test_the_code_stands_in_both_forms_of_the_letter_and_says_whom_not_to_tell_it(door: Door) -> None:
    door.subscriber("ada@example.com")
    asked(door)
    (letter,) = door.letters()
    assert door.code() in text_of(letter, "html")
    assert "never ask for the code" in text_of(letter)


def test_a_wrong_code_says_how_many_tries_are_left_and_the_right_one_still_works(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = asked(door)
    answer = browser.type(wrong(door.code()))
    assert answer.status_code == 400
    assert "4 tries are left" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert browser.type(door.code()).status_code == 303


def test_after_five_wrong_codes_the_right_one_is_refused_and_the_link_still_works(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser, link = asked(door), door.link()
    page = browser.get("/sign-in/code")
    guesses = [browser.send(page, "/sign-in/code", code=wrong(door.code())) for _ in range(5)]
    assert [guess.status_code for guess in guesses] == [400] * 5
    refused = browser.send(page, "/sign-in/code", code=door.code())
    assert (refused.status_code, "The link in the mail still works" in refused.text) == (410, True)
    assert browser.cookie("paywall_sid") is None
    assert door.browser().use(link).status_code == 303


def test_asking_again_gives_new_tries_but_not_without_end(door: Door) -> None:
    """Twenty in a day for one address, in however many browsers; then only links work."""
    door.subscriber("ada@example.com")
    granted = 0
    for _ in range(5):
        browser = asked(door)
        form = browser.get("/sign-in")
        answers = [browser.send(form, "/sign-in/code", code=wrong(door.code())) for _ in range(6)]
        granted += sum(answer.status_code == 400 for answer in answers)
        assert answers[-1].status_code == 410
    assert granted == 20
    assert 'name="code"' not in browser.get("/sign-in/code").text
    assert door.browser().use(door.link()).status_code == 303
    door.clock.advance(days=1)
    assert asked(door).type(door.code()).status_code == 303


@on_sqlite
@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "12 34 5", "x" * 500])
def test_what_is_no_code_costs_no_try(door: Door, text: str) -> None:
    door.subscriber("ada@example.com")
    browser = asked(door)
    answer = browser.type(text)
    assert (answer.status_code, "six digits, such as" in answer.text) == (400, True)
    with door.app.app_context():
        assert db.session.scalar(select(SignInLink.tries)) == 0


@on_sqlite
def test_a_code_grouped_as_people_write_it_is_taken(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser, code = asked(door), door.code()
    assert browser.type(f" {code[:3]} {code[3:]} ").status_code == 303


def test_the_code_works_in_the_browser_that_asked_alone(door: Door) -> None:
    """Neither a browser that did not ask nor one that asked for itself can use it."""
    door.subscriber("ada@example.com")
    door.subscriber("eve@example.com")
    eves = asked(door, "eve@example.com")
    asked(door)
    code = door.code()
    assert eves.type(code).status_code == 400
    fresh = door.browser()
    answer = fresh.send(fresh.get("/sign-in"), "/sign-in/code", code=code)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert fresh.cookie("paywall_sid") is None


def test_a_code_is_good_once(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = asked(door)
    copied = door.browser()
    copied.client.set_cookie("paywall_web", browser.cookie("paywall_web"), domain="pay.test")
    page, code = copied.get("/sign-in/code"), door.code()
    assert browser.type(code).status_code == 303
    assert copied.send(page, "/sign-in/code", code=code).status_code == 410
    assert copied.cookie("paywall_sid") is None


def test_link_and_code_are_used_up_together(door: Door) -> None:
    door.subscriber("ada@example.com")
    first, link, code = asked(door), door.link(), door.code()
    waiting = first.get("/sign-in/code")
    assert door.browser().use(link).status_code == 303
    assert first.send(waiting, "/sign-in/code", code=code).status_code == 410
    second, link = asked(door), door.link()
    assert second.type(door.code()).status_code == 303
    assert door.browser().get(link).status_code == 410


def test_the_waiting_page_tells_that_the_link_was_used_elsewhere(door: Door) -> None:
    door.subscriber("ada@example.com")
    laptop, phone = asked(door, return_to=ARTICLE), door.browser()
    assert phone.use(door.link()).headers["Location"] == ARTICLE
    page = laptop.get("/sign-in/code")
    assert (page.status_code, "signed in where you opened it" in page.text) == (200, True)
    assert 'name="code"' not in page.text
    assert "/sign-in?return_to=https" in page.text
    assert laptop.cookie("paywall_sid") is None


@on_sqlite
def test_the_waiting_page_tells_of_a_newer_mail_in_the_same_words(door: Door) -> None:
    """Else whoever asked for somebody's address could see whether its owner signs in."""
    door.subscriber("ada@example.com")
    used, replaced = asked(door), door.link()
    door.browser().use(replaced)
    other = asked(door)
    asked(door)
    assert used.get("/sign-in/code").text == other.get("/sign-in/code").text


@on_sqlite
def test_the_waiting_page_tells_that_it_took_too_long(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser, code = asked(door), door.code()
    page = browser.get("/sign-in/code")
    door.clock.advance(minutes=15)
    assert "took too long" in browser.get("/sign-in/code").text
    assert browser.send(page, "/sign-in/code", code=code).status_code == 410


@on_sqlite
def test_the_link_opened_in_the_same_browser_ends_the_waiting(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = asked(door)
    browser.use(door.link())
    answer = browser.get("/sign-in/code")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


@on_sqlite
def test_a_reload_mails_nothing_and_the_form_leads_back_to_the_code(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = asked(door)
    for _ in range(3):
        assert 'name="code"' in browser.get("/sign-in/code").text
    assert 'href="/sign-in/code"' in browser.get("/sign-in").text
    assert 'href="/sign-in/code"' not in door.browser().get("/sign-in").text
    assert len(door.letters()) == 1


def test_the_code_of_a_letter_that_waited_still_belongs_to_the_browser(make_app, clock, outbox) -> None:
    """The mail server was away for hours: the letter that comes at last works at the page that is still open."""
    door = Door(make_app(mail={"outbox_dir": outbox}), clock, outbox)
    door.subscriber("ada@example.com")
    outbox.write_text("a file stands where the folder should be")
    browser = asked(door)
    outbox.unlink()
    clock.advance(hours=3)
    assert door.app.test_cli_runner().invoke(args=["paywall", "mail", "send"]).exit_code == 0
    assert browser.type(door.code()).status_code == 303


@on_sqlite
def test_staff_sign_in_by_the_code_too(door: Door) -> None:
    door.staff("sue@example.com")
    browser = asked(door, "sue@example.com", "/admin/")
    assert browser.type(door.code()).headers["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200


@on_sqlite
def test_a_program_gets_a_problem_document(door: Door) -> None:
    browser = asked(door)
    token = form_of(browser.get("/sign-in/code").text)["csrf_token"]
    headers = {"Referer": "https://pay.test/", "Accept": "application/json"}
    data = {"csrf_token": token, "code": "123456"}
    answer = browser.client.post("/sign-in/code", base_url="https://pay.test", data=data, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "code_wrong")
