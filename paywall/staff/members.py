"""Who is staff, and in which role: given, changed, taken; each change is noted, and one admin always stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from paywall import context, second_factor
from paywall.domain.roles import Role
from paywall.errors import Conflict, NotFound
from paywall.mail import letterbox, postman
from paywall.staff.doing import By
from paywall.storage import factors, revocations, sessions
from paywall.storage import staff as rows
from paywall.storage.database import db
from paywall.storage.models import Reader

log = structlog.get_logger("paywall.staff")


class NotStaff(NotFound):
    """The one that is meant has no role, or not any more."""

    code, title = "not_staff", "Nobody on the staff"


class LastAdmin(Conflict):
    """Nobody would be left who can change anything."""

    code, title = "last_admin", "The last admin stays"


class NoFactor(Conflict):
    """There is nothing to reset."""

    code, title = "no_second_factor", "No second factor"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on the staff as the page shows them."""

    id: str
    email: str
    role: str
    signed_in: bool  # has proved the mailbox, once
    has_factor: bool


def everyone() -> list[Member]:
    """All staff, in the order of their addresses."""
    have = {row.reader_id for row in factors.every() if row.confirmed_at is not None}
    return [
        Member(row.id, row.email or "", row.role or "", row.email_verified_at is not None, row.id in have)
        for row in rows.everyone()
    ]


def give(email: str, role: Role, by: By, now: datetime) -> Reader:
    """Gives the owner of an address a role, or another one in place of the one they have. Commits.

    Who had none is told so by mail. Raises BadEmail, and LastAdmin where it would take the last admin's.
    """
    rows.lock()
    before = {row.id: row.role for row in rows.everyone()}
    row = rows.add(email, role, now)
    if before.get(row.id) == Role.ADMIN and role is not Role.ADMIN:
        _keep_an_admin(row)
    if before.get(row.id) != role:
        was = before.get(row.id)
        action_id = by.note("role-changed", now, subject=row.id, before={"role": was}, after={"role": str(role)})
        if was is None:
            letterbox.post_invited(row.email or "", action_id, by.role, now, row.id)
        log.info("role_given", reader=row.id, role=str(role))
    db.session.commit()
    postman.call()
    return row


def change(reader_id: str, role: Role, by: By, now: datetime) -> Reader:
    """Gives somebody on the staff another role. Commits. Raises NotStaff and LastAdmin."""
    rows.lock()
    row = _get(reader_id)
    before = row.role
    if before == Role.ADMIN and role is not Role.ADMIN:
        _keep_an_admin(row)
    row.role = role
    if before != role:
        by.note("role-changed", now, subject=row.id, before={"role": before}, after={"role": str(role)})
        log.info("role_given", reader=row.id, role=str(role))
    db.session.commit()
    return row


def remove(reader_id: str, by: By, now: datetime) -> None:
    """Takes a role away, at once, and the second factor with it. Commits. Raises NotStaff and LastAdmin."""
    rows.lock()
    row = _get(reader_id)
    if row.role == Role.ADMIN:
        _keep_an_admin(row)
    _release([row], by, now)


def remove_under(email: str, by: By, now: datetime) -> int:
    """The same for whoever has the address, on the server: also the last admin. Returns how many. Raises BadEmail."""
    rows.lock()
    found = rows.under(email)
    _release(found, by, now)
    return len(found)


def reset_factor(found: Sequence[Reader], by: By, now: datetime) -> None:
    """Takes second factors away, so that their owners set up others. Commits. Raises NoFactor where there is none.

    Their browsers are signed out: whoever has the lost one must not be the first to set up another factor.
    """
    reset = [row for row in found if second_factor.reset(row.id)]
    if not reset:
        raise NoFactor("Nobody here has a second factor: there is nothing to reset.")
    for row in reset:
        sessions.end_of(row.id, now)
        revocations.of_reader(row.id, "staff", now)
        by.note("second-factor-reset", now, subject=row.id)
    db.session.commit()


def member(reader_id: str) -> Reader:
    """Somebody on the staff. Raises NotStaff."""
    return _get(reader_id)


def _get(reader_id: str) -> Reader:
    row = rows.get(reader_id)
    if row is None:
        raise NotStaff("There is nobody on the staff with this number, or not any more. Look at the list again.")
    return row


def _release(found: Sequence[Reader], by: By, now: datetime) -> None:
    for row in found:
        by.note("role-changed", now, subject=row.id, before={"role": row.role}, after={"role": None})
        rows.release(row)
        log.info("role_taken", reader=row.id)
    db.session.commit()


def _keep_an_admin(row: Reader) -> None:
    """One who could act: somebody who was invited and never came cannot."""
    needed = context.settings().staff.second_factor == "required"
    if rows.admins_but(row.id, with_factor=needed) == 0:
        db.session.rollback()
        counts = "signing in and setting up a second factor" if needed else "signing in"
        raise LastAdmin(
            "No other admin could act, so nobody could undo it. Make somebody else admin first; "
            f"who was invited counts after {counts}."
        )
