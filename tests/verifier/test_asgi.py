"""The ASGI integration, with Starlette, with FastAPI, and with the bare protocol."""

import asyncio
import threading

import pytest
from fastapi import FastAPI, Request
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from paywall.verifier.asgi import PaywallMiddleware, visit
from paywall.verifier.testing import FakePaywall

from .news import JOIN, Answer, Stories


async def article(request: Request) -> PlainTextResponse:
    here = visit(request.scope)
    decision = await here.decide("analyses")
    text = "allowed" if decision.allowed else f"{decision.reason} {here.offer().join_url}"
    own = {"Vary": "Accept-Encoding", "Set-Cookie": "own=1", "Cache-Control": "public"}
    return PlainTextResponse(text, headers=own)


async def twice(request: Request) -> PlainTextResponse:
    here = visit(request.scope)
    return PlainTextResponse(f"{(await here.decide('analyses')).allowed} {(await here.decide('memos')).allowed}")


async def free(request: Request) -> PlainTextResponse:
    return PlainTextResponse("free", headers={"Cache-Control": "public, max-age=60"})


PAGES = {"/article": article, "/twice": twice, "/free": free}


def starlette():
    return Starlette(routes=[Route(path, page) for path, page in PAGES.items()])


def fastapi():
    app = FastAPI()
    for path, page in PAGES.items():
        app.get(path)(page)
    return app


@pytest.fixture
def paywall():
    return FakePaywall()


def serve(app, path, headers):
    """One request over the bare protocol; the answer as it would go out."""
    path, _, query = path.partition("?")
    lines = [(name.encode(), value.encode("latin-1")) for name, value in {"host": "news.test", **headers}.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": lines,
        "server": ("news.test", 80),
        "client": ("127.0.0.1", 1),
    }
    got = Answer(0)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            got.status = message["status"]
            got.headers = [(name.decode(), value.decode("latin-1")) for name, value in message["headers"]]
        else:
            got.text += message.get("body", b"").decode()

    asyncio.run(app(scope, receive, send))
    return got


@pytest.fixture(params=[starlette, fastapi])
def ask(request, paywall):
    app = request.param()
    app.add_middleware(PaywallMiddleware, verifier=paywall.verifier(), join_url=JOIN, cookie_domain="news.test")
    return lambda path, **headers: serve(app, path, headers)


class TestAsgi(Stories):
    """In both frameworks."""


def test_what_needs_the_network_does_not_hold_up_the_event_loop(paywall):
    """A renewal waits until the loop has done something else meanwhile."""
    loop_went_on = threading.Event()
    answer = paywall._answer

    def slow(url, **arguments):
        assert loop_went_on.wait(5)
        return answer(url, **arguments)

    async def app(scope, receive, send):
        asking = asyncio.create_task(visit(scope).decide("analyses"))
        await asyncio.sleep(0.05)
        loop_went_on.set()
        allowed = (await asking).allowed
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(allowed).encode()})

    wrapped = PaywallMiddleware(app, paywall.verifier(transport=slow), JOIN)
    token = paywall.token("analyses", lives=-9)
    assert serve(wrapped, "/", {"cookie": f"paywall_token={token}"}).text == "True"


def test_a_good_token_is_decided_without_a_thread(paywall, monkeypatch):
    async def refuse(*args):
        raise AssertionError("a thread was used")

    monkeypatch.setattr(asyncio, "to_thread", refuse)
    app = starlette()
    app.add_middleware(PaywallMiddleware, verifier=paywall.verifier(), join_url=JOIN)
    token = paywall.token("analyses")
    assert serve(app, "/article", {"cookie": f"paywall_token={token}"}).text == "allowed"


def test_other_protocols_pass_through_untouched(paywall):
    seen = []

    async def app(scope, receive, send):
        seen.append(dict(scope))

    for kind in ("lifespan", "websocket"):
        asyncio.run(PaywallMiddleware(app, paywall.verifier(), JOIN)({"type": kind}, None, None))
    assert seen == [{"type": "lifespan"}, {"type": "websocket"}]
