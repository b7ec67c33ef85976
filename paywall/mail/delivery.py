"""Takes due letters out of the table, hands them over, and writes down what became of each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from paywall import context
from paywall.mail import sending, writing
from paywall.mail.messages import BadLetter, Letter
from paywall.mail.sending import NotSent
from paywall.storage import letters
from paywall.storage.database import begin_read, db
from paywall.storage.letters import WaitingLetter

log = structlog.get_logger("paywall.mail")

CLAIM = timedelta(minutes=5)  # longer than the slowest server takes over one letter; then another sender may try
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
PATIENCE = timedelta(days=1)  # then a letter is given up: nobody waits for it any more
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one round did: letters sent, and letters that failed and may wait for another try."""

    sent: int = 0
    failed: int = 0


def deliver() -> Delivered:
    """Tries every letter that is due, and stops at the first that no server takes: the others would wait as long.

    At least once each: a process that dies between handing over and writing it down repeats the letter.
    """
    sent = failed = 0
    begin_read()
    ids = letters.due(context.now(), _AT_ONCE)
    db.session.commit()
    for letter_id in ids:
        try:
            sent += _try(letter_id)
        except NotSent as error:
            failed += 1
            if not error.final:
                break
    return Delivered(sent, failed)


def pause(attempts: int) -> timedelta:
    """How long a letter waits after so many tries: twice as long each time, up to an hour."""
    return min(FIRST_PAUSE * (1 << min(attempts - 1, 10)), LONGEST_PAUSE)


def _try(letter_id: str) -> bool:
    now = context.now()
    row = letters.claim(letter_id, now, now + CLAIM)
    letter = _written(row, now) if row is not None else None
    db.session.commit()  # what follows may take long, and no lock may be held meanwhile
    if row is None or letter is None:
        return False
    try:
        sending.send(letter, now)
    except NotSent as error:
        _note_failure(row, error)
        raise
    letters.finish(row.id, "sent", context.now())
    db.session.commit()
    return True


def _written(row: WaitingLetter, now: datetime) -> Letter | None:
    try:
        letter = writing.write(row, now)
    except BadLetter as error:
        log.error("letter_given_up", letter=row.kind, id=row.id, why=str(error))
        letters.finish(row.id, "given_up", now)
        return None
    if letter is None:
        letters.finish(row.id, "void", now)
    return letter


def _note_failure(row: WaitingLetter, error: NotSent) -> None:
    now = context.now()
    if error.final or now - row.created_at >= PATIENCE:
        log.error("letter_given_up", letter=row.kind, id=row.id, why=error.why, attempts=row.attempts)
        letters.finish(row.id, "given_up", now)
    else:
        letters.postpone(row.id, now + pause(row.attempts), error.why)
    db.session.commit()
