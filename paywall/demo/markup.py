"""schema.org description of an article, for search engines (developers.google.com: paywalled content)."""

from typing import Any

from paywall.demo.articles import Article
from paywall.demo.config import NEWSROOM

PUBLISHER = {"@type": "NewsMediaOrganization", "name": NEWSROOM}
PAYWALLED = "paywalled"  # class of the page element that holds the text behind the paywall


def news_article(article: Article, base_url: str) -> dict[str, Any]:
    """A NewsArticle without its text: what is free, and which part of the page is not."""
    described: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "description": article.standfirst,
        "datePublished": article.published.isoformat(),
        "articleSection": article.kind,
        "author": {"@type": "Organization", "name": article.byline},
        "publisher": PUBLISHER | {"url": f"{base_url}/"},
        "mainEntityOfPage": f"{base_url}{article.path}",
        "isAccessibleForFree": article.free,
    }
    if article.art:
        described["image"] = f"{base_url}/static/art/{article.art}"
    if not article.free:
        described["hasPart"] = {
            "@type": "WebPageElement",
            "isAccessibleForFree": False,
            "cssSelector": f".{PAYWALLED}",
        }
    return described
