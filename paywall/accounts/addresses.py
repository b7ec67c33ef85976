"""The story of a new address: wished for by who proved the old one, confirmed from the new one, told to both."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from paywall.accounts.signing import mask
from paywall.billing import moving
from paywall.errors import BadRequest, Conflict, Forbidden, PaywallError
from paywall.mail import letterbox, postman, seals, writing
from paywall.storage import addresses, letters, readers, staff
from paywall.storage.addresses import AddressChange
from paywall.storage.database import db
from paywall.storage.models import Reader

log = structlog.get_logger("paywall.accounts")


class SameAddress(BadRequest):
    """The address is what it was."""

    code, title = "same_address", "That is your address already"

    def __init__(self) -> None:
        super().__init__("That is your address already. Enter the one that you want to use from now on.")


class StaffAddress(Forbidden):
    """A role belongs to an address, and does not go to another one by its owner's wish."""

    code, title = "staff_address", "A staff address is changed by whoever runs the service"

    def __init__(self) -> None:
        super().__init__("Your address opens the reports. Ask whoever runs this service to give that to the new one.")


class ConfirmRefused(PaywallError):
    """A link that confirms nothing (any more)."""

    code, status, title = "confirm_refused", 410, "This link does not work any more"

    def __init__(self) -> None:
        super().__init__(
            "A link that confirms an address works once, within an hour, and only the newest. Nothing was changed now: "
            "your account page shows your address, and there you can ask for a new link."
        )


class AddressTaken(Conflict):
    """Somebody else proved to own the address after the mail had left."""

    code, title = "address_taken", "This address belongs to another account"

    def __init__(self) -> None:
        super().__init__("This address was taken into use by another account meanwhile. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a confirming link would change: of the old address as much as its owner recognises, the new one whole.

    Whoever opens the link has read the new mailbox; two masked addresses of one domain could look the same.
    """

    old: str | None
    new: str


def ask(reader: Reader, typed: str, now: datetime) -> str:
    """Mails a link to the new address, and returns that address. Until the link is used nothing changes.

    Whether somebody else has the address is looked up when the letter is written out, and told to that mailbox alone.
    Raises BadEmail, SameAddress, StaffAddress.
    """
    if reader.role is not None:
        raise StaffAddress
    shown, normalised = readers.normalise(typed)
    if normalised == reader.email_normalised and reader.email_verified_at is not None:
        raise SameAddress
    change_id = addresses.create(reader.id, shown, normalised, now, now + writing.CONFIRM_LIFE)
    letterbox.post_address_confirm(shown, change_id, now, reader.id)
    db.session.commit()
    log.info("address_change_asked", reader=reader.id, change=change_id)
    postman.call()
    return shown


def look(token: str, now: datetime) -> Wish:
    """What the link would change; changes nothing, so that mail scanners may come by. Raises ConfirmRefused."""
    row = addresses.get(_change_id(token))
    reader = readers.get(row.reader_id) if row is not None else None
    if row is None or reader is None or not addresses.is_open(row, now):
        raise ConfirmRefused
    return Wish(mask(reader.email) if reader.email else None, row.email)


def confirm(token: str, now: datetime) -> None:
    """Uses the link up and gives its reader the new address: one transaction, with the notices to both mailboxes.

    Raises ConfirmRefused, AddressTaken.
    """
    change_id = _change_id(token)
    addresses.lock(change_id)
    row = addresses.use(change_id, now)
    # a role that was given since the link was asked for would go to a mailbox that nobody gave it to
    if row is None or staff.get(row.reader_id) is not None:
        db.session.rollback()
        raise ConfirmRefused
    moved = addresses.move(row, now)
    if moved is None:
        db.session.rollback()
        raise AddressTaken
    reader, old = moved
    moving.prove(reader, now)  # what was bought under the new address joins
    addresses.end_open(reader.id, now)
    if old is not None:
        letters.readdress(reader.id, old, row.email)
    _tell_both(row, old, now)
    db.session.commit()
    log.info("address_changed", reader=reader.id, change=row.id)
    postman.call()


def _tell_both(row: AddressChange, old: str | None, now: datetime) -> None:
    for side, to in (("old", old), ("new", row.email)):
        if to is not None:
            letterbox.post_address_changed(to, mask(row.email), f"{row.id}:{side}", now, row.reader_id)


def _change_id(token: str) -> str:
    found = seals.opened(writing.CONFIRM_ADDRESS, token)
    if found is None:
        raise ConfirmRefused
    return found


CONFIRM_HOURS = writing.CONFIRM_LIFE // timedelta(hours=1)
