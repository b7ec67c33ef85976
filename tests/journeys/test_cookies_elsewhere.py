"""Ports of one host share a cookie jar: what one service is sent of another's must open nothing there."""

import pytest

from paywall.storage import service_keys
from paywall.storage.database import db
from tests.support.shop import ARTICLE, Shop, referer

NAMES = ("paywall_token", "paywall_sid", "paywall_web", "__Host-paywall_checkout")


@pytest.fixture
def buyer(shop: Shop):
    """A browser that bought, with its cookies by name."""
    client = shop.browser()
    client.get(shop.pay(shop.start(client)))
    return client


def value(client, name: str) -> str:
    cookie = client.get_cookie(name)
    assert cookie is not None, name
    return cookie.value


@pytest.fixture
def jar(buyer) -> dict[str, str]:
    """Every value that the buyer's browser holds for the service."""
    buyer.get("/join?plan=annual&return_to=" + ARTICLE)
    found = {name: cookie.value for name in NAMES if (cookie := buyer.get_cookie(name)) is not None}
    assert {"paywall_token", "paywall_sid", "paywall_web"} <= set(found)
    return found


def test_a_value_signs_in_under_its_own_name_only(shop: Shop, jar: dict[str, str]) -> None:
    """The access token goes to every content service; none of them may open the reader's account with it."""
    for name in NAMES:
        for origin, text in jar.items():
            client = shop.browser()
            client.set_cookie(name, text)
            answer = client.get("/account")
            signed_in = answer.status_code == 200
            assert signed_in == (name == origin == "paywall_sid"), (name, origin)


def test_no_cookie_of_a_reader_is_a_service_key(shop: Shop, jar: dict[str, str]) -> None:
    for text in jar.values():
        answer = shop.browser().post(
            "/v1/tokens/verify", json={"token": jar["paywall_token"]}, headers={"Authorization": f"Bearer {text}"}
        )
        assert answer.status_code == 401


def test_no_other_cookie_is_an_access_token(shop: Shop, jar: dict[str, str]) -> None:
    _, key = service_keys.add("news", shop.parts.clock.now())
    db.session.commit()
    headers = {"Authorization": f"Bearer {key}"}
    told = {}
    for name, text in [*jar.items(), ("service key", key)]:
        told[name] = shop.browser().post("/v1/tokens/verify", json={"token": text}, headers=headers).json["allowed"]
    assert {name for name, allowed in told.items() if allowed} == {"paywall_token"}


def test_a_service_key_signs_nobody_in(shop: Shop, buyer) -> None:
    _, key = service_keys.add("news", shop.parts.clock.now())
    db.session.commit()
    for path in ("/account", "/admin/"):
        client = shop.browser()
        for name in NAMES:
            client.set_cookie(name, key)
        answer = client.get(path, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 303
        assert "/sign-in" in answer.headers["Location"]


@pytest.mark.parametrize("real", [True, False])
def test_a_session_planted_before_the_payment_is_worth_nothing_after(shop: Shop, real: bool) -> None:
    """Fixation: neither a made-up value nor a real session of the attacker's ever becomes the buyer's."""
    attacker, victim = shop.browser(), shop.browser()
    shop.buy(attacker, "eve@example.com")
    planted = value(attacker, "paywall_sid") if real else "made-up"
    path = shop.pay(shop.start(victim, "ada@example.com"))
    victim.set_cookie("paywall_sid", planted)
    assert victim.get(path).headers["Location"] == ARTICLE
    assert value(victim, "paywall_sid") != planted
    assert "ada@example.com" in victim.get("/account").text
    thief = shop.browser()
    thief.set_cookie("paywall_sid", planted)
    assert "ada@example.com" not in thief.get("/account").text


def test_a_checkout_cookie_cannot_be_planted_by_a_neighbouring_host(shop: Shop) -> None:
    """Its prefix makes browsers take it from this very host over https alone."""
    answer = shop.browser().get("/join", query_string={"plan": "annual", "return_to": ARTICLE})
    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if "paywall_checkout=" in one]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie
    assert "Path=/;" in f"{cookie};"
    assert "Domain" not in cookie


@pytest.mark.parametrize("flood", [1, 60])
def test_foreign_and_broken_cookies_disturb_nobody(shop: Shop, buyer, flood: int) -> None:
    """Neighbours on the same host may set anything, under any name."""
    for number in range(flood):
        buyer.set_cookie(f"news_{number}", "x" * 50)
    for odd in ("=", "\\", '"', "%00", "a=b; paywall_sid=x"):
        buyer.set_cookie("odd", odd)
    assert buyer.get("/account").status_code == 200
    assert buyer.post("/sign-out", data={}, headers=referer()).status_code == 400
