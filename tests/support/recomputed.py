"""The reports' figures computed anew from the rows of the ledger, in plain Python: no SQL, and no code of the reports.

What each figure means stands in docs/reports.md; this follows those sentences and nothing else.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Rows = dict[str, list[Row]]

DAY = timedelta(days=1)
SKEW = timedelta(minutes=5)  # what starts so soon lets in already
CAUSES = {
    "canceled": "asked",
    "payment_failed": "card",
    "refunded": "refund",
    "disputed": "dispute",
    "dispute_lost": "dispute",
}


@dataclass(frozen=True)
class Known:
    """An entitlement as the ledger knew it at a moment."""

    id: str
    reader: str
    paid: bool
    entry: Row
    erased: bool

    @property
    def ran(self) -> bool:
        """Whether it was paid for and its access began before it ended."""
        starts, until = self.entry["starts_at"], self.entry["until"]
        return self.paid and starts is not None and until is not None and starts < until

    @property
    def cause(self) -> str:
        """Why it ends, in a word."""
        lapse = str(self.entry["lapse"])
        return "erased" if self.erased and lapse == "canceled" else CAUSES.get(lapse, "other")

    def state(self, now: datetime) -> str:
        """By its dates alone."""
        entry = self.entry
        if entry["until"] is None or entry["starts_at"] - SKEW > now or entry["until"] <= now:
            return "out"
        if entry["hold"] is not None:
            return "held"
        return "grace" if entry["in_dunning"] and entry["paid_until"] <= now else "active"


def known(rows: Rows, learned_by: datetime) -> list[Known]:
    """The last entry of each entitlement that was learned by a moment."""
    paid = {row["id"]: row["source"] != "comp" for row in rows["entitlements"]}
    entries: dict[str, list[Row]] = defaultdict(list)
    for entry in sorted(rows["ledger"], key=lambda one: one["id"]):
        if entry["learned_at"] <= learned_by:
            entries[entry["entitlement_id"]].append(entry)
    return [
        Known(name, found[-1]["reader_id"], paid[name], found[-1], any(one["cause"] == "erasure" for one in found))
        for name, found in entries.items()
    ]


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of the newsroom's day."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def flow(
    rows: Rows, first: date, last: date, zone: ZoneInfo, now: datetime, at_hand: list[Known] | None = None
) -> dict[str, int]:
    """What the days from ``first`` to ``last`` began with, won, lost and ended with, as known ``now``.

    ``at_hand`` is what ``known`` says of that moment, for whoever asks of many steps.
    """
    since, end = midnight(first, zone), min(midnight(last + DAY, zone), now + datetime.resolution)
    by = min(midnight(last + DAY, zone), now)
    runs = [one for one in at_hand or known(rows, now) if one.ran]
    began: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for one in runs:
        began[one.reader].append((one.entry["starts_at"], one.id))
    found = Counter({"opening": sum(one.entry["starts_at"] < since < one.entry["until"] for one in runs)})
    for one in runs:
        if since <= one.entry["starts_at"] < end:
            found["new" if min(began[one.reader]) == (one.entry["starts_at"], one.id) else "returned"] += 1
        if since < one.entry["until"] <= by:
            found["ended"] += 1
            found[f"ended_{one.cause}"] += 1
    found["closing"] = sum(one.entry["starts_at"] < end and one.entry["until"] > by for one in runs)
    found["net"] = found["new"] + found["returned"] - found["ended"]
    found["renewed"] = sum(
        entry["change"] in ("renewed", "recovered") and since <= entry["effective_at"] < end
        for entry in rows["ledger"]
        if entry["learned_at"] <= now
    )
    return dict(found)


def standing(rows: Rows, now: datetime) -> dict[str, int]:
    """Persons at a moment."""
    states: dict[str, set[tuple[str, bool]]] = defaultdict(set)
    every: dict[str, set[str]] = defaultdict(set)
    for one in known(rows, now):
        every[one.reader].add(one.state(now))
        if one.paid:
            states[one.reader].add((one.state(now), bool(one.entry["renews"])))
    lets_in = {"active", "grace"}
    paying = {reader for reader, found in states.items() if lets_in & {state for state, _ in found}}
    renewing = {reader for reader, found in states.items() if any(s in lets_in and r for s, r in found)}
    active = {reader for reader, found in states.items() if any(state == "active" for state, _ in found)}
    return {
        "paying": len(paying),
        "grace": len(paying - active),
        "ending": len(paying - renewing),
        "held": sum(any(state == "held" for state, _ in found) for found in states.values()),
        "comped": sum(bool(lets_in & found) for found in every.values()) - len(paying),
    }


def arr(rows: Rows, now: datetime) -> dict[str, int]:
    """What a year of everything paid costs that lets somebody in, by currency, in minor units; all plans are yearly."""
    found: Counter[str] = Counter()
    for one in known(rows, now):
        if one.paid and one.state(now) in ("active", "grace"):
            found[one.entry["currency"]] += one.entry["amount"]
    return dict(found)


def revenue(rows: Rows, first: date, last: date, zone: ZoneInfo) -> dict[str, dict[str, int]]:
    """What was charged, given back and taken back in these days, by currency, in minor units."""
    since, end = midnight(first, zone), midnight(last + DAY, zone)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    counted = {
        "charged": ("payments", "paid_at", None),
        "refunded": ("refunds", "created_at", {"succeeded", "pending"}),
        "disputed": ("disputes", "created_at", {"needs_response", "under_review", "lost"}),
    }
    for name, (table, moment, statuses) in counted.items():
        for row in rows.get(table, []):
            if since <= row[moment] < end and (statuses is None or row["status"] in statuses):
                found[row["currency"]][name] += row["amount"]
    return {currency: dict(amounts) for currency, amounts in found.items()}


def cohorts(rows: Rows, zone: ZoneInfo, now: datetime) -> dict[tuple[date, int], tuple[int, int]]:
    """By the month in which readers joined and how many months later: how many they were, and how many were there.

    That is when the later month ended, or now.
    """
    runs = [one for one in known(rows, now) if one.ran and one.entry["starts_at"] <= now]
    joined: dict[str, datetime] = {}
    for one in runs:
        joined[one.reader] = min(one.entry["starts_at"], joined.get(one.reader, one.entry["starts_at"]))
    members: dict[date, set[str]] = defaultdict(set)
    for reader, moment in joined.items():
        members[moment.astimezone(zone).date().replace(day=1)].add(reader)
    found = {}
    for month, mine in members.items():
        last = 12 * (now.astimezone(zone).year - month.year) + now.astimezone(zone).month - month.month
        for after in range(last + 1):
            end = min(midnight(_months_later(month, after + 1), zone), now)
            there = {one.reader for one in runs if one.entry["starts_at"] < end < one.entry["until"]}
            found[month, after] = len(mine), len(mine & there)
    return found


def _months_later(month: date, months: int) -> date:
    years, index = divmod(month.month - 1 + months, 12)
    return date(month.year + years, index + 1, 1)


def failures(rows: Rows, first: date, last: date, zone: ZoneInfo, now: datetime) -> dict[str, int]:
    """What became of the renewals whose paid period ended in these days and that failed."""
    since, before = midnight(first, zone), midnight(last + DAY, zone)
    entries: dict[str, list[Row]] = defaultdict(list)
    for entry in sorted(rows["ledger"], key=lambda one: one["id"]):
        entries[entry["entitlement_id"]].append(entry)
    found = Counter(dict.fromkeys(("failed", "recovered", "paid_too_late", "lost", "still_in_grace"), 0))
    for told in entries.values():
        for end in {one["paid_until"] for one in told if one["in_dunning"]}:
            if since <= end < before and end <= now:
                found["failed"] += 1
                found[_fate(told, end, now)] += 1
    return dict(found)


def _fate(entries: list[Row], end: datetime, now: datetime) -> str:
    failing = [one for one in entries if one["in_dunning"] and one["paid_until"] == end]
    until = failing[-1]["until"]
    paid = [one for one in entries if one["paid_until"] and one["paid_until"] > end and one["id"] > failing[-1]["id"]]
    if paid:
        return "recovered" if paid[0]["learned_at"] < until else "paid_too_late"
    return "still_in_grace" if entries[-1] is failing[-1] and until > now else "lost"
