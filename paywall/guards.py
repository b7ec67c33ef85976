"""Who may call: every blueprint declares one guard, and a test fails where one does not."""

import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import NamedTuple, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from paywall import colleagues, context, second_factor, sessions
from paywall.colleagues import Colleague, Missing
from paywall.domain.roles import Right
from paywall.errors import Forbidden, NotFound, Unauthorized
from paywall.phrases import Phrase
from paywall.second_factor import CodeRefused, CodesRest
from paywall.storage import service_keys
from paywall.storage.database import db
from paywall.storage.service_keys import Scope
from paywall.storage.use import Kind
from paywall.tokens import use

CODE_FIELD = "factor_code"  # in a form that was sent again, after its proof was too old

Check = Callable[[], Response | None]
Args = ParamSpec("Args")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Guard:
    """A rule about callers: its name for people, and the check that runs before each view (an answer refuses).

    ``right`` is what every view behind it needs; None where it is for others than staff.
    """

    name: str
    check: Check
    right: Right | None = None


class Need(NamedTuple):
    """What a view needs beyond its blueprint's guard; ``recent``: proved again a short time ago."""

    right: Right
    recent: bool


class OperatorUnknown(Unauthorized):
    """The token that the settings name was not sent."""

    code, title = "operator_unknown", "This address is for who runs the service"


DECLARED: dict[str, Guard] = {}


def protect(blueprint: Blueprint, guard: Guard) -> None:
    """Declares who may call the views of ``blueprint``."""
    DECLARED[blueprint.name] = guard
    blueprint.before_request(guard.check)
    if guard.right is not None:
        blueprint.after_request(_note_staff)


def staff(right: Right) -> Guard:
    """For pages that staff with this right may open; a view that needs more says so by ``needs``."""
    return Guard(f"staff: {right}", lambda: _staff(right), right)


def reporting() -> Guard:
    """For figures as data: staff, or a program whose service key has the scope ``reports``."""
    return Guard("staff or key: reports", _reporting, Right.REPORTS)


def needs(
    right: Right, *, recent: bool = False
) -> Callable[[Callable[Args, Answer]], Callable[Args, Answer | Response]]:
    """A decorator for views behind ``staff``: refuses who has not this right.

    With ``recent`` the view runs only for who proved a short time ago that it is them; others are asked to, first.
    """

    def decorate(view: Callable[Args, Answer]) -> Callable[Args, Answer | Response]:
        @wraps(view)
        def checked(*args: Args.args, **kwargs: Args.kwargs) -> Answer | Response:
            _require(right)
            refused = _prove() if recent else None
            return view(*args, **kwargs) if refused is None else refused

        checked.needs = Need(right, recent)  # type: ignore[attr-defined]
        return checked

    return decorate


def colleague() -> Colleague:
    """Who on the staff asks. Raises Forbidden where it is somebody else, or a program."""
    found = colleagues.current()
    if isinstance(found, Missing):
        raise Forbidden(_FOR_STAFF)
    return found


def may(right: str) -> bool:
    """Whether who asks has a right (its name, as templates write it); False for all others than staff.

    A program may read figures and nothing else, whoever is signed in where it runs.
    """
    if "by_key" in g:
        return right == Right.REPORTS
    found = colleagues.current()
    return not isinstance(found, Missing) and found.may(Right(right))


def _anyone() -> None:
    return None


def _reader() -> Response | None:
    session = sessions.current()
    if session is None:
        return redirect(url_for("accounts.sign_in", return_to=_here()), code=303)
    sessions.note_seen(session.id, session.seen_on, context.now())
    return None


_FOR_STAFF = "This page is for staff. Sign in with a staff address."


def _staff(right: Right) -> Response | None:
    found = colleagues.current()
    if found is Missing.SIGN_IN:
        return redirect(url_for("accounts.sign_in", return_to=_way_back()), code=303)
    if found is Missing.ROLE:
        raise Forbidden(_FOR_STAFF)
    if isinstance(found, Missing):
        return redirect(url_for("second_factor.show", return_to=_way_back()), code=303)
    _require(right)
    return None


