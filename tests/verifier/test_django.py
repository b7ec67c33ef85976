"""The Django integration, in a site of three pages."""

import django
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path

from paywall.verifier.testing import FakePaywall

from .news import JOIN, Answer, Stories

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["news.test"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["paywall.verifier.django.PaywallMiddleware"],
        SECRET_KEY="insecure",
    )
    django.setup()


def article(request):
    decision = request.paywall.decide(require="analyses")
    text = "allowed" if decision.allowed else f"{decision.reason} {request.paywall.offer().join_url}"
    response = HttpResponse(text, headers={"Vary": "Accept-Encoding", "Cache-Control": "public"})
    response.headers["Set-Cookie"] = "own=1"
    return response


def twice(request):
    return HttpResponse(f"{request.paywall.decide('analyses').allowed} {request.paywall.decide('memos').allowed}")


def free(request):
    return HttpResponse("free", headers={"Cache-Control": "public, max-age=60"})


urlpatterns = [path("article", article), path("twice", twice), path("free", free)]


@pytest.fixture
def paywall():
    return FakePaywall()


@pytest.fixture
def ask(paywall):
    given = {"verifier": paywall.verifier(), "join_url": JOIN, "cookie_domain": "news.test"}

    def call(address, **headers):
        with override_settings(PAYWALL=given):
            response = Client().get(address, headers={"host": "news.test", **headers})
        cookies = [("set-cookie", morsel.OutputString()) for morsel in response.cookies.values()]
        return Answer(response.status_code, [*response.headers.items(), *cookies], response.content.decode())

    return call


class TestDjango(Stories):
    """Through Django's own test client."""


@pytest.mark.parametrize("given", [None, {}, {"join_url": JOIN}, {"issuer": "https://pay.test"}, "https://pay.test"])
def test_a_missing_setting_is_told_at_the_start(given):
    with override_settings(PAYWALL=given), pytest.raises(ImproperlyConfigured, match="Set PAYWALL"):
        Client().get("/free", headers={"host": "news.test"})


def test_the_verifier_is_made_from_the_setting(paywall):
    """Its own values beside those of the gate."""
    given = {"issuer": "http://127.0.0.1:1", "timeout": 0.1, "background": False, "join_url": JOIN, "plan": "month"}
    with override_settings(PAYWALL=given):
        text = Client().get("/article", headers={"host": "news.test"}).content.decode()
    assert text.startswith(f"missing {JOIN}?plan=month")
