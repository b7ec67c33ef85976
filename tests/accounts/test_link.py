"""Using a mailed link: looking harms nothing, pressing the button signs in once."""

import pytest
from sqlalchemy import select

from paywall.storage import readers, staff
from paywall.storage.database import db
from paywall.storage.models import Reader, ReaderSession, Revocation, SignInLink
from tests.accounts.door import ARTICLE, HOST, Door, subscribe


def sessions_of(door: Door) -> list[ReaderSession]:
    with door.app.app_context():
        return list(db.session.scalars(select(ReaderSession).order_by(ReaderSession.created_at)))


def test_the_link_shows_a_button_and_for_whom_it_is(door: Door) -> None:
    door.subscriber("ada@example.com")
    page = door.browser().get(door.mailed_link("ada@example.com"))
    assert page.status_code == 200
    assert '<form method="post" action="/sign-in/link">' in page.text
    assert "a•••@example.com" in page.text
    assert "ada@" not in page.text


def test_the_page_keeps_its_address_to_itself(door: Door) -> None:
    """The address holds the token: no store, no other site and no log of one may learn it."""
    door.subscriber("ada@example.com")
    page = door.browser().get(door.mailed_link("ada@example.com"))
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page.headers["Cache-Control"]


def test_the_button_signs_in_and_leads_back_to_the_article(door: Door) -> None:
    reader_id = door.subscriber("ada@example.com")
    browser = door.browser()
    answer = browser.use(door.mailed_link("ada@example.com", ARTICLE))
    assert (answer.status_code, answer.headers["Location"]) == (303, ARTICLE)
    assert browser.cookie("paywall_token").count(".") == 1
    (session,) = sessions_of(door)
    assert (session.reader_id, session.method) == (reader_id, "link")
    assert "ada@example.com" in browser.get("/account").text


def test_without_a_way_back_it_leads_to_the_account(door: Door) -> None:
    door.subscriber("ada@example.com")
    assert door.browser().use(door.mailed_link("ada@example.com")).headers["Location"] == "/account"


def test_the_cookies_are_hidden_from_scripts_and_kept_to_the_site(door: Door) -> None:
    door.subscriber("ada@example.com")
    answer = door.browser().use(door.mailed_link("ada@example.com"))
    cookies = {line.split("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}
    for name in ("paywall_sid", "paywall_token"):
        for part in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/"):
            assert part in cookies[name], (name, part)


def test_mail_scanners_do_no_harm(door: Door) -> None:
    """Programs open every link of a mail, several times and by other methods, and are given no session."""
    door.subscriber("ada@example.com")
    link = door.mailed_link("ada@example.com")
    for _ in range(2):
        scanner = door.browser()
        assert scanner.get(link).status_code == 200
        assert scanner.client.head(link, base_url=HOST).status_code == 200
        assert scanner.client.options(link, base_url=HOST).status_code == 200
        assert scanner.cookie("paywall_sid") is None
    assert sessions_of(door) == []
    assert door.browser().use(link).status_code == 303


def test_a_used_link_is_refused_and_says_so(door: Door) -> None:
    door.subscriber("ada@example.com")
    link, other = door.mailed_link("ada@example.com"), door.browser()
    opened_before = other.get(link)
    assert door.browser().use(link).status_code == 303
    for answer in (other.send(opened_before, "/sign-in/link"), other.get(link)):
        assert answer.status_code == 410
        assert "used before" in answer.text
        assert 'href="/sign-in"' in answer.text
    assert len(sessions_of(door)) == 1


def test_the_browser_that_used_it_is_told_that_it_is_signed_in(door: Door) -> None:
    """After a double click, or going back, there is nothing to mend."""
    door.subscriber("ada@example.com")
    link, browser = door.mailed_link("ada@example.com"), door.browser()
    browser.use(link)
    assert "You are signed in already" in browser.get(link).text


def test_it_works_for_fifteen_minutes(door: Door) -> None:
    door.subscriber("ada@example.com")
    for seconds, status in ((899, 303), (900, 410), (86400 * 30, 410)):
        link, browser = door.mailed_link("ada@example.com"), door.browser()
        page = browser.get(link)
        door.clock.advance(seconds=seconds)
        answer = browser.send(page, "/sign-in/link")
        assert answer.status_code == status, seconds
        assert status == 303 or "too old" in answer.text


def test_the_newest_link_of_an_address_wins(door: Door) -> None:
    door.subscriber("ada@example.com")
    older, newer = door.mailed_link("ada@example.com"), door.mailed_link("ada@example.com")
    refused = door.browser().get(older)
    assert (refused.status_code, "newer sign-in link" in refused.text) == (410, True)
    assert door.browser().use(newer).status_code == 303


def test_a_link_of_another_address_is_not_touched(door: Door) -> None:
    door.subscriber("ada@example.com")
    door.subscriber("bob@example.com")
    hers, _his = door.mailed_link("ada@example.com"), door.mailed_link("bob@example.com")
    assert door.browser().use(hers).status_code == 303


def test_a_clock_that_was_set_back_locks_nobody_out(door: Door) -> None:
    """In development a year is lived through in a minute, and then it is today again."""
    door.subscriber("ada@example.com")
    door.clock.advance(days=300)
    door.mailed_link("ada@example.com")
    door.clock.advance(days=-300)
    assert door.browser().use(door.mailed_link("ada@example.com")).status_code == 303


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "nonsense", "long", "bytes"])
def test_a_damaged_link_is_refused_with_advice(door: Door, damage: str) -> None:
    door.subscriber("ada@example.com")
    link = door.mailed_link("ada@example.com")
    base, token = link.split("=", 1)
    damaged = {
        "cut": token[:-6],
        "changed": ("A" if token[3] != "A" else "B").join((token[:3], token[4:])),
        "empty": "",
        "nonsense": "..",
        "long": token * 20,
        "bytes": "%ff%00" + token,
    }[damage]
    answer = door.browser().get(f"{base}={damaged}")
    assert answer.status_code == 400
    assert "not complete" in answer.text
    assert door.browser().use(link).status_code == 303


