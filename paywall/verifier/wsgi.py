"""WSGI integration (PEP 3333): every request finds its visit in the environ."""

from collections.abc import Callable, Iterable
from typing import Any, Unpack
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import request_uri

from paywall.verifier.client import Verifier
from paywall.verifier.gate import Gate, GateSettings, Visit, replaced

KEY = "paywall.visit"


class PaywallMiddleware:
    """Wraps an application, which asks `visit(environ).decide(require="analyses")` where a page needs it."""

    def __init__(
        self, app: WSGIApplication, verifier: Verifier, join_url: str, **settings: Unpack[GateSettings]
    ) -> None:
        """For `settings` see `Gate`."""
        self._app = app
        self._gate = Gate(verifier, join_url, **settings)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Puts the visit in, and the headers of its decision into the answer."""
        cookies = environ.get("HTTP_COOKIE", "")
        here = Visit(self._gate, request_uri(environ), environ.get("HTTP_AUTHORIZATION", ""), cookies)
        environ[KEY] = here

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            return start_response(status, replaced(headers, here), exc_info)

        return self._app(environ, start)


def visit(environ: WSGIEnvironment) -> Visit:
    """The visit of this request; KeyError where the middleware is missing."""
    found: Visit = environ[KEY]
    return found
