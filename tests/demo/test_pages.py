"""The pages: who sees the whole article, and what the others are offered."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from paywall.demo.articles import KINDS, Article, Library
from paywall.demo.browser import Page
from paywall.domain.days import in_words
from paywall.verifier.keys import SigningKey
from tests.demo.conftest import BASE, SERVICE, browse, token

OFFER = "Only $100 per year"


def see(client: FlaskClient, path: str) -> Page:
    answer = client.get(path)
    return Page(f"{BASE}{path}", answer.status_code, _headers(answer.headers), answer.text)


def _headers(headers: object) -> object:
    class Both(dict):
        def get_content_type(self) -> str:
            return self["Content-Type"].partition(";")[0]

    return Both(headers.items())


def test_the_front_page_leads_to_every_article(visitor: FlaskClient, library: Library) -> None:
    front = see(visitor, "/")
    for article in library.articles:
        assert urlsplit(front.link(article.title)).path == article.path


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_page(visitor: FlaskClient, library: Library, kind: str) -> None:
    page = see(visitor, f"/{kind}/")
    for article in library.articles:
        assert (article.title in page.text) == (article.kind == kind)


def test_a_paid_article_shows_its_opening_and_the_join_box(visitor: FlaskClient, paid: Article, hidden) -> None:
    page = see(visitor, paid.path)
    assert paid.opening[0].lines[0] in page.text
    for promise in (OFFER, "24/7 news", "Analyses", "Memos", "Reports", "Newsletters", "until you cancel"):
        assert promise in page.text
    assert not any(line in page.body for line in hidden(paid))


def test_days_are_written_as_the_paywall_service_writes_them(visitor: FlaskClient, paid: Article) -> None:
    assert in_words(paid.published.date()) in see(visitor, paid.path).text


def test_both_links_of_the_join_box_come_back_to_the_article(visitor: FlaskClient, paid: Article) -> None:
    page = see(visitor, f"{paid.path}?utm=x")
    back = [f"{BASE}{paid.path}"]
    join, sign_in = urlsplit(page.link("Subscribe")), urlsplit(page.link("Sign in"))
    assert f"{join.scheme}://{join.netloc}{join.path}" == f"{SERVICE}/join"
    assert parse_qs(join.query) == {"plan": ["annual"], "return_to": back}
    assert f"{sign_in.scheme}://{sign_in.netloc}{sign_in.path}" == f"{SERVICE}/sign-in"
    assert parse_qs(sign_in.query) == {"return_to": back}


def test_a_subscriber_reads_every_article_whole_and_is_offered_nothing(
    subscriber: FlaskClient, library: Library, hidden
) -> None:
    for article in library.articles:
        page = see(subscriber, article.path)
        assert all(line in page.text for line in hidden(article)), article.path
        assert OFFER not in page.text
        assert page.link("Your account") == f"{SERVICE}/account"


def test_the_front_page_offers_a_subscription_to_those_without_one(
    visitor: FlaskClient, subscriber: FlaskClient
) -> None:
    join = f"{SERVICE}/join?"
    assert see(visitor, "/").body.count(join) == 2
    assert join not in see(subscriber, "/").body


def test_a_kind_without_its_slash_leads_to_the_page(visitor: FlaskClient) -> None:
    answer = visitor.get("/memos")
    assert (answer.status_code, answer.location) == (308, f"{BASE}/memos/")


def test_a_free_article_is_whole_for_everyone(visitor: FlaskClient, library: Library) -> None:
    for article in library.articles:
        if article.free:
            page = see(visitor, article.path)
            assert article.opening[-1].lines[-1] in page.text
            assert OFFER not in page.text
            assert "Free to read" in page.text


def test_a_token_opens_the_kinds_in_its_scope_alone(site: Flask, library: Library) -> None:
    reader = browse(site, token("memos"))
    assert OFFER not in see(reader, library.of_kind("memos")[0].path).text
    refused = see(reader, library.of_kind("reports")[0].path)
    assert OFFER in refused.text
    assert "does not include" in refused.text


@pytest.mark.parametrize(
    "bad",
    [
        lambda: "",
        lambda: "x",
        lambda: "a~b.c",
        lambda: token(key=SigningKey.generate("test-key")),
        lambda: token(key=SigningKey.generate("other")),
        lambda: token(aud="desk"),
        lambda: token(iss="http://127.0.0.1:9"),
        lambda: token() + "=",
        lambda: token()[:-1],
        lambda: token("Analyses"),
        lambda: token(""),
    ],
)
def test_a_bad_token_shows_no_more_than_none(site: Flask, paid: Article, hidden, bad: Callable[[], str]) -> None:
    """Each is made when it is shown: one of the collection's time would have expired in a long run."""
    page = see(browse(site, bad()), paid.path)
    assert page.status == 200
    assert OFFER in page.text
    assert not any(line in page.body for line in hidden(paid))


