"""Made-up histories for tests: few readers to whom much happens, as rows by table."""

from collections import defaultdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from paywall.domain.plans import Plan
from paywall.seeding import history
from paywall.seeding.habits import EVENTFUL, Habits
from paywall.seeding.purchase import Rows, World

NOW = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)  # noon in New York
NEW_YORK = ZoneInfo("America/New_York")
PLAN = Plan(
    key="annual",
    name="Everything",
    amount=10_000,
    currency="usd",
    interval="year",
    product="paywall_annual",
    lookup_key="paywall_annual_usd_10000",
    features=("news",),
    renewal_slack_days=3,
    grace_days=14,
)


def rows_of(
    readers: int,
    seed: int = 1,
    *,
    years: int = 5,
    habits: Habits = EVENTFUL,
    now: datetime = NOW,
    zone: ZoneInfo = NEW_YORK,
    clock: bool = True,
) -> Rows:
    """All rows of a history by table; the ledger numbered, in the order in which it was learned."""
    found: Rows = defaultdict(list)
    for _, rows in history.batches(readers, years, seed, World(PLAN, zone, now, habits, clock)):
        for table, made in rows.items():
            found[table] += made
    found["ledger"].sort(key=lambda row: row["learned_at"])
    for number, row in enumerate(found["ledger"], 1):
        row["id"] = number
    return found
