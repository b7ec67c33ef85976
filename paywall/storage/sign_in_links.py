"""Rows of mailed sign-in links: made, looked at, used up once."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import update

from paywall.storage.database import db, new_id
from paywall.storage.models import SignInLink


class Fate(StrEnum):
    """What became of a link."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    REPLACED = "replaced"


def create(email_normalised: str, return_to: str | None, now: datetime, expires_at: datetime) -> str:
    """Adds a link and returns its id; the older ones of the address end. Commits nothing."""
    _end_open(email_normalised, now)
    row = SignInLink(
        id=new_id("lnk"), email_normalised=email_normalised, return_to=return_to, created_at=now, expires_at=expires_at
    )
    db.session.add(row)
    db.session.flush()
    return row.id


def get(link_id: str) -> SignInLink | None:
    """The link with this id, as the database has it now."""
    return db.session.get(SignInLink, link_id, populate_existing=True)


def fate_of(row: SignInLink, lifetime: timedelta, now: datetime) -> Fate:
    """What became of a link that was made to last ``lifetime``: one that ended sooner was replaced."""
    if row.used_at is not None:
        return Fate.USED
    if row.expires_at > now:
        return Fate.OPEN
    return Fate.REPLACED if row.expires_at - row.created_at < lifetime else Fate.EXPIRED


def use(link_id: str, now: datetime) -> SignInLink | None:
    """Uses the link up and returns it, for one caller alone; others of the address end. Commits nothing."""
    still_open = SignInLink.used_at.is_(None), SignInLink.expires_at > now
    statement = update(SignInLink).where(SignInLink.id == link_id, *still_open).values(used_at=now)
    row = db.session.scalar(statement.returning(SignInLink))
    if row is not None:
        _end_open(row.email_normalised, now)
    return row


def _end_open(email_normalised: str, now: datetime) -> None:
    """Ends the address's links that could still be used. One from a later time ends too: a clock may be set back."""
    mine = SignInLink.email_normalised == email_normalised
    still_open = SignInLink.used_at.is_(None), SignInLink.expires_at > now
    db.session.execute(update(SignInLink).where(mine, *still_open).values(expires_at=now))
