"""The overview: its figures on the borders of days and steps, over one view of the database, leading to their rows."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from werkzeug.datastructures import MultiDict

from paywall.domain.entitlements import Reason
from paywall.reports import overview, queries, rollup
from paywall.reports.adding_up import Flow, Money
from paywall.reports.causes import EndCause
from paywall.reports.leading import Standing
from paywall.reports.overview import Figures
from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.storage.entitlements import Cause, Source
from paywall.storage.models import Entitlement
from tests.conftest import FrozenClock
from tests.reports.pages import get
from tests.support.builders import NOW, make_entitlement, make_reader, make_subscription, make_terms, save
from tests.support.marks import on_sqlite

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_the_figures_of_one_page_come_from_one_view",
        "test_a_report_waits_for_no_writer",
        "test_a_report_cannot_write",
        "test_a_moment_on_the_border_of_a_month",
        "test_what_was_known_on_a_day_is_made_again_from_the_ledger",
    }
)
DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 1, 4, tzinfo=UTC)  # November begins in New York


def shown(app: OpenAPI, now: datetime = NOW, **asked: str) -> Figures:
    settings = app.extensions["paywall"].settings
    question = overview.read(MultiDict(asked), settings, now)
    assert question.errors == {}
    return overview.compute(question, settings, now)


def months(app: OpenAPI) -> tuple[Flow, Flow]:
    """October and November."""
    october, november = shown(app).steps[-2:]
    assert (october.running, november.running) == (False, True)
    return october.flow, november.flow


def numbers(flow: Flow) -> tuple[int, int, int, int, int]:
    return flow.opening, flow.new, flow.returned, flow.ended, flow.closing


def test_persons_are_counted_by_what_lets_them_read(app: OpenAPI) -> None:
    """Once each, however much they have; what is free counts for those alone who have nothing paid."""
    grace = make_terms(paid_until=NOW - 2 * DAY, until=NOW + 2 * DAY, in_dunning=True)
    free = make_terms(lapse=Reason.COMP_OVER, renews=False)
    twice, comped, failing, leaving = (make_reader() for _ in range(4))
    make_entitlement(twice)
    make_entitlement(twice, grace)
    make_entitlement(twice, free, source="comp")
    make_entitlement(comped, free, source="comp")
    make_entitlement(failing, grace)
    make_entitlement(leaving, make_terms(renews=False))
    make_entitlement(terms=make_terms(hold=Reason.DISPUTED))
    make_entitlement(terms=make_terms(until=NOW))
    make_entitlement(terms=make_terms(starts_at=None, paid_until=None, until=None, lapse=Reason.NEVER_PAID))
    standing = shown(app).standing
    assert (standing.paying, standing.grace, standing.ending, standing.held, standing.comped) == (3, 1, 1, 1, 1)


def test_recurring_revenue_is_that_of_our_plans_by_currency(app: OpenAPI) -> None:
    """What is on hold, over, free, or of a plan that is not ours adds nothing; a twelfth is rounded after summing."""
    for price in ((10000, "usd"), (9999, "usd"), (9000, "eur")):
        make_entitlement(amount=price[0], currency=price[1])
    make_entitlement(amount=500, currency="usd", plan="calendar")
    make_entitlement(terms=make_terms(hold=Reason.PAUSED), amount=10000, currency="usd")
    make_entitlement(terms=make_terms(until=NOW), amount=10000, currency="usd")
    make_entitlement(terms=make_terms(lapse=Reason.COMP_OVER), source="comp")
    assert shown(app).money == [Money("eur", 9000, 750), Money("usd", 19999, 1667)]


def test_an_empty_service_stands_at_zero(app: OpenAPI) -> None:
    figures = shown(app)
    assert {numbers(step.flow) for step in figures.steps} == {(0, 0, 0, 0, 0)}
    assert (figures.standing.paying, figures.money) == (0, [])


def test_running_the_expiry_job_or_not_changes_no_figure(app: OpenAPI) -> None:
    """The stored state is a note of the past: whatever it says, the figures are the same."""
    for days in (10, 200, 364, 400):
        began = NOW - timedelta(days=days)
        make_entitlement(terms=make_terms(began, until=began + timedelta(days=368)), now=began)
    before = shown(app)
    db.session.execute(sa.update(Entitlement).values(state="ended", reason="period_over"))
    assert shown(app) == before
    assert before.standing.paying == 3


def test_a_month_opens_with_what_the_one_before_closed_with(app: OpenAPI) -> None:
    make_entitlement(terms=make_terms(starts_at=MIDNIGHT - 40 * DAY, until=MIDNIGHT - 3 * DAY))
    make_entitlement(terms=make_terms(starts_at=MIDNIGHT - 5 * DAY))
    make_entitlement(terms=make_terms(starts_at=MIDNIGHT + 5 * DAY))
    october, november = months(app)
    assert numbers(october) == (1, 1, 0, 1, 1)
    assert numbers(november) == (1, 1, 0, 0, 2)


@pytest.mark.parametrize("rolled_up", [False, True])
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
    app: OpenAPI, few_parts: None, change: dict, october: tuple[int, int], november: tuple[int, int], rolled_up: bool
) -> None:
    """What starts at midnight starts in the new month; what ends at midnight ended in the old; the future is out."""
    save(make_entitlement(terms=make_terms(**{"starts_at": MIDNIGHT - 20 * DAY, **change})))
    if rolled_up:
        rollup.rebuild(ZoneInfo("America/New_York"), NOW)
    before, this = months(app)
    assert ((before.new, before.ended), (this.new, this.ended)) == (october, november)


@pytest.mark.parametrize(("zone", "new"), [("Pacific/Kiritimati", (0, 1)), ("Pacific/Niue", (1, 0)), ("UTC", (1, 0))])
def test_months_follow_the_zone_of_the_newsroom(make_app: Callable[..., OpenAPI], zone: str, new: tuple) -> None:
    """One start at 10:30 UTC on 31 October: November has begun at UTC+14, and is far away at UTC-11."""
    app = make_app(newsroom={"time_zone": zone})
    with app.app_context():
        make_entitlement(terms=make_terms(starts_at=datetime(2026, 10, 31, 10, 30, tzinfo=UTC)))
        assert tuple(flow.new for flow in months(app)) == new
        db.session.rollback()


@pytest.mark.parametrize("by", ["day", "week", "month", "year"])
def test_steps_of_every_length_add_up_to_the_same_period(app: OpenAPI, by: str) -> None:
    """Each opens with what the one before it closed with, whatever its length; their total is the same."""
    for days in range(0, 400, 23):
        began = NOW - timedelta(days=days)
        make_entitlement(terms=make_terms(began, starts_at=began, until=began + timedelta(days=90)))
    figures = shown(app, **{"from": "2025-12-03", "to": "2026-11-20", "by": by})
    flows = [step.flow for step in figures.steps]
    assert all(one.closing == other.opening for one, other in pairwise(flows))
    assert numbers(figures.total) == (2, 15, 0, 14, 3)
    assert (flows[0].opening, flows[-1].closing) == (figures.total.opening, figures.total.closing)


def test_the_period_before_is_as_long_and_closes_where_this_one_opens(app: OpenAPI) -> None:
    for days in (10, 40, 45, 100):
        make_entitlement(terms=make_terms(starts_at=NOW - timedelta(days=days)))
    figures = shown(app, **{"from": "2026-11-01", "to": "2026-11-22", "by": "day"})
    assert (figures.before_range.first, figures.before_range.last) == (date(2026, 10, 1), date(2026, 10, 22))
    assert (figures.before.new, figures.total.new) == (2, 1)
    rows = {row[0]: row[1:] for row in overview.tables(figures)[1].rows}
    assert rows["New"] == (1, 2, -1)
    assert rows["Closing"] == (4, 3, 1)


def test_what_was_known_on_a_day_is_made_again_from_the_ledger(app: OpenAPI) -> None:
    """A refund that is learned today changes what yesterday's figures say today, not what was known yesterday."""
    subscription = make_subscription(amount=10000, currency="usd", created_at=NOW - 40 * DAY)
    source = Source("subscription", subscription.id, subscription.reader_id, "annual")
    terms = make_terms(starts_at=NOW - 40 * DAY)
    entitlements.save(source, terms, Cause("event", "evt_1"), NOW - 40 * DAY)
    over = make_terms(starts_at=NOW - 40 * DAY, until=NOW - 3 * DAY, paid_until=NOW - 3 * DAY, lapse=Reason.REFUNDED)
    entitlements.save(source, over, Cause("event", "evt_2"), NOW)
    today, then = shown(app), shown(app, as_of="2026-11-21")
    assert (today.standing.paying, today.money, today.total.ended_by[EndCause.REFUND]) == (0, [], 1)
    assert (then.standing.paying, then.money, then.total.ended) == (1, [Money("usd", 10000, 833)], 0)
    assert shown(app, as_of="2026-11-22").total == today.total
    assert shown(app, as_of="2026-10-01").standing.paying == 0


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
    assert shown(app).standing.paying == 0
    with app.app_context():
        save(make_entitlement())
    assert shown(app).standing.paying == 0
    db.session.rollback()
    assert shown(app).standing.paying == 1


