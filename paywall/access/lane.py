"""The hot lane: a WSGI callable in front of Flask that answers the addresses asked for every page of a content site."""

import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask
from werkzeug.sansio.utils import host_is_trusted

from paywall import done, web
from paywall.access.answers import Answer, Handler, answer, problem
from paywall.access.asking import Asked
from paywall.errors import PaywallError
from paywall.settings import Settings

log = structlog.get_logger("paywall.access")

_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Lane:
    """Answers a table of addresses without Flask's work on a request, and passes the rest to ``otherwise``.

    What Flask would see to is seen to here: the trusted names of the host, the headers of every answer, figures and
    log line. Requests that differ in anything from the table, as in their method, are Flask's.
    """

    def __init__(self, app: Flask, handlers: Mapping[tuple[str, str], Handler]) -> None:
        """``handlers`` go by method and path."""
        settings: Settings = app.extensions["paywall"].settings
        self.otherwise: WSGIApplication = app.wsgi_app
        self._app = app
        self._handlers = handlers
        self._standing = web.standing_headers(settings)
        trusted = app.config["TRUSTED_HOSTS"]
        self._is_ours = lru_cache(maxsize=256)(lambda host: host_is_trusted(host, trusted))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        handler = self._handlers.get((method, path))
        if handler is None or not self._is_ours(environ.get("HTTP_HOST", "")):
            return self.otherwise(environ, start_response)
        started = time.perf_counter()
        found = self._answer(handler, environ, path)
        headers = {**self._standing, **found.headers}
        if found.status not in (204, 304):
            headers["Content-Length"] = str(len(found.body))
        done.soon(path, method, found.status, time.perf_counter() - started)
        start_response(_LINES[found.status], list(headers.items()))
        return [found.body] if found.body and method != "HEAD" else []

    def _answer(self, handler: Handler, environ: WSGIEnvironment, path: str) -> Answer:
        try:
            return answer(handler, Asked(self._app, environ))
        except Exception:  # here is the end of the way, as Flask's handler of the unexpected is for views
            log.exception("unexpected_error", endpoint=path)
            return problem(PaywallError("Something went wrong on our side. Nothing was lost; try again in a minute."))
