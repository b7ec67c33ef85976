"""ASGI integration, for Starlette, FastAPI and others on asyncio: every request finds its visit in the scope."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Unpack
from urllib.parse import quote

from paywall.verifier.client import Verifier
from paywall.verifier.decision import Decision
from paywall.verifier.gate import Gate, GateSettings, Offer, Visit, replaced

KEY = "paywall.visit"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class AsyncVisit:
    """A visit that never holds up the event loop: what needs the network is done in a thread."""

    def __init__(self, inner: Visit) -> None:
        self.inner = inner

    async def decide(self, require: str | None = None) -> Decision:
        """May the reader read what belongs to the feature `require`? See `Visit.decide`."""
        decision = self.inner.glance(require)
        if decision is not None:
            return decision
        return await asyncio.to_thread(self.inner.decide, require)

    def offer(self, return_to: str | None = None) -> Offer:
        """Addresses to subscribe and to sign in, that come back to `return_to` (by default this page)."""
        return self.inner.offer(return_to)


class PaywallMiddleware:
    """Wraps an application, which asks `await visit(scope).decide(require="analyses")` where a page needs it.

    In Starlette and FastAPI: `app.add_middleware(PaywallMiddleware, verifier=verifier, join_url=...)`, and
    `visit(request.scope)` in the endpoint.
    """

    def __init__(self, app: App, verifier: Verifier, join_url: str, **settings: Unpack[GateSettings]) -> None:
        """For `settings` see `Gate`."""
        self._app = app
        self._gate = Gate(verifier, join_url, **settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Puts the visit in, and the headers of its decision into the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        cookies = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"cookie")
        here = Visit(self._gate, _url(scope, headers), headers.get("authorization", ""), cookies)
        scope[KEY] = AsyncVisit(here)

        async def finish(message: Message) -> None:
            if message["type"] == "http.response.start" and here.asked:
                texts = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
                message["headers"] = [
                    (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in replaced(texts, here)
                ]
            await send(message)

        await self._app(scope, receive, finish)


def visit(scope: Scope) -> AsyncVisit:
    """The visit of this request; KeyError where the middleware is missing."""
    found: AsyncVisit = scope[KEY]
    return found


def _url(scope: Scope, headers: dict[str, str]) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    address = f"{scope.get('scheme', 'http')}://{headers.get('host', 'localhost')}{quote(scope['path'])}"
    return f"{address}?{query}" if query else address