def test_a_report_waits_for_no_writer(app: OpenAPI) -> None:
    """A page is read while another request holds an open write."""
    with app.app_context():
        make_entitlement()
        with app.app_context():
            queries.begin()
            assert shown(app).standing.paying == 0
        save()


def test_every_figure_of_the_page_leads_to_its_rows(staff: FlaskClient) -> None:
    """The list behind each figure counts as many rows as the figure says; here nobody has two that count for one."""
    reader = make_reader()
    for days in (5, 40, 100, 300, 500):
        began = NOW - timedelta(days=days)
        until = {"until": began + timedelta(days=35), "paid_until": began + timedelta(days=35)}
        lapse = Reason.CANCELED if days > 90 else Reason.PAYMENT_FAILED
        make_entitlement(reader if days > 90 else None, make_terms(began, starts_at=began, lapse=lapse, **until))
    make_entitlement(terms=make_terms(hold=Reason.PAUSED))
    make_entitlement(terms=make_terms(renews=False))
    make_entitlement(terms=make_terms(paid_until=NOW - DAY, until=NOW + DAY, in_dunning=True))
    make_entitlement(terms=make_terms(lapse=Reason.COMP_OVER), source="comp")
    source = Source("subscription", make_subscription(reader).id, reader.id, "annual")
    for days in (370, 5):  # a year, and the next one
        again = make_terms(
            paid_until=NOW + (365 - days) * DAY, until=NOW + (368 - days) * DAY, starts_at=NOW - 370 * DAY
        )
        entitlements.save(source, again, Cause("event", "evt_1"), NOW - days * DAY)
    save()
    page = get(staff, "/admin/")
    figures = [(href, text) for href, text in page.links if "standing=" in href or "movement=" in href]
    assert all(name in str(figures) for name in (*Standing, "renewed", EndCause.ASKED, EndCause.CARD))
    assert len(figures) > 30
    for href, text in dict(figures).items():
        number = next(word for word in text.split() if word.isdigit())
        assert f"{number} entitlement" in " ".join(get(staff, href).text.split()), href


