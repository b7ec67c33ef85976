"""nginx and Caddy as docs/verify.md sets them up: who is let in, what the content server is told, what a loss does."""

import http.client
import socket
import time
from collections.abc import Callable

import pytest

from tests.journeys.gateways.conftest import ALL, PAY, WWW, Gateway, Wall
from tests.journeys.gateways.origin import content_server
from tests.journeys.gateways.recipes import KINDS

TOLD = ("X-Paywall-Subject", "X-Paywall-Scope", "X-Paywall-Expires")
# token -> status for programs, reason
DENIALS = [
    (None, 401, "missing"),
    ("expired", 401, "expired"),
    ("revoked", 401, "revoked"),
    ("unknown", 401, "unknown_key"),
    ("tampered", 401, "bad_signature"),
    ("news", 403, "not_entitled"),
]

pytestmark = pytest.mark.parametrize("kind", KINDS)
Start = Callable[..., Gateway]


def test_a_reader_with_a_good_token_is_let_in_and_named(kind: str, start: Start, wall: Wall) -> None:
    token = wall.token("good")
    answer = start(kind).ask("/article?a=1&b=%2F", token)
    assert answer.status == 200
    assert answer.told is not None
    assert answer.told["path"] == "/article?a=1&b=%2F"
    assert answer.seen("X-Paywall-Subject") == [wall.readers[token]]
    assert answer.seen("X-Paywall-Scope") == [ALL]
    assert time.time() < int(answer.seen("X-Paywall-Expires")[0]) < time.time() + 901


def test_no_cache_may_keep_the_full_text(kind: str, start: Start, wall: Wall) -> None:
    """Whatever the content server says of its pages."""
    headers = start(kind).ask(token=wall.token("good")).headers
    assert headers.get_all("Cache-Control") == ["private, no-store"]
    assert {"Cookie", "Authorization"} <= {name.strip() for name in ",".join(headers.get_all("Vary")).split(",")}


@pytest.mark.parametrize(("token", "status", "reason"), DENIALS)
def test_whoever_may_not_read_does_not_reach_the_content_server(
    kind: str, start: Start, wall: Wall, token: str | None, status: int, reason: str
) -> None:
    made = wall.revoked if token == "revoked" else wall.token(token) if token else None
    answer = start(kind).ask("/article?x=1", made)
    assert (answer.status, answer.told, answer.headers["X-Paywall-Reason"]) == (303, None, reason)
    way = "/renew?" if reason in ("expired", "revoked") else "/join?plan=annual&"
    assert answer.headers["Location"] == f"{PAY}{way}return_to={WWW}/article"
    assert answer.headers["Cache-Control"] == "private, no-store"
    for_programs = start(kind, plain=True).ask("/article", made)
    assert (for_programs.status, for_programs.told) == (status, None)
    if status == 401:
        assert for_programs.headers["WWW-Authenticate"].startswith('Bearer realm="paywall"')


def test_a_browser_whose_token_has_ended_is_led_to_a_new_one_and_back(kind: str, start: Start, wall: Wall) -> None:
    """The whole way: gateway, service, gateway; and who is not signed in ends at the offer, in no circle."""
    ended, secret = wall.browser()
    sent_on = start(kind).ask("/article", ended)
    back = wall.visit(sent_on.headers["Location"], f"paywall_sid={secret}; paywall_token={ended}")
    assert (back.status, back.headers["Location"]) == (303, f"{WWW}/article")
    renewed = back.headers["Set-Cookie"].partition(";")[0].removeprefix("paywall_token=")
    assert start(kind).ask("/article", renewed).status == 200
    stranger = wall.visit(sent_on.headers["Location"], f"paywall_token={ended}")
    assert (stranger.status, stranger.headers["Location"].partition("?")[0]) == (303, "/join")
    assert wall.visit(stranger.headers["Location"], "a=b").status == 200


@pytest.mark.parametrize("path", ["/caf%C3%A9", "/a%26b", "/a%0d%0aX-Odd:1", "/a'b"])
def test_a_path_of_other_signs_leads_back_to_the_front_page(kind: str, start: Start, path: str) -> None:
    answer = start(kind).ask(path)
    assert answer.headers["Location"] == f"{PAY}/join?plan=annual&return_to={WWW}/"
    assert "X-Odd" not in answer.headers


