"""The list by its indexes shows what going through every row would, in whatever order, and whoever noticed a date."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports import walking
from paywall.reports.filters import Dated, Filters, Sort, Source
from paywall.reports.leading import Standing
from paywall.reports.paging import count, page
from paywall.storage.database import db
from paywall.storage.entitlements import terms_of
from tests.reports.walks import ZONE, walked
from tests.support.builders import DAY, NOW, make_entitlement, make_reader, make_terms

ASKED_OF_POSTGRESQL = frozenset({"test_any_filters_find_what_going_through_the_rows_finds", "test_deep_in_the_list"})

NAMES = {Dated.STARTS: "starts_at", Dated.ENDS: "until", Dated.CREATED: "created_at"}
DECIDED = NOW - 40 * DAY

# rows that were decided forty days ago; some dates have passed since then, unnoticed
made = st.fixed_dictionaries(
    {
        "terms": st.builds(
            lambda start, paid, slack, **more: make_terms(
                starts_at=NOW + start * DAY, paid_until=NOW + paid * DAY, until=NOW + (paid + slack) * DAY, **more
            ),
            st.sampled_from([-90, -60, -20, 3]),
            st.sampled_from([-50, -30, -1, 0, 20]),
            st.sampled_from([0, 2, 40]),
            lapse=st.sampled_from([Reason.PERIOD_OVER, Reason.CANCELED]),
            in_dunning=st.booleans(),
            hold=st.none() | st.just(Reason.DISPUTED),
            renews=st.booleans(),
        )
        | st.just(make_terms(starts_at=None, paid_until=None, until=None, lapse=Reason.NOT_PAID_YET)),
        "plan": st.sampled_from(["annual", "student"]),
        "source": st.sampled_from(["subscription", "comp"]),
        "created_at": st.sampled_from([NOW - 90 * DAY, NOW - 60 * DAY]),
    }
)
asked = st.fixed_dictionaries(
    {
        "state": st.none() | st.sampled_from(State),
        "reason": st.none() | st.sampled_from([Reason.PAID, Reason.RENEWAL_DUE, Reason.CANCELED, Reason.DISPUTED]),
        "plan": st.none() | st.just("annual"),
        "source": st.none() | st.sampled_from(Source),
        "sort": st.builds(Sort, st.sampled_from(Dated), st.booleans()),
    }
)


def wanted(rows, filters: Filters) -> list[str]:
    """The ids of the rows that the filters want, in their order, one row after the other."""
    found = []
    for row in rows:
        state, reason = terms_of(row).explain(NOW)
        said = {"state": state, "reason": reason, "plan": row.plan, "source": row.source}
        if all(getattr(filters, name) in (None, one) for name, one in said.items()):
            found.append(row)
    name, back = NAMES[filters.sort.by], filters.sort.descending
    dated = sorted((r for r in found if getattr(r, name)), key=lambda r: (getattr(r, name), r.id), reverse=back)
    return [
        r.id for r in (*dated, *sorted((r for r in found if not getattr(r, name)), key=lambda r: r.id, reverse=back))
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(made, max_size=10), asked, st.integers(1, 4))
def test_any_filters_find_what_going_through_the_rows_finds(
    app: OpenAPI, rows: list[dict], filters: dict, size: int
) -> None:
    """Whatever state was stored when a row was decided, with ties and missing dates at any border of a page."""
    try:
        reader = make_reader(None)
        there = [make_entitlement(reader, now=DECIDED, **one) for one in rows]
        expected = wanted(there, Filters(**filters))
        assert walked(size, **filters) == expected
        assert count(Filters(**filters), ZONE, NOW) == len(expected)
    finally:
        db.session.rollback()


@pytest.mark.parametrize("many", [0, 2000])
def test_rows_that_nobody_looked_at_for_long_are_listed_right(
    app: OpenAPI, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Also when they are so many that the groups no longer help."""
    monkeypatch.setattr(walking, "_MANY", many)
    over = [make_entitlement(terms=make_terms(DECIDED, until=NOW - DAY), now=DECIDED) for _ in range(3)]
    make_entitlement()
    assert sorted(walked(2, state=State.ENDED)) == sorted(row.id for row in over)
    assert len(walked(2, state=State.ACTIVE)) == 1


def test_no_group_that_fits_is_an_empty_page(app: OpenAPI) -> None:
    make_entitlement()
    assert walked(2, plan="student") == walked(2, state=State.GRACE) == []


def test_a_long_list_is_counted_up_to_a_bound(app: OpenAPI) -> None:
    for _ in range(5):
        make_entitlement()
    assert count(Filters(), ZONE, NOW, most=5) == 5
    assert count(Filters(state=State.ACTIVE), ZONE, NOW, most=4) is None


def test_deep_in_the_list(app: OpenAPI) -> None:
    """Each page begins behind the one before it, in every group at once, and back again."""
    reader = make_reader(None)
    for hour, (plan, source) in enumerate(product(("annual", "student"), ("subscription", "comp"))):
        for more in range(6):
            make_entitlement(reader, plan=plan, source=source, created_at=NOW + timedelta(hours=hour + 4 * more))
    pages = [page(Filters(state=State.ACTIVE), ZONE, NOW, 5)]
    while pages[-1].after:
        pages.append(page(Filters(state=State.ACTIVE, after=pages[-1].after), ZONE, NOW, 5))
    assert [len(one.rows) for one in pages] == [5, 5, 5, 5, 4]
    back = page(Filters(state=State.ACTIVE, before=pages[3].before), ZONE, NOW, 5)
    assert [row.id for row in back.rows] == [row.id for row in pages[2].rows]


@pytest.mark.parametrize(
    ("standing", "change", "source"),
    [
        (Standing.PAYING, {}, "subscription"),
        (Standing.GRACE, {"paid_until": NOW - DAY, "in_dunning": True}, "subscription"),
        (Standing.ENDING, {"renews": False}, "subscription"),
        (Standing.HELD, {"hold": Reason.PAUSED}, "subscription"),
        (Standing.COMPED, {"lapse": Reason.COMP_OVER, "renews": False}, "comp"),
    ],
)
def test_what_the_overview_counts_is_listed(app: OpenAPI, standing: Standing, change: dict, source: str) -> None:
    row = make_entitlement(terms=make_terms(**change), source=source)
    make_entitlement(terms=make_terms(until=datetime(2026, 1, 1, tzinfo=NOW.tzinfo)))
    assert walked(2, standing=standing) == [row.id]
