"""Who may call: every blueprint declares one guard, and a test fails where one does not."""

import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from paywall import context, sessions
from paywall.errors import Forbidden, NotFound, Unauthorized

Check = Callable[[], Response | None]


@dataclass(frozen=True)
class Guard:
    """A rule about callers: its name for people, and the check that runs before each view (an answer refuses)."""

    name: str
    check: Check


class OperatorUnknown(Unauthorized):
    """The token that the settings name was not sent."""

    code, title = "operator_unknown", "This address is for who runs the service"


DECLARED: dict[str, Guard] = {}


def protect(blueprint: Blueprint, guard: Guard) -> None:
    """Declares who may call the views of ``blueprint``."""
    DECLARED[blueprint.name] = guard
    blueprint.before_request(guard.check)


def _anyone() -> None:
    return None


def _reader() -> Response | None:
    session = sessions.current()
    if session is None:
        return redirect(url_for("accounts.sign_in", return_to=_here()), code=303)
    sessions.note_seen(session.id, session.seen_on, context.now())
    return None


def _staff() -> Response | None:
    session = sessions.current()
    if session is None:
        return redirect(url_for("accounts.sign_in", return_to=_here()), code=303)
    # a session that a payment opened has not proved its mailbox
    if session.reader.role != "staff" or session.method != "link":
        raise Forbidden("This page is for staff. Sign in with a staff address.")
    sessions.note_seen(session.id, session.seen_on, context.now())
    return None


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
STAFF = Guard("staff", _staff)
OPERATOR = Guard("operator", _operator)
# checked in the view itself, where the key is read with the rest of the request
SERVICE = Guard("content service", _anyone)