def test_who_may_have_paid_is_asked_to_wait_and_offered_nothing_while_the_service_is_down(
    site: Flask, paid: Article, hidden
) -> None:
    page = see(browse(site, token(lasts=timedelta(seconds=-1))), f"{paid.path}?checkout=cancelled")
    assert "We cannot check your subscription just now. Please try again in a minute." in page.text
    assert page.link("Try again") == f"{BASE}{paid.path}"
    for offered in (OFFER, "Subscribe", "sign in", f"{SERVICE}/join"):
        assert offered not in page.body
    assert not any(line in page.body for line in hidden(paid))
    assert f"{SERVICE}/join" not in see(browse(site, token(lasts=timedelta(seconds=-1))), "/").body


def test_a_cancelled_checkout_is_told_with_a_way_to_try_again(visitor: FlaskClient, paid: Article) -> None:
    page = see(visitor, f"{paid.path}?checkout=cancelled")
    assert "Checkout was cancelled, nothing was charged." in page.text
    assert page.link("Try again") == page.link("Subscribe")
    assert 'role="status"' in page.body
    assert "cancelled" not in see(visitor, paid.path).text


def test_a_subscriber_is_told_nothing_of_a_cancelled_checkout(subscriber: FlaskClient, paid: Article) -> None:
    assert "cancelled" not in see(subscriber, f"{paid.path}?checkout=cancelled").text


def test_more_articles_are_three_others_of_the_same_kind_first(visitor: FlaskClient, library: Library) -> None:
    article, other = library.of_kind("memos")
    body = see(visitor, article.path).body.partition('id="more"')[2]
    assert body.count("<article") == 3
    assert other.title in body.partition("</article>")[0]
    assert article.path not in body


@pytest.mark.parametrize("path", ["/", "/memos/", "/memos/memo-water-mains"])
def test_every_page_lets_a_keyboard_skip_to_its_content(visitor: FlaskClient, path: str) -> None:
    page = see(visitor, path)
    assert page.links[0].text == "Skip to main content"
    assert page.links[0].href == "#content"
    assert 'id="content"' in page.body


def test_the_footer_leads_behind_the_scenes(visitor: FlaskClient) -> None:
    page = see(visitor, "/")
    assert page.link("Mail outbox") == f"{BASE}/outbox"
    assert page.link("Stripe sandbox") == "http://127.0.0.1:8002/"
    assert page.link("Staff reports") == f"{SERVICE}/admin/"


@pytest.mark.parametrize("path", ["/nothing", "/gossip/", "/memos/nothing", "/news/memo-water-mains"])
def test_an_unknown_address_gets_a_friendly_404(visitor: FlaskClient, path: str) -> None:
    page = see(visitor, path)
    assert page.status == 404
    assert page.link("front page") == f"{BASE}/"


def test_a_fault_of_ours_gets_a_page_without_details(site: Flask) -> None:
    site.extensions["library"] = None
    site.testing = False
    page = see(browse(site), "/")
    assert page.status == 500
    assert "The fault is ours" in page.text
    assert "Traceback" not in page.body


def test_the_site_says_that_it_answers(visitor: FlaskClient) -> None:
    assert visitor.get("/healthz").json == {"status": "ok"}
