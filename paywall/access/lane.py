"""The hot lane: a WSGI callable in front of Flask that answers the addresses asked for every page of a content site."""

import time
from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from http import HTTPStatus
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask
from werkzeug.sansio.utils import host_is_trusted

from paywall import done, limits, web
from paywall.access import afterwards
from paywall.access.afterwards import News
from paywall.access.again import Again, Known
from paywall.access.answers import Answer, Handler, problem, settled
from paywall.access.asking import TOLD, Asked
from paywall.access.grounds import Ground
from paywall.context import Surroundings
from paywall.errors import PaywallError
from paywall.later import Pile

log = structlog.get_logger("paywall.access")

_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
_Way = tuple[str, str]


class Lane:
    """Answers a table of addresses without Flask's work on a request, and passes the rest to ``otherwise``.

    What Flask would see to is seen to here: the trusted names of the host, the headers of every answer, figures and
    log line. Requests that differ in anything from the table, as in their method, are Flask's.
    """

    def __init__(self, app: Flask, handlers: Mapping[_Way, Handler], recalled: Mapping[_Way, type[Again]]) -> None:
        """``handlers`` go by method and path; so do those that know answers which still stand."""
        ours: Surroundings = app.extensions["paywall"]
        self.otherwise: WSGIApplication = app.wsgi_app
        self._app = app
        self._now = ours.clock.now
        self.recalled = {way: again(app) for way, again in recalled.items()}
        self._ways = {way: (handler, self.recalled.get(way)) for way, handler in handlers.items()}
        self._standing = web.standing_headers(ours.settings)
        # one piece of news a request: a line and figures of its own cost as much as its answer
        self._news: Pile[News] = Pile(partial(afterwards.tell, app))
        trusted = app.config["TRUSTED_HOSTS"]
        self._is_ours = lru_cache(maxsize=256)(lambda host: host_is_trusted(host, trusted))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers one request."""
        way = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        found = self._ways.get(way)
        if found is None or not self._is_ours(environ.get("HTTP_HOST", "")):
            return self.otherwise(environ, start_response)
        started = time.monotonic()
        handler, again = found
        now = self._now()
        try:
            recalled = again.find(environ, now, started) if again else None
        except Exception as error:  # is told of as the handler's own
            recalled, handler = None, _failing(error)
        if recalled:
            known, service, told = recalled
            use = known.ground.use if known.ground else None
        else:
            asked = Asked(self._app, environ, now)
            known = self._answer(way, handler, asked)
            if again and known.ground is not None:
                again.memory.keep(asked.question, known)
            service, use = asked.service.id if asked.service else "", asked.use
            told = environ.get(TOLD) or limits.as_pairs(asked.told)
        self._news.add((known.sort, time.monotonic() - started, time.time(), use, service, now))
        start_response(known.line, known.headers + told)
        return known.body

    def _answer(self, way: _Way, handler: Handler, asked: Asked) -> Known:
        try:
            return self._made(way, settled(handler, asked), asked.ground)
        except Exception:  # here is the end of the way, as Flask's handler of the unexpected is for views
            log.exception("unexpected_error", endpoint=way[1])
            told = "Something went wrong on our side. Nothing was lost; try again in a minute."
            return self._made(way, problem(PaywallError(told)))

    def _made(self, way: _Way, found: Answer, ground: Ground | None = None) -> Known:
        """An answer with all its headers but those of limits."""
        method, path = way
        headers = {**self._standing, **found.headers}
        if found.status not in (204, 304):
            headers["Content-Length"] = str(len(found.body))
        body = [found.body] if found.body and method != "HEAD" else []
        sort = done.sort_of(path, method, found.status)
        return Known(sort, _LINES[found.status], list(headers.items()), body, ground)


def _failing(error: Exception) -> Handler:
    def fail(_asked: Asked) -> Answer:
        raise error

    return fail
