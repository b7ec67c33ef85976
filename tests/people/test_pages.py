"""The pages of a reader's data: only soon after a sign-in by mail, and only what the reader meant."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from paywall.billing.errors import StripeUnavailable
from paywall.billing.stripe_gateway import StripeGateway
from paywall.storage import erasures, readers
from paywall.storage.database import db
from paywall.storage.models import Reader
from paywall.tokens import verification
from paywall.worker import people
from paywall.worker.shift import Shift
from tests.people.life import NEW, Ada, sign_in
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import referer

EXPORT, ERASE = "/account/export", "/account/erase"


def press(ada: Ada, path: str, **values: str):
    """Opens a page and sends its form."""
    page = ada.browser.get(path)
    return ada.browser.post(path, data={**form_of(page.text), **values}, headers=referer())


def test_the_account_page_leads_to_both(ada: Ada) -> None:
    page = ada.browser.get("/account").text
    assert f'href="{EXPORT}"' in page
    assert f'href="{ERASE}"' in page


def test_the_copy_comes_as_a_file_that_nothing_keeps(ada: Ada) -> None:
    answer = press(ada, EXPORT)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert json.loads(answer.text)["sections"]["account"]["entries"][0]["address"] == NEW


def test_the_page_says_what_is_given_up_before_anybody_is_erased(ada: Ada) -> None:
    page = ada.browser.get(ERASE).text
    day = page.partition("You have paid to read until ")[2].partition(".")[0]
    assert f"Your access runs until {day};" in ada.browser.get("/account").text
    assert "nothing is paid back by itself" in page
    assert not erasures.is_begun(ada.reader_id)


def test_erasing_signs_out_takes_the_token_back_and_says_so(ada: Ada) -> None:
    answer = press(ada, ERASE, confirm=" erase ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/erased")
    assert ada.browser.get_cookie("paywall_sid") is None
    page = ada.browser.get("/account/erased")
    assert (page.status_code, "Your account is erased" in page.text) == (200, True)
    ada.shop.app.extensions.pop("paywall.verification", None)  # as a second later
    assert not verification.of_app().check(ada.token, None, ada.clock.now()).allowed
    db.session.commit()
    assert erasures.of_reader(ada.reader_id).stage == "done"
    assert any(b"has erased your account" in one.read_bytes() for one in ada.outbox.glob("*.eml"))


def test_an_old_cookie_of_an_erased_reader_is_signed_out_with_a_clear_page(ada: Ada) -> None:
    kept = ada.browser.get_cookie("paywall_sid").value
    press(ada, ERASE, confirm="ERASE")
    ada.browser.set_cookie("paywall_sid", kept)
    ada.browser.set_cookie("paywall_token", ada.token)
    answer = ada.browser.get("/account", follow_redirects=True)
    assert answer.request.path == "/sign-in"
    assert answer.status_code == 200
    renewed = ada.browser.get("/renew", query_string={"return_to": "https://news.test/"})
    assert "/join" in renewed.headers["Location"]


@pytest.mark.parametrize("typed", ["", "erase me", "YES"])
@on_sqlite
def test_without_the_word_nobody_is_erased(ada: Ada, typed: str) -> None:
    answer = press(ada, ERASE, confirm=typed)
    assert (answer.status_code, "Type ERASE in the field" in answer.text) == (400, True)
    assert not erasures.is_begun(ada.reader_id)


@pytest.mark.parametrize("path", [EXPORT, ERASE])
@on_sqlite
def test_an_open_browser_is_not_enough(ada: Ada, path: str) -> None:
    """Signed in by mail long ago, or by a payment alone: the page asks for a sign-in, and the form does nothing."""
    form = form_of(ada.browser.get(path).text)
    ada.clock.advance(hours=2)
    for _ in range(2):
        asked = ada.browser.get(path)
        assert "you must have signed in by mail within the last hour" in asked.text
        token = form_of(asked.text)["csrf_token"]
        sent = ada.browser.post(path, data={**form, "csrf_token": token, "confirm": "ERASE"}, headers=referer())
        assert (sent.status_code, "attachment" in sent.headers.get("Content-Disposition", "")) == (403, False)
        assert not erasures.is_begun(ada.reader_id)
        sign_in(ada.shop, ada.browser, ada.reader_id, ada.clock.now(), "checkout")


@on_sqlite
def test_a_stranger_is_led_to_sign_in(ada: Ada) -> None:
    stranger = ada.shop.browser()
    for path in (EXPORT, ERASE):
        assert stranger.get(path).headers["Location"] == f"/sign-in?return_to={path}"


@on_sqlite
def test_staff_are_told_to_give_the_role_back_first(ada: Ada) -> None:
    db.session.get_one(Reader, ada.reader_id).role = "admin"
    db.session.commit()
    answer = press(ada, ERASE, confirm="ERASE")
    assert (answer.status_code, "Ask for it to be taken away first" in answer.text) == (400, True)


@on_sqlite
def test_while_stripe_does_not_answer_the_worker_goes_on(ada: Ada, monkeypatch) -> None:
    def down(*_args, **_more):
        raise StripeUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(StripeGateway, "cancel_subscription", down)
        assert press(ada, ERASE, confirm="ERASE").status_code == 303
    assert erasures.of_reader(ada.reader_id).stage == "begun"
    db.session.commit()
    people.tend(ada.shop.parts, Shift("w"))
    assert erasures.of_reader(ada.reader_id).stage == "done"
    assert readers.under(NEW) == []


@on_sqlite
def test_who_lapsed_is_told_that_nothing_is_given_up(ada: Ada) -> None:
    ada.shop.stripe().v1.subscriptions.cancel(ada.subscription_id)
    ada.shop.deliver_all()
    ada.clock.moment += timedelta(days=3)
    sign_in(ada.shop, ada.browser, ada.reader_id, ada.clock.now())
    page = ada.browser.get(ERASE).text
    assert "You have paid to read until" not in page
    assert "nothing more is charged" not in page
    assert db.session.scalars(select(Reader.email).where(Reader.id == ada.reader_id)).all() == [NEW]
