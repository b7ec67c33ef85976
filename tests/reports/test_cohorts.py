"""Retention by month of joining: readers, not rows, at the end of the newsroom's months, as a plain walk tells it."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.entitlements import Terms
from paywall.reports.calendar import Month
from paywall.reports.cohort_sums import Cohort, cohorts
from paywall.storage.database import db
from tests.support.builders import NOW, make_entitlement, make_reader, make_terms, save

ASKED_OF_POSTGRESQL = frozenset({"test_the_cohorts_are_those_of_a_plain_walk"})

ZONES = ["America/New_York", "Pacific/Kiritimati"]
MONTHS = 4  # August to November 2026
EDGES = [datetime(2026, month, 1, tzinfo=ZoneInfo(zone)) for month in (8, 9, 10, 11) for zone in ZONES] + [NOW]
moments = st.builds(
    lambda edge, seconds: (edge + timedelta(seconds=seconds)).astimezone(UTC),
    st.sampled_from(EDGES),
    st.sampled_from([-40 * 86400, -1, 0, 1, 40 * 86400]),
)
stays = st.tuples(st.integers(0, 2), st.sampled_from(["subscription", "subscription", "comp"]), moments, moments)


def terms(start: datetime, until: datetime) -> Terms:
    return make_terms(starts_at=start, paid_until=until, until=until)


def ends_of(months: list[Month], zone: ZoneInfo) -> list[datetime]:
    first_days = [month.plus(1).first_day for month in months]
    return [datetime(day.year, day.month, 1, tzinfo=zone) for day in first_days[:-1]] + [NOW]


def plain(rows: list[tuple], zone: ZoneInfo) -> list[Cohort]:
    """One reader after the other, one month after the other."""
    months = [Month(2026, number) for number in range(12 - MONTHS, 12)]
    ends = ends_of(months, zone)
    by_reader = defaultdict(list)
    for reader, source, start, until in rows:
        if source == "subscription" and start < until and start <= NOW:
            by_reader[reader].append((start, until))
    joined = {reader: Month.of(min(spans)[0], zone) for reader, spans in by_reader.items()}
    found = []
    for index, month in enumerate(months):
        whose = [by_reader[reader] for reader, own in joined.items() if own == month]
        there = [
            sum(
                any(start <= end and (start < end or end == NOW) and until > end for start, until in one)
                for one in whose
            )
            for end in ends[index:]
        ]
        found.append(Cohort(month, len(whose), there))
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(stays, min_size=1, max_size=10), st.sampled_from(ZONES).map(ZoneInfo))
def test_the_cohorts_are_those_of_a_plain_walk(app: OpenAPI, rows: list[tuple], zone: ZoneInfo) -> None:
    """Several entitlements of one reader, beside each other or with a gap, count once in a month."""
    now = NOW.astimezone(zone)
    assert (now.year, now.month) == (2026, 11)
    try:
        readers = [make_reader(None) for _ in range(3)]
        for reader, source, start, until in rows:
            make_entitlement(readers[reader], terms(start, until), source=source)
        assert cohorts(MONTHS, zone, NOW) == plain(rows, zone)
    finally:
        db.session.rollback()


def test_who_was_away_between_counts_as_retained_again(app: OpenAPI) -> None:
    reader = make_reader()
    for start, end in ((date(2026, 8, 5), date(2026, 9, 5)), (date(2026, 11, 5), date(2027, 11, 5))):
        span = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (start, end)]
        make_entitlement(reader, terms(*span))
    (august, *later) = cohorts(MONTHS, ZoneInfo("America/New_York"), NOW)
    assert (august.readers, august.retained) == (1, [1, 0, 0, 1])
    assert [one.readers for one in later] == [0, 0, 0]


@pytest.fixture
def joined(app: OpenAPI) -> None:
    """Two joined in September, one of them left in October; one joined years ago, and bought again in November."""
    september = datetime(2026, 9, 15, tzinfo=UTC)
    make_entitlement(None, terms(september, september + timedelta(days=365)))
    make_entitlement(None, terms(september, september + timedelta(days=20)))
    old = make_reader()
    make_entitlement(old, terms(september - timedelta(days=900), september - timedelta(days=500)))
    make_entitlement(old, terms(NOW - timedelta(days=2), NOW + timedelta(days=363)))
    save()


@pytest.mark.usefixtures("joined")
def test_page_json_and_csv_say_the_same(staff: FlaskClient) -> None:
    page = staff.get("/admin/cohorts?months=3")
    assert page.status_code == 200
    assert page.text.count('class="shade-10"') == 1
    assert page.text.count('class="shade-5"') == 2
    assert "style=" not in page.text
    rows = staff.get("/v1/reports/cohorts?months=3").json["tables"]["cohorts"]
    assert [
        (one["joined"], one["readers"], one["months_after"], one["retained"], one["retention"]) for one in rows
    ] == [
        ("2026-09", 2, 0, 2, 1),
        ("2026-09", 2, 1, 1, 0.5),
        ("2026-09", 2, 2, 1, 0.5),
    ]
    assert staff.get("/admin/cohorts.csv?months=3").text.splitlines()[1:] == [
        "2026-09,2,0,2,1.0",
        "2026-09,2,1,1,0.5",
        "2026-09,2,2,1,0.5",
    ]


@pytest.mark.parametrize("months", ["0", "61", "-1", "1e1", "\u0663", "x", "999999999999"])
def test_more_months_than_the_bound_are_refused_with_a_word(staff: FlaskClient, months: str) -> None:
    page = staff.get("/admin/cohorts", query_string={"months": months})
    assert page.status_code == 400
    assert "Must be a number from 1 to 60." in page.text


@pytest.mark.parametrize("months", [1, 60])
def test_the_bounds_themselves_are_shown(staff: FlaskClient, months: int) -> None:
    assert staff.get(f"/admin/cohorts?months={months}").text.count('<th scope="row"') == months