def test_a_token_may_come_as_a_bearers(kind: str, start: Start, wall: Wall) -> None:
    """It goes before the cookie, and two of them are none."""
    good, old, gateway = wall.token("good"), wall.token("expired"), start(kind)
    assert gateway.ask(headers=(("Authorization", f"Bearer {good}"),)).status == 200
    assert gateway.ask(token=old, headers=(("Authorization", f"Bearer {good}"),)).status == 200
    assert gateway.ask(token=good, headers=(("Authorization", f"Bearer {old}"),)).status == 303
    both = (("Authorization", f"Bearer {old}"), ("Authorization", f"Bearer {good}"))
    refused = gateway.ask(headers=both)
    assert (refused.status, refused.told) in ((303, None), (400, None))


def test_of_two_cookies_the_first_counts(kind: str, start: Start, wall: Wall) -> None:
    good, old = wall.token("good"), wall.token("expired")
    gateway = start(kind)
    assert gateway.ask(headers=(("Cookie", f"paywall_token={good}; paywall_token={old}"),)).status == 200
    assert gateway.ask(headers=(("Cookie", f"paywall_token={old}; paywall_token={good}"),)).status == 303


@pytest.mark.parametrize("path", ["/article", "/free/page"])
@pytest.mark.parametrize(
    "spell", [str, str.lower, lambda name: name.replace("-", "_"), lambda name: "X-Paywall_" + name[10:]]
)
def test_nobody_can_claim_to_be_another_reader(
    kind: str, start: Start, wall: Wall, spell: Callable[[str], str], path: str
) -> None:
    token = wall.token("good")
    forged = tuple((spell(name), "rdr_forged") for name in TOLD)
    answer = start(kind).ask(path, token, headers=forged)
    assert answer.status == 200
    expected = [wall.readers[token]] if path == "/article" else []
    assert [value for value in answer.seen("X-Paywall-Subject") if value] == expected
    assert "rdr_forged" not in str(answer.told)
    assert start(kind).ask("/article", headers=forged).told is None


@pytest.mark.parametrize("name", ["X-Paywall-Require", "X_Paywall_Require", "X-Paywall_Require", "x-paywall-require"])
def test_nobody_can_change_what_is_asked_for(kind: str, start: Start, wall: Wall, name: str) -> None:
    """Neither by a header nor by the page's address."""
    asks, token = start(kind), wall.token("news")
    for headers in (((name, "news"),), ((name, ""),), (("X-Original-URI", "/free/"), ("X-Forwarded-Uri", "/free/"))):
        assert asks.ask("/article?require=news", token, headers=headers).told is None
        assert asks.ask("/article?require=podcasts", wall.token("good"), headers=headers).status == 200


def test_a_header_named_as_one_of_the_connection_takes_nothing_but_itself_away(
    kind: str, start: Start, wall: Wall
) -> None:
    """`Connection: NAME` asks a proxy to drop that header: of the gateway's own ones too."""
    headers = (("Connection", "close, X-Paywall-Subject, X-Paywall-Scope"), ("X-Paywall-Subject", "rdr_forged"))
    token = wall.token("good")
    answer = start(kind).ask(token=token, headers=headers)
    assert answer.seen("X-Paywall-Subject") in ([wall.readers[token]], [])
    assert start(kind).ask(token=token, headers=(("Connection", "close, Cookie"),)).status in (200, 303)
    assert start(kind).ask(headers=headers).told is None


@pytest.mark.parametrize(
    "path", ["/free/../article", "/free/%2e%2e/article", "//article", "/free%2f..%2farticle", "/./article"]
)
def test_no_spelling_of_an_address_passes_for_a_free_page(kind: str, start: Start, path: str) -> None:
    """The content server may read the address otherwise than the gateway does."""
    answer = start(kind).ask(path)
    assert answer.told is None or (answer.told["path"].startswith("/free/") and ".." not in answer.told["path"]), path


def test_a_form_with_a_body_arrives_whole_and_the_service_is_not_sent_it(kind: str, start: Start, wall: Wall) -> None:
    body = b"x" * 200_000
    answer = start(kind).ask("/comment", wall.token("good"), "POST", body=body)
    assert answer.told is not None
    assert (answer.told["method"], answer.told["body"]) == ("POST", body.decode())
    assert start(kind).ask("/comment", None, "POST", body=body).told is None


def test_head_is_answered_as_get_is(kind: str, start: Start, wall: Wall) -> None:
    good = start(kind).ask(token=wall.token("good"), method="HEAD")
    assert (good.status, good.body, good.headers["Cache-Control"]) == (200, b"", "private, no-store")
    assert good.told is not None
    assert start(kind).ask(method="HEAD").status == 303


