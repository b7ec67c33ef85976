"""GET /renew: a browser behind a gateway gets a new token while it is signed in and may read."""

import pytest

from tests.accounts.door import ARTICLE, Browser, Door

RENEW = {"query_string": {"return_to": ARTICLE}}
OFFER = "/join?plan=annual&return_to=https%3A%2F%2Fnews.test%2Fanalyses%2Fharbour%3Fpage%3D2"


@pytest.fixture
def reader(door: Door) -> Browser:
    """A subscriber who is signed in."""
    door.subscriber("ada@example.com")
    return door.signed_in("ada@example.com")


def test_a_signed_in_subscriber_goes_back_with_a_new_token(door: Door, reader: Browser) -> None:
    old = reader.cookie("paywall_token")
    door.clock.advance(minutes=16)
    answer = reader.get("/renew", **RENEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, ARTICLE)
    assert reader.cookie("paywall_token") not in (None, old)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"))
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_who_is_not_signed_in_is_shown_the_offer(door: Door) -> None:
    answer = door.browser().get("/renew", **RENEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, OFFER)
    assert "Set-Cookie" not in answer.headers


def test_whose_access_has_ended_is_shown_the_offer_and_gets_no_token(door: Door, reader: Browser) -> None:
    door.clock.advance(days=366)
    with_session = reader.get("/renew", **RENEW)
    assert (with_session.status_code, with_session.headers["Location"]) == (303, OFFER)
    assert "Set-Cookie" not in with_session.headers


def test_who_signed_out_gets_none(door: Door, reader: Browser) -> None:
    assert reader.send(reader.get("/sign-in"), "/sign-out").status_code == 303
    assert reader.get("/renew", **RENEW).headers["Location"] == OFFER


@pytest.mark.parametrize("where", ["https://evil.test/", "//evil.test", "https://news.test@evil.test/"])
def test_nobody_is_led_to_a_foreign_site(reader: Browser, where: str) -> None:
    answer = reader.get("/renew", query_string={"return_to": where})
    assert answer.status_code == 400
    assert "evil" not in answer.headers.get("Location", "")


def test_without_a_page_to_go_back_to_it_is_the_account(reader: Browser) -> None:
    assert reader.get("/renew").headers["Location"] == "/account"