@on_sqlite
def test_the_page_says_above_the_fold_how_the_running_month_goes(staff: FlaskClient) -> None:
    for began, ended in ((5, None), (3, None), (60, 2)):
        until = NOW - ended * DAY if ended else NOW + 300 * DAY
        terms = make_terms(starts_at=NOW - began * DAY, paid_until=until, until=until)
        make_entitlement(terms=terms)
    save()
    line = "November 2026 so far: +1 paid entitlements, 2 started and 1 ended."
    assert line in " ".join(get(staff, "/admin/").text.split())
    assert "so far:" not in get(staff, "/admin/overview?from=2026-01-01&to=2026-06-30").text


@on_sqlite
def test_a_page_of_a_past_day_says_so_and_leads_nowhere_wrong(staff: FlaskClient, clock: FrozenClock) -> None:
    save(make_entitlement())
    page = get(staff, "/admin/overview?as_of=2026-11-21")
    assert "As it was known by the end of 21 Nov 2026" in page.text
    assert not [href for href, _ in page.links if "movement=" in href]


@on_sqlite
@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("from=2026-13-01", "There is no such day in the calendar."),
        ("from=2000-01-01&by=day", "Makes 9,823 rows by day, and at most 3,700 are shown"),
        ("to=2026-11-23", "Must be a day from 2000-01-01 to today, 2026-11-22."),
        ("from=2026-11-02&to=2026-11-01", "Is before the first day."),
        ("by=hour", "Must be one of: day, week, month, year."),
    ],
)
def test_a_fault_is_told_beside_its_field_and_nothing_is_shown(staff: FlaskClient, query: str, fault: str) -> None:
    page = get(staff, f"/admin/overview?{query}", 400)
    assert fault in page.text
    assert "Closing" not in page.text