def test_a_link_whose_row_is_gone_is_refused(door: Door) -> None:
    door.subscriber("ada@example.com")
    link = door.mailed_link("ada@example.com")
    with door.app.app_context():
        db.session.execute(SignInLink.__table__.delete())
        db.session.commit()
    assert door.browser().get(link).status_code == 400


def test_a_program_gets_a_problem_document(door: Door) -> None:
    answer = door.browser().get("/sign-in/link?token=x", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["code"]) == (400, "link_invalid")


def test_a_press_without_the_form_of_this_browser_is_refused(door: Door) -> None:
    """Else a page of somebody else could sign a reader in as somebody else."""
    door.subscriber("ada@example.com")
    link = door.mailed_link("ada@example.com")
    stolen = door.browser().get(link)
    answer = door.browser().send(stolen, "/sign-in/link")
    assert (answer.status_code, "could not be checked" in answer.text) == (400, True)
    assert sessions_of(door) == []


def test_a_session_from_before_signing_in_is_worth_nothing_after(door: Door) -> None:
    """Fixation: whoever planted a session in this browser is not signed in with it."""
    door.subscriber("ada@example.com")
    door.staff("mallory@example.com")
    browser = door.signed_in("mallory@example.com")
    planted, form = browser.cookie("paywall_sid"), browser.get("/account")
    browser.use(door.mailed_link("ada@example.com"))
    assert browser.cookie("paywall_sid") != planted
    assert browser.send(form, "/sign-out").status_code == 400
    attacker = door.browser()
    attacker.client.set_cookie("paywall_sid", planted, domain="pay.test")
    assert attacker.get("/account").status_code == 303


def test_a_made_up_session_cookie_is_replaced(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = door.browser()
    browser.client.set_cookie("paywall_sid", "chosen-by-an-attacker", domain="pay.test")
    browser.use(door.mailed_link("ada@example.com"))
    assert browser.cookie("paywall_sid") != "chosen-by-an-attacker"


def test_signing_in_as_somebody_without_access_leaves_no_token_of_the_one_before(door: Door) -> None:
    door.subscriber("ada@example.com")
    door.staff("bob@example.com")
    browser = door.signed_in("ada@example.com")
    old = sessions_of(door)[0].id
    assert browser.cookie("paywall_token")
    browser.use(door.mailed_link("bob@example.com"))
    assert browser.cookie("paywall_token") is None
    with door.app.app_context():
        assert db.session.scalars(select(Revocation.value)).all() == [old]


def test_opening_the_mail_proves_the_address(door: Door) -> None:
    reader_id = door.subscriber("ada@example.com")
    with door.app.app_context():
        assert db.session.get(Reader, reader_id).email_verified_at is None
    door.signed_in("ada@example.com")
    with door.app.app_context():
        assert db.session.get(Reader, reader_id).email_verified_at == door.clock.now()


def test_the_verified_owner_is_signed_in_not_a_later_buyer_under_the_address(door: Door) -> None:
    owner = door.subscriber("ada@example.com")
    door.signed_in("ada@example.com")
    door.clock.advance(days=1)
    door.subscriber("ada@example.com")
    door.signed_in("ada@example.com")
    assert {session.reader_id for session in sessions_of(door)} == {owner}


def test_whoever_gained_the_address_after_the_mail_left_is_signed_in(door: Door) -> None:
    """The link belongs to the mailbox: who owns it is asked when the button is pressed."""
    door.subscriber("ada@example.com")
    link = door.mailed_link("ada@example.com")
    with door.app.app_context():
        owner = readers.create("ada@example.com", door.clock.now())
        owner.email_verified_at = door.clock.now()
        subscribe(owner.id, door.clock.now())
        db.session.commit()
        owner_id = owner.id
    door.browser().use(link)
    assert [session.reader_id for session in sessions_of(door)] == [owner_id]


def test_staff_released_before_the_press_are_not_signed_in(door: Door) -> None:
    door.staff("sue@example.com")
    link = door.mailed_link("sue@example.com")
    browser = door.browser()
    page = browser.get(link)
    with door.app.app_context():
        staff.release(*staff.under("sue@example.com"))
        db.session.commit()
    assert browser.send(page, "/sign-in/link").status_code == 400
    assert sessions_of(door) == []


def test_a_way_back_that_left_the_list_leads_to_the_account(door: Door, make_app) -> None:
    door.subscriber("ada@example.com")
    link = door.mailed_link("ada@example.com", ARTICLE)
    later = Door(make_app(web={"return_origins": ["https://other.test"]}), door.clock, door.outbox)
    answer = later.browser().use(link)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
