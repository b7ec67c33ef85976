"""What is deleted or emptied when a person is forgotten; what bookkeeping needs keeps its opaque ids."""

import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, delete, null, or_, select, update

from paywall.storage import factors
from paywall.storage.addresses import AddressChange, FormerAddress
from paywall.storage.database import db
from paywall.storage.hashing import sha256_hex
from paywall.storage.letters import WaitingLetter
from paywall.storage.models import Checkout, Reader, ReaderSession, SignInLink, Subscription
from paywall.storage.moves import PurchaseMove
from paywall.storage.staff_actions import StaffAction

_UNSYNCED = {"synchronize_session": False}


def addresses_of(ids: Collection[str]) -> set[str]:
    """Every address that these readers have proved, had, or wished for, in the form in which they are compared.

    One that was only typed may be a stranger's, and is not among them.
    """
    proved = Reader.id.in_(ids), Reader.email_normalised.is_not(None), Reader.email_verified_at.is_not(None)
    found = set(db.session.scalars(select(Reader.email_normalised).where(*proved)))
    return {one for one in found if one} | set(
        db.session.scalars(select(FormerAddress.email_normalised).where(FormerAddress.reader_id.in_(ids)))
    )


def forget(ids: Collection[str], return_to: str, now: datetime) -> None:
    """Forgets the person behind these reader ids: addresses, devices, requests, letters, places. Commits nothing.

    Rows of other readers, who only typed the same proved address and bought nothing, lose it too. ``return_to`` stands
    in the place of what was read.
    """
    addresses = addresses_of(ids)
    _letters(ids, addresses, now)
    _checkouts(ids, addresses, return_to)
    for table in (AddressChange, FormerAddress, ReaderSession):
        _run(delete(table).where(table.reader_id.in_(ids)))
    _run(delete(SignInLink).where(SignInLink.email_normalised.in_(addresses | _own(ids))))
    moved = or_(PurchaseMove.from_reader_id.in_(ids), PurchaseMove.to_reader_id.in_(ids))
    _run(update(PurchaseMove).where(moved).values(reason=None))
    _run(update(StaffAction).where(StaffAction.subject_id.in_(ids)).values(reason=None))
    factors.forget(ids)
    _readers(ids, addresses)
    db.session.expire_all()


def _own(ids: Collection[str]) -> set[str]:
    found = db.session.scalars(select(Reader.email_normalised).where(Reader.id.in_(ids)))
    return {one for one in found if one}


def _letters(ids: Collection[str], addresses: Collection[str], now: datetime) -> None:
    """What has not left is dropped, also what was asked for by address alone."""
    row = WaitingLetter
    to = Reader.email_normalised
    shown = select(Reader.email).where(or_(Reader.id.in_(ids), to.in_(addresses)))
    mine = or_(row.reader_id.in_(ids), row.to.in_(shown), row.to.in_(addresses))
    values = {"done_at": now, "outcome": "void", "to": None, "facts": null()}
    _run(update(row).where(mine, row.done_at.is_(None)).values(**values))


def _checkouts(ids: Collection[str], addresses: Collection[str], return_to: str) -> None:
    """Who bought, from where, by which browser; the sale itself stays."""
    row = Checkout
    _run(update(row).where(row.email_normalised.in_(addresses)).values(email=None, email_normalised=None))
    nobody = sha256_hex(secrets.token_urlsafe(24))
    emptied = {"email": None, "email_normalised": None, "return_to": return_to, "session_url": None}
    mine = row.reader_id.in_(ids)
    _run(update(row).where(mine, row.state != "open").values(**emptied, browser_hash=nobody))
    # at most one is open for a browser, so each needs a mark of its own
    _run(update(row).where(mine, row.state == "open").values(**emptied, browser_hash=row.id))


def _readers(ids: Collection[str], addresses: Collection[str]) -> None:
    buys = select(Subscription.id).where(Subscription.reader_id == Reader.id).exists()
    typed = and_(Reader.email_normalised.in_(addresses), Reader.email_verified_at.is_(None), ~buys)
    no_address = {"email": None, "email_normalised": None, "email_verified_at": None}
    _run(update(Reader).where(typed, Reader.role.is_(None)).values(**no_address))
    _run(update(Reader).where(Reader.id.in_(ids)).values(**no_address, customer_id=None, role=None))


def _run(statement: object) -> None:
    db.session.execute(statement, execution_options=_UNSYNCED)  # type: ignore[call-overload]
