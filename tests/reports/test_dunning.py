"""Failed renewals and their fates: as a plain walk over the same ledger tells them, however late a job was."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.entitlements import Reason, Terms
from paywall.domain.lifecycle import Change
from paywall.reports import dunning_sums
from paywall.reports.dunning_sums import Failed, Fate, Standing
from paywall.storage import entitlements
from paywall.storage.database import db
from paywall.storage.entitlements import Cause, Source
from paywall.storage.models import LedgerEntry
from paywall.storage.owed import Owed
from paywall.storage.payments import Payment
from tests.support.builders import NOW, make_entitlement, make_reader, make_subscription, save
from tests.support.colleagues import colleague

ASKED_OF_POSTGRESQL = frozenset(
    {"test_the_fates_are_those_of_a_plain_walk", "test_what_is_in_grace_is_told_with_its_debt"}
)

ZONE = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
STARTS = [datetime(2026, month, 1, tzinfo=ZONE).astimezone(UTC) for month in (9, 10, 11)]
BEFORE = datetime(2026, 12, 1, tzinfo=ZONE).astimezone(UTC)
GRACE = 14 * DAY

# what happens to a subscription: its paid period ends, and its renewal is paid so many days later, if at all
ends = st.sampled_from([*STARTS, BEFORE]).flatmap(
    lambda edge: st.sampled_from([edge - timedelta(seconds=1), edge, edge + 5 * DAY])
)
lives = st.tuples(ends, st.none() | st.sampled_from([1, 10, 20]), st.booleans(), st.sampled_from(["usd", "jpy"]))


def paid(until: datetime, start: datetime) -> Terms:
    return Terms(start, until, until + 3 * DAY, Reason.PERIOD_OVER, renews=True)


def failing(until: datetime, start: datetime) -> Terms:
    return Terms(start, until, until + GRACE, Reason.PAYMENT_FAILED, in_dunning=True, renews=True)


def lived(end: datetime, paid_after: int | None, late_job: bool, currency: str) -> None:
    """Writes the ledger as syncs would have, up to the present; the job that notices dates may never have run."""
    row = make_subscription(currency=currency)
    source, start = Source("subscription", row.id, row.reader_id, "annual"), end - 365 * DAY
    acts = [(start, paid(end, start)), (end + timedelta(hours=2), failing(end, start))]
    if not late_job and (paid_after is None or paid_after * DAY > GRACE):
        acts.append((end + GRACE, failing(end, start)))
    if paid_after is not None:
        acts.append((end + paid_after * DAY, paid(end + 365 * DAY, start)))
        period = {"period_start": end, "period_end": end + 365 * DAY, "paid_at": end + paid_after * DAY}
        if period["paid_at"] <= NOW:
            name = f"in_{row.id}"
            db.session.add(Payment(invoice_id=name, subscription_id=row.id, amount=700, currency=currency, **period))
    for at, terms in sorted(acts, key=lambda act: act[0]):
        if at <= NOW:
            entitlements.save(source, terms, Cause("event", "evt"), at)


def plain(rows: list[tuple]) -> tuple[Counter, Counter]:
    fates, regained = Counter(), Counter()
    for end, paid_after, _, currency in rows:
        if not STARTS[0] <= end < BEFORE or end + timedelta(hours=2) > NOW:
            continue
        key = max(index for index, start in enumerate(STARTS) if start <= end), currency
        was_paid = paid_after is not None and end + paid_after * DAY <= NOW
        if was_paid and paid_after * DAY < GRACE:
            fates[*key, Fate.RECOVERED] += 1
            regained[key] += 700
        elif was_paid:
            fates[*key, Fate.RETURNED] += 1
        else:
            fates[*key, Fate.OPEN if end + GRACE > NOW else Fate.LOST] += 1
    return fates, regained


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(lives, min_size=1, max_size=6))
def test_the_fates_are_those_of_a_plain_walk(app: OpenAPI, rows: list[tuple]) -> None:
    try:
        for life in rows:
            lived(*life)
        db.session.flush()
        fates, regained = Counter(), Counter()
        for key, one in dunning_sums.failed(STARTS, BEFORE, NOW).items():
            fates.update({(*key, fate): count for fate, count in one.fates.items()})
            regained[key] += one.regained
        assert (fates, +regained) == plain(rows)
    finally:
        db.session.rollback()


@pytest.mark.parametrize(
    ("fates", "rate"),
    [
        ({}, None),
        ({Fate.OPEN: 3}, None),
        ({Fate.RECOVERED: 3, Fate.LOST: 1, Fate.OPEN: 6}, 0.75),
        ({Fate.RETURNED: 1}, 0),
    ],
)
def test_the_rate_is_of_what_is_decided(fates: dict[Fate, int], rate: float | None) -> None:
    assert Failed(fates, 0).rate == rate


@pytest.mark.parametrize("given_back", [False, True])
@pytest.mark.parametrize(("paid_after", "fate"), [(2, Fate.RECOVERED), (5, Fate.RETURNED)])
def test_what_is_paid_after_stripe_ended_it_within_the_grace_is_too_late(
    app: OpenAPI, paid_after: int, fate: Fate, given_back: bool
) -> None:
    """Access was over on the third day, whatever the grace would have been; a refund afterwards changes nothing."""
    row, end = make_subscription(currency="usd"), NOW - 40 * DAY
    source, start = Source("subscription", row.id, row.reader_id, "annual"), end - 365 * DAY
    paid_at, cut = end + paid_after * DAY, end + 3 * DAY
    acts = [(start, paid(end, start)), (end, failing(end, start))]
    ended = Terms(start, end, cut, Reason.PAYMENT_FAILED, in_dunning=True)
    in_time = paid_after < 3
    acts.append((paid_at, paid(end + 365 * DAY, start)) if in_time else (cut, ended))
    if not in_time:
        acts.append((paid_at, Terms(start, cut, cut, Reason.PAYMENT_FAILED)))
    if given_back:
        until = paid_at + DAY if in_time else cut
        acts.append((paid_at + DAY, Terms(start, until, until, Reason.REFUNDED)))
    period = {"period_start": end, "period_end": end + 365 * DAY, "paid_at": paid_at}
    db.session.add(Payment(invoice_id="in_late", subscription_id=row.id, amount=700, currency="usd", **period))
    for at, terms in acts:
        entitlements.save(source, terms, Cause("event", "evt"), at)
    db.session.flush()
    found = dunning_sums.failed([end - DAY], NOW, NOW)[0, "usd"]
    assert found == Failed({fate: 1}, 700 * in_time)


def test_a_moved_purchase_fails_once(app: OpenAPI) -> None:
    """A ledger entry that hands it to another reader tells of the same failure again."""
    end = NOW - 3 * DAY
    lived(end, None, late_job=True, currency="usd")
    db.session.flush()
    last = db.session.scalars(db.select(LedgerEntry).order_by(LedgerEntry.id.desc())).first()
    kept = {column.name: getattr(last, column.name) for column in LedgerEntry.__table__.columns if column.name != "id"}
    db.session.add(LedgerEntry(**kept | {"change": Change.MOVED, "reader_id": "rdr_other"}))
    db.session.flush()
    (found,) = dunning_sums.failed([end - DAY], NOW, NOW).values()
    assert found.fates == {Fate.OPEN: 1}


@pytest.fixture
def debtors(app: OpenAPI) -> list[str]:
    """Two in grace, one of them given up by Stripe; one whose grace is over; a free one whose dates look alike."""
    made = []
    for days, source, tries in ((3, "subscription", NOW + DAY), (5, "subscription", None), (20, "subscription", None)):
        reader = make_reader()
        row = make_subscription(reader)
        end = NOW - days * DAY
        make_entitlement(reader, failing(end, end - 365 * DAY), source=source, source_id=row.id)
        name = f"in_{row.id}"
        db.session.add(
            Owed(invoice_id=name, subscription_id=row.id, amount=9950, currency="usd", attempts=days, next_try_at=tries)
        )
        made.append(reader.id)
    comp = make_subscription()
    make_entitlement(None, failing(NOW - DAY, NOW - 9 * DAY), source="comp", source_id=comp.id)
    save()
    return made


def test_what_is_in_grace_is_told_with_its_debt(debtors: list[str]) -> None:
    assert dunning_sums.standing(NOW) == [Standing("usd", 2, 19900, 1)]


def test_the_pages_tell_figures_to_an_analyst_and_names_to_the_service_desk(app: OpenAPI, debtors: list[str]) -> None:
    analyst, desk = colleague(app, "analyst"), colleague(app, "support")
    page = analyst.get("/admin/dunning?from=2026-11-01")
    assert page.status_code == 200
    assert "$199" in page.text
    assert "/admin/grace" not in page.text
    assert analyst.get("/admin/grace").status_code == 403
    assert analyst.get("/v1/reports/grace").status_code == 403
    assert analyst.get("/admin/grace.csv").status_code == 403
    assert "/admin/grace" in desk.get("/admin/dunning").text
    listed = desk.get("/v1/reports/grace").json["tables"]["people"]
    assert [one["reader_id"] for one in listed] == [debtors[1], debtors[0]], "whose access ends first comes first"
    assert listed[1]["next_try_at"] == "2026-11-23 17:00"
    assert {name: listed[0][name] for name in ("attempts", "next_try_at", "owed", "in_grace_since", "last_day")} == {
        "attempts": 5,
        "next_try_at": None,
        "owed": 9950,
        "in_grace_since": "2026-11-17",
        "last_day": "2026-12-01",
    }
    text = desk.get("/admin/grace").text
    assert f'href="/admin/desk/readers/{debtors[0]}"' in text
    assert debtors[2] not in text


def test_csv_has_stable_names(staff: FlaskClient, debtors: list[str]) -> None:
    lines = staff.get("/admin/dunning.csv?from=2026-11-01").text.splitlines()
    assert lines[0] == (
        "first_day,last_day,currency,failed,recovered,paid_too_late,lost,still_in_grace,recovery_rate,regained"
    )
    assert staff.get("/admin/dunning.csv?table=now").text.splitlines()[1] == "usd,2,19900,1,1"
