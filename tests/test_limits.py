"""Who asks too often is asked to wait: networks, persons, typed addresses, each counted apart."""

import re
import socket
import time

import pytest

from paywall import limits as rates
from tests.support.browsers import browser
from tests.support.builders import make_reader, save, sign_in
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import referer

pytestmark = on_sqlite


@pytest.fixture
def caller(make_app):
    """Makes callers of one application from network addresses, each sending the form of a page."""

    def caller(limits, **tables):
        app = make_app(limits=limits, **tables)

        def send(address="192.0.2.1", path="/sign-in", page="/sign-in", email="not one", **headers):
            client = browser(app)
            form = form_of(client.get(page).text)
            sent = {**referer(), **{name.replace("_", "-"): value for name, value in headers.items()}}
            origin = {"REMOTE_ADDR": address}
            return client.post(path, data={**form, "email": email}, headers=sent, environ_overrides=origin)

        return send

    return caller


def test_past_the_limit_the_answer_says_when_to_come_again(caller) -> None:
    send = caller({"sign_in": "2 per minute"})
    assert [send().status_code for _ in range(2)] == [400, 400], "the address is no address, but it was looked at"
    page = send()
    assert page.status_code == 429
    assert "Too many tries" in page.text
    (wait,) = page.headers.getlist("Retry-After")
    assert 0 < int(wait) <= 61
    document = send(Accept="application/json")
    assert (document.status_code, document.json["code"]) == (429, "too_many_requests")
    assert document.content_type == "application/problem+json"


def test_each_address_has_a_limit_of_its_own(caller) -> None:
    send = caller({"sign_in": "1 per minute"})
    assert send("192.0.2.1").status_code == 400
    assert send("192.0.2.1").status_code == 429
    assert send("192.0.2.2").status_code == 400


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "unix:", True),
    ],
)
def test_what_one_subscriber_has_counts_as_one_network(app, first: str, second: str, same: bool) -> None:
    """Of IPv6 everybody has more addresses than anybody can count."""
    networks = []
    for address in (first, second):
        with app.test_request_context(environ_overrides={"REMOTE_ADDR": address}):
            networks.append(rates.network())
    assert (networks[0] == networks[1]) is same


class TestTypedAddresses:
    """No mailbox is flooded, from however many networks."""

    RULES = {"sign_in_person": "2 per minute", "checkout_person": "2 per minute"}

    def test_count_whoever_types_them(self, caller) -> None:
        send = caller(self.RULES)
        codes = [send(f"192.0.2.{n}", email=email).status_code for n, email in enumerate(["Ada@example.com"] * 3)]
        assert codes == [303, 303, 429]
        assert send("192.0.2.9", email="ada@EXAMPLE.com ").status_code == 429
        assert send("192.0.2.9", email="grace@example.com").status_code == 303

    def test_are_limited_at_the_checkout_too(self, caller) -> None:
        send = caller(self.RULES)
        asked = {"path": "/checkout", "page": "/join", "email": "ada@example.com"}
        assert [send(f"192.0.2.{n}", **asked).status_code for n in range(3)] == [503, 503, 429], "no Stripe is there"

    def test_count_for_nobody_when_they_are_none(self, caller) -> None:
        """A typing error of one must not stop the others."""
        send = caller(self.RULES)
        assert [send(f"192.0.2.{n}").status_code for n in range(4)] == [400] * 4

    def test_are_kept_under_a_hash_that_others_cannot_make(self, app, make_app) -> None:
        def key(of) -> str:
            with of.test_request_context(method="POST", data={"email": "ada@example.com"}):
                return rates.typed_address()

        assert re.fullmatch("typed:[0-9a-f]{64}", key(app))
        assert key(app) != key(make_app(web={"secret_key": "another-secret-key-0000000000000000000000"}))

    def test_are_not_told_in_headers(self, caller) -> None:
        """What is left of them would say that somebody else tried."""
        answer = caller(self.RULES)(email="ada@example.com")
        assert answer.headers["RateLimit-Policy"] == '"network-60";q=1000;w=60'


def test_a_signed_in_reader_counts_wherever_they_are(app, make_app, clock) -> None:
    other = make_app(limits={"checkout_person": "2 per minute"})
    with other.app_context():
        client = browser(other)
        reader = make_reader(now=clock.now())
        save()
        sign_in(client, reader, now=clock.now())

        def send(number: int):
            form = form_of(client.get("/join").text)
            data = {**form, "email": f"somebody{number}@example.com"}
            origin = {"REMOTE_ADDR": f"192.0.2.{number}"}
            return client.post("/checkout", data=data, headers=referer(), environ_overrides=origin)

        answers = [send(number) for number in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 429]
    assert '"reader-60";q=2;w=60' in answers[0].headers["RateLimit-Policy"]


