"""How any action is done: shown, done once however often it is sent, and noted with who and why."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from paywall.billing.errors import StripeNotFound, StripeRefused, StripeUnavailable
from paywall.billing.sync import Busy
from paywall.caring import bounds, limits
from paywall.caring.reading import Reading
from paywall.caring.shapes import (
    Action,
    BadField,
    CannotAct,
    Desk,
    Done,
    Given,
    NotAnswered,
    Occupied,
    Preview,
    Step,
    Who,
)
from paywall.domain.roles import Right
from paywall.errors import Conflict, PaywallError
from paywall.mail import postman
from paywall.storage import aliases, leases, readers, staff_actions
from paywall.storage.database import begin_read, db, new_id
from paywall.storage.hashing import sha256_hex
from paywall.storage.models import Reader
from paywall.storage.staff_actions import LONGEST_REASON, StaffAction

log = structlog.get_logger("paywall.desk")

SHORTEST_REASON = 10
# control characters, halves of surrogate pairs, and what turns the direction of writing
_UNFIT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PATIENCE_SECONDS = 1.5
_PAUSE_SECONDS = 0.05


class Changed(Conflict):
    """Since it was shown, something has changed; ``preview`` is how it is now."""

    code, title = "facts_changed", "Something has changed meanwhile"

    def __init__(self, preview: Preview) -> None:
        super().__init__("Something has changed since this was shown. Look at it again, then confirm.")
        self.preview = preview


class DoneBefore(Conflict):
    """This very action was done, or refused, before."""

    code, title = "done_before", "This was done before"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody confirms: the action's id, what was typed, and the seal of what was shown."""

    action_id: str
    reason: str
    given: Given
    seal: str


def reason_of(text: str) -> str:
    """A reason, its white space tidied. Raises BadField."""
    tidy = re.sub(r"\s+", " ", _UNFIT.sub("", text)).strip()
    if not SHORTEST_REASON <= len(tidy) <= LONGEST_REASON:
        raise BadField("reason", f"Say why, in {SHORTEST_REASON} to {LONGEST_REASON} letters, for whoever asks later.")
    return tidy


def reader_of(who: Who, reader_id: str) -> Reader:
    """The reader to act on.

    Raises CannotAct for one who is erased, or is being erased; SomebodyElse for one on whom ``who`` may not act.
    """
    found = aliases.current(reader_id)
    if found is None:
        raise CannotAct("No reader has this id. Search for the reader again.")
    check(who, Reading(found))
    return found


def check(who: Who, of: Reading) -> None:
    """The same for a reader who is known. Raises CannotAct and SomebodyElse."""
    if of.erased:
        raise CannotAct("This reader is erased: nothing can be done for this number any more.")
    bounds.check(who, of.reader)


def look(desk: Desk, action: Action, reader_id: str, given: Given) -> Preview:
    """What an action would come to. Raises BadField, CannotAct, NotAnswered."""
    begin_read()
    try:
        return _in_words(desk, action, reader_of(desk.who, reader_id), given)
    finally:
        db.session.commit()  # nothing was written; and what was read stays readable


def seal_of(preview: Preview) -> str:
    """A short name of what was shown; another one as soon as anything in it is different."""
    return sha256_hex(json.dumps(preview.facts, sort_keys=True))[:32]


def carry_out(desk: Desk, action: Action, reader_id: str, wish: Wish) -> Done:
    """Does it once, and notes it. Sent again after Stripe had not answered, it goes on where it was.

    Raises Changed with how things are now, DoneBefore, CannotAct, NotAnswered, Occupied.
    """
    with _alone(desk, reader_id):
        begin_read()
        known = staff_actions.get(wish.action_id)
        db.session.commit()
        if known is not None:
            return _again(desk, action, reader_id, known)
        preview = look(desk, action, reader_id, wish.given)
        if seal_of(preview) != wish.seal:
            raise Changed(preview)
        step = Step(wish.action_id, preview.thing, preview.before, dict(preview.after), wish.given)
        # looked at once more when nobody else can change it: the reader may have erased the account meanwhile
        reader = reader_of(desk.who, aliases.lock(reader_of(desk.who, reader_id)).id)
        _note(desk, action, reader, step, reason_of(wish.reason))
        if preview.asks:
            db.session.commit()  # Stripe is asked next; whoever finds the row can go on
        return _do(desk, action, reader, step)


