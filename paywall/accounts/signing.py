"""The story of signing in: a link is asked for, looked at, and used once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from flask import redirect, session
from werkzeug.wrappers import Response

from paywall import context, sessions
from paywall.accounts import destination
from paywall.mail import letterbox, links, postman
from paywall.storage import entitlements, readers
from paywall.storage import sessions as session_rows
from paywall.storage.database import db

log = structlog.get_logger("paywall.accounts")


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the page behind a mailed link shows: for whom it is, with most of the address left out."""

    masked: str


def ask(email: str, return_to: str, now: datetime) -> None:
    """Mails a link to the address, or that nobody subscribed under it; nobody can tell which. Raises BadEmail."""
    shown, normalised = readers.normalise(email)
    reader = readers.to_sign_in(normalised, _may_read(now))
    if reader is None or reader.email is None:
        letterbox.post_no_subscription(shown, now)
    else:
        # to the address on record: what was typed may only look like it
        letterbox.post_sign_in(reader.email, links.create(normalised, return_to, now), now)
    db.session.commit()
    log.info("sign_in_asked", reader=reader and reader.id)
    postman.call()


def look(token: str, now: datetime) -> Invitation:
    """What to show before the link is used; changes nothing, so that mail scanners may come by. Raises LinkRefused."""
    return Invitation(mask(links.look(token, now).email_normalised))


def enter(token: str, now: datetime) -> Response:
    """Uses the link up and signs its owner in: one transaction. Answers with the way on. Raises LinkRefused."""
    link = links.use(token, now)
    found = readers.to_sign_in(link.email_normalised, _may_read(now))
    if found is None:
        log.info("sign_in_refused", link=link.id, reason="nobody")
        raise links.LinkInvalid
    reader = readers.prove_address(found, now)
    way_on = destination.checked_again(link.return_to, context.settings().web, destination.AFTER_SIGN_IN)
    response = redirect(way_on, code=303)
    session.clear()  # forms from before signing in are void
    if reader.role is not None:
        session_rows.end_unproved(reader.id, now)
    session_id = sessions.sign_in(response, reader.id, "link", now)
    db.session.commit()
    log.info("signed_in", reader=reader.id, session=session_id, method="link")
    return response


def renew(return_to: str, now: datetime) -> Response:
    """Back to ``return_to`` with a new token where the browser's reader has access; else on to the offer."""
    current = sessions.current()
    response = redirect(return_to, code=303)
    if current is None or not sessions.set_token(response, current.reader.id, current.id, now):
        return redirect(destination.join_path(next(iter(context.settings().plans)), return_to), code=303)
    log.info("token_renewed_in_browser", reader=current.reader.id, session=current.id)
    return response


def leave(return_to: str, now: datetime) -> Response:
    """Signs the browser out and answers with the way on; harmless for one that is not signed in."""
    response = redirect(return_to, code=303)
    session.clear()
    sessions.sign_out(response, now)
    db.session.commit()
    return response


def _may_read(now: datetime) -> Callable[[str], bool]:
    plans = context.settings().plans
    return lambda reader_id: entitlements.access_of(reader_id, plans, now).allowed


def mask(address: str) -> str:
    """An address that its owner recognises and nobody else can use: ``a•••@example.org``."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}•••@{domain}"
