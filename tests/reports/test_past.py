"""The list of a past day by its indexes shows what going through the whole ledger would, whatever is filtered."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports import known, past, walking
from paywall.reports.calendar import span_of_days
from paywall.reports.causes import EndCause
from paywall.reports.filters import Dated, Filters, Sort, Source
from paywall.reports.leading import Standing
from paywall.reports.paging import page
from paywall.storage import entitlements, ledger
from paywall.storage.database import db
from paywall.storage.entitlements import Cause, terms_of
from paywall.storage.models import Entitlement, LedgerEntry
from tests.reports.walks import ZONE, walked
from tests.support.builders import DAY, NOW, make_reader, make_terms

ASKED_OF_POSTGRESQL = frozenset({"test_any_list_of_any_day_is_what_the_ledger_says"})

TODAY = date(2026, 11, 22)
NAMES = {Dated.STARTS: "starts_at", Dated.ENDS: "until", Dated.CREATED: "created_at"}
BOUGHT = NOW - 30 * DAY
TERMS = (
    make_terms(BOUGHT),
    make_terms(renews=False, lapse=Reason.CANCELED),
    make_terms(starts_at=BOUGHT, paid_until=NOW - 20 * DAY, until=NOW - 6 * DAY, in_dunning=True),
    make_terms(hold=Reason.DISPUTED),
    make_terms(starts_at=NOW - 9 * DAY, paid_until=NOW - 7 * DAY, until=NOW + 9 * DAY),
    make_terms(starts_at=None, paid_until=None, until=None, lapse=Reason.NOT_PAID_YET),
    make_terms(starts_at=BOUGHT, paid_until=NOW - 15 * DAY, until=NOW - 15 * DAY, lapse=Reason.REFUNDED),
)
decisions = st.tuples(st.integers(0, 4), st.sampled_from(TERMS), st.integers(0, 30))
days = st.integers(0, 31).map(lambda back: TODAY - timedelta(days=back))
# no more than two filters at once, else hardly a row would be left
FILTERS = {
    "state": st.sampled_from(State),
    "reason": st.sampled_from([Reason.PAID, Reason.RENEWAL_DUE, Reason.CANCELED, Reason.NOT_PAID_YET]),
    "source": st.sampled_from(Source),
    "cause": st.sampled_from([EndCause.ASKED, EndCause.REFUND]),
    "standing": st.sampled_from([Standing.PAYING, Standing.HELD]),
    "first": days,
}
asked = st.lists(st.sampled_from(list(FILTERS)), unique=True, max_size=2).flatmap(
    lambda names: st.fixed_dictionaries(
        {
            "as_of": days,
            "dated": st.sampled_from(Dated),
            "sort": st.builds(Sort, st.sampled_from(Dated), st.booleans()),
            **{name: FILTERS[name] for name in names},
        }
    )
)


def write(history: list[tuple[int, Any, int]]) -> None:
    """Decisions on up to five entitlements of one reader, each learned so many days ago."""
    reader = make_reader(None)
    for number, terms, ago in sorted(history, key=lambda one: -one[2]):
        source = entitlements.Source("comp" if number == 4 else "subscription", f"sub_{number}", reader.id, "annual")
        entitlements.save(source, terms, Cause("event", "evt_1"), NOW - ago * DAY)


def wanted(filters: Filters) -> list[str]:
    """The ids of the rows that the filters want, in their order, from the ledger alone."""
    end = known.end_of(filters.as_of, ZONE, NOW)
    found = []
    for row in db.session.scalars(select(Entitlement)):
        entries = db.session.scalars(select(LedgerEntry).where(LedgerEntry.entitlement_id == row.id)).all()
        entry = ledger.known_at(entries, end)
        if entry and fits(filters, row, entry, end):
            dates = {"starts_at": entry.starts_at, "until": entry.until, "created_at": row.created_at}
            found.append((row.id, dates[NAMES[Dated(filters.order.by)]]))
    back = filters.order.descending
    dated = sorted((at, row_id) for row_id, at in found if at)
    undated = sorted(row_id for row_id, at in found if not at)
    return [row_id for _, row_id in (dated[::-1] if back else dated)] + (undated[::-1] if back else undated)


def fits(filters: Filters, row: Entitlement, entry: LedgerEntry, end: datetime) -> bool:
    state, reason = terms_of(entry).explain(end)
    said = {"state": state, "reason": reason, "source": row.source}
    if any(getattr(filters, name) not in (None, one) for name, one in said.items()):
        return False
    causes = {EndCause.ASKED: Reason.CANCELED, EndCause.REFUND: Reason.REFUNDED}
    if filters.cause and (state, entry.lapse) != (State.ENDED, causes[filters.cause]):
        return False
    states = {Standing.PAYING: (State.ACTIVE, State.GRACE), Standing.HELD: (State.SUSPENDED,)}
    if filters.standing and (state not in states[filters.standing] or row.source == "comp"):
        return False
    if filters.first is None:
        return True
    since = span_of_days(filters.first, None, ZONE).since
    if filters.dated is Dated.ENDS:
        return entry.until is not None and entry.until > since
    at = entry.starts_at if filters.dated is Dated.STARTS else row.created_at
    return at is not None and at >= since


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(decisions, min_size=1, max_size=10), asked, st.integers(1, 4), st.sampled_from([0, 1, 500]))
def test_any_list_of_any_day_is_what_the_ledger_says(
    app: OpenAPI, history: list, filters: dict[str, Any], size: int, few: int
) -> None:
    """However many rows are few, with dates that nobody noticed, ties, and missing dates at any border of a page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past, "FEW", few)
        try:
            write(history)
            assert walked(size, **filters) == wanted(Filters(**filters))
        finally:
            db.session.rollback()


