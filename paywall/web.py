"""How answers leave: security headers, problem documents, friendly error pages, one log line a request."""

import json
import time
from collections.abc import Mapping

import structlog
from flask import Flask, Response, g, render_template, request
from flask.globals import request_ctx
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as AnyResponse

from paywall import done
from paywall.errors import PaywallError, Unavailable
from paywall.phrases import N_, Phrase
from paywall.settings import Settings

log = structlog.get_logger("paywall.web")

API_PREFIXES = ("/v1/", "/.well-known/", "/webhooks/", "/healthz", "/readyz", "/metrics", "/openapi")


def init_app(app: Flask, settings: Settings) -> None:
    """Puts headers, error answers and the request log on every answer of the application."""
    standing = standing_headers(settings)

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = done.new_request_id()
        if not request.path.isprintable():  # no page of ours; and a zero byte in an id is an error to PostgreSQL
            raise NotFound

    @app.after_request
    def finish(response: Response) -> Response:
        _harden(response, standing)
        _log(response)
        return response

    app.register_error_handler(PaywallError, answer)
    app.register_error_handler(CSRFError, _answer_csrf)
    app.register_error_handler(HTTPException, _answer_http)
    for gone in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(gone, _answer_database)
    app.register_error_handler(Exception, _answer_unexpected)


def problem_text(status: int, code: str, title: str, detail: str, **extra: str | int) -> str:
    """The text of a problem document (RFC 9457)."""
    body = {"type": f"about:blank#{code}", "title": title, "status": status, "detail": detail, "code": code, **extra}
    return json.dumps(body, sort_keys=True)


def problem(status: int, code: str, title: str, detail: str, **extra: str | int) -> Response:
    """A problem document that is never stored."""
    text = problem_text(status, code, title, detail, **extra)
    response = Response(text, status=status, content_type="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    return response


def wants_problem() -> bool:
    """Whether the caller is a program: an API address, or one that prefers JSON to a page."""
    if request.path.startswith(API_PREFIXES):
        return True
    preferred = request.accept_mimetypes.best_match(["text/html", "application/json", "application/problem+json"])
    return preferred not in (None, "text/html")


def answer(error: PaywallError) -> Response:
    """The answer to an error of our own family: a problem document or a page."""
    if wants_problem() or request_ctx.url_adapter is None:  # without one, as after a bad Host, no page can be made
        response = problem(error.status, error.code, error.title, error.message, **error.extra)
    else:
        page = render_template("error.html", status=error.status, title=error.title, message=error.message)
        response = Response(page, status=error.status)
        response.headers["Cache-Control"] = "no-store"
    if error.status == 401 and request.path.startswith(("/v1/", "/metrics")):
        response.headers.setdefault("WWW-Authenticate", 'Bearer realm="paywall"')
    if error.status in (429, 503):
        response.headers.setdefault("Retry-After", str(error.extra.get("retry_after", 30)))
    return response


class _Plain(PaywallError):
    """An HTTP error that the framework raised, in our clothes."""

    def __init__(self, status: int, code: str, title: str, message: str) -> None:
        super().__init__(message)
        self.__dict__.update(status=status, code=code, title=Phrase(title))


# for people; the code of a problem document stays the framework's name
_TITLES = {
    400: N_("That did not work"),
    404: N_("There is no such page"),
    405: N_("That does not work here"),
    429: N_("Too many tries"),
}
_MESSAGES = {
    400: N_("The request cannot be understood."),
    404: N_("There is no page at this address. Check the link, or go back to the article."),
    405: N_("This address does not take that method."),
    413: N_("The request is larger than this service accepts."),
    415: N_("The request's content type is not one that this address takes."),
    429: N_("Too many tries in a short time. Wait a minute, then try again."),
}


def _answer_http(error: HTTPException) -> Response:
    status = error.code or 500
    message = _MESSAGES.get(status, N_("The request failed. Try again in a minute."))
    title = _TITLES.get(status, error.name)
    response = answer(_Plain(status, error.name.lower().replace(" ", "_"), title, message))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _answer_csrf(error: CSRFError) -> Response:
    log.info("csrf_refused", endpoint=request.endpoint)
    message = N_("This form is too old, or cookies are switched off. Go back, reload the page and send it again.")
    return answer(_Plain(400, "csrf_failed", N_("The form could not be checked"), message))


def _answer_database(error: OperationalError | InterfaceError | PoolTimeout) -> Response:
    log.error("database_unavailable", kind=type(getattr(error, "orig", error)).__name__)
    return answer(Unavailable("Our records cannot be reached right now. Nothing was lost; try again in a minute."))


def _answer_unexpected(error: Exception) -> Response:
    log.exception("unexpected_error", endpoint=request.endpoint)
    return answer(PaywallError("Something went wrong on our side. Nothing was lost; try again in a minute."))


def _content_security_policy(settings: Settings) -> str:
    targets = dict.fromkeys(("'self'", *settings.web.form_origins, *settings.web.return_origins))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            # Chromium applies this to the redirect that answers a form too
            f"form-action {' '.join(targets)}",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def standing_headers(settings: Settings) -> dict[str, str]:
    """The headers of every answer, unless it says otherwise."""
    standing = {
        "Content-Security-Policy": _content_security_policy(settings),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "private, no-store",
    }
    if settings.web.cookie_secure:
        standing["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return standing


def secretive(response: AnyResponse) -> AnyResponse:
    """For a page whose own address holds a token, which must not be passed on; the form's check needs our origin."""
    response.headers["Referrer-Policy"] = "strict-origin"
    return response


def _harden(response: Response, standing: Mapping[str, str]) -> None:
    for name, value in standing.items():
        if name != "Cache-Control" or request.endpoint not in ("static", "bootstrap.static"):
            response.headers.setdefault(name, value)


def _log(response: Response) -> None:
    took = time.perf_counter() - g.started if "started" in g else 0.0
    route = request.url_rule.rule if request.url_rule else None
    done.at_once(route, request.method, response.status_code, took, g.get("request_id"))
