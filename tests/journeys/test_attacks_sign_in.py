"""Attacks on signing in: each kind has tests of its own; the table fails when one of them vanishes."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from statistics import median
from urllib.parse import urljoin, urlsplit

import pytest
from sqlalchemy import event, func, select

from paywall.mail import codes
from paywall.storage.database import db
from paywall.storage.models import ReaderSession
from tests.accounts.door import HOST, Browser, Door, text_of
from tests.support import named_tests
from tests.support.forms import form_of
from tests.support.marks import on_sqlite

COVERED = {
    "guessing codes": [
        "accounts/test_code.py::test_after_five_wrong_codes_the_right_one_is_refused_and_the_link_still_works",
        "accounts/test_code.py::test_asking_again_gives_new_tries_but_not_without_end",
        "accounts/test_code.py::test_the_code_works_in_the_browser_that_asked_alone",
        "accounts/test_races.py::test_guesses_at_the_same_time_are_counted_one_by_one",
        "accounts/test_races.py::test_of_requests_at_the_same_time_one_stays_open",
        "mail/test_codes.py::test_a_copy_of_the_database_tells_no_code",
        "journeys/test_attacks_sign_in.py::test_the_code_of_an_address_that_nobody_has_signs_nobody_in",
    ],
    "guessing links": [
        "journeys/test_attacks_sign_in.py::test_no_changed_link_signs_in",
        "mail/test_links.py::test_a_token_signed_for_another_purpose_or_by_somebody_else_is_refused",
        "accounts/test_link.py::test_a_damaged_link_is_refused_with_advice",
        "test_limits.py::test_links_cannot_be_tried_without_end",
    ],
    "replay": [
        "accounts/test_link.py::test_a_used_link_is_refused_and_says_so",
        "accounts/test_code.py::test_a_code_is_good_once",
        "accounts/test_code.py::test_link_and_code_are_used_up_together",
        "accounts/test_races.py::test_of_several_presses_at_the_same_time_one_wins",
        "accounts/test_races.py::test_of_link_and_codes_at_the_same_time_one_wins",
    ],
    "a signed-out cookie used again": [
        "accounts/test_account.py::test_a_copied_cookie_is_worth_nothing_after_signing_out",
    ],
    "session fixation": [
        "accounts/test_link.py::test_a_session_from_before_signing_in_is_worth_nothing_after",
        "journeys/test_attacks_sign_in.py::test_a_session_planted_before_the_code_is_worth_nothing_after",
        "journeys/test_cookies_elsewhere.py::test_a_session_planted_before_the_payment_is_worth_nothing_after",
    ],
    "CSRF": [
        "test_csrf.py::test_every_form_is_refused_without_a_token_and_programs_are_the_known_ones",
        "test_csrf.py::test_a_form_from_another_origin_is_refused",
    ],
    "open redirect": [
        "journeys/test_attacks_sign_in.py::test_no_page_leads_to_a_stranger_whatever_its_parameters_say",
        "journeys/test_attacks_sign_in.py::test_no_form_leads_to_a_stranger_whatever_its_fields_say",
        "test_returning.py::test_a_trick_is_refused",
        "test_returning.py::test_what_is_accepted_stays_on_a_listed_origin_for_every_reader",
        "accounts/test_destination.py::test_nothing_that_is_let_through_leads_to_another_host",
        "accounts/test_link.py::test_a_way_back_that_left_the_list_leads_to_the_account",
    ],
    "address enumeration": [
        "journeys/test_attacks_sign_in.py::test_known_and_unknown_addresses_get_the_same_answers_all_the_way",
        "journeys/test_attacks_sign_in.py::test_the_database_is_asked_the_same_for_known_and_unknown_addresses",
        "journeys/test_attacks_sign_in.py::test_known_and_unknown_addresses_take_the_same_time",
        "accounts/test_code.py::test_the_waiting_page_tells_of_a_newer_mail_in_the_same_words",
        "accounts/test_asking.py::test_an_unknown_address_is_told_so_in_its_mailbox_only",
        "accounts/test_asking.py::test_the_page_is_the_same_when_no_mail_can_be_sent",
        "journeys/test_attacks_sign_in.py::test_the_offer_tells_of_an_address_a_few_times_only",
        "checkout/test_guards.py::test_the_address_of_a_subscriber_leads_to_sign_in_from_any_browser",
    ],
    "header and CRLF injection into mail": [
        "journeys/test_bad_input.py::test_a_line_break_in_an_address_sends_no_mail",
        "accounts/test_asking.py::test_what_is_no_address_is_pointed_out_and_mailed_nowhere",
        "mail/test_messages.py::test_an_address_that_is_more_than_one_is_refused",
        "mail/test_messages.py::test_a_subject_cannot_start_another_header",
    ],
    "homograph and case tricks": [
        "journeys/test_attacks_sign_in.py::test_a_look_alike_never_gets_the_owners_link",
        "accounts/test_asking.py::test_a_look_alike_address_gets_nothing_of_the_owner",
        "accounts/test_asking.py::test_the_mail_goes_to_the_address_on_record",
    ],
    "an erased reader's token or cookie": [
        "people/test_erasing.py::test_access_ends_at_once_even_while_stripe_does_not_answer",
        "people/test_pages.py::test_an_old_cookie_of_an_erased_reader_is_signed_out_with_a_clear_page",
    ],
    "paying under somebody's address to come into their account": [
        "billing/test_moving.py::test_paying_under_somebodys_address_never_opens_their_account",
        "billing/test_moving.py::test_tokens_of_the_joined_row_are_refused_and_its_paying_browser_is_signed_out",
        "billing/test_moving.py::test_an_older_browser_that_only_paid_does_not_see_what_joins",
    ],
    "clickjacking": ["journeys/test_attacks_sign_in.py::test_no_page_can_be_framed"],
}

TRICKS = [
    "https://evil.test/",
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "/%09/evil.test",
    "/%2f/evil.test",
    "/.//evil.test",
    "https:evil.test",
    "https:/evil.test",
    "https://news.test@evil.test/",
    "https://news.test:pass@evil.test/",
    "https://news.test.evil.test/",
    "https://news.test%00.evil.test/",
    "https://evil.test/#news.test",
    "https://evil.test\\@news.test/",
    "https://news.test:8443@evil.test/",
    "https://news.test:444/evil.test",
    "http://news.test/evil.test",
    "https://news\N{IDEOGRAPHIC FULL STOP}test.evil.test/",
    "https://evil\N{FULLWIDTH FULL STOP}test/",
    " https://evil.test/",
    "\thttps://evil.test/",
    "java\nscript:alert('evil.test')",
    "javascript:alert('evil.test')",
    "data:text/html,<a href=//evil.test>",
    "HTTPS://EVIL.TEST/",
    "https://news.test\r\nLocation: https://evil.test/",
]
# odd, but a browser stays on our host with them
OWN_PATHS = ("/%09/evil.test", "/%2f/evil.test", "/.//evil.test")
PARAMETERS = ("return_to", "next", "url", "to", "redirect", "continue", "token", "session_id", "plan")


@pytest.mark.parametrize("kind", COVERED)
def test_each_kind_of_attack_has_its_tests(kind: str) -> None:
    assert named_tests.vanished(COVERED[kind]) == []


@pytest.fixture
def door(make_app, clock, tmp_path: Path) -> Door:
    """The service with an empty mailbox."""
    return Door(make_app(mail={"outbox_dir": tmp_path / "outbox"}), clock, tmp_path / "outbox")


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def sessions(door: Door) -> int:
    with door.app.app_context():
        return db.session.scalar(select(func.count()).select_from(ReaderSession)) or 0


def addresses(answer) -> list[str]:
    """Where an answer leads, or a click in it, as a browser reads it: white space inside is dropped, \\ is /."""
    found = re.findall(r"(?:href|action|src|formaction)=\"([^\"]*)\"", answer.text)
    found += re.findall(r'http-equiv="refresh" content="[^"]*url=([^"]*)"', answer.text)
    raw = [unescape(one) for one in found] + [answer.headers.get("Location", "")]
    clean = (re.sub(r"[\t\r\n]", "", one).strip().replace("\\", "/") for one in raw)
    return [urljoin(f"{HOST}/sign-in", one) for one in clean]


def assert_leads_home(answer, trick: str) -> None:
    for address in addresses(answer):
        parts = urlsplit(address)
        assert parts.scheme in ("https", "mailto"), (trick, address)
        assert not (parts.hostname or "").lower().endswith("evil.test"), (trick, address)
        assert parts.port is None, (trick, address)


@on_sqlite
def test_no_page_leads_to_a_stranger_whatever_its_parameters_say(door: Door) -> None:
    """Every page, every parameter that one could read, signed in and not."""
    door.subscriber("ada@example.com")
    paths = {rule.rule for rule in door.app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments}
    assert {"/sign-in", "/sign-in/code", "/join", "/account", "/renew"} <= paths
    for browser in (door.browser(), door.signed_in("ada@example.com")):
        for path in sorted(paths):
            if path.startswith(("/admin", "/openapi", "/bootstrap")):
                continue
            for trick in TRICKS:
                answer = browser.get(path, query_string={**dict.fromkeys(PARAMETERS, trick), "plan": "annual"})
                if answer.mimetype == "text/html" or "Location" in answer.headers:
                    assert_leads_home(answer, trick)


@on_sqlite
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/checkout"])
def test_no_form_leads_to_a_stranger_whatever_its_fields_say(door: Door, path: str) -> None:
    browser = door.browser()
    form = browser.get("/sign-in")
    for trick in TRICKS:
        fields = {**dict.fromkeys(PARAMETERS, trick), "plan": "annual", "email": "ada@example.com"}
        answer = browser.send(form, path, **fields)
        assert answer.status_code == 400 or trick in OWN_PATHS, trick
        assert_leads_home(answer, trick)


@on_sqlite
def test_no_page_can_be_framed(door: Door) -> None:
    door.subscriber("ada@example.com")
    paths = {rule.rule for rule in door.app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments}
    for browser in (door.browser(), door.signed_in("ada@example.com")):
        for path in [*sorted(paths), "/nothing", "/sign-in/link?token=x"]:
            answer = browser.get(path, buffered=True)
            assert answer.headers["X-Frame-Options"] == "DENY", path
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], path


@on_sqlite
def test_no_changed_link_signs_in(door: Door) -> None:
    """Each character of the token replaced: nothing that is not the mailed link opens a session."""
    door.subscriber("ada@example.com")
    token = door.mailed_link("ada@example.com").partition("=")[2]
    browser = door.browser()
    form = browser.get("/sign-in")
    ends = {match.start() - 1 for match in re.finditer(r"\.|$", token)}  # the last bits of a part may be padding
    for place in set(range(len(token))) - ends:
        changed = token[:place] + ("B" if token[place] == "A" else "A") + token[place + 1 :]
        assert browser.send(form, "/sign-in/link", token=changed).status_code in (400, 410), place
    assert sessions(door) == 0
    assert browser.send(form, "/sign-in/link", token=token).status_code == 303


def test_a_session_planted_before_the_code_is_worth_nothing_after(door: Door) -> None:
    door.subscriber("ada@example.com")
    door.staff("mallory@example.com")
    browser = door.signed_in("mallory@example.com")
    planted = browser.cookie("paywall_sid")
    browser.ask("ada@example.com")
    assert browser.type(door.code()).status_code == 303
    assert browser.cookie("paywall_sid") != planted
    attacker = door.browser()
    attacker.client.set_cookie("paywall_sid", str(planted), domain="pay.test")
    assert attacker.get("/account").status_code == 303


@on_sqlite
def test_the_code_of_an_address_that_nobody_has_signs_nobody_in(door: Door) -> None:
    """It was mailed to nobody; whoever hits it is told what every wrong guess is told."""
    browser = door.browser()
    browser.ask("nobody@example.com")
    with door.app.app_context():
        right = _code_of_newest()
    answer, other = browser.type(right), browser.type(wrong(right))
    assert [answer.status_code, other.status_code, sessions(door)] == [400, 400, 0]
    assert masked(answer).replace("4 tries", "3 tries") == masked(other)


def _code_of_newest() -> str:
    from_row = db.session.execute(db.text("SELECT id FROM sign_in_links ORDER BY created_at DESC")).scalar()
    return codes.digits_of(str(from_row))


def masked(answer) -> str:
    """A page without what differs for every browser."""
    text = re.sub(r"(known|other)@", "X@", answer.text)
    return re.sub(r'name="csrf_token" value="[^"]*"', "", text)


def journey(browser: Browser, email: str) -> Iterator:
    """Everything that a stranger can try with an address: answer after answer."""
    form = browser.get("/sign-in")
    yield browser.send(form, "/sign-in", email=email)
    yield browser.get("/sign-in/code")
    for _ in range(6):
        yield browser.send(form, "/sign-in/code", code="000000")
    yield browser.get("/sign-in/code")
    yield browser.get("/sign-in")
    yield browser.send(form, "/sign-in", email=email)
    yield browser.get("/sign-in/code")


def test_known_and_unknown_addresses_get_the_same_answers_all_the_way(door: Door) -> None:
    """Text, status and headers, through asking, guessing, asking again."""
    door.subscriber("known@example.com")
    told = []
    for email in ("known@example.com", "other@example.com"):
        answers = list(journey(door.browser(), email))
        names = [sorted({name for name, _ in answer.headers if name != "Content-Length"}) for answer in answers]
        told.append([(answer.status_code, masked(answer), found) for answer, found in zip(answers, names, strict=True)])
    assert told[0] == told[1]
    assert [status for status, _, _ in told[0]] == [303, 200, *[400] * 5, 410, 200, 200, 303, 200]


@contextmanager
def statements(door: Door) -> Iterator[list[str]]:
    """What this thread asks the database."""
    seen: list[str] = []
    here = threading.get_ident()

    def note(_connection, _cursor, statement: str, *_rest: object) -> None:
        if threading.get_ident() == here:
            seen.append(statement)

    with door.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def busy_door(make_app, clock, tmp_path: Path) -> Iterator[Door]:
    """The service as it is in production: letters are written out beside the page."""
    outbox = tmp_path / "outbox"
    door = Door(make_app(mail={"outbox_dir": outbox, "in_background": True}), clock, outbox)
    yield door
    assert door.app.extensions["paywall.postman"].wait(20)


def test_the_database_is_asked_the_same_for_known_and_unknown_addresses(busy_door: Door) -> None:
    """The same statements in the same order: what is not done cannot be told by the time that it takes."""
    busy_door.subscriber("known@example.com")
    found = []
    for email in ("known@example.com", "other@example.com"):
        with statements(busy_door) as seen:
            list(journey(busy_door.browser(), email))
        found.append(seen)
    assert found[0] == found[1]
    assert sum("INSERT INTO sign_in_links" in one for one in found[0]) == 2


@on_sqlite
def test_known_and_unknown_addresses_take_the_same_time(busy_door: Door) -> None:
    """Asked in turns, so that what else the machine does hits both: the times overlap."""
    busy_door.subscriber("known@example.com")
    browser = busy_door.browser()
    form = browser.get("/sign-in")
    times: dict[str, list[float]] = {"known@example.com": [], "other@example.com": []}
    for email in [*times] * 15:
        began = time.perf_counter()
        assert browser.send(form, "/sign-in", email=email).status_code == 303
        times[email].append(time.perf_counter() - began)
    known, other = (sorted(one) for one in times.values())
    assert known[0] < other[-1]
    assert other[0] < known[-1]
    assert 1 / 3 < median(known) / median(other) < 3


@on_sqlite
def test_the_offer_tells_of_an_address_a_few_times_only(make_app, clock, tmp_path: Path) -> None:
    """Who buys under a subscriber's address is led to sign in: the one place that tells, and it counts."""
    limits = {"checkout": "3 per minute", "checkout_person": "2 per minute"}
    door = Door(make_app(limits=limits, mail={"outbox_dir": tmp_path}), clock, tmp_path)
    for name in "abc":
        door.subscriber(f"{name}@example.com")

    def tries(*emails: str) -> list[int]:
        browser = door.browser()
        form = browser.get("/join", query_string={"plan": "annual"})
        fields = form_of(form.text)
        return [browser.send(form, "/checkout", **{**fields, "email": email}).status_code for email in emails]

    assert tries(*["a@example.com"] * 3) == [409, 409, 429], "for one address, in whatever browser"
    assert tries("b@example.com", "c@example.com")[-1] == 429, "from one network, whatever addresses"


