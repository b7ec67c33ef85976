"""Who asks too often is asked to wait; who is counted is the caller's own network address."""

import pytest

from tests.support.browsers import browser
from tests.support.forms import form_of
from tests.support.marks import on_sqlite
from tests.support.shop import referer

pytestmark = on_sqlite


@pytest.fixture
def caller(make_app):
    """Makes callers of one application from network addresses, each sending the form of a page."""

    def caller(limits, **tables):
        app = make_app(limits=limits, **tables)

        def send(address="192.0.2.1", path="/sign-in", page="/sign-in", **headers):
            client = browser(app)
            form = form_of(client.get(page).text)
            sent = {**referer(), **{name.replace("_", "-"): value for name, value in headers.items()}}
            origin = {"REMOTE_ADDR": address}
            return client.post(path, data={**form, "email": "not one"}, headers=sent, environ_overrides=origin)

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
