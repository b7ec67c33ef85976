"""Where a reader is signed in, and signing out there: sessions end together with the tokens made from them."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from paywall import context
from paywall.domain.days import in_words, local_day
from paywall.errors import NotFound
from paywall.sessions import Current
from paywall.storage import addresses, readers, revocations
from paywall.storage import sessions as rows
from paywall.storage.database import db
from paywall.storage.models import Reader, ReaderSession

log = structlog.get_logger("paywall.accounts")

_UNNAMED = "A browser that we could not name"


@dataclass(frozen=True, slots=True)
class Device:
    """A signed-in browser in words. ``here`` marks the one that asks."""

    id: str
    name: str
    since: str
    seen: str
    here: bool


def of_reader(session: Current, now: datetime) -> list[Device]:
    """The browsers in which the session's reader is signed in: this one first, then the newest."""
    found = [_describe(row, session) for row in rows.live_of(session.reader.id, now)]
    return sorted(found, key=lambda one: not one.here)


def sign_out(reader: Reader, session_id: str, now: datetime) -> None:
    """Ends one session of the reader, and its tokens; one that has ended stays as it is.

    Raises NotFound for what is no session of the reader.
    """
    if not rows.is_of(session_id, reader.id):
        raise NotFound("There is no such device under your account. Reload the page to see those that there are.")
    addresses.end_open(reader.id, now)  # whoever holds that device may have asked for one
    if rows.end(session_id, now):
        revocations.of_session(session_id, "signed_out", now)
        log.info("device_signed_out", reader=reader.id, session=session_id)
    db.session.commit()


def sign_out_everywhere(reader: Reader, now: datetime) -> None:
    """Ends every session of the reader, refuses all tokens, and forgets a wished change of address.

    One transaction: nobody is let in by what was left out.
    """
    readers.lock_person(reader)  # first the reader, then wishes, sessions, the list: the order that all writers keep
    addresses.end_open(reader.id, now)
    rows.end_of(reader.id, now)
    revocations.of_reader(reader.id, "signed_out_everywhere", now)
    db.session.commit()
    log.info("signed_out_everywhere", reader=reader.id)


def _describe(row: ReaderSession, session: Current) -> Device:
    zone = context.settings().zone
    since = local_day(row.created_at, zone)
    return Device(
        id=row.id,
        name=row.label or _UNNAMED,
        since=in_words(since),
        seen=in_words(max(since, row.seen_on or since)),
        here=row.id == session.id,
    )
