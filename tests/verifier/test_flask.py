"""The Flask integration: what a page may show, which cookie and headers it sends."""

from datetime import timedelta

import pytest
from flask import Flask, jsonify, request

from paywall.verifier import Renewal, Verifier
from paywall.verifier.flask import Paywall

from .conftest import ISSUED, NOW

OLD = {"iat": ISSUED - 2000, "exp": ISSUED - 1000}


@pytest.fixture
def clock():
    return {"now": NOW}


@pytest.fixture
def client(origin, keys, clock):
    """A content service of three pages, in front of a service that knows no renewal."""
    origin.serve_keys(keys)
    app = Flask("news")
    verifier = Verifier(origin.url, "pwk_secret", timeout=1.0, background=False, clock=lambda: clock["now"])
    paywall = Paywall(app, verifier, join_url=f"{origin.url}/join", cookie_secure=False)

    @app.get("/article")
    def article():
        decision = paywall.decide(require="analyses")
        again = paywall.decide(require=request.args.get("also"))
        return jsonify(allowed=decision.allowed, reason=decision.reason, also=again.allowed)

    @app.get("/free")
    def free():
        return "free"

    @app.get("/offer")
    def offer():
        offer = paywall.offer(request.args.get("to"))
        return jsonify(join=offer.join_url, sign_in=offer.sign_in_url)

    return app.test_client()


@pytest.fixture
def mint(make_token, origin):
    """A token of this test's issuer."""
    return lambda **changes: make_token(iss=origin.url, **changes)


def renewals(origin):
    return [sent["token"] for path, _, sent in origin.asked if path == "/v1/tokens/renew"]


def read(client, token=None, path="/article", **headers):
    if token is not None:
        client.set_cookie("paywall_token", token)
    return client.get(path, headers=headers)


def test_a_page_without_a_token_is_refused_and_private(client):
    answer = read(client)
    assert answer.json == {"allowed": False, "reason": "missing", "also": False}
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert {"Cookie", "Authorization"} <= set(answer.vary)


