"""No cache between a reader and the site may ever keep a full text, whatever was asked for and however it ended."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from paywall.demo import pages
from paywall.demo.articles import Article, Library

CONDITIONAL = [
    {"If-None-Match": "*"},
    {"If-None-Match": '"x"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    {"If-Range": '"x"', "Range": "bytes=0-99"},
    {"Range": "bytes=0-99"},
    {"Cache-Control": "only-if-cached, max-stale"},
    {"Pragma": "x"},
]


def assert_not_storable(answer, where: object) -> None:
    """`no-store` alone would do; nothing beside it may say the contrary to an older proxy."""
    assert answer.headers.getlist("Cache-Control") == ["private, no-store"], where
    assert {"cookie", "authorization"} <= {name.lower() for name in answer.vary}, where
    for name in ("ETag", "Last-Modified", "Expires", "Age", "Surrogate-Control", "CDN-Cache-Control"):
        assert name not in answer.headers, (where, name)


@pytest.mark.parametrize("who", ["visitor", "subscriber"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_article_may_be_stored(request, library: Library, who: str, method: str) -> None:
    client: FlaskClient = request.getfixturevalue(who)
    for article in library.articles:
        assert_not_storable(client.open(article.path, method=method), article.path)


@pytest.mark.parametrize("headers", CONDITIONAL, ids=lambda headers: ", ".join(headers))
def test_a_conditional_request_is_answered_whole_and_not_storable(
    subscriber: FlaskClient, paid: Article, hidden, headers: dict[str, str]
) -> None:
    """A 304 or a part would say: keep what you have. There is nothing that a cache may have."""
    answer = subscriber.get(paid.path, headers=headers)
    assert answer.status_code == 200
    assert all(line in answer.text for line in hidden(paid))
    assert_not_storable(answer, headers)


def test_an_answer_that_fails_after_the_decision_is_not_storable(
    site: Flask, subscriber: FlaskClient, paid: Article, monkeypatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("half way")

    site.testing = False
    monkeypatch.setattr(pages, "news_article", fail)
    answer = subscriber.get(paid.path)
    assert answer.status_code == 500
    assert_not_storable(answer, "500")


@pytest.mark.parametrize("path", ["/analyses/nothing", "/analyses/../memos/x", "/nothing.css", "/analyses/x.css"])
def test_an_article_that_is_not_there_may_not_be_stored_in_its_place(subscriber: FlaskClient, path: str) -> None:
    answer = subscriber.get(path)
    assert answer.status_code == 404
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("ending", [".css", "/x.css", ";x.css", "%2ex.css", "%00.css", "%0a.js", "?x.css", "%3Fx.png"])
def test_an_ending_that_caches_trust_gives_no_full_text_that_may_be_kept(
    subscriber: FlaskClient, paid: Article, hidden, ending: str
) -> None:
    """A cache that keeps whatever looks like a file would serve it to the next reader."""
    answer = subscriber.get(paid.path + ending)
    assert "no-store" in answer.headers["Cache-Control"]
    if answer.status_code != 200:
        assert not any(line in answer.text for line in hidden(paid))


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-Host",
        "X-Host",
        "X-Forwarded-Server",
        "Forwarded",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-Forwarded-Prefix",
    ],
)
def test_a_header_that_no_cache_looks_at_changes_no_page(visitor: FlaskClient, paid: Article, header: str) -> None:
    for path in ("/", paid.path, "/feed.xml"):
        assert visitor.get(path, headers={header: "evil.test"}).data == visitor.get(path).data


def test_what_may_be_kept_is_the_same_for_everybody(
    visitor: FlaskClient, subscriber: FlaskClient, site: Flask, library: Library, hidden
) -> None:
    """Every address without a decision: feed, files, health. None holds a line of a full text."""
    secret = [line for article in library.articles for line in hidden(article)]
    kept = [str(rule) for rule in site.url_map.iter_rules() if not rule.arguments] + ["/static/courier.css"]
    storable = 0
    for path in kept:
        with subscriber.get(path) as mine, visitor.get(path) as theirs:
            if "no-store" not in mine.headers.get("Cache-Control", ""):
                storable += 1
                assert mine.data == theirs.data, path
                assert not any(line.encode() in mine.data for line in secret), path
    assert storable >= 1
