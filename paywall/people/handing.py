"""Moving a purchase that was made under a wrong address: looked at first, then one transaction."""

from dataclasses import dataclass
from datetime import datetime

from paywall.billing import moving
from paywall.billing.sync import Sync
from paywall.errors import Conflict, NotFound
from paywall.mail import letterbox, links
from paywall.storage import aliases, checkouts, entitlements, erasures, moves, readers, subscriptions
from paywall.storage.database import begin_read, db
from paywall.storage.entitlements import Cause
from paywall.storage.models import Reader


class NoPurchase(NotFound):
    """There is no such subscription here."""

    code, title = "purchase_not_found", "No such purchase"


class CannotMove(Conflict):
    """The purchase must stay where it is; the message says why."""

    code, title = "cannot_move", "This purchase cannot be moved"


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be moved: ``to`` is the reader's id, None for one who is made for the ``address``."""

    subscription_id: str
    holder: str
    to: str | None
    address: str | None
    words: str

    @property
    def done(self) -> bool:
        """Whether it is there already."""
        return self.to == self.holder


def look(subscription_id: str, to: str, now: datetime) -> Move:
    """What a move comes to; changes nothing. ``to`` is an address or a reader's id.

    Raises NoPurchase, NotFound, BadEmail, CannotMove.
    """
    begin_read()
    row = subscriptions.get(subscription_id)
    if row is None:
        raise NoPurchase(f"{subscription_id} is not known here. Give Stripe's id of the subscription (sub_...).")
    named = to if to.isprintable() else ""  # PostgreSQL takes no NUL in a text
    target = _by_address(to) if "@" in to else aliases.current(named)
    if target is None and "@" not in to:
        raise NotFound(f"No reader has the id {to}. Give a reader's id (rdr_...) or the right address.")
    for one in (row.reader_id, target.id if target else None):
        if one is not None and erasures.is_begun(one):
            raise CannotMove(f"Reader {one} is erased, or about to be: nothing can be moved from or to there.")
    gives = entitlements.of_source("subscription", subscription_id)
    state = entitlements.terms_of(gives).state_at(now) if gives else "pending"
    told = f"at Stripe: {row.status}; access by it: {state}"
    address = target.email if target else readers.normalise(to)[0]
    return Move(row.id, row.reader_id, target.id if target else None, address, told)


def carry_out(sync: Sync, move: Move, reason: str, now: datetime) -> str:
    """Moves it and returns the move's id; the new holder is mailed a link to sign in by.

    Raises CannotMove where somebody was faster. What a sync raises comes after the move, which stays.
    """
    db.session.rollback()
    target = readers.get(move.to) if move.to else readers.create(move.address, now)
    holder = readers.get(move.holder)
    row = subscriptions.get(move.subscription_id)
    if target is None or holder is None or row is None:
        raise NoPurchase(f"{move.subscription_id} is not known here any more.")
    for one in sorted((holder, target), key=lambda reader: reader.id):
        aliases.lock(one)
    db.session.refresh(row)
    if row.reader_id != move.holder:
        raise CannotMove("The purchase is not where it was shown; run the command again to see where it is now.")
    move_id = moves.add(row.id, holder.id, target.id, reason, now)
    moving.give(row, holder, target, Cause(moving.MOVED, move_id), now)
    _mail(target, row.id, now)
    db.session.commit()
    sync.subscription(move.subscription_id, Cause(moving.MOVED, move_id))
    return move_id


def _by_address(text: str) -> Reader | None:
    """Whoever owns the address, else who bought under it; of one who only typed it, nobody knows who that is."""
    _, normalised = readers.normalise(text)
    return readers.to_sign_in(normalised, lambda _reader_id: False)


def _mail(target: Reader, subscription_id: str, now: datetime) -> None:
    if target.email and target.email_normalised:
        link_id = links.create(target.email_normalised, checkouts.return_of(subscription_id), now)
        letterbox.post_sign_in(target.email, link_id, now)
