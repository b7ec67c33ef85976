"""Who asks as staff: the role behind the session, how long it lasts, and when it was proved last."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from flask import g

from paywall import context, sessions
from paywall.domain import roles
from paywall.domain.roles import Right, Role


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


def current() -> Colleague | Missing:
    """Who asks, or what is missing. Looked up once a request."""
    if "colleague" not in g:
        g.colleague = _find(context.now())
    found: Colleague | Missing = g.colleague
    return found


def _find(now: datetime) -> Colleague | Missing:
    session = sessions.current()
    if session is None:
        return Missing.SIGN_IN
    role = roles.role_of(session.reader.role)
    # a session that a payment opened has not proved its mailbox
    if role is None or session.method != "link":
        return Missing.ROLE
    rules = context.settings().staff
    seen = max(session.staff_seen_at or session.signed_in_at, session.signed_in_at)
    idle = now - seen >= timedelta(minutes=rules.idle_minutes)
    if idle or now - session.signed_in_at >= timedelta(hours=rules.session_hours):
        return Missing.SIGN_IN
    return Colleague(session.reader.id, role, session.id, session.signed_in_at)
