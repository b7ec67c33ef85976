"""A colleague acts in a real Chromium: by keyboard, free of barriers, in light and dark, on a phone."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from paywall.sessions import SESSION_COOKIE
from tests.support.builders import NOW, make_reader, open_session
from tests.support.chromium import browser_type_launch_args, free_port, requires_chromium, serve
from tests.support.colleagues import pass_factor

__all__ = ["browser_type_launch_args", "free_port", "serve"]

pytestmark = [*requires_chromium, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

NASTY = "Bea <script>alert(1)</script> asked for it"


@pytest.fixture
def desk(
    make_app: Callable[..., Flask], free_port: int, serve: Callable[[Flask, int], str], browser: Browser
) -> Iterator[Page]:
    """The page of a reader, open to an admin; fails on whatever the browser blocks or reports."""
    origin = f"http://127.0.0.1:{free_port}"
    app = make_app(web={"base_url": origin, "cookie_secure": False})
    with app.app_context():
        reader = make_reader("bea@example.org")
        admin = make_reader("desk@example.org", role="admin")
        secret = open_session(admin)
        pass_factor(admin, NOW)
    serve(app, free_port)
    page = browser.new_context(base_url=origin).new_page()
    page.set_default_timeout(5000)
    page.context.add_cookies([{"name": SESSION_COOKIE, "value": secret, "url": origin}])
    complaints: list[str] = []
    page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"/admin/desk/readers/{reader.id}")
    yield page
    page.context.close()
    # to Chromium the answer to a refused field is an error
    assert [one for one in complaints if "status of 400" not in one] == []


def check(page: Page, name: str) -> None:
    """No barrier in either colour scheme, and nothing wider than a phone."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        results = Axe().run(page)
        assert results.violations_count == 0, f"{name}, {scheme}: {results.generate_report()}"
    size = page.viewport_size
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360, name
    page.set_viewport_size(size)


def test_days_are_given_from_the_readers_page_and_taken_back(desk: Page) -> None:
    desk.get_by_role("link", name="Give days free of charge").click()
    check(desk, "form")
    desk.get_by_label("Days").fill("0")
    desk.get_by_label("Reason").fill(NASTY)
    desk.get_by_role("button", name="See what it comes to").click()
    expect(desk.get_by_label("Days")).to_have_attribute("aria-invalid", "true")
    check(desk, "form with an error")
    desk.get_by_label("Days").fill("14")
    desk.get_by_role("button", name="See what it comes to").click()
    expect(desk.get_by_text("Nothing has been done yet.")).to_be_visible()
    expect(desk.get_by_text(NASTY)).to_be_visible()
    check(desk, "preview")
    desk.get_by_role("button", name="Give days free of charge").click()
    expect(desk.get_by_role("status")).to_contain_text("The reader reads free of charge")
    check(desk, "reader's page")
    desk.get_by_role("link", name="Take an action back").click()
    desk.get_by_label("Reason").fill("it was somebody else's")
    desk.get_by_role("button", name="See what it comes to").click()
    desk.get_by_role("button", name="Take an action back").click()
    expect(desk.get_by_role("status")).to_contain_text("It is taken back.")


def test_erasing_asks_for_the_id_and_says_that_it_was_not_typed(desk: Page) -> None:
    desk.get_by_role("link", name="Erase the reader").click()
    desk.get_by_label("Reason").fill("asked for it by letter")
    desk.get_by_role("button", name="See what it comes to").click()
    desk.get_by_label("The reader's id, to confirm").fill("bea")
    desk.get_by_role("button", name="Erase the reader").click()
    expect(desk.get_by_role("alert")).to_contain_text("Type the reader's id")
    check(desk, "erasing")
