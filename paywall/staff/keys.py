"""Content services' keys and signing keys: made, replaced, revoked by staff; each change is noted."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import structlog

from paywall.errors import BadRequest, Conflict, NotFound
from paywall.staff.doing import By
from paywall.storage import service_keys, staff, staff_actions, use
from paywall.storage.database import db
from paywall.storage.models import ServiceKey, SigningKey
from paywall.storage.service_keys import Scope
from paywall.storage.staff_actions import StaffAction
from paywall.tokens import keyring, rotation

log = structlog.get_logger("paywall.staff")

LONGEST_NAME = 80
_NO_KEY = "There is no key of this number. Look at the list again."
# for how many hours a key that is replaced goes on working
OVERLAPS = {0: "not at all", 1: "one hour", 24: "one day", 24 * 7: "one week", 24 * 30: "30 days"}


class BadKeyWish(BadRequest):
    """The form asks for no key that there could be."""

    code, title = "bad_key_wish", "That key cannot be made"


class NoKey(NotFound):
    """No key has this id."""

    code, title = "key_not_found", "No such key"


class KeyOver(Conflict):
    """The key was revoked, or replaced, before."""

    code, title = "key_over", "This key has ended"


@dataclass(frozen=True, slots=True)
class Shown:
    """A key as the page shows it. ``used_on`` is the newsroom's day of its newest use; None for never."""

    row: ServiceKey
    state: str  # live, ending, revoked
    used_on: date | None


@dataclass(frozen=True, slots=True)
class Noted:
    """What was done about a key. ``address``: of who did it, if they are on the staff yet."""

    row: StaffAction
    address: str | None


def every(now: datetime) -> list[Shown]:
    """All keys of content services, those that work first, the newest of them first."""
    used = use.last_days()
    shown = [Shown(row, _state(row, now), used.get(row.id)) for row in reversed(service_keys.every())]
    return sorted(shown, key=lambda one: one.state == "revoked")


def shown(key_id: str, now: datetime) -> Shown:
    """One of them. Raises NoKey."""
    found = next((one for one in every(now) if one.row.id == key_id), None)
    if found is None:
        raise NoKey(_NO_KEY)
    return found


def history(*ids: str) -> list[Noted]:
    """What staff did about these keys, the newest first."""
    addresses = {row.id: row.email for row in staff.everyone()}
    return [Noted(row, addresses.get(row.staff_id or "")) for row in staff_actions.about((), ids)]


def create(name: str, scope: str, by: By, now: datetime) -> tuple[ServiceKey, str]:
    """A new key: its row, and the key itself, seen only here. Commits. Raises BadKeyWish."""
    row, key = add(name, scope, by, now)
    db.session.commit()
    log.info("service_key_made", service=row.id, scope=scope)
    return row, key


def add(name: str, scope: str, by: By, now: datetime) -> tuple[ServiceKey, str]:
    """The same for who has more to do first: commits nothing. Raises BadKeyWish."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadKeyWish(f"Name the service that the key is for, in 1 to {LONGEST_NAME} characters.")
    if scope not in [*Scope]:
        raise BadKeyWish("Choose what the key is for: verify, or reports.")
    row, key = service_keys.add(name, now, scope)
    by.note("key-made", now, thing=row.id, after={"name": name, "scope": scope})
    return row, key


def rotate(key_id: str, hours: int, by: By, now: datetime) -> tuple[ServiceKey, str]:
    """A key in place of another one of the same service, which goes on working for some hours of ``OVERLAPS``.

    Commits. Raises NoKey, KeyOver and BadKeyWish. Of two who replace one key at once the second is refused.
    """
    if hours not in OVERLAPS:
        raise BadKeyWish("Choose for how long the old key goes on working.")
    old = _get(key_id)
    if old.revoked_at is not None:
        db.session.rollback()
        raise KeyOver("This key was replaced or revoked before. Look at the list for the one in its place.")
    row, key = service_keys.add(old.name, now, old.scope)
    old.revoked_at = now + timedelta(hours=hours)
    by.note("key-replaced", now, thing=old.id, after={"by": row.id, "works_until": old.revoked_at.isoformat()})
    db.session.commit()
    log.info("service_key_replaced", service=old.id, by=row.id, hours=hours)
    return row, key


def revoke(key_id: str, by: By, now: datetime) -> None:
    """Ends a key at once, also one that was replaced and still works. Commits. Raises NoKey and KeyOver."""
    row = _get(key_id)
    if row.revoked_at is not None and row.revoked_at <= now:
        db.session.rollback()
        raise KeyOver("This key was revoked before.")
    row.revoked_at = now
    by.note("key-revoked", now, thing=row.id)
    db.session.commit()
    log.info("service_key_revoked", service=row.id)


def revoke_named(id_or_name: str, by: By, now: datetime) -> list[ServiceKey]:
    """Ends the live key of this id, or all live keys of this name; none where there is none. Commits nothing."""
    rows = service_keys.revoke(id_or_name, now)
    for row in rows:
        by.note("key-revoked", now, thing=row.id)
    return rows


def make_signing(by: By, now: datetime) -> SigningKey:
    """A key that signs at once if it is the first, else when verifiers know it. Commits nothing. Raises OtherSecret."""
    row = keyring.generate(now)
    by.note("signing-key-made", now, thing=row.kid, after={"signs_from": row.signs_from.isoformat()})
    return row


def end_signing(kid: str, withdraw: bool, by: By, now: datetime) -> None:
    """Ends signing with a key, or, to ``withdraw`` it, all that it signed as well. Commits.

    Raises NotFound, and LastKey where no other key signs yet.
    """
    if withdraw:
        keyring.withdraw(kid)
    else:
        keyring.retire(kid, now)
    by.note("signing-key-withdrawn" if withdraw else "signing-key-retired", now, thing=kid)
    db.session.commit()


def rotate_signing(by: By, now: datetime) -> tuple[SigningKey, bool]:
    """The key that signs next, and whether it was made now. Commits. Raises OtherSecret."""
    row, made = rotation.rotate(now)
    if made:
        by.note("signing-key-made", now, thing=row.kid, after={"signs_from": row.signs_from.isoformat()})
    db.session.commit()
    return row, made


def _get(key_id: str) -> ServiceKey:
    row = service_keys.get(key_id)
    if row is None:
        raise NoKey(_NO_KEY)
    return row


def _state(row: ServiceKey, now: datetime) -> str:
    if row.revoked_at is None:
        return "live"
    return "ending" if row.revoked_at > now else "revoked"
