"""The entitlements as they were known on a past day: each as the ledger had it by the end of that day."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from paywall.reports.calendar import Span, span_so_far
from paywall.reports.rule import Row
from paywall.storage.models import Entitlement, LedgerEntry
from paywall.storage.periods import LedgerPeriod, held


def end_of(as_of: date | None, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment that a report speaks of: the end of the newsroom's day, or now where that is not over."""
    return span_of(as_of, zone, now).by if as_of else now


def span_of(as_of: date, zone: ZoneInfo, now: datetime) -> Span:
    """The day: what was learned ``before`` its end was known, and is told as it stood ``by`` then."""
    return span_so_far(as_of, as_of, zone, now)


def rows(as_of: date | None, zone: ZoneInfo, now: datetime) -> Row:
    """The table, or what stands for its rows as they were known on a day.

    Of each entitlement that was there, the last entry that had been learned by then; no rollup is asked. An old entry
    that names no plan has today's.
    """
    if as_of is None:
        return Entitlement
    row, entry, period = Entitlement, LedgerEntry, LedgerPeriod
    found = select(
        row.id, row.created_at, row.source, func.coalesce(entry.plan, row.plan).label("plan"), row.source_id, *_SAID
    )
    found = found.join(period, period.entitlement_id == row.id).join(entry, entry.id == period.entry_id)
    return _standing_for(found.where(held(span_of(as_of, zone, now).before)))


def listed(as_of: date, zone: ZoneInfo, now: datetime) -> Row:
    """The same rows for the order and the groups of a list: what it goes by is taken from where its indexes are."""
    row, entry, period = Entitlement, LedgerEntry, LedgerPeriod
    own = (period.entitlement_id.label("id"), period.source, period.plan, period.state, period.reason, period.renews)
    dates = (period.created_at, period.starts_at, period.until, period.learned_at, period.lasted)
    said = [one for one in _SAID if one.key not in ("state", "reason", "renews", "starts_at", "until")]
    # outer joins, because a database leaves those out of which nothing is asked
    found = select(*own, *dates, row.source_id, *said).outerjoin(row, row.id == period.entitlement_id)
    found = found.outerjoin(entry, entry.id == period.entry_id)
    return _standing_for(found.where(held(span_of(as_of, zone, now).before)))


_SAID = tuple(
    getattr(LedgerEntry, name)
    for name in (
        "reader_id", "state", "reason", "starts_at", "paid_until", "until", "lapse", "in_dunning", "hold", "renews",
    )
)  # fmt: skip


def _standing_for(found: Select[*tuple[Any, ...]]) -> Row:
    return aliased(Entitlement, found.subquery("known"), adapt_on_names=True)
