"""The billing portal in a real browser: the buttons work, the policy stops nothing, everybody can use it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page

from tests.support.chromium import browser_type_launch_args, requires_chromium, serve

__all__ = ["browser_type_launch_args", "serve"]  # fixtures

pytestmark = requires_chromium
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def url(wire, sandbox, session, serve) -> str:
    site = Flask("site")
    site.add_url_rule("/account", "account", lambda: "<title>Account</title><h1>Your account</h1>")
    sandbox.pay(session["id"])
    (subscription,) = wire.get("/v1/subscriptions").json["data"]
    form = {"customer": subscription["customer"], "return_url": f"{serve(site)}/account"}
    return wire.post("/v1/billing_portal/sessions", form).json["url"]


def accessible(page: Page) -> bool:
    return Axe().run(page).violations_count == 0 and page.evaluate(WIDE) is False


def test_a_reader_cancels_takes_it_back_and_returns(page: Page, url: str):
    page.set_viewport_size({"width": 360, "height": 740})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.goto(url)
    page.get_by_text("Renews on November 22, 2027").wait_for()
    assert accessible(page)
    page.get_by_role("link", name="Cancel plan").click()
    page.get_by_role("heading", name="Cancel your plan").wait_for()
    assert accessible(page)
    page.get_by_role("button", name="Cancel plan").click()
    page.get_by_text("Ends on November 22, 2027").wait_for()
    assert accessible(page)
    page.get_by_role("button", name="Don't cancel plan").click()
    page.get_by_text("Renews on November 22, 2027").wait_for()
    page.get_by_role("link", name="Return to Sandbox account").click()
    page.get_by_role("heading", name="Your account").wait_for()
    assert complaints == []
