"""Pages of the list: complete, in order, and the same whichever way one walks."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from flask_openapi3.openapi import OpenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paywall.domain.entitlements import Reason
from paywall.reports.filters import Cursor, Dated, Filters, Sort
from paywall.reports.paging import Page, page
from paywall.storage.database import db
from tests.support.builders import NOW, make_entitlement, make_reader, make_terms

UTC_ZONE = ZoneInfo("UTC")
ATTRIBUTES = {Dated.STARTS: "starts_at", Dated.ENDS: "until", Dated.CREATED: "created_at"}
SORTS = [Sort(by, descending) for by in Dated for descending in (True, False)]


def look(sort: Sort, size: int = 3, **place: Cursor | None) -> Page:
    return page(Filters(sort=sort, **place), UTC_ZONE, NOW, size)


def walk(sort: Sort, size: int, limit: int = 20) -> list[str]:
    """The ids of all pages from the first on; fails where they never end."""
    ids, here = [], look(sort, size)
    for _ in range(limit):
        ids += [row.id for row in here.rows]
        if here.after is None:
            return ids
        here = look(sort, size, after=here.after)
    pytest.fail(f"no end after {limit} pages")


def expected(rows, sort: Sort) -> list[str]:
    """The order in plain Python: dated rows first, then the others, ties by id."""
    name = ATTRIBUTES[sort.by]
    dated = sorted(
        (r for r in rows if getattr(r, name)), key=lambda r: (getattr(r, name), r.id), reverse=sort.descending
    )
    undated = sorted((r for r in rows if not getattr(r, name)), key=lambda r: r.id, reverse=sort.descending)
    return [row.id for row in (*dated, *undated)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.none() | st.integers(0, 3), max_size=12), st.integers(1, 4), st.sampled_from(SORTS))
def test_walking_the_pages_meets_every_row_once_in_order(
    app: OpenAPI, hours: list[int | None], size: int, sort: Sort
) -> None:
    """With ties and missing dates at any page border."""
    try:
        reader = make_reader()
        rows = [make_entitlement(reader, _terms(hour), created_at=NOW + timedelta(hours=hour or 0)) for hour in hours]
        assert walk(sort, size) == expected(rows, sort)
    finally:
        db.session.rollback()


def _terms(hour: int | None):
    if hour is None:
        return make_terms(starts_at=None, paid_until=None, until=None, lapse=Reason.NOT_PAID_YET)
    return make_terms(starts_at=NOW + timedelta(hours=hour), until=NOW + timedelta(hours=hour))


@pytest.mark.parametrize("sort", SORTS, ids=str)
def test_previous_leads_back_over_the_same_pages(app: OpenAPI, sort: Sort) -> None:
    reader = make_reader()
    for hour in (1, 2, 2, 3, None, None, None, 4):
        make_entitlement(reader, _terms(hour), created_at=NOW + timedelta(hours=hour or 0))
    pages = [look(sort)]
    for _ in range(2):
        pages.append(look(sort, after=pages[-1].after))
    assert [len(one.rows) for one in pages] == [3, 3, 2]
    assert [one.before is None for one in pages] == [True, False, False]
    assert [one.after is None for one in pages] == [False, False, True]
    back = look(sort, before=pages[2].before)
    assert [row.id for row in back.rows] == [row.id for row in pages[1].rows]
    assert (back.before, back.after) == (pages[1].before, pages[1].after)
    first = look(sort, before=back.before)
    assert [row.id for row in first.rows] == [row.id for row in pages[0].rows]
    assert first.before is None


def test_too_few_rows_before_the_place_show_the_whole_first_page(app: OpenAPI) -> None:
    """Not a page of one row, as when rows were removed meanwhile."""
    rows = [make_entitlement(created_at=NOW + timedelta(hours=hour)) for hour in range(5)]
    sort = Sort(descending=False)
    here = look(sort, before=Cursor(rows[1].created_at, rows[1].id))
    assert [row.id for row in here.rows] == [row.id for row in rows[:3]]
    assert here.before is None


def test_a_full_last_page_has_no_next(app: OpenAPI) -> None:
    for _ in range(3):
        make_entitlement()
    assert look(Sort()).after is None


def test_a_row_that_arrives_meanwhile_moves_no_other(app: OpenAPI) -> None:
    rows = [make_entitlement(created_at=NOW + timedelta(hours=hour)) for hour in range(5)]
    first = look(Sort())
    make_entitlement(created_at=NOW + timedelta(hours=9))
    assert [row.id for row in look(Sort(), after=first.after).rows] == [rows[1].id, rows[0].id]


@pytest.mark.parametrize("sort", SORTS, ids=str)
def test_a_place_beyond_the_list_is_an_empty_page(app: OpenAPI, sort: Sort) -> None:
    make_entitlement()
    edge = NOW - timedelta(days=9000) if sort.descending else NOW + timedelta(days=9000)
    nothing = look(sort, after=Cursor(edge, "ent_0"))
    assert (list(nothing.rows), nothing.before, nothing.after) == ([], None, None)


def test_a_place_without_a_date_in_a_column_that_always_has_one_is_an_empty_page(app: OpenAPI) -> None:
    make_entitlement()
    assert list(look(Sort(), after=Cursor(None, "ent_0")).rows) == []
