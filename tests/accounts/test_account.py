"""The account page, and leaving."""

import re
from datetime import timedelta

from sqlalchemy import select

from paywall.sandbox.billing.paying import fail_next
from paywall.storage import sessions
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import ReaderSession, Revocation
from tests.accounts.door import ARTICLE, HOST, Door
from tests.conftest import FrozenClock
from tests.support import staff
from tests.support.forms import form_of
from tests.support.shop import Shop, referer

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_signing_out_ends_the_session_and_its_tokens",
        "test_it_says_who_and_until_when_and_what_then",
    }
)


def test_a_stranger_is_led_to_sign_in_and_back(door: Door) -> None:
    answer = door.browser().get("/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?return_to=/account")


def test_it_says_who_and_until_when_and_what_then(door: Door) -> None:
    door.subscriber("ada@example.com", until=timedelta(days=365))
    page = door.signed_in("ada@example.com").get("/account")
    assert page.status_code == 200
    assert "ada@example.com" in page.text
    assert "Everything we publish" in page.text
    assert "then it renews at $100 for another year." in page.text
    assert page.headers["Cache-Control"] == "private, no-store"


def test_who_has_no_subscription_is_offered_one(door: Door) -> None:
    door.staff("sue@example.com")
    page = door.signed_in("sue@example.com").get("/account")
    assert "There is no subscription under this address." in page.text
    assert "/join?plan=annual&amp;return_to=https%3A%2F%2Fnews.test%2F" in page.text


def test_a_subscription_to_a_plan_that_is_no_longer_known_does_not_break_the_page(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = door.signed_in("ada@example.com")
    with door.app.app_context():
        db.session.execute(db.text("UPDATE entitlements SET plan = 'gone'"))
        db.session.commit()
    assert "There is no subscription" in browser.get("/account").text


def test_signing_out_ends_the_session_and_its_tokens(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = door.signed_in("ada@example.com")
    secret = browser.cookie("paywall_sid")
    answer = browser.send(browser.get("/account"), "/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://news.test/")
    assert browser.cookie("paywall_sid") is None
    assert browser.cookie("paywall_token") is None
    with door.app.app_context():
        assert sessions.find_live(sha256_hex(secret), door.clock.now()) is None
        assert db.session.scalars(select(Revocation.value)).all() == db.session.scalars(select(ReaderSession.id)).all()


def test_a_copied_cookie_is_worth_nothing_after_signing_out(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser, thief = door.signed_in("ada@example.com"), door.browser()
    thief.client.set_cookie("paywall_sid", browser.cookie("paywall_sid"), domain="pay.test")
    assert thief.get("/account").status_code == 200
    browser.send(browser.get("/account"), "/sign-out")
    assert thief.get("/account").status_code == 303


def test_other_devices_stay_signed_in(door: Door) -> None:
    door.subscriber("ada@example.com")
    telephone, desk = door.signed_in("ada@example.com"), door.signed_in("ada@example.com")
    telephone.send(telephone.get("/account"), "/sign-out")
    assert desk.get("/account").status_code == 200


def test_signing_out_leads_back_to_the_article(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = door.signed_in("ada@example.com")
    answer = browser.send(browser.get("/account"), "/sign-out", return_to=ARTICLE)
    assert answer.headers["Location"] == ARTICLE


def test_signing_out_leads_to_no_stranger(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = door.signed_in("ada@example.com")
    for target in ("https://evil.test/", "//evil.test/", "https:evil.test"):
        assert browser.send(browser.get("/account"), "/sign-out", return_to=target).status_code == 400
    assert browser.get("/account").status_code == 200


def test_another_site_cannot_sign_a_reader_out(door: Door) -> None:
    """Neither by a form without our token, nor by a link or an image."""
    door.subscriber("ada@example.com")
    browser = door.signed_in("ada@example.com")
    assert browser.client.post("/sign-out", base_url=HOST, headers={"Referer": f"{HOST}/"}).status_code == 400
    assert browser.get("/sign-out").status_code == 405
    assert browser.get("/account").status_code == 200


def test_signing_out_twice_is_harmless(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = door.signed_in("ada@example.com")
    browser.send(browser.get("/account"), "/sign-out")
    assert browser.send(browser.get("/sign-in"), "/sign-out").status_code == 303


def test_the_sign_in_page_tells_who_is_signed_in(door: Door) -> None:
    door.subscriber("ada@example.com")
    page = door.signed_in("ada@example.com").get("/sign-in", query_string={"return_to": ARTICLE})
    assert "You are signed in as <strong" in page.text
    assert f'href="{ARTICLE}"' in page.text


def main_button(text: str) -> list[str]:
    """The words of the buttons that stand out."""
    return [words.strip() for words in re.findall(r'class="button"[^>]*>([^<]+)<', text)]


def test_in_grace_the_main_button_pays_and_nobody_is_sent_to_write(shop: Shop, clock: FrozenClock) -> None:
    client = shop.browser()
    subscription_id = shop.buy(client)
    fail_next(shop.sandbox.sandbox.account)
    clock.advance(days=366)
    shop.stripe().v1.subscriptions.retrieve(subscription_id)
    shop.deliver_all()
    text = client.get("/account").text
    assert "Your renewal could not be paid yet" in text
    assert main_button(text) == ["Pay now or change the card"]
    assert "we help" not in text
    answer = client.post("/account/billing", data=form_of(text), headers=referer())
    assert answer.headers["Location"].startswith(f"{shop.sandbox.url}/p/session/")


def test_on_hold_over_a_dispute_the_main_button_writes_to_the_newsroom(shop: Shop) -> None:
    client = shop.browser()
    staff.dispute(shop, shop.buy(client))
    shop.deliver_all()
    text = client.get("/account").text
    assert "your bank is looking into the payment" in text
    assert main_button(text) == ["Write to us"]
    assert 'class="button quiet" href="https://news.test/"' in text


def test_a_paused_subscription_is_resumed_where_it_is_managed(shop: Shop) -> None:
    client = shop.browser()
    subscription_id = shop.buy(client)
    shop.stripe().v1.subscriptions.pause(subscription_id, {"type": "subscription"})
    shop.deliver_all()
    assert main_button(client.get("/account").text) == ["Card, receipts, cancel"]


def test_without_a_customer_at_stripe_the_way_out_is_to_write(door: Door) -> None:
    door.subscriber("ada@example.com")
    browser = door.signed_in("ada@example.com")
    with door.app.app_context():
        db.session.execute(db.text("UPDATE entitlements SET hold = 'paused'"))
        db.session.commit()
    text = browser.get("/account").text
    assert main_button(text) == []
    assert "we help" in text


def test_a_good_subscription_leads_to_reading_first(door: Door) -> None:
    door.subscriber("ada@example.com")
    assert main_button(door.signed_in("ada@example.com").get("/account").text)[0].startswith("Read ")
