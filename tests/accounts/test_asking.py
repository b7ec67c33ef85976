"""Asking for a sign-in link: everybody gets the same answer, only the mailbox learns more."""

import re

import pytest

from tests.accounts.door import ARTICLE, Door, text_of


def test_the_form_has_a_labelled_field_and_keeps_the_way_back(door: Door) -> None:
    page = door.browser().get("/sign-in", query_string={"return_to": ARTICLE})
    assert page.status_code == 200
    assert '<label for="email">' in page.text
    assert f'name="return_to" value="{ARTICLE}"' in page.text
    assert "/join?plan=annual&amp;return_to=https%3A%2F%2Fnews.test%2Fanalyses%2Fharbour%3Fpage%3D2" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"


def test_a_known_address_is_mailed_a_link(door: Door) -> None:
    door.subscriber("ada@example.com")
    assert door.browser().ask("  Ada@Example.COM ").status_code == 200
    (letter,) = door.letters()
    assert letter["To"] == "ada@example.com"
    assert "https://pay.test/sign-in/link?token=" in text_of(letter)


def test_an_unknown_address_is_told_so_in_its_mailbox_only(door: Door) -> None:
    assert door.browser().ask("nobody@example.com").status_code == 200
    (letter,) = door.letters()
    assert letter["To"] == "nobody@example.com"
    assert "no subscription" in text_of(letter)
    assert "https://pay.test/join?plan=annual" in text_of(letter)
    assert "/sign-in/link" not in letter.as_string()


def test_the_page_is_the_same_when_no_mail_can_be_sent(door: Door) -> None:
    """A mail system that refuses must not break the page, nor tell who is known."""
    door.subscriber("known@example.com")
    door.outbox.write_text("a file stands where the folder should be")
    for email in ("known@example.com", "other@example.com"):
        answer = door.browser().ask(email)
        assert (answer.status_code, "Check your mail" in answer.text) == (200, True)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@",
        "ada@example.com\r\nBcc: all@example.com",
        "ada@example.com\nSubject: x",
        "a@example.com,b@example.com",
        "Ada <ada@example.com>",
        "x" * 400 + "@example.com",
        "stra\N{LATIN SMALL LETTER SHARP S}e@example.com",
    ],
)
def test_what_is_no_address_is_pointed_out_and_mailed_nowhere(door: Door, email: str) -> None:
    answer = door.browser().ask(email, ARTICLE)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{ARTICLE}"' in answer.text
    assert door.letters() == []


def test_what_was_typed_is_shown_as_text(door: Door) -> None:
    answer = door.browser().ask('"><script>alert(1)</script>')
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_a_look_alike_address_gets_nothing_of_the_owner(door: Door) -> None:
    """The same letters of another alphabet are another domain, whose owner may be a thief."""
    door.subscriber("ada@example.com")
    door.browser().ask("ada@ex\N{CYRILLIC SMALL LETTER A}mple.com")
    (letter,) = door.letters()
    assert "no subscription" in text_of(letter)
    assert str(letter["To"]).startswith("ada@xn--")


def test_the_mail_goes_to_the_address_on_record(door: Door) -> None:
    """Whoever asks does not choose how the address is written."""
    door.subscriber("Ada.Lovelace@example.com")
    door.browser().ask("ADA.lovelace@EXAMPLE.com")
    assert door.letters()[-1]["To"] == "Ada.Lovelace@example.com"


def test_the_link_leads_to_our_own_address_whatever_host_was_asked(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = door.browser()
    page = browser.get("/sign-in")
    headers = {"Referer": "https://pay.test/", "X-Forwarded-Host": "evil.test"}
    fields = {"csrf_token": _csrf(page.text), "email": "ada@example.com"}
    assert browser.client.post("/sign-in", base_url="https://pay.test", data=fields, headers=headers).status_code == 303
    assert "evil.test" not in door.letters()[-1].as_string()
    assert door.link().startswith("/sign-in/link?token=")


def test_a_form_without_its_token_is_refused(door: Door) -> None:
    door.subscriber("ada@example.com")
    answer = door.browser().client.post(
        "/sign-in",
        base_url="https://pay.test",
        data={"email": "ada@example.com"},
        headers={"Referer": "https://pay.test/"},
    )
    assert answer.status_code == 400
    assert "could not be checked" in answer.text
    assert door.letters() == []


def test_asking_too_often_is_refused_with_a_time_to_wait(make_app, clock, outbox) -> None:
    door = Door(make_app(mail={"outbox_dir": outbox}, limits={"sign_in": "2 per minute"}), clock, outbox)
    statuses = [door.browser().ask(f"reader{number}@example.com").status_code for number in range(3)]
    assert statuses == [200, 200, 429]
    refused = door.browser().ask("reader9@example.com")
    assert int(refused.headers["Retry-After"]) > 0
    assert len(door.letters()) == 2


def test_looking_at_the_form_is_not_limited(make_app, clock, outbox) -> None:
    door = Door(make_app(mail={"outbox_dir": outbox}, limits={"sign_in": "1 per minute"}), clock, outbox)
    assert [door.browser().get("/sign-in").status_code for _ in range(4)] == [200] * 4


@pytest.mark.parametrize(
    "value",
    ["https://evil.test/", "//evil.test", "/\\evil.test", "https://news.test@evil.test/", "javascript:alert(1)"],
)
def test_a_way_back_to_a_stranger_is_refused_at_once(door: Door, value: str) -> None:
    assert door.browser().get("/sign-in", query_string={"return_to": value}).status_code == 400
    browser = door.browser()
    answer = browser.send(browser.get("/sign-in"), "/sign-in", email="ada@example.com", return_to=value)
    assert answer.status_code == 400
    assert door.letters() == []


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]
