"""Signs a browser in and out: a row for each session, an opaque cookie that finds it, the access token beside it."""

import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import structlog
from flask import after_this_request, g, request
from sqlalchemy.exc import OperationalError
from werkzeug.wrappers import Response

from paywall import browsers, context
from paywall.domain.days import local_day
from paywall.storage import revocations
from paywall.storage import sessions as rows
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import Reader
from paywall.tokens import issuer

log = structlog.get_logger("paywall.sessions")

SESSION_COOKIE = "paywall_sid"
TOKEN_COOKIE = "paywall_token"  # noqa: S105  (a cookie's name)
TOKEN_COOKIE_DAYS = 400
FRESH = timedelta(hours=1)  # so long after a mailbox was proved may an account be taken elsewhere, or away


@dataclass(frozen=True)
class Current:
    """The session of this request."""

    id: str
    reader: Reader
    method: str
    signed_in_at: datetime
    seen_on: date | None = None
    staff_seen_at: datetime | None = None
    factor_passed_at: datetime | None = None

    def is_fresh(self, now: datetime) -> bool:
        """Whether the reader has proved the mailbox in this browser a short time ago."""
        return self.method == "link" and now - self.signed_in_at < FRESH


def checkout_cookie() -> str:
    """The name of the cookie that binds a browser to its checkout: over https one that no other host can set."""
    return "__Host-paywall_checkout" if context.settings().web.cookie_secure else "paywall_checkout"


def current() -> Current | None:
    """The live session that the request's cookie names, or None. Asked once a request."""
    if "reader_session" not in g:
        g.reader_session = _find()
    found: Current | None = g.reader_session
    return found


def sign_in(response: Response, reader_id: str, method: str, now: datetime) -> str:
    """Opens a session for the reader, ends the browser's old one, sets both cookies. Returns the session's id.

    ``method`` says what was proved: ``checkout`` (paid in this browser) or ``link`` (owns the mailbox).
    """
    _end_current("replaced", now)
    secret = secrets.token_urlsafe(32)
    life = timedelta(days=context.settings().web.session_days)
    label, today = browsers.name_of(request.headers.get("User-Agent", "")), local_day(now, context.settings().zone)
    session_id = rows.create(reader_id, sha256_hex(secret), method, now, now + life, label, today)
    _set(response, SESSION_COOKIE, secret, life, shared=False)
    if not set_token(response, reader_id, session_id, now) and TOKEN_COOKIE in request.cookies:
        # what is there belongs to whoever was signed in before
        response.delete_cookie(TOKEN_COOKIE, path="/", domain=context.settings().web.cookie_domain)
    return session_id


def sign_out(response: Response, now: datetime) -> None:
    """Ends the browser's session, refuses its tokens from now on, clears both cookies."""
    _end_current("signed_out", now)
    clear(response)


def clear(response: Response) -> None:
    """Lets the browser forget who was signed in; the session's end is the caller's."""
    g.pop("reader_session", None)
    web = context.settings().web
    response.delete_cookie(SESSION_COOKIE, path="/")
    response.delete_cookie(checkout_cookie(), path="/", secure=web.cookie_secure)  # going back must not sign in again
    response.delete_cookie(TOKEN_COOKIE, path="/", domain=web.cookie_domain)


def set_token(response: Response, reader_id: str, session_id: str, now: datetime) -> bool:
    """Sets the access token's cookie if the reader has access, and says so.

    The cookie outlives the token, so that a content service can renew it.
    """
    issued = issuer.issue(reader_id, session_id, now)
    if issued is not None:
        _set(response, TOKEN_COOKIE, issued.token, timedelta(days=TOKEN_COOKIE_DAYS), shared=True)
    return issued is not None


def pass_factor(session: Current, now: datetime) -> None:
    """Notes that the second factor was passed, and gives the browser's session another secret.

    Whoever planted or saw the cookie of before has nothing of what was proved. Commits nothing; the cookie goes out
    with the answer of this request.
    """
    secret = secrets.token_urlsafe(32)
    rows.pass_factor(session.id, sha256_hex(secret), now)
    g.reader_session = replace(session, staff_seen_at=now, factor_passed_at=now)
    g.pop("colleague", None)

    @after_this_request
    def hand_out(response: Response) -> Response:
        _set(response, SESSION_COOKIE, secret, timedelta(days=context.settings().web.session_days), shared=False)
        return response


def note_seen(session_id: str, seen_on: date | None, now: datetime) -> None:
    """Notes that a session is in use: its day, once a day, in a transaction of its own.

    Commits what is open first, as one that began as a reader cannot write: to be called before or after the work.
    """
    today = local_day(now, context.settings().zone)
    if seen_on is None or seen_on < today:
        db.session.commit()
        try:
            rows.seen(session_id, today)
            db.session.commit()
        except OperationalError:  # a database that can only be read: nobody is refused for that
            db.session.rollback()
            log.warning("session_use_not_noted", session=session_id)


def note_staff_seen(session: Current, now: datetime) -> None:
    """Notes that somebody on the staff is at work, once a minute, in a transaction of its own; and the day.

    To be called where no transaction is open.
    """
    if session.staff_seen_at is None or now - session.staff_seen_at >= timedelta(minutes=1):
        try:
            rows.staff_seen(session.id, now)
            db.session.commit()
        except OperationalError:  # a database that can only be read: nobody is refused for that
            db.session.rollback()
            log.warning("session_use_not_noted", session=session.id)
    note_seen(session.id, session.seen_on, now)


def _end_current(cause: str, now: datetime) -> None:
    """Ends the browser's session, if it has one, and takes its tokens back."""
    session = current()
    if session is not None:
        rows.end(session.id, now)
        revocations.of_session(session.id, cause, now)
    g.pop("reader_session", None)


def _find() -> Current | None:
    secret = request.cookies.get(SESSION_COOKIE)
    if not secret or len(secret) > 100:
        return None
    found = rows.find_live(sha256_hex(secret), context.now())
    if found is None:
        return None
    row, reader = found
    staff = {"staff_seen_at": row.staff_seen_at, "factor_passed_at": row.factor_passed_at}
    return Current(row.id, reader, row.method, row.created_at, row.seen_on, **staff)


def _set(response: Response, name: str, value: str, life: timedelta, *, shared: bool) -> None:
    web = context.settings().web
    response.set_cookie(
        name,
        value,
        max_age=life,
        path="/",
        domain=web.cookie_domain if shared else None,
        secure=web.cookie_secure,
        httponly=True,
        samesite="Lax",
    )
