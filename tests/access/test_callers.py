"""Who may ask, and what a request must look like; every refusal is a precise problem document."""

import json

import pytest

from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex

ADDRESSES = ["/v1/tokens/verify", "/v1/tokens/renew"]


def problem(answer, status, code):
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (answer.json["status"], answer.json["code"]) == (status, code)
    return answer.json["detail"]


@pytest.fixture(params=ADDRESSES)
def send(request, client, service_key):
    """Posts a raw body to one of the addresses as the content service."""

    def send(body, content_type="application/json", key=service_key):
        headers = {"Authorization": f"Bearer {key}"}
        return client.post(request.param, data=body, content_type=content_type, headers=headers)

    return send


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "pwk_x"])
def test_without_a_service_key_the_way_to_send_one_is_named(client, service_key, address, header):
    headers = {} if header is None else {"Authorization": header}
    answer = client.post(address, json={"token": "x"}, headers=headers)
    problem(answer, 401, "service_key_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="paywall"'


@pytest.mark.parametrize("key", ["pwk_wrong", "x", "é", "a b", "x" * 8000])
def test_a_wrong_service_key_is_refused_as_such(send, key):
    answer = send(b'{"token": "x"}', key=key)
    problem(answer, 401, "service_key_refused")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="paywall", error="invalid_token"'


def test_a_stored_hash_is_no_key(send, service_key):
    """Who has read the database can still not call."""
    problem(send(b'{"token": "x"}', key=sha256_hex(service_key)), 401, "service_key_refused")


def test_a_revoked_service_key_is_refused(send, now):
    assert send(b'{"token": "x"}').status_code == 200
    service_keys.revoke("news", now)
    db.session.commit()
    problem(send(b'{"token": "x"}'), 401, "service_key_refused")


def test_the_scheme_may_be_written_in_any_case(client, service_key):
    answer = client.post(ADDRESSES[0], json={"token": "x"}, headers={"Authorization": f"bEARER {service_key}"})
    assert answer.status_code == 200


def test_the_key_is_looked_at_before_the_body(send):
    assert send(b"{", key="pwk_wrong").status_code == 401


@pytest.mark.parametrize(
    "body", [b"", b"{", b"token=x", b"{'token': 'x'}", b'{"token": "\xff"}', b"\xff\xfe{", b"[" * 9000]
)
def test_a_body_that_is_not_json_in_utf8_is_named_as_such(send, body):
    assert "JSON" in problem(send(body), 400, "not_json")


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b'"x"', b"7", b"{}", b'{"token": null}', b'{"token": 7}', b'{"token": ["x"]}']
)
def test_a_body_of_a_wrong_shape_is_named_as_such(send, body):
    problem(send(body), 422, "invalid_body")


def test_the_fault_is_named_by_its_member(send):
    assert problem(send(b"{}"), 422, "invalid_body") == "token: Field required"


@pytest.mark.parametrize("body", [{"requires": "memos"}, {"Require": "memos"}, {"scope": "news"}])
def test_a_misspelt_member_is_refused_and_not_ignored(send, body):
    """Without its `require` the question would be: is this any token at all?"""
    detail = problem(send(json.dumps({"token": "x", **body})), 422, "invalid_body")
    assert "another member" in detail


@pytest.mark.parametrize("require", ["", "x" * 81, 7, ["memos"], True])
def test_a_wrong_feature_is_refused_and_not_ignored(client, service_key, require):
    headers = {"Authorization": f"Bearer {service_key}"}
    answer = client.post(ADDRESSES[0], json={"token": "x", "require": require}, headers=headers)
    assert "require" in problem(answer, 422, "invalid_body")


def test_no_refusal_repeats_what_was_sent(send):
    for body in (b'{"token": 7, "sesame-1": "sesame-2"}', b'{"sesame-1": ', b'["sesame-1"]'):
        assert "sesame" not in send(body).text


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "text/json"])
def test_another_content_type_is_refused(send, kind):
    problem(send(b'{"token": "x"}', content_type=kind), 415, "unsupported_media_type")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/vnd.x+json"])
def test_json_under_its_other_names_is_read(send, kind):
    assert send(b'{"token": "x"}', content_type=kind).status_code == 200


def test_a_body_over_the_limit_is_refused(send):
    assert send(json.dumps({"token": "x" * 16000})).status_code == 200
    answer = send(json.dumps({"token": "x" * 16384}))
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")


@pytest.mark.parametrize("address", ADDRESSES)
def test_other_methods_are_refused(client, address):
    answer = client.get(address)
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert "POST" in answer.headers["Allow"]
