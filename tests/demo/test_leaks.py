"""Nothing behind the paywall leaves the site for a reader without access, by whatever road."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from paywall.demo.articles import Library

SUFFIXES = ["", "/", ".json", ".txt", ".md", "/print", "/amp", "?print=1", "?format=json", "?full=1", "?checkout=done"]


def roads(site: Flask, library: Library) -> list[str]:
    """Every address the site has, and those that other sites leak through."""
    plain = [str(rule) for rule in site.url_map.iter_rules() if not rule.arguments]
    articles = [f"{one.path}{suffix}" for one in library.articles for suffix in SUFFIXES]
    files = [f"/static/../articles/{one.slug}.md" for one in library.articles]
    sections = [f"/{one.kind}/" for one in library.articles]
    return [*plain, *articles, *files, *sections, "/search?q=ferry", "/articles/", "/api/articles"]


def test_no_address_gives_away_a_line_behind_the_paywall(
    site: Flask, visitor: FlaskClient, library: Library, hidden
) -> None:
    secret = [line for article in library.articles for line in hidden(article)]
    assert len(secret) > 50
    for path in roads(site, library):
        body = visitor.get(path, follow_redirects=True).text
        assert not [line for line in secret if line in body or line[:60] in body], path


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"])
def test_other_methods_give_away_nothing(visitor: FlaskClient, library: Library, hidden, method: str) -> None:
    for article in library.articles:
        answer = visitor.open(article.path, method=method)
        assert not any(line in answer.text for line in hidden(article))


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Googlebot/2.1"},
        {"Referer": "https://news.google.com/"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Accept": "application/json"},
        {"Authorization": "Bearer x"},
        {"Range": "bytes=0-100000"},
        {"X-Original-URL": "/newsletters/morning-tide"},
    ],
)
def test_no_header_opens_an_article(visitor: FlaskClient, library: Library, hidden, headers: dict[str, str]) -> None:
    for article in library.articles:
        answer = visitor.get(article.path, headers=headers)
        assert not any(line in answer.text for line in hidden(article))


def test_the_search_for_leaks_would_find_one(subscriber: FlaskClient, library: Library, hidden) -> None:
    """The lines searched for are those that a page with access really holds, letter by letter."""
    for article in library.articles:
        body = subscriber.get(article.path).text
        assert all(line in body for line in hidden(article)), article.path
