"""Whatever bytes are sent: no crash, no grant without a good token, one answer by lane and view, and nothing slow."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.access import addresses
from paywall.storage import service_keys
from paywall.tokens import verification
from tests.access.worst import worst
from tests.support import subscribers, wire
from tests.support.marks import on_sqlite

pytestmark = on_sqlite

SLOW = 0.010  # seconds
RENEW, KEYS = "/v1/tokens/renew", "/.well-known/jwks.json"
FORM = "application/x-www-form-urlencoded"
ENDLESS = "1000000000 per minute"
# these stand for what is known only when the service runs
TOKEN, KEY, FORGED, KID, HEAD = "\0token\0", "\0key\0", "\0forged\0", "\0kid\0", "\0head\0"

fuzzed = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

wild = st.text(st.characters(max_codepoint=255), max_size=60)
words = st.sampled_from(["", " ", ",", ";", "=", "~", ".", "%00", "%ff", "%2e", "pwk_x", "a~b.c", "null", "9" * 400])
secret = (
    st.sampled_from([TOKEN, KEY, FORGED]) | st.builds("{}{}".format, st.sampled_from([TOKEN, KEY]), wild) | wild | words
)


def _basic(name: str, key: str) -> str:
    return f"\0basic {name}:{key}\0"


scheme = st.sampled_from(["Bearer ", "bearer ", "BEARER  ", "Bearer\t", "Bearer", "Basic ", "", "Digest ", "Bearer,"])
good = st.sampled_from([f"Bearer {KEY}"] * 6 + [f"Bearer {TOKEN}"] * 3 + [_basic("news", KEY)] * 2)
authorization = (
    good
    | good
    | good
    | good
    | st.none()
    | st.builds("{}{}".format, scheme, secret)
    | st.builds(_basic, words, secret)
    | wild
)
crumb = st.builds("{}={}".format, st.sampled_from(["paywall_token", " paywall_token ", "a", "", "paywall_sid"]), secret)
cookies = st.none() | st.lists(crumb, max_size=4).map(";".join) | wild

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | secret,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
usual = st.fixed_dictionaries({"token": secret}, optional={"require": st.sampled_from(["memos", "x"])})
members = st.dictionaries(st.sampled_from(["token", "require", "format", "token ", "x"]), values | secret, max_size=4)
pairs = st.lists(st.tuples(st.sampled_from(["token", "require", "after", "token_type_hint", "x"]), secret), max_size=4)
bodies = (
    usual  # written as the address wants it
    | usual
    | members.map(json.dumps)
    | st.builds('{{"token": {}, "token": {}}}'.format, secret.map(json.dumps), secret.map(json.dumps))
    | pairs.map(urlencode)
    | wild
)
queries = pairs.map(urlencode) | st.builds("{}={}".format, st.sampled_from(["require", "after"]), secret) | wild
kinds = st.sampled_from([None] * 9 + ["application/json", FORM, "a/x+json", "text/plain", "", f"{FORM}; x=y"]) | wild
lengths = st.sampled_from([None] * 12 + ["", "0", "-1", "1", "99999", "9" * 30, "1e3", "+5", " 5", "٣", "x"])

parts = st.fixed_dictionaries(
    {
        "body": bodies,
        "query": st.just("") | queries,
        "length": lengths,
        "CONTENT_TYPE": kinds,
        "HTTP_AUTHORIZATION": authorization,
    },
    optional={
        "HTTP_COOKIE": cookies,
        "HTTP_X_PAYWALL_REQUIRE": words | wild,
        "HTTP_IF_NONE_MATCH": st.sampled_from(["*", "W/*", "*, x"]) | wild | words,
        "HTTP_TRANSFER_ENCODING": st.just("chunked") | wild,
        "HTTP_CONTENT_ENCODING": st.sampled_from(["gzip", "deflate", "br", "identity"]),
        "HTTP_X_FORWARDED_HOST": wild,
    },
)


def requests(*others: tuple[str, str]) -> st.SearchStrategy[dict[str, Any]]:
    """Requests to the lane's addresses, and to these."""
    return st.builds(lambda where, one: {"where": where, **one}, st.sampled_from([*addresses.HOT, *others]), parts)


@pytest.fixture
def app(make_app):
    return make_app(limits={"api": ENDLESS, "api_refused": ENDLESS})


