"""The download: every row, exactly once, readable by programs, harmless in a spreadsheet."""

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask_openapi3.openapi import OpenAPI
from hypothesis import given
from hypothesis import strategies as st

from paywall.domain.entitlements import Reason
from paywall.reports import export
from paywall.reports.filters import Filters, Sort
from paywall.storage.database import db
from tests.support.builders import NOW, make_entitlement, make_reader, make_subscription, make_terms, save

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_every_row_is_there_once",
        "test_a_change_during_the_download_drops_and_repeats_nothing",
    }
)

NEW_YORK = ZoneInfo("America/New_York")


def pieces(zone: ZoneInfo = NEW_YORK, **wanted) -> list[bytes]:
    db.session.commit()
    return list(export.stream(db.engine, Filters(**wanted), zone, NOW))


def read(data: list[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(data).decode("utf-8"), newline=""), strict=True))


def test_a_row_in_full(app: OpenAPI) -> None:
    reader = make_reader("zoë@example.org", customer_id="cus_1")
    terms = make_terms(
        starts_at=datetime(2026, 11, 22, 3, 30, tzinfo=UTC),  # the evening before in New York
        paid_until=datetime(2027, 11, 22, 3, 30, tzinfo=UTC),
        until=datetime(2027, 11, 25, 5, 0, tzinfo=UTC),
    )
    row = make_entitlement(
        reader, terms, source_id="sub_1", created_at=datetime(2026, 11, 22, 3, 31, 7, 99, tzinfo=UTC)
    )
    assert read(pieces()) == [
        {
            "entitlement_id": row.id, "reader_id": reader.id, "customer_id": "cus_1", "address": "zoë@example.org",
            "plan": "annual", "source": "subscription", "source_id": "sub_1", "state": "active", "reason": "paid",
            "renews": "yes", "starts_at": "2026-11-22T03:30:00Z", "first_day": "2026-11-21",
            "paid_until": "2027-11-22T03:30:00Z", "until": "2027-11-25T05:00:00Z", "last_day": "2027-11-24",
            "created_at": "2026-11-22T03:31:07Z", "created_day": "2026-11-21", "as_of": "2026-11-22T17:00:00Z",
            "duplicate_of": "",
        }
    ]  # fmt: skip


def test_the_names_and_order_of_columns_are_stable(app: OpenAPI) -> None:
    """Programs depend on this line; a new column goes to its end."""
    assert pieces() == [
        b"entitlement_id,reader_id,customer_id,address,plan,source,source_id,state,reason,renews,"
        b"starts_at,first_day,paid_until,until,last_day,created_at,created_day,as_of,duplicate_of\r\n"
    ]


def test_what_is_missing_is_an_empty_cell(app: OpenAPI) -> None:
    make_entitlement(
        make_reader(None), make_terms(starts_at=None, paid_until=None, until=None, lapse=Reason.NEVER_PAID)
    )
    (row,) = read(pieces())
    empty = {name for name, cell in row.items() if cell == ""}
    dates = {"starts_at", "first_day", "paid_until", "until", "last_day"}
    assert empty == {"customer_id", "address", "duplicate_of", *dates}
    assert (row["state"], row["reason"]) == ("ended", "never_paid")


def test_a_second_subscription_names_the_older_one(app: OpenAPI) -> None:
    second = make_subscription(duplicate_of="sub_older")
    make_entitlement(source_id=second.id)
    assert [row["duplicate_of"] for row in read(pieces())] == ["sub_older"]


@pytest.mark.parametrize("number", [9, 10, 11, 30])
def test_every_row_is_there_once(app: OpenAPI, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Across batches, although whole batches were made at one moment."""
    monkeypatch.setattr(export, "BATCH", 10)
    reader = make_reader()
    at = [NOW - timedelta(days=1), NOW]
    rows = [make_entitlement(reader, created_at=at[index % 2]) for index in range(number)]
    data = pieces()
    found = [row["entitlement_id"] for row in read(data)]
    assert len(found) == number
    assert set(found) == {row.id for row in rows}
    assert len(data) == 1 + -(-number // 10)


def test_only_rows_of_the_filter_and_whatever_the_order_of_the_list(app: OpenAPI) -> None:
    late, early = make_entitlement(created_at=NOW), make_entitlement(created_at=NOW - timedelta(days=3))
    make_entitlement(plan="student")
    found = [row["entitlement_id"] for row in read(pieces(plan="annual", sort=Sort()))]
    assert found == [early.id, late.id]


def test_a_change_during_the_download_drops_and_repeats_nothing(app: OpenAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the download hold the database: a writer commits between two batches."""
    monkeypatch.setattr(export, "BATCH", 2)
    rows = [make_entitlement(created_at=NOW + timedelta(hours=hour)) for hour in range(5)]
    save()
    lines = export.stream(db.engine, Filters(), NEW_YORK, NOW)
    data = [next(lines), next(lines)]
    for row in rows:  # each ends at once, which would change its place in any order by date of access
        row.until = NOW - timedelta(days=5)
    save()
    data += list(lines)
    assert [row["entitlement_id"] for row in read(data)] == [row.id for row in rows]


FORMULAS = [
    '=LINK("https://example.net")', "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff0b1", "\uff0d1",
    "\uff201",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_run_is_led_by_an_apostrophe(app: OpenAPI, text: str) -> None:
    make_entitlement(make_reader(text), source_id=text, plan=text)
    (row,) = read(pieces())
    assert (row["address"], row["source_id"], row["plan"]) == (f"'{text}",) * 3


@pytest.mark.parametrize("text", ["ann@example.org", 'quote"d', "two, parts", "two\nlines", "a=1", "1-2", "", " =1"])
def test_other_texts_arrive_as_they_are(app: OpenAPI, text: str) -> None:
    make_entitlement(make_reader(text or None))
    assert read(pieces())[0]["address"] == text


@given(st.text(max_size=20))
def test_no_text_begins_like_a_formula(text: str) -> None:
    made = export.safe(text)
    assert not made.startswith(tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"))
    assert made in (text, f"'{text}")


@given(st.lists(st.text(alphabet="ab ,;\"'\r\n\t\0é"), min_size=2, max_size=5))
def test_a_line_is_written_as_the_module_csv_writes_it(cells: list[str]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    assert export._line(cells) == text.getvalue()
