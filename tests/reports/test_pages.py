"""The list and the overview in a real Chromium: nothing is blocked; tests/journeys/test_staff_pages.py looks at all."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from paywall.domain.entitlements import Reason
from paywall.sessions import SESSION_COOKIE
from tests.support.builders import NOW, make_entitlement, make_reader, make_terms, open_session, save
from tests.support.chromium import requires_chromium

pytestmark = [*requires_chromium, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


@pytest.fixture
def desk(
    make_app: Callable[..., Flask], free_port: int, serve: Callable[[Flask, int], str], browser: Browser
) -> Iterator[Page]:
    """A page in which staff are signed in to a served application; fails on whatever the browser blocks or reports."""
    origin = f"http://127.0.0.1:{free_port}"
    app = make_app(web={"base_url": origin, "cookie_secure": False})
    with app.app_context():
        _rows()
        secret = open_session(make_reader("desk@example.org", role="admin"))
    serve(app, free_port)
    page = browser.new_context(base_url=origin).new_page()
    page.set_default_timeout(5000)
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": origin}])
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"{request.failure} {request.url}"))
    page.goto("/admin/")
    yield page
    page.context.close()
    # to Chromium the answer to a refused filter is an error, and a download an aborted visit
    assert [one for one in complaints if "status of 400" not in one and "ERR_ABORTED" not in one] == []


def _rows() -> None:
    gone = {"starts_at": None, "paid_until": None, "until": None}
    for terms in (
        make_terms(hold=Reason.DISPUTED),
        make_terms(paid_until=NOW - timedelta(days=2), until=NOW + timedelta(days=2), in_dunning=True),
        make_terms(paid_until=NOW, until=NOW, lapse=Reason.REFUNDED),
        make_terms(**gone, lapse=Reason.NEVER_PAID),
        make_terms(**gone, lapse=Reason.NOT_PAID_YET),
    ):
        make_entitlement(terms=terms)
    save(*(make_entitlement() for _ in range(60)))


def test_the_design_is_loaded(desk: Page) -> None:
    """The policy lets our own style sheets in: the cards stand side by side."""
    cards = [
        desk.get_by_role("link", name=name).bounding_box()
        for name in (re.compile("Active subscribers"), re.compile("In grace.*payment failed"))
    ]
    assert cards[0]["y"] == cards[1]["y"]


def test_from_a_figure_to_its_rows_and_to_the_file(desk: Page) -> None:
    desk.get_by_role("link", name=re.compile("Active subscribers")).click()
    expect(desk.get_by_role("status")).to_have_text("61 entitlements")  # who is in grace is an active subscriber too
    desk.get_by_role("link", name="Next").click()
    expect(desk.locator("tbody tr")).to_have_count(11)
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Download CSV, every row").click()
    assert download.value.suggested_filename == "entitlements-2026-11-22.csv"
    assert len(download.value.path().read_bytes().splitlines()) == 62


def test_a_filter_is_set_and_mended_by_keyboard(desk: Page) -> None:
    desk.goto("/admin/entitlements?from=2026-13-01&state=grace")
    field = desk.get_by_label("From")
    expect(field).to_have_value("2026-13-01")
    expect(field).to_have_accessible_description("There is no such day in the calendar.")
    field.fill("2026-01-13")
    field.press("Enter")
    expect(desk.get_by_role("status")).to_have_text("1 entitlement")
    expect(desk.get_by_label("State now")).to_have_value("grace")
    expect(field).to_have_attribute("type", "date")
