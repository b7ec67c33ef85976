"""The one writer of access that is given free of charge: grants, and the entitlements that they give."""

from collections.abc import Collection, Mapping
from datetime import datetime

import structlog

from paywall import context
from paywall.domain.entitlements import Access
from paywall.domain.grants import terms_of
from paywall.domain.plans import Plan
from paywall.storage import aliases, entitlements, grants, revocations
from paywall.storage.entitlements import Cause, Source
from paywall.storage.grants import Grant

log = structlog.get_logger("paywall.granting")


def give(reader_id: str, plan: str, until: datetime, cause: Cause, now: datetime) -> Grant:
    """Access from now up to, not including, ``until``. Lock the reader first. Commits nothing."""
    row = grants.add(reader_id, plan, now, until)
    _decide(row, cause, now)
    return row


def change(row: Grant, until: datetime, ended_at: datetime | None, cause: Cause, now: datetime) -> None:
    """Gives a grant another end, or ends it, or goes on with it. Lock it first. Commits nothing."""
    row.until, row.ended_at = until, ended_at
    _decide(row, cause, now)


def end_all(ids: Collection[str], cause: Cause, now: datetime) -> None:
    """Ends what these readers still have. Commits nothing."""
    for row in grants.of_readers(ids):
        if row.ended_at is None and row.until > now:
            change(row, row.until, now, cause, now)


def _decide(row: Grant, cause: Cause, now: datetime) -> None:
    """Writes down what the grant gives, and takes back tokens where that is less than before (I6)."""
    before = _access(row, now)
    entry = entitlements.save(Source(grants.SOURCE, row.id, row.reader_id, row.plan), terms_of(row.facts), cause, now)
    if entry is None:
        return
    revocations.of_what_is_lost(row.reader_id, entry.reason, before, _access(row, now), now)
    ids = {"reader": row.reader_id, "grant": row.id, "cause": cause.kind, "cause_id": cause.id}
    log.info("entitlement_changed", change=entry.change, state=entry.state, reason=entry.reason, **ids)


def _access(row: Grant, now: datetime) -> Access:
    plans: Mapping[str, Plan] = context.settings().plans
    return entitlements.access_of(aliases.current_id(row.reader_id), plans, now)
