"""Attacks on signing in: each kind has tests of its own; the table fails when one of them vanishes."""

import re

import pytest
from sqlalchemy import func, select

from paywall.mail import codes
from paywall.storage.database import db
from paywall.storage.models import ReaderSession
from tests.accounts.door import Door, text_of
from tests.journeys.test_attacks_enumeration import masked
from tests.support import named_tests
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
        "journeys/test_attacks_redirects.py::test_no_page_leads_to_a_stranger_whatever_its_parameters_say",
        "journeys/test_attacks_redirects.py::test_no_form_leads_to_a_stranger_whatever_its_fields_say",
        "test_returning.py::test_a_trick_is_refused",
        "test_returning.py::test_what_is_accepted_stays_on_a_listed_origin_for_every_reader",
        "accounts/test_destination.py::test_nothing_that_is_let_through_leads_to_another_host",
        "accounts/test_link.py::test_a_way_back_that_left_the_list_leads_to_the_account",
    ],
    "address enumeration": [
        "journeys/test_attacks_enumeration.py::test_known_and_unknown_addresses_get_the_same_answers_all_the_way",
        "journeys/test_attacks_enumeration.py::test_the_database_is_asked_the_same_for_known_and_unknown_addresses",
        "journeys/test_attacks_enumeration.py::test_known_and_unknown_addresses_take_the_same_time",
        "accounts/test_code.py::test_the_waiting_page_tells_of_a_newer_mail_in_the_same_words",
        "accounts/test_asking.py::test_an_unknown_address_is_told_so_in_its_mailbox_only",
        "accounts/test_asking.py::test_the_page_is_the_same_when_no_mail_can_be_sent",
        "journeys/test_attacks_enumeration.py::test_the_offer_tells_of_an_address_a_few_times_only",
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


@pytest.mark.parametrize("kind", COVERED)
def test_each_kind_of_attack_has_its_tests(kind: str) -> None:
    assert named_tests.vanished(COVERED[kind]) == []


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


def sessions(door: Door) -> int:
    with door.app.app_context():
        return db.session.scalar(select(func.count()).select_from(ReaderSession)) or 0


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