def test_answers_tell_what_is_left(caller) -> None:
    send = caller({"sign_in": "2 per minute; 9 per hour"})
    for left in (1, 0):
        answer = send()
        assert answer.headers["RateLimit-Policy"] == '"network-60";q=2;w=60, "network-3600";q=9;w=3600'
        state = re.fullmatch(
            r'"network-60";r=(\d+);t=(\d+), "network-3600";r=(\d+);t=(\d+)', answer.headers["RateLimit"]
        )
        assert state, answer.headers["RateLimit"]
        assert int(state[1]) == left
        assert 0 < int(state[2]) <= 61
    answer = send()
    assert answer.status_code == 429
    assert answer.headers["RateLimit-Policy"] == '"network-60";q=2;w=60', "the one that was reached"
    assert int(answer.headers["Retry-After"]) <= 61
    assert not [name for name in answer.headers.keys() if name.startswith("X-RateLimit")]  # noqa: SIM118


def test_what_is_not_limited_tells_nothing(client) -> None:
    assert "RateLimit" not in client.get("/sign-in").headers


def test_the_page_says_how_long_to_wait(caller) -> None:
    send = caller({"sign_in": "1 per hour"})
    send()
    page = send()
    assert re.search(r"Wait (59|60|61) minutes, then try again", page.text)
    assert page.headers["Cache-Control"] == "no-store"


def test_links_cannot_be_tried_without_end(make_app) -> None:
    client = browser(make_app(limits={"sign_in": "2 per minute"}))
    form = form_of(client.get("/sign-in").text)
    sent = [client.post("/sign-in/link", data={**form, "token": f"x{n}"}, headers=referer()) for n in range(3)]
    assert [answer.status_code for answer in sent][1:] == [400, 429]


def test_checkout_is_limited_apart_from_sign_in(caller) -> None:
    send = caller({"sign_in": "1 per minute", "checkout": "1 per minute"})
    assert send().status_code == 400
    assert send(path="/checkout", page="/join").status_code == 400
    assert send(path="/checkout", page="/join").status_code == 429
    assert send().status_code == 429


def test_every_part_of_a_limit_holds(caller) -> None:
    send = caller({"sign_in": "10 per minute; 1 per hour"})
    assert send().status_code == 400
    assert int(send().headers["Retry-After"]) > 60


def test_reading_a_page_is_not_limited(caller, make_app) -> None:
    client = browser(make_app(limits={"sign_in": "1 per minute", "checkout": "1 per minute"}))
    for path in ("/sign-in", "/join"):
        assert [client.get(path).status_code for _ in range(4)] == [200] * 4


def test_a_header_that_anybody_can_send_does_not_count(caller) -> None:
    send = caller({"sign_in": "1 per minute"})
    assert send(X_Forwarded_For="203.0.113.1").status_code == 400
    assert send(X_Forwarded_For="203.0.113.2").status_code == 429


def test_behind_a_proxy_the_address_that_it_saw_counts(caller) -> None:
    """What stands left of it, the caller may have sent."""
    send = caller({"sign_in": "1 per minute"}, web={"trusted_hops": 1})
    forwarded = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "pay.test"}
    assert send(X_Forwarded_For="198.51.100.1, 203.0.113.1", **forwarded).status_code == 400
    assert send(X_Forwarded_For="198.51.100.2, 203.0.113.1", **forwarded).status_code == 429
    assert send(X_Forwarded_For="198.51.100.2, 203.0.113.2", **forwarded).status_code == 400


@pytest.mark.filterwarnings("default")
def test_a_redis_that_is_gone_is_replaced_by_memory(caller) -> None:
    """Readers can still sign in, and nobody can try without end."""
    send = caller({"sign_in": "1 per minute", "storage_url": "redis://127.0.0.1:9/0"})
    assert send().status_code == 400
    assert send().status_code == 429


@pytest.mark.filterwarnings("default")
def test_a_redis_that_hangs_is_replaced_by_memory(caller, monkeypatch) -> None:
    """A server that takes connections and says nothing: nobody waits for it for long, and only once."""
    monkeypatch.setattr(rates.limiter, "_storage_dead", False)  # it remembers the Redis of another test
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        send = caller({"sign_in": "3 per minute", "storage_url": f"redis://127.0.0.1:{port}/0"})
        started = time.monotonic()
        answers = [send() for _ in range(4)]
        took = time.monotonic() - started
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    assert "RateLimit" in answers[-1].headers
    assert 0.5 <= took < 4
