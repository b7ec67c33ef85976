"""POST /v1/introspect: RFC 7662, to the letter."""

import base64

import pytest

from paywall.storage import revocations, service_keys
from paywall.storage.database import db
from tests.support.marks import on_sqlite

pytestmark = on_sqlite
ADDRESS = "/v1/introspect"


def basic(name, key):
    return "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode()


@pytest.fixture
def introspect(client, service_key):
    def introspect(authorization=f"Bearer {service_key}", **form):
        db.session.rollback()
        return client.post(ADDRESS, data=form, headers={"Authorization": authorization})

    return introspect


def test_a_good_token_is_active_with_its_claims(introspect, token, subscriber, now):
    begins = int(now.timestamp())
    answer = introspect(token=token, token_type_hint="access_token")
    assert answer.status_code == 200
    jti = answer.json["jti"]
    assert answer.json == {
        "active": True,
        "scope": "news analyses memos reports newsletters",
        "token_type": "Bearer",
        "sub": subscriber[0],
        "aud": "content",
        "iss": "https://pay.test",
        "exp": begins + 900,
        "iat": begins,
        "jti": jti,
    }
    assert jti.startswith("tok_")
    assert (answer.content_type, answer.headers["Cache-Control"]) == ("application/json", "no-store")


@pytest.mark.parametrize("text", ["x", "x" * 9000, "é", "a~b.c", "%00", "\0", " "])
def test_what_is_no_token_is_not_active_and_nothing_more_is_said(introspect, text):
    answer = introspect(token=text)
    assert (answer.status_code, answer.data) == (200, b'{"active":false}')
    assert answer.headers["Cache-Control"] == "no-store"


def test_an_expired_and_a_revoked_token_look_the_same(introspect, token, subscriber, clock, now):
    revocations.of_session(subscriber[1], "signed_out", now)
    db.session.commit()
    revoked = introspect(token=token).data
    clock.advance(minutes=15)
    assert introspect(token=token).data == revoked == b'{"active":false}'


@pytest.mark.parametrize("hint", ["refresh_token", "", "sesame"])
def test_a_hint_changes_nothing(introspect, token, hint):
    assert introspect(token=token, token_type_hint=hint).json["active"] is True


def test_further_parameters_are_passed_over(introspect, token):
    assert introspect(token=token, resource="x").json["active"] is True


@pytest.mark.parametrize("body", [b"", b"token=", b"token", b"tokens=x", b"token=x&token=y", b"token=x&token=x"])
def test_without_one_token_the_request_is_refused(client, service_key, body):
    answer = _post(client, service_key, body)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("body", [b"token=\xff", b"token=%ff", b"token=%C3%28", b"&a=" * 60])
def test_a_form_that_could_be_read_two_ways_is_refused(client, service_key, body):
    assert _post(client, service_key, body).status_code == 400


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_another_content_type_is_refused(client, service_key, kind):
    assert _post(client, service_key, b"token=x", kind).status_code == 415


def test_a_form_over_the_limit_is_refused(client, service_key):
    assert _post(client, service_key, b"token=" + b"x" * 17000).status_code == 413


def _post(client, key, body, kind="application/x-www-form-urlencoded"):
    return client.post(ADDRESS, data=body, content_type=kind, headers={"Authorization": f"Bearer {key}"})


def test_a_client_may_come_by_its_name_or_its_id(introspect, service_key, token):
    for name in ("news", service_keys.every()[0].id):
        assert introspect(basic(name, service_key), token=token).json["active"] is True


def test_name_and_key_are_form_encoded_first(introspect, app, now, token):
    """RFC 6749 section 2.3.1."""
    _, key = service_keys.add("news & radio: é", now)
    db.session.commit()
    assert introspect(basic("news+%26+radio%3A+%C3%A9", key), token=token).json["active"] is True


@pytest.mark.parametrize("name", ["radio", "", "NEWS", "svc_1"])
def test_a_key_opens_nothing_under_another_name(introspect, service_key, app, now, token, name):
    service_keys.add("radio", now)
    db.session.commit()
    answer = introspect(basic(name, service_key), token=token)
    assert (answer.status_code, answer.json["code"]) == (401, "service_key_refused")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("authorization", ["Basic !", "Basic eA==", "Basic /w==", "Basic Og==", "Basic bmV3czo="])
def test_a_broken_password_is_refused_as_such(introspect, token, authorization):
    assert introspect(authorization, token=token).status_code == 401


@pytest.mark.parametrize("authorization", ["", "Basic", "Bearer", "Digest x", "pwk_x"])
def test_without_a_key_both_ways_to_send_one_are_named(introspect, token, authorization):
    answer = introspect(authorization, token=token)
    assert (answer.status_code, answer.json["code"]) == (401, "service_key_missing")
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert "Basic" in answer.headers["WWW-Authenticate"]


def test_a_revoked_key_opens_nothing_either_way(introspect, service_key, token, now):
    service_keys.revoke("news", now)
    db.session.commit()
    for authorization in (f"Bearer {service_key}", basic("news", service_key)):
        assert introspect(authorization, token=token).status_code == 401


def test_guessing_passwords_is_counted_for_the_network(introspect, token):
    statuses = [introspect(basic("news", f"pwk_{n}"), token=token).status_code for n in range(61)]
    assert statuses == [401] * 60 + [429]
