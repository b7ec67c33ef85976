"""The pages under /admin/: who may open them, what they show, how faults are told."""

import csv
import io
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3.openapi import OpenAPI

from paywall.domain.entitlements import Reason
from paywall.domain.lifecycle import State
from paywall.reports import export, words
from paywall.reports.filters import Flag
from paywall.reports.rule import Movement
from tests.reports.pages import get, link
from tests.support.browsers import browser
from tests.support.builders import NOW, make_entitlement, make_reader, make_subscription, make_terms, save, sign_in

ASKED_OF_POSTGRESQL = frozenset(
    {
        "test_pages_lead_through_all_rows_and_keep_the_filters",
        "test_the_download_holds_every_row_of_the_filter",
    }
)

ADDRESSES = ("/admin/", "/admin/entitlements", "/admin/entitlements.csv")


@pytest.mark.parametrize("address", ADDRESSES)
def test_whoever_is_signed_out_is_sent_to_sign_in(client: FlaskClient, address: str) -> None:
    response = client.get(f"{address}?state=active")
    assert response.status_code == 303
    assert response.location.startswith("/sign-in?return_to=")
    assert "state%3Dactive" in response.location


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("role", "method"), [(None, "link"), (None, "checkout"), ("admin", "checkout"), ("staff", "link")]
)
def test_readers_are_refused_and_staff_who_did_not_prove_their_mailbox(
    client: FlaskClient, address: str, role: str | None, method: str
) -> None:
    make_entitlement(make_reader("secret@example.org"))
    sign_in(client, make_reader(role=role), method=method)
    response = client.get(address)
    assert response.status_code == 403
    assert "secret@example.org" not in response.text


def test_a_session_that_ended_opens_nothing(app: OpenAPI, staff: FlaskClient, clock) -> None:
    clock.advance(days=181)
    assert staff.get("/admin/").status_code == 303


@pytest.mark.parametrize("address", ADDRESSES)
def test_reports_answer_to_reading_only(staff: FlaskClient, address: str) -> None:
    assert staff.post(address).status_code in (400, 405)
    assert staff.head(address).status_code == 200


@pytest.mark.parametrize("address", ADDRESSES)
def test_reports_are_never_stored_by_caches(staff: FlaskClient, address: str) -> None:
    assert staff.get(address).headers["Cache-Control"] == "private, no-store"


def test_a_row_of_the_list_says_everything_in_words(staff: FlaskClient) -> None:
    late = make_terms(paid_until=NOW - timedelta(days=1), until=NOW + timedelta(days=10), in_dunning=True)
    reader = make_reader("ann@example.org")
    save(make_entitlement(reader, late, source_id="sub_1"))
    text = " ".join(get(staff, "/admin/entitlements").text.split())
    assert (
        f"ann@example.org {reader.id} In grace Renewal payment failed 23 Oct 2026 2 Dec 2026 yes "
        "Everything we publish Subscription sub_1 23 Oct 2026" in text
    )


def test_a_second_subscription_is_marked_and_can_be_filtered(staff: FlaskClient) -> None:
    first = make_subscription()
    second = make_subscription(duplicate_of=first.id)
    save(make_entitlement(source_id=first.id), make_entitlement(source_id=second.id))
    mark = f"Subscription {second.id} Second subscription beside {first.id}"
    text = " ".join(get(staff, "/admin/entitlements").text.split())
    assert mark in text
    assert text.count(" beside ") == 1
    flagged = " ".join(get(staff, "/admin/entitlements?flag=duplicate").text.split())
    assert "1 entitlement" in flagged
    assert mark in flagged


def test_state_and_reasons_all_have_words() -> None:
    assert words.FLAGS.keys() == set(Flag)
    assert words.STATES.keys() == words.COLOURS.keys() == set(State)
    assert words.REASONS.keys() == set(Reason)
    assert words.MOVEMENTS.keys() == set(Movement)


def test_a_code_that_is_not_known_is_shown_as_it_is(staff: FlaskClient) -> None:
    """Rows that a newer version wrote do not break the page."""
    past = {"until": NOW - timedelta(days=1)}
    save(make_entitlement(terms=make_terms(**past), lapse="gift_over", source="gift", plan="lifetime"))
    text = get(staff, "/admin/entitlements").text
    assert all(code in text for code in ("gift_over", "gift", "lifetime"))


