"""The control page in a real browser: by keyboard, on a phone, in light and dark, under the strict policy."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from paywall.sandbox.server import SandboxServer
from tests.sandbox.conftest import Receiver
from tests.support.chromium import browser_type_launch_args, requires_chromium

__all__ = ["browser_type_launch_args"]  # fixtures

pytestmark = requires_chromium
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def bought(sandbox: SandboxServer, receiver: Receiver, session: dict) -> SandboxServer:
    """A sandbox in which somebody bought the plan."""
    sandbox.webhook_url = receiver.url
    sandbox.pay(session["id"])
    return sandbox


@pytest.fixture(params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A browser's page in either colour scheme, which must find nothing to complain about."""
    opened = browser.new_page(color_scheme=request.param)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    yield opened
    opened.close()
    assert complaints == []


def test_it_is_accessible_and_fits_a_phone_and_a_desk(page: Page, bought: SandboxServer):
    bought.hold("invoice.*")
    bought.fail_calls(500, path="/v1/none")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(bought.url)
        page.get_by_role("button", name="A day on").click()
        expect(page.get_by_role("status")).to_contain_text("It is now")
        report = Axe().run(page)
        assert report.violations_count == 0, report.generate_report()
        assert page.evaluate(WIDE) is False


def test_a_year_a_dispute_and_a_release_by_keyboard_alone(page: Page, bought: SandboxServer):
    """Each control is reached with Tab and pressed with Enter; the page then says what came of it."""
    page.goto(bought.url)
    for label, words in (
        ("Inquiry about", "disputed: warning needs response"),
        ("Close the inquiry", "warning closed"),
        ("Hold", "Events are held: *"),
        ("A year on", "events happened on the way"),
        ("Release, oldest first", "Released, oldest first"),
        ("End now", "The subscription is canceled"),
    ):
        press(page, label)
        expect(page.locator(".said")).to_contain_text(words)
    assert bought.deliver


def press(page: Page, label: str) -> None:
    """Go on with Tab until the control has the focus, then press it."""
    named = "(wanted) => (document.activeElement.textContent || '').trim().startsWith(wanted)"
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate(named, label):
            page.keyboard.press("Enter")
            page.wait_for_load_state()
            return
    raise AssertionError(f"Tab never reached {label!r}")
