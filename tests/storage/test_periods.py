"""How long each entry of the ledger was the last word: written with it, made in one go, made by the migration."""

from datetime import datetime, timedelta

import pytest
from flask_migrate import downgrade, upgrade
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from paywall.domain.entitlements import Reason
from paywall.storage import entitlements, ledger, periods
from paywall.storage.database import db
from paywall.storage.entitlements import Cause, Source
from paywall.storage.models import Entitlement, LedgerEntry
from paywall.storage.periods import LedgerPeriod
from tests.support.builders import DAY, NOW, make_reader, make_terms, save

ASKED_OF_POSTGRESQL = frozenset(
    {"test_what_is_written_one_by_one_is_what_is_made_in_one_go", "test_a_database_from_before_gets_the_same"}
)

HOUR = timedelta(hours=1)
moments = st.integers(0, 10 * 365 * 24 * 3600 * 10**6).map(lambda ticks: NOW - timedelta(microseconds=ticks))
TERMS = (
    make_terms(),
    make_terms(renews=False, lapse=Reason.CANCELED),
    make_terms(starts_at=NOW - 40 * DAY, paid_until=NOW - 27 * DAY - 9 * HOUR, until=NOW - 11 * DAY, in_dunning=True),
    make_terms(hold=Reason.DISPUTED),
    make_terms(starts_at=NOW + 2 * DAY),
    make_terms(starts_at=None, paid_until=None, until=None, lapse=Reason.NOT_PAID_YET),
    make_terms(starts_at=NOW - 60 * DAY, paid_until=NOW - 50 * DAY, until=NOW - 50 * DAY, lapse=Reason.REFUNDED),
)
# of two entitlements: when it was learned, not always in the order in which it is written
learned = st.integers(-40 * 24 * 3600, 0).map(
    lambda seconds: NOW + timedelta(seconds=seconds, microseconds=seconds % 7)
)
histories = st.lists(st.tuples(st.sampled_from(["sub_1", "sub_2"]), st.sampled_from(TERMS), learned), max_size=9)


def write(history: list) -> None:
    reader = make_reader(None)
    for source_id, terms, at in history:
        entitlements.save(Source("subscription", source_id, reader.id, "annual"), terms, Cause("event", "evt_1"), at)


def rows() -> list[dict]:
    query = select(LedgerPeriod.__table__).order_by(LedgerPeriod.entry_id)
    return [dict(row._mapping) for row in db.session.execute(query)]


@given(moments, moments, moments)
@settings(deadline=None)
def test_no_time_that_holds_a_moment_begins_before_what_its_size_allows(one, two, three) -> None:
    begin, moment, end = sorted((one, two, three))
    since = dict(periods.sizes(moment))
    assert begin > since[periods.size(begin, end)]
    assert begin > since[periods.size(begin, None)]


@pytest.mark.parametrize(("seconds", "size"), [(0, 0), (59, 0), (60, 1), (119, 1), (120, 2), (86400, 11), (10**10, 26)])
def test_sizes_are_doublings_of_a_minute(seconds: int, size: int) -> None:
    assert periods.size(NOW - timedelta(seconds=seconds), NOW) == size


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories)
def test_what_is_written_one_by_one_is_what_is_made_in_one_go(app: OpenAPI, history: list) -> None:
    try:
        write(history)
        written = rows()
        db.session.execute(delete(LedgerPeriod))
        periods.fill(db.session.connection())
        assert rows() == written
        assert len(written) == len(db.session.scalars(select(LedgerEntry.id)).all())
    finally:
        db.session.rollback()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories, learned)
def test_what_held_at_a_moment_is_the_last_that_had_been_learned(app: OpenAPI, history: list, moment: datetime) -> None:
    """Against going through the entries in plain Python; nothing is stale that its dates do not contradict."""
    try:
        write(history)
        held = db.session.scalars(select(LedgerPeriod).where(periods.held(moment + datetime.resolution))).all()
        entries = {entry.id: entry for entry in db.session.scalars(select(LedgerEntry))}
        for row in db.session.scalars(select(Entitlement)):
            own = [entry for entry in entries.values() if entry.entitlement_id == row.id]
            known = ledger.known_at(own, moment)
            assert [one.entry_id for one in held if one.entitlement_id == row.id] == ([known.id] if known else [])
        for one in held:
            entry = entries[one.entry_id]
            told = entitlements.terms_of(entry).explain(moment)
            assert told == (entry.state, entry.reason) or (one.stale_at is not None and one.stale_at <= moment)
    finally:
        db.session.rollback()


def test_a_database_from_before_gets_the_same(app: OpenAPI) -> None:
    """The migration's own statement, which never changes, against today's."""
    write([("sub_1", terms, NOW - (30 - number) * DAY + HOUR) for number, terms in enumerate(TERMS)])
    save()
    written = rows()
    db.session.remove()
    downgrade(revision="0018_lists")
    upgrade()
    assert rows() == written
    assert {row["lasted"] for row in written} == {11, periods.LASTS}
    assert any(row["stale_for"] not in (None, periods.LASTS) for row in written)
