"""Headers: caching, content security, and one host name."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from paywall.demo.articles import Article
from tests.demo.conftest import BASE

PAGES = ["/", "/memos/", "/memos/memo-water-mains", "/newsletters/morning-tide"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("who", ["visitor", "subscriber"])
def test_a_page_that_depends_on_the_reader_is_kept_by_no_cache(
    request: pytest.FixtureRequest, who: str, path: str
) -> None:
    answer = request.getfixturevalue(who).get(path)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert {"Cookie", "Authorization"} <= set(answer.vary)


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/feed.xml", "/outbox", "/static/courier.css"])
def test_every_answer_has_the_security_headers(visitor: FlaskClient, path: str) -> None:
    with visitor.get(path) as answer:
        headers = answer.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "script-src" not in policy
    assert "unsafe-inline" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "Referrer-Policy" in headers


def test_no_page_needs_what_its_policy_forbids(visitor: FlaskClient, paid: Article) -> None:
    for path in ("/", paid.path, "/outbox"):
        body = visitor.get(path).text
        assert " style=" not in body
        assert "<style" not in body
        assert " onclick=" not in body
        assert body.count("<script") == body.count('<script type="application/ld+json"')


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "evil.test", "127.0.0.1.evil.test:8000"])
def test_another_host_name_is_sent_to_the_one_that_shares_cookies(visitor: FlaskClient, host: str) -> None:
    answer = visitor.get("/memos/memo-water-mains?checkout=cancelled", base_url=f"http://{host}")
    assert answer.status_code == 307
    assert answer.location == f"{BASE}/memos/memo-water-mains?checkout=cancelled"


@pytest.mark.parametrize("path", ["//evil.test/x", "/%2F%2Fevil.test", "/a%0d%0aSet-Cookie:x=1", "/caf%C3%A9"])
def test_the_way_to_the_right_host_leads_nowhere_else(visitor: FlaskClient, path: str) -> None:
    answer = visitor.get(path, base_url="http://localhost:8000")
    assert answer.location.startswith(f"{BASE}/")
    assert "Set-Cookie" not in answer.headers


def test_health_is_answered_under_any_name(visitor: FlaskClient) -> None:
    assert visitor.get("/healthz", base_url="http://localhost:1").status_code == 200


def test_the_token_cookie_of_the_site_is_secure_on_https(config, site: Flask) -> None:
    """Over plain http, as in the demo, a Secure cookie would be lost."""
    assert config.base_url.startswith("http://")
    assert site.extensions["paywall"]._gate.cookie_secure is False
