"""The part of a visit that no framework can get wrong for us: cookies, headers, ways back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paywall.verifier import Renewal
from paywall.verifier.gate import Gate, Visit, replaced
from paywall.verifier.testing import FakePaywall

PAYWALL = FakePaywall()
GATE = Gate(PAYWALL.verifier(), "https://pay.test/join")
PAGE = "https://news.test/a"


def visit(cookies="", authorization="", gate=GATE):
    return Visit(gate, PAGE, authorization, cookies)


@pytest.mark.parametrize(
    "header",
    [
        "paywall_token={}",
        "a=1; paywall_token={}; b=2",
        "a;b=;=c; paywall_token={}",
        'a="x; paywall_token={}',
        "a=[{{}}];paywall_token={}",
        'paywall_token="{}"',
        "paywall_token={}; paywall_token=other",
    ],
)
def test_the_token_is_found_among_odd_cookies(header):
    assert visit(header.format(PAYWALL.token())).decide().allowed


@pytest.mark.parametrize("header", ["", "paywall_token", "xpaywall_token={}", "Paywall_Token={}", "a=paywall_token={}"])
def test_another_cookie_is_not_the_token(header):
    assert visit(header.format(PAYWALL.token())).decide().reason == "missing"


@given(st.text(), st.text())
def test_no_header_raises_or_grants(cookies, authorization):
    here = visit(cookies, authorization)
    assert not here.decide().allowed
    assert here.glance() is None or not here.glance().allowed


@given(st.text(min_size=1))
def test_a_way_back_never_adds_a_parameter_of_its_own(target):
    offer = visit().offer(target.encode("utf-8", "replace").decode())
    assert offer.join_url.count("&") == 1
    assert offer.sign_in_url.startswith("https://pay.test/sign-in?return_to=")
    assert "&" not in offer.sign_in_url


def test_the_offers_own_parameters_stay():
    gate = Gate(PAYWALL.verifier(), "https://pay.test/join?from=news", sign_in_url="https://pay.test/in", plan="month")
    offer = visit(gate=gate).offer()
    assert offer.join_url == "https://pay.test/join?from=news&plan=month&return_to=https%3A%2F%2Fnews.test%2Fa"
    assert offer.sign_in_url == "https://pay.test/in?return_to=https%3A%2F%2Fnews.test%2Fa"


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ({"reachable": False}, "unavailable"),
        ({"renews": False}, "not_entitled"),
    ],
)
def test_why_an_expired_cookie_was_not_renewed_stands_in_each_decision(state, why):
    paywall = FakePaywall()
    for name, value in state.items():
        setattr(paywall, name, value)
    gate = Gate(paywall.verifier(degraded=0), "https://pay.test/join")
    here = visit(f"paywall_token={paywall.token('memos', lives=-5)}", gate=gate)
    assert here.glance() is None, "not before it was tried"
    for decision in (here.decide("memos"), here.decide(), here.glance("memos")):
        assert (decision.reason, decision.renewal) == ("expired", why)


def test_a_decision_without_a_renewal_tells_nothing_of_one():
    paywall = FakePaywall()
    gate = Gate(paywall.verifier(), "https://pay.test/join")
    expired = paywall.token("memos", lives=-5)
    assert visit(f"paywall_token={expired}", gate=gate).decide("memos").renewal is None, "renewed"
    assert visit(f"paywall_token={expired}", gate=gate).decide("news").reason == "not_entitled"
    assert visit(authorization=f"Bearer {expired}", gate=gate).decide().renewal is None, "not tried"


def test_before_a_decision_no_header_is_touched():
    headers = [("Cache-Control", "public"), ("Vary", "Accept")]
    assert replaced(headers, visit()) == headers


def test_headers_take_the_place_of_the_answers_own_and_vary_is_added_to():
    here = visit()
    here.decide()
    headers = [("cache-control", "public"), ("VARY", "Accept"), ("Vary", "cookie"), ("X", "1")]
    assert replaced(headers, here) == [
        ("X", "1"),
        ("Cache-Control", "private, no-store"),
        ("Vary", "Accept, cookie, Authorization"),
    ]


@pytest.mark.parametrize("renewed", ["x", "x\r\nSet-Cookie: a=b", FakePaywall().token()])
def test_a_renewed_token_that_does_not_verify_is_no_cookie(monkeypatch, renewed):
    """Whatever a broken service answers, it cannot write headers."""
    gate = Gate(PAYWALL.verifier(), "https://pay.test/join")
    monkeypatch.setattr(gate.verifier, "renew", lambda token: Renewal(token=renewed, expires_in=9))
    here = visit(f"paywall_token={PAYWALL.token(lives=-9)}", gate=gate)
    assert here.decide().reason == "expired"
    assert [name for name, _ in here.headers()] == ["Cache-Control", "Vary"]


def test_without_domain_and_https_the_cookie_says_neither():
    gate = Gate(PAYWALL.verifier(), "https://pay.test/join", cookie_secure=False)
    assert gate.cookie("t") == "paywall_token=t; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax"
