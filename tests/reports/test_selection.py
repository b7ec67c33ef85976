"""Which rows the filters find."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask_openapi3.openapi import OpenAPI

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports import people
from paywall.reports.calendar import Month
from paywall.reports.filters import Dated, Filters, Flag, Question, Source
from paywall.reports.paging import count, page
from paywall.reports.rule import Movement
from paywall.storage.payments import Payment
from tests.support.builders import NOW, make_entitlement, make_reader, make_subscription, make_terms, save

NEW_YORK = ZoneInfo("America/New_York")


def found(zone: ZoneInfo = NEW_YORK, **wanted) -> set[str]:
    """The ids of the rows that the filters find, counted as well."""
    filters = people.find(Question({}, Filters(**wanted)), identities=True).filters
    rows = page(filters, zone, NOW).rows
    assert count(filters, zone, NOW) == len(rows)
    return {row.id for row in rows}


def test_state_and_reason_are_those_of_the_moment_not_of_the_row(app: OpenAPI) -> None:
    """A row that was active when it was decided is found under what it is now, without any job having run."""
    past = NOW - timedelta(days=400)
    row = make_entitlement(terms=make_terms(past), now=past)
    assert row.state == "active"
    assert found(state=State.ENDED) == found(reason=Reason.PERIOD_OVER) == {row.id}
    assert found(state=State.ACTIVE) == found(reason=Reason.PAID) == set()


def test_plan_and_source(app: OpenAPI) -> None:
    row, other = make_entitlement(), make_entitlement(plan="student", source="comp")
    assert found(plan="annual") == found(source=Source.SUBSCRIPTION) == {row.id}
    assert found() == {row.id, other.id}


def test_a_second_subscription_is_found_by_its_flag(app: OpenAPI) -> None:
    first = make_subscription()
    second = make_subscription(duplicate_of=first.id)
    make_entitlement(source_id=first.id)
    flagged = make_entitlement(source_id=second.id)
    make_entitlement(source_id=second.id, source="comp")
    assert found(flag=Flag.DUPLICATE) == {flagged.id}


def test_an_address_finds_its_readers_and_a_part_those_whose_address_begins_so(app: OpenAPI) -> None:
    ann = make_entitlement(make_reader("Ann@example.org"))
    joann = make_entitlement(make_reader("joann@example.org"))
    assert found(who="ann@example.org") == found(who="ANN@Example.org") == {ann.id}
    assert found(who="ann@exam") == found(who="An") == {ann.id}
    assert found(who="joann@example.or") == {joann.id}
    assert found(who="nn") == found(who="@example.org") == set()


@pytest.mark.parametrize("sign", ["%", "_", "\\", "'", "/"])
def test_signs_of_a_search_pattern_mean_themselves(app: OpenAPI, sign: str) -> None:
    row = make_entitlement(make_reader(f"a{sign}b@example.org"))
    make_entitlement(make_reader("axb@example.org"))
    assert found(who=f"a{sign}b") == found(who=f"a{sign}") == {row.id}
    assert found(who=sign) == set()


def test_ids_find_what_they_name(app: OpenAPI) -> None:
    reader = make_reader(customer_id="cus_1")
    subscription = make_subscription(reader, id="sub_1")
    row = make_entitlement(reader, source_id="sub_1")
    make_entitlement()
    period = {"period_start": NOW, "period_end": NOW, "paid_at": NOW}
    save(Payment(invoice_id="in_1", subscription_id=subscription.id, amount=10000, currency="usd", **period))
    for name in ("cus_1", "sub_1", "in_1", reader.id, row.id):
        assert found(who=name) == {row.id}, name
    for name in ("cus_2", "sub_2", "in_2", "rdr_", "ent_0", "sub_"):
        assert found(who=name) == set(), name


def test_a_reader_without_an_address_is_listed_and_never_found_by_one(app: OpenAPI) -> None:
    row = make_entitlement(make_reader(None))
    assert found() == {row.id}
    assert found(who="none") == set()


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Niue", "Pacific/Kiritimati", "Europe/Berlin"])
def test_days_are_the_newsrooms_and_both_are_included(app: OpenAPI, zone: str) -> None:
    """On the days of a clock change too: 8 March and 1 November 2026 in New York, a week later or earlier elsewhere."""
    place = ZoneInfo(zone)
    for day in (date(2026, 3, 8), date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 1)):
        first = datetime(day.year, day.month, day.day, tzinfo=place).astimezone(UTC)
        after = datetime(day.year, day.month, day.day + 1, tzinfo=place).astimezone(UTC)
        reader = make_reader()
        inside = [make_entitlement(reader, make_terms(starts_at=at)) for at in (first, after - datetime.resolution)]
        for at in (first - datetime.resolution, after):
            make_entitlement(reader, make_terms(starts_at=at))
        assert found(place, dated=Dated.STARTS, first=day, last=day, who=reader.id) == {row.id for row in inside}


def test_an_end_at_midnight_belongs_to_the_day_before(app: OpenAPI) -> None:
    midnight = datetime(2026, 12, 1, 5, tzinfo=UTC)
    row = make_entitlement(terms=make_terms(until=midnight))
    make_entitlement(terms=make_terms(until=midnight - timedelta(days=1)))
    november, december = date(2026, 11, 30), date(2026, 12, 1)
    assert found(dated=Dated.ENDS, first=november, last=november) == {row.id}
    assert found(dated=Dated.ENDS, first=december, last=december) == set()


def test_a_movement_counts_in_the_days_given_and_by_its_own_date(app: OpenAPI) -> None:
    """Whatever date the form names beside: its choice has no empty entry."""
    first, last = date(2026, 3, 2), date(2026, 3, 9)
    before, within = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 9, 12, tzinfo=UTC)
    carried = make_entitlement(terms=make_terms(starts_at=before))
    new = make_entitlement(terms=make_terms(starts_at=within))
    gone = make_entitlement(terms=make_terms(starts_at=before, until=within))
    wanted = {"first": first, "last": last, "dated": Dated.ENDS}
    assert found(movement=Movement.OPENING, **wanted) == {carried.id, gone.id}
    assert found(movement=Movement.NEW, **wanted) == {new.id}
    assert found(movement=Movement.ENDED, **wanted) == {gone.id}
    assert found(movement=Movement.CLOSING, **wanted) == {carried.id, new.id}


def test_days_and_the_month_that_they_make_up_find_the_same(app: OpenAPI) -> None:
    """Also of the running month, which counts up to this moment."""
    make_entitlement(terms=make_terms(starts_at=NOW))
    make_entitlement(terms=make_terms(starts_at=NOW + datetime.resolution))
    make_entitlement(terms=make_terms(starts_at=NOW - timedelta(days=20)))
    days = {"first": date(2026, 11, 1), "last": date(2026, 11, 30)}
    for movement in Movement:
        assert found(movement=movement, **days) == found(movement=movement, month=Month(2026, 11)), movement


def test_one_side_of_the_days_may_be_open(app: OpenAPI) -> None:
    old = make_entitlement(terms=make_terms(starts_at=datetime(2024, 5, 5, tzinfo=UTC)))
    new = make_entitlement(terms=make_terms(starts_at=datetime(2026, 5, 5, tzinfo=UTC)))
    make_entitlement(terms=make_terms(starts_at=None, paid_until=None, until=None))
    assert found(dated=Dated.STARTS, last=date(2025, 1, 1)) == {old.id}
    assert found(dated=Dated.STARTS, first=date(2025, 1, 1)) == {new.id}
    assert found(dated=Dated.CREATED, first=date(2025, 1, 1), last=date(2026, 6, 1)) == {new.id}
