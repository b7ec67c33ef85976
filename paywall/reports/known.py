"""The entitlements as they were known on a past day: each as the ledger had it by the end of that day."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, not_, select
from sqlalchemy.orm import aliased

from paywall.reports.calendar import span_so_far
from paywall.reports.rule import Row
from paywall.storage.models import Entitlement, LedgerEntry


def end_of(as_of: date | None, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment that a report speaks of: the end of the newsroom's day, or now where that is not over."""
    return span_so_far(as_of, as_of, zone, now).by if as_of else now


def rows(as_of: date | None, zone: ZoneInfo, now: datetime) -> Row:
    """The table, or what stands for its rows as they were known on a day.

    Of each entitlement that was there, the last entry that had been learned by then; no summary is asked. An old entry
    that names no plan has today's.
    """
    if as_of is None:
        return Entitlement
    row, entry, before = Entitlement, LedgerEntry, span_so_far(as_of, as_of, zone, now).before
    later = aliased(LedgerEntry)
    # said so, the database may begin at the entries too, where few of them are what the filters want
    overtaken = exists().where(
        later.entitlement_id == entry.entitlement_id, later.id > entry.id, later.learned_at < before
    )
    dates = (entry.starts_at, entry.paid_until, entry.until, entry.lapse, entry.in_dunning, entry.hold, entry.renews)
    plan = func.coalesce(entry.plan, row.plan).label("plan")
    found = select(
        row.id, entry.reader_id, plan, row.source, row.source_id, entry.state, entry.reason, *dates, row.created_at
    )
    found = found.join(entry, entry.entitlement_id == row.id)
    found = found.where(row.created_at < before, entry.learned_at < before, not_(overtaken))
    return aliased(Entitlement, found.subquery("known"), adapt_on_names=True)