def test_a_good_cookie_is_allowed_and_private(client, mint):
    answer = read(client, mint())
    assert answer.json["allowed"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in answer.headers


def test_a_page_that_decides_nothing_is_left_alone(client):
    answer = client.get("/free")
    assert "Cache-Control" not in answer.headers
    assert "Vary" not in answer.headers


def test_each_decision_of_a_page_has_its_own_feature(client, mint):
    assert read(client, mint(), "/article?also=memos").json == {"allowed": True, "reason": None, "also": False}


def test_an_expired_cookie_is_renewed_once_and_replaced(client, mint, origin):
    old, fresh = mint(**OLD), mint(jti="jti_2")
    origin.serve_renewal({"active": True, "token": fresh, "expires_in": 900})
    answer = read(client, old)
    assert answer.json == {"allowed": True, "reason": None, "also": True}
    assert renewals(origin) == [old]
    assert client.get_cookie("paywall_token").value == fresh
    assert read(client).json["allowed"]
    assert renewals(origin) == [old]


def test_the_new_cookie_is_kept_from_scripts_and_outlives_the_token(client, mint, origin):
    origin.serve_renewal({"active": True, "token": mint(), "expires_in": 900})
    cookie = read(client, mint(**OLD)).headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=34560000"):
        assert part in cookie
    assert "Domain" not in cookie
    assert "Secure" not in cookie


def test_domain_and_secure_come_from_the_settings(origin, keys, mint):
    origin.serve_keys(keys)
    origin.serve_renewal({"active": True, "token": mint(), "expires_in": 900})
    app = Flask("news")
    verifier = Verifier(origin.url, service_key="pwk_secret", background=False, clock=lambda: NOW)
    paywall = Paywall(app, verifier, origin.url + "/join", cookie_name="token", cookie_domain="news.example")
    app.add_url_rule("/", view_func=lambda: str(paywall.decide().allowed))
    client = app.test_client()
    client.set_cookie("token", mint(**OLD))
    answer = client.get("/")
    assert answer.text == "True"
    assert "Domain=news.example" in answer.headers["Set-Cookie"]
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_renewal_that_is_itself_expired_is_not_renewed_again(client, mint, origin):
    origin.serve_renewal({"active": True, "token": mint(**OLD, jti="jti_2"), "expires_in": 900})
    answer = read(client, mint(**OLD))
    assert answer.json["reason"] == "expired"
    assert len(renewals(origin)) == 1


def test_a_refused_renewal_is_asked_once_per_request_and_the_page_is_served(client, mint, origin):
    origin.serve_renewal({"active": False, "reason": "not_entitled"})
    answer = read(client, mint(**OLD))
    assert (answer.status_code, answer.json["allowed"], answer.json["reason"]) == (200, False, "expired")
    assert len(renewals(origin)) == 1
    assert "Set-Cookie" not in answer.headers


def test_two_decisions_of_one_page_renew_once(client, mint, origin, monkeypatch):
    """By the integration's own count, not only because the verifier remembers answers for a moment."""
    asked = []
    monkeypatch.setattr(Verifier, "renew", lambda self, token: asked.append(token) or Renewal(reason="unavailable"))
    assert read(client, mint(**OLD), "/article?also=memos").json["also"] is False
    assert len(asked) == 1


def test_a_dead_service_denies_an_expired_cookie_but_the_page_is_served(client, mint, origin):
    assert read(client, mint()).json["allowed"]
    origin.answers.clear()
    answer = read(client, mint(**OLD))
    assert (answer.status_code, answer.json["allowed"]) == (200, False)
    assert read(client, mint()).json["allowed"]


def test_a_token_that_runs_out_between_two_pages_is_renewed(client, mint, origin, clock):
    assert read(client, mint()).json["allowed"]
    clock["now"] = NOW + timedelta(minutes=15)
    origin.serve_renewal({"active": True, "token": mint(iat=ISSUED + 900, exp=ISSUED + 1800), "expires_in": 900})
    assert read(client).json["allowed"]


@pytest.mark.parametrize("token", ["", "x", "k~a.b", "k~eyJ9." + "A" * 86])
def test_a_broken_cookie_is_refused_and_never_sent_on(client, origin, token):
    assert not read(client, token).json["allowed"]
    assert renewals(origin) == []


def test_a_bearer_token_is_read_before_the_cookie_and_not_renewed(client, mint, origin):
    client.set_cookie("paywall_token", mint())
    answer = read(client, Authorization=f"bearer {mint(**OLD)}")
    assert answer.json["reason"] == "expired"
    assert renewals(origin) == []
    assert read(client, "broken", Authorization=f"Bearer {mint()}").json["allowed"]


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic abc", "Bearer a b"])
def test_other_authorization_headers_grant_nothing(client, header):
    assert not read(client, Authorization=header).json["allowed"]


def test_an_offer_leads_to_the_service_and_back(client, origin):
    offer = client.get("/offer").json
    assert offer["join"] == f"{origin.url}/join?plan=annual&return_to=http%3A%2F%2Flocalhost%2Foffer"
    assert offer["sign_in"] == f"{origin.url}/sign-in?return_to=http%3A%2F%2Flocalhost%2Foffer"


def test_an_offers_way_back_is_escaped(client, origin):
    """An address with parameters of its own must not add parameters to ours."""
    offer = client.get("/offer", query_string={"to": "http://n.example/a?x=1&plan=free#top"}).json
    assert offer["join"].endswith("/join?plan=annual&return_to=http%3A%2F%2Fn.example%2Fa%3Fx%3D1%26plan%3Dfree%23top")


def test_a_decorated_view_keeps_its_name_and_arguments(client, mint):
    """And is asked even when nothing is allowed: it shows the opening."""
    app = client.application
    paywall = app.extensions["paywall"]

    @app.get("/analyses/<slug>")
    @paywall.decided("analyses")
    def analysis(slug, decision, offer):
        return jsonify(slug=slug, reason=decision.reason, back=offer.join_url.rpartition("=")[2])

    assert "analysis" in app.view_functions
    answer = read(client, path="/analyses/harbour")
    assert answer.json == {
        "slug": "harbour",
        "reason": "missing",
        "back": "http%3A%2F%2Flocalhost%2Fanalyses%2Fharbour",
    }
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert read(client, mint(scope="news"), "/analyses/harbour").json["reason"] == "not_entitled"
    assert read(client, mint(), "/analyses/harbour").json["reason"] is None
