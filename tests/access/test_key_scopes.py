"""Every secret opens its own doors alone, none after it was revoked, and timing tells nothing of it."""

import base64
import gc
import secrets
import statistics
import time
from itertools import islice

import pytest

from paywall.access import addresses
from paywall.storage import service_keys, sessions
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.tokens import verification
from tests.support import subscribers, wire
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

FORM = "application/x-www-form-urlencoded"
OPERATOR = "operator-token-of-the-tests-000000000000"


@pytest.fixture
def app(make_app):
    made = make_app(metrics={"token": OPERATOR}, limits={"api_refused": "1000000 per minute"})
    with made.app_context():
        yield made
        db.session.remove()


@pytest.fixture
def held(app, now):
    """Every kind of secret, and what stands in the database beside it, by name."""
    row, news = service_keys.add("news", now)
    _, radio = service_keys.add("radio", now)
    _, gone = service_keys.add("gone", now)
    service_keys.revoke("gone", now)
    reader, session = subscribers.subscriber(now)
    secret = secrets.token_urlsafe(32)
    sessions.create(reader, sha256_hex(secret), "link", now, now.replace(year=now.year + 1))
    db.session.commit()
    settings = app.extensions["paywall"].settings
    return {
        "news": news,
        "radio": radio,
        "a revoked key": gone,
        "the hash of a key": sha256_hex(news),
        "what is shown of a key": row.hint,
        "the id of a service": row.id,
        "the name of a service": "news",
        "half a key": news[: len(news) // 2],
        "a key and more": f"{news}x",
        "a key in capitals": news.upper(),
        "a reader's token": subscribers.token(reader, session, now),
        "a session's secret": secret,
        "a session's id": session,
        "the operator's token": OPERATOR,
        "Stripe's key": settings.stripe.api_key.get_secret_value(),
        "Stripe's webhook secret": settings.stripe.webhook_secrets[0].get_secret_value(),
        "the secret of cookies": settings.web.secret_key.get_secret_value(),
        "the secret of signing keys": settings.tokens.encryption_key.get_secret_value(),
    }


def basic(name, key):
    return "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode()


def doors(text, authorization):
    """The addresses that a secret opens when it is sent like this."""
    json_body = {"body": b'{"token": "x"}', "CONTENT_TYPE": "application/json"}
    return {
        "verify": wire.environ("POST", addresses.VERIFY, HTTP_AUTHORIZATION=authorization, **json_body),
        "renew": wire.environ("POST", "/v1/tokens/renew", HTTP_AUTHORIZATION=authorization, **json_body),
        "introspect": wire.environ(
            "POST", addresses.INTROSPECT, body=b"token=x", CONTENT_TYPE=FORM, HTTP_AUTHORIZATION=authorization
        ),
        "revocations": wire.environ("GET", addresses.REVOCATIONS, HTTP_AUTHORIZATION=authorization),
        "authorize": wire.environ("GET", addresses.AUTHORIZE, HTTP_AUTHORIZATION=authorization),
        "metrics": wire.environ("GET", "/metrics", HTTP_AUTHORIZATION=authorization),
        "account": wire.environ(
            "GET", "/account", HTTP_AUTHORIZATION=authorization, HTTP_COOKIE=f"paywall_token={text}"
        ),
        "reports": wire.environ("GET", "/reports/", HTTP_AUTHORIZATION=authorization),
    }


SERVICE = {"verify", "renew", "introspect", "revocations"}
OPEN = {"news": SERVICE, "radio": SERVICE, "a reader's token": {"authorize"}, "the operator's token": {"metrics"}}


def test_each_secret_opens_its_own_doors_and_no_other(app, held):
    for name, text in held.items():
        asked = doors(text, f"Bearer {text}")
        opened = {door for door, environ in asked.items() if wire.ask(app.wsgi_app, environ).status in (200, 204)}
        assert opened == OPEN.get(name, set()), name


def test_as_a_password_a_key_opens_introspection_alone_and_under_its_own_name(app, held):
    for name in ("news", "radio", "gone", "nobody", "", "*", "news\0", "NEWS"):
        for kind, text in held.items():
            asked = doors(text, basic(name, text))
            opened = {door for door, environ in asked.items() if wire.ask(app.wsgi_app, environ).status in (200, 204)}
            assert opened == ({"introspect"} if name == kind else set()), (name, kind)


def test_a_revoked_key_opens_nothing_a_second_later(app, held, now):
    """With the real interval; another request found the snapshot fresh just before."""
    ours, moment = verification.of_app(), [1000.0]
    ours.snapshots._monotonic = lambda: moment[0]
    assert ours.service(held["news"], now).name == "news"
    service_keys.revoke("news", now)
    db.session.commit()
    moment[0] += 1.0
    assert ours.service(held["news"], now) is None
    assert ours.service(held["radio"], now).name == "radio"


def test_no_key_is_held_in_the_clear_to_be_compared_with(app, held, now):
    """What is looked up is a digest, of which a caller can steer no part; so nothing is compared with a key itself."""
    ours = verification.of_app()
    assert ours.service(held["news"], now)
    known = ours.snapshots.current(now).services
    assert set(known) == {sha256_hex(held["news"]), sha256_hex(held["radio"])}
    near = held["news"][:-1] + ("A" if held["news"][-1] != "A" else "B")
    common = [a == b for a, b in zip(sha256_hex(near), sha256_hex(held["news"]), strict=True)]
    assert sum(common) < 20, "a key that is right but for one character has a digest that is wrong everywhere"


def wrong_keys(key, right):
    """Keys without end that are right in so many of their first characters, and random after."""
    while True:
        tail = secrets.token_urlsafe(64)[: len(key) - right - 1]
        yield key[:right] + ("!" if key[right] != "!" else "?") + tail


def tells(look, key):
    """By how much looking at keys that are nearly right takes longer than at those that are all wrong, of the whole.

    Groups of both kinds take turns, so that whatever slows the machine slows both; medians pass over the rest.
    """
    taken = {len("pwk_"): [], len(key) - 1: []}
    gc.disable()
    try:
        for turn in range(600):
            for right in sorted(taken, reverse=turn % 2 == 0):
                keys = list(islice(wrong_keys(key, right), 10))
                before = time.thread_time_ns()
                for one in keys:
                    look(one)
                taken[right].append(time.thread_time_ns() - before)
    finally:
        gc.enable()
    low, high = (statistics.median(found) for found in taken.values())
    return (high - low) / low


def test_the_time_that_a_wrong_key_takes_does_not_tell_how_much_of_it_is_right(app, held, now):
    """The same measurement would find out a comparison that stops at the first wrong character."""
    key, ours = held["news"], verification.of_app()
    ours.snapshots.interval = 600.0

    def naive(sent):
        return all(a == b for a, b in zip(sent, key, strict=True))

    assert tells(naive, key) > 0.5
    assert min(abs(tells(lambda sent: ours.service(sent, now), key)) for _ in range(3)) < 0.1
