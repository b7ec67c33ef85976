"""Charged, refunded, disputed, net: by the newsroom's steps, as a plain walk over the same rows says it."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.reversals import STANDS, Stand
from paywall.reports import revenue
from paywall.reports.ranges import Range, RangeQuestion, Step
from paywall.storage import stripe_months
from paywall.storage.database import db
from paywall.storage.payments import Dispute, Payment, Refund
from paywall.storage.stripe_months import Sums
from tests.support.builders import NOW, make_subscription, save

ASKED_OF_POSTGRESQL = frozenset({"test_the_steps_are_those_of_a_plain_walk"})

ZONES = ["America/New_York", "Pacific/Pago_Pago", "Pacific/Kiritimati", "Africa/Cairo"]
# turns of months in those zones, of their clocks (Cairo's at midnight), and the present
EDGES = [
    datetime(2026, 10, 1, tzinfo=ZoneInfo("Pacific/Kiritimati")),
    datetime(2026, 10, 1, tzinfo=ZoneInfo("America/New_York")),
    datetime(2026, 10, 30, tzinfo=ZoneInfo("Africa/Cairo")),
    datetime(2026, 11, 1, tzinfo=ZoneInfo("Africa/Cairo")),
    datetime(2026, 11, 1, tzinfo=ZoneInfo("America/New_York")),
    datetime(2026, 11, 1, tzinfo=ZoneInfo("Pacific/Pago_Pago")),
    NOW,
]
moments = st.builds(
    lambda edge, seconds: (edge + timedelta(seconds=seconds)).astimezone(UTC),
    st.sampled_from(EDGES),
    st.sampled_from([-1, 0, 1]),
)
amounts, currencies = st.sampled_from([1, 9950, 10000]), st.sampled_from(["usd", "jpy"])
payments = st.tuples(st.just("charged"), moments, amounts, currencies, st.just("paid"))
refunds = st.tuples(
    st.just("refunded"), moments, amounts, currencies, st.sampled_from(["succeeded", "pending", "failed", "canceled"])
)
disputes = st.tuples(st.just("disputed"), moments, amounts, currencies, st.sampled_from([*STANDS, "new_at_stripe"]))


def make_money(kind: str, at: datetime, amount: int, currency: str, status: str, number: int = 0):
    """One row of the kind's table, in a subscription of its own."""
    row = make_subscription()
    if kind == "charged":
        period = {"period_start": at, "period_end": at + timedelta(days=365), "paid_at": at}
        return Payment(
            invoice_id=f"in_{row.id}", subscription_id=row.id, amount=amount, tax=0, currency=currency, **period
        )
    values = {"id": f"x_{row.id}_{number}", "subscription_id": row.id, "invoice_id": f"in_{row.id}", "synced_at": NOW}
    values |= {"amount": amount, "currency": currency, "status": status, "created_at": at}
    return Refund(**values) if kind == "refunded" else Dispute(**values, reason="fraudulent")


def counts(kind: str, status: str) -> bool:
    if kind == "refunded":
        return status in ("succeeded", "pending")
    return kind == "charged" or STANDS.get(status) is not Stand.HARMLESS


def figures(first: date, last: date, zone: str = "America/New_York", by: Step = Step.MONTH) -> revenue.Figures:
    place = SimpleNamespace(zone=ZoneInfo(zone), plans={"annual": SimpleNamespace(currency="usd")})
    return revenue.compute(RangeQuestion({}, Range(first, last, by)), place, NOW)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(payments | refunds | disputes, min_size=1, max_size=10),
    st.sampled_from(ZONES),
    st.sampled_from(list(Step)),
    st.sampled_from([date(2026, 9, 1), date(2026, 10, 1), date(2026, 10, 30)]),
)
def test_the_steps_are_those_of_a_plain_walk(app: OpenAPI, rows, zone: str, by: Step, first: date) -> None:
    last = date(2026, 11, 22)
    try:
        db.session.add_all(make_money(*row) for row in rows)
        db.session.flush()
        told, walked = Counter(), Counter()
        made = figures(first, last, zone, by)
        for one in made.rows:
            for kind in ("charged", "refunded", "disputed"):
                told[one.part.first, one.currency, kind] += getattr(one.money, kind)
        for kind, at, amount, currency, status in rows:
            day = at.astimezone(ZoneInfo(zone)).date()
            if first <= day <= last and counts(kind, status):
                part = next(one.part for one in made.rows if one.part.first <= day <= one.part.last)
                walked[part.first, currency, kind] += amount
        assert +told == walked
        assert all(one.money.net == one.money.charged - one.money.refunded - one.money.disputed for one in made.rows)
    finally:
        db.session.rollback()


@pytest.fixture
def november(app: OpenAPI) -> None:
    """A month with $200 charged, of it $100 a minute ago; $30 given back; Stripe was asked before that minute."""
    db.session.add_all(
        [
            make_money("charged", NOW - timedelta(days=9), 10000, "usd", "paid"),
            make_money("charged", NOW - timedelta(minutes=1), 10000, "usd", "paid"),
            make_money("refunded", NOW - timedelta(days=1), 3000, "usd", "succeeded"),
        ]
    )
    save()


def told_by_stripe(**amounts: int) -> None:
    money = {"charged": 10000, "refunded": 3000, "disputed": 0, **amounts}
    at = NOW - timedelta(minutes=2)
    stripe_months.put(["2026-11"], [Sums("2026-11", "usd", **money)], "America/New_York", at)
    db.session.commit()


def differences() -> list[str]:
    return [one.difference for one in figures(date(2026, 10, 15), date(2026, 11, 22)).rows]


@pytest.mark.usefixtures("november")
def test_what_was_not_compared_says_so_and_a_part_of_a_month_cannot_be() -> None:
    assert differences() == ["of whole months only", "not compared yet"]


@pytest.mark.usefixtures("november")
def test_a_running_month_is_compared_as_it_was_when_stripe_was_asked() -> None:
    told_by_stripe()
    assert differences()[1] == "none"
    told_by_stripe(charged=20000, refunded=2999)
    assert differences()[1] == "charged -$100, refunded $0.01"


@pytest.mark.usefixtures("november")
def test_what_stripe_said_of_another_zone_s_month_is_not_compared() -> None:
    stripe_months.put(["2026-11"], [Sums("2026-11", "usd", 1, 1, 1)], "UTC", NOW)
    assert differences()[1] == "not compared yet"


@pytest.mark.usefixtures("november")
def test_page_json_and_csv_say_the_same(staff: FlaskClient) -> None:
    told_by_stripe(charged=9950)
    page = staff.get("/admin/revenue?from=2026-11-01")
    assert page.status_code == 200
    assert "charged $0.50" in page.text
    assert "<svg" in page.text
    found = staff.get("/v1/reports/revenue?from=2026-11-01").json["tables"]
    (row,) = found["revenue"]
    assert {name: row[name] for name in ("charged", "refunded", "net")} == {
        "charged": 20000,
        "refunded": 3000,
        "net": 17000,
    }
    (beside,) = found["stripe"]
    assert (beside["charged"], beside["charged_difference"], beside["refunded_difference"]) == (9950, 50, 0)
    lines = staff.get("/admin/revenue.csv?from=2026-11-01").text.splitlines()
    assert lines[1] == "2026-11-01,2026-11-22,usd,20000,3000,0,17000,charged $0.50"
    assert staff.get("/admin/revenue.csv?from=2026-11-01&table=stripe").text.splitlines()[1].startswith("2026-11,usd,")