def waiting(of: Reading) -> list[StaffAction]:
    """What can be gone on with about a reader, or one who was joined to it: Stripe's answer is not known."""
    if of.erased:
        return []  # the worker goes on with an erasure, and nothing else is done any more
    return staff_actions.begun(of.ids)


def finish(desk: Desk, action: Action, reader_id: str, action_id: str) -> Done:
    """Goes on with an action of which Stripe's answer is not known. Raises as ``carry_out`` does."""
    with _alone(desk, reader_id):
        begin_read()
        known = staff_actions.get(action_id) if action_id.isprintable() else None  # PostgreSQL takes no NUL in a text
        db.session.commit()
        if known is None:
            raise CannotAct("There is no such action. Look at the reader's page.")
        return _again(desk, action, reader_id, known)


def _again(desk: Desk, action: Action, reader_id: str, known: StaffAction) -> Done:
    begin_read()
    reader, subject_id = reader_of(desk.who, reader_id), aliases.current_id(known.subject_id or "")
    db.session.commit()  # Stripe is asked next
    if (known.action, subject_id) != (action.name, reader.id):
        raise CannotAct("This form belongs to another action. Begin again at the reader's page.")
    if known.state == staff_actions.DONE:
        raise DoneBefore("This was done before, once. Look at the reader's page.")
    if known.state == staff_actions.REFUSED:
        raise DoneBefore("This was refused before. Begin again at the reader's page.")
    if action.right is Right.REFUND:
        limits.check_again(desk, known)
    return _do(desk, action, reader, Step(known.id, known.thing, known.before, dict(known.after)))


def _do(desk: Desk, action: Action, reader: Reader, step: Step) -> Done:
    ids = {"action": action.name, "id": step.action_id, "reader": reader.id, "staff": desk.who.staff_id}
    try:
        done = action.do(desk, reader, step)
    except (StripeUnavailable, Busy) as error:
        db.session.rollback()
        log.warning("staff_action_waits", **ids)
        raise NotAnswered from error
    except PaywallError as error:
        db.session.rollback()
        code = getattr(error, "stripe_code", None) or error.code
        staff_actions.settle(step.action_id, "refused", outcome=code)
        db.session.commit()
        log.warning("staff_action_refused", code=code, **ids)
        raise _refusal(error) from error
    staff_actions.settle(step.action_id, "done", after=step.after)
    db.session.commit()
    postman.call()  # some post a letter
    log.info("staff_action_done", thing=step.thing, **ids)
    return done


def _note(desk: Desk, action: Action, reader: Reader, step: Step, reason: str) -> None:
    made = staff_actions.note(
        staff_id=desk.who.staff_id,
        role=desk.who.role,
        action=action.name,
        subject_id=reader.id,
        thing=step.thing,
        reason=reason,
        before=step.before,
        after=step.after,
        state="begun",
        action_id=step.action_id,
        now=desk.now,
    )
    if made is None:
        raise Occupied


def _in_words(desk: Desk, action: Action, reader: Reader, given: Given) -> Preview:
    try:
        return action.look(desk, reader, given)
    except (StripeUnavailable, Busy) as error:
        raise NotAnswered from error
    except (StripeRefused, StripeNotFound) as error:
        raise _refusal(error) from error


def _refusal(error: PaywallError) -> PaywallError:
    if isinstance(error, StripeNotFound):
        return CannotAct("Stripe does not have this any more. Resync the reader, then look again. Nothing was changed.")
    if isinstance(error, StripeRefused):
        code = error.stripe_code or "no code"
        return CannotAct(f"Stripe refused it ({code}). Nothing was changed; look at it in Stripe's dashboard.")
    return error


@contextmanager
def _alone(desk: Desk, reader_id: str) -> Iterator[None]:
    """Nobody else acts on the reader meanwhile: whoever comes second sees what the first has changed."""
    begin_read()
    standing = aliases.current_id(reader_id)
    known = readers.get(standing) is not None
    db.session.commit()
    name, owner = f"desk:{standing}" if known else "desk:nobody", new_id("own")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not leases.take(name, owner, desk.now, desk.now + 2 * desk.sync.lease):
        if time.monotonic() >= deadline:
            raise Occupied
        time.sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        db.session.rollback()
        leases.give_back(name, owner)
        db.session.commit()
