"""A change of address: proved twice, told to both mailboxes, silent about other accounts, done once."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from paywall.mail import letterbox
from paywall.mail.writing import CONFIRM_LIFE
from paywall.storage import addresses, letters
from paywall.storage.database import db
from paywall.storage.letters import WaitingLetter
from tests.accounts.door import Door, text_of
from tests.accounts.moving import ADA, CONFIRM, NEW, address_of, ask, confirm, link, newest, subjects
from tests.support.marks import on_sqlite


def test_it_is_confirmed_from_the_new_mailbox_and_told_to_both(door: Door, ada) -> None:
    reader_id, browser = ada
    page = ask(browser)
    assert page.status_code == 200
    assert NEW in page.text
    assert address_of(door, reader_id) == ADA, "until it is confirmed nothing changes"
    assert confirm(browser, link(door)).headers["Location"] == "/account/address/changed"
    assert "From now on you sign in with the new address" in browser.get("/account/address/changed").text
    assert address_of(door, reader_id) == NEW
    for to in (ADA, NEW):
        text = text_of(newest(door, to))
        assert "was changed" in text
        assert "a•••@example.net" in text
    assert NEW in browser.get("/account").text, "the session goes on"


def test_from_then_on_the_new_address_signs_in_and_the_old_one_nobody(door: Door, ada) -> None:
    reader_id, browser = ada
    before = door.mailed_link(ADA)
    ask(browser)
    confirm(browser, link(door))
    assert door.browser().use(before).status_code != 303, "a link that was under way goes nowhere"
    other = door.signed_in(NEW)
    assert "then it renews" in other.get("/account").text
    door.clock.advance(seconds=1)
    door.browser().ask(ADA)
    assert "There is no subscription under it" in " ".join(text_of(door.letters()[-1]).split())
    with door.app.app_context():
        assert [(one.email, one.reader_id) for one in addresses.former_of(reader_id)] == [(ADA, reader_id)]


@on_sqlite
def test_the_link_works_on_another_device_and_names_the_old_address_in_part(door: Door, ada) -> None:
    reader_id, browser = ada
    ask(browser)
    elsewhere = door.browser()
    page = elsewhere.get(link(door))
    assert "a•••@example.com" in page.text
    assert NEW in page.text
    assert ADA not in page.text
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert confirm(elsewhere, link(door)).status_code == 303
    assert elsewhere.cookie("paywall_sid") is None, "confirming signs nobody in"
    assert address_of(door, reader_id) == NEW


@on_sqlite
def test_a_scanner_that_opens_the_link_changes_nothing(door: Door, ada) -> None:
    reader_id, browser = ada
    ask(browser)
    for _ in range(3):
        assert door.browser().get(link(door)).status_code == 200
    assert address_of(door, reader_id) == ADA


@on_sqlite
def test_the_link_works_once(door: Door, ada) -> None:
    _, browser = ada
    ask(browser)
    path = link(door)
    page = browser.get(path)
    assert browser.send(page, CONFIRM).status_code == 303
    again = browser.send(page, CONFIRM)
    assert again.status_code == 410
    assert "works once" in again.text
    assert browser.get(path).status_code == 410
    assert len(subjects(door, NEW)) == 2, "the request and the notice"


@on_sqlite
def test_it_works_for_an_hour(door: Door, ada) -> None:
    reader_id, browser = ada
    ask(browser)
    page = browser.get(link(door))
    door.clock.advance(minutes=59)
    assert browser.get(link(door)).status_code == 200
    door.clock.advance(minutes=1)
    assert browser.send(page, CONFIRM).status_code == 410
    assert address_of(door, reader_id) == ADA


@on_sqlite
def test_the_newest_request_wins(door: Door, ada) -> None:
    reader_id, browser = ada
    ask(browser)
    older = link(door)
    ask(browser, "ada@example.org")
    assert browser.get(older).status_code == 410
    assert confirm(browser, link(door, "ada@example.org")).status_code == 303
    assert address_of(door, reader_id) == "ada@example.org"


@on_sqlite
@pytest.mark.parametrize("token", ["", "x", "adr_0", "ImFkcl8wIg.AAAA", "é", "a" * 5000])
def test_a_made_up_link_confirms_nothing(door: Door, ada, token: str) -> None:
    _, browser = ada
    assert browser.get(CONFIRM, query_string={"token": token}).status_code == 410
    assert browser.send(browser.get("/sign-in"), CONFIRM, token=token).status_code == 410


@on_sqlite
def test_a_sign_in_link_confirms_no_address_and_the_other_way_round(door: Door, ada) -> None:
    _, browser = ada
    ask(browser)
    confirming, signing = link(door).partition("token=")[2], door.mailed_link(ADA).partition("token=")[2]
    assert browser.get(CONFIRM, query_string={"token": signing}).status_code == 410
    assert browser.get("/sign-in/link", query_string={"token": confirming}).status_code == 400


@on_sqlite
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "name@example.org"),
        ("not one", "name@example.org"),
        ("eve@example.com\r\nBcc: all@example.com", "name@example.org"),
        ("a" * 400 + "@example.com", "name@example.org"),
        (ADA, "That is your address already"),
        ("ADA@Example.com", "That is your address already"),
    ],
)
def test_what_is_no_new_address_is_refused_beside_its_field(door: Door, ada, typed: str, words: str) -> None:
    _, browser = ada
    count = len(door.letters())
    page = ask(browser, typed)
    assert page.status_code == 400
    assert words in page.text
    assert 'aria-describedby="email-fault email-hint"' in page.text
    assert len(door.letters()) == count


@on_sqlite
def test_no_mailbox_is_flooded(door: Door, ada, make_app) -> None:
    limits = {"sign_in": "100 per minute", "sign_in_person": "3 per hour"}
    strict = Door(make_app(mail={"outbox_dir": door.outbox}, limits=limits), door.clock, door.outbox)
    browser = strict.browser()
    browser.client.set_cookie("paywall_sid", ada[1].cookie("paywall_sid"), domain="pay.test")
    assert [ask(browser, f"{name}@example.net").status_code for name in "abcd"] == [200, 200, 200, 429]
    assert subjects(strict, "d@example.net") == []


@on_sqlite
def test_a_mail_that_waited_for_long_brings_a_link_that_works(door: Door, ada) -> None:
    _, browser = ada
    now = door.clock.now()
    with door.app.app_context():
        letterbox.post_address_confirm(NEW, addresses.create(ada[0], NEW, NEW, now, now + CONFIRM_LIFE), now, ada[0])
        db.session.commit()
    door.clock.advance(hours=5)
    door.browser().ask("somebody@example.com")
    assert confirm(browser, link(door)).status_code == 303


@on_sqlite
def test_a_letter_that_waits_for_the_old_mailbox_goes_to_the_new_one(door: Door, ada) -> None:
    reader_id, browser = ada
    now = door.clock.now()
    with door.app.app_context():
        for cause, to in (("export:1", ADA), ("export:2", "eve@example.com")):
            letters.add("export_ready", to, cause, now, None, reader_id, due_at=now + timedelta(minutes=5))
        db.session.commit()
    ask(browser)
    confirm(browser, link(door))
    with door.app.app_context():
        waiting = db.session.execute(select(WaitingLetter.cause, WaitingLetter.to).where(WaitingLetter.to.is_not(None)))
        assert dict(iter(waiting)) == {"export:1": NEW, "export:2": "eve@example.com"}


@on_sqlite
def test_no_address_gets_into_the_log(make_app, clock, outbox, caplog) -> None:
    door = Door(make_app(mail={"outbox_dir": outbox}, log={"level": "debug"}), clock, outbox)
    with capture_logs() as lines:
        door.subscriber(ADA)
        browser = door.signed_in(ADA)
        ask(browser)
        confirm(browser, link(door))
    told = f"{lines} {caplog.text}"
    assert {"address_change_asked", "address_changed"} <= {line["event"] for line in lines}
    assert ADA not in told
    assert NEW not in told
