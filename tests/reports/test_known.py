"""The list as it was known on a past day: each row as the ledger had it then, whatever has been learned since."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports import export, known
from paywall.reports.filters import Dated, Filters, Sort
from paywall.reports.paging import count, page
from paywall.reports.selection import ids
from paywall.storage.database import db
from paywall.storage.entitlements import Cause, Source, save, terms_of
from paywall.storage.ledger import known_at, of_reader
from tests.support.builders import DAY, NOW, make_reader, make_terms
from tests.support.builders import save as commit

ASKED_OF_POSTGRESQL = frozenset({"test_any_day_is_rebuilt_from_the_ledger_and_nothing_else"})

ZONE = ZoneInfo("America/New_York")
TODAY = date(2026, 11, 22)
BOUGHT = NOW - 20 * DAY
YEAR = make_terms(starts_at=BOUGHT, paid_until=BOUGHT + 365 * DAY, until=BOUGHT + 368 * DAY)
STOPPED = make_terms(starts_at=BOUGHT, paid_until=BOUGHT + 5 * DAY, until=BOUGHT + 5 * DAY, lapse=Reason.REFUNDED)


def learn(reader_id: str, terms, learned_at: datetime, source_id: str = "sub_1") -> None:
    save(Source("subscription", source_id, reader_id, "annual"), terms, Cause("event", "evt_1"), learned_at)


def rows(day: date | None, **filters):
    return page(Filters(as_of=day, **filters), ZONE, NOW).rows


def test_a_refund_that_was_learned_later_changes_no_earlier_day(app: OpenAPI) -> None:
    """Although it took effect long before."""
    reader = make_reader()
    learn(reader.id, YEAR, BOUGHT)
    learn(reader.id, STOPPED, BOUGHT + 10 * DAY)
    before, after = TODAY - timedelta(days=12), TODAY - timedelta(days=10)
    assert [(one.state, one.reason) for one in rows(before)] == [("active", "paid")]
    assert [(one.state, one.reason) for one in rows(after)] == [("ended", "refunded")]
    assert [one.state for one in rows(None)] == ["ended"]
    assert (len(rows(before, state=State.ACTIVE)), len(rows(after, state=State.ACTIVE))) == (1, 0)
    assert len(rows(before, dated=Dated.ENDS, last=TODAY)) == 0


def test_what_was_not_known_yet_is_not_listed(app: OpenAPI) -> None:
    learn(make_reader().id, YEAR, BOUGHT)
    assert len(rows(TODAY - timedelta(days=20))) == 1
    assert rows(TODAY - timedelta(days=21)) == []


@pytest.mark.parametrize(("hours", "there"), [(-1, 1), (0, 0), (1, 0)])
def test_a_day_ends_at_the_newsrooms_midnight(app: OpenAPI, hours: int, there: int) -> None:
    midnight = datetime(2026, 11, 11, 5, tzinfo=UTC)
    learn(make_reader().id, YEAR, midnight + timedelta(hours=hours))
    assert len(rows(date(2026, 11, 10))) == there
    assert known.end_of(date(2026, 11, 10), ZONE, NOW) == midnight


def test_whose_it_was_then_is_told(app: OpenAPI) -> None:
    """A purchase that has moved since stands under the reader who had it."""
    first, second = make_reader(), make_reader()
    learn(first.id, YEAR, BOUGHT)
    learn(second.id, YEAR, NOW - DAY)
    day = TODAY - timedelta(days=5)
    assert [one.reader_id for one in rows(day)] == [first.id]
    assert [one.reader_id for one in rows(TODAY)] == [second.id]
    assert (len(rows(day, readers=(first.id,))), len(rows(day, readers=(second.id,)))) == (1, 0)


def test_the_file_of_a_past_day_holds_the_same_rows(app: OpenAPI) -> None:
    reader = make_reader()
    learn(reader.id, YEAR, BOUGHT)
    learn(reader.id, STOPPED, BOUGHT + 10 * DAY)
    commit()
    wanted = Filters(as_of=TODAY - timedelta(days=12))
    data = b"".join(export.stream(db.engine, wanted, ZONE, NOW)).decode()
    (row,) = csv.DictReader(io.StringIO(data, newline=""))
    assert (row["state"], row["until"], row["as_of"]) == ("active", "2027-11-05T17:00:00Z", "2026-11-11T05:00:00Z")


def test_many_rows_of_a_past_day_are_walked_by_when_they_were_first_known(app: OpenAPI) -> None:
    reader = make_reader()
    for number in range(7):
        learn(reader.id, YEAR, BOUGHT + number * DAY, f"sub_{number}")
    wanted = Filters(as_of=TODAY - timedelta(days=16), sort=Sort(Dated.ENDS, descending=False))
    here, seen = page(wanted, ZONE, NOW, 2), []
    for _ in range(3):
        seen += [one.source_id for one in here.rows]
        here = page(Filters(as_of=wanted.as_of, sort=wanted.sort, after=here.after), ZONE, NOW, 2)
    assert seen == ["sub_0", "sub_1", "sub_2", "sub_3", "sub_4"]
    assert count(wanted, ZONE, NOW) == len(db.session.scalars(ids(wanted, ZONE, NOW)).all()) == 5


changes = st.tuples(st.integers(0, 1), st.sampled_from([YEAR, STOPPED, make_terms(hold=Reason.DISPUTED)]))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(changes, st.integers(0, 30)), max_size=8), st.integers(0, 32))
def test_any_day_is_rebuilt_from_the_ledger_and_nothing_else(app: OpenAPI, history: list, back: int) -> None:
    """Against going through the ledger's entries in plain Python."""
    day = TODAY - timedelta(days=back)
    try:
        readers = [make_reader(None).id for _ in range(2)]
        for (who, terms), ago in sorted(history, key=lambda one: -one[1]):
            learn(readers[who], terms, NOW - ago * DAY, f"sub_{who}")
        end = known.end_of(day, ZONE, NOW)
        entries = [known_at(of_reader(one), end) for one in readers]
        expected = {one.entitlement_id: terms_of(one).explain(end) for one in entries if one}
        assert {one.id: (one.state, one.reason) for one in rows(day)} == expected
    finally:
        db.session.rollback()
