"""Which stretch a moment lies in, as SQL, is what plain search says."""

from bisect import bisect_left, bisect_right
from datetime import datetime, timedelta

import pytest
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from paywall.reports.steps import step
from paywall.storage.database import db
from paywall.storage.models import Entitlement
from tests.support.builders import NOW, make_entitlement, make_reader, make_terms

HOURS = st.integers(0, 9).map(lambda hours: NOW + timedelta(hours=hours))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOURS, min_size=1, max_size=9, unique=True).map(sorted), st.lists(HOURS, min_size=1, max_size=6))
def test_sql_and_search_agree(app: OpenAPI, starts: list[datetime], moments: list[datetime]) -> None:
    """Also on the boundaries, which belong to what they begin, or to what they end."""
    try:
        reader = make_reader(None)
        made = {make_entitlement(reader, make_terms(until=one)).id: one for one in moments}
        columns = step(Entitlement.until, starts), step(Entitlement.until, starts, ending=True)
        for row_id, begins, ends in db.session.execute(select(Entitlement.id, *columns)):
            assert begins == bisect_right(starts, made[row_id]) - 1
            assert ends == bisect_left(starts, made[row_id]) - 1
    finally:
        db.session.rollback()


@pytest.mark.parametrize("count", [1, 3700])
def test_as_many_steps_as_a_report_may_have_are_found(app: OpenAPI, count: int) -> None:
    row = make_entitlement(terms=make_terms(until=NOW + timedelta(days=count, hours=1)))
    starts = [NOW + timedelta(days=day) for day in range(count)]
    assert db.session.scalar(select(step(Entitlement.until, starts)).where(Entitlement.id == row.id)) == count - 1


def test_what_is_nowhere_has_no_step(app: OpenAPI) -> None:
    make_entitlement(terms=make_terms(until=None, paid_until=None, starts_at=None))
    assert db.session.scalar(select(step(Entitlement.until, [NOW]))) is None