OWNER = "kate.silk@example.com"


@on_sqlite
@pytest.mark.parametrize(
    "typed",
    [
        "KATE.SILK@EXAMPLE.COM",
        "\N{KELVIN SIGN}ate.silk@example.com",
        "kate.sil\N{KELVIN SIGN}@example.com",
        "kate.s\N{LATIN SMALL LETTER DOTLESS I}lk@example.com",
        "KATE.S\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}LK@example.com",
        "\N{LATIN SMALL LETTER LONG S}kate@example.com",
        "kate.silk\N{FULLWIDTH COMMERCIAL AT}example.com",
        "kate.silk@\N{FULLWIDTH LATIN SMALL LETTER E}xample.com",
        "kate.silk@example\N{IDEOGRAPHIC FULL STOP}com",
        "kate.silk@ex\N{CYRILLIC SMALL LETTER A}mple.com",
        "k\N{CYRILLIC SMALL LETTER A}te.silk@example.com",
        "kate.silk@xn--exmple-cua.com",
        "kate.silk@example.com\N{ZERO WIDTH SPACE}",
        "kate.silk\N{SOFT HYPHEN}@example.com",
        "kate.silk@example.com.",
        "kate.silk+x@example.com",
        "katesilk@example.com",
        '"kate.silk"@example.com',
        "kate.silk@example.com@evil.test",
        "kate.silk@[127.0.0.1]",
        "kate.silk@stra\N{LATIN SMALL LETTER SHARP S}e.com",
    ],
)
def test_a_look_alike_never_gets_the_owners_link(door: Door, typed: str) -> None:
    """Whatever is typed: a link goes to the owner's own mailbox, or nowhere."""
    door.subscriber(OWNER)
    door.subscriber("kate.silk@strasse.com")
    door.browser().ask(typed)
    for letter in door.letters():
        if "/sign-in/link" in text_of(letter) or re.search(r"^\s*\d{6}\s*$", text_of(letter), re.MULTILINE):
            assert letter["To"] == OWNER
        else:
            assert letter["To"] != OWNER
