"""Who asks as staff: the role behind the session, how long it lasts, and when it was proved last."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask import g

from paywall import context, second_factor, sessions
from paywall.domain import roles
from paywall.domain.roles import Right, Role
from paywall.sessions import Current


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody on the staff, in this request. ``proved_at``: when they last showed that it is them."""

    reader_id: str
    role: Role
    session_id: str
    proved_at: datetime

    def may(self, right: Right) -> bool:
        """Whether their role gives this right."""
        return roles.may(self.role, right)

    def is_recent(self, now: datetime) -> bool:
        """Whether they proved it a short time ago (``staff.recent_minutes``)."""
        return now - self.proved_at < timedelta(minutes=context.settings().staff.recent_minutes)


class Missing(StrEnum):
    """What stands between a browser and the pages for staff."""

    SIGN_IN = "sign_in"  # nobody is signed in, or staff for too long
    ROLE = "role"  # a reader, or one who proved no mailbox
    SET_UP = "set_up"  # a second factor, which the settings require
    CODE = "code"  # of the second factor, in this session


@dataclass(frozen=True, slots=True)
class Entrant:
    """Somebody on the staff who signed in by mail, whatever else is missing."""

    session: Current
    role: Role
    has_factor: bool

    def is_fresh(self, now: datetime) -> bool:
        """Whether they signed in a short time ago (``staff.recent_minutes``)."""
        return now - self.session.signed_in_at < timedelta(minutes=context.settings().staff.recent_minutes)


def current() -> Colleague | Missing:
    """Who asks, or what is missing. Looked up once a request."""
    if "colleague" not in g:
        g.colleague = _find(context.now())
    found: Colleague | Missing = g.colleague
    return found


def entrant(now: datetime) -> Entrant | Missing:
    """Who asks, whether or not they have passed the second factor."""
    session = sessions.current()
    if session is None:
        return Missing.SIGN_IN
    role = roles.role_of(session.reader.role)
    # a session that a payment opened has not proved its mailbox
    if role is None or session.method != "link":
        return Missing.ROLE
    if now - session.signed_in_at >= timedelta(hours=context.settings().staff.session_hours):
        return Missing.SIGN_IN
    return Entrant(session, role, second_factor.is_set_up(session.reader.id))


def _find(now: datetime) -> Colleague | Missing:
    found = entrant(now)
    if isinstance(found, Missing):
        return found
    rules, session = context.settings().staff, found.session
    idle = now - (session.staff_seen_at or session.signed_in_at) >= timedelta(minutes=rules.idle_minutes)
    if found.has_factor:
        passed = session.factor_passed_at
        return Missing.CODE if passed is None or idle else Colleague(session.reader.id, found.role, session.id, passed)
    if idle:
        return Missing.SIGN_IN
    if rules.second_factor == "required":
        return Missing.SET_UP
    return Colleague(session.reader.id, found.role, session.id, session.signed_in_at)
