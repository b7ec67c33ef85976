"""Devices on the account page: told apart in plain words, and signed out one by one or all at once."""

import re
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from paywall.storage import addresses, revocations
from paywall.storage.database import db
from paywall.storage.models import Reader, ReaderSession, Revocation
from paywall.tokens import verification
from tests.accounts.door import HOST, Browser, Door
from tests.support.marks import on_sqlite

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) Version/26.1 Mobile/15E148 Safari/604.1"
EVERYWHERE = "/account/sign-out-everywhere"
ADA = "ada@example.com"


def signed_in(door: Door, agent: str, email: str = ADA) -> Browser:
    """A browser of this kind that signed in by a link."""
    browser = door.browser()
    browser.client.environ_base["HTTP_USER_AGENT"] = agent
    assert browser.use(door.mailed_link(email)).status_code == 303
    return browser


def devices(page: str) -> list[str]:
    """The devices of the page, each in one line."""
    found = re.findall(r"<li[^>]*>\s*<p[^>]*>(.*?)</p>", page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", one).split()) for one in found]


def buttons(page: str) -> list[str]:
    """Where the buttons of single devices lead."""
    return re.findall(r'action="(/account/devices/[^"]+)"', page)


def allowed(door: Door, browser: Browser) -> bool:
    """Whether the verification API lets the browser's token in."""
    verification.of(door.app).snapshots.interval = 0.0  # the second after which it has heard
    answer = browser.get("/v1/authorize")
    assert answer.status_code in (204, 401)
    return answer.status_code == 204


def lives(door: Door, session_id: str, reader_id: str) -> bool:
    """Whether a session is good for new tokens."""
    with door.app.app_context():
        row = db.session.get(ReaderSession, session_id)
        return row is not None and row.reader_id == reader_id and row.ended_at is None


@on_sqlite
def test_each_is_told_in_words_this_one_first(door: Door) -> None:
    door.subscriber(ADA)
    desk = signed_in(door, FIREFOX)
    telephone = signed_in(door, IPHONE)
    day = r"\d+ \w+ \d{4}"
    here, other = devices(desk.get("/account").text)
    assert re.fullmatch(rf"Firefox on Linux \(this device\) Signed in on {day}, last used on {day}", here)
    assert re.fullmatch(rf"Safari on iPhone Signed in on {day}, last used on {day}", other)
    assert devices(telephone.get("/account").text)[0].startswith("Safari on iPhone (this device)")


@on_sqlite
def test_of_the_browser_no_more_than_a_label_is_kept(door: Door) -> None:
    door.subscriber(ADA)
    signed_in(door, FIREFOX)
    with door.app.app_context():
        row = db.session.scalars(select(ReaderSession)).one()
        kept = [str(value) for value in vars(row).values()]
    assert row.label == "Firefox on Linux"
    assert not any("Mozilla" in value or "127.0.0.1" in value for value in kept)


@on_sqlite
def test_a_browser_without_a_name_is_shown_all_the_same(door: Door) -> None:
    door.subscriber(ADA)
    browser = signed_in(door, "<script>alert(1)</script>")
    text = browser.get("/account").text
    assert devices(text)[0].startswith("A browser that we could not name (this device)")
    assert "alert(1)" not in text


def test_the_last_use_is_noted_once_a_day(door: Door) -> None:
    door.subscriber(ADA)
    browser = signed_in(door, FIREFOX)
    door.clock.advance(days=3)
    writes = []

    def count(_connection, _cursor, statement, *_rest) -> None:
        if statement.startswith("UPDATE reader_sessions"):
            writes.append(statement)

    with door.app.app_context():
        engine = db.engine
    db.event.listen(engine, "before_cursor_execute", count)
    for _ in range(3):
        assert browser.get("/account").status_code == 200
    assert len(writes) == 1
    with door.app.app_context():
        row = db.session.scalars(select(ReaderSession)).one()
        assert (row.seen_on - row.created_at.date()).days in (2, 3, 4)


def test_one_is_signed_out_and_the_others_stay(door: Door) -> None:
    reader_id = door.subscriber(ADA)
    desk, telephone, tablet = (signed_in(door, agent) for agent in (FIREFOX, IPHONE, IPHONE))
    assert all(allowed(door, one) for one in (desk, telephone, tablet))
    page = desk.get("/account")
    target = buttons(telephone.get("/account").text)[0]
    answer = desk.send(page, target)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account#devices")
    assert telephone.get("/account").status_code == 303
    assert [one.get("/account").status_code for one in (desk, tablet)] == [200, 200]
    assert [allowed(door, one) for one in (desk, telephone, tablet)] == [True, False, True]
    assert not lives(door, target.split("/")[3], reader_id)


@on_sqlite
def test_the_own_one_may_be_signed_out_there_too(door: Door) -> None:
    door.subscriber(ADA)
    desk, telephone = signed_in(door, FIREFOX), signed_in(door, IPHONE)
    page = desk.get("/account")
    answer = desk.send(page, buttons(page.text)[0])
    assert answer.headers["Location"] == "https://news.test/"
    assert [desk.cookie(name) for name in ("paywall_sid", "paywall_token")] == [None, None]
    assert telephone.get("/account").status_code == 200


def test_sending_it_twice_is_harmless(door: Door) -> None:
    door.subscriber(ADA)
    desk, telephone = signed_in(door, FIREFOX), signed_in(door, IPHONE)
    page, target = desk.get("/account"), buttons(telephone.get("/account").text)[0]
    assert [desk.send(page, target).status_code for _ in range(2)] == [303, 303]
    with door.app.app_context():
        assert len(db.session.scalars(select(Revocation.seq)).all()) == 1
    assert desk.get(target).headers["Location"] == "/account#devices"


@on_sqlite
@pytest.mark.parametrize("name", ["theirs", "ses_0", "x", "%27", "ses_" + "0" * 300])
def test_nobody_elses_device_can_be_signed_out(door: Door, name: str) -> None:
    door.subscriber(ADA)
    door.subscriber("bob@example.com")
    ada, bob = signed_in(door, FIREFOX), signed_in(door, IPHONE, "bob@example.com")
    target = buttons(bob.get("/account").text)[0] if name == "theirs" else f"/account/devices/{name}/sign-out"
    answer = ada.send(ada.get("/account"), target)
    assert answer.status_code == 404
    assert bob.get("/account").status_code == 200
    with door.app.app_context():
        assert db.session.scalars(select(Revocation.seq)).all() == []
    assert allowed(door, bob)


def test_everywhere_means_everywhere_at_once(door: Door) -> None:
    """The rows end, every token is refused, and no cookie that was copied is worth anything."""
    reader_id = door.subscriber(ADA)
    door.subscriber("bob@example.com")
    desk, telephone = signed_in(door, FIREFOX), signed_in(door, IPHONE)
    bob = signed_in(door, IPHONE, "bob@example.com")
    thief = door.browser()
    for name in ("paywall_sid", "paywall_token"):
        thief.client.set_cookie(name, desk.cookie(name), domain="pay.test")
    answer = desk.send(desk.get("/account"), EVERYWHERE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://news.test/")
    assert desk.cookie("paywall_sid") is None
    assert [one.get("/account").status_code for one in (desk, telephone, thief)] == [303, 303, 303]
    assert [allowed(door, one) for one in (telephone, thief)] == [False, False]
    assert (bob.get("/account").status_code, allowed(door, bob)) == (200, True)
    with door.app.app_context():
        assert db.session.get(Reader, reader_id).generation == 2


def test_after_it_one_may_sign_in_again_and_read(door: Door) -> None:
    door.subscriber(ADA)
    desk = signed_in(door, FIREFOX)
    desk.send(desk.get("/account"), EVERYWHERE)
    again = signed_in(door, FIREFOX)
    assert allowed(door, again)
    assert len(devices(again.get("/account").text)) == 1


@on_sqlite
def test_it_is_one_transaction(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should it fail half-way, nobody is half signed out."""
    door.subscriber(ADA)
    desk = signed_in(door, FIREFOX)
    page = desk.get("/account")

    def fail(*_args: object) -> None:
        raise OSError

    monkeypatch.setattr(addresses, "end_open", fail)
    door.app.testing = False  # as a server answers
    assert desk.send(page, EVERYWHERE).status_code == 500
    assert desk.get("/account").status_code == 200
    assert allowed(door, desk)


@on_sqlite
@pytest.mark.parametrize("path", [EVERYWHERE, "/account/devices/ses_0/sign-out"])
def test_no_other_site_can_sign_a_reader_out(door: Door, path: str) -> None:
    door.subscriber(ADA)
    desk = signed_in(door, FIREFOX)
    assert desk.client.post(path, base_url=HOST, headers={"Referer": f"{HOST}/"}).status_code == 400
    assert desk.get(path).status_code == 303
    assert desk.get("/account").status_code == 200


@on_sqlite
@pytest.mark.parametrize("path", [EVERYWHERE, "/account/devices/ses_0/sign-out"])
def test_a_stranger_is_led_to_sign_in(door: Door, path: str) -> None:
    browser = door.browser()
    answer = browser.send(browser.get("/sign-in"), path)
    assert answer.headers["Location"] == f"/sign-in?return_to={path}"


def test_signing_out_everywhere_from_two_devices_at_once_leaves_nothing_behind(door: Door) -> None:
    door.subscriber(ADA)
    both = [signed_in(door, FIREFOX), signed_in(door, IPHONE)]
    pages = [one.get("/account") for one in both]
    start, statuses = Barrier(2), []

    def press(browser: Browser, page) -> None:
        start.wait(10)
        statuses.append(browser.send(page, EVERYWHERE).status_code)

    threads = [Thread(target=press, args=pair) for pair in zip(both, pages, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert statuses == [303, 303]
    assert not any(allowed(door, one) for one in both)
    with door.app.app_context():
        live = select(ReaderSession.id).where(ReaderSession.ended_at.is_(None))
        assert db.session.scalars(live).all() == []
        assert revocations.epoch(db.session)
