"""The hot lane: a WSGI callable in front of Flask that answers the addresses asked for every page of a content site."""

import time
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask
from werkzeug.sansio.utils import host_is_trusted

from paywall import limits, web
from paywall.access import afterwards
from paywall.access.again import Known, Memory, Recall
from paywall.access.answers import Answer, Handler, problem, settled
from paywall.access.asking import Asked
from paywall.errors import PaywallError
from paywall.later import LATER
from paywall.settings import Settings

log = structlog.get_logger("paywall.access")

_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_Way = tuple[str, str]


class Lane:
    """Answers a table of addresses without Flask's work on a request, and passes the rest to ``otherwise``.

    What Flask would see to is seen to here: the trusted names of the host, the headers of every answer, figures and
    log line. Requests that differ in anything from the table, as in their method, are Flask's.
    """

    def __init__(self, app: Flask, handlers: Mapping[_Way, Handler], recalled: Mapping[_Way, Recall]) -> None:
        """``handlers`` go by method and path; so do those that ``recalled`` finds answers for which stand."""
        settings: Settings = app.extensions["paywall"].settings
        self.otherwise: WSGIApplication = app.wsgi_app
        self._app = app
        self._handlers = handlers
        self._recalled = {way: (recall, Memory()) for way, recall in recalled.items()}
        self._standing = web.standing_headers(settings)
        self._afterwards = partial(afterwards.tell, app)
        trusted = app.config["TRUSTED_HOSTS"]
        self._is_ours = lru_cache(maxsize=256)(lambda host: host_is_trusted(host, trusted))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        way = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        handler = self._handlers.get(way)
        if handler is None or not self._is_ours(environ.get("HTTP_HOST", "")):
            return self.otherwise(environ, start_response)
        started = time.perf_counter()
        asked = Asked(self._app, environ)
        found = self._answer(way, handler, asked)
        told = limits.as_pairs(asked.told) if asked.told else []
        seconds = time.perf_counter() - started
        # one piece of news a request: a line and figures of its own cost as much as its answer
        LATER.add(self._afterwards, (found, asked.recalled_for, asked.now, seconds, time.time()))
        start_response(found.line, found.headers + told)
        return found.body

    def _answer(self, way: _Way, handler: Handler, asked: Asked) -> Known:
        recall, memory = self._recalled.get(way, (None, None))
        try:
            if recall is None or memory is None:
                return self._made(way, settled(handler, asked))
            if (known := recall(asked, memory)) is not None:
                return known
            known = self._made(way, settled(handler, asked), asked)
            if known.ground is not None:
                memory.keep(asked.question, known)
            return known
        except PaywallError as error:
            return self._made(way, problem(error))
        except Exception:  # here is the end of the way, as Flask's handler of the unexpected is for views
            log.exception("unexpected_error", endpoint=way[1])
            told = "Something went wrong on our side. Nothing was lost; try again in a minute."
            return self._made(way, problem(PaywallError(told)))

    def _made(self, way: _Way, found: Answer, asked: Asked | None = None) -> Known:
        """An answer with all its headers but those of limits."""
        method, path = way
        headers = {**self._standing, **found.headers}
        if found.status not in (204, 304):
            headers["Content-Length"] = str(len(found.body))
        body = [found.body] if found.body and method != "HEAD" else []
        line = _LINES[found.status]
        return Known(path, method, found.status, line, list(headers.items()), body, asked.ground if asked else None)
