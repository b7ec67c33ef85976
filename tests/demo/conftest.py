"""Fixtures for the news site: a site that trusts a key of ours, visitors, and tokens signed with it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from paywall.demo.articles import Article, Library, load_library
from paywall.demo.config import SiteConfig
from paywall.demo.site import create_site
from paywall.verifier.codec import TokenCodec
from paywall.verifier.keys import KeySet, SigningKey

BASE = "http://127.0.0.1:8000"
SERVICE = "http://127.0.0.1:8001"
ALL = "news analyses memos reports newsletters"
KEY = SigningKey.generate("test-key")


@pytest.fixture
def config(tmp_path: Path) -> SiteConfig:
    """A site of the usual addresses; nothing listens at the paywall service's."""
    return SiteConfig(
        base_url=BASE,
        paywall_url=SERVICE,
        service_key="pwk_unused",
        outbox_dir=tmp_path,
        sandbox_url="http://127.0.0.1:8002",
        keys=KeySet({KEY.kid: KEY.public}).to_jwks(),
    )


@pytest.fixture
def site(config: SiteConfig) -> Flask:
    made = create_site(config)
    made.testing = True
    return made


@pytest.fixture
def visitor(site: Flask) -> FlaskClient:
    """A browser without a token, at the site's own address."""
    return browse(site)


@pytest.fixture
def subscriber(site: Flask) -> FlaskClient:
    """A browser with a token for everything."""
    return browse(site, token())


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library()


@pytest.fixture(scope="session")
def hidden(library: Library) -> Callable[[Article], list[str]]:
    """The lines of an article behind the paywall, as a page would show them."""
    return lambda article: [line for block in library.rest_of(article) for line in block.lines]


@pytest.fixture
def paid(library: Library) -> Article:
    return next(one for one in library.articles if one.kind == "analyses" and not one.free)


class Visitor(FlaskClient):
    """A browser that comes to the site's own address unless a test gives another."""

    def open(self, *args, **kwargs):
        return super().open(*args, **{"base_url": BASE, **kwargs})


def browse(site: Flask, cookie: str | None = None) -> FlaskClient:
    """A new browser of that site."""
    client = Visitor(site, site.response_class)
    if cookie is not None:
        client.set_cookie("paywall_token", cookie, domain="127.0.0.1")
    return client


def token(
    scope: str = ALL, *, key: SigningKey = KEY, lasts: timedelta = timedelta(minutes=15), **claims: object
) -> str:
    """An access token of these features, signed now."""
    now = datetime.now(UTC)
    given = {
        "iss": SERVICE,
        "sub": "rdr_1",
        "aud": "content",
        "iat": int((now - timedelta(minutes=30)).timestamp()),
        "exp": int((now + lasts).timestamp()),
        "jti": "tok_1",
        "scope": scope,
        "sid": "ses_1",
        "gen": 0,
    }
    return TokenCodec("access").dumps(given | claims, key)
