"""What reports say of a generated history is what plain Python makes of the ledger, and what DuckDB makes of a file.

Neither shares any code with the reports: see tests/support/recomputed.py.
"""

import importlib
import json
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.reports import rollup
from paywall.storage.database import db
from tests.conftest import FrozenClock
from tests.support import recomputed
from tests.support import rows as all_rows
from tests.support.colleagues import colleague
from tests.support.made_up import NEW_YORK, NOW, rows_of

DAY = timedelta(days=1)
READERS = 100
FIRST = date(2021, 11, 1)  # before anybody joined
TODAY = date(2026, 11, 22)
FLOW = ("opening", "new", "returned", "renewed", "ended", "net", "closing")
CAUSES = ("asked", "card", "refund", "dispute", "erased", "comp", "other")
KEYS = (*FLOW, *(f"ended_{cause}" for cause in CAUSES))

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_the_overview_says_what_the_ledger_says",
        "test_revenue_is_the_sum_of_the_rows_of_money",
        "test_duckdb_finds_the_overview_in_the_exported_file",
    }
)


@pytest.fixture
def history(app) -> recomputed.Rows:
    """The rows of a history that the database holds."""
    all_rows.load(rows_of(READERS))
    return all_rows.dump()


@pytest.fixture
def staff(app, history):
    """A colleague who may see everything."""
    return colleague(app)


def ask(client, report: str, **asked: object) -> dict:
    """The tables of a report, as its JSON has them."""
    answer = client.get(f"/v1/reports/{report}", query_string={key: str(value) for key, value in asked.items()})
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)["tables"]


def check_flow(tables: dict, rows: recomputed.Rows, zone: ZoneInfo = NEW_YORK, now: datetime = NOW) -> None:
    """Each step is what the ledger says, and closes with what the next one opens with (I9)."""
    before, at_hand = None, recomputed.known(rows, now)
    for row in reversed(tables["movements"]):
        first, last = date.fromisoformat(row["first_day"]), date.fromisoformat(row["last_day"])
        wanted = recomputed.flow(rows, first, last, zone, now, at_hand)
        assert {key: row[key] for key in KEYS} == {key: wanted.get(key, 0) for key in KEYS}, row
        assert row["opening"] + row["new"] + row["returned"] - row["ended"] == row["closing"]
        assert before in (None, row["opening"])
        before = row["closing"]


