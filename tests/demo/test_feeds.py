"""Feed and sitemap: complete, and no more than openings."""

from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

from flask.testing import FlaskClient

from paywall.demo.articles import Library
from tests.demo.conftest import BASE


def test_the_feed_has_every_article_with_its_opening_at_most(visitor: FlaskClient, library: Library, hidden) -> None:
    answer = visitor.get("/feed.xml")
    assert answer.mimetype == "application/rss+xml"
    items = ElementTree.fromstring(answer.data).findall("channel/item")  # noqa: S314 (our own feed)
    assert [item.findtext("link") for item in items] == [f"{BASE}{one.path}" for one in library.articles]
    for item, article in zip(items, library.articles, strict=True):
        text = item.findtext("description") or ""
        assert article.standfirst in text
        assert article.opening[0].lines[0] in text
        assert not any(line in answer.text for line in hidden(article))
        assert parsedate_to_datetime(item.findtext("pubDate") or "") == article.published


def test_the_feed_is_the_same_for_a_subscriber(visitor: FlaskClient, subscriber: FlaskClient) -> None:
    """It may be kept by shared caches, so it must not know who asks."""
    anonymous, known = visitor.get("/feed.xml"), subscriber.get("/feed.xml")
    assert anonymous.data == known.data
    assert known.headers["Cache-Control"] == "public, max-age=300"


def test_the_sitemap_names_pages_that_exist(visitor: FlaskClient, library: Library) -> None:
    root = ElementTree.fromstring(visitor.get("/sitemap.xml").data)  # noqa: S314 (our own)
    addresses = [one.text or "" for one in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert {f"{BASE}{one.path}" for one in library.articles} < set(addresses)
    for address in addresses:
        assert visitor.get(address.removeprefix(BASE)).status_code == 200, address


def test_robots_keeps_crawlers_out_of_the_outbox(visitor: FlaskClient) -> None:
    text = visitor.get("/robots.txt").text
    assert "Disallow: /outbox" in text
    assert f"Sitemap: {BASE}/sitemap.xml" in text
