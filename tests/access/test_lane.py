"""The lane in front of Flask: it answers as the views behind it do, and leaves to them what it does not know."""

import base64
import io
import json

import pytest

from paywall.access import addresses
from paywall.later import LATER
from paywall.storage import revocations
from paywall.storage.database import db
from tests.support.browsers import browser
from tests.support.figures import rising
from tests.support.marks import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def lane(app):
    return app.wsgi_app


@pytest.fixture
def both(app, lane, service_key):
    """Sends a request to the lane, then to Flask alone; gives status, headers and body of each."""

    def told(**request):
        answer = browser(app).open(**request)
        headers = {name: value for name, value in answer.headers.items() if name != "RateLimit"}  # one less each time
        return answer.status_code, headers, answer.data

    def both(**request):
        first = told(**request)
        app.wsgi_app = lane.otherwise
        try:
            return first, told(**request)
        finally:
            app.wsgi_app = lane

    return both


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def basic(name, key):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{key}".encode()).decode()}


FORM = "application/x-www-form-urlencoded"
CASES = {
    "verify": ("POST", addresses.VERIFY, {"json": {"token": "TOKEN", "require": "memos"}}),
    "verify, lacking": ("POST", addresses.VERIFY, {"json": {"token": "TOKEN", "require": "podcasts"}}),
    "verify, broken": ("POST", addresses.VERIFY, {"data": b"{", "content_type": "application/json"}),
    "verify, misspelt": ("POST", addresses.VERIFY, {"json": {"token": "x", "requires": "y"}}),
    "verify, another type": ("POST", addresses.VERIFY, {"data": b"x", "content_type": "text/plain"}),
    "verify, too large": ("POST", addresses.VERIFY, {"data": b"x" * 20000, "content_type": "application/json"}),
    "verify, no key": ("POST", addresses.VERIFY, {"json": {"token": "x"}, "headers": {}}),
    "verify, bad key": ("POST", addresses.VERIFY, {"json": {"token": "x"}, "headers": bearer("pwk_x")}),
    "introspect": ("POST", addresses.INTROSPECT, {"data": b"token=TOKEN", "content_type": FORM}),
    "introspect, none": ("POST", addresses.INTROSPECT, {"data": b"token=x", "content_type": FORM}),
    "introspect, empty": ("POST", addresses.INTROSPECT, {"data": b"", "content_type": FORM}),
    "introspect, bad client": (
        "POST",
        addresses.INTROSPECT,
        {"data": b"token=x", "content_type": FORM, "headers": basic("news", "pwk_x")},
    ),
    "authorize": ("GET", addresses.AUTHORIZE, {"headers": bearer("TOKEN")}),
    "authorize, head": ("HEAD", addresses.AUTHORIZE, {"headers": bearer("TOKEN")}),
    "authorize, none": ("GET", addresses.AUTHORIZE, {"headers": {}}),
    "authorize, none, head": ("HEAD", addresses.AUTHORIZE, {"headers": {}}),
    "authorize, lacking": ("GET", f"{addresses.AUTHORIZE}?require=podcasts", {"headers": bearer("TOKEN")}),
    "revocations": ("GET", addresses.REVOCATIONS, {}),
    "revocations, nonsense": ("GET", f"{addresses.REVOCATIONS}?after=x", {}),
    "revocations, known": ("GET", addresses.REVOCATIONS, {"headers": {"If-None-Match": "*"}}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_lane_and_the_view_give_the_same_answer(both, case, token, service_key, now):
    revocations.append("jti", "tok_1", "test", now, now + revocations.LONGEST_LIFE)
    db.session.commit()
    method, path, request = CASES[case]
    headers = request.get("headers", bearer(service_key)) or {}
    if "If-None-Match" in headers:
        headers = {**headers, **bearer(service_key)}
    filled = {name: _fill(value, token) for name, value in {**request, "headers": headers}.items()}
    lane, view = both(method=method, path=path, **filled)
    assert lane == view


def _fill(value, token):
    if isinstance(value, bytes):
        return value.replace(b"TOKEN", token.encode())
    if isinstance(value, dict):
        return {name: text.replace("TOKEN", token) for name, text in value.items()}
    return value


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", addresses.VERIFY, 405),
        ("OPTIONS", addresses.INTROSPECT, 200),
        ("POST", addresses.AUTHORIZE, 405),
        ("POST", addresses.REVOCATIONS, 405),
        ("GET", "/v1/authorize/", 404),
        ("GET", "/v1/tokens", 404),
        ("GET", "/healthz", 200),
    ],
)
def test_what_the_table_does_not_name_is_flasks(client, method, path, status):
    assert client.open(path, method=method).status_code == status


