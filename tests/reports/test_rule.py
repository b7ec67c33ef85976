"""The rule as SQL says of every row and moment what the rule itself says."""

from datetime import datetime, timedelta

import pytest
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from paywall.domain.entitlements import Reason, Terms
from paywall.domain.lifecycle import State
from paywall.reports.calendar import Span
from paywall.reports.rule import Movement, is_in, moved, reason_at, state_at
from paywall.storage.database import db
from paywall.storage.models import Entitlement
from tests.support.builders import NOW, make_entitlement, make_reader, make_terms

ON_BOTH = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# few moments, so that rows and questions often fall on the very same one, or just inside and outside of the skew
moments = st.builds(
    lambda hours, minutes: NOW + timedelta(hours=hours, minutes=minutes),
    st.integers(0, 2),
    st.sampled_from([0, 4, 5, 6]),
)
terms = st.builds(
    Terms,
    starts_at=st.none() | moments,
    paid_until=st.none() | moments,
    until=st.none() | moments,
    lapse=st.sampled_from(
        [Reason.PERIOD_OVER, Reason.NOT_PAID_YET, Reason.NEVER_PAID, Reason.REFUNDED, Reason.COMP_OVER]
    ),
    in_dunning=st.booleans(),
    hold=st.none() | st.sampled_from([Reason.PAUSED, Reason.DISPUTED]),
    renews=st.booleans(),
)


@ON_BOTH
@given(st.lists(terms, min_size=1, max_size=12), moments)
def test_sql_and_rule_agree_on_state_and_reason(app: OpenAPI, rows: list[Terms], moment: datetime) -> None:
    try:
        reader = make_reader(None)
        said = {make_entitlement(reader, one).id: one.explain(moment) for one in rows}
        found = db.session.execute(select(Entitlement.id, state_at(moment), reason_at(moment)))
        assert {row_id: (state, reason) for row_id, state, reason in found} == said
    finally:
        db.session.rollback()


@ON_BOTH
@given(st.lists(terms, min_size=1, max_size=12), moments)
def test_every_row_is_in_exactly_one_state(app: OpenAPI, rows: list[Terms], moment: datetime) -> None:
    try:
        reader = make_reader(None)
        made = [make_entitlement(reader, one).id for one in rows]
        found = [
            row for state in State for row in db.session.scalars(select(Entitlement.id).where(is_in(state, moment)))
        ]
        assert sorted(found) == sorted(made)
    finally:
        db.session.rollback()


@ON_BOTH
@given(st.lists(st.tuples(st.integers(0, 2), terms), min_size=1, max_size=12), moments, moments)
def test_opening_and_flows_add_up_to_closing(
    app: OpenAPI, rows: list[tuple[int, Terms]], one: datetime, other: datetime
) -> None:
    """For any rows and any span, and the closing is what runs by the rule, suspended ones included.

    What starts within the clocks' skew runs by the rule already, but counts from its own date on.
    """
    since, by = min(one, other), max(one, other)
    try:
        readers = [make_reader(None) for _ in range(3)]
        made = [make_entitlement(readers[index], one) for index, one in rows]
        span = Span(since, by + datetime.resolution, by)
        sets = {
            movement: set(db.session.scalars(select(Entitlement.id).where(moved(movement, span))))
            for movement in Movement
        }
        flows = sets[Movement.OPENING], sets[Movement.NEW], sets[Movement.RETURNED]
        assert not flows[0] & (flows[1] | flows[2])
        assert not flows[1] & flows[2]
        assert set().union(*flows) - sets[Movement.ENDED] == sets[Movement.CLOSING]
        assert sets[Movement.ENDED] <= set().union(*flows)
        running = (State.ACTIVE, State.GRACE, State.SUSPENDED)
        terms_of = {row.id: one for row, (_, one) in zip(made, rows, strict=True)}
        begun = {row: one for row, one in terms_of.items() if one.starts_at and one.starts_at <= by}
        assert sets[Movement.CLOSING] == {row for row, one in begun.items() if one.state_at(by) in running}
    finally:
        db.session.rollback()


@pytest.mark.parametrize(
    ("earlier", "movement"),
    [
        (None, Movement.NEW),
        ({"starts_at": NOW - timedelta(days=800), "until": NOW - timedelta(days=430)}, Movement.RETURNED),
        ({"starts_at": None, "paid_until": None, "until": None, "lapse": Reason.NEVER_PAID}, Movement.NEW),
        ({"starts_at": NOW - timedelta(days=800), "until": NOW - timedelta(days=800)}, Movement.NEW),
    ],
    ids=["nothing before", "one that ended", "one that was never paid", "one that was refunded at once"],
)
def test_who_had_access_before_returns(app: OpenAPI, earlier: dict | None, movement: Movement) -> None:
    reader = make_reader()
    if earlier:
        make_entitlement(reader, make_terms(**earlier))
    row = make_entitlement(reader, make_terms(starts_at=NOW))
    span = Span(NOW, NOW + timedelta(days=1), NOW + timedelta(days=1))
    counted = [one for one in Movement if row.id in db.session.scalars(select(Entitlement.id).where(moved(one, span)))]
    assert counted == [movement, Movement.CLOSING]


@pytest.mark.parametrize(("minutes", "state"), [(0, State.ACTIVE), (5, State.ACTIVE), (6, State.PENDING)])
def test_the_state_is_generous_about_the_start_and_the_month_is_not(app: OpenAPI, minutes: int, state: State) -> None:
    """A start by Stripe's clock lies a little ahead of ours: the reader reads, the month counts from the date on."""
    row = make_entitlement(make_reader(), make_terms(starts_at=NOW + timedelta(minutes=minutes)))
    span = Span(NOW - timedelta(days=1), NOW + datetime.resolution, NOW)
    counted = {one for one in Movement if row.id in db.session.scalars(select(Entitlement.id).where(moved(one, span)))}
    assert db.session.scalar(select(state_at(NOW))) == state
    assert counted == ({Movement.NEW, Movement.CLOSING} if minutes == 0 else set())


def test_what_outlives_its_paid_period_awaits_a_renewal_only_if_it_renews(app: OpenAPI) -> None:
    over = NOW - timedelta(hours=1)
    cases = {(True, False): Reason.RENEWAL_DUE, (False, False): Reason.PAID, (False, True): Reason.PAYMENT_FAILED}
    for (renews, dunning), reason in cases.items():
        row = make_entitlement(terms=make_terms(paid_until=over, renews=renews, in_dunning=dunning))
        assert db.session.scalar(select(reason_at(NOW)).where(Entitlement.id == row.id)) == reason
