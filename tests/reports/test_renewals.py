"""What renews, ends or is expected to fail, in which month, as a plain walk over the same rows says it."""

import calendar
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.entitlements import Reason
from paywall.reports import cards, renewals
from paywall.reports.calendar import Month
from paywall.storage.database import db
from tests.support.builders import NOW, make_entitlement, make_reader, make_subscription, make_terms, save
from tests.support.colleagues import colleague

ASKED_OF_POSTGRESQL = frozenset({"test_the_months_are_those_of_a_plain_walk"})

ZONE = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
# around the turns of months, of the clocks and of what is asked for
EDGES = [
    datetime(2026, 10, 31, 23, 59, 59, tzinfo=ZONE),
    NOW,
    datetime(2026, 12, 1, tzinfo=ZONE),
    datetime(2027, 3, 1, tzinfo=ZONE),
    datetime(2027, 4, 1, tzinfo=ZONE),
    datetime(2027, 11, 30, 23, 59, 59, tzinfo=ZONE),
    datetime(2027, 12, 1, tzinfo=ZONE),
]
moments = st.builds(
    lambda edge, seconds: (edge + timedelta(seconds=seconds)).astimezone(UTC),
    st.sampled_from(EDGES),
    st.sampled_from([-1, 0, 1]),
)
lives = st.fixed_dictionaries(
    {
        "paid_until": moments,
        "later": st.sampled_from([0, 3, 20]),
        "renews": st.booleans(),
        "in_dunning": st.booleans(),
        "source": st.sampled_from(["subscription", "subscription", "comp"]),
        "amount": st.sampled_from([900, 10000]),
        "currency": st.sampled_from(["usd", "jpy"]),
        "card": st.none() | st.sampled_from([(2026, 10), (2026, 11), (2027, 2), (2027, 3), (2027, 11), (2030, 1)]),
    }
)


def last_day(month: tuple[int, int] | None) -> date | None:
    return month and date(*month, calendar.monthrange(*month)[1])


def made(life: dict) -> None:
    terms = make_terms(
        starts_at=NOW - 400 * DAY,
        paid_until=life["paid_until"],
        until=life["paid_until"] + life["later"] * DAY,
        renews=life["renews"],
        in_dunning=life["in_dunning"],
    )
    reader = make_reader(None)
    card = last_day(life["card"])
    row = make_subscription(reader, amount=life["amount"], currency=life["currency"], card_ends_on=card)
    price = {} if life["source"] == "comp" else {"amount": row.amount, "currency": row.currency}
    make_entitlement(reader, terms, source=life["source"], source_id=row.id, **price)


def plain(rows: list[dict]) -> Counter:
    """Month, currency and kind -> number and sum, one row after the other."""
    found: Counter = Counter()
    for life in rows:
        until = life["paid_until"] + life["later"] * DAY
        if life["source"] != "subscription" or until <= NOW:
            continue
        lasts = life["renews"] and not life["in_dunning"]
        day = (life["paid_until"] if lasts else until - datetime.resolution).astimezone(ZONE).date()
        month = max((day.year, day.month), (2026, 11))
        card = last_day(life["card"])
        if lasts:
            kind = "card_expires" if card and card < date(*month, 1) else "renewing"
        else:
            kind = "in_dunning" if life["in_dunning"] else "ending"
        if month <= (2027, 11):
            found[Month(*month), life["currency"], kind, "count"] += 1
            found[Month(*month), life["currency"], kind, "amount"] += life["amount"]
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(lives, min_size=1, max_size=10))
def test_the_months_are_those_of_a_plain_walk(app: OpenAPI, rows: list[dict]) -> None:
    try:
        for life in rows:
            made(life)
        kinds = ("renewing", "card_expires", "in_dunning", "ending")
        told = Counter()
        for one in renewals.months_due(ZONE, NOW, {"usd"}):
            for kind in kinds:
                told[one.month, one.currency, kind, "count"] += getattr(one, kind).count
                told[one.month, one.currency, kind, "amount"] += getattr(one, kind).amount
        assert +told == plain(rows)
    finally:
        db.session.rollback()


