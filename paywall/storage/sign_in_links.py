"""Rows of mailed sign-in links and codes: made, looked at, tried a few times, used up once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select, update

from paywall.storage.database import db, new_id
from paywall.storage.models import SignInLink

_LOCK = 0x6C696E6B  # any number that no other pair of advisory locks of this database begins with


@dataclass(frozen=True, slots=True)
class Tries:
    """How many codes may be typed: for each link, and for all links of one address within a day."""

    each: int
    a_day: int


class Fate(StrEnum):
    """What became of a link."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    REPLACED = "replaced"


def create(
    email_normalised: str, return_to: str | None, now: datetime, expires_at: datetime, tries: Tries | None = None
) -> str:
    """Adds a link and returns its id; the older ones of the address end. Commits nothing.

    Of several at the same time the later one waits for the earlier one's commit, so that one stays open. With
    ``tries`` a code may be typed, so often; else never.
    """
    _lock(email_normalised)
    _end_open(email_normalised, now)
    left = tries.a_day - _tries_since(email_normalised, now - timedelta(days=1), now) if tries else 0
    row = SignInLink(
        id=new_id("lnk"),
        email_normalised=email_normalised,
        return_to=return_to,
        created_at=now,
        expires_at=expires_at,
        tries=0,
        tries_allowed=max(0, min(tries.each, left)) if tries else 0,
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


def is_open(email_normalised: str, now: datetime) -> bool:
    """Whether a link of the address can still be used."""
    mine = SignInLink.email_normalised == email_normalised, SignInLink.used_at.is_(None), SignInLink.expires_at > now
    return db.session.scalar(select(SignInLink.id).where(*mine).limit(1)) is not None


def renew(link_id: str, now: datetime, expires_at: datetime) -> None:
    """Lets an unused link begin again: its mail leaves only now. Commits nothing."""
    unused = SignInLink.id == link_id, SignInLink.used_at.is_(None)
    db.session.execute(update(SignInLink).where(*unused).values(created_at=now, expires_at=expires_at))


def has_newer(row: SignInLink, now: datetime) -> bool:
    """Whether a later link of the address was asked for. One from a later time tells nothing: a clock was set back."""
    mine = SignInLink.email_normalised == row.email_normalised, SignInLink.id != row.id
    later = SignInLink.created_at > row.created_at, SignInLink.created_at <= now
    return db.session.scalar(select(SignInLink.id).where(*mine, *later).limit(1)) is not None


def count_try(link_id: str, now: datetime) -> SignInLink | None:
    """Counts one typed code before anybody looks at it; None where no more may be typed. Commits nothing.

    The count is part of the statement, so that guesses at the same time cannot share one.
    """
    may_try = SignInLink.used_at.is_(None), SignInLink.expires_at > now, SignInLink.tries < SignInLink.tries_allowed
    statement = update(SignInLink).where(SignInLink.id == link_id, *may_try).values(tries=SignInLink.tries + 1)
    return db.session.scalar(statement.returning(SignInLink), execution_options={"populate_existing": True})


def use(link_id: str, now: datetime) -> SignInLink | None:
    """Uses the link up and returns it, for one caller alone; others of the address end. Commits nothing."""
    still_open = SignInLink.used_at.is_(None), SignInLink.expires_at > now
    statement = update(SignInLink).where(SignInLink.id == link_id, *still_open).values(used_at=now)
    row = db.session.scalar(statement.returning(SignInLink))
    if row is not None:
        _end_open(row.email_normalised, now)
    return row


def _tries_since(email_normalised: str, since: datetime, now: datetime) -> int:
    """Codes typed for the address's links that were asked for after ``since``."""
    mine = SignInLink.email_normalised == email_normalised, SignInLink.created_at > since, SignInLink.created_at <= now
    return int(db.session.scalar(select(func.coalesce(func.sum(SignInLink.tries), 0)).where(*mine)) or 0)


def _lock(email_normalised: str) -> None:
    """Makes others who ask for the address wait until this transaction ends. SQLite has one writer anyway."""
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(email_normalised))))


def _end_open(email_normalised: str, now: datetime) -> None:
    """Ends the address's links that could still be used. One from a later time ends too: a clock may be set back."""
    mine = SignInLink.email_normalised == email_normalised
    still_open = SignInLink.used_at.is_(None), SignInLink.expires_at > now
    db.session.execute(update(SignInLink).where(mine, *still_open).values(expires_at=now))
