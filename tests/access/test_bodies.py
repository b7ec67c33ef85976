"""The body of a request is read whole, and one way only."""

import io
import json

import pytest

from paywall.access.bodies import MAX_BODY_BYTES

ADDRESSES = ["/v1/tokens/verify", "/v1/tokens/renew"]


@pytest.fixture(params=ADDRESSES)
def address(request):
    return request.param


@pytest.fixture
def send(client, service_key):
    """Posts raw bytes as the content service: with their length told, or in chunks without it."""

    def send(address, body, *, chunked=False):
        headers = {"Authorization": f"Bearer {service_key}"}
        if not chunked:
            return client.post(address, data=body, content_type="application/json", headers=headers)
        return client.post(
            address,
            input_stream=io.BytesIO(body),
            content_type="application/json",
            headers={**headers, "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )

    return send


def padded(token, length):
    """A good body of that many bytes: white space may follow it."""
    return json.dumps({"token": token}).encode().ljust(length)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_just_the_limit_is_read(send, address, token, chunked):
    answer = send(address, padded(token, MAX_BODY_BYTES), chunked=chunked)
    assert (answer.status_code, answer.json["active"]) == (200, True)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("beyond", [1, 2, 100_000])
def test_a_body_over_the_limit_is_refused_and_never_cut(send, address, token, chunked, beyond):
    answer = send(address, padded(token, MAX_BODY_BYTES + beyond), chunked=chunked)
    assert (answer.status_code, answer.content_type) == (413, "application/problem+json")


@pytest.mark.parametrize(
    "members",
    [
        '"token": "{}", "require": "zzz", "require": null',
        '"token": "{}", "require": "zzz", "require": "analyses"',
        '"token": "x", "token": "{}"',
        '"token": "{}", "\\u0074oken": "{}"',
    ],
)
def test_a_member_given_twice_is_refused(send, token, members):
    """Two readers of such a body need not agree on the feature that was asked about."""
    answer = send(ADDRESSES[0], f"{{{members.replace('{}', token)}}}".encode())
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert (answer.json["code"], answer.json["detail"]) == ("invalid_body", "A member is given twice.")


def test_a_colon_in_a_value_is_no_further_member(send, token):
    """Members are counted by their colons before they are looked at one by one."""
    answer = send(ADDRESSES[0], f'{{"token": "{token}", "require": "memos::"}}'.encode())
    assert (answer.status_code, answer.json) == (200, {"active": False, "allowed": False, "reason": "not_entitled"})


@pytest.mark.parametrize("inner", ["[" * 5000 + "]" * 5000, "9" * 9000, '{"a": 1, "a": 2}', '"\\ud800"'])
def test_what_hides_behind_a_second_member_never_fails_the_service(send, address, inner):
    assert send(address, f'{{"token": {inner}, "token": "x"}}'.encode()).status_code in (400, 422)
