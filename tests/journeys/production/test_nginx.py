"""nginx in front of granian with the example configuration: what it keeps away, what it tells, what it hides."""

import http.client
import json
import re
import socket
import ssl
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from paywall.demo.browser import Browser
from tests.journeys.production.conftest import PAY, Installation, ask, nginx_files
from tests.support import servers


def tls(installation: Installation, name: str, port: int | None = None) -> ssl.SSLSocket:
    """A connection that asks for that name."""
    context = ssl.create_default_context(cafile=str(installation.folder / "fullchain.pem"))
    plain = socket.create_connection(("127.0.0.1", port or installation.ports["https"]), timeout=20)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except ssl.SSLError:
        plain.close()
        raise


def test_the_service_is_ready_and_its_answers_are_hardened(installation: Installation) -> None:
    status, headers, body = ask("GET", "/readyz")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "nginx", "without its version"


def test_plain_http_leads_to_https(installation: Installation) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", installation.ports["http"], timeout=20)
    connection.request("POST", "/checkout?plan=annual", headers={"Host": "pay.example.org"})
    with connection.getresponse() as answer:
        assert (answer.status, answer.headers["Location"]) == (308, f"{PAY}/checkout?plan=annual")
    connection.close()


def test_a_name_that_is_not_ours_gets_not_even_a_certificate(installation: Installation) -> None:
    with pytest.raises(ssl.SSLError, match=r"UNRECOGNIZED_NAME|unrecognized name"):
        tls(installation, "evil.example.com")


def test_cookies_are_secure_and_forms_are_accepted_over_https(installation: Installation) -> None:
    """A form is refused when proxy and service do not agree on scheme and host."""
    reader = Browser()
    page = reader.open(f"{PAY}/sign-in")
    assert all("Secure" in cookie and "HttpOnly" in cookie for cookie in page.headers.get_all("Set-Cookie"))
    answer = reader.submit(page, "email", {"email": "nobody@example.com"})
    assert answer.status == 200
    assert answer.url.startswith(PAY)


def test_the_limit_counts_the_address_that_nginx_saw(installation: Installation) -> None:
    """Neither what a caller claims to be, nor nginx's own; and Redis counts for both workers together."""
    statuses = [
        ask(
            "GET", "/checkout/return?session_id=cs_test_1", X_Forwarded_For=f"203.0.113.{n}", Forwarded="for=192.0.2.1"
        )[0]
        for n in range(62)
    ]
    assert 429 not in statuses[:50]
    assert statuses[-1] == 429


def test_slow_bodies_hold_no_thread(installation: Installation) -> None:
    """Thirty clients that never finish; granian has sixteen threads."""
    head = b"POST /sign-in HTTP/1.1\r\nHost: pay.example.org\r\nContent-Length: 100000\r\n"
    head += b"Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
    with ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(tls(installation, "pay.example.org")).sendall(head)
        began = time.monotonic()
        assert [ask("GET", "/sign-in")[0] for _ in range(5)] == [200] * 5
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(("size", "status"), [(1_000_000, 401), (1_100_000, 413)])
def test_bodies_end_where_the_service_says(installation: Installation, size: int, status: int) -> None:
    assert ask("POST", "/v1/tokens/verify", b"x" * size)[0] == status


def test_metrics_are_not_for_the_outside(installation: Installation) -> None:
    assert ask("GET", "/metrics")[0] == 404


def test_two_lengths_or_a_smuggled_request_go_no_further(installation: Installation) -> None:
    for extra in (
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    ):
        with tls(installation, "pay.example.org") as connection:
            connection.sendall(b"POST /v1/tokens/verify HTTP/1.1\r\nHost: pay.example.org\r\n" + extra + b"\r\nabc")
            assert connection.recv(12) == b"HTTP/1.1 400"


def test_without_a_host_there_is_no_page(installation: Installation) -> None:
    with tls(installation, "pay.example.org") as connection:
        connection.sendall(b"GET /sign-in HTTP/1.1\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 400"


def test_no_log_holds_a_token_or_an_address(installation: Installation) -> None:
    reader = Browser()
    reader.submit(reader.open(f"{PAY}/sign-in"), "email", {"email": "hidden@example.com"})
    ask("GET", "/sign-in/link?token=sesame-token", Cookie="paywall_token=sesame-cookie", Authorization="Bearer sesame")
    servers.wait_until(lambda: '"path":"/sign-in/link"' in installation.log("paywall.log"), "the request is logged")
    logs = {name: installation.log(name) for name in ("paywall.log", "paywall-error.log", "nginx.log", "service.log")}
    for name, text in logs.items():
        assert not re.search("sesame|hidden@example.com", text), name
    for line in logs["paywall.log"].splitlines():
        assert "?" not in json.loads(line)["path"]


def test_while_granian_is_away_the_answer_says_so(installation: Installation) -> None:
    folder = installation.folder / "away"
    folder.mkdir()
    ports = {name: servers.free_port() for name in ("http", "https", "service", "site")}
    main = nginx_files(folder, ports, installation.folder / "fullchain.pem", installation.folder / "privkey.pem")
    request = b"GET /sign-in/link?token=sesame HTTP/1.1\r\nHost: pay.example.org\r\nConnection: close\r\n\r\n"
    with servers.running([servers.program("nginx"), "-c", str(main)], ports["https"], folder / "nginx-start.log"):
        with tls(installation, "pay.example.org", ports["https"]) as connection:
            connection.sendall(request)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        servers.wait_until((folder / "paywall.log").read_text, "the request is logged")
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"Retry-After: 10\r\n" in answer
    assert b"Nothing was lost" in answer
    assert not [file for file in folder.glob("*.log") if "sesame" in file.read_text()]


def test_the_addresses_of_the_example_are_those_of_the_example_environment(installation: Installation) -> None:
    assert urlsplit(installation.env["PAYWALL_WEB__BASE_URL"]).hostname == "pay.example.org"
    assert installation.env["PAYWALL_WEB__COOKIE_DOMAIN"] == "example.org"