def test_days_on_which_nobody_looked_at_the_dates_are_listed_right(
    app: OpenAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when there is too much of it for the groups to help."""
    monkeypatch.setattr(walking, "_MANY", 1)
    write([(number, TERMS[2], 25) for number in range(3)])
    day = TODAY - timedelta(days=3)
    assert len(walked(2, as_of=day, state=State.ENDED)) == 3
    assert walked(2, as_of=day, state=State.GRACE) == []
    assert len(walked(2, as_of=day - timedelta(days=5), state=State.GRACE)) == 3


@pytest.mark.parametrize("few", [0, 500])
def test_a_place_deep_in_a_list_of_the_past_leads_back_too(
    app: OpenAPI, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(past, "FEW", few)
    reader = make_reader(None)
    for number in range(7):
        source = entitlements.Source("subscription", f"sub_{number}", reader.id, "annual")
        entitlements.save(source, make_terms(), Cause("event", "evt_1"), NOW - (20 - number % 3) * DAY)
    filters = {"as_of": TODAY - timedelta(days=2), "state": State.ACTIVE}
    first = page(Filters(**filters), ZONE, NOW, 3)
    second = page(Filters(**filters, after=first.after), ZONE, NOW, 3)
    back = page(Filters(**filters, before=second.before), ZONE, NOW, 3)
    assert [row.id for row in back.rows] == [row.id for row in first.rows]
    assert (first.before, back.before) == (None, None)


@pytest.mark.parametrize(
    ("terms", "dated", "expected"),
    [
        (TERMS[4], Dated.STARTS, State.PENDING),  # begins after the day
        (TERMS[6], Dated.ENDS, State.ENDED),  # ended before the day
        (TERMS[0], Dated.ENDS, State.ACTIVE),  # ends after the day
    ],
)
def test_the_dates_of_many_that_held_lie_on_either_side_of_the_day(
    app: OpenAPI, monkeypatch: pytest.MonkeyPatch, terms: Any, dated: Dated, expected: State
) -> None:
    monkeypatch.setattr(past, "FEW", 0)
    write([(number, terms, 14) for number in range(3)])
    filters = {"as_of": TODAY - timedelta(days=12), "dated": dated, "first": TODAY - timedelta(days=40)}
    assert len(walked(2, **{**filters, "state": expected})) == len(walked(2, **filters)) == 3
