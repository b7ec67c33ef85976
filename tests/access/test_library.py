"""The library that content services install, against the real service over HTTP."""

import threading
import time
from datetime import timedelta

import pytest
from flask import Flask
from werkzeug.serving import make_server

from paywall.storage import revocations, service_keys, sessions
from paywall.storage.database import db
from paywall.tokens import keyring, verification
from paywall.verifier import Verifier
from paywall.verifier.flask import Paywall
from tests.support import subscribers


@pytest.fixture
def base_url(make_app, monkeypatch):
    """The address of the running service, which has its own address in its settings."""
    server = make_server("127.0.0.1", 0, lambda environ, start: [], threaded=True)
    url = f"http://127.0.0.1:{server.server_port}"
    app = make_app(web={"base_url": url})
    server.app = app
    monkeypatch.setattr("werkzeug.serving.WSGIRequestHandler.log", lambda *args: None)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    with app.app_context():
        verification.of_app().snapshots.interval = 0.0
        yield url
        db.session.remove()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def reader(base_url, clock):
    """Reader id and session id of a subscriber."""
    return subscribers.subscriber(clock.now())


@pytest.fixture
def verifier(base_url, reader, clock):
    _, key = service_keys.add("news", clock.now())
    db.session.commit()
    with Verifier(base_url, service_key=key, cooldown=0.0, refresh=0.3, timeout=5.0, clock=clock.now) as verifier:
        yield verifier


def test_a_readers_year_with_a_content_service(verifier, reader, clock):
    """Checked offline, expired, renewed, and denied after signing out."""
    first = subscribers.token(*reader, clock.now())
    assert verifier.check(first, require="reports").allowed
    clock.advance(minutes=15)
    assert verifier.check(first).reason == "expired"
    renewal = verifier.renew(first)
    assert renewal.expires_in == 900
    assert verifier.check(renewal.token, require="reports").allowed
    sessions.end(reader[1], clock.now())
    db.session.commit()
    assert verifier.renew(renewal.token).reason == "revoked"
    clock.advance(minutes=15)
    assert not verifier.check(renewal.token).allowed


def test_a_token_taken_back_is_refused_within_the_refresh_interval(verifier, reader, clock):
    """Also by a verifier that checks offline, which reads the list in the background; and after a new epoch."""
    token = subscribers.token(*reader, clock.now())
    assert verifier.check(token).allowed
    revocations.of_session(reader[1], "signed out", clock.now())
    db.session.commit()
    assert settled(lambda: verifier.check(token).reason == "revoked")
    revocations.renew_epoch()
    db.session.commit()
    now = time.monotonic()
    assert settled(lambda: verifier.status().revocations_age < time.monotonic() - now)  # it was fetched since then
    assert verifier.check(token).reason == "revoked"


def settled(condition, seconds=5.0):
    """Whether it comes true within these seconds."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_a_token_names_the_end_of_access_for_when_the_service_is_lost(verifier, reader, clock):
    claims = verifier.check(subscribers.token(*reader, clock.now())).claims
    assert claims.ent > claims.exp


def test_a_rotation_is_never_noticed(verifier, reader, clock):
    old = subscribers.token(*reader, clock.now())
    assert verifier.check(old).allowed
    keyring.generate(clock.now())
    clock.advance(seconds=1)
    keyring.retire(old.partition("~")[0], clock.now())
    db.session.commit()
    new = subscribers.token(*reader, clock.now())
    assert new.partition("~")[0] != old.partition("~")[0]
    assert verifier.check(new).allowed
    assert verifier.check(old).allowed


def test_a_revoked_service_key_ends_renewals_but_not_offline_checks(verifier, reader, clock):
    token = subscribers.token(*reader, clock.now())
    assert verifier.check(token).allowed
    service_keys.revoke("news", clock.now())
    db.session.commit()
    assert verifier.renew(token).reason == "unavailable"
    assert verifier.check(token).allowed


def test_a_page_renews_its_readers_cookie(verifier, reader, clock, base_url):
    news = Flask("news")
    paywall = Paywall(news, verifier, join_url=f"{base_url}/join", cookie_secure=False)
    news.add_url_rule("/memo", view_func=lambda: str(paywall.decide(require="memos").allowed))
    browser = news.test_client()
    browser.set_cookie("paywall_token", subscribers.token(*reader, clock.now()))
    clock.moment += timedelta(days=20)
    assert browser.get("/memo").text == "True"
    renewed = browser.get_cookie("paywall_token").value
    assert verifier.check(renewed, now=clock.now()).claims.iat == int(clock.now().timestamp())
    assert browser.get("/memo").text == "True"
