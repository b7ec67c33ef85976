"""The application is put together from its settings."""

import pytest
from flask import request

from tests.support.browsers import browser
from tests.support.marks import on_sqlite
from tests.support.shop import post_event

pytestmark = on_sqlite


def test_without_a_webhook_secret_there_is_no_endpoint(make_app) -> None:
    """An empty secret would be one that everybody knows."""
    app = make_app(stripe={"webhook_secrets": []})
    with app.app_context():
        assert post_event(app, b"{}").status_code == 404
    assert "webhooks" not in app.blueprints


@pytest.mark.parametrize(("hops", "seen"), [(0, "127.0.0.1 http localhost"), (1, "203.0.113.1 https pay.test")])
def test_what_a_proxy_says_counts_only_where_there_is_one(make_app, hops: int, seen: str) -> None:
    app = make_app(web={"trusted_hops": hops})
    app.add_url_rule("/seen", view_func=lambda: f"{request.remote_addr} {request.scheme} {request.host}")
    forwarded = {"For": "198.51.100.9, 203.0.113.1", "Proto": "https", "Host": "pay.test"}
    headers = {f"X-Forwarded-{name}": value for name, value in forwarded.items()}
    assert app.test_client().get("/seen", headers=headers).text == seen


def test_the_newsroom_is_named_on_every_page(make_app) -> None:
    app = make_app(newsroom={"name": "The Harbour Post", "support_email": "post@example.org"})
    for path in ("/sign-in", "/join", "/nothing"):
        page = browser(app).get(path).text
        assert "The Harbour Post" in page
        assert "mailto:post@example.org" in page


@pytest.mark.parametrize("path", ["/sign-in", "/join", "/nothing"])
def test_a_page_loads_nothing_from_elsewhere(make_app, path: str) -> None:
    page = browser(make_app()).get(path).text
    for part in ('src="http', 'href="https://cdn', 'src="//', "<style", "style=", "onclick="):
        assert part not in page


def test_applications_in_one_process_do_not_mix(make_app) -> None:
    one, two = make_app(newsroom={"name": "One"}), make_app(newsroom={"name": "Two"})
    assert "One" in browser(one).get("/sign-in").text
    assert "Two" in browser(two).get("/sign-in").text
