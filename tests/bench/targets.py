"""What the bench of verification puts beside the service: a bare answer, and the service without its lane."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from paywall.access.lane import Lane
from wsgi import app


def bare(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The least that a server can be asked to do."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def _views() -> WSGIApplication:
    lane = app.wsgi_app
    if not isinstance(lane, Lane):
        raise TypeError("without trusted proxies the lane is the outermost part of the application")
    return lane.otherwise


views = _views()