def test_an_address_cannot_bring_mark_up(staff: FlaskClient) -> None:
    save(make_entitlement(make_reader("<script>alert(1)</script>@example.org")))
    assert "<script>alert(1)" not in staff.get("/admin/entitlements").text
    response = staff.get("/admin/entitlements?state=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert response.status_code == 400
    assert "<script>alert(1)" not in response.text


def test_a_bad_filter_is_told_beside_its_field_and_the_rest_is_kept(staff: FlaskClient) -> None:
    save(make_entitlement(make_reader("ann@example.org")))
    query = "who=ann&state=ended&from=2026-13-01&to=2026-11-30&sort=-ends"
    for address in ("/admin/entitlements", "/admin/entitlements.csv"):
        response = staff.get(f"{address}?{query}")
        assert (response.status_code, response.mimetype) == (400, "text/html")
        assert 'id="fault-from">There is no such day in the calendar.' in response.text
        assert 'value="2026-13-01"' in response.text
        assert 'name="from" aria-invalid="true" aria-describedby="fault-from"' in response.text
        for kept in ('value="ann"', '<option value="ended" selected>', 'value="2026-11-30"', 'value="-ends"'):
            assert kept in response.text, kept
        assert "ann@example.org" not in response.text


@pytest.mark.parametrize("query", ["after=x", "before=x", "sort=x", "nonsense=1"])
def test_faults_that_have_no_field_are_told_above(staff: FlaskClient, query: str) -> None:
    assert 'role="alert"' in staff.get(f"/admin/entitlements?{query}").text
    assert staff.get(f"/admin/entitlements?{query}").status_code == 400


def test_pages_lead_through_all_rows_and_keep_the_filters(staff: FlaskClient) -> None:
    reader = make_reader("ann@example.org")
    save(*(make_entitlement(reader, source_id=f"sub_row{index:03}") for index in range(120)), make_entitlement())
    address, seen = "/admin/entitlements?who=ann@example.org&state=active&sort=starts", ""
    for number in (50, 50, 20):
        page = get(staff, address)
        assert page.text.count("sub_row") == number
        seen += page.text
        address = next((href for href, text in page.links if text == "Next"), "")
    assert address == ""
    assert all(f"sub_row{index:03}" in seen for index in range(120))
    back = get(staff, link(page, "Previous"))
    assert back.text.count("sub_row") == 50
    assert get(staff, link(back, "First")).text.count("sub_row") == 50


def test_a_column_sorts_both_ways(staff: FlaskClient) -> None:
    early = make_entitlement(terms=make_terms(until=NOW + timedelta(days=1)), source_id="sub_early")
    save(early, make_entitlement(source_id="sub_late"))
    ends = "Until, last day"
    page = get(staff, link(get(staff, "/admin/entitlements"), ends))
    assert page.text.index("sub_late") < page.text.index("sub_early")
    assert 'aria-sort="descending"' in staff.get("/admin/entitlements?sort=-ends").text
    page = get(staff, link(page, f"{ends} ↓"))
    assert page.text.index("sub_early") < page.text.index("sub_late")


def test_the_download_holds_every_row_of_the_filter(staff: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when there are far more rows than a page, a batch or a buffer holds."""
    reader = make_reader("ann@example.org")
    monkeypatch.setattr(export, "BATCH", 100)
    save(*(make_entitlement(reader) for _ in range(450)), make_entitlement())
    page = get(staff, "/admin/entitlements?who=ann@example.org&sort=ends")
    response = staff.get(link(page, "Download CSV, every row"))
    assert response.is_streamed
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert len({row["entitlement_id"] for row in rows}) == len(rows) == 450
    assert response.content_type.startswith("text/csv; charset=utf-8")


@pytest.mark.parametrize(
    ("zone", "day"), [("America/New_York", "22"), ("Pacific/Kiritimati", "23"), ("Pacific/Niue", "22")]
)
def test_the_downloads_name_carries_the_newsrooms_day(make_app, zone: str, day: str) -> None:
    app = make_app(newsroom={"time_zone": zone})
    with app.app_context():
        client = browser(app)
        sign_in(client, make_reader(role="admin"))
        response = client.get("/admin/entitlements.csv")
    assert response.headers["Content-Disposition"] == f'attachment; filename="entitlements-2026-11-{day}.csv"'


def test_nothing_that_fits_is_said_in_words(staff: FlaskClient) -> None:
    assert "No entitlement fits these filters." in get(staff, "/admin/entitlements?who=nobody").text
