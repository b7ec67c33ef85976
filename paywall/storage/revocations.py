"""The append-only list of revoked tokens, in an order that a reader of its end can trust."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from paywall.domain.entitlements import Access
from paywall.errors import NotFound
from paywall.storage.database import db, insert_for, insert_if_new
from paywall.storage.models import Fact, Reader, Revocation

Listed = Row[int, str, str, int | None, datetime]  # seq, kind, value, generation, expires_at

# what the settings allow a token at most, not what they say today: tokens from before a change live on; and the hour
# for which a verifier that cannot reach us may take a token after its end
LONGEST_LIFE = timedelta(days=1, hours=1)

_EPOCH = "revocation_epoch"
_LOCK = 0x70617977  # any number that no other advisory lock of this database uses

# made once, as every worker asks them twice a second
_THE_EPOCH = select(Fact.value).where(Fact.name == _EPOCH)
_AFTER = (
    select(Revocation.seq, Revocation.kind, Revocation.value, Revocation.generation, Revocation.expires_at)
    .where(Revocation.seq > bindparam("seq"), Revocation.expires_at > bindparam("now"))
    .order_by(Revocation.seq)
)


def of_session(session_id: str, cause: str, now: datetime) -> None:
    """Refuses all tokens of a session, such as after signing out. Commits nothing."""
    append("sid", session_id, cause, now, now + LONGEST_LIFE)


def of_reader(reader_id: str, cause: str, now: datetime) -> None:
    """Refuses all tokens that the reader has now, by raising the reader's generation. Commits nothing.

    Live sessions can have new ones if the reader still has access. Raises NotFound.
    """
    reader = db.session.get(Reader, reader_id, with_for_update=True, populate_existing=True)
    if reader is None:
        raise NotFound("There is no reader of this id.")
    reader.generation += 1
    append("sub", reader_id, cause, now, now + LONGEST_LIFE, generation=reader.generation)


def of_what_is_lost(reader_id: str, cause: str, before: Access, after: Access, now: datetime) -> None:
    """Refuses tokens that outlive or exceed what is left (I6, I7); while something is left they are renewed.

    ``before`` and ``after`` are what the reader could and can read at this moment. Commits nothing.
    """
    left, had = after.until or now, before.until or now
    shorter = had > left and left < now + LONGEST_LIFE
    if shorter or not set(before.features) <= set(after.features):
        of_reader(reader_id, cause, now)


def append(
    kind: str, value: str, cause: str, now: datetime, expires_at: datetime, generation: int | None = None
) -> int:
    """Adds an entry and returns its sequence number. Commits nothing, but holds the list's lock until the commit.

    Numbers from a plain sequence become visible out of order, and who asks for "all after the last one that I saw"
    would miss the late one for ever. On SQLite the writing transaction itself is the lock. The next number is one more
    than the greatest that is there: the newest row must never be pruned, or its number would be given again and those
    who saw it would miss the new entry.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    insert_if_new(Fact, ["name"], {"name": _EPOCH, "value": secrets.token_hex(8)})
    seq = (db.session.scalar(select(func.max(Revocation.seq))) or 0) + 1
    row = Revocation(
        seq=seq, kind=kind, value=value, generation=generation, cause=cause, created_at=now, expires_at=expires_at
    )
    db.session.add(row)
    db.session.flush()
    return seq


def epoch(session: Session) -> str:
    """Names this life of the list: with another epoch nothing that was read before counts. Empty before any entry."""
    return session.scalar(_THE_EPOCH) or ""


def renew_epoch() -> None:
    """Begins another life of the list, as after a backup was restored: its numbers may be given a second time, so
    whoever read the list before must read all of it again. Commits nothing.
    """
    value = secrets.token_hex(8)
    added = insert_for(Fact).values(name=_EPOCH, value=value)
    db.session.execute(added.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def after(session: Session, seq: int, now: datetime) -> Sequence[Listed]:
    """Number, kind, value, generation and end of the entries after this number that can still hit a token, in order.

    Columns and no models: a hundred thousand of these would take seconds.
    """
    return session.execute(_AFTER, {"seq": seq, "now": now}).all()