def _entering() -> Response | None:
    """Signed in by mail with a role: whoever has to prove more does it behind this."""
    found = colleagues.entrant(context.now())
    if found is Missing.SIGN_IN:
        return redirect(url_for("accounts.sign_in", return_to=_way_back()), code=303)
    if isinstance(found, Missing):
        raise Forbidden(_FOR_STAFF)
    return None


def _reporting() -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        row = service_keys.find(key.strip(), Scope.REPORTS, context.now())
        if row is None:
            raise ReportsKeyRefused("This service key is unknown, was revoked, or is not for reports.")
        use.of_app().note(Kind.REPORTED, row.id, "", context.now())
        g.by_key = True
    elif isinstance(colleagues.current(), Missing):
        raise Unauthorized("Sign in as staff, or send a service key for reports as Authorization: Bearer pwk_...")
    else:
        _require(Right.REPORTS)


class ReportsKeyRefused(Unauthorized):
    """The service key opens no report."""

    code, title = "service_key_refused", "The service key is not valid"


def _require(right: Right) -> None:
    """Raises Forbidden where who asks has not the right; a program has the one to read figures."""
    if "by_key" in g:
        if right is not Right.REPORTS:
            raise Forbidden("This report names persons: no service key opens it.")
        return
    if not colleague().may(right):
        told = "Your role is %(role)s, and this is not part of it. Ask somebody with the role admin for it."
        raise Forbidden(Phrase(told, role=str(colleague().role)))


def _prove() -> Response | None:
    """None for who proved it a short time ago, or does by this form; else the page that asks for it.

    The page sends the form again with what was typed, to where it went.
    """
    now, who = context.now(), colleague()
    if who.is_recent(now):
        return None
    fault = None
    if request.method == "POST" and CODE_FIELD in request.form:
        try:
            prove_by_code(request.form[CODE_FIELD], now)
        except (CodeRefused, CodesRest) as error:
            fault = error
        else:
            return None
    typed = [pair for pair in request.form.items(multi=True) if pair[0] not in ("csrf_token", CODE_FIELD)]
    asks = {"by_code": second_factor.is_set_up(who.reader_id), "typed": typed, "field": CODE_FIELD, "fault": fault}
    return make_response(render_template("prove.html", back=_way_back(), **asks), fault.status if fault else 403)


def prove_by_code(text: str, now: datetime) -> None:
    """Takes a code of the second factor for this session, and commits. Raises CodeRefused and CodesRest."""
    session = sessions.current()
    if session is None:
        raise Unauthorized
    db.session.commit()  # what may have begun as a reader
    second_factor.check(session.reader.id, text, now)
    sessions.pass_factor(session, now)
    db.session.commit()


def _note_staff(response: Response) -> Response:
    """Keeps the rights of who uses them from resting; after the work, as that may have begun as a reader."""
    found = colleagues.current() if "colleague" in g else Missing.SIGN_IN
    session = sessions.current() if isinstance(found, Colleague) else None
    if session is not None:
        db.session.rollback()
        sessions.note_staff_seen(session, context.now())
    return response


def _way_back() -> str:
    """Where to go on afterwards: here; after a form, the page that it stands on."""
    if request.method in ("GET", "HEAD"):
        return _here()
    came = urlsplit(request.referrer or "")
    ours = f"{came.scheme}://{came.netloc}" == context.settings().web.base_url
    inside = ours and came.path.startswith("/admin/")
    return came.path + (f"?{came.query}" if came.query else "") if inside else "/admin/"


def _operator() -> None:
    rules = context.settings().metrics
    if rules.token is not None:
        sent = request.headers.get("Authorization", "").encode()
        if secrets.compare_digest(sent, f"Bearer {rules.token.get_secret_value()}".encode()):
            return
        raise OperatorUnknown
    if not (rules.loopback and _from_this_machine()):
        raise NotFound


def _from_this_machine() -> bool:
    """Whether a program on this machine asks for itself: what a proxy passes on says whom it came from."""
    if any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _here() -> str:
    return request.full_path.rstrip("?")


ANYONE = Guard("anyone", _anyone)
READER = Guard("reader", _reader)
ENTERING = Guard("staff at the door", _entering)
OPERATOR = Guard("operator", _operator)
# checked in the view itself, where the key is read with the rest of the request
SERVICE = Guard("content service", _anyone)
