"""Requests that no browser sends, over a bare socket to the real server: refused before they mean anything."""

import socket

import pytest

from paywall.demo.stack import Stack

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

PATHS = ["/join?plan=annual", "/sign-in", "/account", "/admin/", "/healthz", "/v1/tokens/verify", "/nowhere"]
BODY = b'{"token": "x"}'


def ask(stack: Stack, *lines: str, body: bytes = b"") -> tuple[int, str]:
    """The status of the answer, and the answer."""
    head = "\r\n".join((*lines, "Connection: close", "", "")).encode("latin-1")
    with socket.create_connection(("127.0.0.1", stack.ports.service), timeout=10) as wire:
        wire.sendall(head + body)
        answer = b""
        while part := wire.recv(65536):
            answer += part
    return int(answer.split(b" ", 2)[1]), answer.decode("latin-1")


def host(stack: Stack) -> str:
    return f"Host: 127.0.0.1:{stack.ports.service}"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
@pytest.mark.parametrize("path", PATHS)
def test_a_request_without_a_host_is_refused(stack: Stack, path: str, version: str) -> None:
    status, answer = ask(stack, f"GET {path} HTTP/{version}")
    assert (status, "problem+json" in answer, "set-cookie" in answer) == (400, True, False)


@pytest.mark.parametrize("second", ["Host: evil.test", "Host: "])
@pytest.mark.parametrize("path", PATHS)
def test_a_request_with_a_second_host_is_refused(stack: Stack, path: str, second: str) -> None:
    status, answer = ask(stack, f"GET {path} HTTP/1.1", host(stack), second)
    assert (status, "evil" in answer) == (400, False)


@pytest.mark.parametrize(
    "named", ["", "evil.test", "127.0.0.1.evil.test", "127.0.0.1@evil.test", "evil.test#127.0.0.1"]
)
def test_another_host_is_refused_and_never_repeated(stack: Stack, named: str) -> None:
    status, answer = ask(stack, "GET /sign-in HTTP/1.1", f"Host: {named}")
    assert (status, "evil" in answer) == (400, False)


def test_an_address_that_names_another_host_leads_nobody_there(stack: Stack) -> None:
    """The absolute form of a request, as proxies are sent it."""
    _, answer = ask(stack, "GET http://evil.test/join?plan=annual HTTP/1.1", host(stack))
    assert "evil" not in answer


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 14", "Content-Length: 3"),
        ("Content-Length: 3", "Content-Length: 14"),
        ("Content-Length: 14, 3",),
        ("Content-Length: -1",),
        ("Content-Length: x",),
        ("Content-Length: +14",),
        ("Content-Length: 0x0e",),
        ("Transfer-Encoding: x",),
        ("Transfer-Encoding: chunked, identity",),
        (" Content-Length: 14",),
        ("Content-Length : 14",),
        ("X-Odd: a\rb",),
        ("X-Odd: a\0b",),
    ],
    ids=repr,
)
def test_a_request_whose_length_or_headers_are_in_doubt_is_refused(stack: Stack, lines: tuple[str, ...]) -> None:
    kind = "Content-Type: application/json"
    status, _ = ask(stack, "POST /v1/tokens/verify HTTP/1.1", host(stack), kind, *lines, body=BODY)
    assert status == 400


def test_a_header_of_no_sensible_length_is_refused(stack: Stack) -> None:
    assert ask(stack, "GET /healthz HTTP/1.1", host(stack), "X-Odd: " + "a" * 1_000_000)[0] in (400, 431)


def test_the_server_still_answers_after_all_that(stack: Stack) -> None:
    assert ask(stack, "GET /healthz HTTP/1.1", host(stack))[0] == 200
