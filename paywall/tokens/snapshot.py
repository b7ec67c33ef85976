"""All that checking a token needs, read from the database in one go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from paywall.storage import revocations, service_keys, signing_keys
from paywall.storage.database import db
from paywall.tokens import keyring
from paywall.verifier import KeySet, Revocation, RevocationList

_MANY = 1000  # entries; more are not gone through each time


@dataclass(frozen=True, slots=True)
class Service:
    """A content service that may ask."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One revocation with its number; ``generation`` with the kind ``sub`` alone."""

    seq: int
    kind: str
    value: str
    generation: int | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Entries:
    """The revocations as read so far: of which epoch, up to which number, and those that can hit a token, in order.

    A few of them may have ended, which hit nothing any more: ``tidy_at`` says when they are worth being sorted out.
    """

    epoch: str = ""
    seq: int = 0
    live: tuple[Entry, ...] = ()
    tidy_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Keys under which tokens verify, services by the SHA-256 (hex) of their key, and what was revoked.

    ``mark`` stands for all of it where it would be kept in memory too long: another snapshot has another one.
    """

    keys: KeySet
    services: Mapping[str, Service]
    revocations: RevocationList
    entries: Entries
    mark: object = field(default_factory=object, compare=False)


def load(previous: Snapshot | None, now: datetime, session_days: int) -> Snapshot:
    """Reads a snapshot in a transaction of its own; of the revocations only what is new since ``previous``.

    It is ``previous`` itself where nothing has changed.
    """
    with Session(db.engine.execution_options(readonly=True)) as session:
        keys = keyring.published(signing_keys.every(session), now, session_days)
        services = {row.key_hash: Service(row.id, row.name) for row in service_keys.live(now, session)}
        entries = _read_on(session, previous.entries if previous else Entries(), now)
    if previous is not None and (keys, services, entries) == (previous.keys, previous.services, previous.entries):
        return previous
    return Snapshot(keys, services, _listed(previous, entries), entries)


def _listed(previous: Snapshot | None, entries: Entries) -> RevocationList:
    """The list of these entries, made from the one before where they only grew: a hundred thousand take their time."""
    if previous is not None:
        known = previous.entries
        if entries is known:
            return previous.revocations
        if entries.epoch == known.epoch and entries.live[: len(known.live)] == known.live:
            return previous.revocations.extended(map(_revocation, entries.live[len(known.live) :]))
    return RevocationList(map(_revocation, entries.live))


def _read_on(session: Session, known: Entries, now: datetime) -> Entries:
    epoch = revocations.epoch(session)
    if epoch != known.epoch:
        known = Entries(epoch)
    new = tuple(map(_entry, revocations.after(session, known.seq, now)))
    tidy = known.tidy_at is not None and known.tidy_at <= now
    if not new and not tidy:
        return known
    live = (tuple(one for one in known.live if one.expires_at > now) if tidy else known.live) + new
    late = len(live) > _MANY and known.tidy_at is not None and not tidy
    return Entries(epoch, new[-1].seq if new else known.seq, live, known.tidy_at if late else _tidy_at(live))


def _tidy_at(live: tuple[Entry, ...]) -> datetime | None:
    """When a tenth of the entries will have ended; of a few of them, the first."""
    if not live:
        return None
    return sorted(one.expires_at for one in live)[len(live) // 10 if len(live) > _MANY else 0]


def _entry(row: revocations.Listed) -> Entry:
    return Entry(row.seq, row.kind, row.value, row.generation, row.expires_at)


def _revocation(entry: Entry) -> Revocation:
    if entry.kind == "sub":
        return Revocation(sub=entry.value, gen=entry.generation)
    return Revocation(sid=entry.value) if entry.kind == "sid" else Revocation(jti=entry.value)
