"""The WSGI integration, with an application that is nothing but PEP 3333."""

from http.cookies import SimpleCookie
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from paywall.verifier.testing import FakePaywall
from paywall.verifier.wsgi import PaywallMiddleware, visit

from .news import JOIN, Answer, Stories


def news(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/free":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "public, max-age=60")])
        return [b"free"]
    here = visit(environ)
    if path == "/twice":
        text = f"{here.decide('analyses').allowed} {here.decide('memos').allowed}"
    else:
        decision = here.decide("analyses")
        text = "allowed" if decision.allowed else f"{decision.reason} {here.offer().join_url}"
    headers = [("Content-Type", "text/plain"), ("Vary", "Accept-Encoding"), ("Set-Cookie", "own=1")]
    start_response("200 OK", [*headers, ("Cache-Control", "public")])
    return [text.encode()]


@pytest.fixture
def paywall():
    return FakePaywall()


@pytest.fixture
def ask(paywall):
    app = validator(PaywallMiddleware(validator(news), paywall.verifier(), JOIN, cookie_domain="news.test"))

    def call(path, **headers):
        path, _, query = path.partition("?")
        environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        environ |= {"SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "HTTP_HOST": "news.test"}
        setup_testing_defaults(environ)
        got = Answer(0)

        def start(status, headers, exc_info=None):
            got.status, got.headers = int(status[:3]), headers
            return lambda data: None

        body = app(environ, start)
        got.text = b"".join(body).decode()
        body.close()
        return got

    return call


class TestWsgi(Stories):
    """With the standard library's checker on both sides of the middleware."""


def test_without_the_middleware_the_visit_is_missing():
    with pytest.raises(KeyError):
        visit({})


def test_the_cookie_is_one_that_the_standard_library_reads(ask, paywall):
    answer = ask("/article", cookie=f"paywall_token={paywall.token('analyses', lives=-9)}")
    cookie = SimpleCookie(answer.all("set-cookie")[-1])
    assert cookie["paywall_token"].value == answer.token
    assert cookie["paywall_token"]["httponly"]


def test_an_answer_that_varies_by_everything_stays_so(paywall):
    def app(environ, start_response):
        visit(environ).decide()
        start_response("200 OK", [("Vary", "*")])
        return []

    sent = []
    wrapped = PaywallMiddleware(app, paywall.verifier(), JOIN)
    environ = {}
    setup_testing_defaults(environ)
    wrapped(environ, lambda status, headers, exc_info=None: sent.extend(headers))
    assert ("Vary", "*") in sent