def test_the_overview_says_what_the_ledger_says(staff, history) -> None:
    """Five years by month, with how it stands now and what it is worth; from the rows and from the rollup."""
    asked = {"from": FIRST, "to": TODAY, "by": "month"}
    tables = ask(staff, "overview", **asked)
    check_flow(tables, history)
    assert tables["standing"] == [recomputed.standing(history, NOW)]
    money = recomputed.arr(history, NOW)
    assert tables["money"] == [{"currency": "usd", "arr": money["usd"], "mrr": (money["usd"] + 6) // 12}]
    moved = tables["movements"]
    assert all(sum(row[key] for row in moved) for key in ("new", "returned", "renewed", "ended_asked", "ended_card"))
    rollup.rebuild(NEW_YORK, NOW)
    assert ask(staff, "overview", **asked) == tables


def test_every_step_says_what_the_ledger_says(staff, history) -> None:
    """Days over the change of the clocks on 2 November and on 8 March, weeks over the new year, years."""
    for first, last, by in (
        (date(2025, 10, 20), date(2025, 11, 10), "day"),
        (date(2026, 2, 25), date(2026, 3, 15), "day"),
        (date(2025, 12, 30), TODAY, "week"),
        (FIRST, TODAY, "year"),
    ):
        check_flow(ask(staff, "overview", **{"from": first, "to": last, "by": by}), history)


def test_a_past_day_is_told_as_it_was_known_then(staff, history) -> None:
    for day in (date(2023, 2, 28), date(2025, 11, 2), date(2026, 11, 21)):
        moment = recomputed.midnight(day + DAY, NEW_YORK) - datetime.resolution
        tables = ask(staff, "overview", **{"from": FIRST, "to": day, "by": "month", "as_of": day})
        check_flow(tables, history, now=moment)
        assert tables["standing"] == [recomputed.standing(history, moment)]
        assert {row["currency"]: row["arr"] for row in tables["money"]} == recomputed.arr(history, moment)


def test_the_period_before_is_the_same_as_that_period_by_itself(staff, history) -> None:
    tables = ask(staff, "overview", **{"from": "2026-01-01", "to": "2026-06-30"})
    wanted = recomputed.flow(history, date(2025, 7, 1), date(2025, 12, 31), NEW_YORK, NOW)
    told = {row["figure"].lower().replace(": ", "_"): row["before"] for row in tables["compared"]}
    assert {key: told[key] for key in KEYS} == {key: wanted.get(key, 0) for key in KEYS}


def test_whether_the_worker_writes_down_what_dates_change_alters_no_figure(app) -> None:
    """I9: reports read the rule's dates."""
    told = []
    for clock in (True, False):
        all_rows.load(rows_of(READERS, clock=clock))
        told.append(ask(colleague(app), "overview", **{"from": FIRST, "to": TODAY, "by": "month"}))
    assert told[0] == told[1]


def test_totals_are_the_same_in_every_zone(make_app, clock: FrozenClock) -> None:
    """Of a range that begins before the first purchase, with all that has happened by now."""
    rows, totals = rows_of(READERS), set()
    for zone in ("America/New_York", "Pacific/Pago_Pago", "Pacific/Kiritimati"):
        app = make_app(newsroom={"time_zone": zone})
        with app.app_context():
            all_rows.load(rows)
            today = NOW.astimezone(ZoneInfo(zone)).date()
            tables = ask(colleague(app), "overview", **{"from": FIRST, "to": today, "by": "month"})
            check_flow(tables, all_rows.dump(), ZoneInfo(zone))
            moved = tables["movements"]
            totals.add(tuple(sum(row[key] for row in moved) for key in KEYS if key not in ("opening", "closing")))
            db.session.remove()
    assert len(totals) == 1


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    first=st.dates(date(2021, 11, 22), date(2026, 11, 1)),
    days=st.integers(0, 900),
    by=st.sampled_from(["day", "week", "month", "year"]),
)
def test_any_history_adds_up_in_any_range(app, seed: int, first: date, days: int, by: str) -> None:
    all_rows.load(rows_of(25, seed))
    last = min(first + timedelta(days=min(days, 60) if by == "day" else days), TODAY)
    check_flow(ask(colleague(app), "overview", **{"from": first, "to": last, "by": by}), all_rows.dump())


def test_revenue_is_the_sum_of_the_rows_of_money(staff, history) -> None:
    tables = ask(staff, "revenue", **{"from": FIRST, "to": TODAY, "by": "month"})
    seen: Counter[str] = Counter()
    for row in tables["revenue"]:
        first, last = date.fromisoformat(row["first_day"]), date.fromisoformat(row["last_day"])
        wanted = recomputed.revenue(history, first, last, NEW_YORK).get(row["currency"], {})
        told = {name: row[name] for name in ("charged", "refunded", "disputed")}
        assert told == {name: wanted.get(name, 0) for name in told}
        assert row["net"] == row["charged"] - row["refunded"] - row["disputed"]
        seen.update(told)
    assert seen["charged"] == sum(row["amount"] for row in history["payments"])
    assert all(seen[name] for name in ("refunded", "disputed"))


def test_cohorts_are_what_the_ledger_says(staff, history) -> None:
    told = ask(staff, "cohorts", months=60)["cohorts"]
    found = {
        (date.fromisoformat(f"{row['joined']}-01"), row["months_after"]): (row["readers"], row["retained"])
        for row in told
    }
    wanted = recomputed.cohorts(history, NEW_YORK, NOW)
    assert found == {key: value for key, value in wanted.items() if key[0] >= date(2021, 12, 1)}  # sixty months
    assert len({row["joined"] for row in told}) > 30
    assert any(row["retained"] < row["readers"] for row in told)


def test_failed_renewals_are_what_the_ledger_says(staff, history) -> None:
    tables = ask(staff, "dunning", **{"from": FIRST, "to": TODAY, "by": "month"})
    seen: Counter[str] = Counter()
    for row in tables["failed"]:
        days = (date.fromisoformat(row["first_day"]), date.fromisoformat(row["last_day"]))
        wanted = recomputed.failures(history, *days, NEW_YORK, NOW)
        assert {name: row[name] for name in wanted} == wanted, row
        seen.update(wanted)
    assert all(seen[name] for name in ("recovered", "paid_too_late", "lost")), seen


_FROM_FILE = """
WITH ran AS (
    SELECT *, row_number() OVER (PARTITION BY reader_id ORDER BY starts_at, entitlement_id) = 1 AS first_one
    FROM read_csv(?, header = true, all_varchar = true)
    WHERE source <> 'comp' AND starts_at <> '' AND starts_at < until
)
SELECT m,
    count(*) FILTER (first_day >= m AND first_day < following AND first_one),
    count(*) FILTER (first_day >= m AND first_day < following AND NOT first_one),
    count(*) FILTER (last_day >= m AND last_day < following AND until <= as_of),
    count(*) FILTER (first_day < following AND (last_day >= following OR until > as_of))
FROM ran, (
    SELECT strftime(month, '%Y-%m-%d') AS m, strftime(month + INTERVAL 1 MONTH, '%Y-%m-%d') AS following
    FROM range(DATE '2021-11-01', DATE '2026-11-02', INTERVAL 1 MONTH) AS months(month)
)
GROUP BY m ORDER BY m
"""


@pytest.fixture
def sql():
    """DuckDB; what is loaded before the tests begin would be complained of at the end of their process."""
    return importlib.import_module("duckdb").execute


@pytest.fixture
def exported(staff, tmp_path) -> str:
    """The file of all entitlements, as staff download it."""
    file = tmp_path / "entitlements.csv"
    answer = staff.get("/admin/entitlements.csv")
    assert answer.status_code == 200
    file.write_bytes(answer.data)
    return str(file)


def test_duckdb_finds_the_overview_in_the_exported_file(staff, exported, sql) -> None:
    """By month: new, returned, ended, closing."""
    tables = ask(staff, "overview", **{"from": FIRST, "to": TODAY, "by": "month"})
    told = [
        (row["first_day"], row["new"], row["returned"], row["ended"], row["closing"]) for row in tables["movements"]
    ]
    assert sql(_FROM_FILE, [exported]).fetchall() == told[::-1]


_WHO_READS = """
SELECT count(*), count(DISTINCT reader_id) FILTER (source <> 'comp' AND state IN ('active', 'grace'))
FROM read_csv(?, header = true, all_varchar = true)
"""


def test_duckdb_finds_who_may_read_in_the_exported_file(staff, exported, history, sql) -> None:
    number, paying = sql(_WHO_READS, [exported]).fetchone()
    assert number == len(history["entitlements"])
    assert paying == ask(staff, "overview")["standing"][0]["paying"] > READERS / 4
