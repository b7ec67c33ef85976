"""schema.org markup as search engines ask for it from sites with a paywall."""

import json
import re

from flask.testing import FlaskClient

from paywall.demo.articles import Library
from tests.demo.conftest import BASE


def described(body: str) -> dict:
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', body, re.S)
    assert len(found) == 1
    return json.loads(found[0])


def test_a_paid_article_names_the_part_that_is_not_free(visitor: FlaskClient, library: Library) -> None:
    for article in library.articles:
        data = described(visitor.get(article.path).text)
        assert data["@type"] == "NewsArticle"
        assert data["headline"] == article.title
        assert data["mainEntityOfPage"] == f"{BASE}{article.path}"
        assert data["isAccessibleForFree"] is article.free
        if not article.free:
            part = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".paywalled"}
            assert data["hasPart"] == part


def test_the_selector_points_at_one_element_with_and_without_access(
    visitor: FlaskClient, subscriber: FlaskClient, library: Library
) -> None:
    for article in library.articles:
        for client in (visitor, subscriber):
            assert client.get(article.path).text.count('class="paywalled"') == (0 if article.free else 1)


def test_with_access_the_selected_element_holds_the_text(subscriber: FlaskClient, paid, hidden) -> None:
    inside = subscriber.get(paid.path).text.partition('class="paywalled"')[2]
    assert all(line in inside for line in hidden(paid))


def test_a_title_cannot_break_out_of_the_markup(site, paid) -> None:
    with site.test_request_context():
        page = site.jinja_env.from_string('<script type="application/ld+json">{{ data|tojson }}</script>')
        body = page.render(data={"headline": "</script><script>alert(1)</script>"})
    assert body.count("</script>") == 1
    assert described(body)["headline"].startswith("</script>")
