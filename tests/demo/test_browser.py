"""The browser without a window: forms as HTML means them, cookies, redirects, and clear complaints."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask, make_response, redirect, request
from werkzeug.serving import WSGIRequestHandler, make_server

from paywall.demo.browser import Browser, Page, UnexpectedError

FORM = """<!doctype html><title>Not seen</title><script>var x = "<form>";</script><style>a { }</style>
<h1>Join&nbsp;us</h1> <a href="elsewhere?a=1&amp;b=2">Go <b>on</b></a>
<form method="post" action="/echo">
  <input type="hidden" name="csrf_token" value="abc">
  <input type="email" name="address" id="mail">
  <input type="checkbox" name="ticked" checked><input type="checkbox" name="bare">
  <select name="plan"><option value="a">A</option><option value="b" selected>B</option></select>
  <input name="" value="nameless"><button>Send  it</button>
</form>
<form><input name="q"><button type="submit">Search</button></form>"""


class Quiet(WSGIRequestHandler):
    def log(self, *_arguments: object) -> None:
        """No request lines in the test run's output."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    app = Flask("origin")

    @app.get("/")
    def form() -> str:
        return FORM

    @app.post("/echo")
    def echo() -> object:
        answer = make_response(redirect("/seen?" + "&".join(f"{k}={v}" for k, v in request.form.items()), 303))
        answer.set_cookie("taste", "sweet")
        return answer

    @app.get("/seen")
    def seen() -> object:
        return {"query": request.query_string.decode(), "cookies": request.cookies, "via": request.referrer}

    @app.get("/refused")
    def refused() -> tuple[str, int]:
        return "<p>No entry</p>", 403

    with make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def page(origin: str) -> Page:
    return Browser().open(f"{origin}/")


def test_only_words_that_a_reader_sees_are_text(page: Page) -> None:
    assert page.text == "Join us Go on A B Send it Search"


def test_links_have_their_words_and_lead_on_from_the_page(page: Page, origin: str) -> None:
    assert page.link("Go on") == f"{origin}/elsewhere?a=1&b=2"
    assert page.link("elsewhere?a=1&b") == f"{origin}/elsewhere?a=1&b=2"


@pytest.mark.parametrize("key", ["csrf_token", "mail", "address", "email", "Send it"])
def test_a_form_is_found_by_a_field_or_a_button(page: Page, key: str) -> None:
    assert page.form(key).action == "/echo"


def test_a_form_is_sent_as_html_says_and_its_redirect_followed(page: Page, origin: str) -> None:
    browser = Browser()
    after = browser.submit(page, "email", {"mail": "me@example.org"})
    assert after.url == f"{origin}/seen?csrf_token=abc&address=me@example.org&ticked=on&plan=b"
    assert '"taste":"sweet"' in after.body
    assert browser.cookie("taste") == "sweet"
    assert browser.cookie("other") is None


def test_a_form_without_method_goes_into_the_address(page: Page, origin: str) -> None:
    assert Browser().submit(page, "Search", {"q": "rain"}).url == f"{origin}/?q=rain"


def test_two_browsers_share_no_cookies(page: Page, origin: str) -> None:
    Browser().submit(page, "email")
    assert '"cookies":{}' in Browser().open(f"{origin}/seen").body


def test_json_is_sent_as_a_program_would(origin: str) -> None:
    assert Browser().post_json(f"{origin}/echo", {"a": 1}, {}).status == 200


def test_an_error_status_is_a_page_too(origin: str) -> None:
    page = Browser().open(f"{origin}/refused")
    assert (page.status, page.text) == (403, "No entry")
    assert page.outline() == "403 No entry"


@pytest.mark.parametrize("ask", ["form", "link"])
def test_what_is_missing_is_told_with_what_came(page: Page, ask: str) -> None:
    with pytest.raises(UnexpectedError, match=r"expected a .*'pay'.*Join us"):
        getattr(page, ask)("pay")


def test_a_missing_field_is_told(page: Page) -> None:
    with pytest.raises(UnexpectedError, match="expected a field 'card'"):
        Browser().submit(page, "email", {"card": "4242"})


def test_nobody_at_the_address_is_told() -> None:
    with pytest.raises(UnexpectedError, match=r"expected an answer from http://127\.0\.0\.1:1/"):
        Browser().open("http://127.0.0.1:1/")