def test_every_month_is_there_in_every_currency_that_is_sold(app: OpenAPI) -> None:
    found = renewals.months_due(ZONE, NOW, {"usd", "eur"})
    assert [str(one.month) for one in found if one.currency == "eur"] == [
        *("2026-11", "2026-12"),
        *(f"2027-{number:02}" for number in range(1, 12)),
    ]
    assert len(found) == 26


@pytest.fixture
def some(app: OpenAPI) -> None:
    """One that renews with a good card, one whose card ends before, one in grace, one that was cancelled."""
    year = NOW + 300 * DAY
    for terms, card in (
        (make_terms(paid_until=year, until=year + 3 * DAY), date(2030, 1, 31)),
        (make_terms(paid_until=year, until=year + 3 * DAY), date(2027, 8, 31)),
        (make_terms(paid_until=NOW - DAY, until=NOW + 13 * DAY, in_dunning=True), None),
        (make_terms(paid_until=year, until=year, renews=False, lapse=Reason.CANCELED), None),
    ):
        reader = make_reader(None)
        row = make_subscription(reader, card_ends_on=card)
        make_entitlement(reader, terms, source_id=row.id, amount=row.amount, currency=row.currency)
    save()


@pytest.mark.usefixtures("some")
def test_page_json_and_csv_say_the_same(staff: FlaskClient) -> None:
    page = staff.get("/admin/renewals")
    assert page.status_code == 200
    assert "<svg" in page.text
    assert "$100" in page.text
    assert "Subscriptions whose card is no longer good" in page.text
    (rows,) = staff.get("/v1/reports/renewals").json["tables"].values()
    assert len(rows) == 13
    september, december = rows[10], rows[1]
    assert september == {
        "month": "2027-09",
        "currency": "usd",
        "renewing": 1,
        "renewing_amount": 10000,
        "failing": 1,
        "failing_amount": 10000,
        "card_expires": 1,
        "in_dunning": 0,
        "ending": 1,
        "ending_amount": 10000,
    }
    assert (december["month"], december["in_dunning"], december["failing_amount"]) == ("2026-12", 1, 10000)
    lines = staff.get("/admin/renewals.csv").text.splitlines()
    assert lines[0].startswith("month,currency,renewing,renewing_amount,failing")
    assert lines[11] == "2027-09,usd,1,10000,1,10000,1,0,1,10000"
    assert staff.get("/admin/renewals?month=1").status_code == 400


@pytest.mark.usefixtures("some")
def test_whose_card_ends_too_early_is_listed_for_who_may_see_persons(app: OpenAPI) -> None:
    """As many as the report of renewals counts; each leads to the reader's page."""
    desk = colleague(app, "support")
    (row,) = desk.get("/v1/reports/cards").json["tables"]["people"]
    assert (row["card_ends_on"], row["renews_on"], row["amount"]) == ("2027-08-31", "2027-09-18", 10000)
    text = desk.get("/admin/cards").text
    assert "1 in all" in text
    assert f'href="/admin/desk/readers/{row["reader_id"]}"' in text
    assert colleague(app, "analyst").get("/admin/cards").status_code == 403


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(lives, min_size=1, max_size=10))
def test_the_list_of_cards_has_those_that_are_counted(app: OpenAPI, rows: list[dict]) -> None:
    try:
        for life in rows:
            made(life)
        found = cards.compute(cards.Question({}), app.extensions["paywall"].settings, NOW)
        counted = sum(one.card_expires.count for one in renewals.months_due(ZONE, NOW, set()))
        assert found.count == len(found.people) == counted
        assert [one.renews_on for one in found.people] == sorted(one.renews_on for one in found.people)
    finally:
        db.session.rollback()