@pytest.mark.parametrize("host", ["evil.test", "", "pay.test:99999999", "pay.test@evil.test"])
def test_a_name_that_is_not_ours_is_refused(client, token, host):
    answer = client.get(addresses.AUTHORIZE, headers={**bearer(token), "Host": host})
    assert answer.status_code == 400


def test_every_answer_has_the_headers_of_a_page(client, token):
    for headers in ({}, bearer(token)):
        answer = client.get(addresses.AUTHORIZE, headers=headers)
        for name in ("Content-Security-Policy", "X-Content-Type-Options", "Strict-Transport-Security"):
            assert answer.headers[name] == client.get("/healthz").headers[name]
        assert answer.headers["Cache-Control"] == "no-store"


def test_no_session_or_cookie_is_made(client, token):
    assert "Set-Cookie" not in client.get(addresses.AUTHORIZE, headers=bearer(token)).headers


def test_requests_are_counted_and_logged_as_others(make_app, capfd):
    labels = {"route": addresses.AUTHORIZE, "method": "GET", "status": "401"}
    client = browser(make_app(log={"level": "info"}))
    with (
        rising("paywall_requests_total", **labels) as count,
        rising("paywall_request_seconds_count", route=addresses.AUTHORIZE) as timed,
        rising("paywall_token_answers_total", address="authorize", outcome="malformed") as answers,
    ):
        client.get(f"{addresses.AUTHORIZE}?require=news", headers=bearer("sesame"))
        assert (count(), timed(), answers()) == (1, 1, 1)
    LATER.settle()
    (line,) = map(json.loads, capfd.readouterr().err.splitlines())
    assert (line["event"], line["route"], line["method"], line["status"]) == (
        "request",
        addresses.AUTHORIZE,
        "GET",
        401,
    )
    assert {"ms", "id"} <= set(line)
    assert "sesame" not in str(line)


def test_a_fault_of_ours_is_a_problem_document_and_logged_without_its_words(client, lane, capfd):
    def fail(_asked):
        raise RuntimeError("sesame")

    lane._ways = {("GET", addresses.AUTHORIZE): (fail, None)}
    answer = client.get(addresses.AUTHORIZE)
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")
    assert "sesame" not in answer.text + capfd.readouterr().err.replace('RuntimeError("sesame")', "")


def test_a_body_that_ends_early_is_refused(client, service_key):
    answer = client.post(
        addresses.VERIFY,
        input_stream=io.BytesIO(b'{"token": "x"}'),
        content_type="application/json",
        headers=bearer(service_key),
        environ_overrides={"CONTENT_LENGTH": "900"},
    )
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


class Slow(io.BytesIO):
    """A body that comes byte by byte, as from a slow line."""

    def read(self, size=-1):
        return super().read(min(size, 1))


class Gone(io.BytesIO):
    """A connection that breaks."""

    def read(self, size=-1):
        raise OSError


@pytest.mark.parametrize(("kind", "status"), [(Slow, 200), (Gone, 400)])
def test_a_body_in_pieces_is_put_together_and_a_broken_one_refused(client, service_key, kind, status):
    body = b'{"token": "x"}'
    answer = client.post(
        addresses.VERIFY,
        input_stream=kind(body),
        content_type="application/json",
        headers=bearer(service_key),
        environ_overrides={"CONTENT_LENGTH": str(len(body))},
    )
    assert answer.status_code == status


@pytest.mark.parametrize("length", ["16385", "9" * 5000])
def test_what_says_that_it_is_too_large_is_not_read(client, service_key, length):
    answer = client.post(
        addresses.VERIFY,
        input_stream=Gone(),
        content_type="application/json",
        headers=bearer(service_key),
        environ_overrides={"CONTENT_LENGTH": length},
    )
    assert answer.status_code == 413
