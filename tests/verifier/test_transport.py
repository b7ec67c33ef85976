"""The service answers JSON within bounds, or there is no answer."""

import socket
import threading
import time

import pytest

from paywall.verifier.errors import TransportError
from paywall.verifier.transport import MAX_BYTES, check_address, exchange


def test_json_is_fetched_with_status_and_headers(origin):
    origin.answers["/x"] = (200, {"a": 1}, {"Cache_Control": "max-age=5"})
    answer = exchange(origin.url + "/x")
    assert (answer.status, answer.body, answer.headers["Cache-Control"]) == (200, {"a": 1}, "max-age=5")


def test_json_is_sent_with_the_headers_given(origin):
    origin.answers["/x"] = (200, {}, {})
    exchange(origin.url + "/x", send={"token": "é"}, headers={"Authorization": "Bearer pwk_1"})
    path, headers, sent = origin.asked[0]
    assert (path, sent) == ("/x", {"token": "é"})
    assert headers["Authorization"] == "Bearer pwk_1"
    assert headers["Content-Type"] == "application/json"


def test_an_error_status_with_json_is_an_answer(origin):
    origin.answers["/x"] = (401, {"title": "no"}, {})
    assert exchange(origin.url + "/x").status == 401


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 60000, b'"' + b"x" * MAX_BYTES + b'"'])
def test_what_is_not_json_or_too_long_is_no_answer(origin, body):
    origin.answers["/x"] = (200, body, {})
    with pytest.raises(TransportError):
        exchange(origin.url + "/x")


def test_a_redirect_is_not_followed(origin):
    """The service key must not travel to wherever an answer points."""
    origin.answers["/x"] = (302, b"", {"Location": "/elsewhere"})
    origin.answers["/elsewhere"] = (200, {}, {})
    with pytest.raises(TransportError):
        exchange(origin.url + "/x", headers={"Authorization": "Bearer pwk_1"})
    assert [path for path, _, _ in origin.asked] == ["/x"]


def test_a_silent_service_is_given_up_after_the_timeout(origin):
    origin.delay = 3.0
    started = time.monotonic()
    with pytest.raises(TransportError):
        exchange(origin.url + "/x", timeout=0.1)
    assert time.monotonic() - started < 2.5


def test_a_dripping_service_is_given_up_too(drip):
    started = time.monotonic()
    with pytest.raises(TransportError):
        exchange(drip, timeout=0.2)
    assert time.monotonic() - started < 2.5


def test_nobody_listening_is_no_answer(origin):
    with pytest.raises(TransportError):
        exchange("http://127.0.0.1:1/x", timeout=0.5)


def test_a_proxy_of_the_environment_is_not_used_towards_this_machine(origin, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    origin.answers["/x"] = (200, {}, {})
    assert exchange(origin.url + "/x").status == 200


@pytest.mark.parametrize("url", ["", "127.0.0.1:8001", "ftp://host", "file:///etc/passwd", "http://", "//host"])
def test_only_web_addresses_are_accepted(url):
    with pytest.raises(ValueError, match="http"):
        check_address(url)


@pytest.fixture
def drip():
    """A server that sends one byte every 50 ms, each well within a time-out of its own."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        peer, _ = listener.accept()
        with peer:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")
            try:
                for _ in range(60):
                    peer.sendall(b" ")
                    time.sleep(0.05)
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    thread.join()
    listener.close()
