"""All that checking a token needs, read from the database in one go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from paywall.storage import revocations, service_keys, signing_keys
from paywall.storage.database import db
from paywall.tokens import keyring
from paywall.verifier import KeySet, Revocation, RevocationList


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
    """The revocations as read so far: of which epoch, up to which number, and those that can hit a token, in order."""

    epoch: str = ""
    seq: int = 0
    live: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Keys under which tokens verify, services by the SHA-256 (hex) of their key, and what was revoked."""

    keys: KeySet
    services: Mapping[str, Service]
    revocations: RevocationList
    entries: Entries


def load(previous: Snapshot | None, now: datetime, session_days: int) -> Snapshot:
    """Reads a snapshot in a transaction of its own; of the revocations only what is new since ``previous``."""
    with Session(db.engine.execution_options(readonly=True)) as session:
        keys = keyring.published(signing_keys.every(session), now, session_days)
        services = {row.key_hash: Service(row.id, row.name) for row in service_keys.live(session)}
        entries = _read_on(session, previous.entries if previous else Entries(), now)
    if previous is not None and entries == previous.entries:
        return Snapshot(keys, services, previous.revocations, entries)
    return Snapshot(keys, services, RevocationList(map(_revocation, entries.live)), entries)


def _read_on(session: Session, known: Entries, now: datetime) -> Entries:
    epoch = revocations.epoch(session)
    if epoch != known.epoch:
        known = Entries(epoch)
    rows = revocations.after(session, known.seq, now)
    kept = tuple(one for one in known.live if one.expires_at > now)
    new = tuple(Entry(row.seq, row.kind, row.value, row.generation, row.expires_at) for row in rows)
    return Entries(epoch, rows[-1].seq if rows else known.seq, kept + new)


def _revocation(entry: Entry) -> Revocation:
    if entry.kind == "sub":
        return Revocation(sub=entry.value, gen=entry.generation)
    return Revocation(sid=entry.value) if entry.kind == "sid" else Revocation(jti=entry.value)
