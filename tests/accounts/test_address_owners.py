"""Another address only for whoever proved the account a moment ago, and never one that somebody else has."""

import re
from threading import Barrier, Thread

import pytest

from paywall.storage import addresses, readers
from paywall.storage.database import db
from tests.accounts.door import HOST, Browser, Door, text_of
from tests.accounts.moving import ADA, CONFIRM, CONFIRMING, NEW, PAGE, address_of, ask, link, newest, subjects
from tests.support.marks import on_sqlite


class TestProof:
    """Whoever finds an open browser cannot take the account."""

    def test_an_hour_after_signing_in_one_signs_in_again_and_comes_back(self, door: Door, ada) -> None:
        _, browser = ada
        form = browser.get(PAGE)
        door.clock.advance(hours=1)
        page = browser.get(PAGE)
        assert page.status_code == 200
        assert "signed in by mail within the last hour" in page.text
        late = browser.send(form, PAGE, email=NEW)
        assert late.status_code == 403
        assert subjects(door, NEW) == []
        assert browser.send(page, "/sign-in").status_code == 303
        assert browser.use(door.link()).headers["Location"] == PAGE
        assert "Your new e-mail address" in browser.get(PAGE).text

    @on_sqlite
    def test_a_payment_proves_no_mailbox(self, door: Door, ada) -> None:
        _, browser = ada
        with door.app.app_context():
            db.session.execute(db.text("UPDATE reader_sessions SET method = 'checkout'"))
            db.session.commit()
        page = browser.get(PAGE)
        assert "signed in by mail" in page.text
        assert browser.send(page, PAGE, email=NEW).status_code == 403
        assert subjects(door, NEW) == []

    @on_sqlite
    @pytest.mark.parametrize("way", ["/account/sign-out-everywhere", "device"])
    def test_signing_out_elsewhere_takes_a_wish_back(self, door: Door, ada, way: str) -> None:
        """Whoever held the other device may have asked for an address of their own."""
        reader_id, thief = ada
        ask(thief, "thief@example.net")
        mine = door.signed_in(ADA)
        page = mine.get("/account")
        device = re.findall(r'action="(/account/devices/[^"]+)"', page.text)[1]
        assert mine.send(page, device if way == "device" else way).status_code == 303
        path = link(door, "thief@example.net")
        assert thief.get(path).status_code == 410
        assert thief.send(thief.get("/sign-in"), CONFIRM, token=path.partition("token=")[2]).status_code == 410
        assert address_of(door, reader_id) == ADA

    @on_sqlite
    def test_neither_form_is_taken_without_our_token(self, door: Door, ada) -> None:
        reader_id, browser = ada
        ask(browser)
        token = link(door).partition("token=")[2]
        for path, data in ((PAGE, {"email": "evil@example.net"}), (CONFIRM, {"token": token})):
            sent = browser.client.post(path, base_url=HOST, data=data, headers={"Referer": f"{HOST}/"})
            assert sent.status_code == 400
        assert subjects(door, "evil@example.net") == []
        assert address_of(door, reader_id) == ADA

    @on_sqlite
    def test_staff_cannot_take_their_role_along(self, door: Door) -> None:
        door.staff("sue@example.com")
        answer = ask(door.signed_in("sue@example.com"), "sue@example.net")
        assert answer.status_code == 403
        assert "Ask whoever runs this service" in answer.text
        assert subjects(door, "sue@example.net") == []

    @on_sqlite
    def test_a_role_that_was_given_meanwhile_stays_with_its_address(self, door: Door, ada) -> None:
        reader_id, browser = ada
        ask(browser)
        path = link(door)
        page = browser.get(path)
        with door.app.app_context():
            readers.get(reader_id).role = "admin"
            db.session.commit()
        assert browser.send(page, CONFIRM).status_code == 410
        assert address_of(door, reader_id) == ADA


class TestOthers:
    """What another account has is told to its own mailbox alone."""

    def test_a_known_and_an_unknown_address_get_the_same_page(self, door: Door, ada) -> None:
        reader_id, browser = ada
        door.subscriber("bob@example.com")
        door.signed_in("bob@example.com")
        door.clock.advance(seconds=1)
        pages = {name: ask(browser, f"{name}@example.com") for name in ("bob", "eve")}
        told = {name: page.text.replace(name, "NAME") for name, page in pages.items()}
        assert told["bob"] == told["eve"]
        assert pages["bob"].status_code == pages["eve"].status_code
        assert list(dict(pages["bob"].headers)) == list(dict(pages["eve"].headers))
        letter = text_of(newest(door, "bob@example.com"))
        assert "There is an account with this address already" in " ".join(letter.split())
        assert not CONFIRMING.search(letter)
        assert address_of(door, reader_id) == ADA

    @on_sqlite
    def test_an_address_with_a_role_is_somebody_elses(self, door: Door, ada) -> None:
        door.staff("sue@example.com")
        ask(ada[1], "sue@example.com")
        assert not CONFIRMING.search(text_of(newest(door, "sue@example.com")))

    def test_who_verified_it_meanwhile_keeps_it(self, door: Door, ada) -> None:
        reader_id, browser = ada
        ask(browser)
        path = link(door)
        page = browser.get(path)
        other = door.subscriber(NEW)
        with door.app.app_context():
            readers.get(other).email_verified_at = door.clock.now()
            db.session.commit()
        answer = browser.send(page, CONFIRM)
        assert answer.status_code == 409
        assert "Nothing was changed" in answer.text
        assert address_of(door, reader_id) == ADA
        with door.app.app_context():
            assert readers.verified(NEW).id == other
            assert addresses.former_of(reader_id) == []
        assert "was changed" not in " ".join(map(text_of, door.letters()))

    @pytest.mark.parametrize("same", [True, False], ids=["one link", "two readers"])
    def test_of_two_who_confirm_at_once_one_does(self, door: Door, ada, same: bool) -> None:
        """The same link twice, or two readers who want one address."""
        _, browser = ada
        ask(browser)
        first = link(door)
        if not same:
            door.subscriber("bob@example.com")
            ask(door.signed_in("bob@example.com"))
        pair = [(one, one.get(path)) for one, path in ((door.browser(), first), (door.browser(), link(door)))]
        start, statuses = Barrier(2), []

        def press(one: Browser, page) -> None:
            start.wait(10)
            statuses.append(one.send(page, CONFIRM).status_code)

        threads = [Thread(target=press, args=each) for each in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(statuses) == [303, 410 if same else 409]
        with door.app.app_context():
            assert len(readers.under(NEW)) == 1
            assert readers.verified(NEW) is not None
