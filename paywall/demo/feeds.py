"""What machines read: RSS feed, sitemap, robots.txt. They carry openings at most."""

from email.utils import format_datetime
from xml.etree.ElementTree import Element, SubElement, tostring

from flask import Blueprint, Response, current_app

from paywall.demo.articles import KINDS, Article
from paywall.demo.config import NEWSROOM, TAGLINE

blueprint = Blueprint("feeds", __name__)
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_ATOM = "http://www.w3.org/2005/Atom"


@blueprint.get("/feed.xml")
def feed() -> Response:
    """RSS 2.0: title, standfirst and first paragraph of each article, of free ones too."""
    base = current_app.config["SITE"].base_url
    rss = Element("rss", {"version": "2.0", "xmlns:atom": _ATOM})
    channel = SubElement(rss, "channel")
    _texts(channel, title=NEWSROOM, link=f"{base}/", description=TAGLINE)
    SubElement(channel, "atom:link", {"rel": "self", "href": f"{base}/feed.xml", "type": "application/rss+xml"})
    for article in current_app.extensions["library"].articles:
        _item(SubElement(channel, "item"), article, base)
    return _xml(rss, "application/rss+xml")


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """The addresses of all pages that are worth finding."""
    base = current_app.config["SITE"].base_url
    urlset = Element("urlset", {"xmlns": _SITEMAP})
    for path in ("/", *(f"/{kind}/" for kind in KINDS)):
        _texts(SubElement(urlset, "url"), loc=f"{base}{path}")
    for article in current_app.extensions["library"].articles:
        _texts(SubElement(urlset, "url"), loc=f"{base}{article.path}", lastmod=article.published.date().isoformat())
    return _xml(urlset, "application/xml")


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Everything but the mail outbox may be visited."""
    base = current_app.config["SITE"].base_url
    return Response(f"User-agent: *\nDisallow: /outbox\nSitemap: {base}/sitemap.xml\n", mimetype="text/plain")


def _item(item: Element, article: Article, base: str) -> None:
    url = f"{base}{article.path}"
    summary = " ".join([article.standfirst, *article.opening[0].lines])
    date = format_datetime(article.published)
    _texts(item, title=article.title, link=url, guid=url, description=summary, pubDate=date, category=article.kind)


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _xml(root: Element, mimetype: str) -> Response:
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, mimetype=mimetype, headers={"Cache-Control": "public, max-age=300"})
