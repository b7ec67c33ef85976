"""The Flask integration in the stories that all integrations share."""

import pytest
from flask import Flask, make_response

from paywall.verifier.flask import Paywall
from paywall.verifier.testing import FakePaywall

from .news import JOIN, Answer, Stories


@pytest.fixture
def paywall():
    return FakePaywall()


@pytest.fixture
def ask(paywall):
    app = Flask("news")
    gate = Paywall(app, paywall.verifier(), JOIN, cookie_domain="news.test")

    @app.get("/article")
    @gate.decided("analyses")
    def article(decision, offer):
        response = make_response("allowed" if decision.allowed else f"{decision.reason} {offer.join_url}")
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "public"
        response.headers.add("Set-Cookie", "own=1")
        return response

    @app.get("/twice")
    def twice():
        return f"{gate.decide('analyses').allowed} {gate.decide('memos').allowed}"

    @app.get("/free")
    def free():
        return "free", 200, {"Cache-Control": "public, max-age=60"}

    def call(path, **headers):
        response = app.test_client(use_cookies=False).get(path, base_url="http://news.test", headers=headers)
        return Answer(response.status_code, list(response.headers.items()), response.text)

    return call


class TestFlask(Stories):
    """Through Flask's own test client."""
