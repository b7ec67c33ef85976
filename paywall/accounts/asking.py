"""Asking to sign in: the mail that goes out, and the browser that waits for it and may type its code."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from flask import session

from paywall.mail import codes, letterbox, links, postman
from paywall.storage import readers, sign_in_links
from paywall.storage.database import db
from paywall.storage.sign_in_links import Fate

log = structlog.get_logger("paywall.accounts")

_ASKED = "asked"  # in the browser's signed cookie: the row of its newest request


@dataclass(frozen=True, slots=True)
class Waiting:
    """A browser's request: the address as typed there, its way back, what became of it, codes it may still type."""

    id: str
    email: str
    return_to: str
    fate: Fate
    tries_left: int

    @property
    def open(self) -> bool:
        """Whether the mail that went out is good for signing in."""
        return self.fate is Fate.OPEN


def ask(email: str, return_to: str, now: datetime) -> None:
    """Mails a link and a code to the address, or that nobody subscribed under it. Raises BadEmail.

    Which of the two is decided when the letter is written out, beside the page: neither what is said here nor how
    long it takes can tell, because nobody has looked yet.
    """
    shown, normalised = readers.normalise(email)
    link_id = links.create(normalised, return_to, now, codes.TRIES)
    letterbox.post_sign_in(shown, link_id, now)
    db.session.commit()
    session[_ASKED] = link_id
    log.info("sign_in_asked", link=link_id)
    postman.call()


def waiting(now: datetime) -> Waiting | None:
    """What this browser asked for; None where it did not ask, or signed in since."""
    row = sign_in_links.get(str(session.get(_ASKED, "")))
    if row is None:
        return None
    left = row.tries_allowed - row.tries
    return Waiting(row.id, row.email_normalised, row.return_to or "", links.fate_of(row, now), left)
