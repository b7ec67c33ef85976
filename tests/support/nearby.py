"""A sandbox in the test's own process is asked without the network: the SDK's request goes into it as a call.

From the SDK's own HTTP library on, everything is as ever. Where the network is what the test is about (planned faults,
answers that are held back, a server that is gone) the request takes it.
"""

import contextvars
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from werkzeug.test import run_wsgi_app

from paywall.sandbox.server import SandboxServer
from tests.support.in_process import environ_of

_servers: dict[str, tuple[SandboxServer, Any]] = {}
_over_the_network = HTTPAdapter.send
_request = requests.Session.request


def install() -> None:
    """Lets requests look for a sandbox nearby before they take the network."""
    HTTPAdapter.send = _send  # type: ignore[method-assign]
    requests.Session.request = _without_proxies  # type: ignore[method-assign]


@contextmanager
def nearby(server: SandboxServer) -> Iterator[None]:
    """Within the block this sandbox is asked directly."""
    _servers[server.url] = server, server.server.app
    try:
        yield
    finally:
        del _servers[server.url]


def _without_proxies(session: requests.Session, method: str, url: str, *args: Any, **options: Any) -> requests.Response:
    """No proxy and no password file is looked for on the way to this very process."""
    session.trust_env = session.trust_env and _base(url) not in _servers
    return _request(session, method, url, *args, **options)


def _base(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])


def _send(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
    server, app = _servers.get(_base(str(request.url)), (None, None))
    if server is None or _network_matters(server, app):
        return _over_the_network(adapter, request, *args, **options)
    # a context of its own, as the server's thread has one
    return contextvars.Context().run(_answer, app, request)


def _network_matters(server: SandboxServer, app: Any) -> bool:
    return bool(server.sandbox.api.faults.planned) or server.server.app is not app or not server.thread.is_alive()


def _answer(app: Any, request: requests.PreparedRequest) -> requests.Response:
    environ = environ_of(str(request.method), str(request.url), request.headers, request.body)
    content, status, fields = run_wsgi_app(app, environ, buffered=True)
    response = requests.Response()
    response.status_code, response.reason = int(status[:3]), status[4:]
    response.headers.update(fields)
    response._content = b"".join(content)
    response._content_consumed = True  # type: ignore[attr-defined]
    response.raw = io.BytesIO(response._content)
    response.url, response.request = str(request.url), request
    return response
