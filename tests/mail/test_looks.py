"""Every kind of letter in a real Chromium, as a page: axe finds no barrier, and phones need not scroll sideways."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.mail.samples import VALUES, sample
from tests.support.chromium import browser_type_launch_args, requires_chromium

__all__ = ["browser_type_launch_args"]  # a fixture

pytestmark = requires_chromium


def test_axe_finds_no_barrier_in_any_letter_light_or_dark_and_each_fits_a_phone(browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 320, "height": 640}).new_page()
    for kind in VALUES:
        page.set_content(sample(kind).html)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page)
            assert found.violations_count == 0, f"{kind}, {scheme}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, kind
    page.context.close()
