"""The figures of the overview, against a recomputation in plain Python."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.days import last_day, local_day
from paywall.domain.entitlements import Reason, Terms, end_of_day
from paywall.domain.lifecycle import State
from paywall.reports import queries
from paywall.reports.calendar import Month
from paywall.reports.filters import Filters
from paywall.reports.rule import Movement
from paywall.storage.database import db
from paywall.storage.models import Entitlement
from tests.support.builders import NOW, make_entitlement, make_reader, make_terms, save

NEW_YORK = ZoneInfo("America/New_York")
ZONES = ("UTC", "America/New_York", "Pacific/Niue", "Pacific/Kiritimati")
MIDNIGHT = datetime(2026, 11, 1, 4, tzinfo=UTC)  # November begins in New York


def months(zone: ZoneInfo = NEW_YORK, number: int = 12) -> list[queries.MonthFigures]:
    return queries.months(Month.of(NOW, zone), number, zone, NOW)


def figures(month: queries.MonthFigures) -> tuple[int, int, int, int, int]:
    return month.opening, month.new, month.returned, month.ended, month.closing


def test_standing_counts_each_state_now(app: OpenAPI) -> None:
    for terms in (
        make_terms(),
        make_terms(hold=Reason.DISPUTED),
        make_terms(paid_until=NOW - timedelta(days=2), until=NOW + timedelta(days=2), in_dunning=True),
        make_terms(paid_until=NOW, until=NOW, lapse=Reason.REFUNDED),
        make_terms(starts_at=None, paid_until=None, until=None, lapse=Reason.NEVER_PAID),
        make_terms(starts_at=None, paid_until=None, until=None, lapse=Reason.NOT_PAID_YET),
    ):
        make_entitlement(terms=terms)
    standing = queries.standing(NOW)
    wanted = {State.ACTIVE: 1, State.SUSPENDED: 1, State.GRACE: 1, State.ENDED: 2, State.PENDING: 1}
    assert (standing.states, standing.never_paid) == (wanted, 1)


def test_an_empty_table_stands_at_zero(app: OpenAPI) -> None:
    assert set(queries.standing(NOW).states.values()) == {0}
    assert {figures(month) for month in months()} == {(0, 0, 0, 0, 0)}


def test_running_the_expiry_job_or_not_changes_no_figure(app: OpenAPI) -> None:
    """The stored state is a note of the past: whatever it says, the figures are the same."""
    for days in (10, 200, 364, 400):
        began = NOW - timedelta(days=days)
        make_entitlement(terms=make_terms(began, until=began + timedelta(days=368)), now=began)
    before = queries.standing(NOW), months()
    db.session.execute(sa.update(Entitlement).values(state="ended", reason="period_over"))
    assert (queries.standing(NOW), months()) == before
    assert before[0].states[State.ACTIVE] == 3


def test_a_month_opens_with_what_the_one_before_closed_with(app: OpenAPI) -> None:
    make_entitlement(terms=make_terms(starts_at=MIDNIGHT - timedelta(days=40), until=MIDNIGHT - timedelta(days=3)))
    make_entitlement(terms=make_terms(starts_at=MIDNIGHT - timedelta(days=5)))
    make_entitlement(terms=make_terms(starts_at=MIDNIGHT + timedelta(days=5)))
    november, october, *_ = months()
    assert figures(october) == (1, 1, 0, 1, 1)
    assert figures(november) == (1, 1, 0, 0, 2)
    assert (november.running, october.running) == (True, False)


@pytest.mark.parametrize(
    ("change", "october", "november"),
    [
        ({"starts_at": MIDNIGHT}, (0, 0), (1, 0)),
        ({"starts_at": MIDNIGHT - datetime.resolution}, (1, 0), (0, 0)),
        ({"until": MIDNIGHT}, (1, 1), (0, 0)),
        ({"until": MIDNIGHT + datetime.resolution}, (1, 0), (0, 1)),
        ({"starts_at": NOW}, (0, 0), (1, 0)),
        ({"starts_at": NOW + datetime.resolution}, (0, 0), (0, 0)),
        ({"until": NOW}, (1, 0), (0, 1)),
        ({"until": NOW + datetime.resolution}, (1, 0), (0, 0)),
    ],
)
def test_a_moment_on_the_border_of_a_month(
    app: OpenAPI, change: dict, october: tuple[int, int], november: tuple[int, int]
) -> None:
    """What starts at midnight starts in the new month; what ends at midnight ended in the old; the future is out."""
    make_entitlement(terms=make_terms(**{"starts_at": MIDNIGHT - timedelta(days=20), **change}))
    this, before, *_ = months()
    assert ((before.new, before.ended), (this.new, this.ended)) == (october, november)
    for month in (this, before):
        for movement in Movement:
            rows = queries.count(Filters(movement=movement, month=month.month), NEW_YORK, NOW)
            assert rows == getattr(month, movement), (month, movement)


def test_months_follow_the_zone_of_the_newsroom(app: OpenAPI) -> None:
    """One start at 10:30 UTC on 31 October: November has begun at UTC+14, and is far away at UTC-11."""
    make_entitlement(terms=make_terms(starts_at=datetime(2026, 10, 31, 10, 30, tzinfo=UTC)))
    by_zone = {zone: [month.new for month in months(ZoneInfo(zone))[:2]] for zone in ZONES}
    assert by_zone.pop("Pacific/Kiritimati") == [1, 0]
    assert set(map(tuple, by_zone.values())) == {(0, 1)}


# Starts over sixteen months; days of access from an instant refund up to a year and its slack
purchases = st.tuples(st.integers(0, 3), st.integers(0, 480 * 24), st.sampled_from([0, 1, 20, 60, 365, 368]))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(purchases, max_size=14), st.sampled_from(ZONES))
def test_the_figures_equal_a_recomputation_and_lead_to_their_rows(
    app: OpenAPI, bought: list[tuple[int, int, int]], zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    try:
        readers = [make_reader(None) for _ in range(4)]
        rows = [make_entitlement(readers[who], _terms(hours, days, zone)) for who, hours, days in bought]
        found = months(zone)
        assert [figures(month) for month in found] == [_recount(rows, month.month, zone) for month in found]
        for month in (found[0], found[5]):
            for movement in Movement:
                wanted = Filters(movement=movement, month=month.month)
                assert queries.count(wanted, zone, NOW) == getattr(month, movement)
        states = queries.standing(NOW).states
        assert found[0].closing == states[State.ACTIVE] + states[State.GRACE] + states[State.SUSPENDED]
    finally:
        db.session.rollback()


def _terms(hours: int, days: int, zone: ZoneInfo) -> Terms:
    start = NOW - timedelta(hours=hours)
    until = end_of_day(start, zone, days) if days else start
    return make_terms(starts_at=start, paid_until=until, until=until)


def _recount(rows: list[Entitlement], month: Month, zone: ZoneInfo) -> tuple[int, int, int, int, int]:
    """Day by day: a start counts in the month of its day, an end in the month of the last day of access."""
    ran = sorted((r for r in rows if r.starts_at < r.until), key=lambda r: (r.starts_at, r.id))
    first = {}
    for row in ran:
        first.setdefault(row.reader_id, row.id)
    tally = Counter()
    for row in ran:
        began = local_day(row.starts_at, zone)
        if (began.year, began.month) == (month.year, month.number):
            tally["new" if first[row.reader_id] == row.id else "returned"] += 1
        tally["opening"] += began < month.first_day
        if row.until <= NOW:
            ended = last_day(row.until, zone)
            tally["ended"] += (ended.year, ended.month) == (month.year, month.number)
            tally["opening"] -= ended < month.first_day
    closing = tally["opening"] + tally["new"] + tally["returned"] - tally["ended"]
    return tally["opening"], tally["new"], tally["returned"], tally["ended"], closing


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_report_cannot_write(app: OpenAPI) -> None:
    """PostgreSQL refuses in the transaction itself (SQLite has no such transactions)."""
    queries.begin()
    with pytest.raises(sa.exc.InternalError, match="read-only"):
        make_entitlement()
    db.session.rollback()


def test_the_figures_of_one_page_come_from_one_view(app: OpenAPI) -> None:
    """A row that another request commits between two queries of a page is in neither."""
    queries.begin()
    assert queries.standing(NOW).states[State.ACTIVE] == 0
    with app.app_context():
        save(make_entitlement())
    assert queries.standing(NOW).states[State.ACTIVE] == 0
    db.session.rollback()
    assert queries.standing(NOW).states[State.ACTIVE] == 1


def test_a_report_waits_for_no_writer(app: OpenAPI) -> None:
    """A page is read while another request holds an open write."""
    with app.app_context():
        make_entitlement()
        with app.app_context():
            queries.begin()
            assert queries.standing(NOW).states[State.ACTIVE] == 0
        save()
