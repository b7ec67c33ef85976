"""The story of signing in: a mailed link is looked at, and it or its code used once."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from flask import redirect, session
from werkzeug.wrappers import Response

from paywall import context, sessions
from paywall.accounts import destination
from paywall.billing import moving
from paywall.errors import PaywallError
from paywall.mail import codes, links
from paywall.phrases import Phrase
from paywall.storage import sessions as session_rows
from paywall.storage import sign_in_links
from paywall.storage.database import db
from paywall.storage.models import Reader, SignInLink

log = structlog.get_logger("paywall.accounts")


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the page behind a mailed link shows: for whom it is, with most of the address left out."""

    masked: str


_TRIES = {0: Phrase("No more tries are left: use the link"), 1: Phrase("You have one more try")}


class CodeRefused(PaywallError):
    """A code that signs nobody in; ``message`` says what to do."""


class CodeUnreadable(CodeRefused):
    """Not six digits, so nothing was tried."""

    code, status, title = "code_unreadable", 400, "That is not a code"

    def __init__(self) -> None:
        super().__init__("The code has six digits, such as 123 456. Type it as it stands in the mail.")


class CodeWrong(CodeRefused):
    """Six digits, but not those of the newest mail."""

    code, status, title = "code_wrong", 400, "That is not the code"

    def __init__(self, left: int) -> None:
        tries = _TRIES.get(left, Phrase("%(number)s tries are left", number=left))
        super().__init__(Phrase("That is not the code of our newest mail to you. %(tries)s.", tries=tries))


class CodeSpent(CodeRefused):
    """Typed wrongly too often, or its request is over."""

    code, status, title = "code_spent", 410, "This code does not work any more"

    def __init__(self) -> None:
        super().__init__("This code does not work any more. Use the link in the mail, or ask for a new mail.")


def look(token: str, now: datetime) -> Invitation:
    """What to show before the link is used; changes nothing, so that mail scanners may come by. Raises LinkRefused."""
    return Invitation(mask(links.look(token, now).email_normalised))


def enter(token: str, now: datetime) -> Response:
    """Uses the link up and signs its owner in: one transaction. Answers with the way on. Raises LinkRefused."""
    row = links.use(token, now)
    found = links.owner(row, now)
    if found is None:
        log.info("sign_in_refused", link=row.id, reason="nobody")
        raise links.LinkInvalid
    return _let_in(row, found, "link", now)


def enter_by_code(link_id: str, text: str, now: datetime) -> Response:
    """The same by the code beside the link of the browser's own request. Raises CodeRefused.

    The code of an address that nobody subscribed under was mailed to nobody; whoever guesses it is told that it is
    wrong.
    """
    digits = codes.typed(text)
    if digits is None:
        raise CodeUnreadable
    row = sign_in_links.count_try(link_id, now)
    if row is None:
        raise CodeSpent
    found = links.owner(row, now) if codes.fits(row.id, digits) else None
    if found is None:
        db.session.commit()  # the try counts
        left = row.tries_allowed - row.tries
        log.info("code_refused", link=row.id, tries_left=left)
        raise CodeWrong(left)
    sign_in_links.use(row.id, now)
    return _let_in(row, found, "code", now)


def _let_in(row: SignInLink, found: Reader, means: str, now: datetime) -> Response:
    reader = moving.prove(found, now)
    way_on = destination.checked_again(row.return_to, context.settings().web, destination.AFTER_SIGN_IN)
    response = redirect(way_on, code=303)
    session.clear()  # forms from before signing in are void
    if reader.role is not None:
        session_rows.end_unproved(reader.id, now)
    # the mailbox is proved by either
    session_id = sessions.sign_in(response, reader.id, "link", now)
    db.session.commit()
    log.info("signed_in", reader=reader.id, session=session_id, means=means)
    return response


def renew(return_to: str, now: datetime) -> Response:
    """Back to ``return_to`` with a new token where the browser's reader has access; else on to the offer."""
    current = sessions.current()
    response = redirect(return_to, code=303)
    if current is None or not sessions.set_token(response, current.reader.id, current.id, now):
        return redirect(destination.join_path(next(iter(context.settings().plans)), return_to), code=303)
    log.info("token_renewed_in_browser", reader=current.reader.id, session=current.id)
    sessions.note_seen(current.id, current.seen_on, now)
    return response


def leave(return_to: str, now: datetime) -> Response:
    """Signs the browser out and answers with the way on; harmless for one that is not signed in."""
    response = redirect(return_to, code=303)
    session.clear()
    sessions.sign_out(response, now)
    db.session.commit()
    return response


def mask(address: str) -> str:
    """An address that its owner recognises and nobody else can use: ``a•••@example.org``."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1] if len(local) > 1 else ''}•••@{domain}"
