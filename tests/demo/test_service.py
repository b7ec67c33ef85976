"""The site and the paywall service over real HTTP: keys fetched, tokens renewed, and pages served when it is down."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask, request
from werkzeug.exceptions import NotFound

from paywall.demo.articles import Article
from paywall.demo.config import SiteConfig
from paywall.demo.site import create_site
from paywall.verifier.keys import KeySet
from tests.demo.conftest import KEY, browse, token
from tests.support.chromium import serve

__all__ = ["serve"]  # fixture

OFFER = 'class="join"'  # the join box


class Service:
    """A stand-in for the paywall service: its keys, and renewals for whoever holds the service key."""

    def __init__(self) -> None:
        self.url = ""
        self.renewals: list[str] = []
        self.refuses = False
        self.app = Flask("service")
        self.app.add_url_rule("/.well-known/jwks.json", view_func=self.jwks)
        self.app.add_url_rule("/v1/tokens/renew", view_func=self.renew, methods=["POST"])

    def jwks(self) -> object:
        return KeySet({KEY.kid: KEY.public}).to_jwks()

    def renew(self) -> object:
        if request.headers.get("Authorization") != "Bearer pwk_of_the_site":
            raise NotFound
        self.renewals.append(request.get_json()["token"])
        if self.refuses:
            return {"active": False, "reason": "not_entitled"}
        return {"active": True, "token": self.token(), "expires_in": 900}

    def token(self, **lasts: float) -> str:
        return token(iss=self.url, lasts=timedelta(**(lasts or {"minutes": 15})))


@pytest.fixture
def service(serve: Callable[[Flask], str]) -> Service:
    made = Service()
    made.url = serve(made.app)
    return made


@pytest.fixture
def live(config: SiteConfig, service: Service) -> Flask:
    """A site that fetches keys and renews at the stand-in."""
    return create_site(replace(config, paywall_url=service.url, keys=None, service_key="pwk_of_the_site"))


def test_a_token_is_checked_with_the_keys_that_the_service_publishes(
    live: Flask, service: Service, paid: Article
) -> None:
    assert OFFER not in browse(live, service.token()).get(paid.path).text
    assert OFFER in browse(live, token()).get(paid.path).text
    assert service.renewals == []


def test_an_expired_token_is_renewed_once_and_the_new_one_kept(live: Flask, service: Service, paid: Article) -> None:
    old = service.token(seconds=-60)
    reader = browse(live, old)
    answer = reader.get(paid.path)
    assert OFFER not in answer.text
    assert service.renewals == [old]
    kept = reader.get_cookie("paywall_token", domain="127.0.0.1")
    assert kept is not None
    assert kept.value != old
    assert kept.http_only
    assert kept.same_site == "Lax"
    assert answer.headers["Cache-Control"] == "private, no-store"
    reader.get("/")
    assert len(service.renewals) == 1


def test_a_reader_whose_access_has_ended_sees_the_join_box_and_where_it_says_why(
    live: Flask, service: Service, paid: Article, hidden
) -> None:
    service.refuses = True
    body = browse(live, service.token(seconds=-60)).get(paid.path).text
    assert OFFER in body
    assert f'Your subscription has ended. <a href="{service.url}/account">Your account</a> says why.' in body
    assert "Subscribe" in body
    assert not any(line in body for line in hidden(paid))


def test_every_page_is_served_while_the_service_is_down(config: SiteConfig, paid: Article, hidden) -> None:
    """Neither keys nor renewals can be had; nobody waits for them page after page."""
    site = create_site(replace(config, paywall_url="http://127.0.0.1:1", keys=None))
    reader = browse(site, token(iss="http://127.0.0.1:1"))
    began = time.monotonic()
    for path in ("/", paid.path, "/memos/", "/newsletters/morning-tide"):
        assert reader.get(path).status_code == 200
    body = reader.get(paid.path).text
    assert time.monotonic() - began < 3
    assert OFFER in body
    assert "http://127.0.0.1:1/join?" in body
    assert not any(line in body for line in hidden(paid))


def test_a_reader_with_a_good_token_reads_on_while_the_service_is_down(
    live: Flask, service: Service, paid: Article
) -> None:
    reader = browse(live, service.token())
    assert OFFER not in reader.get(paid.path).text
    service.app.view_functions = dict.fromkeys(service.app.view_functions, lambda: ("down", 503))
    assert OFFER not in reader.get(paid.path).text