def test_readers_who_share_a_connection_stay_apart(kind: str, start: Start, wall: Wall) -> None:
    """As behind another proxy: each request is its own."""
    gateway, one, two = start(kind), wall.token("good"), wall.token("good")
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    found = []
    for token in (one, None, two, wall.token("news"), one):
        answer = gateway.over(connection, token=token)
        found.append(answer.seen("X-Paywall-Subject") if answer.told else answer.headers["X-Paywall-Reason"])
    connection.close()
    first, second = [wall.readers[one]], [wall.readers[two]]
    assert found == [first, "missing", second, "not_entitled", first]


def test_while_the_service_is_lost_nobody_gets_in(kind: str, start: Start, wall: Wall) -> None:
    """Neither with a good token nor without one; it is told as a fault that passes."""
    for token in (wall.token("good"), None):
        answer = start(kind, service=wall.ports["nobody"]).ask(token=token)
        assert (answer.status in (502, 503), answer.told) == (True, None)
        assert "public" not in answer.headers.get("Cache-Control", "")
    assert start(kind, service=wall.ports["nobody"]).ask("/free/page").status == 200


def test_an_operator_may_choose_to_let_everybody_in_meanwhile(kind: str, start: Start, wall: Wall) -> None:
    gateway = start(kind, service=wall.ports["nobody"], fail_open=True)
    for token in (wall.token("good"), wall.token("expired"), None):
        answer = gateway.ask(
            "/article?x=1", token, headers=(("X-Paywall-Subject", "rdr_forged"), ("X_Paywall_Scope", "all"))
        )
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, no-store")
        assert answer.told is not None
        assert answer.told["path"] == "/article?x=1"
        assert not [value for name in TOLD for value in answer.seen(name) if value], "nobody was verified"


def test_that_choice_opens_nothing_while_the_service_is_there(kind: str, start: Start, wall: Wall) -> None:
    gateway = start(kind, fail_open=True)
    for token, _, reason in DENIALS:
        answer = gateway.ask(token=wall.revoked if token == "revoked" else wall.token(token) if token else None)
        assert (answer.status, answer.told, answer.headers["X-Paywall-Reason"]) == (303, None, reason)
    assert gateway.ask(token=wall.token("good")).status == 200


def test_that_choice_opens_nothing_to_who_sends_what_the_service_does_not_take(
    kind: str, start: Start, wall: Wall
) -> None:
    """Else a reader without a token could have the service look lost: too much, too many, signs that no header has."""
    gateway, lost = start(kind, fail_open=True), start(kind, service=wall.ports["nobody"], fail_open=True)
    large = [(("Cookie", f"paywall_token={'x' * size}"),) for size in (60_000, 900_000)]
    sent = [
        (("Authorization", f"Bearer {'x' * 8150}"), ("Cookie", f"paywall_token={'x' * 8150}")),
        tuple((f"X-Odd-{number}", "x") for number in range(200)),
        (("Cookie", "paywall_token=\xff\xfe"),),
        (("Authorization", "Bearer \xe9\x80"),),
        (("Cookie", "paywall_token=a\x01b"),),
    ]
    for headers in (*sent, *large):
        answer = gateway.ask(headers=headers)
        assert (answer.told, answer.status != 200) == (None, True), headers[0]
    # a service hangs up on these, now and then before its answer is read: so they must not even reach it
    assert [lost.ask(headers=headers).told for headers in large] == [None, None]
    assert gateway.ask(token=wall.token("good")).status == 200


def test_a_service_that_hangs_holds_no_page_for_long(kind: str, start: Start, wall: Wall) -> None:
    """A socket that accepts and says nothing; the page's two seconds are cut to half a second here."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway = start(kind, service=silent.getsockname()[1], hasty=True)
        began = time.monotonic()
        answer = gateway.ask(token=wall.token("good"))
        assert (answer.status in (502, 503, 504), answer.told) == (True, None)
        assert 0.4 < time.monotonic() - began < 5


@pytest.mark.parametrize("status", [500, 503])
def test_a_service_that_answers_by_a_fault_lets_nobody_in_unless_chosen(
    kind: str, start: Start, wall: Wall, status: int
) -> None:
    """As one that has just started and knows no keys yet."""
    with content_server(status) as sick:
        closed = start(kind, service=sick.server_port).ask(token=wall.token("good"))
        assert (closed.status >= 500, closed.told) == (True, None)
        chosen = start(kind, service=sick.server_port, fail_open=True).ask(token=wall.token("good"))
        assert chosen.status == 200
        assert chosen.seen("X-Paywall-Subject") in ([], [""])