class Wire:
    """The application, asked as a server would: through the lane, or without it."""

    def __init__(self, lane: Any, secrets: Mapping[str, str]) -> None:
        self.lane, self.secrets = lane, secrets

    def environ(self, where: tuple[str, str], **request: Any) -> dict[str, Any]:
        """The environment of a drawn request, with the real secrets where it names them."""
        wanted = FORM if where[1] == addresses.INTROSPECT else "application/json"
        body = request.get("body", "")
        if isinstance(body, dict):
            request["body"] = urlencode(body) if wanted == FORM else json.dumps(body)
        if request.get("CONTENT_TYPE") is None:
            request["CONTENT_TYPE"] = wanted
        filled = {name: self._fill(value) if isinstance(value, str) else value for name, value in request.items()}
        body = filled.pop("body", "")
        raw = body if isinstance(body, bytes) else body.encode("latin-1", "replace")
        return wire.environ(*where, body=raw, **{name: value for name, value in filled.items() if value is not None})

    def _fill(self, text: str) -> str:
        for name, value in self.secrets.items():
            text = text.replace(name, value).replace(quote(name), quote(value)).replace(json.dumps(name)[1:-1], value)
        head, mark, rest = text.partition("\0basic ")
        packed, _, tail = rest.partition("\0")
        return f"{head}Basic {base64.b64encode(packed.encode()).decode()}{tail}" if mark else text


@pytest.fixture
def service(app, clock):
    """The running service, with a content service's key and a reader's token to fill in."""
    with app.app_context():
        _, key = service_keys.add("news", clock.now())
        token = subscribers.token(*subscribers.subscriber(clock.now()), clock.now())
    verification.of(app).snapshots.interval = 600.0
    middle = len(token) // 2
    forged = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    kid = token.partition("~")[0]
    head = base64.urlsafe_b64encode(f'{{"alg":"EdDSA","kid":"{kid}","typ":"at+jwt"}}'.encode()).rstrip(b"=").decode()
    return Wire(app.wsgi_app, {TOKEN: token, KEY: key, FORGED: forged, KID: kid, HEAD: head})


@pytest.fixture
def stranger(service):
    """The same without a good token: where one is drawn, one changed character stands in its place."""
    return Wire(service.lane, {**service.secrets, TOKEN: service.secrets[FORGED]})


def opens(told: wire.Told) -> bool:
    """Whether the answer lets a reader in, or gives a token."""
    if told.status == 204 or "X-Paywall-Subject" in told.headers:
        return True
    said = json.loads(told.body) if told.body and told.status == 200 else {}
    return bool(said.get("active") or said.get("allowed") or said.get("token") or said.get("sub"))


@fuzzed
@given(request=requests(("POST", RENEW), ("GET", KEYS)))
def test_without_a_good_token_nothing_opens_and_nothing_breaks(stranger, request):
    told = wire.ask(stranger.lane, stranger.environ(**request))
    assert told.status in (200, 304, 400, 401, 403, 413, 415, 422)
    assert not opens(told)
    if request["where"][1] == addresses.AUTHORIZE:
        assert told.status in (401, 403)  # a gateway takes anything else for a fault


@fuzzed
@given(request=requests())
def test_the_lane_and_the_view_say_the_same_and_no_answer_takes_long(service, request):
    """With good tokens and keys too, whatever stands around them."""
    asked = service.environ(**request)
    lane, view = (wire.ask(way, asked) for way in (service.lane, service.lane.otherwise))
    assert (lane.status, lane.body) == (view.status, view.body)
    assert told_apart(lane) == told_apart(view)
    assert least(service, request) < SLOW


def told_apart(told: wire.Told) -> dict[str, str]:
    """The headers but for what is left of the limits, which is one less each time."""
    return {name: value for name, value in told.headers.items() if name != "RateLimit"}


def test_the_worst_that_fits_breaks_nothing_and_takes_not_long(service):
    """Long, deep, many and huge, up to the limit of a body; the view and the lane agree on these too."""
    slow, torn = {}, {}
    for name, request in worst(TOKEN, KEY, KID, HEAD).items():
        asked = service.environ(**request)
        lane, view = (wire.ask(way, asked) for way in (service.lane, service.lane.otherwise))
        if (lane.status, lane.body, told_apart(lane)) != (view.status, view.body, told_apart(view)):
            torn[name] = lane, view
        assert lane.status in (200, 204, 304, 400, 401, 403, 413, 415, 422), name
        if (seconds := least(service, request)) >= SLOW:
            slow[name] = seconds
    assert not torn
    assert not slow


def least(service: Wire, request: Mapping[str, Any]) -> float:
    """The least seconds of work of up to three tries: what a busy machine adds is not counted."""
    asked = service.environ(**request)
    found = wire.ask(service.lane, asked).seconds
    for _ in range(2):
        if found >= SLOW:
            found = min(found, wire.ask(service.lane, asked).seconds)
    return found
