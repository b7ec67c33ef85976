"""Changes of a reader's address: wished for, confirmed once by a mailed link, told to Stripe; and former addresses."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, String, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from paywall.storage.database import Base, UTCDateTime, by_letter, db, new_id, only
from paywall.storage.models import Reader, Subscription


class AddressChange(Base):
    """A reader wishes for another address; until its link is used, nothing changes. A reader's newest counts."""

    __tablename__ = "address_changes"
    __table_args__ = (Index("ix_address_changes_tell_at", "tell_at", **only("tell_at IS NOT NULL")),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)
    email: Mapped[str] = mapped_column(String(320))
    email_normalised: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    tell_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # when Stripe is told next; null as soon as it was


class FormerAddress(Base):
    """An address that a reader had: for the service desk, which is written to from there. Nobody signs in by it."""

    __tablename__ = "former_addresses"
    __table_args__ = (
        Index("ix_former_addresses_email_normalised", "email_normalised", **by_letter("email_normalised")),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    reader_id: Mapped[str] = mapped_column(ForeignKey("readers.id"), index=True)
    email: Mapped[str] = mapped_column(String(320))
    email_normalised: Mapped[str] = mapped_column(String(320))
    until: Mapped[datetime] = mapped_column(UTCDateTime)


def create(reader_id: str, shown: str, normalised: str, now: datetime, expires_at: datetime) -> str:
    """Adds a wish and returns its id; the reader's older ones end. Commits nothing.

    Of two at the same time the later one waits for the earlier one's commit, so that one stays open.
    """
    db.session.execute(select(Reader.id).where(Reader.id == reader_id).with_for_update())
    end_open(reader_id, now)
    values = {"email": shown, "email_normalised": normalised, "created_at": now, "expires_at": expires_at}
    row = AddressChange(id=new_id("adr"), reader_id=reader_id, **values)
    db.session.add(row)
    db.session.flush()
    return row.id


def get(change_id: str) -> AddressChange | None:
    """The change with this id, as the database has it now."""
    return db.session.get(AddressChange, change_id, populate_existing=True)


def is_open(row: AddressChange, now: datetime) -> bool:
    """Whether its link may still be used."""
    return row.used_at is None and row.expires_at > now


def end_open(reader_id: str, now: datetime) -> None:
    """Ends what the reader asked for and nobody confirmed. Commits nothing."""
    waits = AddressChange.reader_id == reader_id, AddressChange.used_at.is_(None), AddressChange.expires_at > now
    db.session.execute(update(AddressChange).where(*waits).values(expires_at=now))


def renew(change_id: str, lifetime: timedelta, now: datetime) -> AddressChange | None:
    """Lets an unused change begin again, because its mail leaves only now; None where there is a newer, or none.

    Commits nothing.
    """
    row = get(change_id)
    if row is None or row.used_at is not None or row.expires_at - row.created_at < lifetime:
        return None
    if row.expires_at - now < lifetime / 2:
        row.created_at, row.expires_at = now, now + lifetime
    return row


def lock(change_id: str) -> None:
    """Makes other writers about the same people wait until this transaction ends: to be called before ``use``.

    Locks the reader, and whoever gave the old or the new address, all in the order of their ids.
    """
    row = get(change_id)
    reader = db.session.get(Reader, row.reader_id, populate_existing=True) if row is not None else None
    if row is None or reader is None:
        return
    theirs = [one for one in (row.email_normalised, reader.email_normalised) if one is not None]
    same = or_(Reader.id == reader.id, Reader.email_normalised.in_(theirs))
    db.session.execute(select(Reader.id).where(same).order_by(Reader.id).with_for_update())


def use(change_id: str, now: datetime) -> AddressChange | None:
    """Uses the change up and returns it, for one caller alone. Commits nothing."""
    waits = AddressChange.id == change_id, AddressChange.used_at.is_(None), AddressChange.expires_at > now
    statement = update(AddressChange).where(*waits).values(used_at=now, tell_at=now)
    return db.session.scalar(statement.returning(AddressChange), execution_options={"populate_existing": True})


def is_taken(normalised: str, reader_id: str) -> bool:
    """Whether another reader has proved to own the address, or has a role by it."""
    owned = or_(Reader.email_verified_at.is_not(None), Reader.role.is_not(None))
    query = select(Reader.id).where(Reader.email_normalised == normalised, Reader.id != reader_id, owned)
    return db.session.scalar(query.limit(1)) is not None


def move(row: AddressChange, now: datetime) -> tuple[Reader, str | None] | None:
    """Gives the reader of a used change the new address, proved, and keeps the old one as former. Commits nothing.

    Returns the reader and the old address; None where somebody else has proved to own the new one: nothing changed.
    """
    reader = db.session.get_one(Reader, row.reader_id, populate_existing=True)
    old = reader.email
    if is_taken(row.email_normalised, reader.id):
        return None
    try:
        with db.session.begin_nested():
            if reader.email and reader.email_normalised:
                values = {"email": reader.email, "email_normalised": reader.email_normalised, "until": now}
                db.session.add(FormerAddress(id=new_id("frm"), reader_id=reader.id, **values))
            reader.email, reader.email_normalised, reader.email_verified_at = row.email, row.email_normalised, now
            db.session.flush()
    except IntegrityError:  # somebody else proved it a moment ago
        return None
    return reader, old


def formerly_under(normalised: str) -> list[Reader]:
    """Whose address this once was, whoever has it now; the oldest first."""
    held = select(FormerAddress.reader_id).where(FormerAddress.email_normalised == normalised)
    return list(db.session.scalars(select(Reader).where(Reader.id.in_(held)).order_by(Reader.created_at, Reader.id)))


def former_of(reader_id: str) -> list[FormerAddress]:
    """The addresses that a reader had, the newest first."""
    query = select(FormerAddress).where(FormerAddress.reader_id == reader_id)
    return list(db.session.scalars(query.order_by(FormerAddress.until.desc(), FormerAddress.id)))


def customers_of(reader_id: str) -> list[str]:
    """As whom the reader pays, or paid, at Stripe."""
    found = {db.session.scalar(select(Reader.customer_id).where(Reader.id == reader_id))}
    found.update(db.session.scalars(select(Subscription.customer_id).where(Subscription.reader_id == reader_id)))
    return sorted(one for one in found if one is not None)


def to_tell(now: datetime, limit: int) -> list[str]:
    """The ids of changes that Stripe is to be told of now, the oldest first."""
    query = select(AddressChange.id).where(AddressChange.tell_at <= now).order_by(AddressChange.tell_at)
    return list(db.session.scalars(query.limit(limit)))


def claim_telling(change_id: str, now: datetime, until: datetime) -> AddressChange | None:
    """Takes a change to tell Stripe of for one caller alone until ``until``. Commits nothing."""
    due = AddressChange.id == change_id, AddressChange.tell_at <= now
    statement = update(AddressChange).where(*due).values(tell_at=until).returning(AddressChange)
    return db.session.scalar(statement, execution_options={"populate_existing": True})


def told(change_id: str) -> None:
    """Stripe knows. Commits nothing."""
    db.session.execute(update(AddressChange).where(AddressChange.id == change_id).values(tell_at=None))
