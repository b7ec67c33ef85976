"""The site in a real Chromium: its policy complains of nothing, axe finds no barrier, and it fits phones."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page

from paywall.demo.config import SiteConfig
from paywall.demo.site import create_site
from tests.demo.conftest import token
from tests.support.chromium import browser_type_launch_args, free_port, requires_chromium, serve

__all__ = ["browser_type_launch_args", "free_port", "serve"]  # fixtures

pytestmark = requires_chromium

PATHS = ["/", "/analyses/ferry-half-empty?checkout=cancelled", "/memos/memo-water-mains", "/outbox"]
SCREENS = {
    "desk": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 640}, "has_touch": True},
}


@pytest.fixture
def origin(config: SiteConfig, free_port: int, serve: Callable[[Flask, int], str]) -> str:
    """The site, served under the address that it takes for its own."""
    return serve(create_site(replace(config, base_url=f"http://127.0.0.1:{free_port}")), free_port)


@pytest.fixture
def visit(browser: Browser, origin: str) -> Callable[..., Page]:
    """Opens a page on some screen, as a subscriber or not; `page.complaints` keeps what the console says."""

    def go(path: str, screen: str = "desk", *, subscribed: bool = False) -> Page:
        context = browser.new_context(**SCREENS[screen])
        if subscribed:
            context.add_cookies([{"name": "paywall_token", "value": token(), "url": origin}])
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(f"{origin}{path}")
        return page

    return go


@pytest.mark.parametrize("screen", ["desk", "dark"])
def test_axe_finds_no_barrier(visit: Callable[..., Page], screen: str) -> None:
    for path in PATHS:
        page = visit(path, screen, subscribed="memo" in path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        page.context.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_no_page_scrolls_sideways_or_needs_what_its_policy_forbids(visit: Callable[..., Page], screen: str) -> None:
    for path in PATHS:
        page = visit(path, screen, subscribed="memo" in path)
        assert page.complaints == [], path
        width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1], path
        page.context.close()


def test_the_first_tab_stop_skips_to_the_content(visit: Callable[..., Page]) -> None:
    page = visit("/analyses/ferry-half-empty")
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to main content"
    box = skip.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_the_selector_of_the_markup_finds_the_part_behind_the_paywall(visit: Callable[..., Page], paid, hidden) -> None:
    """The data block is readable for machines although the policy allows no script."""
    page = visit(paid.path, subscribed=True)
    block = page.locator('script[type="application/ld+json"]').text_content() or ""
    selector = page.evaluate("text => JSON.parse(text).hasPart.cssSelector", block)
    assert page.locator(selector).count() == 1
    text = " ".join(page.locator(selector).inner_text().split())
    assert all(line in text for line in hidden(paid))
